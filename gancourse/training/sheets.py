"""Sheets of samples, to look at while a run goes on."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor, nn

from gancourse.models.sampling import sample


def tile(images: Tensor, columns: int, scale: int = 1) -> Image.Image:
    """uint8 images (N, C, H, W) as one picture, row by row."""
    n, c, h, w = images.shape
    rows = -(-n // columns)
    sheet = np.zeros((rows * h, columns * w, c), np.uint8)
    for i, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        y, x = divmod(i, columns)
        sheet[y * h : (y + 1) * h, x * w : (x + 1) * w] = image
    picture = Image.fromarray(sheet.squeeze(-1) if c == 1 else sheet)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def sample_sheet(generator: nn.Module, path: Path, *, n: int = 128, seed: int = 7, **how) -> None:
    """Write a sheet of samples, always from the same latents, so that sheets of one run can be compared."""
    images = sample(generator, n, seed=seed, **how)
    tile(images, columns=16, scale=64 // images.shape[-1]).save(path)
