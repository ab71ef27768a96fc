"""Images as they are stored: uint8 tensors of shape (N, C, H, W), with what is known about each."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

Images: TypeAlias = Tensor | np.ndarray  # uint8 (N, C, H, W), C 1 or 3


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with their labels and the names of the classes.

    images: uint8 (N, C, H, W), C 1 or 3.  labels: int64 (N,), or None.  classes: names, indexed by label.
    factors: what a synthetic set was drawn from, name -> (N,) tensor; empty for photographs.
    `images[index]` takes a slice, list, mask or index tensor and returns a smaller ImageSet; TypeError for one int.
    """

    images: Tensor
    labels: Tensor | None = None
    classes: tuple[str, ...] = ()
    factors: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", check_images(self.images))
        columns = {"labels": self.labels, **self.factors}
        for name, column in columns.items():
            if column is not None and len(column) != len(self.images):
                raise ValueError(f"{name}: {len(column)} values for {len(self.images)} images")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> "ImageSet":
        if isinstance(index, int):
            raise TypeError(
                "ImageSet takes a slice, a list, a mask or an index tensor; one image is set.images[i]"
            )
        labels = None if self.labels is None else self.labels[index]
        factors = {name: column[index] for name, column in self.factors.items()}
        return ImageSet(self.images[index], labels, self.classes, factors)

    def __repr__(self) -> str:
        n, *shape = self.images.shape
        return f"ImageSet({n} images of {' x '.join(map(str, shape))}, {len(self.classes)} classes)"


def check_images(images: Images, name: str = "images") -> Tensor:
    """`images` (tensor or array) as a uint8 tensor (N, C, H, W), C 1 or 3; TypeError for type, ValueError for shape."""
    images = torch.from_numpy(images) if isinstance(images, np.ndarray) else images
    if not isinstance(images, Tensor):
        raise TypeError(f"{name}: expected a uint8 tensor (N, C, H, W), got {type(images).__name__}")
    if images.dtype != torch.uint8:
        hint = ": quantise first, gancourse.datasets.quantise(images)" if images.is_floating_point() else ""
        raise TypeError(f"{name}: expected uint8, got {str(images.dtype).removeprefix('torch.')}{hint}")
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"{name}: expected shape (N, 1 or 3, H, W), got {tuple(images.shape)}")
    return images


def quantise(images: Tensor) -> Tensor:
    """Round images from [-1, 1] to uint8, as saving them would: round(127.5 (clamp(x, -1, 1) + 1)).

    Whatever is measured goes through here first. Any float dtype and shape; halves round to even; values outside [-1,
    1] are clamped. NaN is a ValueError, anything but a floating-point tensor a TypeError.
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        got = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise TypeError(f"images: expected a floating point tensor with values in [-1, 1], got {got}")
    if images.isnan().any():
        row = images.isnan().nonzero()[0, 0].item() if images.ndim else 0
        raise ValueError(f"images: row {row} has NaN")
    return images.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
