"""What is shipped, what it needs, and how `make` sets it up."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def requirements(*extras: str) -> dict[str, SpecifierSet]:
    """Name -> range of the runtime requirements and of these extras."""
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {found.name: found.specifier for found in map(Requirement, lines) if found.name != "gancourse"}


def test_conda_names_the_same_requirements():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pairs = [entry.split(maxsplit=1) for entry in listed if isinstance(entry, str) and entry != "pip"]
    conda = {name: SpecifierSet(needed) for name, needed in pairs}
    python = conda.pop("python")
    wanted = requirements("lab", "instructor")
    assert conda == {CONDA_NAMES.get(name, name): needed for name, needed in wanted.items()}
    tested = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert all(python.contains(version) for version in tested)
    assert all(SpecifierSet(PROJECT["requires-python"]).contains(version) for version in tested)
    assert listed[-1] == {"pip": ["-e ."]}


def test_every_requirement_is_pinned_within_its_range():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[\w.-]+==[\w.!]+", line), (
            f"{line}: expected name==version, with no address or path"
        )
    pins = {line.split("==")[0].lower().replace("_", "-"): line.split("==")[1] for line in lines}
    for name, needed in requirements("lab", "instructor", "book", "dev").items():
        assert needed.contains(pins[name.lower()], prereleases=True), (
            f"{name}: {pins[name.lower()]} is not {needed}"
        )
    assert (pins["torch"], pins["torchvision"]) == ("2.14.1", "0.29.1")


def test_runtime_requirements_admit_colab():
    """Colab's releases: the bootstrap cell installs without dependencies, so they have to do."""
    colab = {"torch": "2.11.0", "torchvision": "0.26.0", "numpy": "2.1.0", "scipy": "1.16.0"}
    colab |= {"matplotlib": "3.10.0", "ipywidgets": "7.7.1"}
    wanted = requirements()
    assert all(wanted[name].contains(version) for name, version in colab.items())


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """The source archive, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def test_wheel_holds_data_and_students_notebooks_but_no_solutions(built):
    names = set(zipfile.ZipFile(built[1]).namelist())
    sums = (ROOT / "data" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    shipped = {"SHA256SUMS"} | {line.split(maxsplit=1)[1] for line in sums}
    assert {f"gancourse/data/{name}" for name in shipped} <= names
    chapters = {f"gancourse/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {name for name in names if name.endswith(".ipynb")} == chapters
    assert not [name for name in names if "solution" in name.lower()]
    assert {name.partition("/")[0] for name in names} == {
        "gancourse",
        f"gancourse-{PROJECT['version']}.dist-info",
    }
    assert len([name for name in names if "/licenses/LICENSE" in name]) == 2


def test_source_archive_holds_no_solutions(built):
    with tarfile.open(built[0]) as archive:
        names = archive.getnames()
    assert any(name.endswith("data/SHA256SUMS") for name in names)
    assert not [name for name in names if "solutions" in name]


def test_installed_wheel_finds_its_own_data(built, tmp_path):
    python = clean_environment(tmp_path / "venv")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", built[1]]
    subprocess.run(pip, check=True, cwd=tmp_path)
    code = """
import gancourse
from gancourse.classroom import notebooks
from gancourse.datasets import fashion_mnist
from gancourse.files import data_path
print(tuple(fashion_mnist("test").images.shape), data_path(), notebooks.folder(), gancourse.__file__, sep="\\n")
"""
    env = {name: value for name, value in os.environ.items() if name not in ("GANCOURSE_DATA", "PYTHONPATH")}
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=env
    )
    shape, *places = done.stdout.splitlines()
    assert shape == "(10000, 1, 28, 28)"
    assert all(Path(place).is_relative_to(tmp_path / "venv") for place in places[:1] + places[2:])
    if list((ROOT / "notebooks").glob("*.ipynb")):
        assert Path(places[1]).is_relative_to(tmp_path / "venv")


def clean_environment(folder: Path) -> Path:
    """A virtual environment without gancourse that shares this one's packages; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    import torch

    Path(purelib, "shared.pth").write_text(f"{Path(torch.__file__).parents[1]}\n")
    return python


def test_importing_the_package_is_light():
    code = "import sys, gancourse; print([m for m in ('torch', 'torchvision', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_metrics_and_interpolation_do_without_what_is_slow_to_import():
    """Half a second each for scipy.stats and sympy, which a reader would wait for in the first cell and the first drag."""
    code = (
        "import sys, torch, gancourse.latents, gancourse.metrics as metrics\n"
        "metrics.js_divergence([0.5, 0.5], [0.1, 0.9])\n"
        "gancourse.latents.slerp(torch.ones(2, 3), torch.eye(3)[:2], 0.5)\n"
        "print([m for m in ('scipy.stats', 'sympy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- make --------------------------------------------------------------------------------------------------

# Stands in for Python, venv and pip: notes each install, and ends as PIP_ENDS says.
FAKE = """#!/bin/sh
case "$*" in
  *sys.exit*) exit ${TOO_OLD:-0} ;;
  --version) echo Python 3.9.1 ;;
  "-m venv "*) mkdir -p "$3/bin"; touch "$3/pyvenv.cfg"; cp "$0" "$3/bin/python" ;;
  "-m pip install"*)
    echo "$*" >> installs
    case "$PIP_ENDS" in killed) kill -9 $PPID ;; failed) exit 1 ;; esac ;;
  *"-c constraints.txt"*) echo "-c constraints.txt" ;;
esac
"""


@pytest.fixture
def project(tmp_path):
    """A folder, its name with a space in it, with the Makefile and a Python of straw."""
    folder = tmp_path / "my courses"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    python = folder / "straw"
    python.write_text(FAKE)
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return folder


def make(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess:
    ours = ("MAKE", "VENV", "COURSE", "JUPYTER")  # an outer make hands its own variables down
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = ["make", *arguments, "PYTHON=./straw"]
    return subprocess.run(command, cwd=folder, env=variables | env, capture_output=True, text=True)


def installs(folder: Path) -> list[str]:
    path = folder / "installs"
    return path.read_text().splitlines() if path.exists() else []


def test_a_second_run_installs_nothing(project):
    for _ in range(2):
        assert make(project, ".venv/.ready-lab").returncode == 0
    assert len(installs(project)) == 1
    assert "-c constraints.txt -e .[lab]" in installs(project)[0]
    os.utime(project / "pyproject.toml", (2e9, 2e9))
    assert make(project, ".venv/.ready-lab").returncode == 0
    assert len(installs(project)) == 2


def test_a_failed_install_is_tried_again_in_the_same_environment(project):
    assert make(project, ".venv/.ready-lab", PIP_ENDS="failed").returncode != 0
    (project / ".venv" / "kept").touch()
    assert make(project, ".venv/.ready-lab").returncode == 0
    assert len(installs(project)) == 2
    assert (project / ".venv" / "kept").exists()


def test_an_interrupted_install_starts_over(project):
    assert make(project, ".venv/.ready-lab", PIP_ENDS="killed").returncode not in (0, -signal.SIGKILL)
    (project / ".venv" / "half-copied").touch()
    assert make(project, ".venv/.ready-lab").returncode == 0
    assert not (project / ".venv" / "half-copied").exists()


def test_an_old_python_is_named(project):
    done = make(project, "course", TOO_OLD="1")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; './straw' is Python 3.9.1." in done.stdout
    assert not (project / ".venv").exists()


def test_ci_runs_what_the_readme_says():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.rstrip().splitlines()[-1] == "make test"
    assert "set -euo pipefail" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make test" in readme and "make course" in readme
