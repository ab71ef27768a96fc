"""The students' versions: made from the solutions, nothing else, and running from top to bottom untouched."""

import nbformat
import pytest
from nbclient import NotebookClient

from gancourse.classroom import notebooks
from gancourse.classroom.release import cleared, released, restored

every_chapter = pytest.mark.parametrize("path", notebooks.solutions(), ids=lambda path: path.stem)


def _student(path):
    return notebooks.folder() / path.name


def test_no_student_version_without_a_solution():
    names = {path.name for path in notebooks.folder().glob("*.ipynb")}
    assert names == {path.name for path in notebooks.solutions()}


@every_chapter
def test_committed_version_is_the_released_solution(path):
    made = notebooks.text(released(notebooks.read(path), path.name))
    assert _student(path).read_text(encoding="utf-8") == made
    assert "BEGIN SOLUTION" not in made


@every_chapter
def test_putting_the_answers_back_gives_the_solution(path):
    solution = notebooks.read(path)
    back = restored(notebooks.read(_student(path)), solution)
    assert notebooks.text(back) == notebooks.text(cleared(solution))


@every_chapter
def test_runs_untouched(path, tmp_path, monkeypatch):
    monkeypatch.delenv("GANCOURSE_GRADING", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    notebook = nbformat.read(_student(path), as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]  # a person reads the other answers
    checks = [cell for cell in code if cell.metadata.get("nbgrader", {}).get("points")]
    said = [
        "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs) for cell in checks
    ]
    assert said
    assert all("not attempted" in text and "the course's own" in text for text in said), said
