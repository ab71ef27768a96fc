"""What a puzzled user types: each answer names the option, argument or file and says what to do; nothing is written."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

from gancourse.classroom import notebooks
from gancourse.cli import main
from gancourse.files import data_path
from gancourse.training.card import renew_checksums

CHAPTER = "02_covariance.ipynb"
RAISES = {
    "cell_type": "code",
    "id": "a",
    "metadata": {},
    "source": "1/0",
    "outputs": [],
    "execution_count": None,
}
DAMAGED = {
    "not-json": b"{",
    "not-utf8": b"\xff\xfe",
    "no-cells": b'{"nbformat": 4}',
    "no-source": b'{"nbformat": 4, "cells": [{"cell_type": "code", "id": "x"}]}',
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with what such a user has lying about."""
    desk = tmp_path_factory.mktemp("desk")
    random = np.random.default_rng(0)
    for name in ("good", "pipe", "dangling"):
        (desk / name).mkdir()
        for i in range(12):
            pixels = random.integers(0, 256, (28, 28), dtype=np.uint8)
            Image.fromarray(pixels).save(desk / name / f"{i:02}.png")
    os.mkfifo(desk / "pipe" / "zz.png")
    (desk / "dangling" / "zz.png").symlink_to("nowhere")
    features = random.normal(size=(50, 8))
    np.save(desk / "f8.npy", features)
    np.save(desk / "f9.npy", random.normal(size=(50, 9)))
    np.save(desk / "few.npy", features[:3])
    features[3, 2] = np.nan
    np.save(desk / "nan.npy", features)
    (desk / "broken.npy").write_bytes(b"garbage")
    (desk / "broken.npz").write_bytes(b"PKgarbage")
    (desk / "broken.safetensors").write_bytes(b"garbage!!!!!!!!")
    np.savez_compressed(desk / "inner.npz", features=features)
    content = bytearray((desk / "inner.npz").read_bytes())
    content[60:64], content[78:82] = b"\xff" * 4, b"\xff" * 4
    (desk / "inner.npz").write_bytes(content)
    save_file({"features": torch.randn(20, 8).bfloat16()}, desk / "bf16.safetensors")
    save_file({"a": torch.randn(3)}, desk / "a1.safetensors")
    for name, config in (("badconfig", '{"foo": 1}'), ("badjson", "{")):
        header = {"class": "VAE", "config": config}
        save_file({"w": torch.randn(3)}, desk / f"{name}.safetensors", metadata=header)
    for name, content in DAMAGED.items():
        (desk / name).mkdir()
        (desk / name / CHAPTER).write_bytes(content)
    (desk / "copy" / CHAPTER).mkdir(parents=True)
    (desk / "copy" / ".gancourse.json").write_text('{"solved": false, "given": {}}')
    (desk / "file").write_text("mine")
    (desk / "subs" / "ann").mkdir(parents=True)
    (desk / "subs" / "ann" / CHAPTER).write_text("not json")
    (desk / "badseed").mkdir()
    (desk / "badseed" / "seed").write_text("abc")
    (desk / "fill.csv").write_text("Student,ID,02 cov (1)\n    Points Possible,,x\nann,1,\n")
    (desk / "nochapter.csv").write_text("Student,ID,Homework\nann,1,\n")
    (desk / "due.csv").write_text("chapter,student,due,per_day\n99,,2026-11-20,0.1\n")
    (desk / "empty.csv").write_text("")
    (desk / "damaged").mkdir()
    (desk / "damaged" / "checkpoint.pt").write_text("garbage")
    (desk / "other").mkdir()
    parts = {name: {} for name in ("model", "optimizer", "schedule")}
    state = {"rng": torch.Generator().get_state(), "epoch": 1, "images": 1}
    torch.save(state | parts, desk / "other" / "checkpoint.pt")
    (desk / "seven").mkdir()
    torch.save(state | parts | {"settings": {"seed": 7}}, desk / "seven" / "checkpoint.pt")
    (desk / "data" / "models").mkdir(parents=True)
    for path in (*data_path("models").glob("*.md"), *data_path("models").glob("vae.*")):
        shutil.copy(path, desk / "data" / "models")
    shutil.copy(data_path("models", "classifier.safetensors"), desk / "data" / "models")
    shutil.copytree(data_path("toy"), desk / "data" / "toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANCOURSE_DATA", str(desk / "data"))
        renew_checksums()
    return desk


@pytest.fixture
def typed(desk, monkeypatch):
    """Type a line in that folder: its exit status and its answer, in one line. Nothing but files of `may` may appear."""
    monkeypatch.chdir(desk)
    monkeypatch.setenv("GANCOURSE_CACHE", str(desk / "cache"))

    def enter(*words: str, may: tuple[str, ...] = ("cache",), **environment: str) -> tuple[int, str]:
        before = {path: path.read_bytes() for path in desk.rglob("*") if path.is_file()}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        after = {path: path.read_bytes() for path in desk.rglob("*") if path.is_file()}
        changed = {path for path in before | after if before.get(path) != after.get(path)}
        assert not {path for path in changed if path.relative_to(desk).parts[0] not in may}
        return done.exit_code, " ".join(done.output.split())

    return enter


HUGE = "99999999999999999999999"
ARRAYS = "evaluate --real f8.npy --fake f8.npy"
GRADE = "grade subs --out graded"
REFUSED = [  # what is typed ('' is an empty word), the exit status, words of the answer
    ("start file", 2, "'[FOLDER]': Directory 'file' is a file."),
    ("start file/sub", 2, "'[FOLDER]': file/sub: {desk}/file is a file, not a folder"),
    ("start ''", 2, "'[FOLDER]': expected a value, got nothing"),
    ("start good", 1, "Error: good exists already: name a new folder"),
    ("update good", 1, "good is no working copy: `gancourse start NEW_FOLDER` makes one"),
    ("update file", 2, "'[FOLDER]': Directory 'file' is a file."),
    ("update ''", 2, "expected a value, got nothing"),
    ("reset 02.1 --folder nosuch", 1, "--folder: there is no folder nosuch: `gancourse start nosuch`"),
    ("reset 99.1 --folder copy", 1, "EXERCISE: there is no chapter 99"),
    ("reset ²2.1 --folder copy", 1, "EXERCISE: expected a number such as 03.2, got '²2.1'"),
    ("reset 2.9 --folder copy", 1, "EXERCISE: there is no 2.9: chapter 02 has 02.1, 02.2, 02.3, 02.4"),
    ("reset 02.1 --folder ''", 2, "'--folder': expected a value, got nothing"),
    ("reset 02.1 --folder not-json", 1, "not-json/02_covariance.ipynb is damaged (not JSON): move it away"),
    ("reset 02.1 --folder not-utf8", 1, "not-utf8/02_covariance.ipynb is damaged (not UTF-8): move it away"),
    ("reset 02.1 --folder no-cells", 1, "no-cells/02_covariance.ipynb is damaged (no 'cells'): move it away"),
    ("reset 02.1 --folder no-source", 1, "no-source/02_covariance.ipynb is damaged (no 'source'): move it"),
    ("evaluate --real '' --fake good", 2, "'--real': expected a value, got nothing"),
    (f"{ARRAYS} --train ''", 2, "'--train': expected a value, got nothing"),
    (f"{ARRAYS} --metrics ''", 2, "'--metrics': expected a value, got nothing"),
    (f"{ARRAYS} --metrics ,", 1, "Error: --metrics: none given, expected fid, "),
    (f"{ARRAYS} --metrics FIDD", 1, "Error: --metrics: FIDD unknown, expected fid, "),
    (f"{ARRAYS} --metrics authenticity", 1, "Error: --metrics: authenticity needs --train"),
    (f"{ARRAYS} --features inception --weights x", 1, "Error: --features: nothing was named that needs"),
    (f"{ARRAYS} --weights x", 1, "Error: --weights: nothing was named that needs a network"),
    (f"{ARRAYS} --samples 0", 2, "'--samples': 0 is not in the range x>=1"),
    (f"{ARRAYS} --samples 3", 1, "Error: --samples: expected at least 6 samples, got 3"),
    (f"{ARRAYS} --seed {HUGE}", 2, f"'--seed': {HUGE} is not in the range"),
    (f"{ARRAYS} --out nowhere/r.json", 1, "Error: --out: nowhere/r.json: there is no folder"),
    (f"{ARRAYS} --out file", 1, "Error: --out: file: expected a name for a report, such as report.json"),
    (f"{ARRAYS} --html page.pdf", 1, "Error: --html: page.pdf: expected a name for a report"),
    (f"{ARRAYS} --out ''", 2, "'--out': expected a value, got nothing"),
    ("evaluate --real nan.npy --fake f8.npy", 1, "Error: --real nan.npy: row 3 has NaN"),
    ("evaluate --real few.npy --fake f8.npy", 1, "Error: --real few.npy: expected at least 6 samples, got 3"),
    ("evaluate --real f8.npy --fake f9.npy", 1, "--fake f9.npy has 9 columns of features, real f8.npy has 8"),
    ("evaluate --real broken.npy --fake good", 1, "--real broken.npy can't be read: it is damaged, or no"),
    ("evaluate --real broken.npz --fake good", 1, "--real broken.npz can't be read: it is damaged, or no"),
    ("evaluate --real inner.npz --fake good", 1, "Error: --real inner.npz can't be read: "),
    ("evaluate --real bf16.safetensors --fake f8.npy", 1, "'bfloat16' not understood: save it as float32"),
    (
        "evaluate --real badconfig.safetensors --fake good",
        1,
        "--real badconfig.safetensors can't be read: the",
    ),
    (
        "evaluate --real dangling --fake good",
        1,
        "--real dangling: 1 file can't be used: zz.png cannot be read",
    ),
    ("evaluate --real pipe --fake good", 1, "zz.png cannot be read (a link to nothing, or no regular file)"),
    (f"{GRADE} --jobs 0", 2, "'--jobs': 0 is not in the range x>=1"),
    (f"{GRADE} --jobs -2", 2, "'--jobs': -2 is not in the range x>=1"),
    (f"{GRADE} --cell-seconds 0", 2, "'--cell-seconds': 0 is not in the range x>=1"),
    (f"{GRADE} --cell-seconds -1", 2, "'--cell-seconds': -1 is not in the range x>=1"),
    (f"{GRADE} --seed -1", 2, "'--seed': -1 is not in the range x>=0"),
    ("grade subs --out badseed", 1, "badseed/seed is damaged: expected one whole number, got 'abc'"),
    ("grade subs --out ''", 2, "'--out': expected a value, got nothing"),
    ("grade subs --out file/x", 2, "'--out': file/x: {desk}/file is a file, not a folder"),
    (f"{GRADE} --chapter 99", 1, "Error: --chapter: there is no solution notebook for 99, expected numbers"),
    (f"{GRADE} --chapter 03", 1, "Error: SUBMISSIONS: there is no chapter 03 in"),
    (f"{GRADE} --regrade zoe", 1, "Error: --regrade: nothing was handed in by zoe"),
    (f"{GRADE} --credit mistake", 1, "Error: --credit: expected mistake, wrong, "),
    (f"{GRADE} --credit mistake=0.5 --credit mistake=0.9", 1, "Error: --credit: mistake is there twice"),
    (f"{GRADE} --late due.csv", 1, "Error: --late: due.csv, line 2: there is no chapter '99'"),
    (f"{GRADE} --students empty.csv", 1, "Error: --students: empty.csv is empty"),
    (f"{GRADE} --fill fill.csv", 1, "Error: --fill: fill.csv: 02 cov (1) counts from x points"),
    (f"{GRADE} --fill nochapter.csv", 1, "Error: --fill: nochapter.csv: no column has a chapter's number"),
    ("release ''", 2, "expected a value, got nothing"),
    (
        "release covariance",
        1,
        "Error: CHAPTERS: there is no solution notebook for covariance, expected numbers",
    ),
    ("execute 99", 1, "Error: CHAPTERS: there is no solution notebook for 99"),
    ("train gan", 2, "Invalid value for 'MODEL': 'gan' is not one of"),
    (f"train vae --out t --seed {HUGE}", 2, f"'--seed': {HUGE} is not in the range"),
    ("train vae --out t --beta nan", 1, "Error: --beta: expected a finite number, 0 or more, got nan"),
    ("train vae --out t --beta -1", 1, "Error: --beta: expected a finite number, 0 or more, got -1.0"),
    ("train vae --out t --more 100", 1, "Error: --more: vae doesn't take it, only stylegan"),
    ("train classifier --out t --beta 3", 1, "Error: --beta: classifier doesn't take it, only vae"),
    ("train toy --out t --seed 3", 1, "Error: --seed: toy doesn't take it, only classifier, vae"),
    ("train stylegan --out t --more -5", 2, "'--more': -5 is not in the range x>=0"),
    ("train vae --out damaged", 1, "Error: --out: damaged/checkpoint.pt is damaged: move it away"),
    ("train vae --out other", 1, "Error: --out: other/checkpoint.pt is of a run of another model"),
    ("train vae --out seven", 1, "--out: seven/checkpoint.pt is of a run with seed 7, not 0: name another"),
    ("train vae --out file", 2, "'--out': Directory 'file' is a file."),
    ("ship vae f8.npy", 1, "Error: WEIGHTS: expected a .safetensors file, got f8.npy"),
    ("ship nosuch a1.safetensors --yes", 1, "Error: NAME: expected one of toy, classifier"),
    ("ship ../toy/runs a1.safetensors --yes", 1, "Error: NAME: expected one of toy, classifier"),
    ("ship vae broken.safetensors --yes", 1, "Error: WEIGHTS: broken.safetensors is not a whole safetensors"),
    (
        "ship vae badconfig.safetensors --yes",
        1,
        "Error: WEIGHTS: badconfig.safetensors: the weights don't fit",
    ),
    ("ship vae badjson.safetensors --yes", 1, "Error: WEIGHTS: badjson.safetensors: the weights don't fit"),
    ("ship toy a1.safetensors --yes", 1, "Error: WEIGHTS: a1.safetensors doesn't hold the toy's runs"),
    (
        "ship vae data/models/classifier.safetensors --yes",
        1,
        "WEIGHTS: vae is of class VAE, data/models/class",
    ),
    ("ship vae data/models/vae.safetensors", 1, "nothing was replaced; where nobody can answer, add --yes"),
]


@pytest.mark.parametrize(("line", "status", "answer"), REFUSED)
def test_a_slip_is_refused_by_name_and_nothing_is_written(typed, desk, line, status, answer):
    words = ["" if word == "''" else word for word in line.split()]
    found, told = typed(*words, **({"GANCOURSE_DATA": str(desk / "data")} if words[0] == "ship" else {}))
    assert found == status and answer.format(desk=desk) in told, told


def test_a_folder_where_a_notebook_belongs_is_named(typed):
    status, told = typed("update", "copy", may=("copy",))
    assert status == 1 and "Error: copy/02_covariance.ipynb is a folder, where a notebook belongs" in told


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder that nobody can write in")
@pytest.mark.parametrize(
    "line",
    [
        f"{ARRAYS} --out /proc/r.json",
        f"{ARRAYS} --html /proc/r.html",
        "start /proc/x",
        "grade subs --out /proc/x",
        "release --out /proc/x",
        "train vae --out /proc/x",
    ],
)
def test_where_nothing_can_be_written_is_found_out_before_any_work(typed, line):
    status, told = typed(*line.split())
    assert status == 2 and "nothing can be written in /proc (No such file or directory)" in told


@pytest.mark.parametrize("fake", ["good", "vae"])
def test_a_folder_of_data_without_models_is_named(typed, desk, fake):
    status, told = typed(*f"evaluate --real good --fake {fake}".split(), GANCOURSE_DATA=str(desk / "good"))
    assert status == 1 and f"there are no models in {desk}/good/models: unset GANCOURSE_DATA" in told


def test_what_cannot_be_read_may_be_skipped(typed):
    for real in ("dangling", "pipe"):
        line = f"evaluate --real {real} --fake good --metrics kid --skip-unreadable"
        status, told = typed(*line.split())
        assert status == 0 and "1 real files were left out: zz.png" in told, told


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one chapter, whose text a test writes."""
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path / "notebooks")
    return tmp_path


@pytest.mark.parametrize("command", [["execute"], ["release"], ["release", "--check"]])
@pytest.mark.parametrize(("text", "why"), [(b"{", "not JSON"), (b'{"nbformat": 4}', "no 'cells'")])
def test_a_damaged_solution_is_named(checkout, command, text, why):
    path = checkout / "notebooks" / "solutions" / CHAPTER
    path.write_bytes(text)
    done = CliRunner().invoke(main, [*command, "02"])
    assert done.exit_code == 1 and f"Error: {path} is damaged ({why})" in done.output
    assert path.read_bytes() == text and not (checkout / "notebooks" / CHAPTER).exists()


def test_a_solution_that_raises_is_named_with_its_cell(checkout):
    path = checkout / "notebooks" / "solutions" / CHAPTER
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [RAISES]}))
    done = CliRunner().invoke(main, ["execute", "02"])
    told = f"Error: {path}, cell a: ZeroDivisionError: division by zero; the file stays as it was"
    assert done.exit_code == 1 and told in done.output


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[tool]\n", 'pyproject.toml has no [tool.gancourse] with repository = "": add it'),
        ("[[[", "pyproject.toml is not TOML: "),
        (None, "pyproject.toml: only a checkout of the course is stamped"),
    ],
)
def test_stamping_needs_a_checkout_that_names_its_repository(checkout, text, answer):
    if text is not None:
        (checkout / "pyproject.toml").write_text(text)
    done = CliRunner().invoke(main, ["stamp"])
    assert done.exit_code == 1 and answer in done.output
