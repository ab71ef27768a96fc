"""Ways to damage images by a known amount.

All take uint8 (N, C, H, W), tensor or array, and return a uint8 tensor of the same shape; strength 0 gives a copy.
ValueError for strength < 0, infinite or (shares) > 1. With one seed a stronger damage contains the weaker one.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gancourse.datasets.images import Images, check_images
from gancourse.seeds import stream

_VALUES_AT_ONCE = 2**22  # 16 MiB of float32, whatever the size of the images


def noise(images: Images, strength: float, *, seed: int = 0) -> Tensor:
    """Add Gaussian noise: x + 255 strength e, e ~ N(0, 1) for each pixel and channel, clipped to 0..255.

    strength: standard deviation of the noise, where 1 is the whole range from black to white.
    """
    generator = stream(seed)

    def add(x: Tensor) -> Tensor:
        return x + 255 * strength * torch.randn(x.shape, generator=generator).to(x.device)

    return _damaged(images, strength, math.inf, add)


def blur(images: Images, strength: float, *, seed: int = 0) -> Tensor:
    """Convolve with a Gaussian, k(d) ~ exp(-d^2 / (2 sigma^2)); outside the image its edge pixels are repeated.

    strength: sigma in pixels; the kernel ends at 4 sigma. Nothing is random: `seed` only keeps the signatures alike.
    """
    radius = math.ceil(4 * min(strength, 1e3)) if strength > 0 else 0
    distance = torch.arange(-radius, radius + 1, device=getattr(images, "device", None))
    kernel = torch.softmax(-(distance**2) / (2 * max(strength, 1e-9) ** 2), dim=0)

    def along(size: int) -> Tensor:
        """The convolution as a (size, size) matrix; what falls outside is added to the edge."""
        source = (torch.arange(size, device=kernel.device)[:, None] + distance).clamp(0, size - 1)
        return kernel.new_zeros(size, size).scatter_add_(1, source, kernel.expand(size, -1))

    return _damaged(images, strength, math.inf, lambda x: along(x.shape[2]) @ x @ along(x.shape[3]).T)


def occlusion(images: Images, strength: float, *, seed: int = 0) -> Tensor:
    """Lay one black rectangle with the image's proportions over each image, at a random place inside it.

    strength: the share of the area that it covers, exactly: pixels on its border are covered in part.
    """
    generator = stream(seed)
    side = math.sqrt(max(strength, 0))

    def covered(start: Tensor, size: int) -> Tensor:
        """How much of each of `size` pixels lies in [start, start + side], all in units of the image's side."""
        left = torch.arange(size, device=start.device) / size
        overlap = torch.minimum(left + 1 / size, start + side) - torch.maximum(left, start)
        return overlap.clamp(min=0) * size

    def cover(x: Tensor) -> Tensor:
        # The place is relative to the room left over, so that a larger rectangle contains a smaller one.
        top, left = (torch.rand(len(x), 2, 1, generator=generator).to(x.device) * (1 - side)).unbind(1)
        rows, columns = covered(top, x.shape[2]), covered(left, x.shape[3])
        return x * (1 - rows[:, None, :, None] * columns[:, None, None, :])

    return _damaged(images, strength, 1, cover)


def swirl(images: Images, strength: float, *, seed: int = 0) -> Tensor:
    """Turn each image about its centre, most in the middle: by strength (1 - r/R)^2 at distance r < R.

    strength: the angle at the centre in radians. R is half the shorter side; beyond it nothing moves.
    Pixels are resampled bilinearly. Nothing is random: `seed` is there for uniformity.
    """

    def turn(x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        axes = [torch.arange(size, device=x.device) - (size - 1) / 2 for size in (height, width)]
        dy, dx = torch.meshgrid(*axes, indexing="ij")
        angle = strength * (1 - torch.hypot(dx, dy) / (min(height, width) / 2)).clamp(min=0) ** 2
        source_x = torch.cos(angle) * dx - torch.sin(angle) * dy
        source_y = torch.sin(angle) * dx + torch.cos(angle) * dy
        grid = torch.stack([2 * source_x / width, 2 * source_y / height], dim=-1)  # (H, W, 2) in [-1, 1]
        return F.grid_sample(x, grid.expand(len(x), -1, -1, -1), padding_mode="border", align_corners=False)

    return _damaged(images, strength, math.inf, turn)


def salt_and_pepper(images: Images, strength: float, *, seed: int = 0) -> Tensor:
    """Set a share of the pixels to black or white, half each, in all channels alike.

    strength: the expected share of pixels that are set.
    """
    generator = stream(seed)

    def sprinkle(x: Tensor) -> Tensor:
        u = torch.rand(len(x), 1, *x.shape[2:], generator=generator).to(x.device)
        return x.masked_fill(u < strength / 2, 0).masked_fill(u > 1 - strength / 2, 255)

    return _damaged(images, strength, 1, sprinkle)


def contaminate(images: Images, others: Images, share: float, *, seed: int = 0) -> Tensor:
    """Replace round(share N) of the images, at random places, by different ones of `others`.

    share: 0 to 1. others: uint8 (M, C, H, W) of another class or set; ValueError if they are fewer than needed (repeats
    would lower the diversity, too) or of another shape.
    """
    images, others = check_images(images), check_images(others, "others")
    _check_strength(share, 1, "share")
    if images.shape[1:] != others.shape[1:]:
        raise ValueError(
            f"others: expected images of shape {tuple(images.shape[1:])}, got {tuple(others.shape[1:])}"
        )
    count = round(share * len(images))
    if count > len(others):
        raise ValueError(f"others: {count} images are needed for a share of {share}, got {len(others)}")
    generator = stream(seed)
    places = torch.randperm(len(images), generator=generator)[:count].to(images.device)
    chosen = torch.randperm(len(others), generator=generator)[:count].to(others.device)
    result = images.clone()
    result[places] = others[chosen].to(images.device)
    return result


def _damaged(images: Images, strength: float, most: float, damage: Callable[[Tensor], Tensor]) -> Tensor:
    """`damage` of float batches in 0..255, rounded to uint8; a copy where strength is 0."""
    images = check_images(images)
    _check_strength(strength, most)
    if strength == 0 or images.numel() == 0:
        return images.clone()
    batches = images.split(max(1, _VALUES_AT_ONCE // images[0].numel()))
    return torch.cat([damage(x.float()).clamp(0, 255).round().to(torch.uint8) for x in batches])


def _check_strength(strength: float, most: float, name: str = "strength") -> None:
    if not 0 <= strength <= most or math.isinf(strength):
        raise ValueError(f"{name}: expected a finite number from 0 to {most}, got {strength}")
