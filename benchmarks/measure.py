"""Clocks that take turns, memory of a process of one's own, exact references, and tables."""

import contextlib
import faulthandler
import io
import multiprocessing
import re
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import mpmath
import numpy as np


def features(n, dim, seed, shift=0.0):
    """(n, dim) float32 that look like a network's: ReLU of correlated normals with a falling spectrum."""
    rows = np.random.default_rng(seed).normal(size=(n, dim)) / np.arange(1, dim + 1) ** 0.3
    mixing = np.random.default_rng(0).normal(size=(dim, dim)) / dim**0.25
    return np.maximum(rows @ mixing + shift, 0).astype(np.float32)


def log_probabilities(n, classes):
    logits = 2 * np.random.default_rng(1).normal(size=(n, classes))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


TIMES = ["library", "seconds", "CPU seconds", "times ours", "CPU times ours", "value"]


def in_turns(contenders, arrays, *, rounds=3):
    """Rows of TIMES: medians over the rounds, ratios to the first contender.

    Everyone runs once a round, in an order that reverses every round; ratios are taken within a round, so that
    what else the machine does hits both sides alike. CPU time adds up over threads.
    """
    names, values = list(contenders), {}
    spent = np.empty((rounds, len(names), 2))
    for turn in range(rounds):
        for i in range(len(names))[:: -1 if turn % 2 else 1]:
            start = np.array([time.perf_counter(), time.process_time()])
            with quiet():
                try:
                    values[names[i]] = contenders[names[i]](*arrays)
                except Exception as error:
                    values[names[i]] = f"fails: {type(error).__name__}"
            spent[turn, i] = [time.perf_counter(), time.process_time()] - start
    medians = np.concatenate([np.median(spent, axis=0), np.median(spent / spent[:, :1], axis=0)], axis=1)
    return [[name, *clocks.tolist(), values[name]] for name, clocks in zip(names, medians, strict=True)]


@contextlib.contextmanager
def quiet():
    """prdc prints, the others warn."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def alone(jobs, seconds=600):
    """function(*arguments) for each job, in a process that is replaced when it dies or hangs: then BrokenProcessPool."""
    pool = None
    for function, *arguments in jobs:
        pool = pool or ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        try:
            yield pool.submit(_watched, seconds, function, *arguments).result()
        except BrokenProcessPool as death:
            pool = pool.shutdown()
            yield death
    if pool:
        pool.shutdown()


def _watched(seconds, function, *arguments):
    faulthandler.dump_traceback_later(seconds, exit=True)  # from a thread that compiled loops don't stop
    result = function(*arguments)
    faulthandler.cancel_dump_traceback_later()
    return result


def peak_memory(function, *arrays):
    """Bytes by which this process's peak rises over what it held before the call, and the seconds; Linux only."""
    with quiet():
        function(*(array[:64] for array in arrays))  # imports and thread pools are not the metric's
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
        before, start = resident("VmRSS"), time.perf_counter()
        function(*arrays)
        return resident("VmHWM") - before, time.perf_counter() - start


def resident(field):
    """VmRSS (now) or VmHWM (the peak) of this process in bytes; Linux only."""
    return int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024


def table(head, rows):
    """A Markdown table that reads as plain text too."""
    cells = [[shown(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def shown(cell):
    if isinstance(cell, list):  # of right answers
        return shown(cell[0])
    if isinstance(cell, tuple):
        return ", ".join(f"{x:.4f}" for x in cell)
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


# --- references: the definitions, in 60 digits --------------------------------------------------------------

mpmath.mp.dps = 60


def exact_frechet(mu_x, sigma_x, mu_y, sigma_y):
    """The definition, with sigma_x = R R' and the root's trace from the eigenvalues of R' sigma_y R."""
    mu_x, sigma_x, mu_y, sigma_y = map(_exact, (mu_x, sigma_x, mu_y, sigma_y))
    values, vectors = mpmath.eigsy(sigma_x)
    root = vectors * mpmath.diag([mpmath.sqrt(max(value, 0)) for value in values])
    inner = mpmath.eigsy(root.T * sigma_y * root, eigvals_only=True)
    root_trace = sum(mpmath.sqrt(max(value, 0)) for value in inner)
    spread = sum(sigma_x[i, i] + sigma_y[i, i] for i in range(len(values))) - 2 * root_trace
    return float(mpmath.norm(mu_x - mu_y) ** 2 + spread)


def exact_fid(real, fake):
    moments = []
    for x in map(_exact, (real, fake)):
        mean = mpmath.matrix([sum(x[:, j]) / x.rows for j in range(x.cols)])
        rows = x - mpmath.ones(x.rows, 1) * mean.T
        moments += [mean, rows.T * rows / (x.rows - 1)]
    return exact_frechet(*moments)


def exact_kid(real, fake):
    x, y = _exact(real), _exact(fake)

    def kernels(a, b, skip):
        return [
            (mpmath.fdot(a[i, :], b[j, :]) / a.cols + 1) ** 3
            for i in range(a.rows)
            for j in range(b.rows)
            if i != j or not skip
        ]

    own = [mpmath.fsum(k) / len(k) for k in (kernels(x, x, True), kernels(y, y, True))]
    cross = kernels(x, y, False)
    return float(sum(own) - 2 * mpmath.fsum(cross) / len(cross))


def exact_prdc(real, fake, k, within=np.less_equal):
    """Precision, recall, density, coverage by differences; a point on a sphere is `within` it or not."""
    real, fake = np.float64(real), np.float64(fake)
    own, other, cross = (
        ((a[:, None] - b) ** 2).sum(axis=2) for a, b in ((real, real), (fake, fake), (real, fake))
    )
    inside = within(cross, np.sort(own)[:, k, None])
    recalled = within(cross, np.sort(other)[:, k])
    shares = inside.any(axis=0), recalled.any(axis=1), inside.sum(axis=0) / k, inside.any(axis=1)
    return tuple(float(share.mean()) for share in shares)


def exact_inception_score(log_p, splits):
    p, scores = np.exp(np.longdouble(log_p)), []
    p /= p.sum(axis=1, keepdims=True)
    for i in range(splits):
        part = p[i * len(p) // splits : (i + 1) * len(p) // splits]
        mean = part.mean(axis=0)
        ratio = np.log(np.maximum(part, 1e-300) / np.maximum(mean, 1e-300))
        scores.append(np.exp((part * ratio).sum(axis=1).mean()))
    return float(np.mean(scores))


def _exact(x):
    return x if isinstance(x, mpmath.matrix) else mpmath.matrix(np.float64(x).tolist())
