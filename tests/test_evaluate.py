"""`gancourse evaluate` as a person meets it: folders, arrays, models, damaged files, interruptions, processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from gancourse import models
from gancourse.cli import main
from gancourse.datasets import fashion_mnist
from gancourse.evaluate import evaluate, sources
from gancourse.evaluate.embedding import batches_of
from gancourse.features import embed
from gancourse.metrics import Moments, fid, precision_recall, report

TEST = fashion_mnist("test").images
REAL, FAKE = TEST[:90].numpy(), TEST[100:170].numpy()


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GANCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "BATCH", 32)
    monkeypatch.setattr("gancourse.evaluate.embedding.BATCH", 32)


def folder(path, images):
    path.mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image[0]).save(path / f"{i:03}.png")
    return str(path)


def command(*arguments):
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


@pytest.fixture
def folders(tmp_path):
    return folder(tmp_path / "real", REAL), folder(tmp_path / "fake", FAKE)


def test_folders_to_table_json_and_page(folders, tmp_path):
    real, fake = folders
    out, page = tmp_path / "report.json", tmp_path / "report.html"
    done = command("--real", real, "--fake", fake, "--out", out, "--html", page)
    assert done.exit_code == 0, done.output
    assert "70 fake against 90 real samples, features: fashion 1" in done.output

    expected = report(
        real=embed(torch.from_numpy(REAL)),
        fake=embed(torch.from_numpy(FAKE)),
        extractor=models.load("classifier"),
    )
    written = json.loads(out.read_text())
    assert (written["real"], written["fake"], written["extractor"]) == (90, 70, "fashion")
    assert written["sources"] == {"real": real, "fake": fake}
    assert written["skipped"] == {"real": {}, "fake": {}} and written["seed"] == 0
    few, interval, floor = written["notes"]
    assert "70 samples are few for 64 dimensions" in few and "KID has one" in interval
    assert "45 with as many others" in floor
    for name, estimate in expected.estimates.items():
        assert written["estimates"][name]["value"] == pytest.approx(estimate.value, rel=1e-4, abs=1e-6)
        assert name in done.output
    assert 1 < written["estimates"]["Inception Score"]["value"] <= 10

    text = page.read_text()
    assert (
        len(re.findall(r'<img alt="[^"]{40,}" src="data:image/png;base64,', text)) == text.count("<img") == 2
    )
    assert "<script" not in text and "http" not in text and 'name="viewport"' in text
    assert f"Written to {out}." in done.output and f"Written to {page}." in done.output
    assert not list(tmp_path.glob(".*"))


def test_copies_of_the_training_images_are_caught(folders, tmp_path):
    real, fake = folders
    train = folder(tmp_path / "train", FAKE[:60])
    out = tmp_path / "report.json"
    done = command("--real", real, "--fake", fake, "--train", train, "--out", out)
    assert done.exit_code == 0 and f"train: {train}" in done.output
    written = json.loads(out.read_text())
    assert written["estimates"]["authenticity"]["value"] <= 10 / 70  # 60 of the 70 are copies
    assert written["estimates"]["C_T (data copying)"]["value"] < -5
    assert written["sources"]["train"] == train and written["skipped"]["train"] == {}
    for metrics, message in (
        ("fid", "train: only authenticity"),
        ("authenticity", "authenticity needs --train"),
    ):
        more = ("--train", train) if metrics == "fid" else ()
        done = command("--real", real, "--fake", fake, "--metrics", metrics, *more)
        assert done.exit_code == 1 and message in done.output


def test_arrays_of_images_in_any_order_of_axes(folders, tmp_path):
    real, fake = folders
    np.save(tmp_path / "last.npy", REAL.transpose(0, 2, 3, 1))
    np.savez(tmp_path / "grey.npz", images=FAKE[:, 0], labels=np.zeros(70))
    one = evaluate(real, fake, metrics=["fid"])
    two = evaluate(f"{tmp_path}/last.npy", f"{tmp_path}/grey.npz", metrics=["fid"])
    assert one.report["FID"].value == two.report["FID"].value > 0


def test_features_and_moments_from_files(tmp_path):
    x = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    np.savez(tmp_path / "x.npz", x.numpy())
    np.save(tmp_path / "y.npy", (2 * x + 1).numpy())
    result = evaluate(f"{tmp_path}/x.npz", f"{tmp_path}/y.npy")
    assert result.report["FID"] == fid(real=x, fake=2 * x + 1)
    assert result.report.extractor == "as given" and "Inception Score" not in result.report.estimates
    Moments(5).update(x).save(tmp_path / "m.safetensors")
    result = evaluate(f"{tmp_path}/m.safetensors", f"{tmp_path}/y.npy")
    assert result.report["FID"].value == pytest.approx(fid(real=x, fake=2 * x + 1).value)
    with pytest.raises(ValueError, match='a file of moments allows "fid" only'):
        evaluate(f"{tmp_path}/m.safetensors", f"{tmp_path}/y.npy", metrics=["kid"])


def test_samples_are_drawn_by_seed(tmp_path):
    x = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)).numpy()
    np.save(tmp_path / "x.npy", x)
    values = [
        evaluate(
            f"{tmp_path}/x.npy", f"{tmp_path}/x.npy", samples=n, seed=s, metrics=["precision_recall", "fid"]
        )
        for n, s in ((50, 0), (50, 0), (50, 1), (500, 0))
    ]
    rows = sorted(torch.randperm(200, generator=torch.Generator().manual_seed(0))[:50].tolist())
    assert values[0].real.features.tolist() == x[rows].tolist()
    assert torch.equal(values[0].real.features, values[1].real.features)
    assert not torch.equal(values[0].real.features, values[2].real.features)
    assert values[3].report.real == 200 and values[0].report.real == 50
    assert list(values[0].report.estimates) == ["FID", "precision", "recall"]


def test_a_model_against_the_data_set(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        path = models.save(models.VAE(z_dim=4, hidden=16), tmp_path / "mine.safetensors")
    result = evaluate("fashion-mnist:test", str(path), samples=40, metrics=["fid", "kid"])
    assert (result.report.real, result.report.fake) == (40, 40)
    images = result.fake.images
    whole = images.read(range(40))[1]
    assert whole.shape == (40, 1, 28, 28) and whole.float().std() > 0
    assert torch.equal(images.read([35, 3])[1], whole[[35, 3]])  # any image can be made again
    assert not torch.equal(whole[:8], whole[32:])  # the batches differ
    assert torch.equal(result.fake.features, embed(whole))
    done = command("--real", "fashion-mnist:test", "--fake", "classifier", "--samples", 9)
    assert done.exit_code == 1 and "classifier makes no images" in done.output


def test_the_frame_of_a_32_pixel_generator_is_cropped(tmp_path):
    path = models.save(models.StyleGANGenerator([4, 4, 4, 4], z_dim=4, w_dim=4), tmp_path / "gan.safetensors")
    source = sources.open_source(str(path), samples=3)
    assert source.shape == (1, 28, 28) and source.read([0, 2])[1].shape == (2, 1, 28, 28)


def test_moments_alone_give_the_same_fid_and_keep_no_features(folders):
    real, fake = folders
    alone = evaluate(real, fake, metrics=["fid"])
    assert isinstance(alone.real.features, Moments) and alone.real.features.count == 90
    both = evaluate(real, fake, metrics=["fid", "precision_recall"])
    assert alone.report["FID"].value == pytest.approx(both.report["FID"].value, rel=1e-10)
    expected = precision_recall(real=both.real.features, fake=both.fake.features)
    assert both.report["recall"].value == expected.recall


def test_unreadable_and_odd_files_are_named(folders, tmp_path):
    real, fake = folders
    whole = (tmp_path / "real/050.png").read_bytes()
    (tmp_path / "real/050.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "real/070.png").write_bytes(b"no image")
    (tmp_path / "real/002.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (28, 28)).save(tmp_path / "real/odd.png")
    out = tmp_path / "report.json"
    for metrics in ("fid", "fid,kid"):
        done = command("--real", real, "--fake", fake, "--metrics", metrics, "--out", out)
        assert done.exit_code == 1 and not out.exists()
        assert f"{real}: 4 files can't be used" in done.output and "--skip-unreadable" in done.output
        assert all(
            name in done.output for name in ("002.png", "050.png", "070.png", "odd.png is 3 x 28 x 28")
        )
        for _ in range(2):  # the second time from the cache
            skip = ("--skip-unreadable", "--out", out)
            done = command("--real", real, "--fake", fake, "--metrics", metrics, *skip)
            assert done.exit_code == 0, done.output
            written = json.loads(out.read_text())
            assert sorted(written["skipped"]["real"]) == ["002.png", "050.png", "070.png", "odd.png"]
            assert written["real"] == 87 and written["skipped"]["fake"] == {}
            assert "4 real files were left out" in done.output
        out.unlink()
    rest = [i for i in range(90) if i not in (2, 50, 70)]
    expected = fid(real=embed(torch.from_numpy(REAL[rest])), fake=embed(torch.from_numpy(FAKE)))
    assert written["estimates"]["FID"]["value"] == pytest.approx(expected.value, rel=1e-5)


def test_several_batches_at_once_give_what_one_at_a_time_gives(folders):
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            done = evaluate(*folders, use_cache=False)
            assert torch.get_num_threads() == threads
            found.append(torch.cat([done.real.features, done.fake.features]))
    finally:
        torch.set_num_threads(before)
    expected = torch.cat([embed(torch.from_numpy(REAL)), embed(torch.from_numpy(FAKE))])
    for features in found:
        torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-6)


def test_large_images_come_fewer_at_a_time(tmp_path):
    folder(tmp_path / "large", np.zeros((3, 1, 5000, 5000), np.uint8))
    assert batches_of(sources.Folder(tmp_path / "large", None, 0)) == [[0, 1], [2]]


def test_an_error_in_one_batch_is_told_and_threads_are_put_back(folders, monkeypatch):
    def fail(*_):
        raise RuntimeError("the disk is gone")

    before = torch.get_num_threads()
    monkeypatch.setattr("gancourse.datasets.ImageFolder.read", fail)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        evaluate(*folders, use_cache=False)
    assert torch.get_num_threads() == before


def test_features_are_kept_by_content(folders, tmp_path, monkeypatch):
    real, fake = folders
    for metrics in (["fid"], ["fid", "precision_recall"]):
        first = evaluate(real, fake, metrics=metrics)
        with monkeypatch.context() as patch:
            patch.setattr(
                "gancourse.evaluate.embedding.embed", lambda *_, **__: pytest.fail("embedded again")
            )
            again = evaluate(real, fake, metrics=metrics)
            assert again.report == first.report
            with pytest.raises(pytest.fail.Exception):
                evaluate(real, fake, metrics=metrics, use_cache=False)
            (tmp_path / "real/000.png").rename(tmp_path / "aside.png")
            with pytest.raises(pytest.fail.Exception):
                evaluate(real, fake, metrics=metrics)
        (tmp_path / "aside.png").rename(tmp_path / "real/000.png")
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"damaged")
    assert evaluate(real, fake, metrics=metrics).report == first.report


def test_ctrl_c_leaves_the_old_report_and_resumes_from_what_is_done(folders, tmp_path, monkeypatch):
    real, fake = folders
    out = tmp_path / "report.json"
    out.write_text("old")
    seen = []

    def interrupted(images, *rest, **options):
        seen.append(len(images))
        if sum(seen) > 130:  # in the second batch of the fakes
            signal.raise_signal(signal.SIGINT)
            time.sleep(1)  # the main thread learns of it meanwhile
        return embed(images, *rest, **options)

    arguments = ("--real", real, "--fake", fake, "--metrics", "fid,precision_recall", "--out", out)
    monkeypatch.setattr("gancourse.evaluate.embedding.embed", interrupted)
    done = command(*arguments)
    assert done.exit_code == 1 and "Aborted" in done.output
    assert out.read_text() == "old" and seen[:5] == [32, 32, 26, 32, 32]
    assert len(list((tmp_path / "cache").iterdir())) == 1  # the reals, whole

    seen.clear()
    monkeypatch.setattr(
        "gancourse.evaluate.embedding.embed", lambda *a, **o: seen.append(len(a[0])) or embed(*a, **o)
    )
    with monkeypatch.context() as patch:  # now in the middle of writing the report

        def stopped(self, text, **_):
            self.write_bytes(text[:20].encode())
            raise KeyboardInterrupt

        patch.setattr("pathlib.Path.write_text", stopped)
        assert command(*arguments).exit_code == 1
    assert out.read_text() == "old" and seen == [32, 32, 6]  # the reals came from the cache
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "fake", "real", "report.json"]
    assert command(*arguments).exit_code == 0 and json.loads(out.read_text())["real"] == 90


def test_images_that_fashion_cannot_see(tmp_path):
    np.save(tmp_path / "colour.npy", np.zeros((9, 64, 64, 3), np.uint8))
    done = command("--real", tmp_path / "colour.npy", "--fake", tmp_path / "colour.npy")
    assert done.exit_code == 1
    assert 'features "fashion" see grey images of 28 x 28' in done.output
    assert "these are 3 x 64 x 64" in done.output and "--features inception" in done.output


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (
            "a.npy",
            np.zeros((4, 1, 28, 28)),
            r"expected uint8 images .* got float64 of shape \(4, 1, 28, 28\)",
        ),
        ("a.npy", np.zeros((4, 28), np.uint8), r"got uint8 of shape \(4, 28\)"),
        ("a.npy", np.array([None]), "can't be read: .*Python objects"),
        ("a.npz", {"x": np.zeros(1), "y": np.zeros(1)}, "one called images or features, got x, y"),
        ("a.txt", "words", "expected a folder of images, or a .npy, .npz or .safetensors file"),
        ("a.npz", "words", "can't be read"),
        ("a.safetensors", "words", "can't be read"),
    ],
)
def test_files_that_hold_something_else(tmp_path, name, array, message):
    path = tmp_path / name
    if isinstance(array, str):
        path.write_text(array)
    elif isinstance(array, dict):
        np.savez(path, **array)
    else:
        np.save(path, array)
    with pytest.raises(ValueError, match=message):
        sources.open_source(str(path))


def test_other_mistakes_are_one_clear_line(tmp_path):
    for arguments, message in (
        (
            ["--real", "nowhere", "--fake", "vae"],
            "nowhere: there is no such folder or file, nor a data set (fash",
        ),
        (
            ["--real", "x", "--fake", "y", "--metrics", "fid,fidd"],
            "metrics: fidd unknown, expected fid, fid_inf",
        ),
        (["--real", "x", "--fake", "y", "--out", f"{tmp_path}/no/r.json"], "there is no folder"),
    ):
        done = command(*arguments)
        assert done.exit_code == 1 and message in done.output.replace("\n", " "), done.output
        assert "Traceback" not in done.output


def test_inception_without_weights_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("torch.hub.urlopen", lambda *_, **__: (_ for _ in ()).throw(OSError("offline")))
    np.save(tmp_path / "colour.npy", np.zeros((9, 64, 64, 3), np.uint8))
    done = command(
        "--real", tmp_path / "colour.npy", "--fake", tmp_path / "colour.npy", "--features", "inception"
    )
    assert done.exit_code == 1 and "can't be downloaded (offline)" in done.output


@pytest.mark.parametrize(("processes", "metrics"), [(3, "fid"), (2, "fid,precision_recall")])
def test_processes_share_the_work_and_agree(processes, metrics, tmp_path, monkeypatch):
    """The reals' 600 files are 3 batches, the fakes' 300 images 2: shares are uneven, and of 3 processes one has none."""
    monkeypatch.setattr(sources, "BATCH", 256)
    monkeypatch.setattr("gancourse.evaluate.embedding.BATCH", 256)
    real = folder(tmp_path / "real", TEST[:600].numpy())
    (tmp_path / "real/299.png").write_bytes((tmp_path / "real/298.png").read_bytes()[:60])
    np.save(tmp_path / "fake.npy", TEST[1000:1300].numpy())
    arguments = ("--real", real, "--fake", f"{tmp_path}/fake.npy", "--metrics", metrics, "--skip-unreadable")
    assert command(*arguments, "--no-cache", "--out", tmp_path / "one.json").exit_code == 0

    start = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    line = [
        sys.executable,
        *start,
        "-m",
        "gancourse",
        "evaluate",
        *arguments,
        "--out",
        f"{tmp_path}/all.json",
    ]
    done = subprocess.run(line, env=os.environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("300 fake against 599 real samples") == 1
    one, several = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "all"))
    assert list(several["skipped"]["real"]) == ["299.png"] and several["skipped"] == one["skipped"]
    for name, estimate in one["estimates"].items():
        assert several["estimates"][name]["value"] == pytest.approx(estimate["value"], rel=1e-10, abs=0), name
    assert len(list((tmp_path / "cache").iterdir())) == 2 - (
        metrics == "fid"
    )  # moments have no room for names


def test_a_report_replaces_only_reports(folders, tmp_path):
    real, fake = folders
    out, page = tmp_path / "report.json", tmp_path / "link.json"
    page.symlink_to(out)
    for place, message in (
        (tmp_path / "real" / "000.png", "expected a name for a report"),
        (tmp_path / "features.npz", "expected a name for a report"),
        (os.devnull, "expected a file, this is something else"),
        (tmp_path / "none" / "x.json", "there is no folder"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate(real, fake, metrics=["fid"], out=str(place))
    with pytest.raises(ValueError, match="expected a name for a report"):
        evaluate(real, fake, metrics=["fid"], out=str(out), html=str(page))
    assert not out.exists()
    evaluate(real, fake, metrics=["fid"], out=str(page))
    assert page.is_symlink() and json.loads(out.read_text())["real"] == 90


def test_what_was_asked_for_is_there_or_an_error(folders, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(20, 4)))
    features = str(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="inception_score needs probabilities"):
        evaluate(features, features, metrics=["inception_score"])
    with pytest.raises(
        ValueError,
        match=r"fid_infinity needs at least twice as many samples.* got 90 real and 70 fake samples of 64",
    ):
        evaluate(*folders, metrics=["fid_infinity"])
    few = evaluate(*folders, metrics=["fid"], use_cache=False)
    assert re.search("70 samples are few for 64 dimensions.*at least 128 samples", few.notes[0])
    assert "no error of FID is known" in few.notes[1]
    np.save(tmp_path / "b.npy", np.random.default_rng(1).normal(size=(20, 4)))
    enough = evaluate(features, f"{tmp_path}/b.npy", metrics=["kid"])
    assert enough.notes == []
    assert "KID has one" in evaluate(features, f"{tmp_path}/b.npy", metrics=["fid", "kid"]).notes[0]
    assert "FID" in command("--real", features, "--fake", features, "--metrics", "FID, Kid,").output


def test_arrays_that_are_empty_or_can_be_read_in_two_ways(tmp_path):
    for shape, message in (
        ((0, 28, 28), "holds no images"),
        ((28, 28, 3), "can be read in two ways"),
        ((9, 3, 64, 3), "can be read in two ways"),
    ):
        np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
        with pytest.raises(ValueError, match=message):
            sources.open_source(str(tmp_path / "a.npy"))


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(folders, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANCOURSE_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="are not kept for the next time"):
        done = evaluate(*folders, metrics=["fid"])
    assert done.report == evaluate(*folders, metrics=["fid"], use_cache=False).report


def test_two_identical_sets_are_told(folders, tmp_path):
    np.save(tmp_path / "real.npy", REAL[::-1])
    same = evaluate(folders[0], f"{tmp_path}/real.npy")
    assert "compare a set with itself" in same.notes[0]
    alone = evaluate(folders[0], f"{tmp_path}/real.npy", metrics=["fid"], use_cache=False)
    assert isinstance(alone.real.features, Moments) and "compare a set with itself" in alone.notes[0]
    assert "itself" not in " ".join(evaluate(*folders).notes)


def test_rows_that_a_full_run_kept_serve_fid_alone(folders, monkeypatch):
    full = evaluate(*folders)
    monkeypatch.setattr("gancourse.evaluate.embedding.embed", lambda *_, **__: pytest.fail("embedded again"))
    assert evaluate(*folders, metrics=["fid"]).report["FID"] == full.report["FID"]


def test_refusals_name_what_was_typed(folders, tmp_path):
    few = folder(tmp_path / "few", REAL[:3])
    (tmp_path / "empty").mkdir()
    colour = tmp_path / "colour.npy"
    np.save(colour, np.repeat(REAL, 3, axis=1))
    for fake, message in (
        (few, f"--fake {few}: expected at least 6 samples, got 3"),
        (tmp_path / "empty", f"--fake {tmp_path}/empty: no image in"),
        (colour, "grey images saved in colour"),
        ("nowhere", "(stylegan, stylegan-16, stylegan-8, stylegan-shapes, vae,"),
        ("classifier", "--fake classifier makes no images: expected a generator (stylegan,"),
    ):
        done = command("--real", folders[0], "--fake", fake)
        assert done.exit_code == 1 and message in done.output, done.output


def test_an_interrupt_says_what_was_kept(folders, monkeypatch):
    def stop_at_fakes(images, *rest, **options):
        if len(images) == 6:  # the last batch of the fakes
            raise KeyboardInterrupt
        return embed(images, *rest, **options)

    monkeypatch.setattr("gancourse.evaluate.embedding.embed", stop_at_fakes)
    done = command("--real", folders[0], "--fake", folders[1])
    assert f"The features of {folders[0]} are kept; {folders[1]} begins anew" in done.output
    assert (
        "No features were kept" in command("--real", *folders[:1], "--fake", folders[1], "--no-cache").output
    )
