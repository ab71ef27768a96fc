"""Clouds side by side, pairings, roots, damage curves and intervals: the pictures of the Fréchet distance."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from gancourse.figures import FAKE, GREY, PALETTE, REAL, heatmap, new, plot_cloud, plot_spread, show


def join_pairs(ax: Axes, starts: ArrayLike, ends: ArrayLike) -> None:
    """Draw a line from each of `starts` (N, 2) to its partner in `ends` (N, 2)."""
    ax.add_collection(LineCollection(np.stack([starts, ends], axis=1), colors=GREY, linewidths=0.7, zorder=1))


def show_three_clouds(real, others):
    """Real garments (N, 2) beside each of two other clouds {name: (N, 2)}."""
    figure, axes = new(1, 2, size=(8, 5), sharex=True, sharey=True, title="How far apart are two clouds?")
    for ax, (name, cloud) in zip(axes, others.items(), strict=True):
        plot_cloud(ax, real, color=REAL, label="real garments")
        plot_cloud(ax, cloud, color=FAKE, label=name)
        ax.set(xlabel="along the second widest direction", ylabel="along the widest")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=9)
    show(
        figure,
        alt="Two pairs of clouds. Other real garments cover the real ones; the cloud of blurred garments has another shape.",
    )


def show_walks(walk, paths, leashes, clouds):
    """A man's walk (N, 2) and his dog's, forwards and backwards, with the leash and the clouds' distance."""
    figure, axes = new(1, 2, size=(8, 2.9), sharey=True)
    for ax, path, length, cloud in zip(axes, paths, leashes, clouds, strict=True):
        join_pairs(ax, walk[::4], path[::4])
        ax.plot(*walk.T, color=REAL, label="man")
        ax.plot(*path.T, color=FAKE, label="dog")
        ax.plot(*np.stack([walk[0], path[0]]).T, "ok", markersize=5, label="start")
        title = f"leash {length:.1f}, between the clouds {cloud:.1f}"
        ax.set(title=title, xlabel="metres", aspect="equal")
    axes[0].set_ylabel("metres")
    axes[0].legend(fontsize=8.5, loc="lower left")
    alt = f"Turning the dog's walk round takes the leash from {leashes[0]:.1f} to {leashes[1]:.1f} m; "
    show(figure, alt=f"{alt}the clouds' distance stays {clouds[0]:.1f}.")


def show_normals_on_a_line(normals, density, distance):
    """Normals {name: (mu, sigma)} as bells, and as points in the plane of mu and sigma."""
    figure, (left, right) = new(1, 2, size=(8, 3.2), title="A normal on a line is a point in a plane")
    x = np.linspace(-9, 9, 400)
    for (name, (mu, sigma)), color in zip(normals.items(), PALETTE.values(), strict=False):
        left.plot(x, density(x, mu, sigma), color=color, label=name)
        right.plot([0, mu], [1, sigma], "o-", color=color, markersize=8)
        right.annotate(name, (mu, sigma), (7, 6), textcoords="offset points")
    left.set(xlabel="x", ylabel="density")
    left.legend(fontsize=8.5)
    right.set(xlabel="mean", ylabel="standard deviation", xlim=(-1, 3.5), ylim=(0, 3.6))
    sentence = "The moved and the widened normal are both at squared distance"
    show(figure, alt=f"{sentence} {distance:.0f} from the start.")


def show_roots(a, elementwise, matrix):
    """A matrix, and what its elementwise and its matrix root give when multiplied with themselves."""
    panels = {
        "a": a,
        "elementwise root,\ntimes itself": elementwise @ elementwise,
        "matrix root,\ntimes itself": matrix @ matrix,
    }
    figure, axes = new(1, 3, size=(8, 2.8))
    for ax, (title, panel) in zip(axes, panels.items(), strict=True):
        heatmap(ax, panel, limit=4, values=".1f", bar=False)
        ax.set(title=title, xticks=[], yticks=[])
    wrong, right = (float(abs(panel - a).max()) for panel in list(panels.values())[1:])
    show(figure, alt=f"The elementwise root misses a by up to {wrong:.1f}, the matrix root by {right:.1f}.")


def show_pairings(x, y, partners, by_chance, best):
    """Two clouds (N, 2), joined as they come and as well as possible."""
    figure, axes = new(1, 2, size=(8, 3), sharex=True, sharey=True)
    titles = f"Paired by chance: {by_chance:.1f}", f"Paired as well as possible: {best:.1f}"
    for ax, ends, title in zip(axes, (y, y[partners]), titles, strict=True):
        plot_cloud(ax, x, color=REAL, ellipse=False, size=18)
        plot_cloud(ax, y, color=FAKE, ellipse=False, size=18)
        join_pairs(ax, x, ends)
        ax.set(title=title, xlabel="feature 1", ylabel="feature 2")
    text = f"Mean squared length of the lines between {len(x)} pairs: {by_chance:.1f} when paired by chance"
    show(figure, alt=f"{text}, {best:.1f} at best.")


def show_feature_and_normal(values, density, share):
    """One feature of real garments (N,) as a histogram, and the normal that has its mean and spread."""
    x = np.linspace(-2, float(values.max()), 300)
    figure, ax = new(size=(6, 3))
    ax.hist(values.numpy(), bins=80, density=True, color=REAL, alpha=0.6, label="10,000 real garments")
    ax.plot(x, density(x), color=FAKE, label="its normal")
    ax.set(xlabel="value of one feature", ylabel="density")
    ax.set_title(f"{share:.0%} of this normal lies where no feature is")
    ax.legend(fontsize=9)
    alt = f"The histogram starts at 0 and has a long right tail; {share:.0%} of its normal lies below 0."
    show(figure, alt=alt)


def show_damage(scores):
    """FID from no damage to a very strong one, for each kind of damage {name: five FIDs}."""
    figure, ax = new(size=(6.4, 3.4))
    colors = [PALETTE[c] for c in ("blue", "orange", "green", "purple", "amber", "black")]
    for (name, row), color, mark in zip(scores.items(), colors, "osD^vP", strict=True):
        ax.plot(row, color=color, marker=mark, label=name)
    steps = ["none", "slight", "some", "strong", "very strong"]
    ax.set(xticks=range(5), xticklabels=steps, xlabel="damage", ylabel="FID, log scale", yscale="log")
    ax.set_title("Every damage raises FID, the more the stronger")
    ax.legend(fontsize=8.5, ncols=2)
    rising = [bool(np.all(np.diff(row) > 0)) for row in scores.values()]
    show(figure, alt=f"FID rises with every step of {sum(rising)} of {len(rising)} kinds of damage.")


def show_extrapolation(sizes, by_n, intercept, slope, at_infinity):
    """Average FID against 1/N, the line through it, and the interval where it ends."""
    figure, ax = new(size=(6.4, 3.3))
    plot_spread(ax, 1000 / np.array(sizes), by_n, line="o", label="FID of N images")
    ends = [intercept, intercept + slope / 200]
    ax.plot([0, 5], ends, color=GREY, label="line through N = 500 to 5,000")
    label = "fid_infinity's interval, N = 10,000"
    ax.vlines(0, *at_infinity.interval, color=REAL, linewidth=4, label=label)
    ax.set(xlabel="1000 / N", ylabel="FID", ylim=(0, None), title="Fewer images, higher FID")
    ax.legend(fontsize=9, loc="lower right")
    few, many = by_n[0].mean(), by_n[-1].mean()
    line = f"FID falls on a line in 1/N, from {few:.1f} at N = {sizes[0]}"
    show(figure, alt=f"{line} to {many:.1f} at {sizes[-1]:,} and {intercept:.1f} at infinity.")


def show_intervals(raw, debiased, truth):
    """Intervals (repeats, 2) around the raw and the debiased FID, and the truth that they should hold."""
    figure, ax = new(size=(7, 3.1))
    hits = []
    for intervals, color, name, shift in ((raw, FAKE, "raw FID", -0.15), (debiased, REAL, "debiased", 0.15)):
        low, high = np.array(intervals).T
        hits.append(int(((low <= truth) & (truth <= high)).sum()))
        label = f"{name}: {hits[-1]} of {len(low)} hold the truth"
        ax.vlines(np.arange(len(low)) + shift, low, high, color=color, label=label)
    ax.axhline(truth, color="black", linewidth=1, label="truth")
    ax.set(xlabel="repeat", ylabel="FID", ylim=(-0.6, None))
    ax.set_title("An honest interval needs the bias removed first")
    ax.legend(fontsize=8.5, ncols=3, loc="lower center")
    show(figure, alt=f"{hits[0]} of {len(raw)} raw intervals and {hits[1]} debiased ones hold the truth.")


def show_equal_moments(normal, shapes, zero, price):
    """A normal cloud under each of `shapes` {name: (N, 2)}, with FID and the price of the best pairing."""
    figure, axes = new(1, 3, size=(8, 3.1), sharex=True, sharey=True)
    for ax, (name, points) in zip(axes, shapes.items(), strict=True):
        plot_cloud(ax, normal, color=REAL, ellipse=False)
        plot_cloud(ax, points, color=FAKE)
        title = f"{name}: FID {zero[name]:.2f}\nbest pairing {price[name]:.2f}"
        ax.set(title=title, xlabel="feature 1")
    axes[0].set_ylabel("feature 2")
    parts = [f"{name}, FID {zero[name]:.2f}, best pairing {price[name]:.1f}" for name in shapes]
    show(figure, alt=f"Against the same normal: {'; '.join(parts)}.")
