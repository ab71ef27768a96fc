"""How the shapes' regressor was made: Adam under a one-cycle schedule, on shapes drawn anew in every epoch."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gancourse.datasets import ImageSet, shapes
from gancourse.models.regressor import FactorRegressor, targets
from gancourse.training.run import Run, seeded


def errors(model: FactorRegressor, drawn: ImageSet) -> dict[str, float]:
    """Share of wrong shapes and the root mean squared errors of the other factors, in their own units; angles around the circle."""
    read = model.factors(drawn.images)
    found = {"shape": float((read["shape"] != drawn.factors["shape"]).double().mean())}
    for name in ("hue", "size", "x", "y", "rotation"):
        off = (read[name] - drawn.factors[name]).double()
        if turn := {"hue": 1.0, "rotation": 2 * math.pi}.get(name):
            off = (off + turn / 2) % turn - turn / 2
        found[name] = float(off.square().mean().sqrt())
    return found


def train(
    folder: str | Path = "runs/shapes-regressor",
    *,
    seed: int = 0,
    epochs: int = 16,
    batch_size: int = 128,
    limit: int = 20_000,
) -> FactorRegressor:
    """Train on `limit` new shapes an epoch; goes on from the last epoch found in `folder`.

    A little noise in the pixels, of standard deviation 4 of 255, keeps a generator's specks from being read as factors.
    """
    model = seeded(seed, FactorRegressor)
    steps = limit // batch_size
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps * epochs)
    run, unseen = Run(folder, seed), shapes(5000, seed=1)
    for epoch in run.epochs(epochs, "regressor", model=model, optimizer=optimizer, schedule=schedule):
        model.train()
        drawn = shapes(limit, seed=1000 + epoch)
        wanted = targets(drawn.factors)
        for batch in run.shuffled(limit, batch_size):
            images = _speckled(drawn.images[batch], run.generator)
            found = model(images)
            loss = F.cross_entropy(found[:, :-7], drawn.factors["shape"][batch])
            loss = loss + 4 * F.mse_loss(found[:, -7:], wanted[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        run.log(images=(epoch + 1) * steps * batch_size, **errors(model.eval(), unseen))
    return model.eval()


def _speckled(images: Tensor, generator: torch.Generator) -> Tensor:
    return (images + 4 * torch.randn(images.shape, generator=generator)).round().clamp(0, 255).to(torch.uint8)
