"""The lint of cases: which kinds of input an exercise should be tried on and is not."""

import itertools

import numpy as np
import torch

from gancourse.exercises.outputs import normal
from gancourse.exercises.record import Exercise

SEEDS = range(3)


def complaints(record: Exercise) -> list[str]:
    """Kinds of input that a record lacks, other than those that it is exempt from with a reason."""
    cases = [case for seed in SEEDS for case in record.cases(np.random.default_rng(seed))]
    floats = [array for case in cases for array in _arrays(case) if array.dtype.kind == "f"]
    wanted: dict[str, bool] = {}
    if floats:
        wanted |= {
            "float32": any(a.dtype == np.float32 for a in floats),
            "float64": any(a.dtype == np.float64 for a in floats),
            "negative": any((a < 0).any() for a in floats),
            "small scale": any(0 < abs(a).max() < 0.05 for a in floats if a.size),
            "large scale": any(abs(a).max() > 50 for a in floats if a.size),
        }
    for place, columns in enumerate(zip(*(case for case in cases), strict=False)):
        arrays = [normal(a) for a in columns if isinstance(a, np.ndarray | torch.Tensor)]
        tables = [a for a in arrays if a.ndim == 2 and a.dtype.kind == "f"]
        if len(tables) < len(columns) or not tables:
            continue
        if all(a.shape[0] == a.shape[1] and np.allclose(a, a.T) for a in tables):
            wanted[f"singular argument {place}"] = any(_singular(a) for a in tables)
            wanted["one column"] = wanted.get("one column", False) or any(a.shape == (1, 1) for a in tables)
        else:
            wanted["more rows than columns"] = any(a.shape[0] > a.shape[1] for a in tables)
            wanted["fewer rows than columns"] = any(a.shape[0] < a.shape[1] for a in tables)
            wanted["one column"] = any(a.shape[1] == 1 for a in tables)
            wanted["a constant column"] = any((a == a[0]).all(axis=0).any() for a in tables)
    pairs = [
        (a, b)
        for case in cases
        for a, b in itertools.pairwise(case)
        if all(isinstance(x, np.ndarray | torch.Tensor) and x.ndim == 2 for x in (a, b))
        and a.shape[1] == b.shape[1]
    ]
    if any(len(a) != len(b) for a, b in pairs):
        wanted["more rows in the first set"] = any(len(a) > len(b) for a, b in pairs)
        wanted["more rows in the second set"] = any(len(a) < len(b) for a, b in pairs)
    return [kind for kind, there in wanted.items() if not there and kind not in record.exempt]


def _arrays(value):
    if isinstance(value, np.ndarray | torch.Tensor):
        yield normal(value)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _arrays(part)


def _singular(matrix: np.ndarray) -> bool:
    values = np.linalg.eigvalsh(matrix.astype(float))
    return values[0] <= 1e-6 * max(values[-1], 1e-300)
