"""The one small control that every demo stands on: sliders -> a pure function of their state -> a picture.

A demo is a `render` function, its controls, and a `describe` function that says the picture's numbers in words.
In a live notebook it moves; where no kernel runs, a contact sheet of a few stills stands in its place.
"""

import asyncio
import html
import io
import math
import threading
from dataclasses import dataclass

from gancourse.demos.stage import encode

BURST = 0.003  # seconds without a further change after which a burst of changes is over


@dataclass(frozen=True)
class Slider:
    """A number from `low` to `high` in steps of `step`; whole numbers if all four are ints."""

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float
    unit: str = ""

    @property
    def decimals(self):
        return max(0, math.ceil(-math.log10(self.step) - 1e-9))

    def widget(self):
        import ipywidgets

        whole = all(isinstance(number, int) for number in (self.low, self.high, self.step, self.value))
        return (ipywidgets.IntSlider if whole else ipywidgets.FloatSlider)(
            value=self.value,
            min=self.low,
            max=self.high,
            step=self.step,
            readout_format="d" if whole else f".{self.decimals}f",
            description=f"{self.label} ({self.unit})" if self.unit else self.label,
            **_look(),
        )

    def exact(self, value):
        return round(value, self.decimals)  # a browser counts its steps up to 2.0000000000000004

    def says(self, value):
        return f"{self.label} = {value:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Choice:
    """One of a few `options`, as a drop-down list."""

    name: str
    label: str
    options: tuple
    value: object

    def widget(self):
        import ipywidgets

        return ipywidgets.Dropdown(options=self.options, value=self.value, description=self.label, **_look())

    def exact(self, value):
        return value

    def says(self, value):
        return f"{self.label} = {value}"


class Demo:
    """A picture with controls: `render(**state)` draws it, `describe(**state)` states its numbers in a line.

    `render` returns PNG bytes (`Stage.png`) or a uint8 array (H, W) or (H, W, 3), always of one size, and
    depends on nothing but its arguments, one for each of the `controls`. `stills` are the states of the
    contact sheet, as dicts; what a dict leaves out stands at its control's own value.
    """

    def __init__(self, render, controls, describe, *, title, stills):
        self.render, self.describe, self.title = render, describe, title
        self.controls = {control.name: control for control in controls}
        self.stills = list(stills)
        self.lock = (
            threading.Lock()
        )  # a kernel may hand over changes in one thread while a cell runs in another
        if not self.stills:
            raise ValueError("stills: expected at least one state to draw where no kernel runs")
        for still in self.stills:
            self.state(**still)

    def state(self, **changes):
        """The controls' own values with `changes` in their place."""
        if unknown := changes.keys() - self.controls.keys():
            raise ValueError(f"state: no control named {sorted(unknown)}; there are {list(self.controls)}")
        return {name: control.value for name, control in self.controls.items()} | changes

    def picture(self, **changes):
        """The picture of a state as PNG bytes."""
        with self.lock:
            drawn = self.render(**self.state(**changes))
        return drawn if isinstance(drawn, bytes) else encode(drawn)

    def line(self, **changes):
        """The numbers of a state in words."""
        return self.describe(**self.state(**changes))

    def caption(self, **changes):
        """What sets a state apart: `rho = 0.5, k = 3`; all of it where nothing was changed."""
        return ", ".join(self.controls[name].says(value) for name, value in (changes or self.state()).items())

    def sheet(self):
        """The stills as one PNG, and the text that stands for it."""
        lines = [f"{self.caption(**still)}: {self.line(**still)}" for still in self.stills]
        return self._sheet(), "\n".join([self.title, *lines])

    def _sheet(self, columns=2, gap=24, strip=40, widest=1440):
        import matplotlib
        from PIL import Image, ImageDraw, ImageFont

        frames = [Image.open(io.BytesIO(self.picture(**still))).convert("RGB") for still in self.stills]
        columns = min(columns, len(frames))
        width, height = frames[0].size
        rows = math.ceil(len(frames) / columns)
        size = columns * (width + gap) - gap, rows * (height + strip + gap) - gap
        sheet = Image.new("RGB", size, "white")
        pen = ImageDraw.Draw(sheet)
        path = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
        for i, (frame, still) in enumerate(zip(frames, self.stills, strict=True)):
            row, column = divmod(i, columns)
            x, y = column * (width + gap), row * (height + strip + gap)
            caption, points = self.caption(**still), 24
            while pen.textlength(caption, font := ImageFont.truetype(path, points)) > width and points > 10:
                points -= 1
            pen.text((x, y + strip / 2), caption, fill="black", font=font, anchor="lm")
            sheet.paste(frame, (x, y + strip))
        if sheet.width > widest:
            sheet = sheet.resize(
                (widest, round(sheet.height * widest / sheet.width)), Image.Resampling.LANCZOS
            )
        buffer = io.BytesIO()  # 256 colours: a third of the bytes in a stored notebook, and no eye sees it
        sheet.quantize(256, dither=Image.Dither.NONE).save(buffer, format="png", optimize=True)
        return buffer.getvalue()

    def show(self):
        """Display the live demo with its contact sheet and text for where no kernel runs; returns None."""
        from IPython.display import display

        sheet, text = self.sheet()
        view = {"version_major": 2, "version_minor": 0, "model_id": Panel(self).box.model_id}
        bundle = {"application/vnd.jupyter.widget-view+json": view, "image/png": sheet, "text/plain": text}
        display(bundle, metadata={"image/png": {"alt": text}}, raw=True)


class Panel:
    """A demo's live widgets: `controls` by name, `image`, `line`, all in `box`."""

    def __init__(self, demo):
        import ipywidgets

        self.demo = demo
        self.controls = {name: control.widget() for name, control in demo.controls.items()}
        # A column would stretch its picture to its own width.
        self.image = ipywidgets.Image(format="png", layout={"align_self": "flex-start", "max_width": "100%"})
        self.line = ipywidgets.HTML()
        heading = ipywidgets.HTML(f"<b>{html.escape(demo.title)}</b>")
        controls = ipywidgets.Box(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        self.box = ipywidgets.VBox([heading, controls, self.image, self.line])
        self.changes, self.task = 0, None
        self.draw()
        for widget in self.controls.values():
            widget.observe(self.changed, names="value")

    def changed(self, _):
        """Draw soon: the kernel hands over changes one by one, and only the newest is worth a picture."""
        self.changes += 1
        if self.task is None or self.task.done():
            try:
                self.task = asyncio.get_running_loop().create_task(self.settle())
            except RuntimeError:  # no kernel's loop: a script or a test
                self.draw()

    async def settle(self):
        """Let the changes that already wait in the kernel's queue come in first, then draw the last."""
        for _ in range(30):
            seen = self.changes
            await asyncio.sleep(BURST)
            if seen == self.changes:
                break
        self.draw()

    def draw(self):
        """Draw the controls' state, or say in the line why it cannot be drawn."""
        state = {name: self.demo.controls[name].exact(widget.value) for name, widget in self.controls.items()}
        try:
            picture, line = self.demo.picture(**state), self.demo.line(**state)
        except Exception as error:
            self.image.layout.visibility = "hidden"
            line = f"These settings cannot be drawn: {type(error).__name__}: {error}"
        else:
            self.image.value = picture
            self.image.layout.visibility = "visible"
        self.line.value = f'<div role="status" aria-live="polite">{html.escape(line)}</div>'


def _look():
    return {"style": {"description_width": "150px"}, "layout": {"width": "430px"}}
