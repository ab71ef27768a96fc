"""The demos as a reader has them: JupyterLab in Chromium, keyboard and mouse."""

import base64
import functools
import io
import os

import numpy as np
import pytest
from found import DEMOS, IDS, make, press, source
from lab import focus_control, missing, notebook_page
from PIL import Image

made = functools.cache(make)
every_demo = pytest.mark.parametrize("number, demo", list(enumerate(DEMOS)), ids=IDS)

SLOW = """
import time
import numpy as np
from gancourse.demos.control import Demo, Slider
drawn = []
def render(k):
    drawn.append(k)
    time.sleep(0.15)
    return np.full((40, 60), k, np.uint8)
Demo(render, [Slider("k", "grey level", 0, 200, 1, 0)], lambda k: f"{len(drawn)} drawn, grey level {k}.",
     title="A slow demo", stills=[{}]).show()
"""

PIXELS = """image => {
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
}"""

# What can be scrolled sideways: the output, what it stands in, what stands in it.
SCROLLS = """output => {
    const parts = [...output.querySelectorAll("*")];
    for (let part = output; part; part = part.parentElement) parts.push(part);
    return parts.filter(part => part.scrollWidth > part.clientWidth
        && ["auto", "scroll"].includes(getComputedStyle(part).overflowX)).map(part => part.className);
}"""

CUT = "label => label.scrollWidth > label.clientWidth"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if reason := missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    cells = [*(source(*demo) for demo in DEMOS), SLOW]
    with notebook_page(tmp_path_factory.mktemp("lab"), *cells) as page:
        yield page


def panel(page, number):
    """The demo in the notebook's cell of this number, once it is all there."""
    found = page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea-output")
    found.locator("img").wait_for()
    assert found.count() == 1, "the demo's cell shows more than the demo, a warning perhaps"
    return found


def line(panel):
    return panel.locator("[role=status]")


def pixels(panel):
    return opened(base64.b64decode(panel.locator("img").evaluate(PIXELS)))


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def wait_for_line(page, number, text):
    page.wait_for_function(
        """([number, text]) => document.querySelectorAll(".jp-CodeCell")[number]
            .querySelector("[role=status]").innerText == text""",
        arg=[number, text],
        timeout=20_000,
    )


@every_demo
def test_a_key_changes_the_picture_and_reset_brings_it_back(page, number, demo):
    here, demo = panel(page, number), made(*demo)
    name, control = next(iter(demo.controls.items()))
    keys, _, value = press(control)
    assert line(here).inner_text() == demo.line()
    assert (pixels(here) == opened(demo.picture())).all()

    focus_control(page, here)
    for key in keys:
        page.keyboard.press(key)
    wait_for_line(page, number, demo.line(**{name: value}))
    seen = pixels(here)
    assert (seen == opened(demo.picture(**{name: value}))).all()
    assert (seen != opened(demo.picture())).any()

    for _ in range(3 * len(demo.controls)):
        if page.evaluate("document.activeElement.innerText") == "Reset":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_line(page, number, demo.line())
    assert (pixels(here) == opened(demo.picture())).all()


@every_demo
def test_every_control_has_a_visible_label_and_the_same_name(page, number, demo):
    here, controls = panel(page, number), made(*demo).controls.values()
    for control in controls:
        unit = getattr(control, "unit", "")
        text = f"{control.label} ({unit})" if unit else control.label
        label = here.locator("label", has_text=text).first
        assert label.is_visible() and not label.evaluate(CUT)
        role = {"Slider": "slider", "Choice": "combobox", "Toggle": "checkbox"}[type(control).__name__]
        assert here.get_by_role(role, name=text, exact=True).count() == 1


@every_demo
def test_numbers_are_announced_and_stand_for_the_picture(page, number, demo):
    here = panel(page, number)
    assert line(here).get_attribute("aria-live") == "polite"
    assert here.get_by_role("img", name=line(here).inner_text(), exact=True).count() == 1


@every_demo
@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_scrolls_sideways_and_the_picture_is_sharp(page, number, demo, width):
    here = panel(page, number)
    page.set_viewport_size({"width": width, "height": 1000})
    page.wait_for_function("width => document.body.clientWidth == width", arg=width)
    page.wait_for_timeout(200)  # JupyterLab lays itself out a moment later
    assert here.evaluate(SCROLLS) == []
    natural, shown, room = here.locator("img").evaluate(
        "image => [image.naturalWidth, image.getBoundingClientRect().width, image.parentElement.clientWidth]"
    )
    assert shown == min(natural, room)
    if width == 1280:
        assert shown == natural


def test_a_key_held_down_draws_the_newest_state_and_queues_nothing(page):
    number = len(DEMOS)
    here = panel(page, number)
    before = int(line(here).inner_text().split()[0])
    here.locator("[role=slider]").evaluate(
        """async handle => {
            for (let i = 0; i < 60; i++) {
                handle.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
                await new Promise(resolve => setTimeout(resolve, 5));
            }
        }"""
    )
    page.wait_for_function(
        """number => document.querySelectorAll(".jp-CodeCell")[number]
            .querySelector("[role=status]").innerText.endsWith("grey level 60.")""",
        arg=number,
    )
    assert (pixels(here) == 60).all()
    drawn = int(line(here).inner_text().split()[0]) - before
    page.wait_for_timeout(500)
    assert int(line(here).inner_text().split()[0]) - before == drawn
    assert drawn < 30  # 60 key presses in about 0.3 s, 0.15 s a picture: 3 or 4 where the machine is idle
