"""Two normals, and what it costs to carry one onto the other."""

import numpy as np
from matplotlib.collections import LineCollection

from gancourse import figures
from gancourse.demos.control import Demo, Slider
from gancourse.demos.stage import Stage
from gancourse.metrics import frechet_distance

POINTS, LINES = 300, 60


def frechet_demo():
    """Sliders move, widen and tilt a fake normal; the squared Fréchet distance to the real one is split in two.

        d^2 = |mu_r - mu_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2))

    The real normal is N(0, I), so the optimal-transport map is T = S_f^(1/2), and a fake point is mu_f + T x for a
    real point x. The real points have mean 0 and covariance I exactly (divided by N): the mean squared length of the
    lines that join the pairs is then d^2 to the last digit, not only on average.
    """
    real = np.random.default_rng(3).normal(size=(POINTS, 2))
    real -= real.mean(axis=0)
    real = real @ np.linalg.inv(np.linalg.cholesky(real.T @ real / POINTS)).T
    zero, unit = np.zeros(2), np.eye(2)

    figure, (left, right) = figures.new(1, 2, size=(7.0, 3.8), width_ratios=[1.6, 1])
    left.scatter(*real.T, s=8, color=figures.REAL, alpha=0.5, linewidths=0)
    figures.plot_ellipse(left, zero, unit, color=figures.REAL, label="real")
    lines = left.add_collection(LineCollection([], colors=figures.GREY, linewidths=0.7, alpha=0.7))
    dots = left.scatter(*real.T, s=8, color=figures.FAKE, alpha=0.5, linewidths=0)
    ellipse = figures.plot_ellipse(left, zero, unit, color=figures.FAKE, label="fake")
    left.set(xlim=(-7, 7), ylim=(-6, 6), aspect="equal", xlabel="feature 1", ylabel="feature 2")
    left.set_title("Each real point and its fake partner")
    left.legend(loc="upper left", fontsize=8.5)
    colors = [figures.PALETTE["amber"], figures.PALETTE["green"], figures.PALETTE["black"]]
    bars = list(right.bar(["means", "covariances", "d²"], [0, 0, 0], width=0.6, color=colors))
    right.set(ylim=(0, 18), ylabel="squared distance (units of σ²)")
    right.set_title("d² is the sum of two parts")
    numbers = [right.text(i, 0, "", ha="center", va="bottom", fontsize=11) for i in range(3)]
    stage = Stage(figure, [lines, dots, ellipse, *bars, *numbers])

    def fake(x, y, wide, high, rho):
        return np.array([x, y]), np.array([[wide**2, rho * wide * high], [rho * wide * high, high**2]])

    def split(**state):
        mean, cov = fake(**state)
        return mean @ mean, frechet_distance(zero, unit, zero, cov)

    def render(**state):
        mean, cov = fake(**state)
        values, vectors = np.linalg.eigh(cov)
        partners = mean + real @ (vectors * np.sqrt(values.clip(0)) @ vectors.T)
        dots.set_offsets(partners)
        lines.set_segments(np.stack([real, partners], axis=1)[:LINES])
        ellipse.set_xy(figures.ellipse_outline(mean, cov))
        means, covariances = split(**state)
        for bar, number, height in zip(bars, numbers, [means, covariances, means + covariances], strict=True):
            bar.set_height(height)
            number.set(text=f"{height:.2f}", y=height + 0.2)
        return stage.png()

    def describe(**state):
        means, covariances = split(**state)
        return (
            f"Squared Fréchet distance {means + covariances:.2f}: "
            f"{means:.2f} between the means and {covariances:.2f} between the covariances."
        )

    return Demo(
        render,
        [
            Slider("x", "mean of feature 1", -2.5, 2.5, 0.1, 0.0, "σ"),
            Slider("y", "mean of feature 2", -2.5, 2.5, 0.1, 0.0, "σ"),
            Slider("wide", "spread of feature 1", 0.0, 2.5, 0.1, 1.0, "σ"),
            Slider("high", "spread of feature 2", 0.0, 2.5, 0.1, 1.0, "σ"),
            Slider("rho", "correlation", -1.0, 1.0, 0.05, 0.0),
        ],
        describe,
        title="Carry one normal onto the other",
        stills=[
            {"x": 2.0, "y": 1.0},
            {"wide": 2.5},
            {"rho": -0.9},
            {"wide": 0.0, "high": 0.0},
        ],
    )
