"""Layers find the memory that earlier ones freed, instead of having it fetched anew page by page."""

import subprocess
import sys

import pytest

FORWARD = """
import resource, torch
from gancourse import models

network = {network}
inputs = {inputs}

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

with torch.inference_mode():
    for _ in range(3):
        network(inputs)
    before = faults()
    for _ in range(5):
        network(inputs)
print((faults() - before) // 5)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc of another system")
@pytest.mark.parametrize(
    ("name", "inputs"),
    [("classifier", "torch.zeros(256, 1, 28, 28, dtype=torch.uint8)"), ("stylegan", "torch.randn(64, 64)")],
)
def test_a_loaded_network_touches_hardly_any_new_page(name, inputs):
    script = FORWARD.format(network=f"models.load({name!r})", inputs=inputs)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000  # without keep_freed_memory several thousand
