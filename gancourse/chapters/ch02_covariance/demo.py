"""Two spreads and a correlation make a covariance matrix; its ellipse shows all three."""

import numpy as np
from matplotlib.patches import Rectangle

from gancourse import figures
from gancourse.demos.control import Demo, Slider
from gancourse.demos.stage import Stage

LARGEST = 2.5


def covariance_demo():
    """Sliders for sigma_x, sigma_y and rho: 400 samples, their 2-sigma ellipse in its box, and the covariance matrix.

    The samples are one fixed draw z, whitened so that its covariance is exactly the identity, pushed through the
    Cholesky factor: x = sigma_x z_1, y = sigma_y (rho z_1 + sqrt(1 - rho^2) z_2). They move smoothly, and the matrix
    shown is the samples' own. The ellipse has semi-axes 2 sqrt(lambda_1), 2 sqrt(lambda_2), area 4 pi sqrt(det), and
    touches the box |x| <= 2 sigma_x, |y| <= 2 sigma_y for every rho.
    """
    noise = np.random.default_rng(2).normal(size=(400, 2))
    noise -= noise.mean(axis=0)
    noise = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise.T))).T

    figure, (left, right) = figures.new(1, 2, size=(7.0, 3.6), width_ratios=[1.35, 1])
    (dots,) = left.plot(*noise.T, "o", ms=2.6, color=figures.REAL, alpha=0.5, mew=0)  # faster than a scatter
    ellipse = figures.plot_ellipse(left, [0, 0], np.eye(2), n_std=2)
    box = left.add_patch(Rectangle((0, 0), 1, 1, fill=False, ec=figures.GREY, ls="--", lw=1.2))
    axes = [left.plot([], [], color=figures.FAKE, lw=lw)[0] for lw in (2.4, 1.2)]
    reach = 3 * LARGEST
    left.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x", ylabel="y")
    left.set_title("Samples, 2-sigma ellipse and its box", fontsize=11)
    area = left.text(0.03, 0.97, "", transform=left.transAxes, va="top", fontsize=11)
    colours = figures.heatmap(right, np.eye(2), limit=LARGEST**2, names=["x", "y"], bar=False)
    colours.set_visible(False)  # four rectangles in its colours are drawn five times as fast
    table = [right.add_patch(Rectangle((i % 2 - 0.5, i // 2 - 0.5), 1, 1)) for i in range(4)]
    right.set_title("Covariance matrix", fontsize=11)
    cells = [right.text(i % 2, i // 2, "", ha="center", va="center", fontsize=15) for i in range(4)]
    stage = Stage(figure, [box, dots, ellipse, *axes, area, *table, *cells])

    def render(sigma_x, sigma_y, rho):
        root = np.array([[sigma_x, 0], [sigma_y * rho, sigma_y * np.sqrt(1 - rho**2)]])
        cov = root @ root.T
        dots.set_data(*(noise @ root.T).T)
        ellipse.set_xy(figures.ellipse_outline([0, 0], cov, n_std=2))
        box.set_bounds(-2 * sigma_x, -2 * sigma_y, 4 * sigma_x, 4 * sigma_y)
        values, vectors = np.linalg.eigh(cov)
        for line, value, vector in zip(axes, values[::-1], vectors.T[::-1], strict=True):
            tip = 2 * np.sqrt(max(value, 0)) * vector
            line.set_data([-tip[0], tip[0]], [-tip[1], tip[1]])
        area.set_text(f"ellipse area {_area(sigma_x, sigma_y, rho):.1f}")
        for cell, square, value in zip(cells, table, cov.flat, strict=True):
            square.set_facecolor(colours.to_rgba(value))
            ink = "white" if abs(value) > 0.6 * LARGEST**2 else "black"
            cell.set(text=f"{value:.2f}".replace("-", "−"), color=ink)
        return stage.png()

    def describe(sigma_x, sigma_y, rho):
        return (
            f"Variances {sigma_x**2:.2f} and {sigma_y**2:.2f}, covariance {rho * sigma_x * sigma_y:.2f}, "
            f"determinant {(1 - rho**2) * sigma_x**2 * sigma_y**2:.2f}; "
            f"the 2-sigma ellipse has area {_area(sigma_x, sigma_y, rho):.1f}."
        )

    return Demo(
        render,
        [
            Slider("sigma_x", "spread σx", 0.2, LARGEST, 0.1, 2.0),
            Slider("sigma_y", "spread σy", 0.2, LARGEST, 0.1, 1.0),
            Slider("rho", "correlation ρ", -1.0, 1.0, 0.05, 0.5),
        ],
        describe,
        title="Three numbers make a covariance matrix",
        stills=[{"rho": 0.0}, {}, {"rho": 0.95}, {"sigma_y": 2.0, "rho": -0.5}],
    )


def _area(sigma_x, sigma_y, rho):
    """Area 4 pi sqrt(det) of the 2-sigma ellipse; det = sigma_x^2 sigma_y^2 (1 - rho^2)."""
    return 4 * np.pi * sigma_x * sigma_y * np.sqrt(1 - rho**2)
