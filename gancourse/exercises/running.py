"""Run an answer on the cases of its exercise: everything that must happen in the process that holds the answer."""

import _thread
import contextlib
import ctypes
import functools
import inspect
import linecache
import os
import random
import re
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from gancourse.exercises import rules
from gancourse.exercises.outputs import normal, own_memory, same
from gancourse.exercises.record import Exercise

STUB = "stub"  # the error of an answer that is still `raise NotImplementedError`
TOO_LONG = "too long"  # the error of an answer that the watchdog interrupted
_AGAIN = 0.5  # seconds between the watchdog's interrupts: an answer may swallow one
_ASLEEP = 6  # times the limit that an answer may wait without working


@dataclass(frozen=True)
class Result:
    """What an answer did with one case."""

    output: object = None  # in normal form; None where it raised
    error: str = ""  # the exception's class, STUB or TOO_LONG
    detail: str = ""  # where and why it was raised, in the reader's own lines
    changed: bool = False  # an argument was changed in place
    forbidden: str = ""  # what the answer called out of bounds
    text: str = ""  # the exception's own text


def fresh_cases(exercise: Exercise, seed: int) -> list[tuple]:
    """The cases drawn from `seed`, no array sharing memory with another."""
    return [tuple(own_memory(part) for part in case) for case in exercise.cases(np.random.default_rng(seed))]


def run(
    exercise: Exercise,
    answer: Callable,
    seed: int = 0,
    namespace: dict | None = None,
    *,
    watched: bool = True,
    watch: Callable = rules.watch,
    seconds: float | None = None,
) -> list[Result]:
    """What `answer` does with each case drawn from `seed`; its own prints and warnings are dropped.

    Every case is drawn afresh, so no answer sees what another left. An answer that is still the stub, or that is
    interrupted after `seconds`, gives no result for later cases. `namespace` is where the reader's code lives, to tell
    the reader's lines from ours. Without `watched` nothing is out of bounds; `watch(exercise, namespace, case)` is a
    context that gives the names of what was called out of bounds inside it.
    """
    namespace = namespace if namespace is not None else getattr(answer, "__globals__", {})
    if watched and (used := rules.borrowed(exercise, answer)):
        return [Result(forbidden=used)]
    cases, untouched = fresh_cases(exercise, seed), fresh_cases(exercise, seed)
    deadline = None if seconds is None else time.monotonic() + seconds
    results: list[Result] = []
    for case, before in zip(cases, untouched, strict=True):
        left = None if deadline is None else max(0.01, deadline - time.monotonic())
        guard = functools.partial(watch, exercise, namespace, case) if watched else contextlib.nullcontext
        results.append(_run_case(exercise, answer, case, before, namespace if watched else {}, guard, left))
        if results[-1].error in (STUB, TOO_LONG):
            break
    return results


def apply(answer: Callable, *case):
    """The plain way to put an answer to a case: call it."""
    return answer(*case)


def _run_case(
    exercise: Exercise,
    answer: Callable,
    case: tuple,
    before: tuple,
    namespace: Mapping,
    guard: Callable,
    seconds: float | None,
) -> Result:
    used: list[str] | None = None
    call = exercise.call if exercise.has("call") else apply
    try:
        with _aside(), Watchdog(seconds) as watchdog, guard() as used:
            output = normal(call(answer, *case))
    except KeyboardInterrupt:
        if not watchdog.barked:
            raise
        return Result(error=TOO_LONG, forbidden=_first(used))
    except (Exception, SystemExit) as error:
        is_stub = isinstance(error, NotImplementedError) and not error.args and _raised_by(answer, error)
        name = STUB if is_stub else type(error).__name__
        detail = _where(error, answer, namespace)
        return Result(error=name, detail=detail, forbidden=_first(used), text=_text(error))
    changed = any(not same(a, b) for a, b in zip(case, before, strict=True))
    return Result(output, changed=changed, forbidden=_first(used))


def _first(used: list[str] | None) -> str:
    return used[0] if used else ""


class Watchdog:
    """Interrupts the thread that entered it after `seconds` of work, again and again until it leaves; None: never.

    The interrupt is a KeyboardInterrupt, as the Stop button's; `barked` tells the two apart. One long call into C
    can't be stopped so.
    """

    def __init__(self, seconds: float | None):
        self.seconds, self.barked, self._over = seconds, False, threading.Event()
        self._lock, self._thread = threading.Lock(), threading.get_ident()

    def __enter__(self) -> "Watchdog":
        if self.seconds is not None:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        with self._lock:
            self._over.set()
        if self.barked:  # an interrupt on its way must not arrive in the code that follows
            with contextlib.suppress(KeyboardInterrupt):
                time.sleep(0.05)

    def _watch(self) -> None:
        assert self.seconds is not None
        busy, started = time.process_time(), time.monotonic()
        while not self._over.wait(min(self.seconds / 4, 0.25)):
            # Processor time, so that a busy machine makes nobody's answer late; an answer that sleeps ends too.
            worked, passed = time.process_time() - busy, time.monotonic() - started
            if worked >= self.seconds or passed >= _ASLEEP * self.seconds:
                break
        while not self._over.is_set():
            with self._lock:
                if not self._over.is_set():
                    self.barked = True
                    self._interrupt()
            self._over.wait(_AGAIN)

    def _interrupt(self) -> None:
        if self._thread == threading.main_thread().ident:
            _thread.interrupt_main()
        else:
            raised = ctypes.py_object(KeyboardInterrupt)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), raised)


@contextlib.contextmanager
def _aside():
    """Silence, and a fixed global random state that is put back."""
    state, numpy_state = random.getstate(), np.random.get_state()
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
        torch.random.fork_rng(devices=[]),
    ):
        warnings.simplefilter("ignore")
        random.seed(0)
        np.random.seed(0)
        torch.default_generator.manual_seed(0)
        try:
            yield
        finally:
            random.setstate(state)
            np.random.set_state(numpy_state)


def _own_codes(answer: Callable) -> set[int]:
    """Identities of the code of a function, or of a class's methods, with the functions defined inside."""
    parts = vars(answer).values() if isinstance(answer, type) else (answer,)
    codes = [
        code for part in parts if callable(part) if (code := getattr(inspect.unwrap(part), "__code__", None))
    ]
    for code in codes:
        codes += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return {id(code) for code in codes}


def _raised_by(answer: Callable, error: BaseException) -> bool:
    """Whether the answer itself raised, not a function that it called."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    codes = _own_codes(answer)
    return not codes or id(frames[-1].f_code) in codes


def _text(error: BaseException) -> str:
    """An exception's text on one line, the same on every machine."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", " ".join(str(error).split()))[:300]


def _where(error: BaseException, answer: Callable, namespace: Mapping) -> str:
    """The exception in the reader's terms: line number and source of the innermost line in the notebook.

    A line that stands in another function than the answer is told with that function's name.
    """
    message = f"{type(error).__name__}: {_text(error)}".rstrip(": ")
    own = [(f, line) for f, line in traceback.walk_tb(error.__traceback__) if f.f_globals is namespace]
    if not own:
        return f"it raises {message}"
    frame, line = own[-1]
    name = frame.f_code.co_name
    source = linecache.getline(frame.f_code.co_filename, line).strip()
    quoted = f"`{source}`, " if source else ""
    if id(frame.f_code) in _own_codes(answer) or name.startswith("<"):
        return f"line {line} of the cell, {quoted}raises {message}"
    if isinstance(error, NotImplementedError) and not error.args:
        return f"it calls `{name}`, which still raises NotImplementedError"
    return f"line {line} of the cell that defines `{name}`, {quoted}raises {message}"


def compiled(source: str, name: str, **given) -> Callable:
    """The function or class `name` that `source` defines, in a namespace of its own: an answer for a test."""
    filename = f"<an answer to {name}, {hash(source):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = {"__name__": "answer", "np": np, "torch": torch, "F": torch.nn.functional, **given}
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]
