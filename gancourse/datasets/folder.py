"""A reader's own images: a folder of files, read at once or batch by batch."""

import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from gancourse.datasets.images import ImageSet

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
POLLED = 256  # headers that tell what shape most images have, where not all are looked at
_CHANNELS = {"1": 1, "L": 1, "LA": 1, "P": 3, "PA": 3, "RGB": 3, "RGBA": 3}  # by Pillow's mode


def image_folder(path: str | Path) -> ImageSet:
    """All images under `path`, as one ImageSet; see `ImageFolder` for what is read and what is refused."""
    folder = ImageFolder(path, skip_unfit=True)
    images = torch.empty((len(folder), *folder.shape), dtype=torch.uint8)
    start = 0
    for batch in folder.batches():
        images[start : start + len(batch)] = batch.images
        start += len(batch)
    folder.refuse_unfit()
    return ImageSet(images, folder.labels, folder.classes)


class ImageFolder:
    """The image files under a folder, sorted by path; `batches()` reads them a few at a time.

    .files paths.  .shape (C, H, W) of every image.  .labels int64 (N,) and .classes from the subfolders' names
    when all images lie exactly one folder below; None and () otherwise.

    Subfolders are searched, but not links to folders; hidden names and suffixes other than `SUFFIXES` are ignored. Grey
    files have C = 1, colour files C = 3; a palette becomes RGB. An alpha channel is dropped where it is opaque
    everywhere; a transparent pixel is an error, because its visible colour depends on a background that the file
    doesn't have. Nothing is resized. Orientation tags and colour profiles are not applied: the pixels are measured as
    stored.

    ValueError names the files that can't be opened, have an unfit mode (16 bit, CMYK, ...), are animated or differ in
    shape from most; also where path is no folder or has no images. Headers are checked first, pixels when read. With
    `skip_unfit` files are opened when read and left out if unfit (`.unfit`: path -> reason); "most" are then most of
    `POLLED` files spread over the folder. A folder without any fit file is still a ValueError.
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
        self.shape = self._shape_of_most()
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
        pixels = self._tried(self._pixels, [self.files[i] for i in indices])
        indices = [i for i in indices if self.files[i] in pixels]
        images = np.empty((len(indices), *self.shape), np.uint8)
        for row, i in enumerate(indices):
            images[row] = pixels[self.files[i]]
        labels = None if self.labels is None else self.labels[indices]
        return ImageSet(torch.from_numpy(images), labels, self.classes)

    def refuse_unfit(self) -> None:
        """ValueError that names the files found unfit so far, if there are any."""
        if self.unfit:
            raise self._refusal(self.unfit)

    def _shape_of_most(self) -> tuple[int, int, int]:
        step = -(-len(self.files) // POLLED) if self.skip_unfit else 1
        shapes = self._tried(_shape_of, self.files[::step]) or self._tried(_shape_of, self.files)
        if not shapes:
            raise self._refusal(self.unfit)
        most = Counter(shapes.values()).most_common(1)[0][0]
        odd = {file: _oddity(shape, most) for file, shape in shapes.items() if shape != most}
        self._note(odd)
        return most

    def _pixels(self, file: Path) -> np.ndarray:
        """uint8 (C, H, W) of the folder's shape; another shape is an error before any pixel is decoded."""
        with open(file, "rb", buffering=0) as whole:
            data = whole.read()
        with Image.open(io.BytesIO(data)) as image:
            shape = _shape(image)
            if shape != self.shape:
                raise ValueError(_oddity(shape, self.shape))
            if "A" in image.mode or "transparency" in image.info:
                alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
                if alpha.min() < 255:
                    raise ValueError("has transparent pixels: put it on a background first")
            mode = "L" if shape[0] == 1 else "RGB"
            pixels = (image if image.mode == mode else image.convert(mode)).tobytes()
        return np.frombuffer(pixels, np.uint8).reshape(*shape[1:], -1).transpose(2, 0, 1)

    def _tried(self, read: Callable, files: Iterable[Path]) -> dict:
        """file -> `read` of it; the files where that failed are noted, once all were tried."""
        results, failed = {}, {}
        for file in files:
            try:
                if not file.is_file():  # reading a pipe would never end
                    raise OSError("a link to nothing, or no regular file")
                results[file] = read(file)
            except Exception as error:  # a damaged file can raise nearly anything inside a decoder
                failed[file] = _why(error)
        self._note(failed)
        return results

    def _note(self, unfit: dict[Path, str]) -> None:
        self.unfit |= unfit
        if unfit and not self.skip_unfit:
            raise self._refusal(unfit)

    def _refusal(self, unfit: dict[Path, str], *, shown: int = 5) -> ValueError:
        lines = [f"  {file.relative_to(self.path)} {unfit[file]}" for file in sorted(unfit)[:shown]]
        if len(unfit) > shown:
            lines.append(f"  and {len(unfit) - shown} more")
        head = f"{len(unfit)} unfit among the {len(self)} images in {self.path}:"
        return ValueError("\n".join([head, *lines]))


def _image_files(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _shape_of(file: Path) -> tuple[int, int, int]:
    with Image.open(file) as image:
        return _shape(image)


def _shape(image: Image.Image) -> tuple[int, int, int]:
    """(C, H, W), from the header alone."""
    if image.mode not in _CHANNELS:
        raise ValueError(f"has mode {image.mode}: save it as 8-bit grey or RGB")
    if (frames := getattr(image, "n_frames", 1)) > 1:
        raise ValueError(f"holds {frames} frames: save one image a file")
    return _CHANNELS[image.mode], image.height, image.width


def _why(error: Exception) -> str:
    if isinstance(error, ValueError):
        return str(error)
    unknown = isinstance(error, UnidentifiedImageError)  # which would tell the address of the bytes
    return f"cannot be read ({'no image format that Pillow knows' if unknown else error})"


def _oddity(shape: tuple[int, ...], most: tuple[int, ...]) -> str:
    return f"is {' x '.join(map(str, shape))} where most are {' x '.join(map(str, most))}"
