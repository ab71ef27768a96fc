"""Every library's road from arrays to a number, under one signature a metric: PEERS[metric][library](*arrays).

frechet takes moments (mu_x, sigma_x, mu_y, sigma_y), inception_score log probabilities (the peers want logits) and
the number of splits, the rest (real, fake). Arrays are NumPy's; what a library converts is on its clock.
"""

import contextlib
import io
import warnings
from importlib.util import find_spec

import numpy as np
import torch

from gancourse import metrics

MODULES = {
    "gancourse": "gancourse",
    "pytorch-fid": "pytorch_fid",
    "clean-fid": "cleanfid",
    "torch-fidelity": "torch_fidelity",
    "torchmetrics": "torchmetrics",
    "prdc": "prdc",
}


def absent():
    return [library for library, module in MODULES.items() if find_spec(module) is None]


def contenders(metric):
    """Installed libraries that have this metric, gancourse first."""
    return {library: run for library, run in PEERS[metric].items() if library not in absent()}


def frechet_pytorch_fid(*moments):
    from pytorch_fid.fid_score import calculate_frechet_distance

    with quiet():
        return float(calculate_frechet_distance(*moments))


def frechet_clean_fid(*moments):
    from cleanfid.fid import frechet_distance

    with quiet():
        return float(frechet_distance(*moments))


def frechet_torch_fidelity(mu_x, sigma_x, mu_y, sigma_y):
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    x, y = {"mu": mu_x, "sigma": sigma_x}, {"mu": mu_y, "sigma": sigma_y}
    return fid_statistics_to_metric(x, y, verbose=False)["frechet_inception_distance"]


def frechet_torchmetrics(*moments):
    from torchmetrics.image.fid import _compute_fid

    return float(_compute_fid(*map(torch.as_tensor, moments)))


def numpy_moments(x):
    """What pytorch-fid and clean-fid do with their features."""
    return np.mean(x, axis=0), np.cov(x, rowvar=False)


def fid_torch_fidelity(real, fake):
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    x, y = (fid_features_to_statistics(torch.as_tensor(features)) for features in (real, fake))
    return fid_statistics_to_metric(x, y, verbose=False)["frechet_inception_distance"]


class Passing(torch.nn.Identity):
    """torchmetrics wants a network, and asks it for its width."""

    def __init__(self, num_features):
        super().__init__()
        self.num_features = num_features


def fid_torchmetrics(real, fake):
    from torchmetrics.image.fid import FrechetInceptionDistance

    with quiet():
        metric = FrechetInceptionDistance(feature=Passing(real.shape[-1]))
        metric.update(torch.as_tensor(real), real=True)
        metric.update(torch.as_tensor(fake), real=False)
        return float(metric.compute())


def kid_torch_fidelity(real, fake, seed=2020):
    from torch_fidelity.metric_kid import kid_features_to_metric

    size = max(1, min(1000, len(real), len(fake)))
    real, fake = torch.as_tensor(real), torch.as_tensor(fake)
    result = kid_features_to_metric(real, fake, kid_subset_size=size, rng_seed=seed, verbose=False)
    return result["kernel_inception_distance_mean"]


def kid_clean_fid(real, fake):
    from cleanfid.fid import kernel_distance

    return float(kernel_distance(real, fake))


def kid_torchmetrics(real, fake):
    from torchmetrics.image.kid import KernelInceptionDistance

    with quiet():
        size = max(1, min(1000, len(real), len(fake)))
        metric = KernelInceptionDistance(feature=Passing(real.shape[-1]), subset_size=size)
        metric.update(torch.as_tensor(real), real=True)
        metric.update(torch.as_tensor(fake), real=False)
        return float(metric.compute()[0])


def prdc_gancourse(real, fake, k=5):
    x = metrics.precision_recall(real=real, fake=fake, k=k)
    y = metrics.density_coverage(real=real, fake=fake, k=k)
    return x.precision, x.recall, y.density, y.coverage


def prdc_prdc(real, fake, k=5):
    from prdc import compute_prdc

    with quiet():
        return tuple(float(x) for x in compute_prdc(real, fake, nearest_k=k).values())


def precision_recall_gancourse(real, fake, k=3):
    result = metrics.precision_recall(real=real, fake=fake, k=k)
    return result.precision, result.recall


def precision_recall_torch_fidelity(real, fake, k=3):
    from torch_fidelity.metric_prc import prc_features_to_metric

    fake, real = torch.as_tensor(fake), torch.as_tensor(real)
    result = prc_features_to_metric(fake, real, prc_neighborhood=k, verbose=False)
    return result["precision"], result["recall"]


def inception_score_gancourse(log_p, splits):
    return float(metrics.inception_score(np.exp(log_p), splits=splits))


def inception_score_torch_fidelity(log_p, splits):
    from torch_fidelity.metric_isc import isc_features_to_metric

    return isc_features_to_metric(torch.as_tensor(log_p), splits)["inception_score_mean"]


def inception_score_torchmetrics(log_p, splits):
    from torchmetrics.image.inception import InceptionScore

    with quiet():
        metric = InceptionScore(feature=torch.nn.Identity(), splits=splits)
        metric.update(torch.as_tensor(log_p))
        return float(metric.compute()[0])


@contextlib.contextmanager
def quiet():
    """prdc prints, scipy and torchmetrics warn."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


PEERS = {
    "frechet": {
        "gancourse": metrics.frechet_distance,
        "pytorch-fid": frechet_pytorch_fid,
        "clean-fid": frechet_clean_fid,
        "torch-fidelity": frechet_torch_fidelity,
        "torchmetrics": frechet_torchmetrics,
    },
    "fid": {
        "gancourse": lambda real, fake: float(metrics.fid(real=real, fake=fake)),
        "pytorch-fid": lambda real, fake: frechet_pytorch_fid(*numpy_moments(real), *numpy_moments(fake)),
        "clean-fid": lambda real, fake: frechet_clean_fid(*numpy_moments(real), *numpy_moments(fake)),
        "torch-fidelity": fid_torch_fidelity,
        "torchmetrics": fid_torchmetrics,
    },
    "kid": {
        "gancourse": lambda real, fake: float(metrics.kid(real=real, fake=fake)),
        "torch-fidelity": kid_torch_fidelity,
        "clean-fid": kid_clean_fid,
        "torchmetrics": kid_torchmetrics,
    },
    "prdc": {"gancourse": prdc_gancourse, "prdc": prdc_prdc},
    "precision_recall": {
        "gancourse": precision_recall_gancourse,
        "torch-fidelity": precision_recall_torch_fidelity,
    },
    "inception_score": {
        "gancourse": inception_score_gancourse,
        "torch-fidelity": inception_score_torch_fidelity,
        "torchmetrics": inception_score_torchmetrics,
    },
}
