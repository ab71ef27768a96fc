"""Entanglement of generators whose factors are known functions of their latents."""

import math

import pytest
import torch

from gancourse.training.entanglement import FACTORS, entanglement

SIZE, X, Y = (FACTORS.index(name) for name in ("size", "x", "y"))


class Known:
    """A generator and its own reader: images carry the six factors, which are made from six latents."""

    z_dim = 6

    def __init__(self, mix: torch.Tensor):
        self.mix = mix  # latents -> independent normals, one a factor, or correlated ones

    def mapping(self, z: torch.Tensor) -> torch.Tensor:
        return z.exp()  # w: no longer linear

    def synthesis(self, w: torch.Tensor) -> torch.Tensor:
        uniform = torch.special.ndtr(w.clamp(min=1e-9).log() @ self.mix.T)
        return 2 * uniform - 1

    def factors(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        u = images / 255
        return {
            "shape": (4 * u[:, 0]).long().clamp(max=3),
            "hue": u[:, 1],
            "size": 4 + 2.5 * u[:, 2],
            "x": 12 + 8 * u[:, 3],
            "y": 12 + 8 * u[:, 4],
            "rotation": 2 * math.pi * u[:, 5],
        }


def test_one_latent_a_factor_is_read_off_and_moves_alone():
    known = Known(torch.eye(6))
    found = entanglement(known, known, "z", samples=4000, steps=400)
    for factor in (SIZE, X, Y):  # corr(Phi(z), z)^2 = 3 / pi
        assert float(found.read[factor]) == pytest.approx(3 / math.pi, abs=0.02)
    assert float(found.read[0]) > 0.95  # thresholds of one latent
    assert float(found.aside[[SIZE, X, Y]].max()) < 0.05
    assert found.moved.shape == (6, 6) and float(found.moved.diagonal().min()) > 0.1


def test_a_curved_space_is_read_less_well():
    known = Known(torch.eye(6))
    z, w = (entanglement(known, known, space, samples=4000, steps=200) for space in "zw")
    assert float(w.read[X]) < float(z.read[X]) - 0.1


def test_a_turn_of_the_latents_changes_nothing():
    turn, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)))
    known = Known(turn)
    found = entanglement(known, known, "z", samples=4000, steps=400)
    assert float(found.read[X]) == pytest.approx(3 / math.pi, abs=0.02) and float(found.aside[X]) < 0.05


def test_factors_that_share_a_latent_move_together():
    mix = torch.eye(6)
    mix[Y, X], mix[Y, Y] = 0.8, 0.6
    known = Known(mix)
    found = entanglement(known, known, "z", samples=4000, steps=400)
    alone = entanglement(Known(torch.eye(6)), known, "z", samples=4000, steps=400)
    assert float(found.moved[X, Y]) > 0.5 * float(found.moved[X, X])
    assert float(alone.moved[X, Y]) < 0.05 * float(alone.moved[X, X])


def test_another_space_is_refused():
    with pytest.raises(ValueError, match='space: expected "z" or "w"'):
        entanglement(Known(torch.eye(6)), Known(torch.eye(6)), "s")
