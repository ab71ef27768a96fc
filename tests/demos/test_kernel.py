"""The demos in a real kernel: bursts of messages, and nbval on the stored notebook."""

import re
import subprocess
import sys

import nbformat
import pytest
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


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A notebook with a demo as it is stored: executed, its widget views dropped."""
    cells = [
        "from gancourse.demos.covariance import covariance",
        "demo = covariance()\ndemo.show()",
        "print(demo.line())",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, timeout=60).execute()
    for cell in notebook.cells:
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
    notebook.metadata.pop("widgets", None)
    path = tmp_path_factory.mktemp("stored") / "stored.ipynb"
    nbformat.write(notebook, path)
    return path


def test_the_stored_notebook_passes_nbval_and_a_changed_number_does_not(stored, tmp_path):
    notebook = nbformat.read(stored, 4)
    [output] = notebook.cells[1].outputs
    assert set(output.data) == {"image/png", "text/plain"}
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
    text = output.data["text/plain"]
    output.data["text/plain"] = re.sub(r"\d\b", lambda digit: str(9 - int(digit[0])), text, count=1)
    nbformat.write(notebook, tmp_path / "changed.ipynb")

    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-rA", "-q"]
    command += ["-p", "no:cacheprovider", str(stored), str(tmp_path / "changed.ipynb")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    verdicts = re.findall(r"^(PASSED|FAILED) \S*?(stored|changed)\.ipynb::Cell (\d)", result.stdout, re.M)
    assert sorted(verdicts) == sorted(
        [("PASSED", "stored", str(cell)) for cell in range(3)]
        + [("PASSED", "changed", "0"), ("FAILED", "changed", "1"), ("PASSED", "changed", "2")]
    ), result.stdout + result.stderr
