"""Chapter 04: right answers in several styles."""

import math

import numpy as np
import torch


def entropy_entr(p):
    return torch.special.entr(p).sum(dim=-1)


def entropy_where(p):
    return -torch.where(p > 0, p * torch.log(p.clamp(min=1e-300)), torch.zeros_like(p)).sum(-1)


def entropy_numpy_masked(p):
    p = p.numpy()
    logs = np.zeros_like(p)
    np.log(p, out=logs, where=p > 0)
    return -(p * logs).sum(axis=-1)


def entropy_small_constant(p):
    return -(p * (p + 1e-10).log()).sum(-1)


def entropy_larger_constant(p):
    return -torch.sum(p * torch.log(p + 1e-8), dim=-1)


def entropy_nansum(p):
    return -(p * p.log()).nansum(-1)


def entropy_clamped_float32(p):
    p = p.float()
    return -(p * p.clamp(min=1e-12).log()).sum(-1)


def entropy_bits_converted(p):
    return -torch.nan_to_num(p * torch.log2(p)).sum(-1) * math.log(2)


def entropy_loop(p):
    if p.ndim == 1:
        return sum(-x * math.log(x) for x in p.tolist() if x > 0)
    return torch.stack([torch.as_tensor(entropy_loop(row)) for row in p])


def entropy_renormalised(p):
    p = p / p.sum(-1, keepdim=True)
    return -torch.xlogy(p, p).sum(-1)


def kl_divergence_xlogy(p, q):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)


def kl_divergence_where(p, q):
    return torch.where(p > 0, p * torch.log(p / q), torch.zeros(())).sum(dim=-1)


def kl_divergence_nansum(p, q):
    return (p * (p / q).log()).nansum(-1)


def kl_divergence_numpy(p, q):
    p, q = np.broadcast_arrays(p.numpy(), q.numpy())
    with np.errstate(all="ignore"):
        return np.where(p > 0, p * (np.log(p) - np.log(q)), 0).sum(axis=-1)


def kl_divergence_loop(p, q):
    if p.ndim > 1 or q.ndim > 1:
        p, q = torch.broadcast_tensors(p, q)
        return torch.stack([torch.as_tensor(kl_divergence_loop(a, b)) for a, b in zip(p, q, strict=True)])
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        if a > 0:
            total += math.inf if b == 0 else a * math.log(a / b)
    return total


def kl_divergence_cross_entropy_less_entropy(p, q):
    return -torch.xlogy(p, q).sum(-1) - entropy(p)  # noqa: F821, the reader's own


def kl_divergence_constant_in_p_only(p, q):
    return (p * (torch.log(p + 1e-12) - torch.log(q))).nan_to_num(nan=0.0, posinf=torch.inf).sum(-1)


def inception_score_own_kl(probabilities):
    marginal = probabilities.mean(dim=0)
    return float(kl_divergence(probabilities, marginal).mean().exp())  # noqa: F821


def inception_score_two_entropies(probabilities):
    p = probabilities
    return torch.exp(entropy(p.mean(0)) - torch.as_tensor(entropy(p)).mean())  # noqa: F821


def inception_score_small_constant(probabilities):
    p, eps = probabilities.numpy(), 1e-16
    marginal = p.mean(axis=0, keepdims=True)
    divergence = p * (np.log(p + eps) - np.log(marginal + eps))
    return np.exp(divergence.sum(axis=1).mean())


def inception_score_bits(probabilities):
    p = probabilities.double()
    ratio = (p / p.mean(0)).log2()
    return 2 ** (p * ratio).nansum(1).mean()


def inception_score_loop(probabilities):
    rows = probabilities.tolist()
    classes = range(len(rows[0]))
    marginal = [sum(row[k] for row in rows) / len(rows) for k in classes]
    total = 0.0
    for row in rows:
        total += sum(row[k] * math.log(row[k] / marginal[k]) for k in classes if row[k] > 0)
    return math.exp(total / len(rows))


def inception_score_one_split(probabilities, splits=1):
    scores = []
    for part in torch.chunk(probabilities, splits):
        marginal = part.mean(0)
        scores.append((torch.xlogy(part, part) - torch.xlogy(part, marginal)).sum(1).mean().exp())
    return torch.stack(scores).mean()


def inception_score_joint_table(probabilities):
    joint = probabilities.double() / len(probabilities)  # p(x, y)
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return torch.where(joint > 0, joint * (joint / apart).log(), 0.0).sum().exp()


def inception_score_float32(probabilities):
    p = probabilities.float()
    return torch.exp((p * ((p + 1e-10) / (p.mean(0) + 1e-10)).log()).sum(1).mean())


def fool_argmax(probabilities):
    return probabilities.argmax(dim=0)


def fool_list_of_ints(probabilities):
    return [int(np.argmax(column)) for column in probabilities.numpy().T]


def fool_by_entropy_within_each_class(probabilities):
    labels, unsure = probabilities.argmax(1), torch.special.entr(probabilities).sum(1)
    chosen = []
    for k in range(probabilities.shape[1]):
        members = (labels == k).nonzero()[:, 0]
        chosen.append(members[unsure[members].argmin()])
    return torch.stack(chosen)


def fool_by_sorting(probabilities):
    return np.argsort(-probabilities.numpy(), axis=0)[0]


def fool_in_another_order(probabilities):
    return tuple(reversed(probabilities.max(0).indices.tolist()))


RIGHT = {
    "04.1": [
        entropy_entr,
        entropy_where,
        entropy_numpy_masked,
        entropy_small_constant,
        entropy_larger_constant,
        entropy_nansum,
        entropy_clamped_float32,
        entropy_bits_converted,
        entropy_loop,
        entropy_renormalised,
    ],
    "04.2": [
        kl_divergence_xlogy,
        kl_divergence_where,
        kl_divergence_nansum,
        kl_divergence_numpy,
        kl_divergence_loop,
        kl_divergence_cross_entropy_less_entropy,
        kl_divergence_constant_in_p_only,
    ],
    "04.3": [
        inception_score_own_kl,
        inception_score_two_entropies,
        inception_score_small_constant,
        inception_score_bits,
        inception_score_loop,
        inception_score_one_split,
        inception_score_joint_table,
        inception_score_float32,
    ],
    "04.4": [
        fool_argmax,
        fool_list_of_ints,
        fool_by_entropy_within_each_class,
        fool_by_sorting,
        fool_in_another_order,
    ],
}
