"""A number that carries its uncertainty."""

import math
from dataclasses import dataclass

Z95 = 1.959963984540054  # the standard normal holds 95% of its mass within +-Z95


@dataclass(frozen=True)
class Estimate:
    """A measured value with what is known of its sampling error.

    value     the estimate
    stderr    its standard error over repeated sampling; None where no sound one is known
    interval  (low, high), a 95% interval; None where no sound one is known. An estimate may have a standard
              error and no interval: the raw FID's noise is known, but its bias is larger than its noise.
    n         size of the smaller sample
    method    how it was computed, in a few words

    `float(estimate)` is the value and `f"{estimate:.3f}"` formats it. `str(estimate)` rounds value and uncertainty to
    two digits of the uncertainty (the value to four significant digits where none is known).
    """

    value: float
    stderr: float | None = None
    interval: tuple[float, float] | None = None
    n: int | None = None
    method: str = ""

    @classmethod
    def normal(cls, value: float, stderr: float, n: int, method: str) -> "Estimate":
        """An Estimate whose 95% interval assumes a normal error: value +- 1.96 stderr; other fields as given."""
        value, stderr = float(value), float(stderr)
        return cls(value, stderr, (value - Z95 * stderr, value + Z95 * stderr), n, method)

    def __float__(self) -> float:
        return float(self.value)

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)

    def __str__(self) -> str:
        scale = self.stderr
        if scale is None and self.interval is not None:
            scale = (self.interval[1] - self.interval[0]) / (2 * Z95)
        text = _rounded(self.value, scale)
        if self.stderr is not None:
            text += f" ± {_rounded(self.stderr, scale)}"
        if self.interval is not None:
            low, high = (_rounded(end, scale) for end in self.interval)
            text += f" (95%: {low} to {high})"
        return text


def _rounded(number: float, scale: float | None) -> str:
    """`number` to the second significant digit of `scale`."""
    if not math.isfinite(number):
        return str(float(number))
    if scale is None or not math.isfinite(scale):
        return f"{number:.4g}"
    if scale <= 0:
        return f"{number:.6g}"
    decimals = 1 - math.floor(math.log10(scale))
    if -6 < decimals < 8:
        rounded = round(number, decimals) + 0.0  # + 0.0 turns -0.0 into 0.0
        return f"{rounded:.{max(decimals, 0)}f}"
    magnitude = math.floor(math.log10(abs(number))) if number else -decimals
    return f"{number:.{min(max(magnitude + decimals, 0), 15)}e}"
