"""Mean and covariance of a stream of features, in one pass and in batches of any size."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.distributed
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gancourse import files
from gancourse.metrics.arrays import LARGEST_SUM, ArrayLike, as_numbers


class Moments:
    """Count, mean and covariance of all rows seen so far.

    dim: D, a positive int. extractor: name and version of what made the features, saved with them; "" is unknown and
    merges with any. ValueError for another dim, or for combining moments of two named extractors.

        mean = 1/n sum_i x_i                                (D,)
        cov  = 1/(n-1) sum_i (x_i - mean)(x_i - mean)'      (D, D)

    Dividing by n-1 (ddof 1) is what pytorch-fid, torch-fidelity and torchmetrics do; StyleGAN3's code divides by n.

    Two parts merge by the parallel formula of Chan, Golub & LeVeque (1983): with delta the difference of their means
    and S = sum (x - mean)(x - mean)',

        mean = mean_a + delta n_b / (n_a + n_b)
        S    = S_a + S_b + delta delta' n_a n_b / (n_a + n_b)

    so no large squares are subtracted. Means are kept relative to `origin`, the mean of the first batch: x - origin is
    exact in floating point for x near origin, so a common offset of 1e8 costs only the digits that float rounding has
    already taken from the features.
    """

    def __init__(self, dim: int, *, extractor: str = ""):
        if not isinstance(dim, int | np.integer) or isinstance(dim, bool) or dim < 1:
            raise ValueError(f"dim: expected a positive integer, got {dim!r}")
        self.dim, self.extractor, self.count = int(dim), extractor, 0
        self.origin = torch.zeros(dim, dtype=torch.float64)
        self._mean = torch.zeros(dim, dtype=torch.float64)  # of x - origin
        self._scatter = torch.zeros(dim, dim, dtype=torch.float64)  # S

    def update(self, features: ArrayLike) -> "Moments":
        """Add a batch (n, D), n >= 0, or one row (D,); returns self. ValueError for another shape, NaN or infinity."""
        x = as_numbers(features, "features")
        x = x[None] if x.ndim == 1 else x
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(
                f"features: expected shape (n, {self.dim}) or ({self.dim},), got {tuple(x.shape)}"
            )
        return self._add(x) if len(x) else self

    @classmethod
    def _of(cls, rows: Tensor) -> "Moments":
        """Of features (N, D) that were checked before."""
        return cls(rows.shape[1])._add(rows)

    def _add(self, x: Tensor) -> "Moments":
        if not self.count:
            self.origin = x.mean(dim=0)
        x = x - self.origin.to(x.device)
        mean = x.mean(dim=0)
        x = x - mean
        self._absorb(len(x), mean, x.T @ x)
        return self

    def merge(self, other: "Moments") -> "Moments":
        """Add all rows that `other` has seen to this object and return self; errors as `require_same_features`."""
        self.require_same_features(other)
        if other.count:
            if not self.count:
                self.origin = other.origin
            shift = other.origin - self.origin.to(other.origin.device)
            self._absorb(other.count, other._mean + shift, other._scatter)
        return self

    def require_same_features(self, other: "Moments") -> None:
        """ValueError unless both describe features of one extractor; TypeError where `other` isn't Moments."""
        if not isinstance(other, Moments):
            raise TypeError(f"other: expected Moments, got {type(other).__name__}")
        if self.dim != other.dim:
            raise ValueError(f"moments of different features: {self.dim} and {other.dim} dimensions")
        if self.extractor and other.extractor and self.extractor != other.extractor:
            raise ValueError(f"moments of different extractors: {self.extractor!r} and {other.extractor!r}")

    def _absorb(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        device, total = self.origin.device, self.count + count
        delta = mean.to(device) - self._mean.to(device)
        self._mean = self._mean.to(device) + delta * (count / total)
        self._scatter = self._scatter.to(device) + scatter.to(device)
        self._scatter.addr_(delta, delta, alpha=self.count * count / total)
        self.count = total

    @property
    def mean(self) -> Tensor:
        """Mean of the rows, (D,) float64; ValueError before the first row."""
        if not self.count:
            raise ValueError("mean: no rows have been seen; call update(features) first")
        return self.origin + self._mean

    @property
    def cov(self) -> Tensor:
        """Covariance of the rows, (D, D) float64, divided by count - 1, exactly symmetric; ValueError below 2 rows."""
        if self.count < 2:
            raise ValueError(f"cov: a covariance needs at least 2 rows, got {self.count}")
        cov = self._scatter / (self.count - 1)
        return (cov + cov.T) / 2  # a matrix product isn't symmetric in its last bit

    def all_reduce(self) -> "Moments":
        """Merge the moments of all processes of a `torch.distributed` group into every one of them; returns self.

        Call it once in every process after its last update, even in one that has seen no rows. Works with gloo (CPU)
        and nccl (current GPU). RuntimeError without a process group.
        """
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            raise RuntimeError(
                "all_reduce: no process group; start with torchrun and call torch.distributed.init_process_group"
            )
        device = self.origin.device
        if torch.distributed.get_backend() == "nccl":
            device = torch.device("cuda", torch.cuda.current_device())
        count = torch.tensor([float(self.count)], dtype=torch.float64, device=device)
        mine = torch.cat([count, self.origin.to(device), self._mean.to(device)])
        parts = [torch.empty_like(mine) for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather(parts, mine)
        counts, origins, means = torch.stack(parts).split([1, self.dim, self.dim], dim=1)  # a row a process
        total = counts.sum()
        if total > 0:
            origin = origins[int(counts[:, 0].argmax())]
            means = means + (origins - origin)
            mean = (counts * means).sum(dim=0) / total
            delta = self._mean.to(device) + (self.origin.to(device) - origin) - mean
            scatter = self._scatter.to(device).addr(delta, delta, alpha=self.count)
            torch.distributed.all_reduce(scatter)
            self.count, self.origin, self._mean, self._scatter = int(total), origin.clone(), mean, scatter
        return self

    def save(self, path: str | os.PathLike) -> None:
        """Write to a safetensors file, atomically: who reads `path` finds the old file or the new one."""
        tensors = {"origin": self.origin, "mean": self._mean, "scatter": self._scatter}
        tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        data = save(tensors, metadata={"count": str(self.count), "extractor": self.extractor})
        files.write(Path(path), lambda draft: draft.write_bytes(data))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Moments":
        """Read what `save` wrote; FileNotFoundError if there is no file, ValueError if it holds anything else."""
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata()
                origin, mean, scatter = (
                    as_numbers(file.get_tensor(x), x, largest=LARGEST_SUM)
                    for x in ("origin", "mean", "scatter")
                )
            moments = cls(len(mean), extractor=header["extractor"])
            moments.count = int(header["count"])
            moments.origin = origin.reshape(moments.dim)
            moments._mean, moments._scatter = mean, scatter.reshape(moments.dim, moments.dim)
        except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{path}: not a file that Moments.save wrote ({error})") from error
        return moments
