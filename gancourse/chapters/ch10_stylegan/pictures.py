"""The generator as a diagram, the normalisations as cubes, and garments in another garment's statistics."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from torch import Tensor

from gancourse.datasets import quantise
from gancourse.figures import FAKE, GREY, PALETTE, REAL, new, plot_interval
from gancourse.metrics import PrecisionRecall

LENT = "#E8E8E8"


def generator_diagram() -> Figure:
    """The first StyleGAN from z to image: the reader's parts in colour, what the course lends in grey."""
    figure, ax = new(size=(8, 5.4), layout="none")
    ax.set_position([0, 0, 1, 1])
    ax.set(xlim=(0, 80), ylim=(0, 54))
    ax.set_axis_off()
    own, style, noise = "#CFE3F1", "#FBDCC8", "#CDEBE1"

    _box(ax, 4, 46, 13, 5, "latent z", LENT)
    _box(ax, 4, 38, 13, 5, "PixelNorm", own)
    _box(ax, 4, 16, 13, 19, "MappingNetwork\n\n8 layers,\nleaky ReLU", own)
    _box(ax, 4, 7, 13, 5, "w", LENT)
    for start, end in ((46, 43), (38, 35), (16, 12)):
        _arrow(ax, (10.5, start), (10.5, end))

    ax.plot([17, 25, 25], [9.5, 9.5, 44.5], color=FAKE, lw=1.6)
    heights: dict[str, float] = {"constant 4 x 4 x C": 48, "noise, bias, leaky ReLU": 41.5, "AdaIN 0": 35}
    heights |= {"convolution": 28.5, "noise, bias, leaky ReLU ": 22, "AdaIN 1": 15.5}
    for name, y in heights.items():
        colour = style if "AdaIN" in name else LENT if "con" in name else noise
        _box(ax, 34, y, 22, 4.5, name.strip(), colour)
    for high, low in ((48, 46), (41.5, 39.5), (35, 33), (28.5, 26.5), (22, 20), (15.5, 13)):
        _arrow(ax, (45, high), (45, low))
    for y in (37.2, 17.7):
        _arrow(ax, (25, y), (34, y), FAKE)
        ax.text(29.5, y + 0.8, "style", ha="center", fontsize=9, color=FAKE)
    for y in (43.7, 24.2):
        _arrow(ax, (64, y), (56, y), PALETTE["green"])
        ax.text(65, y, "noise map", va="center", fontsize=9.5, color="#00735A")
    _box(ax, 34, 8, 22, 5, "8 x 8, 16 x 16, 32 x 32:\nupsample, then the same", LENT)
    _arrow(ax, (45, 8), (45, 5.5))
    _box(ax, 34, 1, 22, 4.5, "toRGB (lent), fade_in", own)
    ax.text(58, 3.2, "image", va="center", fontsize=10)
    ax.text(58, 37.2, "sets mean and spread\nof every map", va="center", fontsize=9)
    ax.text(58, 30.7, "grey: lent by the course\ncolour: you write it", va="center", fontsize=9, color=GREY)
    ax.text(4, 5.6, "style_mix: which w\ngoes to which layer", va="top", fontsize=9, color=FAKE)
    return figure


def _box(ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str) -> None:
    ax.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor=GREY, lw=1))
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=9.5)


def _arrow(ax: Axes, start: tuple, end: tuple, colour: str = GREY) -> None:
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=colour, lw=1.4))


# Which cells share a mean and a spread: image n, channel c and pixel p from 0 to 3.
NORMS: dict[str, Callable[[int, int, int], bool]] = {
    "batch": lambda n, c, p: c == 0,
    "layer": lambda n, c, p: n == 3,
    "instance": lambda n, c, p: n == 3 and c == 0,
    "group": lambda n, c, p: n == 3 and c < 2,
    "pixel": lambda n, c, p: n == 3 and p == 0,
}


def norm_cubes() -> Figure:
    """One cube for each norm, of 4 images by 4 channels by 4 pixels; cells that are normalised together in colour."""
    figure, axes = new(1, len(NORMS), size=(8, 2.5), layout="none")
    for i, (ax, (name, together)) in enumerate(zip(axes, NORMS.items(), strict=True)):
        ax.set_position([0.2 * i, 0.0, 0.195, 0.86])
        ax.set(xlim=(-1.3, 7.0), ylim=(-1.4, 7.2), aspect="equal")
        ax.set_axis_off()
        for c in reversed(range(4)):  # what is nearer is drawn later
            for n in range(4):
                for p in reversed(range(4)):
                    _cell(ax, n, c, 3 - p, REAL if together(n, c, p) else "#F4F4F4")
        ax.set_title(f"{name} norm" + (" (AdaIN)" if name == "instance" else ""), fontsize=9.5)
        ax.text(2, -0.25, "images N", ha="center", va="top", fontsize=8.5)
        ax.text(-0.3, 2, "pixels HW", ha="right", va="center", rotation=90, fontsize=8.5)
        ax.text(5.6, 0.45, "channels C", ha="center", va="center", rotation=42, fontsize=8.5)
    return figure


def _cell(ax: Axes, x: float, depth: float, y: float, colour: str) -> None:
    """The front, the top and the right face of a unit cube."""
    x, y, s = x + 0.55 * depth, y + 0.5 * depth, np.array([0.55, 0.5])
    corner = np.array([x, y])
    right, up = np.array([1, 0]), np.array([0, 1])
    for a, b, start in ((right, up, corner), (right, s, corner + up), (s, up, corner + right)):
        face = [start, start + a, start + a + b, start + b]
        ax.add_patch(Polygon(face, facecolor=colour, edgecolor=GREY, lw=0.5))


def reading_bars(found: Mapping[str, Sequence[float]], *, n: int) -> Figure:
    """What a linear map reads off z and off w: three shares of variance, and a share of `n` that is right."""
    figure, ax = new(size=(6.6, 3.1), title="A linear map reads more off w than off z")
    for i, (name, colour) in enumerate((("z", GREY), ("w", FAKE))):
        right = found[name][3]
        ax.bar(np.arange(4) + 0.4 * i - 0.2, found[name], 0.38, color=colour, label=f"from {name}")
        error = 1.96 * np.sqrt(right * (1 - right) / n)
        ax.errorbar(3 + 0.4 * i - 0.2, right, error, color="black", capsize=3)
    labels = ("brightness", "rows\ntouched", "columns\ntouched", "kind\n(share right)")
    ax.set(xticks=range(4), xticklabels=labels, ylabel="share explained, or right", ylim=(0, 1.05))
    ax.legend(loc="upper right", fontsize=9)
    return figure


def noise_bars(spreads: Sequence[float]) -> Figure:
    """How much the image varies when the noise of one layer is drawn anew."""
    figure, ax = new(size=(6.6, 3), title="Noise changes little, most of it in the first layer of 32 pixels")
    ax.bar(range(len(spreads)), spreads, color=PALETTE["green"])
    names = [f"{i}\n{4 * 2 ** (i // 2)} px" for i in range(len(spreads))]
    ax.set(xticks=range(len(spreads)), xticklabels=names, xlabel="layer whose noise is drawn anew")
    ax.set_ylabel("spread of a pixel (range: 2)")
    return figure


def crossover_curves(shares: Sequence[Sequence[float]], *, n: int) -> Figure:
    """Shares of `n` mixed pictures that show the kind of w1's garment and that of w2's, by crossover."""
    figure, ax = new(size=(6.6, 3.3), title="The first half of the layers decides what it is")
    for share, colour, name in zip(np.array(shares), (REAL, FAKE), ("w_1", "w_2"), strict=True):
        half = 1.96 * np.sqrt(share * (1 - share) / n)
        between = np.stack([share - half, share + half], axis=1)
        plot_interval(ax, range(len(share)), share, between, color=colour, label=f"kind of ${name}$")
    ax.set(xlabel="crossover: this many layers get $w_1$", ylabel=f"share of {n} pictures")
    ax.legend(fontsize=9)
    return figure


def trade_curves(turned: Mapping[tuple[str, float], PrecisionRecall]) -> Figure:
    """Precision against recall for factors of psi and of spread, {(name, factor): result}."""
    figure, ax = new(size=(5.8, 3.7), title="Less costs recall, more costs precision")
    for name, colour, line in (("psi", REAL, "o-"), ("spread", FAKE, "s--")):
        points = sorted(
            ((factor, result) for (how, factor), result in turned.items() if how == name),
            key=lambda point: point[0],
        )
        places = [(result.recall, result.precision) for _, result in points]
        ax.plot(*zip(*places, strict=True), line, color=colour, label=name)
        for (factor, _), place in zip(points, places, strict=True):
            below = name == "spread"
            ax.annotate(
                f"{factor:g}",
                place,
                (-14, -14) if below else (6, 6),
                textcoords="offset points",
                color=colour,
            )
    ax.set(xlabel="recall", ylabel="precision")
    ax.margins(0.15)
    ax.legend(fontsize=9)
    return figure


@torch.enable_grad()
def restyled(images: Tensor, style: Tensor, network, *, steps: int = 40) -> Tensor:
    """Garments (N, 1, 28, 28) redrawn so that their feature maps have the means and spreads of those of `style`.

    The maps of the classifier's first two blocks get the statistics of the style's (1, 1, 28, 28), as AdaIN would give
    them; then gradient steps on the pixels look for the image whose maps these are (Huang and Belongie 2017 train a
    decoder for that). uint8 in and out.
    """
    start = images / 127.5 - 1
    with torch.no_grad():
        wanted = []
        for content, other in zip(
            network.feature_maps(start)[:2], network.feature_maps(style / 127.5 - 1)[:2], strict=True
        ):
            (mean, spread), (new_mean, new_spread) = _statistics(content), _statistics(other)
            wanted.append((content - mean) / spread * new_spread + new_mean)
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=0.05)
    for _ in range(steps):
        found = network.feature_maps(pixels)[:2]
        misses = [
            ((f - w).square().mean((0, 2, 3)) / (w.var((0, 2, 3)) + 1e-3)).mean()
            for f, w in zip(found, wanted, strict=True)
        ]
        optimizer.zero_grad()
        sum(misses).backward()
        optimizer.step()
        pixels.data.clamp_(-1, 1)
    return quantise(pixels.detach())


def _statistics(maps: Tensor) -> tuple[Tensor, Tensor]:
    spread = (maps.var((2, 3), correction=0, keepdim=True) + 1e-8).sqrt()
    return maps.mean((2, 3), keepdim=True), spread


def entanglement_bars(card: Mapping[str, str]) -> Figure:
    """The rows on entanglement of a model's card: what is read off z and w, and what moves beside a factor."""
    rows = {
        "read off by a linear map\n(R²; shape: share right)": "factors read off {} by a linear map: accuracy, R^2",
        "change of the other factors\nover the factor's own": "along a factor's direction in {}, the others' mean "
        "change over its own",
    }
    figure, axes = new(1, 2, size=(7, 3.4), title="w is less entangled, not disentangled")
    for ax, (ylabel, row) in zip(axes, rows.items(), strict=True):
        for i, (space, colour) in enumerate((("z", GREY), ("w", FAKE))):
            found = re.findall(r"(\w+) (-?[\d.]+) ± ([\d.]+)", card[row.format(space)])
            names, values, spreads = zip(*found, strict=True)
            place = np.arange(len(names)) + 0.4 * i - 0.2
            heights, errors = np.array(values, float), np.array(spreads, float)
            ax.bar(place, heights, 0.38, yerr=errors, color=colour, capsize=2, label=f"in {space}")
        ax.set_xticks(range(len(names)), names, rotation=40)
        ax.set_ylabel(ylabel)
    axes[1].axhline(1, color=GREY, linestyle="--", linewidth=1)
    axes[1].legend(fontsize=9)
    return figure
