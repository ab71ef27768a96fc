"""How the runs in the plane were made: one loop, six ingredients, several seeds, every run's samples along the way."""

import dataclasses
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm.auto import tqdm

from gancourse.datasets.mixtures import Mixture
from gancourse.datasets.toy_runs import TARGETS
from gancourse.models.losses import critic_loss, generator_loss, gradient_penalty, r1_penalty
from gancourse.models.toy import ToyCritic, ToyGenerator
from gancourse.seeds import stream
from gancourse.training.run import loaded, seeded


@dataclasses.dataclass(frozen=True)
class Method:
    """What one run adds to the plain GAN."""

    loss: str = "logistic"  # "logistic" (non-saturating), "wasserstein" or "hinge"
    penalty: float = 0.0  # weight of the gradient penalty (WGAN-GP) or of R1
    critic_steps: int = 1
    critic_lr: float = 1e-3
    critic_hidden: int = 64
    spectral: float = 0.0  # with spectral norm: the critic's steepest slope
    stddev: bool = False


METHODS: dict[str, Method] = {
    "plain": Method(),
    "minibatch stddev": Method(stddev=True),
    "R1": Method(penalty=0.1),
    "WGAN-GP": Method(loss="wasserstein", penalty=1.0, critic_steps=5),
    "spectral norm": Method(loss="hinge", spectral=10.0, critic_steps=2),
    "narrow critic": Method(critic_hidden=8),
    "wide critic": Method(critic_hidden=256),
    "slow critic": Method(critic_lr=1e-4),
}


def train(
    target: Mixture,
    method: Method,
    *,
    seed: int,
    steps: int = 3000,
    batch_size: int = 128,
    frames: int = 31,
    points: int = 256,
) -> dict[str, Tensor]:
    """One run's samples along the way: "raw" and "averaged" (EMA of the weights), (frames, points, 2), and "steps" (frames,)."""
    random = stream(seed)
    g, averaged = seeded(seed, ToyGenerator), seeded(seed, ToyGenerator).requires_grad_(False)
    d = seeded(seed + 1, ToyCritic, method.critic_hidden, spectral=method.spectral, stddev=method.stddev)
    opt_g = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.9), fused=True)
    opt_d = torch.optim.Adam(d.parameters(), lr=method.critic_lr, betas=(0.5, 0.9), fused=True)
    shown = torch.randn(points, g.z_dim, generator=random)
    frame_steps = torch.linspace(0, steps, frames).round().int().tolist()
    found: dict[str, list[Tensor]] = {"raw": [], "averaged": []}

    def noise() -> Tensor:
        return torch.randn(batch_size, g.z_dim, generator=random)

    for step in range(steps + 1):
        if step in frame_steps:
            with torch.no_grad():
                found["raw"].append(g(shown))
                found["averaged"].append(averaged(shown))
        for _ in range(method.critic_steps):
            real, fake = target.sample(batch_size, generator=random), g(noise()).detach()
            loss = critic_loss(method.loss, d(real), d(fake))
            if method.penalty and method.loss == "wasserstein":
                loss = loss + method.penalty * gradient_penalty(d, real, fake, generator=random)
            elif method.penalty:
                loss = loss + method.penalty / 2 * r1_penalty(d, real)
            _update(opt_d, loss)
        _update(opt_g, generator_loss(method.loss, d(g(noise()))))
        with torch.no_grad():
            for mean, new in zip(averaged.parameters(), g.parameters(), strict=True):
                mean.lerp_(new, 0.005)
    return {"steps": torch.tensor(frame_steps), **{name: torch.stack(parts) for name, parts in found.items()}}


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def train_all(folder: str | Path = "runs/toy", *, seeds: int = 5, steps: int = 3000) -> Path:
    """Every method on every target from several seeds; finished runs are kept. Returns one file of all trajectories."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    runs = [(t, m, s) for t in TARGETS for m in METHODS for s in range(seeds)]
    tensors: dict[str, Tensor] = {}
    for target, method, seed in tqdm(runs, unit="run"):
        kept = folder / f"{target}-{method.replace(' ', '_')}-{seed}.pt"
        if not kept.exists():
            torch.save(
                train(TARGETS[target](), METHODS[method], seed=seed, steps=steps), kept.with_suffix(".new")
            )
            kept.with_suffix(".new").rename(kept)
        run = loaded(kept)
        tensors["steps"] = run["steps"]
        tensors |= {f"{target}/{method}/{seed}/{kind}": run[kind].half() for kind in ("raw", "averaged")}
    save_file(tensors, folder / "toy.safetensors")
    return folder / "toy.safetensors"
