"""Perceptual path length: how abruptly images change as their latent moves."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gancourse.metrics.estimate import Estimate
from gancourse.seeds import stream


def perceptual_path_length(
    generator: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    *,
    space: Literal["w", "z"] = "w",
    sampling: Literal["full", "end"] = "full",
    epsilon: float = 1e-4,
    samples: int = 10_000,
    trim: tuple[float, float] = (0.01, 0.99),
    seed: int = 0,
    dim: int | None = None,
    mapping: Callable[[Tensor], Tensor] | None = None,
    batch_size: int = 64,
) -> Estimate:
    """The mean perceptual distance between images a small step apart on a random path, over the step squared.

    generator: latents (N, ...) -> images, float in [-1, 1], *not* quantised; deterministic (fix its noise: the first
        batch is made twice and may differ by at most 1% of a step). With `mapping` it gets the mapping's output;
        without, it gets z itself.
    distance: images, images -> (N,), e.g. `perceptual_distance` with its features bound.
    space: "w" or "z", in which the path lies. sampling: steps from all along it ("full") or from its start ("end").
    epsilon: the step, as a part of the path, between 0 and 1. samples: pairs of images, >= 2, `batch_size` at a time.
    trim: quantiles (low, high), outside which distances are dropped. seed: of the latents and of t.
    mapping: z (N, dim) -> w. None: the identity, unless the generator has `mapping` and `synthesis` of its own, as
        StyleGAN has; these are then used. dim: length of z; None: `z_dim` of mapping or generator.
    ValueError for arguments out of range, a generator that isn't deterministic, or a distance that isn't finite (N,);
    TypeError for images that aren't floating-point tensors.

    PPL_w = E[ d( g(lerp(f(z1), f(z2), t)), g(lerp(f(z1), f(z2), t + epsilon)) ) ] / epsilon^2,
    PPL_z = E[ d( g(f(slerp(z1, z2, t))), g(f(slerp(z1, z2, t + epsilon))) ) ] / epsilon^2,
    d the distance, f the mapping, g the generator behind it, z1, z2 ~ N(0, I), t ~ U(0, 1) for sampling "full", t = 0
    for "end" (Karras et al. 2019, section 4.1; eq. 2 and 3). As d is quadratic in small steps, this is the squared
    speed of the image. Lower is smoother. Compare only values made with one `distance`; published ones use LPIPS on
    VGG16 and cropped faces.

    slerp follows StyleGAN: z are first scaled to length 1 and stay there. A generator that doesn't normalise z needs
    `mapping=lambda z: z * dim**0.5`, to see the lengths it was trained on. Trimming is as in the authors' code; so the
    estimate is a trimmed mean, its standard error that of the winsorised sample, s_w / ((high - low) sqrt(n)) (Tukey
    and McLaughlin 1963). Latents are drawn on the CPU in torch's default dtype, from `seed` alone.
    """
    if space not in ("w", "z") or sampling not in ("full", "end"):
        raise ValueError(f'expected space "w" or "z", sampling "full" or "end", got {space!r}, {sampling!r}')
    whole = isinstance(samples, int | np.integer) and isinstance(batch_size, int | np.integer)
    if not (whole and samples > 1 and batch_size > 0 and 0 < epsilon < 1 and 0 <= trim[0] < trim[1] <= 1):
        raise ValueError(
            f"expected 0 < epsilon < 1, samples >= 2, batch_size >= 1 and 0 <= trim[0] < trim[1] <= 1, "
            f"got {epsilon}, {samples}, {batch_size}, {trim}"
        )
    dim = dim if dim is not None else getattr(mapping, "z_dim", getattr(generator, "z_dim", None))
    if dim is None or dim < 1:
        raise ValueError(
            f"dim: expected the number of z's dimensions (or a z_dim of mapping or generator), got {dim}"
        )
    if mapping is None and hasattr(generator, "mapping") and hasattr(generator, "synthesis"):
        mapping, generator = generator.mapping, generator.synthesis
    mapping = mapping or (lambda z: z)
    random = stream(seed)
    z1, z2 = torch.randn(2, samples, dim, generator=random)
    t = torch.rand(samples, generator=random, dtype=torch.float64) * (sampling == "full")
    t = torch.stack([t, t + epsilon])  # (2, samples)
    speeds = []
    for rows in torch.arange(samples).split(batch_size):
        a, b, ends = z1[rows], z2[rows], t[:, rows]
        with torch.no_grad():
            if space == "z":
                latents = mapping(torch.cat([_unit_slerp(a, b, end) for end in ends]))
            else:
                a, b = mapping(torch.cat([a, b])).split(len(rows))
                latents = torch.cat([_float64_lerp(a, b, end) for end in ends])
            images = generator(latents)  # both ends in one call: noise drawn once a call is shared
            if not (isinstance(images, Tensor) and images.is_floating_point()):
                raise TypeError(
                    f"generator: expected floating-point images, not quantised, got {_kind(images)}"
                )
            step = torch.as_tensor(distance(*images.split(len(rows))))
        if step.shape != rows.shape or not step.isfinite().all():
            raise ValueError(
                f"distance: expected {len(rows)} finite numbers, one a pair of images, got {tuple(step.shape)}, "
                f"{int((~step.isfinite()).sum())} of them not finite"
            )
        if not speeds:
            with torch.no_grad():
                jitter = torch.as_tensor(distance(images, generator(latents))).double().mean()
            if not jitter <= 0.01 * step.double().mean():
                raise ValueError(
                    f"generator: expected the same images for the same latents; called twice, they differ by {jitter:.3g} "
                    f"where a step of epsilon makes {step.double().mean():.3g}. Fix its noise"
                )
        speeds.append(step.double().cpu() / epsilon**2)
    name = f"PPL, {space}, {sampling}, epsilon {epsilon:g}"
    return _trimmed_mean(torch.cat(speeds), trim, name)


def _kind(x: object) -> str:
    return str(x.dtype) if isinstance(x, Tensor) else type(x).__name__


def _float64_lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """a + t (b - a) for t (N,) and a, b (N, ...), in float64 until the end, so that a step of 1e-4 keeps its length."""
    t = t.to(a.device).reshape(-1, *[1] * (a.ndim - 1))
    return torch.lerp(a.double(), b.double(), t).to(a.dtype)


def _unit_slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The unit vectors (N, D) that divide the arc from a's direction to b's as t (N,) does."""
    unit = torch.nn.functional.normalize
    u, v = unit(a.double()), unit(b.double())
    cosine = (u * v).sum(dim=1, keepdim=True)
    tangent = unit(v - cosine * u)
    angle = t[:, None] * torch.atan2((v * tangent).sum(dim=1, keepdim=True), cosine)
    return (u * angle.cos() + tangent * angle.sin()).to(a.dtype)


def _trimmed_mean(x: Tensor, trim: tuple[float, float], name: str) -> Estimate:
    low, high = trim
    n = len(x)
    x = x.sort().values
    first, last = (
        int(low * (n - 1)),
        n - 1 - int((1 - high) * (n - 1)),
    )  # numpy's "lower" and "higher" quantiles
    kept = x[first : last + 1]
    stderr = float(x.clamp(kept[0], kept[-1]).std()) / ((high - low) * n**0.5)
    return Estimate.normal(float(kept.mean()), stderr, n, name)
