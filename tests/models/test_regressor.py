"""Factors read off drawn shapes are those that were put in."""

import math

import pytest
import torch

from gancourse.datasets import shapes
from gancourse.models import load
from gancourse.models.regressor import FactorRegressor, targets
from gancourse.training.regressor import errors
from gancourse.training.run import seeded


def test_targets_by_hand():
    factors = {"hue": torch.tensor([0.25]), "size": torch.tensor([6.5]), "rotation": torch.tensor([math.pi])}
    factors |= {"x": torch.tensor([12.0]), "y": torch.tensor([16.0])}
    torch.testing.assert_close(targets(factors), torch.tensor([[0.0, 1, -1, 0, 1, -1, 0]]), atol=1e-6, rtol=0)


def test_what_targets_write_factors_read():
    drawn = shapes(40, seed=3)
    one_hot = torch.nn.functional.one_hot(drawn.labels, 4).float()
    network = seeded(0, FactorRegressor).eval()
    network.forward = lambda images: torch.cat([one_hot, targets(drawn.factors)], 1)
    for name, column in network.factors(drawn.images).items():
        torch.testing.assert_close(column, drawn.factors[name], atol=1e-5, rtol=1e-5)


def test_angles_on_both_sides_of_zero_are_near_each_other():
    drawn = shapes(10, factors={"hue": 0.999, "rotation": 2 * math.pi - 0.01}, seed=0)
    network = seeded(0, FactorRegressor)
    network.factors = lambda images: {
        **drawn.factors,
        "hue": torch.full((10,), 0.002),
        "rotation": torch.full((10,), 0.02),
    }
    found = errors(network, drawn)
    assert found["hue"] == pytest.approx(0.003, abs=1e-5) and found["rotation"] == pytest.approx(
        0.03, abs=1e-5
    )
    assert found["shape"] == found["size"] == 0


@pytest.mark.parametrize("size", [(3, 28, 28), (1, 32, 32)])
def test_other_images_are_refused(size):
    with pytest.raises(ValueError, match=r"images: expected shape \(N, 3, 32, 32\)"):
        seeded(0, FactorRegressor)(torch.zeros(1, *size, dtype=torch.uint8))


def test_the_shipped_one_reads_each_shape_at_the_ends_of_its_ranges():
    network = load("shapes-regressor")
    for name, ends in {"size": (4.0, 6.5), "x": (12.0, 20.0), "y": (12.0, 20.0)}.items():
        for end in ends:
            read = network.factors(shapes(200, factors={name: end}, seed=9).images)
            assert float((read[name] - end).abs().mean()) < 0.5
    for shape in range(4):
        drawn = shapes(100, factors={"shape": torch.full((100,), shape)}, seed=9)
        assert float((network.factors(drawn.images)["shape"] == shape).double().mean()) > 0.98
