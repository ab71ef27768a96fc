"""Every metric of two samples in one table, each with what is known of its error."""

import html
import json
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from torch import Tensor

from gancourse.metrics.arrays import ArrayLike, as_distribution, as_pair, halves, shuffled
from gancourse.metrics.copying import authenticity, data_copying
from gancourse.metrics.divergence import js_divergence
from gancourse.metrics.estimate import Estimate
from gancourse.metrics.frechet import fid, fid_floor, fid_infinity
from gancourse.metrics.inception_score import inception_score
from gancourse.metrics.kernel import kid
from gancourse.metrics.manifold import density_coverage, precision_recall, realism
from gancourse.metrics.prd import RUNS, prd_curve
from gancourse.metrics.vendi import vendi_score
from gancourse.seeds import stream

HALVINGS, T95 = 5, 2.570581835636314  # Student's t with 5 degrees of freedom holds 95% within +-T95
LEAST = 6  # samples of each: fewer have no k-th neighbours
SMALLEST = 40  # samples that give halves in which 20 clusters and 5 neighbours still mean something


@dataclass(frozen=True)
class Given:
    """What `report` was given, checked: features of real (N, D) and fake (M, D), and what only some metrics need."""

    real: Tensor
    fake: Tensor
    train: ArrayLike | None
    probabilities: ArrayLike | None
    real_probabilities: ArrayLike | None
    seed: int

    @property
    def smaller(self) -> int:
        return min(len(self.real), len(self.fake))


@dataclass(frozen=True)
class Metric:
    """How one metric is computed: its rows in the table with which values are better, its function, its extra needs.

    An estimate is None where its row can't be computed. `has` tells whether what the metric `needs` was given.
    """

    rows: dict[str, str]
    estimates: Callable[[Given], Sequence[Estimate | None]]
    needs: str = ""
    has: Callable[[Given], bool] = lambda given: True


@dataclass(frozen=True)
class Report:
    """The result of `report`: prints as a table, shows as a table in a notebook, and `to_json` writes it as JSON.

    estimates  metric's name -> Estimate, in the order of the table; report["FID"] is short for report.estimates["FID"]
    extractor, version  of the network that made the features; without them the values mean nothing
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
        """The report as strict JSON; values that aren't finite become the strings "inf", "-inf" and "nan"."""
        return json.dumps(_strict(asdict(self)), indent=2, allow_nan=False)

    def _title(self) -> str:
        name = f"{self.extractor} {self.version}".strip()
        return f"{self.fake} fake against {self.real} real samples, features: {name}"


def report(
    *,
    real: ArrayLike,
    fake: ArrayLike,
    train: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    real_probabilities: ArrayLike | None = None,
    extractor: object = "not stated",
    path_length: Estimate | None = None,
    metrics: Collection[str] | None = None,
    seed: int = 0,
) -> Report:
    """Compute all metrics of a generator, or those named in `metrics`, from the features of real and generated images.

    real: (N, D), fake: (M, D) features, both of at least 6 rows. probabilities, real_probabilities: class
    probabilities (M, K) of the fake and (N, K) of the real images, for the Inception Score and for the divergence
    between the mean of both. train: (K, D) features of the images that the generator was trained on, for the two metrics
    of copying; `real` must then be held-out images. extractor: its name, or the object with a `name` and a `version`.
    path_length: a `perceptual_path_length` (else TypeError). metrics: names in METRICS. seed: of halves and draws.

    FID, KID, Inception Score and path length have their own standard errors. For the neighbour metrics and PRD none is
    known in closed form, and the binomial one ignores that the manifold is a sample too (in simulations it was up to
    2.8 times too small). Theirs comes from the differences between halves in 5 random halvings of both samples; the
    interval is Student's with 5 degrees of freedom, for the value expected at this N (all of them change with N), and
    both are None below 40 samples. The Vendi scores are of min(N, M) samples each, as they grow with their number.
    FID infinity is left out where N or M < 2 D (its halves would be smaller than D), the Vendi score where the features
    of a sample are all zeros, the Inception Score without probabilities, the two of copying without train: ValueError
    if `metrics` names such a one. Other errors as in the metrics.
    """
    real, fake = as_pair(real, fake, least=LEAST)
    for name, p, count in (
        ("probabilities", probabilities, len(fake)),
        ("real_probabilities", real_probabilities, len(real)),
    ):
        if p is not None and len(p) != count:
            raise ValueError(f"{name}: expected a row for each of {count} images, got {len(p)}")
    if not isinstance(path_length, Estimate | None):
        raise TypeError(f"path_length: expected an Estimate, got {type(path_length).__name__}")
    asked = {metrics} if isinstance(metrics, str) else set(METRICS if metrics is None else metrics)
    if not asked or not asked <= METRICS.keys():
        raise ValueError(f"metrics: expected some of {', '.join(METRICS)}, got {', '.join(asked) or 'none'}")
    given = Given(real, fake, train, probabilities, real_probabilities, seed)
    rows: dict[str, Estimate] = {}
    for key, metric in METRICS.items():
        if key in asked and metric.has(given):
            found = zip(metric.rows, metric.estimates(given), strict=True)
            rows |= {row: estimate for row, estimate in found if estimate is not None}
        elif key in asked and metrics is not None:
            raise ValueError(
                f"metrics: {key} needs {metric.needs}; got {len(real)} real and {len(fake)} fake samples of "
                f"{real.shape[1]} dimensions"
            )
    if path_length is not None:
        rows["path length"] = path_length
    name = extractor if isinstance(extractor, str) else getattr(extractor, "name", "not stated")
    return Report(rows, str(name), str(getattr(extractor, "version", "")), len(real), len(fake))


def _by_halves(
    metric: Callable[[Tensor, Tensor, int], tuple[float, ...]], *highest: float
) -> Callable[[Given], list[Estimate]]:
    """The metric's values, each with the standard error that its differences between random halves imply.

    metric: real, fake, number of clusterings -> values, none of which is negative or above its `highest`.
    Disjoint halves are independent and their variance is about twice the whole's: Var(half - other half) ~ 4 Var.
    """

    def estimates(given: Given) -> list[Estimate]:
        n, random, gaps = given.smaller, stream(given.seed), []
        values = metric(given.real, given.fake, RUNS)
        for _ in range(HALVINGS if n >= SMALLEST else 0):
            (r1, r2), (f1, f2) = (halves(x, random) for x in (given.real, given.fake))
            gaps.append([a - b for a, b in zip(metric(r1, f1, 2), metric(r2, f2, 2), strict=True)])
        result = []
        for i, value in enumerate(values):
            stderr = math.sqrt(sum(gap[i] ** 2 for gap in gaps) / HALVINGS / 4)
            if gaps and math.isfinite(value + stderr):
                interval = (max(value - T95 * stderr, 0.0), min(value + T95 * stderr, highest[i]))
                result.append(Estimate(value, stderr, interval, n, f"error from {HALVINGS} halvings"))
            else:
                result.append(Estimate(value, n=n, method="no error known"))
        return result

    return estimates


def _prd(real: Tensor, fake: Tensor, runs: int) -> tuple[float, ...]:
    curve = prd_curve(real=real, fake=fake, clusters=min(20, len(real)), runs=runs)
    return curve.f_beta(8), curve.f_beta(1 / 8)


def _inception_score(given: Given) -> list[Estimate | None]:
    both = [given.probabilities, given.real_probabilities]
    scores = [None if p is None else inception_score(p) for p in both]
    if any(p is None for p in both):
        return [*scores, None]
    shares = (as_distribution(p, "probabilities").mean(dim=0) for p in both)
    return [*scores, Estimate(js_divergence(*shares), n=given.smaller, method="nats")]


def _vendi(given: Given) -> list[Estimate]:
    """Of as many fakes as reals, picked at random from the larger set: the score grows with the sample."""
    n, random = given.smaller, stream(given.seed)
    return [vendi_score(x if len(x) == n else shuffled(x, random)[:n]) for x in (given.fake, given.real)]


_TRAIN = "train, the features of the training images", lambda x: x.train is not None
METRICS = {
    "fid": Metric({"FID": "lower"}, lambda x: [fid(real=x.real, fake=x.fake)]),
    "fid_infinity": Metric({"FID infinity": "lower"},
        lambda x: [fid_infinity(real=x.real, fake=x.fake, seed=x.seed)],
        "at least twice as many samples of each as dimensions", lambda x: x.smaller >= 2 * x.real.shape[1]),
    "fid_floor": Metric({"FID floor": "reference"},
        lambda x: [fid_floor(x.real, n=min(len(x.real) // 2, len(x.fake)), seed=x.seed)]),
    "kid": Metric({"KID": "lower"}, lambda x: [kid(real=x.real, fake=x.fake)]),
    "precision_recall": Metric({"precision": "higher", "recall": "higher"},
        _by_halves(lambda real, fake, _: astuple(precision_recall(real=real, fake=fake)), 1, 1)),
    "density_coverage": Metric({"density": "higher", "coverage": "higher"},
        _by_halves(lambda real, fake, _: astuple(density_coverage(real=real, fake=fake)), math.inf, 1)),
    "realism": Metric({"median realism": "higher"},
        _by_halves(lambda real, fake, _: (float(realism(real=real, fake=fake).median()),), math.inf)),
    "prd": Metric({"PRD F8 (recall)": "higher", "PRD F1/8 (precision)": "higher"}, _by_halves(_prd, 1, 1)),
    "vendi_score": Metric({"Vendi score": "as real", "Vendi score of the real": "reference"}, _vendi,
        "features none of which are all zeros, as these have no direction",
        lambda x: bool(x.real.any(dim=1).all() and x.fake.any(dim=1).all())),
    "inception_score": Metric({"Inception Score": "higher", "Inception Score of the real": "reference",
        "JS divergence of class shares": "lower"}, _inception_score,
        "probabilities, which features alone don't give",
        lambda x: x.probabilities is not None or x.real_probabilities is not None),
    "authenticity": Metric({"authenticity": "as real", "authenticity of the real": "reference"},
        lambda x: [authenticity(train=x.train, fake=images) for images in (x.fake, x.real)], *_TRAIN),
    "data_copying": Metric({"C_T (data copying)": "0"},
        lambda x: [data_copying(train=x.train, test=x.real, fake=x.fake)], *_TRAIN),
}  # fmt: skip
BETTER = {row: better for metric in METRICS.values() for row, better in metric.rows.items()}
BETTER["path length"] = "lower"


def _strict(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _strict(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_strict(value) for value in x]
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x
