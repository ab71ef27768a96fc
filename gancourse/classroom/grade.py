"""`gancourse grade`: a folder of submissions in, a gradebook out."""

import csv
import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tqdm.auto import tqdm

from gancourse.classroom import notebooks, sandbox
from gancourse.classroom.marking import NOT_GRADED, NotRun, Row, mark


def grade(
    submissions: Path,
    out: Path,
    *,
    jobs: int = 1,
    cell_seconds: int = 60,
    limits: sandbox.Limits | None = None,
) -> list[Row]:
    """Grade submissions/<student>/<chapter>.ipynb into out/gradebook.csv and out/summary.csv; returns the gradebook.

    A submission that was graded before, with the same bytes, is not run again: an interrupted run goes on where it was.
    The secret seed is drawn once and kept in out/seed.
    """
    submissions, out = Path(submissions).resolve(), Path(out).resolve()
    if not submissions.is_dir():
        raise ValueError(f"submissions: {submissions} is not a folder")
    paths = sorted(p for p in submissions.glob("*/*.ipynb") if not p.name.startswith("."))
    if not paths:
        raise ValueError(f"submissions: there is no <student>/<chapter>.ipynb in {submissions}")
    if out.is_relative_to(submissions):
        raise ValueError(
            f"out: {out} lies inside the submissions; students could be shown each other's grades"
        )
    (out / "state").mkdir(parents=True, exist_ok=True)
    seed = _seed(out / "seed")
    confine = sandbox.confined()
    if not confine:
        print(
            "bubblewrap is not here: submissions run with limits, but can read your files and use the network."
        )

    def one(path: Path) -> list[Row]:
        state = out / "state" / path.parent.name / f"{path.stem}.json"
        key = hashlib.sha256(_bytes(path) + str(seed).encode()).hexdigest()
        if (rows := _graded_before(state, key)) is None:
            hidden = [submissions, out, notebooks.folder(), notebooks.folder().parent / ".git"]
            try:
                rows = mark(path, seed, hidden, cell_seconds, limits or sandbox.Limits(), confine)
            except NotRun as error:  # nothing is stored: the next run tries again
                return [
                    Row(path.parent.name, path.stem, "", 0, 0, NOT_GRADED, f"no notebook runs here: {error}")
                ]
            state.parent.mkdir(exist_ok=True)
            _write(state, json.dumps({"key": key, "rows": [asdict(row) for row in rows]}, indent=1))
        return rows

    with ThreadPoolExecutor(jobs) as pool:
        done = tqdm(
            pool.map(one, paths), total=len(paths), desc="grading", unit="notebook", disable=len(paths) < 3
        )
        rows = [row for rows in done for row in rows]
    _write_csv(
        out / "gradebook.csv", list(Row.__dataclass_fields__), ([*asdict(row).values()] for row in rows)
    )
    _write_csv(out / "summary.csv", *summary(rows))
    return rows


def summary(rows: list[Row]) -> tuple[list[str], list[list]]:
    """One row a student: points in each chapter and in all."""
    chapters = sorted({row.chapter for row in rows})
    table = []
    for student in sorted({row.student for row in rows}):
        own = [row for row in rows if row.student == student]
        points = [sum(row.points for row in own if row.chapter == chapter) for chapter in chapters]
        table.append([student, *points, sum(points), sum(row.max_points for row in own)])
    return ["student", *chapters, "points", "max_points"], table


def _seed(path: Path) -> int:
    if not path.exists():
        _write(path, str(secrets.randbits(32)))
    return int(path.read_text())


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def _graded_before(state: Path, key: str) -> list[Row] | None:
    if not state.is_file():
        return None
    kept = json.loads(state.read_text(encoding="utf-8"))
    return [Row(**row) for row in kept["rows"]] if kept["key"] == key else None


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    shutil.move(unfinished, path)


def _write_csv(path: Path, header: list[str], rows: Iterable[list]) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    with open(unfinished, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([_inert(value) for value in row] for row in rows)
    shutil.move(unfinished, path)


def _inert(value):
    """Text that a spreadsheet will not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
