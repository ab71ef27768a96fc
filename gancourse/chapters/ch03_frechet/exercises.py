"""Exercises of chapter 03: from two numbers a side to the Fréchet Inception Distance."""

import numpy as np
import torch

from gancourse.exercises import Exercise
from gancourse.metrics import frechet

# --- 03.1 frechet_distance_1d ------------------------------------------------------------------------------

exercise_03_1 = Exercise("03.1", "frechet_distance_1d", points=2)


@exercise_03_1.oracle
def frechet_distance_1d(mu_x, sigma_x, mu_y, sigma_y):
    """d^2 = (mu_x - mu_y)^2 + (sigma_x - sigma_y)^2, with standard deviations sigma."""
    return (mu_x - mu_y) ** 2 + (sigma_x - sigma_y) ** 2


@exercise_03_1.cases
def numbers(rng):
    fixed = [(0.0, 1.0, 3.0, 1.0), (0.0, 1.0, 0.0, 3.0), (0.0, 1.0, 3.0, 5.0), (2.0, 0.5, 2.0, 0.5)]
    fixed += [(-2.0, 4.0, 1.0, 2.0), (1.0, 0.0, -1.0, 3.0), (1.0, 2.0, 1.0, 0.0), (300.0, 20.0, -100.0, 90.0)]
    fixed += [(0.001, 0.002, -0.003, 0.004)]
    return fixed + [tuple(float(x) for x in rng.uniform(0.2, 4, 4)) for _ in range(3)]


@exercise_03_1.mistake("As if the sigmas were squared once more: sigma already is the standard deviation.")
def compares_variances(mu_x, sigma_x, mu_y, sigma_y):
    return (mu_x - mu_y) ** 2 + (sigma_x**2 - sigma_y**2) ** 2


@exercise_03_1.mistake(
    "As if the sigmas were variances: roots of them are compared. They are standard deviations."
)
def roots_of_sigmas(mu_x, sigma_x, mu_y, sigma_y):
    return (mu_x - mu_y) ** 2 + (sigma_x**0.5 - sigma_y**0.5) ** 2


@exercise_03_1.mistake("The means are missing: two normals far apart get 0 from you.")
def without_means_1d(mu_x, sigma_x, mu_y, sigma_y):
    return (sigma_x - sigma_y) ** 2


@exercise_03_1.mistake("The spreads are missing: a narrow and a wide normal get 0 from you.")
def without_spreads(mu_x, sigma_x, mu_y, sigma_y):
    return (mu_x - mu_y) ** 2


@exercise_03_1.mistake("The squares are missing: square both differences, then add.")
def without_squares(mu_x, sigma_x, mu_y, sigma_y):
    return abs(mu_x - mu_y) + abs(sigma_x - sigma_y)


@exercise_03_1.mistake("That is d. The function returns the squared distance: leave out the root.")
def root_of_the_distance_1d(mu_x, sigma_x, mu_y, sigma_y):
    return ((mu_x - mu_y) ** 2 + (sigma_x - sigma_y) ** 2) ** 0.5


@exercise_03_1.mistake(
    "As if the two differences were added before squaring. Square each by itself, then add, or the two can cancel."
)
def square_of_the_sum(mu_x, sigma_x, mu_y, sigma_y):
    return (mu_x - mu_y + sigma_x - sigma_y) ** 2


# --- 03.2 matrix_sqrt --------------------------------------------------------------------------------------

exercise_03_2 = Exercise(
    "03.2",
    "matrix_sqrt",
    points=3,
    atol=1e-6,
    forbidden=("scipy.linalg.sqrtm", "scipy.linalg.fractional_matrix_power", "scipy.linalg.funm"),
)


@exercise_03_2.oracle
def matrix_sqrt(a):
    """The symmetric positive semi-definite r with r @ r = a: V diag(sqrt(values)) V' of a = V diag(values) V'."""
    a = torch.as_tensor(a)
    dtype = (
        a.dtype if a.is_floating_point() else torch.float64
    )  # an answer that it is lent to multiplies the two
    values, vectors = torch.linalg.eigh(a.double())
    return (vectors * values.clamp(min=0).sqrt() @ vectors.T).to(dtype)


def _covariance(rng, dim, rank=None):
    factor = torch.from_numpy(rng.normal(size=(dim, rank or dim)))
    return factor @ factor.T


@exercise_03_2.cases
def matrices(rng):
    fixed = [
        [[9.0]],
        [[4.0, 0.0], [0.0, 9.0]],
        [[2.0, 1.0], [1.0, 2.0]],
        [[1.0, 1.0], [1.0, 1.0]],
        [[5.0, -3.0], [-3.0, 2.0]],
        [[0.0, 0.0], [0.0, 0.0]],
    ]
    drawn = [_covariance(rng, 3), _covariance(rng, 6), *(_covariance(rng, 8, rank=2) for _ in range(3))]
    drawn += [1e6 * _covariance(rng, 3), 1e-6 * _covariance(rng, 3), _covariance(rng, 4).float()]
    return [(torch.tensor(a, dtype=torch.float64),) for a in fixed] + [(a,) for a in drawn]


@exercise_03_2.accepts
def is_the_root(case, root, expected):
    """r is symmetric, has no negative eigenvalue, and r r = a; to six digits, in float32 to three."""
    a = case[0].double().numpy()
    if root.shape != a.shape or np.iscomplexobj(root) or not np.isfinite(root).all():
        return False
    single = root.dtype == np.float32 or case[0].dtype == torch.float32
    scale, digits = max(abs(a).max(), 1e-300), 1e-3 if single else 1e-6
    root = root.astype(float)
    half = digits * scale**0.5
    return (
        abs(root - root.T).max() <= half
        and np.linalg.eigvalsh(root).min() >= -half
        and abs(root @ root - a).max() <= digits * scale
    )


def _eigen(a):
    values, vectors = torch.linalg.eigh(a)
    return values.clamp(min=0), vectors


@exercise_03_2.mistake(
    "That is the elementwise root. Multiplied with itself as a matrix it doesn't give a back."
)
def elementwise_root(a):
    return torch.sqrt(a)


@exercise_03_2.mistake(
    "That is the elementwise root. Multiplied with itself as a matrix it doesn't give a back."
)
def elementwise_root_of_magnitudes(a):
    return torch.sqrt(torch.abs(a))


@exercise_03_2.mistake(
    "Your result is diagonal: the right eigenvalues, but in the eigenvectors' own axes. V diag(roots) V' turns them "
    "back: the roots scale the columns of V."
)
def not_turned_back(a):
    return torch.diag(_eigen(a)[0].sqrt())


@exercise_03_2.mistake(
    "The last factor V' is missing: your r gives a as r @ r.T, but r @ r is something else."
)
def one_factor_missing(a):
    values, vectors = _eigen(a)
    return vectors @ torch.diag(values.sqrt())


@exercise_03_2.mistake(
    "That is the Cholesky factor L: L L' is a, but L L is not. The root wanted here is symmetric."
)
def cholesky_factor(a):
    return torch.linalg.cholesky(a)


@exercise_03_2.mistake(
    "As if V and V' were exchanged: the eigenvectors are the columns of V, so V stands on the left."
)
def factors_exchanged(a):
    values, vectors = _eigen(a)
    return vectors.T @ torch.diag(values.sqrt()) @ vectors


@exercise_03_2.mistake(
    "NaN for singular matrices: rounding makes some zero eigenvalues slightly negative. Clip them at 0 before the root."
)
def eigenvalues_not_clipped(a):
    values, vectors = torch.linalg.eigh(a)
    return vectors @ torch.diag(values.sqrt()) @ vectors.T


@exercise_03_2.mistake("That puts a together again as it was: take the roots of the eigenvalues.")
def no_root_taken(a):
    values, vectors = _eigen(a)
    return vectors @ torch.diag(values) @ vectors.T


@exercise_03_2.mistake(
    "The result is complex. The root of a symmetric positive semi-definite matrix is real: clip the eigenvalues at 0 "
    "and stay with real numbers."
)
def complex_root(a):
    values, vectors = torch.linalg.eigh(a)
    vectors = vectors.to(torch.complex128)
    return (vectors * values.to(torch.complex128).sqrt()) @ vectors.T


# --- 03.3 frechet_distance ---------------------------------------------------------------------------------

exercise_03_3 = Exercise("03.3", "frechet_distance", points=4, atol=1e-6)
exercise_03_3.oracle(frechet.frechet_distance)


@exercise_03_3.cases
def normals(rng):
    def vector(*entries):
        return torch.tensor(entries, dtype=torch.float64)

    def drawn(dim, rank_x=None, rank_y=None, scale=1.0):
        mu_x, mu_y = torch.from_numpy(rng.normal(size=(2, dim)))
        sigma_x, sigma_y = _covariance(rng, dim, rank_x), _covariance(rng, dim, rank_y)
        return scale * mu_x, scale**2 * sigma_x, scale * mu_y, scale**2 * sigma_y

    origin, same = vector(0, 0), torch.eye(2, dtype=torch.float64)
    tilted, wide, flat = vector(2, 1, 1, 2), vector(5, 0, 0, 1), vector(1, 1, 1, 1)
    tilted, wide, flat = (matrix.view(2, 2) for matrix in (tilted, wide, flat))
    one = vector(4).view(1, 1)
    fixed = [
        (origin, same, vector(3, 4), same),
        (origin, same, origin, 9 * same),
        (vector(-1), one, vector(2), 4 * one),
        (origin, tilted, vector(1, -1), wide),
        (origin, flat, vector(1, 0), tilted),
        (vector(-2, 1), tilted, vector(1, 0), flat),
        (origin, 0 * same, vector(1, 2), tilted),
    ]
    drawn_ = [drawn(3), drawn(6), drawn(6, 2, 6), drawn(6, 6, 2), drawn(5, 1, 2)]
    drawn_ += [drawn(3, scale=100.0), drawn(3, scale=0.01)]
    # Roots in float32 keep three digits in general; of these all are whole numbers.
    single = (vector(1, 2), vector(4, 9).diag(), vector(4, -2), vector(16, 1).diag())
    return fixed + drawn_ + [tuple(part.float() for part in single)]


def _pieces(mu_x, sigma_x, mu_y, sigma_y):
    half = matrix_sqrt(sigma_x)
    return ((mu_x - mu_y) ** 2).sum(), matrix_sqrt(half @ sigma_y @ half)


@exercise_03_3.mistake("The means are missing: two equal clouds far apart get 0 from you.")
def without_means(mu_x, sigma_x, mu_y, sigma_y):
    _, cross = _pieces(mu_x, sigma_x, mu_y, sigma_y)
    return torch.trace(sigma_x + sigma_y - 2 * cross)


@exercise_03_3.mistake("The norm of the means' difference is not squared.")
def norm_not_squared(mu_x, sigma_x, mu_y, sigma_y):
    means, cross = _pieces(mu_x, sigma_x, mu_y, sigma_y)
    return means.sqrt() + torch.trace(sigma_x + sigma_y - 2 * cross)


@exercise_03_3.mistake(
    "As if the squared differences of the means were averaged. A squared norm is their sum."
)
def means_averaged(mu_x, sigma_x, mu_y, sigma_y):
    means, cross = _pieces(mu_x, sigma_x, mu_y, sigma_y)
    return means / len(mu_x) + torch.trace(sigma_x + sigma_y - 2 * cross)


@exercise_03_3.mistake(
    "The root is subtracted once; the formula subtracts it twice: there is a factor 2 in front of it."
)
def factor_two_missing(mu_x, sigma_x, mu_y, sigma_y):
    means, cross = _pieces(mu_x, sigma_x, mu_y, sigma_y)
    return means + torch.trace(sigma_x + sigma_y - cross)


@exercise_03_3.mistake("As if the whole matrix were summed. The trace is the sum of the diagonal only.")
def sum_for_trace(mu_x, sigma_x, mu_y, sigma_y):
    means, cross = _pieces(mu_x, sigma_x, mu_y, sigma_y)
    return means + (sigma_x + sigma_y - 2 * cross).sum()


@exercise_03_3.mistake("The traces of the two covariances themselves are missing.")
def without_traces(mu_x, sigma_x, mu_y, sigma_y):
    means, cross = _pieces(mu_x, sigma_x, mu_y, sigma_y)
    return means - 2 * torch.trace(cross)


@exercise_03_3.mistake(
    "As if the product's root were taken entry by entry. It needs the matrix root: that of half @ sigma_y @ half, "
    "where half is the root of sigma_x."
)
def elementwise_root_of_the_product(mu_x, sigma_x, mu_y, sigma_y):
    means = ((mu_x - mu_y) ** 2).sum()
    return means + torch.trace(sigma_x + sigma_y - 2 * torch.sqrt(sigma_x @ sigma_y))


@exercise_03_3.mistake(
    "As if the product's root were taken entry by entry. It needs the matrix root: that of half @ sigma_y @ half, "
    "where half is the root of sigma_x."
)
def elementwise_root_of_magnitudes_of_the_product(mu_x, sigma_x, mu_y, sigma_y):
    means = ((mu_x - mu_y) ** 2).sum()
    return means + torch.trace(sigma_x + sigma_y - 2 * torch.sqrt((sigma_x @ sigma_y).abs()))


@exercise_03_3.mistake(
    "sigma_x @ sigma_y isn't symmetric, so matrix_sqrt can't take its root. "
    "Take that of half @ sigma_y @ half, where half is the root of sigma_x: its trace is the same."
)
def root_of_the_product(mu_x, sigma_x, mu_y, sigma_y):
    means = ((mu_x - mu_y) ** 2).sum()
    return means + torch.trace(sigma_x + sigma_y - 2 * matrix_sqrt(sigma_x @ sigma_y))


@exercise_03_3.mistake(
    "As if the root of a product were the product of the roots: true for numbers, not for matrices in general."
)
def product_of_the_roots(mu_x, sigma_x, mu_y, sigma_y):
    means = ((mu_x - mu_y) ** 2).sum()
    return means + torch.trace(sigma_x + sigma_y - 2 * matrix_sqrt(sigma_x) @ matrix_sqrt(sigma_y))


@exercise_03_3.mistake("That is d. The function returns the squared distance: leave out the last root.")
def root_of_the_distance(mu_x, sigma_x, mu_y, sigma_y):
    means, cross = _pieces(mu_x, sigma_x, mu_y, sigma_y)
    return (means + torch.trace(sigma_x + sigma_y - 2 * cross)).clamp(min=0).sqrt()


@exercise_03_3.mistake("As if the covariances themselves were compared. The formula compares their roots.")
def covariances_compared(mu_x, sigma_x, mu_y, sigma_y):
    means = ((mu_x - mu_y) ** 2).sum()
    return means + torch.trace(sigma_x @ sigma_x + sigma_y @ sigma_y - 2 * sigma_x @ sigma_y)


# --- 03.4 fid ----------------------------------------------------------------------------------------------

exercise_03_4 = Exercise(
    "03.4",
    "fid",
    points=4,
    rtol=1e-3,  # an answer in float32, as the features come, is right
    atol=1e-4,
    exempt={"one column": "`torch.cov` drops the axes of a single feature, which chapter 02 has taught"},
)


@exercise_03_4.oracle
def fid(real, fake):
    """Fréchet distance between the normals with the features' means and covariances (divided by N - 1)."""
    return frechet.fid(real=real, fake=fake).value


@exercise_03_4.cases
def feature_pairs(rng):
    def draw(rows, dim, scale=1.0):
        mixed = rng.normal(size=(rows, dim)) @ rng.normal(size=(dim, dim)) + rng.normal(size=dim)
        return torch.from_numpy(scale * mixed).float().relu()

    real, fake = draw(30, 5), draw(20, 5)
    real[:, 2] = fake[:, 2] = 0  # a unit that never fires makes both covariances singular
    small = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 3.0]])
    return [
        (small, 2 * small + 1),
        (small, small.flip(1)),
        (draw(12, 3), draw(12, 3) + 1),
        (draw(40, 6), draw(25, 6)),
        (draw(25, 6), draw(40, 6)),
        (draw(5, 8).double(), draw(6, 8).double()),  # fewer images than features
        (real, fake),
        (draw(20, 4, 100.0), draw(30, 4, 100.0)),
        (draw(9, 3, 0.01), draw(9, 3, 0.01)),
        (draw(20, 4, 0.3).double() - 3, draw(30, 4, 0.3).double() - 3),
    ]


def _moments(features):
    features = features.double()
    return features.mean(0), torch.cov(features.T)


def _fid(mean_x, cov_x, mean_y, cov_y):
    means, cross = _pieces(mean_x, cov_x, mean_y, cov_y)
    return means + torch.trace(cov_x + cov_y - 2 * cross)


@exercise_03_4.mistake("Your value is that of a division by N; the covariance here is divided by N - 1.")
def fid_over_n(real, fake):
    (m, _), (n, _) = _moments(real), _moments(fake)
    return _fid(m, torch.cov(real.double().T, correction=0), n, torch.cov(fake.double().T, correction=0))


BETWEEN_IMAGES = (
    "That is the covariance between images. Features are the variables: transpose, so that it is (D, D)."
)


@exercise_03_4.mistake(BETWEEN_IMAGES)
def fid_between_images(real, fake):
    return fid_between_images_in_float32(real.double(), fake.double())


@exercise_03_4.mistake(BETWEEN_IMAGES)
def fid_between_images_in_float32(real, fake):
    half = _eigen_root(torch.cov(real))
    cross = _eigen_root(half @ torch.cov(fake) @ half)
    means = (real.mean(0) - fake.mean(0)).square().sum()
    return means + torch.trace(torch.cov(real) + torch.cov(fake) - 2 * cross)


def _eigen_root(a):
    """The root in a's own precision, which `matrix_sqrt` would raise."""
    values, vectors = _eigen(a)
    return (vectors * values.sqrt()) @ vectors.T


@exercise_03_4.mistake(
    "As if all features had one mean. The mean is one number a feature: average over the images only."
)
def fid_of_one_mean(real, fake):
    (_, s), (_, t) = _moments(real), _moments(fake)
    return _fid(real.double().mean()[None], s, fake.double().mean()[None], t)


@exercise_03_4.mistake(
    "You averaged over the features. The mean is one number a feature: average over the images."
)
def fid_of_row_means(real, fake):
    (_, s), (_, t) = _moments(real), _moments(fake)
    return _fid(real.double().mean(1), s, fake.double().mean(1), t)


@exercise_03_4.mistake("The means are missing: move all features of one set by 10, and nothing changes.")
def fid_without_means(real, fake):
    (m, s), (_, t) = _moments(real), _moments(fake)
    return _fid(m, s, m, t)


@exercise_03_4.mistake("As if both sets had the same covariance, or none: only the means are compared.")
def fid_of_means(real, fake):
    (m, _), (n, _) = _moments(real), _moments(fake)
    return ((m - n) ** 2).sum()


@exercise_03_4.mistake("As if both sets had the same covariance, or none: only the means are compared.")
def fid_of_one_covariance(real, fake):
    (m, s), (n, _) = _moments(real), _moments(fake)
    return _fid(m, s, n, s)


@exercise_03_4.mistake(
    "As if features did not move together. Use whole covariance matrices, not the variances only."
)
def fid_of_variances(real, fake):
    (m, s), (n, t) = _moments(real), _moments(fake)
    return _fid(m, torch.diag(s.diagonal()), n, torch.diag(t.diagonal()))


@exercise_03_4.mistake(
    "That is the correlation matrix, which has lost the spreads. Use the covariance matrix."
)
def fid_of_correlations(real, fake):
    (m, _), (n, _) = _moments(real), _moments(fake)
    s, t = (torch.corrcoef(x.double().T).nan_to_num() for x in (real, fake))
    return _fid(m, s, n, t)


@exercise_03_4.mistake("That is the mean of x x', not the covariance: subtract the mean first.")
def fid_of_second_moments(real, fake):
    (m, _), (n, _) = _moments(real), _moments(fake)
    s, t = (x.double().T @ x.double() / len(x) for x in (real, fake))
    return _fid(m, s, n, t)


@exercise_03_4.mistake("As if the larger set were cut to the smaller one's size: every image counts.")
def fid_of_equal_sizes(real, fake):
    size = min(len(real), len(fake))
    return _fid(*_moments(real[:size]), *_moments(fake[:size]))


@exercise_03_4.mistake("As if the larger set were cut to the smaller one's size: every image counts.")
def fid_of_as_many_fakes(real, fake):
    return _fid(*_moments(real), *_moments(fake[: len(real)]))


@exercise_03_4.mistake("As if the larger set were cut to the smaller one's size: every image counts.")
def fid_of_as_many_reals(real, fake):
    return _fid(*_moments(real[: len(fake)]), *_moments(fake))


@exercise_03_4.mistake("That is the root. FID is the squared distance itself.")
def root_of_fid(real, fake):
    return _fid(*_moments(real), *_moments(fake)).clamp(min=0) ** 0.5
