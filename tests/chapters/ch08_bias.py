"""Chapter 08: right answers in several styles."""

import math
from collections import Counter

import numpy as np
import torch


def class_shares_bincount(labels, classes):
    n = len(labels)
    p = torch.bincount(labels, minlength=classes) / n
    z = 1.96
    middle = p + z**2 / (2 * n)
    half = z * torch.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return p, torch.stack([(middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)], dim=1)


def class_shares_loops(labels, classes):
    counts, n, z = Counter(labels.tolist()), len(labels), 1.959964
    shares, intervals = [], []
    for k in range(classes):
        p = counts[k] / n
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        shares.append(p)
        intervals.append([(p + z * z / (2 * n) + s * half) / (1 + z * z / n) for s in (-1, 1)])
    return shares, intervals


def class_shares_roots(labels, classes):
    """The ends are the roots of (p - x)^2 = z^2 x (1 - x) / n."""
    n, z = len(labels), 1.96
    shares = np.array([np.mean(labels.numpy() == k) for k in range(classes)])
    ends = [np.sort(np.roots([1 + z**2 / n, -(2 * p + z**2 / n), p**2]).real) for p in shares]
    return shares, np.array(ends)


def class_shares_counts(labels, classes):
    """Wilson's interval written in counts: (x + z^2/2 -+ z sqrt(x (n - x) / n + z^2/4)) / (n + z^2)."""
    n, z = labels.numel(), 1.96
    x = torch.stack([(labels == k).sum() for k in range(classes)]).double()
    half = z * (x * (n - x) / n + z**2 / 4).sqrt()
    ends = torch.stack((x + z**2 / 2 - half, x + z**2 / 2 + half), 1) / (n + z**2)
    return x / n, ends.clamp(0, 1)


def class_shares_float32_one_hot(labels, classes):
    p = torch.nn.functional.one_hot(labels.long(), classes).float().mean(0)
    n, z = len(labels), 1.96
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    return p, torch.cat([(middle - half)[:, None], (middle + half)[:, None]], 1)


def total_variation_half_sum(p, q):
    return 0.5 * (p - q).abs().sum()


def total_variation_gains(p, q):
    return float((p - q).clamp(min=0).sum())


def total_variation_overlap(p, q):
    return 1 - float(torch.minimum(p.double(), q.double()).sum())


def total_variation_loop(p, q):
    return sum(abs(float(a) - float(b)) for a, b in zip(p, q, strict=True)) / 2


def total_variation_numpy(p, q):
    return np.linalg.norm(p.numpy() - q.numpy(), ord=1) / 2


def total_variation_float32(p, q):
    return torch.sum(torch.abs(p.float() - q.float())) / 2


def top_covarying_torch_cov(changes, target, n):
    cov = torch.cov(changes.T)[target]
    order = cov.abs().argsort(descending=True)
    order = order[order != target][:n]
    return order, cov[order]


def top_covarying_numpy(changes, target, n):
    cov = np.cov(changes.numpy(), rowvar=False)[target]
    size = np.abs(cov)
    size[target] = -1
    order = np.argsort(-size)[:n]
    return order, cov[order]


def top_covarying_loops(changes, target, n):
    rows, columns = changes.shape
    found = []
    for j in range(columns):
        if j != target:
            a, b = changes[:, j].double(), changes[:, target].double()
            found.append((float(((a - a.mean()) * (b - b.mean())).sum()) / (rows - 1), j))
    found.sort(key=lambda pair: abs(pair[0]), reverse=True)
    return [j for _, j in found[:n]], [value for value, _ in found[:n]]


def top_covarying_topk(changes, target, n):
    x = changes - changes.mean(0, keepdim=True)
    cov = x.T @ x[:, target] / (x.shape[0] - 1)
    size = cov.abs().clone()
    size[target] = -torch.inf
    order = size.topk(n).indices
    return order.tolist(), cov[order].tolist()


def top_covarying_float32_pairs(changes, target, n):
    x = changes.float()
    x = (x - x.mean(0)) / (len(x) - 1) ** 0.5
    cov = (x * x[:, target : target + 1]).sum(0)
    order = [int(i) for i in torch.sort(cov.abs(), descending=True)[1] if int(i) != target]
    return torch.tensor(order[:n]), cov[order[:n]]


def fairness_gaps_masks(decision, truth, group):
    parity, true, false = [], [], []
    for g in group.unique():
        own = group == g
        parity.append(decision[own].float().mean())
        true.append(decision[own & truth].float().mean())
        false.append(decision[own & ~truth].float().mean())
    opportunity, other = max(true) - min(true), max(false) - min(false)
    return max(parity) - min(parity), opportunity, max(opportunity, other)


def fairness_gaps_counts(decision, truth, group):
    d, t, g = decision.tolist(), truth.tolist(), group.tolist()

    def gap(keep):
        rates = []
        for name in sorted(set(g)):
            rows = [i for i in range(len(g)) if g[i] == name and t[i] in keep]
            rates.append(sum(d[i] for i in rows) / len(rows))
        return max(rates) - min(rates)

    return gap({True, False}), gap({True}), max(gap({True}), gap({False}))


def fairness_gaps_numpy(decision, truth, group):
    d, t, g = (a.numpy() for a in (decision, truth, group))
    names = np.unique(g)
    table = np.array([[d[g == n].mean(), d[(g == n) & t].mean(), d[(g == n) & ~t].mean()] for n in names])
    gaps = np.ptp(table, axis=0)
    return gaps[0], gaps[1], gaps[1:].max()


def fairness_gaps_misses(decision, truth, group):
    """By the rates of wrong answers: misses among the true and false alarms among the false have the same gaps."""
    names, inverse = group.unique(return_inverse=True)
    one = torch.nn.functional.one_hot(inverse, len(names)).double()

    def rate(event, among):
        return (event.double() @ one) / (among.double() @ one)

    every = torch.ones_like(truth)
    parity, misses = rate(decision, every), rate(~decision & truth, truth)
    alarms = rate(decision & ~truth, ~truth)
    gaps = [r.max() - r.min() for r in (parity, misses, alarms)]
    return gaps[0], gaps[1], torch.maximum(gaps[1], gaps[2])


def fairness_gaps_pairs(decision, truth, group):
    def gap(mask):
        names = sorted(set(group.tolist()))
        rate = {g: decision[mask & (group == g)].double().mean().item() for g in names}
        return max((abs(rate[a] - rate[b]) for a in names for b in names), default=0.0)

    everyone = torch.ones(len(truth), dtype=torch.bool)
    return [gap(everyone), gap(truth), max(gap(truth), gap(~truth))]


RIGHT = {
    "08.1": [
        class_shares_bincount,
        class_shares_loops,
        class_shares_roots,
        class_shares_counts,
        class_shares_float32_one_hot,
    ],
    "08.2": [
        total_variation_half_sum,
        total_variation_gains,
        total_variation_overlap,
        total_variation_loop,
        total_variation_numpy,
        total_variation_float32,
    ],
    "08.3": [
        top_covarying_torch_cov,
        top_covarying_numpy,
        top_covarying_loops,
        top_covarying_topk,
        top_covarying_float32_pairs,
    ],
    "08.4": [
        fairness_gaps_masks,
        fairness_gaps_counts,
        fairness_gaps_numpy,
        fairness_gaps_misses,
        fairness_gaps_pairs,
    ],
}
