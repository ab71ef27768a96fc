import importlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gancourse.metrics import (
    Estimate,
    authenticity,
    data_copying,
    density_coverage,
    fid,
    inception_score,
    kid,
    prd_curve,
    precision_recall,
    realism,
    report,
    vendi_score,
)
from gancourse.metrics.arrays import shuffled
from gancourse.seeds import stream

module = importlib.import_module("gancourse.metrics.report")  # the room's `report` is the function


def normal(n, dim=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dim))


@pytest.fixture(scope="module")
def card():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 200)
    return report(
        real=normal(200), fake=normal(150, seed=1) * 0.8, train=normal(80, seed=2), probabilities=probabilities[:150],
        real_probabilities=probabilities, path_length=Estimate(233.3, 1.5, (230, 236), 1000, "PPL"),
        extractor=SimpleNamespace(name="<toy>", version="1.2"),
    )  # fmt: skip


def test_values_are_the_metrics(card):
    real, fake = normal(200), normal(150, seed=1) * 0.8
    assert card["FID"] == fid(real=real, fake=fake) and card["KID"] == kid(real=real, fake=fake)
    pr, dc = precision_recall(real=real, fake=fake), density_coverage(real=real, fake=fake)
    assert (card["precision"].value, card["recall"].value) == (pr.precision, pr.recall)
    assert (card["density"].value, card["coverage"].value) == (dc.density, dc.coverage)
    assert card["median realism"].value == float(realism(real=real, fake=fake).median())
    curve = prd_curve(real=real, fake=fake)
    assert card["PRD F8 (recall)"].value == curve.f_beta(8)
    assert card["PRD F1/8 (precision)"].value == curve.f_beta(1 / 8)
    train = normal(80, seed=2)
    assert card["authenticity"] == authenticity(train=train, fake=fake)
    assert card["authenticity of the real"] == authenticity(train=train, fake=real)
    assert card["C_T (data copying)"] == data_copying(train=train, test=real, fake=fake)
    assert card["Inception Score"] == inception_score(np.random.default_rng(0).dirichlet(np.ones(4), 150))
    assert card["Vendi score of the real"] == vendi_score(shuffled(torch.from_numpy(real), stream(0))[:150])
    assert card["Vendi score"] == vendi_score(fake)  # of 150 too, as it grows with their number
    assert list(card.estimates) == list(module.BETTER)


def test_prints_as_a_table(card):
    lines = str(card).splitlines()
    assert lines[0] == "150 fake against 200 real samples, features: <toy> 1.2"
    assert len(lines) == 3 + len(card.estimates)
    for name, estimate in card.estimates.items():
        line = next(line for line in lines if line.startswith(name + "  "))
        assert str(estimate) in line and line.endswith(str(estimate.n))


def test_renders_as_html(card):
    page = card._repr_html_()
    assert "<caption>150 fake against 200 real samples, features: &lt;toy&gt; 1.2</caption>" in page
    assert page.count('<th scope="row">') == len(card.estimates) and page.count('<th scope="col">') == 5
    assert "not known" in page and "230 to 236" in page.replace(".0", "")


def test_leaves_as_strict_json(card):
    def refuse(constant):
        raise AssertionError(constant)

    read = json.loads(card.to_json(), parse_constant=refuse)
    assert (read["extractor"], read["version"], read["real"], read["fake"]) == ("<toy>", "1.2", 200, 150)
    assert read["estimates"]["FID"]["value"] == card["FID"].value
    assert read["estimates"]["path length"]["interval"] == [230, 236]
    copied = report(real=normal(51), fake=normal(51))
    assert copied["median realism"].value == np.inf
    assert (
        json.loads(copied.to_json(), parse_constant=refuse)["estimates"]["median realism"]["value"] == "inf"
    )


def test_same_seed_same_report(card):
    real, fake = normal(120), normal(110, seed=1)
    assert report(real=real, fake=fake, seed=3) == report(real=real, fake=fake, seed=3)
    assert (
        report(real=real, fake=fake, seed=3)["precision"] != report(real=real, fake=fake, seed=4)["precision"]
    )


def test_only_what_is_asked_for():
    real, fake = normal(50), normal(50, seed=1)
    some = report(real=real, fake=fake, metrics=["precision_recall", "kid"])
    assert list(some.estimates) == ["KID", "precision", "recall"]
    assert some["precision"] == report(real=real, fake=fake)["precision"]
    for wrong in ([], ["ppl"]):
        with pytest.raises(ValueError, match="metrics: expected some of fid, "):
            report(real=real, fake=fake, metrics=wrong)


def test_a_metric_that_cant_be_had_is_left_out_or_an_error_when_asked_for():
    real, fake = normal(20, 12), normal(20, 12, seed=1)
    real[3] = 0  # no direction
    assert (
        not {"FID infinity", "Vendi score", "Inception Score"} & report(real=real, fake=fake).estimates.keys()
    )
    for name, needs in (
        (
            "fid_infinity",
            "at least twice as many samples of each as dimensions; got 20 real and 20 fake samples of 12 dimensions",
        ),
        ("vendi_score", "features none of which are all zeros"),
        ("inception_score", "probabilities, which features alone don't give"),
    ):
        with pytest.raises(ValueError, match=f"metrics: {name} needs .*{needs}"):
            report(real=real, fake=fake, metrics=[name])


def test_copying_needs_the_training_features():
    real, fake, train = normal(50), normal(50, seed=1), normal(60, seed=2)
    some = report(real=real, fake=fake, train=train, metrics=["authenticity"])
    assert list(some.estimates) == ["authenticity", "authenticity of the real"]
    assert "authenticity" not in report(real=real, fake=fake).estimates
    with pytest.raises(ValueError, match="metrics: data_copying needs train"):
        report(real=real, fake=fake, metrics=["data_copying", "fid"])
    with pytest.raises(ValueError, match="test features: expected held-out samples, got copies"):
        report(real=train, fake=fake, train=train, metrics=["data_copying"])


def test_small_samples_have_values_without_intervals():
    small = report(real=normal(6, 2), fake=normal(8, 2, 1))
    assert small["precision"].stderr is None and small["PRD F8 (recall)"].interval is None
    assert "FID infinity" in small.estimates and "Inception Score" not in small.estimates
    assert "FID infinity" not in report(real=normal(8, 5), fake=normal(8, 5, 1)).estimates
    assert "features: not stated" in str(small)
    assert "features: vgg" in str(report(real=normal(6, 2), fake=normal(8, 2, 1), extractor="vgg"))


def test_intervals_stay_in_range(card):
    for name in ("precision", "recall", "coverage", "PRD F8 (recall)", "PRD F1/8 (precision)"):
        low, high = card[name].interval
        assert 0 <= low <= card[name].value <= high <= 1


@pytest.mark.parametrize("metric", ["precision_recall", "density_coverage", "realism", "prd"])
def test_errors_from_halves_are_sound(metric):
    """Repeated samples: the errors match the spread (PRD's are larger), intervals hold the mean over all of them."""
    count, rng = 12 if metric == "prd" else 40, np.random.default_rng(0)
    pairs = [(rng.normal(size=(150, 6)) + 0.3, rng.normal(size=(150, 6)) * 0.8) for _ in range(count)]
    cards = [
        report(real=real, fake=fake, metrics=metric, seed=i).estimates for i, (real, fake) in enumerate(pairs)
    ]
    for name in cards[0]:
        values, errors = ([getattr(card[name], field) for card in cards] for field in ("value", "stderr"))
        assert 0.7 < np.sqrt(np.mean(np.square(errors))) / np.std(values) < (2.5 if "PRD" in name else 1.4)
        low, high = np.transpose([card[name].interval for card in cards])
        assert ((low <= np.mean(values)) & (np.mean(values) <= high)).mean() >= 0.85


def test_bad_input_is_named():
    x = torch.from_numpy(normal(20))
    with pytest.raises(ValueError, match="real features: expected at least 6 rows, got 5"):
        report(real=x[:5], fake=x)
    with pytest.raises(ValueError, match="fake features: row 2 has NaN"):
        report(real=x, fake=x.clone().index_fill_(0, torch.tensor(2), torch.nan))
    with pytest.raises(ValueError, match=r"probabilities: .*row 0 sums to 3"):
        report(real=x, fake=x, probabilities=torch.ones(20, 3))


def test_probabilities_of_the_other_images_are_noticed():
    real, fake = torch.randn(12, 2), torch.randn(10, 2)
    p = torch.full((12, 3), 1 / 3)
    with pytest.raises(ValueError, match="probabilities: expected a row for each of 10 images, got 12"):
        report(real=real, fake=fake, probabilities=p, metrics=["inception_score"])
    with pytest.raises(TypeError, match="path_length: expected an Estimate, got float"):
        report(real=real, fake=fake, path_length=3.0, metrics=["fid"])
