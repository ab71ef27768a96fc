"""Memory that one layer frees is there for the next."""

import torch


def keep_freed_memory() -> None:
    """Let Linux's malloc keep what networks free; it does nothing elsewhere, and costs microseconds.

    malloc returns the free top of its heap to the system once that is larger than a threshold, and every page that a
    later layer touches there is then fetched and cleared anew: on a CPU that doubles the time of a small network. The
    threshold is twice the largest block that was mapped on its own and freed, at most 2 x 32 MiB (mallopt(3),
    M_MMAP_THRESHOLD). This maps such a block and frees it untouched.
    """
    torch.empty(2**25 - 2**16, dtype=torch.uint8)
