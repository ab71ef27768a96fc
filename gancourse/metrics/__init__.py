"""Embeddings in, numbers out: pure functions of arrays, computed in float64, with their uncertainty."""

from gancourse.metrics.estimate import Estimate
from gancourse.metrics.moments import Moments

__all__ = ["Estimate", "Moments"]
