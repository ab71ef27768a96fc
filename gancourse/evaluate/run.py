"""One evaluation from names to report."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import gancourse
from gancourse import files
from gancourse.datasets.folder import SUFFIXES
from gancourse.evaluate.embedding import Extractor, Side, listed, measure, network, opened
from gancourse.evaluate.notes import notes_on
from gancourse.evaluate.team import team
from gancourse.metrics import Moments, Report, fid, report
from gancourse.metrics.report import LEAST, METRICS


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
    features: str = "fashion",
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
    features: "fashion", "inception" (with `weights`, or what can be found) or "inception-fid". metrics: some of
    `METRICS`; None is all that the input allows. For "fid" alone only moments are kept, so that memory doesn't grow
    with the number of images (and no standard error is known); otherwise the features are, never the images.
    samples: at most so many of real and of fake; all of train, as copies could be of any. out, html: files to write,
    each whole or not at all, and never in the place of images or arrays.

    Features are kept in `cache_folder()` under the SHA-256 of the images and of the extractor's weights.
    Files that can't be used are a ValueError that names them, or are left out and reported with `skip_unreadable`.
    None in all processes but the first.
    """
    metrics = [metrics] if isinstance(metrics, str) else metrics
    unknown = set(metrics or ()) - set(METRICS)
    if unknown:
        raise ValueError(f"--metrics: {', '.join(sorted(unknown))} unknown, expected {', '.join(METRICS)}")
    out, html = (_place(path) if path else None for path in (out, html))
    if out and out == html:
        raise ValueError(f"{out}: expected two files, one for the JSON and one for the page")
    with team() as (rank, size):
        sides = [opened(role, name, samples, seed) for role, name in (("real", real), ("fake", fake))]
        sides += [opened("train", train, None, seed)] if train is not None else []
        if metrics is None and any(isinstance(side.features, Moments) for side in sides):
            metrics = ["fid"]
        images = [side.images for side in sides if side.images]
        extractor = network(features, weights, images) if images else None
        keep_rows = set(metrics or METRICS) != {"fid"} or bool(html)
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


def _place(path: str) -> str:
    """Where a report goes, links followed; ValueError where it would replace something that is no report."""
    place = Path(path).resolve()
    if not place.parent.is_dir():
        raise ValueError(f"{path}: there is no folder {place.parent}")
    if place.suffix.lower() in (*SUFFIXES, ".npy", ".npz", ".safetensors"):
        raise ValueError(
            f"{path}: expected a name for a report, such as report.json, not one of images or arrays"
        )
    if place.exists() and not place.is_file():
        raise ValueError(f"{path}: expected a file, this is something else")
    return str(place)


def _report(
    real: Side,
    fake: Side,
    train: Side | None,
    extractor: Extractor | None,
    metrics: Collection[str] | None,
    seed: int,
) -> Report:
    if train and not {"authenticity", "data_copying"} & set(metrics or METRICS):
        raise ValueError(
            f"--train: only authenticity and data_copying look at it, not {', '.join(metrics or ())}"
        )
    if train and isinstance(train.features, Moments):
        raise ValueError("--train: expected images or features, moments don't say where the samples lie")
    sides = (real.features, fake.features)
    if any(isinstance(x, Moments) for x in sides):
        if set(metrics or METRICS) != {"fid"}:
            raise ValueError('--metrics: a file of moments allows "fid" only')
        value = {"FID": fid(real=real.features, fake=fake.features)}
        name, version = (extractor.name, extractor.version) if extractor else ("as given", "")
        return Report(value, name, version, real.count, fake.count)
    for side in (real, fake):
        if side.count < LEAST:
            raise ValueError(
                f"--{side.role} {side.name}: expected at least {LEAST} samples, got {side.count}"
            )
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
