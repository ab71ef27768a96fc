"""Key press to changed picture, in milliseconds, in a real browser: python benchmarks/demo_latency.py [CHAPTER ...]

For the demos of the chapters named ("02", "03"), or of all. A key goes to the demo's first control in JupyterLab
in Chromium; the clock runs in the page, from the (last) key event to the first frame after the new picture has loaded.
A key is pressed when the last picture is there, there and back.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "demos"))
from found import DEMOS, make, press, source
from lab import focus_control, missing, notebook_page

PRESSES = 40

# A picture is a new <img>; "load" does not bubble, but it can be caught on its way down.
CLOCK = """output => {
    window.pressed = null;
    window.waits = [];
    document.addEventListener("keydown", event => { window.pressed = event.timeStamp }, true);
    output.addEventListener("load", () => requestAnimationFrame(() => {
        if (window.pressed !== null) window.waits.push(performance.now() - window.pressed);
        window.pressed = null;
    }), true);
}"""


def latencies(module, name):
    """Milliseconds from key to picture, one for each press."""
    there, back, _ = press(next(iter(make(module, name).controls.values())))
    cell = source(module, name)
    with tempfile.TemporaryDirectory() as folder, notebook_page(Path(folder, "lab"), cell) as page:
        output = page.locator(".jp-OutputArea-output:has(.widget-vbox)")
        output.locator("img").wait_for()
        page.wait_for_timeout(1000)
        focus_control(page, output)
        output.evaluate(CLOCK)
        for number in range(PRESSES + 2):
            for key in back if number % 2 else there:
                page.keyboard.press(key)
            page.wait_for_function("count => window.waits.length > count", arg=number, timeout=20_000)
            page.wait_for_timeout(50)
        # The first presses warm up: caches and the kernel's first import are no answer to a key.
        return np.array(page.evaluate("window.waits")[2:])


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    for module, name in DEMOS:
        if sys.argv[1:] and module.split(".")[2][2:4] not in sys.argv[1:]:
            continue
        p50, p95 = np.percentile(latencies(module, name), [50, 95])
        load = os.getloadavg()[0]
        print(f"{name:24} p50 {p50:4.0f} ms  p95 {p95:4.0f} ms  (load average {load:.1f})", flush=True)
