"""What a classifier answers, what a divergence is made of, and where sets of images lie by their scores."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gancourse import figures


def answers(
    images: ArrayLike, probabilities: ArrayLike, titles: Sequence[str], classes: Sequence[str]
) -> Figure:
    """Draw uint8 images (n, 1, H, W) above the bars of their class probabilities (n, K)."""
    count = len(titles)
    figure, axes = figures.new(2, count, size=(8, 3.5), height_ratios=[1, 1.35])
    for column, (image, row, title) in enumerate(zip(images, probabilities, titles, strict=True)):
        above, below = axes[:, column]
        above.imshow(np.asarray(image)[0], cmap="gray", vmin=0, vmax=255)
        above.set_axis_off()
        above.set_title(title, fontsize=9.5)
        below.barh(range(len(classes)), np.asarray(row), color=figures.FAKE)
        below.set(xlim=(0, 1), xticks=[0, 0.5, 1], yticks=range(len(classes)))
        below.set_yticklabels(classes if column == 0 else [], fontsize=8)
        below.invert_yaxis()
        below.set_xlabel("p(y|x)")
    return figure


def kl_terms(p: ArrayLike, q: ArrayLike, names: Sequence[str]) -> Figure:
    """Draw what KL(p || q) = sum p log(p / q) is made of: p and q, the log ratio, and the terms that are added."""
    p, q = np.asarray(p, float), np.asarray(q, float)
    ratio, places = np.log(p / q), np.arange(len(names))
    figure, axes = figures.new(
        3, 1, size=(7, 5), sharex=True, title="The divergence is a sum of terms of both signs"
    )
    axes[0].bar(places - 0.2, p, 0.4, color=figures.REAL, label="p")
    axes[0].bar(places + 0.2, q, 0.4, color=figures.FAKE, label="q")
    axes[0].legend(fontsize=9)
    axes[0].set_ylabel("probability")
    for ax, values, text in zip(axes[1:], (ratio, p * ratio), ("log (p / q)", "p log (p / q)"), strict=True):
        colors = np.where(values < 0, figures.PALETTE["purple"], figures.PALETTE["green"])
        ax.bar(places, values, 0.6, color=colors)
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_ylabel(text)
    axes[2].set_xticks(places, names)
    axes[2].set_title(f"they add up to {(p * ratio).sum():.2f}", fontsize=10, loc="right")
    return figure


def best_fits(x: ArrayLike, target: ArrayLike, fits: Mapping[str, ArrayLike]) -> Figure:
    """Draw a target density (n,) and beside each other the densities that were fitted to it by name."""
    figure, axes = figures.new(1, len(fits), size=(8, 2.9), sharey=True)
    for ax, (name, density) in zip(axes, fits.items(), strict=True):
        ax.fill_between(x, target, color=figures.REAL, alpha=0.3, linewidth=0, label="target p")
        ax.plot(x, density, color=figures.FAKE, linewidth=2, label="best q")
        ax.set(xlabel="x", title=name, xlim=(-9, 9))
    axes[0].set_ylabel("density")
    axes[0].legend(fontsize=9, loc="upper left")
    return figure


def score_map(sets: Mapping[str, tuple[float, float]], classes: int) -> Figure:
    """Draw sets of images by their mean H(y|x) and their H(y), with the lines on which the Inception Score is equal."""
    figure, ax = figures.new(size=(7, 4.6))
    low, high = np.array([0, np.log(classes)])
    for score in (1, 2, 3, 5, 8, classes):
        ax.plot([low, high], [np.log(score), high + np.log(score)], color=figures.GREY, linewidth=0.8)
        x = 0.02 if score > 1 else 1.1
        ax.text(x, x + np.log(score) + 0.03, f"IS = {score}", rotation=25, fontsize=8.5, color=figures.GREY)
    ax.fill_between([low, high], [low, high], 0, color="#EEEEEE", linewidth=0)
    ax.text(1.05, 0.35, "impossible", color=figures.GREY, fontsize=9)
    for name, (unsure, varied) in sets.items():
        ax.plot(unsure, varied, "o", color=figures.REAL if "real" in name else figures.FAKE, markersize=8)
        ax.annotate(name, (unsure, varied), (7, -11), textcoords="offset points", fontsize=9)
    ax.set(xlim=(-0.03, 1.5), ylim=(0, high + 0.3))
    ax.set_xlabel("mean H(y|x) of an image: unsure (nats)")
    ax.set_ylabel("H(y) of the set: varied (nats)")
    ax.set_title("Left: surer answers. Up: more labels. Both raise the score.")
    return figure


def scores_and_distances(points: Mapping[str, tuple[float, float]], offsets: Mapping[str, tuple]) -> Figure:
    """Draw sets of images by Inception Score and FID, each {name: (score, FID)}; `offsets` shifts a label, in points."""
    figure, ax = figures.new(size=(7, 4.3))
    for name, (score, distance) in points.items():
        real = "real" in name
        ax.plot(score, distance, "o", color=figures.REAL if real else figures.FAKE, markersize=8)
        shift = offsets.get(name, (8, -3))
        side = "right" if shift[0] < 0 else "left"
        ax.annotate(name, (score, distance), shift, textcoords="offset points", fontsize=9, ha=side)
    ax.set(
        xlabel="Inception Score (higher is better)",
        ylabel="FID (lower is better)",
        xlim=(1, 10.6),
        ylim=(-2, None),
    )
    ax.set_title("Damage worsens both. Copies and made-up noise worsen FID only.")
    return figure
