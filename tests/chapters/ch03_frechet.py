"""Chapter 03: right answers in several styles."""

import math

import numpy as np
import torch


def frechet_distance_1d_plain(mu_x, sigma_x, mu_y, sigma_y):
    return (mu_x - mu_y) ** 2 + (sigma_x - sigma_y) ** 2


def frechet_distance_1d_numpy(*numbers):
    m, s, n, t = np.array(numbers, dtype=float)
    return np.square(m - n) + np.square(s - t)


def frechet_distance_1d_expanded(mu_x, sigma_x, mu_y, sigma_y):
    spread = sigma_x**2 + sigma_y**2 - 2 * math.sqrt(sigma_x**2 * sigma_y**2)
    return abs(mu_x - mu_y) ** 2 + spread


def frechet_distance_1d_float32_tensor(mu_x, sigma_x, mu_y, sigma_y):
    return torch.tensor([mu_x - mu_y, sigma_x - sigma_y]).square().sum()


def matrix_sqrt_eigh(a):
    values, v = torch.linalg.eigh(a)
    return v @ torch.diag(values.clamp(min=0).sqrt()) @ v.T


def matrix_sqrt_numpy(a):
    values, v = np.linalg.eigh(np.asarray(a))
    return (v * np.sqrt(np.maximum(values, 0))) @ v.T


def matrix_sqrt_svd(a):
    u, s, _ = np.linalg.svd(a.numpy())
    return u @ np.diag(s**0.5) @ u.T


def matrix_sqrt_abs(a):
    values, v = torch.linalg.eigh(a)
    return v @ torch.diag(abs(values) ** 0.5) @ v.mT


def matrix_sqrt_loop(a):
    values, v = np.linalg.eigh(a.numpy())
    root = np.zeros_like(v)
    for value, column in zip(values, v.T, strict=True):
        root += max(value, 0) ** 0.5 * np.outer(column, column)
    return root


def frechet_distance_torch(mu_x, sigma_x, mu_y, sigma_y):
    def root(a):
        w, v = torch.linalg.eigh(a)
        return v * w.clamp(min=0).sqrt() @ v.T

    half = root(sigma_x)
    cross = root(half @ sigma_y @ half)
    return torch.sum((mu_x - mu_y) ** 2) + torch.trace(sigma_x + sigma_y - 2 * cross)


def frechet_distance_eigenvalues_of_the_product(mu_x, sigma_x, mu_y, sigma_y):
    values = torch.linalg.eigvals(sigma_x @ sigma_y).real.clamp(min=0)
    return (
        torch.dot(mu_x - mu_y, mu_x - mu_y) + sigma_x.trace() + sigma_y.trace() - 2 * values.sqrt().sum()
    ).item()


def frechet_distance_singular_values(mu_x, sigma_x, mu_y, sigma_y):
    def root(a):
        w, v = np.linalg.eigh(a)
        return (v * np.sqrt(np.clip(w, 0, None))) @ v.T

    m, s, n, t = (np.asarray(x) for x in (mu_x, sigma_x, mu_y, sigma_y))
    cross = np.linalg.svd(root(s) @ root(t), compute_uv=False).sum()
    return np.linalg.norm(m - n) ** 2 + np.trace(s) + np.trace(t) - 2 * cross


def frechet_distance_scipy(mu_x, sigma_x, mu_y, sigma_y):
    from scipy.linalg import sqrtm

    half = sqrtm(sigma_x.numpy()).real
    cross = sqrtm(half @ sigma_y.numpy() @ half).real
    gap = (mu_x - mu_y).numpy()
    return gap @ gap + np.trace(sigma_x.numpy() + sigma_y.numpy() - 2 * cross)


def fid_torch(real, fake):
    def moments(x):
        x = x.double()
        return x.mean(0), torch.cov(x.T)

    (m, s), (n, t) = moments(real), moments(fake)
    cross = torch.linalg.eigvals(s @ t).real.clamp(min=0).sqrt().sum()
    return float((m - n).square().sum() + s.trace() + t.trace() - 2 * cross)


def fid_float32(real, fake):
    def root(a):
        w, v = torch.linalg.eigh(a)
        return v * w.clamp(min=0).sqrt() @ v.T

    s, t = torch.cov(real.T), torch.cov(fake.T)
    half = root(s)
    return ((real.mean(0) - fake.mean(0)) ** 2).sum() + torch.trace(s + t - 2 * root(half @ t @ half))


def fid_numpy(real, fake):
    real, fake = real.numpy().astype(float), fake.numpy().astype(float)
    gap = real.mean(axis=0) - fake.mean(axis=0)
    s, t = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(s @ t).real.clip(0))
    return gap @ gap + np.trace(s) + np.trace(t) - 2 * roots.sum()


def fid_by_hand(real, fake):
    parts = []
    for x in (real.double(), fake.double()):
        mean = sum(x) / len(x)
        centred = x - mean
        parts.append((mean, centred / (len(x) - 1) ** 0.5))
    (m, a), (n, b) = parts
    return sum((m - n) ** 2) + (a**2).sum() + (b**2).sum() - 2 * torch.linalg.svdvals(a @ b.T).sum()


RIGHT = {
    "03.1": [
        frechet_distance_1d_plain,
        frechet_distance_1d_numpy,
        frechet_distance_1d_expanded,
        frechet_distance_1d_float32_tensor,
    ],
    "03.2": [matrix_sqrt_eigh, matrix_sqrt_numpy, matrix_sqrt_svd, matrix_sqrt_abs, matrix_sqrt_loop],
    "03.3": [
        frechet_distance_torch,
        frechet_distance_eigenvalues_of_the_product,
        frechet_distance_singular_values,
        frechet_distance_scipy,
    ],
    "03.4": [fid_torch, fid_float32, fid_numpy, fid_by_hand],
}
