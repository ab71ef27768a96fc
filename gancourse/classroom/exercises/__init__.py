"""The exercises: one record each, in `chapter_NN.py`, that notebooks, checks, grading and tests all read."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WrongAnswer:
    """A plausible mistake: source as a student would write it (`np` and `torch` are there), and what to tell them.

    An answer makes this mistake when its outputs equal this one's on every case. Where outputs cannot be compared
    so (random answers), `sign(case, output, expected) -> bool` tells the mistake by its traces instead.
    """

    code: str
    message: str
    sign: Callable | None = None


def apply(function: Callable, *case):
    """The plain way to put an answer to a case: call it."""
    return function(*case)


@dataclass(frozen=True)
class Exercise:
    """What a reader is asked to write, and everything needed to judge it."""

    id: str  # "03.2"
    name: str  # the name bound in the reader's notebook
    points: int
    oracle: Callable  # the right function; stands in where the reader's is missing or wrong
    cases: Callable[[np.random.Generator], list[tuple]]  # argument tuples, smallest first
    wrong: tuple[WrongAnswer, ...]
    rtol: float = 1e-5
    atol: float = 1e-8
    forbidden: tuple[
        str, ...
    ] = ()  # dotted names that may not be called inside an answer; the oracle never may
    judge: Callable | None = None  # (case, output, expected) -> bool, for random or non-unique answers
    call: Callable = (
        apply  # call(answer, *case) -> output, where the answer is a class or is used in another way
    )


def chapters() -> list[str]:
    """Numbers of the chapters that have exercises: ["00", "02", ...]."""
    return sorted(m.name[8:] for m in pkgutil.iter_modules(__path__) if m.name.startswith("chapter_"))


def of_chapter(number: str) -> tuple[Exercise, ...]:
    """The exercises of one chapter, in their order; none where the chapter has no records."""
    if number not in chapters():
        return ()
    return importlib.import_module(f"{__name__}.chapter_{number}").EXERCISES


def exercise(id: str) -> Exercise:
    """The record of exercise "03.2"."""
    for record in of_chapter(str(id).partition(".")[0]):
        if record.id == id:
            return record
    raise ValueError(f"there is no exercise {id!r}; an id looks like '03.2'")
