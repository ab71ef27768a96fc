"""The factors are measured again from the pixels, by means that know nothing of how they were drawn."""

import colorsys
import math

import pytest
import torch

from gancourse.datasets import shapes
from gancourse.datasets.shapes import _pick

N = 2000


@pytest.fixture(scope="module")
def drawn():
    return shapes(N, seed=5)


def coverage(data):
    """How much of each pixel the shape covers: colours are as bright as can be, so it is the largest channel."""
    return data.images.double().amax(1) / 255


def moments(data):
    """Area, and the centroid's x and y from the left and the top edge."""
    mass, centre = coverage(data), torch.arange(32, dtype=torch.float64) + 0.5
    area = mass.sum((1, 2))
    return area, (mass.sum(1) * centre).sum(1) / area, (mass.sum(2) * centre).sum(1) / area


def test_what_comes_back(drawn):
    assert drawn.images.dtype == torch.uint8 and drawn.images.shape == (N, 3, 32, 32)
    assert drawn.classes == ("heart", "drop", "moon", "arrow")
    assert set(drawn.factors) == {"shape", "hue", "size", "x", "y", "rotation"}
    assert torch.equal(drawn.factors["shape"], drawn.labels) and drawn.labels.dtype == torch.int64
    counts = drawn.labels.bincount(minlength=4)
    assert ((counts - N / 4).abs() < 5 * (N * 3 / 16) ** 0.5).all()


def test_position_is_the_centroid(drawn):
    _, x, y = moments(drawn)
    assert (x - drawn.factors["x"]).abs().max() < 0.15
    assert (y - drawn.factors["y"]).abs().max() < 0.15


def test_size_is_the_radius_of_the_disc_of_equal_area(drawn):
    area, _, _ = moments(drawn)
    ratio = area / (math.pi * drawn.factors["size"] ** 2)
    for label in range(4):
        assert (ratio[drawn.labels == label] - 1).abs().max() < 0.04


def test_hue(drawn):
    pixels = drawn.images.double().sum((2, 3))
    measured = torch.tensor([colorsys.rgb_to_hsv(*(p / p.max()).tolist())[0] for p in pixels])
    difference = (measured - drawn.factors["hue"] + 0.5) % 1 - 0.5
    assert difference.abs().max() < 0.005


@pytest.mark.parametrize("shape", ["heart", "drop", "moon", "arrow"])
def test_rotation_turns_counter_clockwise(shape):
    fixed = {"shape": shape, "hue": 0, "size": 6, "x": 16, "y": 16}
    turns = shapes(4, factors={**fixed, "rotation": torch.arange(4) * math.pi / 2}).images.float()
    for quarter in range(4):
        assert (torch.rot90(turns[0], quarter, (1, 2)) - turns[quarter]).abs().max() <= 2
    # No turn but the full one brings the shape back.
    angles = torch.arange(0.2, 2 * math.pi - 0.2, 0.1)
    turned = coverage(shapes(len(angles), factors={**fixed, "rotation": angles}))
    upright = coverage(shapes(1, factors={**fixed, "rotation": 0}))
    assert ((turned - upright).abs().sum((1, 2)) > 0.03 * math.pi * 36).all()


def test_upright_shapes():
    upright = {"rotation": 0, "x": 16, "y": 16, "size": 6}
    mass = {name: coverage(shapes(1, factors={**upright, "shape": name}))[0] for name in shapes(1).classes}
    for image in mass.values():
        assert (image - image.flip(1)).abs().max() < 0.01  # symmetric about the vertical
    widest = {name: image.sum(1).argmax().item() for name, image in mass.items()}
    assert widest["drop"] > 16 and widest["heart"] < 16 and widest["arrow"] > 14
    top = {name: image[image.sum(1).nonzero()[0, 0]] for name, image in mass.items()}
    assert top["drop"][15:17].sum() > 0 and top["arrow"][15:17].sum() > 0  # the tip
    assert top["moon"][13:19].sum() == 0  # two horns


def test_edges_are_anti_aliased(drawn):
    area, _, _ = moments(drawn)
    partial = ((coverage(drawn) > 0.02) & (coverage(drawn) < 0.98)).sum((1, 2))
    circumference = 2 * (math.pi * area) ** 0.5  # of the disc; a shape has more
    assert (partial > 0.8 * circumference).all() and (partial < 4 * circumference).all()


def test_defaults_keep_the_shape_inside(drawn):
    mass = coverage(drawn)
    border = torch.cat([mass[:, 0], mass[:, -1], mass[:, :, 0], mass[:, :, -1]], dim=1)
    assert border.max() == 0


def test_seeds():
    torch.manual_seed(1)
    first = shapes(50, seed=1)
    torch.manual_seed(2)
    assert torch.equal(first.images, shapes(50, seed=1).images)
    assert not torch.equal(first.images, shapes(50, seed=2).images)
    assert len(shapes(0)) == 0


def test_changing_one_factor_leaves_the_others(drawn):
    changed = shapes(N, seed=5, factors={"size": (2, 3), "shape": "moon"})
    for name in ("hue", "x", "y", "rotation"):
        assert torch.equal(changed.factors[name], drawn.factors[name])
    assert changed.factors["size"].min() >= 2 and changed.factors["size"].max() <= 3
    assert (changed.labels == 2).all()


def test_weights_and_given_values():
    weighted = shapes(N, factors={"shape": {"drop": 3, "arrow": 1}}).labels.bincount(minlength=4)
    assert weighted[0] == weighted[2] == 0
    assert abs(weighted[1] - 0.75 * N) < 5 * (N * 3 / 16) ** 0.5
    assert _pick(torch.zeros(1), {"drop": 1}).item() == 1  # the smallest draw there is
    hue = torch.rand(20, generator=torch.Generator().manual_seed(0)) + 0.9  # beyond 1 it goes round
    given = shapes(20, factors={"hue": hue, "shape": torch.arange(20) % 4})
    assert torch.allclose(given.factors["hue"], hue % 1) and given.labels[:5].tolist() == [0, 1, 2, 3, 0]
    assert hue.max() > 1  # the caller's tensor stays


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"color": 1}, r"\['color'\] unknown, expected shape, hue, size, x, y, rotation"),
        ({"shape": "star"}, "expected a name or weights by name among .*'heart'.* got 'star'"),
        ({"shape": {"moon": 0}}, "weights >= 0, not all 0"),
        ({"shape": {"moon": -1, "drop": 2}}, "weights >= 0"),
        ({"shape": torch.tensor([0, 4])}, "indices from 0 to 3"),
        ({"hue": "red"}, "expected a number, a .low, high. range or a tensor, got 'red'"),
        ({"hue": torch.zeros(3)}, r"factors\['hue'\]: expected 2 values, got shape \(3,\)"),
        ({"size": 0}, r"factors\['size'\]: expected finite values from 0.5 to 32, got 0"),
        ({"x": (20, 40)}, r"from 0 to 32, got \(20, 40\)"),
        ({"rotation": float("nan")}, "expected finite values"),
    ],
)
def test_refuses(factors, message):
    with pytest.raises(ValueError, match=message):
        shapes(2, factors=factors)
