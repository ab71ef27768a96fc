"""Image batches as pictures."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from gancourse.figures.style import new, show


def tile_images(
    images: ArrayLike, *, columns: int | None = None, gap: int = 1, background: int = 255, scale: int = 1
) -> np.ndarray:
    """Tile images row by row into one: uint8 (N, C, H, W) -> uint8 (H', W') for C = 1, (H', W', 3) for C = 3.

    `columns` defaults to the square root of N, rounded up. `gap` pixels of grey value `background` lie between
    neighbours and fill unused places. Each pixel is repeated `scale` x `scale` times.
    ValueError for images that aren't uint8 of this shape.
    """
    images = _batch(images)
    count, channels, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    tiles = np.full((rows * columns, channels, height + gap, width + gap), background, np.uint8)
    tiles[:count, :, :height, :width] = images
    # (rows, columns, C, h, w) -> (rows, h, columns, w, C)
    tiles = tiles.reshape(rows, columns, channels, height + gap, width + gap).transpose(0, 3, 1, 4, 2)
    sheet = tiles.reshape(rows * (height + gap), columns * (width + gap), channels)
    sheet = sheet[: sheet.shape[0] - gap, : sheet.shape[1] - gap]
    sheet = sheet.repeat(scale, axis=0).repeat(scale, axis=1)
    return sheet[..., 0] if channels == 1 else sheet


def draw_images(
    ax: Axes, images: ArrayLike, *, labels: Sequence | None = None, columns: int | None = None
) -> None:
    """Draw a batch as one grid into `ax`, `labels` above the images; `columns` and ValueErrors as `tile_images`."""
    images = _batch(images)
    count, _, height, width = images.shape
    if labels is not None and len(labels) != count:
        raise ValueError(f"labels: expected one for each of the {count} images, got {len(labels)}")
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    gap = max(1, height // 14)
    if labels is not None:  # a strip of white above each image for its label
        strip = math.ceil(height / 4)
        images = np.concatenate([np.full_like(images[:, :, :strip], 255), images], axis=2)
    sheet = tile_images(images, columns=columns, gap=gap)
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_axis_off()
    if labels is not None:
        size = min(9, 72 * 8 / columns * 1.5 / max(len(str(label)) for label in labels))
        for i, label in enumerate(labels):
            row, column = divmod(i, columns)
            x = column * (width + gap) + width / 2 - 0.5
            y = row * (images.shape[2] + gap) + strip * 0.8
            ax.text(x, y, str(label), ha="center", va="bottom", fontsize=size)


def show_images(
    images: ArrayLike,
    *,
    alt: str,
    labels: Sequence | None = None,
    columns: int | None = None,
    title: str | None = None,
    size: tuple[float, float] | None = None,
) -> None:
    """Show uint8 (N, C, H, W) images, grey or colour, as one grid; `alt` states what is to be seen.

    `labels`: one short text per image. `columns`: default 10, or all if fewer. `size`: the figure's, in inches.
    """
    images = _batch(images)
    columns = min(columns or 10, len(images))
    rows = math.ceil(len(images) / columns)
    aspect = images.shape[2] * (1.25 if labels is not None else 1.0) / images.shape[3]
    width = min(8.0, 1.1 * columns)
    figure, ax = new(size=size or (width, width / columns * rows * aspect + (0.35 if title else 0.05)))
    draw_images(ax, images, labels=labels, columns=columns)
    if title:
        ax.set_title(title)
    show(figure, alt=alt)


def show_rows(
    rows: Mapping[str, ArrayLike],
    *,
    alt: str,
    title: str | None = None,
    labels: Mapping[str, Sequence] | None = None,
) -> None:
    """Show rows of uint8 images {name: (n, C, H, W)} of one shape; `labels` {each name: n texts} go above them."""
    batches = [_batch(batch) for batch in rows.values()]
    if len({batch.shape for batch in batches}) != 1:
        raise ValueError(f"rows: expected images of one shape, got {[batch.shape for batch in batches]}")
    count, _, height, _ = batches[0].shape
    strip = 0 if labels is None else math.ceil(height / 4)  # as draw_images lays its rows out
    pitch = height + strip + max(1, height // 14)
    left = 0.3 + 0.095 * max(len(line) for name in rows for line in name.split("\n"))  # inches for the names
    tile = min(1.1, (8.0 - left) / count)
    figure, ax = new(size=(left + tile * count, 0.4 + tile * pitch / height * len(batches)))
    texts = None if labels is None else [text for name in rows for text in labels[name]]
    draw_images(ax, np.concatenate(batches), labels=texts, columns=count)
    ax.set_anchor("E")
    for i, name in enumerate(rows):
        ax.text(-3, i * pitch + strip + height / 2, name, ha="right", va="center", fontsize=10)
    if title:
        ax.set_title(title)
    show(figure, alt=alt)


def _batch(images: ArrayLike) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise ValueError(
            f"images: expected uint8 of shape (N, 1 or 3, H, W), got {images.dtype} of shape {images.shape}"
        )
    return images
