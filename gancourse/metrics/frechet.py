"""The Fréchet distance between normal distributions, and the FID with standard error and bias removal."""

import math

import numpy as np
import torch
from scipy.linalg import lapack
from torch import Tensor

from gancourse.metrics.arrays import LARGEST_SUM, ArrayLike, as_numbers, as_pair, as_samples, halves, shuffled
from gancourse.metrics.estimate import Estimate
from gancourse.metrics.moments import Moments
from gancourse.seeds import stream


def frechet_distance(mu_x: ArrayLike, sigma_x: ArrayLike, mu_y: ArrayLike, sigma_y: ArrayLike) -> float:
    """Squared 2-Wasserstein (Fréchet) distance between N(mu_x, sigma_x) and N(mu_y, sigma_y).

    mu: (D,), sigma: (D, D), plain numbers for D = 1. Equal arguments give exactly 0.0. ValueError for other shapes,
    NaN, or a sigma that isn't symmetric or has an eigenvalue < -1e-5 of its largest (smaller ones count as rounding).

        d^2 = |mu_x - mu_y|^2 + tr sigma_x + tr sigma_y - 2 tr (sigma_x sigma_y)^(1/2)

    (Dowson & Landau 1982; Heusel et al. 2017, eq. 6.) This is the square of a metric.

    The last trace needs no matrix root: tr (sigma_x sigma_y)^(1/2) = sum_i sqrt(c_i), c_i the eigenvalues of L' sigma_y
    L with sigma_x = L L' (AB and BA have equal eigenvalues). Where sigma_x or sigma_y is singular, L is an
    eigendecomposition cut to its rank, and the sqrt(c_i) are the singular values of L' M with sigma_y = M M'.
    """
    mu_x, sigma_x = _normal(mu_x, sigma_x, "mu_x", "sigma_x")
    mu_y, sigma_y = _normal(mu_y, sigma_y, "mu_y", "sigma_y")
    if mu_x.shape != mu_y.shape:
        raise ValueError(f"mu_x and mu_y must have one length, got {len(mu_x)} and {len(mu_y)}")
    return _distance(mu_x, sigma_x, mu_y, sigma_y)


def _distance(mu_x: Tensor, sigma_x: Tensor, mu_y: Tensor, sigma_y: Tensor) -> float:
    """`frechet_distance` of what was checked before."""
    mu_y, sigma_y = mu_y.to(mu_x.device), sigma_y.to(mu_x.device)
    left = _factor(sigma_x, "sigma_x")
    if torch.equal(mu_x, mu_y) and torch.equal(sigma_x, sigma_y):
        return 0.0
    right = _factor(sigma_y, "sigma_y")
    if left.shape == right.shape == sigma_x.shape:
        root_trace = torch.linalg.eigvalsh(_congruence(left, sigma_y)).clamp(min=0).sqrt().sum()
    else:
        root_trace = torch.linalg.svdvals(left.T @ right).sum()
    spread = sigma_x.trace() + sigma_y.trace() - 2 * root_trace  # >= 0 but for rounding of the traces
    return float((mu_x - mu_y).square().sum() + spread.clamp(min=0))


def _normal(mu: ArrayLike, sigma: ArrayLike, mu_name: str, sigma_name: str) -> tuple[Tensor, Tensor]:
    mu = torch.atleast_1d(as_numbers(mu, mu_name))
    sigma = torch.atleast_2d(as_numbers(sigma, sigma_name, largest=LARGEST_SUM))
    if mu.ndim != 1 or sigma.shape != (len(mu), len(mu)) or not len(mu):
        raise ValueError(
            f"expected {mu_name} of shape (D,) and {sigma_name} of shape (D, D), "
            f"got {tuple(mu.shape)} and {tuple(sigma.shape)}"
        )
    if torch.equal(sigma, sigma.T):
        return mu, sigma
    gap = (sigma - sigma.T).abs().max()
    if gap > 1e-5 * sigma.abs().max():
        raise ValueError(
            f"{sigma_name}: a covariance matrix is symmetric, this one differs by up to {gap:.3g}"
        )
    return mu, (sigma + sigma.T) / 2


def _factor(sigma: Tensor, name: str) -> Tensor:
    """L with L L' = sigma: (D, D) triangular where sigma is positive definite, else (D, rank)."""
    noise = len(sigma) * torch.finfo(sigma.dtype).eps
    factor, failed = torch.linalg.cholesky_ex(sigma)
    if not failed and factor.diagonal().min() ** 2 > noise * sigma.diagonal().max():
        return factor
    values, vectors = torch.linalg.eigh(sigma)
    if values[0] < -1e-5 * values[-1].abs():
        raise ValueError(
            f"{name}: a covariance matrix has no negative eigenvalues, this one has {values[0]:.3g} "
            f"(the largest is {values[-1]:.3g})"
        )
    keep = values > noise * values[-1]
    return vectors[:, keep] * values[keep].sqrt()


def _congruence(factor: Tensor, sigma: Tensor) -> Tensor:
    """L' sigma L, of which only the lower triangle is to be read (as `eigvalsh` does)."""
    if factor.device.type != "cpu":
        return factor.T @ sigma @ factor
    # LAPACK uses that L is triangular and sigma symmetric: less than half the time of two products
    product, _ = lapack.dsygst(sigma.numpy(), factor.numpy(), itype=2, lower=1)
    return torch.from_numpy(product)


def fid(*, real: ArrayLike | Moments, fake: ArrayLike | Moments) -> Estimate:
    """Fréchet distance between the normals fitted to real and to fake features: the Fréchet Inception Distance.

    real, fake: features (N, D) and (M, D), N, M >= 2; or `Moments` (one or both), and then stderr is None. Identical
    inputs give exactly 0.0, without stderr. ValueError for too few rows, different D, NaN, or Moments of two
    extractors.

    Formula as in `frechet_distance`, of covariances divided by N-1 (StyleGAN3: N); where N or M is below D they are
    never formed. Published FIDs use TensorFlow's Inception weights; values of different extractors can't be compared.

    The FID is biased upwards by about a constant over N that depends on the generator (Chong & Forsyth 2020), and for
    the usual D this bias is larger than the noise: an interval around the raw value would miss the truth nearly always,
    so `interval` is None. `stderr` says how much the value would vary from sample to sample; `fid_infinity` has an
    interval. Both assume two different distributions; for equal ones see `fid_floor`.

    The standard error is the delta method's. Row x of a sample with mean m and covariance S changes the distance to the
    other normal (m_o, S_o) by phi(x)/N, its influence:

        phi(x) = 2 (x - m).(m - m_o) + (x - m)'(I - T)(x - m),    T = S^(-1/2) (S^(1/2) S_o S^(1/2))^(1/2) S^(-1/2)

    where I - T is the derivative of the squared Bures distance by S (Bhatia, Jain & Lim 2019) and T the
    optimal-transport map. So Var(FID) ~ Var(phi_real)/N + Var(phi_fake)/M.
    """
    if isinstance(real, Moments) or isinstance(fake, Moments):
        real, fake = _moments(real, "real features"), _moments(fake, "fake features")
        real.require_same_features(fake)
        value = _distance(real.mean, real.cov, fake.mean, fake.cov)
        return Estimate(value, n=min(real.count, fake.count), method="FID from moments (biased upwards)")
    real, fake = as_pair(real, fake, least=2)
    n, method = min(len(real), len(fake)), "FID (biased upwards)"
    if torch.equal(real, fake):
        return Estimate(0.0, n=n, method=method)
    return Estimate(_fid(real, fake), _standard_error(real, fake), n=n, method=method)


def fid_infinity(*, real: ArrayLike, fake: ArrayLike, seed: int = 0) -> Estimate:
    """The FID that infinitely many samples would have: bias removed by halving, with a 95% interval.

    real: (N, D), fake: (M, D) features, N, M >= 4; seed: of the random halves. stderr and interval are None where N or
    M is below 2 D. Errors as in `fid`.

    FID_N = FID + c/N + ... , and halves have twice the bias (Chong & Forsyth 2020 fit a line through many N; two points
    suffice and have a known error), so

        FID_infinity = 2 FID_N - mean(FID of the first halves, FID of the second halves)

    with both samples halved at random. A row has the influence phi/N on each FID above, (2 - 1) phi/N in all, so the
    standard error is that of `fid`. Where a half has fewer rows than dimensions the bias isn't proportional to 1/N. The
    value may be negative when the true distance is close to 0.

    When both samples come from one distribution, T = I, every influence is 0, and so is the first-order variance: the
    interval is then meaningless. If the value is not well above `fid_floor(real)`, report that floor instead.
    """
    real, fake = as_pair(real, fake, least=4)
    n, method = min(len(real), len(fake)), "FID, bias removed by halving"
    if torch.equal(real, fake):
        return Estimate(0.0, n=n, method=method)
    generator = stream(seed)
    pairs = zip(halves(real, generator), halves(fake, generator), strict=True)
    value = 2 * _fid(real, fake) - sum(_fid(*pair) for pair in pairs) / 2
    if n < 2 * real.shape[1]:
        method += ", halves smaller than D: bias remains, no interval holds"
        return Estimate(value, n=n, method=method)
    return Estimate.normal(value, _standard_error(real, fake), n, method)


def fid_floor(real: ArrayLike, *, n: int | None = None, repeats: int = 10, seed: int = 0) -> Estimate:
    """What a perfect generator would score with n samples: the FID between two disjoint random draws of real rows.

    real: (N, D) features, N >= 4. `n`: rows in each draw, 2 to N/2 (default N/2). value: the mean over `repeats` >= 2
    random draws (by `seed`), stderr: the spread of a *single* such FID, interval: where 95% of them fall. ValueError
    for n, repeats or real outside this. A FID of n real and n fake samples inside the interval can't be told apart from
    a perfect generator's.
    """
    real = as_samples(real, "real features", least=4)
    n = len(real) // 2 if n is None else n
    if not isinstance(n, int | np.integer) or not 2 <= n <= len(real) // 2:
        raise ValueError(
            f"n: expected a whole number from 2 to {len(real) // 2}, half the real rows, got {n}"
        )
    if not isinstance(repeats, int | np.integer) or repeats < 2:
        raise ValueError(f"repeats: expected a whole number from 2, got {repeats}")
    generator = stream(seed)
    draws = (shuffled(real, generator) for _ in range(repeats))
    scores = torch.tensor([_fid(rows[:n], rows[n : 2 * n]) for rows in draws], dtype=torch.float64)
    return Estimate.normal(scores.mean(), scores.std(), n, f"FID of real against real, {repeats} draws")


def _moments(features: ArrayLike | Moments, name: str) -> Moments:
    if isinstance(features, Moments):
        if features.count < 2:
            raise ValueError(f"{name}: expected Moments of at least 2 rows, got {features.count}")
        return features
    return Moments._of(as_samples(features, name, least=2))


def _centred(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean m and A = (rows - m) / sqrt(N-1), so that the covariance is A'A."""
    mean = rows.mean(dim=0)
    return mean, (rows - mean) / math.sqrt(len(rows) - 1)


def _fid(real: Tensor, fake: Tensor) -> float:
    if min(len(real), len(fake)) >= real.shape[1]:
        x, y = Moments._of(real), Moments._of(fake)
        return _distance(x.mean, x.cov, y.mean, y.cov)
    (m, a), (m_o, b) = _centred(real), _centred(fake)
    # A'A B'B has the eigenvalues of (A B')(A B')', whose roots are the singular values of A B'
    root_trace = torch.linalg.svdvals(a @ b.T).sum()
    spread = a.square().sum() + b.square().sum() - 2 * root_trace
    return float((m - m_o).square().sum() + spread.clamp(min=0))


def _standard_error(real: Tensor, fake: Tensor) -> float:
    """sqrt(Var(phi_real)/N + Var(phi_fake)/M), with both transport maps from one singular value decomposition.

    With A = U R, U'U = I, B = V Q, V'V = I (QR) and R Q' = P diag(gamma) W', the first map's quadratic form is
    (x_i - m)' T (x_i - m) = (N-1) sum_k gamma_k (U P)_ik^2, because A T A' = (A B' B A')^(1/2); the second one's has
    V W. No inverse is taken: where a covariance is singular, this is the pseudo-inverse's T.
    """
    (m, a), (m_o, b) = _centred(real), _centred(fake)
    (u, r), (v, q) = (torch.linalg.qr(x) for x in (a, b))
    p, gamma, w = torch.linalg.svd(r @ q.T, full_matrices=False)
    variance = 0.0
    for x, delta, scores in ((a, m - m_o, u @ p), (b, m_o - m, v @ w.T)):
        x = x * math.sqrt(len(x) - 1)
        phi = 2 * x @ delta + x.square().sum(dim=1) - (len(x) - 1) * (scores.square() @ gamma)
        variance += float(phi.var()) / len(phi)
    return math.sqrt(variance)
