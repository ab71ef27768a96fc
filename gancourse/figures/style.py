"""One look for every figure of the course, and the one way a figure leaves a notebook.

Figures live outside pyplot and take their style when `new` makes them, so importing this room changes
no global setting and a figure cannot leak into the next cell.
"""

import io
import sys
from typing import Any, Literal

import numpy as np
from cycler import cycler
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's colours (2008), told apart under every common colour blindness.
PALETTE = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "amber": "#E69F00",
    "yellow": "#F0E442",
    "black": "#000000",
}
REAL = PALETTE["blue"]
FAKE = PALETTE["orange"]
GREY = "#6E6E6E"

# One inch on paper is 120 CSS pixels on the page: matplotlib's 10 pt text is then about 17 pixels high.
CSS_PIXELS = 120
SHARPNESS = 1.25

STYLE = {
    "axes.prop_cycle": cycler(color=list(PALETTE.values())),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "figure.facecolor": "white",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
}


def new(
    rows: int = 1,
    cols: int = 1,
    *,
    size: tuple[float, float] | None = None,
    title: str | None = None,
    layout: Literal["constrained", "tight", "none"] = "constrained",
    **subplots: Any,
) -> tuple[Figure, Any]:
    """A styled figure and its axes: one axes, or an array of them as `matplotlib.pyplot.subplots` gives.

    `size` is the whole figure's (width, height) in inches, by default up to 8 wide and 3.2 a row; an inch
    takes 120 pixels on the page. Other keywords go to `Figure.subplots` (`sharex`, `width_ratios`, ...).
    """
    with rc_context(STYLE):
        figure = Figure(figsize=size or (min(8.0, 4.6 * cols), 3.2 * rows), layout=layout)
        axes = figure.subplots(rows, cols, **subplots)
    for ax in np.ravel(axes):
        ax.tick_params(labelsize=9)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11.5, fontweight="bold")
    return figure, axes


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes in 256 colours; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=CSS_PIXELS * SHARPNESS, pil_kwargs={"compress_level": 1})
    return indexed(Image.open(buffer))


def indexed(image: Image.Image) -> bytes:
    """An image as PNG bytes in 256 colours: a third of the size in a stored notebook, without visible change.

    The palette covers the range of colours, not the frequency of pixels, so that a mostly white picture keeps the even
    steps of its colour bar.
    """
    buffer = io.BytesIO()
    spread, plain = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    few = image.convert("RGB").quantize(256, method=spread, kmeans=1, dither=plain)
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def show(figure: Figure, *, alt: str) -> None:
    """Display a figure with `alt`, a text that states its finding, and close it; ValueError for an empty alt.

    Screen readers read `alt` in the picture's place and nbval compares it, so round its numbers:
    `show(figure, alt=f"FID rises from {a:.0f} to {b:.0f}")`.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt: expected a sentence that states what the figure shows, got nothing to read")
    from IPython.display import display

    width = round(figure.get_figwidth() * CSS_PIXELS)
    about = {"image/png": {"alt": alt, "width": width}}
    display({"image/png": png(figure), "text/plain": alt}, metadata=about, raw=True)
    if pyplot := sys.modules.get("matplotlib.pyplot"):  # else the inline backend would draw it once more
        pyplot.close(figure)
