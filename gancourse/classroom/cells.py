"""What a cell of a chapter is: its id, its role and the metadata that follow from them, said in this one place.

`answer-03-2` holds the reader's answer to exercise 03.2 and `check-03-2` its check. Other roles stand in
`metadata.gancourse.role`: "bootstrap" (the first code cell) and "student" (a cell that grading added).
"""

import re

from gancourse.exercises import Exercise, exercise

BOOTSTRAP, STUDENT = "bootstrap", "student"
_PATTERN = re.compile(r"(answer|check)-(\d\d)-(\d+)")


def answer_id(record: Exercise) -> str:
    """Id of the cell that holds the answer to an exercise."""
    return f"answer-{record.id.replace('.', '-')}"


def check_id(record: Exercise) -> str:
    """Id of the cell that checks the answer."""
    return f"check-{record.id.replace('.', '-')}"


def is_answer_id(id: str) -> bool:
    """Whether a cell of this id holds an answer."""
    return bool(_PATTERN.fullmatch(id)) and id.startswith("answer")


def number_of(cell: dict) -> str:
    """Number of the exercise that a cell answers or checks, by its metadata: "03.2", or "" for other cells."""
    return cell["metadata"].get("gancourse", {}).get("exercise", "")


def role(cell: dict) -> str:
    """ "bootstrap", "student", or "" for a cell of the chapter itself."""
    return cell["metadata"].get("gancourse", {}).get("role", "")


def is_answer(cell: dict) -> bool:
    """Whether a cell is the answer to an exercise that has a check."""
    return bool(number_of(cell) and cell["metadata"].get("nbgrader", {}).get("solution"))


def is_free_text(cell: dict) -> bool:
    """Whether a cell is an answer in words, which a person reads."""
    return cell["cell_type"] == "markdown" and bool(cell["metadata"].get("nbgrader", {}).get("solution"))


def metadata(id: str) -> dict:
    """Metadata of a cell that is an answer or a check by its id; empty for other cells."""
    match = _PATTERN.fullmatch(id)
    if not match:
        return {}
    record = exercise(f"{match[2]}.{match[3]}")
    is_check = match[1] == "check"
    nbgrader = {"schema_version": 3, "grade_id": id, "task": False, "cell_type": "code"}
    nbgrader |= {"grade": is_check, "locked": is_check, "solution": not is_check}
    return {
        "nbgrader": nbgrader | ({"points": record.points} if is_check else {}),
        "gancourse": {"exercise": record.id},
    }
