"""The demos as a reader has them: JupyterLab in Chromium, keyboard and mouse."""

import base64
import io
import os

import numpy as np
import pytest
from lab import focus_slider, missing, notebook_page
from PIL import Image

from gancourse.demos.covariance import covariance

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


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if reason := missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    demo = "from gancourse.demos.covariance import covariance\ncovariance().show()"
    with notebook_page(tmp_path_factory.mktemp("lab"), demo, SLOW) as page:
        page.wait_for_function("document.querySelectorAll('img.widget-image').length == 2")
        yield page


def line(page, demo):
    return page.locator(".widget-vbox").nth(demo).locator("[role=status]")


def pixels(page, demo):
    png = page.locator("img.widget-image").nth(demo).evaluate(PIXELS)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def expected(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_arrow_key_changes_the_picture_to_the_new_state(page):
    demo = covariance()
    first = next(iter(demo.controls.values()))
    after = {first.name: first.exact(first.value + first.step)}
    assert line(page, 0).inner_text() == demo.line()
    assert (pixels(page, 0) == expected(demo.picture())).all()

    focus_slider(page)
    source = page.locator("img.widget-image").first.get_attribute("src")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "old => { const image = document.querySelector('img.widget-image');"
        " return image.src != old && image.complete }",
        arg=source,
    )
    seen = pixels(page, 0)
    assert (seen == expected(demo.picture(**after))).all()
    assert (seen != expected(demo.picture())).any()
    assert line(page, 0).inner_text() == demo.line(**after)


def test_every_control_has_a_visible_label(page):
    labels = page.locator(".widget-vbox").first.locator(".widget-slider .widget-label")
    assert labels.all_inner_texts() == [
        f"{control.label} ({control.unit})" if control.unit else control.label
        for control in covariance().controls.values()
    ]
    assert all(label.is_visible() for label in labels.all())


def test_the_text_of_the_demo_is_announced(page):
    assert line(page, 0).get_attribute("aria-live") == "polite"


def test_a_key_held_down_draws_the_newest_state_and_queues_nothing(page):
    before = int(line(page, 1).inner_text().split()[0])
    page.locator(".widget-vbox").nth(1).locator("[role=slider]").evaluate(
        """async handle => {
            for (let i = 0; i < 60; i++) {
                handle.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
                await new Promise(resolve => setTimeout(resolve, 5));
            }
        }"""
    )
    page.wait_for_function(
        "() => document.querySelectorAll('.widget-vbox [role=status]')[1].innerText.endsWith('grey level 60.')"
    )
    page.wait_for_function(
        "() => { const image = document.querySelectorAll('img.widget-image')[1]; return image.complete }"
    )
    assert (pixels(page, 1) == 60).all()
    drawn = int(line(page, 1).inner_text().split()[0]) - before
    page.wait_for_timeout(500)
    assert int(line(page, 1).inner_text().split()[0]) - before == drawn
    assert drawn < 30  # 60 key presses in about 0.3 s, 0.15 s a picture: 3 or 4 where the machine is idle
