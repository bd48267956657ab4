"""Intervals of rates whose counts vary more than Poisson. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from api.observed import RATE_H
from api.statistics.values import LEVEL, Estimate, unknown

DoubleArray = NDArray[np.float64]
METHOD: Final = "rate with Garwood's interval on count and exposure divided by the dispersion"
RATE: Final = "episodes per 8 usable hours"


def pearson(counts: DoubleArray, means: DoubleArray, *, df: float) -> float:
    """Dispersion: Pearson's chi-squared over its degrees of freedom; 1 where there are none."""
    some = means > 0
    if df <= 0 or not some.any():
        return 1.0
    return float((((counts - means)[some] ** 2) / means[some]).sum() / df)


def per_8_h(
    count: float, hours: float, *, dispersion: float = 1.0, df: float = np.inf, level: float = LEVEL
) -> Estimate:
    """Rate per 8 usable hours; a dispersion that was itself estimated widens by Student's t over the normal quantile.

    Counts never vary less than Poisson here: a dispersion below 1 in a short series is luck.
    """
    if hours <= 0:
        return unknown(RATE, method=METHOD, note="Nothing was usable, so there is no rate.")
    tail = (1.0 - level) / 2.0
    wider = (stats.t.isf(tail, df) / stats.norm.isf(tail)) ** 2 if df > 0 else 1.0
    scale = max(1.0, dispersion * wider)
    exposure, worth = hours / RATE_H, count / scale
    low = float(stats.chi2.ppf(tail, 2.0 * worth)) / 2.0 if count else 0.0
    high = float(stats.chi2.isf(tail, 2.0 * worth + 2.0)) / 2.0
    method = METHOD if scale > 1.0 else "Poisson rate with Garwood's exact interval"
    return Estimate(RATE, count / exposure, low * scale / exposure, high * scale / exposure, None, method, level=level)
