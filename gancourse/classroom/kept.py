"""What grading keeps of each submission, so that nothing is graded twice and every page can be written again."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gancourse import files
from gancourse.classroom.marking import Row


@dataclass
class Kept:
    """One submission as it was marked: before partial credit, lateness and marks by hand, which may still change."""

    student: str
    chapter: str
    key: str  # digest of the file and the seed; another key means that it has to be run again
    rows: list[Row]
    answers: dict[str, str] = field(default_factory=dict)  # exercise -> code or text as handed in
    seconds: float = 0.0  # how long marking took
    handed_in: str = ""  # ISO date and time with its zone, "" where nothing is known


def place(out: Path, student: str, chapter: str) -> Path:
    """Where the marks of one submission are kept. ValueError where a name is more than one part of a path."""
    for name in (student, f"{chapter}.json"):
        if Path(name).name != name or name in ("", ".", ".."):
            raise ValueError(f"{name!r} can't name a file")
    return Path(out) / "state" / student / f"{chapter}.json"


def save(out: Path, kept: Kept) -> None:
    """Store one submission's marks, whole or not at all."""
    path = place(out, kept.student, kept.chapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, json.dumps(asdict(kept), indent=1))


def load(path: Path) -> Kept | None:
    """The marks kept in a file; None where there is none, or none that can be read: they are then made again."""
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
        return Kept(**given | {"rows": [Row(**row) for row in given["rows"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def load_all(out: Path) -> list[Kept]:
    """Everything that has been graded into `out` so far, by student and chapter."""
    found = (load(path) for path in sorted((Path(out) / "state").glob("*/*.json")))
    return [kept for kept in found if kept]


def write(path: Path, text: str) -> None:
    """Write a text file whole or not at all; what is no Unicode (a lone surrogate) is written as its escape."""
    files.write(Path(path), lambda draft: draft.write_bytes(text.encode("utf-8", "backslashreplace")))
