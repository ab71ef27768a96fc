"""Whose notebook is it, and which chapter's: under every name that students, browsers and learning platforms give."""

import io
import json
import os
import zipfile

import pytest

from gancourse.classroom import notebooks
from gancourse.classroom.handed_in import HandedIn, chapter_of, handed_in, student_of
from gancourse.classroom.intake import read_submission
from gancourse.classroom.release import released

CHAPTER = "02_covariance"
CHAPTERS = [path.stem for path in notebooks.solutions()]


def put(folder, name, content="{}", changed=None):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    if changed:
        os.utime(path, (changed, changed))
    return path


def found(tmp_path) -> list[tuple[str, str]]:
    return [(g.student, g.chapter) for g in handed_in(tmp_path / "in", tmp_path / "unpacked")]


@pytest.mark.parametrize(
    "name",
    [
        "02_covariance.ipynb",
        "Copy of 02_covariance.ipynb",
        "02_covariance (1).ipynb",
        "02_COVARIANCE.IPYNB",
        "02-covariance final.ipynb",
        "02 covariance-2.ipynb",
        "02.ipynb",
        "chapter 02.ipynb",
    ],
)
def test_a_students_own_name_for_a_chapter(tmp_path, name):
    assert chapter_of(name, CHAPTERS)[0] == CHAPTER
    put(tmp_path / "in" / "anna", name)
    assert found(tmp_path) == [("anna", CHAPTER)]


@pytest.mark.parametrize("name", ["homework.ipynb", "2021_notes.ipynb", "99_nothing.ipynb"])
def test_a_name_that_means_no_chapter_keeps_its_own(tmp_path, name):
    assert chapter_of(name, CHAPTERS) == ("", "")
    put(tmp_path / "in" / "anna", name)
    assert found(tmp_path) == [("anna", name.removesuffix(".ipynb"))]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("doejane_1234_5678_02_covariance.ipynb", "doejane_1234"),
        ("doejane_LATE_1234_5678_02_covariance-1.ipynb", "doejane_1234"),
        ("doejane_1234_5678_Copy of 02_covariance (1).ipynb", "doejane_1234"),
        ("Jane Doe_77_assignsubmission_file_02_covariance.ipynb", "Jane Doe_77"),
        ("doejane_1234_5678_my_02_covariance.ipynb", "doejane_1234"),
        ("doejane_LATE_1234_5678_HW 02_covariance.ipynb", "doejane_1234"),
        ("Jane Doe_77_assignsubmission_file_final 02_covariance.ipynb", "Jane Doe_77"),
        ("hw_2_2024_anna_02_covariance.ipynb", "hw_2_2024_anna"),
        ("jane@example.org_02_covariance.ipynb", "jane@example.org"),
        ("jane-02_covariance.ipynb", "jane"),
    ],
)
def test_one_folder_for_all(tmp_path, name, student):
    put(tmp_path / "in", name)
    assert found(tmp_path) == [(student, CHAPTER)]


def test_archives_of_canvas_and_moodle(tmp_path):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "submissions.zip", "w") as archive:
        archive.writestr("doejane_1_2_02_covariance.ipynb", "{}")
        archive.writestr("__MACOSX/._doejane_1_2_02_covariance.ipynb", "{}")
        archive.writestr("Max Ünal_7_assignsubmission_file/02_covariance.ipynb", "{}")
        archive.writestr("../../escaped_3_4_02_covariance.ipynb", "{}")
        archive.writestr("readme.txt", "no notebook")
    assert found(tmp_path) == [
        ("Max Ünal_7", CHAPTER),
        ("doejane_1", CHAPTER),
        ("escaped_3", CHAPTER),
    ]
    outside = [p for p in tmp_path.rglob("*.ipynb") if not p.is_relative_to(tmp_path / "unpacked")]
    assert not outside
    assert found(tmp_path) == found(tmp_path)


def test_a_damaged_archive_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "all.zip", "w") as archive:
        archive.writestr("a_1_2_02_covariance.ipynb", "{}" * 1000)
    content = bytearray((tmp_path / "in" / "all.zip").read_bytes())
    content[60:70] = b"0123456789"
    (tmp_path / "in" / "all.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"submissions: all\.zip can't be unpacked"):
        found(tmp_path)


def test_of_several_the_latest_counts(tmp_path):
    put(tmp_path / "in" / "anna", f"{CHAPTER}.ipynb", changed=1000)
    late = put(tmp_path / "in" / "anna" / "again", f"{CHAPTER} (1).ipynb", changed=2000)
    put(tmp_path / "in" / "anna", f"Copy of {CHAPTER}.ipynb", changed=1500)
    assert handed_in(tmp_path / "in", tmp_path / "unpacked") == [HandedIn("anna", CHAPTER, late)]


def test_links_hidden_files_and_odd_names(tmp_path):
    put(tmp_path / "elsewhere", f"{CHAPTER}.ipynb")
    put(tmp_path / "in" / ".git", f"{CHAPTER}.ipynb")
    put(tmp_path / "in" / "anna" / ".ipynb_checkpoints", f"{CHAPTER}-checkpoint.ipynb")
    (tmp_path / "in" / "thief").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path) == []
    for name in ("=cmd()", "Zoë 李", "a\nb", "a\ttab"):
        put(tmp_path / "in" / name, f"{CHAPTER}.ipynb")
    os.mkdir(os.fsencode(tmp_path / "in") + b"/\xff")
    put(tmp_path / "in" / os.fsdecode(b"\xff"), f"{CHAPTER}.ipynb")
    students = [student for student, _ in found(tmp_path)]
    assert students == sorted(["=cmd()", "Zoë 李", "a b", "a tab", "\\udcff"])


def test_students_names():
    assert student_of("Jane Doe_77_assignsubmission_file_") == "Jane Doe_77"
    assert student_of("anna") == "anna" and student_of("b_2") == "b_2"
    folders = [student_of(name) for name in ("_.._", "_._", "__", "..", " . ")]
    assert folders == [".._", "._", "__", ".._", "._"] and student_of("") == ""


def as_handed_in(solution) -> dict:
    notebook = released(solution)
    answers = {cell["id"]: cell["source"] for cell in solution["cells"] if cell["id"].startswith("answer-")}
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return notebook


def format_3(notebook) -> dict:
    cells = [
        {"cell_type": "code", "language": "python", "input": c["source"], "metadata": c["metadata"]}
        if c["cell_type"] == "code"
        else {"cell_type": "markdown", "source": c["source"], "metadata": {}}
        for c in notebook["cells"]
    ]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


def format_4_0(notebook) -> dict:
    """As Colab and old front ends save: no ids, sources as lists of lines."""
    cells = [
        {key: part for key, part in c.items() if key != "id"} | {"source": c["source"].splitlines(True)}
        for c in notebook["cells"]
    ]
    return notebook | {"nbformat_minor": 0, "cells": cells}


def bare(notebook) -> dict:
    """Neither ids nor metadata."""
    cells = [{key: c[key] for key in ("cell_type", "source")} | {"metadata": {}} for c in notebook["cells"]]
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}


def colab(notebook) -> dict:
    """Ids only in the metadata, and metadata of its own."""
    cells = [
        {"cell_type": c["cell_type"], "source": c["source"]}
        | {"metadata": {"id": c["id"], "colab": {"base_uri": "https://example.org"}}}
        for c in notebook["cells"]
    ]
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": {"colab": {"provenance": []}}, "cells": cells}


ENCODED = {
    "utf-8": lambda text: text.encode(),
    "with a byte order mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 without a mark": lambda text: text.encode("utf-16-le"),
}


def windows(notebook) -> dict:
    """With the line ends of Windows."""
    cells = [c | {"source": c["source"].replace("\n", "\r\n")} for c in notebook["cells"]]
    return notebook | {"cells": cells}


@pytest.mark.parametrize("shape", [dict, format_3, format_4_0, bare, colab, windows])
@pytest.mark.parametrize("encoding", ENCODED)
def test_every_front_end_and_encoding(tmp_path, shape, encoding):
    solution = notebooks.read(notebooks.solutions(("02",))[0])
    path = tmp_path / "02_covariance.ipynb"
    text = json.dumps(shape(as_handed_in(solution)), ensure_ascii=False)
    path.write_bytes(ENCODED[encoding](text))
    read = read_submission(path, solution)
    right = {c["id"]: c["source"] for c in solution["cells"] if c["id"].startswith("answer-")}
    assert [answer.strip() for answer in read.answers.values()] == [code.strip() for code in right.values()]
    assert not read.extras


def test_a_broken_archive_among_others_costs_only_its_own(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "doejane.zip").write_bytes(b"PK no archive")
    (folder / f"roe_{CHAPTER}.ipynb").write_text("{}")
    found = handed_in(folder, tmp_path / "unpacked")
    assert [(g.student, g.chapter) for g in found] == [("doejane", "doejane.zip"), ("roe", CHAPTER)]


def packed(*members, kind=zipfile.ZIP_STORED) -> bytes:
    """An archive of (name, content)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def test_archives_that_students_handed_in_are_theirs(tmp_path):
    folder, own = tmp_path / "in", packed((f"hw/{CHAPTER}.ipynb", "{}"), ("hw/again.zip", b"PK"))
    (folder / "kim").mkdir(parents=True)
    (folder / "kim" / "hw.zip").write_bytes(own)
    (folder / "roe_1234_5678_hw.zip").write_bytes(own)
    (folder / "bob.zip").write_bytes(packed((f"{CHAPTER}.ipynb", "{}")))
    given = [("zoe_LATE_777_88888_hw.zip", own), ("Max_7_assignsubmission_file_/hw.zip", own)]
    given += [("Mia_8_assignsubmission_file_/hw.zip", b"PK no archive")]
    (folder / "all.zip").write_bytes(packed(*given))
    assert found(tmp_path) == [
        ("Max_7", CHAPTER),
        ("Mia_8", "hw.zip"),
        ("bob", CHAPTER),
        ("kim", CHAPTER),
        ("roe_1234", CHAPTER),
        ("zoe_777", CHAPTER),
    ]


def test_an_archive_of_any_name_is_unpacked_where_it_should_be(tmp_path):
    put(tmp_path, "kept.txt")
    (tmp_path / "in").mkdir()
    for name in ("all.zip", "\u200b...zip", " ...zip"):
        (tmp_path / "in" / name).write_bytes(
            packed(*((f"{who}/{CHAPTER}.ipynb", "{}") for who in ("ann", "roe")))
        )
    assert found(tmp_path) == [("ann", CHAPTER), ("roe", CHAPTER)] and (tmp_path / "kept.txt").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"in", "kept.txt", "unpacked"}


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_of_any_kind_costs_only_its_own(tmp_path, kind):
    put(tmp_path / "in", f"roe_{CHAPTER}.ipynb")
    content = bytearray(packed((f"{CHAPTER}.ipynb", json.dumps(list(range(10_000)))), kind=kind))
    content[60:400] = b"\xff" * 340
    (tmp_path / "in" / "doejane.zip").write_bytes(content)
    assert found(tmp_path) == [("doejane", "doejane.zip"), ("roe", CHAPTER)]


def test_an_archive_of_names_too_long_for_a_file(tmp_path):
    (tmp_path / "in").mkdir()
    names = [f"roe_1234_56789_{word}_{CHAPTER}.ipynb" for word in ("a" * 250, "共分散" * 40)]
    (tmp_path / "in" / "all.zip").write_bytes(packed(*((name, "{}") for name in names)))
    assert found(tmp_path) == [("roe_1234", CHAPTER)]


def test_an_archive_larger_than_a_class_is_left_packed(tmp_path, monkeypatch):
    monkeypatch.setattr("gancourse.classroom.handed_in._MOST_BYTES", 1000)
    put(tmp_path / "in", f"roe_{CHAPTER}.ipynb")
    bomb = packed(*((f"ann{i}/{CHAPTER}.ipynb", "{}" * 100) for i in range(6)), kind=zipfile.ZIP_DEFLATED)
    (tmp_path / "in" / "all.zip").write_bytes(bomb)
    assert found(tmp_path) == [("all", "all.zip"), ("roe", CHAPTER)]


def test_archives_of_one_folder_each_are_told_apart_by_their_names(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("bob", "eve"):
        content = packed((f"gancourse/{CHAPTER}.ipynb", "{}"), (f"gancourse/{name}/04.ipynb", "{}"))
        (tmp_path / "in" / f"{name}.zip").write_bytes(content)
    for name in ("class", "class again"):
        content = packed((f"ann/{CHAPTER}.ipynb", "{}"), (f"roe/{CHAPTER}.ipynb", "{}"))
        (tmp_path / "in" / f"{name}.zip").write_bytes(content)
    (tmp_path / "in" / "other.zip").write_bytes(packed(("ann/04.ipynb", "{}")))
    assert found(tmp_path) == [
        ("ann", CHAPTER),
        ("ann", "04_inception_score"),
        ("bob", CHAPTER),
        ("bob", "04_inception_score"),
        ("eve", CHAPTER),
        ("eve", "04_inception_score"),
        ("roe", CHAPTER),
    ]
