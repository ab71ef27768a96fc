"""Exercise of chapter 00: how an exercise works."""

import torch

from gancourse.classroom.exercises import Exercise, WrongAnswer


def mean_image(images):
    """Average of a batch pixel by pixel: uint8 (N, C, H, W) -> float (C, H, W)."""
    return images.to(torch.float64).mean(dim=0)


def _batches(rng):
    def draw(*shape):
        return torch.from_numpy(rng.integers(0, 256, shape)).to(torch.uint8)

    two = torch.tensor([[[[0, 255]]], [[[255, 254]]]], dtype=torch.uint8)
    return [(two,), (draw(3, 1, 2, 2),), (draw(5, 3, 2, 4),), (draw(300, 1, 4, 4),)]


EXERCISES = (
    Exercise(
        id="00.1",
        name="mean_image",
        points=1,
        oracle=mean_image,
        cases=_batches,
        wrong=(
            WrongAnswer(
                "def mean_image(images):\n    return images.mean(dim=0)",
                "`torch.mean` does not take uint8: change the images to floats first.",
            ),
            WrongAnswer(
                "def mean_image(images):\n    return images.float().mean()",
                "That is one number for the whole batch: average over the images only, so that (C, H, W) remains.",
            ),
            WrongAnswer(
                "def mean_image(images):\n    return images.float().mean(dim=(0, 1))",
                "The channels are gone too: average over dimension 0 only.",
            ),
            WrongAnswer(
                "def mean_image(images):\n    return images.float().mean(dim=0).to(torch.uint8)",
                "The fractions are cut off: return floats, not uint8.",
            ),
            WrongAnswer(
                "def mean_image(images):\n    total = images[0].clone()\n    for image in images[1:]:\n"
                "        total += image\n    return total / len(images)",
                "The sum overflows: uint8 stops at 255 and starts again at 0. Change to floats before you add.",
            ),
            WrongAnswer(
                "def mean_image(images):\n    return (images.float() / 255).mean(dim=0)",
                "Divided by 255: keep the scale of the images, 0 to 255.",
            ),
        ),
    ),
)
