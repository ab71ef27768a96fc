"""Run the benchmarks: `python -m benchmarks`, or some: `python -m benchmarks frechet kid`; `--quick` for tiny sizes.

Threads: OMP_NUM_THREADS is obeyed by every library alike (prdc's eight threads of its own apart). Prints, and writes
the sections that were run into benchmarks/results.md; a quick run writes nothing.
"""

import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks import budgets, scaling, speed, trust
from benchmarks.peers import absent

SECTIONS = {
    "frechet": speed.frechet,
    "wide": speed.wide,
    "neighbours": speed.neighbours,
    "memory": speed.memory,
    "kid": speed.kid,
    "spread": speed.spread,
    "inception-score": speed.inception_score,
    "lpips": speed.lpips,
    "errors": trust.errors,
    "bad-input": trust.bad_input,
    "scaling": scaling.scaling,
    "generator": budgets.generator,
    "evaluate": budgets.evaluation,
    "evaluate-peer": budgets.evaluation_peer,
    "grading": budgets.grading,
    "import": budgets.importing,
}
RESULTS = Path(__file__).with_name("results.md")
INTRODUCTION = """# gancourse's metrics beside their peers

Written by `python -m benchmarks`. Medians over rounds in which all libraries take turns on the same arrays; ratios are
taken within a round, so above 1 means slower than gancourse. The CPU time (all threads) suffers less than the wall
time from what else a machine does.
"""


def machine():
    libraries = [
        "numpy",
        "scipy",
        "torch",
        "torch-fidelity",
        "torchmetrics",
        "clean-fid",
        "pytorch-fid",
        "prdc",
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in libraries if name not in absent())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{os.cpu_count()} CPU cores ({platform.machine()}), {torch.get_num_threads()} thread(s) a library, "
        f"load average {load:.1f} after the run; Python {platform.python_version()}, {versions}"
    )


def main(arguments):
    quick = "--quick" in arguments
    names = [name for name in arguments if name != "--quick"] or list(SECTIONS)
    if unknown := set(names) - set(SECTIONS):
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if absent():
        print(f"Not installed, so left out: {', '.join(absent())}")
    for name in names:
        try:
            heading, text = SECTIONS[name](quick)
        except ModuleNotFoundError as error:
            print(f"{name}: skipped, {error}")
            continue
        text += f"\n\n*{machine()}.*" if not quick else ""
        print(f"\n## {heading}\n\n{text}", flush=True)
        if not quick:
            record(name, f"## {heading}\n\n{text}\n")


def record(name, section):
    """Put the section in its place among those of earlier runs."""
    old = RESULTS.read_text() if RESULTS.exists() else ""
    kept = dict(re.findall(r"<!-- (\S+) -->\n\n(.*?)(?=\n<!-- |\Z)", old, re.DOTALL))
    kept[name] = section
    parts = [f"<!-- {key} -->\n\n{kept[key].rstrip()}\n" for key in SECTIONS if key in kept]
    RESULTS.write_text("\n".join([INTRODUCTION, *parts]))


if __name__ == "__main__":
    main(sys.argv[1:])
