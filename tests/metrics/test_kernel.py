"""KID against brute force, and its analytic standard error against simulation."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse.metrics import kernel, kid


def brute_force(x, y):
    def k(a, b):
        return (float(np.dot(a, b)) / len(a) + 1) ** 3

    xx = np.mean([k(a, b) for a, b in itertools.permutations(x, 2)])
    yy = np.mean([k(a, b) for a, b in itertools.permutations(y, 2)])
    return xx + yy - 2 * np.mean([k(a, b) for a, b in itertools.product(x, y)])


@settings(derandomize=True, max_examples=30, deadline=None)
@given(
    st.integers(2, 9),
    st.integers(2, 9),
    st.integers(1, 5),
    st.sampled_from([1e-300, 1e-3, 1, 30]),
    st.integers(0, 99),
)
def test_agrees_with_the_double_sum(n, m, dim, scale, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, dim)) * scale, rng.normal(size=(m, dim)) * scale + 1
    estimate = kid(real=x, fake=y)
    assert float(estimate) == pytest.approx(brute_force(x, y), rel=1e-9, abs=1e-12)
    assert 0 <= estimate.stderr < np.inf and estimate.n == min(n, m)


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_blocks_change_nothing(block, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 6)), rng.normal(size=(64, 6)) + 0.3
    whole = kid(real=x, fake=y)
    monkeypatch.setattr(kernel, "BLOCK", block)
    blocked = kid(real=x, fake=y)
    assert float(blocked) == pytest.approx(float(whole), rel=1e-12)
    assert blocked.stderr == pytest.approx(whole.stderr, rel=1e-10)


@pytest.mark.parametrize("offset", [0, 1000, 10**8])
def test_keeps_its_digits_far_from_the_origin(offset):
    rng = np.random.default_rng(0)
    x, y = rng.integers(-9, 9, size=(12, 3)) + offset, rng.integers(-9, 9, size=(9, 3)) + offset + 1

    def mean(pairs):
        kernels = [
            (Fraction(sum(int(i) * int(j) for i, j in zip(a, b, strict=True)), 3) + 1) ** 3 for a, b in pairs
        ]
        return sum(kernels) / len(kernels)

    xx, yy = mean(itertools.permutations(x, 2)), mean(itertools.permutations(y, 2))
    truth = float(xx + yy - 2 * mean(itertools.product(x, y)))
    assert float(kid(real=x, fake=y)) == pytest.approx(truth, rel=1e-12)


def test_symmetry_and_rotation():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 6)), rng.normal(size=(70, 6)) + 0.3
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    estimate = kid(real=x, fake=y)
    for other in (kid(real=y, fake=x), kid(real=x @ turn, fake=y @ turn), kid(real=x[::-1], fake=y[::-1])):
        assert float(other) == pytest.approx(float(estimate), rel=1e-10)
        assert other.stderr == pytest.approx(estimate.stderr, rel=1e-10)


@pytest.mark.parametrize(
    ("n", "m", "shift"), [(100, 100, 0.0), (60, 200, 0.0), (100, 100, 0.5), (200, 60, 0.2)]
)
def test_standard_error_is_the_spread_of_repeated_estimates(n, m, shift):
    rng = np.random.default_rng(0)
    estimates = [
        kid(real=rng.normal(size=(n, 16)), fake=rng.normal(size=(m, 16)) + shift) for _ in range(300)
    ]
    spread = np.std([float(estimate) for estimate in estimates])
    assert np.sqrt(np.mean([estimate.stderr**2 for estimate in estimates])) == pytest.approx(spread, rel=0.2)
    # E[k(x, y)] in closed form: x.y/D given x is normal, so E[(1 + s)^3] = 1 + 3 E s + 3 E s^2 + E s^3
    truth = 3 * shift**2 + 3 * mmd_of_squares(shift, 16) + mmd_of_cubes(shift, 16)
    covered = np.mean([low <= truth <= high for low, high in (estimate.interval for estimate in estimates)])
    assert covered > 0.9
    assert np.mean([float(estimate) for estimate in estimates]) == pytest.approx(
        truth, abs=4 * spread / 300**0.5
    )


def mmd_of_squares(shift, dim):
    """E[s_xx^2] + E[s_yy^2] - 2 E[s_xy^2] for s = x.y/D, x ~ N(0, I), y ~ N(shift, I): |M_x - M_y|^2 / D^2 of the second moments."""
    return float(((np.eye(dim) - np.eye(dim) - shift**2 * np.ones((dim, dim))) ** 2).sum() / dim**2)


def mmd_of_cubes(shift, dim):
    """The same with third moments: E[y_i y_j y_k] = m_i m_j m_k + m_i d_jk + m_j d_ik + m_k d_ij; x's are 0."""
    mean, eye = np.full(dim, shift), np.eye(dim)
    third = np.einsum("i,j,k->ijk", mean, mean, mean)
    third += (
        np.einsum("i,jk->ijk", mean, eye)
        + np.einsum("j,ik->ijk", mean, eye)
        + np.einsum("k,ij->ijk", mean, eye)
    )
    return float((third**2).sum() / dim**3)


def test_subsets_follow_the_literatures_protocol():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 6)), rng.normal(size=(400, 6)) + 0.3
    estimate = kid(real=x, fake=y, subsets=50, subset_size=100, seed=1)
    assert estimate == kid(real=x, fake=y, subsets=50, subset_size=100, seed=1)
    assert estimate != kid(real=x, fake=y, subsets=50, subset_size=100, seed=2)
    assert estimate.stderr is None and estimate.n == 300
    assert float(estimate) == pytest.approx(float(kid(real=x, fake=y)), rel=0.1)
    whole = kid(real=x, fake=y[:300], subsets=1, subset_size=300)
    assert float(whole) == pytest.approx(float(kid(real=x, fake=y[:300])), rel=1e-10)


def test_bad_input_is_named():
    x = np.ones((20, 3))
    with pytest.raises(ValueError, match="fake features: expected at least 2 rows, got 1"):
        kid(real=x, fake=x[:1])
    with pytest.raises(ValueError, match="subset_size from 2 to 20"):
        kid(real=x, fake=x, subsets=10)
    for wrong in ({"subsets": 2.5}, {"subsets": 2, "subset_size": 5.5}):
        with pytest.raises(ValueError, match="expected whole numbers, subsets >= 1"):
            kid(real=x, fake=x, **wrong)
    with pytest.raises(ValueError, match="subsets=0"):
        kid(real=x, fake=x, subsets=0, subset_size=5)
    with pytest.raises(ValueError, match="real features: row 2 has inf"):
        kid(real=torch.tensor([[0.0], [1.0], [torch.inf]]), fake=x[:, :1])
    largest = kid(real=np.full((5, 2), 1e24), fake=np.full((5, 2), -1e24))
    assert np.isfinite(largest.value) and np.isfinite(largest.stderr)
