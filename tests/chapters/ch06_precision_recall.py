"""Chapter 06: right answers in several styles."""

import math

import numpy as np
import torch
from scipy.spatial.distance import cdist


def knn_radii_kthvalue(x, k):
    return torch.cdist(x, x).kthvalue(k + 1, dim=1).values


def knn_radii_topk(x, k):
    distances = torch.cdist(x, x).fill_diagonal_(torch.inf)
    return distances.topk(k, largest=False).values[:, -1]


def knn_radii_numpy(x, k):
    x = x.numpy()
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    return np.partition(distances, k, axis=1)[:, k]


def knn_radii_loops(x, k):
    radii = []
    for i in range(len(x)):
        distances = [math.dist(x[i].tolist(), x[j].tolist()) for j in range(len(x)) if j != i]
        radii.append(sorted(distances)[k - 1])
    return radii


def knn_radii_products(x, k):
    squares = (x * x).sum(1)
    distances = (squares[:, None] + squares[None] - 2 * x @ x.T).clamp(min=0).sqrt()
    distances.fill_diagonal_(0)
    return torch.sort(distances, dim=1).values[:, k]


def knn_radii_tree(x, k):
    from scipy.spatial import KDTree

    return KDTree(x.numpy()).query(x.numpy(), k + 1)[0][:, -1]


def knn_radii_float32(x, k):
    x = x.float()
    return (x[:, None] - x).norm(dim=-1).sort(dim=-1)[0][:, k]


def manifold_membership_any(probes, centres, radii):
    return (torch.cdist(probes, centres) <= radii).any(dim=1)


def manifold_membership_scipy(probes, centres, radii):
    return np.any(cdist(probes, centres) <= radii.numpy()[None, :], axis=1)


def manifold_membership_gap(probes, centres, radii):
    return (torch.cdist(probes, centres) - radii[None]).min(dim=1).values <= 0


def manifold_membership_loops(probes, centres, radii):
    result = []
    for probe in probes:
        inside = False
        for centre, radius in zip(centres, radii, strict=True):
            if torch.norm(probe - centre) <= radius:
                inside = True
        result.append(inside)
    return result


def manifold_membership_squares(probes, centres, radii):
    squares = ((probes.unsqueeze(1) - centres.unsqueeze(0)) ** 2).sum(-1)
    return (squares <= radii**2).sum(1) > 0


def manifold_membership_transposed(probes, centres, radii):
    return (torch.cdist(centres, probes) <= radii.view(-1, 1)).any(0).int()


def precision_recall_earlier(real, fake, k=3):
    precision = manifold_membership(fake, real, knn_radii(real, k))  # noqa: F821
    recall = manifold_membership(real, fake, knn_radii(fake, k))  # noqa: F821
    return precision.float().mean(), recall.float().mean()


def precision_recall_one_matrix(real, fake, k):
    between = torch.cdist(real, fake)
    real_radii = torch.cdist(real, real).sort(1).values[:, k]
    fake_radii = torch.cdist(fake, fake).sort(1).values[:, k]
    precision = (between <= real_radii[:, None]).any(0).double().mean().item()
    recall = (between <= fake_radii[None, :]).any(1).double().mean().item()
    return precision, recall


def precision_recall_numpy(real, fake, k=3):
    def inside(probes, centres):
        radii = np.sort(cdist(centres, centres), axis=1)[:, k]
        return (cdist(probes, centres) <= radii).any(axis=1).mean()

    return np.array([inside(fake.numpy(), real.numpy()), inside(real.numpy(), fake.numpy())])


def precision_recall_counting(real, fake, k=3):
    shares = []
    for centres, probes in ((real, fake), (fake, real)):
        radii = [sorted((x - c).norm() for c in centres)[k] for x in centres]
        hits = 0
        for probe in probes:
            hits += any((probe - c).norm() <= r for c, r in zip(centres, radii, strict=True))
        shares.append(hits / len(probes))
    return shares


def precision_at_recall_mask(precision, recall, at_least):
    reached = precision[recall >= at_least]
    return reached.max().item() if reached.numel() else 0.0


def precision_at_recall_loop(precision, recall, at_least):
    best = 0.0
    for p, r in zip(precision.tolist(), recall.tolist(), strict=True):
        if r >= at_least and p > best:
            best = p
    return best


def precision_at_recall_where(precision, recall, at_least):
    return torch.where(recall >= at_least, precision, 0).max()


def precision_at_recall_numpy(precision, recall, at_least):
    return np.max(precision.numpy() * (recall.numpy() >= at_least))


def precision_at_recall_last_point(precision, recall, at_least):
    reached = torch.nonzero(recall >= at_least)
    return precision[reached[-1]].squeeze() if len(reached) else 0.0


def f_beta_clamped(precision, recall, beta):
    below = beta**2 * precision + recall
    return ((1 + beta**2) * precision * recall / below.clamp(min=1e-12)).max()


def f_beta_loop(precision, recall, beta):
    best = 0.0
    for p, r in zip(precision.tolist(), recall.tolist(), strict=True):
        if p > 0 and r > 0:
            best = max(best, (1 + beta**2) / (1 / p + beta**2 / r))
    return best


def f_beta_nan_to_num(precision, recall, beta):
    f = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
    return float(f.nan_to_num().max())


def f_beta_numpy(precision, recall, beta):
    p, r = np.asarray(precision, float), np.asarray(recall, float)
    below = beta * beta * p + r
    f = np.divide((1 + beta * beta) * p * r, below, out=np.zeros_like(p), where=below > 0)
    return f.max()


def f_beta_epsilon(precision, recall, beta):
    return torch.max((1 + beta**2) * precision * recall / (beta**2 * precision + recall + 1e-9))


RIGHT = {
    "06.1": [
        knn_radii_kthvalue,
        knn_radii_topk,
        knn_radii_numpy,
        knn_radii_loops,
        knn_radii_products,
        knn_radii_tree,
        knn_radii_float32,
    ],
    "06.2": [
        manifold_membership_any,
        manifold_membership_scipy,
        manifold_membership_gap,
        manifold_membership_loops,
        manifold_membership_squares,
        manifold_membership_transposed,
    ],
    "06.3": [
        precision_recall_earlier,
        precision_recall_one_matrix,
        precision_recall_numpy,
        precision_recall_counting,
    ],
    "06.4": [
        precision_at_recall_mask,
        precision_at_recall_loop,
        precision_at_recall_where,
        precision_at_recall_numpy,
        precision_at_recall_last_point,
    ],
    "06.5": [f_beta_clamped, f_beta_loop, f_beta_nan_to_num, f_beta_numpy, f_beta_epsilon],
}
