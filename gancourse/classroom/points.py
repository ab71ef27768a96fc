"""From verdicts to points: what an answer earns that is not quite right, or late."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from gancourse.classroom import notebooks
from gancourse.classroom.marking import Row
from gancourse.classroom.tables import number, read_rows
from gancourse.exercises import exercise, judging

MISTAKE = "mistake"  # a wrong answer that makes one of the exercise's named mistakes


@dataclass(frozen=True)
class Due:
    """A date by which a chapter has to be handed in, and the share of its points that each day begun after it costs."""

    when: datetime
    per_day: float


def read_credit(rules: tuple[str, ...]) -> dict[str, float]:
    """Shares of the points by status, from "mistake=0.5" and the like; "right" is 1 and everything else 0 by default.

    "mistake" is a wrong answer that makes a named mistake, "wrong" any other wrong one; a refused one, which uses a
    function that is out of bounds, earns nothing.
    """
    allowed = (MISTAKE, judging.WRONG, judging.TIMED_OUT, "crashed", judging.UNTRIED)
    credit: dict[str, float] = {}
    for rule in rules:
        name, equals, share = rule.partition("=")
        name = name.strip()
        if not equals or name not in allowed:
            raise ValueError(f"credit: expected {', '.join(allowed)} and '=' with a share, got {rule!r}")
        if name in credit:
            raise ValueError(f"credit: {name} is there twice")
        credit[name] = _share(share, f"credit: {rule!r}")
    return credit


def read_due(path: Path) -> dict[tuple[str, str], Due]:
    """(chapter's number, student or "") -> date, from a CSV with the columns chapter, student, due, per_day.

    A line without a student is for everyone, one with a student for that student alone. `due` looks like
    "2026-11-20 23:59", in this machine's time zone where it names none.
    """
    found = {}
    for line_number, line in read_rows(path, ("chapter", "student", "due", "per_day")):
        where = f"{path}, line {line_number}"
        number = line["chapter"][:2].rstrip("_").zfill(2)
        if number not in {solution.name[:2] for solution in notebooks.solutions()}:
            raise ValueError(f"{where}: there is no chapter {line['chapter']!r}, expected a number like 02")
        try:
            when = datetime.fromisoformat(line["due"]).astimezone()
        except ValueError:
            raise ValueError(
                f"{where}: due: expected a date like '2026-11-20 23:59', got {line['due']!r}"
            ) from None
        found[number, line["student"]] = Due(when, _share(line["per_day"], f"{where}: per_day"))
    return found


def credited(rows: Iterable[Row], credit: Mapping[str, float]) -> list[Row]:
    """The rows with the points that `credit` gives: status and message stay as they are."""
    return [replace(row, points=_credited(row, credit)) for row in rows]


def late(row: Row, handed_in: str, due: Mapping[tuple[str, str], Due]) -> Row:
    """The row with what lateness costs taken from its points and told in its message."""
    days, share = lateness(row.student, row.chapter, handed_in, due)
    if not days or not row.points:
        return row
    remark = f"Handed in {days} {'day' if days == 1 else 'days'} late: {share:.0%} of the points count."
    message = f"{row.message} {remark}".strip()
    return replace(row, points=round(row.points * share, 2), message=message)


def lateness(
    student: str, chapter: str, handed_in: str, due: Mapping[tuple[str, str], Due]
) -> tuple[int, float]:
    """(days begun after the date, share of the points that count)."""
    rule = due.get((chapter[:2], student)) or due.get((chapter[:2], ""))
    if rule is None or not handed_in:
        return 0, 1.0
    over = datetime.fromisoformat(handed_in) - rule.when
    days = max(0, math.ceil(over / timedelta(days=1)))
    return days, max(0.0, 1 - rule.per_day * days)


def named_mistake(row: Row) -> str:
    """The message of the named mistake that a wrong answer makes, "" where it makes none."""
    if row.status != judging.WRONG or not row.exercise:
        return ""
    try:
        record = exercise(row.exercise)
    except ValueError:
        return ""
    # The gradebook may have cut a message and may have added a remark.
    messages = [m.message for m in record.mistakes if row.message[:200].startswith(m.message[:200])]
    return max(messages, key=len, default="")


def _credited(row: Row, credit: Mapping[str, float]) -> float:
    if row.status == judging.RIGHT:
        return row.points
    kind = MISTAKE if named_mistake(row) else row.status
    return round(row.max_points * credit.get(kind, 0.0), 2)


def _share(text: str, where: str) -> float:
    share = number(text)
    if not 0 <= share <= 1:
        raise ValueError(f"{where}: expected a share from 0 to 1, got {text!r}")
    return share
