"""What the two sides of a GAN minimise, and the penalties that keep a critic's slope in bounds.

D(x) is a logit or a score, high for what the critic takes to be real; every function takes (N,) of them and averages.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

KINDS = ("logistic", "wasserstein", "hinge")


def critic_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """The critic's loss, a scalar, from its logits for real (N,) and generated (M,) samples; ValueError for kind.

    "logistic"     E softplus(-D(real)) + E softplus(D(fake)), the first GAN's cross-entropy (Goodfellow et al. 2014)
    "wasserstein"  E D(fake) - E D(real), for a critic whose slope is bounded by other means (Arjovsky et al. 2017)
    "hinge"        E max(0, 1 - D(real)) + E max(0, 1 + D(fake)) (Lim & Ye 2017; Miyato et al. 2018)
    """
    if kind == "logistic":
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    if kind == "wasserstein":
        return fake.mean() - real.mean()
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")


def generator_loss(kind: str, fake: Tensor) -> Tensor:
    """The generator's loss, a scalar, from the critic's logits for its samples, (N,); ValueError for another kind.

    "logistic"              E softplus(-D(fake)), non-saturating: steep if the critic is sure (Goodfellow et al. 2014)
    "wasserstein", "hinge"  -E D(fake)
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    return F.softplus(-fake).mean() if kind == "logistic" else -fake.mean()


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """The mean squared slope of the critic at real samples: a scalar, to be multiplied by gamma / 2.

    critic: samples -> *logits* (N,). real: (N, ...). R1 = E |grad_x D(x)|^2 at `real`, D(x) the logits (Mescheder et
    al. 2018, arXiv:1801.04406, eq. 9). They are summed before the gradient is taken, which gives each sample its own.
    """
    return _gradient(critic, real.detach()).square().sum(1).mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, *, generator: torch.Generator
) -> Tensor:
    """How far the critic's slope between real and fake samples is from 1: a scalar.

    critic: samples -> (N,). real, fake: (N, ...) both. generator: of t (CPU). E[(|grad_x D(x)| - 1)^2] at x = t real +
    (1 - t) fake with one t ~ U(0, 1) per pair; the norm is per sample (Gulrajani et al. 2017, eq. 3).
    """
    t = torch.rand((len(real),) + (1,) * (real.ndim - 1), generator=generator)
    between = torch.lerp(fake.detach(), real, t)
    return (_gradient(critic, between).norm(dim=1) - 1).square().mean()


def _gradient(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """grad_x D(x) of every sample, through which a second gradient can be taken: (N, ...) -> (N, D)."""
    x = x.requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.flatten(1)
