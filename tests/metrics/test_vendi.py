"""The Vendi score against closed forms, the definition, and its standard error against simulation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse.metrics import vendi_score


def by_definition(x):
    """exp of the entropy of the eigenvalues of K/N, by the singular values of the rows' directions."""
    x = np.asarray(x, np.float64)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    values = np.linalg.svd(x, compute_uv=False) ** 2 / len(x)
    values = values[values > 0]
    return math.exp(-(values * np.log(values)).sum())


def normals(n, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dim)) + 0.5


@pytest.mark.parametrize(("n", "dim"), [(40, 5), (5, 40), (12, 12), (300, 64), (1, 7), (7, 1), (2, 2)])
def test_agrees_with_the_definition(n, dim):
    x = normals(n, dim)
    estimate = vendi_score(x)
    assert estimate.value == pytest.approx(by_definition(x), rel=1e-11)
    assert 1 <= estimate.value <= min(n, dim) and estimate.n == n and estimate.interval is None


@pytest.mark.parametrize("n", [1, 2, 30])
def test_alike_samples_are_one_and_orthogonal_ones_are_all_counted(n):
    alike = np.tile([0.3, -1.7, 22.0], (n, 1))
    assert vendi_score(alike).value == pytest.approx(1, abs=1e-12) and vendi_score(alike).value >= 1
    for dim in (n, n + 5):
        assert vendi_score(7 * np.eye(n, dim)).value == pytest.approx(n, rel=1e-13)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_groups_of_copies_give_the_entropy_of_their_sizes(sizes):
    x = np.repeat(np.eye(len(sizes), 4 + len(sizes)), sizes, axis=0)
    shares = np.array(sizes) / sum(sizes)
    assert vendi_score(x).value == pytest.approx(math.exp(-(shares * np.log(shares)).sum()), rel=1e-12)


def test_blocks_that_share_no_feature_add_up():
    """K is block diagonal: the entropy is that of the sizes plus the blocks' own entropies by their shares."""
    a, b = normals(30, 4), normals(10, 3, seed=1)
    x = np.block([[a, np.zeros((30, 3))], [np.zeros((10, 4)), b]])
    inside = 0.75 * math.log(vendi_score(a)) + 0.25 * math.log(vendi_score(b))
    sizes = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert vendi_score(x).value == pytest.approx(math.exp(inside + sizes), rel=1e-12)


def test_two_samples_in_closed_form():
    """Two directions with cosine c: the eigenvalues are (1 + c)/2 and (1 - c)/2."""
    for angle in (0.0, 0.3, math.pi / 2, 2.5, math.pi):
        x = [[1, 0], [math.cos(angle), math.sin(angle)]]
        p = np.clip([(1 + math.cos(angle)) / 2, (1 - math.cos(angle)) / 2], 1e-300, 1)
        assert vendi_score(x).value == pytest.approx(math.exp(-(p * np.log(p)).sum()), rel=1e-10)


@pytest.mark.parametrize(("n", "dim"), [(50, 6), (6, 50)])
def test_what_changes_nothing(n, dim):
    x = normals(n, dim)
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    same = {
        "order": rng.permutation(x),
        "rotation": x @ turn,
        "scale of all": 1e9 * x,
        "scale of each": x * rng.uniform(0.1, 10, size=(n, 1)),
        "tiny scale": 1e-200 * x,
        "sign": x * rng.choice([-1, 1], size=(n, 1)),
        "the whole set twice": np.vstack([x, x]),
        "unused features": np.hstack([x, np.zeros((n, 70))]),
    }
    for name, other in same.items():
        assert vendi_score(other).value == pytest.approx(vendi_score(x).value, rel=1e-10), name
    assert vendi_score(np.vstack([x, x[:1]])).value < n + 1


def test_every_kind_of_array():
    x = normals(30, 5).astype(np.float32)
    expected, tensor = vendi_score(x.astype(np.float64)), torch.from_numpy(x)
    for same in (x, tensor, tensor.clone().requires_grad_(), np.asfortranarray(x), x.tolist(), list(tensor)):
        assert vendi_score(same).value == pytest.approx(expected.value, rel=1e-12)
    assert vendi_score(tensor.half()).value == pytest.approx(expected.value, rel=1e-3)
    assert vendi_score(np.eye(3, dtype=int)).value == pytest.approx(3)
    before = x.copy()
    vendi_score(x)
    np.testing.assert_array_equal(x, before)


def radial(x):
    return torch.exp(-(torch.cdist(x, x) ** 2))


def test_a_kernel_of_ones_own():
    x = normals(20, 3)
    cosine = vendi_score(x, kernel=lambda x: (x @ x.T) / torch.outer(x.norm(dim=1), x.norm(dim=1)))
    assert cosine.value == pytest.approx(vendi_score(x).value, rel=1e-12)
    assert cosine.stderr == pytest.approx(vendi_score(x).stderr, rel=1e-8)
    assert vendi_score(x, kernel=lambda x: torch.eye(len(x))).value == pytest.approx(20)
    assert vendi_score(x, kernel=lambda x: np.ones((20, 20), np.float32)).value == pytest.approx(1)
    far = vendi_score([[0.0], [0.0], [100.0]], kernel=radial)  # two groups, 2/3 and 1/3
    assert far.value == pytest.approx(3 / 2 ** (2 / 3), rel=1e-12) and "radial" in far.method
    zeros = vendi_score(np.zeros((4, 2)), kernel=radial)  # no direction, but this kernel needs none
    assert zeros.value == pytest.approx(1)


@pytest.mark.parametrize("concentration", [0.3, 2.0])
def test_standard_error_is_the_spread_of_repeated_scores(concentration):
    rng = np.random.default_rng(0)
    kinds = rng.dirichlet(np.full(6, concentration), 40)
    scores = [vendi_score(kinds[rng.integers(40, size=300)]) for _ in range(400)]
    spread = np.std([score.value for score in scores])
    assert np.mean([score.stderr for score in scores]) == pytest.approx(spread, rel=0.12)


def test_standard_error_with_fewer_samples_than_features():
    rng = np.random.default_rng(0)
    scores = [vendi_score(rng.normal(size=(40, 60)) * np.linspace(0, 1, 60) ** 4) for _ in range(300)]
    spread = np.std([score.value for score in scores])
    assert np.mean([score.stderr for score in scores]) == pytest.approx(spread, rel=0.25)


def test_grows_with_n():
    """Why there is no interval: 50 kinds, equally likely and orthogonal, of which N draws hold only some."""
    rng = np.random.default_rng(0)

    def mean(n):
        return np.mean([vendi_score(np.eye(50)[rng.integers(50, size=n)]).value for _ in range(50)])

    means = [mean(n) for n in (20, 100, 900)]
    assert means[0] < means[1] < means[2] < 50
    assert means[0] < 20 and means[2] > 47
    small = vendi_score(np.eye(50)[rng.integers(50, size=20)])
    assert small.value + 5 * small.stderr < 50  # the noise doesn't cover the truth


def test_one_sample_has_no_error():
    assert vendi_score([[3.0, 4.0]]).stderr is None


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([[1, 2], [0, 0], [3, 1]], "features: row 1 is all zeros"),
        ([[1, 2], [math.nan, 0]], "features: row 1 has NaN"),
        ([[1, 2], [1, math.inf]], "features: row 1 has inf"),
        ([1.0, 2.0], r"features: expected a 2-D array .*x\[None\]"),
        (np.zeros((0, 3)), "features: expected at least 1 rows"),
        (np.zeros((3, 0)), "features: expected at least one column"),
        ([[1, 2], [1]], "features: expected a rectangular array"),
    ],
)
def test_bad_features_are_named(features, message):
    with pytest.raises(ValueError, match=message):
        vendi_score(features)
    with pytest.raises(TypeError, match="features: expected an array of real numbers"):
        vendi_score([["a", "b"]])


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("rbf", 'kernel: expected "cosine" or a function of the features, got \'rbf\''),
        (None, "kernel: expected .* got None"),
        (lambda x: torch.eye(2), r"kernel: expected a matrix \(3, 3\), one row a sample, got \(2, 2\)"),
        (lambda x: 2 * torch.eye(3), "kernel: expected ones on the diagonal, got 2 for row 0"),
        (lambda x: torch.tensor([[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]), "kernel: expected a symmetric matrix, got 0.5"),
        (lambda x: torch.full((3, 3), torch.nan), "kernel: row 0 has NaN"),
        (lambda x: 1.5 * torch.eye(3) - 0.5 * torch.eye(3) + 0.9 * (torch.eye(3) - torch.ones(3, 3)), "positive semi"),
    ],
)  # fmt: skip
def test_bad_kernels_are_named(kernel, message):
    with pytest.raises(ValueError, match=message):
        vendi_score(np.eye(3), kernel=kernel)
