import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from gancourse.metrics import cross_entropy, entropy, js_divergence, kl_divergence

PAIRS = (cross_entropy, kl_divergence, js_divergence)
weights = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 5e-324, 1e-310, 1e-30]), min_size=4, max_size=4)


def random_pair(seed=0, shape=(6, 5)):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(shape[-1], 0.4), shape[:-1]), rng.dirichlet(
        np.full(shape[-1], 0.4), shape[:-1]
    )


def test_agrees_with_scipy():
    p, q = random_pair()
    np.testing.assert_allclose(entropy(p), stats.entropy(p, axis=1), rtol=1e-12)
    np.testing.assert_allclose(kl_divergence(p, q), stats.entropy(p, q, axis=1), rtol=1e-12)
    np.testing.assert_allclose(js_divergence(p, q), jensenshannon(p, q, axis=1) ** 2, rtol=1e-10)
    np.testing.assert_allclose(cross_entropy(p, q), entropy(p) + kl_divergence(p, q), rtol=1e-12)


def test_closed_forms():
    assert entropy([0.25] * 4) == pytest.approx(math.log(4), rel=1e-15)
    assert entropy([0, 1, 0]) == 0
    assert kl_divergence([1, 0], [0.5, 0.5]) == pytest.approx(math.log(2), rel=1e-15)
    assert kl_divergence([0.9, 0.1], [0.5, 0.5]) == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2))
    assert kl_divergence([0.5, 0.5], [0.9, 0.1]) == pytest.approx(-0.5 * math.log(1.8) - 0.5 * math.log(0.2))
    assert cross_entropy([1, 0], [0.25, 0.75]) == pytest.approx(math.log(4))
    assert js_divergence([1, 0], [0, 1]) == math.log(2)


def test_zeros():
    assert kl_divergence([0.5, 0.5, 0], [0.5, 0.5, 0]) == 0
    assert kl_divergence([0.5, 0.5], [1, 0]) == cross_entropy([0.5, 0.5], [1, 0]) == math.inf
    assert math.isfinite(kl_divergence([1, 0], [0.5, 0.5]))
    torch.testing.assert_close(kl_divergence(np.eye(2), np.eye(2)), torch.zeros(2).double(), rtol=0, atol=0)


def test_subnormal_probabilities_are_not_zeros():
    p, q = [1.0, 5e-324], [1.0, 0.0]
    assert kl_divergence(p, q) == math.inf
    assert 0 <= js_divergence(p, q) < 1e-300
    assert kl_divergence([0.5, 0.5], [1.0, 1e-310]) == pytest.approx(math.log(0.5) - 0.5 * math.log(1e-310))


def test_close_distributions_keep_their_digits():
    for e in (1e-3, 1e-6, 1e-9):
        exact = 2 * e**2 + 4 / 3 * e**4  # series of KL((1/2 + e, 1/2 - e) || (1/2, 1/2)) in e
        assert kl_divergence([0.5 + e, 0.5 - e], [0.5, 0.5]) == pytest.approx(exact, rel=1e-6, abs=0)
        assert js_divergence([0.5 + e, 0.5 - e], [0.5, 0.5]) == pytest.approx(exact / 4, rel=1e-5, abs=0)


def test_floats_for_one_and_tensors_for_many():
    p, q = random_pair(shape=(2, 3, 4))
    for f in (entropy, *(lambda p, f=f: f(p, q[0, 0]) for f in PAIRS)):
        assert isinstance(f(p[0, 0]), float)
        batch = f(torch.from_numpy(p))
        assert batch.shape == (2, 3) and batch.dtype == torch.float64
        assert batch[1, 2] == f(p[1, 2])


@pytest.mark.parametrize("f", PAIRS)
def test_one_q_faces_many_p(f):
    p, q = random_pair()
    for i, value in enumerate(f(p, q[0])):
        assert value == f(p[i], q[0])


def test_softmax_rounding_is_renormalised():
    p = torch.softmax(torch.randn(50, 1000, generator=torch.Generator().manual_seed(0)) * 4, dim=1)
    expected = stats.entropy(p.double().numpy(), axis=1)
    np.testing.assert_allclose(entropy(p), expected, rtol=1e-12)
    np.testing.assert_allclose(entropy(p.half()), expected, rtol=1e-2)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([[0.5, 0.5], [0.7, 0.4]], "p: .*row 1 sums to 1.1"),
        ([[0.5, 0.5], [1.5, -0.5]], "p: row 1 has the negative probability -0.5"),
        ([[0.5, 0.5], [np.nan, 0.5]], "p: row 1 has NaN"),
        ([0.0, 0.0], "sum to 0"),
        ([], "p: expected probabilities"),
        (1.0, "p: expected probabilities"),
    ],
)
def test_what_is_no_distribution_is_named(p, message):
    with pytest.raises(ValueError, match=message):
        entropy(p)
    for f in PAIRS:
        with pytest.raises(ValueError, match=message):
            f(p, [0.5, 0.5])


@pytest.mark.parametrize("f", PAIRS)
def test_shapes_that_do_not_fit(f):
    with pytest.raises(ValueError, match="as many outcomes in both, got 3 and 1"):
        f([0.2, 0.3, 0.5], [1.0])
    with pytest.raises(ValueError, match=r"batches don't fit .*\(2, 2\) and \(3, 2\)"):
        f(np.full((2, 2), 0.5), np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match=r"q: .*sum to 2"):
        f([0.5, 0.5], [1.0, 1.0])
    with pytest.raises(TypeError, match="p: expected an array of real numbers"):
        f(["a", "b"], [0.5, 0.5])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(weights.filter(lambda w: sum(w) > 1e-3), weights.filter(lambda w: sum(w) > 1e-3))
def test_bounds_and_symmetry(p, q):
    p, q = np.array(p) / sum(p), np.array(q) / sum(q)
    assert 0 <= entropy(p) <= math.log(4) + 1e-15
    assert kl_divergence(p, q) >= 0
    assert kl_divergence(p, p) == js_divergence(p, p) == 0
    assert 0 <= js_divergence(p, q) <= math.log(2)
    assert js_divergence(p, q) == js_divergence(q, p)
    assert math.isinf(kl_divergence(p, q)) == bool(((p > 0) & (q == 0)).any())
