"""Run an answer on the cases of its exercise: everything that must happen in the process that holds the answer."""

import ast
import contextlib
import dataclasses
import inspect
import linecache
import math
import os
import pkgutil
import random
import re
import sys
import textwrap
import traceback
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gancourse.classroom.exercises import Exercise

STUB = "stub"  # the error of an answer that is still `raise NotImplementedError`


@dataclass(frozen=True)
class Result:
    """What an answer did with one case."""

    output: object = None  # in normal form; None where it raised
    error: str = ""  # the exception's class, or STUB
    detail: str = ""  # where and why it was raised, in the reader's own lines
    changed: bool = False  # an argument was changed in place
    forbidden: str = ""  # the course's function that the answer called


def normal(value: Any):
    """Normal form of an output: a numpy array of numbers or text, or a tuple of normal forms.

    Tensors, Python numbers and 0-d arrays become arrays; a sequence of alike parts is stacked, others become tuples, as
    do dataclasses and mappings (keys first, then values in the order of the keys). None is the text "None".
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj()
        return (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy().copy()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return normal([getattr(value, field.name) for field in dataclasses.fields(value)])
    if isinstance(value, Mapping):
        keys = sorted(value, key=str)
        return normal([keys, *(value[key] for key in keys)])
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        parts = tuple(normal(part) for part in value)
        alike = {(part.shape, part.dtype) if isinstance(part, np.ndarray) else None for part in parts}
        return np.stack(parts) if len(alike) == 1 and None not in alike else parts
    array = np.array("None" if value is None else value)
    if array.dtype.kind not in "biufcU":
        raise TypeError(f"expected numbers or arrays of numbers as output, got {type(value).__name__}")
    return array


def compiled(source: str, name: str) -> Callable:
    """The function or class `name` that `source` defines, in a namespace that has numpy as np, torch and math."""
    filename = f"<an answer to {name}, {hash(source):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {
        "__name__": "answer",
        "np": np,
        "torch": torch,
        "math": math,
        "F": torch.nn.functional,
    }
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def run(exercise: Exercise, answer: Callable, seed: int = 0, namespace: dict | None = None) -> list[Result]:
    """What `answer` does with each case drawn from `seed`; its own prints and warnings are dropped.

    Every case is drawn afresh, so no answer sees what another left. An answer that is still the stub gives one result.
    `namespace` is where the reader's code lives, to tell the reader's lines from ours.
    """
    namespace = namespace if namespace is not None else getattr(answer, "__globals__", {})
    cases, untouched = (exercise.cases(np.random.default_rng(seed)) for _ in range(2))
    results = []
    for case, before in zip(cases, untouched, strict=True):
        results.append(_run_case(exercise, answer, case, before, namespace))
        if results[-1].error == STUB:
            break
    return results


def _run_case(exercise: Exercise, answer: Callable, case: tuple, before: tuple, namespace: dict) -> Result:
    used: list[str] = []
    try:
        with _aside(_barred(exercise), used):
            output = normal(exercise.call(answer, *case))
    except (Exception, SystemExit) as error:
        name = STUB if isinstance(error, NotImplementedError) and not error.args else type(error).__name__
        return Result(error=name, detail=_where(error, namespace), forbidden="".join(used[:1]))
    changed = any(not _same(a, b) for a, b in zip(case, before, strict=True))
    return Result(output, changed=changed, forbidden="".join(used[:1]))


@contextlib.contextmanager
def _aside(barred: dict[int, str], used: list[str]):
    """Silence, a fixed global random state that is put back, and a watch for calls of the barred code."""

    def watch(frame, event, builtin):
        if event == "call":
            called = [frame.f_code]
        elif event == "c_call":  # torch.cov itself, or the method behind a tensor's .cov()
            owner = type(getattr(builtin, "__self__", None))
            called = [builtin, getattr(owner, builtin.__name__, None)]
        else:
            return
        used.extend(barred[id(thing)] for thing in called if id(thing) in barred)

    state, numpy_state, profile = random.getstate(), np.random.get_state(), sys.getprofile()
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
        sys.setprofile(watch)
        try:
            yield
        finally:
            sys.setprofile(profile)
            random.setstate(state)
            np.random.set_state(numpy_state)


def _same(after: Any, before: Any) -> bool:
    if isinstance(before, (torch.Tensor, np.ndarray)):
        return np.array_equal(normal(after), normal(before), equal_nan=normal(before).dtype.kind in "fc")
    if isinstance(before, (list, tuple)):
        return len(after) == len(before) and all(_same(a, b) for a, b in zip(after, before, strict=True))
    return True


def _where(error: BaseException, namespace: dict) -> str:
    """The exception in the reader's terms: line number and source of the innermost line in the notebook."""
    told = f"{type(error).__name__}: {error}".rstrip(": ")
    told = re.sub(r"0x[0-9a-f]{6,}", "0x...", " ".join(told.split()))[:300]
    own = [(f, line) for f, line in traceback.walk_tb(error.__traceback__) if f.f_globals is namespace]
    if not own:
        return f"it raises {told}"
    frame, line = own[-1]
    source = linecache.getline(frame.f_code.co_filename, line).strip()
    return f"line {line} of the cell, {f'`{source}`, ' if source else ''}raises {told}"


def _objects(exercise: Exercise) -> dict[str, object]:
    named = {name: pkgutil.resolve_name(name) for name in exercise.forbidden}
    return {**named, f"the course's {exercise.name}": exercise.oracle}


def _barred(exercise: Exercise) -> dict[int, str]:
    """Barred names by the identity of their code, or of the builtin: equal code may be the reader's own."""
    codes: dict[int, str] = {}
    for name, thing in _objects(exercise).items():
        for part in vars(thing).values() if isinstance(thing, type) else (thing,):
            if callable(part):
                codes.setdefault(id(getattr(inspect.unwrap(part), "__code__", part)), name)
    return codes


def forbidden_use(exercise: Exercise, source: str, namespace: Mapping | None = None) -> str:
    """Dotted name of a forbidden function that `source` mentions, "" where there is none.

    Nothing is executed: names are followed through the imports in `source` and the modules in `namespace`.
    """
    barred = {id(thing): name for name, thing in _objects(exercise).items()}
    try:
        nodes = list(ast.walk(ast.parse(textwrap.dedent(source))))
    except SyntaxError:
        return ""
    known: dict[str, object] = {
        k: v for k, v in dict(namespace or {}).items() if isinstance(v, types.ModuleType)
    }
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = alias.name if alias.asname else alias.name.partition(".")[0]
                known[alias.asname or path] = sys.modules.get(path)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                known[alias.asname or alias.name] = _member(sys.modules.get(node.module or ""), alias.name)
                if id(known[alias.asname or alias.name]) in barred:
                    return barred[id(known[alias.asname or alias.name])]

    def meaning(node):
        if isinstance(node, ast.Attribute):
            return _member(meaning(node.value), node.attr)
        return known.get(node.id) if isinstance(node, ast.Name) else None

    return next((barred[id(m)] for m in map(meaning, nodes) if id(m) in barred), "")


def _member(module: object, name: str) -> object:
    return vars(module).get(name) if isinstance(module, types.ModuleType) else None


def pack(results: list[Result]) -> dict[str, np.ndarray]:
    """Results as named arrays without objects, for `numpy.savez`."""
    arrays = {"cases": np.array(len(results))}

    def put(key, value):
        if isinstance(value, tuple):
            arrays[f"{key}.parts"] = np.array(len(value))
            for i, part in enumerate(value):
                put(f"{key}.{i}", part)
        else:
            arrays[key] = value

    for i, r in enumerate(results):
        arrays[f"{i}.told"] = np.array([r.error, r.detail, r.forbidden, "changed" * r.changed])
        if not r.error:
            put(str(i), r.output)
    return arrays


def unpack(arrays: Mapping[str, np.ndarray]) -> list[Result]:
    """Results from `pack`'s arrays, which may come from a stranger: anything odd is a ValueError."""

    def get(key):
        if f"{key}.parts" in arrays:
            return tuple(get(f"{key}.{i}") for i in range(int(arrays[f"{key}.parts"])))
        if arrays[key].dtype.kind not in "biufcU":
            raise ValueError(f"array {key!r} has dtype {arrays[key].dtype}")
        return arrays[key]

    try:
        results = []
        for i in range(int(arrays["cases"])):
            error, detail, forbidden, changed = (str(text) for text in arrays[f"{i}.told"])
            output = None if error else get(str(i))
            results.append(Result(output, error, detail, bool(changed), forbidden))
        return results
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"these are not the outputs of an answer: {error!r}") from None
