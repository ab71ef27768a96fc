"""Latents: distributions by Kolmogorov-Smirnov, interpolation by geometry."""

import math

import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse.latents import lerp, sample, slerp, truncate, truncated_normal


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_sample_is_standard_normal_and_repeats_with_its_seed():
    z = sample(2000, 10, generator=generator())
    assert z.shape == (2000, 10) and z.dtype == torch.float32
    assert scipy.stats.kstest(z.flatten(), "norm").pvalue > 0.01
    assert torch.equal(z, sample(2000, 10, generator=generator()))


@pytest.mark.parametrize("threshold", [0.01, 0.5, 1.0, 2.0, 8.0])
def test_truncated_normal_has_the_resampled_distribution(threshold):
    z = truncated_normal((100, 200), threshold, generator=generator(1))
    assert z.shape == (100, 200) and z.dtype == torch.float32 and z.abs().max() <= threshold * (1 + 1e-7)
    law = scipy.stats.truncnorm(-threshold, threshold)
    assert scipy.stats.kstest(z.flatten().double(), law.cdf).pvalue > 0.01


def test_truncated_normal_agrees_with_drawing_again():
    z = sample(40000, 1, generator=generator(2)).flatten()
    resampled = z[z.abs() <= 0.7]
    assert scipy.stats.ks_2samp(truncated_normal(20000, 0.7, generator=generator(3)), resampled).pvalue > 0.01
    clipped = z.clamp(-0.7, 0.7)
    assert scipy.stats.ks_2samp(clipped, resampled).pvalue < 1e-6


def test_truncated_normal_at_its_limits():
    tiny = truncated_normal(1000, 1e-30, generator=generator())
    assert 0 < tiny.abs().max() <= 1e-30 * (1 + 1e-7)
    free = truncated_normal(20000, math.inf, generator=generator())
    assert scipy.stats.kstest(free, "norm").pvalue > 0.01
    for bad in (0, -1, math.nan):
        with pytest.raises(ValueError, match="threshold"):
            truncated_normal(3, bad, generator=generator())
    with pytest.raises(TypeError, match="generator"):
        truncated_normal(3, 1.0, generator=0)


def test_truncate_scales_the_distance_to_the_mean():
    w, w_avg = torch.randn(5, 8, generator=generator()), torch.randn(8, generator=generator(1))
    assert torch.equal(truncate(w, w_avg, 1.0), w)
    assert torch.equal(truncate(w, w_avg, 0.0), w_avg.expand(5, 8))
    torch.testing.assert_close(truncate(w, w_avg, -0.7), w_avg - 0.7 * (w - w_avg))


def test_truncate_touches_only_the_first_layers():
    w, w_avg = torch.randn(5, 6, 8, generator=generator()), torch.randn(8, generator=generator(1))
    cut = truncate(w, w_avg, 0.5, cutoff=2)
    torch.testing.assert_close(cut[:, :2], (w[:, :2] + w_avg) / 2)
    assert torch.equal(cut[:, 2:], w[:, 2:])
    assert torch.equal(truncate(w, w_avg, 0.5, cutoff=6), truncate(w, w_avg, 0.5))
    assert torch.equal(truncate(w, w_avg, 0.5, cutoff=0), w)


def test_truncate_names_what_is_wrong():
    w, w_avg = torch.zeros(2, 8), torch.zeros(8)
    with pytest.raises(ValueError, match="w_avg"):
        truncate(w, torch.zeros(7), 0.5)
    with pytest.raises(ValueError, match="cutoff"):
        truncate(w, w_avg, 0.5, cutoff=1)
    with pytest.raises(ValueError, match="cutoff"):
        truncate(w[:, None], w_avg, 0.5, cutoff=2)
    with pytest.raises(ValueError, match="psi"):
        truncate(w, w_avg, math.nan)


@pytest.mark.parametrize("between", [lerp, slerp])
def test_paths_start_and_end_where_they_should_and_broadcast(between):
    a, b = torch.randn(2, 7, 16, generator=generator()).double()
    t = torch.rand(7, generator=generator(1)).double()
    torch.testing.assert_close(between(a, b, 0.0), a)
    torch.testing.assert_close(between(a, b, 1.0), b)
    torch.testing.assert_close(
        between(a, b, t), torch.stack([between(*row) for row in zip(a, b, t, strict=True)])
    )
    assert between(a[0], b[0], t).shape == (7, 16)
    assert between(a, b, t[:5, None]).shape == (5, 7, 16)
    assert between(a[0], b, 0.3).shape == (7, 16)
    assert between(a.float(), b.float(), t).dtype == torch.float32
    torch.testing.assert_close(between([1, 0], [0, 1], 1.0), torch.tensor([0.0, 1.0]))
    with pytest.raises(ValueError, match="one D"):
        between(a, b[:, :3], 0.5)
    with pytest.raises(ValueError, match="t of shape"):
        between(a, b, t[:3])
    with pytest.raises(ValueError, match="b: has NaN"):
        between(a, b * math.nan, 0.5)


def test_lerp_is_straight():
    torch.testing.assert_close(
        lerp(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 4.0]), 0.25), torch.tensor([1.5, 1.0])
    )


def test_slerp_is_shoemakes_on_unit_vectors():
    a, b = torch.nn.functional.normalize(torch.randn(2, 9, 5, generator=generator()).double(), dim=-1)
    omega = torch.acos((a * b).sum(-1, keepdim=True))
    expected = (torch.sin(0.7 * omega) * a + torch.sin(0.3 * omega) * b) / torch.sin(omega)
    torch.testing.assert_close(slerp(a, b, 0.3), expected)


def test_slerp_turns_evenly_and_keeps_lengths():
    a, b = torch.tensor([2.0, 0.0, 0.0]).double(), torch.tensor([0.0, 6.0, 0.0]).double()
    path = slerp(a, b, torch.linspace(0, 1, 7).double())
    torch.testing.assert_close(path.norm(dim=1), torch.linspace(2, 6, 7).double())
    angles = torch.atan2(path[:, 1], path[:, 0])
    torch.testing.assert_close(angles, torch.linspace(0, math.pi / 2, 7).double())


def test_slerp_doesnt_care_where_the_axes_are():
    a, b = torch.randn(2, 6, generator=generator()).double()
    turn = torch.linalg.qr(torch.randn(6, 6, generator=generator(1)).double()).Q
    torch.testing.assert_close(slerp(a @ turn, b @ turn, 0.4), slerp(a, b, 0.4) @ turn)
    torch.testing.assert_close(slerp(a, b, 0.4), slerp(b, a, 0.6))


@pytest.mark.parametrize("nudge", [0.0, 1e-15, 1e-12, 1e-8, 1e-4])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_slerp_of_nearly_parallel_and_nearly_opposite_vectors(sign, nudge):
    a = torch.tensor([1.0, 2.0, 2.0]).double()
    b = 2 * sign * a + nudge * torch.tensor([2.0, -2.0, 1.0]).double()
    path = slerp(a, b, torch.linspace(0, 1, 9).double())
    torch.testing.assert_close(path[[0, -1]], torch.stack([a, b]), rtol=0, atol=1e-11)
    torch.testing.assert_close(path.norm(dim=1), torch.linspace(3, b.norm().item(), 9).double())
    steps = torch.nn.functional.cosine_similarity(path[1:], path[:-1])
    expected = 1.0 if sign > 0 else math.cos(math.pi / 8)
    torch.testing.assert_close(steps, torch.full_like(steps, expected), rtol=0, atol=1e-4)


def test_slerp_from_nowhere_takes_the_others_direction():
    b, zero = torch.tensor([3.0, 4.0]), torch.zeros(2)
    torch.testing.assert_close(slerp(zero, b, 0.5), b / 2)
    torch.testing.assert_close(slerp(b, zero, 0.5), b / 2)
    assert torch.equal(slerp(zero, zero, 0.5), zero)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 3), min_size=2, max_size=2), st.floats(0, 1))
def test_slerp_is_finite_and_of_the_promised_length(pair, t):
    a, b = torch.tensor(pair, dtype=torch.float64)
    a, b = (torch.where(x.abs() < 1e-100, 0.0, x) for x in (a, b))
    torch.testing.assert_close(
        slerp(a, b, t).norm(), (1 - t) * a.norm() + t * b.norm(), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_slerp_at_every_scale(scale):
    a, b = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(slerp(scale * a, scale * b, 0.3) / scale, slerp(a, b, 0.3))


def test_truncation_of_whole_numbers_and_of_what_is_no_number():
    assert truncate([[1, 3]], [0, 1], 0.5).tolist() == [[0.5, 2.0]]
    with pytest.raises(ValueError, match="w: has NaN"):
        truncate(torch.tensor([[float("nan")]]), torch.zeros(1), 0.5)
    with pytest.raises(TypeError, match="expected real numbers"):
        lerp(torch.ones(2, dtype=torch.complex64), torch.ones(2), 0.5)


def test_a_threshold_that_is_no_number_is_named():
    with pytest.raises(ValueError, match=r"threshold: expected a number above 0, got '2'"):
        truncated_normal(3, "2", generator=torch.Generator())
