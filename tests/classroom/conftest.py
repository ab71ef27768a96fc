"""A chapter's solution with the process apart in which answers to it are tried."""

import pytest

from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks, sandbox, verdicts
from gancourse.classroom.intake import Submission, exercises_of
from gancourse.exercises import Exercise, judging, of_chapter

SEED = 11


class Room:
    """`verdict` tries one answer; everything else of the chapter is the solution's."""

    def __init__(self, number: str):
        self.solution = notebooks.read(notebooks.solutions((number,))[0])
        self.records = exercises_of(self.solution)
        cells = {cell["id"]: cell["source"] for cell in self.solution["cells"]}
        self.right = {record.id: cells[roles.answer_id(record)] for record in self.records}
        hidden = [notebooks.folder()]
        self.apart = verdicts.Apart(of_chapter(number), hidden, sandbox.Limits(), sandbox.confined())

    def verdict(
        self, record: Exercise, answer: str, helper: str = "", *, lent: bool = False, cell_seconds: float = 60
    ) -> judging.Verdict:
        """The verdict on an answer with a helper cell at the top; with `lent` all other functions are the course's."""
        submission = Submission(self.right | {record.id: answer}, {"": [helper]} if helper else {})
        others = [r for r in self.records if r is not record] if lent else []
        return verdicts._verdict(self.apart, self.solution, submission, record, others, SEED, cell_seconds)


@pytest.fixture(scope="module")
def room():
    """`room("02")` is chapter 02."""
    opened: dict[str, Room] = {}

    def made(number: str) -> Room:
        if number not in opened:
            opened[number] = Room(number)
        return opened[number]

    yield made
    for one in opened.values():
        one.apart.__exit__()
