"""How the StyleGAN was made: progressive growing under the non-saturating logistic loss with lazy R1.

Sources: Karras et al. 2018 (growing, minibatch standard deviation, EMA), Karras et al. 2019 (style mixing, w_avg),
Mescheder et al. 2018, arXiv:1801.04406 (R1), Karras et al. 2020 (lazy regularisation).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from gancourse.models.layers import downsample, fade_in, upsample
from gancourse.models.losses import critic_loss, generator_loss, r1_penalty
from gancourse.models.stylegan import Discriminator, StyleGANGenerator, style_mix
from gancourse.seeds import stream
from gancourse.training.run import Run, seeded


@dataclass(frozen=True)
class Stage:
    """Images seen at one resolution, while its layers fade in and then at full strength, and with which settings.

    A `spread` other than 1 is the factor with which `spread` sets samples further apart as the stage begins.
    """

    resolution: int
    fade: int
    hold: int
    mixing: float = 0.9
    r1_gamma: float = 0.1
    lr: float = 2e-3
    spread: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """Every number that the training depends on. `ema_half_life` and the stages count images.

    The first StyleGAN's mapping learns 100 times slower than the rest (`lr_mul`), over 25 million images. Here are 540,000,
    in which it would hardly move from its random start; so its learning rate is `mapping_lr` times that of the stage.
    """

    channels: tuple[int, ...] = (64, 64, 48, 24)
    image_channels: int = 1
    latent: int = 128  # dimensions of z and of w
    stages: tuple[Stage, ...] = (
        # Ever less mixing: a coarse style of one garment with a fine one of another is no garment of the data.
        Stage(8, 0, 50_000, mixing=0.5),
        Stage(16, 40_000, 40_000, mixing=0.3),
        Stage(32, 50_000, 50_000, mixing=0.2, r1_gamma=0.3, lr=3e-3),
        Stage(32, 0, 70_000, mixing=0.1, r1_gamma=1.0, lr=3e-3),
        Stage(32, 0, 40_000, mixing=0.1, r1_gamma=1.0, lr=3e-3, spread=1.6),
        Stage(32, 0, 40_000, mixing=0.1, r1_gamma=1.0, lr=3e-3, spread=1.6),
        Stage(32, 0, 40_000, mixing=0.1, r1_gamma=1.0, lr=3e-3, spread=1.6),
        Stage(32, 0, 40_000, mixing=0.1, r1_gamma=1.0, lr=2e-3, spread=1.4),
        Stage(32, 0, 30_000, mixing=0.1, r1_gamma=1.0, lr=1e-3, spread=1.3),
        Stage(32, 0, 50_000, mixing=0.1, r1_gamma=1.0, lr=5e-4, spread=1.3),
    )
    batch_size: int = 32
    mapping_lr: float = 5.0
    r1_every: int = 8
    ema_half_life: float = 10_000
    seed: int = 0

    @property
    def images(self) -> int:
        return sum(stage.fade + stage.hold for stage in self.stages)

    def going_on(self, generator: StyleGANGenerator, images: int, more: int) -> "Recipe":
        """For `more` images with a generator that has seen `images`: the last stage's settings, without its spreading."""
        last = replace(self.stages[-1], fade=0, hold=images + more, spread=1.0)
        return replace(self, stages=(last,), latent=generator.z_dim)

    def stage_at(self, images: int) -> tuple[int, float]:
        """(index of the stage, alpha) after so many images."""
        for i, stage in enumerate(self.stages):
            if images < stage.fade + stage.hold or i == len(self.stages) - 1:
                return i, min(1.0, images / stage.fade) if stage.fade else 1.0
            images -= stage.fade + stage.hold
        raise AssertionError


SHAPES = Recipe(
    channels=(64, 64, 32, 16),
    image_channels=3,
    latent=64,
    stages=(
        Stage(8, 0, 40_000, mixing=0.3),
        Stage(16, 30_000, 50_000, mixing=0.2),
        Stage(32, 40_000, 120_000, mixing=0.1, r1_gamma=0.3, lr=3e-3),
        Stage(32, 0, 100_000, mixing=0.05, r1_gamma=0.3, lr=3e-3),
        Stage(32, 0, 10_000, mixing=0.05, r1_gamma=0.3, lr=1.5e-3),
        Stage(32, 0, 10_000, mixing=0.05, r1_gamma=0.3, lr=5e-4),
    ),
)


def faded_real(images: Tensor, resolution: int, alpha: float) -> Tensor:
    """Reals as the growing networks see them: shrunk to `resolution`, blended with their own halved and doubled selves."""
    while images.shape[-1] > resolution:
        images = downsample(images)
    return images if alpha == 1 else fade_in(alpha, images, upsample(downsample(images)))


@torch.no_grad()
def spread(generator: StyleGANGenerator, factor: float, *, beyond: int = 4, seed: int = 0) -> None:
    """Set samples further apart: multiply w's deviation from w_avg along all but its `beyond` first principal axes.

    Behind eight random layers few directions of w count, and those that tell the kinds of garments apart most of all:
    samples of one kind lie too close together, and recall stays low (the model's card has numbers). With V the
    eigenvectors of w's covariance, T = V diag(1, .., 1, factor, .., factor) V' and every style's affine map s = A w + b,
    A (w_avg + T (w - w_avg)) + b takes its place, which is affine again. w, w_avg and the image of w_avg stay as they
    are. Not of the StyleGAN paper: found here.
    """
    random = stream(seed)
    z = torch.randn(20_000, generator.z_dim, generator=random).to(generator.w_avg.device)
    _, axes = torch.linalg.eigh(torch.cov(generator.mapping(z).double().T))
    scales = torch.full((generator.w_dim,), factor, dtype=torch.double, device=axes.device)
    scales[-beyond:] = 1  # eigh sorts upwards
    stretch = ((axes * scales) @ axes.T).to(z.dtype)
    for layer in generator.synthesis.layers:
        affine = layer.adain.affine
        weight = affine.weight * affine.scale
        affine.bias += weight @ (generator.w_avg - stretch @ generator.w_avg) / affine.lr_mul
        affine.weight.copy_(weight @ stretch / affine.scale)


@dataclass(frozen=True)
class Warm:
    """Networks that a run goes on from with fresh optimizers, and how many images they have seen."""

    generator: StyleGANGenerator
    discriminator: Discriminator
    images: int


class Trainer:
    """Two networks, their optimizers and the averaged generator, one step at a time."""

    def __init__(self, recipe: Recipe, reals: Tensor, folder: str | Path, warm: Warm | None = None):
        """`reals`: uint8 (N, C, R, R), R the last resolution. `warm` is where a run without a checkpoint starts."""
        self.recipe, self.reals = recipe, reals
        self.run = Run(folder, recipe.seed, start="trained networks" if warm else "new networks")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        shape = {"channels": recipe.channels, "image_channels": recipe.image_channels}
        latents = {"z_dim": recipe.latent, "w_dim": recipe.latent}
        self.g = seeded(recipe.seed, StyleGANGenerator, **shape, **latents).to(self.device)
        self.ema = seeded(recipe.seed, StyleGANGenerator, **shape, **latents).to(self.device)
        self.ema.requires_grad_(False)
        self.d = seeded(recipe.seed + 1, Discriminator, **shape).to(self.device)
        self.images, self.steps, self.stage = 0, 0, 0
        self._new_optimizers()
        if warm:
            for network, weights in (
                (self.g, warm.generator),
                (self.ema, warm.generator),
                (self.d, warm.discriminator),
            ):
                network.load_state_dict(weights.state_dict())
            self.images = warm.images
            self.stage, _ = recipe.stage_at(warm.images)
        if state := self.run.resume(**self._parts()):
            self.images, self.steps, self.stage = state["images"], state["steps"], state["stage"]

    def _new_optimizers(self) -> None:
        """Adam (0, 0.99) on the raw weights; its state starts anew at each growth."""
        groups = [
            {"params": list(self.g.synthesis.parameters()), "factor": 1.0},
            {"params": list(self.g.mapping.parameters()), "factor": self.recipe.mapping_lr},
        ]
        self.opt_g = torch.optim.Adam(groups, betas=(0.0, 0.99), eps=1e-8)
        self.opt_d = torch.optim.Adam(self.d.parameters(), betas=(0.0, 0.99), eps=1e-8)

    def _randn(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.run.generator).to(self.device)

    def _fakes(self, stage: Stage, alpha: float) -> Tensor:
        """A batch of the growing generator, with style mixing: the crossover falls on any layer in use."""
        n, layers = self.recipe.batch_size, 2 * self.g.synthesis.stages(stage.resolution)
        w = self.g.mapping(self._randn(n, self.g.z_dim))
        with torch.no_grad():
            self.g.w_avg.lerp_(w.mean(0), 1 - 0.995)
        if torch.rand((), generator=self.run.generator) < stage.mixing:
            other = self.g.mapping(self._randn(n, self.g.z_dim))
            crossover = int(torch.randint(1, layers, (), generator=self.run.generator))
            w = style_mix(w, other, crossover, self.g.num_layers)
        noise = [self._randn(n, 1, 4 * 2 ** (i // 2), 4 * 2 ** (i // 2)) for i in range(layers)]
        return self.g.synthesis(w, noise=noise, alpha=alpha, resolution=stage.resolution)

    def step(self) -> dict[str, float]:
        """One step of the critic and one of the generator on `batch_size` images."""
        i, alpha = self.recipe.stage_at(self.images)
        stage, before = self.recipe.stages[i], self.recipe.stages[self.stage]
        if stage.resolution != before.resolution:
            self._new_optimizers()
        if i != self.stage and stage.spread != 1:
            for network in (self.g, self.ema):
                spread(network, stage.spread)
        self.stage = i
        for group in self.opt_g.param_groups + self.opt_d.param_groups:
            group["lr"] = stage.lr * group.get("factor", 1.0)

        def critic(x: Tensor) -> Tensor:
            return self.d(x, alpha=alpha)

        index = torch.randint(len(self.reals), (self.recipe.batch_size,), generator=self.run.generator)
        real = faded_real(self.reals[index].to(self.device) / 127.5 - 1, stage.resolution, alpha)
        with torch.no_grad():
            fake = self._fakes(stage, alpha)
        loss_d = critic_loss("logistic", critic(real), critic(fake))
        if self.steps % self.recipe.r1_every == 0:
            penalty = r1_penalty(critic, real)
            loss_d = loss_d + stage.r1_gamma / 2 * self.recipe.r1_every * penalty
        self.opt_d.zero_grad(set_to_none=True)
        loss_d.backward()
        self.opt_d.step()

        self.d.requires_grad_(False)
        loss_g = generator_loss("logistic", critic(self._fakes(stage, alpha)))
        self.opt_g.zero_grad(set_to_none=True)
        loss_g.backward()
        self.opt_g.step()
        self.d.requires_grad_(True)

        self._average()
        self.images += self.recipe.batch_size
        self.steps += 1
        return {"loss_d": float(loss_d.detach()), "loss_g": float(loss_g.detach())}

    @torch.no_grad()
    def _average(self) -> None:
        """EMA of the weights, beta = 0.5^(batch / half-life); buffers (w_avg) are copied."""
        beta = 0.5 ** (self.recipe.batch_size / self.recipe.ema_half_life)
        for mean, new in zip(self.ema.parameters(), self.g.parameters(), strict=True):
            mean.lerp_(new, 1 - beta)
        for kept, new in zip(self.ema.buffers(), self.g.buffers(), strict=True):
            kept.copy_(new)

    def _parts(self) -> dict[str, Any]:
        return {part: getattr(self, part) for part in ("g", "ema", "d", "opt_g", "opt_d")}

    def checkpoint(self) -> None:
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        self.run.checkpoint(images=self.images, steps=self.steps, stage=self.stage, **parts)


def train(
    reals: Tensor,
    folder: str | Path = "runs/stylegan",
    recipe: Recipe | None = None,
    *,
    every: int = 20_000,
    evaluate: Callable[[StyleGANGenerator, int, float], dict[str, float]] | None = None,
    warm: Warm | None = None,
) -> StyleGANGenerator:
    """Train to the end of the recipe and return the averaged generator.

    Every `every` images: a checkpoint, the row of `evaluate(ema, resolution, alpha)` in log.csv, a sample sheet and, when a
    stage is over, `stylegan-R.safetensors`. A killed run goes on from its last checkpoint with the same random stream.
    """
    from gancourse.models import save
    from gancourse.training.sheets import sample_sheet

    recipe = recipe or Recipe()
    trainer = Trainer(recipe, reals, folder, warm)
    bar = tqdm(total=recipe.images, initial=trainer.images, unit="img", unit_scale=True, smoothing=0.05)
    if trainer.images == 0:
        bar.write(f"{folder}: {asdict(recipe)}")
    while trainer.images < recipe.images:
        stage, alpha = recipe.stage_at(trainer.images)
        losses = trainer.step()
        bar.update(recipe.batch_size)
        if trainer.steps % 20 == 0:
            bar.set_postfix({name: f"{value:.2f}" for name, value in losses.items()}, refresh=False)
        next_stage, _ = recipe.stage_at(trainer.images)
        last = trainer.images >= recipe.images
        if (
            trainer.images // every != (trainer.images - recipe.batch_size) // every
            or next_stage != stage
            or last
        ):
            resolution = recipe.stages[stage].resolution
            trainer.ema.eval()
            numbers = evaluate(trainer.ema, resolution, alpha) if evaluate else {}
            trainer.run.log(images=trainer.images, resolution=resolution, **losses, **numbers)
            sample_sheet(
                trainer.ema,
                trainer.run.folder / f"{trainer.images:08d}.png",
                resolution=resolution,
                alpha=alpha,
            )
            if next_stage != stage or last:
                save(
                    trainer.ema,
                    trainer.run.folder / f"stylegan-{resolution}.safetensors",
                    images=str(trainer.images),
                    resolution=str(resolution),
                )
            trainer.checkpoint()
    bar.close()
    save(trainer.d, trainer.run.folder / "stylegan-discriminator.safetensors", images=str(trainer.images))
    return trainer.ema.eval()
