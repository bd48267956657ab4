"""p values of the analyses of trials, for many tables at once: the twins of `dispersed` and `grouped`.

1 stands for: nothing could be said, so nothing was found.
"""

from typing import Final

import numpy as np
from scipy import stats

from api.statistics.power_fits import fit_shares, least_dispersion
from api.statistics.power_tables import DoubleArray
from api.statistics.rows import BoolArray

TINY: Final = 1e-12


def p_of_weeks(
    counts: DoubleArray, exposures: DoubleArray, treated: DoubleArray, *, cycle: DoubleArray | None = None
) -> DoubleArray:
    """As `dispersed.rate_ratio_weeks`; `(T, weeks)` each, `cycle` from 0 and the same in every table."""
    turns = np.zeros(counts.shape[1], dtype=np.int64) if cycle is None else cycle.astype(np.int64)
    levels = np.eye(int(turns.max()) + 1)[turns]  # (weeks, cycles)
    held = (counts @ levels) > 0  # a cycle without cramps is left out
    every, exposures = exposures, exposures * (held @ levels.T)
    p = _by_score(counts, exposures, treated, levels=levels, held=held)
    on, off = (counts * treated).sum(axis=1), (counts * (1.0 - treated)).sum(axis=1)
    single = (on == 0) != (off == 0)
    if single.any():
        p[single] = _one_sided(counts[single], every[single], treated[single])
    sides = ((exposures * treated).sum(axis=1) > 0) & ((exposures * (1.0 - treated)).sum(axis=1) > 0)
    return np.where(sides & (on + off > 0), p, 1.0)


def p_exact(on: DoubleArray, off: DoubleArray, on_exposure: DoubleArray, off_exposure: DoubleArray) -> DoubleArray:
    """As `rates.rate_ratio_exact`, of sums; `(T,)` each."""
    total = on + off
    with np.errstate(divide="ignore", invalid="ignore"):
        share = on_exposure / (on_exposure + off_exposure)
        p = 2.0 * np.minimum(stats.binom.cdf(on, total, share), stats.binom.sf(on - 1.0, total, share))
    known = (total > 0) & (on_exposure > 0) & (off_exposure > 0)
    return np.where(known, np.minimum(p, 1.0), 1.0)


def _by_score(
    counts: DoubleArray, exposures: DoubleArray, treated: DoubleArray, *, levels: DoubleArray, held: BoolArray
) -> DoubleArray:
    """Quasi-score test: the dispersion is that of the fit with treatment, the score that of the fit without it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.nan_to_num((counts @ levels) / (exposures @ levels))
        null = (rates @ levels.T) * exposures
        score = (treated * (counts - null)).sum(axis=1)
        shared = np.nan_to_num(((treated * null) @ levels) ** 2 / (null @ levels)).sum(axis=1)
        information = (treated * null).sum(axis=1) - shared
        full = _fitted(counts, exposures, treated, levels=levels)
        pearson = np.where(full > 0, (counts - full) ** 2 / full, 0.0).sum(axis=1)
        df = (exposures > 0).sum(axis=1) - held.sum(axis=1) - 1.0
        seen = pearson / df
        df = df / (1.0 + 0.5 * (1.0 - 1.0 / np.maximum(1.0, seen)))  # as `logratio.effective_df`, of many
        dispersion = np.maximum(least_dispersion(df), seen)
        statistic = score / np.sqrt(dispersion * information)
        p = 2.0 * stats.t.sf(np.abs(statistic), df)
    return np.asarray(np.nan_to_num(p, nan=1.0))


def _fitted(counts: DoubleArray, exposures: DoubleArray, treated: DoubleArray, *, levels: DoubleArray) -> DoubleArray:
    """Means of the fit with treatment."""
    # Given its sum, a cycle's cramps with treatment are binomial: the levels drop out of the fit.
    on, with_treatment = (counts * treated) @ levels, (exposures * treated) @ levels
    total, without = counts @ levels, (exposures * (1.0 - treated)) @ levels
    offset = np.log((with_treatment + TINY) / (without + TINY))
    effect = np.exp(fit_shares(on, total - on, [np.ones(offset.shape)], offset).beta)
    rates = np.nan_to_num(total / (with_treatment * effect + without))
    return np.asarray(exposures * (rates @ levels.T) * np.where(treated > 0, effect, 1.0))


def _one_sided(counts: DoubleArray, exposures: DoubleArray, treated: DoubleArray) -> DoubleArray:
    """Exact test where one side has no cramps, of counts over the dispersion of all weeks of the other."""
    has_on = (counts * treated).sum(axis=1) > 0
    side = np.where(has_on[:, None], treated, 1.0 - treated)
    total, exposure = counts.sum(axis=1), (exposures * side).sum(axis=1)
    mean = exposures * side * (total / exposure)[:, None]
    df = ((exposures > 0) & (side > 0)).sum(axis=1) - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = np.where(mean > 0, (counts - mean) ** 2 / mean, 0.0).sum(axis=1)
        spread = np.where(df >= 1, np.maximum(1.0, pearson / df), 1.0)
    share = exposure / exposures.sum(axis=1)
    return np.asarray(np.minimum(1.0, 2.0 * share ** (total / spread)))
