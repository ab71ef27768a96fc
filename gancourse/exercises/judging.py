"""From the outputs of an answer to a verdict: pure and without the answer itself, so that grading may trust it."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

from gancourse.exercises.outputs import aligned, close, difference, form, shown
from gancourse.exercises.record import Exercise, Mistake
from gancourse.exercises.running import STUB, TOO_LONG, Result, fresh_cases, run

RIGHT, WRONG, UNTRIED = "right", "wrong", "not attempted"
TIMED_OUT, INTERRUPTED = "timed out", "interrupted"


@dataclass(frozen=True)
class Verdict:
    """Status ("right", "wrong", "not attempted", "timed out", "interrupted") and the sentence that the reader is told."""

    status: str
    message: str = ""
    used: str = ""  # what the answer uses though the exercise is about its inside


def verdict(exercise: Exercise, results: list[Result], seed: int = 0) -> Verdict:
    """The verdict on what an answer made of the cases drawn from `seed`."""
    if results and results[0].error == STUB:
        return Verdict(
            UNTRIED, "The answer cell still raises NotImplementedError: write your own lines there."
        )
    if used := next((r.forbidden for r in results if r.forbidden), ""):
        return out_of_bounds(exercise, used)
    cases = fresh_cases(exercise, seed)
    expected = _outcomes(exercise, exercise.oracle, seed)
    if results and results[-1].error == TOO_LONG:
        given = _call(exercise, cases[len(results) - 1])
        return Verdict(
            TIMED_OUT, f"It had not ended after {limit(exercise, seed):.0f} s, in {given}: an endless loop?"
        )
    if len(results) != len(cases):
        if len(results) == 1 and results[0].error:
            return Verdict(WRONG, f"It could not be tried: {results[0].detail}.")
        return Verdict(WRONG, f"It was tried on {len(cases)} inputs and gave {len(results)} outputs.")
    failing = [
        i
        for i, (case, got, want) in enumerate(zip(cases, results, expected, strict=True))
        if got.error or not _agree(exercise, _accepts(exercise), case, got.output, want.output)
    ]
    if not failing:
        if any(r.changed and not e.changed for r, e in zip(results, expected, strict=True)):
            return Verdict(
                WRONG, "The values are right, but it changes its argument in place: work on a copy."
            )
        return Verdict(RIGHT)
    for mistake in exercise.mistakes:
        if _makes(exercise, mistake, cases, results, seed):
            return Verdict(WRONG, mistake.message)
    first = failing[0]
    message = _described(exercise, cases[first], results[first], expected[first])
    if seed == 0:  # the reader's own cases; those of grading stay hidden
        message += f' `check.case("{exercise.id}", {first})` gives you this input.'
    return Verdict(WRONG, message)


def out_of_bounds(exercise: Exercise, used: str) -> Verdict:
    """The verdict on an answer that leaves the work to another's function."""
    return Verdict(
        WRONG,
        f"It uses {used}. Write it yourself: this exercise is about the inside of {exercise.name}.",
        used,
    )


def limit(exercise: Exercise, seed: int = 0) -> float:
    """Seconds that an answer may take: what its record says, else max(10 s, 30 times the oracle's own time)."""
    if exercise.seconds is not None:
        return exercise.seconds
    return max(10.0, 30 * _timed(exercise, seed))


@functools.lru_cache(maxsize=128)
def _timed(exercise: Exercise, seed: int) -> float:
    start = time.perf_counter()
    _outcomes(exercise, exercise.oracle, seed)
    return time.perf_counter() - start


@functools.lru_cache(maxsize=4096)
def _outcomes(exercise: Exercise, answer: Callable, seed: int) -> list[Result]:
    """What the oracle or a mistake makes of the cases: unwatched."""
    return run(exercise, answer, seed, watched=False)


def _accepts(exercise: Exercise) -> Callable | None:
    return exercise.accepts if exercise.has("accepts") else None


def _agree(exercise: Exercise, accepts: Callable | None, case: tuple, got, want) -> bool:
    if accepts is None:
        return close(got, want, rtol=exercise.rtol, atol=exercise.atol)
    try:
        return bool(accepts(case, got, want))
    except Exception:  # it need not foresee every shape of a wrong output
        return False


def _makes(
    exercise: Exercise, mistake: Mistake, cases: list[tuple], results: list[Result], seed: int
) -> bool:
    """Whether these results are those of this mistake on every case, errors by their text."""
    for case, got, want in zip(cases, results, _outcomes(exercise, mistake.answer, seed), strict=False):
        if (got.error, got.text) != (want.error, want.text):
            return False
        if not got.error and not _agree(exercise, mistake.recognise, case, got.output, want.output):
            return False
    return True


def _call(exercise: Exercise, case: tuple) -> str:
    return f"{exercise.name}({', '.join(shown(argument) for argument in case)})"


def _described(exercise: Exercise, case: tuple, got: Result, want: Result) -> str:
    given = _call(exercise, case)
    if got.error:
        return f"For {given}, {got.detail}."
    if str(got.output) == "None":
        return f"For {given} it returns nothing (None): is there a `return`?"
    if exercise.has("accepts"):
        return f"{given} gave {shown(got.output)}; a right answer is, for example, {shown(want.output)}."
    output = aligned(got.output, want.output)
    if isinstance(output, tuple) and isinstance(want.output, tuple) and len(output) == len(want.output):
        for name, part, right in zip(exercise.returns, output, want.output, strict=False):
            if form(part) != form(right):
                return f"For {given}, {name}: expected {form(right)}, got {form(part)}."
    if form(output) != form(want.output):
        return f"For {given}, expected {form(want.output)}, got {form(output)}."
    where, expected, came = difference(
        output, want.output, rtol=exercise.rtol, atol=exercise.atol, names=exercise.returns
    )
    return f"For {given}, expected {f'{where} = ' if where else ''}{expected}, got {came}."
