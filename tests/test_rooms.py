"""Who may know whom: the imports of the rooms, read from their source."""

import ast
from pathlib import Path

import gancourse

ROOT = Path(gancourse.__file__).parent
SCIENCE = ("metrics", "models", "datasets", "features", "latents", "figures")
MAY_KNOW = {
    "seeds": set(),
    "files": set(),
    "threads": set(),
    "latents": set(),
    "figures": set(),
    "exercises": set(),  # finds a chapter's records by number, when a check is called
    "metrics": {"seeds", "files", "threads"},
    "datasets": {"seeds", "files"},
    "models": {"datasets", "latents", "seeds", "files"},
    "features": {"models", "datasets", "seeds", "files"},
    "demos": {"figures"},
    "chapters": {"exercises", "demos", *SCIENCE, "seeds", "files"},
    "classroom": {"exercises", "chapters", "files"},
    "training": {*SCIENCE, "seeds", "files"},
    "evaluate": {*SCIENCE, "seeds", "files", "threads"},
}


def _imports(path: Path) -> set[str]:
    """Rooms that a file imports from, at whatever depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("gancourse.")}


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def test_no_import_goes_against_the_order():
    against = [
        f"{path.relative_to(ROOT)} imports {other}"
        for path in sorted(ROOT.rglob("*.py"))
        if (room := _room(path)) in MAY_KNOW
        for other in sorted(_imports(path) - {room} - MAY_KNOW[room])
        if (ROOT / other).exists() or (ROOT / f"{other}.py").exists()
    ]
    assert against == []


def test_the_order_has_no_circle():
    order: list[str] = []
    while left := MAY_KNOW.keys() - set(order):
        free = sorted(room for room in left if MAY_KNOW[room] <= set(order))
        assert free, f"a circle among {sorted(left)}"
        order += free


def test_every_room_stands_in_the_order():
    rooms = {_room(path) for path in ROOT.rglob("*.py")}
    assert rooms - MAY_KNOW.keys() == {"__init__", "__main__", "cli", "doctor"}


def test_the_science_is_read_in_an_afternoon():
    files = [p for p in ROOT.rglob("*.py") if _room(p) in SCIENCE]
    assert sum(len(p.read_text(encoding="utf-8").splitlines()) for p in files) <= 4500
