"""CSV files that spreadsheets open: nothing in them is taken for a formula, nothing stops them from being written."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from gancourse.classroom.kept import write

MOST = 2000  # characters of one field


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable]) -> None:
    """Write a table, whole or not at all."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(header)
    writer.writerows([inert(value) for value in row] for row in rows)
    write(path, lines.getvalue())


def inert(value):
    """The value as a spreadsheet will not take it for a formula: bounded, without control characters or half surrogates.

    Numbers stay what they are; whole ones are written without a point.
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 2)
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def plain(text: str, most: int = MOST) -> str:
    """Text from a stranger, fit to be stored and shown: control characters and surrogates as escapes, bounded in length."""
    text = text if len(text) <= most else f"{text[:most]} …"
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c in "\n\t" or c.isprintable() else ascii(c)[1:-1] for c in text)


def delimiter_of(text: str) -> str:
    """Comma or ";", whichever the first line of a CSV has more of."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","
