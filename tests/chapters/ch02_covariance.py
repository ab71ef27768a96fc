"""Chapter 02: right answers in several styles."""

import numpy as np
import torch


def covariance_plain_python(x, y):
    x, y = x.tolist(), y.tolist()
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / (len(x) - 1)


def covariance_numpy_as_an_average(x, y):
    x, y = np.asarray(x), np.asarray(y)
    n = len(x)
    return (np.mean(x * y) - np.mean(x) * np.mean(y)) * n / (n - 1)


def covariance_torch_float32_one_mean(x, y):
    x, y = x.float(), y.float()
    return torch.dot(x - x.mean(), y) / (x.numel() - 1)


def covariance_over_all_pairs_of_samples(x, y):
    n = len(x)
    return ((x[:, None] - x) * (y[:, None] - y)).sum() / (2 * n * (n - 1))


def covariance_matrix_loops(features):
    n, dim = features.shape
    out = torch.zeros(dim, dim, dtype=features.dtype)
    for j in range(dim):
        for k in range(dim):
            a, b = features[:, j], features[:, k]
            out[j, k] = ((a - a.mean()) * (b - b.mean())).sum() / (n - 1)
    return out


def covariance_matrix_numpy(features):
    x = np.asarray(features)
    x = x - x.mean(axis=0, keepdims=True)
    return np.einsum("nj,nk->jk", x, x) / (x.shape[0] - 1)


def covariance_matrix_torch_float32_sum_of_outer_products(features):
    x = features.float()
    x = x - x.mean(0)
    return sum(torch.outer(row, row) for row in x) / (len(x) - 1)


def correlation_matrix_standardised_first(features):
    z = features - features.mean(dim=0)
    length = z.norm(dim=0)
    z = z / torch.where(length > 0, length, 1.0)
    corr = z.T @ z
    corr.fill_diagonal_(1)
    return corr


def correlation_matrix_numpy_nan_mended(features):
    cov = np.atleast_2d(np.cov(np.asarray(features), rowvar=False))
    std = np.sqrt(np.diag(cov))
    with np.errstate(all="ignore"):
        corr = cov / np.outer(std, std)
    corr[np.isnan(corr)] = 0
    np.fill_diagonal(corr, 1)
    return corr


def correlation_matrix_loops_float32(features):
    x = features.float()
    d = x.shape[1]
    corr = torch.eye(d)
    for j in range(d):
        for k in range(d):
            a, b = x[:, j] - x[:, j].mean(), x[:, k] - x[:, k].mean()
            if j != k and a.any() and b.any():
                corr[j, k] = (a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt()
    return corr


def merge_moments_second_moments(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n = n_a + n_b
    mean = (n_a * mean_a + n_b * mean_b) / n
    second = (n_a - 1) * cov_a + n_a * torch.outer(mean_a, mean_a)
    second = second + (n_b - 1) * cov_b + n_b * torch.outer(mean_b, mean_b)
    return n, mean, (second - n * torch.outer(mean, mean)) / (n - 1)


def merge_moments_numpy_around_the_new_mean(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    mean_a, cov_a, mean_b, cov_b = map(np.asarray, (mean_a, cov_a, mean_b, cov_b))
    n = n_a + n_b
    mean = mean_a * (n_a / n) + mean_b * (n_b / n)
    scatter = np.zeros_like(cov_a)
    for m, x, c in ((n_a, mean_a, cov_a), (n_b, mean_b, cov_b)):
        scatter += (m - 1) * c + m * np.outer(x - mean, x - mean)
    return n, mean, scatter / (n - 1)


def merge_moments_float32_a_list(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n = n_a + n_b
    d = (mean_a - mean_b).float()[:, None]
    cov = ((n_a - 1) * cov_a + (n_b - 1) * cov_b).float() + d @ d.T * (n_a * n_b / n)
    return [n, mean_b + (mean_a - mean_b) * n_a / n, cov / (n - 1)]


def covariance_matrix_from_second_moments(features):
    x = np.asarray(features, dtype=np.float64)
    mean = x.mean(axis=0)
    return (x.T @ x - len(x) * np.outer(mean, mean)) / (len(x) - 1)


def correlation_matrix_in_torch_with_a_mask(features):
    x = features - features.mean(0)
    cov = x.T @ x
    constant = (features == features[:1]).all(0)
    std = cov.diagonal().sqrt()
    std[constant] = 1
    corr = cov / std[:, None] / std[None, :]
    corr[constant] = 0
    corr[:, constant] = 0
    corr.fill_diagonal_(1)
    return corr


def merge_moments_in_plain_loops(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
    n, dim = n_a + n_b, len(mean_a)
    mean, cov = [0.0] * dim, [[0.0] * dim for _ in range(dim)]
    for i in range(dim):
        mean[i] = (n_a * float(mean_a[i]) + n_b * float(mean_b[i])) / n
        for j in range(dim):
            gap = float(mean_a[i] - mean_b[i]) * float(mean_a[j] - mean_b[j])
            inside = (n_a - 1) * float(cov_a[i, j]) + (n_b - 1) * float(cov_b[i, j])
            cov[i][j] = (inside + gap * n_a * n_b / n) / (n - 1)
    return n, torch.tensor(mean), torch.tensor(cov)


RIGHT = {
    "02.1": [
        covariance_plain_python,
        covariance_numpy_as_an_average,
        covariance_torch_float32_one_mean,
        covariance_over_all_pairs_of_samples,
    ],
    "02.2": [
        covariance_matrix_from_second_moments,
        covariance_matrix_loops,
        covariance_matrix_numpy,
        covariance_matrix_torch_float32_sum_of_outer_products,
    ],
    "02.3": [
        correlation_matrix_in_torch_with_a_mask,
        correlation_matrix_standardised_first,
        correlation_matrix_numpy_nan_mended,
        correlation_matrix_loops_float32,
    ],
    "02.4": [
        merge_moments_in_plain_loops,
        merge_moments_second_moments,
        merge_moments_numpy_around_the_new_mean,
        merge_moments_float32_a_list,
    ],
}
