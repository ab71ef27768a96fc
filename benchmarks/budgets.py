"""What a reader waits for: the generator, `gancourse evaluate`, the import. Each gives (heading, text) of one section."""

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.measure import alone, in_turns, quiet, resident, table
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


def evaluation_peak(real, fake, count):
    """Bytes that a fresh process holds at most, Python and torch included."""
    with quiet():
        evaluate(real, fake, metrics=["fid"], samples=count, use_cache=False)
    return resident("VmHWM")


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
