"""A damaged garment and its nearest neighbours, in pixels and in features."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib import get_data_path
from matplotlib.colors import to_rgb
from PIL import Image, ImageDraw, ImageFont

from gancourse import figures
from gancourse.datasets import corruptions, fashion_mnist
from gancourse.demos.control import Choice, Demo, Slider
from gancourse.demos.stage import encode
from gancourse.features import embed

BANK, NEIGHBOURS = 2000, 6
SIDE, FRAME = 84, 4  # screen pixels of a garment, and of the frame around it


def shift(images, strength):
    """Move images (N, C, H, W) right by `strength` pixels, rounded; black comes in from the left."""
    step = round(strength)
    return F.pad(images[..., : images.shape[-1] - step], (step, 0))


def brightness(images, factor):
    """Multiply grey levels of uint8 images by `factor`; white stays white."""
    return (images.float() * factor).round().clamp(0, 255).byte()


# From no damage to the most, as the slider goes from 0 to 100%.
DAMAGES = {
    "shift": lambda x, s: shift(x, 6 * s),
    "darken": lambda x, s: brightness(x, 1 - 0.9 * s),
    "blur": lambda x, s: corruptions.blur(x, 3 * s),
    "noise": lambda x, s: corruptions.noise(x, 0.5 * s),
    "occlusion": lambda x, s: corruptions.occlusion(x, 0.5 * s),
    "salt and pepper": lambda x, s: corruptions.salt_and_pepper(x, 0.3 * s),
    "swirl": lambda x, s: corruptions.swirl(x, 4 * s),
}


def neighbours_demo():
    """Pick a garment, a damage and its strength: the six nearest of 2,000 training images by each distance.

    The garment is the first of its class in the test set. Distances are Euclidean: of the 784 grey levels, and of the 64
    features of the course's classifier. What is of the garment's own class has a green frame, other neighbours an orange one.
    """
    bank = fashion_mnist("train")[:BANK]
    test = fashion_mnist("test")
    kinds, labels = torch.as_tensor(bank.labels), torch.as_tensor(test.labels)
    garments = {name: int((labels == k).nonzero()[0, 0]) for k, name in enumerate(test.classes)}
    tables = {
        "pixels": bank.images.flatten(1).float(),
        "features": embed(bank.images, progress=False),
    }

    left = [8 + 104 * column for column in range(2 + NEIGHBOURS)]
    top = [28, 184]
    places = [(row, column) for row in (0, 1) for column in range(2, 2 + NEIGHBOURS)]
    # Text is drawn once: what moves is pasted into a copy of the sheet, several times as fast as drawing a figure.
    ground = np.full((312, 840, 3), 255, np.uint8)
    for row, column, title in (
        (0, 0, "Original"),
        (1, 0, "Damaged"),
        (0, 2, "Nearest in pixels"),
        (1, 2, "Nearest in features"),
    ):
        tile = _text(title, 16)
        ground[top[row] - 24 :, left[column] - FRAME :][: tile.shape[0], : tile.shape[1]] = tile
    names = [_text(name, 14) for name in bank.classes]

    @functools.lru_cache(maxsize=8)  # the picture and its line ask for the same
    def found(garment, damage, strength):
        """The garment, the damaged one, and for each distance the six nearest and how far the damage moved it."""
        original = test.images[garments[garment]][None]
        damaged = DAMAGES[damage](original, strength / 100)
        pair = torch.cat([original, damaged])
        rows = {"pixels": pair.flatten(1).float(), "features": embed(pair, progress=False)}
        near = {
            name: torch.cdist(rows[name][1:], table)[0].topk(NEIGHBOURS, largest=False).indices
            for name, table in tables.items()
        }
        moved = {name: float((a - b).norm()) for name, (a, b) in rows.items()}
        return original, damaged, near, moved

    def render(garment, damage, strength):
        original, damaged, near, _ = found(garment, damage, strength)
        label = test.classes.index(garment)
        pixels = ground.copy()
        for y, image in zip(top, (original, damaged), strict=True):
            _paste(pixels, image[0, 0], left[0], y)
        chosen = torch.cat(list(near.values())).tolist()
        for (row, column), place in zip(places, chosen, strict=True):
            kind = int(kinds[place])
            x, y, name = left[column], top[row], names[kind]
            _paste(
                pixels, bank.images[place, 0], x, y, figures.PALETTE["green" if kind == label else "orange"]
            )
            start = x + (SIDE - name.shape[1]) // 2
            pixels[y + SIDE + FRAME + 2 :, start:][: name.shape[0], : name.shape[1]] = name
        return encode(pixels)

    def describe(garment, damage, strength):
        _, _, near, moved = found(garment, damage, strength)
        label = test.classes.index(garment)
        right = {name: int((kinds[places] == label).sum()) for name, places in near.items()}
        return (
            f"Same class among {NEIGHBOURS} neighbours: {right['pixels']} in pixels, {right['features']} in features. "
            f"The damage moved it by {moved['pixels']:.0f} grey levels and by {moved['features']:.1f} in features."
        )

    return Demo(
        render,
        [
            Choice("garment", "garment", tuple(garments), "Sandal"),
            Choice("damage", "damage", tuple(DAMAGES), "shift"),
            Slider("strength", "strength", 0, 100, 5, 50, "%"),
        ],
        describe,
        title="Who is nearest?",
        stills=[{}, {"garment": "Coat", "damage": "noise"}],
    )


def _text(words, size):
    """A line of black text on white as pixels (h, w, 3); `size` in CSS pixels."""
    font = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
    tile = Image.new("RGB", (int(font.getlength(words)) + 1, round(1.3 * size)), "white")
    ImageDraw.Draw(tile).text((0, 0), words, fill="black", font=font)
    return np.asarray(tile)


def _paste(sheet, image, x, y, color=None):
    """Draw a grey image (28, 28) three times as large into `sheet` at (x, y), with a frame where a colour is given."""
    if color is not None:
        frame = np.array(to_rgb(color)) * 255
        sheet[y - FRAME : y + SIDE + FRAME, x - FRAME : x + SIDE + FRAME] = frame.round().astype(np.uint8)
    sheet[y : y + SIDE, x : x + SIDE] = image.numpy().repeat(3, 0).repeat(3, 1)[..., None]
