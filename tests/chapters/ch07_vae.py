"""Chapter 07: right answers in several styles."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def reparameterize_plain(mu, log_var, noise):
    return mu + torch.exp(log_var / 2) * noise


def reparameterize_root_of_the_variance(mu, log_var, noise):
    return noise * log_var.exp().sqrt() + mu


def reparameterize_power(mu, log_var, noise):
    return mu + math.e ** (0.5 * log_var) * noise


def reparameterize_addcmul(mu, log_var, noise):
    return torch.addcmul(mu, torch.exp(0.5 * log_var), noise)


def reparameterize_in_place_on_its_own(mu, log_var, noise):
    z = noise.clone()
    z *= torch.exp(log_var * 0.5)
    z += mu
    return z


def reparameterize_float32(mu, log_var, noise):
    return mu.float() + torch.exp(log_var.float() / 2) * noise.float()


def kl_plain(mu, log_var):
    return 0.5 * (mu**2 + torch.exp(log_var) - log_var - 1).sum(dim=1)


def kl_with_minus(mu, log_var):
    return -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=-1)


def kl_numpy(mu, log_var):
    mu, log_var = np.asarray(mu), np.asarray(log_var)
    return (mu**2 + np.exp(log_var) - log_var - 1).sum(axis=1) / 2


def kl_loops(mu, log_var):
    totals = []
    for m, lv in zip(mu.tolist(), log_var.tolist(), strict=True):
        totals.append(sum((a * a + math.exp(b) - b - 1) / 2 for a, b in zip(m, lv, strict=True)))
    return totals


def kl_from_the_spread(mu, log_var):
    sigma = torch.exp(log_var / 2)
    return (-torch.log(sigma) + (sigma**2 + mu**2) / 2 - 0.5).sum(1)


def kl_float32(mu, log_var):
    mu, log_var = mu.float(), log_var.float()
    return 0.5 * (mu.square().sum(1) + log_var.exp().sum(1) - log_var.sum(1) - mu.shape[1])


def likelihood_logsigmoid(x, logits):
    return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(1)


def likelihood_cross_entropy(x, logits):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)


def likelihood_softplus(x, logits):
    return (x * logits - F.softplus(logits)).sum(1)


def likelihood_numpy(x, logits):
    x, logits = np.asarray(x, float), np.asarray(logits, float)
    return (x * logits - np.logaddexp(0, logits)).sum(axis=1)


def likelihood_image_by_image(x, logits):
    loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
    return torch.stack([-loss(row, image) for image, row in zip(x, logits, strict=True)])


def likelihood_float32(x, logits):
    x, logits = x.float(), logits.float()
    return torch.where(logits > 0, (x - 1) * logits, x * logits).sum(1) - torch.log1p(
        torch.exp(-logits.abs())
    ).sum(1)


def likelihood_distribution(x, logits):
    return torch.distributions.Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(1)


def elbo_by_earlier_functions(model, x, noise):
    mu, log_var = model.encode(x)
    z = reparameterize(mu, log_var, noise)  # noqa: F821
    fit = reconstruction_log_likelihood(x.flatten(1), model.logits(z))  # noqa: F821
    return fit - kl_to_standard_normal(mu, log_var)  # noqa: F821


def elbo_in_full(model, x, noise):
    mu, log_var = model.encode(x)
    logits = model.logits(mu + torch.exp(log_var / 2) * noise)
    loss = F.binary_cross_entropy_with_logits(logits, x.view(len(x), -1), reduction="none").sum(1)
    return -(loss + 0.5 * (mu**2 + log_var.exp() - log_var - 1).sum(1))


def elbo_image_by_image(model, x, noise):
    bounds = []
    for image, e in zip(x, noise, strict=True):
        mu, log_var = model.encode(image[None])
        logits = model.logits(mu + (log_var / 2).exp() * e)[0]
        fit = (image.flatten() * logits - F.softplus(logits)).sum()
        bounds.append(fit - 0.5 * (mu**2 + log_var.exp() - log_var - 1).sum())
    return torch.stack(bounds)


def elbo_float32(model, x, noise):
    mu, log_var = model.encode(x)
    logits = model.logits(mu + torch.exp(log_var / 2) * noise).float()
    x, mu, log_var = x.flatten(1).float(), mu.float(), log_var.float()
    fit = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(1)
    return fit - 0.5 * (mu**2 + log_var.exp() - log_var - 1).sum(1)


def bound_logsumexp(log_likelihood, log_prior, log_posterior):
    log_w = log_likelihood + log_prior - log_posterior
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))


def bound_largest_taken_out(log_likelihood, log_prior, log_posterior):
    log_w = log_likelihood + log_prior - log_posterior
    largest = log_w.max(dim=0).values
    return largest + torch.log(torch.exp(log_w - largest).mean(dim=0))


def bound_scipy(log_likelihood, log_prior, log_posterior):
    from scipy.special import logsumexp

    log_w = np.asarray(log_likelihood) + np.asarray(log_prior) - np.asarray(log_posterior)
    return logsumexp(log_w, axis=0, b=1 / len(log_w))


def bound_loops(log_likelihood, log_prior, log_posterior):
    log_w = (log_likelihood + log_prior - log_posterior).double().T.tolist()
    return [max(ws) + math.log(sum(math.exp(w - max(ws)) for w in ws) / len(ws)) for ws in log_w]


def bound_two_at_a_time(log_likelihood, log_prior, log_posterior):
    log_w = (log_likelihood + log_prior - log_posterior).numpy()
    return np.logaddexp.reduce(log_w, axis=0) - np.log(len(log_w))


def bound_float32(log_likelihood, log_prior, log_posterior):
    log_w = log_likelihood.float() + log_prior.float() - log_posterior.float()
    return (log_w - math.log(log_w.shape[0])).logsumexp(0)


RIGHT = {
    "07.1": [
        reparameterize_float32,
        reparameterize_root_of_the_variance,
        reparameterize_power,
        reparameterize_addcmul,
        reparameterize_in_place_on_its_own,
        reparameterize_plain,
    ],
    "07.2": [kl_float32, kl_with_minus, kl_numpy, kl_loops, kl_from_the_spread, kl_plain],
    "07.3": [
        likelihood_float32,
        likelihood_cross_entropy,
        likelihood_softplus,
        likelihood_numpy,
        likelihood_image_by_image,
        likelihood_distribution,
        likelihood_logsigmoid,
    ],
    "07.4": [elbo_by_earlier_functions, elbo_in_full, elbo_image_by_image, elbo_float32],
    "07.5": [
        bound_logsumexp,
        bound_largest_taken_out,
        bound_scipy,
        bound_loops,
        bound_two_at_a_time,
        bound_float32,
    ],
}
