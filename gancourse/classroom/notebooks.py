"""Notebooks as plain JSON: read, put in normal form, execute, write so that a change gives a small diff."""

import base64
import json
import os
import re
import tempfile
from pathlib import Path

import gancourse
from gancourse import files
from gancourse.classroom import cells as roles

_KEPT = ("nbgrader", "gancourse", "tags", "jupyter")  # of a cell's metadata
_WIDGETS = ("application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json")
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def folder() -> Path:
    """Where the course's notebooks lie: inside the installed package, or beside it in a checkout."""
    package = Path(gancourse.__file__).resolve().parent
    installed = package / "notebooks"
    return installed if installed.is_dir() else package.parent / "notebooks"


def solutions(chapters: tuple[str, ...] = ()) -> list[Path]:
    """The solution notebooks of these chapters ("03", "3" or "03_name"), of all where none is named."""
    paths = sorted((folder() / "solutions").glob("[0-9][0-9]_*.ipynb"))
    named = {name: path for path in paths for name in (path.name[:2], str(int(path.name[:2])), path.stem)}
    if missing := [chapter for chapter in chapters if chapter not in named]:
        expected = (
            f"expected numbers from {paths[0].name[:2]} to {paths[-1].name[:2]}" if paths else "nor any"
        )
        raise ValueError(f"chapters: there is no solution notebook for {', '.join(missing)}, {expected}")
    return sorted({named[chapter] for chapter in chapters}) or paths


def read(path: Path) -> dict:
    """The notebook in `path`, its texts as strings rather than lists of lines; ValueError, naming it, where it is none."""
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        kind = "UTF-8" if isinstance(error, UnicodeDecodeError) else "JSON"
        raise ValueError(f"{path} is damaged (not {kind})") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise ValueError(f"{path} is not a notebook of format 4")
    try:
        for cell in notebook["cells"]:
            cell["source"], _ = _joined(cell["source"]), (cell["cell_type"], {**cell.get("metadata", {})})
            for output in cell.get("outputs", ()):
                if "text" in output:
                    output["text"] = _joined(output["text"])
                output.get("data", {}).update({k: _joined(v) for k, v in output.get("data", {}).items()})
    except (KeyError, TypeError, AttributeError) as error:
        missing = f"no {error}" if isinstance(error, KeyError) else "its cells are something else"
        raise ValueError(f"{path} is damaged ({missing})") from None
    return notebook


def text(notebook: dict) -> str:
    """The notebook as it is stored: keys sorted, one line of source a line, as Jupyter writes it."""
    split = json.loads(json.dumps(notebook))
    for cell in split["cells"]:
        cell["source"] = cell["source"].splitlines(True)
        for output in cell.get("outputs", ()):
            if "text" in output:
                output["text"] = output["text"].splitlines(True)
            for mime, value in output.get("data", {}).items():
                if mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript"):
                    output["data"][mime] = value.splitlines(True)
    return json.dumps(split, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write(path: Path, notebook: dict | str) -> bool:
    """Store a notebook, whole or not at all; returns whether that changed the file."""
    path = Path(path)
    new = (notebook if isinstance(notebook, str) else text(notebook)).encode()
    if path.is_file() and path.read_bytes() == new:
        return False
    files.write(path, lambda draft: draft.write_bytes(new))
    return True


def normalised(notebook: dict) -> dict:
    """The normal form of a notebook, in which nothing depends on who ran it, where, when or how often.

    Cell ids stay; missing and repeated ones are made from the cell's first words. Cells named `answer-03-2` and
    `check-03-2` get the metadata of exercise 03.2. Of a widget only its still picture and its text remain.
    """
    cells: list[dict] = []
    ids: set[str] = set()
    count = 0
    for given in notebook["cells"]:
        cell = {"cell_type": given["cell_type"], "source": given["source"].rstrip("\n")}
        cell["id"] = _new_id(given, ids)
        ids.add(cell["id"])
        cell["metadata"] = {k: v for k, v in given.get("metadata", {}).items() if k in _KEPT and v}
        cell["metadata"] |= roles.metadata(cell["id"])
        if given.get("attachments"):
            cell["attachments"] = given["attachments"]
        if cell["cell_type"] == "code":
            ran = given.get("execution_count") is not None
            count += ran
            cell["execution_count"] = count if ran else None
            cell["outputs"] = _outputs(given.get("outputs", []), cell["execution_count"])
        cells.append(cell)
    return {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}


def execute(path: Path, *, cell_timeout: float = 300) -> bool:
    """Execute a notebook in a scratch folder and store it in normal form; returns whether the file changed.

    Where a cell raises (without the tag raises-exception), takes longer than `cell_timeout` seconds or ends the kernel,
    a ValueError names it, and the file stays as it was.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.reads(text(normalised(read(path))), as_version=4)
    ran: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        client = NotebookClient(
            notebook,
            timeout=cell_timeout,
            kernel_name="python3",
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": scratch}},
            on_cell_execute=lambda cell, cell_index: ran.append(cell["id"]),
        )
        try:
            client.execute(env={**os.environ, "TQDM_DISABLE": "1"})  # how long a thing took is no output
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            message = str(error).partition("\n")[0]
            if isinstance(error, CellExecutionError):
                message = f"{error.ename}: {error.evalue}"
            raise ValueError(f"{path}, cell {ran[-1]}: {message}; the file stays as it was") from error
    return write(path, normalised(json.loads(json.dumps(notebook))))


def _joined(value):
    return "".join(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value


def _new_id(cell: dict, taken: set[str]) -> str:
    id = cell.get("id", "")
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", id) and id not in taken:
        return id
    stem = "-".join(re.findall(r"[a-z0-9]+", cell["source"].lower())[:5])[:40] or cell["cell_type"]
    return next(name for n in range(1, 10**6) if (name := f"{stem}-{n}" if n > 1 else stem) not in taken)


def _outputs(given: list[dict], count: int | None) -> list[dict]:
    outputs: list[dict] = []
    for output in given:
        output = {k: v for k, v in output.items() if k != "transient"}
        if output["output_type"] == "stream":
            if outputs and outputs[-1].get("name") == output["name"]:
                outputs[-1]["text"] += output["text"]
                continue
        elif "data" in output:
            data = {mime: value for mime, value in output["data"].items() if mime not in _WIDGETS}
            if not data:
                continue
            for mime in data.keys() & {"image/png", "image/jpeg"}:
                raw = base64.b64decode("".join(data[mime].split()))
                data[mime] = base64.b64encode(raw).decode()
            output["data"] = data
        if output["output_type"] == "execute_result":
            output["execution_count"] = count
        outputs.append(output)
    return outputs
