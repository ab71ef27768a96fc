"""Understanding and evaluating GANs: a small package that the course's notebooks stand on.

One image batch's road: `datasets` -> `features.embed` -> `metrics.Moments` -> `metrics.fid` -> `metrics.report`.
One latent's road: `latents` -> `models.stylegan` mapping -> `latents.truncate` -> synthesis -> `demos`.

Nothing heavy is imported here; import the room you need: `from gancourse.metrics import fid`.
"""

__version__ = "0.1.0"
