"""The record of an exercise: what a reader is asked to write, and everything needed to judge it.

A record is made first, then its parts register with it:

    exercise_02_2 = Exercise("02.2", "covariance_matrix", points=3)

    @exercise_02_2.oracle
    def covariance_matrix(features): ...

    @exercise_02_2.cases
    def feature_sets(rng): ...

    @exercise_02_2.mistake("You divided by N; the unbiased covariance divides by N - 1.")
    def covariance_divided_by_n(features): ...

Records lie in `gancourse/chapters/chNN_.../exercises.py` and are found there by the chapter's number.
"""

import functools
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CHAPTERS = "gancourse.chapters"


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer, and the message that it earns.

    An answer makes this mistake when its outputs equal those of `answer`. Where outputs cannot be compared so (random
    answers), `recognise(case, output, expected) -> bool` tells the mistake by its traces: `expected` is the mistake's
    own output.
    """

    answer: Callable
    message: str
    recognise: Callable | None = None


class Exercise:
    """An exercise: `id` "03.2", `name` that the reader binds, `points`, and the parts that register with it.

    Each part is a decorator until it has been used, and what was registered from then on.

    oracle    the right function or class; it stands in where the reader's is missing or wrong
    cases     rng -> argument tuples, smallest first
    mistake   (message, recognise=None) -> decorator; `mistakes` lists what has registered
    accepts   (case, output, expected) -> bool, for random answers or where several are right; None: compare by value
    call      (answer, *case) -> output, where the answer is a class or is used in another way; by default it is called

    rtol, atol  tolerance on values
    returns     names of the parts of a tuple that the answer returns, for messages
    allowed     dotted names of the course that the answer may call; everything else of the course is out of bounds
    forbidden   dotted names outside the course that compute the same
    exempt      kinds of input that the lint of cases asks for and that make no sense here: {kind: reason}
    seconds     limit for one check; by default max(10 s, 30 times the oracle's own time)
    """

    def __init__(
        self,
        id: str,
        name: str,
        *,
        points: int,
        rtol: float = 1e-5,
        atol: float = 1e-8,
        returns: tuple[str, ...] = (),
        allowed: tuple[str, ...] = (),
        forbidden: tuple[str, ...] = (),
        exempt: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ):
        self.id, self.name, self.points = id, name, points
        self.rtol, self.atol, self.returns = rtol, atol, returns
        self.allowed, self.forbidden, self.seconds = allowed, forbidden, seconds
        self.exempt = dict(exempt or {})
        self.oracle: Callable[..., Any] = self._part("oracle")
        self.cases: Callable[..., Any] = self._part("cases")
        self.accepts: Callable[..., Any] = self._part("accepts")
        self.call: Callable[..., Any] = self._part("call")
        self.mistakes: list[Mistake] = []

    def _part(self, name: str) -> Callable:
        def register(part: Callable) -> Callable:
            setattr(self, name, part)
            return part

        register.missing = True  # type: ignore[attr-defined]
        return register

    def has(self, part: str) -> bool:
        """Whether "oracle", "cases", "accepts" or "call" has been registered."""
        return not getattr(getattr(self, part), "missing", False)

    def mistake(self, message: str, *, recognise: Callable | None = None) -> Callable[[Callable], Callable]:
        """Register the decorated function or class as a wrong answer that earns `message`."""

        def register(answer: Callable) -> Callable:
            self.mistakes.append(Mistake(answer, message, recognise))
            return answer

        return register

    def __repr__(self) -> str:
        return f"Exercise({self.id!r}, {self.name!r}, points={self.points})"


@functools.cache
def _rooms() -> dict[str, str]:
    """Module of each chapter's exercises by its number, in order."""
    spec = importlib.util.find_spec(CHAPTERS)
    names = [m.name for m in pkgutil.iter_modules(spec.submodule_search_locations if spec else [])]
    modules = {name[2:4]: f"{CHAPTERS}.{name}.exercises" for name in sorted(names) if name.startswith("ch")}
    return {number: module for number, module in modules.items() if importlib.util.find_spec(module)}


def chapters() -> list[str]:
    """Numbers of the chapters that have exercises: ["00", "02", ...]."""
    return list(_rooms())


@functools.cache
def of_chapter(number: str) -> tuple[Exercise, ...]:
    """The exercises of one chapter, in their order; none where the chapter has no records."""
    if number not in _rooms():
        return ()
    module = importlib.import_module(_rooms()[number])
    records = {id(part): part for part in vars(module).values() if isinstance(part, Exercise)}
    own = [record for record in records.values() if record.id.partition(".")[0] == number]
    return tuple(sorted(own, key=lambda record: int(record.id.partition(".")[2])))


def exercise(id: str) -> Exercise:
    """The record of exercise "03.2"."""
    for record in of_chapter(str(id).partition(".")[0]):
        if record.id == id:
            return record
    raise ValueError(f"there is no exercise {id!r}; an id looks like '03.2'")


def earlier(record: Exercise) -> list[Exercise]:
    """The exercises that come before this one, whose functions its answer may use."""
    found = []
    for number in chapters():
        if number <= record.id.partition(".")[0]:
            found += [r for r in of_chapter(number)]
    ids = [r.id for r in found]
    return found[: ids.index(record.id)] if record.id in ids else found
