"""Between two and four garments, in pixels, in z and in w side by side."""

import numpy as np
import torch

from gancourse import figures
from gancourse.datasets import quantise
from gancourse.datasets.fashion_mnist import CLASSES
from gancourse.demos.control import Choice, Demo, Slider
from gancourse.demos.stage import Stage
from gancourse.figures import GREY, PALETTE, tile_images
from gancourse.latents import lerp, sample, slerp
from gancourse.metrics import perceptual_distance
from gancourse.models import load
from gancourse.seeds import stream

ACROSS, DOWN = 51, 6  # places on the path from left to right, and from the upper pair to the lower
CORNERS = {"four kinds": (8, 32, 21, 34), "shoes": (8, 22, 27, 42)}  # rows of one draw of latents
SPACES = {"pixels": (GREY, ":"), "z": (PALETTE["green"], "--"), "w": (PALETTE["orange"], "-")}


def interpolation_demo():
    """Sliders for the place between four latents: the images there in three spaces, and how fast they change.

    Bilinear: across by t on the upper and on the lower pair, then down by s between the two results; by slerp in z, by
    lerp in w and in pixels. The curves are d(x(t), x(t + 1/50)) 50^2, the local path length with a step that can be
    seen, d the perceptual distance of the course's features. Images and curves of every place are made when the demo
    opens.
    """
    tables = {name: _table(rows) for name, rows in CORNERS.items()}

    figure, (above, below) = figures.new(2, 1, size=(7.0, 4.3), height_ratios=[1.35, 1])
    first = tables["four kinds"][0]
    picture = above.imshow(_strip(first, 0, 0), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    above.set_axis_off()
    for i, name in enumerate(("the four", "pixels (lerp)", "z (slerp)", "w (lerp)")):
        above.text(28 + 64 * i, -3, name, ha="center", va="bottom", fontsize=11)
    (circle,) = above.plot([], [], "o", ms=9, mfc="none", mew=2.5, color=PALETTE["orange"])
    places = (np.arange(ACROSS - 1) + 0.5) / (ACROSS - 1)
    lines = [
        below.plot(places, np.ones(ACROSS - 1), style, color=color, lw=1.8, label=name)[0]
        for name, (color, style) in SPACES.items()
    ]
    mark = below.axvline(0.5, color="black", lw=1.6)
    below.set(
        xlim=(-0.01, 1.01),
        yscale="log",
        ylim=(1, 1e5),
        yticks=[1, 10, 100, 1000, 10000],
        xlabel="place t on the path",
        ylabel="local path length",
    )
    below.legend(loc="upper right", ncols=3, fontsize=9)
    stage = Stage(figure, [picture, circle, *lines, mark])

    def nearest(t, s):
        return round(t * (ACROSS - 1)), round(s * (DOWN - 1))

    def render(ends, t, s):
        images, curves, _ = tables[ends]
        column, row = nearest(t, s)
        picture.set_data(_strip(images, row, column))
        circle.set_data([14 + 29 * t], [14 + 29 * s])
        for line, curve in zip(lines, curves[:, row], strict=True):
            line.set_ydata(curve)
        mark.set_xdata([t, t])
        return stage.png()

    def describe(ends, t, s):
        _, curves, kinds = tables[ends]
        column, row = nearest(t, s)
        step = min(column, ACROSS - 2)
        parts = [
            f"{name} {float(f'{curves[i, row, step]:.2g}'):.0f} ({CLASSES[kinds[i, row, column]]})"
            for i, name in enumerate(SPACES)
        ]
        return f"Local path length, and what the classifier sees: {', '.join(parts)}."

    return Demo(
        render,
        [
            Choice("ends", "garments", tuple(CORNERS), "four kinds"),
            Slider("t", "left to right t", 0.0, 1.0, 0.02, 0.5),
            Slider("s", "upper to lower pair s", 0.0, 1.0, 0.2, 0.0),
        ],
        describe,
        title="Walk between garments in three spaces",
        stills=[{"t": 0.0}, {}, {"s": 0.6}, {"ends": "shoes", "s": 1.0}],
    )


@torch.inference_mode()
def _table(rows):
    """Images (3, DOWN, ACROSS, 28, 28) in SPACES, local path lengths (3, DOWN, ACROSS - 1), classes (3, DOWN, ACROSS)."""
    generator, classifier = load("stylegan"), load("classifier")
    z = sample(48, generator.z_dim, generator=stream(11))[list(rows)]
    w = generator.mapping(z)
    corners = generator.synthesis(w)
    made = {
        "pixels": _bilinear(corners.flatten(1), lerp).view(-1, *corners.shape[1:]),
        "z": generator.synthesis(generator.mapping(_bilinear(z, slerp))),
        "w": generator.synthesis(_bilinear(w, lerp)),
    }
    ends = [0, ACROSS - 1, (DOWN - 1) * ACROSS, DOWN * ACROSS - 1]
    images, curves, kinds = [], [], []
    for x in made.values():
        x[ends] = corners  # at an end there is nothing to mix, and no rounding either
        maps = [m.unflatten(0, (DOWN, ACROSS)) for m in classifier.feature_maps(x)]
        before, after = (
            [m[:, part].flatten(0, 1) for m in maps] for part in (slice(None, -1), slice(1, None))
        )
        step = perceptual_distance(before, after, features=lambda given: given)
        curves.append((step * (ACROSS - 1) ** 2).view(DOWN, ACROSS - 1))
        kinds.append(classifier.fc(maps[-1].mean((3, 4))).argmax(2))
        images.append(quantise(x)[:, 0, 2:30, 2:30].unflatten(0, (DOWN, ACROSS)))
    return tuple(torch.stack(part).numpy() for part in (images, curves, kinds))


def _strip(images, row, column):
    """The four corners as a square, then the images at a place of each space at twice their size: uint8 (57, 249)."""
    corners = tile_images(images[0][[0, 0, -1, -1], [0, -1, 0, -1]][:, None])
    parts = [corners, *(np.kron(image, np.ones((2, 2), np.uint8)) for image in images[:, row, column])]
    gap = np.full((57, 8), 255, np.uint8)
    padded = [np.pad(part, ((0, 57 - len(part)), (0, 0)), constant_values=255) for part in parts]
    return np.concatenate([padded[0], *(side for part in padded[1:] for side in (gap, part))], axis=1)


def _bilinear(corners, way):
    """The grid (DOWN ACROSS, D) between four rows, upper left, upper right, lower left, lower right."""
    a, b, c, d = corners
    t = torch.linspace(0, 1, ACROSS, dtype=torch.float64)
    s = torch.linspace(0, 1, DOWN, dtype=torch.float64)
    return way(way(a, b, t), way(c, d, t), s[:, None]).flatten(0, 1)
