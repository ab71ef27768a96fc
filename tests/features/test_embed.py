import pytest
import torch
from torch import nn

from gancourse import features
from gancourse.features import embed
from gancourse.models import load

IMAGES = torch.randint(0, 256, (37, 3, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


class Small(nn.Module):
    """A classifier whose batch norm, dropout and gradients would all show if they were on."""

    name, version, dim = "small", "1", 5

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Dropout(0.5))
        self.seen = []

    def features(self, images):
        self.seen.append(len(images))
        return self.body(images.float() / 255).mean((2, 3))

    def forward(self, images):
        return self.features(images) @ torch.ones(5, 2)


@pytest.fixture
def small():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Small()


def test_features_not_logits_in_order(small):
    result = embed(IMAGES, small)
    assert result.dtype == torch.float32 and result.shape == (37, 5)
    expected = small.eval().body[1](small.body[0](IMAGES.float() / 255)).mean((2, 3))
    assert torch.allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 5, 37, 100])
def test_batches_do_not_show(small, batch_size):
    assert torch.allclose(embed(IMAGES, small, batch_size=batch_size), embed(IMAGES, small), atol=1e-6)
    assert max(small.seen[:-1]) <= batch_size


def test_modes_come_back_part_by_part(small):
    small.train()
    small.body[1].eval()  # a frozen batch norm inside a network in training
    before = {name: value.clone() for name, value in small.state_dict().items()}
    embed(IMAGES, small)
    assert small.training and small.body.training and small.body[2].training and not small.body[1].training
    assert all(torch.equal(value, before[name]) for name, value in small.state_dict().items())


def test_modes_come_back_after_an_error(small):
    small.train()
    with pytest.raises(RuntimeError):
        embed(IMAGES[:, :1], small)
    assert small.training and small.body[1].training


def test_result_can_take_part_in_training(small):
    result = embed(IMAGES, small)
    assert not result.requires_grad and not result.is_inference()
    weight = torch.ones(5, requires_grad=True)
    (result @ weight).sum().backward()
    assert torch.allclose(weight.grad, result.sum(0))


def test_plain_functions_and_other_precisions():
    double = embed(IMAGES, lambda x: x.flatten(1)[:, :2].double())
    assert double.dtype == torch.float32
    assert torch.equal(double, IMAGES.flatten(1)[:, :2].float())
    assert torch.equal(embed(IMAGES, lambda x: x.flatten(1)[:, :2].numpy()), double)


def test_floats_are_refused(small):
    with pytest.raises(TypeError, match="images: expected uint8, got float32: quantise first"):
        embed(IMAGES.float() / 127.5 - 1, small)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_the_bad_row_is_named(bad):
    images = torch.zeros(37, 1, 2, 2, dtype=torch.uint8)
    images[23] = 9
    with pytest.raises(ValueError, match="extractor function: the features of image 23 are not finite"):
        embed(images, lambda x: torch.where(x == 9, bad, 0.0).flatten(1), batch_size=10)


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (lambda x: x.float(), r"expected features \(N, D\).* got shape \(10, 3, 8, 8\)"),
        (lambda x: x.float().mean(), r"got shape \(\)"),
        (lambda x: x.flatten(1).float()[:-1], r"each of 10 images, got shape \(9, 192\)"),
        (lambda x: torch.zeros(len(x), len(x)), r"got shape \(7, 7\)"),
    ],
)
def test_misshapen_features(extractor, message):
    with pytest.raises(ValueError, match=message):
        embed(IMAGES, extractor, batch_size=10)


def test_empty_and_batch_size(small):
    for images, size in ((IMAGES[:0], 4), (IMAGES, 0)):
        with pytest.raises(ValueError, match="at least one image and batch_size >= 1"):
            embed(images, small, batch_size=size)


def test_unknown_name():
    with pytest.raises(ValueError, match='expected "fashion", "inception", "inception-fid" or a callable'):
        embed(IMAGES, "resnet")


def test_fashion_is_the_shipped_classifier(small, monkeypatch):
    import gancourse.models

    asked = []
    monkeypatch.setattr(gancourse.models, "load", lambda name: asked.append(name) or small, raising=False)
    features.extractor_named.cache_clear()
    try:
        assert torch.equal(embed(IMAGES), embed(IMAGES, small))
        embed(IMAGES, "fashion")
    finally:
        features.extractor_named.cache_clear()
    assert asked == ["classifier"]


def test_bar_only_when_asked_or_long(small, capsys):
    embed(IMAGES, small, batch_size=5)
    embed(IMAGES, small, batch_size=5, progress=False)
    assert capsys.readouterr() == ("", "")
    embed(IMAGES, small, batch_size=5, progress=True)
    assert "features (small)" in capsys.readouterr().err


def test_a_bound_method_runs_its_module_in_eval_mode():
    network = load("classifier").train()
    images = torch.randint(0, 256, (40, 1, 28, 28), dtype=torch.uint8)
    few, many = (embed(images, network.features, batch_size=size) for size in (8, 40))
    torch.testing.assert_close(few, many)
    assert network.training
    torch.testing.assert_close(network.state_dict(), load("classifier").state_dict(), rtol=0, atol=0)


def test_arrays_give_what_tensors_give():
    images = torch.randint(256, (5, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(embed(images.numpy()), embed(images))
    with pytest.raises(TypeError, match="expected uint8"):
        embed(images.double().numpy())
