"""`gancourse ship`: a finished run's weights take their place in data/, with new numbers and samples on their card."""

import shutil
from pathlib import Path

from safetensors import safe_open

from gancourse.datasets import data_path
from gancourse.models import load, parameters, save
from gancourse.training import card, measured
from gancourse.training.sheets import sample_sheet


def ship(name: str, weights: str | Path) -> Path:
    """Put `weights` in the place of the shipped model `name` and return its card.

    Renewed are the weights, the sample sheet, the numbers on the card and SHA256SUMS; the card's words stay, and a person
    must read whether they still hold. "toy" takes the trajectories that `gancourse train toy` writes.
    ValueError for weights that can't be loaded or that have no card to go with.
    """
    weights = Path(weights)
    if not card.path_of(name).is_file():
        raise ValueError(
            f"name: there is no card {card.path_of(name)}; write one first, with the model's limits"
        )
    if name == "toy":
        shutil.copyfile(weights, data_path("toy", "runs.safetensors"))
        card.renew_checksums()
        return card.renew("toy", {}, measured.of_toys())
    model = load(weights)
    with safe_open(weights, framework="pt") as file:
        notes = file.metadata()
    recipe: dict[str, object] = {"class": type(model).__name__, "parameters": f"{parameters(model):,}"}
    if "images" in notes:
        recipe["images seen"] = f"{int(notes['images']):,}"
    grown = int(notes.get("resolution", 0))
    growing = 0 < grown < getattr(model, "resolution", 0)
    numbers = {} if growing else measured.of(model)
    if growing:
        model.half()  # enough to look at, half the size
    path = save(model, data_path("models", f"{name}.safetensors"))
    if hasattr(model, "z_dim"):
        sample_sheet(load(path), path.with_suffix(".png"), **({"resolution": grown} if growing else {}))
    card.renew_checksums()
    return card.renew(name, recipe, numbers)
