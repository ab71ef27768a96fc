"""Which pairs are listed as alike: copies whatever their names and layout, also of the course; not two who think for themselves."""

import csv
import importlib.util
import inspect
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gancourse.classroom import kept, notebooks, similarity
from gancourse.classroom.release import released
from gancourse.cli import main
from gancourse.exercises import of_chapter

CHAPTER = "02_covariance"
RECORDS = of_chapter("02")


@pytest.fixture(scope="module")
def styles() -> dict[str, list[str]]:
    """Exercise -> right answers that were written apart, as students would hand them in."""
    path = Path(__file__).parents[1] / "chapters" / "ch02_covariance.py"
    spec = importlib.util.spec_from_file_location("right_answers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {r.id: [named(answer, r.name) for answer in module.RIGHT[r.id]] for r in RECORDS}


def named(answer, name: str) -> str:
    return inspect.getsource(answer).replace(f"def {answer.__name__}(", f"def {name}(", 1)


def keep(out: Path, student: str, answers: dict[str, str]) -> None:
    kept.save(out, kept.Kept(student, CHAPTER, "", [], answers))


def disguised(code: str) -> str:
    """The same code with other names, a docstring, comments and blank lines."""
    code = re.sub(r"\bfeatures\b", "data", re.sub(r"\b(x|mean_x)\b", r"my_\1", code))
    head, _, body = code.partition("):\n")
    return f'{head}):\n    """My own words."""\n\n' + body.replace(
        "\n    ", "\n\n    # I thought about this\n    ", 1
    )


def test_a_disguised_copy_is_first_and_independent_answers_are_not_there(tmp_path, styles):
    for i in range(4):
        keep(tmp_path, f"own-{i}", {id: codes[i] for id, codes in styles.items()})
    keep(tmp_path, "copy", {id: disguised(codes[2]) for id, codes in styles.items()})
    pairs = similarity.compare(tmp_path)
    assert (pairs[0].first, pairs[0].second, pairs[0].alike) == ("copy", "own-2", 1)
    students = [p for p in pairs if {p.first, p.second} <= {"copy", *(f"own-{i}" for i in range(4))}]
    assert len(students) == 1, students


def test_the_courses_own_code_is_compared_too(tmp_path, styles):
    oracles = {r.id: disguised(inspect.getsource(r.oracle)) for r in RECORDS}
    keep(tmp_path, "oracle", oracles)
    keep(tmp_path, "own", {id: codes[1] for id, codes in styles.items()})
    pairs = similarity.compare(tmp_path)
    assert [(p.first, p.second) for p in pairs if p.alike == 1] == [("oracle", similarity.ORACLE)]


def test_stubs_are_not_alike(tmp_path):
    solution = notebooks.read(notebooks.solutions(("02",))[0])
    stubs = {c["id"]: c["source"] for c in released(solution)["cells"]}
    for student in "ab":
        keep(tmp_path, student, {r.id: stubs[f"answer-{r.id.replace('.', '-')}"] for r in RECORDS})
    assert similarity.compare(tmp_path) == []


@pytest.mark.parametrize("code", ["", "def f(:", "(" * 5000, "x = '", "\x00", "-" * 20_000, "a.b" * 9000])
def test_what_is_no_python_is_compared_all_the_same(tmp_path, code):
    for student in "ab":
        keep(tmp_path, student, {RECORDS[0].id: code})
    similarity.compare(tmp_path)


def test_the_command_writes_a_table_and_a_page_of_both_codes(tmp_path, styles):
    code = styles["02.2"][0] + "    # <script>alert(1)</script>\n"
    for student in ("a", "=b"):
        keep(tmp_path, student, {"02.2": code})
    done = CliRunner().invoke(main, ["similarity", str(tmp_path)])
    assert done.exit_code == 0 and "1 pair in" in done.output
    with open(tmp_path / "similarity.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["first"], row["second"], row["alike"], row["exercises"]) == ("'=b", "a", "1", "02.2 100%")
    page = (tmp_path / "similarity.html").read_text()
    assert page.count("&lt;script&gt;") == 2 and "<script" not in page
    nothing = CliRunner().invoke(main, ["similarity", str(tmp_path / "..")])
    assert nothing.exit_code == 1 and "there are no graded answers" in nothing.output
