"""Time and memory beside the peers. Every function gives (heading, text) of one section; quick means tiny sizes."""

import numpy as np
import torch

from benchmarks.measure import TIMES, alone, features, in_turns, peak_memory, quiet, table
from benchmarks.peers import contenders, fidelity_kid
from gancourse import metrics


def moments(dim, seed):
    """Mean and covariance (float64) from half as many rows again as dimensions."""
    x = features(3 * dim // 2, dim, seed, shift=0.1 * seed).astype(np.float64)
    return x.mean(axis=0), np.cov(x, rowvar=False)


def frechet(quick):
    dim = 64 if quick else 2048
    rows = in_turns(contenders("frechet"), [*moments(dim, 1), *moments(dim, 2)])
    ours = rows[0][-1]
    rows = [[*row, "" if isinstance(row[-1], str) else abs(row[-1] / ours - 1)] for row in rows]
    return f"Fréchet distance from moments, D = {dim}", table([*TIMES, "relative gap to ours"], rows)


def wide(quick):
    n, dim = (50, 128) if quick else (500, 2048)
    real, fake = features(n, dim, 1), features(n, dim, 2, 0.1)
    rows = in_turns(contenders("fid"), (real, fake))
    same = in_turns(contenders("fid"), (real, real.copy()), rounds=1)
    rows = [[*row, other[-1]] for row, other in zip(rows, same, strict=True)]
    note = "gancourse's time includes its standard error; the others have none."
    return (
        f"FID from features, N = {n} < D = {dim}",
        f"{table([*TIMES, 'of identical sets'], rows)}\n\n{note}",
    )


def neighbours(quick):
    n, dim = (300, 16) if quick else (10_000, 256)
    arrays = features(n, dim, 1), features(n, dim, 2, 0.1)
    all_four = table(TIMES, in_turns(contenders("prdc"), arrays))
    two = table(TIMES, in_turns(contenders("precision_recall"), arrays))
    note = "prdc asks for 8 threads of its own whatever the setting. Precision and recall alone, k = 3:"
    return f"Precision, recall, density, coverage, {n:,} x {dim}, k = 5", f"{all_four}\n\n{note}\n\n{two}"


def memory(quick):
    """A fresh process each, which takes the function by its name: a lambda can't be sent."""
    jobs = []
    for n, dim in ((300, 16),) if quick else ((10_000, 256), (50_000, 64)):
        arrays = features(n, dim, 1), features(n, dim, 2, 0.1)
        for metric in ("prdc", "precision_recall"):
            names = contenders(metric) if n < 50_000 else ["gancourse"]
            jobs += [(peak, metric, library, *arrays) for library in names]
    rows = []
    for job in jobs:
        (bytes_, seconds), (_, metric, library, x, _) = next(iter(alone([job]))), job
        rows.append([f"{len(x):,} x {x.shape[1]}", metric, library, bytes_ / 2**20, seconds])
    note = "prdc and torch-fidelity hold N x N distances: 50,000 rows would take tens of GiB."
    head = ["arrays", "metric", "library", "MiB over the inputs", "seconds"]
    return "Peak memory of the neighbour metrics", f"{table(head, rows)}\n\n{note}"


def peak(metric, library, real, fake):
    return peak_memory(contenders(metric)[library], real, fake)


def kid(quick):
    n, dim = (300, 16) if quick else (5_000, 512)
    arrays = features(n, dim, 1), features(n, dim, 2, 0.1)
    note = "The peers: 100 subsets of 1000, their default. gancourse: all samples, standard error included."
    return f"KID, {n:,} x {dim}", f"{table(TIMES, in_turns(contenders('kid'), arrays))}\n\n{note}"


def spread(quick):
    n, dim, draws = (300, 16, 5) if quick else (5_000, 512, 30)
    runs = {name: run for name, run in contenders("kid").items() if name in ("gancourse", "torch-fidelity")}
    values = {name: [] for name in runs}
    for draw in range(draws):
        real, fake = features(n, dim, 2 * draw + 1), features(n, dim, 2 * draw + 2, 0.02)
        for name, run in runs.items():
            values[name].append(run(real, fake))
    rows = [[name, np.mean(x), np.std(x, ddof=1)] for name, x in values.items()]
    text = table(["library", "mean", "standard deviation over draws"], rows)
    repeats = [float(metrics.kid(real=real, fake=fake)) for _ in range(3)]
    text += f"\n\nOn one draw, gancourse varies by {np.ptp(repeats):.3g} between calls"
    if "torch-fidelity" in runs:
        seeds = [fidelity_kid(real, fake, seed) for seed in range(3 if quick else 5)]
        text += f"; torch-fidelity has a standard deviation of {np.std(seeds, ddof=1):.3g} between seeds"
    return f"KID, {draws} draws of {n:,} x {dim}", text + "."


def inception_score(quick):
    n, classes = (500, 10) if quick else (50_000, 1000)
    logits = 3 * np.random.default_rng(0).normal(size=(n, classes)).astype(np.float32)
    runs = contenders("inception_score")
    p = torch.as_tensor(logits).softmax(
        dim=1
    )  # ours takes probabilities, theirs logits: softmax is on their clock
    runs["gancourse"] = lambda logits, splits: float(metrics.inception_score(p, splits=splits))
    runs["gancourse + softmax"] = lambda logits, splits: float(
        metrics.inception_score(torch.as_tensor(logits).softmax(dim=1), splits=splits)
    )
    text = "\n\n".join(f"{s} split(s):\n\n{table(TIMES, in_turns(runs, (logits, s)))}" for s in (1, 10))
    return f"Inception Score, {n:,} x {classes}", text


def lpips(quick):
    """The same construction on the same untrained network: a custom distance for the path length."""
    import lpips

    n, side = (2, 64) if quick else (32, 64)
    torch.manual_seed(0)
    with quiet():
        model = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    x, y = torch.rand(2, n, 3, side, side) * 2 - 1
    weights = [layer.model[-1].weight.flatten() for layer in model.lins]
    runs = {
        "gancourse": lambda x, y: metrics.perceptual_distance(
            x, y, features=lambda images: list(model.net(model.scaling_layer(images))), weights=weights
        ),
        "lpips": lambda x, y: model(x, y).flatten(),
    }
    with torch.no_grad():
        rows = in_turns(runs, (x, y))
    gap = (rows[0][-1] / rows[1][-1] - 1).abs().max().item()
    rows = [[*row[:-1], row[-1].mean().item()] for row in rows]
    return f"LPIPS of {n} pairs, {side} x {side}", f"{table(TIMES, rows)}\n\nLargest relative gap: {gap:.2g}."
