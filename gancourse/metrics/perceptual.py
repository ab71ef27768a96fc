"""How different two images look to a network: a distance between its feature maps."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gancourse.metrics.arrays import ArrayLike


def perceptual_distance(
    x: Tensor,
    y: Tensor,
    *,
    features: Callable[[Tensor], Sequence[Tensor]],
    weights: Sequence[ArrayLike] | None = None,
) -> Tensor:
    """The distance between images x_n and y_n in a network's feature maps, built as LPIPS is.

    x, y: whatever `features` takes, N images each; features(images) gives a list of maps (N, C_l, H_l, W_l). weights:
    for each layer l C_l numbers >= 0; None is all ones. Returns (N,) in the maps' dtype (float32 for halves); gradients
    pass. ValueError for maps or weights that don't match or an image with NaN maps; TypeError unless they are float.

    d(x, y) = sum_l 1/(H_l W_l) sum_hw | w_l * (a_lhw - b_lhw) |^2,  a, b the maps of layer l with each pixel's channel
    vector scaled to length 1, where it isn't 0, and w_l^2 its weights (Zhang et al. 2018, equation 1). LPIPS's linear
    layers learn w_l^2; all ones is LPIPS's unlearned "baseline", where a layer adds at most 4. The value depends on the
    network: compare ratios, or name it. Of a map with one channel only the sign counts.
    """
    a_maps, b_maps = list(features(x)), list(features(y))
    if not a_maps or len(a_maps) != len(b_maps):
        raise ValueError(
            f"features: expected as many maps for x as for y, got {len(a_maps)} and {len(b_maps)}"
        )
    if weights is not None and len(weights) != len(a_maps):
        raise ValueError(f"weights: expected one vector for each of {len(a_maps)} layers, got {len(weights)}")
    total = torch.zeros(())
    for layer, (a, b) in enumerate(zip(a_maps, b_maps, strict=True)):
        if not all(isinstance(maps, Tensor) and maps.is_floating_point() for maps in (a, b)):
            raise TypeError(f"features: expected floating-point tensors, layer {layer} gave something else")
        if a.ndim != 4 or a.shape != b.shape or 0 in a.shape[1:] or a.shape[0] != a_maps[0].shape[0]:
            raise ValueError(
                f"features: expected maps (N, C, H, W) of one shape for x and y, "
                f"layer {layer} gave {tuple(a.shape)} and {tuple(b.shape)}"
            )
        square = (_unit(a) - _unit(b)).square().mean(dim=(2, 3))  # (N, C)
        if weights is not None:
            weight = torch.as_tensor(weights[layer], dtype=square.dtype, device=a.device)
            if weight.shape != a.shape[1:2] or not (weight >= 0).all():
                raise ValueError(f"weights: layer {layer} needs {a.shape[1]} numbers >= 0")
            square = square * weight
        total = total.to(a.device) + square.sum(dim=1)
    wrong = (~total.isfinite()).nonzero()
    if len(wrong):
        raise ValueError(f"features: image {wrong[0].item()} of x or y has NaN or infinite feature maps")
    return total


def _unit(a: Tensor) -> Tensor:
    """Each pixel's channel vector at length 1, whatever it was; zero vectors stay zero."""
    a = a.to(torch.promote_types(a.dtype, torch.float32))
    length = a.square().sum(dim=1, keepdim=True).sqrt()
    safe = (length > 1e-15) & (length < 1e15)
    if not safe.all():  # squares may be lost: take the largest entry out first
        largest = a.detach().abs().amax(dim=1, keepdim=True)
        a = a / torch.where(largest > 0, largest, 1)
        length = torch.linalg.vector_norm(a, dim=1, keepdim=True).clamp(min=torch.finfo(a.dtype).tiny)
    return a / length
