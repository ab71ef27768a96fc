"""The final exam of chapter 12 is drawn from the chapters' quizzes, word for word."""

import re

from gancourse.classroom import notebooks

SOLUTIONS = {path.name: notebooks.read(path) for path in notebooks.solutions()}
QUESTION = re.compile(r"^\*\*\d+\. ", re.M)


def questions(source: str) -> list[str]:
    """The questions of a cell with all that belongs to them, without their numbers."""
    return [part.strip() for part in QUESTION.split(source)[1:]]


def quiz(notebook: dict) -> list[str]:
    return [
        question
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown" and "## Self-check" in cell["source"]
        for question in questions(cell["source"])
    ]


def exam() -> dict[str, list[str]]:
    """The exam's questions by the notebook from whose quiz they come."""
    capstone = next(nb for name, nb in SOLUTIONS.items() if name.startswith("12_"))
    source = next(cell["source"] for cell in capstone["cells"] if cell["id"] == "final-exam")
    parts = re.split(r"^### From .*\((\w+\.ipynb)\)$", source, flags=re.M)
    return {name: questions(text) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_two_questions_from_every_chapter_with_a_quiz():
    others = {name for name, nb in SOLUTIONS.items() if quiz(nb) and not name.startswith("12_")}
    assert {name: len(found) for name, found in exam().items()} == dict.fromkeys(others, 2)


def test_questions_stand_in_their_chapters_quiz_word_for_word():
    for name, found in exam().items():
        assert set(found) <= set(quiz(SOLUTIONS[name])), name


def test_questions_are_numbered_through_and_need_no_other_text():
    capstone = next(nb for name, nb in SOLUTIONS.items() if name.startswith("12_"))
    source = next(cell["source"] for cell in capstone["cells"] if cell["id"] == "final-exam")
    numbers = [int(n) for n in re.findall(r"^\*\*(\d+)\. ", source, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert not re.search(r"[Ss]ection \d", source)
