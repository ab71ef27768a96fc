"""Two spreads and a correlation make a covariance matrix; its ellipse shows all three."""

import numpy as np

from gancourse import figures
from gancourse.demos.control import Demo, Slider
from gancourse.demos.stage import Stage

LARGEST = 2.5


def covariance():
    """Sliders for sigma_x, sigma_y and rho: 400 samples, their 2-sigma ellipse and the covariance matrix.

    The samples are one fixed standard normal draw z pushed through the Cholesky factor of the covariance,
    x = sigma_x z_1 and y = sigma_y (rho z_1 + sqrt(1 - rho^2) z_2), so that they move smoothly. The ellipse
    has semi-axes 2 sqrt(lambda_1), 2 sqrt(lambda_2), and so the area 4 pi sqrt(det).
    """
    noise = np.random.default_rng(2).normal(size=(400, 2))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)

    figure, (left, right) = figures.new(1, 2, size=(8.0, 3.9), width_ratios=[1.15, 1])
    dots = left.scatter(*noise.T, s=7, color=figures.REAL, alpha=0.5, linewidths=0)
    ellipse = figures.plot_ellipse(left, [0, 0], np.eye(2), n_std=2)
    (axis,) = left.plot([], [], color=figures.FAKE, lw=2.2, label="longest axis")
    reach = 3 * LARGEST
    left.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x", ylabel="y")
    left.set_title("Samples and their 2-sigma ellipse")
    left.legend(handles=[axis], loc="upper left", fontsize=8.5)
    table = figures.heatmap(right, np.eye(2), limit=LARGEST**2, names=["x", "y"])
    right.set_title("Covariance matrix")
    cells = [right.text(i % 2, i // 2, "", ha="center", va="center", fontsize=14) for i in range(4)]
    stage = Stage(figure, [dots, ellipse, axis, table, *cells])

    def render(sigma_x, sigma_y, rho):
        root = np.array([[sigma_x, 0], [sigma_y * rho, sigma_y * np.sqrt(1 - rho**2)]])
        cov = root @ root.T
        values, vectors = np.linalg.eigh(cov)
        tip = 2 * np.sqrt(values[1]) * vectors[:, 1]
        dots.set_offsets(noise @ root.T)
        ellipse.set_xy(figures.ellipse_outline([0, 0], cov, n_std=2))
        axis.set_data([-tip[0], tip[0]], [-tip[1], tip[1]])
        table.set_data(cov)
        for cell, value in zip(cells, cov.flat, strict=True):
            cell.set(text=f"{value:.2f}", color="white" if abs(value) > 0.6 * LARGEST**2 else "black")
        return stage.png()

    def describe(sigma_x, sigma_y, rho):
        shared = rho * sigma_x * sigma_y
        det = (1 - rho**2) * sigma_x**2 * sigma_y**2
        return (
            f"Variances {sigma_x**2:.2f} and {sigma_y**2:.2f}, covariance {shared:.2f}, "
            f"determinant {det:.2f}; the 2-sigma ellipse has area {4 * np.pi * np.sqrt(det):.1f}."
        )

    return Demo(
        render,
        [
            Slider("sigma_x", "spread σx", 0.2, LARGEST, 0.1, 1.0),
            Slider("sigma_y", "spread σy", 0.2, LARGEST, 0.1, 1.0),
            Slider("rho", "correlation ρ", -1.0, 1.0, 0.05, 0.5),
        ],
        describe,
        title="What a covariance matrix looks like",
        stills=[
            {},
            {"sigma_x": 2.5, "rho": 0.0},
            {"sigma_x": 2.5, "sigma_y": 1.5, "rho": 0.8},
            {"sigma_x": 2.5, "sigma_y": 1.5, "rho": -0.8},
        ],
    )
