"""Marks that a person gives: one CSV, read and added to, never written over."""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gancourse.classroom.kept import write
from gancourse.classroom.marking import TO_READ, Row
from gancourse.classroom.tables import delimiter_of, inert, number, read_rows

COLUMNS = ("student", "chapter", "exercise", "points", "comment")
READ = "read"


@dataclass(frozen=True)
class Mark:
    """What a person gave for one answer."""

    points: float
    comment: str
    line: int


def read_marks(path: Path) -> dict[tuple[str, str, str], Mark | None]:
    """(student, chapter, exercise) -> mark, None where the points are still open; empty where there is no file.

    Semicolons and decimal commas, as spreadsheets of some countries write them, are understood.
    """
    if not Path(path).is_file():
        return {}
    marks: dict[tuple[str, str, str], Mark | None] = {}
    for line_number, line in read_rows(path, COLUMNS):
        where = f"{path}, line {line_number}"
        key = (line["student"], line["chapter"], line["exercise"])
        if key in marks:
            raise ValueError(f"{where}: {', '.join(key)} is there twice")
        given = line["points"]
        marks[key] = Mark(_points(given, where), line["comment"], line_number) if given else None
    return marks


def add_open(path: Path, rows: Iterable[Row]) -> int:
    """Add a line without points for each answer to read that has none yet; returns how many. What stands there stays."""
    known = read_marks(path)
    new = [row for row in rows if row.status == TO_READ and _key(row) not in known]
    if not new:
        return 0
    text = Path(path).read_bytes().decode() if Path(path).is_file() else ""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, delimiter=delimiter_of(text) if text else ",")
    if not text:
        writer.writerow(COLUMNS)
    writer.writerows([*_key(row), "", ""] for row in new)
    gap = "\r\n" if text and not text.endswith("\n") else ""
    write(path, text + gap + lines.getvalue())
    return len(new)


def merged(rows: Iterable[Row], marks: Mapping[tuple[str, str, str], Mark | None], path: Path) -> list[Row]:
    """The rows with the points that a person gave: those to read become read, a verdict keeps its status.

    ValueError, naming the line, where there are more points than the exercise has or no such exercise.
    """
    rows = list(rows)
    done = []
    for row in rows:
        mark = marks.get(_key(row))
        if mark is not None:
            if mark.points > row.max_points:
                raise ValueError(
                    f"{path}, line {mark.line}: points: {row.exercise} has {row.max_points:g}, got {mark.points:g}"
                )
            if row.status == TO_READ:
                row = replace(row, points=mark.points, status=READ, message=mark.comment)
            else:
                text = " ".join(part for part in (row.message, "Points given by hand.", mark.comment) if part)
                row = replace(row, points=mark.points, message=text)
        done.append(row)
    chapters = {(row.student, row.chapter) for row in rows}
    unknown = marks.keys() - {_key(row) for row in rows}
    for key in sorted(key for key in unknown if marks[key] and (key[0], key[1]) in chapters):
        raise ValueError(f"{path}, line {marks[key].line}: {key[0]} has no exercise {key[2]!r} in {key[1]}")  # type: ignore[union-attr]
    return done


def unused(rows: Iterable[Row], marks: Mapping[tuple[str, str, str], Mark | None], path: Path) -> list[str]:
    """The marks of which no row knows, in words: a name that is spelled in another way, or nothing was handed in."""
    there = {_key(row)[:2] for row in rows}
    return [
        f"{path}, line {mark.line}: not counted, {student} has handed in no {chapter}"
        for (student, chapter, _), mark in marks.items()
        if mark is not None and (student, chapter) not in there
    ]


def _key(row: Row) -> tuple[str, str, str]:
    return (str(inert(row.student)).strip(), row.chapter, row.exercise)


def _points(text: str, where: str) -> float:
    points = number(text)
    if not 0 <= points < math.inf:
        raise ValueError(f"{where}: points: expected a number, got {text!r}")
    return points
