"""From marks to the tables: points, lateness, marks by hand, missing students, the files of Canvas and Moodle."""

import csv
import os
import re
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from gancourse.classroom import grade as grading
from gancourse.classroom import notebooks
from gancourse.classroom.grade import grade
from gancourse.classroom.marking import NotRun, Row
from gancourse.classroom.points import read_credit
from gancourse.classroom.tables import plain, write_csv
from gancourse.cli import main
from gancourse.exercises import judging, of_chapter

CHAPTER = "02_covariance"
RECORDS = of_chapter("02")
ALL = sum(record.points for record in RECORDS)
NAMED = RECORDS[0].mistakes[0].message


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def hand_in(root: Path, *students: str, chapter: str = CHAPTER) -> Path:
    """The released notebook from each student; what becomes of it the test says."""
    for student in students:
        path = root / "submissions" / student / f"{chapter}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((notebooks.folder() / f"{chapter}.ipynb").read_bytes())
    return root / "submissions"


@pytest.fixture
def marks(monkeypatch) -> dict[str, object]:
    """Student -> rows by exercise (status, message), or an exception to raise, in place of running anything."""
    given: dict[str, object] = {}

    def mark(path, student, chapter, *how):
        told = given.get(student, {})
        if isinstance(told, BaseException):
            raise told
        rows = []
        for record in of_chapter(chapter[:2]):
            status, message = told.get(record.id, ("right", ""))
            points = record.points if status == "right" else 0
            rows.append(Row(student, chapter, record.id, points, record.points, status, message))
        extra = told.get("written", ())
        return rows + [Row(student, chapter, id, 0, 0, "to read", "") for id in extra]

    monkeypatch.setattr(grading, "mark", mark)
    return given


def points(out: Path, name: str = "gradebook.csv") -> dict[tuple[str, str], float]:
    return {(row["student"], row["exercise"]): float(row["points"]) for row in table(out / name)}


def test_a_named_mistake_may_earn_a_share(tmp_path, marks):
    marks["a"] = {"02.1": ("wrong", NAMED), "02.2": ("wrong", "For f(1), expected 2, got 3.")}
    marks["a"]["02.4"] = ("refused", judging.out_of_bounds(RECORDS[3], "torch.cov").message)
    submissions, out = hand_in(tmp_path, "a"), tmp_path / "out"
    grade(submissions, out)
    assert points(out)["a", "02.1"] == points(out)["a", "02.2"] == 0
    grade(submissions, out, credit=read_credit(("mistake=0.5", "wrong=0.25")))
    assert points(out)["a", "02.1"] == RECORDS[0].points / 2
    assert points(out)["a", "02.2"] == RECORDS[1].points / 4
    assert points(out)["a", "02.3"] == RECORDS[2].points
    assert points(out)["a", "02.4"] == 0


@pytest.mark.parametrize("rule", ["mistake=2", "mistake=", "mistake", "right=0.5", "=1", "wrong=nan"])
def test_a_rule_that_says_nothing_is_an_error(rule):
    with pytest.raises(ValueError, match="credit"):
        read_credit((rule,))


def test_lateness_costs_by_the_day_and_an_extension_helps_its_student(tmp_path, marks):
    submissions, out = hand_in(tmp_path, "prompt", "late", "extended", "too-late"), tmp_path / "out"
    days = {"prompt": -0.1, "late": 1.2, "extended": 1.2, "too-late": 30}
    due = datetime.fromisoformat("2026-03-20 23:59").timestamp()
    for student, over in days.items():
        os.utime(submissions / student / f"{CHAPTER}.ipynb", (0, due + over * 86400))
    rule = tmp_path / "due.csv"
    rule.write_text(
        "chapter;student;due;per_day\n02;;2026-03-20 23:59;0,1\n02;extended;2026-03-27 23:59;0,1\n"
    )
    rows = grade(submissions, out, late=rule)
    total = {s: sum(r.points for r in rows if r.student == s) for s in days}
    assert total == pytest.approx({"prompt": ALL, "late": 0.8 * ALL, "extended": ALL, "too-late": 0})
    late = {r.message for r in rows if r.student == "late"}
    assert late == {"Handed in 2 days late: 80% of the points count."}
    assert "late</dt><dd>2: late, too-late" in (out / "class_report.html").read_text()


@pytest.mark.parametrize(
    ("line", "problem"),
    [("02,,tomorrow,0.1", "line 2: due"), ("02,,2026-03-20,2", "per_day"), ("x,,2026-03-20,0", "chapter")],
)
def test_due_dates_that_cannot_be_read_are_named_before_anything_runs(tmp_path, marks, line, problem):
    rule = tmp_path / "due.csv"
    rule.write_text(f"chapter,student,due,per_day\n{line}\n")
    with pytest.raises(ValueError, match=problem):
        grade(hand_in(tmp_path, "a"), tmp_path / "out", late=rule)
    assert not (tmp_path / "out").exists()


def test_who_handed_in_nothing_has_a_row_with_every_maximum(tmp_path, marks):
    submissions, out = hand_in(tmp_path, "a"), tmp_path / "out"
    (submissions / "empty").mkdir()
    (tmp_path / "class.txt").write_text("a\nabsent\n\n")
    grade(submissions, out, students=tmp_path / "class.txt")
    gone = {r["student"]: (r["exercise"], r["status"]) for r in table(out / "gradebook.csv")}
    assert gone["empty"] == gone["absent"] == ("", "missing")
    assert {r["student"]: r["max_points"] for r in table(out / "summary.csv")} == dict.fromkeys(
        ["a", "absent", "empty"], str(ALL)
    )


@pytest.mark.parametrize(
    "error", [RuntimeError("boom \ud800"), MemoryError(), NotRun("no kernel"), OSError()]
)
def test_what_one_submission_raises_is_a_row(tmp_path, marks, error):
    marks["bad"] = error
    submissions, out = hand_in(tmp_path, "a", "bad", "z"), tmp_path / "out"
    grade(submissions, out, jobs=2)
    summary = {r["student"]: r for r in table(out / "summary.csv")}
    assert summary["a"]["points"] == summary["z"]["points"] == summary["z"]["max_points"] == str(ALL)
    assert (summary["bad"]["points"], summary["bad"]["open"]) == ("0", "1")
    marks["bad"] = {}  # it is tried again, nobody else is
    marks["a"] = marks["z"] = RuntimeError("was graded before")
    grade(submissions, out)
    assert {r["points"] for r in table(out / "summary.csv")} == {str(ALL)}


def test_odd_names_and_messages_are_written_and_bounded(tmp_path, marks):
    names = ["=cmd()", "a b", "Zoë", os.fsdecode(b"half\xff"), "<b>"]
    submissions, out = hand_in(tmp_path, *names), tmp_path / "out"
    for name in names:
        marks[plain(name)] = {"02.1": ("wrong", "\ud800\x00" + "x" * 10**6)}
    grade(submissions, out)
    rows = [r for r in table(out / "gradebook.csv") if r["exercise"] == "02.1"]
    assert {r["student"] for r in rows} == {"'=cmd()", "a b", "Zoë", "half\\udcff", "<b>"}
    assert all(len(r["message"]) < 2100 and r["message"].startswith("\\ud800\\x00x") for r in rows)
    assert "<b>" not in (out / "class_report.html").read_text().replace("<b>0", "")


def test_a_name_that_is_too_long_costs_nobody_else(tmp_path, marks, capsys):
    submissions, out = hand_in(tmp_path, "a"), tmp_path / "out"
    long = "é" * 120
    (submissions / "a" / f"{long}.ipynb").write_text("{}")
    (submissions / os.fsdecode(b"\xff" * 200)).mkdir()
    (submissions / os.fsdecode(b"\xff" * 200) / f"{CHAPTER}.ipynb").write_text("{}")
    grade(submissions, out)
    summary = {r["student"]: r for r in table(out / "summary.csv")}
    assert len(summary) == 2 and summary["a"]["points"] == str(ALL)
    assert "no page for" in capsys.readouterr().out


def test_chapter_after_chapter_gathers_in_one_gradebook(tmp_path, marks):
    submissions, out = hand_in(tmp_path, "a"), tmp_path / "out"
    hand_in(tmp_path, "a", chapter="00_start_here")
    grade(submissions, out, chapters=("02",))
    assert {r["chapter"] for r in table(out / "gradebook.csv")} == {CHAPTER}
    grade(submissions, out, chapters=("0",))
    assert {r["chapter"] for r in table(out / "gradebook.csv")} == {CHAPTER, "00_start_here"}
    with pytest.raises(ValueError, match="there is no solution notebook for 77"):
        grade(submissions, out, chapters=("77",))


def test_regrade_runs_a_student_again(tmp_path, marks):
    submissions, out = hand_in(tmp_path, "a", "b"), tmp_path / "out"
    grade(submissions, out)
    marks["a"] = marks["b"] = {"02.1": ("wrong", "")}
    grade(submissions, out, regrade=("a",))
    assert points(out)["a", "02.1"] == 0 < points(out)["b", "02.1"]
    grade(submissions, out, regrade=("all",))
    assert points(out)["b", "02.1"] == 0
    with pytest.raises(ValueError, match="regrade: nothing was handed in by c"):
        grade(submissions, out, regrade=("c",))


def test_a_batch_has_one_seed(tmp_path, marks):
    submissions, out = hand_in(tmp_path, "a"), tmp_path / "out"
    grade(submissions, out, seed=5)
    assert (out / "seed").read_text() == "5"
    with pytest.raises(ValueError, match="this batch has the seed 5"):
        grade(submissions, out, seed=6)
    grade(submissions, out, seed=6, regrade=("all",))
    grade(submissions, out)
    assert (out / "seed").read_text() == "6"


def test_parts_that_were_graded_elsewhere_are_put_together(tmp_path, marks):
    for part, student in (("one", "a"), ("two", "b")):
        marks[student] = {"02.1": ("wrong", NAMED)}
        grade(hand_in(tmp_path / part, student), tmp_path / part / "out", seed=7)
        shutil.copytree(tmp_path / part / "out" / "state", tmp_path / "all" / "state", dirs_exist_ok=True)
    marks["a"] = marks["b"] = RuntimeError("ran again")
    grade(hand_in(tmp_path, "a", "b"), tmp_path / "all", seed=7)
    assert points(tmp_path / "all")["a", "02.2"] == points(tmp_path / "all")["b", "02.2"] == RECORDS[1].points


def written(monkeypatch):
    """Chapter 02 as if it had a written answer worth 5 points."""
    best = {r.id: float(r.points) for r in RECORDS} | {"card": 5.0}
    monkeypatch.setattr(grading.gradebook, "maxima", lambda chapter: best)


def test_marks_by_hand_are_merged_and_never_written_over(tmp_path, marks, monkeypatch):
    written(monkeypatch)
    marks["a"] = marks["b"] = {"written": ("card",)}
    submissions, out = hand_in(tmp_path, "a", "b"), tmp_path / "out"
    grade(submissions, out)
    book = out / "manual.csv"
    assert [(r["student"], r["exercise"], r["points"]) for r in table(book)] == [
        ("a", "card", ""),
        ("b", "card", ""),
    ]
    summary = {r["student"]: r for r in table(out / "summary.csv")}
    assert (summary["a"]["open"], float(summary["a"]["max_points"])) == ("1", ALL + 5)
    # As a spreadsheet of another country saves it, with a column of the instructor's own.
    text = "\ufeffstudent;chapter;exercise;points;comment;mine\r\na;02_covariance;card;3,5;Good.;x\r\n"
    text += f"b;{CHAPTER};02.1;1;A near miss.;"
    book.write_bytes(text.encode())
    hand_in(tmp_path, "c")
    marks["c"] = {"written": ("card",)}
    rows = grade(submissions, out, regrade=("all",))
    told = {(r.student, r.exercise): (r.points, r.status, r.message) for r in rows}
    assert told["a", "card"] == (3.5, "read", "Good.")
    assert told["b", "02.1"] == (1, "right", "Points given by hand. A near miss.")
    assert book.read_bytes().startswith(text.encode())
    left = book.read_bytes()[len(text.encode()) :].decode()
    assert left == f"\r\nb;{CHAPTER};card;;\r\nc;{CHAPTER};card;;\r\n"
    grade(submissions, out)
    assert book.read_bytes().decode() == text + left


@pytest.mark.parametrize(
    ("line", "problem"), [("card,6", "has 5, got 6"), ("card,x", "a number"), ("b,1", "no exercise 'b'")]
)
def test_a_mark_that_cannot_be_is_named(tmp_path, marks, monkeypatch, line, problem):
    written(monkeypatch)
    marks["a"] = {"written": ("card",)}
    out = tmp_path / "out"
    out.mkdir()
    (out / "manual.csv").write_text(f"student,chapter,exercise,points,comment\na,{CHAPTER},{line},\n")
    with pytest.raises(ValueError, match=f"line 2: .*{problem}"):
        grade(hand_in(tmp_path, "a"), out)


def test_a_mark_for_nobody_is_told(tmp_path, marks, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "manual.csv").write_text(
        f"student,chapter,exercise,points,comment\na,{CHAPTER},02.1,1,\nanna,{CHAPTER},02.1,1,\na,02,02.1,1,\nb,02,x,,\n"
    )
    grade(hand_in(tmp_path, "a"), out)
    told = [line.partition("manual.csv, ")[2] for line in capsys.readouterr().out.splitlines()]
    assert [line for line in told if line] == [
        f"line 3: not counted, anna has handed in no {CHAPTER}",
        "line 4: not counted, a has handed in no 02",
    ]


def test_a_table_with_an_endless_field_is_named(tmp_path, marks):
    out = tmp_path / "out"
    out.mkdir()
    text = f'student,chapter,exercise,points,comment\na,{CHAPTER},02.1,1,"half\n'
    (out / "manual.csv").write_text(text + "x" * 200_000)
    with pytest.raises(ValueError, match=r"manual\.csv, after line \d+: field larger"):
        grade(hand_in(tmp_path, "a"), out)


def test_written_answers_are_laid_out_for_who_reads_them(tmp_path, marks):
    from gancourse.classroom import cells

    path = next(
        (p for p in notebooks.solutions() if any(map(cells.is_free_text, notebooks.read(p)["cells"]))), None
    )
    if path is None:
        pytest.skip("no chapter asks for an answer in words")
    ours = next(cell for cell in notebooks.read(path)["cells"] if cells.is_free_text(cell))
    card = ours["metadata"]["nbgrader"]["grade_id"]
    marks["a"] = marks["b"] = {"written": (card,)}
    out = tmp_path / "out"
    submissions = hand_in(tmp_path, "a", "b", chapter=path.stem)
    notebook = notebooks.read(submissions / "a" / path.name)
    for cell in notebook["cells"]:
        if cell["id"] == ours["id"]:
            cell["source"] = "It was trained on <script>garments</script> alone."
    notebooks.write(submissions / "a" / path.name, notebook)
    grade(submissions, out)
    pages = [(out / "to_read.html").read_text(), (out / "feedback" / "a" / f"{path.stem}.html").read_text()]
    assert all("trained on &lt;script&gt;garments&lt;/script&gt; alone." in page for page in pages)
    model = re.sub(r"<!--.*?-->", "", ours["source"]).split()[:12]
    assert " ".join(model[:4]) in " ".join(pages[0].split()) and "Nothing was written." in pages[0]
    assert " ".join(ours["source"].split()[-6:-3]) not in " ".join(pages[1].split())
    statuses = {r["student"]: r["status"] for r in table(out / "gradebook.csv") if r["exercise"] == card}
    assert statuses == {"a": "to read", "b": "not attempted"}
    assert [r["student"] for r in table(out / "manual.csv")] == ["a"]
    best = {r["student"]: float(r["max_points"]) for r in table(out / "summary.csv")}
    asked = sum(r.points for r in of_chapter(path.name[:2])) + ours["metadata"]["nbgrader"]["points"]
    assert best == {"a": asked, "b": asked}


CANVAS = (
    '\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,"Quiz 1 (10)","02 Covariance (4711)",Current Score\r\n'
    "    Points Possible,,,,,5,{most},(read only)\r\n"
    '"Doe, Ann",71,u1,ann,A,4,,88\r\n'
    '"Roe, Bo",72,u2,bo,A,5,,70\r\n'
    '"Poe, Cy",73,u3,cy,A,,7,\r\n'
)


def test_canvas_export_is_filled_and_otherwise_left_alone(tmp_path, marks, capsys):
    (tmp_path / "grades.csv").write_bytes(CANVAS.format(most=ALL).encode())
    marks["robo_72"] = {"02.1": ("wrong", "")}
    submissions, out = hand_in(tmp_path, "ann", "robo_72", "stranger"), tmp_path / "out"
    (submissions / "cy").mkdir()
    grade(submissions, out, exports=[tmp_path / "grades.csv"])
    expected = CANVAS.format(most=ALL).replace("A,4,,88", f"A,4,{ALL},88")
    expected = expected.replace("A,5,,70", f"A,5,{ALL - RECORDS[0].points},70").replace(
        '"Quiz 1 (10)"', "Quiz 1 (10)"
    )
    assert (out / "canvas-grades.csv").read_bytes().decode() == expected.replace('"02 Cov', "02 Cov").replace(
        '11)"', "11)"
    )
    assert "there is no stranger in it" in capsys.readouterr().out


def test_canvas_with_another_maximum_or_no_column_is_an_error(tmp_path, marks):
    submissions, out, export = hand_in(tmp_path, "ann"), tmp_path / "out", tmp_path / "grades.csv"
    export.write_text(CANVAS.format(most=100))
    with pytest.raises(ValueError, match=rf"counts from 100 points, {CHAPTER} from {ALL}"):
        grade(submissions, out, exports=[export])
    export.write_text("Student,ID,Essay (1)\nDoe,71,3\n")
    with pytest.raises(ValueError, match="no column has a chapter's number"):
        grade(submissions, out, exports=[export])
    export.write_text("name,mark\n")
    with pytest.raises(ValueError, match="no export of Canvas"):
        grade(submissions, out, exports=[export])
    assert not out.exists()  # all of this before anything is run


def test_moodle_worksheet_gets_points_and_comments(tmp_path, marks):
    header = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments"
    lines = [
        f"Participant 5,Ann Doe,ann@x.org,Submitted,,{ALL},-,",
        f"Participant 6,Bo Roe,bo@x.org,Submitted,,{ALL},-,",
    ]
    export = tmp_path / "Grades-GAN-Chapter 02-99.csv"
    export.write_text("\n".join([header, *lines]) + "\n")
    marks["ann@x.org"] = {
        "02.1": ("wrong", "For covariance([1, 2]), expected 3, got 4."),
        "02.2": ("wrong", "<b>"),
    }
    out = tmp_path / "out"
    grade(hand_in(tmp_path, "ann@x.org", "Bo Roe_6_assignsubmission_file_"), out, exports=[export])
    ann, bo = table(out / f"moodle-{export.name}")
    assert list(ann) == header.split(",") and float(bo["Grade"]) == ALL
    assert float(ann["Grade"]) == ALL - RECORDS[0].points - RECORDS[1].points
    assert "02.1: wrong" in ann["Feedback comments"] and "expected 3" not in ann["Feedback comments"]
    assert "<b>" not in ann["Feedback comments"]


@pytest.mark.parametrize("name", ["due.csv", "manual.csv", "grades.csv"])
def test_a_table_that_is_not_utf8_says_how_to_save_it(tmp_path, marks, name):
    (tmp_path / "out").mkdir()
    path = tmp_path / ("out/manual.csv" if name == "manual.csv" else name)
    path.write_bytes("student;chapter;exercise;points;comment;Zoë".encode("cp1252"))
    options = {"due.csv": {"late": path}, "grades.csv": {"exports": [path]}}.get(name, {})
    with pytest.raises(ValueError, match=rf'{name} is not UTF-8: save it as "CSV UTF-8"'):
        grade(hand_in(tmp_path, "a"), tmp_path / "out", **options)


def test_text_for_a_spreadsheet_is_inert(tmp_path):
    write_csv(tmp_path / "x.csv", ["a"], [["=HYPERLINK(1)"], ["fine"], [3], [2.5], [4.0]])
    assert [row["a"] for row in table(tmp_path / "x.csv")] == ["'=HYPERLINK(1)", "fine", "3", "2.5", "4"]
    assert plain("a\x1b[31m\u202e\nb") == "a\\x1b[31m\\u202e\nb"


def test_the_command_says_where_everything_lies(tmp_path, marks):
    submissions = hand_in(tmp_path, "a")
    asked = [
        "grade",
        str(submissions),
        "--out",
        str(tmp_path / "out"),
        "--credit",
        "mistake=0.5",
        "--chapter",
        "02",
    ]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0 and "1 student, 4 rows" in done.output
    wrong = CliRunner().invoke(main, [*asked[:4], "--credit", "mistake=5"])
    assert wrong.exit_code == 1 and "expected a share from 0 to 1" in wrong.output
