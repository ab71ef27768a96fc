import asyncio
import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from gancourse import figures
from gancourse.demos.control import Choice, Demo, Panel, Slider, Toggle
from gancourse.demos.stage import Stage, encode

TAG = {"on": 200, "off": 40}


def squares(render=None, **changes):
    """A demo without matplotlib: a grey square of the slider's brightness; counts what it draws."""
    drawn = []

    def brightness(level, tone):
        drawn.append((level, tone))
        if level == 13:
            raise ValueError("13 is <unlucky>")
        return np.full((8, 6), level + TAG[tone], np.uint8)

    settings = {
        "controls": [
            Slider("level", "brightness", 0, 50, 1, 3, "grey levels"),
            Choice("tone", "light", ("on", "off"), "off"),
        ],
        "describe": lambda level, tone: f"level {level}, light {tone}",
        "title": "Squares & co",
        "stills": [{}, {"level": 20}, {"level": 50, "tone": "on"}],
    }
    demo = Demo(render or brightness, **(settings | changes))
    return demo, drawn


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(bytes(png))))


def shown(panel):
    """The PNG bytes on a panel's page."""
    return base64.b64decode(re.search(r'src="data:image/png;base64,([^"]*)"', panel.image.value)[1])


def test_a_state_is_the_controls_values_and_what_changed():
    demo, _ = squares()
    assert demo.state(level=7) == {"level": 7, "tone": "off"}
    assert (pixels(demo.picture(level=7)) == 47).all()
    assert demo.line(tone="on") == "level 3, light on"
    with pytest.raises(ValueError, match=r"no control named \['lvl'\]; there are \['level', 'tone'\]"):
        demo.state(lvl=1)


def test_stills_are_checked_when_the_demo_is_made():
    with pytest.raises(ValueError, match="stills"):
        squares(stills=[])
    with pytest.raises(ValueError, match="no control named"):
        squares(stills=[{"volume": 11}])


def test_the_contact_sheet_says_every_still_in_words():
    demo, drawn = squares()
    png, text = demo.sheet()
    assert text.splitlines() == [
        "Squares & co",
        "brightness = 3 grey levels, light = off: level 3, light off",
        "brightness = 20 grey levels: level 20, light off",
        "brightness = 50 grey levels, light = on: level 50, light on",
    ]
    assert drawn == [(3, "off"), (20, "off"), (50, "on")]
    shades = set(np.asarray(Image.open(io.BytesIO(png)).convert("L")).ravel())
    assert {43, 60, 250} <= shades
    assert demo.sheet() == (png, text)


def pixels_rgb(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize("width, columns", [(408, 2), (409, 1), (840, 1)])
def test_stills_stand_at_their_natural_size(width, columns):
    demo, _ = squares(render=lambda level, tone: np.full((10, width), level, np.uint8))
    sheet = pixels_rgb(demo.sheet()[0])
    assert sheet.shape[1] == columns * (width + 24) - 24
    assert ((sheet == 20).all(2).sum(1) == width).sum() == 10


def test_long_captions_are_wrapped_and_not_shrunk():
    demo, _ = squares(render=lambda level, tone: np.full((10, 130), 90, np.uint8))
    ink = (pixels_rgb(demo.sheet()[0]) < 80).any(2)
    lines = np.diff(np.concatenate([[0], ink.any(1), [0]]).astype(int))
    assert (lines == 1).sum() > 4  # more lines of text than stills
    assert ink[:, 130:154].sum() == 0  # nothing between the columns


def test_show_sends_the_view_the_sheet_and_the_text_in_one_bundle(monkeypatch):
    sent = []
    monkeypatch.setattr(
        "IPython.display.display", lambda bundle, metadata, raw: sent.append((bundle, metadata, raw))
    )
    demo, _ = squares()
    assert demo.show() is None
    [(bundle, metadata, raw)] = sent
    assert raw
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}
    assert metadata["image/png"]["alt"] == bundle["text/plain"] == demo.sheet()[1]


def test_controls_carry_label_and_unit():
    panel = Panel(squares()[0])
    assert panel.controls["level"].description == "brightness (grey levels)"
    assert panel.controls["tone"].description == "light"
    assert type(panel.controls["level"].value) is int
    assert Slider("s", "spread", 0.2, 2, 0.05, 1).widget().readout_format == ".2f"
    assert Slider("s", "spread", 0.2, 2, 0.1, 1).widget().readout_format == ".1f"


def test_moving_a_slider_changes_picture_and_line():
    demo, _ = squares()
    panel = Panel(demo)
    assert (pixels(shown(panel)) == 43).all()
    panel.controls["level"].value = 30
    assert shown(panel) == demo.picture(level=30)
    assert "level 30, light off" in panel.line.value
    panel.controls["tone"].value = "on"
    assert shown(panel) == demo.picture(level=30, tone="on")


def test_reset_sets_every_control_back():
    demo, drawn = squares()
    panel = Panel(demo)
    panel.controls["level"].value, panel.controls["tone"].value = 30, "on"
    panel.reset.click()
    assert {name: widget.value for name, widget in panel.controls.items()} == demo.state()
    assert drawn[-1] == (3, "off")
    assert shown(panel) == demo.picture()


def test_a_toggle_is_on_or_off():
    demo = Demo(
        lambda cut: np.full((2, 3), 9 if cut else 7, np.uint8),
        [Toggle("cut", "truncated")],
        lambda cut: f"{9 if cut else 7}",
        title="Cut",
        stills=[{}, {"cut": True}],
    )
    assert [demo.caption(**still) for still in demo.stills] == ["truncated off", "truncated on"]
    panel = Panel(demo)
    panel.controls["cut"].value = True
    assert (pixels(shown(panel)) == 9).all()


def test_the_picture_has_its_own_size_and_its_numbers_as_alternative_text():
    demo, _ = squares(describe=lambda level, tone: f'level {level} "<{tone}>"')
    image = Panel(demo).image.value
    assert 'width="6" height="8"' in image
    assert 'alt="level 3 &quot;&lt;off&gt;&quot;"' in image


def test_a_browsers_rounding_is_undone():
    seen = []
    demo = Demo(
        lambda s: seen.append(s) or np.zeros((2, 2), np.uint8),
        [Slider("s", "spread", 0.2, 3, 0.1, 1)],
        lambda s: f"{s}",
        title="Spread",
        stills=[{}],
    )
    Panel(demo).controls["s"].value = 2.0000000000000004
    assert seen == [1, 2.0]


def test_a_failing_state_says_so_in_the_line_and_the_next_one_recovers():
    panel = Panel(squares()[0])
    panel.controls["level"].value = 13
    assert "cannot be drawn: ValueError: 13 is &lt;unlucky&gt;" in panel.line.value
    assert panel.image.layout.visibility == "hidden"
    panel.controls["level"].value = 14
    assert panel.image.layout.visibility == "visible"
    assert "level 14" in panel.line.value


def test_a_burst_of_changes_is_drawn_once_with_its_last_state():
    demo, drawn = squares()
    panel = Panel(demo)
    drawn.clear()

    async def drag():
        for level in range(20, 50):
            panel.controls["level"].value = level
            await asyncio.sleep(0)
        await panel.task

    asyncio.run(drag())
    assert drawn == [(49, "off")]
    assert shown(panel) == demo.picture(level=49)


def test_an_endless_stream_of_changes_still_gets_pictures():
    demo, drawn = squares()
    panel = Panel(demo)
    drawn.clear()

    async def drag():
        for i in range(400):
            panel.controls["level"].value = 20 + i % 2
            await asyncio.sleep(0.001)
        await panel.task

    asyncio.run(drag())
    assert 2 <= len(drawn) < 100


def test_two_panels_of_one_demo_move_alone():
    demo, _ = squares()
    one, other = Panel(demo), Panel(demo)
    one.controls["level"].value = 33
    assert other.controls["level"].value == 3
    assert shown(other) == demo.picture(level=3)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (1, 1), (300, 2, 3)])
def test_encode_keeps_every_pixel(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert (pixels(encode(array)) == array).all()
    assert (pixels(encode(array[::-1, ::-1])) == array[::-1, ::-1]).all()


@pytest.mark.parametrize("array", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8)])
def test_encode_names_what_is_no_picture(array):
    with pytest.raises(ValueError, match="pixels: expected uint8"):
        encode(array)


def test_a_stage_redraws_what_moves_as_a_whole_drawing_would():
    def build():
        figure, ax = figures.new(size=(3, 2))
        ax.set(xlim=(0, 3), ylim=(0, 3))
        return figure, ax.plot([0, 1], [0, 1])[0], ax.text(1, 2, "a")

    figure, line, text = build()
    stage = Stage(figure, [line, text])
    first = stage.png()
    line.set_data([0, 3], [3, 0])
    text.set_text("somewhat longer")
    moved = stage.png()
    assert moved != first

    figure, line, text = build()
    line.set_data([0, 3], [3, 0])
    text.set_text("somewhat longer")
    assert (pixels(Stage(figure, [line, text]).png()) == pixels(moved)).all()
    assert pixels(first).shape == (240, 360, 3)
