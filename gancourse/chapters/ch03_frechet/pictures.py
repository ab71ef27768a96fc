"""The lines that carry one cloud onto another."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from gancourse.figures import GREY


def join_pairs(ax: Axes, starts: ArrayLike, ends: ArrayLike) -> None:
    """Draw a line from each of `starts` (N, 2) to its partner in `ends` (N, 2)."""
    ax.add_collection(LineCollection(np.stack([starts, ends], axis=1), colors=GREY, linewidths=0.7, zorder=1))
