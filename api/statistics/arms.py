"""Groups beside each other, one row per wearer."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.statistics.rates import RATIO
from api.statistics.regression import fit_counts
from api.statistics.robust import NO_CRAMPS, few, joined, left_out, one_sided, over_wearers
from api.statistics.rows import DoubleArray, Numbers, column, counted
from api.statistics.values import Estimate, unknown

HALF: Final = 0.5  # added to a baseline count, so that none has a logarithm too
METHOD: Final = (
    "Poisson regression of each wearer's cramps on {what}, with the logarithm of usable hours as offset; bias-reduced "
    "covariance over wearers (Mancl and DeRouen), Student's t"
)
WHAT: Final = {1: "group", 2: "both treatments", 3: "both treatments and their interaction"}
TOO_FEW: Final = "Too few wearers on one side to see how they differ."


@dataclass(frozen=True, slots=True)
class Arms:
    """What was counted of each wearer with hours, who had what, and how it was before."""

    counts: DoubleArray
    exposures: DoubleArray
    factors: DoubleArray  # (n, f) of 0 and 1
    before: DoubleArray | None  # log rate at baseline
    left_out: int

    @property
    def design(self) -> DoubleArray:
        """Factors first, then level and baseline."""
        columns = [self.factors, np.ones((len(self.counts), 1))]
        if self.before is not None and len(self.before) and np.ptp(self.before) > 0:
            columns.append((self.before - self.before.mean())[:, None])
        return np.column_stack(columns)

    def ratio(self, tested: int, *, level: float) -> Estimate:
        """Rate of those with one factor over that of those without; of the interaction the ratio of such ratios."""
        what = WHAT[self.factors.shape[1]] + (
            " and the logarithm of the own rate at baseline" if self.before is not None else ""
        )
        method = METHOD.format(what=what)
        on, design = self.factors[:, tested] == 1, self.design
        sides = min(int(on.sum()), int((~on).sum()))
        if not self.counts.any():
            return unknown(RATIO, method=method, note=NO_CRAMPS, null=1.0)
        if sides < 2 or len(self.counts) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
            return unknown(RATIO, method=method, note=TOO_FEW, null=1.0)
        if tested < 2 and not (self.counts[on].any() and self.counts[~on].any()):
            hours = float(self.exposures[on].sum()), float(self.exposures[~on].sum())
            return one_sided(
                self.counts[on], self.counts[~on], on_exposure=hours[0], off_exposure=hours[1], level=level
            )
        note = joined(few(sides), left_out(self.left_out, "without usable hours in a phase are"))
        fit = fit_counts(self.counts, design, self.exposures)
        return over_wearers(fit, tested=tested, method=method, note=note, level=level)


def arms(counts: Numbers, exposures: Numbers, factors: DoubleArray, before: DoubleArray | None) -> Arms:
    """Wearers with hours in the phase that counts, and at baseline if that is heeded."""
    number, exposure = counted(counts, exposures)
    kept = (exposure > 0) & (np.isfinite(before) if before is not None else True)
    of = None if before is None else before[kept]
    return Arms(number[kept], exposure[kept], factors[kept], of, int((~kept).sum()))


def log_rate(counts: Numbers | None, exposures: Numbers | None, *, length: int) -> DoubleArray | None:
    """Logarithm of the rate at baseline, NaN without hours; None where no baseline is given."""
    if counts is None or exposures is None:
        return None
    number, exposure = counted(column("baseline_counts", counts, length=length), exposures)
    rate = np.full(length, math.nan)
    seen = exposure > 0
    rate[seen] = np.log((number[seen] + HALF) / exposure[seen])
    return rate
