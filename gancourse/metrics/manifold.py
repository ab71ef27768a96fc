"""Precision, recall, density, coverage and realism: which samples of one set lie near samples of the other.

All five ask one question: is sample a within the ball around sample b whose radius is b's distance to its k-th
nearest neighbour?
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gancourse.metrics.arrays import ArrayLike, as_pair
from gancourse.metrics.neighbours import Cloud, blocks, bounds, clouds, inside, kth_distances, smallest
from gancourse.threads import at_once


@dataclass(frozen=True)
class PrecisionRecall:
    """`precision`: share of fakes in the reals' manifold; `recall`: share of reals in the fakes' manifold."""

    precision: float
    recall: float


@dataclass(frozen=True)
class DensityCoverage:
    """`density`: how crowded with real balls the fakes are; `coverage`: share of reals whose ball holds a fake."""

    density: float
    coverage: float


def precision_recall(*, real: ArrayLike, fake: ArrayLike, k: int = 3) -> PrecisionRecall:
    """The share of fakes in the manifold of the reals, and of reals in the manifold of the fakes.

    real: (N, D), fake: (M, D), k < min(N, M). Both shares are in [0, 1]. ValueError or TypeError for features that
    aren't finite (N, D) arrays, or k outside 1 .. min(N, M) - 1.

    A set's manifold is the union of balls around its samples, each reaching to the sample's k-th nearest neighbour in
    the set. precision = mean_j 1[fake_j in manifold(real)], recall = mean_i 1[real_i in manifold(fake)] (Kynkaanniemi
    et al. 2019, equations 1 and 2). A sample isn't its own neighbour, but an exact copy is: radii are the (k+1)-th
    smallest distance, 0 included. Points on the sphere are inside (`<=`, as the authors; prdc uses `<`). k = 3 is the
    paper's choice. One outlier among the reals has a huge ball: see `density_coverage`.
    """
    real, fake = _clouds(real, fake, k, both=True)
    tally = _tally(real, fake, kth_distances(real, k), kth_distances(fake, k))
    return PrecisionRecall(float((tally.real_balls > 0).mean()), float((tally.fake_balls > 0).mean()))


def density_coverage(*, real: ArrayLike, fake: ArrayLike, k: int = 5) -> DensityCoverage:
    """How densely reals surround the fakes, and how many reals have a fake nearby.

    Shapes, ties and errors as `precision_recall`, with k < N. density >= 0 is not bounded by 1, coverage is in [0, 1].

    density = 1/(k M) sum_j sum_i 1[fake_j in ball_i], coverage = mean_i 1[some fake_j in ball_i], ball_i reaching from
    real_i to its k-th nearest neighbour (Naeem et al. 2020, equations 3 and 4; k = 5 is the paper's choice). Only reals
    have balls, so outliers among the fakes do nothing, and density counts a real outlier's huge ball as one. Where both
    distributions are the same, the expected density is 1 and the expected coverage
    1 - (N-1)...(N-k) / ((N+M-1)...(N+M-k)), about 1 - 2^-k for M = N: a perfect generator has these, not inf and 1.
    """
    real, fake = _clouds(real, fake, k)
    tally = _tally(real, fake, kth_distances(real, k))
    density = tally.real_balls.sum() / (k * len(fake.exact))
    return DensityCoverage(float(density), float((tally.fakes > 0).mean()))


def realism(*, real: ArrayLike, fake: ArrayLike, k: int = 3) -> Tensor:
    """How deep each fake lies inside the manifold of the reals: one score per fake, at least 1 inside the balls kept.

    Shapes and errors as `density_coverage`. Returns float64 (M,), infinite for a fake equal to a kept real; such a real
    of radius 0 counts as 1.

    R(fake_j) = max_i radius_i / |fake_j - real_i| over reals whose radius (distance to the k-th nearest neighbour) is
    at most the median radius; the larger balls are discarded, as they are mostly empty (Kynkaanniemi et al. 2019,
    equation 3; the authors add 1e-5 to distances). k = 3 as in `precision_recall`.
    """
    real, fake = _clouds(real, fake, k)
    radii = kth_distances(real, k)
    kept = np.flatnonzero(radii <= np.median(radii))
    kept_real = Cloud(*(part[kept] for part in real))
    return 1 / torch.from_numpy(smallest(fake, kept_real, 1, radii[kept]))


class _Tally(NamedTuple):
    real_balls: np.ndarray  # (M,) balls of reals that hold this fake
    fakes: np.ndarray  # (N,) fakes in this real's ball
    fake_balls: np.ndarray  # (N,) balls of fakes that hold this real


def _clouds(real: ArrayLike, fake: ArrayLike, k: int, *, both: bool = False) -> tuple[Cloud, ...]:
    real, fake = as_pair(real, fake)
    for name, x in (("real", real), ("fake", fake))[: 1 + both]:
        if not isinstance(k, int | np.integer) or not 1 <= k < len(x):
            raise ValueError(f"k: expected a whole number from 1 to {len(x) - 1}, one less than the {len(x)} "
                             f"{name} samples, got {k!r}")  # fmt: skip
    return clouds(real, fake)


def _tally(real: Cloud, fake: Cloud, real_radii: np.ndarray, fake_radii: np.ndarray | None = None) -> _Tally:
    """Who lies in whose ball, counted in one pass over all pairs."""
    n, m = len(real.exact), len(fake.exact)
    tally = _Tally(np.zeros(m, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64))

    def counted(rows: slice) -> tuple[np.ndarray, ...]:
        lower = bounds(fake, rows, real)  # (block of fakes, reals)
        i, j = inside(lower, fake, real, rows, real_radii[None, :])
        held = j[:0] if fake_radii is None else inside(lower, fake, real, rows, fake_radii[rows, None])[1]
        return np.bincount(i, minlength=m), np.bincount(j, minlength=n), np.bincount(held, minlength=n)

    for counts in at_once(counted, blocks(m, n)):
        for total, part in zip(tally, counts, strict=True):
            total += part
    return tally
