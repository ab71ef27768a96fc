"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747), read from the four official files."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from gancourse.datasets.images import ImageSet
from gancourse.files import data_path, remedy, verified

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_SPLITS = {"train": ("train", 60_000), "test": ("t10k", 10_000)}


def fashion_mnist(split: str) -> ImageSet:
    """The 60,000 images of "train" or the 10,000 of "test" as an ImageSet: grey, 28 x 28, ten balanced classes.

    FileNotFoundError for a missing file; ValueError for another split, or a truncated or corrupted file.
    """
    if split not in _SPLITS:
        raise ValueError(f'split: expected "train" or "test", got {split!r}')
    prefix, n = _SPLITS[split]
    images = _read_idx(data_path("fashion-mnist", f"{prefix}-images-idx3-ubyte.gz"), (n, 28, 28))
    labels = _read_idx(data_path("fashion-mnist", f"{prefix}-labels-idx1-ubyte.gz"), (n,))
    return ImageSet(images[:, None], labels.long(), CLASSES)


def _read_idx(path: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """The array in a gzipped idx file: two zero bytes, type 8 (uint8), rank, big-endian sizes, then the values."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {remedy(path)}")
    try:
        raw = gzip.decompress(path.read_bytes())
    except EOFError:
        raise ValueError(f"{path} is truncated: gzip ends too early. {remedy(path)}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is corrupted: {error}. {remedy(path)}") from None
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    if raw[: len(header)] != header:
        raise ValueError(
            f"{path} is not the idx file of {' x '.join(map(str, shape))} bytes: "
            f"it starts with {raw[: len(header)].hex()}, expected {header.hex()}. {remedy(path)}"
        )
    expected = len(header) + int(np.prod(shape))
    if len(raw) != expected:
        raise ValueError(f"{path} holds {len(raw)} bytes unpacked, expected {expected}. {remedy(path)}")
    verified(path)
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=len(header)).reshape(shape).copy())
