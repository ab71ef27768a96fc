"""CSV files that spreadsheets open: nothing in them is taken for a formula, nothing stops them from being written."""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def read_text(path: Path) -> str:
    """A text file that a spreadsheet may have written, its byte order mark left in; ValueError where it is no such text."""
    content = Path(path).read_bytes()
    if not content.strip():
        raise ValueError(f"{path} is empty")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f'{path} is not UTF-8: save it as "CSV UTF-8"') from None


@contextmanager
def named(argument: str) -> Iterator[None]:
    """Errors of the file that an argument names begin with that argument."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from None


def read_rows(path: Path, columns: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, its fields by column) of a CSV with commas or semicolons; ValueError where it lacks one of `columns`."""
    text = read_text(path).removeprefix("\ufeff")
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    if missing := set(columns) - set(lines.fieldnames or ()):
        raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    try:
        for line in lines:
            yield lines.line_num, {name: (line[name] or "").strip() for name in columns}
    except csv.Error as error:  # an unclosed quote can make one field of the rest
        raise ValueError(f"{path}, after line {lines.line_num}: {error}") from None


def number(text: str) -> float:
    """What a spreadsheet writes as a number, with a decimal point or comma; nan for anything else."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return math.nan


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
