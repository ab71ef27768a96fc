"""What takes longer than a chapter's minute: measured once, stored with its provenance in `data/measured`, read by all."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from gancourse import files
from gancourse.files import data_path


def read_measured(name: str) -> dict:
    """The tables of data/measured/NAME.json, and how they were made."""
    return json.loads(data_path("measured", f"{name}.json").read_text(encoding="utf-8"))


def write_measured(
    name: str,
    command: str,
    models: Sequence[str],
    about: Mapping[str, object],
    tables: Mapping[str, Iterable[dict] | Mapping[str, object]],
) -> None:
    """Store tables with what made them, a row a line; rows that are measured one by one are printed as they come.

    command: repeats the measurement. models: shipped ones that it uses, whose checksums are stored. about: seeds, sizes.
    tables: name -> rows, or name -> {row's name: row}.
    """
    weights = {
        model: hashlib.sha256(data_path("models", f"{model}.safetensors").read_bytes()).hexdigest()
        for model in models
    }
    head = {"command": command, **about, "weights_sha256": weights}
    parts = [f' "{key}": {json.dumps(value)}' for key, value in head.items()]
    for key, table in tables.items():
        if isinstance(table, Mapping):
            rows = [f'  "{row}": {json.dumps(value)}' for row, value in table.items()]
            parts.append(f' "{key}": {{\n' + ",\n".join(rows) + "\n }")
        else:
            rows = [f"  {line}" for line in _printed(table)]
            parts.append(f' "{key}": [\n' + ",\n".join(rows) + "\n ]")
    path = data_path("measured", f"{name}.json")
    path.parent.mkdir(exist_ok=True)
    text = "{\n" + ",\n".join(parts) + "\n}\n"
    files.write(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def _printed(rows: Iterable[dict]) -> Iterable[str]:
    for row in rows:
        line = json.dumps(row)
        print(line, flush=True)
        yield line
