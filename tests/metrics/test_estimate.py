"""Estimates print what their uncertainty deserves; the arrays door names what is wrong."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from gancourse.metrics.arrays import as_distribution, as_pair, as_samples
from gancourse.metrics.estimate import Estimate


@pytest.mark.parametrize(
    ("value", "stderr", "interval", "text"),
    [
        (1.23456789, None, None, "1.235"),
        (1.23456789, 0.0123, None, "1.235 ± 0.012"),
        (123456, 1234, (121037.4, 125874.6), "123500 ± 1200 (95%: 121000 to 125900)"),
        (1.0, None, (0.9, 1.1), "1.000 (95%: 0.900 to 1.100)"),
        (0.000123456, 0.0000123, None, "0.000123 ± 0.000012"),
        (3e-10, 2e-11, None, "3.00e-10 ± 2.0e-11"),
        (-1e-5, 0.1, None, "0.00 ± 0.10"),
        (1.5, 0.0, None, "1.5 ± 0"),
        (0.0, None, None, "0"),
        (math.inf, None, None, "inf"),
        (math.nan, 0.1, None, "nan ± 0.10"),
        (1.5, math.inf, None, "1.5 ± inf"),
        (1.0, None, (0.0, math.inf), "1 (95%: 0 to inf)"),
    ],
)
def test_prints_two_digits_of_the_uncertainty(value, stderr, interval, text):
    assert str(Estimate(value, stderr, interval)) == text


def test_is_a_number_and_frozen():
    estimate = Estimate.normal(2.0, 0.5, 10, "test")
    assert float(estimate) == 2.0 and f"{estimate:.3f}" == "2.000" and f"{estimate}" == str(estimate)
    low, high = estimate.interval
    assert low == pytest.approx(2 - 0.98, abs=1e-3) and high == pytest.approx(2 + 0.98, abs=1e-3)
    with pytest.raises(FrozenInstanceError):
        estimate.value = 3.0


@pytest.mark.parametrize(
    "features",
    [
        [[1, 2], [3, 4], [5, 6]],
        np.array([[1, 2], [3, 4], [5, 6]], dtype=np.uint8),
        np.array([[1, 2], [3, 4], [5, 6]], dtype=">f4"),
        np.array([[5.0, 6.0], [3.0, 4.0], [1.0, 2.0]])[::-1],
        np.broadcast_to(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), (3, 2)),
        torch.tensor([[1, 3, 5], [2, 4, 6]]).T,
        torch.tensor([[1, 2], [3, 4], [5, 6]], dtype=torch.float16),
        torch.tensor([[1, 2], [3, 4], [5, 6]], dtype=torch.bfloat16),
        torch.tensor([[1.0, 2], [3, 4], [5, 6]], requires_grad=True),
    ],
)
def test_samples_of_any_kind_become_the_same_float64(features):
    x = as_samples(features, "x")
    assert x.dtype == torch.float64 and not x.requires_grad
    assert x.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_lists_of_floats_keep_double_precision():
    assert as_samples([[1 + 1e-12]], "x").item() == 1 + 1e-12


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ([[0.0]] * 17 + [[math.nan]], ValueError, "real features: row 17 has NaN"),
        (torch.tensor([[0.0], [-math.inf]]), ValueError, "real features: row 1 has -inf"),
        ([[1.0], [1e30]], ValueError, r"row 1 has 1e\+30"),
        ([1.0, 2.0], ValueError, r"shape \(2,\)"),
        (np.zeros((2, 3, 4)), ValueError, r"shape \(2, 3, 4\)"),
        (np.zeros((0, 3)), ValueError, "at least 1 rows, got 0"),
        (np.zeros((3, 0)), ValueError, "at least one column"),
        ([[1.0, 2.0], [3.0]], ValueError, "rectangular"),
        ([["a"]], TypeError, "real numbers"),
        (None, TypeError, "NoneType"),
        (np.ones((2, 2), dtype=complex), TypeError, "complex128"),
        (torch.ones(2, 2, dtype=torch.complex64), TypeError, "complex64"),
        (torch.eye(2).to_sparse(), TypeError, "sparse"),
    ],
)
def test_bad_samples_are_named(features, error, message):
    with pytest.raises(error, match="real features") as caught:
        as_samples(features, "real features")
    caught.match(message)


def test_pairs_must_be_of_one_extractor():
    with pytest.raises(ValueError, match="3 and 4 columns"):
        as_pair(np.zeros((5, 3)), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="fake features: expected at least 2 rows, got 1"):
        as_pair(np.zeros((5, 3)), np.zeros((1, 3)), least=2)


def test_distributions_are_renormalised_within_their_precision():
    exact = as_distribution([[0.25, 0.75], [1, 0]], "p")
    assert exact.tolist() == [[0.25, 0.75], [1, 0]]
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        logits = torch.randn(50, 10, generator=torch.Generator().manual_seed(0))
        p = as_distribution(logits.softmax(dim=1).to(dtype), "p")
        torch.testing.assert_close(p.sum(dim=1), torch.ones(50).double(), rtol=0, atol=1e-15)
    assert as_distribution([0.4, 0.6 + 5e-7], "p").sum().item() == pytest.approx(1, abs=1e-15)
    assert as_distribution([1.0 + 1e-17, -1e-17], "p").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 0.4], "they sum to 0.9"),
        ([[1, 0], [0.5, 0.4]], "row 1 sums to 0.9"),
        ([0.4, 0.6 + 5e-6], "sum to 1.00001"),
        ([[1, 0], [1.5, -0.5]], "row 1 has the negative probability -0.5"),
        (0.5, r"shape \(\)"),
        ([], r"shape \(0,\)"),
        ([[0.5, math.nan]], "NaN"),
    ],
)
def test_bad_distributions_are_named(p, message):
    with pytest.raises(ValueError, match=message):
        as_distribution(p, "p")
