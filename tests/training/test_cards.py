"""Cards tell the truth: shipped weights measure as written, and the recipes make such weights again.

The whole recipes take minutes, so `make retrain` runs them; here short runs stand in for them.
"""

import math
import re
import shutil

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file, save_file

from gancourse.cli import main
from gancourse.datasets import data_path, fashion_mnist, shapes
from gancourse.models import load, names, sample, save
from gancourse.training import card, classifier, measured, regressor, vae


def number(text: str) -> float:
    return float(re.search(r"-?[\d.]+", text)[0])


def accuracy(model) -> float:
    test = fashion_mnist("test")
    return 100 * classifier.accuracy(model, test.images, test.labels)


def negative_elbo(model) -> float:
    return vae.bound(model, fashion_mnist("test").images)["negative_elbo"]


def rotation_error(model) -> float:
    return math.degrees(regressor.errors(model, shapes(10_000, seed=2))["rotation"])


CARDS = {
    "classifier": (classifier.train, accuracy, "test accuracy"),
    "shapes-regressor": (regressor.train, rotation_error, "error of rotation"),
    "vae": (vae.train, negative_elbo, "test -ELBO (weight 1), one z an image"),
}


def test_a_shape_overlaps_itself_drawn_anew_and_less_when_it_has_moved():
    drawn = shapes(50, seed=4)
    again = measured.redrawn(drawn.images, drawn.factors)
    moved = measured.redrawn(drawn.images, {**drawn.factors, "x": drawn.factors["x"] + 3})
    far = measured.redrawn(drawn.images, {**drawn.factors, "x": drawn.factors["x"] - 40})
    assert torch.equal(again, torch.ones(50)) and float(moved.max()) < 0.8
    assert float(far.max()) < float(moved.max())


def test_every_model_has_a_card_with_its_recipe_numbers_and_limits():
    for name in names():
        found = card.read(name)
        assert {"class", "command", "seed", "images seen", "wall time"} <= set(found), name
        text = card.data_path("models", f"{name}.md").read_text(encoding="utf-8")
        assert all(f"## {part}" in text for part in ("Recipe", "Limits", "Licence")), name


@pytest.mark.parametrize("name", CARDS)
def test_the_shipped_weights_measure_as_their_card_says(name):
    _, measure, row = CARDS[name]
    assert measure(load(name)) == pytest.approx(number(card.read(name)[row]), abs=0.06)


def test_the_stylegans_samples_measure_as_its_card_says_and_as_the_course_asks():
    found = measured.of_images(sample(load("stylegan"), 10_000, seed=1))
    told = card.read("stylegan")
    for row, within in (("FID", 0.02), ("precision (k = 3)", 0.01), ("recall (k = 3)", 0.01)):
        assert number(found[row]) == pytest.approx(number(told[row]), abs=within)
    assert number(found["FID"]) < number(card.read("vae")["FID"]) / 3
    assert number(found["precision (k = 3)"]) > 0.75 and number(found["recall (k = 3)"]) > 0.55
    assert number(found["smallest class share"]) > 5
    share = re.search(r"\((\d+)% of the test set's", found["Inception Score"])
    assert int(share[1]) >= 80


@pytest.mark.parametrize(("name", "reached", "within"), [("classifier", 78.5, 3.0), ("vae", 317.5, 5.0)])
def test_a_short_run_of_the_recipe_gets_where_it_did(name, reached, within, tmp_path):
    train, measure, _ = CARDS[name]
    assert measure(train(tmp_path, epochs=2, limit=6000)) == pytest.approx(reached, abs=within)


@pytest.mark.retrain
@pytest.mark.parametrize("name", CARDS)
def test_the_whole_recipe_gives_the_cards_number(name, tmp_path):
    train, measure, row = CARDS[name]
    found = card.read(name)
    tolerance = number(found["tolerance for a retrained one"])
    assert measure(train(tmp_path)) == pytest.approx(number(found[row]), abs=tolerance)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The shipped data in a folder of the test's own."""
    shutil.copytree(data_path(), tmp_path / "data")
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def ship(*arguments, answer=None):
    return CliRunner().invoke(main, ["ship", *map(str, arguments)], input=answer)


def test_shipping_renews_numbers_and_keeps_words(data, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "of", lambda model: {"test -ELBO (weight 1), one z an image": "1.0 nats"})
    weights = save(
        vae.train(tmp_path / "run", epochs=1, limit=256), tmp_path / "new.safetensors", images="256"
    )
    before = card.path_of("vae").read_text()
    done = ship("vae", weights, answer="y\n")
    assert done.exit_code == 0 and "do they still hold?" in done.output
    found, after = card.read("vae"), card.path_of("vae").read_text()
    assert found["images seen"] == "256" and found["test -ELBO (weight 1), one z an image"] == "1.0 nats"
    assert found["tolerance for a retrained one"] == "1 nat of -ELBO"  # `make retrain` asks for it
    assert "FID" not in found and found["optimizer"] == "Adam, 1e-3 falling to 0 along a cosine"
    for part in ("# vae\n", "## Limits"):
        assert after.split(part)[1].split("\n##")[0] == before.split(part)[1].split("\n##")[0]
    x = torch.rand(1, 1, 28, 28)
    torch.testing.assert_close(load("vae").encode(x), load(weights).encode(x))  # its checksum fits too
    assert Image.open(data / "models" / "vae.png").size == (16 * 56, 8 * 56)


def test_nothing_is_replaced_without_a_yes_or_by_a_file_that_is_none(data, tmp_path, monkeypatch):
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    assert ship("vae", data / "models" / "vae-mse.safetensors", answer="n\n").exit_code == 1
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    refused = ship("vae", tmp_path / "bad.safetensors", "--yes")
    assert refused.exit_code == 1 and "not a whole safetensors file" in refused.output
    refused = ship("unheard-of", data / "models" / "vae.safetensors", "--yes")
    assert refused.exit_code == 1 and "a new model needs a card first" in refused.output
    monkeypatch.setattr(measured, "of", lambda model: {"FID": "1.0"})
    refused = ship("stylegan-8", data / "models" / "stylegan.safetensors", "--yes")  # a card without numbers
    assert refused.exit_code == 1 and "a part Measured" in refused.output
    save_file({"x": torch.zeros(1)}, tmp_path / "bad.safetensors")
    refused = ship("toy", tmp_path / "bad.safetensors", "--yes")
    assert refused.exit_code == 1 and "doesn't hold the toy's runs" in refused.output
    assert before == {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}


def test_a_stage_of_growth_is_drawn_at_its_size(data, tmp_path):
    weights = save(load("stylegan-8"), tmp_path / "new.safetensors", images="1234", resolution="8")
    assert ship("stylegan-8", weights, "--yes").exit_code == 0
    assert card.read("stylegan-8")["images seen"] == "1,234"
    with Image.open(data / "models" / "stylegan-8.png") as sheet:
        assert sheet.size == (16 * 64, 8 * 64)
        low, high = sheet.crop((0, 0, 8, 8)).getextrema()
        assert low == high  # one of 8 x 8 pixels, enlarged


def test_the_toy_card_holds_what_its_runs_reached(data, tmp_path):
    before = card.path_of("toy").read_text()
    runs = load_file(data / "toy" / "runs.safetensors")
    # other bytes, the same numbers
    save_file(runs, tmp_path / "runs.safetensors", metadata={"written": "anew"})
    assert ship("toy", tmp_path / "runs.safetensors", "--yes").exit_code == 0
    assert card.path_of("toy").read_text() == before


def test_the_shapes_stylegans_samples_measure_as_its_card_says():
    found = measured.of_shapes(sample(load("stylegan-shapes"), 10_000, seed=1))
    told = card.read("stylegan-shapes")
    assert number(found["FID"]) == pytest.approx(number(told["FID"]), rel=0.02)
    row = "images that overlap by 0.8 or more with the shape drawn from the factors read"
    assert number(found[row]) == pytest.approx(number(told[row]), abs=0.5)
