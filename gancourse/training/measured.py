"""The numbers on the cards: what the course's own metrics say of each trained model."""

import math
from functools import partial

import torch
from scipy.stats import ks_2samp
from torch import Tensor, nn

from gancourse.datasets import corruptions, fashion_mnist, shapes, toy_runs
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
from gancourse.training import classifier, regressor, vae
from gancourse.training.entanglement import FACTORS, entanglement


def of(model: nn.Module) -> dict[str, str]:
    """label -> number, with its uncertainty where one is known; nothing for a network that is only half of a model."""
    kinds = {
        "Classifier": of_classifier,
        "FactorRegressor": of_regressor,
        "VAE": of_vae,
        "StyleGANGenerator": of_stylegan,
    }
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
    """Nothing for one of other images than Fashion-MNIST's or drawn shapes."""
    if (model.resolution, model.config["image_channels"]) == (32, 3):
        return {**of_shapes(sample(model, 10_000, seed=1)), **of_entanglement(model)}
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


def of_regressor(model: nn.Module) -> dict[str, str]:
    found = regressor.errors(model, shapes(10_000, seed=2))
    return {
        "images measured": "10,000 shapes from a seed that training did not see; errors are root mean squares",
        "wrong shapes": f"{100 * found['shape']:.2f}%",
        "error of rotation": f"{math.degrees(found['rotation']):.1f} degrees",
        "error of hue": f"{found['hue']:.4f} of a turn",
        "error of size, x and y": ", ".join(f"{found[name]:.2f}" for name in ("size", "x", "y")) + " pixels",
    }


def of_shapes(fake: Tensor) -> dict[str, str]:
    """What the regressor sees in generated shapes, uint8 (N, 3, 32, 32), beside held-out ones."""
    reader = load("shapes-regressor")
    test, train = shapes(10_000, seed=2), shapes(10_000, seed=0)
    read = {"test": reader.factors(test.images), "fake": reader.factors(fake)}
    real, seen, made = (embed(images, reader) for images in (test.images, train.images, fake))
    manifold = precision_recall(real=real, fake=made)
    shares = torch.bincount(read["fake"]["shape"], minlength=4) / len(fake)
    gaps = [
        f"{name} {ks_2samp(read['fake'][name].numpy(), read['test'][name].numpy()).statistic:.3f}"
        for name in ("hue", "size", "x", "y", "rotation")
    ]
    overlaps = {name: redrawn(images, read[name]) for name, images in (("fake", fake), ("test", test.images))}
    alike = {name: f"{100 * float((o >= 0.8).double().mean()):.1f}%" for name, o in overlaps.items()}
    return {
        "images measured": f"{len(fake)} against {len(test)} held-out shapes, extractor {reader.name} {reader.version}",
        "FID": str(fid(real=real, fake=made)),
        "for comparison, FID of 10,000 training shapes": str(fid(real=real, fake=seen)),
        "precision and recall (k = 3)": f"{manifold.precision:.3f} and {manifold.recall:.3f}",
        "images that overlap by 0.8 or more with the shape drawn from the factors read": (
            f"{alike['fake']}, of held-out shapes {alike['test']}"
        ),
        "shares of the shapes": ", ".join(
            f"{name} {100 * float(share):.1f}%" for name, share in zip(test.classes, shares, strict=True)
        ),
        "largest gap between a factor's distribution functions, of samples and of held-out shapes": ", ".join(
            gaps
        ),
    }


def redrawn(images: Tensor, factors: dict[str, Tensor]) -> Tensor:
    """Intersection over union of each image with the shape of these factors, both cut at half brightness: (N,)."""
    legal = {"size": (1, 16), "x": (0, 32), "y": (0, 32)}
    kept = {name: column.clamp(*legal[name]) if name in legal else column for name, column in factors.items()}
    a, b = (x.amax(1) >= 128 for x in (images, shapes(len(images), factors=kept).images))
    return (a & b).sum((1, 2)) / (a | b).sum((1, 2)).clamp(min=1)


def of_entanglement(model: nn.Module, seeds: int = 5) -> dict[str, str]:
    """Rows for z and for w; what stands after +- is the standard deviation over seeds."""
    rows, reader = {}, load("shapes-regressor")
    for space in ("z", "w"):
        found = [entanglement(model, reader, space, seed=seed) for seed in range(seeds)]
        for label, parts in (
            (f"factors read off {space} by a linear map: accuracy, R^2", [one.read for one in found]),
            (
                f"along a factor's direction in {space}, its own change",
                [one.moved.diagonal() for one in found],
            ),
            (
                f"along a factor's direction in {space}, the others' mean change over its own",
                [one.aside for one in found],
            ),
        ):
            values = torch.stack(parts)
            rows[label] = ", ".join(
                f"{name} {mean:.3f} ± {sd:.3f}"
                for name, mean, sd in zip(
                    FACTORS, values.mean(0).tolist(), values.std(0).tolist(), strict=True
                )
            )
    return rows


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
