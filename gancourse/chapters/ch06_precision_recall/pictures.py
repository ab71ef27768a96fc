"""Balls around points, the map of generators, and what one outlier does."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import ArrayLike

from gancourse import figures
from gancourse.figures import FAKE, GREY, PALETTE, REAL
from gancourse.metrics import PRDCurve

CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 49)), np.sin(np.linspace(0, 2 * np.pi, 49))], axis=1)
NAMES = {"precision": "share of fakes in the real balls", "recall": "share of reals in the fake balls"}


def draw_balls(ax: Axes, centres: ArrayLike, radii: ArrayLike, *, color: str) -> PolyCollection:
    """Draw discs with centres (N, 2) and radii (N,): pale, so that their union is seen as one area."""
    balls = PolyCollection(outlines(centres, radii), facecolors=color, edgecolors="none", alpha=0.16)
    ax.add_collection(balls)
    return balls


def outlines(centres: ArrayLike, radii: ArrayLike) -> np.ndarray:
    """The discs' edges as polygons (N, 49, 2)."""
    return np.asarray(centres)[:, None] + np.asarray(radii)[:, None, None] * CIRCLE


def draw_inside(ax: Axes, points: ArrayLike, inside: ArrayLike, *, color: str, name: str) -> None:
    """Draw points (N, 2): dots where they are `inside` (N,), crosses where not."""
    points, inside = np.asarray(points), np.asarray(inside, bool)
    ax.plot(*points[inside].T, "o", color=color, markersize=5, mew=0, label=f"{name}, inside")
    ax.plot(*points[~inside].T, "x", color=color, markersize=6, mew=1.6, label=f"{name}, outside")


def draw_map(ax: Axes, scores: Mapping[str, Mapping], shift: Mapping[str, tuple[float, float]]) -> None:
    """Draw each generator's `scores` {name: report} at (recall, precision), with 95% bars, named beside its point.

    A name stands to the upper right of its point, or `shift` {name: (x, y)} points away from it, with a line to it.
    Real garments, the StyleGANs and all others have a colour each.
    """
    for name, score in scores.items():
        recall, precision = score["recall"], score["precision"]
        color = (
            REAL if name == "other garments" else PALETTE["green"] if name.startswith("StyleGAN") else FAKE
        )
        bars = [
            np.abs(np.array(e.interval)[:, None] - e.value) for e in (recall, precision)
        ]  # (2, 1): below, above
        ax.errorbar(
            recall.value,
            precision.value,
            xerr=bars[0],
            yerr=bars[1],
            fmt="o",
            color=color,
            capsize=2,
            elinewidth=1,
        )
        ax.annotate(
            name,
            (recall.value, precision.value),
            shift.get(name, (7, 6)),
            textcoords="offset points",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": GREY} if name in shift else None,
        )
    ax.set(xlim=(-0.03, 1.03), ylim=(0.25, 1), xlabel="recall: diversity", ylabel="precision: fidelity")


def draw_curves(ax: Axes, curves: Mapping[str, PRDCurve]) -> None:
    """Draw PRD curves {name: curve} in the unit square, recall to the right."""
    for (name, curve), color in zip(curves.items(), PALETTE.values(), strict=False):
        ax.plot(curve.recall, curve.precision, color=color, label=name)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal", xlabel="recall", ylabel="precision")
    ax.legend(fontsize=9, loc="lower left")


def two_manifolds(real, fake, real_radii, fake_radii, inside, alt: str) -> None:
    """Two panels: fakes against the balls of the reals, reals against the balls of the fakes.

    real (N, 2), fake (M, 2), radii (N,) and (M,), inside: the masks (M,) of fakes and (N,) of reals.
    """
    figure, axes = figures.new(1, 2, size=(8, 3.4), sharex=True, sharey=True)
    rows = (
        ("precision", real, real_radii, REAL, fake, FAKE, "fake"),
        ("recall", fake, fake_radii, FAKE, real, REAL, "real"),
    )
    for ax, mask, (name, centres, radii, ground, points, color, kind) in zip(axes, inside, rows, strict=True):
        draw_balls(ax, centres, radii, color=ground)
        ax.plot(*np.asarray(centres).T, ".", color=GREY, markersize=3)
        draw_inside(ax, points, mask, color=color, name=kind)
        share = float(np.asarray(mask, float).mean())
        ax.set_title(f"{name} {share:.2f}: {NAMES[name]}", fontsize=10.5)
        ax.set(aspect="equal", xlabel="feature 1")
        ax.legend(fontsize=9, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False)
    axes[0].set_ylabel("feature 2")
    figures.show(figure, alt=alt)
