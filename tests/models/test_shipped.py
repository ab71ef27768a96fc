"""What the course claims of its trained StyleGAN holds for the weights that are shipped."""

import functools
import itertools

import torch

from gancourse.datasets import fashion_mnist
from gancourse.features import embed
from gancourse.features.perceptual import perceptual
from gancourse.metrics import fid, perceptual_distance, perceptual_path_length, precision_recall
from gancourse.models import load, sample
from gancourse.models.stylegan import style_mix

N = 2000


@functools.cache
def features(psi: float | None) -> torch.Tensor:
    """Of test images (None) or of samples at one psi, from the same latents and noise for every psi."""
    images = fashion_mnist("test").images[:N] if psi is None else sample(load("stylegan"), N, seed=5, psi=psi)
    return embed(images, progress=False)


def styles(n: int, seed: int) -> torch.Tensor:
    z = torch.randn(n, load("stylegan").z_dim, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        return load("stylegan").mapping(z)


def error(p: float, q: float) -> float:
    """Standard error of the difference of two shares, each of N."""
    return ((p * (1 - p) + q * (1 - q)) / N) ** 0.5


def test_truncation_trades_recall_for_precision():
    sweep = [precision_recall(real=features(None), fake=features(psi)) for psi in (1.0, 0.7, 0.5, 0.3)]
    for wide, narrow in itertools.pairwise(sweep):
        assert narrow.precision > wide.precision - error(wide.precision, narrow.precision)
        assert narrow.recall < wide.recall
    first, last = sweep[0], sweep[-1]
    assert last.precision > first.precision + 3 * error(first.precision, last.precision)
    assert last.recall < first.recall / 3


def test_samples_are_far_nearer_to_real_garments_than_the_vaes():
    vae = embed(sample(load("vae"), N, seed=5), progress=False)
    ours = fid(real=features(None), fake=features(1.0)).value
    assert ours < fid(real=features(None), fake=vae).value / 3


def garment(images: torch.Tensor) -> torch.Tensor:
    return images > -0.7


def overlap(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Intersection over union of two garments' outlines, one an image."""
    both, either = garment(x) & garment(y), garment(x) | garment(y)
    return both.sum((1, 2, 3)) / either.sum((1, 2, 3)).clamp(min=1)


def brightness(x: torch.Tensor) -> torch.Tensor:
    return (x * garment(x)).sum((1, 2, 3)) / garment(x).sum((1, 2, 3)).clamp(min=1)


def correlation(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([x, y]))[0, 1])


def test_mixing_takes_the_shape_from_the_coarse_layers_and_the_surface_from_the_fine_ones():
    generator = load("stylegan")
    coarse, fine = styles(300, 1), styles(300, 2)
    with torch.inference_mode():
        a, b, mixed = (
            generator.synthesis(w) for w in (coarse, fine, style_mix(coarse, fine, 4, generator.num_layers))
        )
    assert float((overlap(mixed, a) > overlap(mixed, b)).float().mean()) > 0.7
    assert correlation(brightness(mixed), brightness(b)) > 0.5
    assert abs(correlation(brightness(mixed), brightness(a))) < 0.3


def test_paths_are_shorter_in_w_than_in_z():
    generator, distance = load("stylegan"), functools.partial(perceptual_distance, **perceptual())
    length = {
        space: perceptual_path_length(generator, distance, space=space, samples=1000, seed=0)
        for space in ("w", "z")
    }
    assert length["w"].value + 2 * length["w"].stderr < length["z"].value
