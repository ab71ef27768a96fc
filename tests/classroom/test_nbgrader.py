"""nbgrader's own tools on the chapters: what they hand out is what the course hands out; solutions earn all, stubs nothing."""

import importlib.resources
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gancourse.classroom import notebooks
from gancourse.classroom.bundle import points_of

SMALL = "00_start_here"


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run one of nbgrader's commands in the course's folder; its output, once it has ended well."""
    ours = ("GANCOURSE_", "NBGRADER_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"  # nbgrader calls alembic by name
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def course_of(folder: Path, source: Path) -> str:
    """An nbgrader course of one chapter as the guide says to set it up, generated and handed in twice; the chapter's name."""
    chapter = source.stem
    config = importlib.resources.files("gancourse.classroom") / "nbgrader_config.py"
    shutil.copy(str(config), folder / "nbgrader_config.py")
    (folder / "source" / chapter).mkdir(parents=True)
    shutil.copy(source, folder / "source" / chapter)
    nbgrader(folder, "generate_assignment", chapter, "--create")
    for student, given in (("solved", source), ("stubs", folder / "release" / chapter / source.name)):
        (folder / "submitted" / student / chapter).mkdir(parents=True)
        shutil.copy(given, folder / "submitted" / student / chapter)
    return chapter


def scores(folder: Path, chapter: str) -> dict[str, tuple[float, float]]:
    """Student -> (points, points that nbgrader can give by itself)."""
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for student in ("solved", "stubs"):
            (notebook,) = book.find_submission(chapter, student).notebooks
            by_machine = [grade for grade in notebook.grades if grade.cell.cell_type == "code"]
            earned = sum(grade.auto_score or 0 for grade in by_machine)
            found[student] = (earned, sum(grade.max_score for grade in by_machine))
    return found


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem == SMALL else pytest.mark.slow)
        for path in notebooks.solutions()
    ],
)
def test_nbgrader_hands_out_checks_marks_and_gives_back(source, tmp_path):
    chapter = course_of(tmp_path, source)
    released = notebooks.read(tmp_path / "release" / chapter / source.name)
    ours = notebooks.read(notebooks.folder() / source.name)
    assert [c["source"] for c in released["cells"]] == [c["source"] for c in ours["cells"]]

    told = {
        s: nbgrader(tmp_path, "validate", f"submitted/{s}/{chapter}/{source.name}")
        for s in ("solved", "stubs")
    }
    assert "Success! Your notebook passes all the tests." in told["solved"]
    asked = points_of(notebooks.read(source))
    assert f"VALIDATION FAILED ON {len(asked)} CELL(S)!" in told["stubs"]

    nbgrader(tmp_path, "autograde", chapter)
    most = sum(points for id, _, points in asked if "." in id)
    assert scores(tmp_path, chapter) == {"solved": (most, most), "stubs": (0, most)}

    nbgrader(tmp_path, "generate_feedback", chapter)
    for student in ("solved", "stubs"):
        assert (tmp_path / "feedback" / student / chapter / f"{source.stem}.html").stat().st_size > 10_000


def test_pytest_alone_fails_the_checks_of_wrong_answers(tmp_path):
    """What the guide says to an instructor who has nbval and not the course's command."""
    (source,) = notebooks.solutions((SMALL[:2],))
    shutil.copy(source, tmp_path / "solved.ipynb")
    shutil.copy(notebooks.folder() / source.name, tmp_path / "stubs.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "-c", os.devnull]
    env = os.environ | {"GANCOURSE_GRADING": "1", "TQDM_DISABLE": "1"}
    ended = {}
    for name in ("solved", "stubs"):
        asked = [*command, "--rootdir", ".", f"{name}.ipynb"]
        ended[name] = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ended["solved"].returncode == 0, ended["solved"].stdout
    assert ended["stubs"].returncode == 1 and "1 failed" in ended["stubs"].stdout
    assert "CheckFailed" in ended["stubs"].stdout
