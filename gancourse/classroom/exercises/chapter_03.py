"""Exercises of chapter 03: from two numbers a side to the Fréchet Inception Distance."""

import torch

from gancourse.classroom.exercises import Exercise, WrongAnswer
from gancourse.metrics import frechet


def frechet_distance_1d(mu_x, sigma_x, mu_y, sigma_y):
    """d^2 = (mu_x - mu_y)^2 + (sigma_x - sigma_y)^2, with standard deviations sigma."""
    return (mu_x - mu_y) ** 2 + (sigma_x - sigma_y) ** 2


def matrix_sqrt(a):
    """The symmetric positive semi-definite r with r @ r = a: V diag(sqrt(values)) V' of a = V diag(values) V'."""
    values, vectors = torch.linalg.eigh(torch.as_tensor(a, dtype=torch.float64))
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def fid(real, fake):
    """Fréchet distance between the normals with the features' means and covariances (divided by N - 1)."""
    return frechet.fid(real=real, fake=fake).value


def _covariance(rng, dim, rank=None):
    factor = torch.from_numpy(rng.normal(size=(dim, rank or dim)))
    return factor @ factor.T


def _numbers(rng):
    fixed = [(0.0, 1.0, 3.0, 1.0), (0.0, 1.0, 0.0, 3.0), (0.0, 1.0, 3.0, 5.0), (2.0, 0.5, 2.0, 0.5)]
    return fixed + [tuple(float(x) for x in rng.uniform(0.2, 4, 4)) for _ in range(3)]


def _matrices(rng):
    fixed = [
        [[4.0, 0.0], [0.0, 9.0]],
        [[2.0, 1.0], [1.0, 2.0]],
        [[1.0, 1.0], [1.0, 1.0]],
        [[5.0, -3.0], [-3.0, 2.0]],
    ]
    drawn = [_covariance(rng, 3), _covariance(rng, 6), *(_covariance(rng, 8, rank=2) for _ in range(3))]
    return [(torch.tensor(a, dtype=torch.float64),) for a in fixed] + [(a,) for a in drawn]


def _normals(rng):
    def vector(*numbers):
        return torch.tensor(numbers, dtype=torch.float64)

    origin, same = vector(0, 0), torch.eye(2, dtype=torch.float64)
    tilted, wide = vector(2, 1, 1, 2).view(2, 2), vector(5, 0, 0, 1).view(2, 2)
    fixed = [
        (origin, same, vector(3, 4), same),
        (origin, same, origin, 9 * same),
        (origin, tilted, vector(1, -1), wide),
        (origin, vector(1, 1, 1, 1).view(2, 2), vector(1, 0), tilted),
    ]
    drawn = [
        (
            torch.from_numpy(rng.normal(size=d)),
            _covariance(rng, d),
            torch.from_numpy(rng.normal(size=d)),
            _covariance(rng, d),
        )
        for d in (3, 6)
    ]
    return fixed + drawn


def _features(rng):
    def draw(rows, dim):
        mixed = rng.normal(size=(rows, dim)) @ rng.normal(size=(dim, dim)) + rng.normal(size=dim)
        return torch.from_numpy(mixed).float().relu()

    real, fake = draw(30, 5), draw(20, 5)
    real[:, 2] = fake[:, 2] = 0  # a unit that never fires makes both covariances singular
    small = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 3.0]])
    return [
        (small, 2 * small + 1),
        (small, small.flip(1)),
        (draw(12, 3), draw(12, 3) + 1),
        (draw(40, 6), draw(25, 6)),
        (real, fake),
    ]


_ROOT = """
    values, vectors = torch.linalg.eigh(torch.as_tensor(a))
"""

_DISTANCE = """def frechet_distance(mu_x, sigma_x, mu_y, sigma_y):
    def root(a):
        values, vectors = torch.linalg.eigh(a)
        return vectors * values.clamp(min=0).sqrt() @ vectors.T
    half = root(sigma_x)
    means = ((mu_x - mu_y) ** 2).sum()
    cross = root(half @ sigma_y @ half)
    return """

_FID = """def fid(real, fake):
    def distance(mu_x, sigma_x, mu_y, sigma_y):
        def root(a):
            values, vectors = torch.linalg.eigh(a)
            return vectors * values.clamp(min=0).sqrt() @ vectors.T
        half = root(sigma_x)
        cross = root(half @ sigma_y @ half)
        return ((mu_x - mu_y) ** 2).sum() + torch.trace(sigma_x + sigma_y - 2 * cross)
    real, fake = real.double(), fake.double()
    """

EXERCISES = (
    Exercise(
        id="03.1",
        name="frechet_distance_1d",
        points=2,
        oracle=frechet_distance_1d,
        cases=_numbers,
        wrong=tuple(
            WrongAnswer(f"def frechet_distance_1d(mu_x, sigma_x, mu_y, sigma_y):\n    return {body}", message)
            for body, message in (
                (
                    "(mu_x - mu_y) ** 2 + (sigma_x ** 2 - sigma_y ** 2) ** 2",
                    "You compared variances. The formula compares standard deviations, and sigma already is one.",
                ),
                (
                    "(mu_x - mu_y) ** 2 + (sigma_x ** 0.5 - sigma_y ** 0.5) ** 2",
                    "You took roots of the sigmas, as if they were variances. They are standard deviations already.",
                ),
                ("(sigma_x - sigma_y) ** 2", "The means are missing: two normals far apart get 0 from you."),
                ("(mu_x - mu_y) ** 2", "The spreads are missing: a narrow and a wide normal get 0 from you."),
                (
                    "abs(mu_x - mu_y) + abs(sigma_x - sigma_y)",
                    "The squares are missing: square both differences, then add.",
                ),
                (
                    "((mu_x - mu_y) ** 2 + (sigma_x - sigma_y) ** 2) ** 0.5",
                    "That is d. The function returns the squared distance: leave out the root.",
                ),
                (
                    "(mu_x - mu_y + sigma_x - sigma_y) ** 2",
                    "You squared the sum. Square each difference by itself, then add, or the two can cancel.",
                ),
            )
        ),
    ),
    Exercise(
        id="03.2",
        name="matrix_sqrt",
        points=3,
        oracle=matrix_sqrt,
        cases=_matrices,
        atol=1e-6,  # an eigenvalue that is 0 but for rounding, 1e-15, has the root 3e-8
        forbidden=("scipy.linalg.sqrtm",),
        wrong=tuple(
            WrongAnswer(f"def matrix_sqrt(a):{_ROOT}    return {body}", message)
            for body, message in (
                (
                    "torch.sqrt(a)",
                    "That is the elementwise root. Multiplied with itself as a matrix it doesn't give a back.",
                ),
                (
                    "torch.sqrt(torch.abs(a))",
                    "That is the elementwise root, of magnitudes. Multiplied with itself as a matrix it doesn't give "
                    "a back.",
                ),
                (
                    "torch.diag(values.clamp(min=0).sqrt())",
                    "Those are the right eigenvalues, but in the eigenvectors' own axes: turn them back with V and V'.",
                ),
                (
                    "vectors @ torch.diag(values.clamp(min=0).sqrt())",
                    "The last factor V' is missing: your r gives a as r @ r.T, but r @ r is something else.",
                ),
                (
                    "vectors.T @ torch.diag(values.clamp(min=0).sqrt()) @ vectors",
                    "V and V' are exchanged: the eigenvectors are the columns of V, so V stands on the left.",
                ),
                (
                    "vectors @ torch.diag(values.sqrt()) @ vectors.T",
                    "NaN for singular matrices: rounding makes some zero eigenvalues slightly negative. "
                    "Clip them at 0 before the root.",
                ),
                (
                    "vectors @ torch.diag(values.clamp(min=0)) @ vectors.T",
                    "That puts a together again as it was: take the roots of the eigenvalues.",
                ),
                (
                    "(vectors * values.to(torch.complex128).sqrt()) @ vectors.T.to(torch.complex128)",
                    "The result is complex. The root of a symmetric positive semi-definite matrix is real: clip the "
                    "eigenvalues at 0 and stay with real numbers.",
                ),
            )
        ),
    ),
    Exercise(
        id="03.3",
        name="frechet_distance",
        points=4,
        oracle=frechet.frechet_distance,
        cases=_normals,
        atol=1e-6,
        wrong=tuple(
            WrongAnswer(_DISTANCE + body, message)
            for body, message in (
                (
                    "torch.trace(sigma_x + sigma_y - 2 * cross)",
                    "The means are missing: two equal clouds far apart get 0 from you.",
                ),
                (
                    "means.sqrt() + torch.trace(sigma_x + sigma_y - 2 * cross)",
                    "The norm of the means' difference is not squared.",
                ),
                (
                    "(means / len(mu_x)) + torch.trace(sigma_x + sigma_y - 2 * cross)",
                    "You averaged the squared differences of the means. A squared norm is their sum.",
                ),
                (
                    "means + torch.trace(sigma_x + sigma_y - cross)",
                    "The root is subtracted twice in the formula: there is a factor 2 in front of it.",
                ),
                (
                    "means + (sigma_x + sigma_y - 2 * cross).sum()",
                    "You summed the whole matrix. The trace is the sum of the diagonal only.",
                ),
                (
                    "means - 2 * torch.trace(cross)",
                    "The traces of the two covariances themselves are missing.",
                ),
                (
                    "means + torch.trace(sigma_x + sigma_y - 2 * (sigma_x @ sigma_y).abs().sqrt())",
                    "You took the elementwise root of the product. Use the matrix root.",
                ),
                (
                    "means + torch.trace(sigma_x + sigma_y - 2 * root(sigma_x @ sigma_y))",
                    "sigma_x @ sigma_y isn't symmetric, so matrix_sqrt can't take its root. "
                    "Take that of half @ sigma_y @ half, where half is the root of sigma_x: its trace is the same.",
                ),
                (
                    "means + torch.trace(sigma_x + sigma_y - 2 * half @ root(sigma_y))",
                    "The root of a product is the product of the roots for numbers, not for matrices.",
                ),
                (
                    "(means + torch.trace(sigma_x + sigma_y - 2 * cross).clamp(min=0)).sqrt()",
                    "That is d. The function returns the squared distance: leave out the last root.",
                ),
                (
                    "means + torch.trace(sigma_x @ sigma_x + sigma_y @ sigma_y - 2 * sigma_x @ sigma_y)",
                    "You compared the covariances themselves. The formula compares their roots.",
                ),
            )
        ),
    ),
    Exercise(
        id="03.4",
        name="fid",
        points=4,
        oracle=fid,
        cases=_features,
        rtol=1e-3,  # an answer in float32, as the features come, is right
        atol=1e-4,
        wrong=tuple(
            WrongAnswer(_FID + body, message)
            for body, message in (
                (
                    "return distance(real.mean(0), torch.cov(real.T, correction=0), fake.mean(0), "
                    "torch.cov(fake.T, correction=0))",
                    "You divided by N; the covariance here is divided by N - 1.",
                ),
                (
                    "return distance(real.mean(0), torch.cov(real), fake.mean(0), torch.cov(fake))",
                    "That is the covariance between images. Features are the variables: transpose, so that it is (D, D).",
                ),
                (
                    "return distance(real.mean(), torch.cov(real.T), fake.mean(), torch.cov(fake.T))",
                    "You averaged over the features too. The mean is one number a feature: average over the images only.",
                ),
                (
                    "return distance(real.mean(1), torch.cov(real.T), fake.mean(1), torch.cov(fake.T))",
                    "You averaged over the features. The mean is one number a feature: average over the images.",
                ),
                (
                    "return distance(real.mean(0) * 0, torch.cov(real.T), fake.mean(0) * 0, torch.cov(fake.T))",
                    "The means are missing.",
                ),
                (
                    "return ((real.mean(0) - fake.mean(0)) ** 2).sum()",
                    "The covariances are missing: only the means are compared.",
                ),
                (
                    "return distance(real.mean(0), torch.diag(real.var(0)), fake.mean(0), torch.diag(fake.var(0)))",
                    "You kept the variances only. Features that move together matter too: use whole covariance matrices.",
                ),
                (
                    "return distance(real.mean(0), torch.corrcoef(real.T).nan_to_num(), fake.mean(0), "
                    "torch.corrcoef(fake.T).nan_to_num())",
                    "That is the correlation matrix, which has lost the spreads. Use the covariance matrix.",
                ),
                (
                    "return distance(real.mean(0), real.T @ real / len(real), fake.mean(0), fake.T @ fake / len(fake))",
                    "That is the mean of x x', not the covariance: subtract the mean first.",
                ),
                (
                    "return distance(real.mean(0), torch.cov(real.T), fake.mean(0), torch.cov(fake.T)).clamp(min=0) ** 0.5",
                    "That is the root. FID is the squared distance itself.",
                ),
            )
        ),
    ),
)
