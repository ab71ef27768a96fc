"""Exercises of chapter 07: a sample that gradients pass through, the two terms of the bound, the bound, a tighter one."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from gancourse.exercises import Exercise
from gancourse.models import vae


def _drawn(rng, *shape, scale=1.0, shift=0.0):
    return torch.from_numpy(scale * rng.normal(size=shape) + shift)


def _with_slopes(value, *inputs):
    """A value and its sum's gradient with respect to each input; zeros where no gradient arrives.

    Where there is no one tensor the value comes alone, so that a reader isn't told of slopes.
    """
    if value is None or isinstance(value, tuple):
        return value
    value = torch.as_tensor(value)
    slopes = [torch.zeros_like(x) for x in inputs]
    if value.requires_grad:
        slopes = list(torch.autograd.grad(value.sum(), inputs, materialize_grads=True))
    return (value.detach(), *(s.float() for s in slopes))  # with a float's tolerance


# --- 07.1 reparameterize -----------------------------------------------------------------------------------

exercise_07_1 = Exercise(
    "07.1",
    "reparameterize",
    points=2,
    returns=("z", "the slope of z's sum in mu", "the slope of z's sum in log_var"),
)


@exercise_07_1.oracle
def reparameterize(mu, log_var, noise):
    """z = mu + exp(log_var / 2) * noise, all of one shape: a sample of N(mu, exp(log_var)) that gradients pass through."""
    return vae.reparameterize(mu, log_var, noise)


@exercise_07_1.call
def sample_and_slopes(answer, mu, log_var, noise):
    """What the answer gives, and how it moves with mu and log_var."""
    mu, log_var = mu.requires_grad_(True), log_var.requires_grad_(True)
    return _with_slopes(answer(mu, log_var, noise), mu, log_var)


@exercise_07_1.cases
def codes(rng):
    nine = 2 * math.log(3)  # the log variance of a standard deviation of 3
    small = [
        ([[2.0]], [[0.0]], [[-1.0]]),
        ([[1.0, -1.0]], [[nine, -nine]], [[1.0, 3.0]]),
        ([[0.0], [0.0], [4.0]], [[nine], [nine], [nine]], [[1.0], [-2.0], [0.0]]),
    ]
    cases = [tuple(torch.tensor(part, dtype=torch.float64) for part in case) for case in small]
    for shape in ((6, 3), (2, 5), (4, 4), (3, 4, 2), (5,)):
        cases.append((_drawn(rng, *shape), _drawn(rng, *shape, shift=-1.0), _drawn(rng, *shape)))
    cases.append((_drawn(rng, 4, 3, scale=200.0), _drawn(rng, 4, 3, shift=4.0), _drawn(rng, 4, 3)))
    cases.append((_drawn(rng, 4, 3, scale=1e-3), _drawn(rng, 4, 3, shift=-12.0), _drawn(rng, 4, 3)))
    cases.append(tuple(_drawn(rng, 7, 3).float() for _ in range(3)))
    return cases


@exercise_07_1.mistake(
    "As if log_var were the logarithm of the standard deviation: your spread is the variance. "
    "The standard deviation is exp(log_var / 2)."
)
def variance_for_spread(mu, log_var, noise):
    return mu + torch.exp(log_var) * noise


@exercise_07_1.mistake(
    "The spread is the logarithm of the variance itself, which can be negative: undo the logarithm."
)
def logarithm_for_spread(mu, log_var, noise):
    return mu + log_var * noise


@exercise_07_1.mistake(
    "The spread is the logarithm of the variance itself, which can be negative: undo the logarithm."
)
def half_the_logarithm_for_spread(mu, log_var, noise):
    return mu + log_var / 2 * noise


@exercise_07_1.mistake(
    "NaN where log_var is negative: a root was taken of a logarithm. First undo the logarithm, then take the root."
)
def root_of_the_logarithm(mu, log_var, noise):
    return mu + torch.sqrt(log_var) * noise


@exercise_07_1.mistake(
    "As if the half stood outside: you halve the variance. Half the *logarithm* gives the root."
)
def half_outside(mu, log_var, noise):
    return mu + torch.exp(log_var) / 2 * noise


@exercise_07_1.mistake("A large variance gives you a small spread: the sign in the exponent is turned round.")
def sign_turned_round(mu, log_var, noise):
    return mu + torch.exp(-log_var / 2) * noise


@exercise_07_1.mistake("A large variance gives you a small spread: the sign in the exponent is turned round.")
def divided_by_the_spread(mu, log_var, noise):
    return (noise - mu) / torch.exp(log_var / 2)


@exercise_07_1.mistake("Every z has the spread of the noise alone: log_var has no part in it.")
def spread_left_out(mu, log_var, noise):
    return mu + noise


@exercise_07_1.mistake("The mean is missing: all codes lie around 0.")
def mean_left_out(mu, log_var, noise):
    return torch.exp(log_var / 2) * noise


@exercise_07_1.mistake("That is the mean: without the noise nothing is sampled.")
def noise_left_out(mu, log_var, noise):
    return mu + 0 * log_var


@exercise_07_1.mistake("That is the mean: without the noise nothing is sampled.")
def mean_alone(mu, log_var, noise):
    return mu


@exercise_07_1.mistake(
    "As if mean and spread had changed places: the noise is multiplied by the spread, the mean is added."
)
def places_changed(mu, log_var, noise):
    return mu * noise + torch.exp(log_var / 2)


@exercise_07_1.mistake("As if the spread were added too. It multiplies the noise.")
def spread_added(mu, log_var, noise):
    return mu + torch.exp(log_var / 2) + noise


@exercise_07_1.mistake(
    "You draw noise of your own. Use the noise that is given, so that the result can be repeated."
)
def own_noise(mu, log_var, noise):
    return mu + torch.exp(log_var / 2) * torch.randn_like(mu)


def _drawn_anew(case, output):
    """sigma and e, where the output is a sample mu + sigma e of another e than the given one; else None."""
    mu, log_var, noise = (part.detach().double().numpy() for part in case)
    if len(output) != 3 or any(part.shape != mu.shape for part in output):
        return None
    sigma = np.exp(log_var / 2)
    drawn = (output[0] - mu) / sigma
    given = np.allclose(drawn, noise, rtol=1e-3, atol=1e-4 * (1 + abs(mu / sigma).max()))
    return None if given or abs(drawn).max() >= 8 else (sigma, drawn)


def _repeats_no_noise(case, output, expected):
    """A sample with a noise of its own, and its slopes."""
    if (anew := _drawn_anew(case, output)) is None:
        return False
    sigma, drawn = anew
    digits = 1e-3 * sigma.max() + 1e-6 * abs(case[0].detach().double().numpy()).max()
    return bool(
        np.allclose(output[1], 1) and np.allclose(output[2], sigma * drawn / 2, rtol=1e-3, atol=digits)
    )


@exercise_07_1.mistake(
    "You draw noise of your own. Use the noise that is given, so that the result can be repeated.",
    recognise=_repeats_no_noise,
)
def own_normal_noise(mu, log_var, noise):
    return torch.distributions.Normal(mu, torch.exp(log_var / 2)).rsample()


def _draws_without_gradient(case, output, expected):
    """A sample with a noise of its own, and no slope anywhere."""
    return bool(_drawn_anew(case, output) and not output[1].any() and not output[2].any())


@exercise_07_1.mistake(
    "You draw noise of your own, and no gradient passes through the draw. Use the noise that is given: "
    "mu + sigma * noise.",
    recognise=_draws_without_gradient,
)
def drawn_by_torch_normal(mu, log_var, noise):
    return torch.normal(mu, torch.exp(log_var / 2))


_CUT = (
    "The values are right, but no gradient reaches mu and log_var, so an encoder could not learn. "
    "Stay with torch operations on the tensors as they come: no .detach(), .data, .item() or numpy."
)


@exercise_07_1.mistake(_CUT)
def gradients_cut(mu, log_var, noise):
    return (mu + torch.exp(log_var / 2) * noise).detach()


@exercise_07_1.mistake(_CUT)
def numpy_on_a_tensor_with_gradient(mu, log_var, noise):
    return mu.numpy() + np.exp(log_var.numpy() / 2) * noise.numpy()


@exercise_07_1.mistake(
    "The values are right, but log_var gets no gradient: the encoder would never learn how sure it may be."
)
def spread_cut(mu, log_var, noise):
    return mu + torch.exp(log_var / 2).detach() * noise


# --- 07.2 kl_to_standard_normal ----------------------------------------------------------------------------

exercise_07_2 = Exercise(
    "07.2",
    "kl_to_standard_normal",
    points=3,
    atol=1e-7,
    forbidden=(
        "torch.distributions.kl_divergence",
        "torch.distributions.kl._kl_normal_normal",
        "torch.distributions.kl._kl_multivariatenormal_multivariatenormal",
    ),
)


@exercise_07_2.oracle
def kl_to_standard_normal(mu, log_var):
    """KL(N(mu, diag sigma^2) || N(0, I)) in nats, sigma^2 = exp(log_var): (N, D), (N, D) -> (N,)."""
    return vae.kl_to_standard_normal(torch.as_tensor(mu), torch.as_tensor(log_var))


@exercise_07_2.cases
def posteriors(rng):
    small = [
        ([[0.0, 0.0]], [[0.0, 0.0]]),
        ([[3.0]], [[0.0]]),
        ([[0.0], [-1.0]], [[2 * math.log(3)], [-2 * math.log(3)]]),
        ([[1.0, -2.0, 0.5], [0.0, 4.0, 0.5]], [[0.0, -1.0, -3.0], [1.0, 0.5, -3.0]]),
    ]
    cases = [tuple(torch.tensor(part, dtype=torch.float64) for part in case) for case in small]
    for shape in ((6, 3), (2, 5), (4, 4), (5, 1), (1, 6)):
        cases.append((_drawn(rng, *shape, scale=1.5), _drawn(rng, *shape, shift=-1.0)))
    cases.append((_drawn(rng, 4, 3, scale=200.0), _drawn(rng, 4, 3, scale=3.0)))
    cases.append((_drawn(rng, 4, 3, scale=1e-2), _drawn(rng, 4, 3, shift=-15.0)))
    cases.append((_drawn(rng, 4, 3), _drawn(rng, 4, 3, shift=6.0)))
    cases.append((_drawn(rng, 7, 3).float(), _drawn(rng, 7, 3).float()))
    return cases


def _terms(mu, log_var):
    return mu**2 + log_var.exp() - log_var - 1


@exercise_07_2.mistake("Twice what it should be: the factor 1/2 is missing.")
def half_missing(mu, log_var):
    return _terms(mu, log_var).sum(1)


@exercise_07_2.mistake("As if the latent dimensions were averaged. Their divergences add up: sum over them.")
def dimensions_averaged(mu, log_var):
    return 0.5 * _terms(mu, log_var).mean(1)


@exercise_07_2.mistake(
    "One number for the whole batch. Sum over the latent dimensions only: one value for each of the N images."
)
def whole_batch_summed(mu, log_var):
    return 0.5 * _terms(mu, log_var).sum()


@exercise_07_2.mistake(
    "One number for the whole batch. Sum over the latent dimensions only: one value for each of the N images."
)
def whole_batch_averaged(mu, log_var):
    return 0.5 * _terms(mu, log_var).sum(1).mean()


@exercise_07_2.mistake(
    "One number for the whole batch. Sum over the latent dimensions only: one value for each of the N images."
)
def everything_averaged(mu, log_var):
    return 0.5 * _terms(mu, log_var).mean()


@exercise_07_2.mistake(
    "As if images were summed for each dimension. Sum along the last axis: one value for each image."
)
def images_summed(mu, log_var):
    return 0.5 * _terms(mu, log_var).sum(0)


@exercise_07_2.mistake("One value for each latent dimension comes back: add them up for each image.")
def dimensions_not_summed(mu, log_var):
    return 0.5 * _terms(mu, log_var)


@exercise_07_2.mistake("Your values are negative. A divergence is never below 0: the sign is turned round.")
def sign_reversed(mu, log_var):
    return -0.5 * _terms(mu, log_var).sum(1)


@exercise_07_2.mistake("Not 0 for a q that equals the prior: the -1 of each dimension is missing.")
def one_missing(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - log_var).sum(1)


@exercise_07_2.mistake(
    "Not 0 for a q that equals the prior: the -1 belongs to every dimension, before the sum."
)
def one_after_the_sum(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - log_var).sum(1) - 1)


@exercise_07_2.mistake(
    "As if log_var were the logarithm of the standard deviation: the variance is exp(log_var), its logarithm log_var."
)
def logarithm_of_the_spread(mu, log_var):
    return 0.5 * (mu**2 + (2 * log_var).exp() - 2 * log_var - 1).sum(1)


@exercise_07_2.mistake(
    "As if log_var were the logarithm of the standard deviation: the variance is exp(log_var), its logarithm log_var."
)
def variance_squared(mu, log_var):
    return 0.5 * (mu**2 + (2 * log_var).exp() - log_var - 1).sum(1)


@exercise_07_2.mistake(
    "The standard deviation stands where the variance belongs: the second term is exp(log_var), not its root."
)
def spread_for_variance(mu, log_var):
    return 0.5 * (mu**2 + (log_var / 2).exp() - log_var - 1).sum(1)


@exercise_07_2.mistake(
    "The standard deviation stands where the variance belongs: the third term is log_var, not half of it."
)
def half_the_logarithm(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - log_var / 2 - 1).sum(1)


@exercise_07_2.mistake(
    "As if log_var were the variance itself: NaN or nonsense where it is negative. The variance is exp(log_var)."
)
def variance_taken_as_given(mu, log_var):
    return 0.5 * (mu**2 + log_var - log_var.log() - 1).sum(1)


@exercise_07_2.mistake(
    "As if log_var were the variance itself: NaN or nonsense where it is negative. The variance is exp(log_var)."
)
def squared_logarithm_for_variance(mu, log_var):
    return 0.5 * (mu**2 + log_var**2 - (log_var**2).log() - 1).sum(1)


@exercise_07_2.mistake("The means are not squared: a code left of 0 costs as much as one right of it.")
def mean_not_squared(mu, log_var):
    return 0.5 * (mu + log_var.exp() - log_var - 1).sum(1)


@exercise_07_2.mistake("The means are not squared: a code left of 0 costs as much as one right of it.")
def magnitude_of_the_mean(mu, log_var):
    return 0.5 * (mu.abs() + log_var.exp() - log_var - 1).sum(1)


@exercise_07_2.mistake("The means are missing: a code far from 0 costs nothing.")
def means_missing(mu, log_var):
    return 0.5 * (log_var.exp() - log_var - 1).sum(1)


@exercise_07_2.mistake(
    "As if log sigma^2 were added. It is subtracted: a very narrow q, far from the prior's width, costs much."
)
def logarithm_added(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() + log_var - 1).sum(1)


@exercise_07_2.mistake(
    "The logarithm of the variance is missing: a very narrow q costs no more than the prior's width."
)
def logarithm_missing(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1).sum(1)


@exercise_07_2.mistake("The variance itself is missing: a very wide q costs you nothing, or even pays.")
def variance_missing(mu, log_var):
    return 0.5 * (mu**2 - log_var - 1).sum(1)


@exercise_07_2.mistake(
    "That is the divergence the other way round, KL(N(0, 1) || q). It isn't symmetric: q stands first."
)
def the_other_way_round(mu, log_var):
    return 0.5 * ((1 + mu**2) / log_var.exp() + log_var - 1).sum(1)


@exercise_07_2.mistake("That is in bits: use the natural logarithm as log_var does, and stay in nats.")
def in_bits(mu, log_var):
    return 0.5 * _terms(mu, log_var).sum(1) / math.log(2)


# --- 07.3 reconstruction_log_likelihood --------------------------------------------------------------------

exercise_07_3 = Exercise("07.3", "reconstruction_log_likelihood", points=3, atol=1e-6)


@exercise_07_3.oracle
def reconstruction_log_likelihood(x, logits):
    """log p(x|z) of a Bernoulli decoder, summed over pixels, in nats: x (N, D) in [0, 1], logits (N, D) -> (N,)."""
    x, logits = torch.as_tensor(x), torch.as_tensor(logits)
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


@exercise_07_3.cases
def pixels(rng):
    def grey(*shape):
        return torch.from_numpy(rng.uniform(size=shape))

    def double(values):
        return torch.tensor(values, dtype=torch.float64)

    cases = [
        (double([[1.0]]), double([[0.0]])),
        (double([[1.0, 0.0]]), double([[math.log(4), math.log(4)]])),  # the decoder says 0.8 for both
        (double([[0.25, 0.75], [0.5, 1.0]]), double([[-1.0, 2.0], [0.0, 3.0]])),
        (double([[0.0, 1.0, 0.5], [0.0, 1.0, 0.5]]), double([[200.0, -300.0, 40.0], [-200.0, 300.0, -60.0]])),
    ]
    for shape in ((6, 3), (2, 5), (4, 4), (5, 1), (1, 6)):
        cases.append((grey(*shape), _drawn(rng, *shape, scale=2.0)))
    cases.append((0.01 * grey(3, 4), _drawn(rng, 3, 4, scale=0.01)))
    cases.append(((grey(4, 6) > 0.5).double(), _drawn(rng, 4, 6, scale=60.0)))
    cases.append((grey(4, 6).float(), _drawn(rng, 4, 6, scale=3.0).float()))
    cases.append((grey(3, 40).float(), _drawn(rng, 3, 40, scale=30.0).float()))
    return cases


def _log_p(x, logits):
    return x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)


@exercise_07_3.mistake(
    "As if pixels were averaged. The log likelihood of an image is the sum over its pixels; "
    "an average makes it too weak against the KL term."
)
def pixels_averaged(x, logits):
    return _log_p(x, logits).mean(1)


@exercise_07_3.mistake(
    "One number for the whole batch. Sum over the pixels only: one value for each of the N images."
)
def all_images_summed(x, logits):
    return _log_p(x, logits).sum()


@exercise_07_3.mistake(
    "One number for the whole batch. Sum over the pixels only: one value for each of the N images."
)
def all_images_averaged(x, logits):
    return _log_p(x, logits).sum(1).mean()


@exercise_07_3.mistake(
    "One number for the whole batch. Sum over the pixels only: one value for each of the N images."
)
def all_pixels_averaged(x, logits):
    return _log_p(x, logits).mean()


@exercise_07_3.mistake(
    "As if images were summed for each pixel. Sum along the last axis: one value for each image."
)
def images_summed_for_each_pixel(x, logits):
    return _log_p(x, logits).sum(0)


@exercise_07_3.mistake("One value for each pixel comes back: add them up for each image.")
def pixels_not_summed(x, logits):
    return _log_p(x, logits)


@exercise_07_3.mistake(
    "That is the cross-entropy, a loss: positive, and smaller is better. The log likelihood is its negative."
)
def loss_for_likelihood(x, logits):
    return -_log_p(x, logits).sum(1)


@exercise_07_3.mistake(
    "Dark pixels count for nothing: the second term, (1 - x) log(1 - m), is missing. A decoder that paints everything "
    "white would be best."
)
def dark_pixels_left_out(x, logits):
    return (x * F.logsigmoid(logits)).sum(1)


@exercise_07_3.mistake("Bright pixels count for nothing: the first term, x log m, is missing.")
def bright_pixels_left_out(x, logits):
    return ((1 - x) * F.logsigmoid(-logits)).sum(1)


@exercise_07_3.mistake(
    "As if black and white were exchanged: a decoder that is sure and right gets your lowest value."
)
def exchanged_black_and_white(x, logits):
    return _log_p(1 - x, logits).sum(1)


@exercise_07_3.mistake(
    "As if the logits were probabilities already: they can be negative or above 1. The sigmoid comes first."
)
def logits_taken_for_probabilities(x, logits):
    return (x * torch.log(logits) + (1 - x) * torch.log(1 - logits)).sum(1)


@exercise_07_3.mistake(
    "As if the logits were probabilities already: they can be negative or above 1. The sigmoid comes first."
)
def logits_given_to_cross_entropy(x, logits):
    return -F.binary_cross_entropy(logits, x, reduction="none").sum(1)


@exercise_07_3.mistake(
    "As if the sigmoid were taken twice: once is enough. `binary_cross_entropy_with_logits` has it inside."
)
def sigmoid_twice(x, logits):
    return _log_p(x, torch.sigmoid(logits)).sum(1)


_SURE = (
    "Right for small logits. For large ones the probability is rounded to 0 or 1 and its logarithm is lost: "
    "`F.logsigmoid(logits)` is log m without computing m, and `F.logsigmoid(-logits)` is log(1 - m)."
)


@exercise_07_3.mistake(_SURE)
def logarithm_of_a_rounded_probability(x, logits):
    m = torch.sigmoid(logits)
    return (x * torch.log(m) + (1 - x) * torch.log(1 - m)).sum(1)


def _right_but_for_sure_pixels(case, output, expected):
    """Right where no logit is large, and off somewhere where one is."""
    x, logits = (part.double() for part in case)
    right = _log_p(x, logits).sum(1).numpy()
    if output.shape != right.shape or output.dtype.kind != "f":
        return False
    rows = (logits.abs() < 8).all(1).numpy()
    return bool(np.allclose(output[rows], right[rows], rtol=2e-3, atol=2e-3))


@exercise_07_3.mistake(_SURE, recognise=_right_but_for_sure_pixels)
def probability_clamped(x, logits):
    m = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return (x * torch.log(m) + (1 - x) * torch.log(1 - m)).sum(1)


@exercise_07_3.mistake(
    "As if every pixel were rounded to black or white first. Grey pixels count with both terms."
)
def targets_rounded(x, logits):
    return _log_p((x > 0.5).to(x.dtype), logits).sum(1)


@exercise_07_3.mistake(
    "That is the squared error, the log likelihood of a *normal* decoder up to constants. This one is Bernoulli."
)
def squared_error(x, logits):
    return -((x - torch.sigmoid(logits)) ** 2).sum(1)


@exercise_07_3.mistake(
    "That is the squared error, the log likelihood of a *normal* decoder up to constants. This one is Bernoulli."
)
def halved_squared_error(x, logits):
    return -((x - torch.sigmoid(logits)) ** 2).sum(1) / 2


@exercise_07_3.mistake(
    "That is the likelihood itself, which rounds to 0 for a whole image. Return its logarithm."
)
def likelihood_itself(x, logits):
    return _log_p(x, logits).sum(1).exp()


@exercise_07_3.mistake(
    "As if images and logits had changed places: x is what the camera saw, the logits are the decoder's."
)
def arguments_exchanged(x, logits):
    return _log_p(logits, x).sum(1)


@exercise_07_3.mistake("That is in bits: use the natural logarithm and stay in nats.")
def likelihood_in_bits(x, logits):
    return _log_p(x, logits).sum(1) / math.log(2)


# --- 07.4 elbo ---------------------------------------------------------------------------------------------


class SmallVAE:
    """A linear VAE with `encode` and `logits`, small enough to follow by hand: images (N, 1, H, W), D = H W pixels."""

    def __init__(self, weights, log_var, decoder):
        self.weights, self.log_var, self.decoder = weights, log_var, decoder

    def encode(self, x):
        """Images -> mu and log_var of q(z | x), (N, z_dim) each."""
        mu = x.flatten(1) @ self.weights
        return mu, self.log_var.expand(len(x), -1)

    def logits(self, z):
        """Codes (N, z_dim) -> logits of the pixels (N, D)."""
        return z @ self.decoder


exercise_07_4 = Exercise(
    "07.4",
    "elbo",
    points=4,
    returns=("the bound", "its slope in the encoder's mean", "in the encoder's log_var", "in the decoder"),
)


@exercise_07_4.oracle
def elbo(model, x, noise):
    """log p(x|z) - KL(q(z|x) || p(z)) with one z an image, in nats: images (N, 1, H, W), noise (N, z_dim) -> (N,)."""
    mu, log_var = model.encode(x)
    z = vae.reparameterize(mu, log_var, noise)
    fit = reconstruction_log_likelihood(x.flatten(1), model.logits(z))
    return fit - vae.kl_to_standard_normal(mu, log_var)


@exercise_07_4.call
def bound_and_slopes(answer, model, x, noise):
    """What the answer gives, and its sum's gradients with respect to all of the model."""
    parts = [model.weights, model.log_var, model.decoder]
    for part in parts:
        part.requires_grad_(True)
    return _with_slopes(answer(model, x, noise), *parts)


@exercise_07_4.cases
def models_and_images(rng):
    def small(pixels, z_dim, scale=1.0, log_var=-1.0):
        return SmallVAE(
            _drawn(rng, pixels, z_dim, scale=scale),
            _drawn(rng, z_dim, shift=log_var),
            _drawn(rng, z_dim, pixels, scale=scale),
        )

    def images(n, height, width):
        return torch.from_numpy(rng.uniform(size=(n, 1, height, width)))

    cases = [(small(1, 1), images(1, 1, 1), _drawn(rng, 1, 1))]
    for n, height, width, z_dim in ((2, 2, 2, 1), (3, 2, 3, 2), (6, 3, 3, 4), (2, 4, 5, 3), (4, 2, 2, 4)):
        cases.append((small(height * width, z_dim), images(n, height, width), _drawn(rng, n, z_dim)))
    cases.append((small(6, 2, scale=60.0, log_var=2.0), images(3, 2, 3), _drawn(rng, 3, 2)))
    cases.append(
        (small(6, 2, scale=1e-3, log_var=0.0), 0.01 * images(3, 2, 3), _drawn(rng, 3, 2, scale=100.0))
    )
    single = small(6, 2)
    for name in ("weights", "log_var", "decoder"):
        setattr(single, name, getattr(single, name).float())
    cases.append((single, images(5, 2, 3).float(), _drawn(rng, 5, 2).float()))
    return cases


def _parts(model, x, noise):
    mu, log_var = model.encode(x)
    logits = model.logits(vae.reparameterize(mu, log_var, noise))
    return _log_p(x.flatten(1), logits).sum(1), vae.kl_to_standard_normal(mu, log_var)


@exercise_07_4.mistake(
    "The divergence is added. It is a price: the bound is the reconstruction term minus the KL term."
)
def divergence_added(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return fit + kl


@exercise_07_4.mistake(
    "That is the loss, minus the bound. Return the bound itself: it is negative here, and larger is better."
)
def loss_for_bound(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return kl - fit


@exercise_07_4.mistake("The KL term is missing: nothing keeps the codes near the prior.")
def reconstruction_alone(model, x, noise):
    return _parts(model, x, noise)[0]


@exercise_07_4.mistake("The reconstruction term is missing: nothing asks that the image comes back.")
def divergence_alone(model, x, noise):
    return -_parts(model, x, noise)[1]


@exercise_07_4.mistake(
    "The mean is decoded, not a sample: the expectation over q(z|x) needs z = mu + sigma * noise."
)
def mean_decoded(model, x, noise):
    mu, log_var = model.encode(x)
    return _log_p(x.flatten(1), model.logits(mu)).sum(1) - vae.kl_to_standard_normal(mu, log_var)


@exercise_07_4.mistake(
    "The noise itself is decoded: as if z came from the prior. The expectation is over q(z|x), what the encoder says "
    "about this image."
)
def noise_decoded(model, x, noise):
    mu, log_var = model.encode(x)
    return _log_p(x.flatten(1), model.logits(noise)).sum(1) - vae.kl_to_standard_normal(mu, log_var)


@exercise_07_4.mistake(
    "As if log_var were the logarithm of the standard deviation: the sample's spread is exp(log_var / 2)."
)
def sampled_with_the_variance(model, x, noise):
    mu, log_var = model.encode(x)
    logits = model.logits(mu + log_var.exp() * noise)
    return _log_p(x.flatten(1), logits).sum(1) - vae.kl_to_standard_normal(mu, log_var)


@exercise_07_4.mistake(
    "As if the pixels were averaged and the latent dimensions summed: the KL term then counts as many times too much as "
    "there are pixels. Sum both."
)
def pixels_averaged_divergence_summed(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return fit / x[0].numel() - kl


@exercise_07_4.mistake("As if the KL term were averaged over the latent dimensions. Sum over them.")
def divergence_averaged(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return fit - kl / noise.shape[1]


@exercise_07_4.mistake("As if both terms were averaged over their axes. Both are sums.")
def both_averaged(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return fit / x[0].numel() - kl / noise.shape[1]


@exercise_07_4.mistake(
    "One number for the whole batch. Return one bound for each image; averaging comes later."
)
def bounds_averaged(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return (fit - kl).mean()


@exercise_07_4.mistake(
    "One number for the whole batch. Return one bound for each image; averaging comes later."
)
def bounds_summed(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return (fit - kl).sum()


_IN_COMMON = (
    "As if all images had one KL term in common. Sum over the latent dimensions only: each image has its own."
)


@exercise_07_4.mistake(_IN_COMMON)
def one_divergence_for_all(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return fit - kl.mean()


@exercise_07_4.mistake(_IN_COMMON)
def divergence_summed_over_the_batch(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return fit - kl.sum()


@exercise_07_4.mistake(
    "You return the two terms. Return one number for each image: the first minus the second."
)
def two_terms(model, x, noise):
    return _parts(model, x, noise)


@exercise_07_4.mistake(
    "As if the sigmoid were taken twice: reconstruction_log_likelihood wants the logits as they are."
)
def sigmoid_before_the_likelihood(model, x, noise):
    mu, log_var = model.encode(x)
    m = torch.sigmoid(model.logits(vae.reparameterize(mu, log_var, noise)))
    return _log_p(x.flatten(1), m).sum(1) - vae.kl_to_standard_normal(mu, log_var)


@exercise_07_4.mistake("The factor 1/2 of the KL term is missing.")
def divergence_doubled(model, x, noise):
    fit, kl = _parts(model, x, noise)
    return fit - 2 * kl


@exercise_07_4.mistake(
    "A right estimate of the bound, but with the KL term from the one sample, log q(z|x) - log p(z): noisier than need be. "
    "Use its closed form."
)
def divergence_from_the_sample(model, x, noise):
    mu, log_var = model.encode(x)
    z = vae.reparameterize(mu, log_var, noise)
    fit = _log_p(x.flatten(1), model.logits(z)).sum(1)
    return fit + vae.normal_log_density(z) - vae.normal_log_density(z, mu, log_var)


@exercise_07_4.mistake(
    "You draw noise of your own. Use the noise that is given, so that the result can be repeated."
)
def bound_with_own_noise(model, x, noise):
    return sum((1, -1)[i] * part for i, part in enumerate(_parts(model, x, torch.randn_like(noise))))


@exercise_07_4.mistake(
    "The values are right, but no gradient reaches the model, so it could not learn: no torch.no_grad, .detach() or numpy."
)
def bound_cut_from_its_model(model, x, noise):
    with torch.no_grad():
        fit, kl = _parts(model, x, noise)
    return fit - kl


# --- 07.5 importance_weighted_bound ------------------------------------------------------------------------

exercise_07_5 = Exercise("07.5", "importance_weighted_bound", points=4, atol=1e-6)


@exercise_07_5.oracle
def importance_weighted_bound(log_likelihood, log_prior, log_posterior):
    """log 1/K sum_k exp(log p(x|z_k) + log p(z_k) - log q(z_k|x)), in nats: three (K, N) -> (N,)."""
    parts = (torch.as_tensor(part) for part in (log_likelihood, log_prior, log_posterior))
    likelihood, prior, posterior = parts
    log_w = likelihood + prior - posterior
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


@exercise_07_5.cases
def densities(rng):
    def double(*values):
        return tuple(torch.tensor(part, dtype=torch.float64) for part in values)

    def drawn(k, n, level=-5.0, spread=1.0):
        likelihood = _drawn(rng, k, n, scale=spread, shift=level)
        return likelihood, _drawn(rng, k, n, shift=-4.0), _drawn(rng, k, n, scale=1.5, shift=3.0)

    cases = [
        double([[-3.0]], [[-2.0]], [[1.0]]),
        double([[-1.0], [-1.0], [-1.0]], [[-2.0], [-2.0], [-2.0]], [[-0.5], [-0.5], [-0.5]]),
        double([[-1.0, 2.0], [-4.0, 0.0]], [[-1.0, -1.0], [-2.0, -3.0]], [[0.5, 1.0], [-1.0, 2.0]]),
        double([[-0.01], [0.02]], [[0.01], [-0.03]], [[0.04], [-0.02]]),
    ]
    cases += [drawn(6, 3), drawn(2, 5), drawn(4, 4), drawn(1, 6), drawn(5, 1), drawn(3, 7)]
    cases += [drawn(8, 3, level=-250.0, spread=6.0), drawn(5, 3, level=-3000.0, spread=20.0)]
    cases += [drawn(5, 3, level=900.0, spread=5.0), tuple(part.float() for part in drawn(7, 4, level=-240.0))]
    return cases


def _log_weights(log_likelihood, log_prior, log_posterior):
    return log_likelihood + log_prior - log_posterior


@exercise_07_5.mistake(
    "That is the ELBO: the mean of the logarithms. The bound is the logarithm of the mean weight."
)
def mean_of_logarithms(log_likelihood, log_prior, log_posterior):
    return _log_weights(log_likelihood, log_prior, log_posterior).mean(0)


@exercise_07_5.mistake(
    "It grows by log K even if all weights are equal: a mean over K samples divides by K, so subtract log K."
)
def log_k_missing(log_likelihood, log_prior, log_posterior):
    return torch.logsumexp(_log_weights(log_likelihood, log_prior, log_posterior), 0)


@exercise_07_5.mistake("As if the sum were multiplied by K: log K is subtracted, not added.")
def log_k_added(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 0) + math.log(len(log_w))


@exercise_07_5.mistake(
    "As if the logarithm were divided by K. The mean is taken inside: subtract log K outside."
)
def divided_outside(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 0) / len(log_w)


@exercise_07_5.mistake("As if K itself were subtracted: in the logarithm a division by K is minus log K.")
def k_subtracted(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 0) - len(log_w)


@exercise_07_5.mistake(
    "As if the number of images were K: the samples lie along the first axis, and their number is K."
)
def log_n_subtracted(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 0) - math.log(log_w.shape[1])


@exercise_07_5.mistake("As if the base were 2 or 10 in log K: all logarithms here are natural.")
def log_k_in_bits(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 0) - math.log2(len(log_w))


@exercise_07_5.mistake("As if the base were 2 or 10 in log K: all logarithms here are natural.")
def log_k_to_base_ten(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 0) - math.log10(len(log_w))


_UPSIDE_DOWN = "As if the ratio were upside down: log w = log p(x|z) + log p(z) - log q(z|x), so q is in the denominator."


@exercise_07_5.mistake(_UPSIDE_DOWN)
def ratio_upside_down(log_likelihood, log_prior, log_posterior):
    log_w = log_likelihood - log_prior + log_posterior
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


@exercise_07_5.mistake(_UPSIDE_DOWN)
def weight_inverted(log_likelihood, log_prior, log_posterior):
    log_w = -_log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


@exercise_07_5.mistake(_UPSIDE_DOWN)
def harmonic_mean(log_likelihood, log_prior, log_posterior):
    log_w = -_log_weights(log_likelihood, log_prior, log_posterior)
    return math.log(len(log_w)) - torch.logsumexp(log_w, 0)


@exercise_07_5.mistake(_UPSIDE_DOWN)
def posterior_added(log_likelihood, log_prior, log_posterior):
    log_w = log_likelihood + log_prior + log_posterior
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


@exercise_07_5.mistake("Minus the bound: a loss. Return the bound itself, for which larger is better.")
def negative_bound(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return math.log(len(log_w)) - torch.logsumexp(log_w, 0)


@exercise_07_5.mistake(
    "The posterior is missing: the samples came from q, not from the prior, and the weight must make up for it."
)
def posterior_missing(log_likelihood, log_prior, log_posterior):
    log_w = log_likelihood + log_prior
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


@exercise_07_5.mistake("The prior is missing: the joint density is p(x|z) p(z).")
def prior_missing(log_likelihood, log_prior, log_posterior):
    log_w = log_likelihood - log_posterior
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


@exercise_07_5.mistake(
    "Only the likelihood is averaged: the weight also has p(z) and, in the denominator, q(z|x)."
)
def likelihood_alone(log_likelihood, log_prior, log_posterior):
    return torch.logsumexp(log_likelihood, 0) - math.log(len(log_likelihood))


@exercise_07_5.mistake(
    "Right for small numbers, but exp(-3000) rounds to 0 and exp(900) to infinity, and the logarithm is lost. "
    "Take the largest log weight out first, or use torch.logsumexp, which does."
)
def exponentials_out_of_range(log_likelihood, log_prior, log_posterior):
    return torch.log(torch.exp(_log_weights(log_likelihood, log_prior, log_posterior)).mean(0))


@exercise_07_5.mistake(
    "As if it were averaged over the images. Average over the K samples, the first axis: one bound for each image."
)
def averaged_over_images(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 1) - math.log(log_w.shape[1])


@exercise_07_5.mistake(
    "As if it were averaged over the images. Average over the K samples, the first axis: one bound for each image."
)
def summed_over_images(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w, 1) - math.log(len(log_w))


@exercise_07_5.mistake("One number for the whole batch: each image has a bound of its own.")
def everything_in_one(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return torch.logsumexp(log_w.flatten(), 0) - math.log(log_w.numel())


@exercise_07_5.mistake("One number for the whole batch: each image has a bound of its own.")
def bound_averaged_over_images(log_likelihood, log_prior, log_posterior):
    log_w = _log_weights(log_likelihood, log_prior, log_posterior)
    return (torch.logsumexp(log_w, 0) - math.log(len(log_w))).mean()


@exercise_07_5.mistake(
    "That is the largest weight alone. All K count: the mean weight is smaller than the largest."
)
def largest_weight(log_likelihood, log_prior, log_posterior):
    return _log_weights(log_likelihood, log_prior, log_posterior).max(0).values
