"""Copying: does a generator give back the images that it was trained on?

FID, precision and recall compare with the distribution of the reals: returning the stored training images is their
ideal. The two metrics here look at the distance from each generated image to the nearest training image instead.
"""

import math

import numpy as np

from gancourse.metrics.arrays import ArrayLike, as_pair, as_samples
from gancourse.metrics.estimate import Z95, Estimate
from gancourse.metrics.neighbours import blocks, bounds, clouds, inside, kth_distances, smallest


def authenticity(*, train: ArrayLike, fake: ArrayLike) -> Estimate:
    """The share of fakes farther from their nearest training sample than that sample is from its own nearest neighbour.

    train: (N, D) features of the training images, N >= 2; fake: (M, D). stderr is None where all fakes, or none, are
    authentic. ValueError or TypeError for features that aren't finite (N, D) arrays, or train with N < 2.

        mean_j 1[ |fake_j - train_i*| > min_{i != i*} |train_i - train_i*| ],  i* the training sample nearest to fake_j

    (Alaa et al. 2022; ties as in the code of Stein et al. 2023.) A tie counts as not authentic; with several nearest
    training samples a fake must pass for all. The interval is Wilson's for M independent fakes and this training set.
    Copies score 0, also of a sample that occurs twice; fakes far away score 1, good or bad. A perfect generator scores
    what held-out reals score, not 1: measure these too, against the same training set, as its size matters.
    """
    train, fake = as_pair(train, fake, names=("train", "fake"))
    train, fake = clouds(as_samples(train, "train features", least=2), fake)
    radii, nearest = kth_distances(train, 1), smallest(fake, train, 1)
    m, copied = len(nearest), np.zeros(len(nearest), bool)
    for rows in blocks(m, len(radii)):
        i, j = inside(bounds(fake, rows, train), fake, train, rows, nearest[rows, None])
        copied[i[nearest[i] <= radii[j]]] = True
    share, z = float(1 - copied.mean()), Z95**2 / m
    middle, half = (share + z / 2) / (1 + z), math.sqrt(z * share * (1 - share) + z * z / 4) / (1 + z)
    interval = (max(middle - half, 0.0), min(middle + half, 1.0))
    stderr = math.sqrt(share * (1 - share) / m) or None
    return Estimate(share, stderr, interval, m, "authenticity, Wilson interval")


def data_copying(*, train: ArrayLike, test: ArrayLike, fake: ArrayLike) -> Estimate:
    """A z score, negative where fakes lie nearer to the training set than held-out reals do; chance rarely gives < -2.

    train: (K, D), test: (N, D), fake: (M, D) features, N and M >= 2; test holds none of the images in train. ValueError
    where every test sample is in train; other errors as in `authenticity`.

        C_T = (U - M N / 2) / sd(U),  U = number of pairs with |fake_j - train| > |test_i - train|, half for a tie,

    where |x - train| is the distance to the nearest training sample and sd(U) that of U if test and fake had one
    distribution, corrected for ties: a Mann-Whitney z (Meehan et al. 2020, on the whole space, without their cells).
    stderr: from the variances of each fake's and each test sample's rank (DeLong et al. 1988), for this training set;
    None where both are 0. About 0 is good; far above, fakes lie farther from the training images than reals do. |z|
    grows with the root of the sizes: compare at one size. As a mean over all fakes it can hide copies behind bad fakes.
    """
    from scipy.stats import rankdata  # here, as it takes longer than gancourse to import

    _, test = as_pair(train, test, names=("train", "test"))
    train, fake = as_pair(train, fake, names=("train", "fake"))
    test, fake = as_samples(test, "test features", least=2), as_samples(fake, "fake features", least=2)
    train, test, fake = clouds(train, test, fake)
    held_out, made = smallest(test, train, 1), smallest(fake, train, 1)
    if not held_out.any():
        raise ValueError("test features: expected held-out samples, got copies of the train features")
    n, m, ranks = len(held_out), len(made), rankdata(np.concatenate([held_out, made]))
    below = (ranks[n:] - rankdata(made)) / n  # (M,) share of test samples that are nearer than this fake
    above = 1 - (ranks[:n] - rankdata(held_out)) / m  # (N,) share of fakes that are farther than this one
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    spread = (n + m + 1 - (ties**3 - ties).sum() / (n + m) / (n + m - 1)) / (12 * n * m)  # Var(U / MN)
    stderr = math.sqrt(below.var(ddof=1) / m + above.var(ddof=1) / n)
    value, scale = float(below.mean()) - 0.5, math.sqrt(spread) if spread > 0 else math.inf
    if stderr == 0:
        return Estimate(value / scale, n=min(n, m), method="C_T")
    return Estimate.normal(value / scale, stderr / scale, min(n, m), "C_T")
