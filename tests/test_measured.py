"""Tables that were measured once: what is written is read again, and the shipped ones are of the shipped models."""

import hashlib
import json

import pytest

from gancourse.chapters.measured import read_measured, write_measured
from gancourse.files import data_path

SHIPPED = sorted(path.stem for path in data_path("measured").glob("*.json"))


def test_what_is_written_is_read_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.safetensors").write_bytes(b"weights")
    rows = [{"psi": 0.5, "counts": [1, 2]}, {"psi": 1.0, "counts": [3, 4]}]
    card = {"a": {"FID": {"value": 1.5, "stderr": None}}, "b": {}}
    write_measured("99_x", "python -m x", ("m",), {"seed": 1}, {"rows": (row for row in rows), "card": card})
    found = read_measured("99_x")
    assert found.pop("weights_sha256") == {"m": hashlib.sha256(b"weights").hexdigest()}
    assert found == {"command": "python -m x", "seed": 1, "rows": rows, "card": card}
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows
    text = (tmp_path / "measured" / "99_x.json").read_text()
    assert '\n  {"psi": 0.5, "counts": [1, 2]},\n' in text and '\n  "b": {}\n' in text  # a row a line
    assert not list((tmp_path / "measured").glob(".*"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_table_is_of_the_shipped_models(name):
    for model, digest in read_measured(name)["weights_sha256"].items():
        weights = data_path("models", f"{model}.safetensors").read_bytes()
        assert hashlib.sha256(weights).hexdigest() == digest, model


def test_there_are_shipped_tables():
    assert len(SHIPPED) >= 7
