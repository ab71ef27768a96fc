"""A reader's working copy of the notebooks: made once, renewed without ever touching what the reader changed."""

import hashlib
import json
import re
from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks

_GIVEN = ".gancourse.json"  # in the working copy: which version of each notebook the reader was given
_BACKUP = "backup"


def start(folder: Path, *, solved: bool = False) -> Path:
    """Copy the students' notebooks, or the `solved` ones, into a new folder.

    A folder that holds anything raises FileExistsError.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        ours = (folder / _GIVEN).is_file()
        or_else = f", or bring it up to date with `gancourse update {folder}`" * ours
        raise FileExistsError(f"{folder} exists already: name a new folder{or_else}")
    folder.mkdir(parents=True, exist_ok=True)
    _renew(folder, solved, {})
    return folder


def here() -> Path:
    """The working copy that a command means when none is named: the current folder if it is one, else my-course."""
    return Path(".") if Path(_GIVEN).is_file() else Path("my-course")


def update(folder: Path) -> list[tuple[str, str]]:
    """Bring new and changed chapters into a working copy; returns (file, what happened), unchanged ones left out.

    A notebook counts as edited when a cell's source differs from what was given: running cells is no edit. Where an
    edited notebook has a new version, that is laid beside it as `NN_name.new.ipynb`. A deleted one comes back.
    """
    folder = Path(folder)
    try:
        solved, given = _given(folder)
    except (ValueError, KeyError, TypeError):
        notice = (_GIVEN, "it was damaged; every notebook that differs was taken for edited and stays")
        return [notice, *_renew(folder, False, {})]
    return _renew(folder, solved, given)


def _renew(folder: Path, solved: bool, given: dict[str, str | None]) -> list[tuple[str, str]]:
    source = notebooks.folder() / "solutions" if solved else notebooks.folder()
    changes = []
    for path in sorted(source.glob("[0-9][0-9]_*.ipynb")):
        name, current = path.name, _digest(path)
        if (folder / name).is_dir():
            raise ValueError(f"{folder / name} is a folder, where a notebook belongs: move it away")
        mine, before = _digest(folder / name), given.get(name)
        if mine is None or (mine == before and before != current):
            notebooks.write(folder / name, path.read_text(encoding="utf-8"))
            changes.append((name, "new" if mine is None else "updated"))
        elif mine != current and before != current:
            beside = _free(folder, path.stem, current)
            notebooks.write(folder / beside, path.read_text(encoding="utf-8"))
            changes.append((beside, f"new version of {name}, which you have edited"))
        given[name] = current
    record = {"solved": solved, "given": given}
    (folder / _GIVEN).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    return changes


def reset(exercise: str, folder: Path) -> tuple[Path, Path | None]:
    """Restore the answer cell of an exercise ("03.2") as it was given; returns (notebook, file with the old text).

    An answer cell that was deleted comes back where it stood. Where nothing of the reader's stood in the cell, no
    file is written and the second is None.
    """
    folder = Path(folder)
    chapter, _, n = exercise.partition(".")
    if not re.fullmatch("[0-9]{1,2}", chapter):
        raise ValueError(f"exercise: expected a number such as 03.2, got {exercise!r}")
    chapter = chapter.zfill(2)
    id = f"answer-{chapter}-{n}"
    paths = sorted(notebooks.folder().glob(f"{chapter}_*.ipynb"))
    original = {_name(cell): cell for path in paths[:1] for cell in notebooks.read(path)["cells"]}
    if id not in original:
        numbers = ", ".join(f"{chapter}.{key.split('-')[2]}" for key in original if roles.is_answer_id(key))
        there = f"{exercise}: chapter {chapter} has {numbers or 'none'}" if paths else f"chapter {chapter}"
        raise ValueError(f"exercise: there is no {there}")
    target = folder / paths[0].name
    if not folder.is_dir():
        raise FileNotFoundError(
            f"folder: there is no folder {folder}: `gancourse start {folder}` makes a working copy"
        )
    if not target.is_file():
        raise FileNotFoundError(f"there is no file {target}: `gancourse update {folder}` brings it")
    try:
        mine = notebooks.read(target)
    except ValueError as error:
        raise ValueError(f"{error}: move it away, and `gancourse update {folder}` brings a new one") from None
    fresh = {k: v for k, v in original[id].items() if k != "id" or mine.get("nbformat_minor", 0) >= 5}
    names = [_name(cell) for cell in mine["cells"]]
    old = [cell["source"] for cell in mine["cells"] if _name(cell) == id]
    written = any(source.strip() not in ("", fresh["source"].strip()) for source in old)
    backup = _backup(folder, id, "".join(f"{source}\n" for source in old)) if written else None
    if id in names:
        index = names.index(id)
        mine["cells"][index] = fresh
    else:
        order = list(original)
        before = [names.index(name) + 1 for name in order[: order.index(id)] if name in names]
        mine["cells"].insert(max(before, default=0), fresh)
    notebooks.write(target, mine)
    return target, backup


def _given(folder: Path) -> tuple[bool, dict[str, str | None]]:
    """Whether a working copy is of the solved notebooks, and the digest of each notebook as it was given.

    ValueError, KeyError or TypeError where that record is damaged.
    """
    if not (folder / _GIVEN).is_file():
        name = "NEW_FOLDER" if folder.exists() else folder
        raise FileNotFoundError(f"{folder} is no working copy: `gancourse start {name}` makes one")
    record = json.loads((folder / _GIVEN).read_text())
    if "given" in record:
        return bool(record["solved"]), dict(record["given"])
    return False, dict(record)  # as the first working copies have it


def _digest(path: Path) -> str | None:
    """Digest of the cells' sources; None without a file, "unreadable" for what is no notebook."""
    if not path.is_file():
        return None
    try:
        sources = [(cell["cell_type"], cell["source"]) for cell in notebooks.read(path)["cells"]]
    except ValueError:
        return "unreadable"
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def _free(folder: Path, stem: str, digest: str | None) -> str:
    names = (f"{stem}.new{n if n > 1 else ''}.ipynb" for n in range(1, 10**6))
    return next(name for name in names if _digest(folder / name) in (None, digest))


def _name(cell: dict) -> str:
    return cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") or cell.get("id", "")


def _backup(folder: Path, id: str, old: str) -> Path:
    if (folder / _BACKUP).is_file():
        raise ValueError(f"{folder / _BACKUP} is a file, so your text can't be kept there: rename it")
    (folder / _BACKUP).mkdir(exist_ok=True)
    taken = len(list((folder / _BACKUP).glob(f"{id}.*.py")))
    path = folder / _BACKUP / f"{id}.{taken + 1}.py"
    path.write_text(old, encoding="utf-8")
    return path
