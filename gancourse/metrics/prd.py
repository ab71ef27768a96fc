"""Precision and recall of distributions as a curve: how much of each distribution the other one contains."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gancourse.metrics.arrays import ArrayLike, as_distribution, as_pair
from gancourse.seeds import stream

RUNS = 10  # clusterings averaged
ROUNDS = 30  # k-means steps in each, at most


@dataclass(frozen=True, eq=False)
class PRDCurve:
    """A precision-recall curve of distributions: float64 (angles,) each, from full recall to full precision."""

    precision: Tensor
    recall: Tensor

    def f_beta(self, beta: float) -> float:
        """The largest F_beta along the curve, in [0, 1], for a `beta` > 0; ValueError for another.

        F_beta = (1 + beta^2) P R / (beta^2 P + R), P the precision and R the recall. beta > 1 weighs recall more: the
        paper reports F_8 for recall and F_1/8 for precision.
        """
        if not 0 < beta < float("inf"):
            raise ValueError(f"beta: expected a positive number, got {beta}")
        share = 1 / (1 + float(beta) ** 2) if beta < 1e150 else 0.0  # F = PR / ((1 - share) P + share R)
        below = (1 - share) * self.precision + share * self.recall
        return float((self.precision * self.recall / below.clamp(min=1e-300)).max())


def prd_from_histograms(*, real: ArrayLike, fake: ArrayLike, angles: int = 1001) -> PRDCurve:
    """The precision-recall curve of two histograms over the same bins.

    real, fake: (K,), each sums to 1. angles: points of the curve, >= 3. ValueError where a histogram isn't a
    distribution, their K differ, or angles < 3.

    For slopes lambda = tan(theta): precision = sum_k min(lambda real_k, fake_k), recall = precision / lambda =
    sum_k min(real_k, fake_k / lambda), with `angles` values of theta evenly spaced from 1e-10 to pi/2 - 1e-10 (Sajjadi
    et al. 2018, equations 5 and 6, algorithm 1). Equal histograms reach (1, 1), disjoint ones stay at (0, 0). At slope
    0 recall is the real mass on bins that fakes reach; at slope infinity precision is the fake mass on bins of reals.
    """
    real, fake = as_distribution(real, "real histogram").cpu(), as_distribution(fake, "fake histogram").cpu()
    if real.ndim != 1 or real.shape != fake.shape:
        raise ValueError(
            f"real and fake histograms: expected two of shape (K,), got {tuple(real.shape)} and {tuple(fake.shape)}"
        )
    if not isinstance(angles, int | np.integer) or angles < 3:
        raise ValueError(f"angles: expected a whole number of at least 3, got {angles!r}")
    slope = torch.linspace(1e-10, np.pi / 2 - 1e-10, int(angles), dtype=torch.float64).tan()
    precision = torch.minimum(slope[:, None] * real, fake).sum(dim=1)
    recall = torch.minimum(real, fake / slope[:, None]).sum(dim=1)
    return PRDCurve(precision.clamp(max=1), recall.clamp(max=1))


def prd_curve(
    *,
    real: ArrayLike,
    fake: ArrayLike,
    clusters: int = 20,
    angles: int = 1001,
    seed: int = 0,
    runs: int = RUNS,
) -> PRDCurve:
    """The precision-recall curve of two sets of features, through the clusters that k-means finds in their union.

    real: (N, D), fake: (M, D) features. clusters: bins, 2 to N + M. angles: points of the curve, >= 3. runs:
    clusterings averaged, >= 1. The same seed gives the same curve. TypeError or ValueError for features that aren't
    finite 2-D arrays, clusters outside 2 .. N + M, runs < 1 or angles < 3.

    Each set becomes the histogram of its samples over `clusters` clusters of both together; then `prd_from_histograms`
    (Sajjadi et al. 2018, section 3.3). As in the authors' code the curve is the mean over 10 clusterings (`runs`);
    unlike theirs (mini-batches, equal sizes only) each is full k-means from k-means++ centres, and sizes may differ. If
    the union has at most `clusters` distinct points, each is a bin. Few clusters hide differences; many turn sampling
    noise into differences.
    """
    real, fake = as_pair(real, fake)
    union = torch.cat([real, fake]).cpu()
    if not isinstance(clusters, int | np.integer) or not 2 <= clusters <= len(union):
        raise ValueError(
            f"clusters: expected a whole number from 2 to {len(union)} (all samples), got {clusters!r}"
        )
    if not isinstance(runs, int | np.integer) or runs < 1:
        raise ValueError(f"runs: expected a whole number of at least 1, got {runs!r}")
    distinct, bins = union.unique(dim=0, return_inverse=True)
    if len(distinct) <= clusters:
        return _curve(bins, len(real), angles)
    union = union - union.mean(dim=0)
    union /= union.abs().max()
    generator = stream(seed)
    curves = [_curve(_k_means(union, clusters, generator), len(real), angles) for _ in range(runs)]
    points = torch.stack([torch.stack([curve.precision, curve.recall]) for curve in curves])
    return PRDCurve(*points.mean(dim=0))


def _k_means(x: Tensor, clusters: int, generator: torch.Generator) -> Tensor:
    """(N,) the cluster of each row: Lloyd's algorithm from greedy k-means++ centres.

    Each new centre is a row drawn in proportion to its squared distance from the centres so far, the best of
    2 + log k draws (Arthur and Vassilvitskii 2007, section 5).
    """
    centres = x[torch.randint(len(x), (1,), generator=generator)]
    weight = (x - centres).square().sum(dim=1)
    while len(centres) < clusters:
        draws = weight.sum() * torch.rand(2 + int(math.log(clusters)), generator=generator, dtype=x.dtype)
        index = torch.searchsorted(weight.cumsum(0), draws, right=True).clamp(max=len(x) - 1)
        left = torch.stack([torch.minimum(weight, (x - x[i]).square().sum(dim=1)) for i in index])
        best = left.sum(dim=1).argmin()
        weight, centres = left[best], torch.cat([centres, x[index[best]][None]])
    labels = None
    for _ in range(ROUNDS):
        before, labels = labels, (centres.square().sum(dim=1) - 2 * x @ centres.T).argmin(dim=1)
        if before is not None and torch.equal(before, labels):
            break
        sums = torch.zeros_like(centres).index_add_(0, labels, x)
        sizes = labels.bincount(minlength=clusters)[:, None]
        centres = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)  # an empty cluster stays put
    return labels


def _curve(bins: Tensor, reals: int, angles: int) -> PRDCurve:
    real, fake = (
        part.bincount(minlength=int(bins.max()) + 1).double() for part in bins.tensor_split([reals])
    )
    return prd_from_histograms(real=real / real.sum(), fake=fake / fake.sum(), angles=angles)
