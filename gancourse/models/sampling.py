"""From latents drawn with one seed to uint8 images."""

import torch
from torch import Tensor, nn

from gancourse.datasets.images import quantise
from gancourse.seeds import stream


@torch.inference_mode()
def sample(generator: nn.Module, n: int, *, seed: int = 0, batch_size: int = 250, **how) -> Tensor:
    """`n` >= 1 images of a generator, quantised as saved images are: uint8 (n, C, H, W), `batch_size` at a time.

    z ~ N(0, I) and a StyleGAN's fresh noise come from `seed`; `how` (psi, cutoff, ...) goes to the generator.
    """
    if n < 1 or batch_size < 1:
        raise ValueError(f"expected n >= 1 and batch_size >= 1, got n={n} and batch_size={batch_size}")
    random = stream(seed)
    device = next(generator.parameters()).device
    if hasattr(generator, "synthesis"):
        how = {"noise": "fresh", "generator": random, **how}
    batches = []
    for start in range(0, n, batch_size):
        z = torch.randn(min(batch_size, n - start), generator.z_dim, generator=random).to(device)
        batches.append(quantise(generator(z, **how).cpu()))
    return torch.cat(batches)
