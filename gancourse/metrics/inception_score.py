"""The Inception Score: how sure a classifier is of each image, and how many classes it sees overall."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gancourse.metrics.arrays import ArrayLike, as_distribution, sum_tolerance
from gancourse.metrics.estimate import Z95, Estimate
from gancourse.seeds import stream

BLOCK = 1 << 17  # probabilities worked on at a time: 1 MiB of float64, which stays in the cache
TINY = 2.2250738585072014e-308  # has a finite logarithm; p log p and the sums can't tell it from 0


def inception_score(probabilities: ArrayLike, *, splits: int = 1, seed: int | None = None) -> Estimate:
    """The Inception Score of N images from their class probabilities p(y|x), one row each.

    probabilities: (N, K), rows sum to 1. splits: parts of which the scores are averaged, 1 to N. seed: shuffles the
    rows first; None keeps their order, as the authors do. The value is between 1 and min(N, K); higher is better.
    stderr and interval are None where a part has one row. ValueError where a row isn't a distribution, for an empty
    array, or splits outside 1 .. N; TypeError if not real.

    IS = exp( mean_x KL( p(y|x) || p(y) ) ) = exp( I(x; y) ),  p(y) = mean_x p(y|x) over the *generated* images
    (Salimans et al. 2016, section 4). With `splits` S > 1 the value is the mean of the scores of rows
    [i N // S, (i + 1) N // S), i = 0 .. S - 1, as in the authors' code (others drop the tail or make fewer parts). Each
    part has its own p(y), so rows sorted by class give a score of 1 in every part.

    stderr: a row's influence on log IS is KL(p(y|x) || p(y)) minus its mean, so stderr = IS std(KL) / sqrt(N); with
    splits the parts' errors are combined. The "±" of the literature is the standard deviation over parts: see `method`.
    interval: p(y) estimated from n rows lowers log IS by about sum_k var(p_k) / p(y_k) / 2n; the upper end is raised by
    this bias, to cover the score of infinitely many images.
    """
    p = probabilities.detach() if isinstance(probabilities, Tensor) else probabilities
    dense = not isinstance(p, Tensor) or (p.layout == torch.strided and not p.is_meta)
    if not (isinstance(p, Tensor | np.ndarray) and dense and p.ndim == 2 and "float" in str(p.dtype)):
        p = as_distribution(probabilities, "probabilities")
    if p.ndim != 2 or 0 in p.shape:
        raise ValueError(f"probabilities: expected an array (images, classes), got shape {tuple(p.shape)}")
    count, classes = p.shape
    if not isinstance(splits, int | np.integer) or not 1 <= splits <= count:
        raise ValueError(f"splits: expected a whole number from 1 to {count} (the rows), got {splits!r}")
    splits = int(splits)
    order = None if seed is None else torch.randperm(count, generator=stream(seed))
    parts = [(i * count // splits, (i + 1) * count // splits) for i in range(splits)]
    scored = [_score(p, order, *part) for part in parts]
    if None in scored:  # the thorough way: names the bad row, or mends what is within the tolerance
        p = as_distribution(probabilities, "probabilities")
        scored = [_score(p, order, *part) for part in parts]
    scores, errors, biases = np.array(scored).T
    value, method = float(scores.mean()), f"Inception Score, {splits} split{'s' * (splits > 1)}"
    if splits > 1:
        method += f", std over splits {scores.std():.3g}"
    if count < 2 * splits:
        return Estimate(value, n=count, method=method)
    stderr = float(np.sqrt((errors**2).sum())) / splits
    high = min(float((scores * np.exp(biases)).mean()) + Z95 * stderr, float(classes))
    return Estimate(value, stderr, (max(value - Z95 * stderr, 1.0), max(high, value)), count, method)


def _score(
    p: Tensor | np.ndarray, order: Tensor | None, start: int, stop: int
) -> tuple[float, float, float] | None:
    """Score, its standard error and the bias of its logarithm, of the rows `start` to `stop` of `order`.

    None if they aren't distributions already. Two passes, the logarithms of p in the first only:
    KL(p_i || m) = -H(p_i) - sum_k p_ik log m_k.
    """
    n, classes, tolerance = stop - start, p.shape[1], sum_tolerance(p)
    step = max(1, BLOCK // classes)
    blocks = [slice(a, min(a + step, n)) for a in range(0, n, step)]

    def rows(block: slice) -> Tensor:
        """A copy in float64. Slices are cheaper than indices, and small copies than one large one."""
        block = slice(start + block.start, start + block.stop)
        where: Any = block if order is None else order[block]
        if isinstance(p, np.ndarray):
            return torch.from_numpy(p[where].astype(np.float64))
        return p[where if order is None else where.to(p.device)].to("cpu", torch.float64, copy=True)

    total, entropy, divergence = torch.empty(3, n, dtype=torch.float64)
    mean, square = torch.zeros(2, classes, dtype=torch.float64)
    for block in blocks:
        x = rows(block)
        total[block] = x.sum(dim=1)
        if not (x.min() >= 0 and ((total[block] - 1).abs() <= tolerance).all()):
            return None
        x /= total[block, None]
        mean += x.sum(dim=0) / n
        entropy[block] = -(x.clamp(min=TINY).log_().mul_(x)).sum(dim=1)
        square += x.square_().sum(dim=0) / n
    log_mean = mean.clamp(min=TINY).log()
    for block in blocks:
        divergence[block] = -(rows(block) @ log_mean) / total[block] - entropy[block]
    score = float(divergence.mean().clamp(min=0).exp())
    error = score * float(divergence.std()) / n**0.5 if n > 1 else 0.0
    bias = float(((square / mean.clamp(min=TINY)).sum() - 1).clamp(min=0)) / (2 * max(n - 1, 1))
    return min(score, classes, n), error, bias
