"""Every exercise of every chapter: its record, its mistakes, its right answers, its rules, and its place in the notebook.

Five seeds here; `make verify` (GANCOURSE_SEEDS=200) takes two hundred.
"""

import ast
import importlib.util
import inspect
import math
import os
import pkgutil
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from gancourse.classroom import notebooks
from gancourse.classroom.release import released
from gancourse.exercises import Exercise, chapters, exercise, judge, of_chapter
from gancourse.exercises.judging import RIGHT, UNTRIED, WRONG, _outcomes, verdict
from gancourse.exercises.record import earlier
from gancourse.exercises.running import run

sys.path.insert(0, str(Path(__file__).parent))
import lint

SEEDS = range(int(os.environ.get("GANCOURSE_SEEDS", 5)))
RECORDS = [record for number in chapters() for record in of_chapter(number)]


def _right_answers() -> list[tuple[Exercise, object]]:
    """The functions that `tests/chapters/chNN_....py` lists in RIGHT, each with its exercise."""
    found = []
    for path in sorted((Path(__file__).parents[1] / "chapters").glob("ch[0-9][0-9]_*.py")):
        spec = importlib.util.spec_from_file_location(f"right_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where an answer that is a class finds its namespace
        spec.loader.exec_module(module)
        found += [(exercise(id), answer) for id, answers in module.RIGHT.items() for answer in answers]
    return found


RIGHT_ANSWERS = _right_answers()
MISTAKES = [(record, mistake) for record in RECORDS for mistake in record.mistakes]
# `make verify` gives one process all that concerns an exercise: it keeps what its oracle and its mistakes give.
every_exercise = pytest.mark.parametrize(
    "record", [pytest.param(r, marks=pytest.mark.xdist_group(r.id), id=r.id) for r in RECORDS]
)
every_solution = pytest.mark.parametrize("path", notebooks.solutions(), ids=lambda path: path.stem)


@every_exercise
def test_record_is_complete(record: Exercise):
    assert record.name.isidentifier() and record.points > 0
    assert exercise(record.id) is record
    assert record.has("oracle") and record.has("cases")
    assert len({mistake.message for mistake in record.mistakes}) >= 4
    names = [mistake.answer.__name__ for mistake in record.mistakes]
    assert len(set(names)) == len(names)
    for mistake in record.mistakes:
        message = mistake.message
        assert message.endswith((".", "?")) and not re.match("[a-z]+ ", message) and "\n" not in message
    for name in (*record.forbidden, *record.allowed):
        pkgutil.resolve_name(name)
    assert len({len(record.cases(np.random.default_rng(seed))) for seed in range(5)}) == 1


@every_exercise
def test_cases_are_wide(record: Exercise):
    assert lint.complaints(record) == []


@every_exercise
def test_oracle_is_right(record: Exercise):
    for seed in SEEDS:
        judged = verdict(record, run(record, record.oracle, seed, watched=False), seed)
        assert judged.status == RIGHT, (seed, judged.message)


@pytest.mark.parametrize(
    ("record", "mistake"),
    [
        pytest.param(r, m, marks=pytest.mark.xdist_group(r.id), id=f"{r.id}-{m.answer.__name__}")
        for r, m in MISTAKES
    ],
)
def test_mistake_earns_its_own_message(record: Exercise, mistake):
    for seed in SEEDS[:5]:
        judged = verdict(record, run(record, mistake.answer, seed, watched=False), seed)
        assert (judged.status, judged.message) == (WRONG, mistake.message), f"seed {seed}"


if SEEDS[5:]:

    @every_exercise
    def test_mistakes_earn_their_own_messages_on_many_seeds(record: Exercise):
        """Seed by seed: the judge keeps what the exercise's mistakes give, and needs all of them for each verdict."""
        wrong = {}
        for seed in SEEDS[5:]:
            for mistake in record.mistakes:
                judged = verdict(record, _outcomes(record, mistake.answer, seed), seed)
                if (judged.status, judged.message) != (WRONG, mistake.message):
                    wrong.setdefault(mistake.answer.__name__, []).append((seed, judged.message))
        assert not wrong


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        pytest.param(r, a, marks=pytest.mark.xdist_group(r.id), id=f"{r.id}-{a.__name__}")
        for r, a in RIGHT_ANSWERS
    ],
)
def test_right_answer_passes_in_its_own_style(record: Exercise, answer):
    namespace = _lent(record, sys.modules.get(answer.__module__), answer)
    for seed in SEEDS:
        judged = judge(record, namespace, seed)
        assert judged.status == RIGHT, f"seed {seed}: {judged.message}"


@every_exercise
def test_there_are_four_right_styles(record: Exercise):
    assert sum(r is record for r, _ in RIGHT_ANSWERS) >= 4


@every_exercise
def test_the_courses_own_function_is_refused_called_undisguised(record: Exercise):
    if isinstance(record.oracle, type):
        source = f"class {record.name}(oracle):\n    def __init__(self, *a, **k):\n        super().__init__(*a, **k)"
    else:
        source = f"def {record.name}(*a, **k):\n    return oracle(*a, **k)"
    for code in (
        source,
        f"from {record.oracle.__module__} import {record.oracle.__name__} as oracle\n{source}",
    ):
        namespace = {"oracle": record.oracle, "__name__": "notebook"}
        exec(code, namespace)
        judged = judge(record, namespace)
        assert (judged.status, judged.message[:8]) == (WRONG, "It uses "), judged


@every_exercise
def test_earlier_functions_and_pictures_are_no_offence(record: Exercise):
    """An answer that calls every earlier function by name and draws in a helper is judged by what it returns."""
    solution = next(p for p in notebooks.solutions() if p.name[:2] == record.id[:2])
    namespace = _namespace(notebooks.read(solution))
    for cell, other in _answers(notebooks.read(solution)):
        exec(cell["source"], namespace)
        if other is record:
            break
    exec(
        "from gancourse import figures\n"
        "def _drawing():\n    figures.new(size=(1, 1))\n"
        f"_inner = {record.name}\n",
        namespace,
    )
    if not isinstance(namespace[record.name], type):
        exec(f"def {record.name}(*a, **k):\n    _drawing()\n    return _inner(*a, **k)", namespace)
    for other in earlier(record):
        namespace[other.name] = other.oracle  # lent, as where the reader's is not right
    judged = judge(record, namespace)
    assert judged.status == RIGHT, judged.message


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


def _lent(record: Exercise, module: types.ModuleType | None, answer) -> dict:
    """The answer's own namespace with the exercise's name bound to it, and earlier functions as a check lends them."""
    namespace = answer.__globals__ if inspect.isfunction(answer) else vars(module)
    for other in earlier(record):
        own = namespace.get(other.name)
        if (
            getattr(own, "__name__", "") != other.name
        ):  # nothing, or an answer that another test has bound here
            namespace[other.name] = other.oracle
    namespace[record.name] = answer
    return namespace


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
