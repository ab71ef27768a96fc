import tracemalloc

import numpy as np
import pytest
import torch
from PIL import Image

from gancourse.datasets import ImageFolder, image_folder


def grey(value, size=(6, 4)):  # Pillow's size is (width, height)
    return Image.new("L", size, value)


def colour(value, size=(6, 4), mode="RGB"):
    return Image.new(mode, size, value)


def save(folder, **files):
    """Save images under `folder`; a__b_png becomes a/b.png."""
    for name, image in files.items():
        path = folder / f"{name.replace('__', '/').rsplit('_', 1)[0]}.{name.rsplit('_', 1)[1]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    return folder


def test_flat_folder_in_order_with_rows_and_columns_right(tmp_path):
    ramp = np.arange(24, dtype=np.uint8).reshape(4, 6)
    save(tmp_path, b_png=Image.fromarray(ramp), a_PNG=grey(7), c_bmp=grey(9))
    data = image_folder(str(tmp_path))
    assert data.images.dtype == torch.uint8 and data.images.shape == (3, 1, 4, 6)
    assert torch.equal(data.images[1, 0], torch.from_numpy(ramp))
    assert data.images[[0, 2], 0, 0, 0].tolist() == [7, 9]
    assert data.labels is None and data.classes == ()


def test_class_folders(tmp_path):
    save(tmp_path, dog__1_png=colour((1, 2, 3)), cat__2_png=colour((4, 5, 6)), dog__0_png=colour((7, 8, 9)))
    data = image_folder(tmp_path)
    assert (
        data.classes == ("cat", "dog")
        and data.labels.tolist() == [0, 1, 1]
        and data.labels.dtype == torch.int64
    )
    assert data.images[:, :, 0, 0].tolist() == [[4, 5, 6], [7, 8, 9], [1, 2, 3]]


@pytest.mark.parametrize("other", ["top_png", "dog__deeper__x_png"])
def test_other_layouts_have_no_labels(tmp_path, other):
    save(tmp_path, dog__1_png=grey(1), cat__2_png=grey(2), **{other: grey(3)})
    data = image_folder(tmp_path)
    assert len(data) == 3 and data.labels is None and data.classes == ()


def test_hidden_files_and_other_suffixes_are_passed_over(tmp_path):
    save(tmp_path, a_png=grey(1), **{"._a_png": grey(2), ".cache__b_png": grey(3)})
    (tmp_path / "notes.txt").write_text("not an image")
    assert [file.name for file in ImageFolder(tmp_path).files] == ["a.png"]


def test_modes_that_become_grey_or_colour(tmp_path):
    save(tmp_path / "grey", a_png=Image.new("1", (6, 4), 1), b_png=grey(5), c_png=colour((8, 255), mode="LA"))
    assert image_folder(tmp_path / "grey").images[:, :, 0, 0].tolist() == [[255], [5], [8]]
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    save(
        tmp_path / "colour",
        a_png=palette,
        b_png=colour((1, 2, 3, 255), mode="RGBA"),
        c_jpg=colour((128, 128, 128)),
    )
    assert image_folder(tmp_path / "colour").images[:, :, 0, 0].tolist() == [
        [10, 20, 30],
        [1, 2, 3],
        [128] * 3,
    ]


@pytest.mark.parametrize(
    ("name", "odd", "reason"),
    [
        ("odd_png", colour((1, 2, 3, 254), mode="RGBA"), "odd.png has transparent pixels"),
        ("odd_png", Image.new("I;16", (6, 4), 300), r"odd.png has mode I;16: save it as 8-bit"),
        ("odd_jpg", Image.new("CMYK", (6, 4)), r"odd.jpg has mode CMYK"),
        ("odd_png", colour((1, 2, 3), size=(6, 5)), r"odd.png is 3 x 5 x 6 where most are 3 x 4 x 6"),
        ("odd_png", grey(1), r"odd.png is 1 x 4 x 6 where most are 3 x 4 x 6"),
    ],
)
def test_unfit_file_is_named(tmp_path, name, odd, reason):
    save(tmp_path, a_png=colour((0, 0, 0)), z_png=colour((0, 0, 0)), **{f"sub__{name}": odd})
    with pytest.raises(ValueError, match=f"1 unfit among the 3 images in .*:\n  sub.{reason}"):
        image_folder(tmp_path)


def test_transparent_colour_of_a_palette(tmp_path):
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.save(tmp_path / "used.png", transparency=1)
    with pytest.raises(ValueError, match=r"used\.png has transparent pixels"):
        image_folder(tmp_path)
    (tmp_path / "used.png").unlink()
    palette.save(tmp_path / "unused.png", transparency=0)
    assert image_folder(tmp_path).images[0, :, 0, 0].tolist() == [10, 20, 30]


def test_animation(tmp_path):
    grey(1).save(tmp_path / "a.webp", save_all=True, append_images=[grey(90), grey(200)])
    with pytest.raises(ValueError, match=r"a\.webp holds 3 frames"):
        image_folder(tmp_path)


def test_damaged_files_are_counted_and_the_first_named(tmp_path):
    save(tmp_path, good_png=grey(1))
    for i in range(7):
        (tmp_path / f"bad{i}.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"7 unfit among the 8 images") as caught:
        ImageFolder(tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[1] == "  bad0.png cannot be read (no image format that Pillow knows)"
    assert lines[5].startswith("  bad4.png")
    assert lines[6:] == ["  and 2 more"]


def test_file_cut_short_is_found_when_it_is_read(tmp_path):
    noise = torch.randint(0, 256, (40, 60), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    for name in ("a", "b", "c"):
        Image.fromarray(noise.numpy()).save(tmp_path / f"{name}.png")
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    batches = ImageFolder(tmp_path).batches(1)
    assert torch.equal(next(batches).images[0, 0], noise)
    with pytest.raises(ValueError, match=r"1 unfit among the 3 images.*\n  b\.png cannot be read"):
        next(batches)


def test_no_folder_and_no_images(tmp_path):
    with pytest.raises(ValueError, match=r"expected a folder of images, got .*missing"):
        image_folder(tmp_path / "missing")
    with pytest.raises(ValueError, match=r"no image in .*\.png"):
        image_folder(tmp_path)


def test_batches_and_parts_cover_everything_once(tmp_path):
    save(tmp_path, **{f"{'ab'[i % 2]}__{i:02d}_png": grey(i) for i in range(11)})
    folder = ImageFolder(tmp_path)
    whole = image_folder(tmp_path)
    batches = list(folder.batches(4))
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert torch.equal(torch.cat([batch.images for batch in batches]), whole.images)
    assert torch.equal(torch.cat([batch.labels for batch in batches]), whole.labels)
    parts = [
        torch.cat([b.images for b in folder.batches(2, part=part, parts=3)])[:, 0, 0, 0] for part in range(3)
    ]
    assert [part.tolist() for part in parts] == [whole.images[i::3, 0, 0, 0].tolist() for i in range(3)]
    for wrong in ({"batch_size": 0}, {"part": 3, "parts": 3}, {"part": -1}):
        with pytest.raises(ValueError, match="expected batch_size >= 1"):
            next(folder.batches(**wrong))


def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    save(tmp_path, a_png=grey(1, size=(256, 256)))
    for i in range(60):
        (tmp_path / f"link{i}.png").symlink_to(tmp_path / "a.png")
    folder = ImageFolder(tmp_path)
    tracemalloc.start()
    count = sum(len(batch) for batch in folder.batches(4))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 61 and peak < 20 * 256 * 256  # all of them would be 61 times 64 KiB


def test_unfit_files_can_be_left_out_by_name(tmp_path):
    for i in range(5):
        Image.fromarray(np.full((4, 6), i * 10, np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "1.png").write_bytes(b"no image")
    whole = (tmp_path / "3.png").read_bytes()
    (tmp_path / "3.png").write_bytes(whole[:45])  # its header is whole
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "9.png")
    folder = ImageFolder(tmp_path, skip_unfit=True)
    assert folder.read([4, 3, 2, 1, 0, 0]).images[:, 0, 0, 0].tolist() == [40, 20, 0, 0]
    assert folder.read([5]).images.shape == (0, 1, 4, 6)
    assert folder.unfit[tmp_path / "9.png"] == "is 1 x 9 x 9 where most are 1 x 4 x 6"
    for name in ("1.png", "3.png"):
        assert "cannot be read" in folder.unfit[tmp_path / name]
    assert len(folder.unfit) == 3
    with pytest.raises(ValueError, match="3 unfit among the 6 images"):
        folder.refuse_unfit()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="1 unfit among the 1 images"):
        ImageFolder(tmp_path / "bad", skip_unfit=True)


def test_shape_of_most_does_not_hang_on_the_first_files(tmp_path, monkeypatch):
    monkeypatch.setattr("gancourse.datasets.folder.POLLED", 8)
    save(tmp_path, **{f"{i:02d}_png": grey(i, size=(9, 9) if i < 8 else (6, 4)) for i in range(24)})
    folder = ImageFolder(tmp_path, skip_unfit=True)
    assert folder.shape == (1, 4, 6)
    assert len(folder.read(range(24)).images) == 16 and len(folder.unfit) == 8
    for i in range(24):
        if i % 3 == 0:  # those that are polled
            (tmp_path / f"{i:02d}.png").write_bytes(b"")
    folder = ImageFolder(tmp_path, skip_unfit=True)
    assert len(folder.read(range(24)).images) == 11 and len(folder.unfit) == 13


@pytest.mark.parametrize("where", ["header", "pixels", "end"])
def test_damaged_png_is_no_image_of_noise(tmp_path, where):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)
    for name in "abc":
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    data = bytearray((tmp_path / "b.png").read_bytes())
    if where == "end":
        data = data[:-30]  # in the middle of the last rows
    else:
        data[{"header": 30, "pixels": len(data) // 2}[where]] ^= 1
    (tmp_path / "b.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"1 unfit among the 3 images in .*:\n  b\.png cannot be read"):
        image_folder(tmp_path)
