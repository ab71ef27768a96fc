"""Two garments mixed layer by layer, a new resolution faded in, and noise turned up and down."""

import functools

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from gancourse.chapters.ch10_stylegan.exercises import fade_in
from gancourse.datasets import quantise
from gancourse.demos.control import Demo, Slider
from gancourse.demos.stage import encode
from gancourse.figures import tile_images
from gancourse.latents import truncate
from gancourse.models import load
from gancourse.models.layers import upsample
from gancourse.models.stylegan import style_mix
from gancourse.seeds import stream


@torch.inference_mode()
def style_mixing_demo():
    """A slider for the crossover: six garments' coarse styles with six others' fine ones, 36 mixed garments.

    Every crossover's 36 images are drawn when the demo opens, with the stored noise.
    """
    generator, classifier = load("stylegan"), load("classifier")
    layers = generator.num_layers
    random = torch.randn(200, generator.z_dim, generator=stream(3))
    kinds = classifier(quantise(generator(random))).argmax(1)
    chosen = [int((kinds == kind).nonzero()[i]) for i in (0, 1) for kind in (1, 2, 3, 7, 8, 9)]
    w = generator.mapping(random[chosen])
    rows, columns = w[:6], w[6:].flip(0)
    top, left = quantise(generator.synthesis(columns)), quantise(generator.synthesis(rows))
    corner = torch.full_like(top[:1], 255)
    sheets, kept = [], []
    for crossover in range(layers + 1):
        mixed = style_mix(rows.repeat_interleave(6, 0), columns.repeat(6, 1), crossover, layers)
        images = quantise(generator.synthesis(mixed))
        seen = classifier(images).argmax(1)
        kept.append(
            [
                int((seen == classifier(own).argmax(1)).sum())
                for own in (left.repeat_interleave(6, 0), top.repeat(6, 1, 1, 1))
            ]
        )
        table = [corner, *top.split(1)]
        for row in range(6):
            table += [left[row : row + 1], *images[6 * row : 6 * row + 6].split(1)]
        sheet = tile_images(torch.cat(table), columns=7, gap=2, scale=3)
        sheet[:, 100:104], sheet[100:104] = 120, 120  # between the sources and the mixed
        sheets.append(_captioned(sheet, "left: w1 for the layers before the crossover; top: w2 from it on"))

    def describe(crossover):
        first, second = kept[crossover]
        return (
            f"Of {layers} layers {crossover} take the w1 of the row and {layers - crossover} the w2 of the column. "
            f"The classifier sees the kind of w1's garment in {first} of 36 pictures, that of w2's in {second}."
        )

    return Demo(
        lambda crossover: encode(sheets[crossover]),
        [Slider("crossover", "crossover", 0, layers, 1, 2, "layers")],
        describe,
        title="Style mixing: coarse layers from one garment, fine layers from another",
        stills=[{}, {"crossover": 6}],
    )


@torch.inference_mode()
def fade_in_demo():
    """A slider for alpha: the doubled image of the old resolution becomes the image of the new one.

    Above, the generator as it was when the 8 x 8 stage ended: its layers for 16 x 16 are still random. In the middle,
    the same generator when the 16 x 16 stage ended. Below, the shipped one from 16 x 16 to 32 x 32.
    """
    rows = []
    for name, resolution in (("stylegan-8", 16), ("stylegan-16", 16), ("stylegan", 32)):
        generator = load(name)
        z = torch.randn(6, generator.z_dim, generator=stream(8))
        rows.append([generator(z, resolution=size) for size in (resolution, resolution // 2)])
    names = (
        "8 to 16 pixels,\nnew layers untrained",
        "8 to 16 pixels,\nnew layers trained",
        "16 to 32 pixels",
    )

    @functools.lru_cache(maxsize=64)
    def blended(alpha):
        images = [fade_in(alpha, grown, small) for grown, small in rows]
        return torch.cat([image if image.shape[-1] == 32 else upsample(image) for image in images])

    def render(alpha):
        sheet = tile_images(quantise(blended(alpha)), columns=6, gap=2, scale=3)
        return encode(_captioned(sheet, *names))

    def describe(alpha):
        gaps = [float((fade_in(alpha, *row) - upsample(row[1])).abs().mean()) for row in rows]
        return (
            f"alpha = {alpha:g}: the pictures differ from the doubled old ones by {gaps[0]:.2f} (untrained), "
            f"{gaps[1]:.2f} (trained) and {gaps[2]:.2f} (16 to 32 pixels), of a range of 2."
        )

    return Demo(
        render,
        [Slider("alpha", "alpha", 0.0, 1.0, 0.05, 0.3)],
        describe,
        title="Fade-in: from the old resolution to the new one",
        stills=[{"alpha": 0.0}, {}, {"alpha": 1.0}],
    )


@torch.inference_mode()
def noise_demo():
    """Sliders for the noise of each resolution and for psi: six garments, and what the noise changes in them."""
    generator = load("stylegan")
    w = generator.mapping(torch.randn(6, generator.z_dim, generator=stream(4)))
    maps = generator.synthesis.noise_maps(6, "fresh", stream(5))
    sizes = (4, 8, 16, 32)

    @functools.lru_cache(maxsize=64)
    @torch.inference_mode()
    def drawn(psi, *strengths):
        each = [strength for strength in strengths for _ in (0, 1)]
        return generator.synthesis(truncate(w, generator.w_avg, psi), noise=maps, noise_strength=each)

    def render(at_4, at_8, at_16, at_32, psi):
        images, plain = drawn(psi, at_4, at_8, at_16, at_32), drawn(psi, 0.0, 0.0, 0.0, 0.0)
        change = quantise((5 * (images - plain)).clamp(-1, 1))
        sheet = tile_images(torch.cat([quantise(images), change]), columns=6, gap=2, scale=3)
        return encode(_captioned(sheet, "with noise", "what the noise\nchanged, times 5;\ngrey: nothing"))

    def describe(at_4, at_8, at_16, at_32, psi):
        change = drawn(psi, at_4, at_8, at_16, at_32) - drawn(psi, 0.0, 0.0, 0.0, 0.0)
        return (
            f"Noise at 4, 8, 16 and 32 pixels times {at_4:g}, {at_8:g}, {at_16:g} and {at_32:g}, psi = {psi:g}: it changes "
            f"a pixel by {127.5 * float(change.abs().mean()):.1f} of 255 grey levels on average."
        )

    sliders = [Slider(f"at_{size}", f"noise, {size} px", 0.0, 8.0, 0.5, 1.0, "times") for size in sizes]
    return Demo(
        render,
        [*sliders, Slider("psi", "psi", 0.0, 1.4, 0.1, 1.0)],
        describe,
        title="Noise of each resolution, and truncation",
        stills=[{"psi": 1.0}, {"at_4": 6.0}, {"at_32": 6.0}, {"psi": 0.3}],
    )


def _captioned(sheet: np.ndarray, *names: str) -> np.ndarray:
    """A grey sheet with a line above it, or, where there are several rows, a name at the left of each."""
    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 14)
    left, top = (0, 24) if len(names) == 1 else (170, 0)
    page = Image.new("L", (sheet.shape[1] + left, sheet.shape[0] + top), 255)
    page.paste(Image.fromarray(sheet), (left, top))
    for i, name in enumerate(names):
        place = (2, 2) if top else (2, round((i + 0.5) * sheet.shape[0] / len(names)))
        ImageDraw.Draw(page).multiline_text(place, name, fill=0, font=font, anchor="la" if top else "lm")
    return np.asarray(page)
