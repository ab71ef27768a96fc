"""Shipping a trained model: measure it, write its weights, its card and its sample sheet, list them in SHA256SUMS."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from gancourse.datasets import data_path, fashion_mnist
from gancourse.features import embed
from gancourse.metrics import fid, fid_infinity, inception_score, precision_recall
from gancourse.models import load, parameters, save
from gancourse.models.sampling import sample
from gancourse.training.sheets import tile

LICENCE = "MIT (trained here on Fashion-MNIST, MIT, Zalando SE)"


@torch.inference_mode()
def probabilities(images: Tensor, classifier: nn.Module) -> Tensor:
    """p(y | x) of every image, (N, classes)."""
    return torch.cat([classifier.probabilities(batch) for batch in images.split(500)])


def measure(images: Tensor, *, reals: Tensor | None = None) -> dict[str, str]:
    """What the course's metrics say of generated images (N, 1, 28 or 32, ...) against Fashion-MNIST's test images."""
    classifier = load("classifier")
    reals = fashion_mnist("test").images if reals is None else reals
    real, fake = embed(reals, classifier), embed(images, classifier)
    p = probabilities(images, classifier)
    shares = torch.bincount(p.argmax(1), minlength=p.shape[1]) / len(p)
    manifold = precision_recall(real=real, fake=fake, k=3)
    score, best = inception_score(p), inception_score(probabilities(reals, classifier))
    return {
        "images measured": f"{len(images)} against {len(reals)} test images, extractor {classifier.name} {classifier.version}",
        "FID": str(fid(real=real, fake=fake)),
        "FID without its 1/N bias": str(fid_infinity(real=real, fake=fake)),
        "precision (k = 3)": f"{manifold.precision:.3f}",
        "recall (k = 3)": f"{manifold.recall:.3f}",
        "Inception Score": f"{score} ({100 * score.value / best.value:.0f}% of the test set's {best})",
        "smallest class share": f"{100 * float(shares.min()):.1f}% ({fashion_mnist('test').classes[int(shares.argmin())]})",
    }


def brackets() -> dict[str, dict[str, str]]:
    """The two ends of the scale: real against real, and test images with their pixels shuffled."""
    train, test = fashion_mnist("train").images, fashion_mnist("test").images
    order = torch.randperm(784, generator=torch.Generator().manual_seed(0))
    shuffled = test.flatten(1)[:, order].view_as(test)
    return {"10,000 training images": measure(train[:10_000]), "shuffled pixels": measure(shuffled)}


def ship(
    name: str,
    model: nn.Module,
    *,
    about: str,
    recipe: Mapping,
    numbers: Mapping,
    limits: str,
    tried: str = "",
    sheet: Tensor | None = None,
) -> Path:
    """Write data/models/NAME.safetensors, NAME.md and, given uint8 images, NAME.png; then renew SHA256SUMS.

    recipe and numbers are rows of two tables; `tried` is Markdown on what else was tried and what came of it.
    """
    path = save(model, data_path("models", f"{name}.safetensors"))
    picture = ""
    if sheet is not None:
        tile(sheet, columns=16, scale=64 // sheet.shape[-1]).save(path.with_suffix(".png"))
        picture = f"![{len(sheet)} samples of {name}, not chosen]({name}.png)\n\n"
    rows = [("class", type(model).__name__), ("parameters", f"{parameters(model):,}"), *recipe.items()]
    parts = {
        "Recipe": _table(rows),
        "Measured": _table(list(numbers.items())) if numbers else "",
        "Tried": tried,
        "Limits": limits,
        "Licence": LICENCE,
    }
    text = "\n\n".join(f"## {head}\n\n{body.strip()}" for head, body in parts.items() if body)
    path.with_suffix(".md").write_text(f"# {name}\n\n{about}\n\n{picture}{text}\n", encoding="utf-8")
    renew_checksums()
    return path


def _table(rows: list[tuple[str, object]]) -> str:
    return "| | |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in rows)


def read(name: str) -> dict[str, str]:
    """Everything that a shipped model's card lists, as label -> text."""
    lines = data_path("models", f"{name}.md").read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split(" | ", 1) for line in lines if line.startswith("| ")]
    return {pair[0]: pair[1] for pair in cells if len(pair) == 2}


def renew_checksums() -> None:
    """List every shipped data file with its SHA-256 in data/SHA256SUMS."""
    root = data_path()
    files = sorted(
        p for p in root.rglob("*") if p.suffix in (".gz", ".safetensors", ".npz") or p.name == "LICENSE"
    )
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(root).as_posix()}\n" for p in files
    ]
    (root / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def samples_of(generator: nn.Module) -> Tensor:
    """The 10,000 images that a card measures."""
    return sample(generator, 10_000, seed=1)
