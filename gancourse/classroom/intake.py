"""From what a student handed in to the notebook that is run for the grade."""

import copy
import dis
import json
import types
from dataclasses import dataclass, field
from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks
from gancourse.classroom.release import released
from gancourse.exercises import Exercise, of_chapter

MAX_BYTES = 50_000_000
_IGNORE = "nbval-ignore-output"


@dataclass
class Submission:
    """One notebook as handed in: the answers found in it, the student's own cells, and what had to be repaired."""

    answers: dict[str, str]  # exercise id -> source
    extras: dict[str, list[str]]  # id of the solution's cell that they follow ("" at the top) -> sources
    remarks: dict[str, str] = field(default_factory=dict)  # exercise id -> what was odd about its cell
    read_by_hand: tuple[str, ...] = ()  # ids of free-text answers


def read_submission(path: Path, solution: dict) -> Submission:
    """What counts of a submission: answers by cell id (or by the name they define), and the student's own code cells.

    Everything else is the solution's. ValueError, in words for the student, where the file can't be read at all.
    """
    path = Path(path)
    if path.is_symlink() or not path.is_file():
        raise ValueError("the submission is not a plain file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"the submission is larger than {MAX_BYTES // 10**6} MB")
    try:
        given = [_plain(cell) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"the file is not a notebook ({type(error).__name__})") from None
    stubs = {cell["id"]: cell["source"] for cell in released(solution)["cells"]}
    known = {*stubs.values(), *(cell["source"] for cell in solution["cells"])}
    found = Submission({}, {}, read_by_hand=_free_text(solution))
    used: set[int] = set()
    for record in exercises_of(solution):
        id = roles.answer_id(record)
        by_id = [i for i, cell in enumerate(given) if id in (cell["id"], cell["grade_id"])]
        places = by_id or [i for i, cell in enumerate(given) if record.name in _names(cell["source"])[0]]
        if not places:
            found.remarks[record.id] = "its answer cell is missing"
            continue
        used.update(places)
        edited = [i for i in places if given[i]["source"].strip() != stubs[id].strip()]
        found.answers[record.id] = given[(edited or places)[0]]["source"]
        if len(edited) > 1:
            found.remarks[record.id] = (
                f"its answer cell is there {len(edited)} times; the first edited one counts"
            )
        elif not by_id:
            found.remarks[record.id] = "its answer cell had lost its id and was found by the name it defines"
    after = ""
    for i, cell in enumerate(given):
        if cell["id"] in stubs:
            after = cell["id"]
        elif (
            i not in used
            and cell["type"] == "code"
            and cell["source"].strip()
            and cell["source"] not in known
        ):
            found.extras.setdefault(after, []).append(cell["source"])
    return found


def exercises_of(solution: dict) -> list[Exercise]:
    """The exercises that this chapter asks for, in the notebook's order."""
    ids = [cell["id"] for cell in solution["cells"]]
    records = (r for number in _chapters(ids) for r in of_chapter(number) if roles.answer_id(r) in ids)
    return sorted(records, key=lambda r: ids.index(roles.answer_id(r)))


def graded_slice(solution: dict, submission: Submission, broken: frozenset[str] = frozenset()) -> dict:
    """The notebook to run: setup, answers, collectors and checks, and of the other cells those that these need.

    Every cell of the course is the solution's, with its stored outputs, which nbval compares; before each check one cell
    writes what the answer makes of the secret cases. The answers to `broken` exercises are replaced by stubs.
    """
    stubs = {cell["id"]: cell["source"] for cell in released(solution)["cells"]}
    merged = [_own("from gancourse.classroom.collect import begin, collect\n\nbegin()")]
    merged += [_own(source) for source in submission.extras.get("", [])]
    for original in solution["cells"]:
        cell = copy.deepcopy(original)
        number = roles.number_of(cell)
        if cell["cell_type"] == "code":
            if roles.is_answer(cell):
                source = submission.answers.get(number)
                cell["source"] = stubs[cell["id"]] if source is None or number in broken else source
                cell["metadata"]["tags"] = [_IGNORE]
            elif number:
                merged.append(_own(f'collect("{number}")'))
                merged[-1]["metadata"]["gancourse"] = {"exercise": number}
            merged.append(cell)
        merged += [_own(source) for source in submission.extras.get(original["id"], [])]
    for i, cell in enumerate(merged):
        cell["id"] = f"cell-{i}"
    notebook = {
        "cells": _needed(merged),
        "metadata": solution["metadata"],
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.loads(notebooks.text(notebook))


def _needed(cells: list[dict]) -> list[dict]:
    """Cells of exercises and of the student, and, from the last to the first, every cell that stores a name they use."""
    wanted: set[str] = set()
    kept = []
    for cell in reversed(cells):
        stored, loaded = _names(cell["source"]) if cell["cell_type"] == "code" else (set(), set())
        if roles.number_of(cell) or roles.role(cell) or stored & wanted:
            kept.append(cell)
            wanted = (wanted - stored) | loaded
    return kept[::-1]


def _own(source: str) -> dict:
    """A code cell that is not the solution's: it runs, and what it prints is not compared."""
    metadata = {"tags": [_IGNORE], "gancourse": {"role": roles.STUDENT}}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": 1}


def _plain(cell: dict) -> dict:
    """What grading reads of a cell, whatever a front end or a student made of it."""
    source, metadata = cell.get("source", ""), _mapping(cell.get("metadata"))
    return {
        "id": str(cell.get("id", "")),
        "grade_id": str(_mapping(metadata.get("nbgrader")).get("grade_id", "")),
        "type": cell.get("cell_type"),
        "source": "".join(source) if isinstance(source, list) else str(source),
    }


def _mapping(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _chapters(ids: list[str]) -> list[str]:
    return sorted({id.split("-")[1] for id in ids if roles.is_answer_id(id)})


def _free_text(solution: dict) -> tuple[str, ...]:
    return tuple(c["metadata"]["nbgrader"]["grade_id"] for c in solution["cells"] if roles.is_free_text(c))


def _names(source: str) -> tuple[set[str], set[str]]:
    """(names that a cell binds in the notebook, names of the notebook that it or its functions use)."""
    lines = ["pass" if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n")]
    stored: set[str] = set()
    loaded: set[str] = set()
    try:
        codes = [compile("\n".join(lines), "cell", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return stored, loaded
    for code in codes:
        codes += [part for part in code.co_consts if isinstance(part, types.CodeType)]
        for step in dis.get_instructions(code):
            if step.opname in ("STORE_NAME", "STORE_GLOBAL") and (
                step.opname == "STORE_GLOBAL" or code is codes[0]
            ):
                stored.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                loaded.add(step.argval)
    return stored, loaded
