import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

from gancourse import figures
from gancourse.figures.style import CSS_PIXELS, SHARPNESS


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
    assert picture.size == (600, 450)
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


def test_256_colours_are_close_to_all_of_them():
    figure, ax = figures.new(size=(4, 4))
    values = np.zeros((64, 64))
    values[0] = np.linspace(-1, 1, 64)
    figures.heatmap(ax, values)
    figures.png(figure)  # the first drawing lays the figure out
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=CSS_PIXELS * SHARPNESS)
    full = np.asarray(Image.open(buffer).convert("RGB"), int)
    few = np.asarray(Image.open(io.BytesIO(figures.png(figure))).convert("RGB"), int)
    assert few.shape == full.shape
    assert np.abs(few - full).max() <= 8  # of 255; 14 where colours are chosen by how often they occur
    assert (few[full.min(axis=2) == 255] == 255).all()  # white stays white


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


def test_a_cloud_brings_its_own_ellipse_or_the_one_given():
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(50, 2)) @ np.array([[2, 1], [0, 1]]))
    for given in ({}, {"mean": points.numpy().mean(0), "cov": np.cov(points.T)}):
        _, ax = figures.new()
        figures.plot_cloud(ax, points, label="real", reach=9, **given)
        outline = figures.ellipse_outline(points.numpy().mean(0), np.cov(points.T))
        np.testing.assert_allclose(ax.patches[0].get_xy()[:181], outline)
        np.testing.assert_allclose(ax.collections[0].get_offsets(), points)
        assert ax.get_legend_handles_labels()[1] == ["real"]
        assert ax.get_xlim() == ax.get_ylim() == (-9, 9)
    _, ax = figures.new()
    figures.plot_cloud(ax, points, label="real", ellipse=False)
    assert not ax.patches and ax.get_legend_handles_labels()[1] == ["real"]
    with pytest.raises(ValueError, match=r"points: expected shape \(N, 2\), got \(2, 3\)"):
        figures.plot_cloud(ax, np.zeros((2, 3)))


def bars(ax):
    """Low and high ends of the error bars."""
    segments = np.array(ax.collections[0].get_segments())
    return segments[:, :, 1]


def test_a_spread_is_the_draws_mean_and_deviation():
    _, ax = figures.new()
    figures.plot_spread(ax, [10, 100], [[1.0, 3.0], [5.0, 5.0]], label="FID")
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[10, 2], [100, 5]])
    np.testing.assert_allclose(bars(ax), [[1, 3], [5, 5]])
    with pytest.raises(ValueError, match="draws: expected a row for each of the 3 x"):
        figures.plot_spread(ax, [1, 2, 3], [[1, 2], [3, 4]])


def test_an_interval_reaches_from_low_to_high():
    _, ax = figures.new()
    figures.plot_interval(ax, [10, 100], [2.0, 5.0], [(1.5, 4.0), (5.0, 5.5)])
    np.testing.assert_allclose(bars(ax), [[1.5, 4], [5, 5.5]])
    with pytest.raises(ValueError, match=r"intervals: expected shape \(2, 2\)"):
        figures.plot_interval(ax, [1, 2], [1, 2], [0.5, 0.5])
    with pytest.raises(ValueError, match="low <= value <= high"):
        figures.plot_interval(ax, [1, 2], [1, 2], [(0, 2), (3, 4)])


def test_sizes_stand_as_whole_numbers_on_a_logarithmic_axis():
    _, ax = figures.new()
    figures.log_sizes(ax, [200, 1000, 5000])
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["200", "1000", "5000"]


def test_rows_have_names_and_labels(monkeypatch):
    drawn = []
    monkeypatch.setattr("gancourse.figures.images.show", lambda figure, *, alt: drawn.append((figure, alt)))
    images = np.zeros((3, 1, 8, 8), np.uint8)
    figures.show_rows(
        {"real": images, "fake": images}, labels={"fake": "def", "real": "abc"}, alt="Black.", title="Two"
    )
    [(figure, alt)] = drawn
    assert alt == "Black."
    assert [text.get_text() for text in figure.axes[0].texts] == [*"abcdef", "real", "fake"]
    with pytest.raises(ValueError, match="rows: expected images of one shape"):
        figures.show_rows({"real": images, "fake": images[:2]}, alt="Black.")
