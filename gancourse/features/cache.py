"""Features once computed, on disk: a second look at the same images costs nothing."""

import os
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor


def cache_folder() -> Path:
    """`~/.cache/gancourse`, or what GANCOURSE_CACHE names. It may be deleted at any time."""
    return Path(os.environ.get("GANCOURSE_CACHE") or Path.home() / ".cache" / "gancourse")


def path_of(key: str) -> Path:
    """The file that `key` names; its folder is made."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    return cache_folder() / f"{key}.safetensors"


def recall(key: str) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """The tensors and notes kept under `key`; None where there are none, or none that can be read."""
    try:
        with safe_open(path_of(key), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError):
        return None


def keep(key: str, tensors: dict[str, Tensor], **notes: str) -> None:
    """Keep tensors and notes under `key`, whole or not at all."""
    data = save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, metadata=notes)
    write(path_of(key), lambda draft: draft.write_bytes(data))


def write(path: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a draft beside `path` and put it in its place: whoever reads finds the old file or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        fill(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
