"""The course's own small classifier of Fashion-MNIST, whose pooled features stand in for Inception's."""

import torch
from torch import Tensor, nn


def _block(i: int, o: int) -> list[nn.Module]:
    return [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]


class Classifier(nn.Module):
    """uint8 images -> class logits; its 64 globally averaged ReLU maps are the course's features ("fashion").

    images uint8 (N, 1, 28, 28), or (N, 1, 32, 32) with the 2-pixel frame that is cropped -> logits (N, 10).
    Four 3x3 convolutions with batch norm at 28, 14, 7, 7 pixels, a global average (as in Inception-v3), a linear layer.
    """

    name, version, dim = "fashion", "1", 64

    def __init__(self, classes: int = 10):
        super().__init__()
        self.config = {"classes": classes}
        self.maps = nn.Sequential(
            *_block(1, 32),
            nn.MaxPool2d(2),
            *_block(32, 64),
            nn.MaxPool2d(2),
            *_block(64, 64),
            *_block(64, self.dim),
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(self.dim, classes)
        self.to(memory_format=torch.channels_last)  # twice as fast on a CPU

    def preprocess(self, images: Tensor) -> Tensor:
        """uint8 images -> float32 (N, 1, 28, 28), standardised over the training set; TypeError for another dtype."""
        if images.dtype != torch.uint8:
            raise TypeError(f"images: expected uint8 (quantise generated images first), got {images.dtype}")
        return self._normal(images)

    def _normal(self, images: Tensor) -> Tensor:
        """Pixels from 0 to 255, of either size and any dtype, cropped and scaled."""
        if images.ndim != 4 or images.shape[1] != 1 or images.shape[2:] not in ((28, 28), (32, 32)):
            raise ValueError(
                f"images: expected shape (N, 1, 28, 28) or (N, 1, 32, 32), got {tuple(images.shape)}"
            )
        if images.shape[-1] == 32:
            images = images[:, :, 2:30, 2:30]
        return (images.float() - 72.94) / 90.02

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The four blocks' ReLU maps, (N, C, H, W) each: the layers that a perceptual distance compares.

        Takes a generator's floats in [-1, 1] too, unrounded: rounding would lose the small steps of a path length.
        """
        x = self._normal(127.5 * (images + 1)) if images.is_floating_point() else self.preprocess(images)
        found = []
        for layer in self.maps:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                found.append(x)
        return found

    def features(self, images: Tensor) -> Tensor:
        """The embedding phi(x), what the last linear layer sees: (N, 64), never negative."""
        x = self.preprocess(images)
        if self.training:  # batch norm must see the whole batch
            return self.pool(self.maps(x))
        # malloc keeps the memory of 128 images for the next
        return torch.cat([self.pool(self.maps(part)) for part in x.split(128)])

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images))

    def probabilities(self, images: Tensor) -> Tensor:
        """p(y | x), float64 so that rows sum to 1 as a distribution should: (N, 10)."""
        return self.class_probabilities(self.features(images))

    def class_probabilities(self, features: Tensor) -> Tensor:
        """The same from features (N, 64) that were computed before."""
        return self.fc(features).double().softmax(1)
