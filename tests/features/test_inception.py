"""Inception-v3 as an extractor: the real loading code, with weights that the test saves itself."""

import sys
import types
import urllib.error

import numpy as np
import pytest
import torch
from torch import nn

from gancourse import features, models
from gancourse.evaluate import evaluate
from gancourse.features import embed, perceptual
from gancourse.metrics import perceptual_distance
from gancourse.models.inception import FIDInception, InceptionV3Features

IMAGES = torch.randint(0, 256, (3, 3, 40, 60), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


@pytest.fixture(autouse=True)
def nothing_cached_or_online(monkeypatch, tmp_path):
    """torch.hub's cache is an empty folder, and the network is cut."""

    def cut(*_, **__):
        raise urllib.error.URLError("no network in this test")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("urllib.request.urlopen", cut)
    monkeypatch.setattr("torch.hub.urlopen", cut)
    features.extractor_named.cache_clear()
    yield
    features.extractor_named.cache_clear()


def test_weights_of_torchvision_give_its_pool_and_its_classes(tmp_path, monkeypatch):
    from torchvision.models import inception_v3

    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = inception_v3(weights=None, init_weights=False, transform_input=True).eval()
    checkpoints = tmp_path / "torch/hub/checkpoints"
    checkpoints.mkdir(parents=True)
    path = checkpoints / "inception_v3_google-0cc3c7bd.pth"
    torch.save(theirs.state_dict(), path)

    ours = features.extractor_named("inception")  # finds the file in torch.hub's cache
    assert isinstance(ours, InceptionV3Features) and ours is features.extractor_named("inception")
    assert (ours.name, ours.dim) == ("inception", 2048) and not ours.training
    assert ours.version.startswith("torchvision ") and len(ours.version) == len("torchvision 01234567")
    assert not any(p.requires_grad for p in ours.parameters())

    # torchvision's road: antialiased resizing, ImageNet's normalisation, and the network's own transform_input
    import torchvision.transforms.v2.functional as T

    x = T.resize(IMAGES[:2].float() / 255, [299, 299], antialias=True)
    x = T.normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.no_grad():
        fc, theirs.fc = theirs.fc, nn.Identity()
        pool = theirs(x)
        expected = fc(pool).double().softmax(1)
        found, p = embed(IMAGES[:2], ours), ours.probabilities(IMAGES[:2])
    assert found.shape == (2, 2048) and p.shape == (2, 1000) and p.dtype == torch.float64
    assert torch.allclose(found, pool, rtol=1e-3, atol=1e-4 * float(pool.abs().max()))
    assert torch.allclose(p, expected, rtol=1e-3, atol=1e-6) and (found >= 0).all()

    grey = IMAGES[:, :1]
    assert torch.equal(ours.preprocess(grey), ours.preprocess(grey.expand(-1, 3, -1, -1)))
    with pytest.raises(TypeError, match="images: expected uint8, got float32"):
        ours.features(IMAGES.float())
    assert models.InceptionV3Features is InceptionV3Features

    np.save(tmp_path / "images.npy", IMAGES[:2].numpy())  # and the command, with the file named
    array = f"{tmp_path}/images.npy"
    result = evaluate(array, array, features="inception", weights=path, metrics=["fid"], use_cache=False)
    assert result.report["FID"].value == 0 and result.report.version == ours.version
    assert result.notes[0].startswith("inception is torchvision's network, not that of published FIDs")
    with pytest.raises(ValueError, match='only the features "inception" take a file of weights'):
        evaluate(array, array, features="inception-fid", weights=path)


def test_preprocessing_antialiases():
    board = (torch.arange(598)[:, None] + torch.arange(598)) % 2 * 255  # at half the size: even grey
    x = InceptionV3Features.preprocess(None, board.to(torch.uint8)[None, None])
    assert x.shape == (1, 3, 299, 299)
    assert x[..., 5:-5, 5:-5].abs().max() < 0.02


def test_without_weights_the_way_out_is_named():
    with pytest.raises(FileNotFoundError) as caught:
        InceptionV3Features()
    said = str(caught.value)
    assert "not on this machine" in said and "no network in this test" in said
    assert "https://download.pytorch.org/models/inception_v3_google-" in said
    assert "torch/hub/checkpoints" in said and '"fashion" needs no download' in said


def test_files_that_are_no_inception(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        InceptionV3Features(tmp_path / "nowhere.pth")
    for name in ("half.pth", "half.safetensors"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 and then nothing")
        with pytest.raises(ValueError, match=f"{name} holds no weights that can be read safely"):
            InceptionV3Features(tmp_path / name)
    torch.save({"fc.weight": torch.zeros(10, 2048)}, tmp_path / "other.pth")
    with pytest.raises(
        ValueError, match=r"^[^\n]*other.pth doesn't hold torchvision's inception_v3: [^\n]*Conv2d_1a[^\n]*$"
    ):
        InceptionV3Features(tmp_path / "other.pth")


class Bomb:
    def __reduce__(self):
        return print, ("unpickled",)


def test_nothing_is_unpickled(tmp_path, capsys):
    torch.save(Bomb(), tmp_path / "bomb.pth")
    with pytest.raises(ValueError, match="read safely"):
        InceptionV3Features(tmp_path / "bomb.pth")
    assert "unpickled" not in capsys.readouterr().out


class Peer(nn.Module):
    """Stands for torch-fidelity's network, which takes bytes and gives a tuple."""

    def __init__(self, name, features_list):
        super().__init__()
        assert features_list == ["2048"]

    def forward(self, images):
        assert images.dtype == torch.uint8 and images.shape[1] == 3
        return (images.float().mean((1, 2, 3))[:, None].expand(-1, 2048),)


def peer_module(monkeypatch, extractor):
    package, module = types.ModuleType("torch_fidelity"), types.ModuleType("torch_fidelity.x")
    module.FeatureExtractorInceptionV3 = extractor
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", module)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "9.9")


def test_fid_inception_comes_from_a_peer(monkeypatch):
    peer_module(monkeypatch, Peer)
    extractor = features.extractor_named("inception-fid")
    assert (extractor.name, extractor.version) == ("inception-fid", "torch-fidelity 9.9")
    assert torch.allclose(embed(IMAGES[:, :1], extractor)[:, 7], IMAGES[:, 0].float().mean((1, 2)))


def test_fid_inception_without_peer_or_weights(monkeypatch):
    for name in ("torch_fidelity", "pytorch_fid"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"neither is installed: `python -m pip.*\"fashion\""):
        FIDInception()

    def offline(*_):
        raise urllib.error.URLError("name not known")

    peer_module(monkeypatch, offline)
    with pytest.raises(FileNotFoundError, match=r"torch-fidelity can't get .*name not known.*checkpoints"):
        FIDInception()


def test_perceptual_layers_of_the_course():
    x = torch.randint(0, 256, (4, 1, 28, 28), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    layers = perceptual("fashion")
    same = perceptual_distance(x, x, **layers)
    apart = perceptual_distance(x, x.flip(0), **layers)
    assert torch.equal(same, torch.zeros(4)) and (apart > 0.1).all()
    floats = x.float() / 127.5 - 1
    assert torch.allclose(perceptual_distance(floats, floats.flip(0), **layers), apart, atol=1e-5)
    step = perceptual_distance(floats, floats + 1e-3, **layers)  # would vanish in rounding to bytes
    assert (step > 0).all() and (step < apart).all()


def test_perceptual_names_and_missing_package(monkeypatch):
    with pytest.raises(
        ValueError, match='expected "fashion" or "lpips", got "vgg"'.replace('"vgg"', "'vgg'")
    ):
        perceptual("vgg")
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(ModuleNotFoundError, match=r"lpips: not installed.*perceptual\(\"fashion\"\)"):
        perceptual("lpips")


@pytest.mark.filterwarnings("ignore::UserWarning")  # lpips asks torchvision the old way
def test_lpips_layers_are_lpips():
    lpips = pytest.importorskip("lpips")
    from gancourse.features.perceptual import _layers

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = lpips.LPIPS(net="squeeze", pnet_rand=True, verbose=False)
    x, y = IMAGES[..., :40], IMAGES[..., 20:]
    expected = network(x.float() / 127.5 - 1, y.float() / 127.5 - 1).flatten()
    assert torch.allclose(perceptual_distance(x, y, **_layers(network)), expected, rtol=1e-4)
