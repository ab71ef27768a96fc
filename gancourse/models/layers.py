"""The small parts that StyleGAN is made of, each usable on its own.

Sources: Karras et al. 2018, "Progressive Growing of GANs" (equalized learning rate, pixel norm, minibatch
standard deviation); Karras et al. 2019, "A Style-Based Generator Architecture" (AdaIN, noise, constant input).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SQRT2 = math.sqrt(2)
LEAK = 0.2


def leaky_relu(x: Tensor) -> Tensor:
    """Leaky ReLU with slope 0.2 below zero; the sqrt(2) that keeps the variance is in the weights' gain, not here."""
    return F.leaky_relu(x, LEAK)


class EqualizedLinear(nn.Module):
    """A linear layer whose weights are stored with unit variance and scaled when used: (N, in) -> (N, out).

    `gain` is sqrt(2) before a leaky ReLU and 1 elsewhere; `lr_mul` multiplies the learning rate.

    y = x W' * lr_mul * gain / sqrt(fan_in) + b * lr_mul, with raw W ~ N(0, 1 / lr_mul^2), fan_in = in. The scale at run
    time gives every layer the same effective learning rate under Adam ("equalized learning rate", Karras et al. 2018,
    section 4.1).
    """

    def __init__(self, in_features: int, out_features: int, *, gain: float = SQRT2, lr_mul: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_mul)
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.scale = gain * lr_mul / math.sqrt(in_features)
        self.lr_mul = lr_mul

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.lr_mul)


class EqualizedConv2d(nn.Module):
    """A same-size convolution (odd kernels) under the equalized learning rate: (N, in, H, W) -> (N, out, H, W).

    `bias=False` where a later layer adds the bias, as in StyleGAN's synthesis layers. Weights are scaled as in
    `EqualizedLinear`, with fan_in = in_channels * kernel_size^2.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, gain: float = SQRT2, bias: bool = True
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.scale = gain / math.sqrt(in_channels * kernel_size**2)
        self.padding = kernel_size // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)

    def downsampled(self, x: Tensor) -> Tensor:
        """This convolution, then 2x2 averaging, as one stride-2 convolution: (N, out, H/2, W/2), for even H and W."""
        w = F.pad(self.weight * (self.scale / 4), (1, 1, 1, 1))
        w = w[:, :, 1:, 1:] + w[:, :, 1:, :-1] + w[:, :, :-1, 1:] + w[:, :, :-1, :-1]
        return F.conv2d(x, w, self.bias, stride=2, padding=self.padding)


class PixelNorm(nn.Module):
    """Scale each vector along dimension 1 to unit root mean square; the shape stays.

    x / sqrt(mean_c x_c^2 + 1e-8). Not F.normalize, which gives unit *length*: 22 times smaller in 512 dimensions.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class NoiseInjection(nn.Module):
    """Add one map of noise to all channels, scaled by a learned weight for each channel.

    x: (N, C, H, W), noise: (N or 1, 1, H, W), strength: a number. Weights start at 0.
    y[n, c] = x[n, c] + strength * weight[c] * noise[n, 0]
    """

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, noise: Tensor, strength: float = 1.0) -> Tensor:
        return x + (strength * self.weight).view(1, -1, 1, 1) * noise


class AdaIN(nn.Module):
    """Adaptive instance normalisation: give each feature map the mean and standard deviation set by the style w.

    x: (N, C, H, W), w: (N, w_dim); the shape of x stays.
    AdaIN(x_i, y) = (y_s,i + 1) * (x_i - mean(x_i)) / sqrt(var(x_i) + 1e-8) + y_b,i,   (y_s, y_b) = A w

    mean and (biased) variance are taken over each single feature map, (N, C, H, W) -> (N, C, 1, 1). The affine map A
    has gain 1; adding 1 makes an untrained style the identity. Karras et al. 2019, equation 1.
    """

    def __init__(self, w_dim: int, channels: int):
        super().__init__()
        self.affine = EqualizedLinear(w_dim, 2 * channels, gain=1.0)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        y_s, y_b = self.affine(w)[:, :, None, None].chunk(2, dim=1)
        centred = x - x.mean((2, 3), keepdim=True)
        var = centred.square().mean((2, 3), keepdim=True)  # torch.var is slower on a CPU
        return torch.addcmul(y_b, centred, (y_s + 1) * torch.rsqrt(var + 1e-8))


class ConstantInput(nn.Module):
    """The learned 4x4 map that every image starts from, all ones at first: n -> (n, C, 4, 4)."""

    def __init__(self, channels: int, size: int = 4):
        super().__init__()
        self.value = nn.Parameter(torch.ones(1, channels, size, size))

    def forward(self, n: int) -> Tensor:
        return self.value.expand(n, -1, -1, -1)


class Blur(nn.Module):
    """Smooth each channel with the binomial kernel [1 2 1] x [1 2 1] / 16; the size stays, zeros outside."""

    def __init__(self) -> None:
        super().__init__()
        k = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", torch.outer(k, k)[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        c = x.shape[1]
        return F.conv2d(x, self.kernel.to(x.dtype).expand(c, 1, 3, 3), padding=1, groups=c)


class ToRGB(EqualizedConv2d):
    """Feature maps to image channels: a linear 1x1 convolution with gain 1."""

    def __init__(self, in_channels: int, image_channels: int):
        super().__init__(in_channels, image_channels, 1, gain=1.0)


class FromRGB(EqualizedConv2d):
    """Image channels to feature maps: a 1x1 convolution and a leaky ReLU."""

    def __init__(self, image_channels: int, out_channels: int):
        super().__init__(image_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(super().forward(x))


class MinibatchStdDev(nn.Module):
    """Append one channel that tells how much the images of a group differ, so that a critic notices mode collapse.

    (N, C, H, W) -> (N, C + 1, H, W), in groups of `group_size` images. N need not divide evenly: the group is the
    largest divisor of N that is at most `group_size`. Standard deviation over the group (biased, eps 1e-8 inside the
    root) of every feature at every place, averaged to one number per group. Karras et al. 2018, section 3.
    """

    def __init__(self, group_size: int = 4):
        super().__init__()
        self.group_size = group_size

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        g = max(d for d in range(1, min(n, self.group_size) + 1) if n % d == 0)
        groups = x.view(g, n // g, c, h, w)  # member i of group j is image i * (N / g) + j
        std = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))  # (N / g,)
        return torch.cat([x, std.repeat(g).view(n, 1, 1, 1).expand(n, 1, h, w)], dim=1)


def fade_in(alpha: float, grown: Tensor, skipped: Tensor) -> Tensor:
    """Blend a new, higher resolution in: alpha * grown + (1 - alpha) * skipped."""
    return skipped.lerp(grown, alpha)


def upsample(x: Tensor) -> Tensor:
    """Double the size by repeating each pixel (nearest neighbour)."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def downsample(x: Tensor) -> Tensor:
    """Halve the size by averaging 2x2 pixels."""
    return F.avg_pool2d(x, 2)
