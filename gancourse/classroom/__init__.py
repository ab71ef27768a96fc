"""Teaching: the notebooks' round trip, working copies and grading."""

from gancourse.exercises import check

__all__ = ["check"]
