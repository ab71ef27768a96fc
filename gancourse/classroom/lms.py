"""Points into the gradebook files that Canvas and Moodle export: columns, order and every other cell stay as they are."""

import csv
import html
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gancourse.classroom.kept import write
from gancourse.classroom.marking import MISSING, NOT_GRADED, TO_READ, Row
from gancourse.classroom.tables import delimiter_of, inert, number, read_text

# What names a person, by export; compared with the names of the submissions' folders, letter by letter.
IDENTITIES = {
    "canvas": ("SIS Login ID", "SIS User ID", "ID", "Integration ID", "Student"),
    "moodle": ("Email address", "ID number", "Identifier", "Username", "Full name"),
}
GRADE, MAXIMUM, COMMENTS = "Grade", "Maximum Grade", "Feedback comments"  # of Moodle's grading worksheet


@dataclass(frozen=True)
class Export:
    """A gradebook file as it was exported: "canvas" or "moodle", its cells, and how they were written."""

    kind: str
    path: Path
    header: list[str]
    lines: list[list[str]]
    bom: str
    delimiter: str
    newline: str


def read_export(path: Path) -> Export:
    """The exported gradebook in `path`; ValueError where it is neither Canvas's nor Moodle's.

    Moodle's may be the grading worksheet of one assignment or the export of all grades.
    """
    text = read_text(path)
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(bom)
    delimiter = delimiter_of(text)
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    header = table[0] if table else []
    if {"Student", "ID"} <= set(header):
        kind = "canvas"
    elif set(IDENTITIES["moodle"]) & set(header):
        kind = "moodle"
    else:
        raise ValueError(
            f"{path} is no export of Canvas (columns Student, ID) or Moodle (Email address or ID number); "
            f"its columns are: {', '.join(header)}"
        )
    newline = "\r\n" if "\r\n" in text else "\n"
    return Export(kind, Path(path), header, table[1:], bom, delimiter, newline)


def check(export: Export, best: Mapping[str, float]) -> None:
    """ValueError where the export has no columns for these chapters, or counts from another maximum than theirs."""
    for chapter, column in _columns(export, sorted(best)).items():
        _same_maximum(export, chapter, column, best[chapter])


def write_filled(out: Path, export: Export, rows: Iterable[Row]) -> list[str]:
    """Write out/<name of the checked export> with the points filled in; returns what could not be filled in, in words.

    The rows' messages go into Moodle's comments, so they are those that students may read (`feedback.for_student`).
    Nothing handed in, not graded, or still to be read by a person: these cells stay as they were.
    """
    rows = list(rows)
    lines = [list(line) for line in export.lines]
    columns = _columns(export, sorted({row.chapter for row in rows}))
    people = _people(export)
    notes = []
    for chapter, column in columns.items():
        own = [row for row in rows if row.chapter == chapter]
        waiting = 0
        for student in sorted({row.student for row in own}):
            theirs = [row for row in own if row.student == student]
            statuses = {row.status for row in theirs}
            if statuses == {MISSING}:
                continue
            line_number = _line_of(student, people)
            if line_number is None:
                notes.append(f"{export.path.name}: there is no {student} in it, or several")
            elif statuses & {NOT_GRADED, TO_READ}:
                waiting += 1
            else:
                line = lines[line_number]
                line[column] = f"{sum(row.points for row in theirs):g}"
                if COMMENTS in export.header:
                    line[export.header.index(COMMENTS)] = _comment(theirs)
        if waiting:
            notes.append(
                f"{export.path.name}: {waiting} of {chapter} left as they were, not all is marked yet"
            )
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=export.delimiter, lineterminator=export.newline)
    writer.writerows([export.header, *lines])
    write(Path(out) / f"{export.kind}-{export.path.name}", export.bom + text.getvalue())
    return notes


def _columns(export: Export, chapters: list[str]) -> dict[str, int]:
    """Chapter -> column that takes its points. Columns that aren't there are never made: they would be new assignments."""
    if GRADE in export.header:  # the worksheet of one assignment, which its file is named after
        named = [c for c in chapters if _speaks_of(export.path.name, c)]
        chosen = named if len(chapters) > 1 else chapters
        if len(chosen) != 1:
            raise ValueError(
                f"{export.path} is the worksheet of one assignment: put the chapter's number in its name, "
                f"one of {', '.join(chapters)}"
            )
        return {chosen[0]: export.header.index(GRADE)}
    identities = IDENTITIES[export.kind]
    found = {}
    for chapter in chapters:
        fits = [
            i
            for i, name in enumerate(export.header)
            if name not in identities and _speaks_of(re.sub(r"\s*\([^)]*\)\s*$", "", name), chapter)
        ]
        if len(fits) > 1:
            names = ", ".join(export.header[i] for i in fits)
            raise ValueError(f"{export.path}: several columns speak of {chapter}: {names}")
        if fits:
            found[chapter] = fits[0]
    if not found:
        raise ValueError(
            f"{export.path}: no column has a chapter's number in its name ({', '.join(c[:2] for c in chapters)}); "
            f"the columns are: {', '.join(export.header)}"
        )
    return found


def _speaks_of(name: str, chapter: str) -> bool:
    return bool(re.search(rf"(?<!\d){chapter[:2]}(?!\d)", name))


def _people(export: Export) -> dict[str, int]:
    """Name of a folder -> line of the export; a name of two people is an error, never a guess."""
    people: dict[str, int] = {}
    columns = [export.header.index(name) for name in IDENTITIES[export.kind] if name in export.header]
    for i, line in enumerate(export.lines):
        line += [""] * (len(export.header) - len(line))
        names = {line[column].strip() for column in columns} - {""}
        names |= {name.removeprefix("Participant ") for name in names}
        for name in names:
            people[name] = -1 if name in people else i
    return {name: i for name, i in people.items() if i >= 0}


def _line_of(student: str, people: dict[str, int]) -> int | None:
    """The line of a student; of "doejane_1234", as downloads name people, also by the number."""
    name, _, number = student.rpartition("_")
    return people.get(student, people.get(number) if name and number.isdigit() else None)


def _same_maximum(export: Export, chapter: str, column: int, ours: float) -> None:
    """ValueError where the assignment counts from another maximum: its points would mean something else."""
    if MAXIMUM in export.header:
        given = {line[export.header.index(MAXIMUM)].strip() for line in export.lines}
    else:
        given = {line[column].strip() for line in export.lines if line[0].strip() == "Points Possible"}
    for theirs in given - {""}:
        if number(theirs) != ours:
            raise ValueError(
                f"{export.path}: {export.header[column]} counts from {theirs} points, {chapter} from {ours:g}: "
                f"set the assignment's maximum to {ours:g} there and export again"
            )


def _comment(rows: list[Row]) -> str:
    lines = (f"{r.exercise}: {r.status}, {r.points:g} of {r.max_points:g}. {r.message}".strip() for r in rows)
    return str(inert("<br>".join(html.escape(line) for line in lines)))
