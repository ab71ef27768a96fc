"""The five candidates, what is measured of them once, the table of sanity cases, and the pictures of chapter 12.

`python -m gancourse.chapters.ch12_capstone.pictures` measures the card again, into `data/measured/12_card.json`.
"""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from scipy.special import softmax
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gancourse import figures, metrics, models
from gancourse.chapters.measured import read_measured, write_measured
from gancourse.datasets import fashion_mnist
from gancourse.features import embed

NAMES = ("StyleGAN", "truncated", "VAE", "mode-dropper", "memoriser")
MISSING = ("Sandal", "Sneaker", "Ankle boot")  # the mode-dropper makes no shoes
PSI, MEMORY = 0.5, 10_000
IMAGES, SEED = 10_000, 1
COMMAND = "python -m gancourse.chapters.ch12_capstone.pictures"


def candidates(n: int, *, seed: int = SEED) -> dict[str, Tensor]:
    """n images (n, 1, 28, 28) of each of the five candidates, in the order of NAMES.

    The mode-dropper is the StyleGAN without the images that the classifier takes for one of MISSING; the memoriser gives
    back one of the first MEMORY training images, drawn with replacement.
    """
    stylegan, train, kept = models.load("stylegan"), fashion_mnist("train"), Tensor()
    pool = models.sample(stylegan, n + n // 2, seed=seed)[..., 2:-2, 2:-2]
    missing = torch.tensor([train.classes.index(name) for name in MISSING])
    kept = pool[~torch.isin(labels(pool), missing)]
    if len(kept) < n:
        raise ValueError(
            f"n: of {len(pool)} images only {len(kept)} are of the kinds that the mode-dropper makes"
        )
    copied = torch.randint(MEMORY, (n,), generator=torch.Generator().manual_seed(seed))
    made = (
        pool[:n],
        models.sample(stylegan, n, seed=seed + 1, psi=PSI)[..., 2:-2, 2:-2],
        models.sample(models.load("vae"), n, seed=seed + 2),
        kept[:n],
        train.images[copied],
    )
    return dict(zip(NAMES, made, strict=True))


def probabilities(images: Tensor) -> Tensor:
    """p(y | x) by the course's classifier, 500 images at a time: (N, 10)."""
    network = models.load("classifier")
    with torch.inference_mode():
        return torch.cat([network.probabilities(batch) for batch in images.split(500)])


def labels(images: Tensor) -> Tensor:
    """The class that the course's classifier finds most likely: (N,)."""
    return probabilities(images).argmax(dim=1)


def encoders() -> dict[str, nn.Module | Callable]:
    """Three networks that turn garments into features: the classifier, the VAE's mean, and one that has learnt nothing."""
    vae = models.load("vae")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        untrained = models.Classifier().eval()

    def code(images: Tensor) -> Tensor:
        return vae.encode(images.float() / 255)[0]

    return {"classifier": models.load("classifier"), "VAE's mean": code, "random network": untrained}


# --- the card ----------------------------------------------------------------------------------------------


def measured() -> dict:
    """The stored card: {"card": {candidate: {metric: Estimate}}, "encoders": {encoder: {candidate: Estimate}}, ...}."""
    found = read_measured("12_card")

    def estimate(row: dict) -> metrics.Estimate:
        return metrics.Estimate(
            row["value"], row["stderr"], row["interval"] and tuple(row["interval"]), row["n"]
        )

    for part in ("card", "encoders"):
        found[part] = {
            name: {key: estimate(row) for key, row in rows.items()} for name, rows in found[part].items()
        }
    return found


def store() -> None:
    """Measure the five candidates on IMAGES of each and write the card with its provenance."""
    train, test = fashion_mnist("train").images, fashion_mnist("test").images[:IMAGES]
    images = candidates(IMAGES)
    trained, real = embed(train, progress=False), embed(test, progress=False)
    card: dict[str, dict] = {}
    for name, made in images.items():
        fake = embed(made, progress=False)
        found = metrics.report(
            real=real, fake=fake, train=trained, probabilities=probabilities(made),
            real_probabilities=probabilities(test),
        ).estimates  # fmt: skip
        card[name] = {**found, "Vendi score": metrics.vendi_score(fake)}
        print(name, {key: str(value) for key, value in card[name].items()}, flush=True)
    spaces: dict[str, dict] = {}
    for name, encoder in encoders().items():
        reals = embed(test, encoder, progress=False)
        spaces[name] = {
            key: metrics.fid_infinity(real=reals, fake=embed(made, encoder, progress=False))
            for key, made in images.items()
        }
    about = {
        "images": IMAGES, "seed": SEED, "psi": PSI, "memory": MEMORY,
        "real": f"Fashion-MNIST, {len(test)} test images", "train": f"all {len(train)} training images",
        "extractor": "fashion 1",
    }  # fmt: skip
    tables = {
        part: {name: {key: _row(e) for key, e in row.items()} for name, row in table.items()}
        for part, table in (("card", card), ("encoders", spaces))
    }
    write_measured("12_card", COMMAND, ("stylegan", "vae", "classifier"), about, tables)


def _row(e: metrics.Estimate) -> dict:
    def short(x: float | None) -> float | None:
        return None if x is None else float(f"{x:.6g}")

    ends = e.interval and [short(end) for end in e.interval]
    return {"value": short(e.value), "stderr": short(e.stderr), "interval": ends, "n": e.n}


# --- eight simple cases ------------------------------------------------------------------------------------

CASES = (
    "identical", "shifted", "dropped mode", "invented mode", "copies", "one outlier", "few samples", "rescaled",
)  # fmt: skip
REPEATS, SAMPLES, FEW, DIM = 12, 300, 30, 8
SURE = 4.0  # standard errors by which two means must differ to count as different
# metric: what it is meant to see, +1 where higher is better, and a perfect generator's value (None: as the reals')
SANE: dict[str, tuple[str, int, float | None]] = {
    "FID": ("both", -1, 0.0), "KID": ("both", -1, 0.0), "Inception Score": ("both", 1, None),
    "precision": ("fidelity", 1, 1.0), "density": ("fidelity", 1, 1.0), "PRD F1/8": ("fidelity", 1, 1.0),
    "recall": ("diversity", 1, 1.0), "coverage": ("diversity", 1, 1.0), "PRD F8": ("diversity", 1, 1.0),
    "Vendi score": ("diversity", 1, None), "authenticity": ("copying", 1, None), "C_T": ("copying", 1, 0.0),
}  # fmt: skip
# what a metric of each kind must do, against the case "identical", or for the cases of BASED_ON_SHIFTED against "shifted"
BASED_ON_SHIFTED = ("one outlier", "rescaled")
WANTED = {
    "identical": dict.fromkeys(("both", "fidelity", "diversity", "copying"), "perfect"),
    "shifted": {"both": "worse", "fidelity": "worse", "diversity": "worse", "copying": "not worse"},
    "dropped mode": {"both": "worse", "fidelity": "same", "diversity": "worse", "copying": "not worse"},
    "invented mode": {
        "both": "worse",
        "fidelity": "worse",
        "diversity": "not better",
        "copying": "not worse",
    },
    "copies": dict.fromkeys(("both", "fidelity", "diversity", "copying"), "worse"),
    **{case: dict.fromkeys(("both", "fidelity", "diversity", "copying"), "same") for case in CASES[5:]},
}


def sanity_case(case: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One case's samples, "real", "train" and "fake" (n, DIM), and p(mode | x) of the two first: "p_real", "p_fake".

    The world is a mixture of four unit normals; the classifier knows their densities. A fifth normal is what "invented
    mode" adds. "shifted" moves all fakes by five standard deviations; to that, "one outlier" adds a stray in each set,
    and "rescaled" multiplies all features by ten.
    """

    def draw(modes: int) -> np.ndarray:
        return rng.normal(size=(n, DIM)) + 6.0 * np.eye(DIM)[rng.integers(modes, size=n)]

    n = FEW if case == "few samples" else SAMPLES
    real, train = draw(4), draw(4)
    fake = train.copy() if case == "copies" else draw({"dropped mode": 3, "invented mode": 5}.get(case, 4))
    if case in ("shifted", *BASED_ON_SHIFTED):
        fake[:, -1] += 5.0
    if case == "one outlier":
        real[0, -1], train[0, -1], fake[0, -1] = 40.0, 40.0, -40.0
    p_real, p_fake = (
        softmax(-np.square(x[:, None] - 6.0 * np.eye(DIM)[:4]).sum(axis=2) / 2, axis=1) for x in (real, fake)
    )
    scale = 10.0 if case == "rescaled" else 1.0
    return {
        "real": scale * real,
        "train": scale * train,
        "fake": scale * fake,
        "p_real": p_real,
        "p_fake": p_fake,
    }


def sanity_values(sets: dict[str, np.ndarray]) -> dict[str, float]:
    """Every metric of SANE; those whose perfect value is the reals' as the difference from it."""
    real, fake, train = sets["real"], sets["fake"], sets["train"]
    shares = metrics.precision_recall(real=real, fake=fake)
    balls = metrics.density_coverage(real=real, fake=fake)
    curve = metrics.prd_curve(real=real, fake=fake, clusters=10, runs=2)

    def against_reals(metric: Callable, fakes: np.ndarray, reals: np.ndarray) -> float:
        return float(metric(fakes)) - float(metric(reals))

    values = (
        metrics.fid(real=real, fake=fake), metrics.kid(real=real, fake=fake),
        against_reals(metrics.inception_score, sets["p_fake"], sets["p_real"]),
        shares.precision, balls.density, curve.f_beta(1 / 8), shares.recall, balls.coverage, curve.f_beta(8),
        against_reals(metrics.vendi_score, fake, real),
        against_reals(lambda x: metrics.authenticity(train=train, fake=x), fake, real),
        metrics.data_copying(train=train, test=real, fake=fake),
    )  # fmt: skip
    return dict(zip(SANE, (float(value) for value in values), strict=True))


def sanity_table(*, seed: int = 0) -> dict[str, dict[str, bool]]:
    """Which metric does in which case what it must: {metric: {case: passed}}.

    Each case is drawn REPEATS times; means differ where they are more than SURE standard errors of these draws apart.
    """
    rng = np.random.default_rng(seed)
    drawn = {case: [sanity_values(sanity_case(case, rng)) for _ in range(REPEATS)] for case in CASES}
    table: dict[str, dict[str, bool]] = {metric: {} for metric in SANE}
    for metric, (kind, better, perfect) in SANE.items():
        found = {case: np.array([row[metric] for row in rows]) for case, rows in drawn.items()}
        for case in CASES:
            base = found["shifted" if case in BASED_ON_SHIFTED else "identical"]
            if case == "identical":
                base = np.full(REPEATS, perfect or 0.0)
            gap = better * (found[case].mean() - base.mean())
            noise = SURE * np.sqrt((found[case].var(ddof=1) + base.var(ddof=1)) / REPEATS)
            worse, other = gap < -noise - 1e-9, abs(gap) > noise + 1e-9
            wanted = WANTED[case][kind]
            table[metric][case] = {
                "worse": worse, "not worse": not worse, "not better": worse or not other
            }.get(wanted, not other)  # fmt: skip
    return table


# --- five teams --------------------------------------------------------------------------------------------


def five_teams(n: int = 1000) -> dict[str, Callable[[Tensor], float]]:
    """Five ways to measure "the FID against n real garments" of images (N, 1, 28, 28); one of them is right.

    The four others do what people have done by mistake and reported: see the chapter's sources.
    """
    test, train = (embed(fashion_mnist(split).images[:n], progress=False) for split in ("test", "train"))

    def distance(real: Tensor, images: Tensor) -> float:
        return metrics.fid(real=real, fake=embed(images, progress=False)).value

    def resized(images: Tensor) -> Tensor:
        small = interpolate(images.float(), size=20, mode="bilinear")  # without a filter against aliasing
        return interpolate(small, size=28, mode="bilinear").round().to(torch.uint8)

    return {
        "team 1": lambda images: distance(test, resized(images)),
        "team 2": lambda images: distance(test[:60], images[:60]),
        "team 3": lambda images: distance(train, images),
        "team 4": lambda images: distance(test, images),
        "team 5": lambda images: metrics.fid(real=test, fake=test).value,
    }


# --- pictures ----------------------------------------------------------------------------------------------

TITLES = {"FID infinity": "FID∞ (lower is better)"}
COLORS = dict(zip(NAMES, ("blue", "sky", "amber", "purple", "orange"), strict=True))


def card_figure(cards: dict[str, dict[str, metrics.Estimate]], asked: list[str]) -> Figure:
    """A panel for each metric: every candidate's value with its 95% interval, {candidate: {metric: Estimate}}."""
    figure, axes = figures.new(1, len(asked), size=(8, 2.5), sharey=True)
    for ax, metric in zip(axes, asked, strict=True):
        for row, (name, card) in enumerate(cards.items()):
            low, high = card[metric].interval or (card[metric].value,) * 2
            ax.plot([low, high], [row, row], "-", lw=2.5, color=figures.PALETTE[COLORS[name]])
            ax.plot(card[metric].value, row, "o", ms=6, color=figures.PALETTE[COLORS[name]])
        ax.set_title(TITLES.get(metric, metric), fontsize=10)
        ax.set(ylim=(len(cards) - 0.5, -0.5), xlim=(-0.7, None) if metric in TITLES else (-0.04, 1.04))
    axes[0].set(yticks=range(len(cards)), yticklabels=list(cards))
    return figure


def copying_figure(shares: dict[str, metrics.Estimate], z: dict[str, metrics.Estimate]) -> Figure:
    """Authenticity with its interval, that of "test images" as a line, and C_T as a dot on a stem from 0, of each candidate."""
    figure, (left, right) = figures.new(1, 2, size=(8, 2.5), sharey=True)
    for row, name in enumerate(z):
        color = figures.PALETTE[COLORS[name]]
        left.plot(shares[name].interval, [row, row], "-", lw=2.5, color=color)
        left.plot(shares[name].value, row, "o", ms=6, color=color)
        right.plot([0, z[name].value], [row, row], "-", lw=1, color=color)
        right.plot(z[name].value, row, "o", ms=6, color=color)
    left.axvline(shares["test images"].value, color=figures.GREY, ls="--", lw=1.2)
    left.text(shares["test images"].value - 0.02, 3.5, "test images", ha="right", va="center", fontsize=9.5)
    left.set(title="authenticity", xlim=(-0.04, 1.04), ylim=(len(z) - 0.5, -0.5))
    right.axvline(0, color=figures.GREY, ls="--", lw=1.2)
    right.set(title="$C_T$: left of 0, nearer than test images", yticks=range(len(z)), yticklabels=list(z))
    return figure


def shares_figure(shares: dict[str, Tensor], classes: list[str]) -> Figure:
    """Shares of the classes in several sets: {name: (K,)}."""
    figure, ax = figures.new(size=(8, 2.8), title="Not one image was changed, only how often it comes")
    colors = (figures.REAL, figures.GREY, figures.FAKE)
    for i, (name, share) in enumerate(shares.items()):
        ax.bar(np.arange(len(share)) + 0.27 * (i - 1), share.numpy(), 0.25, color=colors[i], label=name)
    ax.set_xticks(range(len(classes)), [name.replace(" ", "\n").replace("/", "/\n") for name in classes])
    ax.set(ylabel="share of images")
    ax.legend(fontsize=9, ncols=3, frameon=False)
    return figure


def rank_figure(values: dict[str, dict[str, float]]) -> Figure:
    """Each candidate's rank (1 is the lowest FID) in each encoder: {encoder: {candidate: FID}}."""
    figure, ax = figures.new(size=(7, 3.0), title="The encoder decides who is last")
    for name in NAMES:
        ranks = [sorted(row, key=row.__getitem__).index(name) + 1 for row in values.values()]
        ax.plot(range(len(ranks)), ranks, "o-", lw=2.2, ms=7, color=figures.PALETTE[COLORS[name]])
        ax.text(len(ranks) - 0.92, ranks[-1], name, va="center", fontsize=10)
    ax.set(xticks=range(len(values)), xticklabels=list(values), xlim=(-0.2, len(values) - 0.35))
    ax.set(yticks=range(1, len(NAMES) + 1), ylim=(len(NAMES) + 0.4, 0.6), ylabel="rank by FID∞")
    return figure


def sanity_figure(table: dict[str, dict[str, bool]]) -> Figure:
    """Passed or failed, for each metric and case: {metric: {case: passed}}."""
    passed = np.array([[row[case] for case in CASES] for row in table.values()])
    figure, ax = figures.new(size=(8, 4.6), title="Which metric does what it must?")
    ax.imshow(
        np.where(passed, 0.0, 1.0), cmap=ListedColormap(["#E8F1F8", figures.PALETTE["orange"]]), aspect="auto"
    )
    for (row, column), ok in np.ndenumerate(passed):
        ax.text(column, row, "✓" if ok else "✗ fails", ha="center", va="center", fontsize=9.5)
    ax.set_xticks(range(len(CASES)), [case.replace(" ", "\n") for case in CASES])
    ax.set_yticks(range(len(table)), [f"{name} ({SANE[name][0]})" for name in table])
    ax.xaxis.tick_top()
    ax.grid(False)
    return figure


if __name__ == "__main__":
    store()
