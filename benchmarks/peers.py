"""Every library's road from arrays to a number, under one signature a metric: PEERS[metric][library](*arrays).

frechet takes moments (mu_x, sigma_x, mu_y, sigma_y), inception_score log probabilities (the peers want logits) and
the number of splits, the rest (real, fake). Arrays are NumPy's; what a library converts is on its clock.
"""

from importlib.util import find_spec
from pkgutil import resolve_name

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


def numpy_fid(library, real, fake):
    """As pytorch-fid and clean-fid do with their features."""
    moments = [moment for x in (real, fake) for moment in (np.mean(x, axis=0), np.cov(x, rowvar=False))]
    return PEERS["frechet"][library](*moments)


def fidelity_frechet(mu_x, sigma_x, mu_y, sigma_y):
    compare = resolve_name("torch_fidelity.metric_fid:fid_statistics_to_metric")
    result = compare({"mu": mu_x, "sigma": sigma_x}, {"mu": mu_y, "sigma": sigma_y}, verbose=False)
    return result["frechet_inception_distance"]


def fidelity_fid(real, fake):
    statistics = resolve_name("torch_fidelity.metric_fid:fid_features_to_statistics")
    x, y = statistics(torch.as_tensor(real)), statistics(torch.as_tensor(fake))
    return fidelity_frechet(x["mu"], x["sigma"], y["mu"], y["sigma"])


def fidelity_kid(real, fake, seed=2020):
    compare = resolve_name("torch_fidelity.metric_kid:kid_features_to_metric")
    real, fake, size = torch.as_tensor(real), torch.as_tensor(fake), subset(real, fake)
    result = compare(real, fake, kid_subset_size=size, rng_seed=seed, verbose=False)
    return result["kernel_inception_distance_mean"]


def fidelity_precision_recall(real, fake, k=3):
    compare = resolve_name("torch_fidelity.metric_prc:prc_features_to_metric")
    result = compare(torch.as_tensor(fake), torch.as_tensor(real), prc_neighborhood=k, verbose=False)
    return result["precision"], result["recall"]


def fidelity_score(log_p, splits):
    score = resolve_name("torch_fidelity.metric_isc:isc_features_to_metric")
    return score(torch.as_tensor(log_p), splits)["inception_score_mean"]


class Passing(torch.nn.Identity):
    """torchmetrics wants a network, and asks it for its width."""

    def __init__(self, num_features):
        super().__init__()
        self.num_features = num_features


def torchmetrics_pair(name, real, fake, **settings):
    metric = resolve_name(f"torchmetrics.image.{name}")(feature=Passing(real.shape[-1]), **settings)
    metric.update(torch.as_tensor(real), real=True)
    metric.update(torch.as_tensor(fake), real=False)
    return np.float64(metric.compute()).flat[0]


def torchmetrics_score(log_p, splits):
    metric = resolve_name("torchmetrics.image.inception:InceptionScore")(torch.nn.Identity(), splits=splits)
    metric.update(torch.as_tensor(log_p))
    return float(metric.compute()[0])


def our_precision_recall(real, fake, k=3):
    result = metrics.precision_recall(real=real, fake=fake, k=k)
    return result.precision, result.recall


def our_prdc(real, fake):
    """Two calls for the four numbers that prdc gives in one."""
    result = metrics.density_coverage(real=real, fake=fake, k=5)
    return *our_precision_recall(real, fake, k=5), result.density, result.coverage


def subset(real, fake):
    return max(1, min(1000, len(real), len(fake)))


PEERS = {
    "frechet": {
        "gancourse": metrics.frechet_distance,
        "pytorch-fid": lambda *m: float(resolve_name("pytorch_fid.fid_score:calculate_frechet_distance")(*m)),
        "clean-fid": lambda *m: float(resolve_name("cleanfid.fid:frechet_distance")(*m)),
        "torch-fidelity": fidelity_frechet,
        "torchmetrics": lambda *m: resolve_name("torchmetrics.image.fid:_compute_fid")(
            *map(torch.as_tensor, m)
        ).item(),
    },
    "fid": {
        "gancourse": lambda real, fake: metrics.fid(real=real, fake=fake).value,
        "pytorch-fid": lambda *x: numpy_fid("pytorch-fid", *x),
        "clean-fid": lambda *x: numpy_fid("clean-fid", *x),
        "torch-fidelity": fidelity_fid,
        "torchmetrics": lambda *x: torchmetrics_pair("fid:FrechetInceptionDistance", *x),
    },
    "kid": {
        "gancourse": lambda real, fake: metrics.kid(real=real, fake=fake).value,
        "torch-fidelity": fidelity_kid,
        "clean-fid": lambda *x: float(resolve_name("cleanfid.fid:kernel_distance")(*x)),
        "torchmetrics": lambda *x: torchmetrics_pair(
            "kid:KernelInceptionDistance", *x, subset_size=subset(*x)
        ),
    },
    "prdc": {
        "gancourse": our_prdc,
        "prdc": lambda *x: tuple(map(float, resolve_name("prdc:compute_prdc")(*x, nearest_k=5).values())),
    },
    "precision_recall": {"gancourse": our_precision_recall, "torch-fidelity": fidelity_precision_recall},
    "inception_score": {
        "gancourse": lambda log_p, splits: metrics.inception_score(np.exp(log_p), splits=splits).value,
        "torch-fidelity": fidelity_score,
        "torchmetrics": torchmetrics_score,
    },
}
