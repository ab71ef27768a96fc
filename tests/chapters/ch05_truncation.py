"""Chapter 05: right answers in several styles."""

import math

import numpy as np
import torch


def truncated_normal_masked_loop(shape, threshold, generator):
    z = torch.randn(shape, generator=generator)
    while (z.abs() > threshold).any():
        beyond = z.abs() > threshold
        z[beyond] = torch.randn(int(beyond.sum()), generator=generator)
    return z


def truncated_normal_where(shape, threshold, generator):
    z = torch.randn(*shape, generator=generator)
    while bool((abs(z) > threshold).any()):
        z = torch.where(abs(z) > threshold, torch.randn(*shape, generator=generator), z)
    return z


def truncated_normal_kept_and_joined(shape, threshold, generator):
    wanted, kept, count = math.prod(shape), [], 0
    while count < wanted:
        z = torch.randn(4 * wanted, generator=generator, dtype=torch.float64)
        kept.append(z[(z >= -threshold) & (z <= threshold)])
        count += len(kept[-1])
    return torch.cat(kept)[:wanted].reshape(shape)


def truncated_normal_one_by_one(shape, threshold, generator):
    values = []
    while len(values) < math.prod(shape):
        drawn = torch.randn(500, generator=generator).tolist()
        values += [z for z in drawn if abs(z) <= threshold]
    return np.array(values[: math.prod(shape)]).reshape(shape)


def truncated_normal_by_quantiles(shape, threshold, generator):
    low = torch.special.ndtr(torch.tensor(-threshold, dtype=torch.float64))
    u = low + (1 - 2 * low) * torch.rand(shape, generator=generator, dtype=torch.float64)
    return torch.special.ndtri(u).clamp(-threshold, threshold)


def truncated_normal_numpy_seeded_from_the_generator(shape, threshold, generator):
    seed = int(torch.randint(2**62, (1,), generator=generator))
    random = np.random.default_rng(seed)
    z = random.normal(size=shape)
    while np.abs(z).max() > threshold:
        z[np.abs(z) > threshold] = random.normal(size=(np.abs(z) > threshold).sum())
    return z.astype(np.float32)


def truncated_normal_normal_method(shape, threshold, generator):
    z = torch.empty(shape).normal_(generator=generator)
    while torch.any(beyond := z**2 > threshold**2):
        z = z.masked_scatter(beyond, torch.empty(int(beyond.sum())).normal_(generator=generator))
    return z


def truncate_w_slices(w, w_avg, psi, cutoff=None):
    result = w.clone()
    result[:, :cutoff] = w_avg + psi * (w[:, :cutoff] - w_avg)
    return result


def truncate_w_weights(w, w_avg, psi, cutoff=None):
    layers = w.shape[1]
    scale = torch.ones(layers, 1, dtype=w.dtype)
    scale[: layers if cutoff is None else cutoff] = psi
    return w_avg + scale * (w - w_avg)


def truncate_w_where(w, w_avg, psi, cutoff=None):
    if cutoff is None:
        cutoff = w.size(1)
    first = torch.arange(w.size(1)).view(1, -1, 1) < cutoff
    return torch.where(first, (1 - psi) * w_avg + psi * w, w)


def truncate_w_numpy_loops(w, w_avg, psi, cutoff=None):
    result = np.array(w, dtype=float)
    centre = np.asarray(w_avg, dtype=float)
    for image in range(result.shape[0]):
        for layer in range(result.shape[1] if cutoff is None else cutoff):
            result[image, layer] = centre + psi * (result[image, layer] - centre)
    return result


def truncate_w_lerp_and_cat(w, w_avg, psi, cutoff=None):
    cutoff = w.shape[1] if cutoff is None else cutoff
    return torch.cat((torch.lerp(w_avg.expand_as(w), w, psi)[:, :cutoff], w[:, cutoff:]), 1)


def truncate_w_float32(w, w_avg, psi, cutoff=None):
    w, w_avg = w.float(), w_avg.float()
    rows = [
        w_avg + psi * (row - w_avg) if cutoff is None or i < cutoff else row
        for i, row in enumerate(w.unbind(1))
    ]
    return torch.stack(rows, dim=1)


def sweep_truncation_list(styles, w_avg, psis, synthesize, measure):
    return torch.tensor([measure(synthesize(truncate_w(styles, w_avg, psi))) for psi in psis])  # noqa: F821


def sweep_truncation_loop_of_lists(styles, w_avg, psis, synthesize, measure):
    table = []
    for psi in psis:
        images = synthesize(w_avg + psi * (styles - w_avg))
        table.append(list(measure(images)))
    return table


def sweep_truncation_numpy(styles, w_avg, psis, synthesize, measure):
    return np.array([measure(synthesize(torch.lerp(w_avg.expand_as(styles), styles, psi))) for psi in psis])


def sweep_truncation_filled(styles, w_avg, psis, synthesize, measure):
    def row(psi):
        return torch.as_tensor(measure(synthesize(truncate_w(styles, w_avg, psi, None))))  # noqa: F821

    rows = [row(psi) for psi in psis]
    table = torch.zeros(len(psis), len(rows[0]), dtype=torch.float64)
    for i, values in enumerate(rows):
        table[i] = values
    return table


def sweep_truncation_map(styles, w_avg, psis, synthesize, measure):
    offsets = styles - w_avg
    return torch.stack([torch.tensor(measure(synthesize(w_avg + float(psi) * offsets))) for psi in psis])


RIGHT = {
    "05.1": [
        truncated_normal_masked_loop,
        truncated_normal_where,
        truncated_normal_kept_and_joined,
        truncated_normal_one_by_one,
        truncated_normal_by_quantiles,
        truncated_normal_numpy_seeded_from_the_generator,
        truncated_normal_normal_method,
    ],
    "05.2": [
        truncate_w_slices,
        truncate_w_weights,
        truncate_w_where,
        truncate_w_numpy_loops,
        truncate_w_lerp_and_cat,
        truncate_w_float32,
    ],
    "05.3": [
        sweep_truncation_list,
        sweep_truncation_loop_of_lists,
        sweep_truncation_numpy,
        sweep_truncation_filled,
        sweep_truncation_map,
    ],
}
