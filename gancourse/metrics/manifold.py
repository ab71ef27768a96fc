"""Precision, recall, density, coverage and realism: which samples lie among each other's nearest neighbours.

All five ask one question: is sample a within the ball around sample b whose radius is b's distance to its k-th
nearest neighbour? Distances are Euclidean. A float32 matrix product answers where its proven rounding error cannot
matter; the few pairs nearer to a radius than that are measured again, exactly: by differences in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gancourse.metrics.arrays import as_pair

BLOCK = 1 << 22  # distances held at a time: 16 MiB of float32
SPARE = 4  # neighbours looked at beyond the k-th, in case float32 has ordered the last ones wrongly


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares of fake samples among the real ones (`precision`) and of real samples among the fake (`recall`)."""

    precision: float
    recall: float


@dataclass(frozen=True)
class DensityCoverage:
    """Crowding of reals around the fakes (`density`), and the share of reals that have a fake near (`coverage`)."""

    density: float
    coverage: float


def precision_recall(*, real: Any, fake: Any, k: int = 3) -> PrecisionRecall:
    """How many fakes lie in the manifold of the reals, and how many reals in that of the fakes.

    A set's manifold is the union of balls around its samples, each reaching to the sample's k-th nearest neighbour in
    the set. precision = mean_j 1[fake_j in manifold(real)], recall = mean_i 1[real_i in manifold(fake)], both in [0, 1]
    (Kynkaanniemi et al. 2019, equations 1 and 2).

    real: (N, D) and fake: (M, D) features, k < min(N, M). A sample isn't its own neighbour, a copy of it is: radii are
    the (k+1)-th smallest distance, 0 included. Points on a sphere are inside (`<=`, as the authors; prdc has `<`).
    k = 3 is the paper's choice. One outlier among the reals has a huge ball: see `density_coverage`.
    ValueError or TypeError for features that aren't finite (N, D) arrays, or k outside 1 .. min(N, M) - 1.
    """
    real, fake = _clouds(real, fake, k, both=True)
    tally = _tally(real, fake, _radii(real, k), _radii(fake, k))
    return PrecisionRecall(_share(tally.real_balls > 0), _share(tally.fake_balls > 0))


def density_coverage(*, real: Any, fake: Any, k: int = 5) -> DensityCoverage:
    """How densely reals surround the fakes, and how many reals have a fake nearby.

    density = 1/(k M) sum_j sum_i 1[fake_j in ball_i] >= 0, not bounded by 1;
    coverage = mean_i 1[some fake_j in ball_i], in [0, 1] (Naeem et al. 2020, equations 3 and 4).
    Only reals have balls, so outliers among the fakes do nothing, and density counts a real outlier's huge ball as one.
    Where both distributions are the same, the expected density is 1 and the expected coverage
    1 - (N-1)...(N-k) / ((N+M-1)...(N+M-k)), about 1 - 2^-k for M = N: these, not infinity and 1, are a perfect score.

    Shapes, ties and errors as `precision_recall`, with k < N; k = 5 is the paper's choice.
    """
    real, fake = _clouds(real, fake, k)
    tally = _tally(real, fake, _radii(real, k))
    return DensityCoverage(float(tally.real_balls.sum() / (k * len(fake.exact))), _share(tally.fakes > 0))


def realism(*, real: Any, fake: Any, k: int = 3) -> Tensor:
    """How deep each fake lies inside the manifold of the reals: a score per image, from 1 upwards inside.

    R(fake_j) = max_i radius_i / |fake_j - real_i| over reals whose radius is at most the median radius; the larger
    balls are discarded, as they are mostly empty (Kynkaanniemi et al. 2019, equation 3). Gives float64 (M,), infinite
    for a fake that coincides with a real (the authors add 1e-5 to distances), 1 where that real's radius is 0 too.
    Shapes and errors as `density_coverage`; k = 3 as in `precision_recall`.
    """
    real, fake = _clouds(real, fake, k)
    radii = _radii(real, k)
    kept = np.flatnonzero(radii <= np.median(radii))
    kept_real = _Cloud(*(part[kept] for part in real))
    return 1 / torch.from_numpy(_smallest(fake, kept_real, 1, radii[kept]))


class _Cloud(NamedTuple):
    """Samples, ready for exact and for fast distances.

    left[i] . right[j] = |x_i - x_j|^2 - slack_i - slack_j + rounding, where |rounding| <= slack_i + slack_j: a lower
    bound of the squared distance, and 2 (slack_i + slack_j) above it is an upper bound.
    """

    exact: np.ndarray  # (N, D) float64
    left: np.ndarray  # (N, D + 2) float32: [-2x, |x|^2 - slack, 1], x centred
    right: np.ndarray  # (N, D + 2) float32: [x, 1, |x|^2 - slack]
    slack: np.ndarray  # (N,) float64


class _Tally(NamedTuple):
    real_balls: np.ndarray  # (M,) balls of reals that hold this fake
    fakes: np.ndarray  # (N,) fakes in this real's ball
    fake_balls: np.ndarray  # (N,) balls of fakes that hold this real


def _clouds(real: Any, fake: Any, k: int, *, both: bool = False) -> tuple[_Cloud, _Cloud]:
    real, fake = as_pair(real, fake)
    for name, x in (("real", real), ("fake", fake))[: 1 + both]:
        if not isinstance(k, int | np.integer) or not 1 <= k < len(x):
            raise ValueError(f"k: expected a whole number from 1 to {len(x) - 1}, one less than the {len(x)} "
                             f"{name} samples, got {k!r}")  # fmt: skip
    real, fake = real.cpu().numpy(), fake.cpu().numpy()
    centre = (real.mean(axis=0) + fake.mean(axis=0)) / 2
    spread = max(np.abs(x - centre).max() for x in (real, fake))
    # A power of two changes no digit, and keeps every square clear of overflow and underflow.
    scale = 2.0 ** -max(np.frexp(spread)[1], -1000)
    return _cloud(real, centre, scale), _cloud(fake, centre, scale)


def _cloud(x: np.ndarray, centre: np.ndarray, scale: float) -> _Cloud:
    count, dim = x.shape
    centred = ((x - centre) * scale).astype(np.float32)
    norm = np.einsum("nd,nd->n", centred, centred, dtype=np.float64)
    # A float32 product of D + 2 terms is off by at most (D + 2) 2^-24 sum |terms|, and |2 x.y| <= |x|^2 + |y|^2; the
    # rest is for the rounding of x, of its norm and of radii. The constant outweighs what underflows.
    slack = (2 * dim + 24) * 2.0**-24 * (norm + 1e-30)
    lower, one = (norm - slack).astype(np.float32)[:, None], np.ones((count, 1), np.float32)
    return _Cloud(x * scale, np.hstack([-2 * centred, lower, one]), np.hstack([centred, one, lower]), slack)


def _radii(cloud: _Cloud, k: int) -> np.ndarray:
    """(N,) distance from each sample to its k-th nearest neighbour, itself left out as the smallest of k + 1."""
    return _smallest(cloud, cloud, k + 1)


def _smallest(probes: _Cloud, centres: _Cloud, rank: int, size: np.ndarray | None = None) -> np.ndarray:
    """(M,) for each probe the rank-th smallest exact distance to a centre, distances divided by the centre's size.

    The rank + SPARE smallest lower bounds are measured exactly. If the largest of those bounds isn't below the result,
    no other centre can be nearer; otherwise the probe's whole row is measured.
    """
    n = len(centres.exact)
    weight = None if size is None else (1 / np.maximum(size**2, 1e-30)).astype(np.float32)
    size = np.ones(n) if size is None else size
    result = np.empty(len(probes.exact))
    for rows in _blocks(len(probes.exact), n):
        lower = probes.left[rows] @ centres.right.T
        if weight is not None:
            lower *= weight
        bound, near = torch.from_numpy(lower).topk(min(rank + SPARE, n), dim=1, largest=False)
        bound, near = bound[:, -1].double().numpy(), near.numpy()
        found = _ranked(_distances(probes.exact[rows, None], centres.exact[near])[:, 0], size[near], rank)
        unsure = np.flatnonzero(bound < found**2) if near.shape[1] < n else []
        for few in _blocks(len(unsure), 2 * n):
            probe = probes.exact[rows][unsure[few]]
            found[unsure[few]] = _ranked(_distances(probe, centres.exact), size, rank)
        result[rows] = found
    return result


def _ranked(distances: np.ndarray, size: np.ndarray, rank: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = distances / size
    ratio[np.isnan(ratio)] = 1  # 0 / 0: at the centre of an empty ball, which is also its surface
    return np.partition(ratio, rank - 1, axis=1)[:, rank - 1]


def _tally(
    real: _Cloud, fake: _Cloud, real_radii: np.ndarray, fake_radii: np.ndarray | None = None
) -> _Tally:
    """Who lies in whose ball, counted in one pass over all pairs."""
    n, m = len(real.exact), len(fake.exact)
    tally = _Tally(np.zeros(m, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64))
    for rows in _blocks(m, n):
        lower = fake.left[rows] @ real.right.T  # (block of fakes, reals)
        i, j = _inside(lower, fake, real, rows, real_radii[None, :])
        tally.real_balls[:] += np.bincount(i, minlength=m)
        tally.fakes[:] += np.bincount(j, minlength=n)
        if fake_radii is not None:
            i, j = _inside(lower, fake, real, rows, fake_radii[rows, None])
            tally.fake_balls[:] += np.bincount(j, minlength=n)
    return tally


def _inside(
    lower: np.ndarray, fake: _Cloud, real: _Cloud, rows: slice, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (fake, real) of a block that are no farther apart than the radius, which broadcasts over the block."""
    pair = np.flatnonzero(lower <= (radii**2).astype(np.float32))
    i, j = np.divmod(pair, lower.shape[1])
    radius = np.broadcast_to(radii, lower.shape)[i, j]
    i += rows.start
    unsure = np.flatnonzero(lower.reshape(-1)[pair] + 2 * (fake.slack[i] + real.slack[j]) > radius**2)
    outside = []
    for few in _blocks(len(unsure), real.exact.shape[1]):
        one = unsure[few]
        distance = _distances(fake.exact[i[one], None], real.exact[j[one], None])[:, 0, 0]
        outside.append(one[distance > radius[one]])
    keep = np.delete(np.arange(len(pair)), np.concatenate(outside)) if outside else slice(None)
    return i[keep], j[keep]


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(..., n, m) Euclidean distances by differences; the same bits for the same two points in every call."""
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(torch.from_numpy(x), torch.from_numpy(y), compute_mode=exact).numpy()


def _blocks(count: int, width: int) -> Iterator[slice]:
    """Slices of at most BLOCK // width rows."""
    step = max(1, BLOCK // width)
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def _share(mask: np.ndarray) -> float:
    return float(mask.mean())
