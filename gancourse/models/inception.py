"""Inception-v3 as a feature extractor: torchvision's, and the one that published FIDs are measured with."""

import hashlib
from importlib import metadata
from pathlib import Path
from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from gancourse.datasets.images import check_images

SIDE = 299
OFFLINE = 'The course\'s own extractor "fashion" needs no download (28 x 28 grey images).'


class InceptionV3Features(nn.Module):
    """torchvision's Inception-v3 (Szegedy et al. 2016, trained on ImageNet) without its last layer: 2048 features.

    images: uint8 (N, 1 or 3, H, W) of any size -> the average pool after the last block, float32 (N, 2048), >= 0.

    Each image is resized to 299 x 299 as a whole, bilinearly and *with antialiasing*: keeping only every fourth pixel
    would hide the fine artefacts that we want to measure (Parmar et al. 2022). Nothing is cropped (torchvision's recipe
    for classifying crops the middle). Grey is repeated to RGB. Values become x / 127.5 - 1, which equals ImageNet's
    normalisation followed by torchvision's `transform_input`.

    This is **not** the network of published FIDs, which is TensorFlow's of 2015 (`FIDInception`): values of the two
    can't be compared.

    weights: a state dict of torchvision's `inception_v3`, .pth or .safetensors. None looks in torch.hub's cache, then
    tries to download (104 MB). No code in the file is run. `.version` ends in the first 8 hex digits of its SHA-256.
    FileNotFoundError if no weights can be found or downloaded, ValueError if the file holds something else.
    """

    name, dim = "inception", 2048

    def __init__(self, weights: str | Path | None = None):
        super().__init__()
        from torchvision.models import inception_v3

        path = Path(weights) if weights else _torchvision_weights()
        state = {key: value for key, value in _read(path).items() if not key.startswith("AuxLogits.")}
        with torch.device("meta"):  # every number comes from the file
            self.network = inception_v3(weights=None, aux_logits=False, init_weights=False)
        try:
            self.network.load_state_dict(state, assign=True)
        except RuntimeError:
            wanted = {key: x.shape for key, x in self.network.state_dict().items()}
            wrong = [key for key in wanted if getattr(state.get(key), "shape", None) != wanted[key]]
            raise ValueError(
                f"{path} doesn't hold torchvision's inception_v3: {len(wrong)} of its {len(wanted)} tensors are missing "
                f"or of another shape ({', '.join(wrong[:3])}, ...), {len(state.keys() - wanted)} are unknown"
            ) from None
        self.fc, self.network.fc = self.network.fc, nn.Identity()
        with path.open("rb") as file:
            self.version = f"torchvision {hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"
        self.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # faster on a CPU

    def preprocess(self, images: Tensor) -> Tensor:
        """uint8 (N, 1 or 3, H, W) -> float32 (N, 3, 299, 299) in [-1, 1]."""
        x = F.interpolate(_colour(images).float(), (SIDE, SIDE), mode="bilinear", antialias=True)
        return x / 127.5 - 1

    def features(self, images: Tensor) -> Tensor:
        """What the last layer would see: (N, 2048)."""
        return torch.cat([self.network(self.preprocess(part)) for part in _parts(images)])

    def forward(self, images: Tensor) -> Tensor:
        """Logits of ImageNet's classes, (N, 1000)."""
        return self.fc(self.features(images))

    def probabilities(self, images: Tensor) -> Tensor:
        """p(y | x) over ImageNet's 1000 classes, float64: (N, 1000), for the Inception Score."""
        return self.class_probabilities(self.features(images))

    def class_probabilities(self, features: Tensor) -> Tensor:
        """The same from features (N, 2048) that were computed before."""
        return self.fc(features).double().softmax(1)


class FIDInception(nn.Module):
    """The network of published FIDs, TensorFlow's Inception of 2015, through torch-fidelity or else pytorch-fid.

    images: uint8 (N, 1 or 3, H, W) -> (N, 2048). Network, weights and resizing (bilinear, *without* antialiasing) come
    from that package: torch-fidelity resizes and scales exactly as TensorFlow 1 did, pytorch-fid nearly so.
    `.version` says which one it was. ModuleNotFoundError where neither is installed, FileNotFoundError where its
    weights are not in torch.hub's cache and can't be downloaded.
    """

    name, dim = "inception-fid", 2048

    def __init__(self):
        super().__init__()
        for package, build in (("torch-fidelity", _torch_fidelity), ("pytorch-fid", _pytorch_fid)):
            try:
                self.network = build()
            except ImportError:
                continue
            except OSError as error:
                raise FileNotFoundError(
                    f"inception-fid: {package} can't get the network's weights ({error}). Use it once where there is "
                    f"a network, and copy them to {torch.hub.get_dir()}/checkpoints here. {OFFLINE}"
                ) from None
            self.version = f"{package} {metadata.version(package)}"
            break
        else:
            raise ModuleNotFoundError(
                "inception-fid: the original FID network comes with torch-fidelity or pytorch-fid, and neither is "
                f"installed: `python -m pip install --no-deps torch-fidelity`. {OFFLINE}"
            )
        self.requires_grad_(False).eval()

    def features(self, images: Tensor) -> Tensor:
        rows = [self.network(_colour(part).contiguous())[0].flatten(1) for part in _parts(images)]
        return torch.cat(rows)

    forward = features


def _torch_fidelity() -> nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])


def _pytorch_fid() -> nn.Module:
    from pytorch_fid.inception import InceptionV3

    class FromBytes(InceptionV3):
        def forward(self, images: Tensor) -> list[Tensor]:
            return super().forward(images / 255)

    return FromBytes()


def _parts(images: Tensor) -> tuple[Tensor, ...]:
    """As many images as are worked on at once: on a CPU so few that malloc keeps their memory for the next."""
    return images.split(4 if images.device.type == "cpu" else 64)


def _colour(images: Tensor) -> Tensor:
    """uint8 (N, 1 or 3, H, W) -> (N, 3, H, W)."""
    return check_images(images).expand(-1, 3, -1, -1)


def _torchvision_weights() -> Path:
    """The official file in torch.hub's cache, downloaded first if it isn't there."""
    from torchvision.models import Inception_V3_Weights

    url = Inception_V3_Weights.IMAGENET1K_V1.url
    name = url.rpartition("/")[2]
    path = Path(torch.hub.get_dir(), "checkpoints", name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:  # whole or not at all: it writes beside the file, compares the hash in its name, then renames
            torch.hub.download_url_to_file(url, str(path), hash_prefix=path.stem.rpartition("-")[2])
        except (OSError, RuntimeError) as error:
            raise FileNotFoundError(
                f"inception: torchvision's weights are not on this machine and can't be downloaded ({error}). "
                f"Fetch {url} elsewhere and put it into {path.parent}, or name another place with weights=. {OFFLINE}"
            ) from None
    return path


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"weights: there is no file {path}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged or hostile file can raise nearly anything
        reason = "pickled objects" if isinstance(error, UnpicklingError) else str(error).partition("\n")[0]
        raise ValueError(
            f"{path} holds no weights that can be read safely ({reason}): get it again"
        ) from None
