"""`gancourse ship`: a finished run's weights take their place in data/, with new numbers and samples on their card."""

import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open

from gancourse.files import data_path
from gancourse.models import load, parameters, save
from gancourse.training import card, measured
from gancourse.training.sheets import sample_sheet


def ship(name: str, weights: str | Path) -> Path:
    """Put `weights` in the place of the shipped model `name` and return its card.

    Renewed are the weights, the sample sheet, the numbers on the card and SHA256SUMS; the card's words stay, and a person
    must read whether they still hold. "toy" takes the trajectories that `gancourse train toy` writes.
    ValueError for weights that can't be loaded, are another class's or have no card to go with.
    """
    check(name, weights)
    weights, page = Path(weights), card.path_of(name)
    text = _ship_toys(weights) if name == "toy" else _ship_model(name, weights)
    card.renew_checksums()
    page.write_text(text, encoding="utf-8")
    return page


def check(name: str, weights: str | Path) -> None:
    """ValueError where `name` has no card, or `weights` are not what can take its place."""
    known = ["toy", *(page.stem for page in sorted(data_path("models").glob("*.md")))]
    if name not in known:
        raise ValueError(
            f"name: expected one of {', '.join(known)}, got {name!r}; a new model needs a card first"
        )
    place, theirs = data_path("models", f"{name}.safetensors"), _class_of(Path(weights))
    ours = "" if name == "toy" else _class_of(place) if place.is_file() else theirs
    if theirs != ours:
        raise ValueError(f"weights: {name} is of class {ours or 'none'}, {weights} of {theirs or 'none'}")


def _class_of(weights: Path) -> str:
    """The class that a file's header names, "" where it names none."""
    if weights.suffix != ".safetensors":
        raise ValueError(f"weights: expected a .safetensors file, got {weights}")
    try:
        with safe_open(weights, framework="pt") as file:
            return (file.metadata() or {}).get("class", "")
    except SafetensorError as error:
        raise ValueError(f"weights: {weights} is not a whole safetensors file ({error})") from None


def _ship_model(name: str, weights: Path) -> str:
    """Put weights and samples in their place and return the card's new text; nothing is written where that fails."""
    try:
        model = load(weights)
    except ValueError as error:
        raise ValueError(f"weights: {error}") from None
    with safe_open(weights, framework="pt") as file:
        notes = file.metadata()
    recipe: dict[str, object] = {"class": type(model).__name__, "parameters": f"{parameters(model):,}"}
    if "images" in notes:
        recipe["images seen"] = f"{int(notes['images']):,}"
    grown = int(notes.get("resolution", 0))
    growing = 0 < grown < getattr(model, "resolution", 0)
    text = card.renewed(name, recipe, {} if growing else measured.of(model))
    if growing:
        model.half()  # enough to look at, half the size
    path = save(model, data_path("models", f"{name}.safetensors"))
    if hasattr(model, "z_dim"):
        sample_sheet(load(path), path.with_suffix(".png"), **({"resolution": grown} if growing else {}))
    return text


def _ship_toys(weights: Path) -> str:
    """The same for the trajectories of the toy runs, which are measured where they lie."""
    place = data_path("toy", "runs.safetensors")
    old = place.read_bytes()
    try:
        shutil.copyfile(weights, place)
        card.renew_checksums()  # they are compared on reading
        return card.renewed("toy", {}, measured.of_toys())
    except BaseException as error:
        place.write_bytes(old)
        card.renew_checksums()
        if isinstance(error, SafetensorError | ValueError | KeyError):
            raise ValueError(f"weights: {weights} doesn't hold the toy's runs") from None
        raise
