"""What a person can name to be measured: a folder, an array in a file, a data set, a model.

Every kind of images has a `name`, a `shape` (C, H, W) and a length; `read(positions)` gives those positions whose
images could be read, and these images; `unfit` tells of the others, file -> reason; `digest()` is a SHA-256 of
all that decides the pixels.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gancourse import models
from gancourse.datasets import ImageFolder, data_path, fashion_mnist
from gancourse.metrics import Moments
from gancourse.seeds import stream

BATCH = 256  # images read, made and embedded together, also where processes share the work
DRAWN = 10_000  # images of a model, unless told otherwise
GENERATORS = ("StyleGANGenerator", "VAE")  # the classes of models that make images
_STARTS = {".npy": (b"\x93NUMPY",), ".npz": (b"PK\3\4", b"PK\5\6")}  # else numpy takes a file for a pickle
DATASETS = ("fashion-mnist:train", "fashion-mnist:test")


class Folder:
    """Image files under a folder; see `gancourse.datasets.ImageFolder` for what is read."""

    def __init__(self, path: Path, samples: int | None, seed: int):
        try:
            self.name, self.folder = str(path), ImageFolder(path, skip_unfit=True)
        except ValueError as error:
            raise ValueError(f"{path}: {str(error).removeprefix('path: ')}") from None
        self.shape, self.unfit = self.folder.shape, dict[str, str]()
        self.chosen = _chosen(len(self.folder), samples, seed)
        self.turn = Lock()
        self._note_unfit()

    def __len__(self) -> int:
        return len(self.chosen)

    def read(self, positions: Sequence[int]) -> tuple[list[int], Tensor]:
        files = {p: self.chosen[p] for p in positions}
        with self.turn:  # threads that read at once would only hand Python's lock to and fro
            images = self.folder.read(files.values()).images
            self._note_unfit()
        return [p for p, i in files.items() if self.folder.files[i] not in self.folder.unfit], images

    def digest(self) -> str:
        files = [self.folder.files[i] for i in self.chosen]
        names = (str(file.relative_to(self.folder.path)).encode() for file in files)
        return _sha256(
            part for n, f in zip(names, files, strict=True) for part in (n, _sha256([_content(f)]).encode())
        )

    def _note_unfit(self) -> None:
        folder = self.folder.path
        self.unfit |= {str(file.relative_to(folder)): why for file, why in [*self.folder.unfit.items()]}


class Array:
    """uint8 images (N, C, H, W) or (N, H, W, C) in memory or in a mapped file."""

    def __init__(self, name: str, images: np.ndarray, samples: int | None, seed: int):
        self.name, self.images, self.unfit = name, images, dict[str, str]()
        self.chosen = _chosen(len(images), samples, seed)
        self.shape = tuple(images.shape[1:])

    def __len__(self) -> int:
        return len(self.chosen)

    def read(self, positions: Sequence[int]) -> tuple[list[int], Tensor]:
        images = self.images[[self.chosen[p] for p in positions]]
        return list(positions), torch.from_numpy(np.ascontiguousarray(images))

    def digest(self) -> str:
        batches = torch.arange(len(self)).split(BATCH)
        pixels = (self.read(batch.tolist())[1].numpy().tobytes() for batch in batches)
        return _sha256([str(self.shape).encode(), *pixels])


class Model:
    """Images that a generator makes, each batch from a seed of its own, so that any can be made again alone.

    The 2-pixel frame that the course's grey 32 x 32 networks work in is cropped: data are 28 x 28.
    """

    def __init__(self, path: Path, samples: int | None, seed: int):
        self.name, self.path, self.unfit = path.stem, path, dict[str, str]()
        self.count, self.seed = samples or DRAWN, seed
        self.model = models.load(path if path.parent != data_path("models") else path.stem)
        if not hasattr(self.model, "z_dim"):
            raise ValueError(f"{self.name} makes no images: expected a generator ({', '.join(generators())})")
        batches = -(-self.count // BATCH)
        random = stream(seed)
        self.seeds = torch.randint(2**31, (batches,), generator=random).tolist()
        self.shape = tuple(self._made(0, 1).shape[1:])

    def __len__(self) -> int:
        return self.count

    def read(self, positions: Sequence[int]) -> tuple[list[int], Tensor]:
        parts = []
        for batch, wanted in groupby(positions, key=lambda p: p // BATCH):
            made = self._made(batch, min(BATCH, self.count - batch * BATCH))
            parts.append(made[[p - batch * BATCH for p in wanted]])
        return list(positions), torch.cat(parts)

    def digest(self) -> str:
        return _sha256([self.path.read_bytes(), f"{self.count} images from seed {self.seed}".encode()])

    def _made(self, batch: int, count: int) -> Tensor:
        images = models.sample(self.model, count, seed=self.seeds[batch], batch_size=BATCH)
        return images[..., 2:30, 2:30] if images.shape[1:] == (1, 32, 32) else images


Images = Folder | Array | Model


def open_source(name: str, *, samples: int | None = None, seed: int = 0) -> Images | Tensor | Moments:
    """What `name` stands for: images, or features (N, D) or Moments that were computed before.

    A folder of images; a .npy, .npz or .safetensors file of uint8 images or of features; a file that `Moments.save`
    or `gancourse.models.save` wrote; one of `DATASETS`; a shipped model. `samples` takes that many at random by `seed`
    where there are more; of a model it makes that many. ValueError for anything else, with what came.
    """
    path = Path(name)
    if samples is not None and samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    if path.is_dir():
        return Folder(path, samples, seed)
    if path.is_file():
        return _file(path, samples, seed)
    if name in DATASETS:
        return Array(name, fashion_mnist(name.partition(":")[2]).images.numpy(), samples, seed)
    if name in models.names():
        return Model(data_path("models", f"{name}.safetensors"), samples, seed)
    if message := missing_models():
        raise ValueError(f"{name}: {message}")
    raise ValueError(
        f"{name}: there is no such folder or file, nor a data set ({', '.join(DATASETS)}) or model "
        f"({', '.join(generators())}) of that name"
    )


def missing_models() -> str:
    """What to do where the course's models are not where they should be, "" where they are."""
    message = f"there are no models in {data_path('models')}: unset GANCOURSE_DATA, or see `gancourse doctor`"
    return "" if models.names() else message


def generators() -> list[str]:
    """The shipped models that make images."""

    def kind(name: str) -> str:
        with safe_open(data_path("models", f"{name}.safetensors"), framework="np") as file:
            return (file.metadata() or {}).get("class", "")

    return [name for name in models.names() if kind(name) in GENERATORS]


def _file(path: Path, samples: int | None, seed: int) -> Images | Tensor | Moments:
    try:
        with open(path, "rb") as file:
            start = file.read(6)
        if not start.startswith(_STARTS.get(path.suffix, b"")):
            raise ValueError("it is empty" if not start else "it is damaged, or no file of numpy's")
        if path.suffix == ".npy":
            arrays = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False)}
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as packed:
                arrays = {key: packed[key] for key in packed.files}
        elif path.suffix == ".safetensors":
            with safe_open(path, framework="np") as tensors:
                if "class" in (tensors.metadata() or {}):
                    return Model(path, samples, seed)
                if "scatter" in tensors.keys():  # noqa: SIM118
                    return Moments.load(path)
                arrays = {key: tensors.get_tensor(key) for key in tensors.keys()}  # noqa: SIM118
        else:
            raise ValueError("expected a folder of images, or a .npy, .npz or .safetensors file")
    except TypeError as error:  # of numbers that numpy doesn't have
        raise ValueError(f"{path} can't be read: {error}: save it as float32") from None
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        SafetensorError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        message = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path} can't be read: {message}") from None
    named = [arrays[key] for key in ("images", "features") if key in arrays] or [*arrays.values()]
    if len(named) != 1:
        raise ValueError(
            f"{path}: expected one array, or one called images or features, got {', '.join(arrays) or 'none'}"
        )
    x = named[0]
    if not len(np.atleast_1d(x)):
        raise ValueError(f"{path}: holds no images or features, its shape is {x.shape}")
    if (
        x.dtype == np.uint8
        and x.ndim in (3, 4)
        and x.shape[-1] in (1, 3)
        and (x.ndim == 3 or x.shape[1] in (1, 3))
    ):
        raise ValueError(
            f"{path}: shape {x.shape} can be read in two ways; expected (N, C, H, W) or (N, H, W, C) with an N of its own"
        )
    if x.ndim == 2 and x.dtype.kind == "f":
        rows = x[_chosen(len(x), samples, seed)]
        known = rows.dtype in (np.float16, np.float32, np.float64)
        return torch.from_numpy(rows if known else rows.astype(np.float64))
    if x.dtype == np.uint8 and x.ndim == 3:
        return Array(str(path), x[:, None], samples, seed)
    if x.dtype == np.uint8 and x.ndim == 4 and x.shape[1] in (1, 3):
        return Array(str(path), x, samples, seed)
    if x.dtype == np.uint8 and x.ndim == 4 and x.shape[3] in (1, 3):
        return Array(str(path), x.transpose(0, 3, 1, 2), samples, seed)
    raise ValueError(
        f"{path}: expected uint8 images (N, C, H, W) or (N, H, W, C), C 1 or 3, or floating-point features (N, D), "
        f"got {x.dtype} of shape {x.shape}"
    )


def _chosen(count: int, samples: int | None, seed: int) -> list[int]:
    if samples is None or samples >= count:
        return list(range(count))
    return sorted(torch.randperm(count, generator=stream(seed))[:samples].tolist())


def _content(file: Path) -> bytes:
    """A file's bytes; none of one that can't be read: that is told of when its turn comes."""
    try:
        return file.read_bytes() if file.is_file() else b""
    except OSError:
        return b""


def _sha256(parts) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
