"""Chapter 09: right answers in several styles."""

import numpy as np
import torch
from torch import nn

# --- 09.1


def penalty_by_the_formula(critic, real, fake, t):
    t = t.reshape(len(t), *[1] * (real.dim() - 1))
    x = (t * real + (1 - t) * fake).requires_grad_(True)
    (gradients,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    norms = gradients.flatten(start_dim=1).norm(2, dim=1)
    return ((norms - 1) ** 2).mean()


def penalty_with_outputs_of_ones(critic, real, fake, t):
    shape = [-1] + [1] * (real.ndim - 1)
    x = torch.lerp(fake, real, t.view(shape).expand_as(real)).detach().requires_grad_()
    scores = critic(x)
    gradients = torch.autograd.grad(
        outputs=scores, inputs=x, grad_outputs=torch.ones_like(scores), create_graph=True, retain_graph=True
    )[0]
    gradients = gradients.view(len(x), -1)
    return torch.mean((torch.sqrt((gradients**2).sum(dim=1) + 1e-12) - 1) ** 2)


def penalty_one_sample_at_a_time(critic, real, fake, t):
    terms = []
    for r, f, share in zip(real, fake, t, strict=True):
        x = (f + share * (r - f))[None].requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(x)[0], x, create_graph=True)
        terms.append((torch.linalg.vector_norm(gradient) - 1) ** 2)
    return sum(terms) / len(terms)


def penalty_by_torch_func(critic, real, fake, t):
    x = torch.stack([s * r + (1 - s) * f for s, r, f in zip(t, real, fake, strict=True)])
    gradients = torch.func.grad(lambda points: critic(points).sum())(x)
    return (gradients.reshape(len(x), -1).pow(2).sum(1).sqrt() - 1).pow(2).mean()


def penalty_by_backward_into_the_points(critic, real, fake, t):
    weight = t
    while weight.ndim < real.ndim:
        weight = weight.unsqueeze(-1)
    x = (weight * real + (1 - weight) * fake).clone().requires_grad_(True)
    critic(x).sum().backward(create_graph=True, inputs=[x])
    return (x.grad.flatten(1).norm(dim=1) - 1).square().mean()


def penalty_by_the_square_written_out(critic, real, fake, t):
    x = (real.transpose(0, -1) * t + fake.transpose(0, -1) * (1 - t)).transpose(0, -1).requires_grad_(True)
    g = torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]
    squares = (g * g).sum(dim=tuple(range(1, g.ndim)))
    return torch.nn.functional.mse_loss(squares.sqrt(), torch.ones(len(squares), dtype=g.dtype))


# --- 09.2


def spectral_by_the_algorithm(weight, u, steps):
    w = weight.reshape(weight.shape[0], -1)
    for _ in range(steps):
        v = torch.nn.functional.normalize(w.T @ u, dim=0)
        u = torch.nn.functional.normalize(w @ v, dim=0)
    sigma = torch.dot(u, w @ v)
    return weight / sigma, u


def spectral_in_numpy(weight, u, steps):
    weight, u = np.asarray(weight), np.asarray(u)
    w = weight.reshape(len(weight), -1)
    for _ in range(steps):
        v = w.T @ u
        v = v / np.linalg.norm(v)
        u = w @ v
        sigma = np.linalg.norm(u)  # |W v| = u' W v for the new u
        u = u / sigma
    return weight / sigma, u


def spectral_with_columns(weight, u, steps):
    w, u = weight.flatten(1), u[:, None]
    for _ in range(steps):
        v = w.T.mm(u) / (w.T.mm(u).norm() + 1e-12)
        u = w.mm(v) / (w.mm(v).norm() + 1e-12)
    sigma = u.T.mm(w).mm(v).squeeze()
    return weight.div(sigma), u.squeeze(1)


def spectral_by_the_gram_matrix(weight, u, steps):
    w = weight.reshape(len(weight), -1).double()
    gram, u = w @ w.T, u.double()
    for _ in range(steps - 1):
        u = gram @ u / (gram @ u).norm()
    v = w.T @ u / (w.T @ u).norm()
    sigma = (w @ v).norm()
    return (weight / sigma).to(weight.dtype), (w @ v / sigma).to(weight.dtype)


def spectral_as_a_list(weight, u, steps):
    w = weight.view(weight.size(0), -1)
    with torch.no_grad():
        for _ in range(steps):
            v = torch.mv(w.t(), u)
            v /= v.norm()
            u = torch.mv(w, v)
            u /= u.norm()
    return [weight / torch.einsum("i,ij,j->", u, w, v), u]


# --- 09.3


def stddev_by_reshaping(x, group_size=4):
    n, c, h, w = x.shape
    y = x.reshape(group_size, n // group_size, c, h, w)
    y = y - y.mean(dim=0, keepdim=True)
    y = torch.sqrt((y**2).mean(dim=0) + 1e-8).mean(dim=(1, 2, 3))
    return torch.cat([x, y.repeat(group_size).reshape(n, 1, 1, 1).expand(n, 1, h, w)], dim=1)


def stddev_group_by_group(x, group_size=4):
    groups = len(x) // group_size
    extra = torch.empty(len(x), 1, *x.shape[2:], dtype=x.dtype)
    for j in range(groups):
        extra[j::groups] = (x[j::groups].var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
    return torch.cat((x, extra), 1)


def stddev_in_numpy(x, group_size=4):
    x = np.asarray(x)
    groups = x.reshape(group_size, -1, *x.shape[1:])
    value = np.sqrt(groups.var(axis=0) + 1e-8).mean(axis=(1, 2, 3))
    extra = np.tile(value, group_size)[:, None, None, None] * np.ones_like(x[:, :1])
    return np.concatenate([x, extra], axis=1)


def stddev_as_the_authors_tile(x, group_size=4):
    h, w = x.shape[2:]
    y = x.view(group_size, -1, *x.shape[1:])
    y = (y - y.mean(0)).pow(2).mean(0)
    y = (y + 1e-8).sqrt().mean(dim=[1, 2, 3], keepdim=True)  # (M, 1, 1, 1)
    return torch.cat([x, y.tile(group_size, 1, h, w)], dim=1)


def stddev_image_by_image(x, group_size=4):
    count = len(x) // group_size
    values = []
    for j in range(count):
        members = torch.stack([x[j + k * count] for k in range(group_size)])
        values.append(float(((members - members.mean(0)).square().mean(0) + 1e-8).sqrt().mean()))
    maps = [torch.full_like(x[i, :1], values[i % count]) for i in range(len(x))]
    return torch.stack([torch.cat([image, extra]) for image, extra in zip(x, maps, strict=True)])


# --- 09.4


def ema_in_place(average, network, beta):
    with torch.no_grad():
        for a, b in zip(average.parameters(), network.parameters(), strict=True):
            a.mul_(beta).add_(b, alpha=1 - beta)
        for a, b in zip(average.buffers(), network.buffers(), strict=True):
            a.copy_(b)


@torch.no_grad()
def ema_by_names(average, network, beta):
    new, buffers = network.state_dict(), dict(network.named_buffers())
    for name, part in average.state_dict().items():
        part.copy_(new[name] if name in buffers else beta * part + (1 - beta) * new[name])
    return average


def ema_through_data(average, network, beta):
    for a, b in zip(average.parameters(), network.parameters(), strict=True):
        a.data = beta * a.data + (1 - beta) * b.data
    for a, b in zip(average.buffers(), network.buffers(), strict=True):
        a.data.copy_(b.data)


def ema_by_loading(average, network, beta):
    old, new = average.state_dict(), network.state_dict()
    learned = {name for name, _ in network.named_parameters()}
    state = {k: torch.lerp(new[k], old[k], beta) if k in learned else new[k].clone() for k in new}
    average.load_state_dict(state)


@torch.no_grad()
def ema_layer_by_layer(average, network, beta):
    for mine, other in zip(average.modules(), network.modules(), strict=True):
        for name, p in mine.named_parameters(recurse=False):
            setattr(mine, name, nn.Parameter(p * beta + getattr(other, name) * (1 - beta), p.requires_grad))
        for name, _ in mine.named_buffers(recurse=False):
            setattr(mine, name, getattr(other, name).clone())


@torch.no_grad()
def ema_many_at_once(average, network, beta):
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - beta)
    for a, b in zip(average.buffers(), network.buffers(), strict=True):
        a[...] = b


RIGHT = {
    "09.1": [
        penalty_by_the_formula,
        penalty_with_outputs_of_ones,
        penalty_one_sample_at_a_time,
        penalty_by_torch_func,
        penalty_by_backward_into_the_points,
        penalty_by_the_square_written_out,
    ],
    "09.2": [
        spectral_by_the_algorithm,
        spectral_in_numpy,
        spectral_with_columns,
        spectral_by_the_gram_matrix,
        spectral_as_a_list,
    ],
    "09.3": [
        stddev_by_reshaping,
        stddev_group_by_group,
        stddev_in_numpy,
        stddev_as_the_authors_tile,
        stddev_image_by_image,
    ],
    "09.4": [
        ema_in_place,
        ema_by_names,
        ema_through_data,
        ema_by_loading,
        ema_layer_by_layer,
        ema_many_at_once,
    ],
}
