"""What all estimates of groups share: the interval over wearers, and what to say where there is none."""

import math
from typing import Final

import numpy as np

from api.statistics.logratio import least_dispersion, ratio_by_t
from api.statistics.rates import RATIO, scaled_binomial_ratio
from api.statistics.regression import Fit
from api.statistics.rows import DoubleArray
from api.statistics.values import Estimate, unknown

FEW_WEARERS: Final = 10
CLUSTERED: Final = (
    "exact limits of the ratio of sums, of counts divided by what all cramps of a wearer coming together would inflate"
)
ONE_SIDED: Final = "One side has no cramps at all: exact limits, as though the cramps of a wearer came together."
NO_CRAMPS: Final = "No cramps on either side, so there is no ratio."


def over_wearers(fit: Fit | None, *, tested: int, method: str, note: str, level: float) -> Estimate:
    """Ratio of one coefficient with the bias-reduced covariance over wearers (Mancl and DeRouen 2001) and t."""
    if fit is None:
        return unknown(RATIO, method=method, note="The model could not be fitted: some group has no cramps.", null=1.0)
    # Wearers that agree by luck would give an interval of no width.
    least = least_dispersion(fit.df, level) * float(fit.covariance[tested, tested]) if fit.df > 0 else 0.0
    error = math.sqrt(max(float(fit.sandwich[tested, tested]), least))
    return ratio_by_t(float(fit.beta[tested]), error, fit.df, measure=RATIO, method=method, note=note, level=level)


def one_sided(on: DoubleArray, off: DoubleArray, *, on_exposure: float, off_exposure: float, level: float) -> Estimate:
    """Exact limits where one side has no cramps: of (sum y)² / sum y² effective cramps (Kish 1965)."""
    every = np.concatenate([on, off])
    inflation = float((every**2).sum() / every.sum())
    return scaled_binomial_ratio(
        float(on.sum()) / inflation,
        on_exposure,
        float(off.sum()) / inflation,
        off_exposure,
        method=CLUSTERED,
        note=ONE_SIDED,
        level=level,
    )


def few(wearers: int) -> str:
    """What to say of a small group."""
    if wearers >= FEW_WEARERS:
        return ""
    return f"Only {wearers} wearers tell of it: what so few have in common may be chance, and the interval is rough."


def left_out(count: int, why: str) -> str:
    """How many wearers are not in the estimate, and why."""
    return f"{count} wearer{'s' if count > 1 else ''} {why} left out." if count else ""


def joined(*notes: str) -> str:
    """Notes that have something to say, one after the other."""
    return " ".join(note for note in notes if note)
