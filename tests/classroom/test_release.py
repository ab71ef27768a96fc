"""From the solution to the student's version and back."""

import pytest
from click.testing import CliRunner

from gancourse.classroom import notebooks
from gancourse.classroom.release import cleared, release, released, restored
from gancourse.cli import main

ANSWER = '''\
def mean_image(images):
    """Average."""
    ### BEGIN SOLUTION
    x = images.float()

    return x.mean(0)
    ### END SOLUTION'''
STUB = '''\
def mean_image(images):
    """Average."""
    raise NotImplementedError'''


def _solution(answer=ANSWER, plain="print('hello')"):
    outputs = [{"output_type": "stream", "name": "stdout", "text": "hello\n"}]
    cells = [
        {"cell_type": "markdown", "id": "title", "source": "# A title"},
        {"cell_type": "code", "id": "plain", "source": plain, "outputs": outputs, "execution_count": 3},
        {"cell_type": "code", "id": "answer-00-1", "source": answer, "outputs": [], "execution_count": 4},
        {"cell_type": "code", "id": "check-00-1", "source": 'check("00.1")', "execution_count": 5},
    ]
    return notebooks.normalised({"cells": cells})


def test_regions_become_stubs_and_outputs_go():
    solution, student = _solution(), released(_solution())
    assert student["cells"][2]["source"] == STUB
    assert student["cells"][1]["outputs"] == [] and student["cells"][1]["execution_count"] is None
    for before, after in zip(solution["cells"], student["cells"], strict=True):
        assert (before["id"], before["metadata"]) == (after["id"], after["metadata"])
    assert solution == _solution()


def test_each_region_gets_a_stub_with_its_own_indentation():
    answer = """\
class Norm:
    def __init__(self):
        ### BEGIN SOLUTION
        self.eps = 1
        ### END SOLUTION

    def __call__(self, x):
        if x:
            # BEGIN of something else
            ### BEGIN SOLUTION
            return x
            ### END SOLUTION"""
    assert released(_solution(answer))["cells"][2]["source"] == (
        "class Norm:\n    def __init__(self):\n        raise NotImplementedError\n\n    def __call__(self, x):\n"
        "        if x:\n            # BEGIN of something else\n            raise NotImplementedError"
    )


def test_a_written_answer_becomes_an_invitation():
    solution = _solution()
    solution["cells"][0] |= {
        "source": "### Model card\n<!-- ### BEGIN SOLUTION -->\nIt is biased.\n<!-- ### END SOLUTION -->",
        "metadata": {"nbgrader": {"solution": True, "grade": True}},
    }
    assert released(solution)["cells"][0]["source"] == "### Model card\n*Write your answer here.*"


def test_the_answers_put_back_give_the_solution():
    solution = _solution()
    assert notebooks.text(restored(released(solution), solution)) == notebooks.text(cleared(solution))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("### BEGIN SOLUTION\n1", "BEGIN SOLUTION without ### END"),
        ("1\n### END SOLUTION", "END SOLUTION without ### BEGIN"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "inside a solution region"),
        ("x = 1  ### BEGIN SOLUTION\n### END SOLUTION", "a line of its own"),
        ("###BEGIN SOLUTION\n1\n###END SOLUTION", "a line of its own"),
        ("return 1", "would be handed out solved"),
    ],
)
def test_unbalanced_regions_name_notebook_and_cell(answer, problem):
    with pytest.raises(ValueError, match=rf"03_x\.ipynb, cell answer-00-1: .*{problem}"):
        released(_solution(answer), "03_x.ipynb")


def test_a_region_outside_an_answer_is_an_error():
    with pytest.raises(ValueError, match="cell plain: a solution region in a cell that is not an answer"):
        released(_solution(plain=ANSWER))


def test_release_writes_what_is_out_of_date(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
    (tmp_path / "solutions").mkdir()
    notebooks.write(tmp_path / "solutions" / "00_a.ipynb", _solution())
    target, runner = tmp_path / "00_a.ipynb", CliRunner()

    checked = runner.invoke(main, ["release", "--check"])
    assert checked.exit_code == 1 and "00_a.ipynb: out of date" in checked.output and not target.exists()
    assert release() == [target] and release() == []
    assert runner.invoke(main, ["release", "--check", "0"]).exit_code == 0
    target.write_text(target.read_text() + " ")
    assert release(check=True) == [target]
    missing = runner.invoke(main, ["release", "09"])
    assert (
        missing.exit_code == 1 and "Error: CHAPTERS: there is no solution notebook for 09" in missing.output
    )
