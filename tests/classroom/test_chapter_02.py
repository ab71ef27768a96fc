"""Right answers in other styles pass, the stub is told from a mistake, and the course's own functions are barred."""

import numpy as np
import pytest
import torch

from gancourse.classroom.answers import compiled, forbidden_use, run
from gancourse.classroom.exercises import exercise
from gancourse.classroom.exercises.chapter_02 import (
    correlation_matrix,
    covariance,
    covariance_matrix,
    merge_moments,
)
from gancourse.classroom.judging import RIGHT, UNTRIED, verdict

RIGHT_ANSWERS = {
    "02.1": {
        "plain Python": """
            def covariance(x, y):
                x, y = x.tolist(), y.tolist()
                mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
                return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / (len(x) - 1)""",
        "numpy, as an average": """
            def covariance(x, y):
                x, y = np.asarray(x), np.asarray(y)
                n = len(x)
                return (np.mean(x * y) - np.mean(x) * np.mean(y)) * n / (n - 1)""",
        "torch, float32, one mean": """
            def covariance(x, y):
                x, y = x.float(), y.float()
                return torch.dot(x - x.mean(), y) / (x.numel() - 1)""",
        "over all pairs of samples": """
            def covariance(x, y):
                n = len(x)
                return ((x[:, None] - x) * (y[:, None] - y)).sum() / (2 * n * (n - 1))""",
    },
    "02.2": {
        "loops": """
            def covariance_matrix(features):
                n, dim = features.shape
                out = torch.zeros(dim, dim, dtype=features.dtype)
                for j in range(dim):
                    for k in range(dim):
                        a, b = features[:, j], features[:, k]
                        out[j, k] = ((a - a.mean()) * (b - b.mean())).sum() / (n - 1)
                return out""",
        "numpy": """
            def covariance_matrix(features):
                x = np.asarray(features)
                x = x - x.mean(axis=0, keepdims=True)
                return np.einsum("nj,nk->jk", x, x) / (x.shape[0] - 1)""",
        "torch, float32, sum of outer products": """
            def covariance_matrix(features):
                x = features.float()
                x = x - x.mean(0)
                return sum(torch.outer(row, row) for row in x) / (len(x) - 1)""",
    },
    "02.3": {
        "standardised first": """
            def correlation_matrix(features):
                z = features - features.mean(dim=0)
                length = z.norm(dim=0)
                z = z / torch.where(length > 0, length, 1.0)
                corr = z.T @ z
                corr.fill_diagonal_(1)
                return corr""",
        "numpy, NaN mended": """
            def correlation_matrix(features):
                cov = np.cov(np.asarray(features), rowvar=False)
                std = np.sqrt(np.diag(cov))
                with np.errstate(all="ignore"):
                    corr = cov / np.outer(std, std)
                corr[np.isnan(corr)] = 0
                np.fill_diagonal(corr, 1)
                return corr""",
        "loops, float32": """
            def correlation_matrix(features):
                x = features.float()
                d = x.shape[1]
                corr = torch.eye(d)
                for j in range(d):
                    for k in range(d):
                        a, b = x[:, j] - x[:, j].mean(), x[:, k] - x[:, k].mean()
                        if j != k and a.any() and b.any():
                            corr[j, k] = (a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt()
                return corr""",
    },
    "02.4": {
        "second moments": """
            def merge_moments(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
                n = n_a + n_b
                mean = (n_a * mean_a + n_b * mean_b) / n
                second = (n_a - 1) * cov_a + n_a * torch.outer(mean_a, mean_a)
                second = second + (n_b - 1) * cov_b + n_b * torch.outer(mean_b, mean_b)
                return n, mean, (second - n * torch.outer(mean, mean)) / (n - 1)""",
        "numpy, around the new mean": """
            def merge_moments(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
                mean_a, cov_a, mean_b, cov_b = map(np.asarray, (mean_a, cov_a, mean_b, cov_b))
                n = n_a + n_b
                mean = mean_a * (n_a / n) + mean_b * (n_b / n)
                scatter = np.zeros_like(cov_a)
                for m, x, c in ((n_a, mean_a, cov_a), (n_b, mean_b, cov_b)):
                    scatter += (m - 1) * c + m * np.outer(x - mean, x - mean)
                return n, mean, scatter / (n - 1)""",
        "float32, a list": """
            def merge_moments(n_a, mean_a, cov_a, n_b, mean_b, cov_b):
                n = n_a + n_b
                d = (mean_a - mean_b).float()[:, None]
                cov = ((n_a - 1) * cov_a + (n_b - 1) * cov_b).float() + d @ d.T * (n_a * n_b / n)
                return [n, mean_b + (mean_a - mean_b) * n_a / n, cov / (n - 1)]""",
    },
}


def judged(number, source):
    record = exercise(number)
    source = "\n".join(line[12:] for line in source.strip("\n").split("\n"))
    return verdict(record, run(record, compiled(source, record.name)))


@pytest.mark.parametrize(
    ("number", "style"), [(number, style) for number, styles in RIGHT_ANSWERS.items() for style in styles]
)
def test_other_styles_are_right(number, style):
    assert judged(number, RIGHT_ANSWERS[number][style]).status == RIGHT


@pytest.mark.parametrize("number", RIGHT_ANSWERS)
def test_the_stub_is_not_a_mistake(number):
    assert (
        judged(
            number,
            f"            def {exercise(number).name}(*_):\n                raise NotImplementedError",
        ).status
        == UNTRIED
    )


@pytest.mark.parametrize(
    ("number", "source"),
    [
        ("02.1", "def covariance(x, y):\n    return np.cov(x, y)[0, 1]"),
        ("02.2", "def covariance_matrix(features):\n    return torch.cov(features.T)"),
        ("02.2", "from gancourse.metrics import Moments\ndef covariance_matrix(f):\n    return Moments(f)"),
        ("02.3", "def correlation_matrix(features):\n    return torch.corrcoef(features.T)"),
    ],
)
def test_the_functions_that_give_it_away_are_barred(number, source):
    assert forbidden_use(exercise(number), source, {"np": np, "torch": torch})


def test_the_oracles_agree_with_numpy_and_with_each_other():
    x = np.random.default_rng(0).normal(size=(30, 4)) * [1, 5, 0.1, 2] + 3
    assert np.allclose(covariance_matrix(x), np.cov(x, rowvar=False))
    assert np.isclose(covariance(x[:, 0], x[:, 1]), np.cov(x, rowvar=False)[0, 1])
    assert np.allclose(correlation_matrix(x), np.corrcoef(x, rowvar=False))
    parts = [(len(p), p.mean(axis=0), np.cov(p, rowvar=False)) for p in (x[:7], x[7:])]
    n, mean, cov = merge_moments(*parts[0], *parts[1])
    assert n == 30
    assert np.allclose(mean, x.mean(axis=0))
    assert np.allclose(cov, np.cov(x, rowvar=False))


def test_a_constant_feature_correlates_with_itself_alone():
    x = np.random.default_rng(0).normal(size=(9, 3))
    x[:, 1] = 7.0
    corr = np.asarray(correlation_matrix(x))
    assert np.array_equal(corr[1], [0, 1, 0])
    assert np.allclose(corr.diagonal(), 1)
    assert np.isclose(corr[0, 2], np.corrcoef(x[:, 0], x[:, 2])[0, 1])


@pytest.mark.parametrize("number", RIGHT_ANSWERS)
def test_verdicts_do_not_hang_on_the_seed(number):
    record = exercise(number)
    for seed in range(1, 9):
        for source in RIGHT_ANSWERS[number].values():
            source = "\n".join(line[12:] for line in source.strip("\n").split("\n"))
            assert verdict(record, run(record, compiled(source, record.name), seed), seed).status == RIGHT
