"""What a reader must know in order not to misread an evaluation's numbers."""

import torch
from torch import Tensor

from gancourse.evaluate.embedding import Extractor, Side, label_of
from gancourse.metrics import Moments, Report


def notes_on(real: Side, fake: Side, extractor: Extractor | None, found: Report) -> list[str]:
    """Sentences to be printed below the table, each only where it applies."""
    notes, shown = [], found.estimates
    if getattr(extractor, "name", "") == "inception":
        notes.append(
            "inception is torchvision's network, not that of published FIDs: compare only values of this one."
        )
    if _identical(real.features, fake.features):
        notes.append(
            "real and fake hold the same samples: these numbers compare a set with itself and say nothing about a "
            "generator. (KID can be below 0 then, and its interval too: it takes both for independent draws.)"
        )
    given = [side.name for side in (real, fake) if not side.images]
    if given and extractor:
        notes.append(f"The features in {given[0]} are taken to come from {label_of(extractor)}.")
    shapes = [" x ".join(map(str, side.images.shape)) for side in (real, fake) if side.images]
    if len(set(shapes)) > 1:
        notes.append(
            f"real images are {shapes[0]}, fake {shapes[1]}: resizing blurs them differently, and that is measured too."
        )
    dim = real.features.dim if isinstance(real.features, Moments) else real.features.shape[1]
    fewer = min(found.real, found.fake)
    if "FID" in shown and fewer < 2 * dim:
        notes.append(
            f"{fewer} samples are few for {dim} dimensions: most of this FID may be bias. FID infinity, an estimate "
            f"without that bias, needs at least {2 * dim} samples of each."
        )
    if "FID" in shown and any(isinstance(side.features, Moments) for side in (real, fake)):
        notes.append(
            "From moments no error of FID is known. Images or features give one, together with a second metric: "
            "--metrics fid,kid."
        )
    elif "FID" in shown and shown["FID"].interval is None:
        other = next((name for name in ("FID infinity", "KID") if name in shown), "")
        where = f"{other} has one." if other else "--metrics fid,kid adds KID, which has one."
        notes.append(f"FID has no interval: it lies too high, by more the fewer the samples. {where}")
    floor = shown["FID floor"].n if "FID floor" in shown else None
    if floor and floor < fewer:
        notes.append(
            f"FID floor compares real samples with real ones, {floor} with as many others. With all "
            f"{fewer} it would be lower, so a good generator's FID can lie below it."
        )
    return notes


def _identical(real: Tensor | Moments | None, fake: Tensor | Moments | None) -> bool:
    """Whether two sets of features are the same, in any order, up to the rounding of another batch."""
    if isinstance(real, Moments) and isinstance(fake, Moments):
        pairs = [(real.mean, fake.mean), (real.cov, fake.cov)]
        return real.count == fake.count and all(torch.allclose(a, b, rtol=1e-9) for a, b in pairs)
    if not isinstance(real, Tensor) or not isinstance(fake, Tensor) or real.shape != fake.shape:
        return False
    return torch.allclose(real.sort(dim=0).values, fake.sort(dim=0).values, rtol=1e-4, atol=1e-5)
