"""The gradebook: a row an exercise, a row a student, and every maximum complete."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks
from gancourse.classroom.intake import exercises_of
from gancourse.classroom.marking import MISSING, NOT_GRADED, TO_READ, Row
from gancourse.classroom.tables import write_csv
from gancourse.exercises import judging


def maxima(chapter: str) -> dict[str, float]:
    """Exercise -> points that it can earn, those of a written answer included; empty where there is no such chapter."""
    source = notebooks.folder() / "solutions" / f"{chapter}.ipynb"
    if not source.is_file():
        return {}
    solution = notebooks.read(source)
    found: dict[str, float] = {record.id: record.points for record in exercises_of(solution)}
    for cell in solution["cells"]:
        if roles.is_free_text(cell):
            nbgrader = cell["metadata"]["nbgrader"]
            found[nbgrader["grade_id"]] = nbgrader.get("points", 0)
    return found


def completed(rows: list[Row], best: dict[str, float], answers: dict[str, str]) -> list[Row]:
    """The rows of one submission with the points that its written answers can earn, which only a person gives.

    answers: exercise -> what was handed in; where that is nothing, there is nothing to read.
    """
    done = []
    for row in rows:
        if row.status == TO_READ:
            row = replace(row, points=0, max_points=best.get(row.exercise, 0))
            if answers.get(row.exercise) == "":
                row = replace(row, status=judging.UNTRIED, message="Nothing was written here.")
        done.append(row)
    return done


def whole_chapter(student: str, chapter: str, best: dict[str, float], status: str, message: str) -> Row:
    """One row for a chapter of which nothing was marked, with all the points that it can earn."""
    return Row(student, chapter, "", 0, sum(best.values()), status, message)


def missing(students: Iterable[str], best: dict[str, dict[str, float]], rows: list[Row]) -> list[Row]:
    """A row for each chapter of `best` (chapter -> its maxima) that a student has not handed in."""
    there = {(row.student, row.chapter) for row in rows}
    return [
        whole_chapter(student, chapter, best[chapter], MISSING, "Nothing was handed in.")
        for student in sorted(students)
        for chapter in sorted(best)
        if best[chapter] and (student, chapter) not in there
    ]


def write_gradebook(out: Path, rows: list[Row]) -> None:
    """gradebook.csv and summary.csv."""
    names = list(Row.__dataclass_fields__)
    write_csv(Path(out) / "gradebook.csv", names, ([getattr(r, name) for name in names] for r in rows))
    write_csv(Path(out) / "summary.csv", *summary(rows))


def summary(rows: list[Row]) -> tuple[list[str], list[list]]:
    """One row a student: points in each chapter and in all, and how many answers still wait for a mark."""
    chapters = sorted({row.chapter for row in rows})
    table = []
    for student in sorted({row.student for row in rows}):
        own = [row for row in rows if row.student == student]
        points = [sum(row.points for row in own if row.chapter == chapter) for chapter in chapters]
        waiting = sum(row.status in (TO_READ, NOT_GRADED) for row in own)
        table.append([student, *points, sum(points), sum(row.max_points for row in own), waiting])
    return ["student", *chapters, "points", "max_points", "open"], table
