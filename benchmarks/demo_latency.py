"""Key press to changed picture, in milliseconds, in a real browser: python benchmarks/demo_latency.py covariance frechet

Each name is a module of `gancourse.demos` with a function of the same name. An arrow key goes to the demo's
first slider in JupyterLab in Chromium; the clock runs in the page, from the key event to the first frame
after the new picture has loaded. A key is pressed when the last picture is there, back and forth.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "demos"))
from lab import focus_slider, missing, notebook_page

PRESSES = 40

# The first press warms up: JIT, caches and the kernel's first import are no answer to a key.
CLOCK = """() => {
    const image = document.querySelector("img.widget-image");
    window.pressed = null;
    window.waits = [];
    document.addEventListener("keydown", event => { window.pressed = event.timeStamp }, true);
    image.addEventListener("load", () => requestAnimationFrame(() => {
        if (window.pressed !== null) window.waits.push(performance.now() - window.pressed);
        window.pressed = null;
    }));
}"""


def latencies(name):
    """Milliseconds from key to picture, one for each press."""
    cell = f"from gancourse.demos.{name} import {name}\n{name}().show()"
    with tempfile.TemporaryDirectory() as folder, notebook_page(Path(folder, "lab"), cell) as page:
        page.wait_for_selector("img.widget-image")
        page.wait_for_timeout(2000)
        focus_slider(page)
        page.evaluate(CLOCK)
        for press in range(PRESSES + 2):
            page.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
            page.wait_for_function("count => window.waits.length > count", arg=press, timeout=20_000)
            page.wait_for_timeout(50)
        return np.array(page.evaluate("window.waits")[2:])


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    if not sys.argv[1:]:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        waits = latencies(name)
        p50, p95 = np.percentile(waits, [50, 95])
        print(
            f"{name:16} p50 {p50:4.0f} ms  p95 {p95:4.0f} ms  (load average {os.getloadavg()[0]:.1f})",
            flush=True,
        )
