"""Exercises of chapter 08: shares with intervals, how far two of them are apart, what moves along, and three fairnesses."""

import math

import numpy as np
import torch

from gancourse.exercises import Exercise

Z = 1.959963984540054  # 95% of the standard normal lie within +-Z

# --- 08.1 class_shares -------------------------------------------------------------------------------------

exercise_08_1 = Exercise(
    "08.1",
    "class_shares",
    points=4,
    rtol=1e-4,  # z = 1.96 is as good as Z
    atol=1e-5,
    returns=("shares", "intervals"),
    forbidden=("scipy.stats.binomtest",),
)


@exercise_08_1.oracle
def class_shares(labels, classes):
    """Share of each class and its 95% Wilson interval: labels (N,) -> shares (K,), intervals (K, 2)."""
    shares, n = _shares(labels, classes), len(labels)
    return shares, _wilson(shares, n, Z)


def _shares(labels, classes):
    return torch.bincount(labels, minlength=classes).double() / len(labels)


def _wilson(shares, n, z):
    """(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), low and high: (K,) -> (K, 2)."""
    middle = shares + z**2 / (2 * n)
    half = z * (shares * (1 - shares) / n + z**2 / (4 * n**2)).sqrt()
    return torch.stack([middle - half, middle + half], 1) / (1 + z**2 / n)


def _wald(shares, n, z=Z):
    half = z * (shares * (1 - shares) / n).sqrt()
    return torch.stack([shares - half, shares + half], 1)


@exercise_08_1.cases
def labellings(rng):
    """(labels, K): missing classes first, in the middle and last, one class only, one image, many images."""
    few = torch.tensor([0, 2, 2, 1, 2])
    cases = [(few, 3), (few, 5), (torch.tensor([1, 1, 3]), 4), (torch.tensor([2]), 4), (torch.tensor([0]), 1)]
    cases += [(torch.full((30,), 1), 2), (torch.zeros(40, dtype=torch.long), 3)]
    for n, classes in ((50, 10), (500, 4), (5000, 10)):
        weights = rng.dirichlet(np.ones(classes - 1))
        cases.append((torch.from_numpy(rng.choice(np.arange(1, classes), n, p=weights)), classes))
    cases.append((torch.from_numpy(rng.integers(0, 3, 12).astype(np.int32)), 3))
    return cases


NO_WILSON = "The shares are right. The intervals are p ± z √(p(1 - p)/N), which have no width for a class that never came and may leave 0 to 1. Wilson's formula has z² terms too."


@exercise_08_1.mistake(NO_WILSON)
def plain_normal_interval(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wald(shares, len(labels))


@exercise_08_1.mistake(NO_WILSON)
def plain_normal_interval_clipped(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wald(shares, len(labels)).clamp(0, 1)


@exercise_08_1.mistake(
    "The shares are right. The intervals lie around p itself. Wilson's middle is pulled towards one half: p + z²/2N."
)
def around_the_share(labels, classes):
    shares, n = _shares(labels, classes), len(labels)
    half = Z * (shares * (1 - shares) / n + Z**2 / (4 * n**2)).sqrt() / (1 + Z**2 / n)
    return shares, torch.stack([shares - half, shares + half], 1)


@exercise_08_1.mistake(
    "The shares are right. The intervals are not divided by 1 + z²/N: with few images they leave 0 to 1."
)
def not_divided(labels, classes):
    shares, n = _shares(labels, classes), len(labels)
    return shares, _wilson(shares, n, Z) * (1 + Z**2 / n)


@exercise_08_1.mistake("The shares are right. The term z²/4N² under the root is missing.")
def without_the_term_under_the_root(labels, classes):
    shares, n = _shares(labels, classes), len(labels)
    middle, half = shares + Z**2 / (2 * n), Z * (shares * (1 - shares) / n).sqrt()
    return shares, torch.stack([middle - half, middle + half], 1) / (1 + Z**2 / n)


@exercise_08_1.mistake(
    "The shares are right. The intervals are those of z = 1, which hold about 68%. For 95%, z is 1.96."
)
def one_standard_error(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wilson(shares, len(labels), 1.0)


@exercise_08_1.mistake(
    "The shares are right. The intervals hold 90%, as if z were 1.645. An interval has two ends: for 95%, z is 1.96."
)
def one_sided(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wilson(shares, len(labels), 1.6448536269514722)


@exercise_08_1.mistake(
    "The shares are right. The intervals are as if N were the number of images of the class. N counts all images."
)
def images_of_the_class(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wilson(shares, (shares * len(labels)).clamp(min=1), Z)


@exercise_08_1.mistake(
    "The shares are right. The intervals are as if N were the number of classes. N counts images."
)
def number_of_classes_for_n(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wilson(shares, classes, Z)


@exercise_08_1.mistake("The shares are right. The two ends of each interval are exchanged: low first.")
def high_first(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wilson(shares, len(labels), Z).flip(1)


@exercise_08_1.mistake("The shares are right. The intervals have the shape (2, K): one row for each class.")
def two_rows(labels, classes):
    shares = _shares(labels, classes)
    return shares, _wilson(shares, len(labels), Z).T


@exercise_08_1.mistake("The shares are right. There is one number for each interval; give its two ends.")
def half_widths(labels, classes):
    shares = _shares(labels, classes)
    low, high = _wilson(shares, len(labels), Z).T
    return shares, (high - low) / 2


@exercise_08_1.mistake("Only the shares come back. Give the intervals too: a tuple of two.")
def shares_only(labels, classes):
    return _shares(labels, classes)


@exercise_08_1.mistake(
    "Classes after the last that came are left out. There is one share for each of the K classes."
)
def without_the_last_classes(labels, classes):
    shares = _shares(labels, 0)
    return shares, _wilson(shares, len(labels), Z)


@exercise_08_1.mistake("Classes that never came are left out. Their share is 0, and it has an interval too.")
def only_classes_that_came(labels, classes):
    shares = _shares(labels, classes)
    shares = shares[shares > 0]
    return shares, _wilson(shares, len(labels), Z)


COUNTS = "These are counts. A share is a count divided by N."


@exercise_08_1.mistake(COUNTS)
def counts(labels, classes):
    shares = _shares(labels, classes)
    return shares * len(labels), _wilson(shares, len(labels), Z)


@exercise_08_1.mistake(COUNTS)
def counts_throughout(labels, classes):
    shares, n = _shares(labels, classes), len(labels)
    return shares * n, _wilson(shares, n, Z) * n


@exercise_08_1.mistake("These are percentages. Shares sum to 1.")
def percentages(labels, classes):
    shares = _shares(labels, classes)
    return 100 * shares, 100 * _wilson(shares, len(labels), Z)


@exercise_08_1.mistake("As if counts were divided by the number of classes. A share is a count divided by N.")
def counts_over_classes(labels, classes):
    shares = _shares(labels, classes) * len(labels) / classes
    return shares, _wilson(_shares(labels, classes), len(labels), Z)


@exercise_08_1.mistake(
    "The middle is Wilson's, but the width is that of p ± z √(p(1 - p)/N) around it (as Agresti and Coull have it)."
)
def agresti_coull(labels, classes):
    shares, n = _shares(labels, classes), len(labels)
    m = n + Z**2
    return shares, _wald((shares * n + Z**2 / 2) / m, m)


# --- 08.2 total_variation ----------------------------------------------------------------------------------

SHARES = "shares lie between 0 and 1"
exercise_08_2 = Exercise(
    "08.2",
    "total_variation",
    points=2,
    exempt={"negative": SHARES, "large scale": SHARES},
)


@exercise_08_2.oracle
def total_variation(p, q):
    """Half the sum of absolute differences of two lists of shares (K,): the part of the images that must change class."""
    return float((p.double() - q.double()).abs().sum() / 2)


@exercise_08_2.cases
def two_lists_of_shares(rng):
    """(p, q): by hand, disjoint, equal, one class, zeros in either, float32, many classes, in both orders."""

    def shares(k, zeros=0):
        p = rng.dirichlet(np.ones(k))
        p[:zeros] = 0
        return torch.from_numpy(p / p.sum())

    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    q = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)
    cases = [(p, q), (q, p), (p, p.clone()), (torch.eye(4).double()[0], torch.eye(4).double()[2])]
    cases += [(torch.ones(1).double(), torch.ones(1).double()), (shares(10), torch.full((10,), 0.1).double())]
    cases += [(shares(6, 2), shares(6)), (shares(6), shares(6, 3)), (shares(5).float(), shares(5).float())]
    many = torch.from_numpy(0.01 + 0.02 * rng.random(64))
    return [*cases, (many / many.sum(), torch.full((64,), 1 / 64).double())]


TWICE = "You have twice the distance: what one class loses another gains, so half of the sum counts."


@exercise_08_2.mistake(TWICE)
def sum_of_differences(p, q):
    return float((p - q).abs().sum())


@exercise_08_2.mistake(
    "It is the largest difference of one class. Differences of all classes count: take half of their sum."
)
def largest_difference(p, q):
    return float((p - q).abs().max())


CANCEL = (
    "Gains and losses cancel: it is 0 whatever the shares. Sum the sizes of the differences, without signs."
)


@exercise_08_2.mistake(CANCEL)
def signed_sum(p, q):
    return float((p - q).sum() / 2)


@exercise_08_2.mistake(CANCEL)
def size_of_the_sum(p, q):
    return float((p.sum() - q.sum()).abs() / 2)


EUCLID = "It is a distance of squares (Euclid's, or a part of it). Total variation sums absolute differences."


@exercise_08_2.mistake(EUCLID)
def euclidean(p, q):
    return float((p - q).norm())


@exercise_08_2.mistake(EUCLID)
def half_euclidean(p, q):
    return float((p - q).norm() / 2)


@exercise_08_2.mistake(EUCLID)
def squared(p, q):
    return float((p - q).square().sum())


@exercise_08_2.mistake(EUCLID)
def half_squared(p, q):
    return float((p - q).square().sum() / 2)


MEAN = "It is the mean over the classes. The distance is half of the sum, however many there are."


@exercise_08_2.mistake(MEAN)
def mean_difference(p, q):
    return float((p - q).abs().mean())


@exercise_08_2.mistake(MEAN)
def half_mean_difference(p, q):
    return float((p - q).abs().mean() / 2)


@exercise_08_2.mistake("It is what the two have in common, 1 for equal shares. The distance is 1 minus that.")
def overlap(p, q):
    return float(torch.minimum(p, q).sum())


ORDERED = "Differences are summed up along the classes, as if the classes had an order. They have none."


@exercise_08_2.mistake(ORDERED)
def largest_gap_of_sums(p, q):
    return float((p - q).cumsum(0).abs().max())


@exercise_08_2.mistake(ORDERED)
def earth_mover(p, q):
    return float((p - q).cumsum(0).abs().sum())


@exercise_08_2.mistake("It is the KL divergence of chapter 04. Here absolute differences are summed.")
def kl(p, q):
    return float(torch.where(p > 0, p * (p / q).log(), 0).sum())


@exercise_08_2.mistake(
    "It is Hellinger's distance, with roots of shares. Here absolute differences are summed."
)
def hellinger(p, q):
    return float((p.sqrt() - q.sqrt()).norm() / math.sqrt(2))


@exercise_08_2.mistake("There is one number for each class. Sum them.")
def not_summed(p, q):
    return (p - q).abs() / 2


@exercise_08_2.mistake("It is in percent. The distance goes from 0 to 1.")
def percent(p, q):
    return float(50 * (p - q).abs().sum())


# --- 08.3 top_covarying_attributes -------------------------------------------------------------------------

exercise_08_3 = Exercise(
    "08.3",
    "top_covarying_attributes",
    points=4,
    returns=("indices", "covariances"),
    exempt={"one column": "with one attribute there is no other"},
)


@exercise_08_3.oracle
def top_covarying_attributes(changes, target, n):
    """The n attributes whose changes covary most with the target's, in size: indices (n,), covariances (n,)."""
    cov = _cov(changes, target)
    order = [i for i in cov.abs().argsort(descending=True).tolist() if i != target][:n]
    return torch.tensor(order), cov[order]


def _cov(changes, target, correction=1):
    centred = changes.double() - changes.double().mean(0)
    return centred.T @ centred[:, target] / (len(changes) - correction)


def _top(values, target, n, size=torch.abs):
    """Indices of the n largest of values (K,), by size, without the target."""
    return [i for i in size(values).argsort(descending=True).tolist() if i != target][:n]


@exercise_08_3.cases
def changes_of_attributes(rng):
    """(changes, target, n): covariances of both signs, and some larger than the target's own variance."""

    def changes(rows, columns, target, scale=1.0):
        own = rng.normal(size=(rows, 1))
        weights = rng.permutation(np.linspace(0.3, 3, columns) * np.where(np.arange(columns) % 2, -1, 1))
        table = own * weights + 0.05 * rng.normal(size=(rows, columns)) * np.linspace(1, 5, columns)
        table[:, target] = own[:, 0]
        shift = rng.permutation(np.linspace(-3, 3, columns))
        return torch.from_numpy(scale * (table + shift))

    small = torch.tensor([[1, 3, -1, 0], [2, 5, -2, 5], [3, 7, -3, 1], [6, 13, -9, 2]]).double()
    cases = [(small, 0, 2), (small, 3, 1), (changes(40, 6, 2), 2, 3), (changes(40, 6, 5), 5, 5)]
    cases += [(changes(5, 8, 0), 0, 4), (changes(30, 7, 6), 6, 1), (changes(30, 5, 1).float(), 1, 2)]
    cases += [(changes(50, 5, 4, 1e-3), 4, 3), (changes(50, 5, 3, 1e3), 3, 4), (changes(9, 2, 1), 1, 1)]
    still = changes(25, 6, 2)
    still[:, 4] = 0.7  # an attribute that does not move
    restless = changes(400, 6, 1)
    restless[:, 3] = torch.from_numpy(
        6 * rng.normal(size=400)
    )  # one that moves much, but not with the target
    return [*cases, (still, 2, 5), (restless, 1, 3)]


@exercise_08_3.mistake("The target itself is in the list. It always moves with itself: leave it out.")
def with_the_target(changes, target, n):
    cov = _cov(changes, target)
    order = cov.abs().argsort(descending=True)[:n]
    return order, cov[order]


@exercise_08_3.mistake(
    "The largest is left out, as if it were always the target. Another attribute may covary with the target more than "
    "the target does with itself."
)
def without_the_largest(changes, target, n):
    cov = _cov(changes, target)
    order = cov.abs().argsort(descending=True)[1 : n + 1]
    return order, cov[order]


@exercise_08_3.mistake(
    "Attributes that move the opposite way are ranked last. Rank by the size of the covariance, without its sign."
)
def largest_with_sign(changes, target, n):
    cov = _cov(changes, target)
    order = _top(cov, target, n, size=lambda x: x)
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake("These are the attributes that covary least. Largest size first.")
def smallest_first(changes, target, n):
    cov = _cov(changes, target)
    order = _top(cov, target, n, size=lambda x: -x.abs())
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake("The attributes are right, but in reverse order. Largest size first.")
def reversed_order(changes, target, n):
    cov = _cov(changes, target)
    order = _top(cov, target, n)[::-1]
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake("The attributes are right, but in the order of their indices. Largest size first.")
def sorted_by_index(changes, target, n):
    cov = _cov(changes, target)
    order = sorted(_top(cov, target, n))
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake(
    "The signs are lost. Rank by size, but give the covariances themselves: the sign says which way it moves."
)
def sizes_only(changes, target, n):
    cov = _cov(changes, target)
    order = _top(cov, target, n)
    return torch.tensor(order), cov[order].abs()


CORRELATION = "These are correlations, from -1 to 1. Covariances are not divided by the standard deviations."


def _correlates(case, output, expected):
    """The expected output, or one that differs in attributes that never change: their correlation is 0/0."""
    changes, _, n = case
    moves = (changes != changes[0]).any(0).numpy()
    (indices, values), (right, known) = output, expected
    indices, right = np.asarray(indices).astype(int), right.astype(int)
    if len(indices) != n:
        return False
    kept, known = values[moves[indices]], known[moves[right]]
    same = np.array_equal(indices[moves[indices]], right[moves[right]])
    return bool(same and np.allclose(kept, known, rtol=1e-4, atol=1e-6))


@exercise_08_3.mistake(CORRELATION, recognise=_correlates)
def correlations(changes, target, n):
    centred = changes.double() - changes.double().mean(0)
    length = centred.norm(dim=0)
    cor = torch.nan_to_num(centred.T @ centred[:, target] / (length * length[target]))
    order = _top(cor, target, n)
    return torch.tensor(order), cor[order]


@exercise_08_3.mistake(CORRELATION)
def ranked_by_correlation(changes, target, n):
    cov = _cov(changes, target)
    spread = changes.double().std(0)
    order = _top(torch.nan_to_num(cov / spread), target, n)
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake(
    "The order is right. The values are those of a division by N; the covariance divides by N - 1."
)
def divided_by_n(changes, target, n):
    cov = _cov(changes, target, correction=0)
    order = _top(cov, target, n)
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake("As if the products were summed and not averaged: divide by N - 1.")
def sums_of_products(changes, target, n):
    cov = _cov(changes, target) * (len(changes) - 1)
    order = _top(cov, target, n)
    return torch.tensor(order), cov[order]


CENTRE = "As if the mean changes were not subtracted. A covariance is about deviations from the mean."


@exercise_08_3.mistake(CENTRE)
def not_centred(changes, target, n):
    x = changes.double()
    cov = x.T @ x[:, target] / (len(x) - 1)
    order = _top(cov, target, n)
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake(CENTRE)
def not_centred_over_n(changes, target, n):
    x = changes.double()
    cov = x.T @ x[:, target] / len(x)
    order = _top(cov, target, n)
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake(
    "The target was taken out before counting, so that indices after it are one too small. They must fit the columns "
    "of `changes`."
)
def indices_without_the_target(changes, target, n):
    cov = _cov(changes, target)
    rest = torch.cat([cov[:target], cov[target + 1 :]])
    order = rest.abs().argsort(descending=True)[:n]
    return order, rest[order]


HOW_MANY = "There is one attribute too many or too few: n of them, besides the target."


@exercise_08_3.mistake(HOW_MANY)
def one_too_few(changes, target, n):
    cov = _cov(changes, target)
    order = _top(cov, target, n - 1)
    return torch.tensor(order, dtype=torch.long), cov[order]


@exercise_08_3.mistake(HOW_MANY)
def all_of_them(changes, target, n):
    cov = _cov(changes, target)
    order = _top(cov, target, len(cov))
    return torch.tensor(order), cov[order]


@exercise_08_3.mistake(
    "These are the attributes that change most on average. What counts is what changes *with* the target."
)
def largest_mean_change(changes, target, n):
    mean = changes.double().mean(0)
    order = _top(mean, target, n)
    return torch.tensor(order), mean[order]


@exercise_08_3.mistake(
    "These are the attributes that vary most, whatever the target does. What counts is what changes *with* the target."
)
def largest_variance(changes, target, n):
    order = _top(changes.double().var(0), target, n)
    return torch.tensor(order), _cov(changes, target)[order]


@exercise_08_3.mistake("The two parts are exchanged: indices first, then covariances.")
def parts_exchanged(changes, target, n):
    cov = _cov(changes, target)
    order = _top(cov, target, n)
    return cov[order], torch.tensor(order)


@exercise_08_3.mistake("Only the indices come back. Give the covariances too.")
def indices_only(changes, target, n):
    return torch.tensor(_top(_cov(changes, target), target, n))


# --- 08.4 fairness_gaps ------------------------------------------------------------------------------------

exercise_08_4 = Exercise(
    "08.4",
    "fairness_gaps",
    points=5,
    returns=("demographic parity", "equal opportunity", "equalised odds"),
)


@exercise_08_4.oracle
def fairness_gaps(decision, truth, group):
    """Largest differences between groups: of P(yes), of P(yes | true), and of that or P(yes | false), the larger."""
    true, false = _rates(decision, group, truth), _rates(decision, group, ~truth)
    return _gap(_rates(decision, group)), _gap(true), max(_gap(true), _gap(false))


def _rates(decision, group, among=None):
    """Share of yes in each group, among those images where `among` holds."""
    among = torch.ones_like(decision) if among is None else among
    return [float(decision[(group == g) & among].double().mean()) for g in group.unique()]


def _gap(rates):
    return max(rates) - min(rates)


@exercise_08_4.cases
def decisions(rng):
    """(decision, truth, group): two groups by hand, one group, three and four, labels with holes, sizes that differ."""

    def drawn(sizes, labels):
        group = np.repeat(labels, sizes)
        base, yes, no = (
            rng.permutation(np.linspace(*ends, len(sizes))) for ends in ((0.2, 0.8), (0.3, 0.95), (0.05, 0.6))
        )
        index = np.repeat(np.arange(len(sizes)), sizes)
        truth = rng.random(len(group)) < base[index]
        decision = rng.random(len(group)) < np.where(truth, yes[index], no[index])
        for i in range(len(sizes)):  # every group has both kinds, and both decisions on each
            first = int(np.flatnonzero(index == i)[0])
            truth[first : first + 4], decision[first : first + 4] = [1, 1, 0, 0], [1, 0, 1, 0]
        order = rng.permutation(len(group))
        return tuple(torch.from_numpy(a[order]) for a in (decision, truth, group))

    yes = torch.tensor([1, 1, 0, 0, 1, 0, 1, 1, 1, 0]).bool()
    true = torch.tensor([1, 1, 1, 0, 0, 0, 1, 0, 0, 1]).bool()
    cases = [(yes, true, torch.tensor([0] * 5 + [1] * 5)), (yes, true, torch.zeros(10, dtype=torch.long))]
    cases.append((yes, true, torch.tensor([1] * 5 + [0] * 5)))
    odds_only = (torch.tensor([1, 0, 1, 0, 1, 0, 0, 0]).bool(), torch.tensor([1, 1, 0, 0, 1, 1, 0, 0]).bool())
    cases.append((*odds_only, torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])))
    # Three groups whose extremes are the last two: looking at the first and last, or at the first two, is not enough.
    of_three = torch.tensor([1, 1, 0, 0] * 2 + [1, 1, 1, 1, 1, 1, 1, 0] + [1, 0, 0, 0] * 2).bool()
    cases.append((of_three, torch.arange(24) % 8 < 4, torch.arange(24) // 8))
    cases += [drawn((30, 30), (0, 1)), drawn((200, 20), (1, 0)), drawn((60, 40, 25), (0, 1, 2))]
    cases += [drawn((40, 40), (3, 7)), drawn((30, 50, 20, 70), (2, 5, 6, 9)), drawn((300, 300), (0, 4))]
    return cases


@exercise_08_4.mistake(
    "Demographic parity is as if rightness were compared. It asks how often each group gets a yes, right or wrong."
)
def parity_of_accuracy(decision, truth, group):
    _, opportunity, odds = fairness_gaps(decision, truth, group)
    return _gap(_rates(decision == truth, group)), opportunity, odds


@exercise_08_4.mistake(
    "Demographic parity is as if the groups' shares of true cases were compared. It asks how often each gets a yes."
)
def parity_of_truth(decision, truth, group):
    _, opportunity, odds = fairness_gaps(decision, truth, group)
    return _gap(_rates(truth, group)), opportunity, odds


@exercise_08_4.mistake(
    "Equal opportunity is taken among those who got a yes. Take it among the true cases: how many of them get a yes?"
)
def opportunity_of_precision(decision, truth, group):
    parity, _, odds = fairness_gaps(decision, truth, group)
    return parity, _gap(_rates(truth, group, decision)), odds


CONDITIONS = "Decisions and truth are exchanged: you ask which part of the yeses is true. Ask which part of the true gets a yes."


@exercise_08_4.mistake(CONDITIONS)
def exchanged(decision, truth, group):
    return fairness_gaps(truth, decision, group)


@exercise_08_4.mistake(CONDITIONS)
def conditions_exchanged(decision, truth, group):
    true, false = _rates(truth, group, decision), _rates(truth, group, ~decision)
    return _gap(_rates(decision, group)), _gap(true), max(_gap(true), _gap(false))


WHOLE = "Rates among the true cases are divided by the size of the whole group. Divide by the number of true cases in it."


@exercise_08_4.mistake(WHOLE)
def divided_by_the_group(decision, truth, group):
    true, false = _rates(decision & truth, group), _rates(decision & ~truth, group)
    return _gap(_rates(decision, group)), _gap(true), max(_gap(true), _gap(false))


@exercise_08_4.mistake(WHOLE)
def opportunity_divided_by_the_group(decision, truth, group):
    parity, _, odds = fairness_gaps(decision, truth, group)
    return parity, _gap(_rates(decision & truth, group)), odds


@exercise_08_4.mistake(
    "Equalised odds is the gap among the false cases only. It asks for both, true and false: take the larger gap."
)
def odds_of_the_false(decision, truth, group):
    parity, opportunity, _ = fairness_gaps(decision, truth, group)
    return parity, opportunity, _gap(_rates(decision, group, ~truth))


@exercise_08_4.mistake(
    "Equalised odds is the gap among the true cases again. It asks for the false ones too: take the larger gap."
)
def odds_of_the_true(decision, truth, group):
    parity, opportunity, _ = fairness_gaps(decision, truth, group)
    return parity, opportunity, opportunity


def _both(decision, truth, group):
    return _gap(_rates(decision, group, truth)), _gap(_rates(decision, group, ~truth))


@exercise_08_4.mistake("Equalised odds is the sum of the two gaps. Take the larger one.")
def odds_summed(decision, truth, group):
    parity, opportunity, _ = fairness_gaps(decision, truth, group)
    return parity, opportunity, sum(_both(decision, truth, group))


@exercise_08_4.mistake(
    "Equalised odds is the mean of the two gaps, so that one can hide the other. Take the larger one."
)
def odds_averaged(decision, truth, group):
    parity, opportunity, _ = fairness_gaps(decision, truth, group)
    return parity, opportunity, sum(_both(decision, truth, group)) / 2


@exercise_08_4.mistake(
    "Equalised odds is the smaller of the two gaps. Both must be small: take the larger one."
)
def odds_the_smaller(decision, truth, group):
    parity, opportunity, _ = fairness_gaps(decision, truth, group)
    return parity, opportunity, min(_both(decision, truth, group))


@exercise_08_4.mistake(
    "Equalised odds compares true cases of one group with false cases of another. Compare each kind with its own kind."
)
def odds_of_all_rates_together(decision, truth, group):
    parity, opportunity, _ = fairness_gaps(decision, truth, group)
    return parity, opportunity, _gap(_rates(decision, group, truth) + _rates(decision, group, ~truth))


SIGN = "A gap has a sign with you. Give the largest rate minus the smallest: it doesn't matter which group is named first."


def _signed(rates):
    return rates[0] - rates[-1]


@exercise_08_4.mistake(SIGN)
def first_minus_last(decision, truth, group):
    true, false = _rates(decision, group, truth), _rates(decision, group, ~truth)
    return _signed(_rates(decision, group)), _signed(true), max(_signed(true), _signed(false))


@exercise_08_4.mistake(SIGN)
def last_minus_first(decision, truth, group):
    true, false = _rates(decision, group, truth), _rates(decision, group, ~truth)
    return -_signed(_rates(decision, group)), -_signed(true), max(-_signed(true), -_signed(false))


ONLY_TWO = "Only two of the groups are compared. With more than two, a gap is the largest rate of all minus the smallest."


@exercise_08_4.mistake(ONLY_TWO)
def first_and_last_group(decision, truth, group):
    true, false = _rates(decision, group, truth), _rates(decision, group, ~truth)
    return (
        abs(_signed(_rates(decision, group))),
        abs(_signed(true)),
        max(abs(_signed(true)), abs(_signed(false))),
    )


@exercise_08_4.mistake(ONLY_TWO)
def first_two_groups(decision, truth, group):
    first = group <= group.unique()[:2].max()
    return fairness_gaps(decision[first], truth[first], group[first])


@exercise_08_4.mistake("These are ratios of rates, 1 for equal ones. Give differences, 0 for equal ones.")
def ratios(decision, truth, group):
    true, false = _rates(decision, group, truth), _rates(decision, group, ~truth)
    parity, opportunity, other = (
        min(r) / max(r) if max(r) else 1.0 for r in (_rates(decision, group), true, false)
    )
    return parity, opportunity, min(opportunity, other)


@exercise_08_4.mistake(
    "Groups are compared with the rate of everybody, not with each other: largest rate minus smallest rate."
)
def against_everybody(decision, truth, group):
    def farthest(among):
        overall = float(decision[among].double().mean())
        return max(abs(rate - overall) for rate in _rates(decision, group, among))

    opportunity = farthest(truth)
    return farthest(torch.ones_like(truth)), opportunity, max(opportunity, farthest(~truth))


@exercise_08_4.mistake("The true and the false cases are exchanged in equal opportunity.")
def opportunity_of_the_false(decision, truth, group):
    parity, _, odds = fairness_gaps(decision, truth, group)
    return parity, _gap(_rates(decision, group, ~truth)), odds


@exercise_08_4.mistake("The last two are exchanged: parity, opportunity, odds.")
def last_two_exchanged(decision, truth, group):
    parity, opportunity, odds = fairness_gaps(decision, truth, group)
    return parity, odds, opportunity


FROM_ZERO = "As if the groups were numbered 0, 1, 2, ...: group numbers that never occur give no rate. Use `group.unique()`."


def _of_groups(decision, truth, group, names, gap):
    """The three gaps among the groups of these names; the rate of one that never occurs is NaN."""

    def rates(among):
        return torch.stack([decision[(group == g) & among].double().mean() for g in names])

    parity, true, false = (gap(rates(among)) for among in (torch.ones_like(truth), truth, ~truth))
    return parity, true, max(true, false)


@exercise_08_4.mistake(FROM_ZERO)
def groups_counted_from_zero(decision, truth, group):
    every = range(int(group.max()) + 1)
    return _of_groups(decision, truth, group, every, lambda rates: float(rates.max() - rates.min()))


@exercise_08_4.mistake(FROM_ZERO)
def groups_counted_from_zero_in_a_list(decision, truth, group):
    every = range(int(group.max()) + 1)
    return _of_groups(decision, truth, group, every, lambda rates: _gap(rates.tolist()))


ZERO_AND_ONE = (
    "As if the groups were always 0 and 1. There can be any number of them, numbered otherwise: take those that occur, "
    "`group.unique()`."
)


@exercise_08_4.mistake(ZERO_AND_ONE)
def groups_zero_and_one(decision, truth, group):
    return _of_groups(decision, truth, group, (0, 1), lambda rates: abs(float(rates[0] - rates[1])))


@exercise_08_4.mistake(ZERO_AND_ONE)
def groups_zero_and_one_in_a_list(decision, truth, group):
    return _of_groups(decision, truth, group, (0, 1), lambda rates: _gap(rates.tolist()))


@exercise_08_4.mistake(
    "These are standard deviations of the rates. A gap is the largest rate minus the smallest."
)
def spread_of_rates(decision, truth, group):
    true, false = _rates(decision, group, truth), _rates(decision, group, ~truth)
    return (
        float(np.std(_rates(decision, group))),
        float(np.std(true)),
        max(float(np.std(true)), float(np.std(false))),
    )
