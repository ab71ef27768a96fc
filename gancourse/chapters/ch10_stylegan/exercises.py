"""Exercises of chapter 10: the parts of StyleGAN, and the generator that they make.

An answer may be a class of layers, a function that makes a layer, or, where nothing is learned, a plain function. Its
learned numbers are filled in by `pour`, in the order in which it made them, so their names are free.
"""

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gancourse.exercises import Exercise, of_chapter
from gancourse.models.layers import (
    AdaIN,
    EqualizedLinear,
    NoiseInjection,
    PixelNorm,
    leaky_relu,
    upsample,
)
from gancourse.models.stylegan import MappingNetwork, StyleGANGenerator, style_mix


def pour(layer: nn.Module, numbers: Sequence[Tensor]) -> nn.Module:
    """Fill a layer's learned numbers with `numbers`, in their order, and return it in eval mode and in their dtype.

    One array may fill several parameters by its rows, as where a scale and a bias have a matrix each. ValueError where
    the layer has learned numbers of other sizes.
    """
    waiting = [part.detach().flatten(1) if part.ndim > 1 else part.detach() for part in numbers]
    parameters = list(layer.parameters()) if isinstance(layer, nn.Module) else []
    for parameter in parameters:
        shape = parameter.shape if parameter.ndim == 2 else (parameter.numel(),)
        fits = [
            p for p in waiting if p.ndim == len(shape) and p.shape[1:] == shape[1:] and len(p) >= shape[0]
        ]
        if not fits:
            raise ValueError(
                f"learned numbers of shape {tuple(parameter.shape)} found; expected {_sizes(numbers)}"
            )
        index = next(i for i, p in enumerate(waiting) if p is fits[0])
        parameter.data = fits[0][: shape[0]].reshape(parameter.shape).clone()
        rest = fits[0][shape[0] :]
        waiting[index : index + 1] = [rest] if len(rest) else []
    if waiting:
        raise ValueError(f"{len(parameters)} arrays of learned numbers found; expected {_sizes(numbers)}")
    return layer.to(numbers[0].dtype).eval()


def _sizes(numbers: Sequence[Tensor]) -> str:
    return ", ".join(str(tuple(part.shape)) for part in numbers)


def as_layer(part: Callable) -> Callable:
    """A part without learned numbers as something to call: a class is made into a layer, a function is one."""
    return part() if isinstance(part, type) else part


def _normal(rng, *shape, dtype=torch.float32) -> Tensor:
    return torch.from_numpy(rng.normal(size=shape)).to(dtype)


# --- 10.1 PixelNorm ----------------------------------------------------------------------------------------

exercise_10_1 = Exercise("10.1", "PixelNorm", points=2)
exercise_10_1.oracle(PixelNorm)


@exercise_10_1.call
def pixel_normed(answer, x):
    return as_layer(answer)(x)


@exercise_10_1.cases
def vectors_and_maps(rng):
    small = torch.tensor([[3.0, 4.0], [0.0, 0.0]])  # the second has no length
    cases = [small, _normal(rng, 6, 1), _normal(rng, 1, 64), _normal(rng, 9, 4), _normal(rng, 5, 5)]
    cases += [_normal(rng, 3, 7, dtype=torch.float64), 0.01 * _normal(rng, 4, 6), 1e3 * _normal(rng, 4, 6)]
    cases += [_normal(rng, 2, 3, 4, 4) + 1, _normal(rng, 4, 4, 4, 4), _normal(rng, 1, 6, 3, 5)]
    cases += [1e-4 * _normal(rng, 3, 8)]
    return [(x,) for x in cases]


UNIT_LENGTH = (
    "Your vectors have length 1, so their entries get smaller the more of them there are. Divide by the root of the "
    "mean of the squares, not of their sum."
)


@exercise_10_1.mistake(UNIT_LENGTH)
def unit_length(x):
    return x / torch.sqrt((x**2).sum(1, keepdim=True) + 1e-8)


@exercise_10_1.mistake(UNIT_LENGTH)
def normalised_by_torch(x):
    return F.normalize(x, dim=1)


@exercise_10_1.mistake(
    UNIT_LENGTH + " And a vector of zeros gives NaN: add 1e-8 to the mean before the root."
)
def divided_by_the_length(x):
    return x / x.norm(dim=1, keepdim=True)


@exercise_10_1.mistake(
    "A vector of zeros gives NaN: 0/0. Add 1e-8 to the mean of the squares before the root."
)
def without_epsilon(x):
    return x / torch.sqrt((x**2).mean(1, keepdim=True))


@exercise_10_1.mistake(
    "As if the mean square were left without its root: twice as large an x must give the same result."
)
def divided_by_mean_square(x):
    return x / ((x**2).mean(1, keepdim=True) + 1e-8)


@exercise_10_1.mistake(
    "The mean is taken off, and that is another norm: here a vector keeps its direction, only its length changes."
)
def standardised(x):
    x = x - x.mean(1, keepdim=True)
    return x * torch.rsqrt((x**2).mean(1, keepdim=True) + 1e-8)


@exercise_10_1.mistake(
    "As if the mean went over the last dimension. In maps (N, C, H, W) each pixel is a vector of C numbers: dim=1."
)
def over_the_last_dimension(x):
    return x * torch.rsqrt((x**2).mean(-1, keepdim=True) + 1e-8)


@exercise_10_1.mistake(
    "As if all the numbers of one sample had one size in common: every pixel has its own, the mean goes over dim=1 only."
)
def over_the_whole_sample(x):
    return x * torch.rsqrt((x**2).flatten(1).mean(1).view(-1, *[1] * (x.ndim - 1)) + 1e-8)


@exercise_10_1.mistake(
    "As if the whole batch were one vector: what one sample becomes must not depend on the others."
)
def over_everything(x):
    return x * torch.rsqrt((x**2).mean() + 1e-8)


@exercise_10_1.mistake(
    "As if the whole batch were one vector: what one sample becomes must not depend on the others."
)
def over_the_batch(x):
    return x * torch.rsqrt((x**2).mean(0, keepdim=True) + 1e-8)


SIZES_ASTRAY = (
    "As if a vector's size were that of another one: the means have lost the dimension that they were taken over, so they "
    "line up with the wrong one, where they fit at all. Keep it: keepdim=True."
)


@exercise_10_1.mistake(SIZES_ASTRAY)
def without_the_kept_dimension(x):
    return x / torch.sqrt((x**2).mean(1) + 1e-8)


@exercise_10_1.mistake(SIZES_ASTRAY + " And add 1e-8 before the root: a vector of zeros gives NaN.")
def without_the_kept_dimension_and_epsilon(x):
    return x / (x**2).mean(1).sqrt()


@exercise_10_1.mistake("The values' sizes are averaged, not their squares.")
def mean_magnitude(x):
    return x / (x.abs().mean(1, keepdim=True) + 1e-8)


@exercise_10_1.mistake(
    "Your epsilon is too large: faint vectors, of size 1e-4, are made fainter. It is 1e-8."
)
def large_epsilon(x):
    return x * torch.rsqrt((x**2).mean(1, keepdim=True) + 1e-5)


# --- 10.2 MappingNetwork -----------------------------------------------------------------------------------

_LENT = ("gancourse.models.layers.EqualizedLinear", "gancourse.models.layers.leaky_relu")

exercise_10_2 = Exercise("10.2", "MappingNetwork", points=4, allowed=_LENT)
exercise_10_2.oracle(MappingNetwork)


@exercise_10_2.call
def mapped(answer, z, numbers):
    """Make the network, fill it with [weight, bias, weight, ...] and map z."""
    network = answer(z.shape[1], numbers[-1].shape[0], len(numbers) // 2)
    return pour(network, numbers)(z)


@exercise_10_2.cases
def latents_and_weights(rng):
    cases = []
    for n, z_dim, w_dim, layers, scale, dtype in (
        (2, 2, 3, 1, 1.0, torch.float32),
        (1, 4, 4, 2, 1.0, torch.float32),
        (7, 1, 5, 3, 1.0, torch.float32),
        (3, 8, 5, 8, 1e3, torch.float32),
        (4, 6, 6, 8, 0.01, torch.float64),
        (5, 16, 16, 8, 1.0, torch.float32),
    ):
        numbers = []
        for i in range(layers):
            fan_in = z_dim if i == 0 else w_dim
            numbers += [100 * _normal(rng, w_dim, fan_in, dtype=dtype), 60 * _normal(rng, w_dim, dtype=dtype)]
        z = scale * _normal(rng, n, z_dim, dtype=dtype)
        cases.append((z, numbers))
    return cases


class _Mapping(nn.Module):
    """A mapping network whose steps a mistake can change."""

    gain, lr_mul, norm = 2**0.5, 0.01, staticmethod(PixelNorm())

    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__()
        self.fc = nn.ModuleList(
            EqualizedLinear(i, o, gain=self.gain, lr_mul=self.lr_mul)
            for i, o in itertools.pairwise([z_dim] + [w_dim] * layers)
        )

    def activation(self, x):
        return leaky_relu(x)

    def forward(self, z):
        x = self.norm(z)
        for layer in self.fc:
            x = self.activation(layer(x))
        return x


@exercise_10_2.mistake("Twice as long a z gives another w: z is not normalised before the first layer.")
class MappingWithoutNorm(_Mapping):
    norm = staticmethod(lambda z: z)


@exercise_10_2.mistake(
    "As if z had length 1: for 64 numbers that is 8 times too small. Normalise it with your PixelNorm."
)
class MappingOfUnitLength(_Mapping):
    norm = staticmethod(lambda z: F.normalize(z, dim=1))


@exercise_10_2.mistake(
    "The last layer's output is not activated: leaky ReLU comes after all of them, the last too."
)
class MappingWithLinearEnd(_Mapping):
    def forward(self, z):
        x = self.norm(z)
        for i, layer in enumerate(self.fc):
            x = layer(x) if i == len(self.fc) - 1 else leaky_relu(layer(x))
        return x


@exercise_10_2.mistake(
    "Nothing is activated: without a bend between them, all the layers are one linear map."
)
class MappingWithoutActivation(_Mapping):
    def activation(self, x):
        return x


@exercise_10_2.mistake(
    "As if the slope below zero were not 0.2: PyTorch's own default is 0.01, a plain ReLU's is 0."
)
class MappingWithDefaultSlope(_Mapping):
    def activation(self, x):
        return F.leaky_relu(x)


@exercise_10_2.mistake(
    "As if the slope below zero were not 0.2: PyTorch's own default is 0.01, a plain ReLU's is 0."
)
class MappingWithReLU(_Mapping):
    def activation(self, x):
        return F.relu(x)


@exercise_10_2.mistake(
    "Weights act 100 times too strongly: the stored numbers are about 100, and lr_mul=0.01 scales them as they are used."
)
class MappingWithFullRate(_Mapping):
    lr_mul = 1.0


@exercise_10_2.mistake(
    "As if the weights' gain were 1: before a leaky ReLU it is the square root of 2, which EqualizedLinear has by default."
)
class MappingOfGainOne(_Mapping):
    gain = 1.0


@exercise_10_2.mistake(
    "The square root of 2 is there twice: it lives in the weights' gain already, so the activation must not multiply again."
)
class MappingWithDoubleGain(_Mapping):
    def activation(self, x):
        return 2**0.5 * leaky_relu(x)


@exercise_10_2.mistake("As if every layer's output were normalised too: only z is.")
class MappingNormedEverywhere(_Mapping):
    def forward(self, z):
        x = z
        for layer in self.fc:
            x = leaky_relu(layer(self.norm(x)))
        return x


@exercise_10_2.mistake("As if w were normalised as well: only z is.")
class MappingNormedAtTheEnd(_Mapping):
    def forward(self, z):
        return self.norm(super().forward(z))


@exercise_10_2.mistake(
    "As if the last layer were applied twice, or one that you made were left out: each one once."
)
class MappingWithLayerLeftOut(_Mapping):
    def forward(self, z):
        x = self.norm(z)
        for layer in self.fc[:-1]:
            x = leaky_relu(layer(x))
        return x


_TOO_FEW = (
    "It holds too few learned numbers. Make `layers` different EqualizedLinear, and keep them in an nn.ModuleList or an "
    "nn.Sequential: a plain list hides them, and the same layer again is no new one."
)


@exercise_10_2.mistake(_TOO_FEW)
class MappingInAPlainList(_Mapping):
    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__(z_dim, w_dim, layers)
        self.fc = list(self._modules.pop("fc"))


@exercise_10_2.mistake(_TOO_FEW)
class MappingOfOneLayer(_Mapping):
    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__(z_dim, w_dim, 1)


@exercise_10_2.mistake(_TOO_FEW)
class MappingOneLayerShort(_Mapping):
    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__(z_dim, w_dim, layers - 1)


@exercise_10_2.mistake("It holds a layer more than `layers` asks for.")
class MappingOneLayerLong(_Mapping):
    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__(z_dim, w_dim, layers + 1)


@exercise_10_2.mistake("It has 8 layers whatever `layers` asks for.")
class MappingAlwaysEight(_Mapping):
    def __init__(self, z_dim, w_dim, layers=8):
        super().__init__(z_dim, w_dim, 8)


# --- 10.3 AdaIN --------------------------------------------------------------------------------------------

exercise_10_3 = Exercise("10.3", "AdaIN", points=4, allowed=("gancourse.models.layers.EqualizedLinear",))
exercise_10_3.oracle(AdaIN)


@exercise_10_3.call
def styled(answer, x, w, weight, bias):
    """Make the layer, fill its affine map and give the maps x the style w."""
    return pour(answer(w.shape[1], x.shape[1]), [weight, bias])(x, w)


@exercise_10_3.cases
def maps_and_styles(rng):
    cases = []
    for n, c, h, w_dim, scale, dtype in (
        (1, 1, (2, 2), 1, 1.0, torch.float32),
        (2, 3, (4, 4), 5, 1.0, torch.float32),
        (6, 2, (3, 5), 3, 1.0, torch.float32),
        (2, 2, (8, 8), 4, 1.0, torch.float64),
        (3, 4, (4, 4), 8, 100.0, torch.float32),
        (3, 2, (4, 4), 8, 0.05, torch.float32),
    ):
        spread = torch.from_numpy(rng.uniform(1, 3, size=(n, c, 1, 1))).to(dtype)
        x = scale * (spread * _normal(rng, n, c, *h, dtype=dtype) + _normal(rng, n, c, 1, 1, dtype=dtype))
        numbers = _normal(rng, 2 * c, w_dim, dtype=dtype), _normal(rng, 2 * c, dtype=dtype)
        cases.append((x, _normal(rng, n, w_dim, dtype=dtype), *numbers))
    x, w, weight, bias = cases[1]
    flat = x.clone()
    flat[:, 1] = 0.5
    even = weight.clone()
    even[:, 0] = 0.5
    return [*cases, (flat, w, weight, bias), (x, 0.01 * w, even, torch.zeros_like(bias))]


class _AdaIN(nn.Module):
    """An AdaIN whose steps a mistake can change."""

    gain, epsilon = 1.0, 1e-8

    def __init__(self, w_dim, channels):
        super().__init__()
        self.style = EqualizedLinear(w_dim, 2 * channels, gain=self.gain)

    def scale_and_bias(self, w):
        scale, bias = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return scale + 1, bias

    def normed(self, x):
        centred = x - x.mean((2, 3), keepdim=True)
        return centred / ((centred**2).mean((2, 3), keepdim=True) + self.epsilon).sqrt()

    def forward(self, x, w):
        scale, bias = self.scale_and_bias(w)
        return scale * self.normed(x) + bias


@exercise_10_3.mistake(
    "The 1 is missing: the style gives the scale's distance from 1, so that a style of zeros leaves the map as it is "
    "and does not erase it."
)
class AdaINWithoutOne(_AdaIN):
    def scale_and_bias(self, w):
        return self.style(w)[:, :, None, None].chunk(2, dim=1)


@exercise_10_3.mistake("Scale and bias have changed places: the first half of the style is the scale.")
class AdaINSwapped(_AdaIN):
    def scale_and_bias(self, w):
        bias, scale = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return scale + 1, bias


@exercise_10_3.mistake(
    "Scale and bias are read in turn, channel by channel. The first half of the style holds all scales, the second all biases."
)
class AdaINInterleaved(_AdaIN):
    def scale_and_bias(self, w):
        style = self.style(w)[:, :, None, None]
        return style[:, ::2] + 1, style[:, 1::2]


@exercise_10_3.mistake(
    "A flat map gives NaN or infinity: its spread is 0. Add 1e-8 to the variance before the root."
)
class AdaINWithoutEpsilon(_AdaIN):
    epsilon = 0.0


@exercise_10_3.mistake("Your epsilon is too large for faint maps: they come out too flat. It is 1e-8.")
class AdaINWithLargeEpsilon(_AdaIN):
    epsilon = 1e-5


@exercise_10_3.mistake("As if the spread were the variance: divide by its root.")
class AdaINOverVariance(_AdaIN):
    def normed(self, x):
        centred = x - x.mean((2, 3), keepdim=True)
        return centred / ((centred**2).mean((2, 3), keepdim=True) + 1e-8)


@exercise_10_3.mistake("Your variance is divided by HW - 1; here it is the plain mean over the HW pixels.")
class AdaINUnbiased(_AdaIN):
    def normed(self, x):
        return (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True) + 1e-8).sqrt()


@exercise_10_3.mistake(
    "As if mean and spread were shared by the batch: that is batch normalisation. Each map of each image has its own."
)
class AdaINOverTheBatch(_AdaIN):
    def normed(self, x):
        centred = x - x.mean((0, 2, 3), keepdim=True)
        return centred / ((centred**2).mean((0, 2, 3), keepdim=True) + 1e-8).sqrt()


@exercise_10_3.mistake(
    "As if mean and spread were shared by the channels: that is layer normalisation. Each map has its own."
)
class AdaINOverTheChannels(_AdaIN):
    def normed(self, x):
        centred = x - x.mean((1, 2, 3), keepdim=True)
        return centred / ((centred**2).mean((1, 2, 3), keepdim=True) + 1e-8).sqrt()


@exercise_10_3.mistake("As if each pixel were normalised over its channels: that is what AdaIN replaced.")
class AdaINOfPixels(_AdaIN):
    def normed(self, x):
        return x * torch.rsqrt((x**2).mean(1, keepdim=True) + 1e-8)


@exercise_10_3.mistake("The map's own mean is still in it: subtract it before you scale.")
class AdaINUncentred(_AdaIN):
    def normed(self, x):
        return x / (x.var((2, 3), correction=0, keepdim=True) + 1e-8).sqrt()


@exercise_10_3.mistake("The map's own spread is still in it: divide by it before you scale.")
class AdaINUndivided(_AdaIN):
    def normed(self, x):
        return x - x.mean((2, 3), keepdim=True)


@exercise_10_3.mistake(
    "The map is not normalised at all: its own mean and spread go before the style's come."
)
class AdaINWithoutNorm(_AdaIN):
    def normed(self, x):
        return x


@exercise_10_3.mistake("The style has no effect: the normalised map comes back as it is.")
class AdaINWithoutStyle(_AdaIN):
    def forward(self, x, w):
        return self.normed(x)


@exercise_10_3.mistake("Only the scale is applied: add the style's bias.")
class AdaINWithoutBias(_AdaIN):
    def forward(self, x, w):
        return self.scale_and_bias(w)[0] * self.normed(x)


@exercise_10_3.mistake("The bias is scaled as well: scale first, then add the bias.")
class AdaINBiasInside(_AdaIN):
    def forward(self, x, w):
        scale, bias = self.scale_and_bias(w)
        return scale * (self.normed(x) + bias)


@exercise_10_3.mistake(
    "The style acts 1.4 times too strongly: no activation follows the affine map, so its gain is 1, not the square root of 2."
)
class AdaINOfGainRootTwo(_AdaIN):
    gain = 2**0.5


class _PlainAffine(_AdaIN):
    def __init__(self, w_dim, channels):
        super().__init__(w_dim, channels)
        self.style = nn.Linear(w_dim, 2 * channels)


@exercise_10_3.mistake(
    "The style acts too strongly, the more the more numbers w has: the affine map's weights are scaled as they are used. "
    "Take EqualizedLinear."
)
class AdaINOfPlainLinear(_PlainAffine):
    pass


# --- 10.4 NoiseInjection -----------------------------------------------------------------------------------

exercise_10_4 = Exercise(
    "10.4", "NoiseInjection", points=3, returns=("a new layer's output", "output with learned weights")
)
exercise_10_4.oracle(NoiseInjection)


@exercise_10_4.call
def noised(answer, x, noise, weight):
    """What a new layer and one with learned weights make of x."""
    layer = answer(x.shape[1])
    layer = layer.to(x.dtype) if isinstance(layer, nn.Module) else layer
    new = torch.as_tensor(layer(x, noise)).clone()  # x itself, perhaps
    return new, pour(answer(x.shape[1]), [weight])(x, noise)


@exercise_10_4.cases
def maps_and_noise(rng):
    cases = []
    for n, c, h, maps, scale, dtype in (
        (1, 2, (2, 3), 1, 1.0, torch.float32),
        (1, 1, (4, 4), 1, 1.0, torch.float32),
        (3, 4, (4, 4), 1, 1.0, torch.float32),
        (4, 4, (4, 4), 4, 1.0, torch.float32),
        (2, 3, (5, 4), 2, 1.0, torch.float64),
        (2, 6, (3, 3), 2, 100.0, torch.float32),
        (2, 3, (4, 4), 2, 0.01, torch.float32),
    ):
        x, noise = _normal(rng, n, c, *h, dtype=dtype), _normal(rng, maps, 1, *h, dtype=dtype)
        weight = _normal(rng, c, dtype=dtype)
        weight[0] = -weight[0].abs() - 0.2
        cases.append((scale * x, noise, scale * weight))
    return cases


class _Noise(nn.Module):
    """A noise injection whose steps a mistake can change."""

    def __init__(self, channels):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(channels))

    def forward(self, x, noise):
        return x + self.added(self.scale.view(1, -1, 1, 1), noise)

    def added(self, scale, noise):
        return scale * noise


def _only_the_new_layer_differs(case, output, expected):
    x, noise, weight = case
    right = (x + weight.view(1, -1, 1, 1) * noise).numpy()
    new, learned = output
    return (
        new.shape == right.shape
        and not (new == x.numpy()).all()
        and abs(learned - right).max() <= 1e-4 * abs(right).max()
    )


@exercise_10_4.mistake(
    "A new layer adds noise already: its weights start at 0, so that training decides where noise is of use.",
    recognise=_only_the_new_layer_differs,
)
class NoiseFromTheStart(_Noise):
    def __init__(self, channels):
        super().__init__(channels)
        self.scale.data.normal_()


@exercise_10_4.mistake(
    "The noise is too weak, the more the more channels there are: these weights are used as they are stored, "
    "without the scaling of the equalized learning rate."
)
class NoiseEqualized(_Noise):
    def added(self, scale, noise):
        return scale / scale.numel() ** 0.5 * noise


@exercise_10_4.mistake("The noise comes in at full strength: multiply it by each channel's learned weight.")
class NoiseUnweighted(_Noise):
    def forward(self, x, noise):
        return x + noise


@exercise_10_4.mistake("One weight for all channels: each has its own.")
class NoiseOfOneWeight(_Noise):
    def __init__(self, channels):
        super().__init__(1)


@exercise_10_4.mistake("The noise multiplies the maps instead of being added to them.")
class NoiseMultiplied(_Noise):
    def forward(self, x, noise):
        return x * (1 + self.added(self.scale.view(1, -1, 1, 1), noise))


@exercise_10_4.mistake("Only the noise comes back: add it to x.")
class NoiseAlone(_Noise):
    def forward(self, x, noise):
        return self.added(self.scale.view(1, -1, 1, 1), noise).expand_as(x)


@exercise_10_4.mistake("A negative weight acts as a positive one: no size is taken, the sign stays.")
class NoiseOfMagnitude(_Noise):
    def added(self, scale, noise):
        return scale.abs() * noise


@exercise_10_4.mistake(
    "The weights run along the width of the maps: they belong to the channels, view them as (1, C, 1, 1)."
)
class NoiseAlongTheWidth(_Noise):
    def forward(self, x, noise):
        return x + self.scale * noise


@exercise_10_4.mistake(
    "The first image's noise is given to all: each image has its own map where the noise has N of them."
)
class NoiseOfTheFirst(_Noise):
    def added(self, scale, noise):
        return scale * noise[:1]


def _noise_of_its_own(case, output, expected):
    x, noise, weight = case
    new, learned = (torch.from_numpy(part) for part in output)
    asked = weight.view(1, -1, 1, 1) * noise.expand(len(x), -1, -1, -1)
    added = learned - x
    if new.shape != x.shape or not torch.equal(new, x) or added.abs().max() == 0:
        return False
    likeness = torch.nn.functional.cosine_similarity(added.flatten(), asked.flatten(), dim=0)
    return x.numel() < 40 or abs(float(likeness)) < 0.85


@exercise_10_4.mistake(
    "It draws noise of its own: use the map that it is given, or the same image can't be drawn twice.",
    recognise=_noise_of_its_own,
)
class NoiseOfItsOwn(_Noise):
    def added(self, scale, noise):
        return scale * torch.randn_like(noise)


@exercise_10_4.mistake(
    "It holds no learned weights: make them an nn.Parameter of shape (channels,), so that training and loading find them."
)
class NoiseWithoutParameter(_Noise):
    def __init__(self, channels):
        super().__init__(channels)
        del self._parameters["scale"]
        self.scale = torch.zeros(channels)


# --- 10.5 fade_in ------------------------------------------------------------------------------------------

exercise_10_5 = Exercise("10.5", "fade_in", points=2)


@exercise_10_5.oracle
def fade_in(alpha: float, grown: Tensor, small: Tensor) -> Tensor:
    """Blend a new, higher resolution in: alpha * grown + (1 - alpha) * small with its pixels doubled.

    grown (N, C, 2H, 2W), small (N, C, H, W), alpha from 0 to 1 -> (N, C, 2H, 2W). Karras et al. 2018, figure 2.
    """
    return upsample(small).lerp(grown, alpha)


@exercise_10_5.cases
def two_resolutions(rng):
    cases = []
    for alpha, n, c, h, scale, dtype in (
        (0.25, 1, 1, (1, 1), 1.0, torch.float32),
        (0.25, 1, 1, (2, 2), 1.0, torch.float32),
        (0.0, 2, 1, (4, 4), 1.0, torch.float32),
        (1.0, 2, 1, (4, 4), 1.0, torch.float32),
        (0.5, 1, 3, (4, 4), 1.0, torch.float32),
        (0.7, 4, 3, (3, 5), 1.0, torch.float64),
        (0.9, 2, 2, (4, 4), 100.0, torch.float32),
        (0.1, 2, 2, (4, 4), 0.001, torch.float32),
    ):
        grown, small = (scale * _normal(rng, n, c, k * h[0], k * h[1], dtype=dtype) for k in (2, 1))
        cases.append((alpha, grown, small))
    return cases


@exercise_10_5.mistake("The wrong way round: at alpha = 1 only the new, grown picture is seen.")
def faded_out(alpha, grown, small):
    return fade_in(1 - alpha, grown, small)


@exercise_10_5.mistake(
    "The small picture was doubled smoothly. Repeat each of its pixels, so that every 2 x 2 square has one value."
)
def faded_from_bilinear(alpha, grown, small):
    smooth = F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
    return alpha * grown + (1 - alpha) * smooth


@exercise_10_5.mistake(
    "The small picture is there four times, side by side: repeat each of its pixels, not the whole of it."
)
def faded_from_tiles(alpha, grown, small):
    return alpha * grown + (1 - alpha) * small.repeat(1, 1, 2, 2)


@exercise_10_5.mistake("It does not depend on alpha: both pictures count half.")
def half_and_half(alpha, grown, small):
    return fade_in(0.5, grown, small)


@exercise_10_5.mistake(
    "It switches from one picture to the other. Between 0 and 1 both are seen, each with its weight."
)
def switched(alpha, grown, small):
    return grown if alpha > 0.5 else upsample(small)


@exercise_10_5.mistake(
    "It switches from one picture to the other. Between 0 and 1 both are seen, each with its weight."
)
def switched_at_one(alpha, grown, small):
    return grown if alpha >= 0.5 else upsample(small)


@exercise_10_5.mistake(
    "The small picture is not weakened: it counts 1 - alpha, so that the two weights add to 1."
)
def added_on_top(alpha, grown, small):
    return alpha * grown + upsample(small)


@exercise_10_5.mistake(
    "The grown picture is not weakened: it counts alpha, so that the two weights add to 1."
)
def grown_at_full(alpha, grown, small):
    return grown + (1 - alpha) * upsample(small)


@exercise_10_5.mistake("As if alpha were squared: the new picture comes in too slowly at first.")
def squared_alpha(alpha, grown, small):
    return fade_in(alpha**2, grown, small)


@exercise_10_5.mistake(
    "Roots of the weights were taken: they no longer add to 1, and half-way the picture is too strong."
)
def equal_power(alpha, grown, small):
    return alpha**0.5 * grown + (1 - alpha) ** 0.5 * upsample(small)


@exercise_10_5.mistake(
    "Values were cut off at -1 and 1: a network's output may go beyond, and blending leaves it there."
)
def clamped_blend(alpha, grown, small):
    return fade_in(alpha, grown, small).clamp(-1, 1)


@exercise_10_5.mistake("The result has the small size: double the small picture, don't shrink the grown one.")
def faded_small(alpha, grown, small):
    return alpha * F.avg_pool2d(grown, 2) + (1 - alpha) * small


@exercise_10_5.mistake("Only one of the two pictures is seen, whatever alpha is.")
def grown_only(alpha, grown, small):
    return grown


@exercise_10_5.mistake("Only one of the two pictures is seen, whatever alpha is.")
def small_only(alpha, grown, small):
    return upsample(small)


# --- 10.6 style_mix ----------------------------------------------------------------------------------------

exercise_10_6 = Exercise("10.6", "style_mix", points=2)
exercise_10_6.oracle(style_mix)


@exercise_10_6.cases
def pairs_of_styles(rng):
    cases = []
    for n, dim, crossover, layers, scale, dtype in (
        (1, 1, 1, 2, 1.0, torch.float32),
        (2, 3, 3, 4, 1.0, torch.float32),
        (6, 3, 4, 8, 1.0, torch.float32),
        (2, 5, 0, 8, 1.0, torch.float32),
        (2, 5, 8, 8, 1.0, torch.float32),
        (3, 4, 1, 6, 100.0, torch.float64),
        (8, 8, 5, 8, 0.01, torch.float32),
        (4, 2, 7, 8, 1.0, torch.float32),
    ):
        w1, w2 = (scale * _normal(rng, n, dim, dtype=dtype) for _ in range(2))
        cases.append((w1, w2, crossover, layers))
    constant = torch.ones(3, 2)
    return [*cases, (constant, -constant, 2, 4)]


def _layers(w1, w2, from_first):
    return torch.stack([w1 if first else w2 for first in from_first], dim=1)


@exercise_10_6.mistake(
    "The two have changed places: w1 goes to the layers before the crossover, w2 to the rest."
)
def mixed_in_reverse(w1, w2, crossover, num_layers):
    return _layers(w2, w1, [i < crossover for i in range(num_layers)])


@exercise_10_6.mistake(
    "One layer too many gets w1: layer number `crossover`, counted from 0, is the first with w2."
)
def mixed_one_late(w1, w2, crossover, num_layers):
    return _layers(w1, w2, [i <= crossover for i in range(num_layers)])


@exercise_10_6.mistake(
    "One layer too few gets w1: layer number `crossover`, counted from 0, is the first with w2."
)
def mixed_one_early(w1, w2, crossover, num_layers):
    return _layers(w1, w2, [i < crossover - 1 for i in range(num_layers)])


@exercise_10_6.mistake(
    "As if the crossover counted blocks of two layers. It counts layers: an odd one falls inside a block."
)
def mixed_by_blocks(w1, w2, crossover, num_layers):
    return _layers(w1, w2, [i // 2 < crossover for i in range(num_layers)])


@exercise_10_6.mistake(
    "As if the crossover counted blocks of two layers. It counts layers: an odd one falls inside a block."
)
def mixed_between_blocks(w1, w2, crossover, num_layers):
    return _layers(w1, w2, [i // 2 < crossover // 2 for i in range(num_layers)])


@exercise_10_6.mistake(
    "That is an average of w1 and w2. Mixing is a switch: every layer gets the one or the other, unchanged."
)
def interpolated(w1, w2, crossover, num_layers):
    t = crossover / num_layers
    return (t * w1 + (1 - t) * w2)[:, None].repeat(1, num_layers, 1)


@exercise_10_6.mistake(
    "That is an average of w1 and w2. Mixing is a switch: every layer gets the one or the other, unchanged."
)
def averaged(w1, w2, crossover, num_layers):
    return ((w1 + w2) / 2)[:, None].repeat(1, num_layers, 1)


@exercise_10_6.mistake("Only one layer gets w2: all from the crossover on do.")
def one_layer_mixed(w1, w2, crossover, num_layers):
    return _layers(w1, w2, [i != crossover for i in range(num_layers)])


@exercise_10_6.mistake("Every layer gets w1: from the crossover on it is w2.")
def not_mixed(w1, w2, crossover, num_layers):
    return _layers(w1, w2, [True] * num_layers)


@exercise_10_6.mistake("The layers come first: the result is (N, num_layers, w_dim), stacked along dim=1.")
def mixed_layers_first(w1, w2, crossover, num_layers):
    return torch.stack([w1 if i < crossover else w2 for i in range(num_layers)])


@exercise_10_6.mistake(
    "The numbers of w are divided among the two, not the layers: each layer gets a whole w."
)
def mixed_inside_w(w1, w2, crossover, num_layers):
    w = torch.cat([w1[:, :crossover], w2[:, crossover:]], dim=1)
    return w[:, None].repeat(1, num_layers, 1)


# --- 10.7 generate -----------------------------------------------------------------------------------------


class Part(nn.Module):
    """One layer of the synthesis taken apart: conv (None in the first layer), noise, bias (C, 1, 1), adain."""

    def __init__(self, trained: nn.Module, noise: nn.Module, adain: nn.Module):
        super().__init__()
        self.conv: nn.Module | None = getattr(trained, "conv", None)
        if trained.kind == "up":
            self.conv = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), self.conv
            )
        self.noise, self.adain = noise, adain
        self.bias = nn.Parameter(trained.bias.detach().view(-1, 1, 1).clone())


class Parts(nn.Module):
    """A trained generator taken apart, its mapping, noise and AdaIN replaced by the reader's, with the trained numbers.

    mapping  z (N, z_dim) -> w (N, w_dim)                                        the reader's
    const    n -> the learned input (n, C, 4, 4)                                 lent
    layers   for each layer: conv (lent; None in the first, doubles the size in the third, fifth, ...),
             noise(x, map) and adain(x, w) (the reader's), bias (C, 1, 1)
    to_rgb   for each resolution: maps (N, C, H, W) -> image (N, 1 or 3, H, W)   lent
    """

    def __init__(
        self,
        trained: StyleGANGenerator,
        mapping: Callable = MappingNetwork,
        noise: Callable = NoiseInjection,
        adain: Callable = AdaIN,
    ):
        super().__init__()
        count = len(trained.mapping.layers)
        network = mapping(trained.z_dim, trained.w_dim, count)
        self.mapping = pour(network, list(trained.mapping.parameters()))
        self.const, self.to_rgb = trained.synthesis.const, trained.synthesis.to_rgb
        self.layers = nn.ModuleList()
        for layer in trained.synthesis.layers:
            c = len(layer.bias)
            own = (
                pour(noise(c), [layer.noise.weight]),
                pour(adain(trained.w_dim, c), [*layer.adain.parameters()]),
            )
            self.layers.append(Part(layer, *own))
        self.eval()


exercise_10_7 = Exercise(
    "10.7",
    "generate",
    points=6,
    allowed=("gancourse.models.layers.leaky_relu",),
)


@exercise_10_7.oracle
def generate(parts, z1, z2, crossover, noise, alpha):
    """Images (N, C, R, R) of the parts: styles of z1 before layer `crossover` and of z2 from it on."""
    w = style_mix(parts.mapping(z1), parts.mapping(z2), crossover, len(parts.layers))
    x = parts.const(len(z1))
    for i, layer in enumerate(parts.layers):
        if i == len(parts.layers) - 2:
            before = x
        if layer.conv is not None:
            x = layer.conv(x)
        x = leaky_relu(layer.noise(x, noise[i]) + layer.bias)
        x = layer.adain(x, w[:, i])
    return fade_in(alpha, parts.to_rgb[-1](x), parts.to_rgb[-2](before))


@exercise_10_7.cases
def small_generators(rng):
    cases = []
    for n, z_dim, channels, colours, crossover, alpha, scale, dtype in (
        (1, 4, (3, 3), 1, 4, 1.0, 1.0, torch.float32),
        (2, 3, (4, 3), 1, 3, 0.7, 0.01, torch.float32),
        (6, 1, (3, 3), 1, 1, 0.3, 1.0, torch.float64),
        (4, 3, (4, 3, 2), 3, 0, 0.0, 100.0, torch.float32),
    ):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            trained = StyleGANGenerator(channels, colours, z_dim, w_dim=4, mapping_layers=1)
            with torch.no_grad():
                trained.synthesis.const.value.normal_()
                for layer in trained.synthesis.layers:
                    layer.noise.weight.normal_()
                    layer.bias.normal_()
                    layer.adain.affine.bias.normal_(std=0.5)
            noise = [
                torch.randn(n, 1, 4 * 2 ** (i // 2), 4 * 2 ** (i // 2)) for i in range(2 * len(channels))
            ]
        z1, z2 = (scale * _normal(rng, n, z_dim, dtype=dtype) for _ in range(2))
        cases.append((Parts(trained).to(dtype), z1, z2, crossover, [m.to(dtype) for m in noise], alpha))
    return cases


def _assembly(layer_step=None, mix=style_mix, fade=fade_in, end=lambda image: image, first=0):
    """A way to put the parts together that differs from the right one in a step."""

    def right_step(layer, x, w, noise, i):
        x = layer.conv(x) if layer.conv is not None else x
        return layer.adain(leaky_relu(layer.noise(x, noise[i]) + layer.bias), w)

    step = layer_step or right_step

    def assembled(parts, z1, z2, crossover, noise, alpha):
        w = mix(parts.mapping(z1), parts.mapping(z2), crossover, len(parts.layers))
        x = parts.const(len(z1))
        for i, layer in enumerate(parts.layers):
            if i == len(parts.layers) - 2:
                before = x
            if i >= first:
                x = step(layer, x, w[:, i], noise, i)
        return end(fade(alpha, parts.to_rgb[-1](x), parts.to_rgb[-2](before)))

    return assembled


def _conv(layer, x):
    return layer.conv(x) if layer.conv is not None else x


def _step(order):
    """A layer that takes its steps in another order, or leaves some out."""

    def step(layer, x, w, noise, i):
        for name in order.split():
            if name == "conv":
                x = _conv(layer, x)
            elif name == "noise":
                x = layer.noise(x, noise[i])
            elif name == "bias":
                x = x + layer.bias
            elif name == "act":
                x = leaky_relu(x)
            else:
                x = layer.adain(x, w)
        return x

    return step


@exercise_10_7.mistake(
    "The activation comes after AdaIN: it bends away the mean and spread that the style has just set."
)
def activated_after_adain(*case):
    return _assembly(_step("conv noise bias adain act"))(*case)


@exercise_10_7.mistake(
    "The noise comes after the activation: it belongs right behind the convolution, before bias and activation."
)
def noise_after_activation(*case):
    return _assembly(_step("conv bias act noise adain"))(*case)


@exercise_10_7.mistake("The noise comes after AdaIN, so the map's spread is no longer the style's.")
def noise_after_adain(*case):
    return _assembly(_step("conv bias act adain noise"))(*case)


@exercise_10_7.mistake("No noise is added.")
def without_noise(*case):
    return _assembly(_step("conv bias act adain"))(*case)


_NO_BIAS = "The bias has no effect: it is left out, or it comes so late that AdaIN takes it away with the map's mean."


@exercise_10_7.mistake(_NO_BIAS)
def without_bias(*case):
    return _assembly(_step("conv noise act adain"))(*case)


@exercise_10_7.mistake(_NO_BIAS)
def bias_after_activation(*case):
    return _assembly(_step("conv noise act bias adain"))(*case)


@exercise_10_7.mistake("Nothing is activated: leaky ReLU stands between bias and AdaIN.")
def without_activation(*case):
    return _assembly(_step("conv noise bias adain"))(*case)


@exercise_10_7.mistake("The style has no effect: AdaIN is left out.")
def without_adain(*case):
    return _assembly(_step("conv noise bias act"))(*case)


@exercise_10_7.mistake("AdaIN comes before the convolution: it ends a layer.")
def adain_first(*case):
    return _assembly(_step("adain conv noise bias act"), first=1)(*case)


@exercise_10_7.mistake(
    "The constant goes straight into the first convolution. It has a layer of its own: noise, bias, activation and AdaIN, "
    "all but the convolution."
)
def constant_passed_over(*case):
    return _assembly(first=1)(*case)


@exercise_10_7.mistake("Two layers share one noise map: each layer has its own, `noise[i]`.")
def one_noise_for_both(*case):
    def step(layer, x, w, noise, i):
        return layer.adain(leaky_relu(layer.noise(_conv(layer, x), noise[i // 2 * 2]) + layer.bias), w)

    return _assembly(step)(*case)


@exercise_10_7.mistake("The slope below zero is not 0.2: use the lent leaky_relu.")
def default_slope(*case):
    def step(layer, x, w, noise, i):
        return layer.adain(F.leaky_relu(layer.noise(_conv(layer, x), noise[i]) + layer.bias), w)

    return _assembly(step)(*case)


@exercise_10_7.mistake("The slope below zero is not 0.2: use the lent leaky_relu.")
def plain_relu(*case):
    def step(layer, x, w, noise, i):
        return layer.adain(F.relu(layer.noise(_conv(layer, x), noise[i]) + layer.bias), w)

    return _assembly(step)(*case)


@exercise_10_7.mistake("The second latent has no effect: mix the two with your style_mix.")
def first_latent_only(*case):
    return _assembly(mix=lambda w1, w2, k, layers: style_mix(w1, w1, k, layers))(*case)


@exercise_10_7.mistake("The first latent has no effect: mix the two with your style_mix.")
def second_latent_only(*case):
    return _assembly(mix=lambda w1, w2, k, layers: style_mix(w2, w2, k, layers))(*case)


@exercise_10_7.mistake("The two latents have changed places: z1 rules the layers before the crossover.")
def latents_swapped(*case):
    return _assembly(mix=lambda w1, w2, k, layers: style_mix(w2, w1, k, layers))(*case)


@exercise_10_7.mistake("As if the two w were averaged: every layer gets the one or the other.")
def latents_averaged(*case):
    return _assembly(mix=lambda w1, w2, k, layers: averaged(w1, w2, k, layers))(*case)


@exercise_10_7.mistake("Every layer gets the first layer's style: layer i takes `w[:, i]`.")
def one_style_for_all(*case):
    return _assembly(
        mix=lambda w1, w2, k, layers: style_mix(w1, w2, k, layers)[:, :1].expand(-1, layers, -1)
    )(*case)


@exercise_10_7.mistake("The mapping is passed over: z goes into AdaIN as if it were w.")
def z_for_w(parts, z1, z2, crossover, noise, alpha):
    class Straight:
        mapping, const, layers, to_rgb = staticmethod(lambda z: z), parts.const, parts.layers, parts.to_rgb

    return generate(Straight, z1, z2, crossover, noise, alpha)


@exercise_10_7.mistake("Fading has no effect: blend with the small image by your fade_in.")
def without_fading(*case):
    return _assembly(fade=lambda alpha, grown, small: grown)(*case)


@exercise_10_7.mistake("Fading acts the wrong way round: at alpha = 1 only the last resolution is seen.")
def fading_reversed(*case):
    return _assembly(fade=lambda alpha, grown, small: fade_in(1 - alpha, grown, small))(*case)


@exercise_10_7.mistake("Values are pressed into -1 to 1 at the end: toRGB is linear, and nothing follows it.")
def tanh_at_the_end(*case):
    return _assembly(end=torch.tanh)(*case)


@exercise_10_7.mistake("Values are pressed into -1 to 1 at the end: toRGB is linear, and nothing follows it.")
def clamped_at_the_end(*case):
    return _assembly(end=lambda image: image.clamp(-1, 1))(*case)


# --- the reader's parts against the trained generator ------------------------------------------------------


@torch.no_grad()
def first_fault(answers: Mapping[str, Callable], trained: StyleGANGenerator, *, n: int = 4) -> str:
    """Name of the first of the reader's parts that departs from the trained generator by more than 1e-5; "" if none.

    answers: {"PixelNorm": ..., "MappingNetwork": ..., ..., "generate": ...}. Each part is filled with the trained
    numbers and put, alone, in the place of the course's own, on what reaches it in the generator: latents (one of them
    zero), the maps of every layer (one made flat), its noise. The whole is tried last, with the course's parts in it.
    All in 64 bits: in 32 two right ways to write a part differ by rounding, and the layers after it amplify that.
    """
    exact = copy.deepcopy(trained).double()
    for record in of_chapter("10"):
        for case in _on_the_way(record.id, exact, n):
            call = record.call if record.has("call") else (lambda part, *given: part(*given))
            expected = call(record.oracle, *case)
            try:
                got = call(answers[record.name], *case)
            except Exception:  # whatever a wrong part does, it is at fault
                return record.name
            if not all(_near(g, e) for g, e in zip(_tuple(got), _tuple(expected), strict=False)):
                return record.name
    return ""


def _tuple(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _near(got, expected: Tensor) -> bool:
    got = torch.as_tensor(got)
    return got.shape == expected.shape and bool(
        (got - expected).abs().max() <= 1e-5 * expected.abs().max().clamp(min=1)
    )


def _on_the_way(id: str, trained: StyleGANGenerator, n: int) -> list[tuple]:
    """What reaches a part of the trained generator, in 64 bits, as cases of its exercise."""
    stream = torch.Generator().manual_seed(10)
    z = torch.randn(2 * n, trained.z_dim, generator=stream).double()
    z[0] = 0
    w, synthesis = trained.mapping(z), trained.synthesis
    if id == "10.1":
        return [(z,), (torch.randn(n, 8, 4, 4, generator=stream).double(),), (1e-4 * z,)]
    if id == "10.2":
        return [(z, list(trained.mapping.parameters())), (2 * z, list(trained.mapping.parameters()))]
    maps = [torch.as_tensor(map).double() for map in synthesis.noise_maps(n, "fresh", stream)]
    if id == "10.6":
        return [(w[:n], w[n:], k, trained.num_layers) for k in range(trained.num_layers + 1)]
    if id == "10.7":
        mixing = [(0, 0.4), (3, 1.0), (trained.num_layers, 1.0)]
        return [(Parts(trained), z[:n], z[n:], k, maps, alpha) for k, alpha in mixing]
    if id == "10.5":
        grown, small = (synthesis(w[:n], noise=maps, resolution=trained.resolution // k) for k in (1, 2))
        return [(alpha, 3 * grown, 3 * small) for alpha in (0.0, 0.3, 0.5, 1.0)]
    cases, parts, x = [], Parts(trained), synthesis.const(n)
    for layer, noise in zip(parts.layers, maps, strict=True):
        x = layer.conv(x) if layer.conv is not None else x
        if id == "10.4":
            cases.append((x, noise, layer.noise.weight))
        x = leaky_relu(layer.noise(x, noise) + layer.bias)
        if id == "10.3":
            flat = torch.cat([x[:, :1], torch.full_like(x[:, :1], 0.5), x[:, 2:]], dim=1)
            numbers = list(layer.adain.parameters())
            cases += [(x, w[:n], *numbers), (0.3 * flat, w[:n], *numbers)]
        x = layer.adain(x, w[:n])
    return cases
