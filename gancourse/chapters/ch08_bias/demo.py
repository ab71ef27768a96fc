"""One garment moved along an attribute's direction in w, and all that the classifier says of it."""

import numpy as np
import torch

from gancourse import figures
from gancourse.chapters.ch08_bias.pictures import (
    ATTRIBUTES,
    attributes,
    directions,
    draw,
    styles_and_attributes,
)
from gancourse.datasets.fashion_mnist import CLASSES
from gancourse.demos.control import Choice, Demo, Slider, Toggle
from gancourse.demos.stage import Stage
from gancourse.figures import FAKE, GREY

EDITED = ("brightness", "width", "Coat", "Ankle boot")
STEPS = np.arange(-3, 3.01, 0.5)
SIDE = 9  # screen pixels of one pixel of the image


def attribute_demo():
    """A slider along the direction of an attribute in w: the image, and the classifier's ten probabilities.

    Directions are those of `pictures.directions`, plain or with the other attributes held still; 1 is one standard
    deviation of the styles. Noise is the stored one, so an image is a function of its style alone. All images are made
    when the demo opens.
    """
    w, a = styles_and_attributes()
    sure = [int(torch.where(a[:, kind] > 0.95)[0][0]) for kind in (1, 3, 6, 7)]
    starts = {CLASSES[int(a[i, :10].argmax())].lower(): w[i].double() for i in sure}
    tables = {
        (held, name, start): _walk(style, directions(w, a, held=held)[:, ATTRIBUTES.index(name)])
        for held in (False, True)
        for name in EDITED
        for start, style in starts.items()
    }
    figure, (left, right) = figures.new(1, 2, size=(7.0, 2.9), layout="none")
    figure.subplots_adjust(left=0.06, right=0.98, top=0.9, bottom=0.17)
    left.set_axis_off()
    right.set_position((0.58, 0.17, 0.4, 0.73))
    picture = figure.figimage(
        np.zeros((28 * SIDE, 28 * SIDE), np.uint8), 30, 70, cmap="gray", vmin=0, vmax=255
    )
    right.set(xlim=(0, 1), ylim=(9.6, -0.6), xlabel="probability by the classifier")
    right.set_yticks(range(10), CLASSES)
    right.set_title("now (orange) and at the start (grey line)", fontsize=9.5)
    bars = right.hlines(range(10), 0, 0.5, color=FAKE, lw=13)
    marks = right.vlines([0.0] * 10, np.arange(10) - 0.42, np.arange(10) + 0.42, color=GREY, lw=2.5)
    text = figure.text(0.036, 0.09, "", fontsize=9.5)
    stage = Stage(figure, [picture, bars, marks, text])

    def looked_up(attribute, start, strength, held):
        images, values = tables[held, attribute, start]
        step = int(np.abs(STEPS - strength).argmin())
        return images[step], values[step], values[len(STEPS) // 2]

    def render(**state):
        image, now, before = looked_up(**state)
        picture.set_data(np.kron(image, np.ones((SIDE, SIDE), np.uint8)))
        bars.set_segments([[(0, i), (p, i)] for i, p in enumerate(now[:10])])
        marks.set_segments([[(p, i - 0.42), (p, i + 0.42)] for i, p in enumerate(before[:10])])
        text.set_text(f"brightness {now[10]:.2f}, width {now[11]:.0f}, height {now[12]:.0f}")
        return stage.png()

    def describe(**state):
        _, now, before = looked_up(**state)
        first, second = np.argsort(-now[:10])[:2]
        return (
            f"The classifier sees {CLASSES[first]} {now[first]:.2f}, {CLASSES[second]} {now[second]:.2f}; "
            f"at the start {CLASSES[before[:10].argmax()]} {before[:10].max():.2f}. Brightness {now[10]:.2f}, "
            f"width {now[11]:.0f}, height {now[12]:.0f} pixels; at the start {before[10]:.2f}, {before[11]:.0f}, "
            f"{before[12]:.0f}."
        )

    return Demo(
        render,
        [
            Slider("strength", "strength", -3.0, 3.0, 0.5, 0.0),
            Choice("attribute", "edit", EDITED, "brightness"),
            Choice("start", "garment", tuple(starts), next(iter(starts))),
            Toggle("held", "others held still"),
        ],
        describe,
        title="Change one thing, and see what else changes",
        stills=[
            {"start": "sneaker"},
            {"start": "sneaker", "strength": 3.0},
            {"start": "sneaker", "strength": 3.0, "held": True},
        ],
    )


def _walk(style, step):
    """Images uint8 (STEPS, 28, 28) and attributes (STEPS, 13) along one line in w."""
    path = style + torch.from_numpy(STEPS)[:, None] * step
    images = draw(path.float(), noise="fixed")
    return images[:, 0, 2:30, 2:30].numpy(), attributes(images).numpy()
