"""Images as bytes, and where they come from: Fashion-MNIST, drawn shapes, your own folder; and ways to damage them."""

from gancourse.datasets import corruptions, toy_runs
from gancourse.datasets.fashion_mnist import fashion_mnist
from gancourse.datasets.folder import ImageFolder, image_folder
from gancourse.datasets.images import ImageSet, check_images, quantise
from gancourse.datasets.shapes import shapes
from gancourse.files import data_path, verified

__all__ = [
    "ImageFolder",
    "ImageSet",
    "check_images",
    "corruptions",
    "data_path",
    "fashion_mnist",
    "image_folder",
    "quantise",
    "shapes",
    "toy_runs",
    "verified",
]
