"""The numbers on the cards: what the course's own metrics say of each trained model."""

from functools import partial

import torch
from torch import Tensor, nn

from gancourse.datasets import corruptions, fashion_mnist, toy_runs
from gancourse.features import embed
from gancourse.features.perceptual import perceptual
from gancourse.metrics import (
    fid,
    fid_infinity,
    inception_score,
    perceptual_distance,
    perceptual_path_length,
    precision_recall,
)
from gancourse.models import load, sample
from gancourse.seeds import stream
from gancourse.training import classifier, vae


def of(model: nn.Module) -> dict[str, str]:
    """label -> number, with its uncertainty where one is known; nothing for a network that is only half of a model."""
    kinds = {"Classifier": of_classifier, "VAE": of_vae, "StyleGANGenerator": of_stylegan}
    kind = kinds.get(type(model).__name__)
    return kind(model) if kind else {}


def of_classifier(model: nn.Module) -> dict[str, str]:
    train, test = fashion_mnist("train"), fashion_mnist("test")
    images = train.images[:10_000], test.images, corruptions.blur(test.images, 0.5)
    seen, unseen, blurred = (embed(x, model) for x in images)
    return {
        "test accuracy": f"{100 * classifier.accuracy(model, test.images, test.labels):.2f}%",
        "FID, 10,000 training against the test images": str(fid(real=unseen, fake=seen)),
        "FID, test against test blurred by 0.5 px": str(fid(real=unseen, fake=blurred)),
    }


def of_vae(model: nn.Module) -> dict[str, str]:
    test = fashion_mnist("test").images
    bound = vae.bound(model, test)
    with torch.inference_mode():
        mu, log_var = model.encode(test[:5000] / 255)
        kl = 0.5 * (mu.square() + log_var.exp() - log_var - 1).mean(0)
    if model.likelihood == "bernoulli":
        floor = {
            "floor of the reconstruction (entropy of the grey targets)": f"{vae.entropy_floor(test):.1f} nats"
        }
    else:
        constant = test[0].numel() / 2 * torch.log(torch.tensor(torch.pi)).item()
        floor = {"of the reconstruction, the constant 392 log pi": f"{constant:.1f} nats"}
    return {
        "test -ELBO (weight 1), one z an image": f"{bound['negative_elbo']:.1f} nats",
        "of which reconstruction and KL": f"{bound['reconstruction']:.1f} and {bound['kl']:.1f} nats",
        "latent dimensions in use (mean KL above 0.05 nats)": f"{int((kl > 0.05).sum())} of {model.z_dim}",
        **floor,
        **of_images(sample(model, 10_000, seed=1)),
    }


def of_stylegan(model: nn.Module) -> dict[str, str]:
    """Nothing for one of other images than Fashion-MNIST's."""
    if (model.resolution, model.config["image_channels"]) != (32, 1):
        return {}
    real = embed(fashion_mnist("test").images)
    images = {psi: sample(model, 10_000, seed=1, psi=psi) for psi in (1.0, 0.7, 0.5, 0.3)}
    fakes = {psi: embed(drawn) for psi, drawn in images.items()}
    found = {psi: precision_recall(real=real, fake=fake) for psi, fake in fakes.items()}
    sweep = [f"{psi:g}: {pr.precision:.3f} and {pr.recall:.3f}" for psi, pr in found.items()]
    distance = partial(perceptual_distance, **perceptual())
    lengths = {
        f"perceptual path length in {space} (full, course's features)": str(
            perceptual_path_length(model, distance, space=space, samples=5000)
        )
        for space in ("w", "z")
    }
    ours, theirs = (f"{third_neighbour(x[:5000]):.2f}" for x in (fakes[1.0], real))
    return {
        **of_images(images[1.0]),
        "precision and recall at psi": "; ".join(sweep),
        **lengths,
        "median distance to the third neighbour among 5,000": f"{ours}, of test images {theirs}",
        **brackets(),
    }


def third_neighbour(features: Tensor) -> float:
    """Median distance from a row to its third nearest neighbour: (N, D) -> number."""
    return torch.cdist(features, features).kthvalue(4, 1).values.median().item()


@torch.inference_mode()
def probabilities(images: Tensor, network: nn.Module) -> Tensor:
    """p(y | x) of every image, (N, classes)."""
    return torch.cat([network.probabilities(batch) for batch in images.split(500)])


def of_images(images: Tensor) -> dict[str, str]:
    """What the course's metrics say of generated images, uint8 (N, 1, 28 or 32, ...), against Fashion-MNIST's test images."""
    network, test = load("classifier"), fashion_mnist("test")
    real, fake = embed(test.images, network), embed(images, network)
    p = probabilities(images, network)
    shares = torch.bincount(p.argmax(1), minlength=p.shape[1]) / len(p)
    manifold = precision_recall(real=real, fake=fake, k=3)
    score, best = inception_score(p), inception_score(probabilities(test.images, network))
    return {
        "images measured": f"{len(images)} against {len(real)} test images, extractor {network.name} {network.version}",
        "FID": str(fid(real=real, fake=fake)),
        "FID without its 1/N bias": str(fid_infinity(real=real, fake=fake)),
        "precision (k = 3)": f"{manifold.precision:.3f}",
        "recall (k = 3)": f"{manifold.recall:.3f}",
        "Inception Score": f"{score} ({100 * score.value / best.value:.0f}% of the test set's {best})",
        "smallest class share": f"{100 * float(shares.min()):.1f}% ({test.classes[int(shares.argmin())]})",
    }


def brackets() -> dict[str, str]:
    """The two ends of the scale: real against real, and test images with their pixels shuffled."""
    train, test = fashion_mnist("train").images, fashion_mnist("test").images
    order = torch.randperm(784, generator=stream(0))
    ends = {
        "10,000 training images": train[:10_000],
        "shuffled pixels": test.flatten(1)[:, order].view_as(test),
    }
    rows = {}
    for name, images in ends.items():
        found = of_images(images)
        rows[f"for comparison, {name}"] = (
            f"FID {found['FID']}, precision {found['precision (k = 3)']}, recall {found['recall (k = 3)']}, "
            f"Inception Score {found['Inception Score'].split(' (')[0]}"
        )
    return rows


def of_toys() -> str:
    """A Markdown table for each target of what the shipped toy runs reached."""
    lines = []
    for target, mixture in toy_runs.TARGETS.items():
        lines += [
            f"### {target}: {len(mixture().centres)} modes",
            "",
            "| method | modes, each seed | high quality | averaged: modes, each seed | high quality |",
            "|---|---|---|---|---|",
        ]
        for method in toy_runs.METHODS:
            cells = [method]
            for reached in toy_runs.scores(target, method).values():
                modes, shares = zip(*reached, strict=True)
                mean, low, high = (
                    f"{100 * x:.0f}" for x in (sum(shares) / len(shares), min(shares), max(shares))
                )
                cells += [", ".join(map(str, modes)), f"{mean}% ({low} to {high}%)"]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)
