"""`gancourse train`: one name, one recipe, one folder of weights, log and sample sheets."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch.nn.functional as F

from gancourse.datasets import fashion_mnist, shapes
from gancourse.models import load, sample, save
from gancourse.models.stylegan import StyleGANGenerator
from gancourse.training import card, classifier, regressor, stylegan, toy, vae

SETTINGS = {  # what each recipe can be told
    "classifier": ("seed",),
    "vae": ("seed", "likelihood", "beta"),
    "stylegan": ("seed", "more"),
    "stylegan-shapes": ("seed",),
    "shapes-regressor": ("seed",),
    "toy": (),
}


def run(model: str, folder: str | Path, **settings: Any) -> Path:
    """Train `model` to the end of its recipe in `folder` and return the path of the weights.

    settings: those that the model's recipe takes: seed (0), likelihood ("bernoulli"), beta (1), more (0). With `more` a
    StyleGAN goes on from the shipped networks for so many images, under the last stage's settings and with fresh
    optimizers. ValueError for others, and for a folder with a checkpoint of others.
    """
    if model not in SETTINGS:
        raise ValueError(f"model: expected one of the recipes, got {model!r}")
    for name in settings:
        if name not in SETTINGS[model]:
            takers = [other for other, taken in SETTINGS.items() if name in taken]
            raise ValueError(f"{name}: {model} doesn't take it, only {', '.join(takers) or 'nothing'}")
    if not 0 <= settings.get("beta", 1.0) < math.inf:
        raise ValueError(f"beta: expected a finite number, 0 or more, got {settings['beta']}")
    seed, more = settings.get("seed", 0), settings.get("more", 0)
    if model == "classifier":
        trained = classifier.train(folder, **settings)
    elif model == "vae":
        trained = vae.train(folder, **settings)
    elif model == "stylegan":
        reals = F.pad(fashion_mnist("train").images, (2, 2, 2, 2))
        recipe, warm = stylegan.Recipe(seed=seed), None
        if more:
            seen = int(card.read("stylegan")["images seen"].replace(",", ""))
            warm = stylegan.Warm(load("stylegan"), load("stylegan-discriminator"), seen)
            recipe = recipe.going_on(warm.generator, seen, more)
        trained = stylegan.train(reals, folder, recipe, evaluate=_progress, warm=warm)
        return Path(folder) / f"stylegan-{trained.resolution}.safetensors"
    elif model == "shapes-regressor":
        trained = regressor.train(folder, seed=seed)
    elif model == "stylegan-shapes":
        recipe = replace(stylegan.SHAPES, seed=seed)
        trained = stylegan.train(shapes(20_000, seed=seed).images, folder, recipe)
        return Path(folder) / f"stylegan-{trained.resolution}.safetensors"
    else:
        return toy.train_all(folder)  # trajectories rather than weights, from fixed seeds
    return save(trained, Path(folder) / f"{model}.safetensors")


def _progress(generator: StyleGANGenerator, resolution: int, alpha: float) -> dict[str, float]:
    """Quick numbers along the way, on 5,000 samples; nan until the full resolution is reached."""
    from gancourse.features import embed
    from gancourse.metrics import fid, precision_recall

    if resolution < generator.resolution:
        return {"fid": float("nan"), "precision": float("nan"), "recall": float("nan")}
    extractor = load("classifier")
    real = embed(fashion_mnist("test").images[:5000], extractor, progress=False)
    fake = embed(sample(generator, 5000, seed=11, alpha=alpha), extractor, progress=False)
    manifold = precision_recall(real=real, fake=fake)
    return {
        "fid": fid(real=real, fake=fake).value,
        "precision": manifold.precision,
        "recall": manifold.recall,
    }
