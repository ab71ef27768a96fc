"""`check("03.2")`, the one line under every answer; `predicted` after an experiment; `progress()` at a chapter's end."""

import ast
import html
import inspect
import os
import sys
from collections.abc import Callable

from gancourse.exercises import rules
from gancourse.exercises.judging import (
    INTERRUPTED,
    RIGHT,
    TIMED_OUT,
    UNTRIED,
    WRONG,
    Verdict,
    limit,
    out_of_bounds,
    verdict,
)
from gancourse.exercises.record import Exercise, exercise, of_chapter
from gancourse.exercises.running import fresh_cases, run

_KEPT = "__gancourse__"  # in a notebook's namespace: {exercise: (status, the course's function that stands in or None)}
_LOOK = {  # symbol and colour of a verdict; the symbol carries the meaning where styles are stripped
    RIGHT: ("✓", "#00734F"),
    WRONG: ("✗", "#B34700"),
    UNTRIED: ("○", "#5A5A5A"),
    TIMED_OUT: ("⧗", "#B34700"),
    INTERRUPTED: ("⧗", "#5A5A5A"),
}


class CheckFailed(AssertionError):
    """Raised by `check` while a notebook is being graded."""


class _Check:
    """`check("03.2")` judges an answer; `check.case("03.2", 0)` gives the inputs that it is tried on."""

    def __call__(self, number: str, namespace: dict | None = None) -> None:
        """Judge the reader's answer to exercise `number` and say so in a line or two.

        The answer is looked up in `namespace`, by default that of the notebook that calls. Where it is missing or wrong
        the course's function is bound in its place, so that the notebook goes on; while grading (GANCOURSE_GRADING is
        set, or nbgrader autogrades or validates) the check then raises `CheckFailed`. An interrupt ends in a verdict
        too, and is raised again.
        """
        record = exercise(number)
        namespace = sys._getframe(1).f_globals if namespace is None else namespace
        try:
            judged = judge(record, namespace)
        except KeyboardInterrupt:
            judged = Verdict(INTERRUPTED, "You stopped the check before it had ended.")
            _settle(record, namespace, judged)
            raise
        _settle(record, namespace, judged)
        if judged.status != RIGHT and (
            os.environ.get("GANCOURSE_GRADING")
            or os.environ.get("NBGRADER_EXECUTION") in ("autograde", "validate")
        ):
            raise CheckFailed(f"{number} {record.name}: {judged.status}. {judged.message}")

    @staticmethod
    def case(number: str, i: int) -> tuple:
        """The i-th input (from 0) that the check of exercise `number` tries: the arguments as a tuple."""
        cases = fresh_cases(exercise(number), 0)
        if not 0 <= i < len(cases):
            raise ValueError(f"i: exercise {number} has the cases 0 to {len(cases) - 1}, got {i}")
        return cases[i]

    def __repr__(self) -> str:
        return (
            'check("03.2") judges your answer to exercise 03.2; check.case("03.2", 0) gives its first input'
        )


check = _Check()


def judge(record: Exercise, namespace: dict, seed: int = 0) -> Verdict:
    """The verdict on what `namespace` holds under the exercise's name."""
    answer = namespace.get(record.name)
    lent = namespace.get(_KEPT, {}).get(record.id, (None, None))[1]
    if record.name not in namespace or (lent is not None and answer is lent):
        return _without_answer(record, namespace, lent is not None)
    if not callable(answer):
        return Verdict(WRONG, f"{record.name} is a {type(answer).__name__} here, not a function.")
    try:
        source = inspect.getsource(answer)
    except (OSError, TypeError):
        source = ""  # a class in a notebook has no source on some versions; the watch at run time remains
    if used := rules.forbidden_use(record, source, namespace):
        return out_of_bounds(record, used)
    results = run(record, answer, seed, namespace, seconds=limit(record, seed))
    return verdict(record, results, seed)


def predicted(prediction: str, happened: str) -> None:
    """Print what happened in an experiment and, where the reader made a guess, whether it was right.

    prediction: "A", "B" or "C", or "" for no guess. happened: the answer's letter, computed from the run's own numbers.
    """
    guess = str(prediction).strip().strip(".").upper()
    if not guess:
        message = "You made no guess."
    elif guess not in ("A", "B", "C", "D"):
        message = f"Your guess {prediction!r} is not one of the letters."
    elif guess == happened:
        message = f"You guessed {guess}: right."
    else:
        message = f"You guessed {guess}."
    print(f"It happened: {happened}. {message}")


def progress() -> None:
    """Show the exercises of this notebook's chapter: how many are right, the points, what is still open."""
    namespace = sys._getframe(1).f_globals
    kept = namespace.get(_KEPT, {})
    for number in sorted({id.partition(".")[0] for id in kept}):
        records = of_chapter(number)
        right = [r for r in records if kept.get(r.id, ("",))[0] == RIGHT]
        points = f"{sum(r.points for r in right)} of {sum(r.points for r in records)} points"
        message = f"Chapter {number}: {len(right)} of {len(records)} exercises right, {points}."
        still = [f"{r.id} {r.name}" for r in records if r not in right]
        rest = f"Open: {', '.join(still)}." if still else ""
        _say(_LOOK[UNTRIED if still else RIGHT], message, rest)
    if not kept:
        _say(_LOOK[UNTRIED], "No exercise has been checked in this notebook yet.", "")


def _settle(record: Exercise, namespace: dict, judged: Verdict) -> None:
    """Keep the verdict, lend the course's function where the reader's isn't right, and show both."""
    rest = ""
    if judged.status != RIGHT:
        namespace[record.name] = record.oracle
        rest = f"Until yours is right, {record.name} is the course's own."
    lent: Callable | None = None if judged.status == RIGHT else record.oracle
    namespace.setdefault(_KEPT, {})[record.id] = (judged.status, lent)
    message = f"{record.id} {record.name}: {judged.status}. {judged.message}".rstrip()
    _say(_LOOK[judged.status], message, rest)


def _say(look: tuple[str, str], message: str, rest: str) -> None:
    """One display with text and HTML of the same words; plain print outside a notebook."""
    text = "\n".join(part for part in (f"{look[0]} {message}", rest) if part)
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if not hasattr(shell, "kernel"):
        print(text)
        return
    from IPython.display import display

    style = f"border-left:4px solid {look[1]};padding:2px 10px;overflow-wrap:break-word;word-break:normal"
    lines = f'<b style="color:{look[1]}">{look[0]}</b> {html.escape(message)}'
    if rest:
        lines += f"<br>{html.escape(rest)}"
    display(
        {"text/plain": text, "text/html": f'<div style="{style};white-space:normal">{lines}</div>'}, raw=True
    )


def _without_answer(record: Exercise, namespace: dict, lent: bool) -> Verdict:
    """Why there is no answer of the reader's under the name: looks at the cell that ran before the check."""
    for source in reversed(namespace.get("In", [])[:-1]):
        if not source.strip() or source.lstrip().startswith("check("):
            continue
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            if record.name in source:
                why = f"line {error.lineno} of the answer cell can't be read: {error.msg}."
                return Verdict(WRONG, f"{why[0].upper()}{why[1:]}")
            break
        names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        if names and record.name not in names:
            oracle = inspect.signature(record.oracle).parameters
            alike = [
                n.name
                for n in tree.body
                if isinstance(n, ast.FunctionDef) and [a.arg for a in n.args.args] == list(oracle)
            ]
            if alike:
                return Verdict(
                    WRONG, f"Your cell defines {alike[0]}; the exercise asks for the name {record.name}."
                )
        break
    if lent:
        return Verdict(
            UNTRIED, f"{record.name} is the course's own here: run your answer cell, then this one."
        )
    return Verdict(UNTRIED, f"There is no {record.name} here yet: run the answer cell first.")
