"""Exercise of chapter 00: how an exercise works."""

import torch

from gancourse.exercises import Exercise

exercise_00_1 = Exercise("00.1", "mean_image", points=1)


@exercise_00_1.oracle
def mean_image(images):
    """Average of a batch pixel by pixel: uint8 (N, C, H, W) -> float (C, H, W)."""
    return images.to(torch.float64).mean(dim=0)


@exercise_00_1.cases
def batches(rng):
    def draw(*shape):
        return torch.from_numpy(rng.integers(0, 256, shape)).to(torch.uint8)

    two = torch.tensor([[[[0, 255]]], [[[255, 254]]]], dtype=torch.uint8)
    return [(two,), (draw(1, 1, 3, 3),), (draw(3, 1, 2, 2),), (draw(5, 3, 2, 4),), (draw(300, 1, 4, 4),)]


@exercise_00_1.mistake("`torch.mean` does not take uint8: change the images to floats first.")
def mean_of_bytes(images):
    return images.mean(dim=0)


@exercise_00_1.mistake(
    "That is one number for the whole batch: average over the images only, so that (C, H, W) remains."
)
def one_number(images):
    return images.float().mean()


@exercise_00_1.mistake("The channels are gone too: average over dimension 0 only.")
def without_channels(images):
    return images.float().mean(dim=(0, 1))


@exercise_00_1.mistake("There is still one value for each image: average over dimension 0, the images.")
def mean_over_channels(images):
    return images.float().mean(dim=1)


@exercise_00_1.mistake("The fractions are cut off: return floats, not uint8.")
def fractions_cut_off(images):
    return images.float().mean(dim=0).to(torch.uint8)


@exercise_00_1.mistake(
    "The sum overflows: uint8 stops at 255 and starts again at 0. Change to floats before you add."
)
def overflowing_sum(images):
    total = images[0].clone()
    for image in images[1:]:
        total += image
    return total / len(images)


@exercise_00_1.mistake("You get the sum: divide it by the number of images.")
def sum_of_images(images):
    return images.float().sum(dim=0)


@exercise_00_1.mistake("Values from 0 to 1 come out: keep the scale of the images, 0 to 255.")
def scaled_to_one(images):
    return (images.float() / 255).mean(dim=0)
