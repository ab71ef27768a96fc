"""How the VAEs were made: Adam on the negative ELBO, summed over pixels, averaged over the batch."""

from pathlib import Path

import torch
from torch import Tensor

from gancourse.datasets import fashion_mnist
from gancourse.models.vae import VAE
from gancourse.seeds import stream
from gancourse.training.run import Run, seeded


@torch.inference_mode()
def bound(model: VAE, images: Tensor, *, seed: int = 0) -> dict[str, float]:
    """Mean of -ELBO and of its two parts over uint8 images, in nats an image, with one z each."""
    random = stream(seed)
    terms = [model.elbo(batch / 255, generator=random) for batch in images.split(1000)]
    fit, kl = (float(torch.cat(part).double().mean()) for part in zip(*terms, strict=True))
    return {"negative_elbo": kl - fit, "reconstruction": -fit, "kl": kl}


def entropy_floor(images: Tensor) -> float:
    """The least -log p(x|z) any Bernoulli decoder can reach on grey targets: their own mean entropy, in nats an image."""
    x = images.double().flatten(1) / 255
    return float(-(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x)).sum(1).mean())


def train(
    folder: str | Path = "runs/vae",
    *,
    seed: int = 0,
    likelihood: str = "bernoulli",
    beta: float = 1.0,
    epochs: int = 30,
    batch_size: int = 128,
    limit: int | None = None,
) -> VAE:
    """Train one VAE; goes on from the last epoch found in `folder`. `limit` shortens the data for tests."""
    images, test = fashion_mnist("train").images[:limit], fashion_mnist("test").images[:limit]
    model = seeded(seed, VAE, likelihood=likelihood, beta=beta)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    steps = len(images) // batch_size
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps * epochs)
    run, title = Run(folder, seed, likelihood=likelihood, beta=beta), f"{likelihood}, beta {beta:g}"
    for epoch in run.epochs(epochs, title, model=model, optimizer=optimizer, schedule=schedule):
        model.train()
        for batch in run.shuffled(len(images), batch_size):
            fit, kl = model.elbo(images[batch] / 255, generator=run.generator)
            loss = (beta * kl - fit).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        run.log(images=(epoch + 1) * steps * batch_size, **bound(model.eval(), test))
    return model.eval()
