"""The first StyleGAN (Karras et al. 2019, arXiv:1812.04948), for any power-of-two resolution and channel count.

z (N, z_dim) -> mapping -> w (N, w_dim) -> styles (N, L, w_dim) -> synthesis -> image (N, C, R, R) in about [-1, 1].
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gancourse.latents import truncate
from gancourse.models.layers import (
    AdaIN,
    Blur,
    ConstantInput,
    EqualizedConv2d,
    EqualizedLinear,
    FromRGB,
    MinibatchStdDev,
    NoiseInjection,
    PixelNorm,
    ToRGB,
    downsample,
    fade_in,
    leaky_relu,
    upsample,
)


class MappingNetwork(nn.Module):
    """z -> w: pixel norm, then 8 fully connected layers that learn 100 times slower (lr_mul 0.01).

    (N, z_dim) -> (N, w_dim). The last layer has its leaky ReLU too. Karras et al. 2019, section 2 and appendix C.
    """

    def __init__(self, z_dim: int = 64, w_dim: int = 64, layers: int = 8, lr_mul: float = 0.01):
        super().__init__()
        self.norm = PixelNorm()
        widths = [z_dim] + [w_dim] * layers
        self.layers = nn.ModuleList(
            EqualizedLinear(i, o, lr_mul=lr_mul) for i, o in itertools.pairwise(widths)
        )

    def forward(self, z: Tensor) -> Tensor:
        w = self.norm(z)
        for layer in self.layers:
            w = leaky_relu(layer(w))
        return w


class SynthesisLayer(nn.Module):
    """(upsample,) convolution -> noise -> bias -> leaky ReLU -> AdaIN; `kind` is "constant", "up" or "same".

    The upsampling is bilinear and stands before the convolution: except at the border this equals the original's
    nearest-neighbour doubling, convolution, binomial blur (all three are linear and commute), and it is cheaper.
    The constant 4x4 input passes through noise, bias, activation and AdaIN before any convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, w_dim: int, kind: str):
        super().__init__()
        self.kind = kind
        if kind != "constant":
            self.conv = EqualizedConv2d(in_channels, out_channels, 3, bias=False)
        self.noise = NoiseInjection(out_channels)
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.adain = AdaIN(w_dim, out_channels)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None, strength: float = 1.0) -> Tensor:
        if self.kind == "up":
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        if self.kind != "constant":
            x = self.conv(x)
        if noise is not None:
            x = self.noise(x, noise, strength)
        return self.adain(leaky_relu(x + self.bias.view(1, -1, 1, 1)), w)


class SynthesisNetwork(nn.Module):
    """Styles -> image: two layers at each resolution from 4x4 up, and a toRGB for each.

    `channels[i]` is the width at resolution 4 * 2^i; there are L = 2 * len(channels) layers.
    """

    def __init__(self, channels: Sequence[int], image_channels: int, w_dim: int):
        super().__init__()
        self.const = ConstantInput(channels[0])
        self.layers = nn.ModuleList()
        before = channels[0]
        for i, c in enumerate(channels):
            self.layers.append(SynthesisLayer(before, c, w_dim, "up" if i else "constant"))
            self.layers.append(SynthesisLayer(c, c, w_dim, "same"))
            before = c
        self.to_rgb = nn.ModuleList(ToRGB(c, image_channels) for c in channels)
        for i in range(len(self.layers)):
            size = 4 * 2 ** (i // 2)
            self.register_buffer(f"fixed_noise_{i}", torch.randn(1, 1, size, size))

    def noise_maps(self, n: int, noise: str, generator: torch.Generator | None) -> list[Tensor | None]:
        """One map per layer: stored ("fixed"), new ("fresh") or None ("none"); ValueError for another word."""
        stored = [self.get_buffer(f"fixed_noise_{i}") for i in range(len(self.layers))]
        if noise == "fixed":
            return list(stored)
        if noise == "fresh":
            shapes = [(n, 1, *s.shape[2:]) for s in stored]
            return [torch.randn(s, generator=generator, device=stored[0].device) for s in shapes]
        if noise == "none":
            return [None] * len(stored)
        raise ValueError(f'noise must be "fresh", "fixed" or "none", or a list of maps; got {noise!r}')

    def forward(
        self,
        w: Tensor,
        *,
        noise: str | Sequence[Tensor | None] = "fixed",
        noise_strength: float | Sequence[float] = 1.0,
        alpha: float = 1.0,
        resolution: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw images (N, C, R, R) from styles w, (N, w_dim) for the same in every layer or (N, L, w_dim).

        noise           "fixed": the same stored maps for every image, so that the image is a function of w alone;
                        "fresh": new maps (from `generator`); "none"; or a list of L maps (1 or N, 1, H, W) or None.
        noise_strength  factor on the learned noise weights, one number or L of them; 0 switches the noise off.
        alpha           fade-in: 1 shows the last resolution, 0 the doubled image of the one before it.
        resolution      stop at this resolution (4, 8, ... R) and use its own toRGB.
        """
        stages = self.stages(resolution)
        n_layers = len(self.layers)
        if w.ndim == 2:
            w = w[:, None].expand(-1, n_layers, -1)
        if w.ndim != 3 or not 2 * stages <= w.shape[1] <= n_layers:
            raise ValueError(f"w: expected shape (N, w_dim) or (N, {n_layers}, w_dim), got {tuple(w.shape)}")
        maps = self.noise_maps(len(w), noise, generator) if isinstance(noise, str) else noise
        strengths = [noise_strength] * n_layers if isinstance(noise_strength, int | float) else noise_strength
        if min(len(maps), len(strengths)) < 2 * stages:
            raise ValueError(f"noise, noise_strength: expected one for each of the {n_layers} layers")
        x = skip = self.const(len(w))
        for i in range(2 * stages):
            if i == 2 * stages - 2:
                skip = x
            x = self.layers[i](x, w[:, i], maps[i], strengths[i])
        image = self.to_rgb[stages - 1](x)
        if alpha < 1 and stages > 1:
            image = fade_in(alpha, image, upsample(self.to_rgb[stages - 2](skip)))
        return image

    def stages(self, resolution: int | None) -> int:
        """The number of resolutions from 4x4 to `resolution` (None: full), both included; ValueError for others."""
        sizes = [4 * 2**i for i in range(len(self.to_rgb))]
        if resolution is not None and resolution not in sizes:
            raise ValueError(f"resolution: expected a power of two from 4 to {sizes[-1]}, got {resolution}")
        return len(sizes) if resolution is None else sizes.index(resolution) + 1


class StyleGANGenerator(nn.Module):
    """z -> image: mapping, truncation, synthesis.

    `w_avg` is the running mean of w over training. Truncation moves w towards it, never in training:
    w' = w_avg + psi * (w - w_avg) in the first `cutoff` layers (None: in all).
    """

    w_avg: Tensor

    def __init__(
        self,
        channels: Sequence[int] = (64, 64, 32, 16),
        image_channels: int = 1,
        z_dim: int = 64,
        w_dim: int = 64,
        mapping_layers: int = 8,
    ):
        super().__init__()
        self.config = {
            "channels": list(channels),
            "image_channels": image_channels,
            "z_dim": z_dim,
            "w_dim": w_dim,
            "mapping_layers": mapping_layers,
        }
        self.z_dim, self.w_dim, self.resolution = z_dim, w_dim, 4 * 2 ** (len(channels) - 1)
        self.num_layers = 2 * len(channels)
        self.mapping = MappingNetwork(z_dim, w_dim, mapping_layers)
        self.synthesis = SynthesisNetwork(channels, image_channels, w_dim)
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.to(memory_format=torch.channels_last)  # the layout in which CPUs convolve fastest

    def styles(self, z: Tensor, *, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """z (N, z_dim) -> truncated styles, one for each layer: (N, L, w_dim)."""
        if z.ndim != 2 or z.shape[1] != self.z_dim:
            raise ValueError(f"z: expected shape (N, {self.z_dim}), got {tuple(z.shape)}")
        if not z.isfinite().all():
            row = int(z.isfinite().all(dim=1).logical_not().nonzero()[0])
            raise ValueError(f"z: row {row} has NaN or infinite entries")
        w = self.mapping(z)[:, None].expand(-1, self.num_layers, -1)
        return w if psi == 1 else truncate(w, self.w_avg, psi, cutoff)

    def forward(self, z: Tensor, *, psi: float = 1.0, cutoff: int | None = None, **synthesis) -> Tensor:
        """Images from z; keyword arguments other than psi and cutoff go to `SynthesisNetwork.forward`."""
        return self.synthesis(self.styles(z, psi=psi, cutoff=cutoff), **synthesis)


def style_mix(w1: Tensor, w2: Tensor, crossover: int, num_layers: int) -> Tensor:
    """Styles of w1 in layers 0 .. crossover - 1 and of w2 in the rest: two (N, w_dim) -> (N, num_layers, w_dim).

    Mixing switches, it doesn't average: no layer sees anything between w1 and w2.
    """
    if not 0 <= crossover <= num_layers:
        raise ValueError(f"crossover: expected 0 to {num_layers}, the number of layers, got {crossover}")
    first = torch.arange(num_layers, device=w1.device)[None, :, None] < crossover
    return torch.where(first, w1[:, None], w2[:, None])


class DiscriminatorBlock(nn.Module):
    """One resolution of the critic: 3x3 convolution, blur, 3x3 convolution with 2x2 averaging. Halves the size."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv0 = EqualizedConv2d(in_channels, in_channels, 3)
        self.blur = Blur()
        self.conv1 = EqualizedConv2d(in_channels, out_channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(self.conv1.downsampled(self.blur(leaky_relu(self.conv0(x)))))


class Discriminator(nn.Module):
    """Images (N, C, R, R) -> one logit each, (N,); high means real. Grows together with the generator."""

    def __init__(self, channels: Sequence[int] = (64, 64, 32, 16), image_channels: int = 1):
        super().__init__()
        self.config = {"channels": list(channels), "image_channels": image_channels}
        self.from_rgb = nn.ModuleList(FromRGB(image_channels, c) for c in channels)
        self.blocks = nn.ModuleList(DiscriminatorBlock(c, below) for below, c in itertools.pairwise(channels))
        c = channels[0]
        self.stddev = MinibatchStdDev()
        self.conv = EqualizedConv2d(c + 1, c, 3)
        self.dense = EqualizedLinear(16 * c, c)
        self.logit = EqualizedLinear(c, 1, gain=1.0)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, *, alpha: float = 1.0) -> Tensor:
        """The images' size (4, 8, ... R) picks the layers; alpha < 1 blends in the features of the halved image."""
        sizes = [4 * 2**i for i in range(len(self.from_rgb))]
        if images.ndim != 4 or images.shape[2] != images.shape[3] or images.shape[3] not in sizes:
            raise ValueError(f"images: expected (N, C, R, R) with R in {sizes}, got {tuple(images.shape)}")
        stages = sizes.index(images.shape[3]) + 1
        x = self.from_rgb[stages - 1](images)
        for i in reversed(range(stages - 1)):
            x = self.blocks[i](x)
            if i == stages - 2 and alpha < 1:
                x = fade_in(alpha, x, self.from_rgb[i](downsample(images)))
        x = leaky_relu(self.conv(self.stddev(x)))
        return self.logit(leaky_relu(self.dense(x.flatten(1)))).squeeze(1)
