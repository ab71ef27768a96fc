"""Pure functions from arrays of features to numbers with their uncertainty, computed in float64."""

from gancourse.metrics.copying import authenticity, data_copying
from gancourse.metrics.divergence import cross_entropy, entropy, js_divergence, kl_divergence
from gancourse.metrics.estimate import Estimate
from gancourse.metrics.frechet import fid, fid_floor, fid_infinity, frechet_distance
from gancourse.metrics.inception_score import inception_score
from gancourse.metrics.kernel import kid
from gancourse.metrics.manifold import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    precision_recall,
    realism,
)
from gancourse.metrics.moments import Moments
from gancourse.metrics.path_length import perceptual_path_length
from gancourse.metrics.perceptual import perceptual_distance
from gancourse.metrics.prd import PRDCurve, prd_curve, prd_from_histograms
from gancourse.metrics.report import Report, report
from gancourse.metrics.vendi import vendi_score

__all__ = [
    "DensityCoverage", "Estimate", "Moments", "PRDCurve", "PrecisionRecall", "Report", "authenticity",
    "cross_entropy", "data_copying", "density_coverage", "entropy", "fid", "fid_floor", "fid_infinity",
    "frechet_distance", "inception_score", "js_divergence", "kid", "kl_divergence", "perceptual_distance",
    "perceptual_path_length", "prd_curve", "prd_from_histograms", "precision_recall", "realism", "report",
    "vendi_score",
]  # fmt: skip
