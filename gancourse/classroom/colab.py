"""The first cell of every notebook, and the badges that open it on Colab.

Both come from one line, `repository` under `[tool.gancourse]` in pyproject.toml, and `gancourse stamp` writes them
into the solved notebooks and README.md. A badge opens the student's notebook of the branch `main`; the cell
installs that branch's archive, so that notebook and package belong together.
"""

import re
import tomllib
from pathlib import Path

CHAPTERS = "notebooks/{name}"
BADGE_IMAGE = "https://colab.research.google.com/assets/colab-badge.svg"

_WITHOUT = """\
import importlib.util

if importlib.util.find_spec("gancourse") is None:
    raise ModuleNotFoundError("gancourse is not in this environment: README.md says how to install it.")"""

_WITH = """\
import importlib.util, subprocess, sys  # noqa: E401

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
    """The repository's address, as `root`/pyproject.toml sets it; "" if unset."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return _checked(settings["tool"]["gancourse"]["repository"])


def stamp(root: Path) -> list[Path]:
    """Write badges and bootstrap cells into README.md and the solved notebooks; returns the files that changed."""
    import nbformat

    address, changed = repository(root), []
    for path in sorted((root / "notebooks" / "solutions").glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(before, as_version=4)
        stamp_notebook(notebook, address, path.name)
        after = nbformat.writes(notebook) + "\n"
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    readme = root / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = stamp_readme(before, address)
    if after != before:
        readme.write_text(after, encoding="utf-8")
        changed.append(readme)
    return changed


def stamp_notebook(notebook, address: str, name: str) -> None:
    """Set the bootstrap cell of one notebook, and its badge: a Markdown cell of its own just before it."""
    from nbformat.v4 import new_markdown_cell

    role = {cell.metadata.get("gancourse", {}).get("role"): cell for cell in notebook.cells}
    if "bootstrap" not in role:
        raise ValueError(f'{name}: no cell has metadata.gancourse = {{"role": "bootstrap"}}')
    role["bootstrap"].source = bootstrap_cell(address)
    notebook.cells = [cell for cell in notebook.cells if cell is not role.get("badge")]
    if address:
        link = badge(address, f"notebooks/{name}")
        cell = new_markdown_cell(link, id="badge", metadata={"gancourse": {"role": "badge"}})
        notebook.cells.insert(notebook.cells.index(role["bootstrap"]), cell)


def stamp_readme(text: str, address: str) -> str:
    """README.md with the badge of chapter 00 between its two marks."""
    marks = re.compile(r"(<!-- badge -->).*?(<!-- /badge -->)", re.DOTALL)
    if not marks.search(text):
        raise ValueError("README.md: expected <!-- badge --> and <!-- /badge --> around the badge's place")
    return marks.sub(
        lambda found: found[1] + badge(address, "notebooks/00_start_here.ipynb") + found[2], text
    )


def _checked(repository: str) -> str:
    """The address without a trailing slash, once it has the only form that Colab can open."""
    address = repository.rstrip("/")
    if address and not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
        raise ValueError(
            f'repository: expected "https://github.com/OWNER/REPO" or "", got {repository!r} (pyproject.toml, [tool.gancourse])'
        )
    return address.removesuffix(".git")
