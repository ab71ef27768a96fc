"""The networks, and how trained ones are stored: safetensors with the class and its arguments in the header."""

import importlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import nn

from gancourse.files import data_path, verified, write
from gancourse.models.memory import keep_freed_memory
from gancourse.models.sampling import sample

keep_freed_memory()

ROOMS = {"Classifier": "classifier", "StyleGANGenerator": "stylegan", "Discriminator": "stylegan", "VAE": "vae",
         "FactorRegressor": "regressor", "InceptionV3Features": "inception"}  # fmt: skip


def __getattr__(name: str):
    if name in ROOMS:
        return getattr(importlib.import_module(f"gancourse.models.{ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def names() -> list[str]:
    """The names of the shipped models, sorted."""
    return sorted(p.stem for p in data_path("models").glob("*.safetensors"))


def load(name: str | Path) -> nn.Module:
    """A trained model in eval mode, by its shipped name ("stylegan") or from a `.safetensors` file.

    A shipped file is checked against its SHA-256 first. ValueError for an unknown or missing name, a damaged file, or
    weights that don't fit the class named in the file. No code in the file is run.
    """
    path = Path(name)
    if path.suffix != ".safetensors":
        if str(name) not in names():
            raise ValueError(
                f"name: expected one of {', '.join(names())}, or a .safetensors file; got {str(name)!r}"
            )
        path = verified(data_path("models", f"{name}.safetensors"))
    if not path.is_file():
        raise ValueError(f"name: there is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}); get it again") from None
    if header.get("class") not in ROOMS:
        raise ValueError(
            f"{path}: its header names no model of this package (class: {header.get('class')!r})"
        )
    try:
        with torch.random.fork_rng(devices=[]):  # the first weights are drawn, then replaced
            model = __getattr__(header["class"])(**json.loads(header.get("config", "{}")))
        model.load_state_dict(state)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: the weights don't fit {header['class']}: {error}") from None
    return model.eval()


def save(model: nn.Module, path: str | Path, **notes: str) -> Path:
    """Write a model of `ROOMS` as safetensors, whole or not at all; `notes` (texts) go into the header. Gives path."""
    path = Path(path)
    if type(model).__name__ not in ROOMS:
        raise ValueError(f"model: expected one of {', '.join(ROOMS)}, got {type(model).__name__}")
    header = {"class": type(model).__name__, "config": json.dumps(model.config), **notes}
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    data = as_bytes(state, metadata=header)
    write(path, lambda draft: draft.write_bytes(data))
    return path


def parameters(model: nn.Module) -> int:
    """The number of entries of all parameters, frozen ones included."""
    return sum(p.numel() for p in model.parameters())


__all__ = [*ROOMS, "load", "names", "parameters", "sample", "save"]
