"""One submission to its rows of the gradebook: run the slice under nbval, judge what each answer gave."""

import json
import os
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks, sandbox
from gancourse.classroom.collect import unpack
from gancourse.classroom.intake import exercises_of, graded_slice, read_submission
from gancourse.exercises import Exercise, judging
from gancourse.exercises.rules import forbidden_use
from gancourse.exercises.running import Result

MISSING, CRASHED, TO_READ = "missing", "crashed", "to read"
UNREADABLE, NOT_GRADED = "unreadable", "not graded"
MAX_OUTPUT_BYTES = 100_000_000
DEAD_AFTER = 15  # seconds without a sign of life from the kernel


class NotRun(RuntimeError):
    """The grading machine could not run a notebook at all."""


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
    path: Path, seed: int, hidden: list[Path], cell_seconds: int, limits: sandbox.Limits, confine: bool
) -> list[Row]:
    """The rows of one submission. NotRun where this machine could not run it at all."""
    student, chapter = path.parent.name, path.stem
    source = notebooks.folder() / "solutions" / path.name
    if not source.is_file():
        return [Row(student, chapter, "", 0, 0, UNREADABLE, f"the course has no chapter called {chapter}")]
    solution = notebooks.read(source)
    records = exercises_of(solution)
    try:
        submission = read_submission(path, solution)
    except ValueError as error:
        return [Row(student, chapter, r.id, 0, r.points, UNREADABLE, str(error)) for r in records]
    verdicts: dict[str, tuple[str, str]] = {}
    for record in records:
        if record.id not in submission.answers:
            verdicts[record.id] = (MISSING, submission.remarks[record.id])
        elif used := forbidden_use(record, submission.answers[record.id]):
            told = judging.out_of_bounds(record, used)
            verdicts[record.id] = (told.status, told.message)
    while True:
        notebook = graded_slice(solution, submission, frozenset(verdicts))
        results, late, notes = _run(notebook, seed, hidden, cell_seconds, limits, confine)
        silent = [r.id for r in records if r.id not in verdicts and r.id not in results]
        if not silent:
            break
        # The first exercise that gave nothing is to blame; where others fell with it, they get another run without it.
        slow, died = f"it ran for more than {cell_seconds} s", "the notebook's process died here"
        verdicts[silent[0]] = (judging.TIMED_OUT, slow) if silent[0] in late else (CRASHED, died)
        if len(silent) == 1:
            break
    for record in records:
        if record.id not in verdicts:
            judged = _judged(record, results[record.id], seed)
            verdicts[record.id] = (judged.status, judged.message)
    rows = []
    for record in records:
        status, message = verdicts[record.id]
        remark = submission.remarks.get(record.id, "") if status != MISSING else ""
        points = record.points if status == judging.RIGHT else 0
        text = " ".join(part for part in (message, f"({remark})" if remark else "", notes) if part)
        rows.append(Row(student, chapter, record.id, points, record.points, status, text))
    return rows + [Row(student, chapter, id, 0, 0, TO_READ, "") for id in submission.read_by_hand]


def _run(
    notebook: dict, seed: int, hidden: list[Path], cell_seconds: int, limits: sandbox.Limits, confine: bool
) -> tuple[dict[str, list[Result] | None], set[str], str]:
    """Run a slice under nbval: what each answer gave on the secret cases, which ran out of time, what else nbval found.

    NotRun where the notebook's first cell, which is ours, did not run: that is no student's fault.
    """
    with tempfile.TemporaryDirectory(prefix="gancourse-") as folder:
        scratch = Path(folder)
        (scratch / "outputs").mkdir()
        notebooks.write(scratch / "slice.ipynb", json.dumps(notebook))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--nbval",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            "/dev/null",
        ]
        command += [
            "--rootdir",
            ".",
            f"--nbval-cell-timeout={cell_seconds}",
            "--junitxml=cells.xml",
            "slice.ipynb",
        ]
        env = {
            "GANCOURSE_GRADING": "1",
            "GANCOURSE_SEED": str(seed),
            "GANCOURSE_OUTPUTS": str(scratch / "outputs"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "TQDM_DISABLE": "1",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        alive = scratch / "outputs" / "alive"

        def dead() -> bool:
            return alive.is_file() and time.time() - alive.stat().st_mtime > DEAD_AFTER

        ended = sandbox.run(
            command, scratch, hidden=hidden, limits=limits, env=env, confine=confine, hopeless=dead
        )
        if not alive.is_file():
            raise NotRun(" ".join(ended.output.split())[-300:] or "nothing was printed")
        outputs = sorted((scratch / "outputs").iterdir())
        results = {p.stem: _results(p) for p in outputs if p.suffix == ".npz"}
        late = {p.stem for p in outputs if p.suffix == ".late"}
        if ended.timed_out:  # the wall-clock limit falls on whichever answer was running
            late |= {roles.number_of(c) for c in notebook["cells"] if roles.is_answer(c)} - results.keys()
        return results, late, _around(notebook, scratch / "cells.xml")


def _results(path: Path) -> list[Result] | None:
    """Outputs that a stranger's process wrote, or None where they are not what `collect` writes."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_OUTPUT_BYTES:
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if sum(info.file_size for info in arrays.zip.infolist()) > MAX_OUTPUT_BYTES:
                return None
            return unpack({name: arrays[name] for name in arrays.files})
    except Exception:  # a forged archive can fail in many ways, and each costs only its author
        return None


def _judged(record: Exercise, results: list[Result] | None, seed: int) -> judging.Verdict:
    if results is None:
        return judging.Verdict(judging.WRONG, "Its outputs could not be read.")
    return judging.verdict(record, results, seed)


def _around(notebook: dict, report: Path) -> str:
    """What nbval says of the cells of the course that are neither answers nor checks: "" where they print what they should."""
    if report.is_symlink() or not report.is_file() or report.stat().st_size > MAX_OUTPUT_BYTES:
        return ""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except ElementTree.ParseError:
        return ""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    failed = {i for i, case in enumerate(cases) if case.find("failure") is not None}
    strange = [code[i] for i in failed if i < len(code) and not roles.number_of(code[i])]
    if any(roles.role(cell) == roles.STUDENT for cell in strange):
        return "One of your own cells fails."
    return "A cell of the course prints something else than in the solution." if strange else ""
