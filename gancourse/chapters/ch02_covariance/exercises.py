"""Exercises of chapter 02: covariance of two numbers, of D numbers, without units, and of two parts together."""

import torch

from gancourse.exercises import Exercise
from gancourse.metrics import Moments

# --- 02.1 covariance ---------------------------------------------------------------------------------------

exercise_02_1 = Exercise(
    "02.1",
    "covariance",
    points=2,
    forbidden=(
        "numpy.cov",
        "torch.cov",
        "torch.Tensor.cov",
        "numpy.corrcoef",
        "torch.corrcoef",
        "torch.Tensor.corrcoef",
        "numpy.ma.cov",
        "numpy.ma.corrcoef",
        "statistics.covariance",
        "statistics.correlation",
    ),
)


@exercise_02_1.oracle
def covariance(x, y):
    """Unbiased covariance of two paired samples, (n,) and (n,): a number in units of x times units of y."""
    x, y = torch.as_tensor(x).double(), torch.as_tensor(y).double()
    return ((x - x.mean()) * (y - y.mean())).sum() / (len(x) - 1)


@exercise_02_1.cases
def pairs(rng):
    small = [([0, 2], [0, 6]), ([1, 2, 3], [5, 3, 1]), ([-4, -1, 2, 3], [-2, -2, -2, -2])]
    cases = [tuple(torch.tensor(side, dtype=torch.float64) for side in pair) for pair in small]
    for n, slope, scale in ((5, 2, 1), (40, -1, 1), (12, 1, 1e-3), (9, -2, 1e3)):
        x, rest = rng.normal(size=(2, n))  # never near 0, where a float32 answer would have no digits left
        pair = scale * (3 * x + 4), scale * (slope * x + 0.3 * rest - 2)
        cases.append(tuple(torch.from_numpy(side) for side in pair))
    x, rest = rng.normal(size=(2, 20))
    cases.append((torch.from_numpy(x).float(), torch.from_numpy(2 * x + rest + 5).float()))
    return cases


@exercise_02_1.mistake("Your value is that of a division by n; the unbiased covariance divides by n - 1.")
def covariance_over_n(x, y):
    return ((x - x.mean()) * (y - y.mean())).mean()


@exercise_02_1.mistake(
    "These are products of the raw values: subtract each sample's mean before you multiply."
)
def covariance_of_raw_values(x, y):
    return (x * y).sum() / (len(x) - 1)


@exercise_02_1.mistake(
    "That is the correlation, which has no units. The covariance is not divided by the spreads."
)
def correlation_for_covariance(x, y):
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() / ((x**2).sum() * (y**2).sum()) ** 0.5


@exercise_02_1.mistake(
    "As if all products were positive. A product is negative where one value is above its mean and the other below, "
    "and it has to count against the others."
)
def covariance_without_signs(x, y):
    return ((x - x.mean()) * (y - y.mean())).abs().sum() / (len(x) - 1)


@exercise_02_1.mistake(
    "That is the sum of the products, not yet divided: the covariance is their average, over n - 1."
)
def covariance_not_divided(x, y):
    return ((x - x.mean()) * (y - y.mean())).sum()


@exercise_02_1.mistake(
    "Each sum of distances from a mean is 0, and so is their product: multiply pair by pair first, then add."
)
def product_of_sums(x, y):
    return (x - x.mean()).sum() * (y - y.mean()).sum() / (len(x) - 1)


@exercise_02_1.mistake("One product for each pair comes back: add them up to one number.")
def covariance_not_summed(x, y):
    return (x - x.mean()) * (y - y.mean()) / (len(x) - 1)


@exercise_02_1.mistake(
    "That is the whole 2 x 2 covariance matrix: the covariance is its entry off the diagonal."
)
def covariance_as_matrix(x, y):
    d = torch.stack([x - x.mean(), y - y.mean()])
    return d @ d.T / (len(x) - 1)


@exercise_02_1.mistake(
    "That is the product of the two spreads, the largest value the covariance can have. "
    "Nothing in it pairs an x with its y."
)
def product_of_spreads(x, y):
    return x.std() * y.std()


# --- 02.2 covariance_matrix --------------------------------------------------------------------------------

exercise_02_2 = Exercise(
    "02.2",
    "covariance_matrix",
    points=3,
    forbidden=("numpy.cov", "torch.cov", "torch.Tensor.cov", "numpy.ma.cov"),
)


@exercise_02_2.oracle
def covariance_matrix(features):
    """Covariance matrix of N samples in rows: (N, D) -> (D, D), divided by N - 1."""
    features = torch.as_tensor(features)
    return Moments(features.shape[1]).update(features).cov


def clouds(rng, n, dim, scale=1.0):
    """Samples with unequal spreads, all signs of covariance and a mean far from 0."""
    mixing = rng.normal(size=(dim, dim)) * rng.uniform(0.5, 3, size=dim)
    return torch.from_numpy(scale * (rng.normal(size=(n, dim)) @ mixing + rng.uniform(2, 5, size=dim)))


@exercise_02_2.cases
def feature_sets(rng):
    small = torch.tensor([[0, 0], [2, 6], [4, 0]], dtype=torch.float64)
    constant = torch.tensor([[1, -3], [2, -3], [6, -3], [-1, -3]], dtype=torch.float64)
    cases = [small, constant, clouds(rng, 2, 2), clouds(rng, 6, 1), clouds(rng, 3, 5), clouds(rng, 5, 3)]
    cases += [clouds(rng, 40, 4), clouds(rng, 12, 3).float(), clouds(rng, 8, 2, 1e-3), clouds(rng, 8, 3, 1e3)]
    return [(features,) for features in cases]


@exercise_02_2.mistake("Your values are those of a division by N; the unbiased covariance divides by N - 1.")
def matrix_over_n(features):
    centred = features - features.mean(dim=0)
    return centred.T @ centred / len(features)


@exercise_02_2.mistake("The means are still in it: these are averages of products of raw values.")
def matrix_of_raw_values(features):
    return features.T @ features / (len(features) - 1)


@exercise_02_2.mistake(
    "Your matrix is (N, N): it compares samples with samples. Put the transpose on the left factor "
    "to compare features with features, (D, D)."
)
def matrix_of_samples(features):
    centred = features - features.mean(dim=0)
    return centred @ centred.T / (len(features) - 1)


@exercise_02_2.mistake("As if each row had its mean taken off. A feature's mean goes down its column: dim=0.")
def matrix_with_row_means(features):
    centred = features - features.mean(dim=1, keepdim=True)
    return centred.T @ centred / (len(features) - 1)


@exercise_02_2.mistake("As if one mean were taken off everything: each feature (column) has its own.")
def matrix_with_one_mean(features):
    centred = features - features.mean()
    return centred.T @ centred / (len(features) - 1)


def _matrix(features):
    centred = features - features.mean(dim=0)
    return centred.T @ centred / (len(features) - 1)


@exercise_02_2.mistake(
    "That is the correlation matrix: its diagonal is 1. The covariance matrix has the variances on its diagonal."
)
def correlations_for_covariances(features):
    cov = _matrix(features)
    std = cov.diagonal().sqrt()
    return cov / torch.outer(std, std)


@exercise_02_2.mistake(
    "Only the diagonal is filled: those are the variances. The covariances go off the diagonal."
)
def diagonal_only(features):
    return torch.diag(_matrix(features).diagonal())


@exercise_02_2.mistake(
    "Those are the D variances, each feature multiplied with itself. Multiply every feature with every other: (D, D)."
)
def variances_only(features):
    return _matrix(features).diagonal()


@exercise_02_2.mistake("One feature comes back without its axes: (N, 1) gives a matrix too, (1, 1).")
def matrix_squeezed(features):
    return _matrix(features).squeeze()


# --- 02.3 correlation_matrix -------------------------------------------------------------------------------

exercise_02_3 = Exercise(
    "02.3",
    "correlation_matrix",
    points=3,
    forbidden=("numpy.corrcoef", "torch.corrcoef", "torch.Tensor.corrcoef", "numpy.ma.corrcoef"),
)


@exercise_02_3.oracle
def correlation_matrix(features):
    """Correlations of N samples in rows: (N, D) -> (D, D); a constant feature has 0 with others, 1 with itself."""
    cov = covariance_matrix(features)
    std = cov.diagonal().sqrt()
    std = torch.where(std > 0, std, 1.0)
    return (cov / torch.outer(std, std)).fill_diagonal_(1.0)


@exercise_02_3.cases
def feature_sets_with_constants(rng):
    # Whole numbers, so that a constant column's variance is exactly 0 in every way of summing.
    small = torch.tensor([[1, 7, 0], [2, 7, 5], [3, 7, 4]], dtype=torch.float64)
    returning = torch.tensor([[2, -1], [5, 3], [-4, 0], [2, 6]], dtype=torch.float64)  # first is last
    wide = clouds(rng, 30, 4)
    wide[:, 2] = 3.0
    constants = clouds(rng, 12, 4)
    constants[:, 0], constants[:, 3] = 2.0, -5.0
    narrow = clouds(rng, 20, 3)
    narrow[:, 1] *= 1e-3
    cases = [small[:, [0, 2]], small, returning, torch.full((3, 1), 4.0).double(), clouds(rng, 6, 1)]
    cases += [clouds(rng, 8, 3), clouds(rng, 3, 5), wide, constants, narrow]
    cases += [clouds(rng, 15, 3).float(), clouds(rng, 9, 3, 1e3), clouds(rng, 9, 3, 1e-3)]
    return [(features,) for features in cases]


def _divided(cov, std):
    std = torch.where(std > 0, std, 1.0)
    return (cov / torch.outer(std, std)).fill_diagonal_(1.0)


@exercise_02_3.mistake(
    "A constant feature has spread 0, and 0/0 is NaN. Here it correlates 0 with others and 1 with itself."
)
def correlation_with_nan(features):
    cov = _matrix(features)
    std = cov.diagonal().sqrt()
    return cov / torch.outer(std, std)


@exercise_02_3.mistake("The diagonal of a constant feature is 0: put a 1 there, as for every other feature.")
def zero_on_the_diagonal(features):
    return correlation_with_nan(features).nan_to_num(0.0)


@exercise_02_3.mistake("Two constant features get correlation 1 with each other: only with itself has one 1.")
def ones_among_constants(features):
    return correlation_with_nan(features).nan_to_num(1.0)


@exercise_02_3.mistake("Two constant features get correlation 1 with each other: only with itself has one 1.")
def ones_for_pairs_of_constants(features):
    corr = correlation_with_nan(features).nan_to_num(0.0).fill_diagonal_(1.0)
    constant = features.var(dim=0) == 0
    corr[constant[:, None] & constant] = 1.0
    return corr


@exercise_02_3.mistake(
    "A feature that varies little is not constant: only a spread of exactly 0 is replaced."
)
def small_spreads_as_constant(features):
    cov = _matrix(features)
    std = cov.diagonal().sqrt()
    std = torch.where(std > 0.01, std, 1.0)
    return (cov / torch.outer(std, std)).fill_diagonal_(1.0)


@exercise_02_3.mistake(
    "A feature whose first and last values are equal is not constant: look at its spread, or at all values."
)
def first_and_last_as_constant(features):
    cov = _matrix(features)
    constant = features[0] == features[-1]
    std = torch.where(constant, 1.0, cov.diagonal().sqrt())
    corr = cov / torch.outer(std, std)
    corr[constant], corr[:, constant] = 0.0, 0.0
    return corr.fill_diagonal_(1.0)


@exercise_02_3.mistake(
    "That is the covariance matrix: divide entry (i, j) by the spreads of features i and j."
)
def covariances_for_correlations(features):
    return _matrix(features)


@exercise_02_3.mistake(
    "As if the spreads were variances: divide by the standard deviations, their square roots."
)
def divided_by_variances(features):
    cov = _matrix(features)
    return _divided(cov, cov.diagonal())


@exercise_02_3.mistake(
    "Only one of two divisions was made: entry (i, j) is divided by the spread of i and by the spread of j."
)
def rows_divided_only(features):
    cov = _matrix(features)
    std = cov.diagonal().sqrt()
    std = torch.where(std > 0, std, 1.0)
    return (cov / std[:, None]).fill_diagonal_(1.0)


@exercise_02_3.mistake(
    "Your diagonal is N / (N - 1), not 1: the covariance divides by N - 1 and your spreads by N. Use one of them for both."
)
def two_divisors(features):
    std = features.std(dim=0, unbiased=False)
    std = torch.where(std > 0, std, 1.0)
    corr = _matrix(features) / torch.outer(std, std)
    constant = features.var(dim=0) == 0
    corr[constant, constant] = 1.0
    return corr


@exercise_02_3.mistake("That is the cosine of the raw features: subtract the means first.")
def cosine_for_correlation(features):
    length = features.norm(dim=0)
    return features.T @ features / torch.outer(length, length)


@exercise_02_3.mistake("As if every correlation were positive: it runs from -1 to 1.")
def correlation_without_signs(features):
    cov = _matrix(features)
    return _divided(cov, cov.diagonal().sqrt()).abs()


# --- 02.4 merge_moments ------------------------------------------------------------------------------------

exercise_02_4 = Exercise("02.4", "merge_moments", points=4, returns=("n", "mean", "cov"))


@exercise_02_4.oracle
def merge_moments(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    """Count, mean (D,) and covariance (D, D) of two parts taken together (Chan, Golub & LeVeque 1983, eq. 2.1)."""
    mean_a, cov_a, mean_b, cov_b = (torch.as_tensor(m).double() for m in (mean_a, cov_a, mean_b, cov_b))
    n, delta = n_a + n_b, mean_b - mean_a
    scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + n_a * n_b / n * torch.outer(delta, delta)
    return n, mean_a + n_b / n * delta, scatter / (n - 1)


@exercise_02_4.cases
def parts(rng):
    def described(rows):
        cov = covariance_matrix(rows) if len(rows) > 1 else torch.zeros(rows.shape[1], rows.shape[1])
        return len(rows), rows.mean(dim=0), cov.to(rows.dtype)

    line = torch.tensor([[0.0], [2.0], [7.0], [9.0], [11.0]], dtype=torch.float64)
    cases = [(line[:2], line[2:])]
    for n_a, n_b, dim, scale in ((4, 9, 2, 1), (12, 5, 3, 1), (6, 1, 2, 1), (1, 5, 2, 1), (1, 1, 3, 1)):
        # Means on both sides of 0, so that their distance is not that of their magnitudes.
        a, b = clouds(rng, n_a, dim, scale), clouds(rng, n_b, dim, scale)
        cases.append((a - 4, b + torch.arange(dim) + 2))
    cases.append((clouds(rng, 3, 4), clouds(rng, 2, 4) - 7))
    cases.append((clouds(rng, 7, 2, 1e3), clouds(rng, 5, 2, 1e3) - 5e3))
    cases.append((clouds(rng, 7, 2, 1e-3), clouds(rng, 5, 2, 1e-3) - 5e-3))
    cases.append((clouds(rng, 8, 2).float(), clouds(rng, 4, 2).float() - 6))
    cases.append((torch.full((3, 2), 2.0).double(), torch.full((4, 2), -1.0).double()))
    return [(*described(a), *described(b)) for a, b in cases]


def _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta = n_a + n_b, mean_b - mean_a
    return n, delta, mean_a + n_b / n * delta, (n_a - 1) * cov_a + (n_b - 1) * cov_b


@exercise_02_4.mistake(
    "The distance between the two means is missing: two tight clouds far apart make one wide cloud."
)
def without_the_gap(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, _, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, inside / (n - 1)


@exercise_02_4.mistake("The mean is not weighted: the larger part has to pull it to its side.")
def mean_not_weighted(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, _, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    scatter = inside + n_a * n_b / n * torch.outer(delta, delta)
    return n, (mean_a + mean_b) / 2, scatter / (n - 1)


@exercise_02_4.mistake(
    "As if the covariances had been divided by n; they were divided by n - 1. "
    "Turn each back into its sum of products first: (n_a - 1) cov_a."
)
def weighted_with_n(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, mean, _ = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, (n_a * cov_a + n_b * cov_b) / n + n_a * n_b / n**2 * torch.outer(delta, delta)


@exercise_02_4.mistake("That is the sum of products, n - 1 times too large: divide by n - 1 at the end.")
def merged_not_divided(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, inside + n_a * n_b / n * torch.outer(delta, delta)


@exercise_02_4.mistake("The sum of products is right, but it is divided by n: divide by n - 1.")
def merged_over_n(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, (inside + n_a * n_b / n * torch.outer(delta, delta)) / n


@exercise_02_4.mistake(
    "Your value is that of a division by n - 2, as for two groups that keep their own means. Here they are one sample: n - 1."
)
def merged_over_n_minus_2(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, (inside + n_a * n_b / n * torch.outer(delta, delta)) / (n - 2)


@exercise_02_4.mistake(
    "As if the squared length of delta, one number, were added to every entry. "
    "The outer product delta delta' has its own value for each."
)
def one_number_for_the_gap(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, (inside + n_a * n_b / n * (delta @ delta)) / (n - 1)


@exercise_02_4.mistake(
    "As if D squares were added to every row of the matrix. The outer product delta delta' also holds the mixed products."
)
def a_row_for_the_gap(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, (inside + n_a * n_b / n * delta**2) / (n - 1)


@exercise_02_4.mistake("The term between the means has no weight: multiply it by n_a n_b / n.")
def gap_without_weight(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, delta, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, (inside + torch.outer(delta, delta)) / (n - 1)


@exercise_02_4.mistake(
    "As if the means had lost their signs: their difference is mean_b - mean_a, and means can be negative."
)
def means_without_signs(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, _, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    delta = mean_b.abs() - mean_a.abs()
    return n, mean, (inside + n_a * n_b / n * torch.outer(delta, delta)) / (n - 1)


@exercise_02_4.mistake(
    "A part of one sample is forgotten: its covariance says nothing, but its mean still counts."
)
def single_sample_forgotten(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    if n_a == 1:
        return n_b, mean_b, cov_b
    if n_b == 1:
        return n_a, mean_a, cov_a
    n, delta, mean, inside = _merged(n_a, mean_a, cov_a, n_b, mean_b, cov_b)
    return n, mean, (inside + n_a * n_b / n * torch.outer(delta, delta)) / (n - 1)
