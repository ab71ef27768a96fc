"""Exercises of chapter 11: paths between two latents, a distance for the eye, and how abruptly a generator changes."""

import numpy as np
import torch

from gancourse import latents, metrics
from gancourse.exercises import Exercise


def _column(t):
    """t as it multiplies rows: a number, or (N,) as (N, 1)."""
    t = torch.as_tensor(t)
    return t[:, None] if t.ndim else t


# --- 11.1 lerp ---------------------------------------------------------------------------------------------

exercise_11_1 = Exercise(
    "11.1", "lerp", points=2, forbidden=("torch.lerp", "torch.Tensor.lerp", "torch._refs.lerp")
)


@exercise_11_1.oracle
def lerp(a, b, t):
    """(1 - t) a + t b row by row: a, b (N, D), t a number or (N,) -> (N, D)."""
    t = torch.as_tensor(t, dtype=a.dtype)
    return (1 - _column(t)) * a + _column(t) * b


@exercise_11_1.cases
def pairs_on_lines(rng):
    def rows(n, dim, scale=1.0):
        return torch.from_numpy(scale * rng.normal(size=(n, dim)))

    def places(n):
        return torch.from_numpy(rng.uniform(0.1, 0.9, size=n))

    a = torch.tensor([[0.0, 10.0]], dtype=torch.float64)
    b = torch.tensor([[4.0, -6.0]], dtype=torch.float64)
    level, slope = rows(4, 3), rows(4, 3)
    level[:, 1], slope[:, 2] = 2.0, -1.0
    return [
        (a, b, 0.25),
        (a, b, 0.0),
        (a, b, 1.0),
        (a, b, 0.5),
        (a, b, torch.tensor([0.25], dtype=torch.float64)),
        (rows(5, 3), rows(5, 3), places(5)),
        (rows(3, 3), rows(3, 3), places(3)),  # a t along the wrong axis raises nothing here
        (rows(2, 6), rows(2, 6), places(2)),
        (rows(6, 1), rows(6, 1), places(6)),
        (rows(4, 3), rows(4, 3), 1.5),
        (rows(4, 3), rows(4, 3), -0.5),
        (level, slope, 0.75),
        (rows(3, 4, 1000.0), rows(3, 4, 1000.0), places(3)),
        (rows(3, 4, 0.01), rows(3, 4, 0.01), places(3)),
        (rows(4, 5).float(), rows(4, 5).float(), places(4).float()),
        (rows(4, 5).float(), rows(4, 5).float(), 0.3),
    ]


BACKWARDS = "Your path starts at b and ends at a: at t = 0 it should give a."


@exercise_11_1.mistake(BACKWARDS)
def starts_at_b(a, b, t):
    return _column(t) * a + (1 - _column(t)) * b


T_ALONG_COLUMNS = (
    "As if t were spread along the columns: t has one number for each row. Give it a second axis, t[:, None]."
)


@exercise_11_1.mistake(T_ALONG_COLUMNS)
def t_along_columns(a, b, t):
    return (1 - t) * a + t * b


@exercise_11_1.mistake(T_ALONG_COLUMNS)
def step_along_columns(a, b, t):
    return a + (b - a) * t


@exercise_11_1.mistake("It stops at the ends: t may lie below 0 or above 1, and the line goes on there.")
def stops_at_the_ends(a, b, t):
    t = torch.as_tensor(t).clamp(0, 1)
    return (1 - _column(t)) * a + _column(t) * b


@exercise_11_1.mistake("At t = 1 yours gives a + b: a is not faded out while b comes in.")
def a_is_never_left(a, b, t):
    return a + _column(t) * b


@exercise_11_1.mistake("Yours is always the point halfway: t makes no difference.")
def always_halfway(a, b, t):
    return (a + b) / 2


@exercise_11_1.mistake("Your path leaves a in the direction away from b: the step is b - a, not a - b.")
def leaves_the_other_way(a, b, t):
    return a + _column(t) * (a - b)


@exercise_11_1.mistake("That is only the step t (b - a): it starts at 0 instead of a.")
def step_alone(a, b, t):
    return _column(t) * (b - a)


@exercise_11_1.mistake("That is only the part of a: b doesn't come in.")
def part_of_a(a, b, t):
    return (1 - _column(t)) * a


@exercise_11_1.mistake(
    "Yours goes along the great circle. lerp is the straight line: no angles and no lengths in it."
)
def along_the_circle(a, b, t):
    return latents.slerp(a, b, t)


@exercise_11_1.mistake("As if every row had the first row's t: t has one number for each row.")
def first_t_for_all(a, b, t):
    t = torch.as_tensor(t).flatten()[0]
    return (1 - t) * a + t * b


@exercise_11_1.mistake("As if every row had the mean of t: t has one number for each row.")
def mean_t_for_all(a, b, t):
    t = torch.as_tensor(t).mean()
    return (1 - t) * a + t * b


@exercise_11_1.mistake("Yours eases in and out: the path should be covered at constant speed.")
def eases_in_and_out(a, b, t):
    t = _column(torch.as_tensor(t))
    t = t**2 * (3 - 2 * t)
    return (1 - t) * a + t * b


SCALED = "The lengths are changed: a lerp is not scaled afterwards."


@exercise_11_1.mistake(SCALED)
def scaled_to_length_one(a, b, t):
    return torch.nn.functional.normalize(lerp(a, b, t), dim=-1)


@exercise_11_1.mistake(SCALED)
def scaled_to_lerped_length(a, b, t):
    length = lerp(a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True), t)
    return length * torch.nn.functional.normalize(lerp(a, b, t), dim=-1)


# --- 11.2 slerp --------------------------------------------------------------------------------------------

exercise_11_2 = Exercise(
    "11.2",
    "slerp",
    points=4,
    rtol=1e-4,
    atol=1e-6,
    forbidden=("scipy.spatial.geometric_slerp",),
    exempt={"one column": "on a line there are two directions and no way between them"},
)
exercise_11_2.oracle(latents.slerp)


@exercise_11_2.cases
def pairs_on_spheres(rng):
    def rows(n, dim, scale=1.0):
        return torch.from_numpy(scale * rng.normal(size=(n, dim)))

    def places(n):
        return torch.from_numpy(rng.uniform(0.1, 0.9, size=n))

    right = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    up = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    some, wide = rows(3, 4), rows(2, 5)
    level = rows(4, 3)
    level[:, 1] = 2.0
    mixed, other = rows(4, 3), rows(4, 3)
    other[0], other[1] = 3 * mixed[0], -0.5 * mixed[1]
    sloping = rows(4, 3)
    sloping[:, 0] = -1.0
    return [
        (right, up, 1 / 3),
        (right, 3 * up, 0.25),
        (right, up, 0.0),
        (2 * right, 3 * up, 1.0),
        (right, -up, 0.25),
        (3 * right, right - up, 0.5),
        (right, 5 * right, 0.5),  # parallel
        (some, some.clone(), 0.3),
        (some, 3 * some, places(3)),
        (right, -right, 0.25),  # antiparallel
        (2 * up, -5 * up, 0.5),
        (wide, -2 * wide, places(2)),
        (mixed, other, places(4)),
        (rows(5, 3), rows(5, 3), places(5)),
        (rows(3, 3), rows(3, 3), places(3)),
        (rows(2, 64), rows(2, 64), places(2)),
        (rows(4, 3), rows(4, 3), 1.2),
        (rows(4, 3), rows(4, 3), -0.2),
        (level, sloping, 0.4),
        (rows(3, 4, 1000.0), rows(3, 4, 1000.0), places(3)),
        (rows(3, 4, 0.001), rows(3, 4, 0.001), places(3)),
        (rows(4, 8).float(), rows(4, 8).float(), places(4).float()),
        (some.float(), 2 * some.float(), 0.5),
        (some.float(), -some.float(), 0.5),
    ]


@exercise_11_2.accepts
def is_on_a_great_circle(case, output, expected):
    """Rows as expected; between opposite rows any great circle will do: the lerped length, the right angle to a."""
    a, b, t = case
    near = 2e-3 if np.float32 in (output.dtype, expected.dtype) else 1e-4
    if output.shape != expected.shape or np.iscomplexobj(output) or not np.isfinite(output).all():
        return False
    length = np.linalg.norm(expected.astype(float), axis=1, keepdims=True)
    if not np.allclose(np.linalg.norm(output.astype(float), axis=1, keepdims=True), length, near, 0):
        return False
    got, want = (x.astype(float) / length for x in (output, expected))
    opposite = _cosines(a, b) < -1 + 1e-6
    if not np.allclose(got[~opposite], want[~opposite], 0, near):
        return False
    place = np.broadcast_to(np.asarray(t, float), len(a))[opposite]
    cosine = (got * _unit(a.double()).numpy()).sum(axis=1)[opposite]
    return bool(np.allclose(cosine, np.cos(np.pi * place), 0, near))


def _unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def _cosines(a, b):
    return (_unit(a.double()) * _unit(b.double())).sum(-1).numpy()


def _as_rows_turn(case, output, expected):
    """Equal on rows that are neither parallel nor opposite; what is made of the others is another story."""
    a, b, _ = case
    turning = np.abs(_cosines(a, b)) < 1 - 1e-6
    single = np.float32 in (output.dtype, expected.dtype)
    digits = 1e-2 if single else 1e-4
    scale = float(torch.maximum(a.abs().max(), b.abs().max()))
    return output.shape == expected.shape and np.allclose(
        output[turning], expected[turning], digits, digits * scale, equal_nan=True
    )


def _angle(a, b):
    return (_unit(a) * _unit(b)).sum(-1, keepdim=True).clamp(-1, 1).acos()


def _great_circle(a, b, t, omega):
    """The classical formula, with its 0 / 0 for parallel and opposite rows."""
    t = _column(torch.as_tensor(t, dtype=a.dtype))
    return (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega)


def _lengths(a, b, t):
    return lerp(a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True), t)


def _direction(a, b, t):
    return torch.nn.functional.normalize(latents.slerp(a, b, t), dim=-1)


STRAIGHT = "That is a straight line: halfway between two latents it is too short. Turn the direction, and lerp the length."


@exercise_11_2.mistake(
    STRAIGHT,
    recognise=_as_rows_turn,
)
def straight_line(a, b, t):
    return lerp(a, b, t)


@exercise_11_2.mistake(
    STRAIGHT,
    recognise=_as_rows_turn,
)
def straight_line_between_units(a, b, t):
    return _lengths(a, b, t) * lerp(_unit(a), _unit(b), t)


UNEVEN = "The lengths are right, but the direction doesn't turn at constant speed, as if a straight line were scaled afterwards. Turn by t times the angle."


@exercise_11_2.mistake(
    UNEVEN,
    recognise=_as_rows_turn,
)
def scaled_straight_line(a, b, t):
    return _lengths(a, b, t) * torch.nn.functional.normalize(lerp(a, b, t), dim=-1)


@exercise_11_2.mistake(
    UNEVEN,
    recognise=_as_rows_turn,
)
def scaled_line_between_units(a, b, t):
    return _lengths(a, b, t) * torch.nn.functional.normalize(lerp(_unit(a), _unit(b), t), dim=-1)


@exercise_11_2.mistake(
    "Everything has length 1: the length should go from that of a to that of b, by lerp.",
    recognise=_as_rows_turn,
)
def length_one(a, b, t):
    return _direction(a, b, t)


@exercise_11_2.mistake(
    "The length stays that of a: it should go from that of a to that of b, by lerp.", recognise=_as_rows_turn
)
def length_of_a(a, b, t):
    return a.norm(dim=-1, keepdim=True) * _direction(a, b, t)


@exercise_11_2.mistake(
    "The length stays that of b: it should go from that of a to that of b, by lerp.", recognise=_as_rows_turn
)
def length_of_b(a, b, t):
    return b.norm(dim=-1, keepdim=True) * _direction(a, b, t)


@exercise_11_2.mistake(
    "The length stays the mean of the two: it should go from that of a to that of b, by lerp.",
    recognise=_as_rows_turn,
)
def length_of_the_mean(a, b, t):
    return _lengths(a, b, 0.5) * _direction(a, b, t)


@exercise_11_2.mistake(
    "The length goes from that of b to that of a, while the direction goes from a to b.",
    recognise=_as_rows_turn,
)
def lengths_from_b(a, b, t):
    return _lengths(b, a, t) * _direction(a, b, t)


@exercise_11_2.mistake(
    "As if the lengths were mixed by powers, |a|^(1-t) |b|^t: mix them by lerp, (1-t) |a| + t |b|.",
    recognise=_as_rows_turn,
)
def lengths_by_powers(a, b, t):
    t_ = _column(torch.as_tensor(t, dtype=a.dtype))
    length = a.norm(dim=-1, keepdim=True) ** (1 - t_) * b.norm(dim=-1, keepdim=True) ** t_
    return length * _direction(a, b, t)


@exercise_11_2.mistake(
    "Where a and b differ in length, yours leaves the lerped length: the great circle is for unit vectors. "
    "Divide both by their lengths first, and multiply by (1 - t) |a| + t |b| at the end.",
    recognise=_as_rows_turn,
)
def vectors_with_their_lengths(a, b, t):
    return _great_circle(a, b, t, _angle(a, b))


@exercise_11_2.mistake(BACKWARDS, recognise=_as_rows_turn)
def circle_from_b(a, b, t):
    return latents.slerp(b, a, t)


@exercise_11_2.mistake(
    "As if sine and cosine took degrees: they take radians, as acos gives them.", recognise=_as_rows_turn
)
def angle_in_degrees(a, b, t):
    return _lengths(a, b, t) * _great_circle(_unit(a), _unit(b), t, torch.rad2deg(_angle(a, b)))


UNSCALED = "The angle is that of a dot product of vectors that don't have length 1: divide both by their lengths first."


@exercise_11_2.mistake(
    UNSCALED,
    recognise=_as_rows_turn,
)
def angle_of_unscaled_vectors(a, b, t):
    return _great_circle(a, b, t, (a * b).sum(-1, keepdim=True).acos())


@exercise_11_2.mistake(
    UNSCALED,
    recognise=_as_rows_turn,
)
def clamped_angle_of_unscaled_vectors(a, b, t):
    return _great_circle(a, b, t, (a * b).sum(-1, keepdim=True).clamp(-1, 1).acos())


@exercise_11_2.mistake(
    "As if the whole batch had one angle: each row has its own. Sum over the last axis, not over everything.",
    recognise=_as_rows_turn,
)
def one_angle_for_all(a, b, t):
    omega = ((a * b).sum() / (a.norm() * b.norm())).clamp(-1, 1).acos()
    return _lengths(a, b, t) * _great_circle(_unit(a), _unit(b), t, omega)


@exercise_11_2.mistake(
    T_ALONG_COLUMNS,
    recognise=_as_rows_turn,
)
def circle_with_t_along_columns(a, b, t):
    omega, t = _angle(a, b), torch.as_tensor(t, dtype=a.dtype)
    way = (torch.sin((1 - t) * omega) * _unit(a) + torch.sin(t * omega) * _unit(b)) / torch.sin(omega)
    return ((1 - t) * a.norm(dim=-1, keepdim=True) + t * b.norm(dim=-1, keepdim=True)) * way


@exercise_11_2.mistake(
    "It stops at the ends: t may lie below 0 or above 1, and the circle goes on there.",
    recognise=_as_rows_turn,
)
def circle_stops_at_the_ends(a, b, t):
    return latents.slerp(a, b, torch.as_tensor(t).clamp(0, 1))


@exercise_11_2.mistake(
    "As if the division by sin(omega) were missing: the result is too short wherever the angle isn't a right one.",
    recognise=_as_rows_turn,
)
def not_divided_by_the_sine(a, b, t):
    omega = _angle(a, b)
    return _lengths(a, b, t) * _great_circle(_unit(a), _unit(b), t, omega) * torch.sin(omega)


def _fails_on_opposite(case, output, expected):
    """Right on every other row; wrong in each case with an opposite one."""
    opposite = (_cosines(case[0], case[1]) < -1 + 1e-6).any()
    right = latents.slerp(*case).numpy()
    return is_on_a_great_circle(case, output, right) != opposite


def _right_as_rows_turn(case, output, expected):
    return _as_rows_turn(case, output, latents.slerp(*case).numpy())


@exercise_11_2.mistake(
    "Right, except where a and b point opposite ways. The straight line goes through 0 there, and sin(omega) is 0. "
    "Every great circle is as short then: turn towards any direction at right angles to a.",
    recognise=_fails_on_opposite,
)
def opposite_through_zero(a, b, t):
    stuck = _angle(a, b).sin().abs() < 1e-3
    way = _lengths(a, b, t) * _great_circle(_unit(a), _unit(b), t, _angle(a, b))
    return torch.where(stuck, lerp(a, b, t), way)


@exercise_11_2.mistake(
    "Right, except where a and b are parallel or opposite: yours stays at a there. The length still goes from that of "
    "a to that of b, and between opposite vectors the direction still turns."
)
def stays_at_a_where_stuck(a, b, t):
    stuck = _angle(a, b).sin().abs() < 1e-3
    way = _lengths(a, b, t) * _great_circle(_unit(a), _unit(b), t, _angle(a, b))
    return torch.where(stuck, a, way)


@exercise_11_2.mistake(
    "Right, except where a and b point the same way or opposite ways: there sin(omega) is 0, and dividing by it gives "
    "no direction. Both need a way of their own.",
    recognise=_right_as_rows_turn,
)
def divides_by_zero(a, b, t):
    return _lengths(a, b, t) * _great_circle(_unit(a), _unit(b), t, _angle(a, b))


# --- 11.3 perceptual_distance ------------------------------------------------------------------------------

exercise_11_3 = Exercise("11.3", "perceptual_distance", points=4, rtol=1e-4, atol=1e-7)


@exercise_11_3.oracle
def perceptual_distance(a_maps, b_maps):
    """Sum over layers of the mean over pixels of |a/|a| - b/|b||^2: two lists of (N, C, H, W) -> (N,)."""
    return metrics.perceptual_distance(a_maps, b_maps, features=lambda maps: maps)


@exercise_11_3.cases
def feature_maps(rng):
    def maps(*shapes, scale=1.0):
        return [torch.from_numpy(scale * rng.normal(size=shape)) for shape in shapes]

    def pair(*shapes, scale=1.0):
        return maps(*shapes, scale=scale), maps(*shapes, scale=scale)

    one = torch.tensor([3.0, 4.0], dtype=torch.float64).view(1, 2, 1, 1)
    two = torch.tensor([4.0, -3.0], dtype=torch.float64).view(1, 2, 1, 1)
    still, other = pair((2, 3, 2, 2), (2, 4, 1, 1))
    dead, alive = pair((2, 3, 2, 3))
    dead[0][:, :, 0, 1], alive[0][:, :, 1, 2] = 0, 0  # pixels where no channel fires, in one image
    dead[0][:, :, 0, 0] = alive[0][:, :, 0, 0] = 0  # and in both
    level = [torch.full((1, 3, 2, 2), -2.0, dtype=torch.float64)]
    relu = [[m.relu() for m in maps((3, 4, 3, 3), (3, 6, 2, 2))] for _ in range(2)]
    return [
        ([one], [two]),
        ([one], [10 * one]),
        ([one], [-one]),
        pair((1, 3, 2, 2)),
        pair((2, 3, 4, 5)),
        pair((3, 2, 4, 4), (3, 5, 2, 2)),
        pair((4, 2, 3, 2), (4, 6, 2, 2), (4, 3, 1, 1)),
        pair((2, 1, 3, 3), (2, 4, 2, 2)),  # one channel: only its sign is left
        (still, [m.clone() for m in still]),
        (still, other),
        (dead, alive),
        (level, maps((1, 3, 2, 2))),
        relu,
        pair((2, 3, 2, 2), (2, 4, 2, 2), scale=100.0),
        pair((2, 3, 2, 2), (2, 4, 2, 2), scale=0.01),
        tuple([m.float() for m in side] for side in pair((3, 4, 3, 3), (3, 6, 2, 2))),
    ]


def _over_layers(a_maps, b_maps, layer):
    return sum(layer(a, b) for a, b in zip(a_maps, b_maps, strict=True))


def _to_length_one(x, dim=1):
    return x / x.norm(dim=dim, keepdim=True).clamp(min=1e-12)


def _square(a, b):
    return (_to_length_one(a) - _to_length_one(b)).square()


@exercise_11_3.mistake(
    "As if the maps were compared as they are: scale each pixel's channel vector to length 1 first."
)
def not_normalised(a_maps, b_maps):
    return _over_layers(a_maps, b_maps, lambda a, b: (a - b).square().sum(1).mean((1, 2)))


@exercise_11_3.mistake(
    "Each map was scaled as a whole. Every pixel has a channel vector of its own, and each of them gets length 1."
)
def scaled_as_a_whole(a_maps, b_maps):
    def layer(a, b):
        a, b = (x / x.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1) for x in (a, b))
        return (a - b).square().sum(1).mean((1, 2))

    return _over_layers(a_maps, b_maps, layer)


@exercise_11_3.mistake(
    "The length is taken over the pixels, for each channel. It is taken over the channels, axis 1, for each pixel."
)
def scaled_over_pixels(a_maps, b_maps):
    def layer(a, b):
        return (_to_length_one(a, (2, 3)) - _to_length_one(b, (2, 3))).square().sum(1).mean((1, 2))

    return _over_layers(a_maps, b_maps, layer)


@exercise_11_3.mistake("The channels are averaged; they are summed. Only the pixels of a map are averaged.")
def channels_averaged(a_maps, b_maps):
    return _over_layers(a_maps, b_maps, lambda a, b: _square(a, b).mean((1, 2, 3)))


@exercise_11_3.mistake("The pixels are summed, so that large maps count more. Take their mean in each layer.")
def pixels_summed(a_maps, b_maps):
    return _over_layers(a_maps, b_maps, lambda a, b: _square(a, b).sum((1, 2, 3)))


@exercise_11_3.mistake("The layers are averaged; the distance is their sum.")
def layers_averaged(a_maps, b_maps):
    return perceptual_distance(a_maps, b_maps) / len(a_maps)


@exercise_11_3.mistake("Only the last layer is compared: add up all of them.")
def last_layer_only(a_maps, b_maps):
    return perceptual_distance(a_maps[-1:], b_maps[-1:])


@exercise_11_3.mistake("Only the first layer is compared: add up all of them.")
def first_layer_only(a_maps, b_maps):
    return perceptual_distance(a_maps[:1], b_maps[:1])


@exercise_11_3.mistake("The square is missing: lengths of the differences are averaged, not squared lengths.")
def length_not_squared(a_maps, b_maps):
    return _over_layers(a_maps, b_maps, lambda a, b: _square(a, b).sum(1).sqrt().mean((1, 2)))


@exercise_11_3.mistake("As if absolute differences were added: square them.")
def absolute_differences(a_maps, b_maps):
    return _over_layers(
        a_maps, b_maps, lambda a, b: (_to_length_one(a) - _to_length_one(b)).abs().sum(1).mean((1, 2))
    )


@exercise_11_3.mistake("That is the root of the distance: leave the last root out.")
def root_of_the_whole(a_maps, b_maps):
    return perceptual_distance(a_maps, b_maps).sqrt()


@exercise_11_3.mistake("The images are averaged too: give one number for each of the N pairs.")
def batch_averaged(a_maps, b_maps):
    return perceptual_distance(a_maps, b_maps).mean()


@exercise_11_3.mistake("The images are added up too: give one number for each of the N pairs.")
def batch_summed(a_maps, b_maps):
    return perceptual_distance(a_maps, b_maps).sum()


@exercise_11_3.mistake(
    "NaN where no channel of a pixel fires: a vector of zeros has no direction. Leave it 0, for example by a lower "
    "limit on the length that you divide by."
)
def zeros_divided(a_maps, b_maps):
    def layer(a, b):
        return (
            (a / a.norm(dim=1, keepdim=True) - b / b.norm(dim=1, keepdim=True)).square().sum(1).mean((1, 2))
        )

    return _over_layers(a_maps, b_maps, layer)


HALF = "Half of it: 1 - cosine is half the squared difference of two unit vectors."


@exercise_11_3.mistake(
    HALF,
)
def one_minus_cosine(a_maps, b_maps):
    return perceptual_distance(a_maps, b_maps) / 2


@exercise_11_3.mistake(
    HALF,
)
def cosine_distance(a_maps, b_maps):
    def layer(a, b):
        return 1 - (_to_length_one(a) * _to_length_one(b)).sum(1).mean((1, 2))

    return _over_layers(a_maps, b_maps, layer)


@exercise_11_3.mistake(
    "As if pixels without a firing channel were at distance 2 from everything, from each other too: 2 - 2 cosine is "
    "the squared difference of vectors of length 1, and zeros have length 0."
)
def zeros_at_distance_two(a_maps, b_maps):
    return 2 * cosine_distance(a_maps, b_maps)


@exercise_11_3.mistake(
    "The vectors are divided by their sums of magnitudes, not by their lengths (root of the sum of squares)."
)
def sums_of_magnitudes(a_maps, b_maps):
    def layer(a, b):
        a, b = (x / x.abs().sum(1, keepdim=True).clamp(min=1e-12) for x in (a, b))
        return (a - b).square().sum(1).mean((1, 2))

    return _over_layers(a_maps, b_maps, layer)


@exercise_11_3.mistake("The vectors are divided by their squared lengths: the root is missing.")
def divided_by_squared_length(a_maps, b_maps):
    def layer(a, b):
        a, b = (x / x.square().sum(1, keepdim=True).clamp(min=1e-12) for x in (a, b))
        return (a - b).square().sum(1).mean((1, 2))

    return _over_layers(a_maps, b_maps, layer)


@exercise_11_3.mistake(
    "The maps are averaged over their pixels before they are compared: compare pixel by pixel, then average."
)
def averaged_before(a_maps, b_maps):
    def layer(a, b):
        a, b = (_to_length_one(x).mean((2, 3)) for x in (a, b))
        return (a - b).square().sum(1)

    return _over_layers(a_maps, b_maps, layer)


@exercise_11_3.mistake(
    "As if all pixels of all layers were one map: take the mean in each layer, then add the layers."
)
def one_mean_for_all_layers(a_maps, b_maps):
    pixels = [_square(a, b).sum(1).flatten(1) for a, b in zip(a_maps, b_maps, strict=True)]
    return torch.cat(pixels, dim=1).mean(1)


# --- 11.4 perceptual_path_length ---------------------------------------------------------------------------

exercise_11_4 = Exercise("11.4", "perceptual_path_length", points=4, rtol=1e-3)


@exercise_11_4.oracle
def perceptual_path_length(mapping, synthesis, distance, z1, z2, t, noise, epsilon=1e-4, space="w"):
    """The distance between images at t and t + epsilon on N paths, over epsilon squared: (N,)."""
    if space == "w":
        w1, w2 = mapping(z1), mapping(z2)
        ends = [lerp(w1, w2, t), lerp(w1, w2, t + epsilon)]
    else:
        ends = [mapping(latents.slerp(z1, z2, t)), mapping(latents.slerp(z1, z2, t + epsilon))]
    near, far = (synthesis(w, noise) for w in ends)
    return distance(near, far) / epsilon**2


@exercise_11_4.cases
def small_generators(rng):
    def generator(z_dim, w_dim, pixels, dtype=torch.float64, scale=1.0):
        first = torch.from_numpy(rng.normal(size=(z_dim, w_dim)) / z_dim**0.5).to(dtype)
        second = torch.from_numpy(rng.normal(size=(w_dim, pixels))).to(dtype)

        def mapping(z):
            """z (N, z_dim) -> w (N, w_dim)"""
            return torch.tanh(z @ first) + (z @ first) ** 2 / 4

        def synthesis(w, noise):
            """w (N, w_dim), noise (N, pixels) -> images (N, 1, 1, pixels)"""
            return (scale * torch.tanh(w @ second + noise / 2))[:, None, None]

        return mapping, synthesis

    def distance(x, y):
        """images (N, 1, 1, pixels) twice -> (N,)"""
        return (x - y).square().sum((1, 2, 3))

    def case(n, z_dim, w_dim, pixels, epsilon, space, *, scale=1.0, dtype=torch.float64, size=1.0):
        z1, z2 = torch.from_numpy(size * rng.normal(size=(2, n, z_dim))).to(dtype)
        t = torch.from_numpy(rng.uniform(0.1, 0.9, size=n)).to(dtype)
        noise = torch.from_numpy(rng.normal(size=(n, pixels))).to(dtype)
        functions = generator(z_dim, w_dim, pixels, dtype, scale)
        return *functions, distance, z1, z2, t, noise, epsilon, space

    flat, late = case(4, 3, 3, 4, 1e-2, "w"), case(2, 6, 4, 8, 1e-1, "w")
    flat[3][:, 1] = flat[4][:, 1] = flat[6][:, 1] = 0.5
    late[5][0] = 0.95  # t + epsilon lies beyond the end
    return [
        case(1, 2, 2, 3, 1e-2, "w"),
        case(1, 2, 2, 3, 1e-2, "z"),
        case(4, 3, 2, 5, 1e-3, "w"),
        case(4, 3, 2, 5, 1e-3, "z"),
        case(3, 3, 3, 3, 1e-4, "w"),
        case(3, 3, 3, 3, 1e-4, "z"),
        late,
        case(2, 6, 4, 8, 1e-1, "z"),
        flat,
        case(3, 4, 2, 1, 1e-2, "z"),
        case(4, 3, 2, 5, 1e-2, "w", scale=100.0),
        case(4, 3, 2, 5, 1e-2, "z", scale=0.01),
        case(3, 4, 3, 5, 1e-2, "z", size=20.0),
        case(3, 4, 3, 5, 1e-2, "w", size=0.02),
        case(5, 4, 3, 5, 5e-2, "w", dtype=torch.float32),
        case(5, 4, 3, 5, 5e-2, "z", dtype=torch.float32),
    ]


def _path_lengths(case, *, w=None, z=None, over=None, second_noise=None, far=None, space=None):
    """The oracle with one part exchanged."""
    mapping, synthesis, distance, z1, z2, t, noise, epsilon, own = case
    space, far = space or own, t + epsilon if far is None else far
    if space == "w":
        w1, w2 = mapping(z1), mapping(z2)
        ends = [(w or lerp)(w1, w2, place) for place in (t, far)]
    else:
        ends = [mapping((z or latents.slerp)(z1, z2, place)) for place in (t, far)]
    near = synthesis(ends[0], noise)
    moved = synthesis(ends[1], noise if second_noise is None else second_noise)
    return distance(near, moved) / (epsilon**2 if over is None else over)


@exercise_11_4.mistake(
    "It isn't divided by epsilon squared: the values are squared lengths of tiny steps, and shrink with epsilon."
)
def not_divided(*case):
    return _path_lengths(case, over=1)


@exercise_11_4.mistake(
    "It is divided by epsilon, not by its square. A distance that squares differences shrinks with epsilon squared."
)
def divided_once(*case):
    return _path_lengths(case, over=case[7])


@exercise_11_4.mistake("In w you went along the great circle: between two w the path is straight, lerp.")
def circle_in_w(*case):
    return _path_lengths(case, w=latents.slerp)


@exercise_11_4.mistake(
    "In z you went along the straight line: between two z the path is the great circle, slerp."
)
def line_in_z(*case):
    return _path_lengths(case, z=lerp)


@exercise_11_4.mistake(
    "The two paths are exchanged: z goes along the great circle, w along the straight line."
)
def exchanged_ways(*case):
    return _path_lengths(case, w=latents.slerp, z=lerp)


@exercise_11_4.mistake("`space` makes no difference: both paths are taken through w.")
def always_in_w(*case):
    return _path_lengths(case, space="w")


@exercise_11_4.mistake("`space` makes no difference: both paths are taken through z.")
def always_in_z(*case):
    return _path_lengths(case, space="z")


@exercise_11_4.mistake(
    'The two spaces are exchanged: your path for "w" runs through z, and the other way round.'
)
def spaces_exchanged(*case):
    return _path_lengths(case, space="z" if case[8] == "w" else "w")


@exercise_11_4.mistake(
    "In w you interpolated z and mapped the result: map both ends first, then take the line between the two w."
)
def line_in_z_then_mapped(*case):
    mapping, synthesis, distance, z1, z2, t, noise, epsilon, space = case
    if space == "z":
        return _path_lengths(case)
    ends = [mapping(lerp(z1, z2, place)) for place in (t, t + epsilon)]
    near, far = (synthesis(w, noise) for w in ends)
    return distance(near, far) / epsilon**2


OTHER_NOISE = "Both ends must have the same noise. Otherwise the distance holds the noise, and dividing by epsilon squared makes it huge."


@exercise_11_4.mistake(OTHER_NOISE)
def second_end_without_noise(*case):
    return _path_lengths(case, second_noise=torch.zeros_like(case[6]))


@exercise_11_4.mistake("The noise is left out: give the same `noise` to both ends.")
def without_noise(*case):
    *parts, noise, epsilon, space = case
    return perceptual_path_length(*parts, torch.zeros_like(noise), epsilon, space)


@exercise_11_4.mistake("The values are averaged: return one for each of the N paths. Their mean comes later.")
def mean_over_paths(*case):
    return _path_lengths(case).mean()


@exercise_11_4.mistake("The values are added up: return one for each of the N paths.")
def sum_over_paths(*case):
    return _path_lengths(case).sum()


@exercise_11_4.mistake("The root is taken: the path length keeps d / epsilon^2 as it is.")
def root_of_path_lengths(*case):
    return _path_lengths(case).sqrt()


WHOLE_WAY = "The whole path from z1 to z2 is measured, not a step of epsilon at t."


@exercise_11_4.mistake(WHOLE_WAY)
def whole_way(*case):
    mapping, synthesis, distance, z1, z2, _, noise, epsilon, _ = case
    near, far = (synthesis(mapping(z), noise) for z in (z1, z2))
    return distance(near, far) / epsilon**2


@exercise_11_4.mistake(WHOLE_WAY)
def whole_way_undivided(*case):
    mapping, synthesis, distance, z1, z2, _, noise, _, _ = case
    near, far = (synthesis(mapping(z), noise) for z in (z1, z2))
    return distance(near, far)


@exercise_11_4.mistake("The steps are taken at the start of every path: take them at t.")
def always_at_the_start(*case):
    *parts, t, noise, epsilon, space = case
    return perceptual_path_length(*parts, torch.zeros_like(t), noise, epsilon, space)


@exercise_11_4.mistake("The steps are taken in the middle of every path: take them at t.")
def always_halfway_there(*case):
    *parts, t, noise, epsilon, space = case
    return perceptual_path_length(*parts, torch.full_like(t, 0.5), noise, epsilon, space)


@exercise_11_4.mistake("The step is epsilon times t: it is epsilon, wherever you are.")
def step_times_t(*case):
    return _path_lengths(case, far=case[5] * (1 + case[7]))


@exercise_11_4.mistake("Whatever epsilon is given, yours are the values of 1e-4: use the given one.")
def epsilon_ignored(*case):
    *parts, _, space = case
    return perceptual_path_length(*parts, 1e-4, space)


@exercise_11_4.mistake(
    "The step is epsilon, but you divided by the square of 1e-4: use the same epsilon twice."
)
def divided_by_another_epsilon(*case):
    return _path_lengths(case, over=1e-8)


@exercise_11_4.mistake("The steps go backwards, from t to t - epsilon: take the step to t + epsilon.")
def backwards(*case):
    return _path_lengths(case, far=case[5] - case[7])


@exercise_11_4.mistake(
    "The mapping is left out: synthesis got z where it expects w. The formula is easy to read that way."
)
def without_mapping(*case):
    _, *rest = case
    return perceptual_path_length(lambda z: z, *rest)


@exercise_11_4.mistake(
    "In w the mapping is left out: synthesis got a mixture of z1 and z2 where it expects one of mapped latents, w = f(z)."
)
def without_mapping_in_w(*case):
    return without_mapping(*case) if case[8] == "w" else _path_lengths(case)


@exercise_11_4.mistake("The step stops at the end of the path: t + epsilon may lie beyond 1.")
def stops_at_one(*case):
    return _path_lengths(case, far=(case[5] + case[7]).clamp(max=1))


@exercise_11_4.mistake(
    "The z have lost their lengths: give `slerp` z1 and z2 as they are. Whether length counts is the mapping's affair."
)
def z_of_length_one(*case):
    return _path_lengths(case, z=lambda a, b, t: latents.slerp(_unit(a), _unit(b), t))


def _other_noise(case, output, expected):
    """Where epsilon is small, images as far apart as only a change of the noise takes them."""
    right, epsilon = perceptual_path_length(*case).numpy(), case[7]
    small = epsilon < 5e-3
    return output.shape == right.shape and bool(not small or (output * epsilon**2).mean() > 0.02)


@exercise_11_4.mistake(
    OTHER_NOISE,
    recognise=_other_noise,
)
def new_noise_for_the_second_end(*case):
    return _path_lengths(case, second_noise=torch.randn_like(case[6]))


@exercise_11_4.mistake(OTHER_NOISE)
def new_list_of_noise_for_the_second_end(*case):
    return _path_lengths(case, second_noise=[torch.randn_like(one) for one in case[6]])
