"""A disk cache of features: a second look at the same images costs nothing."""

import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from gancourse import files


def cache_folder() -> Path:
    """`~/.cache/gancourse`, or what GANCOURSE_CACHE names. It may be deleted at any time."""
    return Path(os.environ.get("GANCOURSE_CACHE") or Path.home() / ".cache" / "gancourse")


def path_of(key: str) -> Path:
    """The file of `key`; its folder is created."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    return cache_folder() / f"{key}.safetensors"


def load(key: str) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """The tensors and notes kept under `key`; None where there are none, or none that can be read."""
    try:
        with safe_open(path_of(key), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError):
        return None


def save(key: str, tensors: dict[str, Tensor], **notes: str) -> None:
    """Keep tensors and notes under `key`, whole or not at all."""
    data = as_bytes({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, metadata=notes)
    files.write(path_of(key), lambda draft: draft.write_bytes(data))
