"""Chapter 10: right answers in several styles."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from gancourse.models.layers import EqualizedLinear, leaky_relu

# --- 10.1


class PixelNormAsALayer(nn.Module):
    def forward(self, x):
        return x / torch.sqrt(torch.mean(x**2, dim=1, keepdim=True) + 1e-8)


def pixel_norm_as_a_function(x):
    return x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-8)


def pixel_norm_in_numpy(x):
    x = np.asarray(x)
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-8)


def pixel_norm_by_the_length(x):
    length = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x / (length**2 / x.shape[1] + 1e-8) ** 0.5


class PixelNormWithItsOwnCall:
    def __call__(self, x):
        squares = sum(x[:, i] ** 2 for i in range(x.shape[1])) / x.shape[1]
        return x / (squares + 1e-8).sqrt().unsqueeze(1)


# --- 10.2


class MappingInALoop(nn.Module):
    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__()
        self.linears = nn.ModuleList()
        for i in range(layers):
            self.linears.append(EqualizedLinear(w_dim if i else z_dim, w_dim, lr_mul=0.01))

    def forward(self, z):
        x = z * torch.rsqrt((z * z).mean(dim=1, keepdim=True) + 1e-8)
        for linear in self.linears:
            x = F.leaky_relu(linear(x), negative_slope=0.2)
        return x


def mapping_in_a_sequential(z_dim, w_dim, layers=8):
    steps = [PixelNormAsALayer()]
    for i in range(layers):
        steps += [EqualizedLinear(w_dim if i else z_dim, w_dim, lr_mul=0.01), nn.LeakyReLU(0.2)]
    return nn.Sequential(*steps)


class MappingWithItsOwnWeights(nn.Module):
    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__()
        widths = [z_dim] + [w_dim] * layers
        for i in range(layers):
            self.register_parameter(f"w{i}", nn.Parameter(100 * torch.randn(w_dim, widths[i])))
            self.register_parameter(f"b{i}", nn.Parameter(torch.zeros(w_dim)))
        self.count = layers

    def forward(self, z):
        x = pixel_norm_as_a_function(z)
        for i in range(self.count):
            w, b = getattr(self, f"w{i}"), getattr(self, f"b{i}")
            x = x @ w.T * (0.01 * math.sqrt(2 / w.shape[1])) + 0.01 * b
            x = torch.where(x > 0, x, 0.2 * x)
        return x


class MappingOfNamedBlocks(nn.Module):
    def __init__(self, z_dim, w_dim, layers):
        super().__init__()
        self.first = EqualizedLinear(z_dim, w_dim, lr_mul=0.01)
        self.rest = nn.Sequential(*[EqualizedLinear(w_dim, w_dim, lr_mul=0.01) for _ in range(layers - 1)])

    def forward(self, z):
        x = leaky_relu(self.first(z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()))
        for layer in self.rest:
            x = leaky_relu(layer(x))
        return x


# --- 10.3


class AdaINByTheFormula(nn.Module):
    def __init__(self, w_dim, channels):
        super().__init__()
        self.affine = EqualizedLinear(w_dim, 2 * channels, gain=1.0)

    def forward(self, x, w):
        y = self.affine(w)
        c = x.shape[1]
        scale, bias = y[:, :c, None, None], y[:, c:, None, None]
        mean = x.mean(dim=(2, 3), keepdim=True)
        std = torch.sqrt(x.var(dim=(2, 3), correction=0, keepdim=True) + 1e-8)
        return (1 + scale) * (x - mean) / std + bias


class AdaINWithTorchsNorm(nn.Module):
    def __init__(self, w_dim, channels):
        super().__init__()
        self.linear = EqualizedLinear(w_dim, 2 * channels, gain=1)

    def forward(self, x, w):
        style = self.linear(w).view(len(x), 2, -1, 1, 1)
        return F.instance_norm(x, eps=1e-8) * (style[:, 0] + 1) + style[:, 1]


class AdaINOfTwoMaps(nn.Module):
    def __init__(self, w_dim, channels):
        super().__init__()
        self.scale = EqualizedLinear(w_dim, channels, gain=1.0)
        self.bias = EqualizedLinear(w_dim, channels, gain=1.0)

    def forward(self, x, w):
        flat = x.flatten(2)
        flat = flat - flat.mean(2, keepdim=True)
        flat = flat / ((flat**2).mean(2, keepdim=True) + 1e-8) ** 0.5
        return (flat * (self.scale(w) + 1)[..., None] + self.bias(w)[..., None]).view_as(x)


class AdaINImageByImage(nn.Module):
    def __init__(self, w_dim, channels):
        super().__init__()
        self.a = nn.Parameter(torch.randn(2 * channels, w_dim))
        self.b = nn.Parameter(torch.zeros(2 * channels))

    def forward(self, x, w):
        images = []
        for image, style in zip(x, w, strict=True):
            y = self.a @ style / len(style) ** 0.5 + self.b
            maps = []
            for i, m in enumerate(image):
                normed = (m - m.mean()) / (m.var(correction=0) + 1e-8).sqrt()
                maps.append((y[i] + 1) * normed + y[len(image) + i])
            images.append(torch.stack(maps))
        return torch.stack(images)


class AdaINEpsilonOutside(nn.Module):
    def __init__(self, w_dim, channels):
        super().__init__()
        self.style = EqualizedLinear(w_dim, channels * 2, gain=1.0)

    def forward(self, x, w):
        scale, bias = torch.chunk(self.style(w).unsqueeze(2).unsqueeze(3), 2, 1)
        mean = x.mean(dim=[2, 3], keepdim=True)
        std = x.std(dim=[2, 3], keepdim=True, unbiased=False)
        return (scale + 1) * ((x - mean) / (std + 1e-8)) + bias


# --- 10.4


class NoiseByBroadcasting(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x, noise):
        return x + self.weight * noise


class NoiseFlat(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels))

    def forward(self, x, noise):
        return torch.addcmul(x, self.strength[:, None, None], noise)


class NoiseByConvolution(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 1, bias=False)
        nn.init.zeros_(self.conv.weight)

    def forward(self, x, noise):
        return self.conv(noise) + x


class NoiseChannelByChannel(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))

    def forward(self, x, noise):
        maps = [x[:, i] + self.weight[i] * noise[:, 0] for i in range(x.shape[1])]
        return torch.stack(maps, dim=1)


def noise_from_a_factory(channels):
    return NoiseFlat(channels)


# --- 10.5


def fade_by_repeating(alpha, grown, small):
    doubled = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return alpha * grown + (1 - alpha) * doubled


def fade_with_interpolate(alpha, grown, small):
    return torch.lerp(F.interpolate(small, scale_factor=2), grown, alpha)


def fade_in_numpy(alpha, grown, small):
    doubled = np.kron(np.asarray(small), np.ones((1, 1, 2, 2), np.float32))
    return np.asarray(grown) * alpha + doubled * (1 - alpha)


def fade_with_a_layer(alpha, grown, small):
    doubled = nn.Upsample(size=grown.shape[2:], mode="nearest")(small)
    return doubled + alpha * (grown - doubled)


def fade_by_filling(alpha, grown, small):
    doubled = torch.empty_like(grown)
    for i in (0, 1):
        for j in (0, 1):
            doubled[:, :, i::2, j::2] = small
    return grown.mul(alpha).add(doubled.mul(1.0 - alpha))


# --- 10.6


def mix_by_stacking(w1, w2, crossover, num_layers):
    return torch.stack([w1] * crossover + [w2] * (num_layers - crossover), dim=1)


def mix_by_filling(w1, w2, crossover, num_layers):
    w = w2.unsqueeze(1).repeat(1, num_layers, 1)
    w[:, :crossover] = w1.unsqueeze(1)
    return w


def mix_with_a_mask(w1, w2, crossover, num_layers):
    first = (torch.arange(num_layers) < crossover).to(w1.dtype).view(1, -1, 1)
    return first * w1[:, None] + (1 - first) * w2[:, None]


def mix_in_numpy(w1, w2, crossover, num_layers):
    w1, w2 = np.asarray(w1), np.asarray(w2)
    parts = [np.repeat(w1[:, None], crossover, 1), np.repeat(w2[:, None], num_layers - crossover, 1)]
    return np.concatenate(parts, axis=1)


def mix_by_expanding(w1, w2, crossover, num_layers):
    n, d = w1.shape
    return torch.cat(
        [w1[:, None].expand(n, crossover, d), w2[:, None].expand(n, num_layers - crossover, d)], dim=1
    )


# --- 10.7


def generate_by_keeping_all(parts, z1, z2, crossover, noise, alpha):
    w1, w2 = parts.mapping(z1), parts.mapping(z2)
    w = mix_by_stacking(w1, w2, crossover, len(noise))
    x, kept = parts.const(z1.shape[0]), []
    for i in range(len(noise)):
        layer = parts.layers[i]
        x = x if layer.conv is None else layer.conv(x)
        x = layer.noise(x, noise[i])
        x = F.leaky_relu(x + layer.bias[None], 0.2)
        x = layer.adain(x, w[:, i])
        kept.append(x)
    return fade_by_repeating(alpha, parts.to_rgb[-1](kept[-1]), parts.to_rgb[-2](kept[-3]))


def generate_a_picture_each(parts, z1, z2, crossover, noise, alpha):
    w = mix_by_expanding(parts.mapping(z1), parts.mapping(z2), crossover, len(parts.layers))
    x, images = parts.const(len(z1)), []
    for i, layer in enumerate(parts.layers):
        if layer.conv:
            x = layer.conv(x)
        x = layer.adain(leaky_relu(layer.noise(x, noise[i]) + layer.bias), w[:, i])
        if i % 2:
            images.append(parts.to_rgb[i // 2](x))
    return fade_with_interpolate(alpha, images[-1], images[-2])


def generate_one_image_at_a_time(parts, z1, z2, crossover, noise, alpha):
    images = []
    for n in range(len(z1)):
        maps = [m[n : n + 1] for m in noise]
        images.append(generate_by_keeping_all(parts, z1[n : n + 1], z2[n : n + 1], crossover, maps, alpha))
    return torch.cat(images)


def generate_in_blocks(parts, z1, z2, crossover, noise, alpha):
    first, second = parts.mapping(z1), parts.mapping(z2)
    x, blocks = parts.const(len(z1)), len(parts.to_rgb)
    for block in range(blocks):
        if block == blocks - 1:
            small = parts.to_rgb[block - 1](x)
        for i in (2 * block, 2 * block + 1):
            layer = parts.layers[i]
            if i > 0:
                x = layer.conv(x)
            x = layer.noise(x, noise[i]) + layer.bias
            x = torch.maximum(x, 0.2 * x)
            x = layer.adain(x, first if i < crossover else second)
    image = parts.to_rgb[blocks - 1](x)
    if alpha == 1:
        return image
    return fade_with_a_layer(alpha, image, small)


RIGHT = {
    "10.1": [
        PixelNormAsALayer,
        pixel_norm_as_a_function,
        pixel_norm_in_numpy,
        pixel_norm_by_the_length,
        PixelNormWithItsOwnCall,
    ],
    "10.2": [MappingInALoop, mapping_in_a_sequential, MappingWithItsOwnWeights, MappingOfNamedBlocks],
    "10.3": [
        AdaINByTheFormula,
        AdaINWithTorchsNorm,
        AdaINOfTwoMaps,
        AdaINImageByImage,
        AdaINEpsilonOutside,
    ],
    "10.4": [
        NoiseByBroadcasting,
        NoiseFlat,
        NoiseByConvolution,
        NoiseChannelByChannel,
        noise_from_a_factory,
    ],
    "10.5": [
        fade_by_repeating,
        fade_with_interpolate,
        fade_in_numpy,
        fade_with_a_layer,
        fade_by_filling,
    ],
    "10.6": [mix_by_stacking, mix_by_filling, mix_with_a_mask, mix_in_numpy, mix_by_expanding],
    "10.7": [
        generate_by_keeping_all,
        generate_a_picture_each,
        generate_one_image_at_a_time,
        generate_in_blocks,
    ],
}
