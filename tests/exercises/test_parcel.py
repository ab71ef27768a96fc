"""Cases and the course's code that they take along, as data and back."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gancourse.chapters.ch01_features.exercises import VectorNetwork, cut_and_use, networks_and_images
from gancourse.exercises import parcel
from gancourse.exercises.outputs import normal, same


def there_and_back(*case):
    source = parcel.Source()
    told, arrays = parcel.pack_cases([case], source)
    (told, text), arrays = parcel.from_bytes(parcel.to_bytes([told, source.text], arrays))
    defined: dict = {"__name__": "lent"}
    exec(text, defined)
    return parcel.unpack_cases(told, arrays, defined)[0]


@pytest.mark.parametrize(
    "value",
    [
        3,
        2.5,
        math.inf,
        "text",
        None,
        True,
        [1, (2, "a")],
        {"a": 1, 2: [3]},
        {1, 2},
        np.arange(6).reshape(2, 3),
        np.float32(2),
        torch.arange(3),
        torch.tensor(2.0, dtype=torch.float64),
        torch.ones(2, 0),
    ],
    ids=str,
)
def test_plain_values_come_back(value):
    (back,) = there_and_back(value)
    assert type(back) is type(value)
    if isinstance(value, torch.Tensor | np.ndarray):
        assert back.dtype == value.dtype and np.array_equal(normal(back), normal(value))
    else:
        assert back == value


def test_gradients_parameters_and_sharing_come_back():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Upsample(scale_factor=2))
    network.append(network[0])  # the same layer once more
    network[1].weight.requires_grad_(False)
    asked = torch.ones(2, requires_grad=True)
    back, tensor = there_and_back(network.eval(), asked)
    assert same(back, network) and tensor.requires_grad and not back.training
    assert back[3] is back[0] and not back[1].weight.requires_grad and back[0].weight.requires_grad
    assert len(list(back.parameters())) == len(list(network.parameters()))


def test_classes_and_inner_functions_of_the_course_come_back():
    given = networks_and_images(np.random.default_rng(0))[0]
    network, images = there_and_back(*given)
    assert type(network).__name__ == VectorNetwork.__name__ and type(network) is not VectorNetwork
    assert torch.equal(network(images), given[0](given[1]))
    scale = torch.tensor(3.0)

    def scaled(x):
        return scale * x

    (back,) = there_and_back(scaled)
    assert back is not scaled and back(torch.tensor(2.0)) == 6


def test_the_source_holds_what_is_needed_and_no_more():
    source = parcel.Source(cut_and_use)
    assert set(source.things) == {"copy", "torch", "cut_and_use"}
    assert "exercise_01_2" not in source.text and '"""' not in source.text


@pytest.mark.parametrize(
    "value",
    [lambda x: x, torch, math.sqrt, np.array([{}]), object.__init__],
    ids=["lambda", "module", "builtin", "array of objects", "slot"],
)
def test_what_cannot_travel_is_a_type_error(value):
    with pytest.raises(TypeError):
        there_and_back(value)


def test_two_things_of_one_name_are_a_type_error():
    source = parcel.Source(cut_and_use)
    with pytest.raises(TypeError, match="two things are called torch"):
        source._define("torch", np)
