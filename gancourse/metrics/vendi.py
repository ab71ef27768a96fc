"""The Vendi score: how many different samples a set holds in effect, without any reals to compare with."""

from collections.abc import Callable

import torch
from torch import Tensor

from gancourse.metrics.arrays import ArrayLike, as_numbers, as_samples
from gancourse.metrics.estimate import Estimate

TINY = 2.2250738585072014e-308  # has a finite logarithm; lambda log lambda can't tell it from 0
TOLERANCE = 1e-5  # what float32 may leave of a kernel's symmetry, its diagonal's ones and its eigenvalues


def vendi_score(features: ArrayLike, *, kernel: str | Callable[[Tensor], ArrayLike] = "cosine") -> Estimate:
    """The effective number of different samples: 1 if all are alike, N if none is like another.

    features: (N, D), one sample a row. kernel: "cosine", or a function (N, D) -> (N, N) that gives a symmetric positive
    semi-definite matrix with ones on its diagonal; it gets the features as a float64 tensor. stderr is None for one
    sample, interval always. ValueError for features that aren't finite (N, D) arrays, for a row of zeros with "cosine"
    (it has no direction), for another kernel's name, or a kernel's matrix that isn't as above.

        VS = exp( - sum_j lambda_j log lambda_j ),  lambda the eigenvalues of K / N,  K_ij = k(x_i, x_j),  K_ii = 1

    (Friedman and Dieng 2023, definition 3.1.) It measures diversity only, of any kind: noise scores high. With
    "cosine", k(x, y) = x.y / |x||y|, K has the eigenvalues of the (D, D) matrix of the rows' directions and VS is at
    most min(N, D).

    stderr: with K_ij = f_i . f_j, a sample's influence on log VS is -f' log(F'F/N) f minus its mean, so it is VS
    std(-f' log(F'F/N) f) / sqrt(N). It is the noise at this N only. No interval: VS grows with N, because kinds that
    the N samples miss are not counted, and the samples can't tell how many those are. Compare sets of one size.
    """
    x = as_samples(features, "features")
    n, dim = x.shape
    if kernel == "cosine":
        unit, most = _directions(x), min(n, dim)
        gram = unit @ unit.T if n <= dim else None
    elif callable(kernel):
        gram, most = _similarities(kernel(x), n).to(x.device), n
    else:
        raise ValueError(f'kernel: expected "cosine" or a function of the features, got {kernel!r}')
    if gram is None:
        values, vectors = torch.linalg.eigh(unit.T @ unit / n)
        parts = (unit @ vectors).square()  # (N, D) f_ij^2 along the eigenvectors; a row sums to 1
    else:
        values, vectors = torch.linalg.eigh(gram / n)
        parts = n * values.clamp(min=0) * vectors.square()  # (N, N)
    if values[0] < -TOLERANCE:
        raise ValueError(
            f"kernel: expected a positive semi-definite matrix, got one with the eigenvalue {n * values[0]:.3g}"
        )
    surprise = -(parts @ values.clamp(min=TINY).log())  # (N,) whose mean is the entropy
    value = min(max(float(surprise.mean().exp()), 1.0), float(most))
    stderr = value * float(surprise.std()) / n**0.5 if n > 1 else None
    name = kernel if isinstance(kernel, str) else getattr(kernel, "__name__", "the caller's")
    return Estimate(value, stderr, n=n, method=f"Vendi score, {name} kernel")


def _directions(x: Tensor) -> Tensor:
    """Rows scaled to length 1; first to a largest entry of 1, which keeps squares of tiny ones from vanishing."""
    largest = x.abs().amax(dim=1, keepdim=True)
    if not largest.all():
        raise ValueError(
            f"features: row {int((largest == 0).nonzero()[0, 0])} is all zeros; the cosine kernel needs a direction"
        )
    x = x / largest
    return x / x.norm(dim=1, keepdim=True)


def _similarities(matrix: ArrayLike, n: int) -> Tensor:
    """A kernel's matrix as float64 (N, N), checked but for its eigenvalues."""
    gram = as_numbers(matrix, "kernel")
    if gram.shape != (n, n):
        raise ValueError(f"kernel: expected a matrix ({n}, {n}), one row a sample, got {tuple(gram.shape)}")
    off = (gram.diagonal() - 1).abs()
    if off.max() > TOLERANCE:
        row = int(off.argmax())
        raise ValueError(f"kernel: expected ones on the diagonal, got {gram[row, row]:.6g} for row {row}")
    if (gram - gram.T).abs().max() > TOLERANCE:
        row, column = divmod(int((gram - gram.T).abs().argmax()), n)
        raise ValueError(
            f"kernel: expected a symmetric matrix, got {gram[row, column]:.6g} for rows {row} and {column}, "
            f"{gram[column, row]:.6g} for {column} and {row}"
        )
    return gram
