"""What the course claims of the StyleGAN of drawn shapes holds for the weights that are shipped."""

import torch

from gancourse.models import load, sample
from gancourse.training.entanglement import FACTORS, entanglement


def test_every_shape_and_every_hue_comes():
    read = load("shapes-regressor").factors(sample(load("stylegan-shapes"), 1000, seed=5))
    assert (
        torch.bincount(read["shape"], minlength=4).min() > 30
    )  # a fair share is 250; the card says that it is not fair
    assert torch.histc(read["hue"], bins=6, min=0, max=1).min() > 80  # of 167


def test_factors_are_read_off_w_better_than_off_z():
    z, w = (
        entanglement(load("stylegan-shapes"), load("shapes-regressor"), space, samples=2000, steps=20)
        for space in "zw"
    )
    for name in ("hue", "size", "x", "y"):
        factor = FACTORS.index(name)
        assert float(w.read[factor]) > float(z.read[factor]) + 0.1, name
