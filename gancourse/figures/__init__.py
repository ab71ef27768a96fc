"""Numbers to pictures: plain-named plot functions in one style, and `show`, the one way out of a notebook."""

from gancourse.figures.clouds import plot_cloud
from gancourse.figures.curves import log_sizes, plot_interval, plot_spread
from gancourse.figures.images import draw_images, show_images, show_rows, tile_images
from gancourse.figures.normals import ellipse_outline, heatmap, plot_ellipse
from gancourse.figures.style import FAKE, GREY, PALETTE, REAL, new, png, show

__all__ = [
    "FAKE", "GREY", "PALETTE", "REAL", "draw_images", "ellipse_outline", "heatmap", "log_sizes", "new",
    "plot_cloud", "plot_ellipse", "plot_interval", "plot_spread", "png", "show", "show_images", "show_rows",
    "tile_images",
]  # fmt: skip
