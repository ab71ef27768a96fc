import pytest
import torch

from gancourse.datasets import ImageSet, check_images, quantise


def images(n=4):
    return torch.arange(n * 12, dtype=torch.uint8).view(n, 3, 2, 2)


def test_subset_takes_everything_along():
    whole = ImageSet(images(), torch.tensor([0, 1, 0, 1]), ("a", "b"), {"size": torch.tensor([1.0, 2, 3, 4])})
    part = whole[whole.labels == 1]
    assert len(part) == 2 and part.classes == ("a", "b")
    assert torch.equal(part.images, images()[[1, 3]])
    assert part.labels.tolist() == [1, 1] and part.factors["size"].tolist() == [2, 4]
    assert repr(part) == "ImageSet(2 images of 3 x 2 x 2, 2 classes)"
    with pytest.raises(TypeError, match="slice"):
        whole[1]


def test_columns_must_fit():
    with pytest.raises(ValueError, match="labels: 3 values for 4 images"):
        ImageSet(images(), torch.zeros(3))
    with pytest.raises(ValueError, match="hue: 5 values for 4 images"):
        ImageSet(images(), factors={"hue": torch.zeros(5)})


def test_arrays_are_images_too():
    stored = ImageSet(images().numpy())
    assert isinstance(stored.images, torch.Tensor) and torch.equal(stored.images, images())


def test_what_is_no_stored_image():
    assert check_images(images()) is not None
    with pytest.raises(TypeError, match=r"real: expected uint8, got float32: quantise first"):
        check_images(images().float(), "real")
    with pytest.raises(TypeError, match=r"expected uint8, got int64$"):
        check_images(images().long())
    with pytest.raises(TypeError, match="got list"):
        check_images(images().tolist())
    with pytest.raises(ValueError, match=r"got \(4, 2, 2, 3\)"):
        check_images(images().permute(0, 2, 3, 1))
    with pytest.raises(ValueError, match=r"got \(3, 2, 2\)"):
        check_images(images()[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_quantise_by_hand(dtype):
    x = torch.tensor([-1.5, -1, 0, 1, 1.5, torch.inf, -torch.inf], dtype=dtype, requires_grad=True)
    assert quantise(x).tolist() == [0, 0, 128, 255, 255, 255, 0]  # 127.5 goes to the even neighbour


def test_quantise_is_the_nearest_grey_and_inverts_scaling():
    grey = torch.arange(256)
    assert torch.equal(quantise(grey / 127.5 - 1), grey.to(torch.uint8))
    x = torch.linspace(-1, 1, 10_001)
    assert ((quantise(x).float() / 127.5 - 1) - x).abs().max() <= 1 / 255 + 1e-6


def test_quantise_refuses():
    with pytest.raises(TypeError, match=r"got torch.uint8"):
        quantise(images())
    broken = torch.zeros(5, 1, 2, 2)
    broken[3, 0, 1, 1] = torch.nan
    with pytest.raises(ValueError, match="row 3 has NaN"):
        quantise(broken)
