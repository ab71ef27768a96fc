"""Entropy and divergences between probability vectors, in nats (natural logarithms)."""

import math

import numpy as np
import torch
from torch import Tensor

from gancourse.metrics.arrays import ArrayLike, as_distribution


def entropy(p: ArrayLike) -> float | Tensor:
    """The mean surprise of one draw from `p`: 0 where the outcome is certain, log K where all K are equally likely.

    p: (..., K), last axis sums to 1 and is renormalised. Returns a float for one distribution, a float64 tensor (...)
    for a batch, in nats, as all of this module; divide by log 2 for bits. ValueError if a row isn't a distribution.
    H(p) = -sum_k p_k log p_k, with 0 log 0 = 0 (Shannon 1948).
    """
    p = as_distribution(p, "p")
    return _result(torch.special.entr(p).sum(dim=-1).clamp(min=0))


def cross_entropy(p: ArrayLike, q: ArrayLike) -> float | Tensor:
    """The mean surprise of draws from `p` for someone who believes in `q`.

    Shapes and errors as `kl_divergence`. H(p, q) = -sum_k p_k log q_k = H(p) + KL(p || q); infinite where q = 0 < p.
    """
    p, q = _pair(p, q)
    return _result((-torch.xlogy(p, q)).sum(dim=-1).clamp(min=0))


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float | Tensor:
    """The extra surprise that believing in `q` costs when `p` is true.

    p, q: (..., K); leading axes broadcast, so one q can be compared with a batch of p. Returns a float for one pair, a
    float64 tensor for a batch. ValueError where a row isn't a distribution, K or the leading axes don't fit.

    KL(p || q) = sum_k p_k log(p_k / q_k) >= 0; zero only for p = q, infinite where q = 0 < p, not symmetric: the
    arguments' order matters (Kullback and Leibler 1951). Computed as sum_k [q - p + p log(p / q)], which is the same,
    as both sum to 1, but adds no negative terms: close distributions keep their digits and rounding can't make it < 0.
    """
    p, q = _pair(p, q)
    return _result(_gap(p, q).sum(dim=-1))


def js_divergence(p: ArrayLike, q: ArrayLike) -> float | Tensor:
    """The mean KL divergence of `p` and of `q` from their even mixture m = (p + q) / 2.

    Shapes and errors as `kl_divergence`. JS(p, q) = (KL(p || m) + KL(q || m)) / 2: symmetric, always finite, between 0
    and log 2 (Lin 1991); its square root is a distance, which scipy's `jensenshannon` returns. With the best
    discriminator, the first GAN's generator minimises 2 JS - log 4 (Goodfellow et al. 2014, theorem 1).
    """
    p, q = _pair(p, q)
    total = p + q  # not halved: half of the smallest float is 0
    return _result(((_gap(2 * p, total) + _gap(2 * q, total)).sum(dim=-1) / 4).clamp(max=math.log(2)))


def _gap(a: Tensor, b: Tensor) -> Tensor:
    """b - a + a log(a / b) >= 0, elementwise, without overflow and without losing the digits of a small b - a."""
    x = (b - a) / a
    near = a * (x - torch.log1p(x))
    far = (b - a) + (torch.xlogy(a, a) - torch.xlogy(a, b))
    return torch.where(x.abs() < 0.5, near, far).clamp(min=0)


def _pair(p: ArrayLike, q: ArrayLike) -> tuple[Tensor, Tensor]:
    p, q = as_distribution(p, "p"), as_distribution(q, "q")
    q = q.to(p.device)
    if p.shape[-1] != q.shape[-1]:
        raise ValueError(f"p and q: expected as many outcomes in both, got {p.shape[-1]} and {q.shape[-1]}")
    try:
        np.broadcast_shapes(p.shape[:-1], q.shape[:-1])  # torch's imports sympy
    except ValueError:
        shapes = f"{tuple(p.shape)} and {tuple(q.shape)}"
        raise ValueError(f"p and q: their batches don't fit each other, shapes {shapes}") from None
    return p, q


def _result(x: Tensor) -> float | Tensor:
    return x.item() if x.ndim == 0 else x
