"""One evaluation from names to report."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import gancourse
from gancourse import files
from gancourse.evaluate.embedding import Extractor, Side, label_of, listed, measure, network, opened
from gancourse.evaluate.notes import notes_on
from gancourse.evaluate.team import team
from gancourse.metrics import Moments, Report, fid, report
from gancourse.metrics.arrays import as_samples
from gancourse.metrics.report import LEAST, METRICS

COPYING = ("authenticity", "data_copying")  # the metrics that look at the training images


@dataclass
class Evaluation:
    """The report, what it was made from, and what a reader must know about it."""

    report: Report
    real: Side
    fake: Side
    train: Side | None
    seed: int
    notes: list[str]

    @property
    def sides(self) -> dict[str, Side]:
        """What was named, by what it was named as."""
        return {"real": self.real, "fake": self.fake} | ({"train": self.train} if self.train else {})

    @property
    def skipped(self) -> dict[str, dict[str, str]]:
        """For each side the files that were left out, with the reason."""
        return {name: side.images.unfit if side.images else {} for name, side in self.sides.items()}

    def __str__(self) -> str:
        lines = [f"{name}: {side.name}" for name, side in self.sides.items()]
        lines += ["", str(self.report), *self.notes]
        for side, unfit in self.skipped.items():
            if unfit:
                lines.append(f"{len(unfit)} {side} files were left out:\n{listed(unfit)}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """The report's JSON, and beside its keys: sources, skipped, notes, seed, gancourse (the version)."""
        sources = {name: side.name for name, side in self.sides.items()}
        more = {"sources": sources, "skipped": self.skipped, "notes": self.notes, "seed": self.seed}
        whole = json.loads(self.report.to_json()) | more | {"gancourse": gancourse.__version__}
        return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def evaluate(
    real: str,
    fake: str,
    *,
    train: str | None = None,
    features: str | None = None,
    weights: str | None = None,
    metrics: Collection[str] | None = None,
    samples: int | None = None,
    seed: int = 0,
    out: str | None = None,
    html: str | None = None,
    skip_unreadable: bool = False,
    use_cache: bool = True,
) -> Evaluation | None:
    """Measure how far `fake` is from `real`; see `open_source` for what these can name.

    train: the images that the generator was trained on, for the metrics of copying; `real` are then others.
    features: "fashion" (None), "inception" (with `weights`, or what can be found) or "inception-fid", of images only.
    metrics: some of `METRICS`; None is all that the input allows. For "fid" alone only moments are kept, so that memory
    doesn't grow with the number of images (and no standard error is known); otherwise the features are, never the images.
    samples: at most so many of real and of fake; all of train, as copies could be of any. out, html: files to write,
    each whole or not at all, with names that end in .json and .html.

    Features are kept in `cache_folder()` under the SHA-256 of the images and of the extractor's weights.
    Files that can't be used are a ValueError that names them, or are left out and reported with `skip_unreadable`.
    None in all processes but the first.
    """
    metrics = _asked(metrics, train)
    out, html = _place("out", out, ".json"), _place("html", html, ".html")
    with team() as (rank, size):
        sides = [opened(role, name, samples, seed) for role, name in (("real", real), ("fake", fake))]
        sides += [opened("train", train, None, seed)] if train is not None else []
        if any(isinstance(side.features, Moments) for side in sides):
            metrics = _of_moments(metrics, train)
        images = [side for side in sides if side.images]
        if not images and (features or weights):
            raise ValueError(
                f"{'features' if features else 'weights'}: nothing was named that needs a network"
            )
        extractor = network(features or "fashion", weights, images) if images else None
        _alike(sides, extractor)
        keep_rows = set(metrics or METRICS) != {"fid"} or bool(html)
        if keep_rows:
            _enough(sides[:2], samples)
        for side in sides:
            if side.images and extractor:
                try:
                    measure(side, extractor, keep_rows=keep_rows, use_cache=use_cache, skip=skip_unreadable,
                            rank=rank, team=size)  # fmt: skip
                except KeyboardInterrupt as stopped:
                    stopped.add_note(_kept(sides, side) if use_cache else "No features were kept.")
                    raise
        if rank:
            return None
    _enough(sides[:2], samples)
    first, second, *more = sides
    third = more[0] if more else None
    found = _report(first, second, third, extractor, metrics, seed)
    result = Evaluation(found, first, second, third, seed, notes_on(first, second, extractor, found))
    if out:
        files.write(Path(out), lambda draft: draft.write_text(result.to_json(), encoding="utf-8"))
    if html:
        from gancourse.evaluate.page import page

        text = page(result)
        files.write(Path(html), lambda draft: draft.write_text(text, encoding="utf-8"))
    return result


def _kept(sides: list[Side], stopped: Side) -> str:
    """What an interrupted evaluation leaves for the next one."""
    done = [side.name for side in sides[: sides.index(stopped)] if side.images]
    begins = f"{stopped.name} begins anew the next time."
    return f"The features of {' and '.join(done)} are kept; {begins}" if done else begins


def _asked(metrics: Collection[str] | None, train: str | None) -> list[str] | None:
    """The metrics' names in small letters; ValueError for one that isn't known or doesn't go with `train`."""
    if metrics is None:
        return None
    given = [metrics] if isinstance(metrics, str) else list(metrics)
    unknown = [name for name in given if name.lower() not in METRICS]
    if unknown or not given:
        got = f"{', '.join(unknown)} unknown" if unknown else "none given"
        raise ValueError(f"metrics: {got}, expected {', '.join(METRICS)}")
    asked = [name.lower() for name in given]
    copying = [name for name in asked if name in COPYING]
    if copying and train is None:
        raise ValueError(f"metrics: {copying[0]} needs --train, the training images")
    if train is not None and not copying:
        raise ValueError(f"train: only {' and '.join(COPYING)} look at it, not {', '.join(asked)}")
    return asked


def _of_moments(metrics: Collection[str] | None, train: str | None) -> list[str]:
    """The one metric that moments allow; ValueError where more was asked for."""
    if train is not None:
        raise ValueError('train: files of moments allow "fid" only, which doesn\'t look at it')
    if set(metrics or ["fid"]) != {"fid"}:
        raise ValueError('metrics: a file of moments allows "fid" only')
    return ["fid"]


def _enough(sides: list[Side], samples: int | None) -> None:
    """ValueError for fewer samples than the metrics need, which moments, as they are, have."""
    for side in [] if any(isinstance(side.features, Moments) for side in sides) else sides:
        if side.count < LEAST:
            name = "samples" if side.count == samples else side
            raise ValueError(f"{name}: expected at least {LEAST} samples, got {side.count}")


def _alike(sides: list[Side], extractor: Extractor | None) -> None:
    """ValueError for features that hold no numbers, or that can't be of one network."""
    (first, (dim, label)), *others = [(side, _origin(side, extractor)) for side in sides]
    for side, (columns, name) in others:
        if columns != dim:
            raise ValueError(f"{side} has {columns} columns of features, {first} has {dim}: use one network")
        if name and label and name != label:
            raise ValueError(f"{side} has features of {name}, {first} of {label}: use one network")


def _origin(side: Side, extractor: Extractor | None) -> tuple[int, str]:
    """How many columns a side's features have and which network makes them, "" where nobody says."""
    if isinstance(side.features, Tensor):
        return as_samples(side.features, str(side)).shape[1], ""
    if isinstance(side.features, Moments):
        if side.count < 2:
            raise ValueError(f"{side}: expected moments of at least 2 rows, got {side.count}")
        return side.features.dim, side.features.extractor
    assert extractor is not None
    return extractor.dim, label_of(extractor)


def _place(argument: str, path: str | None, suffix: str) -> str | None:
    """Where a report goes, links followed; ValueError where it would replace something that is no report."""
    if path is None:
        return None
    place = Path(path).resolve()
    if not place.parent.is_dir():
        raise ValueError(f"{argument}: {path}: there is no folder {place.parent}")
    if place.exists() and not place.is_file():
        raise ValueError(f"{argument}: {path}: expected a file, this is something else")
    if place.suffix.lower() != suffix:
        raise ValueError(f"{argument}: {path}: expected a name for a report, such as report{suffix}")
    return str(place)


def _report(
    real: Side,
    fake: Side,
    train: Side | None,
    extractor: Extractor | None,
    metrics: Collection[str] | None,
    seed: int,
) -> Report:
    sides = (real.features, fake.features)
    if any(isinstance(x, Moments) for x in sides):
        value = {"FID": fid(real=real.features, fake=fake.features)}
        name, version = (extractor.name, extractor.version) if extractor else ("as given", "")
        return Report(value, name, version, real.count, fake.count)
    probabilities: list[Tensor | None] = [None, None]
    to_classes = getattr(extractor, "class_probabilities", None)
    if extractor and to_classes and "inception_score" in (metrics or METRICS):
        place = next(iter(extractor.state_dict().values())).device
        with torch.inference_mode():
            probabilities = [
                to_classes(features.to(place).float()).cpu() if side.images else None
                for side, features in zip((real, fake), sides, strict=True)
            ]
    return report(
        real=real.features,
        fake=fake.features,
        train=train.features if train else None,
        real_probabilities=probabilities[0],
        probabilities=probabilities[1],
        extractor=extractor or "as given",
        metrics=metrics,
        seed=seed,
    )
