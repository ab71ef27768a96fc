"""Points, their balls, and four numbers that count who lies in whose."""

import numpy as np

from gancourse import figures
from gancourse.chapters.ch06_precision_recall.pictures import draw_balls, outlines
from gancourse.demos.control import Demo, Slider, Toggle
from gancourse.demos.stage import Stage

POINTS = 60
OUTLIER = (5.2, 2.6)  # beyond the reals, on the side to which the fakes move


def manifold_demo():
    """Sliders for k, for the fakes' shift and spread, and a real outlier: both manifolds with their numbers.

    60 real points are a fixed draw from N(0, I), the fakes another one, scaled by `spread` and moved right by `shift`.
    With the outlier on, the last real point moves far out; the others stay.
    """
    rng = np.random.default_rng(6)
    reals, noise = rng.normal(size=(2, POINTS, 2))

    figure, axes = figures.new(1, 3, size=(7.0, 3.0), width_ratios=[1, 1, 0.62])
    moving, parts = [], []
    for ax, ground, color, kind in (
        (axes[0], figures.REAL, figures.FAKE, "fakes in the real balls"),
        (axes[1], figures.FAKE, figures.REAL, "reals in the fake balls"),
    ):
        balls = draw_balls(ax, reals, np.ones(POINTS), color=ground)
        (centres,) = ax.plot([], [], ".", color=figures.GREY, ms=3)
        (dots,) = ax.plot([], [], "o", color=color, ms=4.5, mew=0)
        (crosses,) = ax.plot([], [], "x", color=color, ms=5.5, mew=1.4)
        ax.set(xlim=(-3.4, 7.0), ylim=(-5.2, 5.2), aspect="equal", xlabel="feature 1")
        ax.set_title(kind, fontsize=10.5)
        parts.append((balls, centres, dots, crosses))
        moving += parts[-1]
    axes[0].set_ylabel("feature 2")
    names = ["precision", "recall", "density", "coverage"]
    colors = [figures.FAKE, figures.REAL, figures.PALETTE["amber"], figures.PALETTE["green"]]
    bars = list(axes[2].barh(names[::-1], [0] * 4, height=0.5, color=colors[::-1]))[::-1]
    axes[2].set(xlim=(0, 1.45), xticks=[0, 0.5, 1])
    axes[2].tick_params(axis="y", labelsize=10)
    numbers = [axes[2].text(0, 3 - i, "", va="center", fontsize=10) for i in range(4)]
    stage = Stage(figure, [*moving, *bars, *numbers])

    def geometry(k, shift, spread, outlier):
        """For the reals' and for the fakes' balls: centres, radii, probes, and (centres, probes) who is inside."""
        real, fake = reals.copy(), spread * noise + [shift, 0]
        if outlier:
            real[-1] = OUTLIER
        sides = []
        for centres, probes in ((real, fake), (fake, real)):
            radii = np.partition(_distances(centres, centres), k, axis=1)[:, k]
            sides.append((centres, radii, probes, _distances(centres, probes) <= radii[:, None]))
        return sides

    def scores(k, sides):
        """Precision, recall, density and coverage, in the order of the bars."""
        in_real, in_fake = (inside for *_, inside in sides)
        precision, recall = in_real.any(axis=0).mean(), in_fake.any(axis=0).mean()
        return precision, recall, in_real.sum() / (k * POINTS), in_real.any(axis=1).mean()

    def render(k, **state):
        sides = geometry(k, **state)
        for (balls, middles, dots, crosses), (centres, radii, probes, inside) in zip(
            parts, sides, strict=True
        ):
            balls.set_verts(outlines(centres, radii))
            middles.set_data(*centres.T)
            dots.set_data(*probes[inside.any(axis=0)].T)
            crosses.set_data(*probes[~inside.any(axis=0)].T)
        for bar, number, value in zip(bars, numbers, scores(k, sides), strict=True):
            bar.set_width(value)
            number.set(text=f"{value:.2f}", x=min(value, 1.1) + 0.04)
        return stage.png()

    def describe(k, **state):
        precision, recall, density, coverage = scores(k, geometry(k, **state))
        return (
            f"Precision {precision:.2f}, recall {recall:.2f}, density {density:.2f}, coverage {coverage:.2f} "
            f"at k = {k}."
        )

    return Demo(
        render,
        [
            Slider("k", "neighbours k", 1, 15, 1, 3),
            Slider("shift", "shift of the fakes", 0.0, 4.0, 0.1, 1.0, "σ"),
            Slider("spread", "spread of the fakes", 0.0, 2.0, 0.1, 1.0, "σ"),
            Toggle("outlier", "one real outlier"),
        ],
        describe,
        title="Who lies in whose balls?",
        stills=[{}, {"spread": 0.3}, {"shift": 3.5}, {"shift": 3.5, "outlier": True}],
    )


def _distances(x, y):
    """(N, M) Euclidean distances between points (N, 2) and (M, 2)."""
    return np.hypot(*(x[:, None] - y[None]).transpose(2, 0, 1))
