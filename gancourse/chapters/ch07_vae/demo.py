"""Turn one number of a garment's code, and weigh the KL term from light to heavy."""

import torch

from gancourse import figures, models
from gancourse.datasets import fashion_mnist, quantise
from gancourse.demos.control import Choice, Demo, Slider
from gancourse.demos.stage import Stage
from gancourse.models.vae import VAE, kl_to_standard_normal
from gancourse.seeds import stream

REACH = 4
BETAS = {-2: "vae-beta-0.25", 0: "vae", 2: "vae-beta-4", 4: "vae-beta-16"}  # beta = 2 ** key
LOOKED_AT = 2000  # test images whose codes say how much each dimension is used


def latent_traversal_demo() -> Demo:
    """Encode a garment, replace one number of its code, and decode again.

    Dimensions are ordered by use, their mean KL(q(z_d | x) || N(0, 1)) over test images. `value` takes the place of the
    code's mean in that dimension; the strip below shows the values -4 to 4 at once.
    """
    garments, vae = fashion_mnist("test"), models.load("vae")
    with torch.inference_mode():
        order, nats = _use(vae, garments.images)
    labels = torch.as_tensor(garments.labels)
    firsts = {name: int(torch.where(labels == i)[0][2]) for i, name in enumerate(garments.classes)}
    values = torch.arange(-REACH, REACH + 1).float()

    figure, (top, bottom) = figures.new(2, 1, size=(7.0, 3.9), height_ratios=[2, 1])
    three = top.imshow(_blank(3, 6), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    top.set_axis_off()
    names = ("the garment", "decoded from its code", "one number changed")
    for i, name in enumerate(names):
        top.text(14 + 34 * i, -2, name, ha="center", fontsize=10)
    strip = bottom.imshow(
        _blank(len(values), 0),
        cmap="gray",
        vmin=0,
        vmax=255,
        interpolation="nearest",
        extent=(-REACH - 0.5, REACH + 0.5, 0, 1),
    )
    bottom.set(xticks=range(-REACH, REACH + 1), yticks=[], xlim=(-REACH - 0.5, REACH + 0.5), ylim=(0, 1))
    bottom.set_xlabel("value of that one number")
    bottom.grid(False)
    (marker,) = bottom.plot([0, 0], [0, 1], color=figures.FAKE, lw=2.5)
    stage = Stage(figure, [three, strip, marker])

    @torch.inference_mode()
    def draw(garment, dimension, value):
        x = garments.images[[firsts[garment]]]
        mu, _ = vae.encode(x / 255)
        codes = mu.repeat(2 + len(values), 1)
        codes[1:, order[dimension - 1]] = torch.cat([torch.tensor([value]), values])
        return x, mu, quantise(vae(codes))

    def render(garment, dimension, value):
        x, _, decoded = draw(garment, dimension, value)
        three.set_data(figures.tile_images(torch.cat([x, decoded[:2]]), columns=3, gap=6))
        strip.set_data(figures.tile_images(decoded[2:], columns=len(values), gap=0))
        marker.set_xdata([value, value])
        return stage.png()

    def describe(garment, dimension, value):
        _, mu, decoded = draw(garment, dimension, value)
        number = int(order[dimension - 1])
        change = (decoded[1].float() - decoded[0].float()).square().mean().sqrt()
        return (
            f"The number was {round(float(mu[0, number]), 1) + 0.0:.1f} and is {value:.1f}: pixels change by {change:.0f} grey levels (RMS). "
            f"On average this dimension costs {nats[dimension - 1]:.2f} nats of KL."
        )

    return Demo(
        render,
        [
            Choice("garment", "garment", garments.classes, "Ankle boot"),
            Slider("dimension", "latent dimension", 1, vae.z_dim, 1, 1),
            Slider("value", "value", -4.0, 4.0, 0.1, 2.0),
        ],
        describe,
        title="Change one number of a garment's code",
        stills=[{}, {"garment": "Dress", "dimension": 2, "value": 1.0}, {"dimension": 20, "value": 4.0}],
    )


def beta_demo() -> Demo:
    """Four VAEs trained with the KL term weighted by beta: what comes back, what is made up, how many dimensions are used."""
    garments = fashion_mnist("test").images
    vaes = {power: models.load(name) for power, name in BETAS.items()}
    with torch.inference_mode():
        nats = {power: _use(vae, garments)[1].numpy() for power, vae in vaes.items()}
    columns = 5

    figure, (left, right) = figures.new(1, 2, size=(7.0, 3.2), width_ratios=[1.9, 1])
    pictures = left.imshow(
        _blank(3 * columns, 2, columns), cmap="gray", vmin=0, vmax=255, interpolation="nearest"
    )
    left.set(xticks=[], yticks=[14, 44, 74])
    left.set_yticklabels(["garments", "decoded", "made up"], fontsize=10)
    left.tick_params(length=0)
    left.grid(False)
    for side in left.spines.values():
        side.set_visible(False)
    highest = max(float(each.max()) for each in nats.values())
    bars = list(right.bar(range(1, 21), [0] * 20, color=figures.REAL))
    right.set(
        ylim=(0, 1.1 * highest), xticks=[1, 5, 10, 15, 20], xlabel="latent dimension", ylabel="mean KL (nats)"
    )
    right.set_title("Cost of each dimension", fontsize=11)
    stage = Stage(figure, [pictures, *bars])

    @torch.inference_mode()
    def draw(power, draw):
        x = garments[torch.randint(len(garments), (columns,), generator=stream(draw))]
        vae = vaes[power]
        mu, _ = vae.encode(x / 255)
        z = torch.randn(columns, vae.z_dim, generator=stream(draw))
        return x, quantise(vae(torch.cat([mu, z])))

    def render(**state):
        x, decoded = draw(**state)
        pictures.set_data(figures.tile_images(torch.cat([x, decoded]), columns=columns, gap=2))
        for bar, height in zip(bars, nats[state["power"]], strict=True):
            bar.set_height(height)
        return stage.png()

    def describe(**state):
        x, decoded = draw(**state)
        off = (decoded[:columns].float() - x.float()).square().mean().sqrt()
        used = nats[state["power"]]
        return (
            f"Beta {2.0 ** state['power']:g}: {int((used > 0.05).sum())} of 20 dimensions are used, {used.sum():.1f} nats in "
            f"all; these garments come back to within {off:.0f} grey levels (RMS)."
        )

    return Demo(
        render,
        [
            Slider("power", "log₂ β", -2, 4, 2, 0),
            Slider("draw", "other garments and latents", 1, 20, 1, 1),
        ],
        describe,
        title="The weight of the KL term",
        stills=[{"power": power} for power in BETAS],
    )


def _use(vae: VAE, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Latent dimensions ordered by their mean KL to the prior over the first test images, and that KL in nats."""
    mu, log_var = vae.encode(images[:LOOKED_AT] / 255)
    nats = kl_to_standard_normal(mu[..., None], log_var[..., None]).mean(0)
    order = nats.argsort(descending=True)
    return order, nats[order]


def _blank(count: int, gap: int, columns: int | None = None):
    """White in the place and size of `count` garments."""
    return figures.tile_images(
        torch.full((count, 1, 28, 28), 255, dtype=torch.uint8), columns=columns or count, gap=gap
    )
