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
    """Samples that one run made during training, stored in half precision, returned as float32.

    "steps" (31,): training steps done. "raw" (31, 256, 2): the generator's points, always from the same latents.
    "averaged" (31, 256, 2): those of the running average of its weights. data/toy/runs.md says how they were made.

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
    """Scores of the last frame of one method's runs: {"raw", "averaged"} -> a list over seeds of `Mixture.coverage`."""
    runs = [shipped(target, method, seed) for seed in seeds]
    return {kind: [TARGETS[target]().coverage(run[kind][-1]) for run in runs] for kind in ("raw", "averaged")}
