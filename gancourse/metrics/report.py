"""Every metric of two samples on one card, each with what is known of its error."""

import html
import json
import math
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from gancourse.metrics.arrays import as_distribution, as_pair
from gancourse.metrics.copying import authenticity, data_copying
from gancourse.metrics.divergence import js_divergence
from gancourse.metrics.estimate import Estimate
from gancourse.metrics.frechet import fid, fid_floor, fid_infinity
from gancourse.metrics.inception_score import inception_score
from gancourse.metrics.kernel import kid
from gancourse.metrics.manifold import density_coverage, precision_recall, realism
from gancourse.metrics.prd import RUNS, prd_curve
from gancourse.seeds import stream

HALVINGS, T95 = 5, 2.570581835636314  # Student's t with 5 degrees of freedom holds 95% within +-T95
Metric = Callable[[Tensor, Tensor, int], dict[str, float]]  # real, fake, clusterings -> name: value
LEAST = 6  # samples of each: fewer have no k-th neighbours
SMALLEST = 40  # samples that give halves in which 20 clusters and 5 neighbours still mean something

METRICS = (
    "fid", "fid_infinity", "fid_floor", "kid", "precision_recall", "density_coverage", "realism", "prd",
    "inception_score", "authenticity", "data_copying",
)  # fmt: skip
BETTER = {
    "FID": "lower", "FID infinity": "lower", "FID floor": "reference", "KID": "lower",
    "precision": "higher", "recall": "higher", "density": "higher", "coverage": "higher",
    "median realism": "higher", "PRD F8 (recall)": "higher", "PRD F1/8 (precision)": "higher",
    "Inception Score": "higher", "Inception Score of the real": "reference",
    "JS divergence of class shares": "lower", "path length": "lower",
    "authenticity": "as real", "authenticity of the real": "reference", "C_T (data copying)": "0",
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The result of `report`: prints as a table, renders as one in a notebook, and leaves as JSON.

    estimates  metric's name -> Estimate, in the order of the table; report["FID"] is short for report.estimates["FID"]
    extractor  name of the network that made the features, and its version, without which the values mean nothing
    real, fake numbers of samples
    """

    estimates: dict[str, Estimate]
    extractor: str
    version: str
    real: int
    fake: int

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def __str__(self) -> str:
        rows = [("metric", "value ± standard error (95% interval)", "better", "n")]
        rows += [(name, str(e), BETTER[name], str(e.n)) for name, e in self.estimates.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join([self._title(), "-" * len(lines[0]), *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col">{name}</th>' for name in ("metric", "value", "95% interval", "better", "n")
        )
        body = ""
        for name, estimate in self.estimates.items():
            value, _, interval = str(estimate).partition(" (95%: ")
            cells = (value, interval.removesuffix(")") or "not known", BETTER[name], str(estimate.n))
            body += f'<tr title="{html.escape(estimate.method)}"><th scope="row">{html.escape(name)}</th>'
            body += "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
        caption = f"<caption>{html.escape(self._title())}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_json(self) -> str:
        """The report as strict JSON; infinite values become the strings "inf" and "-inf"."""
        return json.dumps(_strict(asdict(self)), indent=2, allow_nan=False)

    def _title(self) -> str:
        name = f"{self.extractor} {self.version}".strip()
        return f"{self.fake} fake against {self.real} real samples, features: {name}"


def report(
    *,
    real: Any,
    fake: Any,
    train: Any = None,
    probabilities: Any = None,
    real_probabilities: Any = None,
    extractor: Any = None,
    path_length: Estimate | None = None,
    metrics: Collection[str] | None = None,
    seed: int = 0,
) -> Report:
    """All metrics of a generator, or those of `METRICS` that are asked for, from the features of real and of its images.

    real: (N, D), fake: (M, D) features, both of at least 6 rows. probabilities, real_probabilities: class
    probabilities (M, K) of the fake and (N, K) of the real images, for the Inception Score and for the divergence
    between the mean of both. train: (K, D) features of the images that the generator was trained on, for the two metrics
    of copying; `real` must then be held-out images. extractor: its name, or the object with a `name` and a `version`.
    path_length: what `perceptual_path_length` gave. `seed` picks halves.

    FID, KID, Inception Score and path length have their own standard errors. For the neighbour metrics and PRD none is
    known in closed form, and the binomial one ignores that the manifold is a sample too (in simulations it was up to
    2.8 times too small). Theirs comes from the differences between halves in 5 random halvings of both samples; the
    interval is Student's with 5 degrees of freedom, for the value expected at this N (all of them change with N), and
    both are None below 40 samples. FID infinity is left out where N or M < 2 D (its halves would be smaller than D), the
    Inception Score without probabilities, the two of copying without train; asked for by name, they are then a
    ValueError.
    Errors as the metrics'.
    """
    real, fake = as_pair(real, fake, least=LEAST)
    n, m = len(real), len(fake)
    metrics = [metrics] if isinstance(metrics, str) else metrics
    asked = set(METRICS if metrics is None else metrics)
    if not asked or not asked <= set(METRICS):
        raise ValueError(f"metrics: expected some of {', '.join(METRICS)}, got {', '.join(asked) or 'none'}")
    enough = min(n, m) >= 2 * real.shape[1]
    if metrics is not None and "fid_infinity" in asked and not enough:
        raise ValueError(
            f"metrics: fid_infinity needs {2 * real.shape[1]} samples of each, twice the dimensions; got {n} and {m}"
        )
    if (
        metrics is not None
        and "inception_score" in asked
        and probabilities is None
        and real_probabilities is None
    ):
        raise ValueError("metrics: inception_score needs probabilities, which features alone don't give")
    copying = asked & {"authenticity", "data_copying"}
    if metrics is not None and copying and train is None:
        raise ValueError(
            f"metrics: {' and '.join(sorted(copying))} needs train, the features of the training images"
        )
    rows: dict[str, Estimate] = {}
    if "fid" in asked:
        rows["FID"] = fid(real=real, fake=fake)
    if "fid_infinity" in asked and enough:
        rows["FID infinity"] = fid_infinity(real=real, fake=fake, seed=seed)
    if "fid_floor" in asked:
        rows["FID floor"] = fid_floor(real, n=min(n // 2, m), seed=seed)
    if "kid" in asked:
        rows["KID"] = kid(real=real, fake=fake)
    for metric in (_precision_recall, _density_coverage, _realism, _prd):
        if metric.__name__.removeprefix("_") in asked:
            rows |= _with_error(metric, real, fake, seed)
    if "inception_score" not in asked:
        probabilities = real_probabilities = None
    for name, p, count in (
        ("probabilities", probabilities, m),
        ("real_probabilities", real_probabilities, n),
    ):
        if p is not None and len(p) != count:
            raise ValueError(f"{name}: expected a row for each of {count} images, got {len(p)}")
    if not isinstance(path_length, Estimate | None):
        raise TypeError(f"path_length: expected an Estimate, got {type(path_length).__name__}")
    if probabilities is not None:
        rows["Inception Score"] = inception_score(probabilities)
    if real_probabilities is not None:
        rows["Inception Score of the real"] = inception_score(real_probabilities)
    if probabilities is not None and real_probabilities is not None:
        shares = [
            as_distribution(p, "probabilities").mean(dim=0) for p in (probabilities, real_probabilities)
        ]
        rows["JS divergence of class shares"] = Estimate(js_divergence(*shares), n=min(n, m), method="nats")
    if path_length is not None:
        rows["path length"] = path_length
    if train is not None and "authenticity" in asked:
        rows["authenticity"] = authenticity(train=train, fake=fake)
        rows["authenticity of the real"] = authenticity(train=train, fake=real)
    if train is not None and "data_copying" in asked:
        rows["C_T (data copying)"] = data_copying(train=train, test=real, fake=fake)
    name = extractor if isinstance(extractor, str) else getattr(extractor, "name", "not stated")
    return Report(rows, str(name), str(getattr(extractor, "version", "")), n, m)


def _with_error(metric: Metric, real: Tensor, fake: Tensor, seed: int) -> dict[str, Estimate]:
    """The metric's values, each with the standard error that its differences between random halves imply.

    Disjoint halves are independent and their variance is about twice the whole's: Var(half - other half) ~ 4 Var.
    """
    n, random, gaps = min(len(real), len(fake)), stream(seed), []
    values = metric(real, fake, RUNS)
    for _ in range(HALVINGS if n >= SMALLEST else 0):
        (r1, r2), (f1, f2) = (
            x[torch.randperm(len(x), generator=random).to(x.device)].tensor_split(2) for x in (real, fake)
        )
        one, other = metric(r1, f1, 2), metric(r2, f2, 2)
        gaps.append({name: one[name] - other[name] for name in values})
    result = {}
    for name, value in values.items():
        stderr = math.sqrt(sum(gap[name] ** 2 for gap in gaps) / HALVINGS / 4)
        if gaps and math.isfinite(value + stderr):
            highest = math.inf if name in ("density", "median realism") else 1.0
            interval = (max(value - T95 * stderr, 0.0), min(value + T95 * stderr, highest))
            result[name] = Estimate(value, stderr, interval, n, f"{name}, error from {HALVINGS} halvings")
        else:
            result[name] = Estimate(value, n=n, method=name)
    return result


def _precision_recall(real: Tensor, fake: Tensor, runs: int) -> dict[str, float]:
    return asdict(precision_recall(real=real, fake=fake))


def _density_coverage(real: Tensor, fake: Tensor, runs: int) -> dict[str, float]:
    return asdict(density_coverage(real=real, fake=fake))


def _realism(real: Tensor, fake: Tensor, runs: int) -> dict[str, float]:
    return {"median realism": float(realism(real=real, fake=fake).median())}


def _prd(real: Tensor, fake: Tensor, runs: int) -> dict[str, float]:
    curve = prd_curve(real=real, fake=fake, clusters=min(20, len(real)), runs=runs)
    return {"PRD F8 (recall)": curve.f_beta(8), "PRD F1/8 (precision)": curve.f_beta(1 / 8)}


def _strict(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _strict(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_strict(value) for value in x]
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x
