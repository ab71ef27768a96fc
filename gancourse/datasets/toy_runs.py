"""The small GANs in the plane that come with the course: their samples at 31 moments of training."""

from collections.abc import Callable

from safetensors import safe_open
from torch import Tensor

from gancourse.datasets.mixtures import Mixture, grid, ring
from gancourse.files import data_path, verified

TARGETS: dict[str, Callable[[], Mixture]] = {"ring": ring, "grid": grid}
METHODS = ("plain", "minibatch stddev", "R1", "WGAN-GP", "spectral norm",
           "narrow critic", "wide critic", "slow critic")  # fmt: skip


def shipped(target: str, method: str, seed: int = 0) -> dict[str, Tensor]:
    """One run's samples along the way, stored to half precision.

    "steps" (31,): after how many steps. "raw" (31, 256, 2): the generator's points, from the same latents throughout;
    "averaged", of the same shape: those of the running average of its weights. data/toy/runs.md says how they were made.

    target "ring" or "grid", method one of `METHODS`, seed 0 to 4. ValueError for others.
    """
    path = verified(data_path("toy", "runs.safetensors"))
    with safe_open(path, framework="pt") as file:
        prefix = f"{target}/{method}/{seed}/"
        if f"{prefix}raw" not in file.keys():  # noqa: SIM118
            raise ValueError(
                f"expected target {' or '.join(TARGETS)}, method {', '.join(METHODS)}, and a seed that was run; "
                f"got {target!r}, {method!r}, {seed!r}"
            )
        run = {kind: file.get_tensor(prefix + kind).float() for kind in ("raw", "averaged")}
        return {"steps": file.get_tensor("steps"), **run}


def scores(target: str, method: str, seeds: range = range(5)) -> dict[str, list[tuple[int, float]]]:
    """What the shipped runs of one method reached at their last frame: "raw" and "averaged", each seed's `Mixture.coverage`."""
    runs = [shipped(target, method, seed) for seed in seeds]
    return {kind: [TARGETS[target]().coverage(run[kind][-1]) for run in runs] for kind in ("raw", "averaged")}
