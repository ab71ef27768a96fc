"""A variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114) and the terms of its bound.

x (N, 1, 28, 28) in [0, 1] -> encoder -> q(z | x) = N(mu, diag sigma^2) -> z (N, z_dim) -> decoder -> p(x | z).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def reparameterize(mu: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """A sample of q that passes gradients, z = mu + sigma * noise, sigma = exp(log_var / 2). All (..., z_dim)."""
    return mu + torch.exp(log_var / 2) * noise


def kl_to_standard_normal(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, 1)) = 1/2 sum(mu^2 + sigma^2 - log sigma^2 - 1), in nats: (N, z_dim) -> (N,)."""
    return 0.5 * (mu.square() + log_var.exp() - log_var - 1).sum(-1)


def normal_log_density(z: Tensor, mu: Tensor | float = 0.0, log_var: Tensor | float = 0.0) -> Tensor:
    """Log density of z (..., D) under normals, in nats: log N(z; mu, diag exp(log_var)), summed over the last axis."""
    mu, log_var = torch.as_tensor(mu, dtype=z.dtype), torch.as_tensor(log_var, dtype=z.dtype)
    return -0.5 * (math.log(2 * math.pi) + log_var + (z - mu).square() * torch.exp(-log_var)).sum(-1)


class VAE(nn.Module):
    """An MLP encoder and decoder, 784 - `hidden` - `z_dim`, with a Bernoulli or a Gaussian decoder.

    likelihood "bernoulli": log p(x|z) = sum x log m + (1 - x) log(1 - m), also for grey (soft) targets, where its largest
                            value is minus the targets' entropy, not 0
    likelihood "gaussian":  log p(x|z) = -sum (x - m)^2 + const, a normal of variance 1/2 about the mean image m
    `beta` weighs the KL term in training (Higgins et al. 2017); 1 is the bound itself.
    """

    def __init__(self, z_dim: int = 20, hidden: int = 400, likelihood: str = "bernoulli", beta: float = 1.0):
        super().__init__()
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f'likelihood: expected "bernoulli" or "gaussian", got {likelihood!r}')
        self.config = {"z_dim": z_dim, "hidden": hidden, "likelihood": likelihood, "beta": beta}
        self.z_dim, self.likelihood, self.beta = z_dim, likelihood, beta
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 2 * z_dim)
        )
        self.decoder = nn.Sequential(nn.Linear(z_dim, hidden), nn.ReLU(), nn.Linear(hidden, 784))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images in [0, 1] -> mu and log variance of q(z | x), (N, z_dim) each."""
        if x.dtype == torch.uint8 or x.shape[1:] != (1, 28, 28):
            raise ValueError(
                f"x: expected floats in [0, 1] of shape (N, 1, 28, 28), got {x.dtype} {tuple(x.shape)}"
            )
        mu, log_var = self.encoder(x).chunk(2, dim=1)
        return mu, log_var

    def logits(self, z: Tensor) -> Tensor:
        """The decoder's output before the sigmoid: (N, z_dim) -> (N, 784)."""
        return self.decoder(z)

    def decode(self, z: Tensor) -> Tensor:
        """The mean image, in [0, 1]: (N, z_dim) -> (N, 1, 28, 28)."""
        return torch.sigmoid(self.logits(z)).view(-1, 1, 28, 28)

    def forward(self, z: Tensor) -> Tensor:
        """The mean image scaled to [-1, 1], as a GAN's generator gives it: (N, z_dim) -> (N, 1, 28, 28)."""
        return 2 * self.decode(z) - 1

    def reconstruction(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z), summed over pixels, in nats: x (N, 1, 28, 28) in [0, 1], z (N, z_dim) -> (N,)."""
        logits, target = self.logits(z), x.flatten(1)
        if self.likelihood == "bernoulli":
            return -F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)
        return -(target - torch.sigmoid(logits)).square().sum(1) - 392 * math.log(math.pi)

    def elbo(self, x: Tensor, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """One-sample estimate of the bound's two terms: (log p(x|z), KL(q(z|x) || p(z))), (N,) each; ELBO = first - second."""
        mu, log_var = self.encode(x)
        noise = torch.randn(mu.shape, generator=generator).to(mu.device)
        return self.reconstruction(x, reparameterize(mu, log_var, noise)), kl_to_standard_normal(mu, log_var)

    def importance_weighted_bound(
        self, x: Tensor, k: int, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """log 1/k sum_i p(x, z_i) / q(z_i | x), k >= 1: (N,), >= the ELBO on average (Burda et al. 2016, eq. 8)."""
        mu, log_var = self.encode(x)
        weights = []
        for _ in range(k):
            z = reparameterize(mu, log_var, torch.randn(mu.shape, generator=generator).to(mu.device))
            weights.append(
                self.reconstruction(x, z) + normal_log_density(z) - normal_log_density(z, mu, log_var)
            )
        return torch.logsumexp(torch.stack(weights), 0) - math.log(k)
