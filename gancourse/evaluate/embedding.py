"""From the images that were named to their features: read once, embedded once, kept for the next time."""

import hashlib
import json
import math
import warnings
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor
from tqdm.auto import tqdm

from gancourse.evaluate.sources import BATCH, Images, missing_models, open_source
from gancourse.evaluate.team import gathered
from gancourse.features import cache, embed, extractor_named
from gancourse.metrics import Moments
from gancourse.threads import at_once

SHOWN = 20  # unreadable files named on the screen; the JSON report names all


class Extractor(Protocol):
    """A network that makes features of images, and probabilities of classes out of these where it has classes."""

    name: str
    version: str
    dim: int

    def __call__(self, images: Tensor) -> Tensor: ...
    def state_dict(self) -> dict[str, Tensor]: ...


@dataclass
class Side:
    """What was named as real, fake or train, and what became of it."""

    role: str  # the option that names it: "real", "fake" or "train"
    name: str
    images: Any = None  # Images; None where features or moments were given
    features: Any = None  # Tensor or Moments; None until `measure` has filled it in
    positions: list[int] = field(default_factory=list)  # in `images`, of each row of `features`

    @property
    def count(self) -> int:
        """How many samples its features are of, or of how many images they will be made."""
        if self.features is None:
            return len(self.images)
        return self.features.count if isinstance(self.features, Moments) else len(self.features)

    def __str__(self) -> str:
        return f"{self.role} {self.name}"


def opened(role: str, name: str, samples: int | None, seed: int) -> Side:
    """The side that an option names, not yet measured."""
    try:
        source = open_source(name, samples=samples, seed=seed)
    except ValueError as error:
        raise ValueError(f"{role} {error}") from None
    given = isinstance(source, Tensor | Moments)
    return Side(role, name, features=source) if given else Side(role, name, images=source)


def network(name: str, weights: str | None, sides: Iterable[Side]) -> Extractor:
    """The network, on a GPU where there is one; ValueError where it can't see these sides' images."""
    for side in sides:
        shape = side.images.shape
        if name == "fashion" and shape not in ((1, 28, 28), (1, 32, 32)):
            size = " x ".join(map(str, shape))
            grey = 'If they are grey images saved in colour, save them anew with one channel (Pillow: convert("L")). '
            raise ValueError(
                f'{side}: features "fashion" see grey images of 28 x 28 (or 32 x 32 with a frame of 2 '
                f"pixels), these are {size}. {grey * (shape[0] == 3 and shape[1] in (28, 32))}"
                "Use --features inception for images of any size"
            )
    if name == "fashion" and (message := missing_models()):
        raise ValueError(message)
    if weights is None:
        extractor = extractor_named(name)
    elif name == "inception":
        from gancourse.models import InceptionV3Features

        try:
            extractor = InceptionV3Features(weights)
        except ValueError as error:
            raise ValueError(f"weights: {str(error).removeprefix('weights: ')}") from None
    else:
        raise ValueError(f'weights: only the features "inception" take a file of weights, not "{name}"')
    return extractor.cuda() if torch.cuda.is_available() else extractor


def measure(
    side: Side, extractor: Extractor, *, keep_rows: bool, use_cache: bool, skip: bool, rank: int, team: int
) -> None:
    """Fill in `side.features`, from the cache or by embedding: rows (in the first process), or moments.

    Rows that an earlier run kept are taken where only moments are needed.
    """
    images, label = side.images, label_of(extractor)
    keys = _keys(images, extractor) if use_cache and not rank else {}
    known = any(_recall(key, side) for rows, key in keys.items() if rows or not keep_rows)
    if team > 1:
        shared = [known, images.unfit]
        dist.broadcast_object_list(shared)
        known, images.unfit = shared
    rows, moments = dict[int, tuple[list[int], Tensor]](), Moments(extractor.dim, extractor=label)
    if not known:
        batches = batches_of(images)[rank::team]

        def work(batch: list[int]) -> tuple[list[int], Tensor]:
            positions, pixels = images.read(batch)
            if not positions or (images.unfit and not skip):  # read on, to name every unfit file
                return [], torch.empty(0, extractor.dim)
            return positions, embed(pixels, extractor, batch_size=BATCH, progress=False)

        bar = tqdm(total=sum(map(len, batches)), desc=side.name, unit="image", disable=rank > 0 or None)
        with bar, closing(at_once(work, batches, most=4)) as results:
            for batch, (positions, found) in zip(batches, results, strict=True):
                if keep_rows:
                    rows[batch[0]] = positions, found
                elif positions:
                    moments.update(found)
                bar.update(len(batch))
        for theirs in gathered(images.unfit, team):
            images.unfit |= theirs
    if images.unfit and not skip:
        raise _unfit(side) if not rank else SystemExit(1)
    if known:
        return
    if keep_rows:
        shares = {start: part for share in gathered(rows, team) for start, part in share.items()}
        parts = [shares[start] for start in sorted(shares)]
        side.positions = [p for positions, _ in parts for p in positions]
        side.features = torch.cat([torch.empty(0, extractor.dim), *(found for _, found in parts)])
    else:
        side.features = moments.all_reduce() if team > 1 else moments
    if keys:
        try:
            _keep(keys[keep_rows], side)
        except OSError as error:
            warnings.warn(
                f"the features of {side.name} are not kept for the next time: {error}", stacklevel=2
            )


def batches_of(images: Images) -> list[list[int]]:
    """Positions read and embedded together: `BATCH`, or fewer of images so large that those would fill memory."""
    size = max(1, min(BATCH, 2**26 // math.prod(images.shape)))
    return [batch.tolist() for batch in torch.arange(len(images)).split(size)]


def _keys(images: Images, extractor: Extractor) -> dict[bool, str]:
    """Names for these images seen by this network, kept as rows (True) and as moments (False).

    SHA-256 of all that decides the pixels and of all weights.
    """
    digest = hashlib.sha256(f"{images.digest()} {label_of(extractor)}".encode())
    for name, weight in extractor.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.cpu().numpy().tobytes())
    return {True: f"{digest.hexdigest()}-rows", False: f"{digest.hexdigest()}-moments"}


def _recall(key: str, side: Side) -> bool:
    """Fill in a side from what an earlier run kept under `key`; whether there was anything."""
    found = cache.load(key)
    if found is None:
        return False
    tensors, notes = found
    if "features" in tensors:
        side.features, side.positions = tensors["features"], tensors["positions"].tolist()
        side.images.unfit |= json.loads(notes["unfit"])
    else:
        side.features = Moments.load(cache.path_of(key))
    return True


def _keep(key: str, side: Side) -> None:
    """Keep a side's features for the next run."""
    if isinstance(side.features, Tensor):
        tensors = {"features": side.features, "positions": torch.tensor(side.positions)}
        cache.save(key, tensors, unfit=json.dumps(side.images.unfit))
    elif not side.images.unfit:  # a file of moments has no room for names
        side.features.save(cache.path_of(key))


def label_of(extractor: Extractor) -> str:
    return f"{extractor.name} {extractor.version}"


def _unfit(side: Side) -> ValueError:
    files = side.images.unfit
    return ValueError(
        f"{side}: {len(files)} file{'s' * (len(files) != 1)} can't be used:\n{listed(files)}\n"
        "Repair or remove them, or leave them out, by name, with --skip-unreadable."
    )


def listed(files: dict[str, str]) -> str:
    lines = [f"  {name} {why}" for name, why in sorted(files.items())]
    return "\n".join(lines[:SHOWN] + [f"  and {len(lines) - SHOWN} more"] * (len(lines) > SHOWN))
