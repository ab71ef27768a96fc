"""Exercises of chapter 01: from a network without its head to the nearest images in its features."""

import copy

import numpy as np
import torch
from torch import nn

from gancourse.exercises import Exercise

# --- 01.1 pixel_distance -----------------------------------------------------------------------------------

exercise_01_1 = Exercise("01.1", "pixel_distance", points=2)


@exercise_01_1.oracle
def pixel_distance(x, y):
    """Euclidean distance of each pair of uint8 images (N, C, H, W), in grey levels: (N,)."""
    return (x.double() - y.double()).flatten(1).norm(dim=1)


def _bytes(rng, *shape, low=0, high=256):
    return torch.from_numpy(rng.integers(low, high, shape, dtype=np.uint8))


@exercise_01_1.cases
def pairs_of_images(rng):
    one = torch.tensor([[[[3, 0]]], [[[0, 0]]]], dtype=torch.uint8)
    two = torch.tensor([[[[0, 4]]], [[[0, 0]]]], dtype=torch.uint8)
    pair = _bytes(rng, 3, 1, 4, 4)
    return [
        (one, two),
        (two, one),
        (torch.full((1, 1, 2, 2), 255, dtype=torch.uint8), torch.zeros(1, 1, 2, 2, dtype=torch.uint8)),
        (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.full((2, 1, 3, 3), 255, dtype=torch.uint8)),
        (pair, pair.clone()),
        (pair, pair.roll(1, 0)),
        (_bytes(rng, 4, 1, 28, 28), _bytes(rng, 4, 1, 28, 28)),
        (_bytes(rng, 5, 3, 3, 6), _bytes(rng, 5, 3, 3, 6)),
        (_bytes(rng, 1, 3, 5, 2, high=9), _bytes(rng, 1, 3, 5, 2, high=9)),
        (_bytes(rng, 3, 1, 1, 1), _bytes(rng, 3, 1, 1, 1)),
    ]


def _gap(x, y):
    return (x.double() - y.double()).flatten(1)


WRAPS = (
    "As if grey levels were counted round: in uint8, 3 - 4 is 255, and 20 times 20 is 144. Turn the images into floats "
    "before you subtract and square."
)


@exercise_01_1.mistake(WRAPS)
def differences_in_bytes(x, y):
    return (x - y).double().flatten(1).norm(dim=1)


@exercise_01_1.mistake(WRAPS)
def squares_in_bytes(x, y):
    return (x - y).square().double().flatten(1).sum(1).sqrt()


@exercise_01_1.mistake(WRAPS)
def absolute_differences_in_bytes(x, y):
    return (x - y).abs().pow(2).flatten(1).sum(1).double().sqrt()


@exercise_01_1.mistake("These are squared distances: the root is missing.")
def squared_pixel_distance(x, y):
    return _gap(x, y).square().sum(1)


@exercise_01_1.mistake(
    "As if distances were sums of absolute differences. Euclidean ones square, add, and take the root."
)
def city_block_pixels(x, y):
    return _gap(x, y).abs().sum(1)


@exercise_01_1.mistake(
    "As if the squares were averaged over the pixels: Euclid adds them. Yours is smaller by the root of their number."
)
def root_mean_square_pixels(x, y):
    return _gap(x, y).square().mean(1).sqrt()


@exercise_01_1.mistake("That is the mean squared error of a pair: add the squares, and take the root.")
def mean_squared_pixels(x, y):
    return _gap(x, y).square().mean(1)


@exercise_01_1.mistake("That is the mean absolute difference. Euclid squares, adds, and takes the root.")
def mean_absolute_pixels(x, y):
    return _gap(x, y).abs().mean(1)


@exercise_01_1.mistake(
    "One number for all pairs: each pair has a distance of its own, so keep the first axis."
)
def one_distance_for_all(x, y):
    return _gap(x, y).norm()


@exercise_01_1.mistake(
    "One number for all pairs: each pair has a distance of its own, so keep the first axis."
)
def mean_distance_of_all(x, y):
    return _gap(x, y).norm(dim=1).mean()


@exercise_01_1.mistake("A distance for every row, column or channel: an image is one long vector here.")
def a_distance_for_each_row(x, y):
    return (x.double() - y.double()).norm(dim=-1)


@exercise_01_1.mistake("A distance for every row, column or channel: an image is one long vector here.")
def a_distance_for_each_pixel(x, y):
    return (x.double() - y.double()).norm(dim=1)


@exercise_01_1.mistake("A distance for every row, column or channel: an image is one long vector here.")
def a_distance_for_each_channel(x, y):
    return (x.double() - y.double()).square().sum(dim=(2, 3)).sqrt()


@exercise_01_1.mistake("A distance for every row, column or channel: an image is one long vector here.")
def a_spectral_norm_for_each_channel(x, y):
    return torch.linalg.matrix_norm(x.double() - y.double(), 2)


@exercise_01_1.mistake(
    "Every x against every y. Asked are N distances, of the first x and the first y and so on."
)
def all_against_all_pixels(x, y):
    return torch.cdist(x.double().flatten(1), y.double().flatten(1))


@exercise_01_1.mistake(
    "The values are 255 times too small: the docstring asks for grey levels from 0 to 255."
)
def grey_from_zero_to_one(x, y):
    return _gap(x, y).norm(dim=1) / 255


@exercise_01_1.mistake("That is the largest difference of a pixel. Every pixel counts.")
def largest_difference(x, y):
    return _gap(x, y).abs().max(1).values


@exercise_01_1.mistake("As if bright and dark differences cancelled: square before you add.")
def differences_added(x, y):
    return _gap(x, y).sum(1).abs()


# --- 01.2 remove_head --------------------------------------------------------------------------------------

exercise_01_2 = Exercise(
    "01.2",
    "remove_head",
    points=3,
    atol=1e-6,
    returns=("the new network's output", "the given network's output afterwards", "its training mode"),
    exempt={"float64": "networks work in float32"},
)


class ImageNetwork(nn.Module):
    """A small Inception: maps, a pool and a flattening that are no modules, an unused side exit, dropout, `fc`."""

    def __init__(self, rng: np.random.Generator, channels: int, dim: int, classes: int, head_first: bool):
        super().__init__()
        if head_first:  # the order of registration need not be the order of use
            self.fc = nn.Linear(dim, classes)
        self.maps = nn.Sequential(nn.Conv2d(channels, dim, 3, padding=1), nn.BatchNorm2d(dim), nn.ReLU())
        self.aux = nn.Linear(dim, classes)
        self.dropout = nn.Dropout()
        if not head_first:
            self.fc = nn.Linear(dim, classes)
        _fill(self, rng)

    def forward(self, images):
        return self.fc(self.dropout(self.maps(images).mean(dim=(2, 3))))


class VectorNetwork(nn.Module):
    """Two layers and a batch norm, then `fc`: for vectors instead of images."""

    def __init__(self, rng: np.random.Generator, inputs: int, dim: int, classes: int):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, dim), nn.Tanh(), nn.BatchNorm1d(dim))
        self.fc = nn.Linear(dim, classes)
        _fill(self, rng)

    def forward(self, x):
        return self.fc(self.body(x))


def _fill(network: nn.Module, rng: np.random.Generator) -> None:
    """Give a network weights of its own, as if it had been trained, in eval mode."""
    with torch.no_grad():
        for name, x in network.state_dict().items():
            if name.endswith("running_var"):
                x.copy_(torch.from_numpy(rng.uniform(0.5, 2, x.shape)))
            elif x.is_floating_point():
                x.copy_(torch.from_numpy(rng.normal(size=x.shape)))
    network.requires_grad_(True).eval()


def _float(rng, *shape, scale=1.0):
    return torch.from_numpy(scale * rng.normal(size=shape)).float()


@exercise_01_2.oracle
def remove_head(network):
    """A copy of a network whose last layer `fc` passes on what it is given; the network itself stays whole."""
    cut = copy.deepcopy(network)
    cut.fc = nn.Identity()
    return cut


@exercise_01_2.cases
def networks_and_images(rng):
    return [
        (VectorNetwork(rng, 2, 3, 2), _float(rng, 1, 2)),
        (VectorNetwork(rng, 4, 6, 3), _float(rng, 5, 4, scale=100)),
        (ImageNetwork(rng, 1, 4, 10, head_first=False), _float(rng, 3, 1, 6, 6)),
        (ImageNetwork(rng, 3, 5, 5, head_first=True), _float(rng, 2, 3, 8, 5, scale=0.01)),
        (ImageNetwork(rng, 3, 8, 1, head_first=False), _float(rng, 4, 3, 5, 5, scale=40)),
    ]


@exercise_01_2.call
def cut_and_use(answer, network, images):
    lent = copy.deepcopy(network)
    cut = answer(lent)
    with torch.no_grad():
        return cut(images), lent(images), float(lent.training)


@exercise_01_2.mistake(
    "The features are right, but the given network has lost its head too: afterwards it can't classify. Work on a copy "
    "that shares no layers with it (copy.copy is not enough)."
)
def head_cut_in_place(network):
    network.fc = nn.Identity()
    return network


@exercise_01_2.mistake(
    "The features are right, but the given network has lost its head too: afterwards it can't classify. Work on a copy "
    "that shares no layers with it (copy.copy is not enough)."
)
def head_cut_from_a_shallow_copy(network):
    return head_cut_in_place(copy.copy(network))


@exercise_01_2.mistake(
    "What comes back can't be called to its end, as if nothing were returned or `fc` were None: return a network in which "
    "something stands in the place of `fc` that does nothing."
)
def nothing_returned(network):
    head_cut_in_place(network)


@exercise_01_2.mistake(
    "Nothing came back that can be called: return the network without its head, not what it gives."
)
def a_tensor_returned(network):
    return torch.zeros(network.fc.in_features)


@exercise_01_2.mistake("Your network still answers with logits, one number a class: the head is still on.")
def head_left_on(network):
    return copy.deepcopy(network)


@exercise_01_2.mistake("Your network answers with probabilities of classes: the head is still on.")
def head_left_on_with_softmax(network):
    return nn.Sequential(copy.deepcopy(network), nn.Softmax(dim=1))


@exercise_01_2.mistake(
    "Class probabilities where logits were: a softmax must not stand in the head's place. Features pass unchanged."
)
def softmax_for_the_head(network):
    cut = copy.deepcopy(network)
    cut.fc = nn.Softmax(dim=1)
    return cut


@exercise_01_2.mistake(
    "Only part of the network's own forward is done: its modules in a row, without the steps between them (here the "
    "mean over the map and the flattening), or in another order. Exchange one layer, and leave forward as it is."
)
def modules_in_a_row(network):
    return nn.Sequential(*list(copy.deepcopy(network).children())[:-1])


@exercise_01_2.mistake(
    "Only part of the network's own forward is done: its modules in a row, without the steps between them (here the "
    "mean over the map and the flattening), or in another order. Exchange one layer, and leave forward as it is."
)
def modules_in_a_row_but_fc(network):
    return nn.Sequential(*[part for name, part in copy.deepcopy(network).named_children() if name != "fc"])


@exercise_01_2.mistake(
    "An attribute is missing: the network's own forward still calls `fc`. Put something in its place that does nothing."
)
def head_deleted(network):
    cut = copy.deepcopy(network)
    del cut.fc
    return cut


@exercise_01_2.mistake(
    "What comes back can't be called to its end, as if nothing were returned or `fc` were None: return a network in which "
    "something stands in the place of `fc` that does nothing."
)
def head_set_to_none(network):
    cut = copy.deepcopy(network)
    cut.fc = None
    return cut


@exercise_01_2.mistake("The weights of the last layer come back, whatever the input is.")
def weights_of_the_head(network):
    return lambda images: network.fc.weight.detach()


def _right_form(case, output, expected):
    """As many features as the right ones and the given network untouched, whatever the values."""
    return all(got.shape == want.shape for got, want in zip(output, expected, strict=True)) and all(
        np.allclose(got, want, rtol=1e-4, atol=1e-4)
        for got, want in zip(output[1:], expected[1:], strict=True)
    )


@exercise_01_2.mistake(
    "As many features as there should be, but other values than `fc` was given: as if a new layer stood in its place, "
    "weights had been drawn anew, or the copy were in training mode.",
    recognise=_right_form,
)
def a_new_layer_for_the_head(network):
    cut = copy.deepcopy(network)
    cut.fc = nn.Linear(network.fc.in_features, network.fc.in_features)
    return cut


# --- 01.3 embed --------------------------------------------------------------------------------------------

exercise_01_3 = Exercise(
    "01.3",
    "embed",
    points=4,
    atol=1e-6,
    returns=("features", "gradients attached", "training mode afterwards", "images at once over batch_size"),
    exempt={"float64": "networks work in float32"},
)


@exercise_01_3.oracle
def embed(images, network, batch_size):
    """Features (N, D) of N images, batch by batch, in eval mode and without gradients; the mode is put back."""
    was_training = network.training
    network.eval()
    with torch.no_grad():
        rows = [network(batch) for batch in images.split(batch_size)]
    network.train(was_training)
    return torch.cat(rows)


def _headless(network: nn.Module, training: bool) -> nn.Module:
    return remove_head(network).train(training)


@exercise_01_3.cases
def images_and_networks(rng):
    def vectors(training, *sizes):
        return _headless(VectorNetwork(rng, *sizes), training)

    def pictures(training, channels, dim):
        return _headless(ImageNetwork(rng, channels, dim, 2, head_first=False), training)

    return [
        (_float(rng, 4, 2), vectors(False, 2, 3, 2), 2),
        (_float(rng, 4, 2), vectors(True, 2, 3, 2), 2),
        (_float(rng, 7, 2), vectors(False, 2, 3, 2), 3),
        (_float(rng, 7, 4, scale=60), vectors(True, 4, 1, 2), 7),
        (_float(rng, 5, 1, 6, 6), pictures(True, 1, 4), 2),
        (_float(rng, 3, 3, 5, 5, scale=0.01), pictures(True, 3, 3), 8),
        (_float(rng, 6, 1, 4, 7), pictures(False, 1, 2), 4),
        (_float(rng, 3, 3, 4, 4), pictures(True, 3, 6), 1),
        (_float(rng, 9, 3, 4, 4), pictures(False, 3, 5), 4),
    ]


@exercise_01_3.call
def embed_and_look(answer, images, network, batch_size):
    seen = []
    hook = network.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    try:
        rows = answer(images, network, batch_size)
    finally:
        hook.remove()
    parts = rows if isinstance(rows, list | tuple) else [rows]
    attached = any(getattr(part, "requires_grad", False) for part in parts)
    return rows, float(attached), float(network.training), float(max(seen, default=0) > batch_size)


def _batches(images, network, batch_size):
    """The right rows of each batch, without a trace in the network."""
    network = copy.deepcopy(network).eval()
    with torch.no_grad():
        return [network(batch) for batch in images.split(batch_size)]


NOT_EVAL = (
    "The features are those of training mode: batch norm mixes the images of a batch and dropout deletes features at "
    "random, so an image's features depend on its neighbours and on batch_size. Switch to eval mode first."
)


@exercise_01_3.mistake(NOT_EVAL)
def mode_left_as_it_was(images, network, batch_size):
    with torch.no_grad():
        return torch.cat([network(batch) for batch in images.split(batch_size)])


@exercise_01_3.mistake(NOT_EVAL)
def mode_left_and_gradients_kept(images, network, batch_size):
    return torch.cat([network(batch) for batch in images.split(batch_size)])


@exercise_01_3.mistake(NOT_EVAL)
def all_in_training_mode(images, network, batch_size):
    was_training = network.training
    network.train()
    rows = mode_left_as_it_was(images, network, batch_size)
    network.train(was_training)
    return rows


@exercise_01_3.mistake(
    "The features are right, but a network that was in training mode stays in eval mode: put back the mode that it was "
    "in, or its training goes on without batch statistics and dropout."
)
def left_in_eval_mode(images, network, batch_size):
    rows = torch.cat(_batches(images, network, batch_size))
    network.eval()
    return rows


@exercise_01_3.mistake(
    "The features are right, but a network that was in eval mode is in training mode afterwards: put back the mode that "
    "it was in, whichever it was."
)
def left_in_training_mode(images, network, batch_size):
    rows = torch.cat(_batches(images, network, batch_size))
    network.train()
    return rows


@exercise_01_3.mistake(
    "The features are right, but gradients are attached: every layer's activations stay in memory, for all images."
)
def gradients_kept(images, network, batch_size):
    was_training = network.training
    rows = torch.cat([network.eval()(batch) for batch in images.split(batch_size)])
    network.train(was_training)
    return rows


@exercise_01_3.mistake(
    "Gradients are attached, and the network stays in eval mode: neither should be so afterwards."
)
def gradients_kept_and_left_in_eval_mode(images, network, batch_size):
    network.eval()
    return torch.cat([network(batch) for batch in images.split(batch_size)])


@exercise_01_3.mistake(
    "The last images are missing where N is no multiple of batch_size: the last batch is smaller, and counts too."
)
def last_batch_dropped(images, network, batch_size):
    rows = torch.cat(_batches(images, network, batch_size))
    whole = [rows[i * batch_size : (i + 1) * batch_size] for i in range(len(images) // batch_size)]
    return torch.cat(whole) if whole else rows[:0]


@exercise_01_3.mistake(
    "The last images are missing where N is no multiple of batch_size: the last batch is smaller, and counts too."
)
def last_batch_dropped_or_error(images, network, batch_size):
    rows = torch.cat(_batches(images, network, batch_size))
    return torch.cat([rows[i * batch_size :][:batch_size] for i in range(len(images) // batch_size)])


@exercise_01_3.mistake("Only the first batch comes back: go through all of the images.")
def first_batch_only(images, network, batch_size):
    return _batches(images, network, batch_size)[0]


@exercise_01_3.mistake("Only the last batch comes back: collect the rows of all batches.")
def last_batch_only(images, network, batch_size):
    return _batches(images, network, batch_size)[-1]


@exercise_01_3.mistake(
    "The features are right, but the network saw more than batch_size images at once: 60,000 would not fit in memory."
)
def all_at_once(images, network, batch_size):
    was_training = network.training
    with torch.no_grad():
        rows = network.eval()(images)
    network.train(was_training)
    return rows


@exercise_01_3.mistake("A list of batches comes back: join them to one table with a row for each image.")
def list_of_batches(images, network, batch_size):
    return _batches(images, network, batch_size)


@exercise_01_3.mistake("A list of batches comes back: join them along the first axis; stacking adds an axis.")
def batches_stacked(images, network, batch_size):
    return torch.stack(_batches(images, network, batch_size))


@exercise_01_3.mistake(
    "The table is turned: there should be a row for each image, a column for each feature."
)
def turned(images, network, batch_size):
    return torch.cat(_batches(images, network, batch_size)).T


@exercise_01_3.mistake("As if the table were one long row: keep a row for each image.")
def one_long_row(images, network, batch_size):
    return torch.cat(_batches(images, network, batch_size)).flatten()


@exercise_01_3.mistake(
    "One vector for many images, as if the features were averaged: keep a row for each image."
)
def averaged_over_images(images, network, batch_size):
    return torch.cat(_batches(images, network, batch_size)).mean(0)


@exercise_01_3.mistake("One vector a batch, as if the features were averaged: keep a row for each image.")
def averaged_over_batches(images, network, batch_size):
    return torch.stack([rows.mean(0) for rows in _batches(images, network, batch_size)])


# --- 01.4 feature_distance ---------------------------------------------------------------------------------

exercise_01_4 = Exercise(
    "01.4",
    "feature_distance",
    points=2,
    atol=1e-5,
    exempt={"float64": "networks work in float32"},
)


@exercise_01_4.oracle
def feature_distance(x, y, network):
    """Euclidean distance of each pair of images in the features of `network`: (N,)."""
    with torch.no_grad():
        return (network(x) - network(y)).double().norm(dim=1)


@exercise_01_4.cases
def pairs_and_networks(rng):
    plain = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False)).requires_grad_(False).eval()
    plain[1].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
    one, two = torch.tensor([[[[3.0, 0]]], [[[1, 1]]]]), torch.tensor([[[[0.0, 2]]], [[[1, 1]]]])

    def case(n, channels, dim, height, width, scale):
        network = _headless(ImageNetwork(rng, channels, dim, 2, head_first=False), training=False)
        x, y = (_float(rng, n, channels, height, width, scale=scale) for _ in range(2))
        return x, y, network

    flat = VectorNetwork(rng, 6, 4, 2)
    return [
        (one, two, plain),
        case(1, 1, 3, 5, 5, 1.0),
        case(4, 1, 5, 6, 4, 1.0),
        case(3, 3, 2, 4, 4, 0.01),
        case(5, 3, 1, 4, 4, 5.0),
        case(4, 3, 6, 7, 3, 60.0),
        (_float(rng, 3, 6), _float(rng, 3, 6), _headless(flat, training=False)),
    ]


def _feature_gap(x, y, network):
    with torch.no_grad():
        return (network(x) - network(y)).double()


@exercise_01_4.mistake("That is the distance of the pixels: both images must go through the network first.")
def distance_of_the_pixels(x, y, network):
    return (x - y).double().flatten(1).norm(dim=1)


@exercise_01_4.mistake(
    "As if the network were given the difference of the images. It isn't linear: take the features of each, then the "
    "difference."
)
def features_of_the_difference(x, y, network):
    with torch.no_grad():
        return network(x - y).double().norm(dim=1)


@exercise_01_4.mistake("As if one image of the pair had all features 0: subtract the features of both.")
def length_of_one(x, y, network):
    with torch.no_grad():
        return network(x).double().norm(dim=1)


@exercise_01_4.mistake(
    "That is the difference of two lengths. Subtract the vectors first: two long vectors can point apart."
)
def difference_of_lengths(x, y, network):
    with torch.no_grad():
        return (network(x).double().norm(dim=1) - network(y).double().norm(dim=1)).abs()


@exercise_01_4.mistake("These are squared distances: the root is missing.")
def squared_feature_distance(x, y, network):
    return _feature_gap(x, y, network).square().sum(1)


@exercise_01_4.mistake(
    "As if distances were sums of absolute differences. Euclidean ones square, add, and take the root."
)
def city_block_features(x, y, network):
    return _feature_gap(x, y, network).abs().sum(1)


@exercise_01_4.mistake("As if the squares were averaged over the features: Euclid adds them.")
def root_mean_square_features(x, y, network):
    return _feature_gap(x, y, network).square().mean(1).sqrt()


@exercise_01_4.mistake("As if the squares were averaged over the features: add them, and take the root.")
def mean_squared_features(x, y, network):
    return _feature_gap(x, y, network).square().mean(1)


@exercise_01_4.mistake("That is a mean absolute difference. Euclid squares, adds, and takes the root.")
def mean_absolute_features(x, y, network):
    return _feature_gap(x, y, network).abs().mean(1)


@exercise_01_4.mistake("One number for all pairs: each pair has a distance of its own.")
def one_feature_distance_for_all(x, y, network):
    return _feature_gap(x, y, network).norm()


@exercise_01_4.mistake("One number for all pairs: each pair has a distance of its own.")
def mean_feature_distance(x, y, network):
    return _feature_gap(x, y, network).norm(dim=1).mean()


@exercise_01_4.mistake("One number for all pairs: each pair has a distance of its own.")
def distance_of_the_mean_features(x, y, network):
    return _feature_gap(x, y, network).mean(0).norm()


@exercise_01_4.mistake(
    "A number for each feature, over all pairs: asked is one for each pair, over all features."
)
def a_distance_for_each_feature(x, y, network):
    return _feature_gap(x, y, network).norm(dim=0)


@exercise_01_4.mistake("You return the differences of the features. Their length is still to be taken.")
def differences_of_features(x, y, network):
    return _feature_gap(x, y, network)


@exercise_01_4.mistake(
    "Every x against every y. Asked are N distances, of the first x and the first y and so on."
)
def all_against_all_features(x, y, network):
    with torch.no_grad():
        return torch.cdist(network(x).double(), network(y).double())


@exercise_01_4.mistake("Only the angle counts in yours. Euclidean distances see lengths as well.")
def angles_of_features(x, y, network):
    with torch.no_grad():
        return 1 - torch.cosine_similarity(network(x).double(), network(y).double())


@exercise_01_4.mistake("Only the angle counts in yours. Euclidean distances see lengths as well.")
def distance_of_directions(x, y, network):
    with torch.no_grad():
        a, b = (nn.functional.normalize(network(part).double()) for part in (x, y))
    return (a - b).norm(dim=1)


# --- 01.5 nearest ------------------------------------------------------------------------------------------

exercise_01_5 = Exercise("01.5", "nearest", points=3)


@exercise_01_5.oracle
def nearest(queries, bank, k):
    """Places in `bank` (N, D) of the k rows nearest to each of M queries (M, D), the nearest first: (M, k)."""
    distances = torch.cdist(torch.as_tensor(queries), torch.as_tensor(bank))
    return distances.topk(k, largest=False, sorted=True).indices


def _table(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def _cloud(rng, rows, columns, scale=1.0, centre=0.0):
    return torch.from_numpy(scale * rng.normal(size=(rows, columns)) + centre)


@exercise_01_5.cases
def queries_and_banks(rng):
    line = _table([0], [1], [3], [7], [15])
    points = _cloud(rng, 9, 4)
    long = points * torch.from_numpy(rng.uniform(0.2, 5, (9, 1)))  # lengths matter as much as angles
    flat = _cloud(rng, 12, 3)
    flat[:, 1] = 2
    return [
        (_table([2.4]), line, 1),
        (_table([2.4], [6], [-1]), line, 2),
        (_table([9], [0.4]), line, 5),
        (_table([0, 0], [4, 4]), _table([0, 3], [2, 2], [5, 5], [-1, 0], [0, 3]), 3),  # a copy in the bank
        (_table([1, 1], [2, 0]), _table([1, 1], [1, 1], [1, 1], [3, 4]), 2),  # ties
        (points, points.clone(), 3),  # each query stands in the bank
        (points[:4], long, 4),
        (_cloud(rng, 3, 5), _cloud(rng, 20, 5), 6),
        (_cloud(rng, 10, 2), _cloud(rng, 4, 2), 2),
        (_cloud(rng, 6, 9).float(), _cloud(rng, 5, 9).float(), 3),
        (flat[:3] + 0.1, flat, 4),
        (_cloud(rng, 5, 3, 100.0), _cloud(rng, 12, 3, 100.0), 3),
        (_cloud(rng, 5, 3, 0.01), _cloud(rng, 12, 3, 0.01), 3),
        (_cloud(rng, 4, 3, 1.0, 20.0), _cloud(rng, 15, 3, 1.0, 20.0), 4),  # far from 0: products mislead
    ]


def _exact(queries, bank):
    """(M, N) distances by differences."""
    return (queries[:, None].double() - bank[None].double()).square().sum(dim=2).sqrt()


@exercise_01_5.accepts
def are_nearest(case, output, expected):
    """k different places a query whose distances are the k smallest, in order; ties may stand either way round."""
    queries, bank, k = case
    if (
        not isinstance(output, np.ndarray)
        or output.dtype.kind not in "iu"
        or output.shape != (len(queries), k)
    ):
        return False
    if output.min() < 0 or output.max() >= len(bank) or any(len(set(row)) < k for row in output.tolist()):
        return False
    distances = _exact(queries, bank)
    got = distances.gather(1, torch.from_numpy(output.astype(np.int64)))
    slack = 1e-5 * float(bank.double().abs().max())
    return torch.allclose(got, distances.sort(dim=1).values[:, :k], rtol=1e-5, atol=slack)


def _equal(case, output, expected):
    """The very same numbers: what tells one mistake from another."""
    return output.shape == expected.shape and np.allclose(output, expected)


@exercise_01_5.mistake("These are the farthest rows. Small distances are wanted.", recognise=_equal)
def farthest(queries, bank, k):
    return _exact(queries, bank).topk(k).indices


@exercise_01_5.mistake(
    "The rows are right, but the farthest of them stands first: sort from near to far.", recognise=_equal
)
def far_to_near(queries, bank, k):
    return nearest(queries, bank, k).flip(1)


@exercise_01_5.mistake(
    "The rows are right, but not in order: the nearest should stand first.", recognise=_equal
)
def in_order_of_the_bank(queries, bank, k):
    return nearest(queries, bank, k).sort(dim=1).values


@exercise_01_5.mistake(
    "You return distances. Asked are places in the bank: whole numbers that index its rows.", recognise=_equal
)
def distances_for_places(queries, bank, k):
    return _exact(queries, bank).topk(k, largest=False).values


@exercise_01_5.mistake("You return rows of the bank. Asked are their places in it.", recognise=_equal)
def rows_for_places(queries, bank, k):
    return bank[nearest(queries, bank, k)]


@exercise_01_5.mistake(
    "As if the nearest row were the query itself and had to be skipped. The queries need not be in the bank, and where "
    "one is, it counts.",
    recognise=_equal,
)
def nearest_skipped(queries, bank, k):
    return _exact(queries, bank).argsort(dim=1, stable=True)[:, 1 : k + 1]


@exercise_01_5.mistake(
    "As if a row at distance 0 didn't count. A copy of the query is its nearest row.", recognise=_equal
)
def copies_left_out(queries, bank, k):
    distances = _exact(queries, bank)
    return distances.where(distances > 0, torch.inf).argsort(dim=1, stable=True)[:, :k]


@exercise_01_5.mistake("One place too many for each query: k are asked for.", recognise=_equal)
def one_too_many(queries, bank, k):
    return _exact(queries, bank).argsort(dim=1, stable=True)[:, : k + 1]


@exercise_01_5.mistake(
    "Only the k-th nearest row comes back, not the nearer ones before it.", recognise=_equal
)
def only_the_kth(queries, bank, k):
    return _exact(queries, bank).kthvalue(k, dim=1).indices


@exercise_01_5.mistake("Only the nearest row comes back: k are asked for.", recognise=_equal)
def only_the_nearest(queries, bank, k):
    return _exact(queries, bank).argmin(dim=1, keepdim=True)


@exercise_01_5.mistake("Only the nearest row comes back: k are asked for.", recognise=_equal)
def only_the_nearest_flat(queries, bank, k):
    return _exact(queries, bank).argmin(dim=1)


@exercise_01_5.mistake(
    "The whole bank in order for each query: cut it after the k nearest.", recognise=_equal
)
def the_whole_bank(queries, bank, k):
    return _exact(queries, bank).argsort(dim=1, stable=True)


@exercise_01_5.mistake(
    "The table is turned: there should be a row for each query, with its k places.", recognise=_equal
)
def places_turned(queries, bank, k):
    return nearest(queries, bank, k).T


@exercise_01_5.mistake(
    "The other way round: places of queries, for each row of the bank. The bank is searched.",
    recognise=_equal,
)
def places_of_queries(queries, bank, k):
    return _exact(bank, queries).argsort(dim=1, stable=True)[:, :k]


@exercise_01_5.mistake(
    "Each row's rank is not a place: in argsort's result it is the position that is the rank.",
    recognise=_equal,
)
def ranks_for_places(queries, bank, k):
    return _exact(queries, bank).argsort(dim=1, stable=True).argsort(dim=1, stable=True)[:, :k]


@exercise_01_5.mistake(
    "As if distances were sums of absolute differences: other rows are nearest then.", recognise=_equal
)
def nearest_by_city_block(queries, bank, k):
    distances = (queries[:, None] - bank[None]).abs().sum(dim=2)
    return distances.argsort(dim=1, stable=True)[:, :k]


@exercise_01_5.mistake(
    "As if only angles counted: a row that points the same way may be far away.", recognise=_equal
)
def nearest_by_angle(queries, bank, k):
    a, b = (nn.functional.normalize(x.double()) for x in (queries, bank))
    return (a @ b.T).argsort(dim=1, descending=True, stable=True)[:, :k]


@exercise_01_5.mistake(
    "As if a large product meant near: long rows win then, however far they are.", recognise=_equal
)
def nearest_by_product(queries, bank, k):
    return (queries @ bank.T).argsort(dim=1, descending=True, stable=True)[:, :k]


@exercise_01_5.mistake(
    "Right for the first query, but you return one list for all of them: each query has its own.",
    recognise=_equal,
)
def first_query_only(queries, bank, k):
    return nearest(queries[:1], bank, k)[0]
