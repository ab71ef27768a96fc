"""Two coins, and one normal against two modes: the KL divergence both ways, under the reader's hand."""

import math

import numpy as np

from gancourse import figures
from gancourse.demos.control import Demo, Slider
from gancourse.demos.stage import Stage
from gancourse.metrics import js_divergence, kl_divergence

FORWARD, REVERSE, BOTH = (figures.PALETTE[name] for name in ("green", "purple", "amber"))
MEANS, WIDTHS, DISTANCES = np.arange(-50, 51) / 10, np.arange(4, 51) / 10, np.arange(0, 17) / 2
X = np.linspace(-25, 25, 501)
STEP = X[1] - X[0]
TOP = 2.0  # nats: no bar is drawn higher


def coins_demo():
    """Sliders bend two coins; both KL divergences between them are drawn against the second coin's bend.

    KL(p || q) = p log(p / q) + (1 - p) log((1 - p) / (1 - q)), infinite where q = 0 < p or q = 1 > p.
    """
    line = np.linspace(0, 1, 401)
    believed = np.stack([line, 1 - line], axis=1)

    figure, (left, right) = figures.new(1, 2, size=(7.0, 3.5), width_ratios=[1, 1.7])
    places = [-0.15, 0.15, 0.65, 0.95]  # p and q for heads, p and q for tails
    bars = list(left.bar(places, [0] * 4, 0.28, color=[figures.REAL, figures.FAKE] * 2))
    numbers = [left.text(place, 0, "", ha="center", va="bottom", fontsize=9.5) for place in places]
    left.set(ylim=(0, 1.12), ylabel="probability", xticks=[0, 0.8], xticklabels=["heads", "tails"])
    left.set_title("p (left) and q (right)")
    ways = [right.plot(line, line, color=c, linewidth=2)[0] for c in (FORWARD, REVERSE)]
    dots = [right.plot([0], [0], c, clip_on=False)[0] for c in ("o", "D")]
    for dot, color in zip(dots, (FORWARD, REVERSE), strict=True):
        dot.set(color=color, markersize=9)
    right.set(xlim=(0, 1), ylim=(0, 2.5), xlabel="q's chance of heads", ylabel="divergence (nats)")
    # beside a dot that stands for a value above the axis: a larger one, or an infinite one
    signs = [right.text(0, 0, "", color=c, fontsize=16, va="center") for c in (FORWARD, REVERSE)]
    names = ["KL(p || q)", "KL(q || p)"]
    right.legend(dots, names, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    stage = Stage(figure, [*bars, *numbers, *ways, *dots, *signs])

    def divergences(p, q):
        a, b = np.array([p, 1 - p]), np.array([q, 1 - q])
        return kl_divergence(a, b), kl_divergence(b, a)

    def render(p, q):
        for bar, number, height in zip(bars, numbers, (p, q, 1 - p, 1 - q), strict=True):
            bar.set_height(height)
            number.set(text=f"{height:.2f}", y=height + 0.01)
        truth = np.array([p, 1 - p])
        curves = np.asarray(kl_divergence(truth, believed)), np.asarray(kl_divergence(believed, truth))
        x, side, y = (q + 0.03, "left", 2.4) if q < 0.5 else (q - 0.03, "right", 2.4)
        for way, dot, sign, curve, value in zip(ways, dots, signs, curves, divergences(p, q), strict=True):
            way.set_data(line, np.minimum(curve, 10))
            dot.set_data([q], [min(value, 2.5)])
            text = "∞" if math.isinf(value) else "↑" if value > 2.5 else ""
            sign.set(text=text, x=x, y=y, ha=side)
            y -= 0.25 if text else 0  # both may be above the axis
        return stage.png()

    def describe(p, q):
        forward, reverse = (_in_words(value) for value in divergences(p, q))
        return f"p {p:.2f}, q {q:.2f}: KL(p || q) is {forward}, KL(q || p) is {reverse}."

    return Demo(
        render,
        [
            Slider("p", "p's chance of heads", 0.0, 1.0, 0.05, 0.5),
            Slider("q", "q's chance of heads", 0.0, 1.0, 0.05, 0.9),
        ],
        describe,
        title="Two coins",
        stills=[{}, {"q": 1.0}, {"p": 1.0, "q": 0.5}],
    )


def fit_demo():
    """Sliders move one normal q over a target p of two modes; KL both ways and JS are shown beside their least values.

    p = (N(-d/2, 1) + N(d/2, 1)) / 2. The divergences are sums over a grid of X; the least values are searched among the
    settings that the sliders can take, so that a reader can reach them.
    """
    best = _least(DISTANCES)

    figure, (left, right) = figures.new(1, 2, size=(7.0, 3.5), width_ratios=[1.7, 1])
    target = left.fill_between(X, 0 * X, color=figures.REAL, alpha=0.3, linewidth=0, label="target p")
    normal = left.plot(X, 0 * X, color=figures.FAKE, linewidth=2.5, label="your q")[0]
    colors, names = (FORWARD, REVERSE, BOTH), ("KL(p || q)", "KL(q || p)", "JS")
    optima = [
        left.plot(X, 0 * X, color=c, linestyle="--", linewidth=1.4, label=f"least {name}")[0]
        for c, name in zip(colors, names, strict=True)
    ]
    left.set(xlim=(-9, 9), ylim=(0, 0.62), xlabel="x", ylabel="density")
    left.legend(fontsize=8.5, loc="upper right")
    bars = list(right.bar(names, [0, 0, 0], width=0.6, color=colors))
    marks = [right.plot([k - 0.38, k + 0.38], [0, 0], color="black", linewidth=1.5)[0] for k in range(3)]
    numbers = [right.text(k, 0, "", ha="center", va="bottom", fontsize=10.5) for k in range(3)]
    right.set(ylim=(0, 2.2), ylabel="nats")
    right.set_title("Black: the least possible")
    right.tick_params(axis="x", labelsize=8.5)
    stage = Stage(figure, [target, *optima, normal, *bars, *marks, *numbers])

    def render(distance, mean, width):
        p = np.exp(_log_target(distance))
        target.set_verts([np.concatenate([np.stack([X, p], 1), np.stack([X[::-1], 0 * X], 1)])])
        normal.set_ydata(np.exp(_log_normal(mean, width)))
        values = divergences(distance, mean, width)
        rows = zip(bars, marks, numbers, optima, values, best[distance], strict=True)
        for bar, mark, number, curve, value, (least, centre, wide) in rows:
            bar.set_height(min(value, TOP))
            mark.set_ydata([least, least])
            over = " ↑" if value > TOP else ""
            number.set(text=f"{value:.2f}{over}", y=min(value, TOP) + 0.02)
            curve.set_ydata(np.exp(_log_normal(math.copysign(centre, mean), wide)))
        return stage.png()

    def divergences(distance, mean, width):
        p, q = np.exp(_log_target(distance)), np.exp(_log_normal(mean, width))
        forward = STEP * p @ (_log_target(distance) - _log_normal(mean, width))
        reverse = STEP * q @ (_log_normal(mean, width) - _log_target(distance))
        return max(forward, 0.0), max(reverse, 0.0), js_divergence(p / p.sum(), q / q.sum())

    def describe(distance, mean, width):
        values = divergences(distance, mean, width)
        return "; ".join(
            f"{name} is {value:.2f}, least {least:.2f} at mean {'±' if centre else ''}{centre:.1f}, width {wide:.1f}"
            for name, value, (least, centre, wide) in zip(names, values, best[distance], strict=True)
        )

    return Demo(
        render,
        [
            Slider("distance", "distance of the modes", 0.0, 8.0, 0.5, 6.0, "σ"),
            Slider("mean", "mean of q", -5.0, 5.0, 0.1, 0.0, "σ"),
            Slider("width", "width of q", 0.4, 5.0, 0.1, 1.0, "σ"),
        ],
        describe,
        title="One normal for two modes",
        stills=[{}, {"width": 3.2}, {"mean": 3.0}, {"distance": 4.0, "width": 2.1}],
    )


def _log_normal(mean, width):
    return -(((X - mean) / width) ** 2) / 2 - np.log(width * np.sqrt(2 * np.pi))


def _log_target(distance):
    return np.logaddexp(_log_normal(-distance / 2, 1.0), _log_normal(distance / 2, 1.0)) - np.log(2)


def _least(distances):
    """Least KL(p || q), KL(q || p) and JS at each distance: {distance: [(value, mean >= 0, width), ...]}."""
    x, step = X[::2], 2 * STEP  # fine enough: half of the smallest width
    means = MEANS[MEANS >= 0]
    settings = np.stack(np.meshgrid(means, WIDTHS, indexing="ij"), -1).reshape(-1, 2)
    mean, width = settings[:, :1], settings[:, 1:]
    log_q = -(((x - mean) / width) ** 2) / 2 - np.log(width * np.sqrt(2 * np.pi))  # (settings, x)
    q = np.exp(log_q)
    entropy = -(q * log_q).sum(1)
    found = {}
    for distance in distances:
        log_p = _log_target(distance)[::2]
        p, m = np.exp(log_p), (q + np.exp(log_p)) / 2
        forward = step * (p @ log_p - log_q @ p)
        reverse = step * (-entropy - q @ log_p)
        both = step * (p @ log_p - entropy - 2 * (m * np.log(m + 1e-300)).sum(1)) / 2
        lowest = [(values, int(values.argmin())) for values in (forward, reverse, both)]
        found[distance] = [(max(values[i], 0.0), *settings[i]) for values, i in lowest]
    return found


def _in_words(value):
    return "infinite" if math.isinf(value) else f"{value:.2f}"
