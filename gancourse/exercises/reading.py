"""A stranger's notebook and a stranger's code, parsed: nothing of it runs, and the parser may die of it.

Run as a program of its own, with nothing but Python's library (`python -I -S reading.py 3 7 < notebook.ipynb`), it prints
the notebook's cells on one line of JSON, then on a line each [cell, names it binds, names it uses], except for those
that are named in the arguments. Where a cell is too much for Python's parser, the lines end before it.
"""

import dis
import json
import re
import sys
import types
from collections.abc import Iterator

MOST_CELLS = 3000
MOST_SOURCE = 200_000  # characters of one cell
MOST_TEXT = 5_000_000  # characters of all


def names(code: types.CodeType) -> tuple[set[str], set[str]]:
    """(names that a module's code binds at its top level, names of the module that it or its functions use)."""
    stored: set[str] = set()
    loaded: set[str] = set()
    codes = [code]
    for part in codes:
        codes += [const for const in part.co_consts if isinstance(const, types.CodeType)]
        for step in dis.get_instructions(part):
            if step.opname == "STORE_GLOBAL" or (step.opname == "STORE_NAME" and part is code):
                stored.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                loaded.add(step.argval)
    return stored, loaded


def names_in(source: str) -> tuple[set[str], set[str]]:
    """`names` of a cell; none where it is no Python."""
    for text in (source, plain(source)):
        try:
            return names(compile(text, "cell", "exec"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return set(), set()


def plain(source: str) -> str:
    """A cell without the lines that only IPython understands: `%magic`, `!command`, `x = !command`, `?help`, `help?`."""
    # What follows the indent is never a blank, or a long line of blanks would be tried at each of them.
    return re.sub(r"(?m)^([ \t]*)(?:[%!?].*|\w[\w, ]*=[ \t]*[%!].*|[\w.]+\?\??[ \t]*)$", r"\1pass", source)


def cells(content: bytes) -> list[dict[str, str]]:
    """What grading reads of a notebook of any format: id, grade_id, type and source of each cell.

    UTF-8 or UTF-16, with or without a byte order mark; formats 3 and 4. A character that is no Unicode becomes "?".
    ValueError where it is no notebook.
    """
    notebook = json.loads(content)
    sheets = notebook.get("worksheets")  # format 3
    given = sheets[0]["cells"] if isinstance(sheets, list) and sheets else notebook["cells"]
    if not isinstance(given, list):
        raise ValueError("its cells are no list")
    found = [_cell(cell) for cell in given[:MOST_CELLS]]
    if sum(len(cell["source"]) for cell in found) > MOST_TEXT:
        raise ValueError("its cells hold more than a person writes")
    return found


def _cell(cell: dict) -> dict[str, str]:
    metadata = _mapping(cell.get("metadata"))
    source = cell.get("source", cell.get("input", ""))
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    fields = {
        "id": cell.get("id") or metadata.get("id") or "",
        "grade_id": _mapping(metadata.get("nbgrader")).get("grade_id", ""),
        "type": cell.get("cell_type", ""),
        "source": text.replace("\r\n", "\n").replace("\r", "\n")[:MOST_SOURCE],
    }
    return {key: str(part).encode("utf-8", "replace").decode() for key, part in fields.items()}


def _mapping(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def report(content: bytes, left_out: set[int]) -> Iterator[str]:
    """The lines that the program prints."""
    found = cells(content)
    yield json.dumps(found)
    for i, cell in enumerate(found):
        if i not in left_out:
            yield json.dumps([i, *map(sorted, names_in(cell["source"]))])


if __name__ == "__main__":
    try:
        for line in report(sys.stdin.buffer.read(), {int(i) for i in sys.argv[1:]}):
            print(line, flush=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        print(json.dumps({"error": type(error).__name__}))
