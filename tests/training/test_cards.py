"""Cards tell the truth: shipped weights measure as written, and the recipes make such weights again.

The whole recipes take minutes, so `make retrain` runs them; here short runs stand in for them.
"""

import re

import pytest

from gancourse.datasets import fashion_mnist
from gancourse.models import load, names
from gancourse.training import card, classifier, vae


def number(text: str) -> float:
    return float(re.search(r"-?[\d.]+", text)[0])


def accuracy(model) -> float:
    test = fashion_mnist("test")
    return 100 * classifier.accuracy(model, test.images, test.labels)


def negative_elbo(model) -> float:
    return vae.bound(model, fashion_mnist("test").images)["negative_elbo"]


CARDS = {
    "classifier": (classifier.train, accuracy, "test accuracy"),
    "vae": (vae.train, negative_elbo, "test -ELBO, one z an image"),
}


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
