"""Cramps of one person, counted week by week: with a treatment and without it, or along time.

Weeks of one person differ by more than chance: a plain Poisson test of weekly counts with variance m + m²/3 calls
9-29 % of ineffective treatments effective. Here the counts' own spread widens the interval.

Found by simulation, 20,000 trials each of rate ratio 1 and 0.5 (weekly variance m + m²/3, 60-100 % of hours usable, one
night in 12 missing, 16 weeks): `rate_ratio_weeks` at 2.5, 4 and 8 cramps a week covers 95.0-96.1 % and is false
4.5-5.0 % of the time, before and after as well as in four pairs of 2-week blocks with a level per cycle; with variance
m + m²/1.5 94.4-95.8 % and 4.9-5.6 %. A halving is seen in 20-22 % at 2.5 a week, in 37 % at 8: one person needs longer.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import stats

from api.statistics.logratio import effective_df, least_dispersion, ratio_by_t
from api.statistics.rates import RATE, RATIO, rate_interval, scaled_binomial_ratio
from api.statistics.regression import Fit, fit_counts, fit_counts_dispersed
from api.statistics.rows import DoubleArray, Numbers, column, counted, flags
from api.statistics.score import Limits, score_limits, share_limits
from api.statistics.values import LEVEL, Estimate, unknown
from api.statistics.weeks import Weeks, prepared

SPREAD: Final = "dispersion"
SLOPE: Final = "rate ratio per 4 weeks"
SLOPE_WEEKS: Final = 4.0
LEAST_WEEKS: Final = 4
METHOD: Final = (
    "quasi-Poisson regression of weekly counts on {what} with the logarithm of usable hours as offset; "
    "Pearson dispersion; interval and p by the score test with Student's t, of fewer degrees of freedom the larger the "
    "dispersion, and never narrower than by a Poisson model"
)
BINOMIAL: Final = (
    "negative binomial regression of weekly counts on treatment{covariates} with the logarithm of usable hours as "
    "offset; variance by the method of moments, interval and p by Student's t"
)
EXACT: Final = "exact conditional (binomial) test of the sums, Clopper-Pearson interval carried over to the rate ratio"
FEW: Final = "Too few weeks for a model: exact limits, of counts divided by the dispersion of the weeks."
ONE_SIDED: Final = "One side has no cramps: exact limits, of counts divided by the dispersion of the weeks."
UNSEEN: Final = "There is no dispersion to be seen in so few weeks, so they presume that weeks differ by chance alone."


@dataclass(frozen=True, slots=True)
class LevelAndSlope:
    """Where one person's rate stands at the end of the weeks, and how it changes."""

    level: Estimate  # rate per unit of exposure in the last week
    slope: Estimate  # rate ratio per 4 weeks
    dispersion: Estimate


def rate_ratio_weeks(
    counts: Numbers,
    exposures: Numbers,
    treated: Numbers,
    *,
    time: Numbers | None = None,
    cycle: Numbers | None = None,
    level: float = LEVEL,
) -> Estimate:
    """Rate with treatment over that without, of one person: quasi-Poisson (Wedderburn 1974, Biometrika 61:439).

    One row per week (or block): its count, exposure, 1 if treated. `time` adds a linear trend, `cycle` a level per
    cycle of an N-of-1 trial. A row without exposure is missing and is left out.
    """
    weeks = prepared(counts, exposures, treated, time=time, cycle=cycle)
    if isinstance(weeks, str):
        return unknown(RATIO, method=METHOD.format(what="treatment"), note=weeks, null=1.0)
    (on, _), (off, _) = weeks.side(1.0), weeks.side(0.0)
    if weeks.df < 1 or on == 0 or off == 0:
        note = FEW if weeks.df < 1 else ONE_SIDED
        return _exact(counts, exposures, treated, note=note, level=level)
    method = METHOD.format(what="treatment" + weeks.covariates)
    fit = fit_counts(weeks.counts, weeks.design, weeks.exposures)
    if fit is None:
        return unknown(RATIO, method=method, note="The model could not be fitted to these weeks.", null=1.0)
    found = _plain_limits(weeks, _reference(fit, level))
    return _by_score(fit, weeks.counts, weeks.exposures, found=found, measure=RATIO, method=method, level=level)


def rate_ratio_negative_binomial(
    counts: Numbers, exposures: Numbers, treated: Numbers, *, time: Numbers | None = None, level: float = LEVEL
) -> Estimate:
    """The same with variance m + a m², a such that Pearson's statistic equals its df (Breslow 1984, Appl Stat 33:38).

    A second opinion beside `rate_ratio_weeks`: weeks with many cramps weigh less.
    """
    weeks = prepared(counts, exposures, treated, time=time, cycle=None)
    if isinstance(weeks, str):
        return unknown(RATIO, method=BINOMIAL.format(covariates=""), note=weeks, null=1.0)
    method = BINOMIAL.format(covariates=weeks.covariates)
    both = weeks.side(1.0)[0] > 0 and weeks.side(0.0)[0] > 0 and weeks.df >= 1
    fit = fit_counts_dispersed(weeks.counts, weeks.design, weeks.exposures) if both else None
    if fit is None:
        return unknown(RATIO, method=method, note="A side without cramps, or too few weeks: no model fits.", null=1.0)
    error = math.sqrt(fit.covariance[-1, -1])
    return ratio_by_t(float(fit.beta[-1]), error, weeks.df, measure=RATIO, method=method, level=level)


def dispersion(
    counts: Numbers, exposures: Numbers, treated: Numbers | None = None, *, level: float = LEVEL
) -> Estimate:
    """Pearson's statistic over its df: 1 is chance alone; interval and two-sided p by its chi-squared distribution."""
    number, exposure = counted(counts, exposures)
    on = flags("treated", treated, length=len(number)) if treated is not None else np.zeros(len(number))
    statistic, df = 0.0, 0
    for side in (0.0, 1.0):
        rows = (on == side) & (exposure > 0)
        if number[rows].any():
            mean = exposure[rows] * number[rows].sum() / exposure[rows].sum()
            statistic += float(((number[rows] - mean) ** 2 / mean).sum())
            df += int(rows.sum()) - 1
    return _spread(statistic, df, level=level)


def level_and_slope(counts: Numbers, exposures: Numbers, weeks: Numbers, *, level: float = LEVEL) -> LevelAndSlope:
    """Rate in the last of `weeks` and its change per 4 weeks: quasi-Poisson with a linear trend of the logarithm.

    One row per week with its number (any origin, gaps allowed). Fewer than 4 weeks with data, or no cramps in them,
    give no slope, and the level is that of all weeks together.
    """
    method = METHOD.format(what="time")
    number, exposure = counted(counts, exposures)
    when = column("weeks", weeks, length=len(number))
    kept = exposure > 0
    number, exposure, when = number[kept], exposure[kept], when[kept]
    spread = dispersion(number, exposure, level=level)
    design = np.column_stack([np.ones(len(when)), (when - when.max(initial=-math.inf)) / SLOPE_WEEKS])
    enough = len(np.unique(when)) >= LEAST_WEEKS and number.any()
    fit = fit_counts(number, design, exposure) if enough else None
    if fit is None:
        note = f"A trend needs {LEAST_WEEKS} weeks with data, and cramps all along; the level presumes chance alone."
        together = rate_interval(int(number.sum()), float(exposure.sum()), level=level)
        return LevelAndSlope(replace(together, note=note), unknown(SLOPE, method=method, note=note, null=1.0), spread)
    now = _by_score(fit, number, exposure, tested=0, measure=RATE, method=method, level=level)
    slope = _by_score(fit, number, exposure, measure=SLOPE, method=method, level=level)
    return LevelAndSlope(replace(now, p=None, null=None), slope, _spread(fit.pearson, fit.df, level=level))


def _exact(counts: Numbers, exposures: Numbers, treated: Numbers, *, note: str, level: float) -> Estimate:
    """Of all weeks, whatever their cycle: those that a model leaves out tell of the dispersion too."""
    number, exposure = counted(counts, exposures)
    on = flags("treated", treated, length=len(number)) == 1.0
    spread = dispersion(counts, exposures, treated)
    scale = max(1.0, spread.value) if spread.known else 1.0
    return scaled_binomial_ratio(
        float(number[on].sum()) / scale,
        float(exposure[on].sum()),
        float(number[~on].sum()) / scale,
        float(exposure[~on].sum()),
        method=EXACT,
        note=note if spread.known else f"{note} {UNSEEN}",
        level=level,
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """What a score is judged by."""

    dispersion: float
    df: float
    quantile: float  # of Student's t


def _reference(fit: Fit, level: float) -> Reference:
    seen = fit.pearson / fit.df
    df = effective_df(fit.df, seen)
    quantile = float(stats.t.isf((1.0 - level) / 2.0, df))
    return Reference(max(least_dispersion(df, level), seen), df, quantile)


def _plain_limits(weeks: Weeks, by: Reference) -> Limits | None:
    """Without a trend no fit is needed; None where no cycle has cramps that could tell."""
    (on, on_exposure), (off, off_exposure) = weeks.strata(1.0), weeks.strata(0.0)
    if weeks.trend or not (on.any() and off.any()):
        return None
    log_odds = np.log(on_exposure / off_exposure)
    return share_limits(on, off, log_odds=log_odds, dispersion=by.dispersion, quantile=by.quantile)


def _by_score(
    fit: Fit,
    counts: DoubleArray,
    exposures: DoubleArray,
    *,
    tested: int = -1,
    found: Limits | None = None,
    measure: str,
    method: str,
    level: float,
) -> Estimate:
    by = _reference(fit, level)
    limits = found or score_limits(
        fit, counts, exposures, tested=tested, dispersion=by.dispersion, quantile=by.quantile
    )
    if limits is None:
        error = math.sqrt(by.dispersion * fit.covariance[tested, tested])
        note = "The score test found no limits; these are by t and the standard error."
        return ratio_by_t(float(fit.beta[tested]), error, by.df, measure=measure, method=method, level=level, note=note)
    low, high, statistic = limits
    p = float(2.0 * stats.t.sf(abs(statistic), by.df))
    value = math.exp(fit.beta[tested])
    return Estimate(measure, value, math.exp(low), math.exp(high), p, method, null=1.0, level=level)


def _spread(pearson: float, df: int, *, level: float) -> Estimate:
    method = "Pearson dispersion of weekly counts about their fitted means, with its chi-squared interval and test"
    if df < 1:
        return unknown(SPREAD, method=method, note="Too few weeks with cramps to see how they differ.", null=1.0)
    tail = (1.0 - level) / 2.0
    low, high = pearson / float(stats.chi2.isf(tail, df)), pearson / float(stats.chi2.ppf(tail, df))
    p = min(1.0, 2.0 * float(min(stats.chi2.sf(pearson, df), stats.chi2.cdf(pearson, df))))
    return Estimate(SPREAD, pearson / df, low, high, p, method, null=1.0, level=level)
