"""Say what matters to you, and see which candidate wins."""

import numpy as np

from gancourse import figures
from gancourse.chapters.ch12_capstone.pictures import NAMES, measured
from gancourse.demos.control import Demo, Slider
from gancourse.demos.stage import Stage

PARTS = {"fidelity": "precision", "diversity": "recall", "originality": "authenticity"}
DRAWS = 2000  # of the measured values within their errors, to see how sure a winner is


def shipping_demo():
    """Sliders for the weights of fidelity, diversity and originality: the score of each of the five candidates.

    Score = weighted mean of precision, recall, and authenticity over that of held-out reals (at most 1), as stored in
    `data/measured/12_card.json`. Each value is also drawn DRAWS times from a normal with its standard error, always the
    same draws: `first` is the share of them in which a candidate has the highest score.
    """
    card = measured()["card"]
    values = np.array([[card[name][metric].value for metric in PARTS.values()] for name in NAMES])
    errors = np.array([[card[name][metric].stderr or 0.0 for metric in PARTS.values()] for name in NAMES])
    noise = np.random.default_rng(0).normal(size=(DRAWS, *values.shape))
    drawn = values + errors * noise  # (DRAWS, candidates, parts)
    reals = card[NAMES[0]]["authenticity of the real"].value
    for table in (values, drawn):
        table[..., 2] = np.minimum(table[..., 2] / reals, 1)

    figure, ax = figures.new(size=(7.0, 3.0))
    colors = [figures.PALETTE[name] for name in ("green", "purple", "amber")]
    bars = [ax.barh(range(len(NAMES)), 0.5, color=color, height=0.6) for color in colors]
    texts = [ax.text(0, row, "", va="center", fontsize=9.5) for row in range(len(NAMES))]
    ax.set(yticks=range(len(NAMES)), yticklabels=NAMES, ylim=(len(NAMES) - 0.5, -0.5), xlim=(0, 1.45))
    ax.set(xticks=np.arange(0, 1.1, 0.25), xlabel="score")
    ax.legend(bars, PARTS, loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3, frameon=False, fontsize=9.5)
    stage = Stage(figure, [*[bar for group in bars for bar in group], *texts])

    def scores(*weights):
        """Contributions (candidates, parts) to the scores, and how often each candidate is first (candidates,)."""
        shares = np.array(weights) / max(sum(weights), 1e-9)
        if not any(weights):
            return values * 0, np.zeros(len(NAMES))
        first = (drawn @ shares).argmax(axis=1)
        return values * shares, np.bincount(first, minlength=len(NAMES)) / DRAWS

    def render(fidelity, diversity, originality):
        parts, first = scores(fidelity, diversity, originality)
        starts = np.cumsum(parts, axis=1) - parts
        for part, group in enumerate(bars):
            for row, bar in enumerate(group):
                bar.set(x=starts[row, part], width=parts[row, part])
        for row, text in enumerate(texts):
            total = parts[row].sum()
            text.set(
                x=total + 0.02, text=f"{total:.2f}" + (f", first in {first[row]:.0%}" if first[row] else "")
            )
        return stage.png()

    def describe(fidelity, diversity, originality):
        parts, first = scores(fidelity, diversity, originality)
        if not first.any():
            return "All weights are 0: nothing is asked of the candidates."
        order = parts.sum(axis=1).argsort()[::-1]
        ranking = ", ".join(f"{NAMES[i]} {parts[i].sum():.2f}" for i in order)
        return f"{NAMES[order[0]]} is first, in {first[order[0]]:.0%} of the draws. Scores: {ranking}."

    return Demo(
        render,
        [
            Slider("fidelity", "weight of fidelity", 0.0, 1.0, 0.05, 0.5),
            Slider("diversity", "weight of diversity", 0.0, 1.0, 0.05, 0.5),
            Slider("originality", "weight of originality", 0.0, 1.0, 0.05, 0.0),
        ],
        describe,
        title="Say what matters, and somebody else wins",
        stills=[
            {},
            {"fidelity": 1.0, "diversity": 0.0},
            {"originality": 0.5},
            {"fidelity": 0.8, "diversity": 0.1, "originality": 0.5},
        ],
    )
