"""How the course's classifier was made: Adam under a one-cycle schedule, cross-entropy, a few epochs."""

from pathlib import Path

import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from gancourse.datasets import fashion_mnist
from gancourse.models.classifier import Classifier
from gancourse.training.run import Run, seeded


@torch.inference_mode()
def accuracy(model: Classifier, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of images whose most likely class is the right one."""
    was_training = model.training
    model.eval()
    right = sum(
        int((model(x).argmax(1) == y).sum())
        for x, y in zip(images.split(1000), labels.split(1000), strict=True)
    )
    model.train(was_training)
    return right / len(images)


def train(
    folder: str | Path = "runs/classifier",
    *,
    seed: int = 0,
    epochs: int = 6,
    batch_size: int = 128,
    limit: int | None = None,
) -> Classifier:
    """Train to about 92% test accuracy; goes on from the last epoch found in `folder`. `limit` shortens the data for tests."""
    data, test = fashion_mnist("train"), fashion_mnist("test")
    assert data.labels is not None and test.labels is not None
    images, labels = data.images[:limit], data.labels[:limit]
    steps = len(images) // batch_size
    model = seeded(seed, Classifier)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps * epochs)
    run = Run(folder, seed)
    for epoch in run.epochs(epochs, "classifier", model=model, optimizer=optimizer, schedule=schedule):
        model.train()
        total = 0.0
        for batch in tqdm(
            run.shuffled(len(images), batch_size),
            f"epoch {epoch + 1}",
            unit_scale=batch_size,
            unit="img",
            leave=False,
        ):
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        run.log(
            images=(epoch + 1) * steps * batch_size,
            loss=total / steps,
            test_accuracy=accuracy(model, test.images[:limit], test.labels[:limit]),
        )
    return model.eval()
