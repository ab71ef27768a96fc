"""Two distances of the same pairs, two maps of the same garments, and what becomes of an image inside a network."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gancourse import figures


def two_distances(points: Mapping[str, tuple[float, float]], offsets: Mapping[str, tuple]) -> Figure:
    """Draw changes of an image by {name: (distance in pixels, in features)}; `offsets` shifts a label, in points."""
    figure, ax = figures.new(size=(7, 4.4))
    for name, (pixels, features) in points.items():
        other = "class" in name
        ax.plot(pixels, features, "s" if other else "o", ms=8, color=figures.FAKE if other else figures.REAL)
        shift = offsets.get(name, (8, -3))
        side = "right" if shift[0] < 0 else "left"
        ax.annotate(name, (pixels, features), shift, textcoords="offset points", fontsize=9.5, ha=side)
    ax.set(xlabel="distance in pixels (grey levels)", ylabel="distance in features", xlim=(0, None))
    ax.set_ylim(0, None)
    ax.set_title("Two distances, two orders")
    return figure


def two_maps(
    maps: Mapping[str, ArrayLike], labels: ArrayLike, classes: Sequence[str], chosen: Sequence[int]
) -> Figure:
    """Draw tables of vectors (N, D), each on its own two principal axes; the `chosen` classes have colours."""
    figure, axes = figures.new(1, len(maps), size=(8, 3.9))
    markers = "osD^vP"
    for ax, (name, table) in zip(axes, maps.items(), strict=True):
        table = np.asarray(table, float)
        centred = table - table.mean(0)
        flat = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
        ax.plot(*flat.T, ".", color="#CCCCCC", ms=2)
        for kind, color, marker in zip(chosen, figures.PALETTE.values(), markers, strict=False):
            dots = flat[np.asarray(labels) == kind]
            ax.plot(*dots.T, marker, ms=3, color=color, alpha=0.7, label=classes[kind], mew=0)
        ax.set(title=name, xlabel="first principal axis", xticks=[], yticks=[])
    axes[0].set_ylabel("second principal axis")
    axes[0].legend(fontsize=9, markerscale=2, loc="best")
    return figure


def along_the_network(
    names: Sequence[str], sides: Sequence[int], channels: Sequence[int], fields: Sequence[int]
) -> Figure:
    """Draw, block by block, the side of the maps, the number of channels, and how much of 299 pixels a unit sees."""
    figure, axes = figures.new(3, 1, size=(7.5, 5.6), sharex=True)
    places = np.arange(len(names))
    rows = (
        ("side of a map (pixels)", sides, figures.REAL),
        ("channels", channels, figures.PALETTE["green"]),
        ("receptive field (pixels)", fields, figures.FAKE),
    )
    for ax, (label, values, color) in zip(axes, rows, strict=True):
        ax.bar(places, values, color=color, width=0.7)
        ax.set_ylabel(label, fontsize=9)
        for place, value in zip(places, values, strict=True):
            ax.text(place, value, str(value), ha="center", va="bottom", fontsize=8)
        ax.margins(y=0.18)
    axes[2].axhline(299, color="black", linewidth=1, linestyle="--")
    axes[2].text(-0.4, 330, "the whole image", fontsize=9)
    axes[2].set_xticks(places, names, rotation=60, ha="right", fontsize=9)
    axes[0].set_title("Smaller maps, more channels, wider views")
    return figure
