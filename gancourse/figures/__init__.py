"""Numbers to pictures: plain-named plot functions in one style, and `show`, the one way out of a notebook."""

from gancourse.figures.images import draw_images, grid, show_images
from gancourse.figures.normals import ellipse_outline, heatmap, plot_ellipse
from gancourse.figures.style import FAKE, GREY, PALETTE, REAL, new, png, show

__all__ = [
    "FAKE",
    "GREY",
    "PALETTE",
    "REAL",
    "draw_images",
    "ellipse_outline",
    "grid",
    "heatmap",
    "new",
    "plot_ellipse",
    "png",
    "show",
    "show_images",
]
