"""What an answer may not call: anything of the course or of a library of metrics, and what its record forbids.

Judged at the call *from the reader's code*. What a permitted function, an argument or an argument's methods call inside
is free, and so are pictures. The answer may use the functions of earlier exercises and what its record allows.
"""

import ast
import contextlib
import functools
import inspect
import sys
import textwrap
import types
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import torch

from gancourse.exercises.record import Exercise, earlier

_COURSE = Path(__file__).resolve().parents[1]
PICTURES = ("figures", "demos")
# Libraries that compute what the course teaches.
PEERS = (
    "sklearn",
    "torchmetrics",
    "torch_fidelity",
    "pytorch_fid",
    "cleanfid",
    "prdc",
    "lpips",
    "piq",
    "vendi_score",
)


def forbidden_use(exercise: Exercise, source: str, namespace: Mapping | None = None) -> str:
    """Dotted name of what `source` may not use in the answer itself, "" where there is nothing.

    Nothing is executed: names are followed through the imports in `source` and the modules in `namespace`. Only the
    definition of the exercise's name is judged, not what else its cell does.
    """
    try:
        tree = ast.parse(textwrap.dedent(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    known: dict[str, object] = {
        name: value for name, value in dict(namespace or {}).items() if isinstance(value, types.ModuleType)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = alias.name if alias.asname else alias.name.partition(".")[0]
                known[alias.asname or path] = sys.modules.get(path)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                known[alias.asname or alias.name] = _member(sys.modules.get(node.module or ""), alias.name)

    def meaning(node):
        if isinstance(node, ast.Attribute):
            return _member(meaning(node.value), node.attr)
        return known.get(node.id) if isinstance(node, ast.Name) else None

    barred = {id(thing): name for name, thing in _barred(exercise).items()}
    free = _free_codes(exercise)
    for node in ast.walk(_definition(tree, exercise.name)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if id(known[alias.asname or alias.name]) in barred:
                    return barred[id(known[alias.asname or alias.name])]
        thing = meaning(node)
        if id(thing) in barred:
            return barred[id(thing)]
        called = meaning(node.func) if isinstance(node, ast.Call) else None
        for code in _codes(called):
            if _is_course(code.co_filename) and id(code) not in free:
                return f"{getattr(called, '__module__', 'gancourse')}.{getattr(called, '__name__', '')}"
    return ""


def borrowed(exercise: Exercise, answer: Any) -> str:
    """Name of the course's function or class that an answer is, or that it inherits from; "" where it is the reader's."""
    parts = answer.__mro__ if isinstance(answer, type) else (answer,)
    allowed = [resolve_name(name) for name in exercise.allowed]
    for part in parts:
        if part is exercise.oracle:
            return f"the course's {exercise.name}"
        if part in allowed:
            continue
        own = [part.__module__.startswith("gancourse.")] if isinstance(part, type) else []
        if any(own) or any(_is_course(code.co_filename) for code in _codes(part) if not own):
            return f"{part.__module__}.{getattr(part, '__qualname__', '')}".rstrip(".")
    return ""


@contextlib.contextmanager
def watch(exercise: Exercise, namespace: Mapping, case: tuple):
    """Collect, while the block runs, the names of what code of `namespace` calls out of bounds."""
    barred = {id(code): name for name, thing in _barred(exercise).items() for code in (*_codes(thing), thing)}
    free, own = _free_codes(exercise), _arguments(case)
    free |= {id(code) for part in own for code in _codes(part)}
    kinds = tuple({type(part) for part in own if not isinstance(part, types.FunctionType | type)})
    used: list[str] = []

    def by_reader(frame) -> bool:
        """Whether the nearest frame that is the reader's or the course's is the reader's."""
        while frame is not None and frame.f_globals is not namespace:
            if _is_course(frame.f_code.co_filename):
                return False
            frame = frame.f_back
        return frame is not None

    def look(frame, event, builtin):
        if event == "call":
            code = frame.f_code
            if id(code) in barred:
                if by_reader(frame.f_back):
                    used.append(barred[id(code)])
            elif _is_course(code.co_filename) and id(code) not in free and by_reader(frame.f_back):
                owner = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
                if not (kinds and type(owner) in kinds):
                    used.append(f"{frame.f_globals.get('__name__', 'gancourse')}.{code.co_qualname}")
        elif event == "c_call":  # torch.cov itself, or the method behind a tensor's .cov()
            owner = type(getattr(builtin, "__self__", None))
            for thing in (builtin, getattr(owner, getattr(builtin, "__name__", ""), None)):
                if id(thing) in barred and by_reader(frame):
                    used.append(barred[id(thing)])

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield used
    finally:
        sys.setprofile(before)


def _barred(exercise: Exercise) -> dict[str, object]:
    named = {name: resolve_name(name) for name in exercise.forbidden}
    for name in [name for name in named if name.startswith("torch.Tensor.")]:
        if in_place := getattr(torch.Tensor, f"{name.rpartition('.')[2]}_", None):
            named[f"{name}_"] = in_place
    return {**named, f"the course's {exercise.name}": exercise.oracle}


@functools.lru_cache(maxsize=64)
def _free_codes(exercise: Exercise) -> frozenset[int]:
    """Identities of the code that the answer may call though it is the course's: earlier exercises, and what the record allows."""
    things = [record.oracle for record in earlier(exercise)] + [resolve_name(n) for n in exercise.allowed]
    own = {id(code) for code in _codes(exercise.oracle)}
    return frozenset(id(code) for thing in things for code in _codes(thing)) - own


def _codes(thing: Any) -> Iterable[types.CodeType]:
    """Code objects of a function, a method, a partial, or of a class and the classes of the course that it builds on."""
    if isinstance(thing, type):
        for kind in thing.__mro__:
            if kind is thing or kind.__module__.startswith("gancourse."):
                for part in vars(kind).values():
                    part = part.fget if isinstance(part, property) else getattr(part, "__func__", part)
                    if not isinstance(part, type):
                        yield from _codes(part)
        return
    while isinstance(thing, functools.partial):
        thing = thing.func
    if callable(thing):
        code = getattr(inspect.unwrap(thing), "__code__", None)
        if isinstance(code, types.CodeType):
            yield code


def _arguments(case: Iterable) -> list[object]:
    """The arguments of a case that can be called, and the modules inside them."""
    found: list[object] = []
    for part in case:
        if isinstance(part, torch.nn.Module):
            found += list(part.modules())
        elif isinstance(part, list | tuple):
            found += _arguments(part)
        elif isinstance(part, Mapping):
            found += _arguments(part.values())
        elif callable(part) or type(part).__module__.startswith("gancourse."):
            found.append(part)
    return found


@functools.lru_cache(maxsize=4096)
def _is_course(filename: str) -> bool:
    """Whether a file of code lies in the package, other than where pictures are drawn, or in a peer's."""
    path = Path(filename)
    if not path.is_relative_to(_COURSE):
        return any(a in ("site-packages", "dist-packages") and b in PEERS for a, b in pairwise(path.parts))
    return path.relative_to(_COURSE).parts[0] not in PICTURES


def _definition(tree: ast.Module, name: str) -> ast.AST:
    """The part of a cell that defines `name`; the whole cell where that can't be told."""
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node
    return tree


def _member(module: object, name: str) -> object:
    return vars(module).get(name) if isinstance(module, types.ModuleType) else None
