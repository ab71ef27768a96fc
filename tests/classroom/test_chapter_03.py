"""Chapter 03: right answers in many styles pass, each mistake is named, and the stub is not attempted."""

import numpy as np
import pytest

from gancourse.classroom.answers import compiled, run
from gancourse.classroom.exercises import exercise, of_chapter
from gancourse.classroom.judging import RIGHT, UNTRIED, WRONG, verdict

SEEDS = range(3)

RIGHT_ANSWERS = {
    "03.1": {
        "plain": "def frechet_distance_1d(mu_x, sigma_x, mu_y, sigma_y):\n"
        "    return (mu_x - mu_y)**2 + (sigma_x - sigma_y)**2",
        "numpy": "def frechet_distance_1d(*numbers):\n"
        "    m, s, n, t = np.array(numbers, dtype=float)\n    return np.square(m - n) + np.square(s - t)",
        "expanded": "def frechet_distance_1d(mu_x, sigma_x, mu_y, sigma_y):\n"
        "    spread = sigma_x**2 + sigma_y**2 - 2 * math.sqrt(sigma_x**2 * sigma_y**2)\n"
        "    return abs(mu_x - mu_y)**2 + spread",
        "float32 tensor": "def frechet_distance_1d(mu_x, sigma_x, mu_y, sigma_y):\n"
        "    return torch.tensor([mu_x - mu_y, sigma_x - sigma_y]).square().sum()",
    },
    "03.2": {
        "eigh": "def matrix_sqrt(a):\n    values, v = torch.linalg.eigh(a)\n"
        "    return v @ torch.diag(values.clamp(min=0).sqrt()) @ v.T",
        "numpy": "def matrix_sqrt(a):\n    values, v = np.linalg.eigh(np.asarray(a))\n"
        "    return (v * np.sqrt(np.maximum(values, 0))) @ v.T",
        "svd": "def matrix_sqrt(a):\n    u, s, vt = np.linalg.svd(a.numpy())\n    return u @ np.diag(s**0.5) @ u.T",
        "abs": "def matrix_sqrt(a):\n    values, v = torch.linalg.eigh(a)\n"
        "    return v @ torch.diag(abs(values) ** 0.5) @ v.mT",
        "loop": "def matrix_sqrt(a):\n    values, v = np.linalg.eigh(a.numpy())\n    root = np.zeros_like(v)\n"
        "    for value, column in zip(values, v.T):\n        root += max(value, 0)**0.5 * np.outer(column, column)\n"
        "    return root",
    },
    "03.3": {
        "torch": "def frechet_distance(mu_x, sigma_x, mu_y, sigma_y):\n"
        "    def root(a):\n        w, v = torch.linalg.eigh(a)\n        return v * w.clamp(min=0).sqrt() @ v.T\n"
        "    half = root(sigma_x)\n    cross = root(half @ sigma_y @ half)\n"
        "    return torch.sum((mu_x - mu_y)**2) + torch.trace(sigma_x + sigma_y - 2*cross)",
        "eigenvalues of the product": "def frechet_distance(mu_x, sigma_x, mu_y, sigma_y):\n"
        "    values = torch.linalg.eigvals(sigma_x @ sigma_y).real.clamp(min=0)\n"
        "    return (torch.dot(mu_x - mu_y, mu_x - mu_y) + sigma_x.trace() + sigma_y.trace() - 2*values.sqrt().sum()).item()",
        "singular values": "def frechet_distance(mu_x, sigma_x, mu_y, sigma_y):\n"
        "    def root(a):\n        w, v = np.linalg.eigh(a)\n        return (v * np.sqrt(np.clip(w, 0, None))) @ v.T\n"
        "    m, s, n, t = (np.asarray(x) for x in (mu_x, sigma_x, mu_y, sigma_y))\n"
        "    cross = np.linalg.svd(root(s) @ root(t), compute_uv=False).sum()\n"
        "    return np.linalg.norm(m - n)**2 + np.trace(s) + np.trace(t) - 2*cross",
        "scipy": "def frechet_distance(mu_x, sigma_x, mu_y, sigma_y):\n    from scipy.linalg import sqrtm\n"
        "    half = sqrtm(sigma_x.numpy()).real\n    cross = sqrtm(half @ sigma_y.numpy() @ half).real\n"
        "    gap = (mu_x - mu_y).numpy()\n    return gap @ gap + np.trace(sigma_x.numpy() + sigma_y.numpy() - 2*cross)",
    },
    "03.4": {
        "torch": "def fid(real, fake):\n"
        "    def moments(x):\n        x = x.double()\n        return x.mean(0), torch.cov(x.T)\n"
        "    (m, s), (n, t) = moments(real), moments(fake)\n"
        "    cross = torch.linalg.eigvals(s @ t).real.clamp(min=0).sqrt().sum()\n"
        "    return float((m - n).square().sum() + s.trace() + t.trace() - 2*cross)",
        "float32": "def fid(real, fake):\n"
        "    def root(a):\n        w, v = torch.linalg.eigh(a)\n        return v * w.clamp(min=0).sqrt() @ v.T\n"
        "    s, t = torch.cov(real.T), torch.cov(fake.T)\n    half = root(s)\n"
        "    return ((real.mean(0) - fake.mean(0))**2).sum() + torch.trace(s + t - 2*root(half @ t @ half))",
        "numpy": "def fid(real, fake):\n    real, fake = real.numpy().astype(float), fake.numpy().astype(float)\n"
        "    gap = real.mean(axis=0) - fake.mean(axis=0)\n"
        "    s, t = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)\n"
        "    roots = np.sqrt(np.linalg.eigvals(s @ t).real.clip(0))\n"
        "    return gap @ gap + np.trace(s) + np.trace(t) - 2*roots.sum()",
        "by hand": "def fid(real, fake):\n    parts = []\n    for x in (real.double(), fake.double()):\n"
        "        mean = sum(x) / len(x)\n        centred = x - mean\n        parts.append((mean, centred / (len(x)-1)**0.5))\n"
        "    (m, a), (n, b) = parts\n"
        "    return sum((m-n)**2) + (a**2).sum() + (b**2).sum() - 2*torch.linalg.svdvals(a @ b.T).sum()",
    },
}


def judged(record, code, seed):
    return verdict(record, run(record, compiled(code, record.name), seed), seed)


@pytest.mark.parametrize("id, style", [(id, style) for id in RIGHT_ANSWERS for style in RIGHT_ANSWERS[id]])
def test_right_answers_pass_however_they_are_written(id, style):
    for seed in SEEDS:
        found = judged(exercise(id), RIGHT_ANSWERS[id][style], seed)
        assert found.status == RIGHT, (seed, found.message)


@pytest.mark.parametrize("record", of_chapter("03"), ids=lambda record: record.id)
def test_every_mistake_is_named_whatever_the_seed(record):
    assert len({wrong.message for wrong in record.wrong}) == len(record.wrong)
    for seed in SEEDS:
        for wrong in record.wrong:
            found = judged(record, wrong.code, seed)
            assert (found.status, found.message) == (WRONG, wrong.message), seed


@pytest.mark.parametrize("record", of_chapter("03"), ids=lambda record: record.id)
def test_the_untouched_stub_is_not_attempted(record):
    stub = f"def {record.name}(*arguments):\n    raise NotImplementedError"
    assert judged(record, stub, 0).status == UNTRIED


def test_the_scipy_root_is_out_of_bounds_where_the_root_is_the_exercise():
    code = "def matrix_sqrt(a):\n    from scipy.linalg import sqrtm\n    return sqrtm(a.numpy()).real"
    assert "scipy.linalg.sqrtm" in judged(exercise("03.2"), code, 0).message


def test_an_oracle_agrees_with_transport_between_sorted_samples():
    """On the line the best coupling pairs equal quantiles, so the distance is a mean square of differences."""
    z = np.linspace(-1, 1, 1001)
    z = (z - z.mean()) / z.std()
    x, y = 1 + 2 * z, -0.5 + 0.5 * z
    assert np.isclose(np.mean((x - y) ** 2), exercise("03.1").oracle(1, 2, -0.5, 0.5))
