"""Normal distributions and matrices as pictures."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.image import AxesImage
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike

from gancourse.figures.style import REAL


def ellipse_outline(mean: ArrayLike, cov: ArrayLike, *, n_std: float = 2.0, points: int = 181) -> np.ndarray:
    """Outline {x: (x - mean)' cov^-1 (x - mean) = n_std^2} as an array (points, 2).

    The unit circle u is mapped to mean + n_std * cov^(1/2) u, so a singular covariance gives a line and not
    an error. With `n_std=2` the inside holds 1 - exp(-2) = 86% of a bivariate normal.
    """
    mean, cov = np.asarray(mean, float), np.asarray(cov, float)
    if mean.shape != (2,):
        raise ValueError(f"mean: expected shape (2,), got {mean.shape}")
    if cov.shape != (2, 2) or not np.allclose(cov, cov.T):
        raise ValueError(f"cov: expected a symmetric (2, 2) matrix, got {cov.tolist()}")
    values, vectors = np.linalg.eigh(cov)
    if values[0] < -1e-9 * max(abs(values[1]), 1e-300):
        raise ValueError(f"cov: expected no negative eigenvalue, got {values[0]:.3g}")
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    angle = np.linspace(0, 2 * np.pi, points)
    return mean + n_std * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ root


def plot_ellipse(
    ax: Axes,
    mean: ArrayLike,
    cov: ArrayLike,
    *,
    n_std: float = 2.0,
    color: str = REAL,
    label: str | None = None,
    fill: float = 0.12,
) -> Polygon:
    """Draw the `n_std` ellipse of N(mean, cov) and return its patch (`set_xy(ellipse_outline(...))` moves it)."""
    patch = Polygon(
        ellipse_outline(mean, cov, n_std=n_std),
        closed=True,
        facecolor=to_rgba(color, fill),
        edgecolor=color,
        linewidth=1.8,
        label=label,
    )
    ax.add_patch(patch)
    ax.autoscale_view()
    return patch


def heatmap(
    ax: Axes,
    matrix: ArrayLike,
    *,
    limit: float | None = None,
    values: bool | str = False,
    names: Sequence[str] | None = None,
    bar: bool = True,
) -> AxesImage:
    """Draw a matrix with zero white, positive red, negative blue; returns the image.

    The colours end at +-`limit` (default: the largest finite magnitude). `values=True` writes each entry, a format such
    as ".1f" writes it so; `names` labels rows and columns of a square matrix; `bar` adds the colour scale.
    """
    matrix = np.asarray(matrix, float)
    if matrix.ndim != 2:
        raise ValueError(f"matrix: expected two axes, got shape {matrix.shape}")
    finite = np.abs(matrix[np.isfinite(matrix)])
    limit = limit or (finite.max() if finite.size and finite.max() > 0 else 1.0)
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.grid(False)
    if values:
        spec = values if isinstance(values, str) else ".2g"
        for (row, column), value in np.ndenumerate(matrix):
            ink = "white" if abs(value) > 0.6 * limit else "black"
            ax.text(column, row, format(value, spec), ha="center", va="center", color=ink, fontsize=9)
    if names is not None:
        ax.set_xticks(range(matrix.shape[1]), names)
        ax.set_yticks(range(matrix.shape[0]), names)
    if bar:
        scale = ax.figure.colorbar(image, ax=ax, shrink=0.85)
        scale.outline.set_visible(False)
        scale.ax.tick_params(labelsize=8)
    return image
