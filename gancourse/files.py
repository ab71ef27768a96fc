"""Where the course's data lies, whether it is whole, and how a file is written whole or not at all."""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(*parts: str) -> Path:
    """The path of a file or folder in the course's `data` folder; it need not exist.

    `data` lies inside the installed package, or beside the package in a checkout. The environment variable
    `GANCOURSE_DATA` names another folder instead.
    """
    named = os.environ.get("GANCOURSE_DATA")
    if named:
        return Path(named, *parts)
    installed = _PACKAGE / "data"
    return (installed if installed.is_dir() else _PACKAGE.parent / "data").joinpath(*parts)


def verified(path: Path) -> Path:
    """`path` itself, once its bytes agree with the SHA-256 that `data/SHA256SUMS` lists for it.

    Raises FileNotFoundError where the file is missing, ValueError where it is damaged or not listed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {remedy(path)}")
    expected = _checksums().get(_listed_name(path))
    if expected is None:
        raise ValueError(
            f"{path} is not listed in {data_path('SHA256SUMS')}, so nothing says that it is whole."
        )
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != expected:
        size = path.stat().st_size
        raise ValueError(
            f"{path} is corrupted: its {size} bytes have SHA-256 {got}, expected {expected}. {remedy(path)}"
        )
    return path


def remedy(path: Path) -> str:
    """How to get a shipped file back, as the last sentence of an error."""
    return (
        f"Restore it with `git checkout -- data/{_listed_name(path)}` in a checkout of the course, "
        "or by installing gancourse again."
    )


def write(path: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write a draft beside `path` and put it in its place: whoever reads finds the old file or the new one.

    Threads and processes may write one path at a time. The draft's name is short, whatever the file's is.
    """
    draft = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        fill(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _listed_name(path: Path) -> str:
    """The name of `path` as SHA256SUMS writes it: relative to `data`, with forward slashes."""
    path, root = path.resolve(), data_path().resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _checksums() -> dict[str, str]:
    """Name -> SHA-256, read from `data/SHA256SUMS` (the format of the `sha256sum` command)."""
    sums = data_path("SHA256SUMS")
    if not sums.is_file():
        raise FileNotFoundError(f"{sums} is missing. {remedy(sums)}")
    pairs = (line.split(maxsplit=1) for line in sums.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name.strip().lstrip("*"): digest for digest, name in pairs}
