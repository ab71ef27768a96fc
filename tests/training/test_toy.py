"""Small critics that do what they should, runs that repeat."""

import pytest
import torch

from gancourse.datasets import toy_runs
from gancourse.datasets.mixtures import grid, ring
from gancourse.models.toy import ToyCritic, ToyGenerator, minibatch_stddev
from gancourse.training import toy
from gancourse.training.run import seeded


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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


def test_what_is_read_is_what_the_recipe_makes():
    assert tuple(toy.METHODS) == toy_runs.METHODS


@pytest.mark.parametrize("method", toy.METHODS)
def test_shipped_runs_begin_as_the_recipe_does(method):
    again = toy.train(ring(), toy.METHODS[method], seed=0, steps=100, frames=2)
    run = toy_runs.shipped("ring", method)
    at = run["steps"].tolist().index(100)
    for kind in ("raw", "averaged"):
        torch.testing.assert_close(run[kind][at], again[kind][1], atol=5e-3, rtol=5e-3)
