"""What chapter 07 draws: a loop as it runs, networks as boxes and arrows, and Langevin sampling."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike

from gancourse import figures
from gancourse.demos.loop import watched
from gancourse.demos.stage import Stage
from gancourse.metrics import Estimate
from gancourse.metrics.report import Report

REAL, FAKE, GREEN = figures.REAL, figures.FAKE, figures.PALETTE["green"]


class Live:
    """A progress bar, a growing curve and changing pictures while a loop runs.

        live = Live(steps, title="...", ylabel="...", ylim=(low, high), pictures=draw)
        for step in live:
            ...
            live.note(value)

    `steps` is the number of turns, `ylim` the reach of the curve, and `pictures()` gives uint8 (n, 1, H, W) as the loop
    has them now, `columns` of them a row. `values` keeps what was noted. Leaving the loop early, by an interrupt too,
    leaves the last picture standing.
    """

    def __init__(
        self,
        steps: int,
        *,
        title: str,
        ylabel: str,
        ylim: tuple[float, float],
        pictures: Callable[[], ArrayLike],
        columns: int = 4,
    ):
        self.steps, self.title, self.pictures, self.columns = steps, title, pictures, columns
        self.values: list[float] = []
        figure, (left, right) = figures.new(1, 2, size=(7.0, 3.0), width_ratios=[1.3, 1])
        left.set(xlim=(0, steps), ylim=ylim, xlabel="steps", ylabel=ylabel)
        (self.line,) = left.plot([], [], color=figures.REAL, lw=1.6)
        right.set_axis_off()
        self.image = right.imshow(self._tiles(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        self.stage = Stage(figure, [self.line, self.image])

    def __iter__(self) -> Iterator[int]:
        """Steps from 0, shown as they pass."""
        return watched(self.steps, self._picture, title=self.title)

    def note(self, value: float) -> None:
        """Add a point to the curve."""
        self.values.append(float(value))

    def _tiles(self) -> np.ndarray:
        return figures.tile_images(self.pictures(), columns=self.columns)

    def _picture(self, step: int) -> tuple[bytes, str]:
        self.line.set_data(range(len(self.values)), self.values)
        self.image.set_data(self._tiles())
        now = f"{self.values[-1]:.4g} after {step} steps" if self.values else "not begun"
        return self.stage.png(), f"{self.title}: {now}"


def network_diagram(
    boxes: Mapping[str, tuple[float, float, str, str]],
    arrows: Sequence[str],
    *,
    size: tuple[float, float],
    title: str | None = None,
    width: float = 1.25,
    height: float = 0.62,
) -> Figure:
    """A network as boxes and arrows.

    boxes   name -> (x, y, text, colour): the centre in inches from the lower left, colour "" for data without a frame
    arrows  "from to", two names of boxes; drawn from rim to rim along the line between the centres
    size    of the figure in inches
    """
    figure, ax = figures.new(size=size, title=title, layout="none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, size[0]), ylim=(0, size[1]))
    ax.set_axis_off()
    for x, y, text, colour in boxes.values():
        if colour:
            corner = (x - width / 2, y - height / 2)
            frame = FancyBboxPatch(
                corner,
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.08",
                ec=colour,
                fc=f"{colour}22",
                lw=1.8,
            )
            ax.add_patch(frame)
        ax.text(x, y, text, ha="center", va="center", fontsize=9.5)
    for arrow in arrows:
        (x0, y0, _, c0), (x1, y1, _, c1) = (boxes[name] for name in arrow.split())
        a, b = np.array([x0, y0]), np.array([x1, y1])
        tail, tip = _rim(a, b, width, height, c0), _rim(b, a, width, height, c1)
        ax.annotate("", tip, tail, arrowprops={"arrowstyle": "-|>", "color": figures.GREY, "lw": 1.4})
    return figure


def _rim(centre: np.ndarray, other: np.ndarray, width: float, height: float, colour: str) -> np.ndarray:
    """Where the line from `centre` to `other` leaves the box, a little outside; data take less room than a frame."""
    if not colour:
        width, height = 0.62 * width, 0.8 * height
    way = other - centre
    share = min(width / 2 / abs(way[0]) if way[0] else np.inf, height / 2 / abs(way[1]) if way[1] else np.inf)
    return centre + way * share + 0.03 * way / np.linalg.norm(way)


def two_networks() -> Figure:
    """A VAE above a GAN."""
    boxes = {
        "x": (0.8, 2.35, "image x", ""),
        "enc": (2.4, 2.35, "encoder", REAL),
        "z": (4.0, 2.35, "code z", ""),
        "dec": (5.6, 2.35, "decoder", FAKE),
        "y": (7.2, 2.35, "image\nagain", ""),
        "n": (0.8, 0.5, "noise z", ""),
        "g": (2.4, 0.5, "generator", FAKE),
        "f": (4.0, 0.5, "fake", ""),
        "d": (5.6, 0.5, "discriminator", GREEN),
        "v": (7.2, 0.5, "real or\nfake?", ""),
        "r": (4.0, 1.3, "image x", ""),
    }
    arrows = ["x enc", "enc z", "z dec", "dec y", "n g", "g f", "f d", "r d", "d v"]
    return network_diagram(boxes, arrows, size=(8, 3.2), title="A VAE (above) and a GAN (below)")


def vae_gan() -> Figure:
    """The VAE-GAN of Larsen et al. 2016 (arXiv:1512.09300, figure 1)."""
    boxes = {
        "x": (0.6, 1.7, "image x", ""),
        "enc": (2.1, 1.7, "encoder", REAL),
        "z": (3.5, 1.7, "z", ""),
        "dec": (4.9, 1.7, "decoder =\ngenerator", FAKE),
        "y": (6.3, 1.7, "x again", ""),
        "p": (3.5, 0.75, "z from p(z)", ""),
        "r": (7.6, 1.2, "image x", ""),
        "d": (6.3, 0.5, "discriminator", GREEN),
        "v": (7.6, 0.5, "real?", ""),
    }
    arrows = ["x enc", "enc z", "z dec", "dec y", "p dec", "y d", "r d", "d v"]
    figure = network_diagram(boxes, arrows, size=(8.2, 2.5), title="VAE-GAN: compare features, not pixels")
    figure.axes[0].text(
        4.55, 0.3, "its features of x and of x again\nmust be alike", ha="center", va="center", fontsize=8.5
    )
    return figure


def vq_vae() -> Figure:
    """The two grids of VQ-VAE-2 (Razavi et al. 2019, arXiv:1906.00446, figure 2), without the links between them."""
    boxes = {
        "x": (0.6, 1.5, "image x", ""),
        "enc": (2.0, 1.5, "encoder", REAL),
        "top": (3.9, 2.5, "coarse grid:\nnearest entry", GREEN),
        "prior": (3.9, 1.5, "prior over\nboth grids", figures.PALETTE["purple"]),
        "low": (3.9, 0.5, "fine grid:\nnearest entry", GREEN),
        "dec": (5.8, 1.5, "decoder", FAKE),
        "y": (7.3, 1.5, "x again", ""),
    }
    arrows = ["x enc", "enc top", "enc low", "top dec", "low dec", "dec y", "prior top", "prior low"]
    title = "VQ-VAE-2: discrete codes in two grids, and a learnt prior"
    return network_diagram(boxes, arrows, size=(8, 3.2), title=title)


def running_mean(values: ArrayLike, exact: float) -> Figure:
    """The mean of the first n of `values` (N,) against n, with two standard errors about the exact mean."""
    values = np.asarray(values, float)
    n = np.arange(10, len(values) + 1)
    reach = 2 * values.std() / np.sqrt(n)
    figure, ax = figures.new(size=(6.4, 3.0))
    ax.fill_between(n, exact - reach, exact + reach, color="#DDDDDD", label="± 2 standard errors")
    ax.plot(n, (values.cumsum() / np.arange(1, len(values) + 1))[9:], color=FAKE, label="mean so far")
    ax.axhline(exact, color=REAL, label="closed form")
    ax.set(xscale="log", xlabel="samples", ylabel="KL (nats)", title="Sampling finds the closed form, slowly")
    ax.legend(fontsize=9)
    return figure


def bernoulli_curves(greys: Sequence[float]) -> Figure:
    """x log m + (1 - x) log(1 - m) against m, for some x, with the best m marked where it is inside."""
    m = np.linspace(0.001, 0.999, 999)
    figure, ax = figures.new(size=(6.4, 3.2))
    for x, color in zip(greys, figures.PALETTE.values(), strict=False):
        ax.plot(m, x * np.log(m) + (1 - x) * np.log(1 - m), color=color, label=f"x = {x:g}")
        if 0 < x < 1:
            ax.plot(x, x * np.log(x) + (1 - x) * np.log(1 - x), "o", color=color)
    ax.set(ylim=(-4, 0.15), xlabel="what the decoder says, m", ylabel="log p(x | z) (nats)")
    ax.set_title("A pixel is worth most where the decoder says its own grey")
    ax.legend(fontsize=9, loc="lower center", ncols=2)
    return figure


def touching_bound(means: ArrayLike, right: ArrayLike, wide: ArrayLike, log_p: float, best: float) -> Figure:
    """The ELBO against the mean of q for two widths, under log p(x), with the true posterior's mean marked."""
    figure, ax = figures.new(size=(6.4, 3.3))
    ax.axhline(log_p, color="black", ls="--", label="log p(x)")
    ax.plot(means, right, color=REAL, label="ELBO, q as wide as the true posterior")
    ax.plot(means, wide, color=FAKE, label="ELBO, q three times as wide")
    ax.axvline(best, color=figures.GREY, lw=1, ls=":", label="mean of the true posterior")
    ax.set(xlabel="mean of q", ylabel="nats", ylim=(-11, -1))
    ax.set_title("The bound touches log p(x) where q is the true posterior")
    ax.legend(fontsize=8.5, loc="lower center")
    return figure


def training_curve(values: Sequence[float], shipped: float) -> Figure:
    """-ELBO of each batch, over the line of the shipped network."""
    figure, ax = figures.new(size=(6.4, 3.0))
    ax.plot(values, color=FAKE, lw=1, label="your network, each batch")
    ax.axhline(shipped, color=REAL, ls="--", label="the shipped one (30 epochs), test garments")
    ax.set(xlabel="steps", ylabel="-ELBO (nats)", ylim=(220, 560), title="One loss, and it goes down")
    ax.legend(fontsize=9)
    return figure


def beta_bars(bounds: Mapping[float, tuple[float, float]], fids: Mapping[float, Estimate]) -> Figure:
    """-ELBO in its two parts, beta -> (reconstruction, KL), and beside it FID with its interval."""
    figure, (left, right) = figures.new(1, 2, size=(8, 3.3))
    names = [f"{beta:g}" for beta in bounds]
    fits, kls = zip(*bounds.values(), strict=True)
    left.bar(names, fits, color=REAL, label="reconstruction")
    left.bar(names, kls, bottom=fits, color=figures.PALETTE["amber"], label="KL")
    left.set(ylim=(190, 310), xlabel="β", ylabel="nats an image (axis from 190)")
    left.set_title("-ELBO is lowest at β = 1", fontsize=11)
    left.legend(fontsize=9, loc="upper left")
    intervals = [fid.interval for fid in fids.values()]
    figures.plot_interval(right, range(len(fids)), [float(fid) for fid in fids.values()], intervals)
    right.set(
        xticks=range(len(fids)), xticklabels=names, xlabel="β", ylabel="FID of made-up images", ylim=(0, None)
    )
    right.set_title("FID is lowest there too", fontsize=11)
    return figure


def gain_curve(gained: Mapping[int, Estimate]) -> Figure:
    """What the bound with K samples gains over K = 1, with its interval."""
    figure, ax = figures.new(size=(6.4, 3.0))
    intervals = [gain.interval for gain in gained.values()]
    figures.plot_interval(ax, list(gained), [float(gain) for gain in gained.values()], intervals)
    figures.log_sizes(ax, list(gained), label="samples an image, K")
    ax.set(ylabel="nats above the ELBO", ylim=(-0.2, None), title="More samples, a tighter bound")
    return figure


def report_panels(reports: Mapping[str, Report], metrics: Sequence[str]) -> Figure:
    """Some metrics of several reports side by side, each with its interval."""
    title = "StyleGAN is best in all three; the VAE's two sets differ in each"
    figure, axes = figures.new(1, len(metrics), size=(8, 2.6), sharey=True, title=title)
    rows = range(len(reports))
    for ax, metric in zip(axes, metrics, strict=True):
        estimates = [report[metric] for report in reports.values()]
        values = [float(estimate) for estimate in estimates]
        reach = np.abs(np.array([estimate.interval for estimate in estimates]).T - values)
        ax.errorbar(values, rows, xerr=reach, fmt="o", color=FAKE, capsize=3)
        ax.set(xlabel=metric, xlim=(0, None if "FID" in metric else 1))
    axes[0].set(yticks=rows, yticklabels=list(reports), ylim=(len(reports) - 0.5, -0.5))
    return figure


def langevin_panels(path: np.ndarray, score: Callable, steps: Sequence[int]) -> Figure:
    """The walk of `langevin` at some steps, over the directions of its score."""
    figure, axes = figures.new(
        1,
        len(steps),
        size=(8, 3.6),
        sharex=True,
        sharey=True,
        title="Follow the score, with noise: points find both modes",
    )
    side = np.linspace(-4, 4, 13)
    places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    field = score(places)
    field = field / (1 + np.linalg.norm(field, axis=1, keepdims=True))  # long arrows would hide the rest
    for ax, step in zip(axes, steps, strict=True):
        ax.quiver(*places.T, *field.T, color="#A8A8A8", width=0.006)
        figures.plot_cloud(ax, path[step], color=FAKE, ellipse=False, reach=4.5)
        ax.set_title(f"after {step} steps", fontsize=10)
        ax.set_xlabel("x₁")
    axes[0].set_ylabel("x₂")
    return figure


def langevin(
    steps: int, *, step: float = 0.05, points: int = 600, seed: int = 1
) -> tuple[np.ndarray, Callable]:
    """Langevin sampling of a mixture of two normals, 20% and 80%, whose score is known: (steps + 1, points, 2).

        x' = x + step / 2 * score(x) + sqrt(step) * noise,    score(x) = grad log p(x)

    Also gives score (N, 2) -> (N, 2). No network is trained here: in score matching one learns this field.
    """
    centres, width = np.array([[-2.0, -0.5], [2.0, 0.5]]), 0.6
    random = np.random.default_rng(seed)

    def score(x: np.ndarray) -> np.ndarray:
        away = centres - x[:, None]  # (N, 2 centres, 2)
        log_p = np.log([0.2, 0.8]) - (away**2).sum(2) / (2 * width**2)
        share = np.exp(log_p - log_p.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        return (share[..., None] * away).sum(1) / width**2

    x = random.uniform(-4, 4, size=(points, 2))
    path = [x]
    for _ in range(steps):
        x = x + step / 2 * score(x) + np.sqrt(step) * random.normal(size=x.shape)
        path.append(x)
    return np.stack(path), score
