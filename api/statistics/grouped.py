"""Cramps of a group: each wearer their own control, arms beside each other, or two factors at once.

A wearer counts once, however many nights they wore the device: what one wearer's nights share is in the residual of
that wearer, and the spread of residuals makes the interval. With one row per wearer the bias-reduced covariance of a
generalised estimating equation (Mancl and DeRouen 2001, Biometrics 57:126) has a closed form, `Fit.sandwich`.

Found by simulation, 2,000 trials each of rate ratio 1, 0.75 and 0.5 (gamma persons, mean 4 a week, shape 2.5; weekly
variance m + m²/3; 60-100 % of hours usable, one night in 12 missing; 4 weeks a phase), with t of wearers less
coefficients as its degrees of freedom; coverage of 95 % intervals, and false positives at 5 %:
crossover of 40: 95.3-95.7, 4.7; of 12: 96.2-96.7, 3.4; before and after in 12, 20, 30: 94.3-95.7, 4.7-5.4; parallel
2 x 45: 95.2-95.3, 4.8; 2 x 15: 95.3-95.6, 4.5; factorial 4 x 45: 94.7-95.4, 5.3; three cycles of 6: 95.5-96.5, 3.6.
Of 12 wearers the uncorrected sandwich (HC0) covered 91.9-92.6 and a quasi-binomial 93.2-93.9, so neither is offered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.statistics.arms import arms, log_rate
from api.statistics.pairs import Pairs, paired
from api.statistics.rates import RATIO
from api.statistics.regression import fit_shares
from api.statistics.robust import NO_CRAMPS, few, joined, left_out, one_sided, over_wearers
from api.statistics.rows import Numbers, flags
from api.statistics.values import LEVEL, Estimate, unknown

WITHIN: Final = (
    "each wearer's cramps with treatment given all of theirs, by logistic regression{period} with the logarithm of the "
    "ratio of usable hours as offset (conditional Poisson, wearers as their own controls); bias-reduced covariance "
    "over wearers (Mancl and DeRouen), Student's t"
)
ONE_WEARER: Final = "Too few wearers had cramps to see how they differ."
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
    on = flags("treated", treated, length=len(counts))
    before = log_rate(baseline_counts, baseline_exposures, length=len(counts))
    return arms(counts, exposures, on[:, None], before).ratio(0, level=level)


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
    one, two = flags("first", first, length=len(counts)), flags("second", second, length=len(counts))
    before = log_rate(baseline_counts, baseline_exposures, length=len(counts))
    both = arms(counts, exposures, np.column_stack([one, two]), before)
    crossed = arms(counts, exposures, np.column_stack([one, two, one * two]), before)
    return Factorial(both.ratio(0, level=level), both.ratio(1, level=level), crossed.ratio(2, level=level))


def _within(pairs: Pairs, *, which: int, level: float) -> Estimate:
    method = WITHIN.format(period=" on period" if pairs.by_period else "")
    if pairs.wearers == 0:
        return unknown(RATIO, method=method, note=pairs.nothing or NO_CRAMPS, null=1.0)
    if which == 0 and not (pairs.on.any() and pairs.off.any()):
        hours = float(pairs.on_exposure.sum()), float(pairs.off_exposure.sum())
        return one_sided(pairs.on, pairs.off, on_exposure=hours[0], off_exposure=hours[1], level=level)
    design = np.column_stack([np.ones(pairs.wearers), *([pairs.lag] if pairs.by_period else [])])
    if pairs.wearers <= design.shape[1]:
        return unknown(RATIO, method=method, note=ONE_WEARER, null=1.0)
    offset = np.log(pairs.on_exposure / pairs.off_exposure)
    fit, note = fit_shares(pairs.on, pairs.off, design, offset), SAME_TIME if pairs.same_time else ""
    if fit is None and which == 0 and pairs.by_period:
        # A sequence whose cramps all fell on one side has no finite period effect; the treatment's is left.
        fit, note = fit_shares(pairs.on, pairs.off, design[:, :1], offset), NO_PERIOD
        method = WITHIN.format(period="")
    return over_wearers(fit, tested=which, method=method, note=joined(note, _who(pairs)), level=level)


def _who(pairs: Pairs) -> str:
    return joined(
        few(pairs.wearers),
        left_out(pairs.without_cramps, "without cramps say nothing of the ratio and are"),
        left_out(pairs.left_out, "with usable hours on one side only are"),
    )
