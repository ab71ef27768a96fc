"""Images at rest, and where they come from: Fashion-MNIST, drawn shapes, your own folder, and how to damage them."""

from gancourse.datasets.fashion_mnist import fashion_mnist
from gancourse.datasets.files import data_path, verified
from gancourse.datasets.images import ImageSet, check_images, quantise

__all__ = ["ImageSet", "check_images", "data_path", "fashion_mnist", "quantise", "verified"]
