"""A small network that estimates the six factors from which an image of `datasets.shapes` was drawn."""

import math

import torch
from torch import Tensor, nn

from gancourse.datasets.images import check_images
from gancourse.datasets.shapes import RANGES, SHAPES, SIDE


def _block(i: int, o: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]


class FactorRegressor(nn.Module):
    """uint8 images -> 11 numbers: the shapes' logits, then hue, size, x, y and rotation as `targets` writes them.

    images: uint8 (N, 3, 32, 32) -> (N, 11). Five 3x3 convolutions with batch norm down to 4 x 4 pixels, not averaged
    since averaging would lose x and y; then a layer of 128 ReLU units, which serve as features for an FID.
    """

    name, version, dim = "shapes", "1", 128

    def __init__(self) -> None:
        super().__init__()
        self.config: dict[str, object] = {}
        self.maps = nn.Sequential(
            *_block(3, 32, 1), *_block(32, 32, 2), *_block(32, 64, 1), *_block(64, 64, 2), *_block(64, 64, 2)
        )
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(64 * 16, self.dim), nn.ReLU(inplace=True))
        self.last = nn.Linear(self.dim, len(SHAPES) + 7)
        self.to(memory_format=torch.channels_last)

    def features(self, images: Tensor) -> Tensor:
        """What the last linear layer sees: (N, 128), never negative."""
        if check_images(images).shape[1:] != (3, SIDE, SIDE):
            raise ValueError(f"images: expected shape (N, 3, {SIDE}, {SIDE}), got {tuple(images.shape)}")
        return self.hidden(self.maps(images / 127.5 - 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.features(images))

    @torch.inference_mode()
    def factors(self, images: Tensor) -> dict[str, Tensor]:
        """The most likely shape's index and the other five factors, (N,) each, in the units of `ImageSet.factors`."""
        found = torch.cat([self(batch) for batch in images.split(500)])
        logits, cos_sin, scaled = found[:, :-7], found[:, -7:-3], found[:, -3:]
        hue, rotation = (torch.atan2(cos_sin[:, i + 1], cos_sin[:, i]) % (2 * math.pi) for i in (0, 2))
        read = {"shape": logits.argmax(1), "hue": hue / (2 * math.pi) % 1}
        for i, name in enumerate(_SCALED):
            low, high = RANGES[name]
            read[name] = (low + high) / 2 + scaled[:, i] * (high - low) / 2
        return {**read, "rotation": rotation}


_SCALED = ("size", "x", "y")


def targets(factors: dict[str, Tensor]) -> Tensor:
    """All factors but the shape as numbers that a linear map can give: (N,) each -> (N, 7).

    Hue and rotation are points on a circle, so each is the cosine and the sine of its angle: 0 and 2 pi are the same.
    Size, x and y are scaled so that their usual ranges become [-1, 1].
    """
    hue = 2 * math.pi * factors["hue"]
    columns = [hue.cos(), hue.sin(), factors["rotation"].cos(), factors["rotation"].sin()]
    for name in _SCALED:
        low, high = RANGES[name]
        columns.append((2 * factors[name] - low - high) / (high - low))
    return torch.stack(columns, 1)
