"""Exercises of chapter 09: the penalty, the norm, the statistic and the average that made GANs better."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gancourse.exercises import Exercise


def _normal(rng, *shape, scale=1.0, dtype=torch.float64) -> Tensor:
    return torch.from_numpy(scale * rng.normal(size=shape)).to(dtype)


def _filled(network: nn.Module, rng, scale: float = 1.0, dtype=torch.float64) -> nn.Module:
    """The network with every float of its state drawn from `rng`, running variances positive, and whole numbers kept."""
    network = network.to(dtype)
    for name, part in network.state_dict().items():
        if part.is_floating_point():
            drawn = _normal(rng, *part.shape, scale=scale, dtype=dtype)
            part.copy_(drawn.abs() if "var" in name else drawn)
    return network


# --- 09.1 gradient_penalty ---------------------------------------------------------------------------------

exercise_09_1 = Exercise(
    "09.1",
    "gradient_penalty",
    points=4,
    returns=("the penalty", "its gradient in the critic's weights", "what is left in the weights' .grad"),
    seconds=60,  # PyTorch imports a large part of itself at the first call with `grad_outputs`
)


@exercise_09_1.oracle
def gradient_penalty(critic, real, fake, t):
    """E (|grad_x D(x)| - 1)^2 at x = t real + (1 - t) fake: (N, ...) twice and t (N,) -> one number."""
    return (_slopes(critic, _between(real, fake, t)) - 1).square().mean()


def _between(real: Tensor, fake: Tensor, t: Tensor) -> Tensor:
    t = t.view(-1, *[1] * (real.ndim - 1))
    return t * real + (1 - t) * fake


def _gradients(critic, x: Tensor, *, graph: bool = True) -> Tensor:
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(critic(x).sum(), x, create_graph=graph)[0]


def _slopes(critic, x: Tensor) -> Tensor:
    return _gradients(critic, x).flatten(1).norm(dim=1)


@exercise_09_1.call
def with_its_own_gradient(answer, critic, real, fake, t):
    """The penalty, and what it would do to the critic's weights, flattened; a critic's step needs both."""
    penalty = answer(critic, real, fake, t)
    if penalty is None:  # to be told so, without a word on weights
        return None
    weights = list(critic.parameters())
    left = [torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in weights]
    pulls: Sequence[Tensor | None] = [None for _ in weights]
    if isinstance(penalty, Tensor) and penalty.requires_grad and penalty.ndim == 0:
        pulls = torch.autograd.grad(penalty, weights, allow_unused=True)
    gradients = [torch.zeros_like(w) if p is None else p for w, p in zip(weights, pulls, strict=True)]
    return penalty, torch.cat([p.flatten() for p in gradients]), torch.cat([p.flatten() for p in left])


@exercise_09_1.cases
def critics_and_pairs(rng):
    def plane(width, dtype=torch.float64, scale=1.0):
        """An MLP of the plane whose slope changes from place to place."""
        layers = [
            nn.Linear(width, 6),
            nn.Softplus(),
            nn.Linear(6, 5),
            nn.Tanh(),
            nn.Linear(5, 1),
            nn.Flatten(0),
        ]
        return _filled(nn.Sequential(*layers), rng, scale, dtype)

    def images(channels, size, dtype=torch.float64):
        layers = [nn.Conv2d(channels, 3, 3, padding=1), nn.Softplus(), nn.Flatten()]
        layers += [nn.Linear(3 * size * size, 1), nn.Flatten(0)]
        return _filled(nn.Sequential(*layers), rng, 0.7, dtype)

    def case(critic, *shape, scale=1.0, dtype=torch.float64):
        t = torch.from_numpy(rng.uniform(0.1, 0.9, size=shape[0])).to(dtype)
        real, fake = (_normal(rng, *shape, scale=scale, dtype=dtype) for _ in range(2))
        fake += scale
        while _slopes(critic, _between(real, fake, t)).min() < 1e-3:  # a root with + 1e-12 in it is right too
            _filled(critic, rng, dtype=dtype)
        return critic, real, fake, t

    far = _filled(nn.Sequential(nn.Linear(2, 8), nn.Softplus(), nn.Linear(8, 1), nn.Flatten(0)), rng)
    line = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)).double()
    line.load_state_dict({"0.weight": torch.tensor([[3.0, 4.0]]), "0.bias": torch.zeros(1)})  # slope 5
    pair = torch.tensor([[0.0, 1.0]], dtype=torch.float64), torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    slight = copy.deepcopy(line)
    slight.load_state_dict({"0.weight": torch.tensor([[0.3, -0.4]]), "0.bias": torch.ones(1)})  # slope 0.5
    return [
        (line, *pair, torch.tensor([0.25], dtype=torch.float64)),
        (slight, *(torch.cat([p, -p]) for p in pair), torch.tensor([0.25, 0.5], dtype=torch.float64)),
        case(plane(2), 5, 2),
        case(plane(2), 2, 2),  # as many samples as dimensions: a t along the wrong axis raises nothing
        case(plane(3), 3, 3),
        case(plane(1), 6, 1),
        case(plane(4), 3, 4),
        case(plane(2, scale=0.2), 8, 2),  # slopes below 1
        case(plane(2, scale=2.0), 4, 2, scale=0.01),
        case(far, 4, 2, scale=50.0),
        case(plane(2, torch.float32), 7, 2, dtype=torch.float32),
        case(images(1, 4), 4, 1, 4, 4),
        case(images(3, 5), 2, 3, 5, 5),
        case(images(2, 4, torch.float32), 3, 2, 4, 4, dtype=torch.float32),
    ]


@exercise_09_1.mistake(
    "As if the whole batch had one gradient with one norm. Every sample has its own: norm first, then the mean."
)
def norm_over_the_batch(critic, real, fake, t):
    return (_gradients(critic, _between(real, fake, t)).norm() - 1) ** 2


@exercise_09_1.mistake(
    "The squared norm is compared with 1: the root is missing. The slope is the norm itself."
)
def squared_norm_minus_one(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)) ** 2 - 1).square().mean()


@exercise_09_1.mistake(
    "As if only the mean slope had to be 1: a slope of 0 here and of 2 there costs nothing with you. Square each "
    "sample's difference from 1, then average."
)
def mean_slope_minus_one(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)).mean() - 1) ** 2


@exercise_09_1.mistake("As if slopes below 1 cost nothing. The penalty pulls from both sides towards 1.")
def one_sided(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)) - 1).clamp(min=0).square().mean()


@exercise_09_1.mistake("As if slopes above 1 cost nothing. The penalty pulls from both sides towards 1.")
def other_side(critic, real, fake, t):
    return (1 - _slopes(critic, _between(real, fake, t))).clamp(min=0).square().mean()


@exercise_09_1.mistake("As if the wanted slope were 0: that is another penalty, R1's or its kin.")
def slope_to_zero(critic, real, fake, t):
    return _slopes(critic, _between(real, fake, t)).square().mean()


@exercise_09_1.mistake("The square is missing: the difference from 1 is squared, then averaged.")
def difference_not_squared(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)) - 1).abs().mean()


@exercise_09_1.mistake("The square is missing: the difference from 1 is squared, then averaged.")
def signed_difference(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)) - 1).mean()


@exercise_09_1.mistake(
    "The slope is taken at the real samples. It is wanted between: at t real + (1 - t) fake."
)
def at_the_reals(critic, real, fake, t):
    return (_slopes(critic, real) - 1).square().mean()


@exercise_09_1.mistake(
    "The slope is taken at the fake samples. It is wanted between: at t real + (1 - t) fake."
)
def at_the_fakes(critic, real, fake, t):
    return (_slopes(critic, fake) - 1).square().mean()


@exercise_09_1.mistake(
    "The slope is taken at the real and at the fake samples. It is wanted between: at t real + (1 - t) fake."
)
def at_both_ends(critic, real, fake, t):
    return (_slopes(critic, torch.cat([real, fake])) - 1).square().mean()


@exercise_09_1.mistake("Every point lies half-way, whatever t says.")
def half_way(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, torch.full_like(t, 0.5))) - 1).square().mean()


@exercise_09_1.mistake("Your points lie elsewhere between: use the t that is given, not one of your own.")
def drawn_anew(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, torch.rand(len(t)))) - 1).square().mean()


@exercise_09_1.mistake(
    "As if t were the share of the fake sample. Here t = 1 is the real one, so that your numbers can be compared; "
    "for a t drawn evenly from 0 to 1 both ways are right."
)
def exchanged_ends(critic, real, fake, t):
    return (_slopes(critic, _between(fake, real, t)) - 1).square().mean()


@exercise_09_1.mistake("As if all pairs had one t in common. Each pair has its own.")
def one_t_for_all(critic, real, fake, t):
    return (_slopes(critic, t[0] * real + (1 - t[0]) * fake) - 1).square().mean()


@exercise_09_1.mistake("As if all pairs had one t in common. Each pair has its own.")
def mean_t_for_all(critic, real, fake, t):
    return (_slopes(critic, t.mean() * real + (1 - t.mean()) * fake) - 1).square().mean()


@exercise_09_1.mistake(
    "As if t went along the last axis. It has one number a sample: give it as many axes as the samples have, "
    "t.view(-1, 1) for points, t.view(-1, 1, 1, 1) for images."
)
def t_along_the_last_axis(critic, real, fake, t):
    return (_slopes(critic, t * real + (1 - t) * fake) - 1).square().mean()


@exercise_09_1.mistake(
    "As if samples were always points (N, D). For images t needs as many axes as they have: t.view(-1, 1, 1, 1)."
)
def t_as_a_column(critic, real, fake, t):
    t = t[:, None]
    return (_slopes(critic, t * real + (1 - t) * fake) - 1).square().mean()


@exercise_09_1.mistake(
    "For images the norm goes over the channels only, and every pixel gets one. A sample's gradient is one vector: "
    "flatten it first."
)
def norm_over_channels(critic, real, fake, t):
    return (_gradients(critic, _between(real, fake, t)).norm(dim=1) - 1).square().mean()


@exercise_09_1.mistake(
    "As if the slope were the sum of the gradient's entries, or of their sizes. It is the root of the sum of squares."
)
def sum_of_entries(critic, real, fake, t):
    return (_gradients(critic, _between(real, fake, t)).flatten(1).sum(1) - 1).square().mean()


@exercise_09_1.mistake(
    "As if the slope were the sum of the gradient's entries, or of their sizes. It is the root of the sum of squares."
)
def sum_of_sizes(critic, real, fake, t):
    return (_gradients(critic, _between(real, fake, t)).flatten(1).abs().sum(1) - 1).square().mean()


@exercise_09_1.mistake(
    "As if each entry of the gradient should be 1. The length of the whole gradient should."
)
def entry_by_entry(critic, real, fake, t):
    return (_gradients(critic, _between(real, fake, t)) - 1).square().mean()


@exercise_09_1.mistake(
    "The root mean square of the gradient's entries, not its length: it gets smaller the more entries there are."
)
def root_mean_square(critic, real, fake, t):
    slopes = _gradients(critic, _between(real, fake, t)).flatten(1).square().mean(1).sqrt()
    return (slopes - 1).square().mean()


@exercise_09_1.mistake(
    "Your slopes get smaller the larger the batch: those of the mean of the scores. Take the gradient of their sum, "
    "and each sample's own comes out."
)
def gradient_of_the_mean(critic, real, fake, t):
    return (_slopes(lambda x: critic(x) / len(x), _between(real, fake, t)) - 1).square().mean()


@exercise_09_1.mistake("As if the penalty were added up over the batch. It is the mean over the samples.")
def summed_over_the_batch(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)) - 1).square().sum()


@exercise_09_1.mistake("You return one number a sample: the mean over the batch is missing.")
def one_a_sample(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)) - 1).square()


@exercise_09_1.mistake("Your penalty is ten times as large: the weight, 10 in the paper, is the caller's.")
def weighted(critic, real, fake, t):
    return 10 * (_slopes(critic, _between(real, fake, t)) - 1).square().mean()


@exercise_09_1.mistake("Your penalty is half as large as the formula's.")
def halved(critic, real, fake, t):
    return (_slopes(critic, _between(real, fake, t)) - 1).square().mean() / 2


@exercise_09_1.mistake(
    "The value is right, but no gradient goes through it, so it could never change the critic. The first gradient "
    "must be recorded: create_graph=True."
)
def without_graph(critic, real, fake, t):
    gradients = _gradients(critic, _between(real, fake, t), graph=False)
    return (gradients.flatten(1).norm(dim=1) - 1).square().mean()


@exercise_09_1.mistake(
    "The value is right, but gradients are left in the .grad of the critic's weights, and the next step would take "
    "them along. torch.autograd.grad(scores.sum(), x, ...) leaves nothing behind."
)
def gradients_left_behind(critic, real, fake, t):
    x = _between(real, fake, t).requires_grad_(True)
    critic(x).sum().backward(create_graph=True)
    return (x.grad.flatten(1).norm(dim=1) - 1).square().mean()


@exercise_09_1.mistake(
    "Nothing was recorded about the points between: call requires_grad_(True) on them before the critic sees them."
)
def points_not_recorded(critic, real, fake, t):
    x = _between(real, fake, t)
    (gradients,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradients.flatten(1).norm(dim=1) - 1).square().mean()


# --- 09.2 spectral_normalize -------------------------------------------------------------------------------

exercise_09_2 = Exercise(
    "09.2",
    "spectral_normalize",
    points=4,
    returns=("the weight", "u"),
    forbidden=(
        "torch.nn.utils.parametrizations.spectral_norm",
        "torch.nn.utils.spectral_norm",
    ),
)


@exercise_09_2.oracle
def spectral_normalize(weight, u, steps):
    """(weight / sigma, u): `steps` turns of power iteration from u (out,), on weight (out, ...) as a matrix."""
    matrix, v = _matrix(weight), None
    for _ in range(steps):
        v = _unit(matrix.T @ u)
        u = _unit(matrix @ v)
    return weight / (u @ matrix @ v), u


def _matrix(weight: Tensor) -> Tensor:
    return weight.flatten(1)


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()


@exercise_09_2.cases
def weights_and_directions(rng):
    def case(*shape, steps=1, scale=1.0, dtype=torch.float64):
        return (
            _normal(rng, *shape, scale=scale, dtype=dtype),
            _unit(_normal(rng, shape[0], dtype=dtype)),
            steps,
        )

    flat = torch.tensor([[3.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    slanted = torch.tensor([0.6, 0.8], dtype=torch.float64)
    line = _normal(rng, 4, 1) @ _normal(rng, 1, 6)  # rank 1: one turn finds it
    turned = torch.tensor([[0.0, -2.0], [1.0, 0.0]], dtype=torch.float64)  # no real eigenvalue
    constant = torch.full((3, 4), -0.5, dtype=torch.float64)
    return [
        (flat, slanted, 1),
        (flat, slanted, 3),
        (turned, slanted, 2),
        (-flat, slanted, 1),
        (line, _unit(_normal(rng, 4)), 1),
        (constant, _unit(_normal(rng, 3)), 1),
        case(3, 5),
        case(5, 3, steps=2),
        case(4, 4, steps=4),
        case(6, 6, steps=1),
        case(5, 7, steps=100),  # has settled
        case(1, 4, steps=2),
        case(4, 1, steps=2),
        case(1, 1),
        case(4, 6, steps=2, scale=100.0),
        case(4, 6, steps=2, scale=1e-3),
        case(5, 4, steps=2, dtype=torch.float32),
        case(4, 2, 3, 3, steps=2),
        case(3, 3, 3, 3, steps=1),
        case(2, 6, 1, 1, steps=2, dtype=torch.float32),
    ]


def _powers(weight, u, steps):
    matrix = _matrix(weight)
    for _ in range(steps):
        v = _unit(matrix.T @ u)
        u = _unit(matrix @ v)
    return matrix, u, v, u @ matrix @ v


@exercise_09_2.mistake(
    "Your sigma is too large: the Frobenius norm, the root of the sum of *all* squared singular values. Wanted is "
    "the largest alone."
)
def frobenius(weight, u, steps):
    return weight / weight.norm(), _powers(weight, u, steps)[1]


@exercise_09_2.mistake(
    "Your sigma is too large: the Frobenius norm, the root of the sum of *all* squared singular values. Wanted is "
    "the largest alone."
)
def frobenius_with_old_u(weight, u, steps):
    return weight / weight.norm(), u


@exercise_09_2.mistake(
    "As if sigma were the largest entry. It is how far the matrix stretches a vector at most."
)
def largest_entry(weight, u, steps):
    return weight / weight.abs().max(), _powers(weight, u, steps)[1]


@exercise_09_2.mistake(
    "As if sigma were the largest entry. It is how far the matrix stretches a vector at most."
)
def largest_entry_with_old_u(weight, u, steps):
    return weight / weight.abs().max(), u


@exercise_09_2.mistake("As if every row were scaled by its own length. One sigma divides the whole weight.")
def row_by_row(weight, u, steps):
    lengths = _matrix(weight).norm(dim=1).view(-1, *[1] * (weight.ndim - 1))
    return weight / lengths, _powers(weight, u, steps)[1]


@exercise_09_2.mistake(
    "As if sigma were the largest sum of a row or a column. It is how far the matrix stretches a vector at most."
)
def largest_row_sum(weight, u, steps):
    return weight / _matrix(weight).abs().sum(1).max(), _powers(weight, u, steps)[1]


@exercise_09_2.mistake(
    "As if sigma were the largest sum of a row or a column. It is how far the matrix stretches a vector at most."
)
def largest_column_sum(weight, u, steps):
    return weight / _matrix(weight).abs().sum(0).max(), _powers(weight, u, steps)[1]


@exercise_09_2.mistake(
    "That is the exact largest singular value. The estimate is wanted that so many turns from this u give: it costs "
    "two products a step of training."
)
def exact_with_new_u(weight, u, steps):
    return weight / torch.linalg.matrix_norm(_matrix(weight), 2), _powers(weight, u, steps)[1]


@exercise_09_2.mistake(
    "That is the exact largest singular value. The estimate is wanted that so many turns from this u give: it costs "
    "two products a step of training."
)
def exact_with_old_u(weight, u, steps):
    return weight / torch.linalg.matrix_norm(_matrix(weight), 2), u


@exercise_09_2.mistake(
    "That is the exact largest singular value. The estimate is wanted that so many turns from this u give: it costs "
    "two products a step of training."
)
def exact_by_decomposition(weight, u, steps):
    left, values, _ = torch.linalg.svd(_matrix(weight), full_matrices=False)
    return weight / values[0], left[:, 0]


@exercise_09_2.mistake(
    "The weight is right, but u comes back as it was given, so the next call starts again from nothing. Return the "
    "new one."
)
def u_not_kept(weight, u, steps):
    return weight / _powers(weight, u, steps)[3], u


@exercise_09_2.mistake(
    "As if there were only one turn, whatever `steps` says. Each turn goes on from the u that the one before it has "
    "found."
)
def one_turn(weight, u, steps):
    return spectral_normalize(weight, u, 1)


@exercise_09_2.mistake("One turn too many for this number of steps.")
def a_turn_too_many(weight, u, steps):
    return spectral_normalize(weight, u, steps + 1)


@exercise_09_2.mistake(
    "As if sigma were measured with the u from before the last half-turn: take u' W v with the newest u and v."
)
def sigma_of_the_old_u(weight, u, steps):
    matrix = _matrix(weight)
    for _ in range(steps):
        v, old = _unit(matrix.T @ u), u
        u = _unit(matrix @ v)
    return weight / (old @ matrix @ v), u


@exercise_09_2.mistake(
    "As if the turn went one way only, u to W u: that finds eigenvalues, and only of square matrices. Go there and "
    "back: v from W' u, then u from W v."
)
def one_way(weight, u, steps):
    matrix = _matrix(weight)
    for _ in range(steps):
        u = _unit(matrix @ u)
    return weight / (u @ matrix @ u), u


@exercise_09_2.mistake(
    "Your v has not length 1, so sigma counts its length once more. Divide each vector by its norm."
)
def v_not_normalised(weight, u, steps):
    matrix = _matrix(weight)
    for _ in range(steps):
        v = matrix.T @ u
        u = _unit(matrix @ v)
    return weight / (u @ matrix @ v), u


@exercise_09_2.mistake("Your u has not length 1: sigma, and what you return, grow with it.")
def u_not_normalised(weight, u, steps):
    matrix = _matrix(weight)
    for _ in range(steps):
        v = _unit(matrix.T @ u)
        u = matrix @ v
    return weight / (u @ matrix @ v), u


@exercise_09_2.mistake(
    "The weight is right, but your u has not length 1. Divide it by its norm before you return it."
)
def long_u_returned(weight, u, steps):
    matrix, u, v, sigma = _powers(weight, u, steps)
    return weight / sigma, matrix @ v


@exercise_09_2.mistake("Neither vector is brought to length 1: with every turn the numbers grow or shrink.")
def nothing_normalised(weight, u, steps):
    matrix = _matrix(weight)
    for _ in range(steps):
        v = matrix.T @ u
        u = matrix @ v
    return weight / (u @ matrix @ v), u


@exercise_09_2.mistake("As if sigma were squared, the eigenvalue of W W'. Divide by sigma itself.")
def by_the_square(weight, u, steps):
    _, u, _, sigma = _powers(weight, u, steps)
    return weight / sigma**2, u


@exercise_09_2.mistake("Your weight is divided by the root of sigma. Divide by sigma itself.")
def by_the_root(weight, u, steps):
    _, u, _, sigma = _powers(weight, u, steps)
    return weight / sigma.abs().sqrt(), u


@exercise_09_2.mistake("As if the weight were multiplied by sigma. Dividing makes the steepest slope 1.")
def multiplied(weight, u, steps):
    _, u, _, sigma = _powers(weight, u, steps)
    return weight * sigma, u


@exercise_09_2.mistake("The weight comes back as it was: divide it by sigma.")
def weight_unchanged(weight, u, steps):
    return weight.clone(), _powers(weight, u, steps)[1]


@exercise_09_2.mistake(
    "Only a stretch above 1 is taken off by you. Spectral normalisation also raises weaker ones to 1."
)
def only_where_too_steep(weight, u, steps):
    _, u, _, sigma = _powers(weight, u, steps)
    return weight / sigma.clamp(min=1), u


@exercise_09_2.mistake("You return sigma where the normalised weight is wanted.")
def sigma_itself(weight, u, steps):
    _, u, _, sigma = _powers(weight, u, steps)
    return sigma, u


@exercise_09_2.mistake("The vector that you return is v, of the inputs' side. Keep u, of the outputs' side.")
def v_returned(weight, u, steps):
    _, _, v, sigma = _powers(weight, u, steps)
    return weight / sigma, v


@exercise_09_2.mistake("Only the weight comes back. Return it together with the new u: a tuple of two.")
def weight_alone(weight, u, steps):
    return weight / _powers(weight, u, steps)[3]


@exercise_09_2.mistake(
    "A convolution's weight comes back as a matrix. Only the power iteration needs it flat; return its own shape."
)
def returned_flat(weight, u, steps):
    matrix, u, _, sigma = _powers(weight, u, steps)
    return matrix / sigma, u


@exercise_09_2.mistake(
    "As if it had started from another u, or taken another number of turns: start from the u that you are given."
)
def from_ones(weight, u, steps):
    return spectral_normalize(weight, torch.ones_like(u), steps)


def _starts_elsewhere(case, output, expected) -> bool:
    """Whether the output is what other starts give: a u of length 1, and a weight scaled by u's own stretch W' u."""
    weight, _, _ = case
    scaled, u = (torch.as_tensor(part).double() for part in output)
    matrix = _matrix(weight).double()
    if scaled.shape != weight.shape or u.shape != weight.shape[:1] or abs(float(u.norm()) - 1) > 1e-3:
        return False
    scale = float(weight.double().flatten() @ weight.double().flatten())
    share = float(scaled.flatten() @ weight.double().flatten()) / scale  # 1 / sigma, if it is a multiple
    reach = float(torch.linalg.matrix_norm(matrix, 2))
    alike = bool(torch.allclose(scaled, share * weight.double(), rtol=1e-3, atol=1e-6))
    return (
        alike
        and share > 0
        and 1 / share <= 1.001 * reach
        and 1 / share <= 1.001 * float((matrix.T @ u).norm())
    )


@exercise_09_2.mistake(
    "As if it had started from another u, or taken another number of turns: start from the u that you are given.",
    recognise=_starts_elsewhere,
)
def from_anywhere(weight, u, steps):
    return spectral_normalize(weight, torch.randn_like(u), steps)


# --- 09.3 minibatch_stddev ---------------------------------------------------------------------------------

exercise_09_3 = Exercise("09.3", "minibatch_stddev", points=3)


@exercise_09_3.oracle
def minibatch_stddev(x, group_size=4):
    """Append one map that tells how much a group differs: (N, C, H, W) -> (N, C + 1, H, W)."""
    std = (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt()
    return _with_map(x, std.mean((1, 2, 3)), group_size)


def _groups(x: Tensor, size: int) -> Tensor:
    """(N, C, H, W) -> (size, N / size, C, H, W): image i is member i // M of group i % M, with M = N / size groups."""
    return x.reshape(size, -1, *x.shape[1:])


def _with_map(x: Tensor, values: Tensor, size: int) -> Tensor:
    """x with one more channel, which holds each group's value (M,)."""
    extra = values.repeat(size).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
    return torch.cat([x, extra], dim=1)


@exercise_09_3.cases
def feature_maps(rng):
    small = torch.zeros(4, 1, 1, 1, dtype=torch.float64)
    small[1] = small[3] = 2.0
    pairs = torch.tensor([0.0, 5.0, 1.0, 5.0, 0.0, 9.0, 1.0, 9.0], dtype=torch.float64).view(8, 1, 1, 1)
    return [
        (small, 4),
        (pairs, 4),
        (_normal(rng, 8, 3, 2, 2), 4),
        (_normal(rng, 4, 2, 3, 3) + 3, 4),
        (_normal(rng, 12, 2, 2, 4), 4),
        (_normal(rng, 16, 1, 2, 2), 4),
        (_normal(rng, 6, 3, 4, 2), 2),
        (_normal(rng, 6, 2, 2, 3), 3),
        (_normal(rng, 9, 1, 3, 1), 3),
        (_normal(rng, 5, 2, 1, 1), 1),  # alone in its group, no image differs
        (_normal(rng, 5, 2, 2, 2), 5),
        (torch.full((4, 2, 2, 2), 7.0, dtype=torch.float64), 4),  # collapsed
        (_normal(rng, 8, 3, 2, 2, scale=1e-4), 4),
        (_normal(rng, 8, 3, 2, 2, scale=100.0), 4),
        (_normal(rng, 8, 3, 4, 4, dtype=torch.float32), 4),
        (_normal(rng, 8, 2, 3, 2), 4),
    ]


@exercise_09_3.mistake(
    "As if the whole batch were one group. Each group of group_size images has its own number."
)
def whole_batch(x, group_size=4):
    std = (x.var(0, correction=0) + 1e-8).sqrt().mean()
    return torch.cat([x, std.expand(len(x), 1, *x.shape[2:])], dim=1)


@exercise_09_3.mistake(
    "As if the whole batch were one group. Each group of group_size images has its own number."
)
def averaged_over_groups(x, group_size=4):
    std = (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt().mean()
    return torch.cat([x, std.expand(len(x), 1, *x.shape[2:])], dim=1)


@exercise_09_3.mistake(
    "Your deviation is that of a division by the group's size minus 1 (`std` does so by default); here it is the "
    "biased one."
)
def unbiased(x, group_size=4):
    std = (_groups(x, group_size).var(0, correction=1) + 1e-8).sqrt()
    return _with_map(x, std.mean((1, 2, 3)), group_size)


@exercise_09_3.mistake(
    "Your deviation is that of a division by the group's size minus 1 (`std` does so by default); here it is the "
    "biased one."
)
def by_std(x, group_size=4):
    return _with_map(x, _groups(x, group_size).std(0).mean((1, 2, 3)), group_size)


@exercise_09_3.mistake(
    "As if the whole batch were one group. Each group of group_size images has its own number."
)
def whole_batch_by_std(x, group_size=4):
    return torch.cat([x, x.std(0).mean().expand(len(x), 1, *x.shape[2:])], dim=1)


@exercise_09_3.mistake(
    "Your map differs from pixel to pixel. Average over channels, rows and columns: one number a group."
)
def per_pixel(x, group_size=4):
    std = (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt().mean(1, keepdim=True)
    return torch.cat([x, std.repeat(group_size, 1, 1, 1)], dim=1)


@exercise_09_3.mistake("Your channels get a map each. Average over the channels too: one map is appended.")
def per_channel(x, group_size=4):
    std = (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt().mean((2, 3), keepdim=True)
    return torch.cat([x, std.repeat(group_size, 1, 1, 1).expand_as(x)], dim=1)


@exercise_09_3.mistake("Your channels get a map each. Average over the channels too: one map is appended.")
def nothing_averaged(x, group_size=4):
    std = (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt()
    return torch.cat([x, std.repeat(group_size, 1, 1, 1)], dim=1)


@exercise_09_3.mistake("That is the variance. The root is missing: a standard deviation is wanted.")
def variance(x, group_size=4):
    return _with_map(x, _groups(x, group_size).var(0, correction=0).mean((1, 2, 3)), group_size)


@exercise_09_3.mistake(
    "As if the variances were averaged before the root. Take each feature's deviation first, then the mean."
)
def root_of_the_mean(x, group_size=4):
    mean = _groups(x, group_size).var(0, correction=0).mean((1, 2, 3))
    return _with_map(x, (mean + 1e-8).sqrt(), group_size)


@exercise_09_3.mistake(
    "As if each image were averaged to one number first: what differs inside images then cancels. Deviation first, "
    "mean last."
)
def mean_before_deviation(x, group_size=4):
    means = _groups(x, group_size).mean((2, 3, 4))
    return _with_map(x, (means.var(0, correction=0) + 1e-8).sqrt(), group_size)


@exercise_09_3.mistake(
    "As if the deviation went over the pixels of one image. It goes over the *images* of a group, pixel by pixel."
)
def within_an_image(x, group_size=4):
    std = (x.flatten(1).var(1, correction=0) + 1e-8).sqrt()
    return torch.cat([x, std.view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], dim=1)


@exercise_09_3.mistake(
    "As if the deviation went over the images and all their pixels at once: even equal images then differ."
)
def over_everything_in_a_group(x, group_size=4):
    std = (_groups(x, group_size).transpose(0, 1).flatten(1).var(1, correction=0) + 1e-8).sqrt()
    return _with_map(x, std, group_size)


@exercise_09_3.mistake(
    "As if neighbours in the batch made a group. With M = N / group_size groups, group j has the images j, j + M, "
    "j + 2M and so on: x.reshape(group_size, M, C, H, W)."
)
def neighbours_grouped(x, group_size=4):
    groups = x.reshape(-1, group_size, *x.shape[1:])
    std = (groups.var(1, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
    return torch.cat(
        [x, std.repeat_interleave(group_size).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], dim=1
    )


@exercise_09_3.mistake(
    "As if there were group_size groups. There are N / group_size of them, of group_size images each."
)
def so_many_groups(x, group_size=4):
    groups = x.reshape(-1, group_size, *x.shape[1:])
    std = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
    return torch.cat(
        [x, std.repeat(len(x) // group_size).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], dim=1
    )


@exercise_09_3.mistake(
    "The numbers are right and stand at the wrong images: image i belongs to group i % M, so repeat the M numbers as "
    "a whole, not each by itself."
)
def handed_out_in_runs(x, group_size=4):
    std = (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
    return torch.cat(
        [x, std.repeat_interleave(group_size).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], dim=1
    )


@exercise_09_3.mistake("As if groups always had four images, whatever group_size says.")
def always_four(x, group_size=4):
    return minibatch_stddev(x, 4)


@exercise_09_3.mistake(
    "A group of equal images gets 0 from you, and there the root's slope is infinite. Add 1e-8 to the variance before "
    "the root."
)
def without_epsilon(x, group_size=4):
    std = _groups(x, group_size).var(0, correction=0).sqrt()
    return _with_map(x, std.mean((1, 2, 3)), group_size)


@exercise_09_3.mistake(
    "A group of equal images gets 0 from you, and there the root's slope is infinite. Add 1e-8 to the variance before "
    "the root."
)
def epsilon_after_the_root(x, group_size=4):
    std = _groups(x, group_size).var(0, correction=0).sqrt() + 1e-8
    return _with_map(x, std.mean((1, 2, 3)), group_size)


@exercise_09_3.mistake("The map stands first. Append it behind the channels that are there.")
def map_first(x, group_size=4):
    return minibatch_stddev(x, group_size).roll(1, dims=1)


@exercise_09_3.mistake("You return the map alone. Append it to x: C + 1 channels.")
def map_alone(x, group_size=4):
    return minibatch_stddev(x, group_size)[:, -1:]


@exercise_09_3.mistake("You return one number a group. Make a map of it and append it to x: C + 1 channels.")
def numbers_alone(x, group_size=4):
    return (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))


@exercise_09_3.mistake("The deviations are added up. Their mean over channels, rows and columns is wanted.")
def summed(x, group_size=4):
    std = (_groups(x, group_size).var(0, correction=0) + 1e-8).sqrt()
    return _with_map(x, std.sum((1, 2, 3)), group_size)


# --- 09.4 ema_update ---------------------------------------------------------------------------------------

exercise_09_4 = Exercise(
    "09.4",
    "ema_update",
    points=3,
    returns=(
        "the average's parameters",
        "the average's buffers",
        "the trained network's state",
        "parameters of the average that remember how they came about",
        "whether the average moves along when the trained network is changed afterwards",
    ),
    forbidden=(
        "torch.optim.swa_utils.AveragedModel",
        "torch.optim.swa_utils.get_ema_avg_fn",
        "torch.optim.swa_utils.get_ema_multi_avg_fn",
    ),
)


@exercise_09_4.oracle
def ema_update(average, network, beta):
    """average's parameters become beta average + (1 - beta) network, in place; its buffers are copied."""
    with torch.no_grad():
        for mean, new in zip(average.parameters(), network.parameters(), strict=True):
            mean.lerp_(new, 1 - beta)
        for kept, new in zip(average.buffers(), network.buffers(), strict=True):
            kept.copy_(new)


@exercise_09_4.call
def states_after(answer, average, network, beta):
    """What the call left in both networks; the returned value doesn't count."""
    answer(average, network, beta)
    dtype = next(average.parameters()).dtype

    def flat(parts) -> Tensor:
        return torch.cat([torch.zeros(0, dtype=dtype), *(p.detach().flatten().to(dtype) for p in parts)])

    parameters, buffers = flat(average.parameters()), flat(average.buffers())
    trained = flat(network.state_dict().values())
    recorded = sum(p.grad_fn is not None for p in average.parameters())
    with torch.no_grad():
        for part in network.state_dict().values():
            part.add_(1)
    same = torch.equal(flat(average.parameters()), parameters) and torch.equal(
        flat(average.buffers()), buffers
    )
    return parameters, buffers, trained, recorded, int(not same)


@exercise_09_4.cases
def two_networks(rng):
    def linear():
        return nn.Linear(1, 1)

    def plain():
        return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))

    def normed():
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 1))

    def frozen():
        """A network with a stored map, as StyleGAN's noise."""
        network = nn.Linear(2, 2, bias=False)
        network.register_buffer("noise", torch.zeros(2, 2))
        return network

    def case(make, beta, scale=1.0, dtype=torch.float64, asleep=True, seen=7):
        average, network = (_filled(make(), rng, scale, dtype) for _ in range(2))
        for name, part in network.named_buffers():
            if name.endswith("num_batches_tracked"):
                part.fill_(seen)
        return average.requires_grad_(not asleep), network, beta

    one, other = linear().double(), linear().double()
    one.load_state_dict({"weight": torch.tensor([[1.0]]), "bias": torch.tensor([0.0])})
    other.load_state_dict({"weight": torch.tensor([[3.0]]), "bias": torch.tensor([-10.0])})
    return [
        (one.requires_grad_(False), other, 0.9),
        case(linear, 0.5, asleep=False),
        case(plain, 0.75),
        case(plain, 0.25, asleep=False),
        case(normed, 0.75),
        case(normed, 0.9, asleep=False),
        case(frozen, 0.6),
        case(frozen, 0.9, asleep=False),
        case(plain, 0.0),
        case(normed, 1.0),
        case(normed, 0.9, scale=100.0, seen=1000),
        case(normed, 0.9, scale=0.01),
        case(normed, 0.9, dtype=torch.float32),
        case(plain, 0.995, dtype=torch.float32),
    ]


def _pairs(average, network):
    return zip(average.parameters(), network.parameters(), strict=True)


def _copy_buffers(average, network):
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(new)


@exercise_09_4.mistake(
    "As if beta were the share of the new network: with beta = 0.9 your average forgets 90% of itself in one step."
)
@torch.no_grad()
def beta_exchanged(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.lerp_(new, beta)
    _copy_buffers(average, network)


@exercise_09_4.mistake(
    "The average's buffers stay as they were: running means and variances, stored maps. Copy them."
)
@torch.no_grad()
def buffers_left(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.lerp_(new, 1 - beta)


@exercise_09_4.mistake(
    "Buffers are averaged too. They are state, not something learned (and some are counts): copy them."
)
@torch.no_grad()
def buffers_averaged(average, network, beta):
    new = network.state_dict()
    for name, part in average.state_dict().items():
        part.copy_(beta * part + (1 - beta) * new[name])


@exercise_09_4.mistake(
    "Buffers are averaged too. They are state, not something learned (and some are counts): copy them."
)
@torch.no_grad()
def float_buffers_averaged(average, network, beta):
    new = network.state_dict()
    for name, part in average.state_dict().items():
        part.copy_(beta * part + (1 - beta) * new[name] if part.is_floating_point() else new[name])


@exercise_09_4.mistake(
    "Buffers are averaged too. They are state, not something learned (and some are counts): copy them."
)
@torch.no_grad()
def only_float_state_averaged(average, network, beta):
    new = network.state_dict()
    for name, part in average.state_dict().items():
        if part.is_floating_point():
            part.copy_(beta * part + (1 - beta) * new[name])


@exercise_09_4.mistake("The average is now the trained network itself: nothing of the past is kept.")
@torch.no_grad()
def copied(average, network, beta):
    average.load_state_dict(network.state_dict())


@exercise_09_4.mistake(
    "The factor 1 - beta on the new network is missing: your average grows with every step."
)
@torch.no_grad()
def new_not_weighted(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.mul_(beta).add_(new)
    _copy_buffers(average, network)


@exercise_09_4.mistake("The factor beta on the old average is missing: it grows with every step.")
@torch.no_grad()
def old_not_weighted(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.add_((1 - beta) * new)
    _copy_buffers(average, network)


@exercise_09_4.mistake("As if both counted half, whatever beta says.")
@torch.no_grad()
def half_and_half(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.lerp_(new, 0.5)
    _copy_buffers(average, network)


@exercise_09_4.mistake(
    "The average network is as it was. Change its parameters themselves, with copy_, lerp_ or mul_ and add_: inside a "
    "loop `mean = ...` only gives the name another tensor, and what is returned isn't used."
)
@torch.no_grad()
def names_rebound(average, network, beta):
    for mean, new in _pairs(average, network):
        mean = beta * mean + (1 - beta) * new
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
        kept = new  # noqa: F841


@exercise_09_4.mistake(
    "The parameters of the average are as they were. Inside a loop `mean = ...` only gives the name another tensor: "
    "change the parameter itself, with copy_, lerp_ or mul_ and add_."
)
@torch.no_grad()
def parameter_names_rebound(average, network, beta):
    for mean, new in _pairs(average, network):
        mean = beta * mean + (1 - beta) * new
    _copy_buffers(average, network)


@exercise_09_4.mistake(
    "The trained network is changed. The average follows it; the network itself must train on undisturbed."
)
@torch.no_grad()
def wrong_network_changed(average, network, beta):
    for mean, new in _pairs(average, network):
        new.copy_(beta * mean + (1 - beta) * new)
    _copy_buffers(average, network)


@exercise_09_4.mistake(
    "The trained network is changed. The average follows it; the network itself must train on undisturbed."
)
@torch.no_grad()
def both_changed(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.lerp_(new, 1 - beta)
        new.copy_(mean)
    _copy_buffers(average, network)


def _graph_kept(case, output, expected) -> bool:
    """Whether the values are right, and an average that asks for no gradient still remembers how it came about."""
    alike = all(
        abs(g - w).max(initial=0) <= 1e-4 * abs(w).max(initial=1)
        for g, w in zip(output[:2], expected[:2], strict=True)
    )
    return alike and int(output[3]) > 0


@exercise_09_4.mistake(
    "Right values, but recorded: the average remembers every step for a gradient that nobody takes, and memory "
    "fills. Work under torch.no_grad().",
    recognise=_graph_kept,
)
def recorded_from_the_network(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.mul_(beta).add_((1 - beta) * new)
    _copy_buffers(average, network)


@exercise_09_4.mistake(
    "Right values, but recorded: the average remembers every step for a gradient that nobody takes, and memory "
    "fills. Work under torch.no_grad().",
    recognise=_graph_kept,
)
def recorded_by_lerp(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.lerp_(new, 1 - beta)
    _copy_buffers(average, network)


@exercise_09_4.mistake(
    "The average's buffers are now the trained network's own: what training does to them later happens to the "
    "average as well. Copy the numbers with copy_."
)
@torch.no_grad()
def buffers_shared(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.lerp_(new, 1 - beta)
    for (name, _), new in zip(list(average.named_buffers()), network.buffers(), strict=True):
        owner, _, last = name.rpartition(".")
        average.get_submodule(owner).register_buffer(last, new)


@exercise_09_4.mistake(
    "Only matrices are averaged: biases and other vectors stay as they were. Go through all parameters."
)
@torch.no_grad()
def matrices_only(average, network, beta):
    for mean, new in _pairs(average, network):
        if mean.ndim > 1:
            mean.lerp_(new, 1 - beta)
    _copy_buffers(average, network)


@exercise_09_4.mistake(
    "Only matrices are averaged: biases and other vectors stay as they were. Go through all parameters."
)
@torch.no_grad()
def matrices_averaged_rest_copied(average, network, beta):
    for mean, new in _pairs(average, network):
        mean.copy_(torch.lerp(mean, new, 1 - beta) if mean.ndim > 1 else new)
    _copy_buffers(average, network)
