"""A training run's folder: checkpoints that survive a kill at any moment, a log, sample sheets."""

import csv
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

    def __init__(self, folder: str | Path, seed: int):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.generator = stream(seed)
        self.log_file, self.images = self.folder / "log.csv", 0.0

    def resume(self) -> dict[str, Any] | None:
        """The last checkpoint's state, with the random stream put back, or None at the start."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return None
        state = torch.load(path, weights_only=True)
        self.generator.set_state(state["rng"])
        if self.log_file.exists():
            with open(self.log_file, newline="") as file:
                rows = list(csv.DictReader(file))
            kept = [row for row in rows if float(row["images"]) <= state["images"]]
            if rows:
                self._write(kept, list(rows[0]), "w")
        return state

    def checkpoint(self, **state: Any) -> None:
        everything = {"rng": self.generator.get_state(), **state}
        files.write(self.folder / "checkpoint.pt", lambda draft: torch.save(everything, draft))

    def epochs(self, count: int, title: str, **parts: Any) -> Iterator[int]:
        """The epochs that are still to do, under a progress bar; the body of the loop logs each.

        `parts` (the model, its optimizer, ...) are first brought back from the last checkpoint and kept after each epoch.
        """
        start = 0
        if state := self.resume():
            start = state["epoch"]
            for name, part in parts.items():
                part.load_state_dict(state[name])
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


def seeded(seed: int, make: type[nn.Module], *args, **kwargs) -> nn.Module:
    """Build a network from a seed without touching the global random stream."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(*args, **kwargs)
