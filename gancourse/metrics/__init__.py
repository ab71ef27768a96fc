"""Embeddings in, numbers out: pure functions of arrays, computed in float64, with their uncertainty."""

from gancourse.metrics.estimate import Estimate
from gancourse.metrics.frechet import fid, fid_floor, fid_infinity, frechet_distance
from gancourse.metrics.kernel import kid
from gancourse.metrics.moments import Moments

__all__ = ["Estimate", "Moments", "fid", "fid_floor", "fid_infinity", "frechet_distance", "kid"]
