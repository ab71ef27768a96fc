"""What grading adds to a notebook: each answer's outputs on the secret cases, and a sign of life, written for the parent."""

import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gancourse.exercises import exercise
from gancourse.exercises.judging import limit
from gancourse.exercises.running import Result, run


def begin() -> None:
    """Touch GANCOURSE_OUTPUTS/alive twice a second for as long as this process lives."""
    alive = Path(os.environ["GANCOURSE_OUTPUTS"], "alive")

    def beat():
        while True:
            alive.touch()
            time.sleep(0.5)

    threading.Thread(target=beat, daemon=True).start()


def collect(number: str) -> None:
    """Run the answer bound in the calling notebook on the cases of GANCOURSE_SEED; write GANCOURSE_OUTPUTS/NUMBER.npz."""
    namespace = sys._getframe(1).f_globals
    record = exercise(number)
    if record.name in namespace:
        try:
            seed = int(os.environ["GANCOURSE_SEED"])
            results = run(record, namespace[record.name], seed, namespace, seconds=limit(record, seed))
        except KeyboardInterrupt:  # nbval's time limit
            Path(os.environ["GANCOURSE_OUTPUTS"], f"{number}.late").touch()
            del namespace[record.name]  # the check below must not run into it again
            raise
    else:
        results = [Result(error="NameError", detail=f"its cell fails or defines no {record.name}")]
    path = Path(os.environ["GANCOURSE_OUTPUTS"], f"{number}.npz")
    with open(path.with_suffix(".unfinished"), "wb") as file:
        np.savez(file, **pack(results))
    os.replace(path.with_suffix(".unfinished"), path)


def pack(results: list[Result]) -> dict[str, np.ndarray]:
    """Results as named arrays without objects, for `numpy.savez`."""
    arrays = {"cases": np.array(len(results))}

    def put(key, value):
        if isinstance(value, tuple):
            arrays[f"{key}.parts"] = np.array(len(value))
            for i, part in enumerate(value):
                put(f"{key}.{i}", part)
        else:
            arrays[key] = value

    for i, r in enumerate(results):
        arrays[f"{i}.told"] = np.array([r.error, r.detail, r.forbidden, "changed" * r.changed, r.text])
        if not r.error:
            put(str(i), r.output)
    return arrays


def unpack(arrays: Mapping[str, np.ndarray]) -> list[Result]:
    """Results from `pack`'s arrays, which may come from a stranger: anything odd is a ValueError."""

    def get(key):
        if f"{key}.parts" in arrays:
            return tuple(get(f"{key}.{i}") for i in range(int(arrays[f"{key}.parts"])))
        if arrays[key].dtype.kind not in "biufcU":
            raise ValueError(f"array {key!r} has dtype {arrays[key].dtype}")
        return arrays[key]

    try:
        results = []
        for i in range(int(arrays["cases"])):
            error, detail, forbidden, changed, text = (str(told) for told in arrays[f"{i}.told"])
            output = None if error else get(str(i))
            results.append(Result(output, error, detail, bool(changed), forbidden, text))
        return results
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"these are not the outputs of an answer: {error!r}") from None
