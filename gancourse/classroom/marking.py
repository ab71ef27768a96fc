"""One submission to its rows of the gradebook: run the slice under nbval, judge each answer apart from the course."""

import json
import os
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks, sandbox
from gancourse.classroom.intake import exercises_of, graded_slice, plain, read_submission
from gancourse.classroom.verdicts import CRASHED, MISSING, NotRun, verdicts
from gancourse.exercises import judging

__all__ = ["CRASHED", "MISSING", "NOT_GRADED", "REFUSED", "TO_READ", "UNREADABLE", "NotRun", "Row", "mark"]

TO_READ, UNREADABLE, NOT_GRADED = "to read", "unreadable", "not graded"
REFUSED = "refused"  # the answer uses a function that is out of bounds
MOST_REPORT = 20_000_000  # bytes of nbval's report
UNFINISHED = "The notebook did not run to its end."
DEAD_AFTER = 15  # seconds without a sign of life from the kernel


@dataclass(frozen=True)
class Row:
    """One line of the gradebook."""

    student: str
    chapter: str
    exercise: str
    points: float
    max_points: float
    status: str
    message: str


def mark(
    path: Path,
    student: str,
    chapter: str,
    seed: int,
    hidden: list[Path],
    cell_seconds: int,
    limits: sandbox.Limits,
    confine: bool,
) -> list[Row]:
    """The rows of one student's notebook for a chapter. NotRun where this machine could not run it at all."""
    source = notebooks.folder() / "solutions" / f"{chapter}.ipynb"
    if not source.is_file():
        return [Row(student, chapter, "", 0, 0, UNREADABLE, f"the course has no chapter called {chapter}")]
    solution = notebooks.read(source)
    records = exercises_of(solution)
    try:
        submission = read_submission(path, solution)
    except ValueError as error:
        return [Row(student, chapter, r.id, 0, r.points, UNREADABLE, plain(str(error))) for r in records]
    found = verdicts(
        solution,
        submission,
        seed,
        cell_seconds=cell_seconds,
        hidden=hidden,
        limits=limits,
        confine=confine,
    )
    notes = _run(graded_slice(solution, submission), hidden, cell_seconds, limits, confine)
    noted = next((r for r in records if found[r.id].status != judging.RIGHT), records[0] if records else None)
    rows = []
    for record in records:
        judged = found[record.id]
        remark = submission.remarks.get(record.id, "") if judged.status != MISSING else ""
        points = record.points if judged.status == judging.RIGHT else 0
        parts = (judged.message, f"({remark})" if remark else "", notes if record is noted else "")
        text = " ".join(part for part in parts if part)
        status = REFUSED if judged.used else judged.status
        rows.append(Row(student, chapter, record.id, points, record.points, status, plain(text)))
    return rows + [Row(student, chapter, id, 0, 0, TO_READ, "") for id in submission.read_by_hand]


def _run(
    notebook: dict, hidden: Sequence[Path], cell_seconds: int, limits: sandbox.Limits, confine: bool
) -> str:
    """Run a slice under nbval; returns what is to be said of it, "" where all went as in the solution.

    NotRun where it left no sign of life, and its first cell alone, which is ours, leaves none either: no student's fault.
    """
    alive, notes, printed = _under_nbval(notebook, hidden, cell_seconds, limits, confine)
    if not alive:
        ours = notebook | {"cells": notebook["cells"][:1]}
        if not _under_nbval(ours, hidden, cell_seconds, limits, confine)[0]:
            raise NotRun(" ".join(printed.split())[-300:] or "nothing was printed")
    return notes


def _under_nbval(
    notebook: dict, hidden: Sequence[Path], cell_seconds: int, limits: sandbox.Limits, confine: bool
) -> tuple[bool, str, str]:
    """(whether the notebook left a sign of life, what is to be said of it, what was printed)."""
    with sandbox.scratch_folder() as scratch:
        pulse = scratch / "pulse"
        notebooks.write(scratch / "slice.ipynb", json.dumps(notebook))
        command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider"]
        command += ["-c", "/dev/null", "--rootdir", "."]
        command += [f"--nbval-cell-timeout={cell_seconds}", "--junitxml=cells.xml"]
        env = {
            "GANCOURSE_GRADING": "1",
            "GANCOURSE_PULSE": str(pulse),
            "JUPYTER_PLATFORM_DIRS": "1",
            "TQDM_DISABLE": "1",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        ended = sandbox.run(
            [*command, "slice.ipynb"],
            scratch,
            hidden=hidden,
            limits=limits,
            env=env,
            confine=confine,
            hopeless=lambda: _age(pulse) > DEAD_AFTER,
        )
        return pulse.exists(), _around(notebook, scratch / "cells.xml"), ended.output


def _age(path: Path) -> float:
    """Seconds since a file was written; 0 where there is none, or none that can be looked at."""
    try:
        return time.time() - os.lstat(path).st_mtime
    except OSError:
        return 0


def _around(notebook: dict, report: Path) -> str:
    """What nbval says of the cells of the course that are neither answers nor checks: "" where they print what they should."""
    try:
        if report.is_symlink() or not report.is_file() or report.stat().st_size > MOST_REPORT:
            return UNFINISHED
        text = report.read_bytes()
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:  # a forged report
            return UNFINISHED
        cases = list(ElementTree.fromstring(text).iter("testcase"))
    except (
        OSError,
        ValueError,
        LookupError,
        ElementTree.ParseError,
    ):  # an encoding that isn't known, for one
        return UNFINISHED
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    failed = {i for i, case in enumerate(cases) if case.find("failure") is not None}
    strange = [code[i] for i in failed if i < len(code) and not roles.number_of(code[i])]
    if any(roles.role(cell) == roles.STUDENT for cell in strange):
        return "One of your own cells fails."
    return "A cell of the course prints something else than in the solution." if strange else ""
