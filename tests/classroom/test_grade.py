"""A class hands in chapter 02: everyone gets the marks that they should, and nobody costs another one's."""

import copy
import csv
import inspect
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gancourse.classroom import intake, marking, notebooks, sandbox, verdicts
from gancourse.classroom.grade import grade
from gancourse.classroom.intake import exercises_of, graded_slice, read_submission, stub_of
from gancourse.classroom.release import released
from gancourse.exercises import judging, of_chapter

sys.path.insert(0, str(Path(__file__).parent))
from attacks import DISGUISES, FORGERIES, HAVOC, THEFTS

CHAPTER = "02_covariance"
RECORDS = of_chapter("02")
ASKED = RECORDS[0]  # covariance, the exercise that the class answers in many ways
LOOPS = """
def covariance(x, y):
    n = len(x)
    mean_x, mean_y = sum(float(v) for v in x) / n, sum(float(v) for v in y) / n
    return sum((float(a) - mean_x) * (float(b) - mean_y) for a, b in zip(x, y)) / (n - 1)
"""
NUMPY = """
import numpy

def covariance(x, y):
    x, y = numpy.asarray(x, dtype=float), numpy.asarray(y, dtype=float)
    return (x - x.mean()) @ (y - y.mean()) / (len(x) - 1)
"""
COMPARED = """
import numpy as np

def covariance(x, y):
    return ((x - x.mean()) * (y - y.mean())).sum() / (len(x) - 1)

assert np.isclose(np.cov([1.0, 2.0], [2.0, 4.0])[0, 1], 1.0)
"""
DISGUISED = """
import importlib

def covariance(x, y):
    return importlib.import_module("gancourse.chapters.ch02_covariance.exercises").covariance(x, y)
"""
CRASH = "import os\n\ndef covariance(x, y):\n    os._exit(0)"
LOOP = "def covariance(x, y):\n    while True:\n        pass"
MINUS = "def covariance(x, y):\n    return " + "-" * 100_000 + "1"
SURROGATE = "def covariance(x, y):\n    raise ValueError('\\ud800' + '\ud800' + '=cmd()' * 1000)"
# A process that outlives the cell and writes where the notebook ran; and one that takes its sign of life away.
SURVIVOR = """
import os, pathlib, time
if not os.fork():
    os.setsid()
    while True:
        for i in range(1000):
            with open(f"left-{i}", "w") as file:
                file.write("x" * 1000)
"""
LIFELESS = """
import os, threading
def take_away():
    while True:
        try:
            os.unlink(os.environ["GANCOURSE_PULSE"])
        except OSError:
            pass
threading.Thread(target=take_away, daemon=True).start()
"""
PATCHED = """
import numpy, torch, gancourse.exercises
gancourse.exercises.check = lambda number: print("all passed")
numpy.allclose = numpy.array_equal = torch.allclose = torch.equal = lambda *a, **k: True
"""


@pytest.fixture(scope="module")
def solution() -> dict:
    return notebooks.read(notebooks.solutions(("02",))[0])


def wrong_source(mistake) -> str:
    """A mistake as a student would hand it in: its source under the exercise's name."""
    source = inspect.getsource(mistake.answer)
    source = source[source.index("def ") :]
    return source.replace(f"def {mistake.answer.__name__}(", f"def {ASKED.name}(", 1)


def need_sandbox() -> None:
    """Skip where there is no bubblewrap; in continuous integration that is a failure."""
    if not sandbox.confined():
        if os.environ.get("CI"):
            pytest.fail("bubblewrap is not here")
        pytest.skip("bubblewrap is not here")


def right(solution: dict) -> dict[str, str]:
    return {c["id"]: c["source"] for c in solution["cells"] if c["id"].startswith("answer-")}


def answer_id(record) -> str:
    return f"answer-{record.id.replace('.', '-')}"


def hand_in(folder: Path, student: str, solution: dict, answers: dict[str, str]) -> Path:
    """The student's version with these answers, as a front end would save it."""
    notebook = released(solution)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    path = folder / student / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))  # what is no Unicode as its escape
    return path


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


ANSWERS = {  # student -> (answer to the exercise that is asked, status)
    "right-loops": (LOOPS, "right"),
    "right-numpy": (NUMPY, "right"),
    "right-compared": (COMPARED, "right"),
    "disguised": (DISGUISED, "refused"),
    "crash": (CRASH, "crashed"),
    "loop": (LOOP, "timed out"),
    "minus": (MINUS, "wrong"),
    "surrogate": (SURROGATE, "wrong"),
}
OWN_CELLS = {"survivor": SURVIVOR, "lifeless": LIFELESS, "patched": PATCHED}


@pytest.fixture(scope="module")
def graded(tmp_path_factory, solution) -> tuple[Path, Path]:
    """The class, graded once: right answers, a stub, wrong answers, and what would bring a batch down."""
    root = tmp_path_factory.mktemp("class")
    good, asked, folder = right(solution), answer_id(ASKED), root / "submissions"
    hand_in(folder, "right", solution, good)
    hand_in(folder, "stub", solution, {})
    hand_in(folder, "wrong-0", solution, good | {asked: wrong_source(ASKED.mistakes[0])})
    for student, (answer, _) in ANSWERS.items():
        hand_in(folder, student, solution, good | {asked: answer})
    for student, source in OWN_CELLS.items():
        path = hand_in(folder, student, solution, good)
        notebook = notebooks.read(path)
        at = [cell["id"] for cell in notebook["cells"]].index(asked)
        notebook["cells"].insert(at, {"cell_type": "code", "id": "own", "metadata": {}, "source": source})
        notebooks.write(path, notebook)
    (folder / "empty").mkdir()
    odd = folder / os.fsdecode(b"J\xfcrgen")
    odd.mkdir()
    (folder / "right" / f"{CHAPTER}.ipynb").rename(odd / f"Copy of {CHAPTER} (1).ipynb")
    (folder / "right").rmdir()
    before = _everything(folder)
    grade(folder, root / "graded", jobs=2, cell_seconds=40)
    assert _everything(folder) == before
    return folder, root / "graded"


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_everyone_gets_the_right_marks(graded):
    rows = table(graded[1] / "gradebook.csv")
    assert list(rows[0]) == ["student", "chapter", "exercise", "points", "max_points", "status", "message"]
    assert len({row["student"] for row in rows}) == 4 + len(ANSWERS) + len(OWN_CELLS)
    assert all(len(row["message"]) <= 1100 for row in rows)
    for row in rows:
        student, chapter = row["student"], row["chapter"]
        assert chapter == CHAPTER
        if student == "empty":
            assert row["status"] == "missing" and float(row["points"]) == 0
            continue
        record = next(r for r in RECORDS if r.id == row["exercise"])
        told = (row["status"], float(row["points"]))
        if student == "stub":
            assert told == ("not attempted", 0)
        elif row["exercise"] != ASKED.id or student not in (*ANSWERS, "wrong-0"):
            assert told == ("right", record.points), row
        elif student == "wrong-0":
            assert (*told, row["message"]) == ("wrong", 0, ASKED.mistakes[0].message), row
        else:
            status = ANSWERS[student][1]
            assert told == (status, record.points * (status == "right")), row


def test_nothing_stays_unpacked(tmp_path, monkeypatch):
    """An archive's notebooks are there while they are marked, and neither afterwards nor where nothing can be marked."""
    folder, out = tmp_path / "submissions", tmp_path / "graded"
    folder.mkdir()
    (folder / "all.zip").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"all\.zip can't be unpacked"):
        grade(folder, out)
    assert not out.exists()
    with zipfile.ZipFile(folder / "all.zip", "w") as file:
        file.writestr(f"ann/{CHAPTER}.ipynb", "{}")
    seen = []
    monkeypatch.setattr(
        "gancourse.classroom.grade.mark", lambda path, *_: seen.append(path.read_text()) or []
    )
    grade(folder, out)
    assert seen == ["{}"] and (out / "gradebook.csv").exists() and not (out / "unpacked").exists()


def test_summary_adds_up(graded):
    total = sum(record.points for record in RECORDS)
    points = {row["student"]: float(row["points"]) for row in table(graded[1] / "summary.csv")}
    assert points["right-loops"] == points["right-numpy"] == points["survivor"] == total
    assert points["stub"] == points["empty"] == 0
    assert {points["crash"], points["loop"], points["wrong-0"]} == {total - ASKED.points}


def test_nothing_is_graded_twice_and_a_changed_submission_is(graded, solution, monkeypatch):
    submissions, out = graded
    runs = []
    monkeypatch.setattr(marking, "_run", lambda *a: runs.append(a) or "")
    before = (out / "gradebook.csv").read_text()
    grade(submissions, out)
    assert not runs and (out / "gradebook.csv").read_text() == before
    path = submissions / "stub" / f"{CHAPTER}.ipynb"
    kept = path.read_text()
    hand_in(submissions, "stub", solution, {answer_id(ASKED): LOOPS})
    grade(submissions, out)
    path.write_text(kept)
    assert runs


def test_a_machine_that_runs_no_notebook_costs_no_points(tmp_path, solution, monkeypatch):
    hand_in(tmp_path / "submissions", "s", solution, right(solution))
    monkeypatch.setattr(marking.sandbox, "run", lambda *a, **k: sandbox.Ended(1, "no such file"))
    rows = grade(tmp_path / "submissions", tmp_path / "graded")
    assert [(row.status, row.message) for row in rows] == [
        ("not graded", "no notebook runs here: no such file")
    ]
    assert not list((tmp_path / "graded" / "state").rglob("*.json"))


@pytest.mark.parametrize("chapter", ["02", "03"])
def test_verdicts_do_not_depend_on_the_seed(chapter):
    from gancourse.exercises.running import compiled, run

    records, solved = of_chapter(chapter), notebooks.read(notebooks.solutions((chapter,))[0])
    for record in records:
        answer = compiled(right(solved)[answer_id(record)], record.name)
        earlier = {r.name: r.oracle for r in records if r is not record}
        answer.__globals__.update(earlier)  # an answer may lean on earlier ones
        for seed in np.random.default_rng(0).integers(2**32, size=200):
            results = run(record, answer, int(seed))
            assert judging.verdict(record, results, int(seed)) == judging.Verdict("right")


def test_intake_repairs_what_it_can(tmp_path, solution):
    good = right(solution)
    path = hand_in(tmp_path, "odd", solution, good)
    notebook = notebooks.read(path)
    cells = notebook["cells"]
    by_id = {cell["id"]: cell for cell in cells}
    cells.remove(by_id[answer_id(RECORDS[1])])  # deleted
    by_id[answer_id(RECORDS[0])] |= {"id": "other", "metadata": {}}  # lost its id, and its metadata
    twin = copy.deepcopy(by_id[answer_id(RECORDS[2])])
    twin["source"] = twin["source"] + "\n# a second try"
    cells.append(twin)  # duplicated
    by_id[answer_id(RECORDS[3])]["cell_type"] = "markdown"  # re-typed
    cells.insert(
        3, {"cell_type": "code", "id": "mine", "metadata": {}, "source": "helper = 1", "outputs": []}
    )
    path.write_text(json.dumps(notebook))
    found = read_submission(path, solution)
    assert set(found.answers) == {r.id for r in RECORDS if r is not RECORDS[1]}
    assert found.answers[RECORDS[3].id] == good[answer_id(RECORDS[3])]
    assert {key: value.split(" ")[-1] for key, value in found.remarks.items()} == {
        RECORDS[0].id: "defines",
        RECORDS[1].id: "missing",
        RECORDS[2].id: "counts",
    }
    assert [*found.extras.values()] == [["helper = 1"]]


def test_of_several_answers_the_one_counts_that_holds_in_the_notebook(tmp_path, solution):
    """A copy of the answer's cell below it, and a stub left as it was with the function in a cell of the student's own."""
    good, record = right(solution), RECORDS[0]
    answer, wrong = good[answer_id(record)], "def covariance(x, y):\n    return 0"

    def counted(first: str, *cells: tuple[int, str, set]) -> tuple[str, str]:
        """The answer that counts and the remark, with cells this far below the answer's."""
        path = hand_in(tmp_path, "odd", solution, good | {answer_id(record): first})
        notebook = notebooks.read(path)
        at = [cell["id"] for cell in notebook["cells"]].index(answer_id(record))
        metadata = notebook["cells"][at]["metadata"]
        for below, source, kept in cells:
            own = {"cell_type": "code", "id": f"own-{below}", "source": source, "outputs": []}
            notebook["cells"].insert(at + below, own | {"metadata": metadata if kept else {}})
        path.write_text(json.dumps(notebook))
        found = read_submission(path, solution)
        assert source not in [extra for own in found.extras.values() for extra in own]
        return found.answers[record.id], found.remarks.get(record.id, "")

    stub = stub_of(solution, record)
    left = "its answer cell is as it was handed out; the cell that defines it counts"
    twice = "its answer cell is there 2 times; the last one above its check counts"
    below = [cell["id"] for cell in solution["cells"]].index(f"check-{record.id.replace('.', '-')}") + 1
    below -= [cell["id"] for cell in solution["cells"]].index(answer_id(record))
    assert counted(wrong, (1, answer, {"copied"})) == (answer, twice)
    assert counted(answer, (below, wrong, {"copied"})) == (answer, twice)
    assert counted(stub, (1, answer, set())) == (answer, left)
    assert counted(stub, (below, answer, set())) == (answer, left)
    assert counted(stub, (1, stub, {"copied"})) == (stub, "")


@pytest.mark.parametrize(
    "content", ["", "not json", "[]", "{}", '{"cells": 3}', '{"cells": [3]}', "[" * 100_000]
)
def test_an_unreadable_file_costs_only_its_author(tmp_path, solution, content):
    path = tmp_path / "s" / f"{CHAPTER}.ipynb"
    path.parent.mkdir()
    path.write_text(content)
    rows = grade(tmp_path, tmp_path.parent / f"{tmp_path.name}-graded")
    assert {(row.status, row.points) for row in rows} == {("unreadable", 0)}
    assert [row.exercise for row in rows] == [r.id for r in exercises_of(solution)]


def test_cells_too_much_for_the_parser_take_a_minute_at_most(tmp_path, solution, monkeypatch):
    """`1|1|1` in a pattern takes the time of its length squared."""
    times, reading = [], intake._reading
    monkeypatch.setattr(intake, "_reading", lambda *a: times.append(a) or reading(*a))
    monkeypatch.setattr(intake, "_PARSING", replace(intake._PARSING, cpu_seconds=1))
    path = hand_in(tmp_path, "s", solution, right(solution))
    notebook = notebooks.read(path)
    slow = "match x:\n case " + "1|" * 90_000 + "1:\n  pass  # "
    cells = [{"cell_type": "code", "metadata": {}, "source": f"{slow}{i}", "outputs": []} for i in range(8)]
    path.write_text(json.dumps(notebook | {"cells": notebook["cells"] + cells}))
    for _ in range(2):
        assert set(read_submission(path, solution).answers) == {r.id for r in RECORDS}
    assert len(times) == 1 + intake._MOST_DEATHS and 10 * len(times) <= 60


def test_a_large_file_costs_only_its_author(tmp_path, solution):
    path = tmp_path / "submissions" / "s" / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True)
    with open(path, "wb") as file:
        file.truncate(300_000_000)
    rows = grade(tmp_path / "submissions", tmp_path / "graded")
    assert {(row.status, row.message) for row in rows} == {
        ("unreadable", "the submission is larger than 50 MB")
    }


def test_cells_in_any_order_count_where_the_solution_has_them(tmp_path, solution):
    good = right(solution)
    path = hand_in(tmp_path, "odd", solution, good)
    notebook = notebooks.read(path)
    for count, cell in enumerate(notebook["cells"][::-1]):
        if cell["cell_type"] == "code":
            cell["execution_count"] = count
        if cell["id"].startswith("check-"):
            cell["source"] = "print('all passed')"
    notebook["cells"] = notebook["cells"][::-1]
    path.write_text(json.dumps(notebook))
    found = read_submission(path, solution)
    assert found.answers == {r.id: good[answer_id(r)] for r in RECORDS} and not found.extras
    checks = [c["source"] for c in graded_slice(solution, found)["cells"] if "check(" in "".join(c["source"])]
    assert len(checks) == len(RECORDS)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, solution):
    target = hand_in(tmp_path / "elsewhere", "s", solution, right(solution))
    link = tmp_path / "submissions" / "thief" / f"{CHAPTER}.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    rows = grade(tmp_path / "submissions", tmp_path / "graded")
    assert {(row.status, row.message) for row in rows} == {
        ("unreadable", "the submission is not a plain file")
    }


def test_the_slice_leaves_the_long_experiments_out(tmp_path, solution):
    submission = read_submission(hand_in(tmp_path, "s", solution, right(solution)), solution)
    sliced = graded_slice(solution, submission)["cells"]
    code = [cell for cell in solution["cells"] if cell["cell_type"] == "code"]
    assert len(sliced) < len(code) / 2 + 2 * len(RECORDS)
    assert not any("figures.show" in "".join(cell["source"]) for cell in sliced)


def test_forged_outputs_are_refused(monkeypatch):
    def told(**arrays) -> judging.Verdict:
        file = io.BytesIO()
        np.savez(file, **arrays)
        return verdicts.judged(ASKED, file.getvalue(), 0)

    unread = judging.Verdict("wrong", "Its outputs could not be read.")
    assert verdicts.judged(ASKED, b"not a zip", 0) == unread
    assert told(cases=np.array([{"a": 1}], dtype=object)) == unread
    assert told(cases=np.array(10**9)) == unread
    strange = np.frombuffer(b"\xff\xff\xff\xff" * 5, dtype="<U1").copy()  # no Unicode
    assert told(**{"cases": np.array(1), "0.told": strange}) == unread
    assert told(cases=np.array(0)).status == "wrong"
    monkeypatch.setattr(verdicts, "_MOST_ARRAYS", 1)
    assert told(**{"cases": np.array(0), "more": np.array(0)}) == unread


@pytest.mark.parametrize("confine", [False, True])
def test_the_sandbox_leaves_no_survivors_and_keeps_its_limits(tmp_path, confine):
    if confine:
        need_sandbox()
    script = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print('started', flush=True)\n"
        "time.sleep(600)\n"
    )
    started = time.monotonic()
    limits = sandbox.Limits(wall_seconds=3)
    python = os.path.realpath(os.sys.executable)
    ended = sandbox.run([python, "-c", script], tmp_path, limits=limits, env={}, confine=confine)
    assert ended.timed_out and ended.status is None and ended.output == "started\n"
    assert time.monotonic() - started < 30
    big = sandbox.run(
        [python, "-c", "open('big', 'wb').write(bytes(10**6))"],
        tmp_path,
        limits=sandbox.Limits(file_bytes=1000),
        env={},
        confine=confine,
    )
    assert big.status != 0 and (tmp_path / "big").stat().st_size <= 1000


def test_a_scratch_folder_goes_however_deep_it_is():
    with sandbox.scratch_folder() as scratch:
        here = os.getcwd()
        os.chdir(scratch)
        try:
            for _ in range(3000):
                os.mkdir("deeper")
                os.chdir("deeper")
            Path("file").write_text("")
            os.symlink("/", "link")
        finally:
            os.chdir(here)
        (scratch / "closed").mkdir(mode=0)
    assert not scratch.exists() and Path("/").exists()


@pytest.mark.parametrize("encoding", ["nothing", "shift_jis", "utf-16"])
def test_a_forged_report_is_no_report(tmp_path, solution, encoding):
    report = tmp_path / "cells.xml"
    report.write_text(f'<?xml version="1.0" encoding="{encoding}"?><a/>')
    assert marking._around(solution, report) == marking.UNFINISHED


def test_memory_is_bounded(tmp_path):
    started, limits = time.monotonic(), sandbox.Limits(wall_seconds=60, resident_bytes=200 * 2**20)
    inner = "x = bytes([1]) * 600_000_000; import time; time.sleep(600)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    command = [os.path.realpath(sys.executable), "-c", script]
    ended = sandbox.run(command, tmp_path, limits=limits, env={}, confine=sandbox.confined())
    assert ended.status is None and not ended.timed_out and time.monotonic() - started < 50


def test_confined_code_sees_neither_hidden_folders_nor_the_network(tmp_path):
    need_sandbox()
    hidden, scratch = tmp_path / "hidden", tmp_path / "scratch"
    hidden.mkdir(), scratch.mkdir()
    (hidden / "solution.txt").write_text("42")
    script = f"import os, socket; print(os.listdir({str(hidden)!r}), [n for _, n in socket.if_nameindex()])"
    command = [os.path.realpath(os.sys.executable), "-c", script]
    ended = sandbox.run(command, scratch, hidden=[hidden], limits=sandbox.Limits(), env={}, confine=True)
    assert ended.output == "[] ['lo']\n"


def test_confined_code_writes_to_its_scratch_folder_only(tmp_path):
    need_sandbox()
    hidden, scratch = tmp_path / "hidden", tmp_path / "scratch"
    (hidden / "inner").mkdir(parents=True), scratch.mkdir()
    script = (
        "import multiprocessing, sys, tempfile\n"
        "for place in sys.argv[1:]:\n"
        "    try:\n        open(place + '/new', 'w')\n"
        "    except OSError as error:\n        print(error.strerror)\n"
        "multiprocessing.Lock(), tempfile.TemporaryFile(), open('/dev/null', 'w'), open('new', 'w')\n"
    )
    private = [hidden / "inner", hidden]
    places = ["/tmp", "/dev", str(Path.home()), *map(str, private), "/usr"]
    command = [os.path.realpath(os.sys.executable), "-c", script, *places]
    ended = sandbox.run(command, scratch, hidden=private, limits=sandbox.Limits(), env={}, confine=True)
    assert ended.output == "Read-only file system\n" * len(places) and (scratch / "new").exists()


@pytest.mark.slow
def test_a_class_of_sixty(tmp_path, solution):
    """Styles, mistakes, attacks and files that are none: the marks, nothing else changed, and the same once more."""
    good, asked, folder = right(solution), answer_id(ASKED), tmp_path / "submissions"
    expected: dict[str, str] = {}
    for i, answer in enumerate([good[asked], LOOPS, NUMPY, COMPARED]):
        hand_in(folder, f"right-{i}", solution, good | {asked: answer})
        expected[f"right-{i}"] = "right"
    for i, mistake in enumerate(ASKED.mistakes):
        hand_in(folder, f"mistake-{i}", solution, good | {asked: wrong_source(mistake)})
        expected[f"mistake-{i}"] = mistake.message
    for kind in (DISGUISES, FORGERIES, THEFTS, {name: answer for name, (answer, _) in HAVOC.items()}):
        for name, answer in kind.items():
            student = name.replace("/", "-")
            hand_in(folder, student, solution, good | {asked: answer})
            expected[student] = "refused" if kind is DISGUISES else ""
    for student, content in {"none": "", "list": "[]", "text": "not json"}.items():
        path = folder / student / f"{CHAPTER}.ipynb"
        path.parent.mkdir()
        path.write_text(content)
        expected[student] = "unreadable"
    assert len(expected) >= 60
    before = _everything(folder)
    rows = grade(folder, tmp_path / "graded", jobs=2)
    assert _everything(folder) == before and {row.student for row in rows} == expected.keys()
    wrong = []
    for row in rows:
        want = expected[row.student]
        if want == "unreadable":
            fine = (row.status, row.points) == (want, 0)
        elif row.exercise != ASKED.id or want == "right":
            fine = (row.status, row.points) == ("right", row.max_points)
        elif want == "refused":
            fine = (row.status, row.points) == (want, 0) and row.message.startswith("It uses ")
        else:
            fine = row.status in ("wrong", "crashed", "timed out") and row.points == 0 and want in row.message
        wrong += [] if fine else [row]
    print(len(rows), "marks,", len(wrong), "of them not what they should be")
    assert not wrong
    gradebook = (tmp_path / "graded" / "gradebook.csv").read_bytes()
    grade(folder, tmp_path / "graded")
    assert (tmp_path / "graded" / "gradebook.csv").read_bytes() == gradebook


@pytest.mark.slow
def test_killed_and_resumed_it_gives_the_same_gradebook(tmp_path, solution):
    good, asked = right(solution), answer_id(ASKED)
    for student, answer in {
        "a": good[asked],
        "b": LOOPS,
        "c": DISGUISED,
        "d": wrong_source(ASKED.mistakes[0]),
    }.items():
        hand_in(tmp_path / "submissions", student, solution, good | {asked: answer})
    whole = grade(tmp_path / "submissions", tmp_path / "whole", seed=5)
    command = (
        "from gancourse.classroom.grade import grade; import sys; grade(sys.argv[1], sys.argv[2], seed=5)"
    )
    places = [str(tmp_path / "submissions"), str(tmp_path / "killed")]
    waits = np.random.default_rng(0).uniform(3, 25, size=10)
    for seconds in waits:
        process = subprocess.Popen([sys.executable, "-c", command, *places], stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.kill()
        process.wait()
    assert grade(tmp_path / "submissions", tmp_path / "killed", seed=5) == whole
    books = [(tmp_path / name / "gradebook.csv").read_bytes() for name in ("whole", "killed")]
    assert books[0] == books[1]
