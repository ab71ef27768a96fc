"""A JupyterLab of its own on a loopback port, seen through Chromium."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
QUIET += [f"--disable-{what}" for what in ("background-networking", "component-update", "sync")]

KERNEL = "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel"
RUN_ALL = "window.jupyterapp.commands.execute('notebook:run-all-cells')"
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # keeps what is out of sight in the page
}


def missing():
    """Why no browser can be driven here, or None."""
    if not shutil.which("chromium"):
        return "chromium is not installed"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"


@contextlib.contextmanager
def notebook_page(folder, *cells):
    """A Chromium page on a live notebook of these code cells, all of them run."""
    from playwright.sync_api import sync_playwright

    go_on = {"tags": ["raises-exception"]}  # a cell that fails doesn't keep the next ones from running
    notebook = new_notebook(cells=[new_code_cell(cell, metadata=go_on) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    work = Path(folder, "work")
    work.mkdir(parents=True)
    nbformat.write(notebook, work / "demo.ipynb")
    with jupyter_lab(Path(folder), work) as (address, token), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{address}/lab/tree/demo.ipynb?token={token}")
        page.wait_for_function(f"{KERNEL}?.status == 'idle'")  # else it asks which kernel to run on
        page.evaluate(f"() => {{ {RUN_ALL}.then(() => {{ window.ran = true }}) }}")
        page.wait_for_function("window.ran", timeout=300_000)  # until then JupyterLab moves the focus
        try:
            yield page
        finally:
            browser.close()


@contextlib.contextmanager
def jupyter_lab(folder, work):
    """Address and token of a JupyterLab that serves `work` and keeps all its own files in `folder`."""
    for plugin, settings in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    homes = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    options = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "root_dir": work}
    command += [f"--ServerApp.{name}={value}" for name, value in options.items()]
    command += [f"--IdentityProvider.token={token}"]
    log = open(folder / "lab.log", "w")  # noqa: SIM115
    server = subprocess.Popen(
        command,
        env=os.environ | {name: str(folder / home) for name, home in homes.items()},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/status?token={token}", timeout=5)
                break
            except (urllib.error.URLError, OSError) as error:
                if server.poll() is not None or time.monotonic() > deadline:
                    text = (folder / "lab.log").read_text()
                    raise RuntimeError(f"JupyterLab did not start:\n{text}") from error
                time.sleep(0.2)
        yield address, token
    finally:
        server.terminate()  # it shuts its kernels down
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()


def focus_control(page, panel):
    """Move the keyboard's focus to the first control of a demo, with the Tab key."""
    panel.locator(".widget-html").first.click()
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('[role=slider], select, input')"):
            return
    raise AssertionError("the Tab key does not lead to the first control")
