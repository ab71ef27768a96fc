"""A page for the instructor: who needs help, which mistakes were common, when notebooks came and how long they ran."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from statistics import median

from gancourse.classroom import marking, pages
from gancourse.classroom.feedback import title_of
from gancourse.classroom.kept import Kept, write
from gancourse.classroom.manual import READ
from gancourse.classroom.marking import Row
from gancourse.classroom.points import Due, lateness, named_mistake
from gancourse.exercises import exercise, judging

NEEDS_HELP = 0.5  # below this share of the points
MOST_MISTAKES = 12
_KINDS = ("right", "wrong", "open")
_WAITING = (marking.TO_READ, marking.NOT_GRADED)


def write_report(
    out: Path, rows: list[Row], kept: list[Kept], due: Mapping[tuple[str, str], Due] | None = None
) -> None:
    """Write out/class_report.html. It names students: it is not for them."""
    write(Path(out) / "class_report.html", page(rows, kept, due or {}))


def page(rows: list[Row], kept: list[Kept], due: Mapping[tuple[str, str], Due]) -> str:
    """The class report as HTML."""
    chapters = sorted({row.chapter for row in rows})
    students = len({row.student for row in rows})
    unread = sum(row.status == marking.TO_READ for row in rows)
    failed = sum(row.status == marking.NOT_GRADED for row in rows)
    header = "<h1>Class report</h1>\n"
    header += f"<p>{_count(students, 'student')}, {_count(len(kept), 'notebook')}."
    if unread:
        header += f" {_count(unread, 'answer')} to read: see to_read.html and manual.csv."
    if failed:
        header += f" {_count(failed, 'notebook')} could not be graded: run the command again."
    header += "</p>"
    parts = [_help(rows)]
    for chapter in chapters:
        own = [row for row in rows if row.chapter == chapter]
        parts.append(f"<section>\n<h2>{pages.text(title_of(chapter))}</h2>")
        parts += [_points(own), _outcomes(own), _mistakes(own)]
        parts += [_times([k for k in kept if k.chapter == chapter], due), "</section>"]
    return pages.page("Class report", header, "\n".join(part for part in parts if part))


def _help(rows: list[Row]) -> str:
    """Students below half of the points that have been marked, the lowest first."""
    found = []
    for student in sorted({row.student for row in rows}):
        own = [row for row in rows if row.student == student and row.status not in _WAITING]
        most = sum(row.max_points for row in own)
        share = sum(row.points for row in own) / most if most else 1.0
        if share < NEEDS_HELP:
            absent = sorted({r.chapter[:2] for r in own if r.status == marking.MISSING and not r.exercise})
            tried = [r for r in own if r.exercise and r.points < r.max_points and r.status not in (READ,)]
            wrong = [r.exercise for r in tried if pages.LOOKS.get(r.status, pages.OTHER)[1] == "wrong"]
            untried = [r.exercise for r in tried if r.exercise not in wrong]
            lists = [("not handed in", absent), ("wrong", wrong), ("not attempted", untried)]
            what = "; ".join(f"{name}: {', '.join(items)}" for name, items in lists if items)
            found.append((share, student, what))
    if not found:
        return f"<h2>Who needs help</h2>\n<p>Nobody has less than {NEEDS_HELP:.0%} of the points.</p>"
    lines = [[pages.text(s), f"{share:.0%}", pages.text(what)] for share, s, what in sorted(found)]
    caption = f"Less than {NEEDS_HELP:.0%} of the points, the lowest first"
    return "<h2>Who needs help</h2>\n" + pages.table(
        caption, ["student", "points", "what is open"], lines, numbers=(1,)
    )


def _points(rows: list[Row]) -> str:
    """How the points of a chapter are spread."""
    own = [[r for r in rows if r.student == student] for student in sorted({r.student for r in rows})]
    totals = [sum(r.points for r in theirs) for theirs in own]
    most = max(sum(r.max_points for r in theirs) for theirs in own)
    return (
        f"<p>Points of {most:g}: half of the class has {median(totals):g} or more; "
        f"from {min(totals):g} to {max(totals):g}.</p>"
    )


def _outcomes(rows: list[Row]) -> str:
    """How each exercise went, as numbers and as a bar."""
    lines = []
    exercises = sorted({r.exercise for r in rows if r.exercise}, key=_order)
    absent = sum(not r.exercise for r in rows)
    for number in exercises:
        statuses = Counter(r.status for r in rows if r.exercise == number)
        kinds = Counter()
        for status, count in statuses.items():
            kinds[pages.LOOKS.get(status, pages.OTHER)[1]] += count
        kinds["open"] += absent
        lines.append([pages.text(_name(number)) + _bar(kinds), *(str(kinds[kind]) for kind in _KINDS)])
    key = "".join(
        f'<span class="key {kind}" aria-hidden="true"></span>{word}'
        for kind, word in zip(
            _KINDS, ("right", "wrong", "not attempted, missing or not marked yet"), strict=True
        )
    )
    caption = f"How the exercises of {rows[0].chapter[:2]} went"
    whole = pages.table(caption, ["exercise", "right", "wrong", "open"], lines, numbers=(1, 2, 3))
    return f'{whole}\n<p class="quiet">{key}</p>'


def _mistakes(rows: list[Row]) -> str:
    """The named mistakes that were made, the most common first."""
    counts = Counter((r.exercise, mistake) for r in rows if (mistake := named_mistake(r)))
    kinds = {judging.WRONG: "wrong in another way", marking.REFUSED: "uses a function that is out of bounds"}
    other = Counter((r.exercise, kinds[r.status]) for r in rows if r.status in kinds and not named_mistake(r))
    if not counts and not other:
        return "<h3>Common mistakes</h3>\n<p>None.</p>"
    most = max([*counts.values(), *other.values()])
    ranked = sorted(counts.items(), key=lambda item: (-item[1], _order(item[0][0]), item[0][1]))
    entries = [(number, message, n) for (number, message), n in ranked[:MOST_MISTAKES]]
    entries += [
        (number, kind, n)
        for (number, kind), n in sorted(other.items(), key=lambda item: (_order(item[0][0]), item[0][1]))
    ]
    lines = [
        [pages.text(number), pages.text(message) + _bar(Counter(wrong=n), most), str(n)]
        for number, message, n in entries
    ]
    caption = f"Mistakes in {rows[0].chapter[:2]} by how many made them"
    return "<h3>Common mistakes</h3>\n" + pages.table(
        caption, ["exercise", "mistake", "students"], lines, numbers=(2,)
    )


def _times(kept: list[Kept], due: Mapping[tuple[str, str], Due]) -> str:
    """When the notebooks of a chapter were handed in, and how long grading took."""
    lines = []
    if came := sorted(datetime.fromisoformat(k.handed_in) for k in kept if k.handed_in):
        middle = came[len(came) // 2]
        lines += [("first handed in", _clock(came[0])), ("half were there by", _clock(middle))]
        lines += [("last handed in", _clock(came[-1]))]
    late = sorted(k.student for k in kept if lateness(k.student, k.chapter, k.handed_in, due)[0])
    if late:
        lines.append(("late", f"{len(late)}: {', '.join(late)}"))
    if ran := [(k.seconds, k.student) for k in kept if k.seconds]:
        slowest = max(ran)
        lines.append(("seconds to grade one, median", f"{median(s for s, _ in ran):.1f}"))
        lines.append(("the longest", f"{slowest[0]:.1f} ({slowest[1]})"))
    items = "".join(f"<dt>{pages.text(name)}</dt><dd>{pages.text(value)}</dd>" for name, value in lines)
    return f"<h3>Times</h3>\n<dl>{items}</dl>" if lines else ""


def _bar(kinds: Counter, most: int = 0) -> str:
    """A bar of the counts by kind; the numbers stand beside it in the table, so it is hidden from screen readers."""
    whole = most or sum(kinds.values()) or 1
    parts = "".join(
        f'<span class="{kind}" style="width:{100 * kinds[kind] / whole:.1f}%"></span>'
        for kind in _KINDS
        if kinds[kind]
    )
    return f'<div class="bar" aria-hidden="true">{parts}</div>'


def _clock(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M")


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def _name(number: str) -> str:
    try:
        return f"{number} {exercise(number).name}"
    except ValueError:
        return number.replace("-", " ")


def _order(number: str) -> tuple:
    chapter, _, n = number.partition(".")
    return (chapter, int(n)) if n.isdigit() else (number, 10**6)
