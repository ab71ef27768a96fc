"""From a solution notebook to the student's version, and back: byte for byte."""

import copy
import re
from pathlib import Path

from gancourse.classroom import notebooks

_BEGIN = re.compile(r"( *)(<!-- )?### BEGIN SOLUTION( -->)? *")
_END = re.compile(r" *(<!-- )?### END SOLUTION( -->)? *")


def released(solution: dict, name: str = "notebook") -> dict:
    """The student's version: each solution region becomes a stub, outputs go, ids and metadata stay.

    In code a region (`### BEGIN SOLUTION` to `### END SOLUTION`, each on a line of its own) becomes
    `raise NotImplementedError`; in Markdown (markers as HTML comments) it becomes an invitation to write.
    Raises ValueError, with notebook and cell, where a region is unbalanced or stands outside an answer.
    """
    student = cleared(solution)
    for cell in student["cells"]:
        where = f"{name}, cell {cell['id']}"
        source = _stubbed(cell["source"], cell["cell_type"] == "code", where)
        is_answer = cell["metadata"].get("nbgrader", {}).get("solution", False)
        if is_answer and source == cell["source"]:
            raise ValueError(f"{where}: an answer without a ### BEGIN SOLUTION would be handed out solved")
        if not is_answer and source != cell["source"]:
            raise ValueError(f"{where}: a solution region in a cell that is not an answer")
        cell["source"] = source
    return student


def cleared(notebook: dict) -> dict:
    """The notebook without outputs and execution counts."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return notebook


def restored(student: dict, solution: dict) -> dict:
    """The student's version with the solution's answers put back."""
    answers = {cell["id"]: cell["source"] for cell in solution["cells"] if "nbgrader" in cell["metadata"]}
    student = copy.deepcopy(student)
    for cell in student["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return student


def release(chapters: tuple[str, ...] = (), *, check: bool = False) -> list[Path]:
    """Write the students' versions of these chapters (all by default); returns those that were out of date.

    With `check` nothing is written.
    """
    stale = []
    for path in notebooks.solutions(chapters):
        new = notebooks.text(released(notebooks.normalised(notebooks.read(path)), path.name))
        target = notebooks.folder() / path.name
        if check:
            changed = not target.is_file() or target.read_bytes() != new.encode()
        else:
            changed = notebooks.write(target, new)
        stale += [target] * changed
    return stale


def _stubbed(source: str, code: bool, where: str) -> str:
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        begin, end = _BEGIN.fullmatch(line), _END.fullmatch(line)
        if begin:
            if inside:
                raise ValueError(f"{where}: ### BEGIN SOLUTION inside a solution region")
            lines.append(f"{begin[1]}raise NotImplementedError" if code else "*Write your answer here.*")
            inside = True
        elif end:
            if not inside:
                raise ValueError(f"{where}: ### END SOLUTION without ### BEGIN SOLUTION")
            inside = False
        elif re.search(r"### *(BEGIN|END) *SOLUTION", line):
            raise ValueError(f"{where}: a solution marker needs a line of its own, got {line.strip()!r}")
        elif not inside:
            lines.append(line)
    if inside:
        raise ValueError(f"{where}: ### BEGIN SOLUTION without ### END SOLUTION")
    return "\n".join(lines)
