"""A training run's folder: checkpoints that survive a kill at any moment, a log, sample sheets."""

import csv
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from gancourse import files
from gancourse.seeds import stream


class Run:
    """Keeps everything that a run needs to go on where it stopped, in `folder`.

    checkpoint.pt  weights, optimizers, counters and the random stream; written beside the old one and moved over it
    log.csv        one row per report; on resuming, rows later than the checkpoint are dropped
    """

    def __init__(self, folder: str | Path, seed: int, **settings: Any):
        """`settings`: what else decides where the run goes; a checkpoint of others is no place to go on from."""
        self.folder, self.settings = Path(folder), {"seed": seed, **settings}
        self.generator = stream(seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_file, self.images = self.folder / "log.csv", 0.0

    def resume(self, **parts: Any) -> dict[str, Any] | None:
        """The last checkpoint's state, with `parts` and the random stream brought back, or None at the start.

        ValueError where the checkpoint is damaged or that of a run with another model or other settings.
        """
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return None
        state = loaded(path)
        for name, ours in self.settings.items():
            if (theirs := state.get("settings", {}).get(name, ours)) != ours:
                raise ValueError(
                    f"folder: {path} is of a run with {name} {theirs}, not {ours}: name another folder"
                )
        try:
            for name, part in parts.items():
                part.load_state_dict(state[name])
            self.generator.set_state(state["rng"])
        except (KeyError, RuntimeError, ValueError):
            raise ValueError(f"folder: {path} is of a run of another model: name another folder") from None
        if self.log_file.exists():
            with open(self.log_file, newline="") as file:
                rows = list(csv.DictReader(file))
            kept = [row for row in rows if float(row["images"]) <= state["images"]]
            if rows:
                self._write(kept, list(rows[0]), "w")
        return state

    def checkpoint(self, **state: Any) -> None:
        everything = {"rng": self.generator.get_state(), "settings": self.settings, **state}
        files.write(self.folder / "checkpoint.pt", lambda draft: torch.save(everything, draft))

    def epochs(self, count: int, title: str, **parts: Any) -> Iterator[int]:
        """The epochs that are still to do, under a progress bar; the body of the loop logs each.

        `parts` (the model, its optimizer, ...) are first brought back from the last checkpoint and kept after each epoch.
        """
        state = self.resume(**parts)
        start = state["epoch"] if state else 0
        for epoch in tqdm(range(start, count), title, initial=start, total=count, unit="epoch"):
            yield epoch
            states = {name: part.state_dict() for name, part in parts.items()}
            self.checkpoint(epoch=epoch + 1, images=self.images, **states)

    def shuffled(self, n: int, batch_size: int) -> Tensor:
        """An epoch's batches of indices below n, (steps, batch_size); what doesn't fill a batch is left out."""
        steps = n // batch_size
        return torch.randperm(n, generator=self.generator)[: steps * batch_size].view(steps, batch_size)

    def log(self, **row: float) -> None:
        """Append a row; it must have the key `images` (images seen so far)."""
        self.images = row["images"]
        self._write([row], list(row), "a" if self.log_file.exists() else "w")

    def _write(self, rows: list[dict], fields: list[str], mode: str) -> None:
        with open(self.log_file, mode, newline="") as file:
            writer = csv.DictWriter(file, fields)
            if mode == "w":
                writer.writeheader()
            writer.writerows(rows)


def loaded(path: Path) -> dict[str, Any]:
    """What `torch.save` wrote into a file of a run's folder; ValueError where it is damaged."""
    try:
        return dict(torch.load(path, weights_only=True))
    except (pickle.UnpicklingError, RuntimeError, EOFError, TypeError, ValueError):
        raise ValueError(f"folder: {path} is damaged: move it away to begin anew") from None


def seeded(seed: int, make: type[nn.Module], *args, **kwargs) -> nn.Module:
    """Build a network from a seed without touching the global random stream."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(*args, **kwargs)
