"""How far the factors of drawn shapes are mixed up in a generator's latents: in z, and in w.

Two questions, asked of images whose factors `FactorRegressor` reads: does a linear map read a factor off the latent,
and does a step along one factor's direction leave the others alone? Karras et al. 2019, section 4.2, ask the first with
classifiers of faces ("linear separability"); here the factors are known to the network that answers.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gancourse.datasets import quantise
from gancourse.datasets.shapes import SHAPES
from gancourse.models.regressor import FactorRegressor, targets
from gancourse.models.stylegan import StyleGANGenerator
from gancourse.seeds import stream

FACTORS = ("shape", "hue", "size", "x", "y", "rotation")


@dataclass(frozen=True)
class Entanglement:
    """What one seed's latents say of one space, "z" or "w".

    read   (6,): by a linear map of the latent, on latents not fitted to. Share of right shapes; R^2 for the others.
    moved  (6, 6): how much the factor of a column changes when the latent moves along the direction of a row's factor by
           one standard deviation of the latents along it; 1 is the change from one random image to another.
    """

    read: Tensor
    moved: Tensor

    @property
    def aside(self) -> Tensor:
        """(6,): along each factor's direction, the mean change of the five others over its own; 0 if it moves alone."""
        own = self.moved.diagonal()
        return (self.moved.sum(1) - own) / (len(own) - 1) / own


@torch.inference_mode()
def entanglement(
    generator: StyleGANGenerator,
    regressor: FactorRegressor,
    space: str,
    *,
    samples: int = 5000,
    steps: int = 500,
    seed: int = 0,
) -> Entanglement:
    """Measure both on `samples` latents of one seed, four fifths of them to fit to, and `steps` of the others to move.

    With y the factors as numbers (the shape one-hot, hue and rotation as cosine and sine), the direction of a number y_j
    is d_j = Cov(latent, y_j), that in which the mean latent moves with it, and a step along it is
    d_j / |d_j| * sd(latent . d_j / |d_j|). Change is E |y' - y|^2 over the factor's numbers, divided by its value for
    two unrelated images, 2 Var(y); for a factor of several numbers it is the mean over their directions.
    Images are drawn with the stored noise, so that each is a function of its latent alone.
    """
    if space not in ("z", "w"):
        raise ValueError(f'space: expected "z" or "w", got {space!r}')
    z = torch.randn(samples, generator.z_dim, generator=stream(seed))
    latents = z if space == "z" else generator.mapping(z)

    def numbers(latents: Tensor) -> tuple[Tensor, Tensor]:
        """(shape's index (N,), y (N, 11)) of the images that latents give."""
        parts = latents.split(250)
        w = (generator.mapping(part) if space == "z" else part for part in parts)
        read = regressor.factors(torch.cat([quantise(generator.synthesis(part)) for part in w]))
        return read["shape"], torch.cat([F.one_hot(read["shape"], len(SHAPES)), targets(read)], 1)

    shape, y = numbers(latents)
    fit = 4 * samples // 5
    columns = (range(4), (4, 5), (8,), (9,), (10,), (6, 7))  # of y, in the order of FACTORS
    residual = y[fit:] - _linear(latents[:fit], y[:fit], latents[fit:])
    spread = (y[fit:] - y[:fit].mean(0)).square().sum(0)
    read = [_accuracy(latents[:fit], shape[:fit], latents[fit:], shape[fit:])]
    for column in map(list, columns[1:]):
        read.append(1 - float(residual[:, column].square().sum() / spread[column].sum()))

    centred = latents[:fit] - latents[:fit].mean(0)
    directions = F.normalize(centred.T @ (y[:fit] - y[:fit].mean(0)), dim=0)  # (D, 11)
    strides = directions * (centred @ directions).std(0)
    start, before = latents[fit : fit + steps], y[fit : fit + steps]
    variance = y.var(0)
    change = torch.stack([(numbers(start + stride)[1] - before).square().mean(0) for stride in strides.T])
    moved = torch.empty(6, 6)
    for i, rows in enumerate(map(list, columns)):
        for j, column in enumerate(map(list, columns)):
            moved[i, j] = change[rows][:, column].sum(1).mean() / (2 * variance[column].sum())
    return Entanglement(torch.tensor(read), moved)


def _linear(x: Tensor, y: Tensor, new: Tensor) -> Tensor:
    """Least squares with a constant: what the fit to (x, y) says of `new`."""

    def with_one(a: Tensor) -> Tensor:
        return F.pad(a.double(), (0, 1), value=1.0)

    return (with_one(new) @ torch.linalg.lstsq(with_one(x), y.double(), driver="gelsd").solution).to(y.dtype)


@torch.inference_mode(False)
@torch.enable_grad()
def _accuracy(x: Tensor, labels: Tensor, new: Tensor, expected: Tensor) -> float:
    """Share of `new` whose label a multinomial logistic regression on (x, labels) gets right."""
    x, labels, new = x.clone(), labels.clone(), new.clone()
    mean, sd = x.mean(0), x.std(0).clamp(min=1e-6)
    x, new = (x - mean) / sd, (new - mean) / sd
    classes = int(max(labels.max(), expected.max())) + 1
    weight, bias = (torch.zeros(*size, requires_grad=True) for size in ((x.shape[1], classes), (classes,)))
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(x @ weight + bias, labels) + 1e-4 * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    with torch.no_grad():
        return float(((new @ weight + bias).argmax(1) == expected).double().mean())
