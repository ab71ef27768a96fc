"""The check where readers use it: in a kernel, with an answer that never ends and with the Stop button."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ENDLESS = "def mean_image(images):\n    while True:\n        pass"
IMPORT = "from gancourse.exercises import check"
CHECK = f'{IMPORT}\ncheck("00.1")'


def _run(*cells: str, **options) -> list:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=100, kernel_name="python3", **options).execute()
    return notebook.cells


def _told(cell) -> dict:
    return next(output["data"] for output in cell.outputs if "data" in output)


def test_an_endless_answer_holds_no_notebook():
    shorter = "from gancourse.exercises import exercise\nexercise('00.1').seconds = 1.0"
    cells = _run(shorter, ENDLESS, CHECK, "print(mean_image.__module__)")
    told = _told(cells[2])
    assert told["text/plain"].startswith("⧗ 00.1 mean_image: timed out. It had not ended after 1 s")
    assert "timed out" in told["text/html"] and "Until yours is right" in told["text/html"]
    assert cells[3].outputs[0]["text"] == "gancourse.chapters.ch00_start.exercises\n"


def test_the_stop_button_ends_in_a_verdict_and_stops_run_all():
    stop = "import os, signal, threading\nthreading.Timer(3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()"
    sources = (f"{IMPORT}\n{ENDLESS}", f'{stop}\ncheck("00.1")', "print('went on')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.raises(CellExecutionError, match="KeyboardInterrupt"):
        NotebookClient(notebook, timeout=100, kernel_name="python3").execute()
    assert _told(notebook.cells[1])["text/plain"].startswith("⧗ 00.1 mean_image: interrupted.")
    assert not notebook.cells[2].outputs
