"""What takes longer than chapter 11's minute, and the pictures of the chapter.

`python -m gancourse.chapters.ch11_interpolation.pictures` measures it again, into `data/measured/11_path_length.json`
and `data/measured/11_augmentation.json`.
"""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from scipy import stats
from torch import Tensor, nn

from gancourse import figures
from gancourse.chapters.measured import read_measured, write_measured
from gancourse.datasets import fashion_mnist
from gancourse.features import perceptual
from gancourse.latents import lerp
from gancourse.metrics import perceptual_distance, perceptual_path_length
from gancourse.models import load
from gancourse.seeds import stream

COMMAND = "python -m gancourse.chapters.ch11_interpolation.pictures"
SAMPLES, SEED = 10_000, 0
WAYS = ("none", "pixels, same class", "pixels, any two", "VAE latents, same class")
PER_CLASS, SEEDS = (5, 20), 8
COLORS = figures.PALETTE["orange"], figures.PALETTE["green"]  # of w and z, as in the demo


def measured(name: str) -> list[dict]:
    """The rows of a stored table, "path_length" or "augmentation"."""
    return read_measured(f"11_{name}")["rows"]


def measure_path_lengths() -> list[dict]:
    """PPL of the shipped StyleGAN in w and z, from full and end, on SAMPLES paths each."""
    generator, distance = load("stylegan"), partial(perceptual_distance, **perceptual())
    rows = []
    for sampling in ("full", "end"):
        for space in ("w", "z"):
            found = perceptual_path_length(
                generator, distance, space=space, sampling=sampling, samples=SAMPLES, seed=SEED
            )
            row = {"space": space, "sampling": sampling, "samples": SAMPLES}
            rows.append(row | {"value": round(found.value, 1), "stderr": round(found.stderr or 0, 1)})
    return rows


def few_garments(per_class: int, seed: int) -> tuple[Tensor, Tensor]:
    """`per_class` training images of each class, drawn at random: float (10 n, 1, 28, 28) in [0, 1], labels (10 n,)."""
    data = fashion_mnist("train")
    assert data.labels is not None
    order = torch.randperm(len(data), generator=stream(seed))
    kind = data.labels[order]
    picked = torch.cat([order[(kind == k).nonzero()[:per_class, 0]] for k in range(10)])
    return data.images[picked] / 255, data.labels[picked]


def augmented_accuracy(
    way: str, *, per_class: int, seed: int, steps: int = 400, batch_size: int = 64
) -> float:
    """Test accuracy in percent of a small network trained on few images and, by a way of WAYS, on images between them.

    "pixels, same class"       (1 - t) x_i + t x_j of one class, t uniform on (0, 1)
    "pixels, any two"          the same of any two, and the labels alike: mixup (Zhang et al. 2018) with alpha = 1
    "VAE latents, same class"  half of a batch: the shipped VAE's image of (1 - t) mu_i + t mu_j
    A seed has the same images, first weights and batch size in every way.
    """
    x, y = few_garments(per_class, seed)
    target, random, vae = F.one_hot(y, 10).float(), stream(1000 + seed), load("vae")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            *(nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(32 * 16, 10)),
        )
    with torch.no_grad():
        latents = vae.encode(x)[0]
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        i, j = torch.randint(len(x), (2, batch_size), generator=random)
        t = torch.rand(batch_size, generator=random)
        mates = i // per_class * per_class + j % per_class  # others of the same class
        images, wanted = x[i], target[i]
        if way == "pixels, same class":
            images = _between(x[i], x[mates], t)
        elif way == "pixels, any two":
            images, wanted = _between(x[i], x[j], t), lerp(target[i], target[j], t)
        elif way == "VAE latents, same class":
            with torch.no_grad():
                made = vae.decode(lerp(latents[i], latents[mates], t))
            images = torch.cat([images[: batch_size // 2], made[batch_size // 2 :]])
        adam.zero_grad(set_to_none=True)
        F.cross_entropy(network(images), wanted).backward()
        adam.step()
    test = fashion_mnist("test")
    assert test.labels is not None
    with torch.no_grad():
        right = torch.cat([network(part / 255).argmax(1) for part in test.images.split(1000)]) == test.labels
    return 100 * float(right.double().mean())


def _between(x: Tensor, y: Tensor, t: Tensor) -> Tensor:
    return lerp(x.flatten(1), y.flatten(1), t).view_as(x)


def measure_augmentation() -> list[dict]:
    """Accuracies of SEEDS seeds for each size and way."""
    return [
        {
            "per_class": per_class,
            "way": way,
            "accuracies": [
                round(augmented_accuracy(way, per_class=per_class, seed=seed), 2) for seed in range(SEEDS)
            ],
        }
        for per_class in PER_CLASS
        for way in WAYS
    ]


def draw_lengths(places: Tensor, ways: dict[str, Tensor], usual: Tensor) -> Figure:
    """Mean length along each path, name -> (places, pairs), against the middle 98% of `usual` lengths (n,)."""
    figure, ax = figures.new(size=(7, 3.2), title="Halfway, the straight line leaves the latents' shell")
    low, high = usual.quantile(torch.tensor([0.01, 0.99])).tolist()
    ax.axhspan(low, high, color=figures.GREY, alpha=0.25, lw=0, label="98% of random latents")
    for (name, lengths), style in zip(ways.items(), ("--", "-"), strict=True):
        ax.plot(places, lengths.mean(1), style, label=name, lw=2)
    ax.set(xlabel="place t on the path", ylabel="length of the latent", ylim=(0, None), xlim=(0, 1))
    ax.legend(loc="lower right")
    return figure


def draw_tail(lengths: dict[str, Tensor]) -> Figure:
    """Histograms of local path lengths, name of a space -> (n,), and their means, on a logarithmic axis."""
    figure, ax = figures.new(size=(6.4, 3), title="A few places make up most of the path length")
    bins = np.logspace(-1, 5, 37)
    for (space, values), color in zip(lengths.items(), COLORS, strict=True):
        ax.hist(values, bins=bins, histtype="step", lw=2, color=color, label=space)
        ax.axvline(float(values.mean()), color=color, ls=":", lw=2, label=f"mean in {space}")
    ax.set(
        xscale="log", xlabel="local path length", ylabel=f"paths of {len(values)}", xlim=(bins[0], bins[-1])
    )
    ax.legend(fontsize=9)
    return figure


def draw_largest_step(speeds: Tensor, images: Tensor) -> Figure:
    """The speed along one path (T - 1,), and the images (T, 1, H, W) two steps before to two after its largest step."""
    largest = min(max(int(speeds.argmax()), 2), len(speeds) - 3)
    figure, (above, below) = figures.new(
        2,
        1,
        size=(7, 4.2),
        height_ratios=[1, 1.1],
        title="One path in w, and the images around its largest step",
    )
    t = (torch.arange(len(speeds)) + 0.5) / len(speeds)
    above.plot(t, speeds, color=figures.FAKE)
    above.plot(t[largest], speeds[largest], "o", ms=9, mfc="none", mew=2, color="black")
    above.set(xlabel="place t on the path", ylabel="speed", xlim=(0, 1), ylim=(0, 1.15 * float(speeds.max())))
    near = range(largest - 2, largest + 4)
    labels = [f"t = {i / len(speeds):.3f}" for i in near]
    figures.draw_images(below, images[list(near)], labels=labels, columns=6)
    return figure


def draw_augmentation(table: list[dict]) -> Figure:
    """Change of accuracy against "none", the mean over seeds with its 95% interval, for each size and way."""
    figure, axes = figures.new(
        1, 2, size=(8, 3), sharex=True, sharey=True, title="What images between images bring to a classifier"
    )
    for ax, per_class in zip(axes, PER_CLASS, strict=True):
        gains = [gain(table, way, per_class) for way in WAYS[1:]]
        ax.axvline(0, color=figures.GREY, lw=1)
        means, halves = zip(*gains, strict=True)
        ax.errorbar(means, range(len(gains)), xerr=halves, fmt="o", capsize=4, color=figures.FAKE)
        ax.set(xlabel="change of accuracy (points)", yticks=range(len(gains)), yticklabels=WAYS[1:])
        ax.set_title(f"{per_class} images of each class")
        ax.set_ylim(len(gains) - 0.5, -0.5)
    return figure


def accuracies(table: list[dict], way: str, per_class: int) -> np.ndarray:
    """The stored accuracies of a way at a size, one a seed."""
    return np.array(
        next(r["accuracies"] for r in table if (r["way"], r["per_class"]) == (way, per_class)), float
    )


def gain(table: list[dict], way: str, per_class: int) -> tuple[float, float]:
    """Mean change against "none" of the same seeds, and half of its 95% interval (Student's t)."""
    change = accuracies(table, way, per_class) - accuracies(table, "none", per_class)
    half = stats.t.ppf(0.975, len(change) - 1) * change.std(ddof=1) / len(change) ** 0.5
    return float(change.mean()), float(half)


def main() -> None:
    """Measure both tables and store them with their provenance."""
    tables = {
        "augmentation": ({"seeds": f"0 to {SEEDS - 1}", "steps": 400, "batch": 64}, measure_augmentation),
        "path_length": ({"seed": SEED, "samples": SAMPLES, "distance": "fashion 1"}, measure_path_lengths),
    }
    for name, (about, measure) in tables.items():
        write_measured(f"11_{name}", COMMAND, ("stylegan", "classifier", "vae"), about, {"rows": measure()})


if __name__ == "__main__":
    main()
