"""Every demo of every chapter: the functions named `..._demo` in gancourse/chapters/*/demo.py."""

import importlib
import re
from pathlib import Path

import gancourse
from gancourse.demos.control import Choice, Demo, Slider

FILES = sorted(Path(gancourse.__file__).parent.glob("chapters/*/demo.py"))

# Read, not imported: a chapter that can't be imported fails its own tests and no other's.
DEMOS = [
    (f"gancourse.chapters.{file.parent.name}.demo", name)
    for file in FILES
    for name in re.findall(r"^def ([a-z]\w*_demo)\(", file.read_text(encoding="utf-8"), re.M)
]
IDS = [f"{module.split('.')[2]}-{name}" for module, name in DEMOS]


def make(module: str, name: str) -> Demo:
    """The demo, made anew."""
    demo = getattr(importlib.import_module(module), name)()
    assert isinstance(demo, Demo), f"{module}.{name}: expected a Demo, got {type(demo).__name__}"
    return demo


def source(module: str, name: str) -> str:
    """A cell that shows the demo."""
    return f"from {module} import {name}\n\ndemo = {name}()\ndemo.show()"


def ends(control) -> tuple:
    """The values at which a control ends."""
    if isinstance(control, Slider):
        return control.low, control.high
    return control.options if isinstance(control, Choice) else (False, True)


def press(control) -> tuple[list[str], list[str], object]:
    """Keys that change the control from its own value, the keys that lead back, and the value between them."""
    if isinstance(control, Slider):
        keys, up = [["ArrowLeft"], ["ArrowRight"]], control.value + control.step <= control.high
        value = control.exact(control.value + (control.step if up else -control.step))
    elif isinstance(control, Choice):
        # An arrow on a closed list belongs to JupyterLab, which goes to the next cell.
        keys = [["Space", arrow, "Enter"] for arrow in ("ArrowUp", "ArrowDown")]
        at = control.options.index(control.value)
        up = at + 1 < len(control.options)
        value = control.options[at + 1 if up else at - 1]
    else:
        keys, up, value = [["Space"], ["Space"]], True, not control.value
    return keys[up], keys[not up], value
