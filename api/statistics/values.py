"""What every analysis gives: a figure, its interval, its p value and how it was come by."""

import math
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure with its interval. NaN is: cannot be estimated from these data, and `note` says why."""

    measure: str  # "rate ratio", "difference of cramps a week", "proportion", ...
    value: float
    low: float  # of the interval; may be 0 or -inf
    high: float  # may be inf
    p: float | None  # two-sided, against `null`; None where nothing was tested
    method: str  # in words that a methods paragraph can take over
    null: float | None = None  # 1 of a ratio, 0 of a difference
    level: float = LEVEL
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a figure at all."""
        return not math.isnan(self.value)

    @property
    def excludes_null(self) -> bool:
        """Whether the interval leaves out what would be no effect."""
        return self.null is not None and self.known and not self.low <= self.null <= self.high


def unknown(measure: str, *, method: str, note: str, null: float | None = None) -> Estimate:
    """No figure, and why."""
    return Estimate(measure, math.nan, math.nan, math.nan, None, method, null=null, note=note)
