"""The bound's terms against closed forms, Monte Carlo and each other."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from gancourse.models.vae import VAE, kl_to_standard_normal, normal_log_density, reparameterize
from gancourse.training.run import seeded


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_kl_is_torchs_and_zero_only_at_the_prior():
    mu, log_var = torch.randn(5, 7, generator=stream()), torch.randn(5, 7, generator=stream(1))
    expected = kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(torch.zeros(7), torch.ones(7))).sum(1)
    torch.testing.assert_close(kl_to_standard_normal(mu, log_var), expected)
    assert float(kl_to_standard_normal(torch.zeros(1, 7), torch.zeros(1, 7))) == 0


def test_reparameterized_samples_have_the_mean_and_spread_asked_for():
    noise = torch.randn(200_000, 1, generator=stream())
    z = reparameterize(torch.tensor([2.0]), torch.tensor([math.log(9.0)]), noise)
    assert float(z.mean()) == pytest.approx(2, abs=0.03)
    assert float(z.std()) == pytest.approx(3, rel=0.01)


def test_normal_log_density_is_torchs():
    z, mu, log_var = (torch.randn(4, 3, generator=stream(s)) for s in range(3))
    expected = Normal(mu, (log_var / 2).exp()).log_prob(z).sum(1)
    torch.testing.assert_close(normal_log_density(z, mu, log_var), expected)


def test_bernoulli_reconstruction_is_a_log_probability_of_binary_images():
    vae = seeded(0, VAE)
    x = torch.rand(3, 1, 28, 28, generator=stream()).round()
    z = torch.randn(3, 20, generator=stream(1))
    expected = Bernoulli(logits=vae.logits(z)).log_prob(x.flatten(1)).sum(1)
    torch.testing.assert_close(vae.reconstruction(x, z), expected)


def test_gaussian_reconstruction_is_a_normal_of_variance_one_half():
    vae = seeded(0, VAE, likelihood="gaussian")
    x, z = torch.rand(3, 1, 28, 28, generator=stream()), torch.randn(3, 20, generator=stream(1))
    expected = Normal(vae.decode(z), math.sqrt(0.5)).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(vae.reconstruction(x, z), expected, rtol=1e-5, atol=1e-3)


def test_importance_weighted_bound_tightens_with_k_and_starts_at_the_elbo():
    vae = seeded(0, VAE)
    x = torch.rand(40, 1, 28, 28, generator=stream())
    fit, kl = (
        torch.stack(t).mean()
        for t in zip(*(vae.elbo(x, generator=stream(s)) for s in range(20)), strict=True)
    )
    one, ten, fifty = (
        torch.stack([vae.importance_weighted_bound(x, k, generator=stream(s)) for s in range(20)]).mean()
        for k in (1, 10, 50)
    )
    assert float((one - (fit - kl)).abs()) < 0.3
    assert one < ten < fifty


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="likelihood"):
        VAE(likelihood="poisson")
    with pytest.raises(ValueError, match="x: expected floats"):
        VAE().encode(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))
