"""Input checks of the metrics: every argument becomes a float64 tensor, or an error says what is wrong with it."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike as NumpyArrayLike
from torch import Tensor

ArrayLike: TypeAlias = Tensor | NumpyArrayLike | Sequence[Tensor]
LARGEST = 1e24  # the square of the cubic kernel takes 12th powers, which must stay finite: (1e24)^12 = 1e288
LARGEST_SUM = 1e60  # of squares of these: covariances, scatter matrices


def as_numbers(x: ArrayLike, name: str, *, largest: float = LARGEST) -> Tensor:
    """Convert `x` to a detached float64 tensor of the same shape, on x's device (CPU for MPS, which has no float64).

    x: a tensor, a list of tensors of one shape, or what `numpy.asarray` takes (bool to float16 included). TypeError
    unless dense and real; ValueError for NaN, |entry| > `largest` or ragged rows. `name`: what errors call x.
    """
    if isinstance(x, list | tuple) and x and all(isinstance(row, Tensor) for row in x):
        if len({row.shape for row in x}) > 1:
            raise ValueError(f"{name}: expected a rectangular array, got tensors of different shapes")
        x = torch.stack([row.detach() for row in x])
    if isinstance(x, Tensor):
        if x.is_complex() or x.layout != torch.strided or x.is_meta:
            raise TypeError(
                f"{name}: expected a dense tensor of real numbers, got {x.dtype}, {x.layout}, on {x.device}"
            )
        x = x.resolve_neg()
        x = x.detach().cpu() if x.device.type == "mps" else x.detach()  # MPS has no float64
        x = x.to(torch.float64)
    else:
        try:
            array = np.asarray(x)
        except ValueError as error:
            message = f"{name}: expected a rectangular array, got rows of different lengths"
            raise ValueError(message) from error
        if array.dtype.kind not in "buif":
            raise TypeError(
                f"{name}: expected an array of real numbers, got {type(x).__name__} of {array.dtype}"
            )
        x = torch.from_numpy(np.array(array, dtype=np.float64, order="C"))
    if x.numel():
        low, high = x.aminmax()  # NaN if any entry is
        if not max(-low, high) <= largest:
            index = (~(x.abs() <= largest)).nonzero()[0].tolist()
            raise ValueError(f"{name}: {_place(index)} has {_culprit(x[tuple(index)].item(), largest)}")
    return x


def as_samples(x: ArrayLike, name: str, *, least: int = 1) -> Tensor:
    """Convert `x` to a float64 tensor (N, D): N >= `least` samples, one per row, each of D >= 1 numbers.

    `name` is what errors call x ("real features: row 17 has NaN"). ValueError for other shapes; else as `as_numbers`.
    """
    x = as_numbers(x, name)
    if x.ndim != 2:
        hint = "; for one sample use x[None]" if x.ndim == 1 else ""
        raise ValueError(
            f"{name}: expected a 2-D array (samples, dimensions), got shape {tuple(x.shape)}{hint}"
        )
    if x.shape[0] < least:
        raise ValueError(f"{name}: expected at least {least} rows, got {x.shape[0]}")
    if x.shape[1] == 0:
        raise ValueError(f"{name}: expected at least one column, got shape {tuple(x.shape)}")
    return x


def as_pair(
    real: ArrayLike, fake: ArrayLike, *, least: int = 1, names: tuple[str, str] = ("real", "fake")
) -> tuple[Tensor, Tensor]:
    """Two feature sets as float64 (N, D) and (M, D) on real's device; ValueError if D differs. Errors use `names`."""
    real = as_samples(real, f"{names[0]} features", least=least)
    fake = as_samples(fake, f"{names[1]} features", least=least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"{' and '.join(names)} features must come from one extractor: got {real.shape[1]} and {fake.shape[1]} columns"
        )
    return real, fake.to(real.device)


def as_distribution(p: ArrayLike, name: str) -> Tensor:
    """Check probabilities `p` (..., K): float64, last axis renormalised to sum exactly 1.

    Rounding moves a softmax's sums: a gap up to 1e-6 (float64, plain Python), 1e-4 (float32), 1e-3 (float16) or 1e-2
    (bfloat16) is accepted, and an entry down to minus that gap becomes 0. Beyond that: ValueError.
    """
    tolerance = sum_tolerance(p)
    p = as_numbers(p, name)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"{name}: expected probabilities along the last axis, got shape {tuple(p.shape)}")
    if (p < -tolerance).any():
        index = (p < -tolerance).nonzero()[0].tolist()
        raise ValueError(f"{name}: {_place(index)} has the negative probability {p[tuple(index)].item():.4g}")
    total = p.sum(dim=-1, keepdim=True)
    wrong = ((total - 1).abs() > tolerance).nonzero()
    if len(wrong):
        index = wrong[0].tolist()
        where = f"{_place(index[:-1])} sums" if p.ndim > 1 else "they sum"
        raise ValueError(
            f"{name}: expected probabilities that sum to 1, {where} to {total[tuple(index)].item():.6g}"
        )
    p = p.clamp(min=0)  # what 1 - sum of the others leaves below 0
    return p / p.sum(dim=-1, keepdim=True)


def shuffled(rows: Tensor, generator: torch.Generator) -> Tensor:
    return rows[torch.randperm(len(rows), generator=generator).to(rows.device)]


def halves(rows: Tensor, generator: torch.Generator) -> tuple[Tensor, ...]:
    return shuffled(rows, generator).tensor_split(2)


def sum_tolerance(p: ArrayLike) -> float:
    """How far from 1 rounding may take the sum of probabilities of this dtype."""
    dtype = str(getattr(p, "dtype", "float64")).removeprefix("torch.")
    return {"float32": 1e-4, "float16": 1e-3, "bfloat16": 1e-2}.get(dtype, 1e-6)


def _place(index: list[int]) -> str:
    """The place a reader would look at: the row, or all indices of an entry that has no row."""
    if len(index) <= 2:
        return f"row {index[0]}" if index else "the number"
    return f"entry {tuple(index)}"


def _culprit(number: float, largest: float) -> str:
    too_large = f"{number:.3g}, larger than the {largest:.0e} the metrics can work with"
    return "NaN" if number != number else too_large
