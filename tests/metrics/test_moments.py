"""Moments are the same however the stream is cut, merged, stored or spread over processes."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse.metrics import Moments

X = np.random.default_rng(0).normal(size=(200, 6)) @ np.random.default_rng(1).normal(size=(6, 6)) + 3


def same(moments, rows, rtol=1e-12):
    assert moments.count == len(rows)
    np.testing.assert_allclose(moments.mean, rows.mean(axis=0), rtol=rtol)
    np.testing.assert_allclose(moments.cov, np.cov(rows, rowvar=False), rtol=rtol, atol=rtol)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 200), max_size=8))
def test_any_split_gives_numpys_moments(cuts):
    moments = Moments(6)
    for part in np.split(X, sorted(cuts)):
        moments.update(part)
    same(moments, X)


def test_rows_one_at_a_time():
    moments = Moments(6)
    for row in X[:50]:
        assert moments.update(row) is moments
    same(moments, X[:50])
    assert torch.equal(moments.cov, moments.cov.T)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_offset_of_1e8_costs_no_more_than_float64_must(size):
    rows = torch.randn(1000, 4, generator=torch.Generator().manual_seed(0)).double() + 1e8
    centred = rows - 1e8  # exact
    moments = Moments(4)
    for part in rows.split(size):
        moments.update(part)
    torch.testing.assert_close(moments.cov, centred.T.cov(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(moments.mean - 1e8, centred.mean(dim=0), rtol=0, atol=2e-8)


def test_merge_changes_self_and_returns_it():
    a, b = Moments(6).update(X[:30]), Moments(6).update(X[30:])
    assert a.merge(b) is a
    same(a, X)
    same(b, X[30:])


def test_merge_with_nothing_with_itself_and_across_offsets():
    same(Moments(6).merge(Moments(6).update(X)), X)
    same(Moments(6).update(X).merge(Moments(6)), X)
    a = Moments(6).update(X)
    same(a.merge(a), np.concatenate([X, X]))
    same(Moments(6).update(X).merge(Moments(6).update(X + 1e4)), np.concatenate([X, X + 1e4]))


def test_moments_of_different_features_refuse_to_meet():
    with pytest.raises(ValueError, match="6 and 5 dimensions"):
        Moments(6).merge(Moments(5))
    with pytest.raises(ValueError, match="'fashion 1' and 'inception 1'"):
        Moments(6, extractor="fashion 1").merge(Moments(6, extractor="inception 1"))


def test_too_few_rows_and_bad_rows_are_named():
    with pytest.raises(ValueError, match="no rows"):
        _ = Moments(6).mean
    with pytest.raises(ValueError, match="at least 2 rows, got 1"):
        _ = Moments(6).update(X[0]).cov
    with pytest.raises(ValueError, match=r"expected shape \(n, 6\)"):
        Moments(6).update(X[:, :5])
    for dim in (0, 2.0, True):
        with pytest.raises(ValueError, match="dim"):
            Moments(dim)
    assert type(Moments(np.int64(6)).dim) is int
    bad = X.copy()
    bad[17, 2] = np.nan
    moments = Moments(6).update(X)
    with pytest.raises(ValueError, match="row 17 has NaN"):
        moments.update(bad)
    same(moments, X)


def test_saved_moments_come_back_bit_for_bit(tmp_path):
    path = tmp_path / "real.safetensors"
    moments = Moments(6, extractor="fashion 1").update(X[:100])
    moments.save(path)
    moments.update(X[100:]).save(path)
    back = Moments.load(path)
    assert torch.equal(back.cov, moments.cov) and torch.equal(back.mean, moments.mean)
    assert (back.count, back.extractor) == (200, "fashion 1")
    assert os.listdir(tmp_path) == ["real.safetensors"]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "real.safetensors"
    Moments(6).update(X).save(path)
    before = path.read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        Moments(6).update(X[:9]).save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["real.safetensors"]


def test_other_files_are_no_moments(tmp_path):
    whole = tmp_path / "whole"
    Moments(6).update(X).save(whole)
    for content in (b"", b"junk" * 100, whole.read_bytes()[:-8]):
        path = tmp_path / "bad"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"bad: not a file that Moments\.save wrote"):
            Moments.load(path)
    with pytest.raises(FileNotFoundError):
        Moments.load(tmp_path / "none")


def test_all_reduce_needs_a_process_group():
    with pytest.raises(RuntimeError, match="torchrun"):
        Moments(6).all_reduce()


REDUCE = """
import sys
import numpy as np, torch
from gancourse.metrics import Moments

rank, folder, cuts = int(sys.argv[1]), sys.argv[2], [int(cut) for cut in sys.argv[3:]]
torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
rows = np.load(f"{folder}/rows.npy")
for trial, cut in enumerate(cuts):
    Moments(6).update(rows[:cut] if rank == 0 else rows[cut:]).all_reduce().save(f"{folder}/{trial}-{rank}")
torch.distributed.destroy_process_group()
"""


def test_all_reduce_gives_every_process_the_whole(tmp_path):
    cuts = (37, 0)  # uneven shards, and an empty one
    np.save(tmp_path / "rows.npy", np.asarray(X) + 1e6)
    command = [sys.executable, "-c", REDUCE]
    processes = [subprocess.Popen([*command, str(rank), str(tmp_path), *map(str, cuts)]) for rank in (0, 1)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    for trial in range(len(cuts)):
        first, second = (Moments.load(tmp_path / f"{trial}-{rank}") for rank in (0, 1))
        assert torch.equal(first.cov, second.cov) and torch.equal(first.mean, second.mean)
        same(first, X + 1e6, rtol=1e-8)


def test_large_features_survive_a_file_and_foreign_parts_are_refused(tmp_path):
    rows = 1e14 * torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    made = Moments(3).update(rows)
    made.save(tmp_path / "large")
    assert torch.equal(Moments.load(tmp_path / "large").cov, made.cov)
    with pytest.raises(TypeError, match="other: expected Moments, got NoneType"):
        made.merge(None)
