import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from gancourse.metrics import density_coverage, manifold, neighbours, precision_recall, realism


def by_definition(real, fake, k):
    """(precision, recall, density, coverage, realism) from full distance matrices, differences in float64."""
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    real_radii, fake_radii = (np.sort(cdist(x, x), axis=1)[:, k] for x in (real, fake))
    between = cdist(fake, real)
    inside = between <= real_radii
    kept = real_radii <= np.median(real_radii)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = real_radii[kept] / between[:, kept]
    ratio[np.isnan(ratio)] = 1
    recall = (between <= fake_radii[:, None]).any(axis=0).mean()
    return (
        inside.any(axis=1).mean(),
        recall,
        inside.sum() / k / len(fake),
        inside.any(axis=0).mean(),
        ratio.max(axis=1),
    )


def check(real, fake, k, *, scale=1.0):
    precision, recall, density, coverage, ratio = by_definition(
        np.asarray(real, np.float64) * scale, np.asarray(fake, np.float64) * scale, k
    )
    pr, dc = precision_recall(real=real, fake=fake, k=k), density_coverage(real=real, fake=fake, k=k)
    assert (pr.precision, pr.recall, dc.coverage) == (precision, recall, coverage)
    assert dc.density == pytest.approx(density, rel=1e-14)
    np.testing.assert_allclose(realism(real=real, fake=fake, k=k), ratio, rtol=1e-12)


def normal(n, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dim))


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("n", "m", "dim"), [(300, 200, 2), (80, 120, 30), (7, 9, 200), (6, 40, 1)])
def test_agrees_with_the_definition(n, m, dim, k):
    check(normal(n, dim), normal(m, dim, 1) * 0.9 + 0.2, k)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_ties_on_a_grid(k):
    rng = np.random.default_rng(k)
    check(rng.integers(0, 3, (60, 3)), rng.integers(0, 3, (50, 3)), k)
    check(rng.integers(0, 5, (40, 2)) / 4 + 1000, rng.integers(0, 5, (30, 2)) / 4 + 1000, k)
    check(np.eye(20), np.eye(20)[:10], k)


def test_ties_by_hand():
    real, fake = [[0.0], [1], [2], [3]], [[4.0], [5], [7]]
    pr = precision_recall(real=real, fake=fake, k=1)
    assert pr.precision == 1 / 3  # 4 lies on the sphere around 3, 5 and 7 outside
    assert pr.recall == 1 / 4  # 3 lies on the sphere around 4
    dc = density_coverage(real=real, fake=fake, k=1)
    assert (dc.density, dc.coverage) == (1 / 3, 1 / 4)
    np.testing.assert_array_equal(realism(real=real, fake=fake, k=1), [1, 1 / 2, 1 / 4])


def test_a_copy_is_a_neighbour_and_a_sample_is_not_its_own():
    real = [[0.0], [0], [10], [11]]
    near = precision_recall(real=real, fake=[[0.0], [0.5], [-3]], k=1)
    assert near.precision == 1 / 3  # the twins' balls have radius 0: only their own place is inside
    assert precision_recall(real=real, fake=[[9.0], [11.5], [12]], k=1).precision == 1


@pytest.mark.parametrize("offset", [0, 1000, -30000])
def test_large_offsets_in_float32(offset):
    real, fake = ((normal(400, 16, seed) + offset).astype(np.float32) for seed in (0, 1))
    check(real, fake, 3)


def test_any_scale():
    real, fake = normal(50, 4), normal(40, 4, 1)
    for scale in (1e-300, 1e-30, 1e22):
        check(real * scale, fake * scale, 3, scale=1 / scale)
    check(real * 1e-312, fake * 1e-312, 3, scale=2.0**1000)  # subnormal numbers


def test_where_float32_cannot_tell():
    """Two tight groups far apart, so that a float32 product drowns every distance within a group."""
    for gap in (1e3, 1e6, 1e9):
        real, fake = normal(120, 5), normal(100, 5, 1)
        real[::2] += gap
        fake[::3] += gap
        check(real, fake, 3)


def test_slack_bounds_float32():
    """The certificate itself: exact squared distances lie between the two bounds, and not far from them."""
    for dim, offset in ((2, 0), (64, 1000), (500, 0)):
        x, y = manifold._clouds(normal(60, dim) + offset, normal(50, dim, 1) + offset, 1)
        square = cdist(x.exact, y.exact) ** 2
        lower = (x.left @ y.right.T).astype(np.float64)
        width = 2 * (x.slack[:, None] + y.slack)
        assert (lower <= square).all() and (square <= lower + width).all()
        assert width.max() < 1e-3 * square.max()


def test_blocks_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    real, fake = rng.integers(0, 4, (90, 3)), rng.integers(0, 4, (70, 3))
    whole = (
        precision_recall(real=real, fake=fake),
        density_coverage(real=real, fake=fake),
        realism(real=real, fake=fake),
    )
    for block in (1, 100, 1000):
        monkeypatch.setattr(neighbours, "BLOCK", block)
        check(real, fake, 3)
        assert (precision_recall(real=real, fake=fake), density_coverage(real=real, fake=fake)) == whole[:2]
        assert torch.equal(realism(real=real, fake=fake), whole[2])


def test_radii_agree_with_scikit_learn():
    real, fake = normal(500, 8), normal(400, 8, 1)
    radii = NearestNeighbors(n_neighbors=6, algorithm="kd_tree").fit(real).kneighbors(real)[0][:, 5]
    found = neighbours.kth_distances(manifold._clouds(real, fake, 5)[0], 5)
    scale = found[0] / radii[0]
    assert scale == 2.0 ** round(math.log2(scale))
    np.testing.assert_allclose(found, radii * scale, rtol=1e-12)


def test_swapping_real_and_fake_swaps_precision_and_recall():
    real, fake = normal(200, 4), normal(150, 4, 1) * 0.5
    one, two = precision_recall(real=real, fake=fake), precision_recall(real=fake, fake=real)
    assert (one.precision, one.recall) == (two.recall, two.precision)
    assert one.precision > 0.9 > 0.6 > one.recall  # narrow fakes: precise, and missing much


def test_limits():
    real = normal(100, 3)
    same = precision_recall(real=real, fake=real)
    assert same.precision == same.recall == 1
    assert density_coverage(real=real, fake=real).coverage == 1
    assert torch.isinf(realism(real=real, fake=real)).sum() >= 50  # copies of reals whose ball is kept
    far = precision_recall(real=real, fake=real + 1e6)
    assert far.precision == far.recall == 0
    assert density_coverage(real=real, fake=real + 1e6).density == 0
    collapsed = np.tile(real[:1], (50, 1))
    assert precision_recall(real=real, fake=collapsed).precision == 1
    assert precision_recall(real=real, fake=collapsed).recall == 1 / 100
    everything_equal = np.ones((10, 3))
    check(everything_equal, everything_equal, 3)


def test_rotation_and_order_do_not_matter():
    real, fake = normal(150, 6), normal(140, 6, 1) + 0.3
    turn = np.linalg.qr(normal(6, 6, 2))[0]
    for f in (precision_recall, density_coverage):
        assert f(real=real, fake=fake) == f(real=real[::-1] @ turn, fake=fake[::-1] @ turn)


def test_identical_distributions_have_a_known_expectation():
    """A fake is in a real's ball if it ranks k-th or better among N: probability k / N, hence density 1. A real is
    missed if its k nearest among all N + M - 1 others are real: (N-1)...(N-k) / ((N+M-1)...(N+M-k))."""
    rng, n, m, k = np.random.default_rng(0), 60, 40, 3
    found = [
        density_coverage(real=rng.normal(size=(n, 5)), fake=rng.normal(size=(m, 5)), k=k) for _ in range(300)
    ]
    expected = 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1))
    assert np.mean([f.coverage for f in found]) == pytest.approx(expected, abs=0.01)
    assert np.mean([f.density for f in found]) == pytest.approx(1, abs=0.02)


def test_outliers():
    """One wild real sample opens a ball that swallows every fake; density and realism hardly notice."""
    real, fake = normal(200, 2), normal(200, 2, 1) + 20
    wild = np.vstack([real, [[40.0, 40.0]]])
    assert precision_recall(real=real, fake=fake).precision == 0
    assert precision_recall(real=wild, fake=fake).precision == 1
    assert density_coverage(real=wild, fake=fake).density == pytest.approx(1 / 5)
    assert realism(real=wild, fake=fake).max() < 0.1


def test_realism_is_one_at_the_border():
    real, fake = normal(300, 3), normal(300, 3, 1)
    score = realism(real=real, fake=fake)
    assert score.shape == (300,) and score.dtype == torch.float64
    radii = np.sort(cdist(real, real), axis=1)[:, 3]
    kept = radii <= np.median(radii)
    inside = (cdist(fake, real[kept]) <= radii[kept]).any(axis=1)
    np.testing.assert_array_equal(score >= 1, inside)


def test_every_kind_of_array():
    real, fake = np.round(normal(40, 3) * 8), np.round(normal(30, 3, 1) * 8)
    expected = precision_recall(real=real, fake=fake)
    for kind in (np.int16, np.float16, np.float32):
        assert precision_recall(real=real.astype(kind), fake=fake.astype(kind)) == expected
    assert precision_recall(real=torch.from_numpy(real).requires_grad_(), fake=fake.tolist()) == expected
    assert precision_recall(real=np.asfortranarray(real), fake=fake[:, ::-1][:, ::-1]) == expected


FUNCTIONS = (precision_recall, density_coverage, realism)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_bad_input_is_named(f):
    x = normal(10, 3)
    nan = x.copy()
    nan[7, 1] = np.nan
    with pytest.raises(ValueError, match="real features: row 7 has NaN"):
        f(real=nan, fake=x)
    with pytest.raises(ValueError, match="fake features: row 7 has NaN"):
        f(real=x, fake=nan)
    with pytest.raises(ValueError, match="got 3 and 2 columns"):
        f(real=x, fake=x[:, :2])
    with pytest.raises(ValueError, match="fake features: expected a 2-D array"):
        f(real=x, fake=x[0])
    with pytest.raises(ValueError, match="fake features: expected at least 1 rows, got 0"):
        f(real=x, fake=x[:0])
    with pytest.raises(TypeError):
        f(x, x)
    for k in (0, -1, 10, 2.5, None):
        with pytest.raises(ValueError, match=r"k: expected a whole number from 1 to 9, .* 10 real samples"):
            f(real=x, fake=normal(20, 3), k=k)


def test_k_counts_the_fakes_only_where_they_have_balls():
    x, few = normal(10, 3), normal(3, 3, 1)
    with pytest.raises(ValueError, match=r"k: expected a whole number from 1 to 2, .* 3 fake samples"):
        precision_recall(real=x, fake=few)
    assert density_coverage(real=x, fake=few[:1]).coverage <= 1
    assert realism(real=x, fake=few[:1]).shape == (1,)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(4, 12), st.just(2)),
        elements=st.sampled_from([-1e3, -1, 0, 0.1, 0.2, 0.3, 7]),
    ),
    arrays(
        np.float64,
        st.tuples(st.integers(4, 12), st.just(2)),
        elements=st.sampled_from([-1e3, -1, 0, 0.1, 0.2, 0.3, 7]),
    ),
    st.integers(1, 3),
)
def test_ties_everywhere(real, fake, k):
    check(real, fake, k)
