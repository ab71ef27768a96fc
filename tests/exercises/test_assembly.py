"""Chapter 10's assembly: the parts reproduce the trained images, and a mistake in one part alone is found and named."""

import pytest
import torch

from gancourse.chapters.ch10_stylegan.exercises import Parts, first_fault
from gancourse.exercises import of_chapter
from gancourse.models import load
from gancourse.models.stylegan import MappingNetwork

ORACLES = {record.name: record.oracle for record in of_chapter("10")}
MISTAKES = [(record, mistake.answer) for record in of_chapter("10") for mistake in record.mistakes]
every_mistake = pytest.mark.parametrize(
    ("record", "answer"), MISTAKES, ids=[f"{record.id}-{answer.__name__}" for record, answer in MISTAKES]
)
# The trained mapping has eight layers, so there this one is right.
NO_FAULT = {"MappingAlwaysEight"}
# These show on other inputs than the trained generator's own: a flat map, zeros, an untrained layer, maps for PixelNorm.
SAME_IMAGES = {"AdaINWithoutEpsilon", "without_epsilon", "NoiseFromTheStart"}
SAME_IMAGES |= {"over_the_last_dimension", "over_the_whole_sample"}


@pytest.fixture(scope="module")
def trained():
    return load("stylegan")


def normed_by(pixel_norm) -> type:
    """A mapping network that uses this pixel norm, a class or a function."""

    class Mapping(MappingNetwork):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.norm = pixel_norm() if isinstance(pixel_norm, type) else _Function(pixel_norm)

    return Mapping


class _Function(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@torch.no_grad()
def images(answers: dict, trained) -> tuple[torch.Tensor, torch.Tensor]:
    """What the assembly of the answers draws, mixed and faded, and what it should."""
    stream = torch.Generator().manual_seed(0)
    z1, z2 = torch.randn(2, 6, trained.z_dim, generator=stream)
    noise = trained.synthesis.noise_maps(6, "fresh", stream)
    mapping = answers["MappingNetwork"]
    if answers["PixelNorm"] is not ORACLES["PixelNorm"]:
        mapping = normed_by(answers["PixelNorm"])
    parts = Parts(trained, mapping, answers["NoiseInjection"], answers["AdaIN"])
    namespace = ORACLES["generate"].__globals__
    kept = {name: namespace[name] for name in ("fade_in", "style_mix")}
    try:  # the course's own assembly takes these two by name, as the reader's does
        namespace.update({name: answers[name] for name in kept})
        got = answers["generate"](parts, z1, z2, 3, noise, 0.3)
    finally:
        namespace.update(kept)
    w = torch.stack([trained.mapping(z1)] * 3 + [trained.mapping(z2)] * 5, dim=1)
    return torch.as_tensor(got), trained.synthesis(w, noise=noise, alpha=0.3)


def test_the_course_s_own_parts_reproduce_the_trained_images(trained):
    got, expected = images(ORACLES, trained)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    assert first_fault(ORACLES, trained) == ""


@every_mistake
def test_a_mistake_in_one_part_is_found_and_named(record, answer, trained):
    expected = "" if answer.__name__ in NO_FAULT else record.name
    assert first_fault({**ORACLES, record.name: answer}, trained) == expected


@every_mistake
def test_a_mistake_in_one_part_changes_the_images(record, answer, trained):
    try:
        got, expected = images({**ORACLES, record.name: answer}, trained)
    except (RuntimeError, ValueError, AttributeError):
        return  # it can't be assembled at all
    same = got.shape == expected.shape and bool((got - expected).abs().max() <= 1e-5)
    assert same == (answer.__name__ in NO_FAULT | SAME_IMAGES)


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_part_that_raises_is_named(name, trained):
    def broken(*inputs):
        raise NotImplementedError

    assert first_fault({**ORACLES, name: broken}, trained) == name
