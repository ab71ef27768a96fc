"""The solution notebooks as they are stored. That their outputs come out again is nbval's part: `make notebooks`."""

import copy
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat.v3 import MetadataValidatorV3

from gancourse.classroom import notebooks

sys.path.insert(0, str(Path(__file__).parent))
from guards import complaints, shape

SOLUTIONS = notebooks.solutions()
every_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


def test_there_is_something_to_guard():
    assert SOLUTIONS


@every_solution
def test_nothing_that_nbval_would_pass_silently(path):
    assert complaints(notebooks.read(path)) == []


@every_solution
def test_one_course_has_one_form(path):
    assert shape(notebooks.read(path), path.stat().st_size) == []


@every_solution
def test_the_minutes_are_those_of_its_words_and_code_and_those_of_the_readme(path):
    """120 words or 40 lines of code a minute, to within ten minutes."""
    cells = notebooks.read(path)["cells"]
    stated = int(re.search(r"Reading *\| (\d+) minutes", cells[0]["source"])[1])
    end = next(i for i, cell in enumerate(cells) if cell["source"].startswith("## In one minute"))
    words = sum(len(cell["source"].split()) for cell in cells[:end] if cell["cell_type"] == "markdown")
    lines = sum(len(cell["source"].splitlines()) for cell in cells if cell["cell_type"] == "code")
    assert stated == pytest.approx(words / 120 + lines / 40, abs=10)
    readme = (notebooks.folder().parent / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"\(notebooks/solutions/{path.name}\) \|[^|]*\| {stated} minutes", readme)


@every_solution
def test_stored_in_normal_form_and_as_jupyter_writes_it(path):
    stored = path.read_text(encoding="utf-8")
    assert stored == notebooks.text(notebooks.normalised(notebooks.read(path)))
    assert stored == nbformat.writes(nbformat.reads(stored, as_version=4)) + "\n"


@every_solution
def test_valid_for_jupyter_and_nbgrader(path):
    for file in (path, notebooks.folder() / path.name):
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
        MetadataValidatorV3().validate_nb(notebook)
        for cell in notebook.cells:
            MetadataValidatorV3().validate_cell(cell)


def _good() -> dict:
    return notebooks.read(SOLUTIONS[0])


def _cell(notebook, id):
    return next(cell for cell in notebook["cells"] if cell["id"] == id)


def _picture(nb):
    return next(o for c in nb["cells"] for o in c.get("outputs", ()) if "image/png" in o.get("data", {}))


STDERR = {"output_type": "stream", "name": "stderr", "text": "careful"}
ERROR = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
WHERE = {"output_type": "stream", "name": "stdout", "text": "saved in /tmp/x"}
SPOILED = {
    "was not executed": lambda nb: _cell(nb, "check-00-1").update(execution_count=None),
    "did not come": lambda nb: _cell(nb, "check-00-1")["metadata"].update(tags=["raises-exception"]),
    "raised an exception": lambda nb: _cell(nb, "check-00-1")["outputs"].append(ERROR),
    "wrote to stderr": lambda nb: _cell(nb, "check-00-1")["outputs"].append(STDERR),
    "path of the machine": lambda nb: _cell(nb, "check-00-1")["outputs"].append(WHERE),
    "shows and asserts nothing": lambda nb: _cell(nb, "check-00-1").update(outputs=[]),
    "ignores its output": lambda nb: _cell(nb, "check-00-1")["metadata"].update(tags=["nbval-ignore-output"]),
    "steered by tags": lambda nb: _cell(nb, "check-00-1").update(source='# NBVAL_SKIP\ncheck("00.1")'),
    "does not call check": lambda nb: _cell(nb, "check-00-1").update(source='check("00.2")'),
    "next code cell is not": lambda nb: nb["cells"].remove(_cell(nb, "check-00-1")),
    "more than 25 lines": lambda nb: _cell(nb, "answer-00-1").update(source="x = 1\n" * 26),
    "not the bootstrap": lambda nb: nb["cells"].remove(_cell(nb, "bootstrap")),
    "an image without alt": lambda nb: nb["cells"][0].update(source="![](a.png)"),
    "an <img> without alt": lambda nb: nb["cells"][0].update(source='<img src="a.png" alt="">'),
    "picture without alt": lambda nb: _picture(nb).update(metadata={}),
    "output without text": lambda nb: _picture(nb)["data"].pop("text/plain"),
    "bare figure": lambda nb: _picture(nb)["data"].update({"text/plain": "<Figure size 10x10 with 1 Axes>"}),
}


MISSHAPEN = {
    "In one minute": lambda nb: nb["cells"].remove(_cell(nb, "in-one-minute")),
    "words before": lambda nb: _cell(nb, "start-here").update(source="# 00\n" + "word " * 5001),
    "median of": lambda nb: [c.update(source="x = 1\n" * 9) for c in nb["cells"] if c["cell_type"] == "code"],
    "EXERCISE 03.2": lambda nb: nb["cells"][0].update(source="### EXERCISE 00.1: mean (1 point)"),
    "than `### Predict`": lambda nb: nb["cells"][0].update(source="### Predict, then run"),
    "needs its own cell": lambda nb: nb["cells"][0].update(source="### Predict"),
    "needs its own `predicted": lambda nb: _cell(nb, "start-here").update(
        cell_type="code", source='prediction = ""'
    ),
    "no `progress()`": lambda nb: [
        c.update(source="x = 1") for c in nb["cells"] if "progress()" in c["source"]
    ],
}


@pytest.mark.parametrize("expected", MISSHAPEN)
def test_each_form_can_be_broken(expected):
    notebook = copy.deepcopy(_good())
    MISSHAPEN[expected](notebook)
    assert any(expected in complaint for complaint in shape(notebook, 0))
    assert "bytes" in shape(_good(), 2_000_000)[0]


@pytest.mark.parametrize("expected", SPOILED)
def test_each_guard_can_fail(expected):
    notebook = copy.deepcopy(_good())
    SPOILED[expected](notebook)
    assert any(expected in complaint for complaint in complaints(notebook))
