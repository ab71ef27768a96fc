"""The first cell of every notebook, and the badges that open it on Colab.

Both come from one line, `repository` under `[tool.gancourse]` in pyproject.toml, and `gancourse stamp` writes them
into the solved notebooks and README.md. A badge opens the student's notebook of the branch `main`; the cell
installs that branch's archive, so that notebook and package belong together.
"""

import re
import tomllib
from pathlib import Path

from gancourse.classroom import notebooks

BADGE_IMAGE = "https://colab.research.google.com/assets/colab-badge.svg"

_WITHOUT = """\
# Where the course is installed this does nothing.
import importlib.util

if importlib.util.find_spec("gancourse") is None:
    raise ModuleNotFoundError("gancourse is not in this environment: README.md says how to install it.")"""

_WITH = """\
# On Colab this installs the course; where it is installed it does nothing.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("gancourse") is None:
    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError("gancourse is not in this environment: README.md says how to install it.")
    archive = "REPOSITORY/archive/refs/heads/main.zip"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", archive]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"The course could not be installed; run this cell again. pip says: {done.stderr}")
    importlib.invalidate_caches()"""


def bootstrap_cell(repository: str) -> str:
    """The source of a notebook's first code cell, which prints nothing.

    Where the package can be imported the cell does nothing. Else, on Colab and with a `repository` set, it installs
    the archive of `main` without dependencies (Colab has them, in its own versions); anywhere else it says what is
    missing. `repository` is "" or "https://github.com/OWNER/REPO".
    """
    return _WITH.replace("REPOSITORY", _checked(repository)) if repository else _WITHOUT


def badge(repository: str, path: str) -> str:
    """The Markdown of a badge that opens `path` of the repository on Colab, "" without a repository."""
    if not repository:
        return ""
    owner_repo = _checked(repository).removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{owner_repo}/blob/main/{path}"
    return f"[![Open in Colab]({BADGE_IMAGE})]({address})"


def repository(root: Path) -> str:
    """The repository's address, as `root`/pyproject.toml sets it; "" if unset. ValueError where nothing can set it."""
    path = root / "pyproject.toml"
    try:
        return _checked(tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["gancourse"]["repository"])
    except FileNotFoundError:
        raise ValueError(f"there is no {path}: only a checkout of the course is stamped") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    except (KeyError, TypeError):
        raise ValueError(f'{path} has no [tool.gancourse] with repository = "": add it') from None


def stamp(root: Path) -> list[Path]:
    """Write badges and bootstrap cells into README.md and the solved notebooks; returns the files that changed."""
    address, changed = repository(root), []
    for path in sorted((root / "notebooks" / "solutions").glob("[0-9][0-9]_*.ipynb")):
        if notebooks.write(path, stamped(notebooks.read(path), address, path.name)):
            changed.append(path)
    readme = root / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = stamped_readme(before, address)
    if after != before:
        readme.write_text(after, encoding="utf-8")
        changed.append(readme)
    return changed


def stamped(notebook: dict, address: str, name: str) -> dict:
    """The notebook with its bootstrap cell written, and its badge: a Markdown cell of its own just before that."""
    cells = [cell for cell in notebook["cells"] if _role(cell) != "badge"]
    index = next((i for i, cell in enumerate(cells) if _role(cell) == "bootstrap"), None)
    if index is None:
        raise ValueError(f'{name}: expected a cell with metadata.gancourse = {{"role": "bootstrap"}}')
    cells[index] = cells[index] | {"source": bootstrap_cell(address)}
    if address:
        link, metadata = badge(address, f"notebooks/{name}"), {"gancourse": {"role": "badge"}}
        cells.insert(index, {"cell_type": "markdown", "id": "badge", "metadata": metadata, "source": link})
    return notebook | {"cells": cells}


def stamped_readme(text: str, address: str) -> str:
    """README.md with the badge of chapter 00 between its two marks."""
    marks = re.compile(r"(<!-- badge -->).*?(<!-- /badge -->)", re.DOTALL)
    if not marks.search(text):
        raise ValueError("README.md: expected <!-- badge --> and <!-- /badge --> around the badge's place")
    return marks.sub(
        lambda found: found[1] + badge(address, "notebooks/00_start_here.ipynb") + found[2], text
    )


def _role(cell: dict) -> str | None:
    return cell.get("metadata", {}).get("gancourse", {}).get("role")


def _checked(repository: str) -> str:
    """The address without a trailing slash, once it has the only form that Colab can open."""
    address = repository.rstrip("/").removesuffix(".git")
    if address and not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
        expected = 'expected "https://github.com/OWNER/REPO" or ""'
        raise ValueError(f"repository in pyproject.toml, [tool.gancourse]: {expected}, got {repository!r}")
    return address
