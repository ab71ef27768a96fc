"""The pages that grading writes: true to the marks, free of secret inputs and of markup, readable by everyone."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from gancourse.classroom import class_report, feedback, marking, pages
from gancourse.classroom.kept import Kept
from gancourse.classroom.marking import Row
from gancourse.exercises import judging, of_chapter
from gancourse.exercises.running import Result, run

CHAPTER = "02_covariance"
RECORDS = of_chapter("02")
SECRET = 20260320


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, source: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.said = ""
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.said += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def row(record, status: str, message: str = "", student: str = "ann") -> Row:
    points = record.points if status == "right" else 0
    return Row(student, CHAPTER, record.id, points, record.points, status, message)


def raising(*case):
    """An answer that tells its inputs in the text of an error."""
    raise ValueError(f"input {[argument.tolist() for argument in case]}")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.id)
def test_no_secret_input_reaches_a_page(record):
    answers = [raising, lambda *case: case[0], lambda *case: None]
    for answer in answers:
        verdict = judging.verdict(record, run(record, answer, SECRET), SECRET)
        said = feedback.for_student(row(record, verdict.status, verdict.message))
        assert verdict.status == "wrong" and said
        assert said != verdict.message or any(said == m.message for m in record.mistakes)
        assert "input [" not in said and "expected [" not in said and not re.search(r"-?\d+\.\d{3}", said)


def test_an_error_is_told_by_its_line_and_kind_alone():
    def said(message):
        return feedback.for_student(row(RECORDS[0], "wrong", message)).partition(". Run")[0]

    where = "For covariance([0, 2], [0, 6]), line 2 of the cell, `raise ValueError(f'{x}')`, raises"
    assert said(f"{where} ValueError: inputs 0.271.") == (
        "On an input that is drawn for grading its line 2 raises ValueError"
    )
    assert said(f"{where} Inputs0271Error: x").endswith("it raises an error")
    assert said("For covariance([0, 2]), expected numbers of shape (2, 2), got (2,).").endswith(
        "another shape than expected"
    )


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        (
            "line 2 of the cell can't be read: invalid syntax 0.271",
            "Python can't read line 2 of its cell.",
        ),
        ("its definition raises NameError: name '0.271'", "its definition raises NameError."),
        ("its definition raises Inputs0271: 0.271", "its definition raises an error."),
        ("its cell defines no 0.271", "its cell does not define covariance."),
    ],
)
def test_an_answer_that_is_not_there_is_told_so(detail, told):
    verdict = judging.verdict(RECORDS[0], [Result(error="SyntaxError", detail=detail)], SECRET)
    assert verdict.message == f"It could not be tried: {detail}."
    assert feedback.for_student(row(RECORDS[0], "wrong", verdict.message)) == f"It could not be tried: {told}"


@pytest.mark.parametrize("status", ["wrong", "timed out", "crashed", "not graded", "refused", "new status"])
def test_what_a_submission_says_itself_stays_behind(status):
    said = feedback.for_student(
        row(RECORDS[0], status, "For covariance([0.271, 3.14]), <script>stolen 0.271</script>")
    )
    assert "0.271" not in said and "script" not in said
    forged = "It uses a 0.271 b. Write it yourself: this exercise is about the inside of covariance."
    assert "0.271" not in feedback.for_student(row(RECORDS[0], "refused", forged))


def test_a_named_mistake_and_a_forbidden_function_are_told():
    mistake = RECORDS[0].mistakes[0].message
    assert (
        feedback.for_student(row(RECORDS[0], "wrong", f"{mistake} (a remark) One of your own cells fails."))
        == mistake
    )
    bounds = judging.out_of_bounds(RECORDS[0], "numpy.cov").message
    assert feedback.for_student(row(RECORDS[0], "refused", bounds)) == bounds


HOSTILE = "</pre><script>alert(1)</script><img src=http://x.org/a.png onerror=alert(1)>\x00\u202e\ud800"


def example() -> str:
    rows = [row(RECORDS[0], "right"), row(RECORDS[1], "wrong", RECORDS[1].mistakes[0].message)]
    rows += [row(RECORDS[2], "not attempted"), row(RECORDS[3], "missing", HOSTILE, student="ann")]
    answers = {RECORDS[0].id: f"x = '{HOSTILE}'", RECORDS[1].id: "def covariance_matrix(x):\n    return x"}
    return feedback.page(rows, answers, "02 Covariance")


def test_a_page_shows_code_status_message_and_points():
    page = Page(example())
    for wanted in ("2 of 12 points", "02.1 covariance", "✓ right", "✗ wrong", "○ not attempted"):
        assert wanted in page.said
    assert (
        RECORDS[1].mistakes[0].message in page.said and "def covariance_matrix(x):\n    return x" in page.said
    )


def test_all_that_comes_from_a_submission_is_text():
    page = Page(example())
    assert not page.all("script") and not page.all("img") and not page.all("a")[0].get("onerror")
    assert "<script>alert(1)</script>" in page.said
    assert not set("\x00\u202e\ud800") & set(page.said)
    example().encode()


def report() -> str:
    rows = [
        row(RECORDS[i], "wrong", RECORDS[i].mistakes[0].message, f"s{n}") for n in range(3) for i in (0, 1)
    ]
    rows += [row(RECORDS[2], "right", student=f"s{n}") for n in range(3)]
    rows += [
        row(RECORDS[0], "wrong", "For f(1), expected 2, got 3.", "t<b>"),
        row(RECORDS[3], "right", student="u"),
    ]
    rows += [Row("gone", CHAPTER, "", 0, 12, marking.MISSING, "")]
    kept = [Kept(f"s{n}", CHAPTER, "", [], {}, 2.0 + n, f"2026-03-2{n}T10:00+01:00") for n in range(3)]
    return class_report.page(rows, kept, {})


def test_the_class_report_counts():
    page = Page(report())
    said = re.sub(r"\s+", " ", page.said)
    assert f"{RECORDS[0].mistakes[0].message}3" in page.said.replace("\n", "")
    assert "wrong in another way1" in page.said.replace("\n", "")
    assert "gone0%not handed in: 02" in page.said.replace("\n", "")
    assert "u100%" not in said and "t<b>" in said
    assert "2026-03-20 10:00" in said and "4.0 (s2)" in said
    assert "02.1 covariance041" in page.said.replace("\n", "")  # 0 right, 4 wrong, 1 missing


@pytest.mark.parametrize("source", [example(), report()], ids=["feedback", "class report"])
def test_pages_open_offline_and_are_labelled(source):
    """By hand what a checker of accessibility asks for: language, title, landmarks, headings, labels, names of rows."""
    page = Page(source)
    assert not [a for _, a in page.tags if "src" in a or not a.get("href", "#").startswith("#")]
    assert not re.search(r"@import|url\(", pages.STYLE)
    assert page.all("html") == [{"lang": "en"}] and len(page.all("title")) == len(page.all("main")) == 1
    assert [m["content"] for m in page.all("meta") if m.get("name") == "viewport"] == [
        "width=device-width, initial-scale=1"
    ]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1 and all(b - a <= 1 for a, b in pairwise(levels))
    regions = [a["aria-label"] for _, a in page.tags if a.get("role") == "region"]
    assert len(regions) == len(set(regions)) and all(regions)
    assert all(a.get("tabindex") == "0" for _, a in page.tags if a.get("role") == "region")
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids)) and {a["href"][1:] for a in page.all("a")} <= set(ids)
    assert page.all("th") and all(a.get("scope") in ("row", "col") for a in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(dark):
    light_rules, dark_rules = re.findall(r":root \{([^}]*)\}", pages.STYLE)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", dark_rules if dark else light_rules))
    for ground in (colours["page"], colours["code"]):
        for name in ("text", "quiet", "right", "wrong", "open", "link"):
            low, high = sorted([luminance(colours[name]), luminance(ground)])
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)


def test_a_result_without_an_output_is_no_crash_of_the_page():
    verdict = judging.verdict(RECORDS[0], [Result(error="X", detail="\ud800")] * 3, SECRET)
    assert feedback.for_student(row(RECORDS[0], verdict.status, verdict.message))
