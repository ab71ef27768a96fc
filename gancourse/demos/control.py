"""The control that every demo uses: sliders -> a pure function of their state -> a picture.

A demo is a `render` function, its controls, and a `describe` function that says the picture's numbers in words.
In a live notebook it moves; where no kernel runs, a contact sheet of a few stills stands in its place.
"""

import asyncio
import base64
import html
import io
import math
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gancourse.demos.stage import encode
from gancourse.figures.style import indexed

if TYPE_CHECKING:
    import ipywidgets

BURST = 0.003  # seconds without a further change after which a burst of changes is over
PAGE = 840  # CSS pixels: so wide is the output of a cell in a JupyterLab window of 1280, file list open

# ipywidgets offers no name for a slider's handle, so the picture passes the visible labels on when it loads.
NAMES = """for (const part of this.closest('.widget-vbox').querySelectorAll('[role=slider], .widget-readout')) {
    const label = part.closest('.widget-slider').querySelector('.widget-label').textContent;
    part.setAttribute('aria-label', label);
}"""


@dataclass(frozen=True)
class Slider:
    """A number `name` from `low` to `high` in steps of `step`, at first `value`; whole if all four numbers are ints."""

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float
    unit: str = ""

    @property
    def decimals(self) -> int:
        return max(0, math.ceil(-math.log10(self.step) - 1e-9))

    def widget(self) -> "ipywidgets.Widget":
        import ipywidgets

        whole = all(isinstance(number, int) for number in (self.low, self.high, self.step, self.value))
        return (ipywidgets.IntSlider if whole else ipywidgets.FloatSlider)(
            value=self.value,
            min=self.low,
            max=self.high,
            step=self.step,
            readout_format="d" if whole else f".{self.decimals}f",
            description=f"{self.label} ({self.unit})" if self.unit else self.label,
        )

    def exact(self, value: float) -> float:
        return round(value, self.decimals)  # a browser counts its steps up to 2.0000000000000004

    def says(self, value: float) -> str:
        return f"{self.label} = {value:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Choice:
    """One of a few `options`, at first `value`, as a drop-down list (by keyboard: Space opens it, Enter picks)."""

    name: str
    label: str
    options: tuple
    value: object

    def widget(self) -> "ipywidgets.Widget":
        import ipywidgets

        return ipywidgets.Dropdown(options=self.options, value=self.value, description=self.label)

    def exact(self, value: object) -> object:
        return value

    def says(self, value: object) -> str:
        return f"{self.label} = {value}"


@dataclass(frozen=True)
class Toggle:
    """On or off, as a box to tick."""

    name: str
    label: str
    value: bool = False

    def widget(self) -> "ipywidgets.Widget":
        import ipywidgets

        return ipywidgets.Checkbox(value=self.value, description=self.label)

    def exact(self, value: bool) -> bool:
        return value

    def says(self, value: bool) -> str:
        return f"{self.label} {'on' if value else 'off'}"


class Demo:
    """A picture with controls: `render(**state)` draws it, `describe(**state)` states its numbers in a line.

    `render` returns PNG bytes (`Stage.png`) or a uint8 array (H, W) or (H, W, 3), always of one size, at
    most 840 pixels (7 inches) wide, and depends on nothing but its arguments, one for each of the `controls`.
    `stills` are the states of the contact sheet, as dicts (at least one, else ValueError); a control that a dict leaves
    out has its initial value.
    """

    def __init__(
        self,
        render: Callable[..., bytes | np.ndarray],
        controls: Sequence[Slider | Choice | Toggle],
        describe: Callable[..., str],
        *,
        title: str,
        stills: Sequence[dict[str, Any]],
    ):
        self.render, self.describe, self.title = render, describe, title
        self.controls = {control.name: control for control in controls}
        self.stills = list(stills)
        # A kernel may hand over changes in one thread while a cell runs in another.
        self.lock = threading.Lock()
        if not self.stills:
            raise ValueError("stills: expected at least one state to draw where no kernel runs")
        for still in self.stills:
            self.state(**still)

    def state(self, **changes: Any) -> dict[str, Any]:
        """The controls' initial values, some replaced by `changes`; ValueError for an unknown name."""
        if unknown := changes.keys() - self.controls.keys():
            raise ValueError(f"state: no control named {sorted(unknown)}; there are {list(self.controls)}")
        return {name: control.value for name, control in self.controls.items()} | changes

    def picture(self, **changes: Any) -> bytes:
        """The picture of a state as PNG bytes."""
        with self.lock:
            drawn = self.render(**self.state(**changes))
        return drawn if isinstance(drawn, bytes) else encode(drawn)

    def line(self, **changes: Any) -> str:
        """A sentence with the numbers of a state (what `describe` returns)."""
        return self.describe(**self.state(**changes))

    def caption(self, **changes: Any) -> str:
        """The changed values as text, `rho = 0.5, k = 3`; all values if nothing was changed."""
        return ", ".join(self.controls[name].says(value) for name, value in (changes or self.state()).items())

    def sheet(self) -> tuple[bytes, str]:
        """The stills as one PNG, and their text alternative."""
        lines = [f"{self.caption(**still)}: {self.line(**still)}" for still in self.stills]
        return self._sheet(), "\n".join([self.title, *lines])

    def _sheet(self, gap: int = 24, size: int = 16) -> bytes:
        """The pictures at their natural size, two in a row where the page is wide enough, each with its caption."""
        import matplotlib
        from PIL import Image, ImageDraw, ImageFont

        frames = [Image.open(io.BytesIO(self.picture(**still))).convert("RGB") for still in self.stills]
        width, height = frames[0].size
        columns = 2 if len(frames) > 1 and 2 * width + gap <= PAGE else 1
        path = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
        font = ImageFont.truetype(path, size)
        captions = [_wrap(self.caption(**still), width, font.getlength) for still in self.stills]
        strip = round(1.4 * size * max(len(lines) for lines in captions)) + 4
        rows = math.ceil(len(frames) / columns)
        sheet = Image.new(
            "RGB", (columns * (width + gap) - gap, rows * (strip + height + gap) - gap), "white"
        )
        pen = ImageDraw.Draw(sheet)
        for i, (frame, lines) in enumerate(zip(frames, captions, strict=True)):
            row, column = divmod(i, columns)
            x, y = column * (width + gap), row * (strip + height + gap)
            pen.multiline_text((x, y), "\n".join(lines), fill="black", font=font)
            sheet.paste(frame, (x, y + strip))
        return indexed(sheet)

    def show(self) -> None:
        """Display the live demo with its contact sheet and text for where no kernel runs."""
        from IPython.display import display

        sheet, text = self.sheet()
        view = {"version_major": 2, "version_minor": 0, "model_id": Panel(self).box.model_id}
        bundle = {"application/vnd.jupyter.widget-view+json": view, "image/png": sheet, "text/plain": text}
        display(bundle, metadata={"image/png": {"alt": text}}, raw=True)


class Panel:
    """A demo's live widgets: `controls` by name, `reset`, `image`, `line`, all in `box`."""

    def __init__(self, demo: Demo):
        import ipywidgets

        self.demo = demo
        self.controls = {name: control.widget() for name, control in demo.controls.items()}
        longest = max(len(widget.description) for widget in self.controls.values())
        label = f"{1 + 0.85 * longest:.0f}ch"  # a letter is on average narrower than a digit
        for widget in self.controls.values():
            widget.style.description_width = label
            widget.layout.width, widget.layout.max_width = f"calc({label} + 240px)", "calc(100% - 4px)"
        self.reset = ipywidgets.Button(description="Reset", layout={"width": "80px"})
        self.reset.on_click(self.back)
        self.image = ipywidgets.HTML()  # not `Image`, which has no alternative text
        self.line = ipywidgets.HTML()
        heading = ipywidgets.HTML(f"<b>{html.escape(demo.title)}</b>")
        controls = ipywidgets.Box([*self.controls.values(), self.reset], layout={"flex_flow": "row wrap"})
        self.box = ipywidgets.VBox([heading, controls, self.image, self.line])
        self.changes = 0
        self.task: asyncio.Task | None = None
        self.draw()
        for widget in self.controls.values():
            widget.observe(self.changed, names="value")

    def back(self, _: object) -> None:
        """Set every control to its initial value."""
        for name, widget in self.controls.items():
            widget.value = self.demo.controls[name].value

    def changed(self, _: object) -> None:
        """Draw soon: the kernel hands over changes one by one, and only the newest is worth a picture."""
        self.changes += 1
        if self.task is None or self.task.done():
            try:
                self.task = asyncio.get_running_loop().create_task(self.settle())
            except RuntimeError:  # no kernel's loop: a script or a test
                self.draw()

    async def settle(self) -> None:
        """Let the changes that already wait in the kernel's queue come in first, then draw the last."""
        for _ in range(30):
            seen = self.changes
            await asyncio.sleep(BURST)
            if seen == self.changes:
                break
        self.draw()

    def draw(self) -> None:
        """Draw the controls' state, or say in the line why it cannot be drawn."""
        state = {name: self.demo.controls[name].exact(widget.value) for name, widget in self.controls.items()}
        try:
            picture, line = self.demo.picture(**state), self.demo.line(**state)
        except Exception as error:
            self.image.layout.visibility = "hidden"
            line = f"These settings cannot be drawn: {type(error).__name__}: {error}"
        else:
            self.image.value = _img(picture, line)
            self.image.layout.visibility = "visible"
        self.line.value = f'<div role="status" aria-live="polite">{html.escape(line)}</div>'


def _img(picture: bytes, alt: str) -> str:
    """PNG bytes as an <img> of their own size, smaller where the page is narrower."""
    width, height = struct.unpack(">II", picture[16:24])  # of the PNG's header
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" decoding="sync"'
        f' style="display: block; max-width: 100%; height: auto" onload="{html.escape(NAMES)}"'
        f' src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
    )


def _wrap(text: str, width: float, length: Callable[[str], float]) -> list[str]:
    """The words of `text` in lines no longer than `width`, as `length` measures them."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if length(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
