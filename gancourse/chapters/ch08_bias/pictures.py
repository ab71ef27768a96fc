"""What takes longer than chapter 08's minute, the attributes of an image, and the pictures of the chapter.

`python -m gancourse.chapters.ch08_bias.pictures` measures all of it again, into `data/measured/08_psi.json`,
`08_imbalance.json` and `08_extractor.json`; names behind it (`psi`, ...) choose.
"""

import functools
import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from scipy import stats
from torch import Tensor, nn

from gancourse import figures, metrics
from gancourse.chapters.measured import read_measured, write_measured
from gancourse.datasets import fashion_mnist, quantise, shapes
from gancourse.datasets.fashion_mnist import CLASSES
from gancourse.features import embed
from gancourse.figures import FAKE, GREY, PALETTE, REAL
from gancourse.latents import sample
from gancourse.models import load
from gancourse.models.regressor import FactorRegressor, targets
from gancourse.models.vae import VAE
from gancourse.seeds import stream

COMMAND = "python -m gancourse.chapters.ch08_bias.pictures"
PSIS = tuple(round(0.1 * i, 1) for i in range(13))
IMAGES, SEED = 10_000, 1
KINDS, SHARES, SEEDS = (1, 6), (0.02, 0.05, 0.1, 0.2, 0.4), 3
MADE = 5000  # images drawn from each VAE
ATTRIBUTES = (*CLASSES, "brightness", "width", "height")


def measured(name: str) -> list[dict]:
    """The rows of a stored table: "psi", "imbalance" or "extractor"."""
    return read_measured(f"08_{name}")["rows"]


# --- measuring ---------------------------------------------------------------------------------------------


@torch.inference_mode()
def draw(styles: Tensor, *, noise: str = "fresh", seed: int = SEED) -> Tensor:
    """uint8 images of the shipped StyleGAN's styles (N, 64), 250 at a time; fresh noise comes from `seed`."""
    synthesis, random = load("stylegan").synthesis, stream(seed)
    how = {"noise": noise, "generator": random} if noise == "fresh" else {"noise": noise}
    return torch.cat([quantise(synthesis(part, **how)) for part in styles.split(250)])


@torch.inference_mode()
def probabilities(images: Tensor) -> Tensor:
    """p(y | x) by the course's classifier, which has the last word on an image's kind here: (N, 10) float64."""
    network = load("classifier")
    return torch.cat([network.probabilities(part) for part in images.split(500)])


def labels(images: Tensor) -> Tensor:
    """The most likely kind of each image, (N,)."""
    return probabilities(images).argmax(1)


def measure_psi() -> Iterator[dict]:
    """Counts of the ten kinds among IMAGES images of the same latents and noise, for each psi."""
    network = load("stylegan")
    with torch.inference_mode():
        w = network.mapping(sample(IMAGES, network.z_dim, generator=stream(SEED)))
    for psi in PSIS:
        made = draw(network.w_avg + psi * (w - network.w_avg))
        yield {"psi": psi, "counts": torch.bincount(labels(made), minlength=10).tolist()}


def imbalanced(kind: int, share: float, *, n: int = 10_000, seed: int = 0) -> Tensor:
    """n training images of which a share is of one kind and the rest is spread over the others: (n, 1, 28, 28)."""
    data, random, own = fashion_mnist("train"), stream(seed), round(n * share)
    assert data.labels is not None
    order = torch.randperm(len(data), generator=random)
    is_own = data.labels[order] == kind
    return data.images[torch.cat([order[is_own][:own], order[~is_own][: n - own]])]


def quick_vae(images: Tensor, *, seed: int = 0, epochs: int = 10, batch_size: int = 128) -> VAE:
    """The course's VAE, trained for a few seconds on these images (N, 1, 28, 28)."""
    x, random = images / 255, stream(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE()
    adam = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=random).split(batch_size):
            fit, kl = model.elbo(x[batch], generator=random)
            adam.zero_grad(set_to_none=True)
            (kl - fit).mean().backward()
            adam.step()
    return model.eval()


@torch.inference_mode()
def vae_images(model: VAE, n: int, *, seed: int = SEED) -> Tensor:
    """n uint8 images of a VAE."""
    return quantise(model(sample(n, model.z_dim, generator=stream(seed))))


def measure_imbalance() -> Iterator[dict]:
    """Counts of the ten kinds among MADE images of VAEs that saw one kind more or less often than the others."""
    for kind in KINDS:
        for share in SHARES:
            for seed in range(SEEDS):
                made = vae_images(quick_vae(imbalanced(kind, share, seed=seed), seed=seed), MADE)
                counts = torch.bincount(labels(made), minlength=10).tolist()
                yield {"kind": kind, "share": share, "seed": seed, "counts": counts}


def shape_sets(n: int = 2000) -> dict[str, Tensor]:
    """Drawn shapes that stand for what four generators make; the first is the real set."""
    red = {"hue": (0.0, 0.1)}
    return {
        "real": shapes(n, seed=7).images,
        "the same distribution": shapes(n, seed=8).images,
        "half of them red": torch.cat(
            [shapes(n // 2, seed=8).images, shapes(n // 2, seed=9, factors=red).images]
        ),
        "all of them red": shapes(n, seed=8, factors=red).images,
        "two shapes of four": shapes(n, seed=8, factors={"shape": {"heart": 1, "drop": 1}}).images,
    }


def fids_of_shapes(extractor: nn.Module, n: int = 2000) -> dict[str, float]:
    """FID of each of `shape_sets` to the real one."""
    found = {name: embed(images, extractor, progress=False) for name, images in shape_sets(n).items()}
    real = found.pop("real")
    return {name: round(float(metrics.fid(real=real, fake=fake)), 3) for name, fake in found.items()}


def asked_for(hue: bool, *, seed: int = 0, n: int = 20_000, epochs: int = 2) -> FactorRegressor:
    """A small network that learns to read shape, size, place and rotation off drawn shapes, and hue if `hue`.

    The shapes are of all hues either way.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FactorRegressor()
    adam, random, first = torch.optim.Adam(model.parameters()), stream(seed), 0 if hue else 2
    steps = epochs * -(-n // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, max_lr=4e-3, total_steps=steps)
    for epoch in range(epochs):
        drawn = shapes(n, seed=1000 + epoch)
        wanted = targets(drawn.factors)  # hue in the first two columns
        for batch in torch.randperm(n, generator=random).split(128):
            found = model(drawn.images[batch])
            loss = F.cross_entropy(found[:, :-7], drawn.factors["shape"][batch])
            loss = loss + 4 * F.mse_loss(found[:, -7 + first :], wanted[batch, first:])
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            schedule.step()
    return model.eval()


def measure_extractor() -> Iterator[dict]:
    """FIDs by a network that was not asked for hue and by one that was."""
    unseen = shapes(2000, seed=6)
    for hue in (False, True):
        network = asked_for(hue)
        right = (network.factors(unseen.images)["shape"] == unseen.factors["shape"]).double().mean()
        row = {"asked for hue": hue, "seed": 0, "accuracy of shape": round(float(right), 3)}
        yield row | {"fid": fids_of_shapes(network)}


def store(name: str) -> None:
    """Measure one table and write it with its provenance."""
    measures: dict[str, tuple[Callable[[], Iterator[dict]], tuple[str, ...], dict[str, object]]] = {
        "psi": (measure_psi, ("stylegan", "classifier"), {"images": IMAGES, "seed": SEED}),
        "imbalance": (measure_imbalance, ("classifier",), {"trained on": 10_000, "images": MADE}),
        "extractor": (measure_extractor, (), {"trained on": "2 x 20,000 drawn shapes", "images": 2000}),
    }
    measure, models, about = measures[name]
    write_measured(f"08_{name}", f"{COMMAND} {name}", models, about, {"rows": measure()})


def attributes(images: Tensor) -> Tensor:
    """Thirteen numbers of each image (N, 1, 32, 32), in the order of ATTRIBUTES: float64 (N, 13).

    Probabilities of the ten kinds, mean brightness from 0 to 1, and how many columns and rows have a pixel above 0.2.
    """
    x = images[:, 0, 2:30, 2:30].double() / 255
    wide, high = ((x > 0.2).any(axis).double().sum(1) for axis in (1, 2))
    return torch.cat([probabilities(images), torch.stack([x.mean((1, 2)), wide, high], 1)], 1)


@functools.cache
def styles_and_attributes(n: int = 1000, seed: int = 2) -> tuple[Tensor, Tensor]:
    """Styles w (n, 64) of the shipped StyleGAN and the attributes (n, 13) of their images, with the stored noise."""
    network = load("stylegan")
    with torch.inference_mode():
        w = network.mapping(sample(n, network.z_dim, generator=stream(seed)))
    return w, attributes(draw(w, noise="fixed"))


def directions(w: Tensor, attributes: Tensor, *, held: bool = False) -> Tensor:
    """For each attribute the step in w, one standard deviation of the styles long, that moves with it: (D, A) float64.

    Plain: Cov(w, attribute), in which the mean style moves with an attribute and with all that usually goes along. With
    `held`: the attribute's coefficients in the least-squares fit of w by all attributes, the others held still.
    """
    w = w.double() - w.double().mean(0)
    a = (attributes - attributes.mean(0)) / attributes.std(0)
    found = torch.linalg.lstsq(a, w, driver="gelsd").solution.T if held else w.T @ a
    found = F.normalize(found, dim=0)
    return found * (w @ found).std(0)


# --- pictures ----------------------------------------------------------------------------------------------


def draw_map() -> Figure:
    """Where bias enters on the way from the world to a decision, and where this chapter measures it."""
    stops = (
        ("world", "what there is"),
        ("data", "who was photographed,\nand who labelled it\n(section 3)"),
        ("model", "what it learns,\nhow it is sampled\n(sections 4, 7)"),
        ("evaluation", "which ruler,\nwhich groups\n(sections 5, 6)"),
        ("use", "who is decided about,\nand how\n(section 8)"),
    )
    figure, ax = figures.new(size=(7.8, 2.6), title="Bias can enter at every step, and comes back")
    ax.set(xlim=(-0.55, 4.55), ylim=(-1.25, 1.0))
    ax.set_axis_off()
    arrow = {"arrowstyle": "-|>", "color": GREY, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    for i, (name, text) in enumerate(stops):
        box = {"boxstyle": "round,pad=0.45", "fc": "white", "ec": REAL, "lw": 1.8}
        ax.text(i, 0.35, name, ha="center", va="center", fontsize=11, bbox=box)
        ax.text(i, -0.1, text, ha="center", va="top", fontsize=8.5, linespacing=1.3)
        if i:
            ax.annotate("", (i - 0.42, 0.35), (i - 0.58, 0.35), arrowprops=arrow)
    back = {**arrow, "connectionstyle": "bar,fraction=-0.055"}
    ax.annotate("", (1, -1.0), (4, -1.0), arrowprops=back)
    ax.text(2.5, -1.02, "generated images become the next data", ha="center", va="bottom", fontsize=8.5)
    return figure


def draw_imbalance(rows: list[dict], wilson) -> Figure:
    """Share of a kind among samples against its share in the data, for each kind of the table "imbalance".

    wilson: (labels, classes) -> (shares, intervals), the reader's class_shares.
    """
    figure, axes = figures.new(
        1,
        2,
        size=(8, 3.3),
        sharex=True,
        sharey=True,
        title='Rare trousers become rarer; "shirts" come whatever the data hold',
    )
    for ax, kind in zip(axes, KINDS, strict=True):
        ends = np.array([0.01, 0.5])
        ax.plot(ends, ends, "--", color=GREY, label="as in the data")
        own = [row for row in rows if row["kind"] == kind]
        seen = [float(wilson(spread(row["counts"]), 10)[0][kind]) for row in own]
        ax.plot(
            [row["share"] for row in own], seen, "o", ms=6, mfc="none", mew=1.6, color=FAKE, label="a VAE"
        )
        ax.set(title=CLASSES[kind], xlabel="share of the kind in the data", xscale="log", yscale="log")
        ticks = list(SHARES)
        ax.set_xticks(ticks, [f"{x:.0%}" for x in ticks])
        ax.set_yticks([0.003, 0.01, 0.03, 0.1, 0.3], ["0.3%", "1%", "3%", "10%", "30%"])
        ax.minorticks_off()
    axes[0].set_ylabel("share of the kind in the samples")
    axes[0].legend(fontsize=9, loc="upper left")
    return figure


def spread(counts: list[int]) -> Tensor:
    """Labels that have these counts: (10,) -> (N,)."""
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))


def draw_psi(rows: list[dict], wilson) -> Figure:
    """Shares of five kinds along psi with their intervals, and total variation from equal shares."""
    figure, (left, right) = figures.new(
        1, 2, size=(8, 3.4), width_ratios=[1.5, 1], title="Truncation keeps the kinds near the middle of w"
    )
    found = [wilson(spread(row["counts"]), 10) for row in rows]
    shares = np.array([np.asarray(s, float) for s, _ in found])  # (psi, 10)
    ends = np.array([np.asarray(e, float) for _, e in found])  # (psi, 10, 2)
    psis = [row["psi"] for row in rows]
    chosen = {0: "blue", 4: "orange", 5: "green", 6: "purple", 8: "sky"}
    for kind, color in chosen.items():
        low, high = (
            np.minimum(ends[:, kind, 0], shares[:, kind]),
            np.maximum(ends[:, kind, 1], shares[:, kind]),
        )
        around = np.stack([low, high], axis=1)
        figures.plot_interval(
            left, psis, shares[:, kind], around, color=PALETTE[color], label=CLASSES[kind], line=".-"
        )
    left.axhline(0.1, color=GREY, ls="--", lw=1)
    left.set(xlabel="psi", ylabel="share of the samples", ylim=(-0.02, 0.62), xlim=(-0.03, 1.23))
    left.legend(fontsize=9)
    right.plot(psis, np.abs(shares - 0.1).sum(1) / 2, "o-", ms=4, color=FAKE)
    right.set(xlabel="psi", ylabel="total variation from equal shares", ylim=(0, 1), xlim=(-0.03, 1.23))
    return figure


def draw_groups(recalls: np.ndarray, reals: np.ndarray, names) -> Figure:
    """Recall of each group in blocks of 50: dots (groups, blocks), mean and 95% interval of the mean, and of reals."""
    figure, ax = figures.new(size=(7.6, 3.9), title="Each dot is a study with 50 images of a group")
    places = np.arange(len(names))
    for values, shift, color, label in (
        (recalls, -0.16, FAKE, "generated"),
        (reals, 0.16, REAL, "other reals"),
    ):
        ax.plot(
            values, np.repeat(places[:, None] + shift, values.shape[1], 1), ".", ms=5, color=color, alpha=0.55
        )
        ax.errorbar(
            values.mean(1),
            places + shift,
            xerr=half_widths(values),
            fmt="D",
            ms=4,
            capsize=3,
            color=color,
            label=label,
        )
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set(xlabel="recall, 50 reals against 50 images; mean with its 95% interval", xlim=(0.4, 1.01))
    ax.legend(fontsize=9, loc="upper left")
    return figure


def half_widths(values: np.ndarray) -> np.ndarray:
    """Half the width of the 95% intervals of the means of rows (rows, n), by Student's t: (rows,)."""
    n = values.shape[1]
    return stats.t.ppf(0.975, n - 1) * values.std(axis=1, ddof=1) / n**0.5


def draw_moves(table: np.ndarray, rows) -> Figure:
    """Covariance of the changes of all attributes (columns) with that of the edited one (rows), its own change as 1."""
    figure, ax = figures.new(
        size=(8, 2.1 + 0.34 * len(rows)), title="What moves when one attribute is edited in w"
    )
    figures.heatmap(ax, np.round(table, 1) + 0.0, limit=1.0, values=".1f")
    ax.set_xticks(range(len(ATTRIBUTES)), ATTRIBUTES, rotation=40, ha="right")
    ax.set_yticks(range(len(rows)), rows)
    ax.set(ylabel="edited")
    return figure


def draw_rates(rates: dict[str, np.ndarray], groups) -> Figure:
    """Shares with intervals, kind of rate -> (groups, 3: share, low, high)."""
    figure, axes = figures.new(
        1, len(rates), size=(8, 2.5), sharey=True, title="Three ways to ask whether a filter is fair"
    )
    for ax, (name, table) in zip(axes, rates.items(), strict=True):
        for i, (share, low, high) in enumerate(table):
            ax.errorbar(
                share,
                i,
                xerr=[[share - low], [high - share]],
                fmt="o",
                capsize=4,
                color=PALETTE[("green", "purple")[i]],
            )
        ax.set(title=name, xlabel="share that passes", xlim=(0, 1), ylim=(len(groups) - 0.5, -0.5))
        ax.set_yticks(range(len(groups)), groups)
    return figure


if __name__ == "__main__":
    for name in sys.argv[1:] or ("psi", "imbalance", "extractor"):
        store(name)
