"""What a reader waits for: the generator, `gancourse evaluate`, the import. Each gives (heading, text) of one section."""

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks import fidelity_evaluate
from benchmarks.measure import TIMES, alone, in_turns, quiet, resident, table
from benchmarks.peers import absent
from gancourse.classroom import notebooks, sandbox
from gancourse.classroom.intake import graded_slice, read_submission
from gancourse.classroom.marking import mark
from gancourse.datasets import fashion_mnist
from gancourse.evaluate import evaluate
from gancourse.evaluate.sources import BATCH
from gancourse.models import load


@torch.inference_mode()
def generator(quick):
    model, rows = load("stylegan"), []
    for n in (1, 64):
        z, waits = torch.randn(n, model.z_dim), []
        for _ in range(3 if quick else 60):
            start = time.perf_counter()
            model(z)
            waits.append(1000 * (time.perf_counter() - start))
        rows.append([n, *np.quantile(waits, (0.5, 0.95))])
    text = table(["images", "median ms", "95% below ms"], rows)
    return f"StyleGAN, {model.resolution} x {model.resolution}", text


def evaluation(quick):
    """FID of two sets against the bare network on the same images, which never leave memory."""
    n = 500 if quick else 10_000
    sets = [fashion_mnist(split).images[:n] for split in ("train", "test")]
    network = load("classifier")

    @torch.inference_mode()
    def bare():
        for batch in torch.cat(sets).split(BATCH):
            network.features(batch)

    with tempfile.TemporaryDirectory() as room:
        names = {"arrays": [], "PNG files": []}
        for i, images in enumerate(sets):
            folder = Path(room, str(i))
            folder.mkdir()
            for j, image in enumerate(images.numpy()):
                Image.fromarray(image[0]).save(folder / f"{j:05d}.png")
            np.save(folder.with_suffix(".npy"), images.numpy())
            names["arrays"].append(str(folder.with_suffix(".npy")))
            names["PNG files"].append(str(folder))

        def measured(kind):
            return float(evaluate(*names[kind], metrics=["fid"], use_cache=False).report["FID"])

        runs = {f"evaluate, {kind}": partial(measured, kind) for kind in names}
        runs = {"the bare network": bare, **runs}
        with quiet():
            bare()
        rows = [[*row[:-1], row[-1] or ""] for row in in_turns(runs, (), rounds=1 if quick else 9)]
        peaks = []
        for count in (n // 10, n):
            (peak,) = alone([(evaluation_peak, *names["PNG files"], count)])
            peaks.append([f"{count:,}", peak / 2**20])
    head = ["what", "seconds", "CPU seconds", "times bare", "CPU times bare", "FID"]
    memory = table(["PNG files a side", "peak of the whole process, MiB"], peaks)
    return f"`gancourse evaluate`, FID of 2 x {n:,} images", f"{table(head, rows)}\n\n{memory}"


def evaluation_peer(quick):
    """Two whole processes on the same two folders of PNG files, with the same network and metrics."""
    n = 60 if quick else 5_000
    metrics = "fid,kid,inception_score,precision_recall"
    with tempfile.TemporaryDirectory() as room:
        for split in ("train", "test"):
            folder = Path(room, split)
            folder.mkdir()
            for j, image in enumerate(fashion_mnist(split).images[:n].numpy()):
                Image.fromarray(image[0]).save(folder / f"{j:05d}.png")
        files = {"--real": "train", "--fake": "test", "--out": "ours.json", "--metrics": metrics}
        words = [word for pair in files.items() for word in pair]
        commands = {
            "gancourse": ["gancourse", "evaluate", *words, "--no-cache"],
            "torch-fidelity": ["benchmarks.fidelity_evaluate", "test", "train", "theirs.json"],
        }
        if quick or "torch-fidelity" in absent():
            del commands["torch-fidelity"]
        root = str(Path(__file__).resolve().parents[1])
        env = os.environ | {"PYTHONPATH": root, "TQDM_DISABLE": "1"}
        spent = {name: [] for name in commands}
        for _ in range(1 if quick else 5):
            for name, words in commands.items():
                start = [time.perf_counter(), children()]
                subprocess.run(
                    [sys.executable, "-m", *words], cwd=room, env=env, check=True, capture_output=True
                )
                spent[name].append([time.perf_counter() - start[0], children() - start[1]])
        ours = json.loads(Path(room, "ours.json").read_text())["estimates"]
        names = ("FID", "KID", "Inception Score", "precision", "recall")
        values = {"gancourse": [ours[name]["value"] for name in names]}
        if "torch-fidelity" in commands:
            theirs = json.loads(Path(room, "theirs.json").read_text())
            values["torch-fidelity"] = [theirs[name] for name in fidelity_evaluate.NAMES]
    first = np.array(spent["gancourse"])
    rows = [
        [name, *np.median(x, axis=0), *np.median(np.array(x) / first, axis=0), *values[name]]
        for name, x in spent.items()
    ]
    head = ["process", *TIMES[1:-1], "FID", "KID", "IS", "precision", "recall"]
    note = (
        "torch-fidelity with its defaults: KID of 100 subsets of 1000 (gancourse: all samples), IS with 10 splits of the"
        " fakes (gancourse: one), no intervals."
    )
    return f"Whole processes on two folders of {n:,} PNG files", f"{table(head, rows)}\n\n{note}"


def children():
    """CPU seconds of all processes that this one has waited for."""
    spent = os.times()
    return spent.children_user + spent.children_system


def evaluation_peak(real, fake, count):
    """Bytes that a fresh process holds at most, Python and torch included."""
    with quiet():
        evaluate(real, fake, metrics=["fid"], samples=count, use_cache=False)
    return resident("VmHWM")


def grading(quick):
    """One submission of chapter 02, all answers right: its slice under nbval alone, and the whole of its grading."""
    solution = notebooks.read(notebooks.solutions(("02",))[0])
    confine = sandbox.confined()
    with tempfile.TemporaryDirectory() as room:
        path = Path(room, "02_covariance.ipynb")
        notebooks.write(path, notebooks.text(solution))
        slice_of_it = Path(room, "slice.ipynb")
        notebooks.write(slice_of_it, json.dumps(graded_slice(solution, read_submission(path, solution))))
        nbval = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", str(slice_of_it)]
        env = os.environ | {"GANCOURSE_GRADING": "1", "GANCOURSE_PULSE": str(Path(room, "pulse"))}

        def alone():
            subprocess.run(nbval, cwd=room, env=env, check=True, capture_output=True)

        def graded():
            rows = mark(path, "ann", path.stem, 0, [Path(room)], 60, sandbox.Limits(), confine)
            assert {row.status for row in rows} <= {"right", "to read"}

        runs = {"its slice under nbval": alone, "gancourse grade": graded}
        spent = {name: [] for name in runs}
        for _ in range(1 if quick else 5):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                spent[name].append(time.perf_counter() - start)
    over = np.subtract(spent["gancourse grade"], spent["its slice under nbval"])
    rows = [[name, float(np.median(seconds))] for name, seconds in spent.items()]
    rows.append(["difference within a round", float(np.median(over))])
    how = "with" if confine else "without"
    return f"Grading one submission, {how} bubblewrap", table(["what", "seconds"], rows)


def importing(quick):
    """A fresh interpreter each time."""
    spent = {"import torch": [], "import torch, gancourse": []}
    for _ in range(1 if quick else 7):
        for line, seconds in spent.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", line], check=True)
            seconds.append(time.perf_counter() - start)
    rows = [[line, float(np.median(seconds))] for line, seconds in spent.items()]
    rows.append(["difference", rows[1][1] - rows[0][1]])
    return "Import", table(["line", "seconds"], rows)
