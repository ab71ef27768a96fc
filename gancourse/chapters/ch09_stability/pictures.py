"""What the stored runs reached, and its pictures: rings, spirals, seeds, slopes, weights that are averaged."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from torch import Tensor

from gancourse.datasets import toy_runs
from gancourse.datasets.mixtures import Mixture
from gancourse.demos.loop import watched
from gancourse.demos.stage import Stage
from gancourse.figures import FAKE, GREY, PALETTE, REAL, log_sizes, new, show

KINDS = {"raw": ("as trained", FAKE), "averaged": ("averaged", PALETTE["green"])}
LAST = 10  # moments, 100 steps apart, that a run is judged by
T_95 = 2.776  # quantile 0.975 of Student's t with 4 degrees of freedom: five seeds

# --- numbers -----------------------------------------------------------------------------------------------


@functools.cache
def history(target: str, method: str, seed: int, kind: str) -> np.ndarray:
    """Modes captured and share of high-quality points at the 31 stored moments of one run: (31, 2)."""
    mixture = toy_runs.TARGETS[target]()
    return np.array([mixture.coverage(points) for points in toy_runs.shipped(target, method, seed)[kind]])


def reached(target: str, method: str, kind: str = "raw") -> np.ndarray:
    """Modes captured and share of high-quality points of the five seeds, (5, 2), each a mean over the last ten moments."""
    return np.array([history(target, method, seed, kind)[-LAST:].mean(axis=0) for seed in range(5)])


def interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean of five seeds' differences (5,) and its 95% t interval: (mean, low, high)."""
    mean, half = differences.mean(), T_95 * differences.std(ddof=1) / len(differences) ** 0.5
    return float(mean), float(mean - half), float(mean + half)


def mean_quality(target: str, method: str, kind: str, moment: int = -1) -> float:
    """Percentage of high-quality points at one stored moment, by default the last: mean of the five seeds."""
    return 100 * float(np.mean([history(target, method, seed, kind)[moment, 1] for seed in range(5)]))


# --- pictures ----------------------------------------------------------------------------------------------


def _plane(ax, mixture: Mixture, points: Tensor, *, color: str = FAKE, reach: float = 2.8, size: float = 6):
    ax.scatter(*mixture.centres.T, s=45, facecolors="none", edgecolors=REAL, linewidths=0.9)
    ax.scatter(*points.T, s=size, color=color, alpha=0.5, linewidths=0)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")


def show_targets(mixtures: Mapping[str, Mixture], samples: Mapping[str, Tensor]):
    """Both targets with samples of a perfect generator."""
    figure, axes = new(1, 2, size=(7, 3.4), title="Two targets whose modes are known")
    for ax, (name, mixture) in zip(axes, mixtures.items(), strict=True):
        _plane(ax, mixture, samples[name], color=REAL)
        ax.set(title=f"{name}: {len(mixture.centres)} modes", xlabel="x", ylabel="y")
    parts = [f"{len(mixture.centres)} modes of the {name}" for name, mixture in mixtures.items()]
    show(
        figure, alt=f"A perfect sampler's 256 points gather in tight spots at the {' and the '.join(parts)}."
    )


def show_panels(mixture: Mixture, panels: Mapping[str, Tensor], *, title: str, alt: str, reach: float = 2.8):
    """One cloud of generated points (n, 2) a panel, with the modes as circles."""
    figure, axes = new(1, len(panels), size=(8, 2.4), sharey=True, title=title)
    for ax, (name, points) in zip(axes, panels.items(), strict=True):
        _plane(ax, mixture, points, reach=reach, size=5)
        ax.set_title(name, fontsize=10)
        ax.set_xlabel("x")
    axes[0].set_ylabel("y")
    show(figure, alt=alt)


def show_visits(visits: Mapping[str, np.ndarray], steps: Sequence[int]):
    """Which mode (8 rows) held a point of high quality at which moment (columns), for some runs {name: (moments, 8)}."""
    title = "Modes that come and go, and modes that stay missing"
    figure, axes = new(1, len(visits), size=(8, 3.1), sharey=True, title=title)
    for ax, (name, held) in zip(axes, visits.items(), strict=True):
        ax.imshow(held.T, cmap="Greys", vmin=0, vmax=1.4, aspect="auto", interpolation="nearest")
        ever = int(held.any(axis=0).sum())
        ax.set(title=f"{name}: {ever} of 8 held at some time", xlabel="steps (dark: mode held)")
        ax.set_xticks(range(0, len(steps), 3), [str(step) for step in steps[::3]])
        ax.set_yticks(range(8), [str(i + 1) for i in range(8)])
        ax.grid(False)
    axes[0].set_ylabel("mode")
    sentences = [
        f"{name} held {held.sum(1).mean():.0f} modes at a time and {int(held.any(0).sum())} at one time or another"
        for name, held in visits.items()
    ]
    show(figure, alt=f"{'; '.join(sentences)}.")


def show_spirals(paths: Mapping[str, np.ndarray], field: Mapping[str, Callable]):
    """The two numbers of the Dirac GAN on their way {name: (steps, 2)}, over arrows of each method's field."""
    figure, axes = new(
        1, len(paths), size=(8, 2.9), sharey=True, title="Of these four, only R1 leads to the goal"
    )
    side = np.linspace(-2, 2, 11)
    theta, psi = np.meshgrid(side, side)
    for ax, (name, path) in zip(axes, paths.items(), strict=True):
        ax.quiver(theta, psi, *field[name](theta, psi), color="#B0B0B0", width=0.006, zorder=1)
        ax.plot(*path.T, color=FAKE, lw=0.8)
        ax.plot(*path[0], "o", color="black", ms=5)
        ax.plot(*path[-1], "s", color=FAKE, ms=6, markeredgecolor="black")
        ax.plot(0, 0, "+", color=REAL, ms=11, markeredgewidth=2)
        ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", xlabel="generator θ", title=name)
        ax.title.set_fontsize(10)
    axes[0].set_ylabel("critic's slope ψ")
    ends = [f"{name}: {np.hypot(*path[-1]):.1f}" for name, path in paths.items()]
    start = np.hypot(*next(iter(paths.values()))[0])
    show(
        figure,
        alt=f"Distance from the goal, {start:.1f} at the start, after the last step. {'; '.join(ends)}.",
    )


def show_settling(errors: Mapping[str, np.ndarray]):
    """Relative error of power iteration's sigma by number of turns, for some layers {name: (turns,)}."""
    figure, ax = new(size=(6.4, 3.2))
    for (name, row), color, mark in zip(errors.items(), PALETTE.values(), "osD^", strict=False):
        ax.plot(range(1, len(row) + 1), 100 * row, color=color, marker=mark, ms=3.5, label=name)
    ax.set(xlabel="turns of power iteration", ylabel="σ too small by (%)", title="Every turn brings σ nearer")
    ax.set_ylim(0, None)
    ax.legend(fontsize=9)
    many = max(row[-1] for row in errors.values())
    sentence = f"after {len(next(iter(errors.values())))} turns all are within {np.ceil(100 * many):.0f}%"
    show(figure, alt=f"The estimate of each layer's σ rises towards the exact one; {sentence}.")


def show_company(varied: Tensor, copies: Tensor, *, drop: float):
    """Logits of images (n,) in a group of different ones and in a group of their own copies."""
    figure, ax = new(size=(5.6, 3.2))
    bins = np.linspace(float(copies.min()), float(varied.max()), 40)
    ax.hist(varied.numpy(), bins=bins, color=REAL, alpha=0.6, label="three other garments")
    ax.hist(copies.numpy(), bins=bins, color=FAKE, alpha=0.6, label="three copies of itself")
    ax.set(xlabel="logit of a real garment", ylabel="garments")
    ax.set_title("The same garments, in other company")
    ax.legend(fontsize=9, title="in its group:", title_fontsize=9)
    show(figure, alt=f"Among copies of itself a garment's logit is lower, by {drop:.1f} on average.")


def show_average(target: str, method: str):
    """High-quality points over time, as trained and averaged: mean and range of five seeds."""
    figure, axes = new(1, 2, size=(8, 3), title="The average of the weights is better, and calmer")
    steps = toy_runs.shipped(target, method)["steps"]
    for ax, part, name, scale in zip(
        axes, (1, 0), ("high quality (%)", "modes captured"), (100, 1), strict=True
    ):
        for kind, (label, color) in KINDS.items():
            rows = scale * np.array([history(target, method, seed, kind)[:, part] for seed in range(5)])
            ax.fill_between(steps, rows.min(0), rows.max(0), color=color, alpha=0.2, linewidth=0)
            ax.plot(steps, rows.mean(0), color=color, label=label)
        ax.set(xlabel="steps of training", ylabel=name, ylim=(0, None))
    axes[0].legend(fontsize=9.5, loc="upper left")
    ends = [mean_quality(target, method, kind) for kind in KINDS]
    show(
        figure,
        alt=f"Mean and range of five seeds of {method} on the {target}: at the end {ends[0]:.0f}% of the points are of "
        f"high quality as trained, {ends[1]:.0f}% averaged.",
    )


def show_widths(widths: Mapping[int, str], targets: Sequence[str] = ("ring", "grid")):
    """Modes captured and high quality against the critic's width {width: method}: mean and range of five seeds."""
    figure, axes = new(1, 2, size=(8, 3.2))
    for target, color, shift in zip(targets, (REAL, PALETTE["purple"]), (0.96, 1.04), strict=True):
        count = len(toy_runs.TARGETS[target]().centres)
        rows = np.array([reached(target, method) for method in widths.values()])  # (widths, 5, 2)
        for ax, part, unit in zip(axes, (0, 1), (100 / count, 100), strict=True):
            values = unit * rows[..., part]
            places = shift * np.array(list(widths))
            ends = np.abs(np.stack([values.min(1), values.max(1)]) - values.mean(1))
            ax.errorbar(places, values.mean(1), ends, fmt="o-", color=color, capsize=3, label=target)
    for ax, name in zip(axes, ("modes captured (%)", "points of high quality (%)"), strict=True):
        log_sizes(ax, list(widths), label="width of the critic's hidden layers")
        ax.set(ylabel=name, ylim=(-3, 103))
    axes[0].set_title("Wider than 64: not more modes")
    axes[1].set_title("Wider: better points")
    axes[0].legend(fontsize=9.5)
    sentences = []
    for target in targets:
        count = len(toy_runs.TARGETS[target]().centres)
        ends = [reached(target, method).mean(0) for method in widths.values()]
        modes, quality = ([f"{scale * e[part]:.0f}" for e in ends] for part, scale in ((0, 1), (1, 100)))
        sentences.append(f"{target}: modes {', '.join(modes)} of {count}, high quality {', '.join(quality)}%")
    show(figure, alt=f"Critics of width {', '.join(map(str, widths))}. {'; '.join(sentences)}.")


def show_every_seed(methods: Sequence[str], targets: Sequence[str] = ("ring", "grid")):
    """Modes captured by every seed of every method, a dot each, as trained and averaged."""
    figure, axes = new(
        1, 2, size=(8, 4.2), sharey=True, title="Five seeds a method: most of these clouds overlap"
    )
    for ax, target in zip(axes, targets, strict=True):
        for row, method in enumerate(methods):
            for kind, shift in (("raw", -0.17), ("averaged", 0.17)):
                label, color = KINDS[kind]
                modes = reached(target, method, kind)[:, 0]
                heights = row + shift + np.linspace(-0.08, 0.08, len(modes))
                ax.plot(modes, heights, "o", ms=5, color=color, alpha=0.75, label=None if row else label)
                ax.plot([modes.mean()] * 2, [row + shift - 0.15, row + shift + 0.15], color=color, lw=2.5)
        count = len(toy_runs.TARGETS[target]().centres)
        ax.axvline(count, color=GREY, lw=1, ls="--")
        ax.set(title=target, xlabel=f"modes captured, of {count}", xlim=(-0.03 * count, 1.06 * count))
        ax.set_yticks(range(len(methods)), methods)
    axes[0].invert_yaxis()
    axes[0].legend(fontsize=9, loc="upper left")
    sentences = []
    for target in targets:
        means = {method: reached(target, method)[:, 0].mean() for method in methods}
        sentences.append(f"{target}: " + ", ".join(f"{method} {mean:.0f}" for method, mean in means.items()))
    show(figure, alt=f"Mean number of modes as trained. {'; '.join(sentences)}.")


def live(
    count: int, draw: Callable[[], Mapping[str, Tensor]], mixture: Mixture, *, title: str
) -> Iterator[int]:
    """Steps from 0 to count - 1 under a progress bar, with the two clouds that `draw` gives beneath it, as they move."""
    figure, axes = new(1, 2, size=(6, 3), sharey=True)
    clouds = []
    for ax, (name, points) in zip(axes, draw().items(), strict=True):
        _plane(ax, mixture, points)
        ax.set_title(name)
        clouds.append(ax.collections[-1])
    stage = Stage(figure, clouds)

    def picture(step: int) -> tuple[bytes, str]:
        for cloud, points in zip(clouds, draw().values(), strict=True):
            cloud.set_offsets(points.numpy())
        return stage.png(), f"{title}: {step} steps"

    return watched(count, picture, title=title)
