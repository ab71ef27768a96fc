"""Scrub through the training of eighty small GANs."""

import numpy as np
import torch

from gancourse import figures
from gancourse.datasets import toy_runs
from gancourse.demos.control import Choice, Demo, Slider
from gancourse.demos.stage import Stage

STEPS = 3000


def training_demo():
    """Choose a target, a method and a seed, then move through time: points, modes captured and their quality.

    Every stored moment of every run is measured once, when the demo is made: modes captured and share of high-quality
    points of the generator itself and of the running average of its weights (`gancourse.datasets.toy_runs`).
    """
    runs = {
        (target, method, seed): toy_runs.shipped(target, method, seed)
        for target in toy_runs.TARGETS
        for method in toy_runs.METHODS
        for seed in range(5)
    }
    mixtures = {target: make() for target, make in toy_runs.TARGETS.items()}
    found = {
        key: {kind: moments(mixtures[key[0]], run[kind]) for kind in ("raw", "averaged")}
        for key, run in runs.items()
    }
    steps = runs["ring", "plain", 0]["steps"].tolist()

    figure, (left, right) = figures.new(1, 2, size=(7.0, 3.6), width_ratios=[1.2, 1])
    targets = left.scatter([], [], s=70, facecolors="none", edgecolors=figures.REAL, linewidths=1)
    points = left.scatter([], [], s=9, color=figures.FAKE, alpha=0.55, linewidths=0)
    left.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="x", ylabel="y")
    left.set_title("256 generated points; circles: modes", fontsize=10.5)
    (modes,) = right.plot([], [], color=figures.PALETTE["purple"], lw=1.8, label="modes captured")
    (quality,) = right.plot([], [], color=figures.PALETTE["green"], lw=1.8, label="high quality")
    marker = right.axvline(0, color=figures.GREY, lw=1.2)
    dots = right.scatter([0, 0], [0, 0], s=60, color=[figures.PALETTE["purple"], figures.PALETTE["green"]])
    right.set(xlim=(-60, STEPS + 60), ylim=(-4, 104), xlabel="steps of training", ylabel="share (%)")
    right.legend(fontsize=9.5, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    stage = Stage(figure, [targets, points, marker, modes, quality, dots])

    def chosen(target, method, seed, step, weights):
        kind = "raw" if weights == "as trained" else "averaged"
        moment = steps.index(step)
        captured, good = found[target, method, seed][kind].T
        return runs[target, method, seed][kind][moment], captured, good, moment

    def render(**state):
        cloud, captured, good, moment = chosen(**state)
        centres = mixtures[state["target"]].centres
        share = captured / len(centres)
        targets.set_offsets(centres.numpy())
        points.set_offsets(cloud.numpy())
        modes.set_data(steps, 100 * share)
        quality.set_data(steps, 100 * good)
        marker.set_xdata([steps[moment]] * 2)
        dots.set_offsets([[steps[moment], 100 * share[moment]], [steps[moment], 100 * good[moment]]])
        return stage.png()

    def describe(**state):
        cloud, captured, good, moment = chosen(**state)
        outside = int((cloud.abs().amax(dim=1) > 3.2).sum())
        beyond = f"; {outside} points lie outside the picture" if outside else ""
        return (
            f"{captured[moment]:.0f} of {len(mixtures[state['target']].centres)} modes captured, "
            f"{100 * good[moment]:.0f}% of the points of high quality, after {state['step']} steps{beyond}."
        )

    return Demo(
        render,
        [
            Choice("target", "target", tuple(toy_runs.TARGETS), "ring"),
            Choice("method", "method", toy_runs.METHODS, "plain"),
            Slider("seed", "seed", 0, 4, 1, 0),
            Slider("step", "time", 0, STEPS, 100, STEPS, "steps"),
            Choice("weights", "weights", ("as trained", "averaged"), "as trained"),
        ],
        describe,
        title="Training, from the first step to the last",
        stills=[
            {"seed": 1},
            {"seed": 1, "weights": "averaged"},
            {"method": "slow critic"},
            {"target": "grid", "method": "R1", "seed": 4, "step": 600},
        ],
    )


def moments(mixture, frames: torch.Tensor) -> np.ndarray:
    """Modes captured and share of high-quality points at each of the stored moments: (moments, points, 2) -> (moments, 2)."""
    return np.array([mixture.coverage(frame) for frame in frames])
