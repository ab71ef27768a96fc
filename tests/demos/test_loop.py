import ipywidgets
import pytest

from gancourse.demos import loop


@pytest.fixture
def images(monkeypatch):
    """The HTML widgets that were made; nothing is displayed."""
    made = []

    class Html(ipywidgets.HTML):
        def __init__(self):
            super().__init__()
            made.append(self)

    monkeypatch.setattr(ipywidgets, "HTML", Html)
    monkeypatch.setattr("IPython.display.display", lambda *args, **keywords: made.append(args[0]))
    return made


def run(drawn, stop=None):
    done = []
    for step in loop.watched(5, lambda n: (drawn.append(n) or b"png", f'"{n}" <done>'), title="a loop"):
        done.append(step)
        if step == stop:
            raise KeyboardInterrupt
    return done


def test_every_step_is_given_and_the_last_picture_stands(images, monkeypatch):
    monkeypatch.setattr(loop, "EVERY", 0)
    drawn = []
    assert run(drawn) == [0, 1, 2, 3, 4] and drawn == [0, 1, 2, 3, 4, 5]
    *_, image, shown = images  # the bar's own labels come first
    assert shown["text/plain"] == "a loop: 5 steps, shown live where a kernel runs."
    assert image.value == '<img alt="&quot;5&quot; &lt;done&gt;" src="data:image/png;base64,cG5n">'


def test_pictures_are_drawn_no_oftener_than_stated(images, monkeypatch):
    now = iter([100.0, 100.0, 100.1, 100.5, 100.5, 100.6, 100.7])
    monkeypatch.setattr(loop.time, "monotonic", lambda: next(now))
    drawn = []
    run(drawn)
    assert drawn == [0, 2, 5]


def test_an_interrupt_leaves_the_last_picture_standing(images, monkeypatch):
    monkeypatch.setattr(loop, "EVERY", 1e9)
    drawn = []
    with pytest.raises(KeyboardInterrupt):
        run(drawn, stop=2)
    assert drawn[-1] == 2 and "&quot;2&quot;" in images[-2].value
