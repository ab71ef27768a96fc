"""Exercises of chapter 06: from the radius of one ball to precision and recall, and what a PRD curve says."""

import numpy as np
import torch

from gancourse import metrics
from gancourse.exercises import Exercise

# --- 06.1 knn_radii ----------------------------------------------------------------------------------------

exercise_06_1 = Exercise("06.1", "knn_radii", points=3, atol=1e-6)


def _distances(x, y):
    """(N, M) Euclidean distances by differences, exact where they are 0."""
    return (x[:, None] - y[None]).square().sum(dim=2).sqrt()


@exercise_06_1.oracle
def knn_radii(x, k):
    """Distance of each of N samples (N, D) to its k-th nearest other sample: (N,)."""
    x = torch.as_tensor(x)
    distances = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.kthvalue(k + 1, dim=1).values


def _table(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def _cloud(rng, rows, columns, scale=1.0, centre=0.0):
    return torch.from_numpy(scale * rng.normal(size=(rows, columns)) + centre)


@exercise_06_1.cases
def clouds(rng):
    line = _table([0], [1], [3], [7])
    flat = _cloud(rng, 8, 3)
    flat[:, 1] = 2
    return [
        (line, 1),
        (line, 2),
        (line, 3),
        (_table([0, 0], [3, 4], [6, 8], [0, 1], [-4, 3]), 2),
        (_table([0, 0], [0, 0], [3, 4], [3, 4]), 1),  # copies are neighbours, at distance 0
        (_table([0, 0], [0, 0], [3, 4], [3, 4]), 2),
        (_table([1, 5], [1, 5], [1, 5]), 2),
        (_table([2, -1], [5, 3]), 1),
        (_cloud(rng, 20, 3), 3),
        (_cloud(rng, 4, 9), 2),
        (flat, 3),
        (_cloud(rng, 15, 4).float(), 5),
        (_cloud(rng, 12, 3, 100.0), 2),
        (_cloud(rng, 12, 3, 0.01), 4),
    ]


@exercise_06_1.mistake(
    "As if a sample were its own nearest neighbour: leave it out, or take one distance more."
)
def counts_itself(x, k):
    return _distances(x, x).sort(dim=1).values[:, k - 1]


@exercise_06_1.mistake("One neighbour too far: your radii reach to the neighbour after the k-th.")
def one_neighbour_too_far(x, k):
    return _distances(x, x).sort(dim=1).values[:, k + 1]


@exercise_06_1.mistake("One neighbour too far: your radii reach to the neighbour after the k-th.")
def one_neighbour_too_far_or_the_last(x, k):
    return _distances(x, x).sort(dim=1).values[:, min(k + 1, len(x) - 1)]


@exercise_06_1.mistake("These are squared distances: the root is missing.")
def squared_radii(x, k):
    return _distances(x, x).square().sort(dim=1).values[:, k]


@exercise_06_1.mistake(
    "As if distances were sums of absolute differences. Euclidean ones square, add, and take the root."
)
def city_block_radii(x, k):
    return (x[:, None] - x[None]).abs().sum(dim=2).sort(dim=1).values[:, k]


@exercise_06_1.mistake(
    "As if the largest difference of one feature were the distance. All features count, squared and added."
)
def largest_difference_radii(x, k):
    return (x[:, None] - x[None]).abs().amax(dim=2).sort(dim=1).values[:, k]


@exercise_06_1.mistake("As if squared differences were averaged over the features. A distance adds them up.")
def root_mean_square_radii(x, k):
    return (x[:, None] - x[None]).square().mean(dim=2).sqrt().sort(dim=1).values[:, k]


@exercise_06_1.mistake("As if k were always 1: your radii reach to the nearest neighbour.")
def nearest_neighbour_radii(x, k):
    return _distances(x, x).sort(dim=1).values[:, 1]


@exercise_06_1.mistake("Those are the distances to far samples: count from the smallest distance up.")
def farthest_radii(x, k):
    return _distances(x, x).sort(dim=1, descending=True).values[:, k - 1]


@exercise_06_1.mistake("That is the mean distance of the k neighbours. The ball reaches to the k-th.")
def mean_radii(x, k):
    return _distances(x, x).sort(dim=1).values[:, 1 : k + 1].mean(dim=1)


@exercise_06_1.mistake(
    "As if copies were no neighbours. Only the sample itself is left out; another one at distance 0 counts."
)
def radii_without_copies(x, k):
    distances = _distances(x, x)
    return distances.masked_fill(distances == 0, torch.inf).sort(dim=1).values[:, k - 1]


@exercise_06_1.mistake("You return the k distances of each sample. The radius is the last of them: (N,).")
def all_k_distances(x, k):
    return _distances(x, x).sort(dim=1).values[:, 1 : k + 1]


@exercise_06_1.mistake("You return which sample the neighbour is. Asked is how far away it is.")
def neighbours_indices(x, k):
    return _distances(x, x).sort(dim=1, stable=True).indices[:, k]


@exercise_06_1.mistake("As if every sample had the same radius: each has its own, to its own k-th neighbour.")
def one_radius_for_all(x, k):
    return knn_radii(x, k).mean().expand(len(x))


# --- 06.2 manifold_membership ------------------------------------------------------------------------------

exercise_06_2 = Exercise("06.2", "manifold_membership", points=3)


@exercise_06_2.oracle
def manifold_membership(probes, centres, radii):
    """Which probes (M, D) lie in at least one of the balls with centres (N, D) and radii (N,): bool (M,)."""
    probes, centres = torch.as_tensor(probes), torch.as_tensor(centres)
    distances = torch.cdist(probes, centres, compute_mode="donot_use_mm_for_euclid_dist")
    return (distances <= torch.as_tensor(radii)).any(dim=1)


@exercise_06_2.cases
def balls(rng):
    def drawn(probes, centres, columns, scale=1.0, reach=1.0):
        x, c = _cloud(rng, probes, columns, 1.2 * scale), _cloud(rng, centres, columns, scale)
        return x, c, torch.from_numpy(reach * scale * rng.uniform(0.1, 1.2, centres))

    square = _table([0, 0], [3, 4], [10, 0], [-6, 8])
    flat = drawn(9, 7, 3)
    flat[0][:, 1] = flat[1][:, 1] = 1
    single = tuple(part.float() for part in drawn(9, 12, 3, reach=1.5))
    return [
        (_table([0], [1], [2.5], [5]), _table([0], [4]), _table([1, 2])[0]),
        (_table([0, 0], [6, 8], [-3, 4]), _table([3, 4]), _table([5])[0]),  # two of them on the sphere
        (_table([1.0005], [0.9995], [-1.0005]), _table([0], [50]), _table([1, 2])[0]),  # just in and just out
        (square, square, _table([0, 0, 0, 0])[0]),  # balls of radius 0 hold their centres
        (square + 0.5, square, _table([0.5, 0.9, 0.1, 30])[0]),
        # the nearest centre's ball is too small, a farther one's is large enough
        (_table([0, 1], [0, 20], [4, 0]), _table([0, 0], [0, 8]), _table([0.5, 7.5])[0]),
        (_table([0, 0.6], [0.3, 0.3]), _table([0, 0], [5, 5], [1, 0]), _table([0.5, 0.2, 0.1])[0]),
        (_table([100, 1], [1, 2]), _table([0, 0], [99, 0], [1, 1]), _table([0.1, 2, 0.5])[0]),
        drawn(6, 20, 3),
        drawn(30, 8, 2),
        drawn(10, 10, 2),
        drawn(5, 4, 9, reach=3.0),
        (-drawn(3, 3, 9, reach=3.0)[0], *drawn(3, 3, 9, reach=3.0)[1:]),
        flat,
        single,
        drawn(12, 15, 2, 100.0),
        drawn(12, 15, 2, 0.01),
    ]


@exercise_06_2.mistake("As if a probe on the surface of a ball were outside: it is inside, so compare by <=.")
def surfaces_left_out(probes, centres, radii):
    return (_distances(probes, centres) < radii).any(dim=1)


@exercise_06_2.mistake(
    "As if only the nearest centre's ball counted. A farther centre may have a ball large enough to hold the probe."
)
def nearest_ball_only(probes, centres, radii):
    nearest = _distances(probes, centres).min(dim=1)
    return nearest.values <= radii[nearest.indices]


@exercise_06_2.mistake("You tell which balls hold a probe. Asked is which probes are in a ball: (M,).")
def balls_that_hold_something(probes, centres, radii):
    return (_distances(probes, centres) <= radii).any(dim=0)


@exercise_06_2.mistake("As if a probe had to be in every ball at once. One is enough.")
def in_every_ball(probes, centres, radii):
    return (_distances(probes, centres) <= radii).all(dim=1)


@exercise_06_2.mistake(
    "You count the balls that hold each probe. Asked is whether there is one: True or False."
)
def number_of_balls(probes, centres, radii):
    return (_distances(probes, centres) <= radii).sum(dim=1)


@exercise_06_2.mistake("You return all pairs of a probe and a ball. Is there one ball for the probe: (M,)?")
def pairs(probes, centres, radii):
    return _distances(probes, centres) <= radii


@exercise_06_2.mistake("As if squared distances were compared with radii: the root is missing.")
def squared_distances_and_radii(probes, centres, radii):
    return (_distances(probes, centres).square() <= radii).any(dim=1)


@exercise_06_2.mistake("As if the radii were squared and the distances were not: compare like with like.")
def distances_and_squared_radii(probes, centres, radii):
    return (_distances(probes, centres) <= radii.square()).any(dim=1)


@exercise_06_2.mistake(
    "As if the radii belonged to the probes. They belong to the centres, so they go with the columns of (M, N)."
)
def radii_of_the_probes(probes, centres, radii):
    return (_distances(probes, centres) <= radii[:, None]).any(dim=1)


@exercise_06_2.mistake("As if all balls had one radius: each centre has its own.")
def mean_radius(probes, centres, radii):
    return (_distances(probes, centres) <= radii.mean()).any(dim=1)


@exercise_06_2.mistake("As if all balls had one radius: each centre has its own.")
def largest_radius(probes, centres, radii):
    return (_distances(probes, centres) <= radii.max()).any(dim=1)


@exercise_06_2.mistake("As if all balls had one radius: each centre has its own.")
def smallest_radius(probes, centres, radii):
    return (_distances(probes, centres) <= radii.min()).any(dim=1)


@exercise_06_2.mistake("As if all balls had one radius: each centre has its own.")
def median_radius(probes, centres, radii):
    return (_distances(probes, centres) <= radii.median()).any(dim=1)


@exercise_06_2.mistake(
    "As if distances were sums of absolute differences. Euclidean ones square, add, and take the root."
)
def city_blocks(probes, centres, radii):
    return ((probes[:, None] - centres[None]).abs().sum(dim=2) <= radii).any(dim=1)


@exercise_06_2.mistake(
    "As if a ball were a box: within the radius along each feature is not within the radius."
)
def boxes(probes, centres, radii):
    return ((probes[:, None] - centres[None]).abs().amax(dim=2) <= radii).any(dim=1)


@exercise_06_2.mistake("You return the share of the probes inside. Asked is a True or False for each.")
def share_inside(probes, centres, radii):
    return manifold_membership(probes, centres, radii).double().mean()


@exercise_06_2.mistake("The other way round: True stands for a probe that is in at least one ball.")
def outside(probes, centres, radii):
    return ~manifold_membership(probes, centres, radii)


# --- 06.3 precision_recall ---------------------------------------------------------------------------------

exercise_06_3 = Exercise("06.3", "precision_recall", points=3, returns=("precision", "recall"))


@exercise_06_3.oracle
def precision_recall(real, fake, k=3):
    """(precision, recall) of features (N, D) and (M, D): shares of each set inside the other's manifold."""
    both = metrics.precision_recall(real=real, fake=fake, k=k)
    return both.precision, both.recall


@exercise_06_3.cases
def feature_pairs(rng):
    def pair(n, m, columns, k, shift=0.5, shrink=0.7, scale=1.0):
        real = _cloud(rng, n, columns, scale)
        return real, shrink * _cloud(rng, m, columns, scale) + shift * scale, k

    line = _table([0], [2], [4], [6], [20])
    grid = _table(*([i, j] for i in range(3) for j in range(4)))
    flat = pair(12, 9, 3, 3)
    flat[0][:, 2] = flat[1][:, 2] = 1
    real, fake, k = pair(14, 10, 3, 2)
    equal = torch.zeros(4, 2, dtype=torch.float64)
    # No set has fewer than four samples, so that an answer with k = 3 throughout runs, and is told from an error.
    return [
        (line, _table([8], [9], [10], [11], [40]), 1),
        (line, _table([1], [1.5], [3], [-2], [-7]), 1),  # -2 lies on the surface of one ball
        (equal, equal, 2),  # all radii are 0
        (grid, grid + 100, 3),
        (grid, grid, 3),
        (grid, _table([1, 1], [1, 1.5], [1.5, 1], [1.2, 1.2]), 2),
        # one real outlier with a huge ball
        (_table([0, 0], [0, 1], [1, 0], [50, 0]), _table([30, 0], [31, 0], [29, 0], [32, 1], [33, 0]), 1),
        pair(20, 20, 2, 3),
        pair(20, 20, 2, 1, shift=0.2),
        pair(24, 10, 3, 3, shrink=0.5),
        pair(10, 24, 3, 5, shrink=1.5),
        pair(9, 30, 1, 2),
        pair(5, 6, 9, 3, shift=0.1),
        flat,
        (real.float(), fake.float(), k),
        pair(15, 12, 3, 4, scale=100.0),
        pair(12, 15, 3, 2, scale=0.01),
    ]


def _shares(real, fake, real_radii, fake_radii):
    within = manifold_membership(fake, real, real_radii), manifold_membership(real, fake, fake_radii)
    return tuple(float(mask.double().mean()) for mask in within)


@exercise_06_3.mistake(
    "Exchanged: precision is the share of the fakes, recall that of the reals. A generator that makes one good image "
    "gets full recall from you."
)
def exchanged(real, fake, k):
    return precision_recall(fake, real, k)


@exercise_06_3.mistake(
    "As if a sample were its own nearest neighbour: all your balls are one neighbour too small."
)
def balls_too_small(real, fake, k):
    return _shares(real, fake, counts_itself(real, k), counts_itself(fake, k))


@exercise_06_3.mistake("As if k were fixed: use the k that is given.")
def always_three(real, fake, k):
    return precision_recall(real, fake, 3)


@exercise_06_3.mistake("As if k were fixed: use the k that is given.")
def always_one(real, fake, k):
    return precision_recall(real, fake, 1)


@exercise_06_3.mistake("As if a sample on the surface of a ball were outside: it is inside.")
def surfaces_outside(real, fake, k):
    precision = surfaces_left_out(fake, real, knn_radii(real, k))
    recall = surfaces_left_out(real, fake, knn_radii(fake, k))
    return float(precision.double().mean()), float(recall.double().mean())


@exercise_06_3.mistake(
    "Your precision is right, but your recall uses the reals' balls: it is the share of reals with a fake in their "
    "ball, which is called coverage. Recall asks for the balls of the fakes."
)
def coverage_for_recall(real, fake, k):
    covered = (_distances(real, fake) <= knn_radii(real, k)[:, None]).any(dim=1)
    return precision_recall(real, fake, k)[0], float(covered.double().mean())


@exercise_06_3.mistake(
    "As if the balls belonged to the samples you count. Precision counts fakes and needs the balls of the reals; for "
    "recall it is the other way round."
)
def own_balls(real, fake, k):
    distances = _distances(real, fake)
    recall = (distances <= knn_radii(real, k)[:, None]).any(dim=1)
    precision = (distances <= knn_radii(fake, k)).any(dim=0)
    return float(precision.double().mean()), float(recall.double().mean())


@exercise_06_3.mistake(
    "Your precision counts every ball that holds a fake, divided by k: that is called density. A fake counts once."
)
def density_for_precision(real, fake, k):
    inside = number_of_balls(fake, real, knn_radii(real, k)).double().mean() / k
    return float(inside), precision_recall(real, fake, k)[1]


@exercise_06_3.mistake("Numbers of samples, not shares: divide by the size of the set you count.")
def counts(real, fake, k):
    precision, recall = precision_recall(real, fake, k)
    return precision * len(fake), recall * len(real)


@exercise_06_3.mistake(
    "Divided by the size of the wrong set: precision is a share of the fakes, recall of the reals."
)
def shares_of_the_wrong_set(real, fake, k):
    precision, recall = precision_recall(real, fake, k)
    return precision * len(fake) / len(real), recall * len(real) / len(fake)


@exercise_06_3.mistake("As if the larger set were cut to the smaller one's size: every sample counts.")
def equal_sizes(real, fake, k):
    size = min(len(real), len(fake))
    return precision_recall(real[:size], fake[:size], k)


@exercise_06_3.mistake(
    "Both of your numbers look at the reals' manifold. Recall needs that of the fakes, with radii among the fakes."
)
def one_manifold(real, fake, k):
    return _shares(real, real, knn_radii(real, k), knn_radii(real, k))[0], 1.0


@exercise_06_3.mistake(
    "Both of your numbers look at the reals' manifold. Recall needs that of the fakes, with radii among the fakes."
)
def the_same_number_twice(real, fake, k):
    return (precision_recall(real, fake, k)[0],) * 2


@exercise_06_3.mistake(
    "As if radii were measured among reals and fakes together. Each set's radii reach to neighbours in the same set."
)
def radii_in_the_union(real, fake, k):
    radii = knn_radii(torch.cat([real, fake]), k)
    return _shares(real, fake, radii[: len(real)], radii[len(real) :])


@exercise_06_3.mistake(
    "As if only the nearest centre's ball counted. A farther centre may have a ball large enough to hold the sample."
)
def nearest_balls_only(real, fake, k):
    precision = nearest_ball_only(fake, real, knn_radii(real, k))
    recall = nearest_ball_only(real, fake, knn_radii(fake, k))
    return float(precision.double().mean()), float(recall.double().mean())


@exercise_06_3.mistake("In percent. Both numbers are shares between 0 and 1.")
def percentages(real, fake, k):
    precision, recall = precision_recall(real, fake, k)
    return 100 * precision, 100 * recall


@exercise_06_3.mistake("The order is right, but each number is the share outside: 1 less yours.")
def shares_outside(real, fake, k):
    precision, recall = precision_recall(real, fake, k)
    return 1 - precision, 1 - recall


# --- 06.4 precision_at_recall ------------------------------------------------------------------------------

BETWEEN = {"negative": "precision and recall lie between 0 and 1", "large scale": "they are at most 1"}

exercise_06_4 = Exercise("06.4", "precision_at_recall", points=2, exempt=BETWEEN)


@exercise_06_4.oracle
def precision_at_recall(precision, recall, at_least):
    """The highest precision among the curve's points with recall >= at_least; 0.0 where there is none."""
    reached = torch.as_tensor(precision)[torch.as_tensor(recall) >= at_least]
    return float(reached.max()) if len(reached) else 0.0


def _curve(rng, bins, angles=41, empty=0):
    """A PRD curve of two drawn histograms; `empty` bins of the reals are missed by the fakes, and as many the other way."""
    real, fake = (torch.from_numpy(rng.dirichlet([1.0] * bins)) for _ in range(2))
    if empty:
        real[:empty], fake[-empty:] = 0, 0
    curve = metrics.prd_from_histograms(real=real / real.sum(), fake=fake / fake.sum(), angles=angles)
    return curve.precision, curve.recall


STAIRS = _table([0, 0.25, 0.5, 0.75, 0.9], [0.8, 0.75, 0.5, 0.25, 0])
ALL_ZERO = _table([0, 0, 0], [0, 0, 0])


@exercise_06_4.cases
def curves_and_recalls(rng):
    half = tuple(_curve(rng, 6, empty=1))
    return [
        (*STAIRS, 0.5),  # met exactly
        (*STAIRS, 0.3),
        (*STAIRS, 0.7),
        (*STAIRS, 0.0),
        (*STAIRS, 0.95),  # reached nowhere
        (*ALL_ZERO, 0.5),
        (*ALL_ZERO, 0.0),
        (
            _table([0.3, 0.6])[0],
            _table([0.4, 0.2])[0],
            0.5,
        ),  # a part of a curve, which doesn't reach it either
        (_table([0.01, 0.02, 0.03])[0], _table([0.03, 0.02, 0.01])[0], 0.015),
        (_table([0.4])[0], _table([0.6])[0], 0.5),
        (*_curve(rng, 5), 0.21),
        (*_curve(rng, 12), 0.43),
        (*_curve(rng, 8, empty=2), 0.34),
        (*(part.float() for part in half), 0.13),
    ]


@exercise_06_4.mistake(
    "That is the point whose recall is nearest to what is asked, on either side. Its recall may be too low."
)
def nearest_point(precision, recall, at_least):
    return float(precision[(recall - at_least).abs().argmin()])


@exercise_06_4.mistake(
    "As if recall had to be larger than what is asked: a point that just reaches it counts."
)
def strictly_larger(precision, recall, at_least):
    reached = precision[recall > at_least]
    return float(reached.max()) if len(reached) else 0.0


@exercise_06_4.mistake("Exchanged: you return the highest recall among points of enough precision.")
def recall_at_precision(precision, recall, at_least):
    return precision_at_recall(recall, precision, at_least)


@exercise_06_4.mistake("That is the lowest precision among the points with enough recall, not the highest.")
def lowest_precision(precision, recall, at_least):
    reached = precision[recall >= at_least]
    return float(reached.min()) if len(reached) else 0.0


@exercise_06_4.mistake("As if recall were to be at most what is asked: look at the points above it.")
def at_most(precision, recall, at_least):
    reached = precision[recall <= at_least]
    return float(reached.max()) if len(reached) else 0.0


@exercise_06_4.mistake("As if no recall were asked for: that is the highest precision of the whole curve.")
def highest_of_all(precision, recall, at_least):
    return float(precision.max())


@exercise_06_4.mistake("That is a mean over points with enough recall. Asked is the best of them.")
def mean_precision(precision, recall, at_least):
    reached = precision[recall >= at_least]
    return float(reached.mean()) if len(reached) else 0.0


@exercise_06_4.mistake("You return the recall of the point. Asked is its precision.")
def recall_of_the_point(precision, recall, at_least):
    reached = recall[recall >= at_least]
    return float(reached.min()) if len(reached) else 0.0


@exercise_06_4.mistake(
    "NaN where the curve never has that much recall: nothing is reached there, which is 0.0."
)
def nan_where_never_reached(precision, recall, at_least):
    reached = precision[recall >= at_least]
    return float(reached.max()) if len(reached) else float("nan")


@exercise_06_4.mistake(
    "Where the curve never has that much recall, you return the precision of another point: nothing is reached, which "
    "is 0.0."
)
def most_recall_where_never_reached(precision, recall, at_least):
    reached = precision[recall >= at_least]
    return float(reached.max() if len(reached) else precision[recall.argmax()])


@exercise_06_4.mistake(
    "Where the curve never has that much recall, you return the precision of another point: nothing is reached, which "
    "is 0.0."
)
def most_precision_where_never_reached(precision, recall, at_least):
    reached = precision[recall >= at_least]
    return float(reached.max() if len(reached) else precision.max())


@exercise_06_4.mistake(
    "Where the curve never has that much recall, the answer is 0.0; an empty selection has no maximum."
)
def error_where_never_reached(precision, recall, at_least):
    return float(precision[recall >= at_least].max())


@exercise_06_4.mistake("As if there were points between the points: take the best of those the curve has.")
def between_the_points(precision, recall, at_least):
    return float(np.interp(at_least, recall.flip(0).numpy(), precision.flip(0).numpy()))


@exercise_06_4.mistake("You return all the precisions of points with enough recall. Asked is the best one.")
def all_that_reach(precision, recall, at_least):
    return precision[recall >= at_least]


# --- 06.5 f_beta -------------------------------------------------------------------------------------------

# rtol: what a small number added below the line against 0 / 0 may change
exercise_06_5 = Exercise("06.5", "f_beta", points=3, rtol=1e-4, exempt=BETWEEN)


@exercise_06_5.oracle
def f_beta(precision, recall, beta):
    """The largest (1 + beta^2) P R / (beta^2 P + R) along the curve; a point with P = R = 0 has 0."""
    curve = metrics.PRDCurve(torch.as_tensor(precision).double(), torch.as_tensor(recall).double())
    return curve.f_beta(beta)


@exercise_06_5.cases
def curves_and_betas(rng):
    return [
        (*STAIRS, 1),
        (*STAIRS, 8),
        (*STAIRS, 1 / 8),
        (*STAIRS, 0.5),
        (*ALL_ZERO, 1.0),
        (_table([0.01, 0.02, 0])[0], _table([0.04, 0.03, 0])[0], 2.0),
        (_table([0.4])[0], _table([0.8])[0], 2.0),
        (_table([0.9, 1.0])[0], _table([0.2, 0.0])[0], 8.0),
        (*_curve(rng, 5), 8.0),
        (*_curve(rng, 12), 1 / 8),
        (*_curve(rng, 8, empty=2), 3.0),
        (*(part.float() for part in _curve(rng, 6, empty=1)), 2.0),
    ]


def _best(precision, recall, above, below):
    """The largest quotient, 0 where it is 0 / 0."""
    return float(torch.where(above > 0, above / below.where(below > 0, 1), 0).max())


@exercise_06_5.mistake("As if beta were not squared.")
def beta_not_squared(precision, recall, beta):
    above, below = (1 + beta) * precision * recall, beta * precision + recall
    return _best(precision, recall, above, below)


@exercise_06_5.mistake(
    "Exchanged: a large beta should ask for recall, yours asks for precision. beta^2 stands with P below the line."
)
def weights_exchanged(precision, recall, beta):
    return f_beta(recall, precision, beta)


@exercise_06_5.mistake("As if beta were 1: precision and recall count alike in your result.")
def always_f_one(precision, recall, beta):
    return f_beta(precision, recall, 1.0)


@exercise_06_5.mistake("The factor 1 + beta^2 is missing: with P = R = 1 you don't get 1.")
def factor_missing(precision, recall, beta):
    return f_beta(precision, recall, beta) / (1 + beta**2)


@exercise_06_5.mistake("As if the curve's best precision and its best recall came from one point.")
def f_of_the_two_maxima(precision, recall, beta):
    return f_beta(precision.max()[None], recall.max()[None], beta)


@exercise_06_5.mistake("That is a mean along the curve. Asked is the largest value on it.")
def mean_along_the_curve(precision, recall, beta):
    values = [f_beta(p[None], r[None], beta) for p, r in zip(precision, recall, strict=True)]
    return sum(values) / len(values)


@exercise_06_5.mistake("As if the curve were averaged first: take F at each point, then the largest.")
def f_of_the_means(precision, recall, beta):
    return f_beta(precision.mean()[None], recall.mean()[None], beta)


@exercise_06_5.mistake("NaN where precision and recall are both 0, as at the end of a curve: F is 0 there.")
def nan_where_both_are_zero(precision, recall, beta):
    return float(((1 + beta**2) * precision * recall / (beta**2 * precision + recall)).max())


@exercise_06_5.mistake("As if P and R were added above the line. They are multiplied.")
def sum_above_the_line(precision, recall, beta):
    above, below = (1 + beta**2) * (precision + recall), beta**2 * precision + recall
    return _best(precision, recall, above, below)


@exercise_06_5.mistake("That is a weighted mean of P and R. F is a harmonic mean: it is low where one is.")
def arithmetic_mean(precision, recall, beta):
    return float(((precision + beta**2 * recall) / (1 + beta**2)).max())


@exercise_06_5.mistake("You return F at every point of the curve. Asked is the largest.")
def f_at_every_point(precision, recall, beta):
    above, below = (1 + beta**2) * precision * recall, beta**2 * precision + recall
    return torch.where(above > 0, above / below.where(below > 0, 1), 0)


def three_libraries():
    """{name: function of (features_1, features_2), generated first}: one is right, two are wrong in their own way."""

    def named(pair):
        return dict(zip(("precision", "recall"), pair, strict=True))

    return {
        "A": lambda features_1, features_2: named(surfaces_outside(features_2, features_1, 3)),
        "B": lambda features_1, features_2: named(precision_recall(features_2, features_1, 3)),
        "C": lambda features_1, features_2: named(exchanged(features_2, features_1, 3)),
    }
