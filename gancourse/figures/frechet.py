"""Clouds of points, what joins them, repeated draws, rows of images: the pictures of the Fréchet distance."""

import numpy as np
from matplotlib.collections import LineCollection

from gancourse.figures.images import draw_images
from gancourse.figures.normals import plot_ellipse
from gancourse.figures.style import FAKE, GREY, new, show


def plot_cloud(ax, points, *, color, label=None, ellipse=True):
    """Draw points (N, 2) and, unless `ellipse` is False, the 2-sigma ellipse of their mean and covariance."""
    points = np.asarray(points)
    ax.scatter(*points.T, s=11, color=color, alpha=0.45, linewidths=0, label=None if ellipse else label)
    if ellipse:
        plot_ellipse(ax, points.mean(axis=0), np.cov(points.T), color=color, label=label, fill=0.06)
    ax.set_aspect("equal", adjustable="box")


def join(ax, starts, ends):
    """Draw a line from each of `starts` (N, 2) to its partner in `ends` (N, 2)."""
    ax.add_collection(LineCollection(np.stack([starts, ends], axis=1), colors=GREY, linewidths=0.7, zorder=1))


def plot_spread(ax, x, draws, *, color=FAKE, label=None, line="o-"):
    """Draw mean and standard deviation of repeated draws (len(x), repeats) against x."""
    draws = np.asarray(draws)
    ax.errorbar(x, draws.mean(axis=1), draws.std(axis=1), fmt=line, color=color, capsize=3, label=label)


def log_sizes(ax, sizes, *, label="images in each set, N"):
    """Give `ax` a logarithmic x axis with plain whole numbers at `sizes`."""
    ax.set(xscale="log", xlabel=label, xticks=sizes, xticklabels=sizes)
    ax.minorticks_off()


def show_rows(rows, *, alt, title, labels=None):
    """Show named rows of uint8 images {name: (n, C, H, W)}, with a short text from `labels` {name: n texts} above each."""
    batches = [np.asarray(batch) for batch in rows.values()]
    count, _, height, _ = batches[0].shape
    strip = 0 if labels is None else int(np.ceil(height / 4))  # as draw_images lays its rows out
    pitch = height + strip + max(1, height // 14)
    left = 0.3 + 0.095 * max(len(line) for name in rows for line in name.split("\n"))  # inches for the names
    tile = min(1.1, (8.0 - left) / count)
    figure, ax = new(size=(left + tile * count, 0.4 + tile * pitch / height * len(batches)))
    texts = labels and [text for name in rows for text in labels[name]]
    draw_images(ax, np.concatenate(batches), labels=texts, columns=count)
    ax.set_anchor("E")
    for i, name in enumerate(rows):
        ax.text(-3, i * pitch + strip + height / 2, name, ha="right", va="center", fontsize=10)
    ax.set_title(title)
    show(figure, alt=alt)
