"""Exercises of chapter 12: who copies, whose classes come too often, and who is still in the running."""

import torch

from gancourse.exercises import Exercise

# --- 12.1 authentic ----------------------------------------------------------------------------------------

exercise_12_1 = Exercise("12.1", "authentic", points=4)


def _distances(x, y):
    """(N, M) Euclidean distances by differences, exact where they are 0."""
    return (x[:, None] - y[None]).square().sum(dim=2).sqrt()


def _others(x):
    """(N, N) distances among samples, infinite to themselves."""
    return _distances(x, x).fill_diagonal_(torch.inf)


def _nearest(train, fake):
    """Distance from each fake to its nearest training sample, and which that is: (M,), (M,)."""
    return _distances(fake, train).min(dim=1)


@exercise_12_1.oracle
def authentic(train, fake):
    """Which fakes are farther from their nearest training sample than it is from its own nearest other one: bool (M,)."""
    train, fake = torch.as_tensor(train), torch.as_tensor(fake)
    exact = "donot_use_mm_for_euclid_dist"
    own = torch.cdist(train, train, compute_mode=exact).fill_diagonal_(torch.inf).amin(dim=1)
    distance, nearest = torch.cdist(fake, train, compute_mode=exact).min(dim=1)
    return distance > own[nearest]


def _table(*rows):
    return torch.tensor(rows, dtype=torch.float64)


@exercise_12_1.cases
def train_and_fake(rng):
    def cloud(rows, columns, scale=1.0, centre=0.0):
        return torch.from_numpy(scale * rng.normal(size=(rows, columns)) + centre)

    line = _table([0], [1], [10])
    flat = cloud(8, 3)
    flat[:, 1] = 2
    twins = _table([0, 0], [0, 0], [3, 0], [3, 4], [9, 9])
    crowd = cloud(20, 2)
    return [
        (line, _table([0.25], [3], [-0.5], [16], [21])),
        (line, _table([2], [-1], [1], [10])),  # a tie on either side, and two copies
        (_table([2, -1], [5, 3]), _table([2, 0])),
        (twins, _table([0, 0], [0, 1], [1, 0], [3, 2], [9, 9], [-7, 0])),  # twins: the nearest other is at 0
        (_table([0, 0], [1, 0], [20, 0]), _table([9, 0], [12, 3], [4, 0])),  # inside a far sample's ball
        (_table([0, 0], [4, 0], [4, 3], [8, 8]), _table([0, 1], [0.5, 1], [5, 4], [7, 9])),
        (
            _table([0, 0], [3, 3], [9, 0]),
            _table([-2.5, -2.5], [12, 3], [3.5, 6]),
        ),  # where it matters how to measure
        (_table([0, 0], [0.5, 0], [8, 8]), _table([-0.4, 0], [0.2, -0.3], [0.5, -0.45], [8, 7.9])),
        (crowd, crowd[:6] + 0.05),
        (crowd, cloud(9, 2)),
        (cloud(4, 9), cloud(15, 9)),
        (flat, flat[:4] + 0.5),
        (cloud(12, 4).float(), cloud(7, 4).float()),
        (cloud(12, 3, 100.0), cloud(20, 3, 100.0)),
        (cloud(12, 3, 0.01), cloud(12, 3, 0.01)),
    ]


COPIES = "Those are the copies: True and False are exchanged."


@exercise_12_1.mistake(COPIES)
def copies_marked(train, fake):
    distance, nearest = _nearest(train, fake)
    return distance <= _others(train).amin(dim=1)[nearest]


@exercise_12_1.mistake(COPIES + " And on a tie a fake is not authentic.")
def copies_marked_but_for_ties(train, fake):
    distance, nearest = _nearest(train, fake)
    return distance < _others(train).amin(dim=1)[nearest]


@exercise_12_1.mistake(
    "As if a training sample were its own nearest: each is at distance 0 from itself. Its nearest *other* one is asked."
)
def counts_itself(train, fake):
    return _nearest(train, fake)[0] > 0


@exercise_12_1.mistake("As if a tie were authentic. It isn't: nor is a copy of a sample that occurs twice.")
def ties_are_authentic(train, fake):
    distance, nearest = _nearest(train, fake)
    return distance >= _others(train).amin(dim=1)[nearest]


@exercise_12_1.mistake(
    "As if copies among the training samples were no neighbours. Only the sample itself is left out."
)
def twins_left_out(train, fake):
    distance, nearest = _nearest(train, fake)
    among = _distances(train, train)
    return distance > among.masked_fill(among == 0, torch.inf).amin(dim=1)[nearest]


@exercise_12_1.mistake(
    "As if the fakes' distances to each other were what counts. Compare with the training samples' distances to each other."
)
def compared_with_other_fakes(train, fake):
    return _nearest(train, fake)[0] > _others(fake).amin(dim=1)


@exercise_12_1.mistake(
    "As if fakes were neighbours of a training sample, too. Its nearest other *training* sample is asked."
)
def fakes_among_the_neighbours(train, fake):
    distance, nearest = _nearest(train, fake)
    own = torch.minimum(_others(train).amin(dim=1), _distances(train, fake).amin(dim=1))
    return distance > own[nearest]


@exercise_12_1.mistake(
    "As if every training sample's ball counted. Only that of the nearest one does: a far sample's ball may be large."
)
def outside_all_balls(train, fake):
    return (_distances(fake, train) > _others(train).amin(dim=1)).all(dim=1)


ONE_DISTANCE = "As if all training samples had one distance in common: each has its own."


@exercise_12_1.mistake(ONE_DISTANCE)
def one_mean_distance(train, fake):
    return _nearest(train, fake)[0] > _others(train).amin(dim=1).mean()


@exercise_12_1.mistake(ONE_DISTANCE)
def one_median_distance(train, fake):
    return _nearest(train, fake)[0] > _others(train).amin(dim=1).median()


@exercise_12_1.mistake(ONE_DISTANCE)
def one_smallest_distance(train, fake):
    return _nearest(train, fake)[0] > _others(train).min()


@exercise_12_1.mistake("One neighbour too far: the nearest other training sample is asked, not the second.")
def second_neighbour(train, fake):
    distance, nearest = _nearest(train, fake)
    ordered = _others(train).sort(dim=1).values
    return distance > ordered[:, min(1, len(train) - 2)][nearest]


@exercise_12_1.mistake("As if the farthest training sample were asked: it is the nearest, both times.")
def farthest_other(train, fake):
    distance, nearest = _nearest(train, fake)
    return distance > _distances(train, train).amax(dim=1)[nearest]


SQUARED = "As if a distance were compared with a squared one. Both with the root, or both without."


@exercise_12_1.mistake(SQUARED)
def squared_against_plain(train, fake):
    distance, nearest = _nearest(train, fake)
    return distance**2 > _others(train).amin(dim=1)[nearest]


@exercise_12_1.mistake(SQUARED)
def plain_against_squared(train, fake):
    distance, nearest = _nearest(train, fake)
    return distance > _others(train).amin(dim=1)[nearest] ** 2


def _authentic_by(measure):
    def answer(train, fake):
        distance, nearest = measure(fake, train).min(dim=1)
        return distance > measure(train, train).fill_diagonal_(torch.inf).amin(dim=1)[nearest]

    return answer


OTHER_DISTANCE = "As if distances were sums of absolute differences, or the largest one. Euclidean ones square, add, take the root."


@exercise_12_1.mistake(OTHER_DISTANCE)
def city_block(train, fake):
    return _authentic_by(lambda x, y: (x[:, None] - y[None]).abs().sum(dim=2))(train, fake)


@exercise_12_1.mistake(OTHER_DISTANCE)
def largest_difference(train, fake):
    return _authentic_by(lambda x, y: (x[:, None] - y[None]).abs().amax(dim=2))(train, fake)


@exercise_12_1.mistake("You return one number, the share. Asked is True or False for each fake: (M,).")
def share_only(train, fake):
    return authentic(train, fake).double().mean()


@exercise_12_1.mistake(
    "The two sets are exchanged: you say which training samples are authentic among the fakes."
)
def sets_exchanged(train, fake):
    if len(fake) == 1:
        return torch.zeros(len(train), dtype=torch.bool)
    return authentic(fake, train)


@exercise_12_1.mistake("You return the distances. Asked is whether they are large enough: True or False.")
def distances_only(train, fake):
    return _nearest(train, fake)[0]


@exercise_12_1.mistake("You return how much farther each fake is. Asked is whether it is: True or False.")
def margins_only(train, fake):
    distance, nearest = _nearest(train, fake)
    return distance - _others(train).amin(dim=1)[nearest]


# --- 12.2 class_weights ------------------------------------------------------------------------------------

exercise_12_2 = Exercise("12.2", "class_weights", points=3)


def _shares(fake_labels, real_labels, classes):
    fake, real = (
        torch.bincount(torch.as_tensor(x), minlength=classes).double() for x in (fake_labels, real_labels)
    )
    return fake / fake.sum(), real / real.sum()


@exercise_12_2.oracle
def class_weights(fake_labels, real_labels, classes):
    """Chance of each fake (M,), adding up to 1, with which drawn fakes have the reals' shares of the classes that both have."""
    fake, real = _shares(fake_labels, real_labels, classes)
    weights = (real / fake)[torch.as_tensor(fake_labels)]
    return weights / weights.sum()


@exercise_12_2.cases
def label_pairs(rng):
    def draw(n, shares):
        return torch.from_numpy(rng.choice(len(shares), size=n, p=shares))

    few, many = [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]
    return [
        (torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1]), 2),
        (torch.tensor([1, 0, 1, 1, 2, 2]), torch.tensor([2, 2, 2, 0, 1, 1, 1, 1]), 3),
        (torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1, 2, 2, 2]), 3),  # a class that no fake has
        (
            torch.tensor([3, 0, 0, 3, 3, 1]),
            torch.tensor([0, 3, 3]),
            5,
        ),  # a class that no real has, and one of nobody
        (torch.tensor([4]), torch.tensor([4, 4, 0]), 6),
        (torch.tensor([1, 1, 1]), torch.tensor([1]), 2),
        (torch.cat([draw(30, few), torch.arange(3)]), torch.cat([draw(60, many), torch.arange(3)]), 3),
        (torch.cat([draw(200, few), torch.arange(3)]), torch.cat([draw(50, many), torch.arange(3)]), 10),
    ]


UPSIDE_DOWN = "The other way round: your weights are large for classes that come too often, and small for those that are missing."


@exercise_12_2.mistake(UPSIDE_DOWN)
def ratio_upside_down(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    weights = (fake / real.clamp(min=1e-300))[fake_labels]
    return weights / weights.sum()


@exercise_12_2.mistake(UPSIDE_DOWN)
def ratio_upside_down_divided_by_zero(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    weights = (fake / real)[fake_labels]
    return weights / weights.sum()


@exercise_12_2.mistake(
    "As if the fakes were balanced already: a class that many fakes have still comes too often. Divide by the fakes' share."
)
def reals_share_alone(fake_labels, real_labels, classes):
    weights = _shares(fake_labels, real_labels, classes)[1][fake_labels]
    return weights / weights.sum()


@exercise_12_2.mistake("As if all classes were to come equally often. Asked are the shares of the reals.")
def all_classes_alike(fake_labels, real_labels, classes):
    weights = 1 / _shares(fake_labels, real_labels, classes)[0][fake_labels]
    return weights / weights.sum()


@exercise_12_2.mistake("Your weights don't add up to 1: they are the ratios themselves.")
def ratios_themselves(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    return (real / fake)[fake_labels]


@exercise_12_2.mistake("Your weights don't add up to 1: they are ratios of counts.")
def ratios_of_counts(fake_labels, real_labels, classes):
    fake, real = (torch.bincount(x, minlength=classes).double() for x in (fake_labels, real_labels))
    return (real / fake)[fake_labels]


@exercise_12_2.mistake(
    "Where no fake has a class that reals have, your weights add up to less than 1. Divide by their own sum at the end."
)
def missing_class_not_shared_out(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    return (real / fake)[fake_labels] / len(fake_labels)


@exercise_12_2.mistake("Your weights don't add up to 1: the largest one is 1.")
def largest_is_one(fake_labels, real_labels, classes):
    weights = class_weights(fake_labels, real_labels, classes)
    return weights / weights.max()


@exercise_12_2.mistake(
    "As if the ratios of the classes were to add up to 1. There is one weight for each image, and those are to add up to 1."
)
def added_up_over_classes(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    ratio = torch.where(fake > 0, real / fake, 0.0)
    return (ratio / ratio.sum())[fake_labels]


EACH_CLASS = "There is one weight for each class. Asked is one for each fake image: (M,)."


@exercise_12_2.mistake(EACH_CLASS)
def one_for_each_class(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    ratio = torch.where(fake > 0, real / fake, 0.0)
    return ratio / ratio.sum()


@exercise_12_2.mistake(EACH_CLASS)
def one_for_each_class_divided_by_zero(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    ratio = real / fake
    return ratio / ratio.sum()


@exercise_12_2.mistake("Those are weights for the real images. It is the fakes that are drawn again.")
def weights_for_reals(fake_labels, real_labels, classes):
    return class_weights(real_labels, fake_labels, classes)


@exercise_12_2.mistake("All weights are alike, so that the shares stay what they were.")
def all_alike(fake_labels, real_labels, classes):
    return torch.full((len(fake_labels),), 1 / len(fake_labels), dtype=torch.float64)


@exercise_12_2.mistake(
    "As if classes that the reals have were drawn alike, and others never. How often a class comes counts, too."
)
def kept_or_dropped(fake_labels, real_labels, classes):
    weights = torch.isin(fake_labels, real_labels).double()
    return weights / weights.sum()


@exercise_12_2.mistake(
    "As if each class had been seen once more than it was. Take the counts as they are: no class here is divided by 0."
)
def one_added_to_each_count(fake_labels, real_labels, classes):
    fake, real = (torch.bincount(x, minlength=classes).double() + 1 for x in (fake_labels, real_labels))
    weights = (real / fake)[fake_labels]
    return weights / weights.sum()


@exercise_12_2.mistake("As if weights were differences of shares. A ratio says how often an image must come.")
def differences_of_shares(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    weights = (real - fake)[fake_labels].clamp(min=0)
    return weights / weights.sum()


@exercise_12_2.mistake(
    "As if the ratios went through a softmax: draw in proportion to the ratios themselves."
)
def softmax_of_ratios(fake_labels, real_labels, classes):
    fake, real = _shares(fake_labels, real_labels, classes)
    return (real / fake)[fake_labels].softmax(dim=0)


# --- 12.3 shortlist ----------------------------------------------------------------------------------------

exercise_12_3 = Exercise("12.3", "shortlist", points=4)

Z = 1.96


def _kept(value, error, sign, *, limit=lambda best, own: Z * (best**2 + own**2) ** 0.5, best=None):
    """Which of these are no worse than the best (or `best`, an index) by more than chance: bool, like value."""
    score = sign * value
    best = int(score.argmax()) if best is None else best
    return score[best] - score <= limit(error[best], error)


def _in_turn(values, errors, better, **how):
    """The criteria one after the other, each among those that the earlier ones have left: indices."""
    left = torch.arange(len(values))
    for column, sign in enumerate(better):
        left = left[_kept(values[left, column], errors[left, column], sign, **how)]
    return left


@exercise_12_3.oracle
def shortlist(values, stderrs, better):
    """Indices, ascending, of the candidates that no criterion in turn has shown to be worse than the best that is left."""
    values, stderrs = torch.as_tensor(values).double(), torch.as_tensor(stderrs).double()
    left = list(range(len(values)))
    for column, sign in enumerate(better):
        best = max(left, key=lambda i: sign * float(values[i, column]))
        noise = {i: float(stderrs[i, column].square() + stderrs[best, column].square()) ** 0.5 for i in left}
        left = [i for i in left if sign * float(values[best, column] - values[i, column]) <= Z * noise[i]]
    return left


@exercise_12_3.cases
def score_tables(rng):
    def column(*numbers):
        return _table(*([number] for number in numbers))

    def like(values, error):
        return torch.full_like(values, error)

    b, c = column(20, 15, 13, 8, -9), column(10, 7, 6, -40)
    turn = _table([2, 0.1], [9.9, 5], [10, 3], [9.8, 3.01])
    turn_errors = _table([0.2, 0.01], [0.2, 0.01], [0.2, 0.01], [0.2, 0.01])
    three = _table([0.91, -4, 7], [0.90, -4.1, 9], [0.89, -9, 30], [0.3, -20, 50])
    alike = _table([5, 1], [5, 2], [5, 3], [5, 8])
    back = _table(
        [1, 10], [9, 2], [5, 10]
    )  # in the opposite order the first criterion still decides something
    random = torch.from_numpy(rng.normal(size=(6, 3)))
    return [
        (column(9, 10, 2), column(0.5, 0.5, 0.5), [1]),
        (column(9, 10, 2), column(0.5, 0.5, 0.5), [-1]),
        (b, like(b, 2), [1]),  # gaps of 5, 7, 12 and 29 against 5.5
        (-b, like(b, 2), [-1]),
        (c, column(3, 0.1, 3, 1), [1]),  # the best is the uncertain one
        (c, column(0.1, 3, 0.1, 1), [1]),  # another is
        (column(10, 9.5, 5), column(4, 0.1, 0.1), [1]),  # a best that nobody can be told from
        (column(10, 9, 8), column(0.1, 3, 0.1), [1]),  # and one whose interval ends lower than another's
        (column(3, 1, 2), column(0, 0, 0), [1]),  # no errors: the best alone
        (turn, turn_errors, [1, -1]),
        (turn, turn_errors, [1, 1]),
        (three, _table(*[[0.01, 0.2, 0.5]] * 4), [1, -1, -1]),
        (three, _table(*[[0.01, 0.2, 0.5]] * 4), [1, 1, 1]),
        (back, like(back, 0.1), [1, 1]),
        (alike, like(alike, 0.1), [1, -1]),  # a criterion that says nothing
        (_table([1, 2, 3], [1.1, 2, -3]), _table([0.2, 0.2, 0.2], [0.1, 0.1, 0.1]), [1, 1, -1]),
        (_table([3, -1]), _table([0.1, 0.1]), [1, -1]),
        (three.float(), _table(*[[0.01, 0.2, 0.5]] * 4).float(), [1, -1, 1]),
        (0.001 * b, like(b, 0.002), [1]),
        (1000 * b, like(b, 2000), [1]),
        (random, torch.from_numpy(rng.uniform(0.1, 0.6, size=(6, 3))), [1, -1, 1]),
    ]


@exercise_12_3.mistake(
    "As if a higher value were always the better one: `better` is -1 where a lower one is."
)
def always_higher(values, stderrs, better):
    return _in_turn(values, stderrs, [1] * len(better))


@exercise_12_3.mistake("You keep the worst: the sign is turned round.")
def sign_turned_round(values, stderrs, better):
    return _in_turn(values, stderrs, [-sign for sign in better])


@exercise_12_3.mistake(
    "You keep only the best value. Others whose gap to it may be chance stay in the running, too."
)
def errors_ignored(values, stderrs, better):
    return _in_turn(values, stderrs, better, limit=lambda best, own: 0 * own)


@exercise_12_3.mistake(
    "As if overlapping intervals meant a tie: you add the two standard errors. A difference has the root of their squares' sum."
)
def intervals_overlap(values, stderrs, better):
    return _in_turn(values, stderrs, better, limit=lambda best, own: Z * (best + own))


ONE_ERROR = "Both values are uncertain: you take the error of one of the two only."


@exercise_12_3.mistake(ONE_ERROR)
def own_error_only(values, stderrs, better):
    return _in_turn(values, stderrs, better, limit=lambda best, own: Z * own)


@exercise_12_3.mistake(ONE_ERROR)
def error_of_the_best_only(values, stderrs, better):
    return _in_turn(values, stderrs, better, limit=lambda best, own: Z * best + 0 * own)


@exercise_12_3.mistake("One standard error of the difference is not enough: a 95% interval takes 1.96.")
def one_standard_error(values, stderrs, better):
    return _in_turn(values, stderrs, better, limit=lambda best, own: (best**2 + own**2) ** 0.5)


@exercise_12_3.mistake("The squared errors are added, but the root is missing.")
def root_missing(values, stderrs, better):
    return _in_turn(values, stderrs, better, limit=lambda best, own: Z * (best**2 + own**2))


@exercise_12_3.mistake("As if the errors were variances: square them before you add.")
def errors_as_variances(values, stderrs, better):
    return _in_turn(values, stderrs, better, limit=lambda best, own: Z * (best + own) ** 0.5)


@exercise_12_3.mistake("The best one drops out where errors are 0: a gap of 0 is at most 0, so it stays.")
def best_drops_out_without_errors(values, stderrs, better):
    left = torch.arange(len(values))
    for column, sign in enumerate(better):
        score, error = sign * values[left, column], stderrs[left, column]
        best = score.argmax()
        left = left[score[best] - score < Z * (error[best] ** 2 + error**2) ** 0.5]
        if not len(left):
            break
    return left


BEST = "Compare each with the one that has the best value, and with that one only, however uncertain it is."


def _best_by(bound):
    def answer(values, stderrs, better):
        left = torch.arange(len(values))
        for column, sign in enumerate(better):
            value, error = values[left, column], stderrs[left, column]
            best = int((sign * value + bound * Z * error).argmax())
            left = left[_kept(value, error, sign, best=best)]
        return left

    return answer


@exercise_12_3.mistake(BEST)
def best_by_the_lower_end(values, stderrs, better):
    return _best_by(-1)(values, stderrs, better)


@exercise_12_3.mistake(BEST)
def best_by_the_upper_end(values, stderrs, better):
    return _best_by(1)(values, stderrs, better)


@exercise_12_3.mistake(BEST)
def worse_than_anyone(values, stderrs, better):
    left = torch.arange(len(values))
    for column, sign in enumerate(better):
        value, error = values[left, column], stderrs[left, column]
        kept = [_kept(value, error, sign, best=other) for other in range(len(left))]
        left = left[torch.stack(kept).all(dim=0)]
    return left


@exercise_12_3.mistake(
    "Each criterion is compared with the best of *all*. Candidates that have dropped out are no measure for the others."
)
def best_of_all(values, stderrs, better):
    kept = [_kept(values[:, i], stderrs[:, i], sign) for i, sign in enumerate(better)]
    return torch.stack(kept).all(dim=0).nonzero().flatten()


@exercise_12_3.mistake("Only the first criterion is used. The next ones decide among those that it leaves.")
def first_criterion_only(values, stderrs, better):
    return _in_turn(values[:, :1], stderrs[:, :1], better[:1])


@exercise_12_3.mistake("Only the last criterion is used.")
def last_criterion_only(values, stderrs, better):
    return _in_turn(values[:, -1:], stderrs[:, -1:], better[-1:])


@exercise_12_3.mistake("The criteria are used in the opposite order: the first is the most important one.")
def criteria_reversed(values, stderrs, better):
    return _in_turn(values.flip(1), stderrs.flip(1), better[::-1])


@exercise_12_3.mistake(
    "You number the candidates anew among those left. Give their numbers in the whole table."
)
def numbered_anew(values, stderrs, better):
    for column, sign in enumerate(better):
        kept = _kept(values[:, column], stderrs[:, column], sign).nonzero().flatten()
        values, stderrs = values[kept], stderrs[kept]
    return kept


@exercise_12_3.mistake("You return True and False for each candidate. Asked are the numbers of those left.")
def mask_of_those_left(values, stderrs, better):
    mask = torch.zeros(len(values), dtype=torch.bool)
    mask[_in_turn(values, stderrs, better)] = True
    return mask


@exercise_12_3.mistake(
    "You return the number of a single winner. Several may be left: all of them are asked."
)
def winner_only(values, stderrs, better):
    left = _in_turn(values, stderrs, better)
    return left[(better[-1] * values[left, -1]).argmax()]


@exercise_12_3.mistake("The right ones, but sorted by value. Give their numbers in ascending order.")
def sorted_by_value(values, stderrs, better):
    left = _in_turn(values, stderrs, better)
    return left[(better[-1] * values[left, -1]).argsort(descending=True, stable=True)]


@exercise_12_3.mistake("Those are the ones that dropped out. Asked are those that are left.")
def those_that_dropped_out(values, stderrs, better):
    left = _in_turn(values, stderrs, better).tolist()
    return [i for i in range(len(values)) if i not in left]


@exercise_12_3.mistake("You return the values. Asked are the numbers of the candidates, counted from 0.")
def values_of_those_left(values, stderrs, better):
    return values[_in_turn(values, stderrs, better)]


@exercise_12_3.mistake("You count the candidates from 1. The first row is number 0.")
def counted_from_one(values, stderrs, better):
    return _in_turn(values, stderrs, better) + 1


@exercise_12_3.mistake(
    "A mean of ranks lets a less important criterion outvote a more important one, and ignores the errors."
)
def mean_of_ranks(values, stderrs, better):
    ranks = (-values * torch.tensor(better)).argsort(dim=0).argsort(dim=0).double().mean(dim=1)
    return (ranks == ranks.min()).nonzero().flatten()
