"""`check("03.2")`, the one line under every answer."""

import inspect
import os
import sys

from gancourse.classroom.answers import forbidden_use, run
from gancourse.classroom.exercises import Exercise, exercise
from gancourse.classroom.judging import RIGHT, UNTRIED, Verdict, forbidden, verdict

_lent: set[tuple[int, str]] = set()  # (namespace, exercise) where the course's function stands in


class CheckFailed(AssertionError):
    """Raised by `check` while a notebook is being graded."""


def check(number: str, namespace: dict | None = None) -> None:
    """Judge the reader's answer to exercise `number` and say so in a line or two.

    The answer is looked up in `namespace`, by default that of the notebook that calls. Where it is missing or wrong the
    course's function is bound in its place, so that the notebook goes on; while grading (GANCOURSE_GRADING is set, or
    nbgrader autogrades or validates) the check then raises `CheckFailed`.
    """
    record = exercise(number)
    namespace = sys._getframe(1).f_globals if namespace is None else namespace
    judged = judge(record, namespace)
    print(f"{number} {record.name}: {judged.status}. {judged.message}".rstrip())
    if judged.status == RIGHT:
        return
    namespace[record.name] = record.oracle
    _lent.add((id(namespace), number))
    print(f"Until yours is right, {record.name} is the course's own.")
    if os.environ.get("GANCOURSE_GRADING") or os.environ.get("NBGRADER_EXECUTION") in (
        "autograde",
        "validate",
    ):
        raise CheckFailed(f"{number} {record.name}: {judged.status}. {judged.message}")


def judge(record: Exercise, namespace: dict, seed: int = 0) -> Verdict:
    """The verdict on what `namespace` holds under the exercise's name."""
    if record.name not in namespace:
        return Verdict(UNTRIED, f"There is no {record.name} here yet: run the answer cell first.")
    answer = namespace[record.name]
    if answer is record.oracle and (id(namespace), record.id) in _lent:
        return Verdict(
            UNTRIED, f"{record.name} is the course's own here: run your answer cell, then this one."
        )
    try:
        source = inspect.getsource(answer)
    except (OSError, TypeError):
        source = ""  # a class in a notebook has no source on some versions; the watch at run time remains
    if used := forbidden_use(record, source, namespace):
        return forbidden(record, used)
    return verdict(record, run(record, answer, seed, namespace), seed)
