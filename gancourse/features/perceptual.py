"""The layers in which a perceptual distance compares two images."""

from typing import Any

import torch
from torch import Tensor


def perceptual(name: str = "fashion") -> dict[str, Any]:
    """The arguments of `perceptual_distance` for a network: `perceptual_distance(x, y, **perceptual("fashion"))`.

    "fashion"  the four ReLU maps of the course's classifier, unweighted; 1 x 28 x 28 or 32 x 32 images.
    "lpips"    LPIPS 0.1 (Zhang et al. 2018): VGG16's maps with the learned weights, as in published path lengths, where
               the `lpips` package is installed; images of 16 x 16 or more, grey repeated. Downloads VGG16 (528 MB).

    Images are uint8 as stored, or floats in [-1, 1] as a generator gives them, unrounded, as rounding would lose a path
    length's small step. Returns {"features": images -> maps, "weights": one vector per layer or None}. ValueError for
    another name; ModuleNotFoundError or FileNotFoundError where LPIPS isn't installed or has no weights.
    """
    if name == "fashion":
        from gancourse.features import extractor_named

        return {"features": extractor_named("fashion").feature_maps, "weights": None}
    if name != "lpips":
        raise ValueError(f'name: expected "fashion" or "lpips", got {name!r}')
    try:
        from lpips import LPIPS
    except ImportError as error:
        raise ModuleNotFoundError(
            f"lpips: not installed here ({error}): `python -m pip install --no-deps lpips`. "
            'perceptual("fashion") needs nothing.'
        ) from None
    try:
        return _layers(LPIPS(net="vgg", verbose=False))
    except OSError as error:
        raise FileNotFoundError(
            f"lpips: VGG16's weights are not in {torch.hub.get_dir()}/checkpoints and can't be downloaded ({error}). "
            'perceptual("fashion") needs nothing.'
        ) from None


def _layers(network: Any) -> dict[str, Any]:
    """The same for a loaded `lpips.LPIPS`, whose maps and weights are asked for one by one."""
    network.requires_grad_(False).eval()

    def features(images: Tensor) -> list[Tensor]:
        signed = images if images.is_floating_point() else images.float() / 127.5 - 1
        return list(network.net(network.scaling_layer(signed.expand(-1, 3, -1, -1))))

    return {"features": features, "weights": [line.model[-1].weight.flatten() for line in network.lins]}
