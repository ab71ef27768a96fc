"""Latents: sampling, truncation, and interpolation between two of them."""

import math
from collections.abc import Sequence
from numbers import Real

import numpy as np
import torch
from torch import Tensor


def sample(n: int, dim: int, *, generator: torch.Generator) -> Tensor:
    """`n` standard normal latents, (n, dim) float32, on generator's device; TypeError, ValueError for bad arguments."""
    _require_generator(generator)
    if n < 0 or dim < 1:
        raise ValueError(f"expected n >= 0 and dim >= 1, got n={n} and dim={dim}")
    return torch.randn(n, dim, generator=generator, device=generator.device, dtype=torch.float32)


def truncated_normal(shape: int | Sequence[int], threshold: float, *, generator: torch.Generator) -> Tensor:
    """Standard normals, redrawn until all lie within +-threshold (BigGAN's truncation trick, Brock et al. 2019).

    Returns float32 of `shape`, on the generator's device. ValueError unless threshold > 0 (a plain number; inf for no
    truncation), TypeError unless generator is a torch.Generator.

    Drawing again until |z| <= t, the threshold, leaves the normal density on [-t, t], rescaled. Inverting its
    distribution function gives the same distribution in one draw, however small t is:
    z = sqrt(2) erfinv(u erf(t / sqrt 2)) with u uniform on (-1, 1). Clipping would pile the tails up at +-t instead.
    """
    _require_generator(generator)
    if not isinstance(threshold, Real) or not threshold > 0:
        raise ValueError(f"threshold: expected a number above 0, got {threshold!r}")
    threshold = min(float(threshold), 9.0)  # the normal's mass beyond 9 is 2e-19, below float64's resolution
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    u = 2 * torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64) - 1
    z = math.sqrt(2) * torch.erfinv(u * math.erf(threshold / math.sqrt(2)))
    return z.clamp(-threshold, threshold).float()


def truncate(w: Tensor, w_avg: Tensor, psi: float, cutoff: int | None = None) -> Tensor:
    """Pull intermediate latents towards their mean: StyleGAN's truncation trick.

    w: (N, D), or (N, L, D) with one latent per layer, of which the first `cutoff` are truncated (None: all). w_avg:
    (D,). psi = 1 changes nothing, psi = 0 gives w_avg, psi < 0 goes to the other side of it. Returns w's shape.
    ValueError for other shapes, a cutoff with (N, D), NaN, or psi not finite.

    w' = w_avg + psi (w - w_avg) (Karras et al. 2019, appendix B). For sampling, never for training.
    """
    w, w_avg = torch.as_tensor(w), torch.as_tensor(w_avg)
    if w.ndim not in (2, 3) or w_avg.shape != w.shape[-1:]:
        raise ValueError(
            f"expected w of shape (N, D) or (N, L, D) and w_avg of (D,), got {tuple(w.shape)} and {tuple(w_avg.shape)}"
        )
    if not math.isfinite(psi):
        raise ValueError(f"psi: expected a finite number, got {psi!r}")
    w = w if w.is_floating_point() else w.to(torch.get_default_dtype())
    _require_finite(w=w, w_avg=w_avg)
    truncated = torch.lerp(w_avg.to(w).expand_as(w), w, psi)
    if cutoff is None:
        return truncated
    if w.ndim != 3 or not 0 <= cutoff <= w.shape[1]:
        raise ValueError(
            f"cutoff: expected 0 to L layers of a w of shape (N, L, D), got {cutoff} for {tuple(w.shape)}"
        )
    return torch.cat([truncated[:, :cutoff], w[:, cutoff:]], dim=1)


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """Linear interpolation from a to b; exactly a at t = 0 and b at t = 1.

    a, b: (..., D); t: a number or a tensor that broadcasts against their leading axes. One pair (D,) with t (T,) gives
    the path (T, D); (N, D) with (N,) a point on each path; t outside [0, 1] extrapolates. ValueError for shapes, NaN.
    The formula is (1 - t) a + t b.
    """
    a, b, t = _aligned(a, b, t)
    return torch.lerp(a, b, t.to(a.dtype))


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """Spherical interpolation: the direction turns on the great circle at constant speed, the length changes linearly.

    Shapes and errors as for `lerp`; opposite vectors need D >= 2 (with D = 1 the result is about 0). Computed in
    float64, returned in the inputs' dtype.

        direction = cos(t omega) e + sin(t omega) f,    length = (1 - t) |a| + t |b|

    with e the direction of a, omega the angle between a and b, and f the unit vector along the part of b orthogonal to
    e. This is Shoemake's (1985) sin((1-t) omega)/sin(omega) e + sin(t omega)/sin(omega) b/|b|, without its division by
    0: for parallel vectors f doesn't matter; for opposite ones all great circles are equally short, and f is made from
    the axis most orthogonal to a. A zero vector has no direction and takes the other's. Applied to a and b themselves,
    Shoemake's formula bends the path when their lengths differ. Normal latents all have about the length sqrt(D), which
    slerp keeps and lerp does not (it dips to sqrt(D/2) halfway).
    """
    a, b, t = _aligned(a, b, t)
    dtype, a, b = a.dtype, a.double(), b.double()
    length_a, length_b = _norm(a), _norm(b)
    e, g = _direction(a, length_a), _direction(b, length_b)
    e, g = torch.where(length_a > 0, e, g), torch.where(length_b > 0, g, e)
    omega = 2 * torch.atan2(
        _norm(e - g), _norm(e + g)
    )  # exact near 0 and pi, where acos(e.g) has lost half the digits
    axis = torch.zeros_like(e).scatter_(-1, e.abs().argmin(dim=-1, keepdim=True), 1.0)
    beyond = g - e * (e * g).sum(dim=-1, keepdim=True)
    beyond = torch.where(_norm(beyond) > 1e-12, beyond, axis - e * (e * axis).sum(dim=-1, keepdim=True))
    f = _direction(beyond, _norm(beyond))
    direction = torch.cos(t * omega) * e + torch.sin(t * omega) * f
    return (torch.lerp(length_a, length_b, t) * direction).to(dtype)


def _aligned(a: Tensor, b: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Finite a and b of one floating dtype, t with an axis more, or an error that says which does not fit."""
    a, b, t = torch.as_tensor(a), torch.as_tensor(b), torch.as_tensor(t, dtype=torch.float64)
    dtype = torch.promote_types(a.dtype, b.dtype)
    dtype = dtype if dtype.is_floating_point else torch.get_default_dtype()
    if a.is_complex() or b.is_complex():
        raise TypeError(f"a and b: expected real numbers, got {a.dtype} and {b.dtype}")
    if a.ndim < 1 or b.ndim < 1 or a.shape[-1] != b.shape[-1] or not a.shape[-1]:
        raise ValueError(
            f"a and b: expected shapes (..., D) of one D, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    try:
        np.broadcast_shapes(a.shape[:-1], b.shape[:-1], t.shape)  # torch's imports sympy
    except ValueError as error:
        raise ValueError(
            f"t of shape {tuple(t.shape)} doesn't broadcast with the leading axes of a {tuple(a.shape)} "
            f"and b {tuple(b.shape)}"
        ) from error
    _require_finite(a=a, b=b, t=t)
    return a.to(dtype), b.to(a.device, dtype), t[..., None].to(a.device)


def _require_finite(**named: Tensor) -> None:
    for name, x in named.items():
        if not torch.isfinite(x).all():
            raise ValueError(f"{name}: has NaN or infinite entries")


def _norm(x: Tensor) -> Tensor:
    """Length along the last axis, whatever its order of magnitude: the largest entry is taken out before squaring."""
    largest = x.detach().abs().amax(dim=-1, keepdim=True)
    largest = torch.where(largest > 0, largest, 1.0)
    return largest * torch.linalg.vector_norm(x / largest, dim=-1, keepdim=True)


def _direction(x: Tensor, length: Tensor) -> Tensor:
    return x / torch.where(length > 0, length, 1.0)


def _require_generator(generator: torch.Generator) -> None:
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator: expected a torch.Generator, got {type(generator).__name__}")
