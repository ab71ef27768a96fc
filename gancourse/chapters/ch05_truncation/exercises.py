"""Exercises of chapter 05: latents cut at a threshold, styles pulled to their mean, and what that does to a metric."""

import math

import numpy as np
import torch

from gancourse import latents
from gancourse.exercises import Exercise
from gancourse.seeds import stream

# --- 05.1 truncated_normal ---------------------------------------------------------------------------------

exercise_05_1 = Exercise(
    "05.1",
    "truncated_normal",
    points=4,
    forbidden=(
        "torch.nn.init.trunc_normal_",
        "torch.nn.init._no_grad_trunc_normal_",
        "scipy.stats.truncnorm",
        "scipy.stats.truncate",
    ),
    seconds=30,  # a right answer may draw number by number
)


@exercise_05_1.oracle
def truncated_normal(shape, threshold, generator):
    """Standard normals of which those beyond +-threshold are drawn again, float32 of this shape."""
    return latents.truncated_normal(shape, threshold, generator=generator)


@exercise_05_1.cases
def requests(rng):
    """(shape, threshold, seed); from the seed `draws` makes the generators."""
    asked = [((3,), 0.5), ((4000,), 1.0), ((40, 100), 2.0), ((80, 100), 1.5), ((2000, 2), 0.5)]
    asked += [((2, 1, 100), 0.05), ((1, 5000), 3.0), ((5000, 1), 8.0)]
    return [(*case, int(rng.integers(2**31))) for case in asked]


@exercise_05_1.call
def draws(answer, shape, threshold, seed):
    """Two draws that follow each other, one from a new generator of the same seed, one from that of another seed.

    Eight numbers come first: an answer that draws all of them again would never end on thousands, so it
    is told by these alone.
    """
    few = answer((8,), 1.0, stream(0))
    if _all_again(few):
        return (few,)
    generator = stream(seed)
    first, second = (answer(shape, threshold, generator) for _ in range(2))
    return first, second, answer(shape, threshold, stream(seed)), answer(shape, threshold, stream(seed + 1))


def _all_again(few):
    """Whether these eight numbers are the first whole row from stream(0) that has none beyond 1; its first row has."""
    generator = stream(0)
    row = torch.randn(8, generator=generator)
    while (row.abs() > 1).any():
        row = torch.randn(8, generator=generator)
    return np.shape(few) == (8,) and np.allclose(np.asarray(few, dtype=float), row)


def _parts(case, output):
    """The four draws as float64 arrays of the shape asked for; None where they are anything else."""
    parts = [np.asarray(part) for part in output]
    fits = [part.shape == case[0] and part.dtype.kind == "f" and np.isfinite(part).all() for part in parts]
    return [part.astype(float) for part in parts] if len(parts) == 4 and all(fits) else None


def _pooled(case, output):
    """The three draws that are independent of each other, in a row: the third must repeat the first."""
    parts = _parts(case, output)
    return None if parts is None else np.concatenate([parts[i].ravel() for i in (0, 1, 3)])


def _distributed(case, values):
    """Whether values look like a normal's part within the threshold.

    Every bound is crossed by a right answer less than once in 10^8 times: the largest gap between the distribution
    functions (Dvoretzky, Kiefer, Wolfowitz and Massart: P(gap > e) <= 2 exp(-2 n e^2)), and for mean, mean square and
    the correlation of neighbours six standard errors.
    """
    n, t = len(values), case[1]
    if abs(values).max() > t * (1 + 1e-6):
        return False
    if n < 1000:
        return True
    mass = math.erf(t / math.sqrt(2))
    ordered = torch.from_numpy(np.sort(values))
    law = 0.5 + torch.erf(ordered / math.sqrt(2)) / (2 * mass)
    steps = torch.arange(n + 1) / n
    gap = max((law - steps[:-1]).max(), (steps[1:] - law).max())
    # Mean square and fourth moment of the truncated normal, by parts; its edges weigh `edge`. Below 0.2 the
    # differences cancel, and the density is as good as even.
    edge = 2 * t * math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi) / mass
    square = 1 - edge if t > 0.2 else t**2 / 3
    fourth = 3 * square - t**2 * edge if t > 0.2 else t**4 / 5
    neighbours = np.corrcoef(values[:-1], values[1:])[0, 1]
    return (
        gap <= math.sqrt(math.log(2e9) / (2 * n))
        and abs(values.mean()) <= 6 * math.sqrt(square / n)
        and abs((values**2).mean() - square) <= 6 * math.sqrt((fourth - square**2) / n)
        and abs(neighbours) <= 6 / math.sqrt(n)
        and len(np.unique(values)) > 0.98 * n
    )


@exercise_05_1.accepts
def is_truncated_normal(case, output, expected):
    """Right in shape and distribution, the same again from the same seed, and new numbers otherwise."""
    parts = _parts(case, output)
    if parts is None:
        return False
    first, second, again, other = parts
    repeats = (first == again).all() and (first != second).any() and (first != other).any()
    return bool(repeats and _distributed(case, _pooled(case, output)))


def _alike(case, output, expected):
    """Whether an answer's draws and a mistake's come from one distribution, as far as so many can tell."""
    a, b = _pooled(case, output), _pooled(case, expected)
    if a is None or b is None:
        return a is b
    both = np.sort(np.concatenate([a, b]))
    gap = abs(
        np.searchsorted(np.sort(a), both, "right") / len(a)
        - np.searchsorted(np.sort(b), both, "right") / len(b)
    )
    noise = math.sqrt((np.var(a**2) + np.var(b**2)) / len(a))
    same_scale = abs(np.mean(a**2) - np.mean(b**2)) <= 6 * noise
    return len(a) < 1000 or (gap.max() <= math.sqrt(math.log(2e9) / len(a)) and bool(same_scale))


def _eight_alone(case, output, expected):
    return [np.asarray(part).shape for part in output] == [(8,)]


def _unrepeated(case, output, expected):
    parts = _parts(case, output)
    return is_truncated_normal(case, output, expected) or (
        parts is not None and (parts[0] != parts[2]).any() and _distributed(case, _pooled(case, output))
    )


def _seeded_by_itself(case, output, expected):
    parts = _parts(case, output)
    return parts is not None and (parts[0] == parts[3]).all()


def _seed_read(case, output, expected):
    parts = _parts(case, output)
    return parts is not None and (parts[0] == parts[1]).all() and (parts[0] != parts[3]).any()


def _flat(case, output, expected):
    size = math.prod(case[0])
    return all(np.asarray(part).shape == (size,) for part in output)


def _fewer(case, output, expected):
    return all(np.asarray(part).ndim == 1 and np.asarray(part).size <= math.prod(case[0]) for part in output)


def _other_shape(case, output, expected):
    shapes = [np.asarray(part).shape for part in output]
    one_axis = len(case[0]) == 1
    return all(math.prod(shape) == math.prod(case[0]) and (one_axis or shape != case[0]) for shape in shapes)


def _beyond(case, output, expected):
    values = _pooled(case, output)
    if values is None:
        return False
    return abs(values).max() > case[1] * (1 + 1e-6) or is_truncated_normal(case, output, expected)


def _inside(case, output, expected):
    values = _pooled(case, output)
    return values is not None and abs(values).max() <= case[1] * (1 + 1e-6)


def _redrawn(shape, threshold, generator, outside):
    z = torch.randn(shape, generator=generator)
    while (beyond := outside(z)).any():
        z[beyond] = torch.randn(int(beyond.sum()), generator=generator)
    return z


@exercise_05_1.mistake(
    "Values pile up at exactly plus and minus the threshold, as if the tails were clipped. Draw those values again.",
    recognise=_alike,
)
def clipped(shape, threshold, generator):
    return torch.randn(shape, generator=generator).clamp(-threshold, threshold)


@exercise_05_1.mistake(
    "Values pile up at exactly plus and minus the threshold, as if the tails were clipped. Draw those values again.",
    recognise=_alike,
)
def redrawn_once_then_clipped(shape, threshold, generator):
    z = torch.randn(shape, generator=generator)
    z = torch.where(z.abs() > threshold, torch.randn(shape, generator=generator), z)
    return z.clamp(-threshold, threshold)


@exercise_05_1.mistake(
    "Every value within the threshold is equally likely with you. A normal's middle part is higher at 0.",
    recognise=_alike,
)
def uniform(shape, threshold, generator):
    return (2 * torch.rand(shape, generator=generator) - 1) * threshold


@exercise_05_1.mistake(
    "As if normals were shrunk by the threshold. Truncation leaves the values within it as they are, and none beyond.",
    recognise=_alike,
)
def shrunk(shape, threshold, generator):
    return torch.randn(shape, generator=generator) * threshold


@exercise_05_1.mistake(
    "As if the cut were always in one place and the threshold a scale. Here the threshold is where the normal is cut.",
    recognise=_alike,
)
def cut_at_two_then_shrunk(shape, threshold, generator):
    return _redrawn(shape, 2.0, generator, lambda z: z.abs() > 2) * threshold / 2


@exercise_05_1.mistake(
    "As if the cut were always in one place and the threshold a scale. Here the threshold is where the normal is cut.",
    recognise=_alike,
)
def cut_at_two_then_scaled(shape, threshold, generator):
    return _redrawn(shape, 2.0, generator, lambda z: z.abs() > 2) * threshold


@exercise_05_1.mistake(
    "As if the cut were always in one place and the threshold a scale. Here the threshold is where the normal is cut.",
    recognise=_alike,
)
def cut_at_one_then_scaled(shape, threshold, generator):
    return _redrawn(shape, 1.0, generator, lambda z: z.abs() > 1) * threshold


@exercise_05_1.mistake(
    "Your values have a standard deviation of 1, as if they were stretched after the cut: some are beyond it again.",
    recognise=_alike,
)
def stretched_to_unit_variance(shape, threshold, generator):
    z = _redrawn(shape, threshold, generator, lambda z: z.abs() > threshold)
    return z / z.std(correction=0)


@exercise_05_1.mistake(
    "Only one tail is cut: values beyond the threshold are left on the other side.", recognise=_alike
)
def upper_tail_only(shape, threshold, generator):
    return _redrawn(shape, threshold, generator, lambda z: z > threshold)


@exercise_05_1.mistake(
    "Only one tail is cut: values beyond the threshold are left on the other side.", recognise=_alike
)
def lower_tail_only(shape, threshold, generator):
    return _redrawn(shape, threshold, generator, lambda z: z < -threshold)


@exercise_05_1.mistake(
    "No value is negative. The cut is on both sides of 0, and the signs stay.", recognise=_alike
)
def folded(shape, threshold, generator):
    return _redrawn(shape, threshold, generator, lambda z: z.abs() > threshold).abs()


@exercise_05_1.mistake(
    "As if the threshold were the whole width: your values end at half of it, on both sides.",
    recognise=_alike,
)
def half_as_wide(shape, threshold, generator):
    return _redrawn(shape, threshold, generator, lambda z: z.abs() > threshold / 2)


@exercise_05_1.mistake(
    "As if squares were compared with the threshold: your values end at its square root.", recognise=_alike
)
def squares_compared(shape, threshold, generator):
    return _redrawn(shape, threshold, generator, lambda z: z.square() > threshold)


@exercise_05_1.mistake(
    "Too many values are near 0, as if those beyond the threshold were replaced by 0. Draw them again.",
    recognise=_alike,
)
def replaced_by_zero(shape, threshold, generator):
    z = torch.randn(shape, generator=generator)
    return torch.where(z.abs() > threshold, 0.0, z)


@exercise_05_1.mistake(
    "The numbers beyond the threshold were drawn again once, but some of the new ones are beyond it too. "
    "Go on until none is left.",
    recognise=_alike,
)
def redrawn_once(shape, threshold, generator):
    z = torch.randn(shape, generator=generator)
    return torch.where(z.abs() > threshold, torch.randn(shape, generator=generator), z)


@exercise_05_1.mistake(
    "As soon as one number is beyond the threshold, you draw all of them again. With many numbers that hardly ever ends: "
    "keep those within, and draw only the others again.",
    recognise=_eight_alone,
)
def all_drawn_again(shape, threshold, generator):
    z = torch.randn(shape, generator=generator)
    while (z.abs() > threshold).any():
        z = torch.randn(shape, generator=generator)
    return z


@exercise_05_1.mistake("Nothing is cut: these are plain standard normals.", recognise=_alike)
def not_truncated(shape, threshold, generator):
    return torch.randn(shape, generator=generator)


@exercise_05_1.mistake(
    "Two generators of one seed give different numbers. Every number must come from `generator`, the ones that are "
    "drawn again too.",
    recognise=_unrepeated,
)
def generator_ignored(shape, threshold, generator):
    return _redrawn(shape, threshold, None, lambda z: z.abs() > threshold)


@exercise_05_1.mistake(
    "Two generators of one seed give different numbers. Every number must come from `generator`, the ones that are "
    "drawn again too.",
    recognise=_unrepeated,
)
def generator_ignored_in_the_loop(shape, threshold, generator):
    z = torch.randn(shape, generator=generator)
    while (beyond := z.abs() > threshold).any():
        z[beyond] = torch.randn(int(beyond.sum()))
    return z


@exercise_05_1.mistake(
    "The same numbers come out whatever the generator: they don't depend on it.", recognise=_seeded_by_itself
)
def seeded_by_itself(shape, threshold, generator):
    return _redrawn(shape, threshold, stream(0), lambda z: z.abs() > threshold)


@exercise_05_1.mistake(
    "Two calls in a row with one generator give the same numbers, as if it were wound back or only its seed were "
    "read. Draw from it, so that it moves on.",
    recognise=_seed_read,
)
def generator_wound_back(shape, threshold, generator):
    return _redrawn(shape, threshold, stream(generator.initial_seed()), lambda z: z.abs() > threshold)


@exercise_05_1.mistake("As many numbers as asked for, but in one row: give them the shape.", recognise=_flat)
def in_one_row(shape, threshold, generator):
    return latents.truncated_normal(math.prod(shape), threshold, generator=generator)


@exercise_05_1.mistake(
    "Fewer numbers than asked for: those beyond the threshold are left out. Draw them again, until every place is filled.",
    recognise=_fewer,
)
def left_out(shape, threshold, generator):
    z = torch.randn(shape, generator=generator)
    return z[z.abs() <= threshold]


@exercise_05_1.mistake(
    "As many numbers as asked for, but not in the shape asked for.",
    recognise=_other_shape,
)
def axes_exchanged(shape, threshold, generator):
    return latents.truncated_normal(tuple(reversed(shape)), threshold, generator=generator)


@exercise_05_1.mistake("Some values are beyond the threshold.", recognise=_beyond)
def cut_too_far_out(shape, threshold, generator):
    return _redrawn(shape, threshold, generator, lambda z: z.abs() > 2 * threshold)


@exercise_05_1.mistake(
    "No value is beyond the threshold, but the values are not spread as a normal's middle part is. Keep those within "
    "the threshold as they are; draw the others again.",
    recognise=_inside,
)
def squashed(shape, threshold, generator):
    return threshold * torch.tanh(torch.randn(shape, generator=generator))


# --- 05.2 truncate_w ---------------------------------------------------------------------------------------

exercise_05_2 = Exercise("05.2", "truncate_w", points=3)


@exercise_05_2.oracle
def truncate_w(w, w_avg, psi, cutoff=None):
    """w_avg + psi (w - w_avg) in the first `cutoff` layers of w (N, L, D), w in the others; all layers by default."""
    return latents.truncate(w, w_avg, psi, cutoff)


@exercise_05_2.cases
def styles_and_centres(rng):
    def drawn(images, layers, dim, scale=1.0):
        w = torch.from_numpy(rng.normal(size=(images, layers, dim)))
        return scale * w, scale * torch.from_numpy(rng.normal(1, 1, size=dim))

    small = (
        torch.tensor([[[2, 4], [6, 8]]], dtype=torch.float64),
        torch.tensor([1, 2], dtype=torch.float64),
    )
    single = [part.float() for part in drawn(4, 8, 5)]
    return [
        (*small, 0.5),
        (*small, 0.5, 1),
        (torch.tensor([[[3.0]], [[-1.0]]]), torch.tensor([1.0]), 0.25, 1),
        (*drawn(3, 8, 4), 0.7, 4),
        (*drawn(5, 3, 3), 0.7, 2),
        (*drawn(2, 6, 5), 0.3, None),
        (*drawn(2, 4, 3), 0.0),
        (*drawn(2, 4, 3), 0.6, 0),
        (*drawn(2, 4, 3), 0.6, 4),
        (*drawn(3, 5, 2), 1.0, 3),
        (*drawn(3, 5, 2), 1.4, 3),
        (*drawn(3, 5, 2), -0.5, 2),
        (*single, 0.7, 3),
        (*drawn(3, 4, 3, 100.0), 0.5, 1),
        (*drawn(3, 4, 3, 0.003), 0.5, 3),
    ]


def _pulled(w, w_avg, psi):
    return w_avg + psi * (w - w_avg)


def _first_layers(w, truncated, cutoff):
    cutoff = w.shape[1] if cutoff is None else cutoff
    return torch.cat([truncated[:, :cutoff], w[:, cutoff:]], dim=1)


@exercise_05_2.mistake("As if w were pulled towards 0. Its mean is w_avg, which is somewhere else.")
def towards_zero(w, w_avg, psi, cutoff=None):
    return _first_layers(w, psi * w, cutoff)


@exercise_05_2.mistake(
    "With you psi = 0 doesn't give w_avg: w_avg must be subtracted before, and added after, scaling."
)
def average_not_subtracted(w, w_avg, psi, cutoff=None):
    return _first_layers(w, w_avg + psi * w, cutoff)


@exercise_05_2.mistake(
    "With you psi = 0 doesn't give w_avg: w_avg must be subtracted before, and added after, scaling."
)
def average_not_added(w, w_avg, psi, cutoff=None):
    return _first_layers(w, psi * (w - w_avg), cutoff)


@exercise_05_2.mistake(
    "The two ends are exchanged: psi = 1 leaves w as it is, and psi = 0 gives w_avg. Yours do the opposite."
)
def psi_inverted(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, 1 - psi), cutoff)


@exercise_05_2.mistake("You move to the other side of w_avg: subtract w_avg from w, not w from w_avg.")
def other_side(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, -psi), cutoff)


@exercise_05_2.mistake("As if psi were applied twice.")
def psi_squared(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, psi**2), cutoff)


@exercise_05_2.mistake(
    "As if psi had to lie between 0 and 1. A psi above 1 moves away from w_avg, a negative one to its other side."
)
def psi_clamped(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, min(max(psi, 0.0), 1.0)), cutoff)


@exercise_05_2.mistake(
    "As if psi had to lie between 0 and 1. A psi above 1 moves away from w_avg, a negative one to its other side."
)
def psi_clamped_above(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, min(psi, 1.0)), cutoff)


@exercise_05_2.mistake(
    "As if psi had to lie between 0 and 1. A psi above 1 moves away from w_avg, a negative one to its other side."
)
def psi_clamped_below(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, max(psi, 0.0)), cutoff)


@exercise_05_2.mistake(
    "As if the mean of this batch were the centre. The centre is w_avg, the mean over training."
)
def mean_of_the_batch(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w.mean(0, keepdim=True), psi), cutoff)


@exercise_05_2.mistake(
    "As if the mean of this batch were the centre. The centre is w_avg, the mean over training."
)
def mean_of_the_batch_and_layers(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w.mean((0, 1)), psi), cutoff)


@exercise_05_2.mistake("As if w_avg were one number. It has one entry for each of the D dimensions.")
def average_of_the_average(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg.mean(), psi), cutoff)


@exercise_05_2.mistake(
    "You truncate the wrong side of the cutoff: the first `cutoff` layers are truncated, the others stay."
)
def last_layers(w, w_avg, psi, cutoff=None):
    truncated = _pulled(w, w_avg, psi)
    return truncated if cutoff is None else torch.cat([w[:, :cutoff], truncated[:, cutoff:]], dim=1)


@exercise_05_2.mistake(
    "As if `cutoff` were counted from the end: it is the number of layers that are truncated."
)
def counted_from_the_end(w, w_avg, psi, cutoff=None):
    truncated, layers = _pulled(w, w_avg, psi), w.shape[1]
    cutoff = layers if cutoff is None else layers - cutoff
    return torch.cat([truncated[:, :cutoff], w[:, cutoff:]], dim=1)


@exercise_05_2.mistake("One layer too many is truncated: layer number `cutoff`, counted from 0, stays.")
def one_layer_too_many(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, psi), None if cutoff is None else cutoff + 1)


@exercise_05_2.mistake("One layer too few is truncated: `cutoff` is how many layers are truncated.")
def one_layer_too_few(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, psi), None if cutoff is None else max(cutoff - 1, 0))


@exercise_05_2.mistake("All layers are truncated, whatever `cutoff` says.")
def cutoff_ignored(w, w_avg, psi, cutoff=None):
    return _pulled(w, w_avg, psi)


@exercise_05_2.mistake(
    "A cutoff of 0 truncates everything with you, as None does. It means no layer at all: in Python 0 counts as false."
)
def zero_taken_for_none(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, psi), cutoff or None)


@exercise_05_2.mistake("Without a cutoff nothing is truncated with you. None means all layers.")
def none_taken_for_zero(w, w_avg, psi, cutoff=None):
    return _first_layers(w, _pulled(w, w_avg, psi), cutoff or 0)


@exercise_05_2.mistake(
    "As if `cutoff` counted images. The axes are (image, layer, dimension), and it counts layers."
)
def cutoff_counts_images(w, w_avg, psi, cutoff=None):
    truncated = _pulled(w, w_avg, psi)
    return torch.cat([truncated[:cutoff], w[len(truncated[:cutoff]) :]])


@exercise_05_2.mistake(
    "As if `cutoff` counted dimensions. The axes are (image, layer, dimension), and it counts layers."
)
def cutoff_counts_dimensions(w, w_avg, psi, cutoff=None):
    truncated = _pulled(w, w_avg, psi)
    cutoff = w.shape[2] if cutoff is None else cutoff
    return torch.cat([truncated[..., :cutoff], w[..., cutoff:]], dim=2)


@exercise_05_2.mistake("Layers are missing from your result: those behind the cutoff come back as they were.")
def only_the_truncated(w, w_avg, psi, cutoff=None):
    return _pulled(w, w_avg, psi)[:, :cutoff]


@exercise_05_2.mistake("The layers behind the cutoff are w_avg with you. They stay as they were in w.")
def others_are_the_average(w, w_avg, psi, cutoff=None):
    return _first_layers(w_avg.expand_as(w), _pulled(w, w_avg, psi), cutoff)


@exercise_05_2.mistake("The layers behind the cutoff are 0 with you. They stay as they were in w.")
def others_are_zero(w, w_avg, psi, cutoff=None):
    return _first_layers(torch.zeros_like(w), _pulled(w, w_avg, psi), cutoff)


@exercise_05_2.mistake(
    "As if w were clipped to a box around w_avg. Truncation in w scales every distance to w_avg by psi."
)
def clipped_around_the_average(w, w_avg, psi, cutoff=None):
    return _first_layers(w, torch.clamp(w, w_avg - abs(psi), w_avg + abs(psi)), cutoff)


# --- 05.3 sweep_truncation ---------------------------------------------------------------------------------

exercise_05_3 = Exercise("05.3", "sweep_truncation", points=3, rtol=1e-4, atol=1e-5)  # styles may be float32


@exercise_05_3.oracle
def sweep_truncation(styles, w_avg, psis, synthesize, measure):
    """measure(synthesize(styles truncated by psi)), a row for each psi in the order given: (P, M) float64."""
    rows = [measure(synthesize(latents.truncate(styles, w_avg, psi))) for psi in psis]
    return torch.tensor(rows, dtype=torch.float64)


def _spread(images):
    """Three numbers that a set of images has as a whole."""
    return (
        float(images.mean()),
        float(images.std(correction=0)),
        float(images.amax(0).mean() - images.amin(0).mean()),
    )


def _strength(images):
    """One number that a set of images has as a whole."""
    return (float(images.square().mean().sqrt()),)


@exercise_05_3.cases
def sweeps(rng):
    def sweep(psis, measure, images, layers, dim, scale=1.0, kind=torch.float64):
        styles = scale * torch.from_numpy(rng.normal(size=(images, layers, dim))).to(kind)
        w_avg = scale * torch.from_numpy(rng.normal(1, 1, size=dim)).to(kind)
        weights = torch.from_numpy(rng.normal(size=(layers * dim, 4))).to(kind) / (scale * dim)

        def synthesize(w):
            return torch.tanh(torch.as_tensor(w).flatten(1).to(weights) @ weights).view(-1, 1, 2, 2)

        return styles, w_avg, psis, synthesize, measure

    return [
        sweep([0.5], _strength, 2, 1, 2),
        sweep([0.0, 1.0], _spread, 3, 2, 2),
        sweep([0.3, 1.0, 0.7], _spread, 6, 3, 4),
        sweep((1.0, 0.5, 0.25, 0.5), _strength, 4, 2, 3),
        sweep([0.8, 0.4], _spread, 1, 2, 3),
        sweep([1.3, -0.5, 0.0], _spread, 5, 2, 3),
        sweep([0.9, 0.6, 0.2], _spread, 6, 2, 3, kind=torch.float32),
        sweep([0.5, 0.7, 0.6], _spread, 4, 2, 3, 100.0),
        sweep([0.5, 0.7], _strength, 4, 2, 3, 0.005),
    ]


def _table(rows):
    return torch.tensor([list(row) for row in rows], dtype=torch.float64)


@exercise_05_3.mistake(
    "Each psi acts on what the one before left, so that they multiply. Every row starts from the same styles."
)
def psis_multiply(styles, w_avg, psis, synthesize, measure):
    rows = []
    for psi in psis:
        styles = _pulled(styles, w_avg, psi)
        rows.append(measure(synthesize(styles)))
    return _table(rows)


@exercise_05_3.mistake("As if styles were scaled towards 0 and not towards w_avg.")
def sweep_towards_zero(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(psi * styles)) for psi in psis)


@exercise_05_3.mistake(
    "As if psi = 1 gave w_avg and psi = 0 left the styles as they are: it is the opposite."
)
def sweep_inverted(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, 1 - psi))) for psi in psis)


@exercise_05_3.mistake("As if these styles' own mean were the centre. The centre is w_avg.")
def sweep_around_the_mean(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, styles.mean((0, 1)), psi))) for psi in psis)


@exercise_05_3.mistake("As if these styles' own mean were the centre. The centre is w_avg.")
def sweep_around_the_mean_of_each_layer(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, styles.mean(0), psi))) for psi in psis)


@exercise_05_3.mistake("As if only the first layer were truncated: here all layers are, as without a cutoff.")
def sweep_of_the_first_layer(styles, w_avg, psis, synthesize, measure):
    truncated = (_first_layers(styles, _pulled(styles, w_avg, psi), 1) for psi in psis)
    return _table(measure(synthesize(w)) for w in truncated)


@exercise_05_3.mistake(
    "As if images were blended, not styles: truncate first, then synthesize. A blend of two images is no new garment."
)
def images_blended(styles, w_avg, psis, synthesize, measure):
    images, average = synthesize(styles), synthesize(w_avg.expand_as(styles))
    return _table(measure(average + psi * (images - average)) for psi in psis)


@exercise_05_3.mistake("All rows are alike: your images don't depend on psi.")
def never_truncated(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(styles)) for _ in psis)


@exercise_05_3.mistake("Your rows are sorted by psi. Keep the order in which the psis are given.")
def sorted_by_psi(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in sorted(psis))


@exercise_05_3.mistake("Your rows are sorted by psi. Keep the order in which the psis are given.")
def sorted_downwards(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in sorted(psis, reverse=True))


@exercise_05_3.mistake("The order of the rows is reversed. Keep the order in which the psis are given.")
def backwards(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in reversed(psis))


@exercise_05_3.mistake(
    "A psi that is given twice has one row only. One row for each psi given, in the order given."
)
def each_psi_once(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in dict.fromkeys(psis))


@exercise_05_3.mistake("Rows and columns are exchanged: one row for each psi, one column for each measure.")
def rows_and_columns_exchanged(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in psis).T


@exercise_05_3.mistake("There is a column too many, with the psis. The table holds the measures only.")
def with_a_column_of_psis(styles, w_avg, psis, synthesize, measure):
    return _table((psi, *measure(synthesize(_pulled(styles, w_avg, psi)))) for psi in psis)


@exercise_05_3.mistake("Only one row comes back, the last psi's. Collect a row for each psi.")
def last_row_only(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in psis)[-1]


@exercise_05_3.mistake("Only one row comes back, the first psi's, as if `return` stood inside the loop.")
def first_row_only(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in psis)[0]


@exercise_05_3.mistake("The measures come back in one long row: the table has the shape (P, M).")
def one_long_row(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in psis).flatten()


@exercise_05_3.mistake(
    "As if every image were measured alone and the results averaged. The measures are those of the whole set: of one "
    "image there is no spread."
)
def image_by_image(styles, w_avg, psis, synthesize, measure):
    def alone(w):
        return _table(measure(synthesize(w[i : i + 1])) for i in range(len(w))).mean(0)

    return _table(alone(_pulled(styles, w_avg, psi)).tolist() for psi in psis)


@exercise_05_3.mistake("Only the first image is measured: the measures are those of the whole set.")
def first_image_only(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles[:1], w_avg, psi))) for psi in psis)


@exercise_05_3.mistake("The images of earlier psis are measured again with each later one's.")
def images_pile_up(styles, w_avg, psis, synthesize, measure):
    images = [synthesize(_pulled(styles, w_avg, psi)) for psi in psis]
    return _table(measure(torch.cat(images[: i + 1])) for i in range(len(images)))


@exercise_05_3.mistake(
    "The measures of a psi are averaged into one number. Keep them apart, one column each."
)
def measures_averaged(styles, w_avg, psis, synthesize, measure):
    return _table(measure(synthesize(_pulled(styles, w_avg, psi))) for psi in psis).mean(1)
