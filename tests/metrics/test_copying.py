import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from scipy.stats import binomtest, mannwhitneyu

from gancourse.metrics import authenticity, data_copying, neighbours


def normal(n, dim=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dim))


def authentic_share(train, fake):
    """By definition: loops over full distance matrices."""
    within, between = cdist(train, train), cdist(fake, train)
    np.fill_diagonal(within, np.inf)
    radii = within.min(axis=1)
    return np.mean([all(d.min() > radii[i] for i in np.flatnonzero(d == d.min())) for d in between])


def z_of_pairs(train, test, fake):
    """By definition: U from all pairs, its spread under one distribution from the sizes of ties."""
    held_out, made = (cdist(x, train).min(axis=1) for x in (test, fake))
    n, m = len(test), len(fake)
    u = sum((f > t) + (f == t) / 2 for f in made for t in held_out)
    ties = np.unique(np.concatenate([held_out, made]), return_counts=True)[1]
    var = n * m / 12 * (n + m + 1 - sum(t**3 - t for t in ties) / ((n + m) * (n + m - 1)))
    return (u - n * m / 2) / np.sqrt(var) if var > 0 else 0.0


def check(train, test, fake):
    assert authenticity(train=train, fake=fake).value == pytest.approx(authentic_share(train, fake))
    assert data_copying(train=train, test=test, fake=fake).value == pytest.approx(
        z_of_pairs(train, test, fake)
    )


@pytest.mark.parametrize(("k", "n", "m", "dim"), [(300, 80, 120, 2), (40, 90, 30, 60), (2, 5, 7, 1)])
def test_agrees_with_the_definition(k, n, m, dim):
    check(normal(k, dim), normal(n, dim, 1), normal(m, dim, 2) * 0.8)


GRID = st.sampled_from([-1e3, -1, 0, 1, 2, 7])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(*(arrays(np.float64, st.tuples(st.integers(2, 9), st.just(2)), elements=GRID) for _ in range(3)))
def test_ties_everywhere(train, test, fake):
    if cdist(test, train).min(axis=1).any():
        check(train, test, fake)


def test_by_hand():
    train = [[0.0], [1], [10]]
    # 0.5: nearer to 0 (and 1) than they are to each other. 2: a tie with |1 - 0|. 3 and 15: 2 > 1, but 5 < 9.
    assert authenticity(train=train, fake=[[0.5], [2], [3], [15]]).value == 1 / 4
    z = data_copying(train=train, test=[[2.0], [3]], fake=[[0.0], [10.5]])  # 0 of 4 pairs, no ties
    assert z.value == pytest.approx((0 - 2) / np.sqrt(4 * 5 / 12))


def test_agrees_with_scipy():
    train, test, fake = normal(200), normal(90, seed=1), normal(70, seed=2) * 1.2
    made, held_out = (cdist(x, train).min(axis=1) for x in (fake, test))
    found = mannwhitneyu(made, held_out, method="asymptotic", use_continuity=False)
    z = data_copying(train=train, test=test, fake=fake).value
    assert 2 * torch.special.ndtr(torch.tensor(-abs(z))) == pytest.approx(found.pvalue)
    assert z > 0


def test_copies():
    train, test = normal(100), normal(60, seed=1)
    twins = np.vstack([train, train[:5]])
    for fake in (train[:50], twins, train[:1]):
        assert authenticity(train=twins, fake=fake).value == 0
    copies = data_copying(train=train, test=test, fake=train[:50])
    assert copies.value < -8 and copies.interval is None  # the ranks don't overlap: no spread to measure
    assert copies.value < data_copying(train=train, test=test, fake=train[:50] + 0.1).value < -5


def test_far_away():
    train, test = normal(100), normal(60, seed=1)
    assert authenticity(train=train, fake=test + 100).value == 1
    assert data_copying(train=train, test=test, fake=test + 100).value > 9


def test_a_good_generator_is_like_held_out_reals():
    """z is standard normal under one distribution, and authenticity is that of other reals."""
    rng = np.random.default_rng(0)
    draws = [[rng.normal(size=(n, 3)) for n in (150, 60, 80)] for _ in range(400)]
    found = [data_copying(train=a, test=b, fake=c) for a, b, c in draws]
    values = np.array([z.value for z in found])
    assert abs(values.mean()) < 0.2 and values.std() == pytest.approx(1, abs=0.1)
    assert np.mean([z.stderr for z in found]) == pytest.approx(1, abs=0.05)
    assert np.mean([authenticity(train=a, fake=c).value - authenticity(train=a, fake=b).value
                    for a, b, c in draws]) == pytest.approx(0, abs=0.01)  # fmt: skip


def test_intervals_cover_for_a_given_training_set():
    rng, train = np.random.default_rng(10), normal(150, 3)
    draws = [(rng.normal(size=(80, 3)), 0.7 * rng.normal(size=(60, 3))) for _ in range(800)]
    for found in (
        [data_copying(train=train, test=test, fake=fake) for test, fake in draws],
        [authenticity(train=train, fake=fake) for _, fake in draws],
    ):
        values = np.array([e.value for e in found])
        assert np.mean([e.stderr for e in found]) == pytest.approx(values.std(), rel=0.08)
        held = [e.interval[0] <= values.mean() <= e.interval[1] for e in found]
        assert 0.92 <= np.mean(held) <= 0.98


def test_interval_is_wilsons():
    train, fake = normal(100), normal(40, seed=1)
    for samples in (fake, train[:7], fake + 100):
        found = authenticity(train=train, fake=samples)
        count = round(found.value * len(samples))
        wilson = binomtest(count, len(samples)).proportion_ci(method="wilson")
        assert found.interval == pytest.approx((wilson.low, wilson.high), abs=1e-12)
        assert (found.stderr is None) == (count in (0, len(samples)))


def test_rotation_shift_scale_and_order_do_not_matter():
    sets = [normal(90), normal(60, seed=1), normal(70, seed=2)]
    turn = np.linalg.qr(normal(4, 4, 3))[0]
    moved = [(x[::-1] @ turn + 50) * 1e6 for x in sets]
    assert authenticity(train=sets[0], fake=sets[2]) == authenticity(train=moved[0], fake=moved[2])
    z, other = (data_copying(train=a, test=b, fake=c) for a, b, c in (sets, moved))
    assert z.value == pytest.approx(other.value, rel=1e-12) and z.interval == pytest.approx(other.interval)


def test_blocks_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    train, test, fake = (rng.integers(0, 5, (n, 3)) for n in (90, 50, 70))
    whole = authenticity(train=train, fake=fake), data_copying(train=train, test=test, fake=fake)
    monkeypatch.setattr(neighbours, "BLOCK", 100)
    assert (authenticity(train=train, fake=fake), data_copying(train=train, test=test, fake=fake)) == whole


def test_where_float32_cannot_tell():
    for gap in (1e3, 1e6, 1e9):
        sets = [normal(60, 5, seed) for seed in range(3)]
        for x in sets:
            x[::2] += gap
        check(*sets)


def test_bad_input_is_named():
    x, nan = normal(10), normal(10)
    nan[7, 1] = np.nan
    for arguments, message in [
        ({"train": nan, "fake": x}, "train features: row 7 has NaN"),
        ({"train": x, "fake": nan}, "fake features: row 7 has NaN"),
        ({"train": x[:1], "fake": x}, "train features: expected at least 2 rows, got 1"),
        ({"train": x, "fake": x[:0]}, "fake features: expected at least 1 rows, got 0"),
        ({"train": x, "fake": x[:, :2]}, "train and fake features must come from one extractor: got 4 and 2"),
    ]:
        with pytest.raises(ValueError, match=message):
            authenticity(**arguments)
    for arguments, message in [
        ({"train": x, "test": nan, "fake": x}, "test features: row 7 has NaN"),
        ({"train": x, "test": x[:1], "fake": x}, "test features: expected at least 2 rows, got 1"),
        ({"train": x, "test": x + 1, "fake": x[:1]}, "fake features: expected at least 2 rows, got 1"),
        ({"train": x, "test": x[:, :3], "fake": x}, "train and test features must come from one extractor"),
        ({"train": x, "test": x[::-1], "fake": x}, "test features: expected held-out samples, got copies"),
    ]:
        with pytest.raises(ValueError, match=message):
            data_copying(**arguments)
    with pytest.raises(TypeError):
        authenticity(x, x)
