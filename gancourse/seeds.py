"""A random stream of one's own for each seed."""

import operator

import torch


def stream(seed: int) -> torch.Generator:
    """A generator on the CPU that starts from `seed` alone; torch's global stream is neither read nor moved.

    Takes any whole number that torch does, numpy's integers too. TypeError or ValueError for anything else.
    """
    if isinstance(seed, bool):
        raise TypeError("seed: expected a whole number, got a bool")
    try:
        return torch.Generator().manual_seed(operator.index(seed))
    except TypeError:
        raise TypeError(f"seed: expected a whole number, got {seed!r}") from None
    except (RuntimeError, ValueError, OverflowError):
        raise ValueError(f"seed: expected a whole number of 64 bits, got {seed!r}") from None
