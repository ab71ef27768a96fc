"""Cards: what is known of a shipped model, as Markdown beside its weights, and the checksums of all shipped files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from gancourse.files import data_path


def path_of(name: str) -> Path:
    """data/models/NAME.md, or data/toy/runs.md for "toy"."""
    return data_path("toy", "runs.md") if name == "toy" else data_path("models", f"{name}.md")


def read(name: str) -> dict[str, str]:
    """Everything that a shipped model's card lists, as label -> text."""
    return _rows(path_of(name).read_text(encoding="utf-8"))


def renewed(name: str, recipe: Mapping[str, object], measured: Mapping[str, object] | str) -> str:
    """The card's text made anew around what a person wrote into it: every word stays but those of two parts.

    The rows of `recipe` are added to the recipe's or replace them; `measured`, if there is any, replaces the part
    "Measured": rows all of it, text (tables under headings) what stands from its first heading on. ValueError where a
    part is missing: the words of a card are written by hand.
    """
    path = path_of(name)
    parts = path.read_text(encoding="utf-8").split("\n## ")
    heads = [part.partition("\n")[0] for part in parts]
    if "Recipe" not in heads or (measured and "Measured" not in heads):
        raise ValueError(f"{path}: expected a part Recipe and, for its numbers, a part Measured")
    for i, head in enumerate(heads):
        if head == "Recipe" and recipe:
            parts[i] = f"Recipe\n\n{_table({**_rows(parts[i]), **recipe})}"
        if head == "Measured" and measured:
            words = parts[i].partition("### ")[0]
            parts[i] = words + measured if isinstance(measured, str) else f"Measured\n\n{_table(measured)}"
    return "\n## ".join(parts)


def _rows(text: str) -> dict[str, str]:
    cells = [line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| ")]
    return {pair[0]: pair[1] for pair in cells if len(pair) == 2}


def _table(rows: Mapping[str, object]) -> str:
    return "| | |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in rows.items())


def renew_checksums() -> None:
    """List every shipped data file with its SHA-256 in data/SHA256SUMS."""
    root = data_path()
    files = sorted(
        p
        for p in root.rglob("*")
        if p.suffix in (".gz", ".safetensors", ".npz", ".json") or p.name == "LICENSE"
    )
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(root).as_posix()}\n" for p in files
    ]
    (root / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
