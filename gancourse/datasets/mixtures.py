"""Mixtures of normals in the plane with known modes, on which small GANs are tried."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mixture:
    """Equal shares of round normals: centres (K, 2), each with standard deviation `sigma` on both axes."""

    centres: Tensor
    sigma: float

    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        """n points, (n, 2) float32."""
        which = torch.randint(len(self.centres), (n,), generator=generator)
        return self.centres[which] + self.sigma * torch.randn(n, 2, generator=generator)

    def coverage(self, points: Tensor) -> tuple[int, float]:
        """(modes captured, share of high-quality points), for points (n, 2).

        A point is of high quality within 3 sigma of a centre, and a mode is captured if one such point is nearest to it
        (Lin et al. 2018, PacGAN, section 4). A perfect sampler reaches all modes and 1 - exp(-9/2) = 98.9%.
        """
        distance, nearest = torch.cdist(points.double(), self.centres.double()).min(dim=1)
        good = distance <= 3 * self.sigma
        return len(nearest[good].unique()), float(good.double().mean())


def ring(modes: int = 8, radius: float = 2.0, sigma: float = 0.02) -> Mixture:
    """`modes` >= 1 normals evenly spaced on a circle of `radius` around the origin, each with deviation `sigma`."""
    angle = 2 * torch.pi * torch.arange(modes) / modes
    return Mixture(radius * torch.stack([angle.cos(), angle.sin()], dim=1), sigma)


def grid(side: int = 5, spacing: float = 1.0, sigma: float = 0.05) -> Mixture:
    """side x side modes on a square lattice around the origin."""
    places = spacing * (torch.arange(side) - (side - 1) / 2)
    return Mixture(torch.cartesian_prod(places, places), sigma)
