"""What must hold for the demo of any chapter, without a browser."""

import io
import re

import numpy as np
import pytest
from found import DEMOS, FILES, IDS, ends, make
from PIL import Image

from gancourse.demos.control import PAGE

every_demo = pytest.mark.parametrize("demo", DEMOS, ids=IDS, indirect=True, scope="module")


@pytest.fixture(scope="module")
def demo(request):
    return make(*request.param)


def size(png):
    return Image.open(io.BytesIO(png)).size


def test_every_demo_file_holds_a_demo():
    assert FILES
    assert {module.split(".")[2] for module, _ in DEMOS} == {file.parent.name for file in FILES}


@every_demo
def test_the_picture_is_that_of_its_state_and_of_nothing_else(demo, request):
    first = demo.picture()
    changed = set()
    for name, control in demo.controls.items():
        away = next(end for end in ends(control) if end != control.value)
        if demo.picture(**{name: away}) != first:
            changed.add(name)
        assert demo.picture() == first, f"moving {name} away and back leaves another picture"
    assert changed, "no control changes the picture"
    module, function = DEMOS[IDS.index(request.node.callspec.id)]
    assert make(module, function).picture() == first, "made anew, it draws another picture"


@every_demo
def test_every_end_of_every_control_is_drawn_and_said(demo):
    expected = size(demo.picture())
    for name, control in demo.controls.items():
        for end in ends(control):
            assert size(demo.picture(**{name: end})) == expected, f"{name} = {end}"
            assert re.search(r"\d", demo.line(**{name: end})), f"{name} = {end}: no number in words"
            assert not re.search(r"\bnan\b", demo.line(**{name: end})), f"{name} = {end}"


@every_demo
def test_the_picture_fits_the_page(demo):
    assert size(demo.picture())[0] <= PAGE
    png, text = demo.sheet()
    assert size(png)[0] <= PAGE
    assert len(text.splitlines()) == 1 + len(demo.stills)


@every_demo
def test_the_stills_differ(demo):
    pictures = {demo.picture(**still) for still in demo.stills}
    assert len(pictures) == len(demo.stills)
    assert all(re.search(r"\d", demo.line(**still)) for still in demo.stills)
    assert all(np.asarray(Image.open(io.BytesIO(png))).std() > 1 for png in pictures)
