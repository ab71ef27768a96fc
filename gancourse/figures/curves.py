"""Measured numbers against what was varied, with their uncertainty."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from gancourse.figures.style import FAKE


def plot_spread(
    ax: Axes, x: ArrayLike, draws: ArrayLike, *, color: str = FAKE, label: str | None = None, line: str = "o-"
) -> None:
    """Draw mean and standard deviation (ddof 0) of repeated draws (len(x), repeats) against x; `line` is a format."""
    draws = np.asarray(draws, float)
    if draws.ndim != 2 or len(draws) != len(np.asarray(x)):
        raise ValueError(f"draws: expected a row for each of the {len(np.asarray(x))} x, got {draws.shape}")
    ax.errorbar(x, draws.mean(axis=1), draws.std(axis=1), fmt=line, color=color, capsize=3, label=label)


def plot_interval(
    ax: Axes,
    x: ArrayLike,
    values: ArrayLike,
    intervals: ArrayLike,
    *,
    color: str = FAKE,
    label: str | None = None,
    line: str = "o-",
) -> None:
    """Draw values (N,) against x with a bar from low to high of each of `intervals` (N, 2)."""
    values, intervals = np.asarray(values, float), np.asarray(intervals, float)
    if intervals.shape != (len(values), 2):
        raise ValueError(f"intervals: expected shape ({len(values)}, 2), got {intervals.shape}")
    if np.any((intervals[:, 0] > values) | (values > intervals[:, 1])):
        raise ValueError("intervals: expected low <= value <= high in every row")
    reach = np.abs(intervals.T - values)  # (2, N): downwards, upwards
    ax.errorbar(x, values, reach, fmt=line, color=color, capsize=3, label=label)


def log_sizes(ax: Axes, sizes: Sequence[int], *, label: str = "images in each set, N") -> None:
    """Give `ax` a logarithmic x axis with plain whole numbers at `sizes`."""
    ax.set(xscale="log", xlabel=label, xticks=sizes, xticklabels=sizes)
    ax.minorticks_off()
