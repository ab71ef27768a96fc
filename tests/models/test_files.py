"""Weights come back as they were written, and a damaged or foreign file is a clear error."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from gancourse.models import Classifier, StyleGANGenerator, load, names, save
from gancourse.models.toy import ToyGenerator
from gancourse.training.run import seeded


def test_saved_weights_come_back_with_their_arguments(tmp_path):
    made = seeded(0, StyleGANGenerator, (8, 4), z_dim=6)
    path = save(made, tmp_path / "small.safetensors", images="12")
    back = load(path)
    assert back.config == made.config and not back.training
    assert all(
        torch.equal(a, b) for a, b in zip(made.state_dict().values(), back.state_dict().values(), strict=True)
    )
    assert [p.name for p in tmp_path.iterdir()] == ["small.safetensors"]


def test_every_shipped_model_loads_and_is_listed():
    assert "classifier" in names()
    for name in names():
        assert not load(name).training


def test_unknown_damaged_and_foreign_files(tmp_path):
    with pytest.raises(ValueError, match="name: expected one of"):
        load("biggan")
    with pytest.raises(ValueError, match="there is no file"):
        load(tmp_path / "absent.safetensors")
    path = save(Classifier(), tmp_path / "c.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load(path)
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="names no model"):
        load(tmp_path / "other.safetensors")
    for config in ("{}", '{"foo": 1}', "{broken"):
        notes = {"class": "Classifier", "config": config}
        save_file({"a": torch.zeros(1)}, tmp_path / "wrong.safetensors", metadata=notes)
        with pytest.raises(ValueError, match=r"wrong.safetensors: the weights don't fit Classifier"):
            load(tmp_path / "wrong.safetensors")


def test_only_models_that_can_be_loaded_are_saved(tmp_path):
    with pytest.raises(ValueError, match=r"model: expected one of Classifier, .* got ToyGenerator"):
        save(ToyGenerator(), tmp_path / "toy.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_name_may_be_a_path():
    assert load(Path("vae")).config == load("vae").config


def test_classifier_takes_both_sizes_and_refuses_others():
    model = seeded(0, Classifier).eval()
    images = torch.randint(
        0, 256, (3, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    assert torch.equal(model.features(images), model.features(padded))
    assert model.features(images).shape == (3, 64) and float(model.features(images).min()) >= 0
    torch.testing.assert_close(model.probabilities(images).sum(1), torch.ones(3, dtype=torch.float64))
    for wrong in (images.float(), images[:, 0], images[..., :20]):
        with pytest.raises((TypeError, ValueError), match="images: expected"):
            model(wrong)
