"""`gancourse evaluate`: images that a person names, embedded once, measured, and reported.

Started by `torchrun --nproc_per_node=K -m gancourse evaluate ...` it shares the images out between processes, batch by
batch, so that every batch is computed as in one process and the numbers are the same.
"""

import hashlib
import json
import math
import os
import warnings
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from tqdm.auto import tqdm

import gancourse
from gancourse.datasets.folder import SUFFIXES
from gancourse.evaluate.sources import BATCH, Images, open_source
from gancourse.features import cache, embed, extractor_named
from gancourse.metrics import Moments, Report, fid, report
from gancourse.metrics.report import METRICS

__all__ = ["Evaluation", "Side", "evaluate"]

SHOWN = 20  # unreadable files named on the screen; the JSON report names all


@dataclass
class Side:
    """What was named as real or as fake, and what became of it."""

    name: str
    images: Any = None  # Images; None where features or moments were given
    features: Any = None  # Tensor or Moments
    positions: list[int] = field(default_factory=list)  # in `images`, of each row of `features`


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
        for side, files in self.skipped.items():
            if files:
                lines.append(f"{len(files)} {side} files were left out:\n{_listed(files)}")
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
    samples: at most so many of real and of fake; all of train, as copies could be of any. out, html: files to write, each whole or not at all,
    and never in the place of images or arrays.

    Features are kept in `cache_folder()` under the SHA-256 of the images and of the extractor's weights.
    Files that can't be used are a ValueError that names them, or are left out and reported with `skip_unreadable`.
    None in all processes but the first.
    """
    metrics = [metrics] if isinstance(metrics, str) else metrics
    unknown = set(metrics or ()) - set(METRICS)
    if unknown:
        raise ValueError(f"metrics: {', '.join(sorted(unknown))} unknown, expected {', '.join(METRICS)}")
    out, html = (_place(path) if path else None for path in (out, html))
    if out and out == html:
        raise ValueError(f"{out}: expected two files, one for the JSON and one for the page")
    with _team() as (rank, team):
        sides = [_side(name, samples, seed) for name in (real, fake)]
        sides += [_side(train, None, seed)] if train is not None else []
        if metrics is None and any(isinstance(side.features, Moments) for side in sides):
            metrics = ["fid"]
        images = [side.images for side in sides if side.images]
        extractor = _extractor(features, weights, images) if images else None
        keep_rows = set(metrics or METRICS) != {"fid"} or bool(html)
        for side in sides:
            if side.images:
                _measure(side, extractor, keep_rows=keep_rows, use_cache=use_cache, skip=skip_unreadable,
                         rank=rank, team=team)  # fmt: skip
        if rank:
            return None
    first, second, *more = sides
    third = more[0] if more else None
    found = _report(first, second, third, extractor, metrics, seed)
    result = Evaluation(found, first, second, third, seed, _notes(first, second, extractor, found))
    if out:
        cache.write(Path(out), lambda draft: draft.write_text(result.to_json(), encoding="utf-8"))
    if html:
        from gancourse.evaluate.page import page

        text = page(result)
        cache.write(Path(html), lambda draft: draft.write_text(text, encoding="utf-8"))
    return result


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


@contextmanager
def _team() -> Iterator[tuple[int, int]]:
    """(rank, number of processes), with a process group where torchrun started several."""
    team = int(os.environ.get("WORLD_SIZE", "1"))
    if team == 1:
        yield 0, 1
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpus = torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", team))
    if on_gpus:
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if on_gpus else "gloo")
    try:
        yield dist.get_rank(), team
    finally:
        dist.destroy_process_group()


def _side(name: str, samples: int | None, seed: int) -> Side:
    source = open_source(name, samples=samples, seed=seed)
    return Side(name, features=source) if isinstance(source, Tensor | Moments) else Side(name, images=source)


def _extractor(name: str, weights: str | None, images: Iterable[Images]) -> nn.Module:
    """The network, on a GPU where there is one; ValueError where it can't see these images."""
    for source in images:
        if name == "fashion" and source.shape not in ((1, 28, 28), (1, 32, 32)):
            size = " x ".join(map(str, source.shape))
            raise ValueError(
                f'{source.name}: features "fashion" see grey images of 28 x 28 (or 32 x 32 with a frame of 2 '
                f"pixels), these are {size}. Use --features inception for images of any size"
            )
    if weights is None:
        extractor = extractor_named(name)
    elif name == "inception":
        from gancourse.models import InceptionV3Features

        extractor = InceptionV3Features(weights)
    else:
        raise ValueError(f'weights: only the features "inception" take a file of weights, not "{name}"')
    return extractor.cuda() if torch.cuda.is_available() else extractor


def _measure(
    side: Side, extractor: nn.Module, *, keep_rows: bool, use_cache: bool, skip: bool, rank: int, team: int
) -> None:
    """Fill in `side.features`, from the cache or by embedding: rows (in the first process), or moments."""
    images, label = side.images, _label(extractor)
    key = _key(images, extractor, keep_rows) if use_cache and not rank else ""
    known = bool(key) and _recall(key, side)
    if team > 1:
        said = [known, images.unfit]
        dist.broadcast_object_list(said)
        known, images.unfit = said
    rows, moments = dict[int, tuple[list[int], Tensor]](), Moments(extractor.dim, extractor=label)
    if not known:
        batches = _batches(images)[rank::team]

        def work(batch: list[int]) -> tuple[list[int], Tensor]:
            positions, pixels = images.read(batch)
            if not positions or (images.unfit and not skip):  # read on, to name every unfit file
                return [], torch.empty(0, extractor.dim)
            return positions, embed(pixels, extractor, batch_size=BATCH, progress=False)

        bar = tqdm(total=sum(map(len, batches)), desc=side.name, unit="image", disable=rank > 0 or None)
        with bar, closing(_at_once(work, batches)) as results:
            for batch, (positions, found) in zip(batches, results, strict=True):
                if keep_rows:
                    rows[batch[0]] = positions, found
                elif positions:
                    moments.update(found)
                bar.update(len(batch))
        for theirs in _gathered(images.unfit, team):
            images.unfit |= theirs
    if images.unfit and not skip:
        raise _unfit(side) if not rank else SystemExit(1)
    if known:
        return
    if keep_rows:
        shares = {start: part for share in _gathered(rows, team) for start, part in share.items()}
        parts = [shares[start] for start in sorted(shares)]
        side.positions = [p for positions, _ in parts for p in positions]
        side.features = torch.cat([torch.empty(0, extractor.dim), *(found for _, found in parts)])
    else:
        side.features = moments.all_reduce() if team > 1 else moments
    if key:
        try:
            _remember(key, side)
        except OSError as error:
            warnings.warn(
                f"the features of {side.name} are not kept for the next time: {error}", stacklevel=2
            )


def _batches(images: Images) -> list[list[int]]:
    """Positions read and embedded together: `BATCH`, or fewer of images so large that those would fill memory."""
    size = max(1, min(BATCH, 2**26 // math.prod(images.shape)))
    return [batch.tolist() for batch in torch.arange(len(images)).split(size)]


def _at_once(work: Callable, batches: list[list[int]], *, most: int = 4) -> Generator:
    """`work` of each batch, in order; workers share torch's threads, each with a batch of its own.

    Opening files is a matter of one thread, and a small network gains less from a second thread than from a neighbour.
    """
    threads = torch.get_num_threads()
    workers = min(most, threads)
    share = threads // workers
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,))
    coming = deque[Future]()
    torch.set_num_threads(share)  # for the caller, who works between two batches
    try:
        for batch in batches:
            coming.append(pool.submit(work, batch))
            if len(coming) > workers:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def _gathered(mine: object, team: int) -> list:
    """Every process's object, in every process."""
    everyone = [mine] * team
    if team > 1:
        dist.all_gather_object(everyone, mine)
    return everyone


def _key(images: Images, extractor: nn.Module, keep_rows: bool) -> str:
    """A name for these images seen by this network: SHA-256 of the pixels' source and of all weights."""
    digest = hashlib.sha256(f"{images.digest()} {_label(extractor)} {keep_rows}".encode())
    for name, weight in extractor.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.cpu().numpy().tobytes())
    return digest.hexdigest()


def _recall(key: str, side: Side) -> bool:
    found = cache.recall(key)
    if found is None:
        return False
    tensors, notes = found
    if "features" in tensors:
        side.features, side.positions = tensors["features"], tensors["positions"].tolist()
        side.images.unfit |= json.loads(notes["unfit"])
    else:
        side.features = Moments.load(cache.path_of(key))
    return True


def _remember(key: str, side: Side) -> None:
    if isinstance(side.features, Tensor):
        tensors = {"features": side.features, "positions": torch.tensor(side.positions)}
        cache.keep(key, tensors, unfit=json.dumps(side.images.unfit))
    elif not side.images.unfit:  # a file of moments has no room for names
        side.features.save(cache.path_of(key))


def _label(extractor: nn.Module) -> str:
    return f"{extractor.name} {extractor.version}"


def _unfit(side: Side) -> ValueError:
    files = side.images.unfit
    return ValueError(
        f"{len(files)} files in {side.name} can't be used:\n{_listed(files)}\n"
        "Repair or remove them, or leave them out, by name, with --skip-unreadable."
    )


def _listed(files: dict[str, str]) -> str:
    lines = [f"  {name} {why}" for name, why in sorted(files.items())]
    return "\n".join(lines[:SHOWN] + [f"  and {len(lines) - SHOWN} more"] * (len(lines) > SHOWN))


def _report(
    real: Side, fake: Side, train: Side | None, extractor: Any, metrics: Collection[str] | None, seed: int
) -> Report:
    if train and not {"authenticity", "data_copying"} & set(metrics or METRICS):
        raise ValueError(
            f"train: only authenticity and data_copying look at it, not {', '.join(metrics or ())}"
        )
    if train and isinstance(train.features, Moments):
        raise ValueError("train: expected images or features, moments don't say where the samples lie")
    sides = (real.features, fake.features)
    if any(isinstance(x, Moments) for x in sides):
        if set(metrics or METRICS) != {"fid"}:
            raise ValueError('metrics: a file of moments allows "fid" only')
        counts = [x.count if isinstance(x, Moments) else len(x) for x in sides]
        value = {"FID": fid(real=real.features, fake=fake.features)}
        name, version = (extractor.name, extractor.version) if extractor else ("as given", "")
        return Report(value, name, version, *counts)
    probabilities: list[Tensor | None] = [None, None]
    if hasattr(extractor, "fc") and "inception_score" in (metrics or METRICS):
        with torch.inference_mode():
            at = extractor.fc.weight
            probabilities = [
                extractor.fc(x.to(at)).double().softmax(1).cpu() if side.images else None
                for side, x in zip((real, fake), sides, strict=True)
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


def _notes(real: Side, fake: Side, extractor: nn.Module | None, found: Report) -> list[str]:
    """What a reader must know to make nothing of these numbers that they aren't."""
    notes = []
    if getattr(extractor, "name", "") == "inception":
        notes.append(
            "inception is torchvision's network, not that of published FIDs: compare only values of this one."
        )
    given = [side.name for side in (real, fake) if not side.images]
    if given and extractor:
        notes.append(f"The features in {given[0]} are taken to come from {_label(extractor)}.")
    shapes = [" x ".join(map(str, side.images.shape)) for side in (real, fake) if side.images]
    if len(set(shapes)) > 1:
        notes.append(
            f"real images are {shapes[0]}, fake {shapes[1]}: resizing blurs them differently, and that is measured too."
        )
    dim = real.features.dim if isinstance(real.features, Moments) else real.features.shape[1]
    if "FID" in found.estimates and min(found.real, found.fake) < 2 * dim:
        notes.append(
            f"{min(found.real, found.fake)} samples are few for {dim} dimensions: most of this FID may be bias, and "
            f"from {2 * dim} of each on FID infinity would be without."
        )
    if "FID" in found.estimates and isinstance(real.features, Moments):
        notes.append(
            "From moments no error of FID is known; images or features, and a second metric (fid,kid), give one."
        )
    return notes
