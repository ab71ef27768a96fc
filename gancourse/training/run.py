"""A training run's folder: checkpoints that survive a kill at any moment, a log, sample sheets."""

import csv
import os
from pathlib import Path
from typing import Any

import torch
from torch import nn


class Run:
    """Keeps everything that a run needs to go on where it stopped, in `folder`.

    checkpoint.pt  weights, optimizers, counters and the random stream; written beside the old one and moved over it
    log.csv        one row per report; on resuming, rows later than the checkpoint are dropped
    """

    def __init__(self, folder: str | Path, seed: int):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.log_file = self.folder / "log.csv"

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
        unfinished = self.folder / "checkpoint.unfinished"
        torch.save({"rng": self.generator.get_state(), **state}, unfinished)
        os.replace(unfinished, self.folder / "checkpoint.pt")

    def log(self, **row: float) -> None:
        """Append a row; it must have the key `images` (images seen so far)."""
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
