"""The StyleGAN against the paper's formulas, against plain constructions, and against itself."""

import math

import pytest
import torch
import torch.nn.functional as F

from gancourse.models import layers, sample
from gancourse.models.stylegan import (
    Discriminator,
    MappingNetwork,
    StyleGANGenerator,
    SynthesisLayer,
    style_mix,
)
from gancourse.training.run import seeded

CHANNELS = (16, 16, 8, 8)


@pytest.fixture
def generator() -> StyleGANGenerator:
    g = seeded(3, StyleGANGenerator, CHANNELS, z_dim=12, w_dim=12).eval()
    stream = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for layer in g.synthesis.layers:
            layer.noise.weight.normal_(generator=stream)
        g.w_avg.normal_(generator=stream)
    return g


@pytest.fixture
def z() -> torch.Tensor:
    return torch.randn(6, 12, generator=torch.Generator().manual_seed(1))


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_equalized_layers_keep_unit_variance_through_leaky_relu_up_to_its_gain():
    # the gain is sqrt 2 for a plain ReLU; with slope 0.2 below zero the second moment grows by 1.04
    linear = seeded(0, layers.EqualizedLinear, 1024, 1024)
    out = layers.leaky_relu(linear(randn(64, 1024, seed=1)))
    assert float(out.detach().square().mean()) == pytest.approx(1.04, rel=0.05)
    conv = seeded(0, layers.EqualizedConv2d, 64, 64, 3)
    inside = layers.leaky_relu(conv(randn(4, 64, 16, 16, seed=1)))[:, :, 1:-1, 1:-1]
    assert float(inside.detach().square().mean()) == pytest.approx(1.04, rel=0.05)


def test_lr_mul_changes_the_speed_of_learning_but_not_the_first_output():
    plain = seeded(0, layers.EqualizedLinear, 8, 8)
    slow = seeded(0, layers.EqualizedLinear, 8, 8, lr_mul=0.01)
    x = randn(5, 8)
    torch.testing.assert_close(plain(x), slow(x), rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        for layer in (plain, slow):
            layer.weight += 1.0
    assert (slow(x) - seeded(0, layers.EqualizedLinear, 8, 8)(x)).abs().max() < 0.02 * (
        plain(x) - seeded(0, layers.EqualizedLinear, 8, 8)(x)
    ).abs().max()


def test_pixel_norm_gives_unit_root_mean_square_not_unit_length():
    out = layers.PixelNorm()(10 * randn(4, 512))
    torch.testing.assert_close(out.square().mean(1), torch.ones(4), rtol=1e-4, atol=0)
    assert out.norm(dim=1).min() > 22


def test_adain_sets_mean_and_spread_of_each_map_to_the_style():
    adain = seeded(0, layers.AdaIN, 5, 3)
    x, w = 4 * randn(2, 3, 32, 32) + 7, randn(2, 5, seed=1)
    y_s, y_b = adain.affine(w).chunk(2, dim=1)
    out = adain(x, w)
    torch.testing.assert_close(out.mean((2, 3)), y_b, rtol=0, atol=1e-4)
    torch.testing.assert_close(out.std((2, 3), correction=0), (y_s + 1).abs(), rtol=1e-4, atol=1e-5)


def test_adain_of_a_flat_map_is_its_bias_and_not_a_division_by_zero():
    adain = seeded(0, layers.AdaIN, 5, 3)
    w = randn(2, 5)
    out = adain(torch.full((2, 3, 4, 4), 0.5), w)
    torch.testing.assert_close(out, adain.affine(w)[:, 3:, None, None].expand(2, 3, 4, 4), rtol=0, atol=1e-3)


def test_downsampled_is_convolution_then_averaging():
    conv = seeded(0, layers.EqualizedConv2d, 5, 7, 3)
    x = randn(2, 5, 16, 16)
    torch.testing.assert_close(conv.downsampled(x), F.avg_pool2d(conv(x), 2), rtol=1e-4, atol=1e-5)


def test_bilinear_then_convolution_is_the_originals_nearest_convolution_blur_inside():
    layer = seeded(0, SynthesisLayer, 4, 6, 5, "up")
    x = randn(2, 4, 8, 8)
    original = layers.Blur()(layer.conv(layers.upsample(x)))
    ours = layer.conv(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
    torch.testing.assert_close(ours[:, :, 3:-3, 3:-3], original[:, :, 3:-3, 3:-3], rtol=1e-4, atol=1e-5)


def test_blur_keeps_the_sum_of_a_point():
    x = torch.zeros(1, 2, 5, 5)
    x[0, 0, 2, 2] = 16
    out = layers.Blur()(x)
    assert out[0, 0, 1:4, 1:4].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert float(out[0, 1].abs().max()) == 0


def test_minibatch_stddev_by_hand():
    x = torch.zeros(4, 1, 2, 2)
    x[2], x[3] = 2.0, 6.0
    out = layers.MinibatchStdDev(group_size=2)(x)  # groups: images 0 and 2 (std 1), images 1 and 3 (std 3)
    assert out.shape == (4, 2, 2, 2)
    torch.testing.assert_close(out[:, 1, 0, 0], torch.tensor([1.0, 3.0, 1.0, 3.0]), rtol=1e-4, atol=1e-4)


def test_minibatch_stddev_of_identical_images_is_zero_and_of_any_batch_size_defined():
    for n in (1, 3, 5, 6):
        out = layers.MinibatchStdDev()(torch.ones(n, 2, 4, 4))
        assert float(out[:, 2].max()) < 1e-3


def test_mapping_ignores_the_length_of_z():
    mapping = seeded(0, MappingNetwork, 16, 16)
    torch.testing.assert_close(mapping(randn(3, 16)), mapping(5 * randn(3, 16)), rtol=1e-4, atol=1e-5)


def test_image_shapes_at_every_resolution(generator, z):
    for resolution in (4, 8, 16, 32):
        assert generator(z, resolution=resolution).shape == (6, 1, resolution, resolution)
    for wrong in (2, 12, 64):
        with pytest.raises(ValueError, match="resolution"):
            generator(z, resolution=wrong)


def test_alpha_blends_with_the_doubled_image_of_the_stage_before(generator, z):
    small = layers.upsample(generator(z, resolution=16))
    large = generator(z, resolution=32)
    torch.testing.assert_close(generator(z, alpha=0.0), small, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(generator(z, alpha=0.3), 0.3 * large + 0.7 * small, rtol=1e-4, atol=1e-5)


def test_fixed_noise_repeats_and_fresh_noise_does_not(generator, z):
    assert torch.equal(generator(z), generator(z))
    stream = torch.Generator().manual_seed(0)
    assert not torch.equal(
        generator(z, noise="fresh", generator=stream), generator(z, noise="fresh", generator=stream)
    )
    torch.testing.assert_close(generator(z, noise_strength=0.0), generator(z, noise="none"))
    with pytest.raises(ValueError, match="noise"):
        generator(z, noise="loud")


def test_truncation_at_zero_shows_one_average_image_and_cutoff_spares_fine_layers(generator, z):
    flat = generator(z, psi=0.0)
    assert float((flat - flat[:1]).abs().max()) < 1e-5
    styles = generator.styles(z, psi=0.5, cutoff=3)
    full = generator.mapping(z)
    torch.testing.assert_close(styles[:, 3:], full[:, None].expand(-1, 5, -1))
    torch.testing.assert_close(styles[:, 0], generator.w_avg + 0.5 * (full - generator.w_avg))


def test_style_mix_switches_at_the_crossover(generator, z):
    w1, w2 = generator.mapping(z[:2]), generator.mapping(z[2:4])
    mixed = style_mix(w1, w2, 3, generator.num_layers)
    assert torch.equal(mixed[:, 2], w1) and torch.equal(mixed[:, 3], w2)
    assert torch.equal(style_mix(w1, w2, 0, 8)[:, 0], w2)


def test_discriminator_blends_features_of_the_halved_image():
    d = seeded(0, Discriminator, CHANNELS)
    images = randn(4, 1, 32, 32)
    assert d(images).shape == (4,)
    old = d(layers.downsample(images))
    torch.testing.assert_close(d(images, alpha=0.0), old, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(d(images, alpha=0.5), old)


def test_colour_images_and_other_sizes_need_no_change():
    g = seeded(0, StyleGANGenerator, (8, 8, 8, 8, 8), image_channels=3)
    images = sample(g, 5, batch_size=2)
    assert images.shape == (5, 3, 64, 64) and images.dtype == torch.uint8
    assert seeded(0, Discriminator, (8, 8, 8, 8, 8), image_channels=3)(images / 127.5 - 1).shape == (5,)


def test_sampling_is_repeatable_and_keeps_to_its_seed(generator):
    assert torch.equal(sample(generator, 8, seed=4), sample(generator, 8, seed=4))
    assert not torch.equal(sample(generator, 8, seed=4), sample(generator, 8, seed=5))


def test_shape_errors_name_the_argument(generator):
    with pytest.raises(ValueError, match="z: expected shape"):
        generator(torch.zeros(3, 13))
    for styles in (2, 9):
        with pytest.raises(ValueError, match="w: expected shape"):
            generator.synthesis(torch.zeros(3, styles, 12))
    w = torch.zeros(3, 12)
    for wrong in ({"noise": [None] * 3}, {"noise_strength": [1.0] * 7}):
        with pytest.raises(ValueError, match="expected one for each of the 8 layers"):
            generator.synthesis(w, **wrong)
    for size in (0, -4, 2, 64):
        with pytest.raises(ValueError, match="resolution: expected a power of two from 4 to 32"):
            generator.synthesis(w, resolution=size)
    for crossover in (-1, 9):
        with pytest.raises(ValueError, match="crossover: expected 0 to 8"):
            style_mix(w, w, crossover, 8)
    critic = Discriminator((4, 4))
    for shape in ((2, 1, 16, 16), (2, 1, 7, 7), (2, 1, 8, 4), (1, 8, 8)):
        with pytest.raises(ValueError, match=r"images: expected \(N, C, R, R\) with R in \[4, 8\]"):
            critic(torch.zeros(shape))


def test_kaiming_constant_of_the_mapping_is_the_papers():
    layer = MappingNetwork(64, 64).layers[0]
    assert layer.scale == pytest.approx(math.sqrt(2) * 0.01 / 8)
    assert float(layer.weight.detach().std()) == pytest.approx(100, rel=0.05)


def test_latents_that_are_not_finite_are_named_by_row():
    generator = StyleGANGenerator([4, 4], z_dim=4, w_dim=4)
    z = torch.zeros(3, 4)
    z[1, 2] = torch.nan
    with pytest.raises(ValueError, match="z: row 1 has NaN"):
        generator(z)
    with pytest.raises(ValueError, match="got n=0"):
        sample(generator, 0)
