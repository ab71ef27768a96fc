"""Chapter 12: right answers in several styles."""

import math
from collections import Counter

import numpy as np
import torch
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist


def authentic_cdist(train, fake):
    own = torch.cdist(train, train).fill_diagonal_(torch.inf).min(dim=1).values
    distance, nearest = torch.cdist(fake, train).min(dim=1)
    return distance > own[nearest]


def authentic_numpy(train, fake):
    train, fake = train.numpy(), fake.numpy()
    own = np.sort(cdist(train, train), axis=1)[:, 1]
    between = cdist(fake, train)
    return between.min(axis=1) > own[between.argmin(axis=1)]


def authentic_loops(train, fake):
    train, fake = train.tolist(), fake.tolist()
    found = []
    for x in fake:
        i = min(range(len(train)), key=lambda i: math.dist(x, train[i]))
        own = min(math.dist(train[i], train[j]) for j in range(len(train)) if j != i)
        found.append(math.dist(x, train[i]) > own)
    return found


def authentic_tree(train, fake):
    tree = KDTree(train.numpy())
    distance, nearest = tree.query(fake.numpy())
    return torch.from_numpy(distance > tree.query(train.numpy(), 2)[0][nearest, 1])


def authentic_squares(train, fake):
    own = (train[:, None] - train).square().sum(-1).fill_diagonal_(float("inf")).amin(1)
    distance, nearest = (fake[:, None] - train).square().sum(-1).min(1)
    return (distance > own[nearest]).int()


def class_weights_bincount(fake_labels, real_labels, classes):
    fake = torch.bincount(fake_labels, minlength=classes)
    real = torch.bincount(real_labels, minlength=classes)
    weights = real[fake_labels] / fake[fake_labels]
    return weights / weights.sum()


def class_weights_counter(fake_labels, real_labels, classes):
    fake, real = Counter(fake_labels.tolist()), Counter(real_labels.tolist())
    weights = [real[c] / fake[c] for c in fake_labels.tolist()]
    return [weight / sum(weights) for weight in weights]


def class_weights_numpy(fake_labels, real_labels, classes):
    fake = np.bincount(fake_labels.numpy(), minlength=classes) / len(fake_labels)
    real = np.bincount(real_labels.numpy(), minlength=classes) / len(real_labels)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = (real / fake)[fake_labels.numpy()]
    return weights / weights.sum()


def class_weights_masks(fake_labels, real_labels, classes):
    weights = torch.zeros(len(fake_labels))
    for c in range(classes):
        mine = fake_labels == c
        if mine.any():
            weights[mine] = (real_labels == c).float().mean() / mine.float().mean()
    return weights / weights.sum()


def class_weights_one_hot(fake_labels, real_labels, classes):
    fake, real = (torch.nn.functional.one_hot(x, classes).double() for x in (fake_labels, real_labels))
    weights = fake @ (real.mean(0) / fake.mean(0).clamp(min=1e-12))
    return weights / weights.sum()


def shortlist_tensor(values, stderrs, better):
    left = torch.arange(len(values))
    for column, sign in enumerate(better):
        score, error = sign * values[left, column], stderrs[left, column]
        best = score.argmax()
        left = left[score[best] - score <= 1.96 * (error**2 + error[best] ** 2).sqrt()]
    return left


def shortlist_numpy(values, stderrs, better):
    values, stderrs = np.asarray(values) * np.asarray(better), np.asarray(stderrs)
    left = np.ones(len(values), bool)
    for v, e in zip(values.T, stderrs.T, strict=True):
        best = np.where(left, v, -np.inf).argmax()
        left &= v[best] - v <= 1.96 * np.hypot(e, e[best])
    return np.flatnonzero(left)


def shortlist_loops(values, stderrs, better):
    values, stderrs = values.tolist(), stderrs.tolist()
    left = set(range(len(values)))
    for c, sign in enumerate(better):
        best = max(sorted(left), key=lambda i: sign * values[i][c])
        for i in list(left):
            gap = abs(values[best][c] - values[i][c])
            if gap > 1.96 * math.sqrt(stderrs[best][c] ** 2 + stderrs[i][c] ** 2):
                left.remove(i)
    return sorted(left)


def shortlist_recursive(values, stderrs, better, left=None):
    left = list(range(len(values))) if left is None else left
    if not better:
        return left
    sign, table = better[0], [(float(v[0]), float(e[0])) for v, e in zip(values, stderrs, strict=True)]
    top, error = max((table[i] for i in left), key=lambda pair: sign * pair[0])
    left = [i for i in left if (table[i][0] - top) ** 2 <= 1.96**2 * (table[i][1] ** 2 + error**2)]
    return shortlist_recursive(values[:, 1:], stderrs[:, 1:], better[1:], left)


RIGHT = {
    "12.1": [authentic_cdist, authentic_numpy, authentic_loops, authentic_tree, authentic_squares],
    "12.2": [
        class_weights_bincount,
        class_weights_counter,
        class_weights_numpy,
        class_weights_masks,
        class_weights_one_hot,
    ],
    "12.3": [shortlist_tensor, shortlist_numpy, shortlist_loops, shortlist_recursive],
}
