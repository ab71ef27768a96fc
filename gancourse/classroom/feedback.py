"""A page for each student and chapter: what they wrote, what became of it, and no secret input."""

import builtins
import re
from collections.abc import Iterable
from pathlib import Path

from gancourse.classroom import marking, notebooks, pages
from gancourse.classroom.kept import Kept, write
from gancourse.classroom.marking import Row
from gancourse.classroom.points import named_mistake
from gancourse.classroom.tables import plain
from gancourse.exercises import exercise, judging

_RAISES = re.compile(r"line (\d{1,3}) of the cell, .* raises (\w+)", re.DOTALL)
_UNTRIED = re.compile(
    r"It could not be tried: (?:line (\d{1,3}) of the cell can't be read|its definition raises (\w+)|its cell defines no)"
)
_USES = re.compile(
    r"It uses [A-Za-z_][\w.]{0,80}\. Write it yourself: this exercise is about the inside of \w+\."
)
_ERRORS = {
    name for name in dir(builtins) if name.endswith("Error")
}  # another class's name could tell an input
_SAFE = (
    judging.RIGHT,
    judging.UNTRIED,
    marking.MISSING,
    marking.UNREADABLE,
    marking.TO_READ,
)  # name no input


def for_student(row: Row) -> str:
    """What a student is told about a verdict. The inputs of grading are secret, and a message that may hold one stays behind.

    Given on are the messages of named mistakes and the grader's own sentences; of what the student's code said itself
    (an error's text may hold an input) nothing.
    """
    if row.status in _SAFE:
        return row.message
    if mistake := named_mistake(row):
        return mistake
    if row.status == marking.REFUSED:
        used = _USES.match(row.message)  # the function's name comes from the student's own process
        return used[0] if used else "It uses a function that this exercise is about: write it yourself."
    if row.status == marking.NOT_GRADED:
        return "This could not be graded yet; your instructor knows."
    if row.status == judging.TIMED_OUT:
        return "It had not ended when its time was over: an endless loop?"
    if row.status == marking.CRASHED:
        return "Python itself ended while this answer ran."
    if row.status == judging.WRONG and "it returns nothing (None)" in row.message:
        return "It returns nothing (None): is there a `return`?"
    if row.status == judging.WRONG and (found := _UNTRIED.match(row.message)):
        if found[1]:
            return f"It could not be tried: Python can't read line {found[1]} of its cell."
        if found[2]:
            return f"It could not be tried: its definition raises {found[2] if found[2] in _ERRORS else 'an error'}."
        return f"It could not be tried: its cell does not define {exercise(row.exercise).name}."
    if row.status == judging.WRONG:
        return (
            f"On an input that is drawn for grading {_what(row.message)}. "
            f'Run check("{row.exercise}") again; then think of what else the docstring allows: one row, one column, '
            "other types and sizes, constants, negative values."
        )
    return ""


def _what(message: str) -> str:
    """What is wrong with an answer, in words that stand here and no others."""
    if (found := _RAISES.search(message)) and found[2] in _ERRORS:
        return f"its line {found[1]} raises {found[2]}"
    if " raises " in message:
        return "it raises an error"
    if ", expected numbers of shape" in message:
        return "it gives another shape than expected"
    return "it gives something else than expected"


def write_pages(out: Path, rows: Iterable[Row], kept: Iterable[Kept]) -> list[str]:
    """Write out/feedback/<student>/<chapter>.html for all that was handed in; the rows' messages come from `for_student`.

    Returns what could not be written (a name that is too long for a file, say), in words: it costs nobody else's page.
    """
    own: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        own.setdefault((row.student, row.chapter), []).append(row)
    titles: dict[str, str] = {}
    notes = []
    for one in kept:
        if (one.student, one.chapter) not in own:
            continue
        if one.chapter not in titles:
            titles[one.chapter] = title_of(one.chapter)
        path = Path(out) / "feedback" / one.student / f"{one.chapter}.html"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, page(own[one.student, one.chapter], one.answers, titles[one.chapter]))
        except OSError as error:
            notes.append(f"no page for {plain(one.student, 100)}: {error.strerror}")
    return notes


def page(rows: list[Row], answers: dict[str, str], title: str) -> str:
    """The feedback on one submission as HTML. All text that comes from it is escaped."""
    student = rows[0].student
    points, most = sum(r.points for r in rows), sum(r.max_points for r in rows)
    header = f"<h1>{pages.text(title)}</h1>\n<p>{pages.text(student)}</p>\n"
    waiting = sum(row.status in (marking.TO_READ, marking.NOT_GRADED) for row in rows)
    rest = ", not all is marked yet" if waiting else ""
    header += f'<p class="points"><strong>{points:g} of {most:g} points</strong>{rest}</p>'
    overview = [
        [
            f'<a href="#e{i}">{pages.text(_name(row))}</a>',
            pages.status(row.status),
            f"{row.points:g} of {row.max_points:g}",
        ]
        for i, row in enumerate(rows)
    ]
    parts = [pages.table("Your answers", ["exercise", "status", "points"], overview, numbers=(2,))]
    parts += [_section(i, row, answers.get(row.exercise, "")) for i, row in enumerate(rows)]
    footer = (
        "Answers were tried on inputs that are drawn for grading; they stay secret. "
        "A question or a doubt? Ask your instructor and name the exercise."
    )
    return pages.page(f"{title}: feedback for {student}", header, "\n".join(parts), footer)


def title_of(chapter: str) -> str:
    """The heading of a chapter's notebook: "02 Variance, covariance and the multivariate normal"."""
    source = notebooks.folder() / "solutions" / f"{chapter}.ipynb"
    if source.is_file():
        for cell in notebooks.read(source)["cells"]:
            for line in cell["source"].splitlines():
                if cell["cell_type"] == "markdown" and line.startswith("# "):
                    return line[2:].strip()
    return chapter


def _section(i: int, row: Row, answer: str) -> str:
    message = f"<p>{pages.text(row.message)}</p>\n" if row.message else ""
    head = f'<section aria-labelledby="e{i}">\n<h2 id="e{i}">{pages.text(_name(row))}</h2>\n'
    head += f"<p>{pages.status(row.status)}, {row.points:g} of {row.max_points:g} points</p>\n{message}"
    if not answer:
        return f"{head}</section>"
    words = not re.fullmatch(r"\d\d\.\d+", row.exercise)
    label = f'tabindex="0" role="region" aria-label="Your answer to {pages.text(_name(row))}"'
    kind = ' class="words"' if words else ""
    return f'{head}<pre{kind} dir="ltr" {label}>{pages.text(answer)}</pre>\n</section>'


def _name(row: Row) -> str:
    """ "02.2 covariance_matrix"."""
    try:
        return f"{row.exercise} {exercise(row.exercise).name}"
    except ValueError:
        return row.exercise.replace("-", " ") or "The whole chapter"
