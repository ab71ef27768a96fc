"""From what a student handed in to the notebook that is run for the grade."""

import copy
import functools
import json
import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks, sandbox
from gancourse.classroom.release import released
from gancourse.exercises import Exercise, of_chapter, reading

MAX_BYTES = 50_000_000
_MOST_TEXT = 1000  # characters of a message in the gradebook
_IGNORE = "nbval-ignore-output"
_MOST_DEATHS = 5  # cells that may each be too much for Python's parser
_PARSING = sandbox.Limits(cpu_seconds=10, memory_bytes=4 * 2**30, file_bytes=0, processes=1024)

Names = tuple[frozenset[str], frozenset[str]]  # that a cell binds, that it uses


@dataclass
class Submission:
    """One notebook as handed in: the answers found in it, the student's own cells, and what had to be repaired."""

    answers: dict[str, str]  # exercise id -> source
    extras: dict[str, list[str]]  # id of the solution's cell that they follow ("" at the top) -> sources
    remarks: dict[str, str] = field(default_factory=dict)  # exercise id -> what was odd about its cell
    read_by_hand: tuple[str, ...] = ()  # ids of free-text answers
    names: dict[str, Names] = field(default_factory=dict)  # source -> its names


def read_submission(path: Path, solution: dict) -> Submission:
    """What counts of a submission: answers by cell id (or by the name they define), and the student's own code cells.

    Everything else is the solution's. ValueError, in words for the student, where the file can't be read at all.
    """
    given, names = _parsed(_content(Path(path)))
    stubs = {cell["id"]: cell["source"] for cell in released(solution)["cells"]}
    known = {*stubs.values(), *(cell["source"] for cell in solution["cells"])}
    found = Submission({}, {}, read_by_hand=_free_text(solution), names=names)
    used: set[int] = set()
    course = {c["source"].strip() for c in solution["cells"] if not roles.is_answer_id(c["id"])}
    checks = {cell["id"]: cell["source"].strip() for cell in solution["cells"]}
    for record in exercises_of(solution):
        id, check = roles.answer_id(record), checks.get(roles.check_id(record))
        by_id = [i for i, cell in enumerate(given) if id in (cell["id"], cell["grade_id"])]
        by_name = [
            i
            for i, cell in enumerate(given)
            if record.name in names.get(cell["source"], ((), ()))[0] and cell["source"].strip() not in course
        ]
        edited = [i for i in by_id if given[i]["source"].strip() != stubs[id].strip()]
        named = [i for i in by_name if given[i]["source"].strip() != stubs[id].strip()]
        places = edited or named or by_id or by_name
        if not places:
            found.remarks[record.id] = "its answer cell is missing"
            continue
        end = next((i for i, cell in enumerate(given) if cell["source"].strip() == check), len(given))
        chosen = max((i for i in places if i < end), default=places[-1])  # in the notebook the last one holds
        used.update([*by_id, chosen])
        found.answers[record.id] = given[chosen]["source"]
        if len(edited) > 1:
            found.remarks[record.id] = (
                f"its answer cell is there {len(edited)} times; the last one above its check counts"
            )
        elif not by_id:
            found.remarks[record.id] = "its answer cell had lost its id and was found by the name it defines"
        elif named and not edited:
            found.remarks[record.id] = (
                "its answer cell is as it was handed out; the cell that defines it counts"
            )
    places_of = {cell["source"].strip(): cell["id"] for cell in solution["cells"]} | {
        source.strip(): id for id, source in stubs.items()
    }
    after = ""
    for i, cell in enumerate(given):
        ours = [cell["id"], cell["grade_id"], places_of.get(cell["source"].strip(), "")]
        if place := next((id for id in ours if id in stubs), ""):
            after = place
        elif (
            i not in used
            and cell["type"] == "code"
            and cell["source"].strip()
            and cell["source"] not in known
        ):
            found.extras.setdefault(after, []).append(cell["source"])
    return found


def plain(text: str) -> str:
    """A stranger's text as a gradebook holds it: one line, no control characters, nothing that is no Unicode, of bounded length."""
    text = text[: 4 * _MOST_TEXT].encode("utf-8", "backslashreplace").decode()
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 4]} ..."


def _content(path: Path) -> bytes:
    """The bytes of a stranger's file; a link is not followed."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        raise ValueError("the submission is not a plain file") from None
    with open(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or path.is_symlink():
            raise ValueError("the submission is not a plain file")
        if about.st_size > MAX_BYTES:
            raise ValueError(f"the submission is larger than {MAX_BYTES // 10**6} MB")
        return file.read(MAX_BYTES + 1)[:MAX_BYTES]


@functools.lru_cache(maxsize=4)  # answers, and those in words, are read one after the other
def _parsed(content: bytes) -> tuple[list[dict[str, str]], dict[str, Names]]:
    """The cells of a stranger's notebook and the names in each: parsed in a process that may die of it."""
    left_out: list[int] = []
    while True:
        lines = _reading(content, left_out)
        if not lines or isinstance(lines[0], dict):
            reason = lines[0]["error"] if lines else "it is too much for Python to read"
            raise ValueError(f"the file is not a notebook ({reason})")
        cells, parsed = lines[0], [line for line in lines[1:] if isinstance(line, list)]
        names = {cells[i]["source"]: (frozenset(stored), frozenset(used)) for i, stored, used in parsed}
        rest = [i for i in range(len(cells)) if i not in left_out and i not in {line[0] for line in parsed}]
        if not rest or len(left_out) >= _MOST_DEATHS:
            return cells, names
        left_out.append(rest[0])


def _reading(content: bytes, left_out: Sequence[int]) -> list:
    """What `exercises/reading.py` says of a notebook, line by line, as far as it got."""
    command = [sys.executable, "-I", "-S", reading.__file__, *map(str, left_out)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=(lambda: sandbox.limit(_PARSING)) if sandbox.resource else None,
    ) as process:
        try:
            printed, _ = process.communicate(content, timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, _ = process.communicate()
    lines = []
    for line in printed.decode(errors="replace").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:  # the line in which it died
            break
    return lines


def exercises_of(solution: dict) -> list[Exercise]:
    """The exercises that this chapter asks for, in the notebook's order."""
    ids = [cell["id"] for cell in solution["cells"]]
    records = (r for number in _chapters(ids) for r in of_chapter(number) if roles.answer_id(r) in ids)
    return sorted(records, key=lambda r: ids.index(roles.answer_id(r)))


def stub_of(solution: dict, record: Exercise) -> str:
    """The answer cell of an exercise as it is handed out."""
    return _stubs(json.dumps(solution))[roles.answer_id(record)]


@functools.lru_cache(maxsize=32)
def _stubs(solution: str) -> dict[str, str]:
    return {cell["id"]: cell["source"] for cell in released(json.loads(solution))["cells"]}


def cells_before(
    solution: dict, submission: Submission | None, record: Exercise | None, lent: Sequence[Exercise] = ()
) -> list[tuple[str, str, str]]:
    """The code in front of an exercise's check (of the whole chapter where there is none): (kind, source, exercise).

    kind is "reader" for what the student wrote and "course" for the rest. Behind the answers to `lent` stand the
    solution's; without a submission all answers are the solution's, except that to the exercise itself.
    """
    lent_ids = {r.id for r in lent}
    extras = submission.extras if submission else {}
    found = [("reader", source, "") for source in extras.get("", [])]
    for cell in solution["cells"]:
        number = roles.number_of(cell)
        if cell["cell_type"] == "code" and roles.is_answer(cell):
            if submission:
                found.append(("reader", submission.answers.get(number, ""), number))
            elif record is None or number != record.id:
                found.append(("course", cell["source"], number))
        elif cell["cell_type"] == "code" and number:
            if record and number == record.id:
                return found
            if number in lent_ids:
                answer = next(
                    c for c in solution["cells"] if c["id"] == cell["id"].replace("check", "answer")
                )
                found.append(("course", answer["source"], ""))
        elif cell["cell_type"] == "code":
            found.append(("course", cell["source"], ""))
        found += [("reader", source, "") for source in extras.get(cell["id"], [])]
    return found


def graded_slice(solution: dict, submission: Submission) -> dict:
    """The notebook to run: setup, answers and checks, and of the other cells those that these need.

    Every cell of the course is the solution's, with its stored outputs, which nbval compares.
    """
    stubs = {cell["id"]: cell["source"] for cell in released(solution)["cells"]}
    merged = [_own("from gancourse.classroom.pulse import begin\n\nbegin()")]
    merged += [_own(source) for source in submission.extras.get("", [])]
    for original in solution["cells"]:
        cell = copy.deepcopy(original)
        number = roles.number_of(cell)
        if cell["cell_type"] == "code":
            if roles.is_answer(cell):
                cell["source"] = submission.answers.get(number, stubs[cell["id"]])
                cell["metadata"]["tags"] = [_IGNORE]
            merged.append(cell)
        merged += [_own(source) for source in submission.extras.get(original["id"], [])]
    for i, cell in enumerate(merged):
        cell["id"] = f"cell-{i}"
    notebook = {
        "cells": _needed(merged, submission.names),
        "metadata": solution["metadata"],
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.loads(notebooks.text(notebook))


def _needed(cells: list[dict], names: dict[str, Names]) -> list[dict]:
    """Cells of exercises and of the student, and, from the last to the first, every cell that stores a name they use.

    names: of the student's cells, which this process does not parse.
    """
    wanted: set[str] = set()
    kept = []
    for cell in reversed(cells):
        if roles.role(cell) or roles.is_answer(cell):
            stored, loaded = names.get(cell["source"], (frozenset(), frozenset()))
        else:
            stored, loaded = map(frozenset, reading.names_in(cell["source"]))
        if roles.number_of(cell) or roles.role(cell) or stored & wanted:
            kept.append(cell)
            wanted = (wanted - stored) | loaded
    return kept[::-1]


def _own(source: str) -> dict:
    """A code cell that is not the solution's: it runs, and what it prints is not compared."""
    metadata = {"tags": [_IGNORE], "gancourse": {"role": roles.STUDENT}}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": 1}


def _chapters(ids: list[str]) -> list[str]:
    return sorted({id.split("-")[1] for id in ids if roles.is_answer_id(id)})


def _free_text(solution: dict) -> tuple[str, ...]:
    return tuple(c["metadata"]["nbgrader"]["grade_id"] for c in solution["cells"] if roles.is_free_text(c))
