"""Spread, covariance and the normal density as pictures."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from gancourse.figures import FAKE, GREY, PALETTE, REAL, heatmap, new, plot_cloud, plot_ellipse, show


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


def show_mean_and_spread(mean, sigma):
    """Mean and standard deviation of each pixel, (784,) grey levels, as two images."""
    figure, axes = new(1, 2, size=(7, 3.3), title="Garments differ most at the rim of the cloth")
    for ax, values, title in zip(axes, (mean, sigma), ("mean", "standard deviation"), strict=True):
        drawn = ax.imshow(np.reshape(values, (28, 28)), cmap="gray", vmin=0)
        figure.colorbar(drawn, ax=ax, label="grey levels")
        ax.set_title(title)
        ax.set_axis_off()
    row, column = divmod(int(np.argmax(sigma)), 28)
    widest = f"Spread is largest at row {row}, column {column}: {float(max(sigma)):.0f} grey levels."
    show(figure, alt=f"{widest} Corners hardly vary.")


def show_pixel_pairs(collar, others, found):
    """The collar's brightness (n,) against that of each of `others` {name: (n,)}, with the covariances `found`."""
    figure, axes = new(1, 3, size=(8.4, 3.2), sharey=True)
    for ax, (name, other) in zip(axes, others.items(), strict=True):
        ax.scatter(collar[:1500], other[:1500], s=5, alpha=0.3, color=REAL, linewidths=0)
        ax.set(title=f"{name}: {found[name]:+.0f}".replace("-", "−"), xlabel="collar (grey levels)")
    axes[0].set_ylabel("other pixel (grey levels)")
    numbers = ", ".join(f"{name} {round(value, -2):.0f}" for name, value in found.items())
    show(figure, alt=f"Covariance with the collar, in grey levels squared: {numbers}.")


def show_covariance_map(with_collar, places):
    """Covariance (28, 28) of each pixel with the collar, some `places` {name: (row, column)} marked."""
    figure, ax = new(size=(5, 3.9))
    heatmap(ax, with_collar)
    for name, (row, column) in places.items():
        ax.plot(column, row, "k.", ms=4)
        if name != "neighbour":
            ax.annotate(name, (column, row), (0, 5), textcoords="offset points", ha="center", fontsize=9)
    ax.set(title="Covariance with the collar (grey levels²)", xlabel="column (pixels)", ylabel="row (pixels)")
    negative = (with_collar < 0).mean()
    sentence = f"{negative:.0%} of the pixels, at the sides, covary negatively."
    show(figure, alt=f"A bright collar goes with a bright upper body; {sentence}")


def show_density(density, mu, cov):
    """A normal density, points (n, 2) -> (n,), with its 1-, 2- and 3-sigma ellipses."""
    figure, ax = new(size=(5.6, 4.4))
    filled = field(ax, density, reach=7)
    for k in (1, 2, 3):
        plot_ellipse(ax, mu, cov, n_std=k, color=FAKE, fill=0)
    figure.colorbar(filled, ax=ax, label="density (per unit of area)")
    ax.set(title="Ellipses are lines of equal density", xlabel="x", ylabel="y", xlim=(-7, 7), ylim=(-7, 7))
    peak = density(np.asarray(mu)[None])[0]
    show(figure, alt=f"The density is {peak:.2f} at the centre and equal along each of three ellipses.")


def show_stretching(z, x, error):
    """White noise z (n, 2) and what the Cholesky factor makes of it, x (n, 2), quadrant by quadrant."""
    quadrant = 2 * (z[:, 0] > 0) + (z[:, 1] > 0)
    figure, (left, right) = new(1, 2, size=(8, 3.9))
    for q, color in enumerate(("blue", "orange", "green", "purple")):
        plot_cloud(left, z[quadrant == q], color=PALETTE[color], ellipse=False, reach=7)
        plot_cloud(right, x[quadrant == q], color=PALETTE[color], ellipse=False, reach=7)
    left.set(title="White noise $z$", xlabel="$z_1$", ylabel="$z_2$")
    right.set(title="Stretched: $\\mu + Lz$", xlabel="x", ylabel="y")
    show(figure, alt=f"L shears the quadrants. The samples' covariance is within {error:.1f} of Sigma.")
