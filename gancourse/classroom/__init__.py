"""Exercises and checks, the notebooks' round trip, working copies and grading."""

from gancourse.classroom.check import check

__all__ = ["check"]
