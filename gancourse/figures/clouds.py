"""Clouds of points in the plane."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from gancourse.figures.normals import plot_ellipse
from gancourse.figures.style import REAL


def plot_cloud(
    ax: Axes,
    points: ArrayLike,
    *,
    color: str = REAL,
    label: str | None = None,
    mean: ArrayLike | None = None,
    cov: ArrayLike | None = None,
    ellipse: bool = True,
    size: float = 8,
    reach: float | None = None,
) -> None:
    """Draw points (N, 2) and the 2-sigma ellipse of `mean` (2,) and `cov` (2, 2), by default the points' own (N >= 2).

    `ellipse=False` leaves the ellipse out. `size` is a point's area in square points; with `reach` both axes go from
    -reach to reach. Both axes have one scale. ValueError for another shape.
    """
    points = np.asarray(points, float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points: expected shape (N, 2), got {points.shape}")
    ax.scatter(*points.T, s=size, color=color, alpha=0.45, linewidths=0, label=None if ellipse else label)
    if ellipse:
        mean = points.mean(axis=0) if mean is None else mean
        cov = np.cov(points.T) if cov is None else cov
        plot_ellipse(ax, mean, cov, color=color, label=label, fill=0.08)
    if reach:
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    ax.set_aspect("equal")
