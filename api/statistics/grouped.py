"""Cramps of a group: each wearer their own control, arms beside each other, or two factors at once.

A wearer counts once, however many nights they wore the device: what one wearer's nights share is in the residual of
that wearer, and the spread of residuals makes the interval. With one row per wearer the bias-reduced covariance of a
generalised estimating equation (Mancl and DeRouen 2001) has a closed form, `Fit.sandwich`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.statistics.logratio import least_dispersion, ratio_by_t
from api.statistics.pairs import Pairs, paired
from api.statistics.rates import RATIO, scaled_binomial_ratio
from api.statistics.regression import Fit, fit_counts, fit_shares
from api.statistics.rows import DoubleArray, Numbers, column, counted, flags
from api.statistics.values import LEVEL, Estimate, unknown

FEW_WEARERS: Final = 10
HALF: Final = 0.5  # added to a baseline count, so that none has a logarithm too
WITHIN: Final = (
    "each wearer's cramps with treatment given all of theirs, by logistic regression{period} with the logarithm of the "
    "ratio of usable hours as offset (conditional Poisson, wearers as their own controls); bias-reduced covariance "
    "over wearers (Mancl and DeRouen), Student's t"
)
BETWEEN: Final = (
    "Poisson regression of each wearer's cramps on {what}, with the logarithm of usable hours as offset; bias-reduced "
    "covariance over wearers (Mancl and DeRouen), Student's t"
)
CLUSTERED: Final = (
    "exact limits of the ratio of sums, of counts divided by what all cramps of a wearer coming together would inflate"
)
ONE_SIDED: Final = "One side has no cramps at all: exact limits, as though the cramps of a wearer came together."
ONE_WEARER: Final = "Too few wearers had cramps to see how they differ."
NO_CRAMPS: Final = "No cramps on either side, so there is no ratio."
NO_PERIOD: Final = "One sequence has cramps on one side only, so no period effect could be allowed for."
SAME_TIME: Final = "All had the treatment at the same time, so a change with time cannot be told from its effect."


@dataclass(frozen=True, slots=True)
class Factorial:
    """Two treatments tried at once."""

    first: Estimate  # rate ratio of the first factor, whatever the second
    second: Estimate
    interaction: Estimate  # ratio of rate ratios: 1 where they do not change each other


def within(
    *,
    wearers: Sequence[str],
    treated: Numbers,
    counts: Numbers,
    exposures: Numbers,
    periods: Numbers | None = None,
    level: float = LEVEL,
) -> Estimate:
    """Rate with treatment over that without, in the same wearers: crossover (with `periods`), or before and after.

    One row per wearer and phase (or several: they are summed); `periods` numbers the phases in time, and adds a period
    effect. Wearers without cramps, or without hours on one side, say nothing of the ratio and are left out.
    """
    pairs = paired(wearers=wearers, treated=treated, counts=counts, exposures=exposures, periods=periods)
    return _within(pairs, which=0, level=level)


def period_effect(
    *,
    wearers: Sequence[str],
    treated: Numbers,
    counts: Numbers,
    exposures: Numbers,
    periods: Numbers,
    level: float = LEVEL,
) -> Estimate:
    """Rate in a period over that in the one before, whatever the treatment: from the same fit as `within`."""
    pairs = paired(wearers=wearers, treated=treated, counts=counts, exposures=exposures, periods=periods)
    if not pairs.by_period:
        return unknown(RATIO, method=WITHIN.format(period=""), note=SAME_TIME, null=1.0)
    return _within(pairs, which=1, level=level)


def between(
    *,
    treated: Numbers,
    counts: Numbers,
    exposures: Numbers,
    baseline_counts: Numbers | None = None,
    baseline_exposures: Numbers | None = None,
    level: float = LEVEL,
) -> Estimate:
    """Rate of the treated over that of the others, one row per wearer, given their own rate before, where known."""
    number, exposure = counted(counts, exposures)
    on = flags("treated", treated, length=len(number))
    before = _log_rate(baseline_counts, baseline_exposures, length=len(number))
    arms = Arms(number, exposure, on[:, None], before)
    return _between(arms.usable(), tested=0, level=level)


def factorial(
    *,
    first: Numbers,
    second: Numbers,
    counts: Numbers,
    exposures: Numbers,
    baseline_counts: Numbers | None = None,
    baseline_exposures: Numbers | None = None,
    level: float = LEVEL,
) -> Factorial:
    """Rate ratio of each of two factors, one row per wearer, and whether they change each other."""
    number, exposure = counted(counts, exposures)
    one, two = flags("first", first, length=len(number)), flags("second", second, length=len(number))
    before = _log_rate(baseline_counts, baseline_exposures, length=len(number))
    both = Arms(number, exposure, np.column_stack([one, two]), before).usable()
    crossed = Arms(number, exposure, np.column_stack([one, two, one * two]), before).usable()
    return Factorial(
        _between(both, tested=0, level=level),
        _between(both, tested=1, level=level),
        _between(crossed, tested=2, level=level),
    )


@dataclass(frozen=True, slots=True)
class Arms:
    """One row per wearer: what was counted, who had what, and how it was before."""

    counts: DoubleArray
    exposures: DoubleArray
    factors: DoubleArray  # (n, f) of 0 and 1
    before: DoubleArray | None  # log rate at baseline; NaN where there was none

    def usable(self) -> "Arms":
        """Wearers with hours in the phase that counts, and at baseline if that is asked."""
        kept = self.exposures > 0
        if self.before is not None:
            kept &= np.isfinite(self.before)
        before = None if self.before is None else self.before[kept] - self.before[kept].mean() if kept.any() else None
        return Arms(self.counts[kept], self.exposures[kept], self.factors[kept], before)

    @property
    def design(self) -> DoubleArray:
        columns = [self.factors, np.ones((len(self.counts), 1))]
        if self.before is not None and np.ptp(self.before) > 0:
            columns.append(self.before[:, None])
        return np.column_stack(columns)


def _within(pairs: Pairs, *, which: int, level: float) -> Estimate:
    method = WITHIN.format(period=" on period" if pairs.by_period else "")
    if pairs.wearers == 0:
        return unknown(RATIO, method=method, note=pairs.nothing or NO_CRAMPS, null=1.0)
    design = np.ones((pairs.wearers, 1))
    if pairs.by_period:
        design = np.column_stack([design, pairs.lag])
    if which == 0 and (not pairs.on.any() or not pairs.off.any()):
        return _clustered(pairs.on, pairs.off, pairs.on_exposure, pairs.off_exposure, level=level)
    if pairs.wearers <= design.shape[1]:
        return unknown(RATIO, method=method, note=ONE_WEARER, null=1.0)
    fit = fit_shares(pairs.on, pairs.off, design, np.log(pairs.on_exposure / pairs.off_exposure))
    note = _few(pairs.wearers) or (SAME_TIME if pairs.same_time else "")
    if fit is None and which == 0 and pairs.by_period:
        # A sequence whose cramps all fell on one side has no finite period effect; the treatment's is left.
        fit = fit_shares(pairs.on, pairs.off, design[:, :1], np.log(pairs.on_exposure / pairs.off_exposure))
        method, note = WITHIN.format(period=""), NO_PERIOD
    return _robust(fit, tested=which, method=method, note=note, level=level)


def _between(arms: Arms, *, tested: int, level: float) -> Estimate:
    what = "group" if arms.factors.shape[1] == 1 else "both treatments"
    what += " and interaction" if arms.factors.shape[1] == 3 else ""
    method = BETWEEN.format(
        what=what + (" and the logarithm of the own rate at baseline" if arms.before is not None else "")
    )
    on = arms.factors[:, tested] == 1
    if on.all() or not on.any():
        return unknown(RATIO, method=method, note="There are no wearers with data on one side.", null=1.0)
    if not arms.counts.any():
        return unknown(RATIO, method=method, note=NO_CRAMPS, null=1.0)
    design = arms.design
    sides = min(int(on.sum()), int((~on).sum()))
    if sides < 2 or len(arms.counts) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        return unknown(RATIO, method=method, note="Too few wearers on one side to see how they differ.", null=1.0)
    if not (arms.counts[on].any() and arms.counts[~on].any()):
        if tested == 2:
            return unknown(RATIO, method=method, note=NO_CRAMPS, null=1.0)
        return _clustered(arms.counts[on], arms.counts[~on], arms.exposures[on], arms.exposures[~on], level=level)
    fit = fit_counts(arms.counts, design, arms.exposures)
    return _robust(fit, tested=tested, method=method, note=_few(sides), level=level)


def _robust(fit: Fit | None, *, tested: int, method: str, note: str, level: float) -> Estimate:
    if fit is None:
        return unknown(RATIO, method=method, note="The model could not be fitted: some group has no cramps.", null=1.0)
    # Wearers that agree by luck would give an interval of no width.
    least = least_dispersion(fit.df, level) * float(fit.covariance[tested, tested]) if fit.df > 0 else 0.0
    variance = max(float(fit.sandwich[tested, tested]), least)
    return ratio_by_t(
        float(fit.beta[tested]), math.sqrt(variance), fit.df, measure=RATIO, method=method, note=note, level=level
    )


def _clustered(
    on: DoubleArray, off: DoubleArray, on_exposure: DoubleArray, off_exposure: DoubleArray, *, level: float
) -> Estimate:
    every = np.concatenate([on, off])
    inflation = float((every**2).sum() / every.sum())
    return scaled_binomial_ratio(
        float(on.sum()) / inflation,
        float(on_exposure.sum()),
        float(off.sum()) / inflation,
        float(off_exposure.sum()),
        method=CLUSTERED,
        note=ONE_SIDED,
        level=level,
    )


def _log_rate(counts: Numbers | None, exposures: Numbers | None, *, length: int) -> DoubleArray | None:
    if counts is None or exposures is None:
        return None
    number, exposure = counted(counts, exposures)
    column("baseline_counts", number, length=length)
    rate = np.full(length, math.nan)
    seen = exposure > 0
    rate[seen] = np.log((number[seen] + HALF) / exposure[seen])
    return rate


def _few(wearers: int) -> str:
    if wearers >= FEW_WEARERS:
        return ""
    return f"Only {wearers} wearers tell of it: what so few have in common may be chance, and the interval is rough."
