"""Modes that are counted right, and runs that are there or refused."""

import math

import pytest
import torch

from gancourse.datasets import toy_runs
from gancourse.datasets.mixtures import Mixture, grid, ring


@pytest.mark.parametrize(("target", "modes"), [(ring(), 8), (grid(), 25)])
def test_a_perfect_sampler_captures_all_modes_with_the_share_of_three_sigma(target, modes):
    assert len(target.centres.double().round(decimals=4).unique(dim=0)) == modes
    captured, quality = target.coverage(target.sample(50_000, generator=torch.Generator().manual_seed(0)))
    assert captured == modes
    assert quality == pytest.approx(1 - math.exp(-4.5), abs=0.003)


def test_coverage_by_hand():
    two = Mixture(torch.tensor([[0.0, 0.0], [10.0, 0.0]]), sigma=1.0)
    points = torch.tensor([[0.0, 2.9], [0.0, 3.1], [5.0, 0.0], [1.0, 1.0]])
    assert two.coverage(points) == (1, 0.5)


def test_what_was_not_run_is_refused():
    for asked in (("circle", "plain", 0), ("ring", "magic", 0), ("ring", "plain", 99)):
        with pytest.raises(ValueError, match="expected target ring or grid"):
            toy_runs.shipped(*asked)
