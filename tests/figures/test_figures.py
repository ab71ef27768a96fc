import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

from gancourse import figures


@pytest.fixture
def shown(monkeypatch):
    """What `show` sends to the notebook, as (bundle, metadata) pairs."""
    sent = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda bundle, metadata, raw: sent.append((bundle, metadata)) if raw else None,
    )
    return sent


def test_a_figure_leaves_with_its_alternative_text_and_width(shown):
    figure, ax = figures.new(size=(4, 3))
    ax.plot([1, 2, 3])
    assert figures.show(figure, alt="It rises.") is None
    (bundle, metadata) = shown[0]
    assert bundle["text/plain"] == "It rises."
    assert metadata == {"image/png": {"alt": "It rises.", "width": 480}}
    picture = Image.open(io.BytesIO(bundle["image/png"]))
    assert picture.size == (720, 540)
    assert picture.mode == "P"  # 256 colours
    assert not picture.info.keys() & {"Software", "Creation Time"}


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_no_figure_leaves_without_a_text(shown, alt):
    with pytest.raises(ValueError, match="alt"):
        figures.show(figures.new()[0], alt=alt)
    assert not shown


def test_show_closes_pyplot_figures(shown):
    import matplotlib.pyplot as plt

    figure, _ = plt.subplots()
    figures.show(figure, alt="Empty axes.")
    assert not plt.fignum_exists(figure.number)


def test_the_style_stays_in_its_figures():
    before = dict(matplotlib.rcParams)
    figure, axes = figures.new(2, 2, title="Four")
    figures.png(figure)
    assert axes.shape == (2, 2)
    assert dict(matplotlib.rcParams) == before
    assert not axes[0, 0].spines["top"].get_visible()


def test_same_figure_same_bytes():
    def draw():
        figure, ax = figures.new()
        figures.heatmap(ax, [[1, -1], [0.5, 0]], values=True)
        return figures.png(figure)

    assert draw() == draw()


def test_the_package_import_stays_free_of_matplotlib():
    code = "import gancourse, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_tiling_keeps_every_pixel_in_its_place():
    images = torch.arange(5 * 4 * 3, dtype=torch.uint8).reshape(5, 1, 4, 3)
    sheet = figures.tile_images(images, columns=3, gap=2)
    assert sheet.shape == (2 * 4 + 2, 3 * 3 + 2 * 2)
    assert (sheet[6:, 5:8] == images[4, 0].numpy()).all()
    assert (sheet[6:, 8:] == 255).all()
    assert (figures.tile_images(images, columns=3, gap=2, scale=3)[1::3, 1::3] == sheet).all()
    colour = figures.tile_images(images.repeat(1, 3, 1, 1), columns=5, gap=0)
    assert colour.shape == (4, 15, 3)
    assert (colour[:, 3:6, 1] == images[1, 0].numpy()).all()


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (7, 3, 32, 32), (12, 1, 8, 8)])
def test_image_batches_show_with_and_without_labels(shown, shape):
    images = torch.zeros(shape, dtype=torch.uint8)
    figures.show_images(images, alt="Black squares.")
    figures.show_images(images, alt="Black squares.", labels=range(shape[0]), columns=3, title="Squares")
    assert [bundle["text/plain"] for bundle, _ in shown] == ["Black squares."] * 2


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 1, 4, 4)),
        np.zeros((4, 4), np.uint8),
        np.zeros((2, 2, 4, 4), np.uint8),
        np.zeros((0, 1, 4, 4), np.uint8),
    ],
)
def test_what_is_no_image_batch_is_named(images):
    with pytest.raises(ValueError, match="images: expected uint8"):
        figures.tile_images(images)


def test_labels_must_match_the_images():
    with pytest.raises(ValueError, match="labels: expected one for each of the 2"):
        figures.show_images(np.zeros((2, 1, 4, 4), np.uint8), labels=["a"], alt="x")


@pytest.mark.parametrize("cov", [[[2, 1], [1, 3]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]])
def test_the_ellipse_is_the_level_set_of_its_normal(cov):
    mean = np.array([5.0, -1.0])
    outline = figures.ellipse_outline(mean, cov, n_std=2) - mean
    directions = np.random.default_rng(0).normal(size=(50, 2))
    # the support function of {x: x' cov^-1 x = r^2} is r sqrt(d' cov d)
    reach = (outline @ directions.T).max(axis=0)
    expected = 2 * np.sqrt(np.einsum("ni,ij,nj->n", directions, np.asarray(cov, float), directions))
    np.testing.assert_allclose(reach, expected, rtol=2e-3, atol=1e-7)


def test_bad_ellipses_are_named():
    with pytest.raises(ValueError, match="mean"):
        figures.ellipse_outline([0, 0, 0], np.eye(2))
    with pytest.raises(ValueError, match="symmetric"):
        figures.ellipse_outline([0, 0], [[1, 2], [0, 1]])
    with pytest.raises(ValueError, match="eigenvalue"):
        figures.ellipse_outline([0, 0], [[1, 2], [2, 1]])


def test_plot_ellipse_widens_the_axes_to_hold_it():
    _, ax = figures.new()
    figures.plot_ellipse(ax, [10, 0], np.eye(2) * 4, label="real")
    low, high = ax.get_xlim()
    assert low < 6 and high > 14
    assert ax.get_legend_handles_labels()[1] == ["real"]


def test_heatmap_puts_white_at_zero():
    _, ax = figures.new()
    image = figures.heatmap(ax, [[0.0, -3.0], [np.nan, 1.0]], values=".0f", names=["a", "b"])
    assert image.get_clim() == (-3, 3)
    np.testing.assert_allclose(image.to_rgba(0.0)[:3], 1, atol=0.04)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b"]
    assert figures.heatmap(figures.new()[1], np.zeros((2, 2))).get_clim() == (-1, 1)
    with pytest.raises(ValueError, match="two axes"):
        figures.heatmap(ax, [1, 2])
