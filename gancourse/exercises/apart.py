"""The process in which answers show what they do while the course is away: `python -m gancourse.exercises.apart`.

Grading starts it and asks it over its standard input, answers come back over its standard output (`ask` in
`classroom/verdicts.py`). Each job runs in a process of its own, a fork: the cells up to a check, as far as the answer
needs them, and then the answer on the cases. Here `gancourse` and the libraries that compute the same are only names
that say who called them, and what the exercise forbids is taken out of numpy, scipy and torch, under every name.

Nothing here knows what a right answer is, so nothing that an answer may find here can tell it.
"""

import __future__

import ast
import builtins
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import inspect
import linecache
import os
import select
import signal
import struct
import sys
import time
import types
from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, BinaryIO

import torch

from gancourse.exercises import parcel, reading, rules
from gancourse.exercises.record import Exercise
from gancourse.exercises.running import Result, run

DONE, DIED, LATE = b"done", b"died", b"late"
MOST_BYTES = 100_000_000  # of one frame
_HEAD = struct.Struct("<4sQ")
_REFUSE = "__out_of_bounds__"
_ALL = "*"  # what an import of everything binds: any name may come from it


class OutOfBounds(Exception):
    """Raised where an answer calls what it may not."""


# --- what is not to be had ---------------------------------------------------------------------------------


class Away:
    """A thing of the course, or of a library that computes the same: it can be named, and calling it is refused."""

    def __init__(self, name: str, refuse: Callable):
        self.__dict__.update(_name=name, _refuse=refuse)

    def __call__(self, *_, **__):
        self._refuse(self._name)

    def __mro_entries__(self, _):
        name, refuse = self._name, self._refuse
        return (type("Away", (), {"__new__": lambda *_, **__: refuse(name)}),)

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return Away(f"{self._name}.{name}", self._refuse)

    def __or__(self, _):  # in a type hint
        return self

    __ror__ = __or__

    def __instancecheck__(self, thing):
        return self._name.rpartition(".")[2] in {kind.__name__ for kind in type(thing).__mro__}


class Quiet:
    """Stands in for what draws: everything may be done with it, and nothing happens."""

    def __call__(self, *_, **__):
        return self

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _):
        return self

    def __iter__(self):
        return iter(())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class _AwayModule(types.ModuleType):
    def __init__(self, name: str, part: Callable[[str], Any]):
        super().__init__(name)
        self.__path__: list[str] = []
        self.__dict__["__getattr__"] = lambda attribute: self._found(attribute, part)

    def _found(self, attribute: str, part: Callable[[str], Any]) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return part(f"{self.__name__}.{attribute}")


class Doorkeeper(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds, instead of the course and of the peers, modules in which everything is away but what `lent` gives.

    A module out of which something was taken is not found a second time.
    """

    def __init__(self, refuse: Callable, lent: Mapping[str, Callable[[], Any]]):
        self.refuse, self.lent = refuse, lent

    def find_spec(self, fullname, path=None, target=None):
        if fullname in _HOLLOWED:  # made anew it would hold again what was taken out of it
            self.refuse(_HOLLOWED[fullname])
        if fullname.partition(".")[0] in ("gancourse", *rules.PEERS):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _AwayModule(spec.name, self.part)

    def exec_module(self, module):
        pass

    def part(self, name: str) -> Any:
        """What an attribute of such a module is."""
        if name in self.lent:
            return self.lent[name]()
        if name.startswith("gancourse.") and name.split(".")[1] in rules.PICTURES:
            return Quiet()
        return Away(name, self.refuse)


def bar(name: str, refuse: Callable) -> None:
    """Make what a dotted name means refuse, under whatever name it is reached."""
    thing, short = resolve_name(name), name.rpartition(".")[2]
    if name.startswith("torch."):
        for op in (short, f"{short}_", f"_foreach_{short}", f"_foreach_{short}_"):
            _bar_in_torch(op, name, refuse)
    hollowed = 0
    for part in (thing, *vars(thing if isinstance(thing, type) else type(thing)).values()):
        function = inspect.unwrap(part) if callable(part) else None
        if isinstance(function, types.FunctionType):
            _hollow(function, name)
            hollowed += 1
    if hollowed:
        return
    for module in list(sys.modules.values()):  # made in C: whoever holds it gets another one
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if value is thing:
                setattr(module, key, Away(name, refuse))


_HOLLOWED: dict[str, str] = {}  # module -> what was taken out of it


def _hollow(function: types.FunctionType, name: str) -> None:
    """Give a function a body that refuses, so that no name it goes by leads to what it was."""
    _HOLLOWED[function.__globals__["__name__"]] = name
    free = ", ".join(function.__code__.co_freevars)
    text = f"def make({free}):\n def stub(*_, **__):\n  [{free}]\n  {_REFUSE}({name!r})\n return stub"
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    function.__code__ = namespace["make"](*function.__code__.co_freevars).__code__


_LIBRARY: list[torch.library.Library] = []


def _bar_in_torch(op: str, name: str, refuse: Callable) -> None:
    packet = getattr(torch.ops.aten, op, None)
    if packet is None:
        return
    if not _LIBRARY:
        _LIBRARY.append(torch.library.Library("aten", "IMPL"))
    for overload in packet.overloads():
        full = op if overload == "default" else f"{op}.{overload}"
        for key in ("CPU", "AutogradCPU", "CompositeImplicitAutograd", "FuncTorchBatchedDecomposition"):
            with contextlib.suppress(RuntimeError):
                _LIBRARY[0].impl(full, lambda *_, **__: refuse(name), key)


# --- the cells that an answer needs ------------------------------------------------------------------------


class Cells:
    """A notebook's code up to a check: `bind` runs what the name at its end stands on.

    cells: (kind, source). Of a "course" cell only imports, definitions and plain constants can be needed, of a "reader"
    cell every statement. A statement that raises is passed over; what then is missing shows where it is used.
    """

    def __init__(self, cells: list[tuple[str, str]], namespace: dict[str, Any]):
        self.namespace, self.flags = namespace, 0
        self.errors: dict[str, BaseException] = {}
        self.statements: list[tuple[ast.stmt, str, set[str], set[str]]] = []
        modules: set[str] = set()
        for i, (kind, source) in enumerate(cells):
            filename = f"<cell {i}>"
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
            for statement in self._parsed(source, filename):
                if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                    self.flags |= __future__.annotations.compiler_flag
                elif kind == "reader" or _is_definition(statement):
                    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                        stored, loaded = reading.names(self._compiled(statement, filename))
                        if isinstance(statement, ast.Import | ast.ImportFrom):
                            modules |= stored
                        if any(
                            isinstance(node, ast.alias) and node.name == _ALL for node in ast.walk(statement)
                        ):
                            stored.add(_ALL)
                        stored |= _altered(statement) | _called(statement) - modules
                        self.statements.append((statement, filename, stored, loaded))

    def _parsed(self, source: str, filename: str) -> list[ast.stmt]:
        for text in (source, reading.plain(source)):
            try:
                statements = ast.parse(text, filename).body
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self.errors.setdefault(filename, error)
            else:
                self.errors.pop(filename, None)
                return statements
        return []

    def _compiled(self, statement: ast.stmt, filename: str) -> types.CodeType:
        return compile(ast.Module([statement], []), filename, "exec", self.flags)

    def bind(self, name: str) -> BaseException | None:
        """Run what `name` needs, in order; returns what kept it from being defined, None where nothing did."""
        wanted, before = {name, _ALL}, 0
        while len(wanted) > before:
            before = len(wanted)
            for _, _, stored, loaded in self.statements:
                wanted |= loaded if stored & wanted else set()
        failed = None
        for statement, filename, stored, _ in self.statements:
            if stored & wanted:
                try:
                    exec(self._compiled(statement, filename), self.namespace)
                    failed = None if name in stored else failed
                except (Exception, SystemExit) as error:
                    failed = error if name in stored else failed
        return failed


def _is_definition(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return all(isinstance(t, ast.Name) for t in statement.targets) and _is_constant(statement.value)
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)


def _is_constant(value: ast.expr) -> bool:
    with contextlib.suppress(ValueError):
        ast.literal_eval(value)
        return True
    return False


def _altered(statement: ast.stmt) -> set[str]:
    """Names of the things whose attributes or items a statement sets."""
    found = set()
    for node in ast.walk(statement):
        base = node
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if base is not node and isinstance(base, ast.Name) and isinstance(node.ctx, ast.Store):  # type: ignore[attr-defined]
            found.add(base.id)
    return found


def _called(statement: ast.stmt) -> set[str]:
    """Names of the things of which a statement calls a method for what it does: `rules.append(...)`, `@rule.register`."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        calls = statement.decorator_list
    else:
        calls = [node.value for node in ast.walk(statement) if isinstance(node, ast.Expr)]
        calls = [call for call in calls if isinstance(call, ast.Call)]
    found = set()
    for call in calls:
        base = method = call.func if isinstance(call, ast.Call) else call
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if base is not method and isinstance(base, ast.Name):
            found.add(base.id)
    return found


# --- one job -----------------------------------------------------------------------------------------------


def do(content: bytes) -> bytes:
    """The results of one job, as `parcel.pack_results` packs them."""
    job, arrays = parcel.from_bytes(content)
    used: list[str] = []

    def refuse(name: str):
        used.append(name)
        raise OutOfBounds(f"{name} is out of bounds here")

    defined: dict[str, Any] = {"__name__": "lent"}
    exec(job["source"], defined)
    namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *_, **__: None}
    lent: dict[str, Callable[[], Any]] = {
        dotted: _giver(defined, name) for dotted, name in job["allowed"].items()
    }
    lent |= {dotted: _lesson(name, job["books"][book]) for dotted, (name, book) in job["lessons"].items()}
    setattr(builtins, _REFUSE, refuse)
    for name in job["forbidden"]:
        bar(name, refuse)
    sys.meta_path.insert(0, Doorkeeper(refuse, lent))
    for name in [n for n in sys.modules if n.partition(".")[0] in ("gancourse", *rules.PEERS)]:
        del sys.modules[name]

    record = Exercise(job["id"], job["name"], points=0)
    record.cases(lambda rng: parcel.unpack_cases(job["cases"], arrays, defined))
    if job["call"]:
        record.call(defined[job["call"]])

    @contextlib.contextmanager
    def guard(*_):
        used.clear()
        yield used

    book = Cells([tuple(cell) for cell in job["cells"]], namespace)
    failed = book.bind(job["name"])
    if failed is not None or job["name"] not in namespace:
        return _packed([_undefined(job, book, failed, used)])
    return _packed(run(record, namespace[job["name"]], 0, namespace, watch=guard, seconds=job["seconds"]))


def _undefined(job: dict, book: Cells, failed: BaseException | None, used: list[str]) -> Result:
    """Why there is no answer under the name."""
    if isinstance(failed, OutOfBounds):
        return Result(forbidden=used[-1])
    failed = failed or book.errors.get(f"<cell {job['own']}>")
    if isinstance(failed, SyntaxError):
        return Result(
            error="SyntaxError", detail=f"line {failed.lineno} of the cell can't be read: {failed.msg}"
        )
    if failed is not None:
        message = f"{type(failed).__name__}: {failed}"
        return Result(error=type(failed).__name__, detail=f"its definition raises {message}"[:300])
    return Result(error="NameError", detail=f"its cell defines no {job['name']}")


def _packed(results: list[Result]) -> bytes:
    return parcel.to_bytes(None, parcel.pack_results(results))


def _giver(namespace: Mapping[str, Any], name: str) -> Callable[[], Any]:
    return lambda: namespace[name]


def _lesson(name: str, cells: list) -> Callable[[], Any]:
    """The function of an earlier chapter, made of the cells that it stands on when it is asked for."""

    def made():
        namespace: dict[str, Any] = {"__name__": "lent"}
        Cells([tuple(cell) for cell in cells], namespace).bind(name)
        return namespace[name]

    return made


# --- the server --------------------------------------------------------------------------------------------


def serve(asked: BinaryIO, replies: BinaryIO) -> None:
    """Answer jobs until the input ends, each in a fork of this process."""
    write_frame(replies, DONE, b"")
    while (frame := read_frame(asked)) is not None:
        job = frame[1]
        (wall,) = struct.unpack("<d", job[:8])
        write_frame(replies, *_forked(job[8:], wall, asked, replies))


def _forked(job: bytes, wall: float, asked: BinaryIO, replies: BinaryIO) -> tuple[bytes, bytes]:
    """(DONE, results) of a job in a child of its own, which is gone afterwards; DIED or LATE without results."""
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        os.close(receive)
        os.close(asked.fileno())
        os.close(replies.fileno())
        try:
            with open(send, "wb") as pipe:
                write_frame(pipe, DONE, do(job))
        finally:
            os._exit(0)
    os.close(send)
    try:
        return _received(receive, time.monotonic() + wall)
    finally:
        os.close(receive)
        for group in (-child, child, *[-1] * _has_own_processes()):
            with contextlib.suppress(OSError):
                os.kill(group, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(child, 0)


def _has_own_processes() -> bool:
    """Whether this process sees no others than those that it started: all of them may then be ended at once."""
    with contextlib.suppress(OSError), open("/proc/1/comm") as file:
        return os.getppid() == 1 and file.read().strip() == "bwrap"
    return False


def _received(pipe: int, end: float) -> tuple[bytes, bytes]:
    """A frame from a child that may write anything, or nothing."""
    content = b""
    parts: list[bytes] = []
    size = 0
    while (left := end - time.monotonic()) > 0:
        if not select.select([pipe], [], [], left)[0]:
            break
        part = os.read(pipe, 1 << 20)
        if not part:
            return DIED, b""
        parts.append(part)
        size += len(part)
        if size >= _HEAD.size:
            content = parts[0] if len(parts[0]) >= _HEAD.size else b"".join(parts)
            _, length = _HEAD.unpack_from(content)
            if length > MOST_BYTES:
                return DIED, b""
            if size >= _HEAD.size + length:
                return DONE, b"".join(parts)[_HEAD.size : _HEAD.size + length]
    return LATE, b""


def write_frame(file: BinaryIO, kind: bytes, content: bytes) -> None:
    """Write one message: its kind, its length, its bytes."""
    file.write(_HEAD.pack(kind, len(content)) + content)
    file.flush()


def read_frame(file: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next message, None at the end of the input or where it is no message."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    if kind not in (DONE, DIED, LATE) or length > MOST_BYTES:
        return None
    content = file.read(length)
    return (kind, content) if len(content) == length else None


if __name__ == "__main__":
    torch.set_num_threads(1)
    for module in sys.argv[1:]:
        importlib.import_module(module)
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    questions = os.fdopen(os.dup(0), "rb")
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    serve(questions, answers)
