"""The demos in a real kernel: bursts of messages, and nbval on what is stored, with the widgets here and Colab's."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from found import DEMOS, source
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

SLOW_DEMO = """
import asyncio, time, numpy as np
from gancourse.demos.control import Demo, Panel, Slider
drawn = []
def render(k):
    drawn.append(k)
    time.sleep(0.05)
    return np.full((8, 8), k, np.uint8)
panel = Panel(Demo(render, [Slider("k", "k", 0, 200, 1, 0)], lambda k: f"<{k}>", title="slow", stills=[{}]))
drawn.clear()
print(panel.controls["k"].model_id)
"""


@pytest.fixture
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code):
    """Standard output of `code`."""
    out = []
    reply = client.execute_interactive(
        code, timeout=60, output_hook=lambda m: out.append(m["content"].get("text", ""))
    )
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(out).strip()


def test_a_drag_does_not_queue_pictures(kernel):
    comm_id = run(kernel, SLOW_DEMO)
    for k in range(1, 101):
        data = {"method": "update", "state": {"value": k}, "buffer_paths": []}
        kernel.shell_channel.send(kernel.session.msg("comm_msg", {"comm_id": comm_id, "data": data}))
    drawn = eval(run(kernel, "await asyncio.sleep(1.5); print(drawn)"))
    assert drawn[-1] == 100
    assert len(drawn) <= 10  # one would be ideal; a busy machine delivers the burst in pieces
    assert run(kernel, "print(panel.line.value)").count("100") == 1


# Under a real event loop: the panel's picture follows its first control.
MOVE = """
from found import ends
from gancourse.demos.control import Panel

panel = Panel(demo)
name, control = next(iter(demo.controls.items()))
panel.controls[name].value = next(end for end in ends(control) if end != control.value)
await panel.task
print(panel.line.value)
"""


def stored(path, cells):
    """The cells as a stored notebook: executed, its widget views dropped."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, timeout=300).execute()
    for cell in notebook.cells:
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    """A notebook with every chapter's demos: for each a cell that shows it and one that moves it."""
    here = f"import sys\n\nsys.path.insert(0, {str(Path(__file__).parent)!r})"
    cells = [here, *(cell for demo in DEMOS for cell in (source(*demo), MOVE))]
    return stored(tmp_path_factory.mktemp("stored") / "demos.ipynb", cells)


def nbval(*paths, kernel=(), **environment):
    """The verdict on each cell under nbval, {(notebook, cell): "PASSED" or "FAILED"}, and what pytest says."""
    command = [sys.executable, "-m", "pytest", "--nbval", *(kernel or ["--nbval-current-env"]), "-rA", "-q"]
    command += ["--nbval-cell-timeout", "300", "-p", "no:cacheprovider", *map(str, paths)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=paths[0].parent, env=os.environ | environment
    )
    found = re.findall(r"^(PASSED|FAILED) \S*?(\w+)\.ipynb::Cell (\d+)", done.stdout, re.M)
    return {(name, int(cell)): verdict for verdict, name, cell in found}, done.stdout + done.stderr


def all_passed(notebook):
    count = len(nbformat.read(notebook, 4).cells)
    return {(notebook.stem, cell): "PASSED" for cell in range(count)}


def test_every_demo_leaves_its_sheet_and_its_text(demos):
    shown = nbformat.read(demos, 4).cells[1::2]
    assert len(shown) == len(DEMOS) > 0
    for cell in shown:
        [output] = cell.outputs
        assert set(output.data) == {"image/png", "text/plain"}
        assert output.metadata["image/png"]["alt"] == output.data["text/plain"]


def test_every_demo_passes_nbval(demos):
    verdicts, said = nbval(demos)
    assert verdicts == all_passed(demos), said


def test_every_demo_passes_nbval_on_colabs_versions(demos, colab_python, tmp_path):
    kernel = tmp_path / "jupyter" / "kernels" / "colab"
    kernel.mkdir(parents=True)
    argv = [str(colab_python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    place = {"PYTHONPATH": str(Path(__file__).parents[2])}
    spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": place}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    version = [colab_python, "-c", "import ipywidgets; print(ipywidgets.__version__)"]
    assert subprocess.run(version, capture_output=True, text=True).stdout.strip() == "7.7.1"

    kernel = ["--nbval-kernel-name", "colab"]
    verdicts, said = nbval(demos, kernel=kernel, JUPYTER_PATH=str(tmp_path / "jupyter"))
    assert verdicts == all_passed(demos), said


def test_nbval_sees_a_changed_number(demos, tmp_path):
    notebook = nbformat.read(demos, 4)
    notebook.cells = notebook.cells[:3]
    data = notebook.cells[1].outputs[0].data
    data["text/plain"] = re.sub(r"\d\b", lambda digit: str(9 - int(digit[0])), data["text/plain"], count=1)
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    verdicts, said = nbval(tmp_path / "changed.ipynb")
    assert [verdicts["changed", cell] for cell in range(3)] == ["PASSED", "FAILED", "PASSED"], said
