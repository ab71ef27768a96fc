"""Chapter 01: right answers in several styles."""

import copy
import types

import numpy as np
import torch
from torch import nn


def remove_head_setattr(network):
    cut = copy.deepcopy(network)
    setattr(cut, "fc", nn.Identity())  # noqa: B010
    return cut


def remove_head_empty_sequential(network):
    cut = copy.deepcopy(network)
    cut.fc = nn.Sequential()
    return cut.eval()


def remove_head_own_module(network):
    class PassOn(nn.Module):
        def forward(self, x):
            return x

    cut = copy.deepcopy(network)
    cut.fc = PassOn()
    return cut


def remove_head_hook(network):
    def features(images):
        seen = []
        hook = network.fc.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        network(images)
        hook.remove()
        return seen[0]

    return features


def remove_head_and_put_it_back(network):
    head = network.fc
    network.fc = nn.Identity()
    cut = copy.deepcopy(network)
    network.fc = head
    return cut


def remove_head_forward_of_the_layer(network):
    cut = copy.deepcopy(network)
    cut.fc.forward = types.MethodType(lambda self, x: x, cut.fc)
    return cut


def embed_loop(images, network, batch_size):
    mode = network.training
    network.eval()
    rows = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            rows.append(network(images[start : start + batch_size]))
    network.train(mode)
    return torch.cat(rows, dim=0)


@torch.no_grad()
def embed_decorated(images, network, batch_size):
    mode = network.training
    network.eval()
    try:
        return torch.vstack([network(batch) for batch in torch.split(images, batch_size)])
    finally:
        network.train(mode)


def embed_numpy(images, network, batch_size):
    mode = network.training
    network.eval()
    rows = [network(batch).detach().numpy() for batch in images.split(batch_size)]
    network.train(mode)
    return np.concatenate(rows)


def embed_data_loader(images, network, batch_size):
    loader = torch.utils.data.DataLoader(images, batch_size=batch_size)
    mode = network.training
    network.eval()
    with torch.no_grad():
        rows = torch.cat([network(batch) for batch in loader])
    if mode:
        network.train()
    return rows


def embed_copy_in_eval_mode(images, network, batch_size):
    frozen = copy.deepcopy(network).eval().requires_grad_(False)
    return torch.cat([frozen(batch) for batch in images.split(batch_size)])


def embed_one_by_one(images, network, batch_size):
    modes = {part: part.training for part in network.modules()}
    network.eval()
    with torch.no_grad():
        rows = torch.stack([network(image[None])[0] for image in images])
    for part, mode in modes.items():
        part.training = mode
    return rows


def embed_into_a_table(images, network, batch_size):
    mode = network.training
    network.eval()
    table = None
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            rows = network(images[start : start + batch_size])
            table = torch.empty(len(images), rows.shape[1]) if table is None else table
            table[start : start + len(rows)] = rows
    network.train(mode)
    return table


def pixel_distance_float32(x, y):
    return (x.float() - y.float()).flatten(1).norm(dim=1)


def pixel_distance_numpy(x, y):
    gap = x.numpy().astype(float) - y.numpy().astype(float)
    return np.sqrt((gap**2).sum(axis=(1, 2, 3)))


def pixel_distance_int(x, y):
    return (x.int() - y.int()).pow(2).sum(dim=(1, 2, 3)).double().sqrt()


def pixel_distance_loop(x, y):
    return [float(torch.dist(a.float(), b.float())) for a, b in zip(x, y, strict=True)]


def pixel_distance_diagonal(x, y):
    return torch.cdist(x.double().flatten(1), y.double().flatten(1)).diagonal()


def pixel_distance_vector_norm(x, y):
    return torch.linalg.vector_norm(x.float() - y.float(), dim=(1, 2, 3))


def feature_distance_plain(x, y, network):
    return (network(x) - network(y)).norm(dim=1)


def feature_distance_numpy(x, y, network):
    a, b = network(x).detach().numpy(), network(y).detach().numpy()
    return np.linalg.norm(a - b, axis=1)


def feature_distance_own_embed(x, y, network):
    a, b = embed(x, network, 2), embed(y, network, 2)  # noqa: F821, the reader's own
    return (torch.as_tensor(a) - torch.as_tensor(b)).square().sum(dim=1).sqrt()


def feature_distance_together(x, y, network):
    with torch.no_grad():
        a, b = network(torch.cat([x, y])).chunk(2)
    return torch.linalg.norm(a - b, dim=-1)


def feature_distance_loop(x, y, network):
    with torch.inference_mode():
        return [float(torch.dist(network(a[None]), network(b[None]))) for a, b in zip(x, y, strict=True)]


def nearest_argsort(queries, bank, k):
    return torch.cdist(queries, bank).argsort(dim=1)[:, :k]


def nearest_numpy(queries, bank, k):
    gaps = queries.numpy()[:, None] - bank.numpy()[None]
    return np.argsort((gaps**2).sum(axis=2), axis=1)[:, :k]


def nearest_loop(queries, bank, k):
    found = []
    for query in queries:
        distances = (bank - query).norm(dim=1).tolist()
        found.append(sorted(range(len(bank)), key=distances.__getitem__)[:k])
    return found


def nearest_topk_of_negatives(queries, bank, k):
    return (-torch.cdist(queries, bank)).topk(k, dim=1).indices


def nearest_last_of_ties(queries, bank, k):
    distances = torch.cdist(queries, bank).flip(1)
    return len(bank) - 1 - distances.argsort(dim=1, stable=True)[:, :k]


def nearest_expanded_square(queries, bank, k):
    q, b = queries.double(), bank.double()
    square = (q * q).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * q @ b.T
    return square.sort(dim=1).indices[:, :k]


def nearest_partition(queries, bank, k):
    from scipy.spatial.distance import cdist

    return torch.from_numpy(np.argsort(cdist(queries, bank), axis=1)[:, :k].astype(np.int32))


RIGHT = {
    "01.1": [
        pixel_distance_float32,
        pixel_distance_numpy,
        pixel_distance_int,
        pixel_distance_loop,
        pixel_distance_diagonal,
        pixel_distance_vector_norm,
    ],
    "01.2": [
        remove_head_setattr,
        remove_head_empty_sequential,
        remove_head_own_module,
        remove_head_hook,
        remove_head_and_put_it_back,
        remove_head_forward_of_the_layer,
    ],
    "01.3": [
        embed_loop,
        embed_decorated,
        embed_numpy,
        embed_data_loader,
        embed_copy_in_eval_mode,
        embed_one_by_one,
        embed_into_a_table,
    ],
    "01.4": [
        feature_distance_plain,
        feature_distance_numpy,
        feature_distance_own_embed,
        feature_distance_together,
        feature_distance_loop,
    ],
    "01.5": [
        nearest_argsort,
        nearest_numpy,
        nearest_loop,
        nearest_topk_of_negatives,
        nearest_last_of_ties,
        nearest_expanded_square,
        nearest_partition,
    ],
}
