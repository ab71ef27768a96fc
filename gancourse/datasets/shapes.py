"""Drawn shapes whose factors are known exactly, to compare what was drawn with what a metric reports."""

import math
from collections.abc import Callable, Mapping
from functools import cache
from numbers import Real

import torch
from torch import Tensor

from gancourse.datasets.images import ImageSet
from gancourse.seeds import stream

SIDE = 32
RANGES = {  # each drawn uniformly unless `factors` says otherwise
    "hue": (0.0, 1.0),
    "size": (4.0, 6.5),
    "x": (12.0, 20.0),
    "y": (12.0, 20.0),
    "rotation": (0.0, 2 * math.pi),
}
_SATURATION = 0.85
_AT_ONCE = 2048


def shapes(n: int, *, factors: Mapping[str, object] | None = None, seed: int = 0) -> ImageSet:
    """n RGB images, 32 x 32, of one coloured shape on black, drawn from six independent factors.

    shape     index into `SHAPES`: heart, drop, moon, arrow; none is symmetric under rotation
    hue       0 red, 1/3 green, 2/3 blue; taken modulo 1
    size      radius in pixels of the disc that has the shape's area: area = pi size^2
    x, y      its centroid in pixels from the left and the top edge, each in [0, 32]
    rotation  in radians, counter-clockwise as seen; at 0 drop and arrow point up, heart and moon stand upright

    `factors` changes how a factor is drawn: {"hue": 0.3} fixes it, {"size": (2, 4)} draws uniformly from a range,
    {"x": tensor} gives all n values, {"shape": "moon"} fixes the shape (an index is refused), {"shape": {"moon": 3,
    "drop": 1}} weights it (others 0). Changing one leaves the draws of the others. ValueError for anything else.
    The result's `.factors` holds the six (n,) tensors; `.labels` and `.classes` are the shapes.
    Edges are anti-aliased over one pixel by the signed distance to the outline.
    """
    factors = dict(factors or {})
    unknown = factors.keys() - {"shape", *RANGES}
    if unknown or n < 0:
        known = ", ".join(["shape", *RANGES])
        raise ValueError(
            f"factors: {sorted(unknown)} unknown, expected {known}" if unknown else f"n: got {n}"
        )
    uniform = torch.rand(1 + len(RANGES), n, generator=stream(seed), dtype=torch.float32)
    values = {"shape": _pick(uniform[0], factors.get("shape", dict.fromkeys(SHAPES, 1)))}
    for u, (name, usual) in zip(uniform[1:], RANGES.items(), strict=True):
        values[name] = _draw(name, u, factors.get(name, usual))
    values["hue"] %= 1
    values["rotation"] %= 2 * math.pi
    images = torch.empty(n, 3, SIDE, SIDE, dtype=torch.uint8)
    for start in range(0, n, _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        images[rows] = _render({name: column[rows] for name, column in values.items()})
    return ImageSet(images, values["shape"], tuple(SHAPES), values)


def _pick(u: Tensor, spec: object) -> Tensor:
    """Shape indices from uniform numbers: a name, weights by name, or the indices themselves."""
    if isinstance(spec, Tensor):
        index = _given("shape", spec, u).long()
        if len(index) and not 0 <= index.min() <= index.max() < len(SHAPES):
            raise ValueError(f"factors['shape']: expected indices from 0 to {len(SHAPES) - 1}")
        return index
    weights = {spec: 1.0} if isinstance(spec, str) else spec
    if not isinstance(weights, Mapping) or not weights.keys() <= SHAPES.keys():
        raise ValueError(
            f"factors['shape']: expected a name or weights by name among {list(SHAPES)}, got {spec!r}"
        )
    weight = torch.tensor([float(weights.get(name, 0)) for name in SHAPES], dtype=torch.float64)
    if not (weight >= 0).all() or not 0 < weight.sum() < math.inf:
        raise ValueError(f"factors['shape']: expected weights >= 0, not all 0, got {spec!r}")
    # right=True: a draw that falls on a boundary belongs to the next shape, so a weight of 0 is never drawn.
    edges = weight.cumsum(0) / weight.sum()
    return torch.searchsorted(edges, u.double(), right=True)


def _draw(name: str, u: Tensor, spec: object) -> Tensor:
    """Values of a continuous factor from uniform numbers: a constant, a range, or the values themselves."""
    if isinstance(spec, Tensor):
        value = _given(name, spec, u).float()
    elif isinstance(spec, tuple | list) and len(spec) == 2:
        value = spec[0] + (spec[1] - spec[0]) * u
    elif isinstance(spec, Real):
        value = torch.full_like(u, float(spec))
    else:
        raise ValueError(
            f"factors[{name!r}]: expected a number, a (low, high) range or a tensor, got {spec!r}"
        )
    low, high = {"size": (0.5, SIDE), "x": (0, SIDE), "y": (0, SIDE)}.get(name, (-math.inf, math.inf))
    if not ((value >= low) & (value <= high) & value.isfinite()).all():
        raise ValueError(f"factors[{name!r}]: expected finite values from {low} to {high}, got {spec!r}")
    return value


def _given(name: str, values: Tensor, u: Tensor) -> Tensor:
    if values.shape != u.shape:
        raise ValueError(f"factors[{name!r}]: expected {len(u)} values, got shape {tuple(values.shape)}")
    return values.clone()


def _render(f: dict[str, Tensor]) -> Tensor:
    """uint8 (N, 3, H, W): colour times coverage, where coverage falls from 1 to 0 over a pixel at the outline."""
    centres = torch.arange(SIDE) + 0.5
    right = centres[None, None, :] - f["x"][:, None, None]  # (N, 1, W)
    up = f["y"][:, None, None] - centres[None, :, None]  # (N, H, 1)
    cos, sin = f["rotation"].cos()[:, None, None], f["rotation"].sin()[:, None, None]
    coverage = torch.empty(len(right), SIDE, SIDE)
    for index, outline in enumerate(SHAPES.values()):
        rows = f["shape"] == index
        unit, middle = _normal_form(outline)
        scale = f["size"][rows, None, None] * unit  # pixels in one unit of the outline's own coordinates
        px = (cos * right + sin * up)[rows] / scale
        py = (cos * up - sin * right)[rows] / scale + middle
        coverage[rows] = (0.5 - outline(px, py) * scale).clamp(0, 1)
    sector = (6 * f["hue"][:, None] + torch.tensor([0.0, 4.0, 2.0])) % 6  # HSV to RGB
    colour = 1 - _SATURATION + _SATURATION * ((sector - 3).abs() - 1).clamp(0, 1)
    return (255 * colour[:, :, None, None] * coverage[:, None]).round().to(torch.uint8)


# Outlines: signed distance (negative inside) at (x right, y up), symmetric about the vertical axis.


def _heart(x: Tensor, y: Tensor) -> Tensor:
    """A square standing on its corner, with a disc on each upper side."""
    x = x.abs()
    square = torch.maximum((x + y).abs(), (x - y).abs()) / math.sqrt(2) - 1
    disc = torch.hypot(x - math.sqrt(0.5), y - math.sqrt(0.5)) - 1
    return torch.minimum(square, disc)


def _drop(x: Tensor, y: Tensor) -> Tensor:
    """A unit disc and the tangents to it from the point (0, 2)."""
    x = x.abs()
    sin, cos = 0.5, math.sqrt(0.75)  # of the angle between a tangent and the axis
    tangent = torch.maximum(cos * x + sin * (y - 2), sin - y)  # above the points of contact, at y = 1/2
    return torch.minimum(tangent, torch.hypot(x, y) - 1)


def _moon(x: Tensor, y: Tensor) -> Tensor:
    """A disc without another that overlaps it from above."""
    return torch.maximum(torch.hypot(x, y) - 1, 0.75 - torch.hypot(x, y - 0.6))


def _arrow(x: Tensor, y: Tensor) -> Tensor:
    """A triangle on a shaft, which goes on inside it: where two outlines touch, the union would show a seam."""
    x = x.abs()
    head = torch.maximum((x + y - 1) / math.sqrt(2), -y)
    shaft = torch.maximum(x - 0.35, (y + 0.25).abs() - 0.75)
    return torch.minimum(head, shaft)


SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "heart": _heart,
    "drop": _drop,
    "moon": _moon,
    "arrow": _arrow,
}


@cache
def _normal_form(outline: Callable[[Tensor, Tensor], Tensor]) -> tuple[float, float]:
    """The unit in which an outline's area is pi, and the height of its centroid; both by counting fine cells."""
    cells = 1000
    centres = (torch.arange(cells, dtype=torch.float64) + 0.5) * (6 / cells) - 3  # the square [-3, 3]^2
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    inside = outline(x, y) < 0
    return math.sqrt(math.pi / (inside.sum().item() * (6 / cells) ** 2)), y[inside].mean().item()
