import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from gancourse.metrics import prd, prd_curve, prd_from_histograms


def normal(n, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dim))


def groups(labels, seed=0):
    """Points in tight clusters, far apart: label k sits at 10 k on the diagonal."""
    labels = np.asarray(labels)
    return labels[:, None] * 10.0 + 0.1 * normal(len(labels), 3, seed)


def test_agrees_with_the_definition():
    rng = np.random.default_rng(0)
    real, fake = rng.dirichlet(np.ones(7), 2)
    curve = prd_from_histograms(real=real, fake=fake, angles=51)
    slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, 51))
    for i, slope in enumerate(slopes):
        precision = sum(min(slope * r, f) for r, f in zip(real, fake, strict=True))
        assert curve.precision[i] == pytest.approx(precision, rel=1e-12)
        assert curve.recall[i] == pytest.approx(precision / slope, rel=1e-12)


def test_hand_made_histograms():
    curve = prd_from_histograms(real=[0.5, 0.5, 0], fake=[0, 0.5, 0.5])
    assert curve.precision.shape == curve.recall.shape == (1001,)
    assert curve.precision.max() == pytest.approx(0.5) and curve.recall.max() == pytest.approx(0.5)
    for beta in (1 / 8, 1, 8):
        assert curve.f_beta(beta) == pytest.approx(0.5, rel=1e-12)
    dropped = prd_from_histograms(real=[0.5, 0.5], fake=[1, 0])  # half the modes: precise at recall 1/2
    assert dropped.recall[0] == pytest.approx(0.5) and dropped.precision[-1] == pytest.approx(1)
    assert dropped.f_beta(1) == pytest.approx(2 / 3, rel=1e-3)  # at slope 2: precision 1, recall 1/2
    assert dropped.f_beta(8) < 0.52 < 0.97 < dropped.f_beta(1 / 8)


def test_limits():
    p = [0.1, 0.2, 0.7]
    same = prd_from_histograms(real=p, fake=p)
    assert same.f_beta(1) == pytest.approx(1, abs=1e-15)
    assert same.precision.max() <= 1 and same.recall.max() <= 1
    apart = prd_from_histograms(real=[1, 0], fake=[0, 1])
    assert apart.f_beta(1) == apart.f_beta(8) == 0


def test_swapping_real_and_fake_swaps_the_axes():
    real, fake = np.random.default_rng(1).dirichlet(np.ones(9), 2)
    one, two = prd_from_histograms(real=real, fake=fake), prd_from_histograms(real=fake, fake=real)
    torch.testing.assert_close(one.precision, two.recall.flip(0), rtol=1e-5, atol=1e-12)
    assert one.f_beta(8) == pytest.approx(two.f_beta(1 / 8), rel=1e-5)


def test_clusters_are_found_and_compared():
    labels = np.arange(600) % 6
    curve = prd_curve(real=groups(labels), fake=groups(labels // 2, 1), clusters=6)  # fakes: 3 of 6 modes
    assert curve.recall.max() == pytest.approx(0.5) and curve.precision.max() == pytest.approx(1)
    same = prd_curve(real=groups(labels), fake=groups(labels, 1), clusters=6)
    assert same.f_beta(1) == pytest.approx(1)
    assert prd_curve(real=groups(labels), fake=groups(labels + 6, 1), clusters=12).f_beta(1) == 0


def test_set_sizes_may_differ():
    curve = prd_curve(real=groups(np.arange(40) % 4), fake=groups(np.arange(400) % 2, 1), clusters=4)
    assert curve.recall.max() == pytest.approx(0.5) and curve.precision.max() == pytest.approx(1)


def test_same_seed_same_curve():
    real, fake = normal(300, 5), normal(200, 5, 1) + 0.5
    one, two, three = (prd_curve(real=real, fake=fake, clusters=8, angles=101, seed=s) for s in (0, 0, 1))
    assert torch.equal(one.precision, two.precision) and torch.equal(one.recall, two.recall)
    assert not torch.equal(one.precision, three.precision)


def test_offset_and_scale_do_not_matter():
    real, fake = normal(200, 4), normal(200, 4, 1) + 1
    curve = prd_curve(real=real, fake=fake, clusters=5)
    for f in (lambda x: x * 1e-200, lambda x: x * 1e20, lambda x: x + 1000):
        other = prd_curve(real=f(real), fake=f(fake), clusters=5)
        torch.testing.assert_close(other.precision, curve.precision, rtol=1e-6, atol=1e-6)


def test_k_means_is_as_good_as_scikit_learns():
    x = np.vstack([normal(300, 4, s) + 3 * normal(1, 4, 100 + s) for s in range(12)])

    def inertia(labels):
        return sum(((x[labels == c] - x[labels == c].mean(axis=0)) ** 2).sum() for c in np.unique(labels))

    random = torch.Generator().manual_seed(0)
    ours = np.mean([inertia(prd._k_means(torch.from_numpy(x), 12, random).numpy()) for _ in range(10)])
    theirs = np.mean([KMeans(12, n_init=1, random_state=s).fit(x).inertia_ for s in range(10)])
    assert ours < 1.05 * theirs


def test_fewer_distinct_points_than_clusters():
    real, fake = np.repeat([[0.0], [1]], [30, 10], axis=0), np.repeat([[0.0], [1], [2]], [10, 10, 20], axis=0)
    expected = prd_from_histograms(real=[0.75, 0.25, 0], fake=[0.25, 0.25, 0.5])
    torch.testing.assert_close(prd_curve(real=real, fake=fake).precision, expected.precision)
    assert prd_curve(real=np.ones((30, 2)), fake=np.ones((30, 2))).f_beta(1) == pytest.approx(1)


def test_points_too_close_for_squares():
    x = np.concatenate([np.arange(30) * 1e-170, [1.0]])[:, None]  # squared distances underflow to 0
    assert prd_curve(real=x, fake=x, clusters=20).f_beta(1) == pytest.approx(1)


def test_bad_input_is_named():
    x = normal(30, 2)
    with pytest.raises(ValueError, match="real features: row 3 has NaN"):
        prd_curve(real=np.where(np.arange(30)[:, None] == 3, np.nan, x), fake=x)
    with pytest.raises(ValueError, match="got 2 and 1 columns"):
        prd_curve(real=x, fake=x[:, :1])
    for clusters in (1, 61, 2.5):
        with pytest.raises(ValueError, match="clusters: expected a whole number from 2 to 60"):
            prd_curve(real=x, fake=x, clusters=clusters)
    with pytest.raises(ValueError, match="runs: expected a whole number of at least 1, got 0"):
        prd_curve(real=x, fake=x, runs=0)
    for angles in (2, 10.5):
        with pytest.raises(ValueError, match="angles: expected a whole number of at least 3"):
            prd_from_histograms(real=[1.0], fake=[1.0], angles=angles)
    with pytest.raises(ValueError, match=r"real histogram: .*sum to 2"):
        prd_from_histograms(real=[1.0, 1.0], fake=[0.5, 0.5])
    with pytest.raises(ValueError, match=r"expected two of shape \(K,\), got \(2,\) and \(3,\)"):
        prd_from_histograms(real=[0.5, 0.5], fake=[0.5, 0.5, 0])
    curve = prd_from_histograms(real=[0.5, 0.5], fake=[0.5, 0.5])
    for beta in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="beta: expected a positive number"):
            curve.f_beta(beta)


def test_extreme_weights_and_comparison():
    curve = prd_from_histograms(real=[0.5, 0.5], fake=[1.0, 0.0])
    assert curve.f_beta(1e200) == pytest.approx(0.5, abs=1e-6) and curve.f_beta(1e-200) == pytest.approx(1)
    assert curve == curve and curve != prd_from_histograms(real=[0.5, 0.5], fake=[1.0, 0.0])
