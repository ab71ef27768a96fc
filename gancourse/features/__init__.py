"""From images to the vectors that metrics compare."""

import functools
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from gancourse.datasets.images import Images, check_images
from gancourse.features.perceptual import perceptual

__all__ = ["embed", "extractor_named", "perceptual"]


def embed(
    images: Images,
    extractor: str | Callable[[Tensor], Tensor] = "fashion",
    *,
    batch_size: int = 256,
    progress: bool | None = None,
) -> Tensor:
    """Each image's feature vector phi(x), as a float32 tensor (N, D).

    images: uint8 (N, C, H, W), N >= 1, tensor or array, quantised as saved images are (else TypeError or ValueError).
    extractor: a name for `extractor_named`, or any callable from such images to (N, D), or an object with such a method
    `.features`; it preprocesses. A module, or the module of that method, runs in eval mode, on its own device,
    without gradients, `batch_size` images at a time; its modes are restored. The result is on the images' device.
    progress: None shows a bar after 3 seconds (never where TQDM_DISABLE is set), True at once, False never.

    ValueError where features aren't (N, D), or for NaN or infinity, naming the row.
    """
    images = check_images(images)
    if len(images) == 0 or batch_size < 1:
        raise ValueError(
            f"expected at least one image and batch_size >= 1, got {len(images)} and {batch_size}"
        )
    if isinstance(extractor, str):
        extractor = extractor_named(extractor)
    name = getattr(extractor, "name", type(extractor).__name__)
    extract: Any = getattr(extractor, "features", extractor)
    owner = extractor if isinstance(extractor, nn.Module) else getattr(extractor, "__self__", None)
    module = owner if isinstance(owner, nn.Module) else nn.Module()
    parameter = next(module.parameters(), images)
    modes = {part: part.training for part in module.modules()}
    # in a notebook tqdm does not look at TQDM_DISABLE itself
    quiet = bool(os.environ.get("TQDM_DISABLE")) if progress is None else not progress
    bar = {"delay": 0 if progress else 3, "disable": quiet}
    module.eval()
    try:
        with tqdm(total=len(images), desc=f"features ({name})", unit="image", **bar) as shown:
            for start in range(0, len(images), batch_size):
                batch = images[start : start + batch_size].to(parameter.device)
                with torch.inference_mode():
                    rows = torch.as_tensor(extract(batch)).float()
                if start == 0:
                    shape = len(images), *rows.shape[1:]
                    features = torch.empty(shape, dtype=torch.float32, device=images.device)
                _check(rows, name, start, (len(batch), *features.shape[1:]))
                features[start : start + batch_size] = rows
                shown.update(len(batch))
    finally:
        for part, training in modes.items():
            part.training = training
    return features


@functools.cache
def extractor_named(name: str) -> nn.Module:
    """The extractor with this name, loaded once; ValueError for another name, FileNotFoundError without weights.

    "fashion" is the course's classifier, trained on Fashion-MNIST. "inception" is torchvision's Inception-v3, which
    is not the network of published FIDs; "inception-fid" is.
    """
    if name == "fashion":
        from gancourse.models import load

        return load("classifier")
    if name in ("inception", "inception-fid"):
        from gancourse.models.inception import FIDInception, InceptionV3Features

        return InceptionV3Features() if name == "inception" else FIDInception()
    raise ValueError(
        f'extractor: expected "fashion", "inception", "inception-fid" or a callable, got {name!r}'
    )


def _check(features: Tensor, name: str, start: int, expected: tuple[int, ...]) -> None:
    if features.ndim != 2 or features.shape != expected:
        raise ValueError(
            f"extractor {name}: expected features (N, D), one row for each of {expected[0]} images, "
            f"got shape {tuple(features.shape)}"
        )
    finite = features.isfinite().all(dim=1)
    if not finite.all():
        row = start + int(finite.logical_not().nonzero()[0])
        raise ValueError(f"extractor {name}: the features of image {row} are not finite")
