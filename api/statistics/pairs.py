"""Phases of several wearers, put in pairs: with treatment and without, of the same wearer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from api.errors import Invalid
from api.statistics.rows import DoubleArray, Numbers, column, counted, flags


@dataclass(frozen=True, slots=True)
class Pairs:
    """One row per wearer (or wearer and cycle) who had cramps, and hours on both sides."""

    wearer: tuple[str, ...]
    on: DoubleArray  # cramps with treatment
    off: DoubleArray
    on_exposure: DoubleArray
    off_exposure: DoubleArray
    lag: DoubleArray  # how many periods later than without the treatment came; 0 where periods are not told
    left_out: int  # wearers with hours on one side only
    without_cramps: int

    @property
    def wearers(self) -> int:
        return len(self.wearer)

    @property
    def by_period(self) -> bool:
        """Whether treatment came at different times, so that a period effect can be told from it."""
        return self.wearers > 0 and float(np.ptp(self.lag)) > 0

    @property
    def same_time(self) -> bool:
        return self.wearers > 0 and bool(self.lag.any()) and not self.by_period

    @property
    def nothing(self) -> str:
        """Why there are no pairs."""
        return "" if self.without_cramps else "No wearer has hours both with treatment and without."


def paired(
    *, wearers: Sequence[str], treated: Numbers, counts: Numbers, exposures: Numbers, periods: Numbers | None = None
) -> Pairs:
    """Sums of each wearer with treatment and without, in the order of their names."""
    number, exposure = counted(counts, exposures)
    length = len(number)
    if len(wearers) != length:
        raise Invalid("wearers", f"wearers must name a wearer for each of the {length} rows.")
    on = flags("treated", treated, length=length)
    period = column("periods", periods, length=length) if periods is not None else np.zeros(length)
    names, index = np.unique(np.asarray(wearers, dtype=np.str_), return_inverse=True)
    seen = exposure > 0

    def total(values: DoubleArray, side: float) -> DoubleArray:
        rows = seen & (on == side)
        return np.bincount(index[rows], weights=values[rows], minlength=len(names)).astype(np.float64)

    sums = [total(values, side) for values in (number, exposure, period, np.ones(length)) for side in (1.0, 0.0)]
    both = (sums[2] > 0) & (sums[3] > 0)
    kept = both & (sums[0] + sums[1] > 0)
    x = [values[kept] for values in sums]
    return Pairs(
        tuple(str(name) for name in names[kept]),
        on=x[0],
        off=x[1],
        on_exposure=x[2],
        off_exposure=x[3],
        lag=x[4] / x[6] - x[5] / x[7],
        left_out=int((~both).sum()),
        without_cramps=int((both & ~kept).sum()),
    )
