from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse.datasets import corruptions, fashion_mnist

DAMAGES = {  # function, strengths from weak to strong
    "noise": (corruptions.noise, (0.02, 0.1, 0.3, 1.0)),
    "blur": (corruptions.blur, (0.3, 0.7, 1.5, 4.0)),
    "occlusion": (corruptions.occlusion, (0.05, 0.2, 0.5, 1.0)),
    "swirl": (corruptions.swirl, (0.2, 0.7, 1.5, 3.0)),
    "salt_and_pepper": (corruptions.salt_and_pepper, (0.02, 0.1, 0.4, 1.0)),
}
every = pytest.mark.parametrize(("damage", "strengths"), DAMAGES.values(), ids=DAMAGES)


@pytest.fixture(scope="module")
def garments():
    return fashion_mnist("test").images[:300]


def change(a, b):
    return (a.float() - b.float()).abs()


@every
def test_stronger_changes_more(garments, damage, strengths):
    changes = [0.0, *(change(damage(garments, s), garments).mean().item() for s in strengths)]
    assert all(a < 0.9 * b for a, b in pairwise(changes)), changes


@every
def test_arrays_are_damaged_alike(garments, damage, strengths):
    assert torch.equal(damage(garments[:20].numpy(), strengths[1]), damage(garments[:20], strengths[1]))


@every
def test_zero_is_a_copy_and_the_input_stays(garments, damage, strengths):
    before = garments.clone()
    untouched = damage(garments, 0)
    assert torch.equal(untouched, before) and untouched.data_ptr() != garments.data_ptr()
    damaged = damage(garments, strengths[-1])
    assert damaged.dtype == torch.uint8 and damaged.shape == garments.shape
    assert torch.equal(garments, before)


@every
def test_same_seed_same_bits_whatever_the_global_state(garments, damage, strengths):
    first = damage(garments, strengths[1], seed=3)
    torch.manual_seed(99)
    assert torch.equal(first, damage(garments, strengths[1], seed=3))
    random = damage not in (corruptions.blur, corruptions.swirl)
    assert torch.equal(first, damage(garments, strengths[1], seed=4)) != random


@every
def test_internal_batches_do_not_show(garments, damage, strengths, monkeypatch):
    whole = damage(garments[:64], strengths[1])
    monkeypatch.setattr(corruptions, "_VALUES_AT_ONCE", 16 * 28 * 28)
    # A resampled value can lie on the edge between two greys and fall to either side.
    assert change(damage(garments[:64], strengths[1]), whole).max() <= 1


@every
def test_colour_wide_and_empty_images(damage, strengths):
    colour = torch.randint(0, 256, (3, 3, 9, 14), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert damage(colour, strengths[1]).shape == colour.shape
    assert damage(colour[:0], strengths[1]).shape == (0, 3, 9, 14)


@every
@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_impossible_strengths(garments, damage, strengths, strength):
    with pytest.raises(ValueError, match="strength: expected a finite number from 0"):
        damage(garments, strength)


@every
def test_wrong_images(garments, damage, strengths):
    with pytest.raises(TypeError, match="quantise first"):
        damage(garments.float() / 255, strengths[0])
    with pytest.raises(ValueError, match="expected shape"):
        damage(garments[:, 0], strengths[0])
    with pytest.raises(TypeError, match="got list"):
        damage([1, 2], strengths[0])


@pytest.mark.parametrize("damage", [corruptions.occlusion, corruptions.salt_and_pepper])
def test_shares_end_at_one(garments, damage):
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1\.2"):
        damage(garments, 1.2)


def test_noise_has_the_stated_spread():
    grey = torch.full((50, 1, 28, 28), 128, dtype=torch.uint8)
    added = corruptions.noise(grey, 0.1).double() - 128
    n = added.numel()
    assert abs(added.mean()) < 5 * 25.5 / n**0.5
    assert abs(added.std() - 25.5) < 5 * 25.5 / (2 * n) ** 0.5
    assert abs(torch.corrcoef(added.view(2, -1))[0, 1]) < 5 / (n / 2) ** 0.5  # each image its own noise


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(0, 255), st.floats(0.01, 200), st.integers(1, 9), st.integers(1, 9))
def test_blur_preserves_a_constant_image(grey, sigma, height, width):
    flat = torch.full((2, 3, height, width), grey, dtype=torch.uint8)
    assert torch.equal(corruptions.blur(flat, sigma), flat)


def test_blur_of_one_point_is_the_gaussian():
    point = torch.zeros(1, 1, 15, 15, dtype=torch.uint8)
    point[0, 0, 7, 7] = 255
    d = torch.arange(-7.0, 8)
    line = torch.exp(-(d**2) / (2 * 1.2**2))
    expected = 255 * torch.outer(line, line) / line.sum() ** 2
    assert change(corruptions.blur(point, 1.2)[0, 0], expected).max() <= 0.51


def test_blur_leaves_no_dark_border():
    half = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    half[..., 4:] = 200
    blurred = corruptions.blur(half, 1.0)
    assert torch.equal(
        blurred, blurred[:, :, :1].expand_as(blurred)
    )  # rows stay alike, also the first and the last
    assert (blurred[0, 0, 0].int().diff() >= 0).all()  # nothing comes in from the other side
    # A step is symmetric about its middle, also where the image ends.
    assert (blurred[0, 0, 0].double() + blurred[0, 0, 0].flip(0)).sub(200).abs().max() <= 1


@pytest.mark.parametrize("share", [0.01, 0.1, 0.33, 0.7, 1.0])
def test_occlusion_covers_exactly_its_share(share):
    white = torch.full((200, 1, 28, 20), 255, dtype=torch.uint8)
    covered = 1 - corruptions.occlusion(white, share).double().mean(dim=(1, 2, 3)) / 255
    assert (covered - share).abs().max() < 0.5 / 255 * 100 / 560 + 1e-6  # rounding of the border's pixels


def test_occlusion_is_one_rectangle_that_grows_and_moves_about():
    white = torch.full((300, 1, 28, 28), 255, dtype=torch.uint8)
    weak, strong = corruptions.occlusion(white, 0.1), corruptions.occlusion(white, 0.3)
    assert (strong <= weak).all()
    black = (weak == 0)[:, 0]
    boxes = black.any(1)[:, None] & black.any(2)[..., None]
    assert torch.equal(black, boxes) and (black.sum((1, 2)) >= 7 * 7).all()
    covered = (weak[:, 0] < 255).any(0)
    assert covered.any(0).all() and covered.any(1).all()  # over many images no row and no column is spared


def test_swirl_turns_counter_clockwise_by_the_stated_angle():
    side, angle = 101, 0.6
    ray = torch.zeros(1, 1, side, side, dtype=torch.uint8)
    ray[..., 49:52, 50:] = 255  # from the centre to the right
    swirled = corruptions.swirl(ray, angle)[0, 0].double()
    y, x = torch.meshgrid(50 - torch.arange(side), torch.arange(side) - 50, indexing="ij")
    radius = torch.hypot(x.double(), y.double())
    for r in (10, 25, 40):
        ring = swirled * ((radius - r).abs() < 1)
        seen = torch.atan2((ring * y).sum(), (ring * x).sum())
        assert abs(seen - angle * (1 - r / 50.5) ** 2) < 0.02
    assert torch.equal(swirled[radius > 50.5], ray[0, 0].double()[radius > 50.5])


def test_swirl_keeps_what_is_round():
    y, x = torch.meshgrid(torch.arange(24) - 11.5, torch.arange(40) - 19.5, indexing="ij")
    round_, long = (
        (255 * torch.exp(-((y / height) ** 2 + (x / width) ** 2) / 2)).to(torch.uint8)[None, None]
        for height, width in ((5, 5), (3, 8))
    )
    assert change(corruptions.swirl(round_, 2.0), round_).mean() < 0.5
    assert change(corruptions.swirl(long, 2.0), long).mean() > 5
    outside = torch.hypot(x, y) > 12  # half the shorter side
    stripes = (255 * (x.long() % 2)).to(torch.uint8)[None, None]
    assert torch.equal(corruptions.swirl(stripes, 2.0)[..., outside], stripes[..., outside])


def test_salt_and_pepper_by_count():
    grey = torch.full((50, 3, 28, 28), 100, dtype=torch.uint8)
    sprinkled = corruptions.salt_and_pepper(grey, 0.2)
    assert torch.equal(sprinkled[:, 0], sprinkled[:, 1]) and torch.equal(sprinkled[:, 0], sprinkled[:, 2])
    n = sprinkled[:, 0].numel()
    values, counts = sprinkled[:, 0].unique(return_counts=True)
    assert values.tolist() == [0, 100, 255]
    for count in (counts[0], counts[2]):
        assert abs(count / n - 0.1) < 5 * (0.1 * 0.9 / n) ** 0.5
    stronger = corruptions.salt_and_pepper(grey, 0.5)
    assert torch.equal(stronger[sprinkled != 100], sprinkled[sprinkled != 100])


def test_contaminate_replaces_the_stated_share_by_different_images():
    own = torch.zeros(40, 1, 2, 2, dtype=torch.uint8)
    others = torch.arange(1, 31, dtype=torch.uint8).view(30, 1, 1, 1).expand(-1, -1, 2, 2)
    mixed = {
        share: corruptions.contaminate(own, others, share, seed=2)[:, 0, 0, 0] for share in (0, 0.25, 0.5)
    }
    assert [(m > 0).sum().item() for m in mixed.values()] == [0, 10, 20]
    strangers = mixed[0.5][mixed[0.5] > 0]
    assert len(strangers.unique()) == 20
    assert torch.equal(mixed[0.5][mixed[0.25] > 0], mixed[0.25][mixed[0.25] > 0])
    assert not torch.equal(mixed[0.5], corruptions.contaminate(own, others, 0.5, seed=3)[:, 0, 0, 0])
    assert own.max() == 0


def test_contaminate_refuses():
    own = torch.zeros(40, 1, 2, 2, dtype=torch.uint8)
    with pytest.raises(ValueError, match="40 images are needed for a share of 1, got 30"):
        corruptions.contaminate(own, own[:30], 1)
    with pytest.raises(ValueError, match=r"others: expected images of shape \(1, 2, 2\), got \(3, 2, 2\)"):
        corruptions.contaminate(own, own.expand(-1, 3, -1, -1), 0.5)
    with pytest.raises(ValueError, match="share: expected"):
        corruptions.contaminate(own, own, 1.01)
    with pytest.raises(TypeError, match="others: expected uint8"):
        corruptions.contaminate(own, own.float(), 0.5)
