"""A reader's own images: a folder of files, read at once or batch by batch."""

import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gancourse.datasets.images import ImageSet

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
_CHANNELS = {"1": 1, "L": 1, "LA": 1, "P": 3, "PA": 3, "RGB": 3, "RGBA": 3}  # by Pillow's mode


def image_folder(path: str | Path) -> ImageSet:
    """All images under `path`, as one ImageSet; see `ImageFolder` for what is read and what is refused."""
    folder = ImageFolder(path)
    images = torch.empty((len(folder), *folder.shape), dtype=torch.uint8)
    start = 0
    for batch in folder.batches():
        images[start : start + len(batch)] = batch.images
        start += len(batch)
    return ImageSet(images, folder.labels, folder.classes)


class ImageFolder:
    """The image files under a folder, sorted by path; `batches()` reads them a few at a time.

    .files paths.  .shape (C, H, W) of every image.  .labels int64 (N,) and .classes from the subfolders' names
    when all images lie exactly one folder below; None and () otherwise.

    Subfolders are searched; names that begin with a dot and suffixes other than `SUFFIXES` are passed over.
    Grey files have C = 1, colour files C = 3; a palette becomes RGB. An alpha channel is dropped where it is
    opaque everywhere; a transparent pixel is an error, because its colour would be this function's invention.
    Nothing is resized. Orientation tags and colour profiles are not applied: the pixels are measured as stored.

    Raises ValueError that names the files which cannot be opened, have an unfit mode (16 bit, CMYK, ...), are
    animated, or differ in shape from most. The headers are checked at once, the pixels as they are read.
    With `skip_unfit` these files are left out instead and `.unfit` tells why, path -> reason; an error still
    where none is left.
    """

    def __init__(self, path: str | Path, *, skip_unfit: bool = False) -> None:
        self.path = Path(path)
        self.skip_unfit, self.unfit = skip_unfit, dict[Path, str]()
        if not self.path.is_dir():
            raise ValueError(f"path: expected a folder of images, got {self.path}")
        self.files = sorted(_image_files(self.path), key=lambda file: file.parts)
        if not self.files:
            raise ValueError(
                f"path: no image in {self.path} (looked for {' '.join(SUFFIXES)}, in subfolders too)"
            )
        self.shape = self._common_shape()
        folders = [file.parts[len(self.path.parts) : -1] for file in self.files]
        in_classes = all(len(parts) == 1 for parts in folders)
        self.classes = tuple(sorted({parts[0] for parts in folders})) if in_classes else ()
        index = {name: label for label, name in enumerate(self.classes)}
        self.labels = torch.tensor([index[parts[0]] for parts in folders]) if in_classes else None

    def __len__(self) -> int:
        return len(self.files)

    def batches(self, batch_size: int = 256, *, part: int = 0, parts: int = 1) -> Iterator[ImageSet]:
        """The images in order, `batch_size` at a time; with `parts`, only every parts-th, beginning at `part`.

        Memory holds one batch, however many files there are. The parts share the work between processes.
        """
        if batch_size < 1 or not 0 <= part < parts:
            raise ValueError(
                f"expected batch_size >= 1 and 0 <= part < parts, got {batch_size}, {part}, {parts}"
            )
        chosen = range(part, len(self.files), parts)
        for start in range(0, len(chosen), batch_size):
            yield self.read(chosen[start : start + batch_size])

    def read(self, indices: Iterable[int]) -> ImageSet:
        """The images of `.files` at these indices, in their order, without those found unfit and skipped."""
        indices = list(indices)
        pixels = self._tried(_pixels, [self.files[i] for i in indices])
        indices = [i for i in indices if self.files[i] in pixels]
        images = np.empty((len(indices), *self.shape), np.uint8)
        for row, i in enumerate(indices):
            images[row] = pixels[self.files[i]].transpose(2, 0, 1)
        labels = None if self.labels is None else self.labels[indices]
        return ImageSet(torch.from_numpy(images), labels, self.classes)

    def _common_shape(self) -> tuple[int, int, int]:
        shapes = self._tried(_shape, self.files)
        if not shapes:
            self._refuse(self.unfit, skip=False)
        common = Counter(shapes.values()).most_common(1)[0][0]
        odd = {
            file: f"is {_times(shape)} where most are {_times(common)}"
            for file, shape in shapes.items()
            if shape != common
        }
        self._refuse(odd, skip=self.skip_unfit)
        self.files = [file for file in self.files if file not in self.unfit]
        return common

    def _tried(self, read, files: Iterable[Path]) -> dict:
        """file -> `read` of it; the files where that failed are refused, once all were tried."""
        results, failed = {}, {}
        for file in files:
            try:
                results[file] = read(file)
            except Exception as error:  # a damaged file can raise nearly anything inside a decoder
                failed[file] = str(error) if isinstance(error, ValueError) else f"cannot be read ({error})"
        self._refuse(failed, skip=self.skip_unfit)
        return results

    def _refuse(self, failed: dict[Path, str], *, skip: bool, shown: int = 5) -> None:
        self.unfit |= failed
        if failed and not skip:
            lines = [
                f"  {file.relative_to(self.path)} {reason}" for file, reason in [*failed.items()][:shown]
            ]
            if len(failed) > shown:
                lines.append(f"  and {len(failed) - shown} more")
            raise ValueError(
                "\n".join([f"{len(failed)} unfit among the {len(self)} images in {self.path}:", *lines])
            )


def _image_files(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _shape(file: Path) -> tuple[int, int, int]:
    """(C, H, W) from the header alone."""
    with Image.open(file) as image:
        if image.mode not in _CHANNELS:
            raise ValueError(f"has mode {image.mode}: save it as 8-bit grey or RGB")
        if (frames := getattr(image, "n_frames", 1)) > 1:
            raise ValueError(f"holds {frames} frames: save one image a file")
        return _CHANNELS[image.mode], image.height, image.width


def _pixels(file: Path) -> np.ndarray:
    """uint8 (H, W, C). Reads the file in one go and copies pixels only where the mode must change: small files are many."""
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        if "A" in image.mode or "transparency" in image.info:
            alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
            if alpha.min() < 255:
                raise ValueError("has transparent pixels: put it on a background first")
        channels = _CHANNELS[image.mode]
        mode = "L" if channels == 1 else "RGB"
        pixels = np.asarray(image if image.mode == mode else image.convert(mode))
        return pixels.reshape(*image.size[::-1], channels)


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
