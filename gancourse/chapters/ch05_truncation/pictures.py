"""What truncation costs and brings, measured once, and the pictures of chapter 05.

`python -m gancourse.chapters.ch05_truncation.pictures` measures it again, into `data/measured/05_psi.json`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from gancourse import metrics
from gancourse.chapters.measured import read_measured, write_measured
from gancourse.datasets import fashion_mnist, quantise
from gancourse.features import embed
from gancourse.figures import FAKE, GREY, PALETTE, REAL, new, plot_interval
from gancourse.latents import sample, truncated_normal
from gancourse.models import load
from gancourse.models.stylegan import StyleGANGenerator, SynthesisNetwork
from gancourse.seeds import stream

COLUMNS = ("fid", "precision", "recall", "inception_score")
PSIS = tuple(round(0.1 * i, 1) for i in range(13))
THRESHOLDS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
IMAGES, FEW, SEED = 10_000, 2_000, 1
STUDENT = 2.776  # 97.5% of Student's t with four degrees of freedom lie below
COMMAND = "python -m gancourse.chapters.ch05_truncation.pictures"


def measured(kind: str, **where: str) -> dict[str, list]:
    """The stored table "psi" or "threshold" as columns, name -> values; of "threshold" one `network`'s rows."""
    table = read_measured("05_psi")[kind]
    rows = [row for row in table if all(row[key] == value for key, value in where.items())]
    return {name: [row[name] for row in rows] for name in rows[0]}


def measure(images: Tensor, real: Tensor) -> list[float]:
    """FID, precision, recall (k = 3) and Inception Score of images (N, 1, H, W), in the order of COLUMNS.

    real: features (M, 64) of real images by the course's classifier, which also gives the fakes' features and p(y|x).
    """
    network = load("classifier")
    fake = embed(images, network, progress=False)
    with torch.inference_mode():
        p = torch.cat([network.probabilities(batch) for batch in images.split(500)])
    manifold = metrics.precision_recall(real=real, fake=fake)
    values = (
        metrics.fid(real=real, fake=fake),
        manifold.precision,
        manifold.recall,
        metrics.inception_score(p),
    )
    return [float(value) for value in values]


@torch.inference_mode()
def draw(network: nn.Module, latents: Tensor, *, seed: int = 1, **how) -> Tensor:
    """uint8 images of latents, one row each, 250 at a time; a StyleGAN's noise maps are drawn from `seed`."""
    if isinstance(network, StyleGANGenerator | SynthesisNetwork):
        how = {"noise": "fresh", "generator": stream(seed), **how}
    return torch.cat([quantise(network(batch, **how)) for batch in latents.split(250)])


def sweep_psi() -> Iterator[dict]:
    """A row for each psi, of the same latents and noise: all images, and each fifth of them by itself."""
    generator, real = load("stylegan"), embed(fashion_mnist("test").images, progress=False)
    z = sample(IMAGES, generator.z_dim, generator=stream(SEED))
    for psi in PSIS:
        images = draw(generator, z, seed=SEED, psi=psi)
        fifths = [measure(fifth, real) for fifth in images.split(FEW)]
        columns = {name: [round(row[i], 5) for row in fifths] for i, name in enumerate(COLUMNS)}
        yield {"psi": psi, **_named(measure(images, real)), "fifths": columns}


def sweep_threshold() -> Iterator[dict]:
    """A row for each network and each threshold on z."""
    real = embed(fashion_mnist("test").images, progress=False)
    for name in ("vae", "stylegan"):
        generator = load(name)
        for threshold in THRESHOLDS if name == "vae" else (0.25, 1.0, 3.0):
            z = truncated_normal((IMAGES, generator.z_dim), threshold, generator=stream(SEED))
            values = measure(draw(generator, z, seed=SEED), real)
            yield {"network": name, "threshold": threshold, **_named(values)}


def _named(values: Sequence[float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in zip(COLUMNS, values, strict=True)}


def store() -> None:
    """Measure everything and write it with its provenance."""
    about = {
        "images": IMAGES,
        "seed": SEED,
        "real": "Fashion-MNIST, 10,000 test images",
        "extractor": "fashion 1",
        "neighbours": 3,
    }
    models = ("stylegan", "vae", "classifier")
    write_measured("05_psi", COMMAND, models, about, {"psi": sweep_psi(), "threshold": sweep_threshold()})


def reaches(stored: dict[str, list]) -> np.ndarray:
    """Half the width of the 95% intervals of the table "psi", for another draw of latents: (rows, 4).

    The standard error is the spread over the five fifths of the images over sqrt(5); Student's t has four degrees of
    freedom. The spread at 10,000 images is taken for 1 / sqrt(5) of that at 2,000.
    """
    fifths = np.array([[row[name] for name in COLUMNS] for row in stored["fifths"]])  # (rows, 4, 5)
    return STUDENT * fifths.std(axis=2, ddof=1) / fifths.shape[2] ** 0.5


def trade_curves(stored: dict[str, list]) -> Figure:
    """FID, precision and recall, and the Inception Score along psi, with their intervals."""
    figure, axes = new(1, 3, size=(8, 2.9), title="Truncation buys a little fidelity for much diversity")
    places = {"fid": 0, "precision": 1, "recall": 1, "inception_score": 2}
    colors = {
        "fid": FAKE,
        "precision": PALETTE["green"],
        "recall": PALETTE["purple"],
        "inception_score": GREY,
    }
    reach = reaches(stored)
    for i, name in enumerate(COLUMNS):
        values = np.array(stored[name])
        around = np.stack([values - reach[:, i], values + reach[:, i]], axis=1)
        plot_interval(axes[places[name]], stored["psi"], values, around, color=colors[name], label=name)
    axes[0].set(ylabel="FID", ylim=(0, None))
    axes[1].set(ylabel="share of images", ylim=(-0.03, 1.03))
    axes[1].legend(fontsize=8.5, loc="center left")
    axes[2].set(ylabel="Inception Score", ylim=(1, None))
    for ax in axes:
        ax.set(xlabel="psi")
    return figure


def length_histograms(lengths: dict[int, Tensor]) -> Figure:
    """Lengths of latents over the root of their dimension: {D: (N,)}."""
    figure, ax = new(size=(6, 3), title="In many dimensions all normal latents are equally long")
    for (d, length), color in zip(lengths.items(), PALETTE.values(), strict=False):
        values = (length / d**0.5).numpy()
        ax.hist(values, bins=60, density=True, histtype="step", lw=1.6, color=color, label=f"D = {d}")
    ax.set(xlabel="length of z, in units of the root of D", ylabel="density", xlim=(0, 2.5))
    ax.legend(fontsize=9)
    return figure


def latent_histograms(ways: dict[str, Tensor], threshold: float) -> Figure:
    """One histogram for each way of dealing with a threshold: {name: values}."""
    figure, axes = new(1, len(ways), size=(8, 2.7), sharex=True, sharey=True)
    for ax, (name, values) in zip(axes, ways.items(), strict=True):
        bins = np.linspace(-2, 2, 81) + 1e-9  # a value of exactly 1 falls into the bin that ends there
        ax.hist(values.flatten().numpy(), bins=bins, density=True, color=FAKE)
        for end in (-threshold, threshold):
            ax.axvline(end, color=GREY, lw=1, ls="--")
        ax.set(title=name, xlabel="coordinate of z")
    axes[0].set_ylabel("density")
    return figure


def staircases(walks: dict[tuple[int, int], Sequence[np.ndarray]]) -> Figure:
    """Exposures along a session, for each pair of steps (up, down)."""
    figure, axes = new(1, 2, size=(8, 2.9), sharey=True, title="Where a staircase rests depends on its steps")
    for ax, ((up, down), runs) in zip(axes, walks.items(), strict=True):
        for run in runs:
            ax.plot(run, color=GREY, lw=0.5, alpha=0.5)
        ax.plot(np.mean(runs, axis=0), color=FAKE, lw=2, label="mean of 30")
        ax.axhline(300, color=REAL, ls="--", label="75% right")
        ax.set(title=f"{up} ms up, {down} ms down", xlabel="image", ylim=(0, 620))
    axes[0].set_ylabel("shown for (ms)")
    axes[0].legend(fontsize=8.5, loc="lower right")
    return figure


if __name__ == "__main__":
    store()
