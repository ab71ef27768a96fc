"""The Fréchet distance against closed forms and scipy's matrix root; FID's noise and bias against simulation."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse.metrics import Moments, fid, fid_floor, fid_infinity, frechet_distance


def random_normal(dim, seed, rank=None):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(dim, dim if rank is None else rank))
    return rng.normal(size=dim), half @ half.T


def by_matrix_root(mu_x, sigma_x, mu_y, sigma_y):
    root = scipy.linalg.sqrtm(sigma_x @ sigma_y).real
    return float(((mu_x - mu_y) ** 2).sum() + np.trace(sigma_x + sigma_y - 2 * root))


def rotation(dim, seed=9):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0]


@pytest.mark.parametrize("dim", [1, 2, 5, 40])
def test_agrees_with_the_matrix_root(dim):
    x, y = random_normal(dim, 0), random_normal(dim, 1)
    assert frechet_distance(*x, *y) == pytest.approx(by_matrix_root(*x, *y), rel=1e-10)
    assert frechet_distance(*y, *x) == pytest.approx(frechet_distance(*x, *y), rel=1e-10)


def test_closed_forms():
    assert frechet_distance([1.0], [[4.0]], [4.0], [[9.0]]) == pytest.approx(3**2 + (2 - 3) ** 2)
    assert frechet_distance(1.0, 4.0, 4.0, 9.0) == pytest.approx(10)
    variances_x, variances_y = np.array([1.0, 4.0, 0.0]), np.array([9.0, 1.0, 25.0])
    distance = frechet_distance(np.zeros(3), np.diag(variances_x), np.ones(3), np.diag(variances_y))
    assert distance == pytest.approx(3 + (2**2 + 1**2 + 5**2), rel=1e-12)
    mu, sigma = random_normal(6, 0)
    assert frechet_distance(mu, sigma, mu + 2, sigma) == pytest.approx(24, rel=1e-12)
    assert frechet_distance(mu, sigma, mu, 4 * sigma) == pytest.approx(np.trace(sigma), rel=1e-10)
    assert frechet_distance(mu, np.zeros((6, 6)), mu, sigma) == pytest.approx(np.trace(sigma), rel=1e-12)


def test_invariances():
    (mu_x, s_x), (mu_y, s_y) = random_normal(7, 0), random_normal(7, 1)
    distance, turn = frechet_distance(mu_x, s_x, mu_y, s_y), rotation(7)
    turned = frechet_distance(turn @ mu_x, turn @ s_x @ turn.T, turn @ mu_y, turn @ s_y @ turn.T)
    assert turned == pytest.approx(distance, rel=1e-10)
    assert frechet_distance(mu_x + 5, s_x, mu_y + 5, s_y) == pytest.approx(distance, rel=1e-10)
    assert frechet_distance(3 * mu_x, 9 * s_x, 3 * mu_y, 9 * s_y) == pytest.approx(9 * distance, rel=1e-10)


def test_singular_covariances():
    turn = rotation(12)
    for rank_x, rank_y in [(3, 12), (12, 3), (3, 5), (0, 4)]:
        variances_x = np.r_[np.arange(1, rank_x + 1), np.zeros(12 - rank_x)].astype(float)
        variances_y = np.r_[np.arange(2, rank_y + 2), np.zeros(12 - rank_y)].astype(float)
        x, y = (turn @ np.diag(v) @ turn.T for v in (variances_x, variances_y))
        expected = ((np.sqrt(variances_x) - np.sqrt(variances_y)) ** 2).sum()
        assert frechet_distance(np.zeros(12), x, np.zeros(12), y) == pytest.approx(expected, rel=1e-9)


def test_zero_only_where_it_should_be():
    mu, sigma = random_normal(30, 0, rank=8)
    assert frechet_distance(mu, sigma, mu, sigma) == 0.0
    nearly = frechet_distance(mu, sigma, mu, sigma * (1 + 1e-9))
    assert 0 <= nearly < 1e-11 * np.trace(sigma)
    assert frechet_distance(mu, sigma, mu, 1.01 * sigma) > 0


@pytest.mark.parametrize(
    ("sigma", "message"),
    [
        ([[1.0, 0.5], [0.0, 1.0]], "sigma_y: a covariance matrix is symmetric"),
        (
            [[1.0, 0.0], [0.0, -0.1]],
            "sigma_y: a covariance matrix has no negative eigenvalues, this one has -0.1",
        ),
        ([[1.0, 2.0], [2.0, 1.0]], "negative eigenvalues"),
        ([[math.nan, 0.0], [0.0, 1.0]], "sigma_y: row 0 has NaN"),
        (np.eye(3), r"sigma_y of shape \(D, D\), got \(2,\) and \(3, 3\)"),
    ],
)
@pytest.mark.parametrize("other", [np.eye(2), np.diag([1.0, 0.0])])
def test_what_is_no_covariance_is_named(sigma, message, other):
    with pytest.raises(ValueError, match=message):
        frechet_distance(np.zeros(2), other, np.zeros(2), sigma)


def test_rounding_is_not_taken_for_an_error():
    mu, sigma = random_normal(30, 0, rank=8)
    rounded = sigma.astype(np.float32)
    rounded[0, 1] *= 1 + 1e-6
    assert frechet_distance(mu, rounded, mu, sigma) < 1e-3 * np.trace(sigma)


def features(n, dim, seed, scale=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)) @ rng.normal(size=(dim, dim)) * scale + shift


def test_fid_of_features_of_moments_and_of_both():
    real, fake = features(300, 10, 0), features(200, 10, 1, shift=1.0)
    expected = by_matrix_root(real.mean(0), np.cov(real.T), fake.mean(0), np.cov(fake.T))
    estimate = fid(real=real, fake=fake)
    assert float(estimate) == pytest.approx(expected, rel=1e-10)
    assert estimate.stderr > 0 and estimate.interval is None and estimate.n == 200
    stored = Moments(10).update(real)
    for other in (fake, Moments(10).update(fake)):
        estimate = fid(real=stored, fake=other)
        assert float(estimate) == pytest.approx(expected, rel=1e-10) and estimate.stderr is None
    assert float(fid(real=fake, fake=real)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "m"), [(20, 30), (30, 20), (20, 200), (200, 20), (50, 51), (2, 2)])
def test_fewer_samples_than_dimensions(n, m):
    real, fake = features(n, 50, 0), features(m, 50, 1, shift=1.0)
    wide = fid(real=real, fake=fake)
    sigmas = [np.cov(x, rowvar=False) for x in (real, fake)]
    assert float(wide) == pytest.approx(
        frechet_distance(real.mean(0), sigmas[0], fake.mean(0), sigmas[1]), rel=1e-9
    )
    assert wide.stderr == pytest.approx(delta_method(real, fake), rel=1e-4)


def delta_method(real, fake):
    """The influence function written out with pseudo-inverses."""
    variance = 0
    for x, y in ((real, fake), (fake, real)):
        values, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
        keep = values > 1e-10 * values[-1]
        root = (vectors[:, keep] * np.sqrt(values[keep])) @ vectors[:, keep].T
        inverse = (vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T
        values, vectors = np.linalg.eigh(root @ np.cov(y, rowvar=False) @ root)
        transport = inverse @ (vectors * np.sqrt(values.clip(0))) @ vectors.T @ inverse
        d = x - x.mean(0)
        phi = 2 * d @ (x.mean(0) - y.mean(0)) + ((d - d @ transport) * d).sum(axis=1)
        variance += phi.var(ddof=1) / len(x)
    return math.sqrt(variance)


def test_standard_error_is_the_delta_methods_also_with_dead_units():
    real, fake = features(300, 8, 0), features(200, 8, 1, shift=0.5)
    assert fid(real=real, fake=fake).stderr == pytest.approx(delta_method(real, fake), rel=1e-9)
    real[:, 3] = fake[:, 3] = 0
    real[:, 5], fake[:, 6] = 0, 1
    assert fid(real=real, fake=fake).stderr == pytest.approx(delta_method(real, fake), rel=1e-6)


def test_identical_sets_score_exactly_zero():
    for n, dim in ((100, 8), (20, 50)):
        x = torch.relu(torch.randn(n, dim, generator=torch.Generator().manual_seed(0)))
        for estimate in (fid(real=x, fake=x.clone()), fid_infinity(real=x, fake=x)):
            assert float(estimate) == 0.0 and estimate.stderr is None
        assert 0 <= float(fid(real=x, fake=x.flip(0))) < 1e-11
        moments = Moments(dim).update(x)
        assert float(fid(real=moments, fake=moments)) == 0.0


def test_a_common_offset_of_1e8_changes_nothing():
    real, fake = (np.round(features(200, 5, seed) * 2**20) / 2**20 for seed in (0, 1))
    near, far = fid(real=real, fake=fake), fid(real=real + 2.0**26, fake=fake + 2.0**26)
    assert float(far) == pytest.approx(float(near), rel=1e-8) and far.stderr == pytest.approx(
        near.stderr, rel=1e-6
    )


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    st.integers(2, 9),
    st.integers(2, 9),
    st.integers(1, 6),
    st.sampled_from([1e-300, 1e-8, 1, 1e8]),
    st.integers(0, 99),
)
def test_any_small_input_gives_a_finite_distance(n, m, dim, scale, seed):
    rng = np.random.default_rng(seed)
    real, fake = (rng.integers(-2, 3, size=(size, dim)) * scale for size in (n, m))
    estimate = fid(real=real, fake=fake)
    assert 0 <= estimate.value < math.inf and (estimate.stderr is None or 0 <= estimate.stderr < math.inf)


def test_bad_features_are_named():
    x = features(20, 3, 0)
    with pytest.raises(ValueError, match="fake features: row 4 has NaN"):
        fid(real=x, fake=np.where(np.arange(20)[:, None] == 4, np.nan, x))
    with pytest.raises(ValueError, match="real features: expected at least 2 rows, got 1"):
        fid(real=x[:1], fake=x)
    with pytest.raises(ValueError, match="3 and 2 columns"):
        fid(real=x, fake=x[:, :2])
    with pytest.raises(ValueError, match="3 and 2 dimensions"):
        fid(real=Moments(3).update(x), fake=x[:, :2])
    with pytest.raises(ValueError, match="at least 4 rows"):
        fid_infinity(real=x, fake=x[:3])
    for wrong, name in (({"n": 2.5}, "n"), ({"repeats": 2.5}, "repeats")):
        with pytest.raises(ValueError, match=f"{name}: expected a whole number"):
            fid_floor(x, **wrong)
    with pytest.raises(ValueError, match="2 to 10"):
        fid_floor(x, n=11)
    with pytest.raises(TypeError):
        fid(x, x)


def test_debiased_interval_covers_where_the_raw_one_would_not():
    """200 draws of two 16-D normals, N = 500: the biased FID misses its own truth, the debiased one's interval holds it."""
    rng = np.random.default_rng(0)
    scale = np.linspace(1.0, 2.0, 16)
    truth = 16 * 0.2**2 + ((scale - 1) ** 2).sum()
    raw, debiased, stderrs, covered, raw_covered = [], [], [], 0, 0
    for seed in range(200):
        real, fake = rng.normal(size=(500, 16)), rng.normal(size=(500, 16)) * scale + 0.2
        estimate, biased = fid_infinity(real=real, fake=fake, seed=seed), fid(real=real, fake=fake)
        assert estimate.stderr == biased.stderr
        raw.append(float(biased))
        debiased.append(float(estimate))
        stderrs.append(estimate.stderr)
        covered += estimate.interval[0] <= truth <= estimate.interval[1]
        raw_covered += abs(float(biased) - truth) <= 1.96 * biased.stderr
    assert np.mean(stderrs) == pytest.approx(np.std(raw), rel=0.15)
    assert abs(np.mean(debiased) - truth) < 0.2 * (np.mean(raw) - truth)
    assert covered >= 180 > 160 > raw_covered  # 95% of 200 is 190, with a standard deviation of 3


def test_floor_is_what_a_perfect_generator_scores():
    rng = np.random.default_rng(0)
    floor = fid_floor(rng.normal(size=(1000, 8)), n=300, repeats=30)
    perfect = [float(fid(real=rng.normal(size=(300, 8)), fake=rng.normal(size=(300, 8)))) for _ in range(100)]
    assert floor.n == 300
    assert float(floor) == pytest.approx(np.mean(perfect), rel=0.15)
    assert floor.stderr == pytest.approx(np.std(perfect), rel=0.5)
    low, high = floor.interval
    assert np.mean([low <= score <= high for score in perfect]) > 0.85


def test_seeds_repeat():
    real, fake = features(100, 4, 0), features(90, 4, 1)
    assert fid_infinity(real=real, fake=fake, seed=3) == fid_infinity(real=real, fake=fake, seed=3)
    assert fid_infinity(real=real, fake=fake, seed=3) != fid_infinity(real=real, fake=fake, seed=4)
    assert fid_floor(real, seed=3) == fid_floor(real, seed=3) != fid_floor(real, seed=4)


def test_one_value_at_every_scale_and_equal_impossible_covariances():
    stream = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 50, 4, generator=stream, dtype=torch.float64)
    expected = fid(real=real, fake=fake).value
    for scale in (1e-20, 1e13, 1e20):
        assert fid(real=scale * real, fake=scale * fake).value == pytest.approx(scale**2 * expected, rel=1e-9)
    mu, sigma = torch.zeros(2), -torch.eye(2)
    with pytest.raises(ValueError, match="no negative eigenvalues"):
        frechet_distance(mu, sigma, mu, sigma)
    with pytest.raises(ValueError, match="fake features: expected Moments of at least 2 rows, got 0"):
        fid(real=real, fake=Moments(4))


def test_lists_of_tensors_and_views():
    real, fake = torch.randn(2, 20, 3, generator=torch.Generator().manual_seed(0))
    expected = fid(real=real, fake=fake)
    assert fid(real=list(real.clone().requires_grad_()), fake=fake) == expected
    assert fid(real=torch.complex(real, -real).conj().imag, fake=fake) == expected
    with pytest.raises(ValueError, match="real features: expected a rectangular array"):
        fid(real=[torch.ones(2), torch.ones(3)], fake=fake)
    with pytest.raises(TypeError, match=r"real features: expected a dense tensor of real numbers.*meta"):
        fid(real=real.to("meta"), fake=fake)


def test_no_interval_where_halves_are_smaller_than_the_dimensions():
    real, fake = torch.randn(2, 19, 10, generator=torch.Generator().manual_seed(0))
    found = fid_infinity(real=real, fake=fake)
    assert found.stderr is None and found.interval is None and "bias remains" in found.method
    again = torch.cat([real, real + 0.1])
    assert fid_infinity(real=again, fake=again + 1).interval is not None


@pytest.mark.parametrize("metric", [fid, fid_infinity])
@pytest.mark.parametrize("dim", [5, 60])  # covariances are formed, and are not
def test_every_input_is_checked_once_on_its_way_to_the_fid(metric, dim, monkeypatch):
    from gancourse.metrics import arrays, frechet, moments

    seen = []

    def counted(x, name, **limits):
        seen.append(name)
        return as_numbers(x, name, **limits)

    as_numbers = arrays.as_numbers
    for room in (arrays, frechet, moments):
        monkeypatch.setattr(room, "as_numbers", counted)
    x = torch.randn(2, 40, dim, generator=torch.Generator().manual_seed(0))
    metric(real=x[0], fake=x[1])
    assert seen == ["real features", "fake features"]
