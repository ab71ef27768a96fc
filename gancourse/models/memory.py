"""Memory that one layer frees is there for the next."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)
_KEPT = 2**26


def keep_freed_memory() -> None:
    """Let glibc's malloc keep up to 64 MiB that networks free, for the next layer; it does nothing elsewhere.

    By default malloc returns the free top of its heap once that exceeds 128 KiB, and every page that a later layer
    touches there is fetched and cleared anew: on a CPU that doubles the time of a small network. Blocks above the other
    threshold, at most 32 MiB, are always returned.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:  # not in every C library
        mallopt(_MMAP_THRESHOLD, _KEPT // 2)
        mallopt(_TRIM_THRESHOLD, _KEPT)
