"""Exercises of chapter 02: covariance of two numbers, of D numbers, without units, and of two parts together."""

import torch

from gancourse.classroom.exercises import Exercise, WrongAnswer
from gancourse.metrics import Moments


def covariance(x, y):
    """Unbiased covariance of two paired samples, (n,) and (n,): a number in units of x times units of y."""
    x, y = torch.as_tensor(x).double(), torch.as_tensor(y).double()
    return ((x - x.mean()) * (y - y.mean())).sum() / (len(x) - 1)


def covariance_matrix(features):
    """Covariance matrix of N samples, one a row: (N, D) -> (D, D), divided by N - 1."""
    features = torch.as_tensor(features)
    return Moments(features.shape[1]).update(features).cov


def correlation_matrix(features):
    """Correlations of N samples, one a row: (N, D) -> (D, D); a constant feature has 0 with others, 1 with itself."""
    cov = covariance_matrix(features)
    std = cov.diagonal().sqrt()
    std = torch.where(std > 0, std, 1.0)
    return (cov / torch.outer(std, std)).fill_diagonal_(1.0)


def merge_moments(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    """Count, mean (D,) and covariance (D, D) of two parts taken together (Chan, Golub & LeVeque 1983, eq. 2.1)."""
    mean_a, cov_a, mean_b, cov_b = (torch.as_tensor(m).double() for m in (mean_a, cov_a, mean_b, cov_b))
    n, delta = n_a + n_b, mean_b - mean_a
    scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + n_a * n_b / n * torch.outer(delta, delta)
    return n, mean_a + n_b / n * delta, scatter / (n - 1)


def _clouds(rng, n, dim):
    """Samples with unequal spreads, all signs of covariance and a mean far from 0."""
    mixing = rng.normal(size=(dim, dim)) * rng.uniform(0.5, 3, size=dim)
    return torch.from_numpy(rng.normal(size=(n, dim)) @ mixing + rng.uniform(2, 5, size=dim))


def _pairs(rng):
    small = [([0, 2], [0, 6]), ([1, 2, 3], [5, 3, 1])]
    pairs = [tuple(torch.tensor(side, dtype=torch.float64) for side in pair) for pair in small]
    for n, slope in ((5, 2), (40, -1)):  # never near 0, where a float32 answer would have no digits left
        x, rest = rng.normal(size=(2, n))
        pairs.append((torch.from_numpy(3 * x + 4), torch.from_numpy(slope * x + 0.3 * rest - 2)))
    return pairs


def _features(rng):
    small = torch.tensor([[0, 0], [2, 6], [4, 0]], dtype=torch.float64)
    return [(small,), (_clouds(rng, 6, 1),), (_clouds(rng, 5, 3),), (_clouds(rng, 40, 4),)]


def _features_with_a_constant(rng):
    # Whole numbers, so that the constant column's variance is exactly 0 in every way of summing.
    small = torch.tensor([[1, 7, 0], [2, 7, 5], [3, 7, 4]], dtype=torch.float64)
    wide = _clouds(rng, 30, 4)
    wide[:, 2] = 3.0
    return [(small[:, [0, 2]],), (small,), (_clouds(rng, 8, 3),), (wide,)]


def _parts(rng):
    def described(rows):
        cov = covariance_matrix(rows) if len(rows) > 1 else torch.zeros(rows.shape[1], rows.shape[1]).double()
        return len(rows), rows.mean(dim=0), cov

    line = torch.tensor([[0.0], [2.0], [7.0], [9.0], [11.0]], dtype=torch.float64)
    cases = [(line[:2], line[2:])]
    for n_a, n_b, dim in ((4, 9, 2), (12, 5, 3), (6, 1, 2)):
        cases.append((_clouds(rng, n_a, dim), _clouds(rng, n_b, dim) + torch.arange(dim) + 2))
    return [(*described(a), *described(b)) for a, b in cases]


def _wrong(signature, body, message):
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return WrongAnswer(f"def {signature}:\n{lines}", message)


_MATRIX = "centred = features - features.mean(dim=0)\ncov = centred.T @ centred / (len(features) - 1)\n"
_MERGE = "n, delta = n_a + n_b, mean_b - mean_a\nmean = mean_a + n_b / n * delta\n"

EXERCISES = (
    Exercise(
        id="02.1",
        name="covariance",
        points=2,
        oracle=covariance,
        cases=_pairs,
        forbidden=("numpy.cov", "torch.cov", "numpy.corrcoef", "torch.corrcoef"),
        wrong=tuple(
            _wrong("covariance(x, y)", body, message)
            for body, message in (
                (
                    "return ((x - x.mean()) * (y - y.mean())).mean()",
                    "You divided by n; the unbiased covariance divides by n - 1.",
                ),
                (
                    "return (x * y).sum() / (len(x) - 1)",
                    "These are products of the raw values: subtract each sample's mean before you multiply.",
                ),
                (
                    "x, y = x - x.mean(), y - y.mean()\nreturn (x * y).sum() / ((x**2).sum() * (y**2).sum()) ** 0.5",
                    "That is the correlation, which has no units. The covariance is not divided by the spreads.",
                ),
                (
                    "return ((x - x.mean()) * (y - y.mean())).abs().sum() / (len(x) - 1)",
                    "You dropped the signs. A product is negative where one value is above its mean and the other below, "
                    "and it has to count against the others.",
                ),
                (
                    "return ((x - x.mean()) * (y - y.mean())).sum()",
                    "You summed the products but did not divide: the covariance is their average, over n - 1.",
                ),
                (
                    "return (x - x.mean()) * (y - y.mean()) / (len(x) - 1)",
                    "You returned one product for each pair: add them up to one number.",
                ),
                (
                    "d = torch.stack([x - x.mean(), y - y.mean()])\nreturn d @ d.T / (len(x) - 1)",
                    "You returned the whole 2 x 2 covariance matrix: the covariance is its entry off the diagonal.",
                ),
                (
                    "return x.std() * y.std()",
                    "That is the product of the two spreads, the largest value the covariance can have. "
                    "Nothing in it pairs an x with its y.",
                ),
            )
        ),
    ),
    Exercise(
        id="02.2",
        name="covariance_matrix",
        points=3,
        oracle=covariance_matrix,
        cases=_features,
        forbidden=("numpy.cov", "torch.cov", "gancourse.metrics.Moments"),
        wrong=tuple(
            _wrong("covariance_matrix(features)", body, message)
            for body, message in (
                (
                    "centred = features - features.mean(dim=0)\nreturn centred.T @ centred / len(features)",
                    "You divided by N; the unbiased covariance divides by N - 1.",
                ),
                (
                    "return features.T @ features / (len(features) - 1)",
                    "You did not subtract the means: these are averages of products of raw values.",
                ),
                (
                    "centred = features - features.mean(dim=0)\nreturn centred @ centred.T / (len(features) - 1)",
                    "Your matrix is (N, N): it compares samples with samples. Put the transpose on the left factor "
                    "to compare features with features, (D, D).",
                ),
                (
                    "centred = features - features.mean(dim=1, keepdim=True)\n"
                    "return centred.T @ centred / (len(features) - 1)",
                    "You subtracted each row's mean. A feature's mean goes down its column: dim=0.",
                ),
                (
                    "centred = features - features.mean()\nreturn centred.T @ centred / (len(features) - 1)",
                    "You subtracted one mean from everything: each feature (column) has its own.",
                ),
                (
                    _MATRIX + "std = cov.diagonal().sqrt()\nreturn cov / torch.outer(std, std)",
                    "That is the correlation matrix: its diagonal is 1. "
                    "The covariance matrix has the variances on its diagonal.",
                ),
                (
                    _MATRIX + "return torch.diag(cov.diagonal())",
                    "Only the diagonal is filled: those are the variances. The covariances go off the diagonal.",
                ),
                (
                    _MATRIX + "return cov.diagonal()",
                    "You multiplied each feature with itself only, which gives the D variances. "
                    "Every feature has to meet every other: (D, D).",
                ),
            )
        ),
    ),
    Exercise(
        id="02.3",
        name="correlation_matrix",
        points=3,
        oracle=correlation_matrix,
        cases=_features_with_a_constant,
        forbidden=("numpy.corrcoef", "torch.corrcoef"),
        wrong=tuple(
            _wrong("correlation_matrix(features)", _MATRIX + body, message)
            for body, message in (
                (
                    "std = cov.diagonal().sqrt()\nreturn cov / torch.outer(std, std)",
                    "A constant feature has spread 0, and 0/0 is NaN. Here it correlates 0 with others and 1 with itself.",
                ),
                (
                    "std = cov.diagonal().sqrt()\nreturn (cov / torch.outer(std, std)).nan_to_num(0.0)",
                    "The diagonal of a constant feature is 0: put a 1 there, as for every other feature.",
                ),
                (
                    "return cov",
                    "That is the covariance matrix: divide entry (i, j) by the spreads of features i and j.",
                ),
                (
                    "var = cov.diagonal()\nvar = torch.where(var > 0, var, 1.0)\n"
                    "return (cov / torch.outer(var, var)).fill_diagonal_(1.0)",
                    "You divided by the variances: divide by the standard deviations, their square roots.",
                ),
                (
                    "std = cov.diagonal().sqrt()\nstd = torch.where(std > 0, std, 1.0)\n"
                    "return (cov / std[:, None]).fill_diagonal_(1.0)",
                    "You divided the rows only: entry (i, j) is divided by the spread of i and by the spread of j.",
                ),
                (
                    "std = features.std(dim=0, unbiased=False)\nstd = torch.where(std > 0, std, 1.0)\n"
                    "corr = cov / torch.outer(std, std)\ncorr[cov.diagonal() == 0, cov.diagonal() == 0] = 1.0\n"
                    "return corr",
                    "Your diagonal is N / (N - 1), not 1: the covariance divides by N - 1 and your spreads by N. "
                    "Use one of them for both.",
                ),
                (
                    "length = features.norm(dim=0)\nreturn features.T @ features / torch.outer(length, length)",
                    "That is the cosine of the raw features: subtract the means first.",
                ),
                (
                    "std = cov.diagonal().sqrt()\nstd = torch.where(std > 0, std, 1.0)\n"
                    "return (cov / torch.outer(std, std)).fill_diagonal_(1.0).abs()",
                    "You dropped the signs: a correlation runs from -1 to 1.",
                ),
            )
        ),
    ),
    Exercise(
        id="02.4",
        name="merge_moments",
        points=4,
        oracle=merge_moments,
        cases=_parts,
        forbidden=("gancourse.metrics.Moments",),
        wrong=tuple(
            _wrong(
                "merge_moments(n_a, mean_a, cov_a, n_b, mean_b, cov_b)",
                _MERGE + body,
                message,
            )
            for body, message in (
                (
                    "return n, mean, ((n_a - 1) * cov_a + (n_b - 1) * cov_b) / (n - 1)",
                    "The distance between the two means is missing: two tight clouds far apart make one wide cloud.",
                ),
                (
                    "scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + n_a * n_b / n * torch.outer(delta, delta)\n"
                    "return n, (mean_a + mean_b) / 2, scatter / (n - 1)",
                    "The mean is not weighted: the larger part has to pull it to its side.",
                ),
                (
                    "return n, mean, (n_a * cov_a + n_b * cov_b) / n + n_a * n_b / n**2 * torch.outer(delta, delta)",
                    "You weighted with n where the covariances were divided by n - 1. "
                    "Turn each back into its sum of products first: (n_a - 1) cov_a.",
                ),
                (
                    "scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + n_a * n_b / n * torch.outer(delta, delta)\n"
                    "return n, mean, scatter / n",
                    "The sum of products is right, but you divided it by n: divide by n - 1.",
                ),
                (
                    "scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + n_a * n_b / n * torch.outer(delta, delta)\n"
                    "return n, mean, scatter / (n - 2)",
                    "You divided by n - 2, as for two groups that keep their own means. Here they are one sample: n - 1.",
                ),
                (
                    "scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + n_a * n_b / n * (delta @ delta)\n"
                    "return n, mean, scatter / (n - 1)",
                    "You added the squared length of delta, one number, to every entry. "
                    "The outer product delta delta' has its own value for each.",
                ),
                (
                    "scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + n_a * n_b / n * delta**2\n"
                    "return n, mean, scatter / (n - 1)",
                    "delta**2 is a row of D squares, added to every row of the matrix. "
                    "The outer product delta delta' also holds the mixed products.",
                ),
                (
                    "scatter = (n_a - 1) * cov_a + (n_b - 1) * cov_b + torch.outer(delta, delta)\n"
                    "return n, mean, scatter / (n - 1)",
                    "The term between the means has no weight: multiply it by n_a n_b / n.",
                ),
            )
        ),
    ),
)
