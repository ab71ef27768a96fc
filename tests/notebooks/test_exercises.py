"""Every exercise of every chapter: its oracle, its wrong answers, its stub, and the solution in the notebook."""

import ast
import dataclasses
import math
import pkgutil
import re

import numpy as np
import pytest
import torch

from gancourse.classroom import notebooks
from gancourse.classroom.answers import compiled, run
from gancourse.classroom.check import judge
from gancourse.classroom.exercises import Exercise, chapters, exercise, of_chapter
from gancourse.classroom.judging import RIGHT, UNTRIED, WRONG, verdict
from gancourse.classroom.release import released

SEEDS = range(5)
RECORDS = [record for number in chapters() for record in of_chapter(number)]
WRONG_ANSWERS = [(record, i) for record in RECORDS for i in range(len(record.wrong))]
every_exercise = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.id)
every_solution = pytest.mark.parametrize("path", notebooks.solutions(), ids=lambda path: path.stem)


@every_exercise
def test_record_is_complete(record: Exercise):
    assert record.name.isidentifier() and record.points > 0
    assert exercise(record.id) is record
    assert len(record.wrong) >= 4
    messages = [wrong.message for wrong in record.wrong]
    assert len(set(messages)) == len(messages)
    for message in messages:
        assert message.endswith((".", "?")) and not re.match("[a-z]+ ", message) and "\n" not in message
    for name in record.forbidden:
        assert callable(pkgutil.resolve_name(name))
    assert len({len(record.cases(np.random.default_rng(seed))) for seed in SEEDS}) == 1


@every_exercise
@pytest.mark.parametrize("seed", SEEDS)
def test_oracle_is_right(record: Exercise, seed: int):
    # The oracle is out of bounds for readers, so the watch reports it: that mark is taken off here.
    results = [dataclasses.replace(r, forbidden="") for r in run(record, record.oracle, seed)]
    judged = verdict(record, results, seed)
    assert judged.status == RIGHT, judged.message


@pytest.mark.parametrize(("record", "i"), WRONG_ANSWERS, ids=[f"{r.id}-{i}" for r, i in WRONG_ANSWERS])
def test_wrong_answer_earns_its_own_message(record: Exercise, i: int):
    answer = compiled(record.wrong[i].code, record.name)
    for seed in SEEDS:
        judged = verdict(record, run(record, answer, seed), seed)
        assert (judged.status, judged.message) == (WRONG, record.wrong[i].message), f"seed {seed}"


@every_solution
def test_notebook_has_exactly_the_exercises_on_record(path):
    held = [record for _, record in _answers(notebooks.read(path))]
    assert [r.id for r in held] == [r.id for r in of_chapter(path.name[:2])]


@every_solution
def test_solutions_agree_with_the_oracles(path):
    notebook = notebooks.read(path)
    namespace = _namespace(notebook)
    for cell, record in _answers(notebook):
        exec(cell["source"], namespace)
        for seed in SEEDS:
            judged = judge(record, namespace, seed)
            assert judged.status == RIGHT, f"{record.id}, seed {seed}: {judged.message}"


@every_solution
def test_stubs_are_not_attempted(path):
    student = released(notebooks.read(path), path.name)
    namespace = _namespace(student)
    for cell, record in _answers(student):
        exec(cell["source"], namespace)
        assert judge(record, namespace).status == UNTRIED
        namespace[record.name] = record.oracle


def _namespace(notebook: dict) -> dict:
    """What an answer may lean on: the notebook's own imports, besides earlier answers."""
    namespace = {"__name__": "notebook", "np": np, "torch": torch, "math": math}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            for node in ast.parse(cell["source"]).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    exec(ast.unparse(node), namespace)
    return namespace


def _answers(notebook: dict) -> list[tuple[dict, Exercise]]:
    return [
        (cell, exercise(cell["metadata"]["gancourse"]["exercise"]))
        for cell in notebook["cells"]
        if re.fullmatch(r"answer-\d\d-\d+", cell["id"])
    ]
