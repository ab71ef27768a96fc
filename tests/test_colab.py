"""The first cell of every notebook: what it does with and without the package, on Colab and elsewhere."""

import copy
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from gancourse.classroom import colab, notebooks

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "https://github.com/you/gancourse"
ARCHIVE = f"{ADDRESS}/archive/refs/heads/main.zip"
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("[0-9][0-9]_*.ipynb"))


def run_cell(
    address: str, *, found: bool, on_colab: bool, monkeypatch, pip_status: int = 0
) -> list[list[str]]:
    """Execute the bootstrap cell; returns the commands that it ran."""
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, pip_status, "", "no route to the archive")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if found else None)
    monkeypatch.setattr(subprocess, "run", run)
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", sys)
    else:
        monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    exec(colab.bootstrap_cell(address), {})
    return commands


@pytest.mark.parametrize("on_colab", [False, True])
@pytest.mark.parametrize("address", ["", ADDRESS])
def test_with_the_package_the_cell_does_nothing(address, on_colab, monkeypatch, capfd):
    assert run_cell(address, found=True, on_colab=on_colab, monkeypatch=monkeypatch) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("address, on_colab", [("", False), ("", True), (ADDRESS, False)])
def test_without_the_package_the_cell_says_so(address, on_colab, monkeypatch):
    with pytest.raises(ModuleNotFoundError, match=r"gancourse is not in this environment: README\.md"):
        run_cell(address, found=False, on_colab=on_colab, monkeypatch=monkeypatch)


def test_on_colab_the_cell_installs_the_archive_and_nothing_else(monkeypatch, capfd):
    (command,) = run_cell(ADDRESS, found=False, on_colab=True, monkeypatch=monkeypatch)
    assert command == [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", ARCHIVE]
    assert capfd.readouterr() == ("", "")


def test_a_failed_download_is_told(monkeypatch):
    with pytest.raises(RuntimeError, match=r"run this cell again\. pip says: no route to the archive"):
        run_cell(ADDRESS, found=False, on_colab=True, monkeypatch=monkeypatch, pip_status=1)


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_cell_passes_the_notebooks_own_lint(address, tmp_path):
    path = tmp_path / "cell.py"
    path.write_text(colab.bootstrap_cell(address) + "\n")
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", ROOT / "pyproject.toml", path]
        done = subprocess.run(ruff, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_an_address_has_one_form():
    assert (
        colab.bootstrap_cell(f"{ADDRESS}/")
        == colab.bootstrap_cell(f"{ADDRESS}.git")
        == colab.bootstrap_cell(ADDRESS)
    )
    for wrong in (
        "you/gancourse",
        "https://example.org/you/gancourse",
        f"{ADDRESS}/tree/main",
        f'{ADDRESS}"',
    ):
        with pytest.raises(ValueError, match=r"repository in pyproject\.toml"):
            colab.bootstrap_cell(wrong)


# --- stamp -------------------------------------------------------------------------------------------------


@pytest.fixture
def fork(tmp_path):
    """A small repository with one solved notebook."""
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# A chapter"},
        code("bootstrap", "old text", {"gancourse": {"role": "bootstrap"}}),
        code("one", "1 + 1", {}),
    ]
    solutions = tmp_path / "notebooks" / "solutions"
    solutions.mkdir(parents=True)
    notebook = notebooks.normalised({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    notebooks.write(solutions / "03_chapter.ipynb", notebook)
    (tmp_path / "README.md").write_text("# Title\n<!-- badge --><!-- /badge -->\nText.\n")
    set_address(tmp_path, "")
    return tmp_path


def code(id: str, source: str, metadata: dict) -> dict:
    cell = {"cell_type": "code", "id": id, "metadata": metadata, "source": source}
    return cell | {"outputs": [], "execution_count": None}


def set_address(root: Path, address: str) -> None:
    (root / "pyproject.toml").write_text(f'[tool.gancourse]\nrepository = "{address}"\n')


def test_one_line_changes_every_badge_and_cell_and_back(fork):
    path, readme = fork / "notebooks" / "solutions" / "03_chapter.ipynb", fork / "README.md"
    assert colab.stamp(fork) == [path]  # the old text goes; README.md has no badge to lose
    bare, title = path.read_bytes(), readme.read_bytes()
    assert colab.stamp(fork) == []

    set_address(fork, ADDRESS)
    assert colab.stamp(fork) == [path, readme]
    assert colab.stamp(fork) == []
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.id for cell in cells] == ["title", "badge", "bootstrap", "one"]
    opens = "https://colab.research.google.com/github/you/gancourse/blob/main/notebooks"
    assert f"({opens}/03_chapter.ipynb)" in cells[1].source
    assert cells[2].source == colab.bootstrap_cell(ADDRESS)
    assert f"({opens}/00_start_here.ipynb)" in readme.read_text()
    nbformat.validate(nbformat.read(path, as_version=4))

    set_address(fork, "")
    assert colab.stamp(fork) == [path, readme]
    assert (path.read_bytes(), readme.read_bytes()) == (bare, title)


def test_a_notebook_without_the_cell_is_named(fork):
    path = fork / "notebooks" / "solutions" / "03_chapter.ipynb"
    notebook = notebooks.read(path)
    notebooks.write(path, notebook | {"cells": notebook["cells"][:1]})
    with pytest.raises(ValueError, match=r"03_chapter\.ipynb: expected a cell"):
        colab.stamp(fork)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_notebooks_are_stamped(path):
    """`gancourse stamp` would change nothing, and the bootstrap is the first code cell."""
    address = colab.repository(ROOT)
    notebook = notebooks.read(path)
    assert colab.stamped(copy.deepcopy(notebook), address, path.name) == notebook
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert first["metadata"]["gancourse"]["role"] == first["id"] == "bootstrap"


def test_the_readme_is_stamped():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert colab.stamped_readme(text, colab.repository(ROOT)) == text


# --- a chapter on Colab's versions -------------------------------------------------------------------------


def test_a_chapter_runs_on_colabs_versions(colab_python, tmp_path, monkeypatch):
    path = next((path for path in SOLUTIONS if path.name.startswith("02")), SOLUTIONS[0])
    notebook = nbformat.read(path, as_version=4)
    bootstrap = next(cell for cell in notebook.cells if cell.id == "bootstrap")
    bootstrap.source = colab.bootstrap_cell(ADDRESS).replace(ARCHIVE, str(archive(tmp_path)))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None

    kernel = tmp_path / "jupyter" / "kernels" / "colab"
    kernel.mkdir(parents=True)
    argv = [str(colab_python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Colab", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv(
        "PIP_NO_BUILD_ISOLATION", "0"
    )  # pip reads this as: build with the hatchling that is here
    monkeypatch.delenv("PYTHONPATH", raising=False)

    before = versions(colab_python)
    assert before["ipywidgets"][0] == "7.7.1" and before["gancourse"] is None
    scratch = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, kernel_name="colab", timeout=600, resources=scratch).execute()
    assert bootstrap.outputs == []
    after = versions(colab_python)
    assert Path(after.pop("gancourse")[1]).is_relative_to(colab_python.parents[1])
    assert before.pop("gancourse") is None
    assert after == before


def archive(folder: Path) -> Path:
    """The repository as GitHub packs it: every tracked file, in one folder."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    path = folder / "main.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                packed.write(ROOT / name, f"gancourse-main/{name}")
    return path


def versions(python: Path) -> dict[str, list[str] | None]:
    """Version and place of the packages that the cell must leave alone, and of the one it brings."""
    code = """
import importlib, json
found = {}
for name in ("torch", "numpy", "ipywidgets", "IPython", "ipykernel", "gancourse"):
    try:
        module = importlib.import_module(name)
        found[name] = [module.__version__, module.__file__]
    except ModuleNotFoundError:
        found[name] = None
print(json.dumps(found))
"""
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd=python.parent)
    return json.loads(done.stdout)
