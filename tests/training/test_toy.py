"""Modes that are counted right, penalties with known values, runs that repeat."""

import math

import pytest
import torch

from gancourse.datasets.mixtures import Mixture, grid, ring
from gancourse.models.toy import ToyCritic, ToyGenerator, minibatch_stddev
from gancourse.training import toy
from gancourse.training.run import seeded
from gancourse.training.stylegan import r1_penalty


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("target", "modes"), [(ring(), 8), (grid(), 25)])
def test_a_perfect_sampler_captures_all_modes_with_the_share_of_three_sigma(target, modes):
    assert len(target.centres.double().round(decimals=4).unique(dim=0)) == modes
    captured, quality = target.coverage(target.sample(50_000, generator=stream()))
    assert captured == modes
    assert quality == pytest.approx(1 - math.exp(-4.5), abs=0.003)


def test_coverage_by_hand():
    two = Mixture(torch.tensor([[0.0, 0.0], [10.0, 0.0]]), sigma=1.0)
    points = torch.tensor([[0.0, 2.9], [0.0, 3.1], [5.0, 0.0], [1.0, 1.0]])
    assert two.coverage(points) == (1, 0.5)


def test_gradient_penalty_of_a_linear_critic_of_slope_three_is_four():
    real, fake = torch.randn(16, 2, generator=stream()), torch.randn(16, 2, generator=stream(1))
    slope = torch.tensor([3.0, 0.0])
    assert float(toy.gradient_penalty(lambda x: x @ slope, real, fake, generator=stream())) == pytest.approx(
        4
    )
    assert float(r1_penalty(real, lambda x: x @ slope)) == pytest.approx(9)


def test_gradient_penalty_looks_between_real_and_fake():
    seen = []
    real, fake = torch.zeros(500, 2), torch.ones(500, 2)
    toy.gradient_penalty(
        lambda x: (seen.append(x.detach()), x.square().sum(1))[1], real, fake, generator=stream()
    )
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])  # one t a pair, not one a coordinate
    assert float(seen[0].min()) >= 0 and float(seen[0].max()) <= 1
    assert float(seen[0].mean()) == pytest.approx(0.5, abs=0.05)


def test_spectral_norm_leaves_no_layer_that_stretches_more_than_one():
    critic = seeded(0, ToyCritic, spectral=1.0)
    for _ in range(50):
        critic(torch.randn(8, 2, generator=stream()))
    critic.eval()
    for layer in [*critic.hidden, critic.last]:
        if isinstance(layer, torch.nn.Linear):
            assert float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) == pytest.approx(1, rel=0.01)


def test_minibatch_stddev_sees_collapse():
    same = torch.ones(6, 3)
    assert float(minibatch_stddev(same)[0, 3]) < 1e-3
    spread = torch.tensor([[0.0], [2.0]])
    assert float(minibatch_stddev(spread)[0, 1]) == pytest.approx(1)
    assert seeded(0, ToyCritic, stddev=True)(torch.zeros(4, 2)).shape == (4,)


def test_every_method_runs_and_repeats_from_its_seed():
    settings = {"seed": 3, "steps": 6, "batch_size": 16, "frames": 3, "points": 20}
    for method in toy.METHODS.values():
        a, b = (toy.train(ring(), method, **settings) for _ in range(2))
        assert a["raw"].shape == (3, 20, 2) and a["steps"].tolist() == [0, 3, 6]
        assert all(torch.equal(a[key], b[key]) for key in a)
        assert torch.equal(a["raw"][0], a["averaged"][0]) and not torch.equal(a["raw"][2], a["averaged"][2])


def test_training_moves_the_points_towards_the_target():
    run = toy.train(grid(2, spacing=2.0, sigma=0.2), toy.METHODS["plain"], seed=0, steps=300)
    quality = [grid(2, spacing=2.0, sigma=0.2).coverage(frame)[1] for frame in run["raw"]]
    assert quality[-1] > quality[0] + 0.2


def test_all_runs_land_in_one_file_and_finished_ones_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(toy, "METHODS", {"plain": toy.METHODS["plain"]})
    path = toy.train_all(tmp_path, seeds=1, steps=4)
    first = path.read_bytes()
    monkeypatch.setattr(toy, "train", None)  # nothing is left to train
    assert toy.train_all(tmp_path, seeds=1, steps=4).read_bytes() == first


def test_shapes():
    assert seeded(0, ToyGenerator, z_dim=3)(torch.zeros(5, 3)).shape == (5, 2)


@pytest.mark.parametrize("method", toy.METHODS)
def test_shipped_runs_begin_as_the_recipe_does(method):
    again = toy.train(ring(), toy.METHODS[method], seed=0, steps=100, frames=2)
    run = toy.shipped("ring", method)
    at = run["steps"].tolist().index(100)
    for kind in ("raw", "averaged"):
        torch.testing.assert_close(run[kind][at], again[kind][1], atol=5e-3, rtol=5e-3)


def test_what_was_not_run_is_refused():
    for asked in (("circle", "plain", 0), ("ring", "magic", 0), ("ring", "plain", 99)):
        with pytest.raises(ValueError, match="expected target ring or grid"):
            toy.shipped(*asked)
