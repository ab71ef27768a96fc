"""A working copy is never overwritten where the reader changed it."""

import json

import pytest
from click.testing import CliRunner

from gancourse.classroom import notebooks, workcopy
from gancourse.cli import ROLES, main


def _code(id, source):
    return {"cell_type": "code", "id": id, "source": source}


def _course(folder, version=1):
    cells = [
        _code("intro", f"version = {version}"),
        _code("answer-00-1", f"def mean_image(images):  # {version}\n    raise NotImplementedError"),
        _code("check-00-1", 'check("00.1")'),
    ]
    notebooks.write(folder / "00_a.ipynb", notebooks.normalised({"cells": cells}))
    notebooks.write(folder / "01_b.ipynb", notebooks.normalised({"cells": [_code("x", "x = 1")]}))


@pytest.fixture
def course(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    _course(folder)
    monkeypatch.setattr(notebooks, "folder", lambda: folder)
    return folder


@pytest.fixture
def mine(course, tmp_path):
    return workcopy.start(tmp_path / "my-course")


def _edit(path, source="mine = 1", id="intro"):
    notebook = notebooks.read(path)
    next(cell for cell in notebook["cells"] if cell["id"] == id)["source"] = source
    notebooks.write(path, notebook)


def _files(folder):
    return sorted(path.name for path in folder.glob("*.ipynb"))


def test_start_copies_and_refuses_to_overwrite(course, mine):
    assert _files(mine) == ["00_a.ipynb", "01_b.ipynb"]
    assert (mine / "00_a.ipynb").read_bytes() == (course / "00_a.ipynb").read_bytes()
    with pytest.raises(FileExistsError, match="my-course exists already"):
        workcopy.start(mine)
    assert workcopy.update(mine) == []


def test_update_brings_what_is_new_changed_or_deleted(course, mine):
    _course(course, version=2)
    notebooks.write(course / "02_c.ipynb", notebooks.normalised({"cells": []}))
    (mine / "01_b.ipynb").unlink()
    assert workcopy.update(mine) == [("00_a.ipynb", "updated"), ("01_b.ipynb", "new"), ("02_c.ipynb", "new")]
    assert (mine / "00_a.ipynb").read_bytes() == (course / "00_a.ipynb").read_bytes()
    assert workcopy.update(mine) == []


def test_update_never_touches_what_was_edited(course, mine):
    _edit(mine / "00_a.ipynb")
    before = (mine / "00_a.ipynb").read_bytes()
    assert workcopy.update(mine) == []
    _course(course, version=2)
    assert workcopy.update(mine) == [("00_a.new.ipynb", "new version of 00_a.ipynb, which you have edited")]
    assert workcopy.update(mine) == []
    _edit(mine / "00_a.new.ipynb")
    edited = (mine / "00_a.new.ipynb").read_bytes()
    _course(course, version=3)
    assert workcopy.update(mine)[0][0] == "00_a.new2.ipynb"
    assert (mine / "00_a.ipynb").read_bytes() == before and (mine / "00_a.new.ipynb").read_bytes() == edited
    assert (mine / "00_a.new2.ipynb").read_bytes() == (course / "00_a.ipynb").read_bytes()


def test_running_cells_is_no_edit_and_garbage_is(course, mine):
    notebook = notebooks.read(mine / "00_a.ipynb")
    notebook["cells"][0] |= {"execution_count": 9, "metadata": {"collapsed": True}}
    notebooks.write(mine / "00_a.ipynb", notebook)
    (mine / "01_b.ipynb").write_text("{half a notebo")
    _course(course, version=2)
    _edit(course / "01_b.ipynb", "x = 2", id="x")
    assert [name for name, _ in workcopy.update(mine)] == ["00_a.ipynb", "01_b.new.ipynb"]
    assert (mine / "01_b.ipynb").read_text() == "{half a notebo"


def test_a_lost_record_makes_nothing_overwritten(course, mine):
    (mine / ".gancourse.json").write_text("{")
    _course(course, version=2)
    damaged, new = workcopy.update(mine)
    assert damaged[0] == ".gancourse.json" and "it was damaged" in damaged[1]
    assert new == ("00_a.new.ipynb", "new version of 00_a.ipynb, which you have edited")
    (mine / ".gancourse.json").unlink()
    with pytest.raises(FileNotFoundError, match="no working copy"):
        workcopy.update(mine)


def test_reset_restores_one_answer_and_keeps_the_old_text(mine):
    path = mine / "00_a.ipynb"
    for n, text in enumerate(["first try", "second try"], start=1):
        _edit(path)
        _edit(path, text, id="answer-00-1")
        notebook, backup = workcopy.reset("00.1", mine)
        assert notebook == path and backup.read_text() == f"{text}\n" and backup.name == f"answer-00-1.{n}.py"
    sources = [cell["source"] for cell in notebooks.read(path)["cells"]]
    assert sources[0] == "mine = 1" and sources[1].endswith("raise NotImplementedError")


@pytest.mark.parametrize(
    "missing", [{"answer-00-1"}, {"answer-00-1", "intro"}, {"answer-00-1", "check-00-1"}]
)
def test_reset_brings_back_a_deleted_cell(mine, missing):
    path = mine / "00_a.ipynb"
    notebook = notebooks.read(path)
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in missing]
    notebooks.write(path, notebook)
    workcopy.reset("00.1", mine)
    expected = [
        id for id in ("intro", "answer-00-1", "check-00-1") if id == "answer-00-1" or id not in missing
    ]
    assert [cell["id"] for cell in notebooks.read(path)["cells"]] == expected


def test_reset_keeps_no_file_of_what_was_never_written(mine):
    assert workcopy.reset("00.1", mine) == (mine / "00_a.ipynb", None)
    assert not (mine / "backup").exists()


def test_a_solved_copy_stays_solved(course, tmp_path):
    (course / "solutions").mkdir()
    notebooks.write(
        course / "solutions" / "00_a.ipynb", notebooks.normalised({"cells": [_code("x", "x = 7")]})
    )
    copy = workcopy.start(tmp_path / "solved", solved=True)
    notebooks.write(
        course / "solutions" / "00_a.ipynb", notebooks.normalised({"cells": [_code("x", "x = 8")]})
    )
    assert workcopy.update(copy) == [("00_a.ipynb", "updated")]
    assert _files(copy) == ["00_a.ipynb"] and "x = 8" in (copy / "00_a.ipynb").read_text()


def test_the_first_working_copies_records_are_read(course, mine):
    record = json.loads((mine / ".gancourse.json").read_text())
    (mine / ".gancourse.json").write_text(json.dumps(record["given"]))
    _course(course, version=2)
    assert workcopy.update(mine) == [("00_a.ipynb", "updated")]


def test_reset_finds_cells_that_lost_their_ids(mine):
    path = mine / "00_a.ipynb"
    notebook = json.loads(path.read_text()) | {"nbformat_minor": 4}
    for cell in notebook["cells"]:
        del cell["id"]
    notebook["cells"][1]["source"] = "mine"
    path.write_text(json.dumps(notebook))
    workcopy.reset("00.1", mine)
    cells = notebooks.read(path)["cells"]
    assert cells[1]["source"].endswith("raise NotImplementedError") and not any(
        "id" in cell for cell in cells
    )


def test_the_commands_say_what_they_did(course, tmp_path):
    runner, folder = CliRunner(), str(tmp_path / "copy")
    assert runner.invoke(main, ["start", folder]).output == f"Your copy of the course is in {folder}.\n"
    again = runner.invoke(main, ["start", folder])
    assert again.exit_code == 1 and again.output.startswith("Error: ") and "exists already" in again.output
    assert runner.invoke(main, ["update", folder]).output == f"{folder}: up to date\n"
    assert "is as it was given" in runner.invoke(main, ["reset", "00.1", "--folder", folder]).output
    assert "chapter 00 has 00.1" in runner.invoke(main, ["reset", "00.9", "--folder", folder]).output
    assert "there is no chapter 07" in runner.invoke(main, ["reset", "07.1", "--folder", folder]).output


def test_inside_a_working_copy_no_folder_need_be_named(course, mine, monkeypatch):
    monkeypatch.chdir(mine)
    _edit(mine / "00_a.ipynb", "my text", id="answer-00-1")
    assert (
        CliRunner()
        .invoke(main, ["reset", "00.1"])
        .output.endswith("Your text is in backup/answer-00-1.1.py.\n")
    )
    _edit(mine / "00_a.ipynb")
    _course(course, version=2)
    told = CliRunner().invoke(main, ["update"]).output
    assert "00_a.new.ipynb: new version of 00_a.ipynb" in told and "copy your answers" in told


def test_help_names_every_command_once_and_whole():
    told = CliRunner().invoke(main, ["--help"], terminal_width=200).output
    assert sorted(name for names in ROLES.values() for name in names) == sorted(main.commands)
    assert "..." not in told.partition("\n")[2]
