"""From the outputs of an answer to a verdict: pure and without the answer itself, so that grading may trust it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gancourse.classroom.answers import STUB, Result, compiled, normal, run
from gancourse.classroom.exercises import Exercise, WrongAnswer

RIGHT, WRONG, UNTRIED = "right", "wrong", "not attempted"
_SMALL = 12  # arrays up to this size are shown in full


@dataclass(frozen=True)
class Verdict:
    """Status ("right", "wrong", "not attempted") and the sentence that the reader is told."""

    status: str
    message: str = ""


def close(got, expected, *, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether two normal forms agree in shape and, within the tolerance, in value; NaN equals NaN.

    Where either is float32 the tolerance is at least 1e-4 relative and 1e-6 of the largest expected value.
    """
    if isinstance(got, tuple) or isinstance(expected, tuple):
        got, expected = _parts(got), _parts(expected)
        return len(got) == len(expected) and all(
            close(g, e, rtol=rtol, atol=atol) for g, e in zip(got, expected, strict=True)
        )
    if got.shape != expected.shape or np.iscomplexobj(got) != np.iscomplexobj(expected):
        return False
    if "U" in (got.dtype.kind, expected.dtype.kind):
        return got.dtype.kind == expected.dtype.kind and bool((got == expected).all())
    if np.float32 in (got.dtype, expected.dtype):
        finite = np.abs(expected[np.isfinite(expected)])
        rtol, atol = max(rtol, 1e-4), max(atol, 1e-6 * float(finite.max(initial=0)))
    wide = np.complex128 if np.iscomplexobj(got) else np.float64
    return np.allclose(got.astype(wide), expected.astype(wide), rtol, atol, equal_nan=True)


def _parts(value) -> tuple:
    if isinstance(value, tuple):
        return value
    return tuple(np.asarray(row) for row in value) if value.ndim else (value,)


def verdict(exercise: Exercise, results: list[Result], seed: int = 0) -> Verdict:
    """The verdict on what an answer made of the cases drawn from `seed`."""
    if results and results[0].error == STUB:
        return Verdict(
            UNTRIED, "The answer cell still raises NotImplementedError: write your own lines there."
        )
    if used := next((r.forbidden for r in results if r.forbidden), ""):
        return forbidden(exercise, used)
    cases = exercise.cases(np.random.default_rng(seed))
    expected = _outcomes(exercise, exercise.oracle, seed)
    if len(results) != len(cases):
        return Verdict(WRONG, f"It was tried on {len(cases)} inputs and gave {len(results)} outputs.")
    failing = [
        i
        for i, (case, got, want) in enumerate(zip(cases, results, expected, strict=True))
        if got.error or not _agree(exercise, exercise.judge, case, got.output, want.output)
    ]
    if not failing:
        if any(r.changed and not e.changed for r, e in zip(results, expected, strict=True)):
            return Verdict(
                WRONG, "The values are right, but it changes its argument in place: work on a copy."
            )
        return Verdict(RIGHT)
    for wrong in exercise.wrong:
        if _makes(exercise, wrong, cases, results, seed):
            return Verdict(WRONG, wrong.message)
    first = failing[0]
    return Verdict(WRONG, _described(exercise, cases[first], results[first], expected[first]))


def forbidden(exercise: Exercise, used: str) -> Verdict:
    """The verdict on an answer that leaves the work to the course's function."""
    return Verdict(
        WRONG, f"It uses {used}. Write it yourself: this exercise is about the inside of {exercise.name}."
    )


@functools.lru_cache(maxsize=128)
def _outcomes(exercise: Exercise, answer: Callable | WrongAnswer, seed: int) -> list[Result]:
    function = compiled(answer.code, exercise.name) if isinstance(answer, WrongAnswer) else answer
    return run(exercise, function, seed)


def _agree(exercise: Exercise, judge: Callable | None, case: tuple, got, want) -> bool:
    if judge is None:
        return close(got, want, rtol=exercise.rtol, atol=exercise.atol)
    try:
        return bool(judge(case, got, want))
    except Exception:  # a judge need not foresee every shape of a wrong output
        return False


def _makes(
    exercise: Exercise, wrong: WrongAnswer, cases: list[tuple], results: list[Result], seed: int
) -> bool:
    """Whether these results are those of this mistake, on every case."""
    judge = wrong.sign or exercise.judge
    for case, got, want in zip(cases, results, _outcomes(exercise, wrong, seed), strict=False):
        if got.error != want.error:
            return False
        if not got.error and not _agree(exercise, judge, case, got.output, want.output):
            return False
    return True


def _described(exercise: Exercise, case: tuple, got: Result, want: Result) -> str:
    given = f"{exercise.name}({', '.join(_shown(argument) for argument in case)})"
    if got.error:
        return f"For {given}, {got.detail}."
    if str(got.output) == "None":
        return f"For {given} it returns nothing (None): is there a `return`?"
    if exercise.judge:
        return f"{given} gave {_shown(got.output)}; a right answer is, for example, {_shown(want.output)}."
    output = _aligned(got.output, want.output)
    if _form(output) != _form(want.output):
        return f"For {given}, expected {_form(want.output)}, got {_form(output)}."
    for digits in (4, 8, 17):  # as many as it takes to see the difference
        expected_text, got_text = _difference(exercise, output, want.output, digits)
        if expected_text != got_text:
            break
    return f"For {given}, expected {expected_text}, got {got_text}."


def _aligned(got, want):
    """`got` as a tuple where `want` is one and as an array where it is one, as far as `close` allows."""
    if isinstance(want, tuple):
        return _parts(got) if isinstance(got, np.ndarray) and got.ndim else got
    alike = isinstance(got, tuple) and all(isinstance(p, np.ndarray) and p.shape == got[0].shape for p in got)
    return np.stack(got) if alike and got else got


def _difference(exercise: Exercise, got, want, digits: int) -> tuple[str, str]:
    """Expected and got where they differ: in full if small, else at the place of the largest difference."""
    if isinstance(want, tuple):
        pairs = [(g, w) for g, w in zip(got, want, strict=True) if not _agree(exercise, None, (), g, w)]
        return _difference(exercise, *pairs[0], digits)
    if want.size <= _SMALL or want.dtype.kind == "U":
        return _shown(want, digits), _shown(got, digits)
    gap = np.nan_to_num(np.abs(got.astype(complex) - want.astype(complex)), nan=np.inf)
    at = np.unravel_index(int(gap.argmax()), want.shape)
    where = f"[{', '.join(str(int(i)) for i in at)}]"
    return f"{_shown(want[at], digits)} at {where}", _shown(got[at], digits)


def _form(value) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(value)} ({', '.join(_form(part) for part in value)})"
    kind = {"U": "text", "c": "complex numbers"}.get(value.dtype.kind, "numbers")
    return f"{kind} of shape {value.shape}" if value.ndim else {"numbers": "one number"}.get(kind, kind)


def _shown(value: object, digits: int = 4) -> str:
    """A value in a few characters, the same on every machine: no addresses, no long arrays."""
    if isinstance(value, str | bool | int | None):
        return repr(value)
    if isinstance(value, tuple | list) and len(value) <= _SMALL:
        return f"({', '.join(_shown(part, digits) for part in value)})"
    try:
        array = normal(value)
    except Exception:
        return f"<{getattr(value, '__name__', type(value).__name__)}>"
    if not isinstance(array, np.ndarray) or array.size > _SMALL:
        return (
            f"<{type(value).__name__}{f' of shape {array.shape}' if isinstance(array, np.ndarray) else ''}>"
        )
    number = (lambda x: f"{x:.{digits}g}") if array.dtype.kind in "fc" else str
    text = np.array2string(array, separator=", ", max_line_width=10**6, formatter={"all": number})
    return " ".join(text.split())
