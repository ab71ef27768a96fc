"""Exact nearest neighbours in Euclidean distance, with most of the work done in float32.

A float32 product decides wherever its proven rounding error can't change the answer; the few pairs too close to a
radius for that are measured again, by differences in float64.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gancourse.threads import at_once

BLOCK = 1 << 21  # distances that a thread holds at a time: 8 MiB of float32
SPARE = 4  # neighbours looked at beyond the k-th, in case float32 has ordered the last ones wrongly


class Cloud(NamedTuple):
    """Samples, ready for exact and for fast distances.

    left[i] . right[j] = |x_i - x_j|^2 - slack_i - slack_j + rounding, where |rounding| <= slack_i + slack_j: a lower
    bound of the squared distance, and 2 (slack_i + slack_j) above it is an upper bound.
    """

    exact: np.ndarray  # (N, D) float64
    left: np.ndarray  # (N, D + 2) float32: [-2x, |x|^2 - slack, 1], x centred
    right: np.ndarray  # (N, D + 2) float32: [x, 1, |x|^2 - slack]
    slack: np.ndarray  # (N,) float64


def clouds(*samples: Tensor) -> tuple[Cloud, ...]:
    """One Cloud for each (N, D) float64 tensor, all moved and scaled alike."""
    arrays = [x.cpu().numpy() for x in samples]
    centre = sum(x.mean(axis=0) for x in arrays) / len(arrays)
    spread = max(np.abs(x - centre).max() for x in arrays)
    # A power of two changes no digit, and keeps every square clear of overflow and underflow.
    scale = 2.0 ** -max(np.frexp(spread)[1], -1000)
    return tuple(_cloud(x, centre, scale) for x in arrays)


def _cloud(x: np.ndarray, centre: np.ndarray, scale: float) -> Cloud:
    count, dim = x.shape
    centred = ((x - centre) * scale).astype(np.float32)
    norm = np.einsum("nd,nd->n", centred, centred, dtype=np.float64)
    # A float32 product of D + 2 terms is off by at most (D + 2) 2^-24 sum |terms|, and |2 x.y| <= |x|^2 + |y|^2; the
    # rest is for the rounding of x, of its norm and of radii. The constant outweighs what underflows.
    slack = (2 * dim + 24) * 2.0**-24 * (norm + 1e-30)
    lower, one = (norm - slack).astype(np.float32)[:, None], np.ones((count, 1), np.float32)
    return Cloud(x * scale, np.hstack([-2 * centred, lower, one]), np.hstack([centred, one, lower]), slack)


def kth_distances(cloud: Cloud, k: int) -> np.ndarray:
    """(N,) distance from each sample to its k-th nearest neighbour; the sample itself is not counted."""
    return smallest(cloud, cloud, k + 1)


def smallest(probes: Cloud, centres: Cloud, rank: int, size: np.ndarray | None = None) -> np.ndarray:
    """(M,) for each probe the rank-th smallest distance to a centre, each distance divided by that centre's `size`.

    The rank + SPARE smallest lower bounds are measured exactly. If the largest of those bounds is at least the result,
    no other centre can be nearer; otherwise all of the probe's distances are measured.
    """
    n = len(centres.exact)
    weight = None if size is None else (1 / np.maximum(size**2, 1e-30)).astype(np.float32)
    size = np.ones(n) if size is None else size

    def measured(rows: slice) -> np.ndarray:
        lower = bounds(probes, rows, centres)
        if weight is not None:
            lower *= weight
        bound, near = torch.from_numpy(lower).topk(min(rank + SPARE, n), dim=1, largest=False)
        bound, near = bound[:, -1].double().numpy(), near.numpy()
        found = _ranked(distances(probes.exact[rows, None], centres.exact[near])[:, 0], size[near], rank)
        unsure = np.flatnonzero(bound < found**2) if near.shape[1] < n else []
        for few in blocks(len(unsure), 2 * n):
            probe = probes.exact[rows][unsure[few]]
            found[unsure[few]] = _ranked(distances(probe, centres.exact), size, rank)
        return found

    return np.concatenate([*at_once(measured, blocks(len(probes.exact), n))])


def bounds(probes: Cloud, rows: slice, centres: Cloud) -> np.ndarray:
    """(rows, N) lower bounds of squared distances, by torch: only its threads can be told apart."""
    return (torch.from_numpy(probes.left[rows]) @ torch.from_numpy(centres.right).T).numpy()


def _ranked(distances: np.ndarray, size: np.ndarray, rank: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = distances / size
    ratio[np.isnan(ratio)] = 1  # 0 / 0: at the centre of an empty ball, which is also its surface
    return np.partition(ratio, rank - 1, axis=1)[:, rank - 1]


def inside(
    lower: np.ndarray, fake: Cloud, real: Cloud, rows: slice, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (fake, real) of a block that are no farther apart than the radius, which broadcasts over the block."""
    pair = np.flatnonzero(lower <= (radii**2).astype(np.float32))
    i, j = np.divmod(pair, lower.shape[1])
    radius = np.broadcast_to(radii, lower.shape)[i, j]
    i += rows.start
    unsure = np.flatnonzero(lower.reshape(-1)[pair] + 2 * (fake.slack[i] + real.slack[j]) > radius**2)
    outside = []
    for few in blocks(len(unsure), real.exact.shape[1]):
        one = unsure[few]
        distance = distances(fake.exact[i[one], None], real.exact[j[one], None])[:, 0, 0]
        outside.append(one[distance > radius[one]])
    keep = np.delete(np.arange(len(pair)), np.concatenate(outside)) if outside else slice(None)
    return i[keep], j[keep]


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(..., n, m) Euclidean distances by differences; the same bits for the same two points in every call."""
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(torch.from_numpy(x), torch.from_numpy(y), compute_mode=exact).numpy()


def blocks(count: int, width: int) -> Iterator[slice]:
    """Slices of at most BLOCK // width rows."""
    step = max(1, BLOCK // width)
    return (slice(start, min(start + step, count)) for start in range(0, count, step))
