"""Notebooks in normal form, written whole or not at all, executed in a scratch folder."""

import base64
import json
import os

import nbformat
import pytest

from gancourse.classroom import notebooks

PNG = b"\x89PNG not really"


def _code(source, **changes):
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    } | changes


def _notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _normal(*cells):
    return notebooks.normalised(_notebook(*cells))["cells"]


def test_ids_stay_and_missing_or_repeated_ones_come_from_the_words():
    words = [
        _code("x = 1", id="kept"),
        _code("Show me 3 images!"),
        _code("show me 3 images"),
        _code("x = 2", id="kept"),
    ]
    given = [*words, _code("", id="not valid!")]
    ids = [cell["id"] for cell in _normal(*given)]
    assert ids == ["kept", "show-me-3-images", "show-me-3-images-2", "x-2", "code"]
    assert [cell["id"] for cell in _normal(*_normal(*given))] == ids


def test_what_depends_on_the_run_goes():
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "4711"}}
    png = base64.b64encode(PNG).decode()
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "a"},
        {"output_type": "stream", "name": "stdout", "text": "b\n"},
        {"output_type": "display_data", "data": view, "metadata": {}},
        {
            "output_type": "display_data",
            "data": view | {"image/png": png[:4] + "\n" + png[4:] + "\n", "text/plain": "a demo"},
            "metadata": {"image/png": {"alt": "a demo"}},
            "transient": {"display_id": "1"},
        },
        {"output_type": "execute_result", "execution_count": 17, "data": {"text/plain": "1"}, "metadata": {}},
    ]
    metadata = {"execution": {"iopub.execute_input": "2026-01-01"}, "collapsed": True, "tags": ["kept"]}
    markdown = {"cell_type": "markdown", "source": "text\n", "metadata": {"tags": []}, "id": "m"}
    idle, cell, text = _normal(
        _code("", id="idle"),
        _code("f()\n\n", id="a", outputs=outputs, execution_count=17, metadata=metadata),
        markdown,
    )
    assert idle["execution_count"] is None and cell["execution_count"] == 1
    assert cell["metadata"] == {"tags": ["kept"]} and cell["source"] == "f()"
    stream, demo, result = cell["outputs"]
    assert stream["text"] == "ab\n"
    assert demo == {
        "output_type": "display_data",
        "data": {"image/png": png, "text/plain": "a demo"},
        "metadata": {"image/png": {"alt": "a demo"}},
    }
    assert result["execution_count"] == 1
    assert text == {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "text"}


def test_exercise_cells_get_their_metadata_from_the_record():
    answer, check = _normal(_code("", id="answer-00-1"), _code("", id="check-00-1"))
    assert answer["metadata"]["nbgrader"]["solution"] and "points" not in answer["metadata"]["nbgrader"]
    assert check["metadata"]["nbgrader"]["points"] == 1 and check["metadata"]["nbgrader"]["locked"]
    assert check["metadata"]["gancourse"] == {"exercise": "00.1"}
    with pytest.raises(ValueError, match=r"no exercise '00\.99'"):
        _normal(_code("", id="answer-00-99"))


def test_text_is_what_jupyter_writes():
    svg = {
        "output_type": "display_data",
        "data": {"image/svg+xml": "<svg>\n</svg>", "text/plain": "é\n2"},
        "metadata": {},
    }
    text = notebooks.text(notebooks.normalised(_notebook(_code("a\nb", outputs=[svg], execution_count=1))))
    assert text == nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"
    nbformat.validate(nbformat.reads(text, as_version=4))


def test_read_undoes_write_and_only_changes_are_written(tmp_path):
    path, notebook = tmp_path / "a.ipynb", notebooks.normalised(_notebook(_code("a\nb")))
    assert notebooks.write(path, notebook) and not notebooks.write(path, notebook)
    assert notebooks.read(path) == notebook
    assert os.listdir(tmp_path) == ["a.ipynb"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    path.write_text("old")

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(notebooks.os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        notebooks.write(path, _notebook())
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.ipynb"]


@pytest.mark.parametrize("text", ["[]", '{"nbformat": 3}', "not json"])
def test_what_is_no_notebook_is_refused(tmp_path, text):
    (tmp_path / "a.ipynb").write_text(text)
    with pytest.raises(ValueError):
        notebooks.read(tmp_path / "a.ipynb")


def test_execute_stores_outputs_and_works_elsewhere(tmp_path):
    path = tmp_path / "a.ipynb"
    source = "from pathlib import Path\nPath('litter').touch()\nprint('done')"
    notebooks.write(
        path,
        _notebook(_code(source, id="a"), _code("1 / 0", id="b", metadata={"tags": ["raises-exception"]})),
    )
    assert notebooks.execute(path)
    done, raised = notebooks.read(path)["cells"]
    assert done["outputs"][0]["text"] == "done\n" and (
        done["execution_count"],
        raised["execution_count"],
    ) == (1, 2)
    assert raised["outputs"][0]["ename"] == "ZeroDivisionError"
    assert os.listdir(tmp_path) == ["a.ipynb"]
    assert not notebooks.execute(path)


def test_a_notebook_that_raises_is_left_as_it_was(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(_notebook(_code("print(1)", id="a"), _code("1 / 0", id="b"))))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="cell b: ZeroDivisionError: division by zero; the file stays"):
        notebooks.execute(path)
    assert path.read_bytes() == before


def test_solutions_are_chosen_by_number(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
    (tmp_path / "solutions").mkdir()
    for name in ("03_c.ipynb", "00_a.ipynb", "03_c-copy.txt", "draft.ipynb"):
        (tmp_path / "solutions" / name).touch()
    assert [path.name for path in notebooks.solutions()] == ["00_a.ipynb", "03_c.ipynb"]
    assert [path.name for path in notebooks.solutions(("3",))] == ["03_c.ipynb"]
    with pytest.raises(ValueError, match="no solution notebook for 04"):
        notebooks.solutions(("04",))
