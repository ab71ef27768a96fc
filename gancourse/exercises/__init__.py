"""The engine of the exercises: records, the check under an answer, and the verdict."""

from gancourse.exercises.check import check, judge, predicted, progress
from gancourse.exercises.judging import Verdict
from gancourse.exercises.record import Exercise, chapters, exercise, of_chapter

__all__ = [
    "Exercise",
    "Verdict",
    "chapters",
    "check",
    "exercise",
    "judge",
    "of_chapter",
    "predicted",
    "progress",
]
