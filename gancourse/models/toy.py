"""Generators and critics in the plane, small enough to train in seconds."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


def minibatch_stddev(h: Tensor) -> Tensor:
    """Append the batch's mean standard deviation as a feature: (N, F) -> (N, F + 1) (Karras et al. 2018, section 3)."""
    std = (h.var(0, correction=0) + 1e-8).sqrt().mean()
    return torch.cat([h, std.expand(len(h), 1)], dim=1)


class _MLP(nn.Module):
    def __init__(self, inputs: int, hidden: int, depth: int, outputs: int, activation: type[nn.Module]):
        super().__init__()
        widths = [inputs] + [hidden] * depth
        self.hidden = nn.Sequential(
            *(part for i, o in itertools.pairwise(widths) for part in (nn.Linear(i, o), activation()))
        )
        self.last = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.hidden(x))


class ToyGenerator(_MLP):
    """z (N, z_dim) -> points (N, 2): an MLP with ReLU."""

    def __init__(self, z_dim: int = 2, hidden: int = 64, depth: int = 3):
        super().__init__(z_dim, hidden, depth, 2, nn.ReLU)
        self.config = {"z_dim": z_dim, "hidden": hidden, "depth": depth}
        self.z_dim = z_dim


class ToyCritic(_MLP):
    """Points (N, 2) -> logits (N,): an MLP with leaky ReLU 0.2.

    `spectral` > 0 divides every weight matrix by its largest singular value (Miyato et al. 2018) and multiplies the
    logits by `spectral`, so the critic's slope is at most that; `stddev` shows the last layer how much the batch
    varies. `hidden` units in each of `depth` layers.
    """

    def __init__(self, hidden: int = 64, depth: int = 3, *, spectral: float = 0.0, stddev: bool = False):
        super().__init__(2, hidden, depth, 1, lambda: nn.LeakyReLU(0.2))  # type: ignore[arg-type]
        self.config = {"hidden": hidden, "depth": depth, "spectral": spectral, "stddev": stddev}
        self.stddev, self.slope = stddev, spectral or 1.0
        if stddev:
            self.last = nn.Linear(hidden + 1, 1)
        if spectral:
            for layer in [*self.hidden, self.last]:
                if isinstance(layer, nn.Linear):
                    spectral_norm(layer)

    def forward(self, x: Tensor) -> Tensor:
        h = self.hidden(x)
        return self.slope * self.last(minibatch_stddev(h) if self.stddev else h).squeeze(1)
