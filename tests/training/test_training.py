"""Recipes: each run repeats from its seed, and a killed one goes on as if nothing had happened."""

import csv
from dataclasses import replace

import pytest
import torch

from gancourse.models.stylegan import StyleGANGenerator
from gancourse.training import card, classifier, recipes, regressor, stylegan, vae
from gancourse.training.run import Run, seeded
from gancourse.training.stylegan import Recipe, Stage, Trainer, faded_real

TINY = Recipe(channels=(8, 8, 8), stages=(Stage(8, 0, 64), Stage(16, 64, 64)), batch_size=16)


class Killed(Exception):
    pass


def reals() -> torch.Tensor:
    return torch.randint(
        0, 256, (64, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_stages_follow_one_another():
    recipe = Recipe(stages=(Stage(8, 0, 100), Stage(16, 50, 50), Stage(32, 100, 100)))
    assert recipe.images == 400
    assert [recipe.stage_at(n) for n in (0, 99, 100, 125, 160, 200, 250, 399)] == [
        *[(0, 1.0), (0, 1.0), (1, 0.0), (1, 0.5), (1, 1.0)],
        *[(2, 0.0), (2, 0.5), (2, 1.0)],
    ]


def test_reals_are_faded_as_the_generator_is():
    images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    half = faded_real(images, 16, 1.0)
    assert torch.equal(half, torch.nn.functional.avg_pool2d(images, 2))
    flat = faded_real(images, 32, 0.0)
    assert torch.equal(flat[:, :, ::2, ::2], half) and torch.equal(flat[:, :, 1::2, ::2], half)


def test_a_killed_stylegan_run_ends_with_the_same_bits(tmp_path, monkeypatch):
    whole = stylegan.train(reals(), tmp_path / "whole", TINY, every=32)
    step, calls = Trainer.step, []

    def dying_step(self):
        calls.append(1)
        if len(calls) == 8:  # in the middle of the second stage's fade, between two checkpoints
            raise Killed
        return step(self)

    monkeypatch.setattr(Trainer, "step", dying_step)
    with pytest.raises(Killed):
        stylegan.train(reals(), tmp_path / "killed", TINY, every=32)
    monkeypatch.setattr(Trainer, "step", step)
    assert same(whole, stylegan.train(reals(), tmp_path / "killed", TINY, every=32))
    logs = [(tmp_path / run / "log.csv").read_text() for run in ("whole", "killed")]
    assert logs[0] == logs[1]


def test_a_run_goes_on_from_given_networks_where_they_stood(tmp_path):
    first = Trainer(TINY, reals(), tmp_path / "first")
    for _ in range(5):
        first.step()
    warm = stylegan.Warm(first.ema, first.d, first.images)
    second = Trainer(TINY, reals(), tmp_path / "second", warm)
    assert same(second.g, first.ema) and same(second.ema, first.ema) and same(second.d, first.d)
    assert (second.images, second.stage) == (80, 1) and not second.opt_g.state
    second.step()
    second.checkpoint()
    third = Trainer(TINY, reals(), tmp_path / "second", warm)  # its own checkpoint goes before
    assert third.images == 96 and same(third.g, second.g)


def test_more_goes_on_from_the_shipped_networks_under_the_last_settings(tmp_path, monkeypatch):
    asked = {}

    def train(reals, folder, recipe, *, evaluate, warm):
        asked.update(recipe=recipe, warm=warm)
        return warm.generator

    monkeypatch.setattr(stylegan, "train", train)
    recipes.run("stylegan", tmp_path, more=1000)
    recipe, warm = asked["recipe"], asked["warm"]
    assert f"{warm.images:,}" == card.read("stylegan")["images seen"]
    assert recipe.images == warm.images + 1000
    assert recipe.stages[0].lr == Recipe().stages[-1].lr and recipe.stages[0].spread == 1
    trainer = Trainer(recipe, torch.zeros(8, 1, 32, 32, dtype=torch.uint8), tmp_path, warm)
    assert trainer.images == warm.images and same(trainer.ema, warm.generator)


def test_new_settings_at_the_same_size_keep_the_optimizers_and_growth_renews_them(tmp_path):
    stages = (Stage(8, 0, 32, lr=1e-3), Stage(8, 0, 32, lr=5e-4), Stage(16, 32, 0, lr=2e-4))
    trainer = Trainer(Recipe(channels=(8, 8, 8), stages=stages, batch_size=16), reals(), tmp_path)
    weight = trainer.g.synthesis.const.value
    found = []
    for _ in range(6):
        trainer.step()
        found.append((trainer.opt_g.param_groups[0]["lr"], int(trainer.opt_g.state[weight]["step"])))
    assert found == [(1e-3, 1), (1e-3, 2), (5e-4, 3), (5e-4, 4), (2e-4, 1), (2e-4, 2)]


def test_the_mapping_learns_at_its_own_rate(tmp_path):
    trainer = Trainer(replace(TINY, mapping_lr=3.0), reals(), tmp_path)
    mapping, synthesis = trainer.g.mapping.layers[0].weight, trainer.g.synthesis.layers[1].conv.weight
    before = mapping.clone(), synthesis.clone()
    trainer.step()
    moved = [(new - old).abs().median().item() for old, new in zip(before, (mapping, synthesis), strict=True)]
    assert moved == pytest.approx([3 * TINY.stages[0].lr, TINY.stages[0].lr], rel=0.01)  # Adam's first step


def test_spreading_stretches_the_minor_axes_of_w_about_its_mean():
    g = seeded(0, StyleGANGenerator, (8, 8, 8), z_dim=6, w_dim=6).eval()
    z = torch.randn(20_000, 6, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        w = g.mapping(z)
        g.w_avg.copy_(w.mean(0))
        affine = g.synthesis.layers[2].adain.affine
        deviations = w - g.w_avg
        axes = torch.linalg.svd(deviations, full_matrices=False).Vh  # the same axes, found in another way
        major = deviations @ axes[:2].T @ axes[:2]
        expected = affine(g.w_avg + major + 3 * (deviations - major))
        middle = g(z[:5], psi=0.0)
        stylegan.spread(g, 3.0, beyond=2)
        error = (affine(w) - expected).square().mean().sqrt() / expected.std()
        assert float(error) < 0.02  # both know the axes from samples only
        torch.testing.assert_close(g(z[:5], psi=0.0), middle, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(g.mapping(z), w)


def test_a_stage_spreads_once_as_it_begins(tmp_path, monkeypatch):
    spread = []
    monkeypatch.setattr(stylegan, "spread", lambda network, factor: spread.append(factor))
    recipe = replace(TINY, stages=(Stage(8, 0, 32), Stage(8, 0, 64, spread=1.5)))
    trainer = Trainer(recipe, reals()[..., ::2, ::2], tmp_path)
    for _ in range(3):
        trainer.step()
    assert spread == [1.5, 1.5]  # the generator and its average
    trainer.checkpoint()
    Trainer(recipe, reals()[..., ::2, ::2], tmp_path).step()
    assert len(spread) == 2


def test_the_averaged_generator_follows_with_its_half_life(tmp_path):
    recipe = Recipe(channels=(8, 8), stages=(Stage(8, 0, 160),), batch_size=16, ema_half_life=16)
    trainer = Trainer(recipe, reals()[..., ::2, ::2], tmp_path)
    before = trainer.ema.synthesis.const.value.clone()
    trainer.step()
    after, raw = trainer.ema.synthesis.const.value, trainer.g.synthesis.const.value.detach()
    torch.testing.assert_close(after, (before + raw) / 2)
    assert torch.equal(trainer.ema.w_avg, trainer.g.w_avg)


@pytest.mark.parametrize("train", [classifier.train, vae.train, regressor.train])
def test_epoch_runs_resume_to_the_same_bits(train, tmp_path, monkeypatch):
    settings = {"epochs": 2, "limit": 512, "batch_size": 64}
    whole = train(tmp_path / "whole", **settings)
    checkpoint = Run.checkpoint

    def save_and_die(self, **state):
        checkpoint(self, **state)
        raise Killed

    monkeypatch.setattr(Run, "checkpoint", save_and_die)
    with pytest.raises(Killed):
        train(tmp_path / "killed", **settings)
    monkeypatch.setattr(Run, "checkpoint", checkpoint)
    assert same(whole, train(tmp_path / "killed", **settings))


def test_training_lowers_the_loss(tmp_path):
    vae.train(tmp_path, epochs=3, limit=1024, batch_size=32)
    with open(tmp_path / "log.csv", newline="") as file:
        bounds = [float(row["negative_elbo"]) for row in csv.DictReader(file)]
    assert bounds[0] > bounds[1] > bounds[2]


def test_the_entropy_floor_by_hand():
    images = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 1, 1, 3)
    expected = -(0.2 * torch.tensor(0.2).log() + 0.8 * torch.tensor(0.8).log())
    assert vae.entropy_floor(images) == pytest.approx(float(expected), rel=1e-6)


def test_a_run_does_not_go_on_with_other_settings_or_from_a_damaged_checkpoint(tmp_path):
    def train(**settings):
        return vae.train(tmp_path, epochs=1, limit=256, **settings)

    train(beta=2)
    for settings, told in (({"beta": 1}, "beta 2, not 1"), ({"beta": 2, "seed": 1}, "seed 0, not 1")):
        with pytest.raises(ValueError, match=f"is of a run with {told}: name another folder"):
            train(**settings)
    with pytest.raises(ValueError, match="is of a run of another model"):
        classifier.train(tmp_path, epochs=1, limit=256)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    train(beta=2)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    (tmp_path / "checkpoint.pt").write_bytes(before[:1000])
    with pytest.raises(ValueError, match="is damaged: move it away"):
        train(beta=2)


def test_going_on_from_shipped_networks_is_another_run_than_starting_anew(tmp_path):
    first = Trainer(TINY, reals(), tmp_path)
    first.checkpoint()
    with pytest.raises(ValueError, match="start new networks, not trained networks"):
        Trainer(TINY, reals(), tmp_path, stylegan.Warm(first.ema, first.d, 0))
