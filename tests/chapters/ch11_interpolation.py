"""Chapter 11: right answers in several styles."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def lerp_weights(a, b, t):
    t = torch.as_tensor(t)
    t = t[:, None] if t.ndim else t
    return (1 - t) * a + t * b


def lerp_step(a, b, t):
    if isinstance(t, torch.Tensor):
        t = t.reshape(-1, 1)
    return a + t * (b - a)


def lerp_numpy(a, b, t):
    a, b, t = a.numpy(), b.numpy(), np.asarray(t)
    t = np.broadcast_to(t, len(a))[:, np.newaxis]
    return a * (1 - t) + b * t


def lerp_row_by_row(a, b, t):
    places = [t] * len(a) if isinstance(t, float) else t.tolist()
    return [
        [(1 - p) * x + p * y for x, y in zip(r, s, strict=True)] for r, s, p in zip(a, b, places, strict=True)
    ]


def lerp_transposed(a, b, t):
    return ((1 - t) * a.T + t * b.T).T


def slerp_around_e_and_f(a, b, t):
    t = torch.as_tensor(t)
    t = t[:, None] if t.ndim else t
    length_a, length_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    e, g = a / length_a, b / length_b
    cosine = (e * g).sum(1, keepdim=True)
    rest = g - cosine * e
    axis = F.one_hot(e.abs().argmin(1), a.shape[1]).to(a.dtype)
    rest = torch.where(
        rest.norm(dim=1, keepdim=True) < 1e-6, axis - (axis * e).sum(1, keepdim=True) * e, rest
    )
    omega = cosine.clamp(-1, 1).acos()
    way = torch.cos(t * omega) * e + torch.sin(t * omega) * F.normalize(rest, dim=1)
    return ((1 - t) * length_a + t * length_b) * way


def slerp_two_cases(a, b, t):
    """The classical formula, with a right-angled middle stop where a and b are opposite."""
    t = torch.as_tensor(t, dtype=a.dtype)
    rows = []
    for x, y, place in zip(a.double(), b.double(), t.double().expand(len(a)), strict=True):
        u, v = x / x.norm(), y / y.norm()
        omega = torch.acos((u @ v).clamp(-1, 1))
        length = (1 - place) * x.norm() + place * y.norm()
        if omega < 1e-4:
            rows.append(length * u)
        elif omega > math.pi - 1e-4:
            side = torch.zeros_like(u)
            side[0], side[1] = -u[1], u[0]
            if side.norm() < 1e-3:
                side[-1] = 1.0
                side = side - (side @ u) * u
            side = side / side.norm()
            rows.append(length * (torch.cos(place * math.pi) * u + torch.sin(place * math.pi) * side))
        else:
            way = torch.sin((1 - place) * omega) * u + torch.sin(place * omega) * v
            rows.append(length * way / torch.sin(omega))
    return torch.stack(rows)


def slerp_numpy(a, b, t):
    a, b = a.numpy().astype(float), b.numpy().astype(float)
    t = np.broadcast_to(np.asarray(t, float), len(a))[:, None]
    length_a, length_b = (np.sqrt((x**2).sum(1, keepdims=True)) for x in (a, b))
    e, g = a / length_a, b / length_b
    omega = np.arctan2(np.linalg.norm(g - (e * g).sum(1, keepdims=True) * e, axis=1), (e * g).sum(1))[:, None]
    rest = g - (e * g).sum(1, keepdims=True) * e
    other = np.roll(e, 1, axis=1) * np.where(np.arange(e.shape[1]) % 2, 1.0, -1.0)
    other = other + 1e-2 * np.eye(e.shape[1])[np.abs(e).argmin(1)]
    other -= (other * e).sum(1, keepdims=True) * e
    stuck = np.linalg.norm(rest, axis=1, keepdims=True) < 1e-7
    rest = np.where(stuck, other, rest)
    f = rest / np.linalg.norm(rest, axis=1, keepdims=True)
    return (length_a + t * (length_b - length_a)) * (np.cos(t * omega) * e + np.sin(t * omega) * f)


def slerp_classical_with_guards(a, b, t):
    t = torch.as_tensor(t, dtype=a.dtype)
    t = t[:, None] if t.ndim else t
    lengths = a.norm(dim=-1, keepdim=True) + t * (b.norm(dim=-1, keepdim=True) - a.norm(dim=-1, keepdim=True))
    u, v = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    dot = (u * v).sum(-1, keepdim=True)
    turned = torch.cat([-u[:, 1:], u[:, :1]], dim=1) + 0.1  # any direction that isn't u's
    turned = F.normalize(turned - (turned * u).sum(-1, keepdim=True) * u, dim=-1)
    omega = dot.clamp(-1, 1).acos()
    usual = (torch.sin((1 - t) * omega) * u + torch.sin(t * omega) * v) / torch.sin(omega)
    half_turn = torch.cos(t * math.pi) * u + torch.sin(t * math.pi) * turned
    way = torch.where(dot > 1 - 1e-6, u.expand_as(usual), torch.where(dot < -1 + 1e-6, half_turn, usual))
    return lengths * way


def perceptual_distance_normalize(a_maps, b_maps):
    return sum(
        ((F.normalize(a, dim=1) - F.normalize(b, dim=1)) ** 2).sum(1).mean((1, 2))
        for a, b in zip(a_maps, b_maps, strict=True)
    )


def perceptual_distance_as_lpips(a_maps, b_maps):
    total = 0
    for a, b in zip(a_maps, b_maps, strict=True):
        a = a / (torch.sqrt(torch.sum(a**2, dim=1, keepdim=True)) + 1e-10)
        b = b / (torch.sqrt(torch.sum(b**2, dim=1, keepdim=True)) + 1e-10)
        total = total + ((a - b) ** 2).sum(dim=1, keepdim=True).mean([2, 3], keepdim=True)
    return total.flatten()


def perceptual_distance_numpy(a_maps, b_maps):
    total = np.zeros(len(a_maps[0]))
    for a, b in zip(a_maps, b_maps, strict=True):
        u, v = (
            x.numpy() / np.maximum(np.linalg.norm(x.numpy(), axis=1, keepdims=True), 1e-12) for x in (a, b)
        )
        total += ((u - v) ** 2).sum(axis=1).reshape(len(a), -1).mean(axis=1)
    return total


def perceptual_distance_by_cosines(a_maps, b_maps):
    """|u - v|^2 = |u|^2 + |v|^2 - 2 u.v, where a length is 1 or 0."""
    total = 0
    for a, b in zip(a_maps, b_maps, strict=True):
        fires = (a != 0).any(1).to(a.dtype) + (b != 0).any(1).to(a.dtype)
        total = total + (fires - 2 * F.cosine_similarity(a, b, dim=1, eps=1e-12)).mean((1, 2))
    return total


def perceptual_distance_pair_by_pair(a_maps, b_maps):
    found = []
    for n in range(len(a_maps[0])):
        distance = 0.0
        for a, b in zip(a_maps, b_maps, strict=True):
            u, v = a[n].flatten(1), b[n].flatten(1)  # (C, H W)
            u, v = (x / x.norm(dim=0).where(x.norm(dim=0) > 0, torch.ones(())) for x in (u, v))
            distance += float((u - v).pow(2).sum()) / u.shape[1]
        found.append(distance)
    return torch.tensor(found)


def perceptual_path_length_plain(mapping, synthesis, distance, z1, z2, t, noise, epsilon=1e-4, space="w"):
    if space == "w":
        w1, w2 = mapping(z1), mapping(z2)
        start, end = lerp(w1, w2, t), lerp(w1, w2, t + epsilon)  # noqa: F821
    else:
        start, end = mapping(slerp(z1, z2, t)), mapping(slerp(z1, z2, t + epsilon))  # noqa: F821
    return distance(synthesis(start, noise), synthesis(end, noise)) / epsilon**2


def perceptual_path_length_with_its_own_ways(mapping, synthesis, distance, z1, z2, t, noise, epsilon, space):
    def image(place):
        if space == "z":
            return synthesis(mapping(slerp_around_e_and_f(z1, z2, place)), noise)
        return synthesis(lerp_step(mapping(z1), mapping(z2), place), noise)

    return distance(image(t), image(t + epsilon)) / (epsilon * epsilon)


def perceptual_path_length_both_ends_in_one_batch(
    mapping, synthesis, distance, z1, z2, t, noise, epsilon=1e-4, space="w"
):
    places = torch.cat([t, t + epsilon])
    if space == "w":
        w1, w2 = mapping(z1).repeat(2, 1), mapping(z2).repeat(2, 1)
        w = lerp_weights(w1, w2, places)
    else:
        w = mapping(slerp_two_cases(z1.repeat(2, 1), z2.repeat(2, 1), places).to(z1.dtype))
    near, far = synthesis(w, noise.repeat(2, 1)).chunk(2)
    return distance(near, far).numpy() / epsilon**2


def perceptual_path_length_path_by_path(
    mapping, synthesis, distance, z1, z2, t, noise, epsilon=1e-4, space="w"
):
    found = []
    for i in range(len(t)):
        row = slice(i, i + 1)
        ends = []
        for place in (t[row], t[row] + epsilon):
            if space == "w":
                w = lerp_weights(mapping(z1[row]), mapping(z2[row]), place)
            else:
                w = mapping(slerp_around_e_and_f(z1[row], z2[row], place))
            ends.append(synthesis(w, noise[row]))
        found.append(float(distance(*ends)) * epsilon**-2)
    return found


RIGHT = {
    "11.1": [lerp_weights, lerp_step, lerp_numpy, lerp_row_by_row, lerp_transposed],
    "11.2": [slerp_around_e_and_f, slerp_two_cases, slerp_numpy, slerp_classical_with_guards],
    "11.3": [
        perceptual_distance_normalize,
        perceptual_distance_as_lpips,
        perceptual_distance_numpy,
        perceptual_distance_by_cosines,
        perceptual_distance_pair_by_pair,
    ],
    "11.4": [
        perceptual_path_length_plain,
        perceptual_path_length_with_its_own_ways,
        perceptual_path_length_both_ends_in_one_batch,
        perceptual_path_length_path_by_path,
    ],
}
