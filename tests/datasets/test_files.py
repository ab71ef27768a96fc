"""The shipped data: whole, official, and refused with the right words where it is damaged."""

import gzip
import hashlib
import re
import shutil
import struct

import pytest
import torch

from gancourse.datasets import data_path, fashion_mnist, verified

# What is compared with the header of the official files; the same table stands in data/README.md.
OFFICIAL = {
    "train-images-idx3-ubyte": ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 1504176606),
    "train-labels-idx1-ubyte": ("25c81989df183df01b3e8a0aad5dffbe", 1504176606),
    "t10k-images-idx3-ubyte": ("bef4ecab320f06d8554ea6380940ec79", 1504176627),
    "t10k-labels-idx1-ubyte": ("bb300cfdad3c16e7a12a480ee83cd310", 1504176627),
}
IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the data folder with the test split, that a test may damage."""
    (tmp_path / "fashion-mnist").mkdir()
    for name in (f"fashion-mnist/{IMAGES}", f"fashion-mnist/{LABELS}", "SHA256SUMS"):
        shutil.copy(data_path(name), tmp_path / name)
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    return tmp_path / "fashion-mnist"


def test_every_shipped_file_is_listed_and_whole():
    for_people = {".md", ".png"}
    files = {path for path in data_path().rglob("*") if path.is_file() and path.suffix not in for_people}
    files -= {data_path("SHA256SUMS"), data_path(".gitattributes")}
    assert len(files) >= 4
    assert {verified(path) for path in files} == files
    listed = {line.split()[1] for line in data_path("SHA256SUMS").read_text().splitlines()}
    assert listed == {path.relative_to(data_path()).as_posix() for path in files}


@pytest.mark.parametrize("name", OFFICIAL)
def test_files_are_the_official_ones_but_for_the_gzip_header(name):
    md5, date = OFFICIAL[name]
    shipped = data_path("fashion-mnist", f"{name}.gz").read_bytes()
    assert shipped[:4] == bytes([0x1F, 0x8B, 8, 0])  # deflate, no optional fields: ten bytes of header
    header = struct.pack("<BBBBIBB", 0x1F, 0x8B, 8, 8, date, 0, 3) + name.encode() + b"\0"
    assert hashlib.md5(header + shipped[10:]).hexdigest() == md5
    assert f"| {name}.gz | {md5} | {date} |" in data_path("README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("split", "each"), [("train", 6000), ("test", 1000)])
def test_fashion_mnist(split, each):
    data = fashion_mnist(split)
    assert data.images.dtype == torch.uint8 and data.images.shape == (10 * each, 1, 28, 28)
    assert data.labels.dtype == torch.int64
    assert data.labels.bincount().tolist() == [each] * 10
    assert data.classes[data.labels[0]] == "Ankle boot"  # both splits begin with one
    # Trousers are narrow: their outer columns are black, which also fixes the order of rows and columns.
    trousers = data.images[data.labels == 1].float()
    assert trousers[..., :4].mean() + trousers[..., -4:].mean() < 0.1 * trousers[..., 12:16].mean()


def test_unknown_split():
    with pytest.raises(ValueError, match=r'split: expected "train" or "test", got \'valid\''):
        fashion_mnist("valid")


def test_missing_file(copy):
    (copy / LABELS).unlink()
    with pytest.raises(
        FileNotFoundError, match=rf"{LABELS} is missing.*git checkout -- data/fashion-mnist/{LABELS}"
    ):
        fashion_mnist("test")


def test_truncated_file(copy):
    whole = (copy / IMAGES).read_bytes()
    (copy / IMAGES).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=rf"{IMAGES} is truncated.*git checkout"):
        fashion_mnist("test")


@pytest.mark.parametrize("at", [0, 5000, -6])
def test_one_flipped_byte(copy, at):
    damaged = bytearray((copy / LABELS).read_bytes())
    damaged[at] ^= 0xFF
    (copy / LABELS).write_bytes(damaged)
    with pytest.raises(ValueError, match=rf"{LABELS} is corrupted.*git checkout"):
        fashion_mnist("test")


def test_other_labels_that_are_a_valid_idx_file(copy):
    raw = bytearray(gzip.decompress((copy / LABELS).read_bytes()))
    raw[8] = (raw[8] + 1) % 10
    (copy / LABELS).write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(
        ValueError, match=r"corrupted: its \d+ bytes have SHA-256 [0-9a-f]{64}, expected 8d3605d1"
    ):
        fashion_mnist("test")


def test_idx_file_of_another_shape(copy):
    raw = gzip.decompress((copy / LABELS).read_bytes())
    (copy / LABELS).write_bytes(gzip.compress(raw + b"\0"))
    with pytest.raises(ValueError, match="holds 10009 bytes unpacked, expected 10008"):
        fashion_mnist("test")
    shutil.copy(copy / LABELS, copy / IMAGES)
    with pytest.raises(
        ValueError, match=r"not the idx file of 10000 x 28 x 28.*starts with 00000801.*expected 00000803"
    ):
        fashion_mnist("test")


def test_not_listed_and_no_list(copy):
    (copy / "other.bin").write_bytes(b"1")
    with pytest.raises(ValueError, match=r"other.bin is not listed in .*SHA256SUMS"):
        verified(copy / "other.bin")
    (copy.parent / "SHA256SUMS").unlink()
    with pytest.raises(FileNotFoundError, match="SHA256SUMS is missing"):
        fashion_mnist("test")


def test_data_path_follows_the_environment(tmp_path, monkeypatch):
    assert (data_path() / "SHA256SUMS").is_file()
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    assert data_path("models", "vae.md") == tmp_path / "models" / "vae.md"
    assert re.search(r"models.vae\.md$", str(data_path("models", "vae.md")))
