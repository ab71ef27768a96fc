"""The game of real or generated: its parts, and how it plays in a browser."""

import io
import os

import numpy as np
import pytest
import torch
from lab import missing, notebook_page
from PIL import Image

from gancourse.chapters.ch05_truncation import demo

CELL = """
from gancourse.chapters.ch05_truncation.demo import hype_game

game = hype_game()
game.show()
"""


@pytest.fixture(scope="module")
def game():
    return demo.hype_game()


def test_half_of_a_deck_is_real_and_a_seed_repeats_it():
    deck = demo.deal(10, seed=3)
    assert deck.images.shape == (10, 1, 28, 28) and deck.images.dtype == torch.uint8
    assert deck.real.sum() == 5
    again, other = demo.deal(10, seed=3), demo.deal(10, seed=4)
    assert torch.equal(deck.images, again.images) and (deck.real == again.real).all()
    assert not torch.equal(deck.images, other.images)


def test_the_real_ones_of_a_deck_are_test_images():
    deck, test = demo.deal(10, seed=3), demo.fashion_mnist("test").images
    found = [(test == image).flatten(1).all(1).any() for image in deck.images]
    assert np.array_equal(found, deck.real)


@pytest.mark.parametrize("milliseconds", [100, 1000])
def test_a_timed_image_plays_once_and_ends_black(milliseconds):
    image = demo.deal(2).images[0]
    film = Image.open(io.BytesIO(demo.flash(image, milliseconds)))
    assert film.info["loop"] == 1
    frames, times = [], []
    for i in range(film.n_frames):
        film.seek(i)
        frames.append(np.asarray(film.convert("L")))
        times.append(film.info["duration"])
    assert (frames[1] == image[0].numpy()).all() and times[1] == milliseconds
    assert sorted(frames[2].ravel()) == sorted(frames[1].ravel()) and (frames[2] != frames[1]).any()
    assert (frames[-1] == 0).all()


def test_an_untimed_image_stays_and_no_two_files_are_equal():
    image = demo.deal(2).images[0]
    still = Image.open(io.BytesIO(demo.flash(image, None)))
    assert getattr(still, "n_frames", 1) == 1 and (np.asarray(still) == image[0].numpy()).all()
    assert demo.flash(image, 500, "a") != demo.flash(image, 500, "b")


def test_error_rate_and_its_interval():
    rate, low, high = demo.error_rate(np.array([1] * 30 + [0] * 70))
    assert rate == 0.3 and (low, high) == (pytest.approx(0.21, abs=0.02), pytest.approx(0.39, abs=0.02))
    assert demo.error_rate(np.zeros(20)) == (0, 0, 0)


def test_a_game_from_start_to_result_and_again(game):
    assert game.says_real.disabled and game.says_made.disabled
    game.says_real.click()
    assert game.answers_given == []
    game.start.click()
    for real in game.deck.real:
        assert not game.says_real.disabled
        (game.says_real if real else game.says_made).click()
    assert game.says_real.disabled and "wrong on 0%" in game.line.value
    game.says_real.click()
    assert len(game.answers_given) == game.n

    first = game.deck.images
    game.start.click()
    assert game.answers_given == [] and not torch.equal(game.deck.images, first)
    for real in game.deck.real:
        (game.says_real if not real else game.says_made).click()
    assert "wrong on 100%" in game.line.value
    assert (
        "10 of 10 real images taken for generated, 10 of 10 generated ones taken for real" in game.line.value
    )


def test_where_no_kernel_runs_there_are_a_still_and_folded_answers(game, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    game.show()
    game.answers()
    assert Image.open(io.BytesIO(shown[0]["image/png"])).width >= 840
    numbers = (np.flatnonzero(game.first.real) + 1).tolist()
    assert shown[1]["text/html"].startswith("<details>") and str(numbers)[1:-1] in shown[1]["text/plain"]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if reason := missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with notebook_page(tmp_path_factory.mktemp("hype"), CELL) as page:
        page.locator(".jp-OutputArea-output img").wait_for()
        yield page


def press(page, name):
    """Reach the button whose text begins so with the Tab key from the game's heading, and press Enter on it."""
    page.locator(".jp-OutputArea-output .widget-html").first.click()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the Tab key does not lead to {name!r}")


def brightness(page):
    """Mean grey level of the picture as it stands in the page, without its border."""
    picture = page.locator(".jp-OutputArea-output img").screenshot()
    return np.asarray(Image.open(io.BytesIO(picture)).convert("L"))[8:-8, 8:-8].mean()


def said(page):
    return page.locator(".jp-OutputArea-output [role=status]")


def test_in_a_browser_the_keyboard_plays_a_whole_game(page):
    press(page, "Start")
    page.wait_for_function("document.querySelector('[role=status]').innerText.startsWith('Image 1 of 20')")
    assert brightness(page) > 5  # no limit: the image stays
    for number in range(2, 21):
        press(page, "Real" if number % 2 else "Generated")
        page.wait_for_function(
            f"document.querySelector('[role=status]').innerText.startsWith('Image {number} of 20')"
        )
    press(page, "Real")
    page.wait_for_function("document.querySelector('[role=status]').innerText.startsWith('You were wrong')")
    assert "95% bootstrap interval" in said(page).inner_text()


def test_in_a_browser_a_timed_image_is_gone_after_its_time(page):
    page.locator(".jp-OutputArea-output select").first.select_option("1/4 s")
    press(page, "Start")
    page.wait_for_function("document.querySelector('[role=status]').innerText.startsWith('Image 1 of 20')")
    page.wait_for_timeout(2500)
    assert brightness(page) < 1
    press(page, "Real")
    page.wait_for_function("document.querySelector('[role=status]').innerText.startsWith('Image 2 of 20')")
    seen = [
        brightness(page) for _ in range(12)
    ]  # the cross, the image or a mask must show before it is black
    page.wait_for_timeout(2500)
    assert max(seen) > 5 and brightness(page) < 1
