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


def press(control) -> tuple[str, object]:
    """A key that changes the control from its own value, and the value that it leads to."""
    if isinstance(control, Slider):
        up = control.value + control.step <= control.high + control.step / 2
        value = control.exact(control.value + (control.step if up else -control.step))
        return "ArrowRight" if up else "ArrowLeft", value
    if isinstance(control, Choice):
        options = list(control.options)
        at = options.index(control.value)
        down = at + 1 < len(options)
        return "ArrowDown" if down else "ArrowUp", options[at + (1 if down else -1)]
    return "Space", not control.value
