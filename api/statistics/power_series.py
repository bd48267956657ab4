"""p of the meta-analysis of several N-of-1 trials, for many of them at once: the twin of `meta` and `meta_counts`."""

import numpy as np
from scipy import stats

from api.statistics.power_fits import least_dispersion
from api.statistics.power_groups import HALF
from api.statistics.power_tables import DoubleArray

STEPS = 60


def p_series(counts: DoubleArray, exposures: DoubleArray, treated: DoubleArray) -> DoubleArray:
    """Random effects with Hartung-Knapp interval; `(T, people, weeks)` each. 1: nothing could be said."""
    spread = _dispersion(counts, exposures, treated)
    sums = [(of * side).sum(axis=2) for of in (counts, exposures) for side in (treated, 1.0 - treated)]
    on, off, on_exposure, off_exposure = sums
    told = (on_exposure > 0) & (off_exposure > 0) & (on + off > 0)
    corrected = np.where((on == 0) | (off == 0), HALF, 0.0)
    on, off = on + corrected, off + corrected
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(told, np.log(on / on_exposure) - np.log(off / off_exposure), 0.0)
        variance = np.where(told, spread[:, None] * (1.0 / on + 1.0 / off), np.inf)
        tau2 = _paule_mandel(value, variance, told.sum(axis=1))
        weight = 1.0 / (variance + tau2[:, None])
        mean = (weight * value).sum(axis=1) / weight.sum(axis=1)
        df = told.sum(axis=1) - 1.0
        factor = (weight * (value - mean[:, None]) ** 2).sum(axis=1) / df
        error = np.sqrt(np.maximum(least_dispersion(df), factor) / weight.sum(axis=1))
        p = 2.0 * stats.t.sf(np.abs(mean) / error, df)
    return np.asarray(np.where(df >= 1, np.nan_to_num(p, nan=1.0), 1.0))


def _paule_mandel(value: DoubleArray, variance: DoubleArray, people: DoubleArray) -> DoubleArray:
    """Newton's method from 0; where the effects agree better than chance it stays there."""
    tau2 = np.zeros(len(value))
    for _ in range(STEPS):
        weight = 1.0 / (variance + tau2[:, None])
        mean = (weight * value).sum(axis=1) / weight.sum(axis=1)
        squares = weight * (value - mean[:, None]) ** 2
        excess = squares.sum(axis=1) - (people - 1.0)
        step = np.where(excess > 0, excess / np.maximum((weight * squares).sum(axis=1), 1e-300), 0.0)
        tau2 = tau2 + np.nan_to_num(step)
        if np.nan_to_num(step).max(initial=0.0) < 1e-10:
            break
    return tau2


def _dispersion(counts: DoubleArray, exposures: DoubleArray, treated: DoubleArray) -> DoubleArray:
    """Pearson dispersion of weeks within person and treatment, at least 1."""
    statistic, df = np.zeros(len(counts)), np.zeros(len(counts))
    for side in (treated, 1.0 - treated):
        total, exposure = (counts * side).sum(axis=2), (exposures * side).sum(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = exposures * side * (total / exposure)[..., None]
            squares = np.where(mean > 0, (counts - mean) ** 2 / mean, 0.0)
        statistic += squares.sum(axis=(1, 2))
        rows = ((exposures * side) > 0).sum(axis=2)
        df += np.where(total > 0, rows - 1.0, 0.0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(df >= 1, np.maximum(1.0, statistic / df), 1.0))
