"""The covariance chapter's pictures say what the numbers say."""

import numpy as np
from matplotlib.colors import to_rgba

from gancourse import figures
from gancourse.chapters.ch02_covariance import pictures

COV = np.array([[4, 1.7], [1.7, 1.5]])


def test_a_rectangle_is_blue_where_its_product_is_positive():
    x, y = np.random.default_rng(0).normal(size=(2, 15))
    _, ax = figures.new()
    pictures.product_rectangles(ax, x, y)
    signed = 0
    for patch in ax.patches:
        area = patch.get_width() * patch.get_height()
        blue = patch.get_facecolor()[:3] == to_rgba(figures.REAL)[:3]
        assert blue == (area >= 0)
        signed += area
    assert np.isclose(signed / 14, np.cov(x, y)[0, 1])


def test_principal_axes_end_on_the_ellipse_at_right_angles():
    _, ax = figures.new()
    pictures.principal_axes(ax, [1, 2], COV, n_std=2)
    tips = np.array([arrow.xy for arrow in ax.texts]) - [1, 2]
    assert np.allclose([tip @ np.linalg.inv(COV) @ tip for tip in tips], 4)
    assert np.isclose(tips[0] @ tips[1], 0)
    assert np.linalg.norm(tips[0]) > np.linalg.norm(tips[1])


def test_a_spectrum_falls_and_its_shares_sum_to_one():
    _, ax = figures.new()
    pictures.spectrum(ax, [1.0, 6.0, 3.0])
    assert np.allclose(ax.lines[0].get_ydata(), [0.6, 0.3, 0.1])


def test_a_field_is_drawn_where_its_values_belong():
    _, ax = figures.new()
    drawn = pictures.field(ax, lambda points: points[:, 0] - 10 * points[:, 1], reach=2, points=3)
    assert drawn.zmin == -22 and drawn.zmax == 22
    seen = []
    pictures.field(ax, lambda points: seen.append(points) or points[:, 0], reach=2, points=3)
    assert np.allclose(seen[0][:3], [[-2, -2], [0, -2], [2, -2]])


def test_the_labels_of_a_formula_stay_in_the_picture_and_apart():
    parts = [(r"$\mathrm{cov}(x,y)$", "one number"), ("$=$", ""), (r"$\frac{1}{n-1}$", "an average of pairs")]
    parts += [("$(x_i-m)$", "above its\nmean"), ("$(y_i-m)$", "above its\nown mean")]
    figure = pictures.labelled_formula(parts)
    figures.png(figure)  # once drawn, extents are known
    texts = figure.axes[0].texts
    assert {text.get_text() for text in texts} == {text for part in parts for text in part if text}
    boxes = [text.get_window_extent() for text in texts if "$" not in text.get_text()]
    assert len(boxes) == 4
    for i, box in enumerate(boxes):
        assert box.x0 >= figure.bbox.x0 and box.x1 <= figure.bbox.x1 and box.y0 >= figure.bbox.y0
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
