import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from gancourse.metrics import path_length, perceptual_path_length


def square(x, y):
    return (x - y).square().sum(dim=(1, 2, 3))


def as_images(x):
    return x.reshape(len(x), 1, 1, -1)


def linear(dim=6, seed=0):
    matrix = torch.randn(dim, 5, generator=torch.Generator().manual_seed(seed))
    return (lambda w: as_images(w @ matrix)), float(matrix.square().sum())


def close(estimate, expected, errors=4):
    assert abs(estimate.value - expected) < errors * estimate.stderr, (estimate, expected)
    assert estimate.stderr < 0.05 * expected


WHOLE = {"trim": (0.0, 1.0), "samples": 4000}


@pytest.mark.parametrize("sampling", ["full", "end"])
def test_linear_generator(sampling):
    """|A (w2 - w1)|^2 with w2 - w1 ~ N(0, 2 I): 2 |A|^2, wherever on the line."""
    generator, norm = linear()
    close(perceptual_path_length(generator, square, dim=6, sampling=sampling, **WHOLE), 2 * norm)


def test_epsilon_cancels():
    generator, _ = linear()
    values = [
        perceptual_path_length(generator, square, dim=6, epsilon=e, **WHOLE).value for e in (1e-4, 1e-3, 1e-2)
    ]
    np.testing.assert_allclose(
        values, values[-1], rtol=1e-4
    )  # float32 images keep a step of 1e-4 well enough


@pytest.mark.parametrize("sampling", ["full", "end"])
def test_sphere_in_z(sampling):
    """Along an arc of unit vectors the speed is the angle; in 3-D its density is sin(a) / 2."""
    expected = integrate.quad(lambda a: a**2 * math.sin(a) / 2, 0, math.pi)[0]
    arguments = {"space": "z", "sampling": sampling, "dim": 3, **WHOLE}
    close(perceptual_path_length(as_images, square, **arguments), expected)
    stretched = perceptual_path_length(as_images, square, mapping=lambda z: 3 * z, **arguments)
    close(stretched, 9 * expected)


def test_mapping_comes_before_the_line_in_w():
    generator, norm = linear()
    close(perceptual_path_length(generator, square, dim=6, mapping=lambda z: 3 * z, **WHOLE), 9 * 2 * norm)
    fixed = perceptual_path_length(generator, square, dim=6, mapping=torch.zeros_like, samples=10)
    assert fixed.value == fixed.stderr == 0


def test_full_and_end_differ_where_the_generator_bends():
    """g(w) = w^2 moves at 2 w (w2 - w1): squared, 16 a dimension at w = w1 and 8 on average over the line."""
    close(perceptual_path_length(lambda w: as_images(w**2), square, dim=4, sampling="end", **WHOLE), 64, 5)
    close(perceptual_path_length(lambda w: as_images(w**2), square, dim=4, sampling="full", **WHOLE), 32, 5)


def test_slerp_is_an_even_walk_on_the_sphere():
    a, b = torch.randn(2, 50, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    unit = torch.nn.functional.normalize
    walk = [path_length._unit_slerp(a, b, torch.full((50,), t)) for t in (0.0, 0.25, 0.5, 0.75, 1.0)]
    torch.testing.assert_close(walk[0], unit(a))
    torch.testing.assert_close(walk[-1], unit(b))
    torch.testing.assert_close(walk[2], unit(unit(a) + unit(b)))
    steps = torch.stack([(p * q).sum(dim=1).clamp(-1, 1).acos() for p, q in itertools.pairwise(walk)])
    torch.testing.assert_close(steps, steps[0].expand(4, 50))
    still = path_length._unit_slerp(a, 2 * a, torch.full((50,), 0.3, dtype=torch.float64))
    torch.testing.assert_close(still, unit(a))
    assert path_length._unit_slerp(a, -a, torch.full((50,), 0.3, dtype=torch.float64)).isfinite().all()


def test_trimming_follows_the_authors_quantiles():
    x = np.random.default_rng(0).lognormal(size=777)
    for low, high in ((0.01, 0.99), (0, 0.9), (0.3, 1), (0, 1)):
        first, last = np.quantile(x, low, method="lower"), np.quantile(x, high, method="higher")
        kept = x[(first <= x) & (x <= last)]
        estimate = path_length._trimmed_mean(torch.from_numpy(x), (low, high), "")
        assert estimate.value == pytest.approx(kept.mean(), rel=1e-12)
    expected = stats.mstats.trimmed_stde(x, limits=(0.1, 0.1))
    assert path_length._trimmed_mean(torch.from_numpy(x), (0.1, 0.9), "").stderr == pytest.approx(
        expected, rel=0.02
    )


def test_error_and_interval_are_sound():
    """Repeated samples of a skewed distribution, whose trimmed mean is an integral."""
    low, high = 0.01, 0.99
    truth = integrate.quad(stats.lognorm(1).ppf, low, high)[0] / (high - low)
    rng = np.random.default_rng(0)
    found = [
        path_length._trimmed_mean(torch.from_numpy(rng.lognormal(size=1000)), (low, high), "")
        for _ in range(1000)
    ]
    assert np.mean([e.stderr for e in found]) == pytest.approx(np.std([e.value for e in found]), rel=0.08)
    assert 0.92 < np.mean([e.interval[0] <= truth <= e.interval[1] for e in found]) < 0.98


def test_seed_decides_and_batches_do_not():
    generator, _ = linear()

    def run(**kwargs):
        return perceptual_path_length(generator, square, dim=6, samples=100, epsilon=0.1, **kwargs)

    assert run() == run()
    assert run().value != run(seed=1).value
    for batch_size in (1, 7, 1000):
        assert run(batch_size=batch_size).value == pytest.approx(run().value, rel=1e-4)
    assert run().n == 100 and run().method == "PPL, w, full, epsilon 0.1"


def test_dim_is_found_where_a_model_says_it():
    class Mapping(torch.nn.Module):
        z_dim = 9

        def forward(self, z):
            return z[:, :6]

    generator, norm = linear()
    close(perceptual_path_length(generator, square, mapping=Mapping(), **WHOLE), 2 * norm)
    with pytest.raises(ValueError, match="dim: expected the number of z's dimensions"):
        perceptual_path_length(generator, square)
    with pytest.raises(ValueError, match="got 0"):
        perceptual_path_length(generator, square, dim=0)
    with pytest.raises(ValueError, match=r"samples >= 2, .* got 0.0001, 2.5"):
        perceptual_path_length(generator, square, dim=6, samples=2.5)


def test_a_whole_stylegan_is_taken_apart():
    class Generator:
        z_dim = 6
        mapping = staticmethod(lambda z: 3 * z)
        synthesis = staticmethod(linear()[0])

        def __call__(self, z):
            raise AssertionError("w must not go through the mapping twice")

    close(perceptual_path_length(Generator(), square, **WHOLE), 9 * 2 * linear()[1])


def test_w_of_any_shape():
    found = perceptual_path_length(
        lambda w: as_images(w.flatten(1)),
        square,
        dim=3,
        mapping=lambda z: z[:, None].repeat(1, 2, 1),
        **WHOLE,
    )
    close(found, 2 * 2 * 3)


def test_noise_is_caught():
    generator, _ = linear()
    with pytest.raises(ValueError, match="generator: expected the same images for the same latents"):
        perceptual_path_length(lambda w: generator(w) + torch.rand(1), square, dim=6, samples=10)


def test_no_gradients_are_kept():
    layer = torch.nn.Linear(3, 4)
    perceptual_path_length(lambda w: as_images(layer(w)), square, dim=3, samples=4)
    assert layer.weight.grad is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0}, {"epsilon": 1.5}, {"samples": 1}, {"batch_size": 0}, {"trim": (0.5, 0.5)}, {"trim": (-0.1, 1)},
        {"trim": (0, 1.1)}, {"space": "x"}, {"sampling": "half"},
    ],
)  # fmt: skip
def test_arguments_out_of_range(wrong):
    with pytest.raises(
        ValueError, match=r"expected .*got .*" + next(str(v) for v in wrong.values()).strip("()")
    ):
        perceptual_path_length(as_images, square, dim=2, **wrong)


@pytest.mark.parametrize(
    ("distance", "message"),
    [
        (lambda x, y: square(x, y).sum(), r"got \(\), 0 of them"),
        (lambda x, y: x - y, r"got \(10, 1, 1, 2\)"),
        (lambda x, y: square(x, y) * torch.nan, r"got \(10,\), 10 of them not finite"),
    ],
)
def test_what_is_no_distance(distance, message):
    with pytest.raises(
        ValueError, match="distance: expected 10 finite numbers, one a pair of images, " + message
    ):
        perceptual_path_length(as_images, distance, dim=2, samples=10)


def test_noise_smaller_than_the_images_but_not_than_the_step_is_found():
    stream = torch.Generator().manual_seed(0)

    def smooth(z):
        return (1 + 1e-2 * z[:, :1]).expand(-1, 1024).reshape(-1, 1, 32, 32)

    def noisy(z):
        return smooth(z) + 2e-5 * torch.randn(len(z), 1, 32, 32, generator=stream)

    def square(a, b):
        return (a - b).square().flatten(1).sum(1)

    perceptual_path_length(smooth, square, samples=50, dim=4)
    with pytest.raises(ValueError, match="expected the same images for the same latents"):
        perceptual_path_length(noisy, square, samples=50, dim=4)
    with pytest.raises(TypeError, match=r"expected floating-point images, not quantised, got torch\.uint8"):
        perceptual_path_length(lambda z: (100 * smooth(z)).byte(), square, samples=50, dim=4)
