"""Cases, the course's code that they take along, and results, as data: packed here, unpacked where the course isn't.

Values are tagged with their kind and their arrays stand apart, so that nothing has to be unpickled on either side. A
network or another object is its class's name and its state; classes and functions of the course travel as their source.
"""

import ast
import inspect
import io
import json
import math
import pkgutil
import sys
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from gancourse.exercises.record import Exercise
from gancourse.exercises.running import Result

_COURSE = "gancourse"
_PLAIN = (bool, int, float, str, types.NoneType)


class Source:
    """Definitions of the course, each once, those that another stands on before it.

    Names that a definition uses are followed: a function or class of the course joins, a module or a part of another
    package becomes an import, a constant its value. Annotations, docstrings and the decorators of exercises stay behind.
    """

    def __init__(self, *things: Callable):
        self.things: dict[str, object] = {}
        self.lines: dict[str, str] = {}
        for thing in things:
            self.add(thing)

    @property
    def text(self) -> str:
        """The definitions as one module's source."""
        return "\n".join(self.lines.values())

    def add(self, thing: Any) -> str:
        """Take a function or class along; returns the name that it has in the text. TypeError where it can't be taken."""
        if "." in thing.__qualname__ or thing.__name__ == "<lambda>":
            raise TypeError(f"{thing.__qualname__} has no name in its module")
        self._define(thing.__name__, thing)
        return thing.__name__

    def add_inner(self, function: types.FunctionType) -> tuple[str, list[str]]:
        """Source of a function that is defined inside another, and the names that it takes from there."""
        if function.__name__ == "<lambda>":
            raise TypeError(f"{function.__qualname__} is a lambda; give it a name with def")
        tree = _definition(function)
        self._follow(tree, function, set(function.__code__.co_freevars))
        return ast.unparse(tree), list(function.__code__.co_freevars)

    def _define(self, name: str, thing: Any) -> None:
        if name in self.things:
            if self.things[name] is not thing:
                raise TypeError(f"two things are called {name}: {self.things[name]!r} and {thing!r}")
            return
        self.things[name] = thing
        origin = getattr(thing, "__module__", None) or ""
        if isinstance(thing, types.ModuleType):
            if thing.__name__.startswith(_COURSE):
                raise TypeError(f"{name} is a module of the course; import what is needed from it")
            self.lines[name] = (
                f"import {thing.__name__} as {name}" if "." in thing.__name__ else f"import {thing.__name__}"
            )
            if "." not in thing.__name__ and thing.__name__ != name:
                self.lines[name] += f" as {name}"
        elif isinstance(thing, types.FunctionType | type) and origin.startswith(_COURSE):
            tree = _definition(thing)
            self._follow(tree, thing, {name})
            self.lines[name] = ast.unparse(tree)
            if tree.name != name:
                self.lines[name] += f"\n{name} = {tree.name}"
        elif isinstance(thing, _PLAIN) or (
            isinstance(thing, tuple) and all(isinstance(part, _PLAIN) for part in thing)
        ):
            self.lines[name] = f"{name} = {thing!r}" if thing != math.inf else f"{name} = float('inf')"
        elif origin and not origin.startswith(_COURSE) and hasattr(thing, "__qualname__"):
            self.lines[name] = f"from {origin} import {thing.__qualname__} as {name}"
        else:
            raise TypeError(f"{name} = {thing!r} can't be taken along")

    def _follow(self, tree: ast.AST, thing: Any, own: set[str]) -> None:
        known = vars(sys.modules[thing.__module__])
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in known and node.id not in own:
                self._define(node.id, known[node.id])


def pack_cases(cases: Iterable[tuple], source: Source) -> tuple[list, dict[str, np.ndarray]]:
    """Cases as JSON and arrays; the classes and functions that they need join `source`. TypeError for what can't travel."""
    arrays: dict[str, np.ndarray] = {}
    return [_Packer(source, arrays).pack(tuple(case)) for case in cases], arrays


def unpack_cases(packed: list, arrays: Mapping[str, np.ndarray], defined: Mapping[str, Any]) -> list[tuple]:
    """The cases again, sharing no memory with an earlier call; `defined` holds what their source defines."""
    return [_Unpacker(arrays, defined).unpack(case) for case in packed]


def to_bytes(head: Any, arrays: Mapping[str, np.ndarray]) -> bytes:
    """JSON and named arrays as one string of bytes."""
    file = io.BytesIO()
    np.savez(file, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
    return file.getvalue()


def from_bytes(content: bytes) -> tuple[Any, dict[str, np.ndarray]]:
    """What `to_bytes` was given."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(arrays.pop("head").tobytes()), arrays


def pack_results(results: list[Result]) -> dict[str, np.ndarray]:
    """Results as named arrays without objects."""
    arrays = {"cases": np.array(len(results))}

    def put(key, value):
        if isinstance(value, tuple):
            arrays[f"{key}.parts"] = np.array(len(value))
            for i, part in enumerate(value):
                put(f"{key}.{i}", part)
        else:
            arrays[key] = value

    for i, r in enumerate(results):
        arrays[f"{i}.told"] = np.array([r.error, r.detail, r.forbidden, "changed" * r.changed, r.text])
        if not r.error:
            put(str(i), r.output)
    return arrays


def unpack_results(arrays: Mapping[str, np.ndarray]) -> list[Result]:
    """Results from `pack_results`'s arrays, which may come from a stranger: anything odd is a ValueError."""

    def get(key):
        if f"{key}.parts" in arrays:
            return tuple(get(f"{key}.{i}") for i in range(int(arrays[f"{key}.parts"])))
        if arrays[key].dtype.kind not in "biufcU":
            raise ValueError(f"array {key!r} has dtype {arrays[key].dtype}")
        return arrays[key]

    try:
        results = []
        for i in range(int(arrays["cases"])):
            error, detail, forbidden, changed, text = (str(part) for part in arrays[f"{i}.told"])
            output = None if error else get(str(i))
            results.append(Result(output, error, detail, bool(changed), forbidden, text))
        return results
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"these are not the outputs of an answer: {error!r}") from None


class _Packer:
    """Packs one case; what occurs twice in it is packed once."""

    def __init__(self, source: Source, arrays: dict[str, np.ndarray]):
        self.source, self.arrays = source, arrays
        self.seen: dict[int, int] = {}
        self.kept: list[object] = []

    def pack(self, value: Any) -> list:
        if isinstance(value, _PLAIN) and type(value) in _PLAIN:
            return ["plain", value]
        if type(value) in (list, tuple):
            return [type(value).__name__, [self.pack(part) for part in value]]
        if isinstance(value, set):
            return ["set", [self.pack(part) for part in sorted(value)]]
        if isinstance(value, Mapping):
            return ["dict", [[self.pack(key), self.pack(part)] for key, part in value.items()]]
        if isinstance(value, np.ndarray | np.generic):
            return ["array" if isinstance(value, np.ndarray) else "scalar", self._array(np.asarray(value))]
        if isinstance(value, torch.Size):
            return ["tuple", [["plain", int(part)] for part in value]]
        if isinstance(value, types.ModuleType | types.BuiltinFunctionType | types.BuiltinMethodType):
            raise TypeError(f"{value!r} can't be sent")
        if id(value) in self.seen:
            return ["again", self.seen[id(value)]]
        self.seen[id(value)] = len(self.seen)
        self.kept.append(value)
        if isinstance(value, torch.Tensor):
            kind = "parameter" if isinstance(value, torch.nn.Parameter) else "tensor"
            return [kind, self._array(value.detach().numpy()), value.requires_grad]
        if isinstance(value, types.FunctionType):
            if "<locals>" not in value.__qualname__:
                return ["defined", self._name(value)]
            text, names = self.source.add_inner(value)
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            return ["inner", value.__name__, text, names, [self.pack(cell) for cell in cells]]
        if isinstance(value, type):
            return ["defined", self._name(value)]
        state = {
            key: part
            for key, part in vars(value).items()
            if not (
                isinstance(value, torch.nn.Module) and ("_hooks" in key or key == "_is_full_backward_hook")
            )
        }
        return ["object", self._name(type(value)), self.pack(state)]

    def _array(self, array: np.ndarray) -> str:
        if array.dtype.kind not in "biufcU":
            raise TypeError(f"an array of {array.dtype} can't be sent")
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.array(array)
        return name

    def _name(self, thing: Any) -> str:
        if thing.__module__.startswith(_COURSE):
            return self.source.add(thing)
        if "<" in thing.__qualname__:
            raise TypeError(f"{thing!r} has no name by which it can be found")
        return f"{thing.__module__}:{thing.__qualname__}"


class _Unpacker:
    def __init__(self, arrays: Mapping[str, np.ndarray], defined: Mapping[str, Any]):
        self.arrays, self.defined = arrays, defined
        self.made: list[Any] = []

    def unpack(self, packed: list) -> Any:
        kind, *rest = packed
        if kind == "plain":
            return rest[0]
        if kind in ("list", "tuple", "set"):
            return {"list": list, "tuple": tuple, "set": set}[kind](self.unpack(part) for part in rest[0])
        if kind == "dict":
            return {self.unpack(key): self.unpack(part) for key, part in rest[0]}
        if kind in ("array", "scalar"):
            array = self.arrays[rest[0]].copy()
            return array if kind == "array" else array[()]
        if kind == "again":
            return self.made[rest[0]]
        index = len(self.made)
        self.made.append(None)
        self.made[index] = self._make(index, kind, *rest)
        return self.made[index]

    def _make(self, index: int, kind: str, *rest: Any) -> Any:
        if kind in ("tensor", "parameter"):
            tensor = torch.from_numpy(self.arrays[rest[0]].copy())
            if kind == "parameter":
                return torch.nn.Parameter(tensor, requires_grad=rest[1])
            return tensor.requires_grad_(rest[1])
        if kind == "defined":
            return self._named(rest[0])
        if kind == "inner":
            name, text, names, values = rest
            namespace = {**self.defined, **dict(zip(names, (self.unpack(v) for v in values), strict=True))}
            exec(text, namespace)
            return namespace[name]
        cls = self._named(rest[0])
        made = cls.__new__(cls)
        if isinstance(made, torch.nn.Module):
            torch.nn.Module.__init__(made)
        self.made[index] = made
        vars(made).update(self.unpack(rest[1]))
        return made

    def _named(self, name: str) -> Any:
        return pkgutil.resolve_name(name) if ":" in name else self.defined[name]


def _definition(thing: Any) -> ast.FunctionDef | ast.ClassDef:
    """The definition of a function or class, reduced to what runs."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    if not isinstance(tree, ast.FunctionDef | ast.ClassDef):
        raise TypeError(f"{thing!r} has no definition of its own")
    known = vars(sys.modules[thing.__module__])
    tree.decorator_list = [d for d in tree.decorator_list if not _registers(d, known)]
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
                del node.body[0]
            node.body = [_unannotated(part) for part in node.body]
    return tree


def _unannotated(part: ast.stmt) -> ast.stmt:
    if not isinstance(part, ast.AnnAssign):
        return part
    if part.value is None:
        return ast.Pass()
    return ast.Assign(targets=[part.target], value=part.value, lineno=part.lineno)


def _registers(decorator: ast.expr, known: Mapping[str, Any]) -> bool:
    """Whether a decorator puts a part into the record of an exercise."""
    while isinstance(decorator, ast.Call | ast.Attribute):
        decorator = decorator.func if isinstance(decorator, ast.Call) else decorator.value
    return isinstance(decorator, ast.Name) and isinstance(known.get(decorator.id), Exercise)
