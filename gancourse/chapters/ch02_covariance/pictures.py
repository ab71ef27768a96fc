"""Spread, covariance and the normal density as pictures."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from gancourse.figures import FAKE, GREY, PALETTE, REAL, new


def labelled_formula(parts, *, size=24, gap=8, width=8.0):
    """A formula with its parts named below: `parts` are (mathtext, label) pairs, label "" for none; returns the figure.

    Each named part has its own colour; labels hang on lines at two heights in turn and may have several lines.
    """
    outlines = [TextPath((0, 0), text, size=size).get_extents() for text, _ in parts]
    height = max(outline.y1 for outline in outlines) - min(outline.y0 for outline in outlines)
    figure, ax = new(size=(width, (height + 118) / 72), layout="none")
    ax.set_position([0, 0, 1, 1])
    ax.set_axis_off()
    total = sum(outline.width for outline in outlines) + gap * (len(parts) - 1)
    ax.set(
        xlim=(0, width * 72),
        ylim=(min(outline.y0 for outline in outlines) - 108, max(o.y1 for o in outlines) + 10),
    )
    colours = iter(np.tile([REAL, FAKE, PALETTE["green"], "#8A4F7D"], 4))
    x, bottom, named = (width * 72 - total) / 2, min(outline.y0 for outline in outlines), 0
    for (text, label), outline in zip(parts, outlines, strict=True):
        colour = next(colours) if label else "black"
        ax.text(x - outline.x0, 0, text, fontsize=size, color=colour)
        if label:
            middle, drop = x + outline.width / 2, 22 + 44 * (named % 2)
            ax.plot([x, x + outline.width], [bottom - 6] * 2, color=colour, lw=2)
            ax.plot([middle] * 2, [bottom - 6, bottom - drop + 2], color=colour, lw=1)
            ax.text(middle, bottom - drop, label, ha="center", va="top", color=colour, fontsize=10.5)
            named += 1
        x += outline.width + gap
    return figure


def product_rectangles(ax, x, y):
    """Points (n,), (n,) and the rectangle each spans with the mean: blue where the product counts +, orange where -."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    centre_x, centre_y = x.mean(), y.mean()
    for i in range(len(x)):
        width, height = x[i] - centre_x, y[i] - centre_y
        colour = REAL if width * height >= 0 else FAKE
        ax.add_patch(Rectangle((centre_x, centre_y), width, height, color=colour, alpha=0.16, lw=0))
        ax.plot(x[i], y[i], "o", color=colour, ms=5)
    ax.axvline(centre_x, color=GREY, lw=1, ls="--")
    ax.axhline(centre_y, color=GREY, lw=1, ls="--")


def principal_axes(ax, mean, cov, *, n_std=2.0, color=FAKE):
    """Arrows from the mean along the eigenvectors of a (2, 2) cov, `n_std` sqrt(eigenvalue) long, longest first."""
    values, vectors = np.linalg.eigh(np.asarray(cov, float))
    for value, vector in zip(values[::-1], vectors.T[::-1], strict=True):
        step = n_std * np.sqrt(max(value, 0)) * vector * (1 if vector[0] >= 0 else -1)
        ax.annotate(
            "",
            xy=np.add(mean, step),
            xytext=mean,
            arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2.2, "shrinkA": 0, "shrinkB": 0},
        )


def field(ax, function, *, reach, levels=12, points=161):
    """A function of points (n, 2) -> (n,) as filled contours over the square from -reach to reach; returns them."""
    line = np.linspace(-reach, reach, points)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    values = np.asarray(function(grid.reshape(-1, 2))).reshape(points, points)
    filled = ax.contourf(line, line, values, levels=levels, cmap="Blues")
    ax.set_aspect("equal")
    ax.grid(False)
    return filled


def spectrum(ax, eigenvalues, *, label=None, color=REAL, marker="o"):
    """Eigenvalues in falling order, each as its share of their sum, on a log scale."""
    values = np.sort(np.asarray(eigenvalues, float))[::-1]
    ax.semilogy(
        np.arange(1, len(values) + 1), values / values.sum(), marker, ms=3.5, color=color, label=label
    )
    ax.set(xlabel="principal axis, largest first", ylabel="share of the total variance")
