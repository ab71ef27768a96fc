"""Verdicts that the course's own code can't answer: each answer shows what it does where the course isn't, and is judged here.

The inputs are drawn here and sent as data to `exercises/apart.py`, which runs confined and without `gancourse`; what
comes back is bytes from a stranger: bounded, read without unpickling, compared with what is right in this process.
"""

import contextlib
import functools
import io
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import BinaryIO, cast

import numpy as np

import gancourse
from gancourse.classroom import notebooks, sandbox
from gancourse.classroom.intake import Submission, cells_before, exercises_of, stub_of
from gancourse.exercises import Exercise, judging, parcel
from gancourse.exercises.apart import DIED, DONE, LATE, MOST_BYTES, read_frame, write_frame
from gancourse.exercises.record import chapters, of_chapter
from gancourse.exercises.rules import PEERS
from gancourse.exercises.running import STUB, Result, fresh_cases

MISSING, CRASHED = "missing", "crashed"
_START = 120  # seconds that Python and torch may take to start
_MOST_ARRAYS = 100_000  # in the outputs of an answer
_GRACE = 15  # seconds more than an answer's own limit
# Judging silences prints and seeds the global random streams: one at a time.
_judging = threading.RLock()


class NotRun(RuntimeError):
    """This machine could not run what grading needs."""


def verdicts(
    solution: dict,
    submission: Submission,
    seed: int,
    *,
    cell_seconds: float,
    hidden: Sequence[Path],
    limits: sandbox.Limits,
    confine: bool,
) -> dict[str, judging.Verdict]:
    """The verdict on each exercise of a submission, by its id.

    An exercise is tried in a process of its own. Where an earlier function is not right, the later ones stand on the
    solution's. NotRun where this machine can't start that process.
    """
    records = exercises_of(solution)
    found: dict[str, judging.Verdict] = {}
    with Apart(records, hidden, limits, confine) as room:
        for record in records:
            if record.id not in submission.answers:
                found[record.id] = judging.Verdict(MISSING, submission.remarks.get(record.id, ""))
            elif submission.answers[record.id].strip() == stub_of(solution, record).strip():
                with _judging:
                    found[record.id] = judging.verdict(record, [Result(error=STUB)], seed)
            else:
                lent = [r for r in records if r.id in found and found[r.id].status != judging.RIGHT]
                found[record.id] = _verdict(room, solution, submission, record, lent, seed, cell_seconds)
    return found


def _verdict(
    room: "Apart",
    solution: dict,
    submission: Submission,
    record: Exercise,
    lent: list[Exercise],
    seed: int,
    cell_seconds: float,
) -> judging.Verdict:
    with _judging:
        seconds = judging.limit(record, seed)
        job = _job(solution, submission, record, lent, seed, seconds)
    kind, content = room.ask(job, max(cell_seconds, seconds) + _GRACE)
    if kind == LATE:
        return judging.Verdict(judging.TIMED_OUT, f"It had not ended after {seconds:.0f} s: an endless loop?")
    if kind == DIED:
        return judging.Verdict(CRASHED, "Its process died.")
    return judged(record, content, seed)


def judged(record: Exercise, content: bytes, seed: int) -> judging.Verdict:
    """The verdict on outputs that a stranger's process wrote."""
    try:
        results = results_of(content)
        with _judging:
            return judging.verdict(record, results, seed)
    except Exception:  # forged outputs can fail in many ways, and each costs only its author
        return judging.Verdict(judging.WRONG, "Its outputs could not be read.")


def results_of(content: bytes) -> list[Result]:
    """Results from a stranger's bytes; ValueError or another error where they are not what an answer gives."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        packed = arrays.zip.infolist()
        if len(packed) > _MOST_ARRAYS or sum(info.file_size for info in packed) > MOST_BYTES:
            raise ValueError("the outputs are too large")
        return parcel.unpack_results({name: arrays[name] for name in arrays.files})


def _job(
    solution: dict, submission: Submission, record: Exercise, lent: list[Exercise], seed: int, seconds: float
) -> bytes:
    """What the process apart is told: the reader's cells, the cases, what may be had of the course, what may not."""
    source = parcel.Source()
    call = source.add(record.call) if record.has("call") else ""
    allowed = {}
    for other in exercises_of(solution):
        if int(other.id.partition(".")[2]) <= int(record.id.partition(".")[2]):
            for name in other.allowed:
                thing = resolve_name(name)
                allowed |= {dotted: source.add(thing) for dotted in _dotted(thing)}
    cases, arrays = parcel.pack_cases(fresh_cases(record, seed), source)
    cells = cells_before(solution, submission, record, lent)
    own = [i for i, cell in enumerate(cells) if cell[2] == record.id]
    if not own:
        raise ValueError(f"the solution notebook's answer to {record.id} lacks its metadata: execute it anew")
    lessons, books = _lessons(record, solution)
    head = {
        "id": record.id,
        "name": record.name,
        "cells": [cell[:2] for cell in cells],
        "own": own[-1],
        "cases": cases,
        "source": source.text,
        "call": call,
        "seconds": seconds,
        "forbidden": record.forbidden,
        "allowed": allowed,
        "lessons": lessons,
        "books": books,
    }
    return parcel.to_bytes(head, arrays)


def _lessons(record: Exercise, solution: dict) -> tuple[dict[str, tuple[str, str]], dict[str, list]]:
    """What can be imported from the course of earlier exercises: {dotted name: (name, chapter)}, and the chapters' cells.

    They come from the solution notebooks, of this chapter only what stands before the exercise.
    """
    lessons, books = {}, {}
    for number in [n for n in chapters() if n <= record.id[:2]]:
        for other in of_chapter(number):
            if other is record:
                break
            outside = [d for d in _dotted(other.oracle) if not d.startswith("gancourse.chapters.")]
            lessons |= {dotted: (other.name, number) for dotted in outside}
        if number in {book for _, book in lessons.values()}:
            own = number == record.id[:2]
            books[number] = cells_before(solution, None, record) if own else list(_book(number))
    return lessons, {number: [cell[:2] for cell in cells] for number, cells in books.items()}


@functools.cache
def _book(number: str) -> tuple:
    """A chapter's own code and solutions."""
    return tuple(cells_before(notebooks.read(notebooks.solutions((number,))[0]), None, None))


def _dotted(thing: object) -> list[str]:
    """The names under which the course's modules hold a function or class."""
    modules = [(name, module) for name, module in list(sys.modules.items()) if name.startswith("gancourse.")]
    return [
        f"{name}.{key}"
        for name, module in modules
        for key, value in list(vars(module).items())
        if value is thing
    ]


class Apart:
    """The process apart, for one submission; where a job brings it down, the next one gets a new one."""

    def __init__(
        self, records: Sequence[Exercise], hidden: Sequence[Path], limits: sandbox.Limits, confine: bool
    ):
        outside = {name.rsplit(".", 1)[0] for record in records for name in record.forbidden}
        self.modules = sorted(name for name in outside if name.startswith("scipy."))
        self.hidden, self.limits, self.confine = hidden, limits, confine
        self.process: subprocess.Popen | None = None
        self.opened = contextlib.ExitStack()

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_) -> None:
        self._close()

    def ask(self, job: bytes, wall: float) -> tuple[bytes, bytes]:
        """(DONE, the results' bytes), or (DIED, b"") or (LATE, b"") where the job ended so."""
        if self.process is None:
            self._start()
        reply = self._exchanged(struct.pack("<d", wall) + job, wall + _GRACE)
        if reply is None:
            self._close()
        return reply or (DIED, b"")

    def _start(self) -> None:
        scratch = self.opened.enter_context(sandbox.scratch_folder())
        package = Path(gancourse.__file__).resolve().parent
        self.process = self.opened.enter_context(
            sandbox.started(
                [sys.executable, "-m", "gancourse.exercises.apart", *self.modules],
                scratch,
                hidden=[*self.hidden, *_away(package)],
                visible=[package / "__init__.py", package / "exercises"],
                limits=self.limits,
                env={"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")},
                confine=self.confine,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,  # only what goes wrong before it is ready
            )
        )
        if self._exchanged(None, _START) != (DONE, b""):
            self.process.kill()
            message = " ".join(self.process.communicate()[1].decode(errors="replace").split())[-300:]
            self._close()
            raise NotRun(message or "Python did not start")

    def _exchanged(self, job: bytes | None, seconds: float) -> tuple[bytes, bytes] | None:
        """The process's next message, after `job` has been sent; None where none comes in time or it takes too much memory."""
        assert self.process is not None
        stdin, stdout = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
        box = []

        def exchange():
            with contextlib.suppress(OSError, ValueError):
                if job is not None:
                    write_frame(stdin, DONE, job)
                box.append(read_frame(stdout))

        thread = threading.Thread(target=exchange, daemon=True)
        thread.start()
        end = time.monotonic() + seconds
        while thread.is_alive() and time.monotonic() < end:
            thread.join(0.5)
            if thread.is_alive() and sandbox.resident(self.process) > self.limits.resident_bytes:
                break
        return box[0] if box else None

    def _close(self) -> None:
        process, self.process = self.process, None
        self.opened.close()
        if process is not None:
            for pipe in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError, ValueError):
                    cast(BinaryIO, pipe).close()


def _away(package: Path) -> Iterator[Path]:
    """Folders that hold what an answer could call or copy: the course and its tests, and libraries of metrics."""
    root = package.parent
    yield root if (root / "pyproject.toml").is_file() else package
    for place in dict.fromkeys(Path(entry).resolve() for entry in sys.path if entry):
        yield from (place / name for name in PEERS if (place / name).is_dir())
