"""p values of the analyses of groups, for many tables at once: the twins of `grouped`. 1: nothing could be said."""

from typing import Final

import numpy as np
from scipy import stats

from api.statistics.power_fits import Fits, fit_counts, fit_shares, least_dispersion
from api.statistics.power_tables import DoubleArray
from api.statistics.rows import BoolArray

HALF: Final = 0.5
FARTHEST: Final = 20.0


def p_within(
    on: DoubleArray,
    off: DoubleArray,
    on_exposure: DoubleArray,
    off_exposure: DoubleArray,
    *,
    lag: DoubleArray | None = None,
) -> DoubleArray:
    """As `grouped.within`; `(T, people)` each, `lag` 1 where the treatment came second and -1 where it came first."""
    kept = (on_exposure > 0) & (off_exposure > 0)
    on, off = on * kept, off * kept
    told: BoolArray = kept & (on + off > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = np.where(told, np.log(on_exposure / off_exposure), 0.0)
    columns = [np.ones(on.shape)] if lag is None else [np.ones(on.shape), np.tile(lag, (len(on), 1))]
    fits = fit_shares(on, off, columns, offset)
    p = _robust(fits, tested=0, rows=told)
    if lag is None:
        lost = np.zeros(len(on), dtype=np.bool_)
    else:  # without the period effect where one sequence is left, or has cramps on one side only
        sides = [(told & (lag == turn)).any(axis=1) for turn in (-1.0, 1.0)]
        enough = told.sum(axis=1) > len(columns)
        lost = ~(sides[0] & sides[1]) | (enough & ~_finite_shares(fits, on + off, told))
    if lost.any():
        plain = fit_shares(on[lost], off[lost], [np.ones(on[lost].shape)], offset[lost])
        p[lost] = _robust(plain, tested=0, rows=told[lost])
    single = (on.sum(axis=1) == 0) != (off.sum(axis=1) == 0)
    exposures = [np.where(told, exposure, 0.0) for exposure in (on_exposure, off_exposure)]
    return np.where(single, _clustered(on, off, *exposures), p)


def p_between(
    factors: DoubleArray,
    counts: DoubleArray,
    exposures: DoubleArray,
    *,
    before: tuple[DoubleArray, DoubleArray] | None = None,
) -> DoubleArray:
    """As `grouped.between` and the first factor of `grouped.factorial`; `factors` is `(people, f)`, first the tested.

    `before` holds counts and exposures of the baseline.
    """
    told = exposures > 0
    columns = [np.ones(counts.shape), *(np.tile(factor, (len(counts), 1)) for factor in factors.T)]
    if before is not None:
        told = told & (before[1] > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(told, np.log((before[0] + HALF) / before[1]), 0.0)
        columns.append(np.where(told, rate - (rate.sum(axis=1) / told.sum(axis=1))[:, None], 0.0))
    counts, exposures = counts * told, exposures * told
    p = _robust(fit_counts(counts, columns, exposures), tested=1, rows=told)
    side = factors[:, 0] == 1
    on, off = counts[:, side], counts[:, ~side]
    single = (on.sum(axis=1) == 0) != (off.sum(axis=1) == 0)
    return np.where(single, _clustered(on, off, exposures[:, side], exposures[:, ~side]), p)


def _robust(fits: Fits, *, tested: int, rows: BoolArray) -> DoubleArray:
    """Two-sided p of a coefficient by the bias-reduced covariance, or the model's if that is more, and Student's t."""
    df = rows.sum(axis=1) - float(fits.beta.shape[1])
    value = fits.beta[:, tested]
    with np.errstate(divide="ignore", invalid="ignore"):
        least = least_dispersion(df) * fits.covariance[:, tested, tested]
        variance = np.maximum(fits.sandwich[:, tested, tested], least)
        p = 2.0 * stats.t.sf(np.abs(value) / np.sqrt(variance), df)
    good = fits.converged & (df > 0) & (np.abs(value) <= FARTHEST)
    return np.where(good & np.isfinite(p), p, 1.0)


def _finite_shares(fits: Fits, total: DoubleArray, told: BoolArray) -> BoolArray:
    """Whether every fitted share is off the edge; one on it belongs to a fit that runs to infinity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(told, fits.weight / total, 0.25)  # share times one less share
    return np.asarray(rest.min(axis=1) > 1e-8, dtype=np.bool_)


def _clustered(on: DoubleArray, off: DoubleArray, on_exposure: DoubleArray, off_exposure: DoubleArray) -> DoubleArray:
    """Exact test where one side has no cramps, as though the cramps of a wearer came together."""
    total = on.sum(axis=1) + off.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        number = total**2 / ((on**2).sum(axis=1) + (off**2).sum(axis=1))
        share = np.where(off.sum(axis=1) == 0, on_exposure.sum(axis=1), off_exposure.sum(axis=1))
        share = share / (on_exposure.sum(axis=1) + off_exposure.sum(axis=1))
        p = np.minimum(1.0, 2.0 * share**number)
    return np.asarray(np.nan_to_num(p, nan=1.0))
