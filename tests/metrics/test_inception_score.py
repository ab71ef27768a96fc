import math

import numpy as np
import pytest
import torch
from scipy import stats

import gancourse.metrics.inception_score  # noqa: F401  (the module; the name in the room is the function)
from gancourse.metrics import inception_score


def by_definition(p):
    p = np.asarray(p, np.float64)
    return math.exp(stats.entropy(p, p.mean(axis=0, keepdims=True), axis=1).mean())


def dirichlet(n, classes=7, seed=0, concentration=0.2):
    return np.random.default_rng(seed).dirichlet(np.full(classes, concentration), n)


def test_agrees_with_the_definition():
    p = dirichlet(500)
    assert inception_score(p).value == pytest.approx(by_definition(p), rel=1e-13)
    assert inception_score(p).n == 500


def test_bounds_are_reached():
    assert inception_score(np.eye(10)).value == pytest.approx(10, rel=1e-14)
    assert inception_score(np.eye(10)).value <= 10
    flat = inception_score(np.tile([0.2, 0.5, 0.3], (50, 1)))
    assert flat.value == 1 and flat.stderr == pytest.approx(0, abs=1e-15)
    assert inception_score(np.ones((5, 1))).value == 1
    assert inception_score(np.eye(4)[[0, 1, 1, 0]]).value == pytest.approx(2)


def test_no_empty_class_spoils_it():
    p = np.array([[0.5, 0.5, 0], [1, 0, 0], [0.1, 0.9, 0]])
    assert inception_score(p).value == pytest.approx(by_definition(p[:, :2]), rel=1e-14)


def test_splits_are_the_authors():
    p = dirichlet(11)
    parts = [by_definition(p[i * 11 // 4 : (i + 1) * 11 // 4]) for i in range(4)]
    score = inception_score(p, splits=4)
    assert score.value == pytest.approx(np.mean(parts), rel=1e-13)
    assert f"4 splits, std over splits {np.std(parts):.3g}" in score.method
    ten = inception_score(p, splits=10)  # nine parts of one row, which score 1, and one of two
    assert ten.value == pytest.approx((9 + by_definition(p[9:])) / 10) and ten.stderr is None


def test_order_matters_only_to_splits_and_seed_shuffles():
    ordered = np.repeat(np.eye(10), 100, axis=0)
    assert inception_score(ordered, splits=10).value == 1
    assert inception_score(ordered).value == pytest.approx(10)
    shuffled = inception_score(ordered, splits=10, seed=0)
    assert 9 < shuffled.value < 10
    assert shuffled == inception_score(ordered, splits=10, seed=0)
    assert shuffled.value != inception_score(ordered, splits=10, seed=1).value
    assert inception_score(ordered, seed=3).value == pytest.approx(10)


def test_every_kind_of_array_and_every_block():
    p = dirichlet(300, 40).astype(np.float32)
    expected = inception_score(p.astype(np.float64)).value
    tensor = torch.from_numpy(p)
    wide = torch.zeros(300, 80)
    wide[:, ::2] = tensor
    for same in (p, tensor, tensor.requires_grad_(), wide[:, ::2], np.asfortranarray(p), p.tolist()):
        assert inception_score(same).value == pytest.approx(expected, rel=1e-6)
    assert inception_score(tensor.half()).value == pytest.approx(expected, rel=1e-2)
    assert inception_score(np.eye(3, dtype=int)).value == pytest.approx(3)
    big = dirichlet(7000, 40)  # more than one block
    assert inception_score(big).value == pytest.approx(by_definition(big), rel=1e-13)


def test_input_is_left_alone():
    p = dirichlet(20)
    before = p.copy()
    inception_score(p, splits=3, seed=0)
    np.testing.assert_array_equal(p, before)


def test_rounding_within_the_tolerance_is_renormalised():
    p = dirichlet(100)
    off = (p * np.linspace(1 - 5e-5, 1 + 5e-5, 100)[:, None]).astype(np.float32)
    assert inception_score(off).value == pytest.approx(by_definition(p), rel=1e-5)
    nearly = p * np.linspace(1 - 9e-7, 1 + 9e-7, 100)[:, None]
    assert inception_score(nearly).value == pytest.approx(by_definition(p), rel=1e-12)


@pytest.mark.parametrize(("splits", "count"), [(1, 150), (3, 300)])
def test_error_and_interval_are_sound(splits, count):
    """Images drawn from a population of 40 known kinds, so that the score of infinitely many is exact."""
    kinds = dirichlet(40, 6, concentration=0.3)
    truth, rng = by_definition(kinds), np.random.default_rng(1)
    scores = [inception_score(kinds[rng.integers(40, size=count)], splits=splits) for _ in range(500)]
    spread = np.std([score.value for score in scores])
    assert np.mean([score.stderr for score in scores]) == pytest.approx(spread, rel=0.12)
    covered = np.mean([score.interval[0] <= truth <= score.interval[1] for score in scores])
    assert 0.93 <= covered <= 0.995
    naive = np.mean([abs(score.value - truth) < 1.96 * score.stderr for score in scores])
    assert naive < covered  # the bias matters, and the interval knows it


def test_interval_stays_in_the_possible_range():
    for p in (np.tile(np.eye(4), (5, 1)), np.full((10, 4), 0.25), dirichlet(12, 4)):
        score = inception_score(p)
        assert 1 <= score.interval[0] <= score.value <= score.interval[1] <= 4


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.full((4, 3), 0.5), "probabilities: .*row 0 sums to 1.5"),
        (np.vstack([np.eye(3), [[1.2, -0.2, 0]]]), "probabilities: row 3 has the negative probability -0.2"),
        (np.vstack([np.eye(3), [[np.nan, 1, 0]]]), "probabilities: row 3 has NaN"),
        (np.vstack([np.eye(3), [[np.inf, 1, 0]]]), "probabilities: row 3 has inf"),
        (np.array([0.5, 0.5]), r"probabilities: expected an array \(images, classes\), got shape \(2,\)"),
        (np.zeros((0, 3)), "probabilities: expected an array"),
        (np.zeros((3, 0)), "probabilities: expected "),
        (np.full((2, 2, 2), 0.5), r"got shape \(2, 2, 2\)"),
    ],
)
def test_what_is_no_distribution_is_named(p, message):
    for same in (p, torch.from_numpy(p)):
        with pytest.raises(ValueError, match=message):
            inception_score(same)


@pytest.mark.parametrize("splits", [0, 5, -1, 2.0, "2"])
def test_impossible_splits(splits):
    with pytest.raises(ValueError, match="splits: expected a whole number from 1 to 4"):
        inception_score(np.eye(4), splits=splits)


def test_whole_numbers_of_numpy_and_an_end_at_the_number_of_classes():
    p = torch.eye(4).repeat(3, 1)
    assert inception_score(p, splits=np.int64(3)) == inception_score(p, splits=3)
    assert all(type(end) is float for end in inception_score(np.eye(4)).interval)
    with pytest.raises(TypeError, match="probabilities: expected a dense tensor"):
        inception_score(p.to_sparse())
