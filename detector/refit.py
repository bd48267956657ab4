"""Severity fitted to one wearer's own pain ratings: a cumulative logit that begins at the convention.

With x the published parts of a cramp (0-10 each), the rating Y takes the levels 0 to K - 1 with

    P(Y <= k) = F(theta_k - beta x),   F the logistic distribution,   beta >= 0

(proportional odds, McCullagh 1980, J R Stat Soc B 42:109, doi 10.1111/j.2517-6161.1980.tb01109.x). Its prior is the
convention itself: beta are the published weights and theta the cut-points of the scale, that is, a rating is the
severity plus logistic noise of one point. What is estimated leaves the convention only as far as ratings pull it.
The negative logarithm of the posterior is convex (Pratt 1981, J Am Stat Assoc 76:103), so there is one answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import kendalltau

from detector.agreement import Kappa, quadratic_kappa
from detector.errors import DetectorError
from detector.severity import WEIGHTS

Array = NDArray[np.float64]
Levels = NDArray[np.int64]

PARTS: Final = tuple(WEIGHTS)
LEAST: Final = 5  # ratings; fewer change nothing
MOST_LEVELS: Final = 11
FOLDS: Final = 20  # up to so many ratings, each is left out alone
# Standard deviations of the prior, in points of severity unless they are shares; all are conventions of ours.
WEIGHT_SD: Final = 0.1  # of each weight; twice as much costs rank agreement at eight ratings, half as much gains less
LEVEL_SD: Final = 2.0  # of the mean cut-point: how stern the wearer is
SPACING_SD: Final = 0.5  # of the distance between two cut-points, as a share of it
SLOPE_SD: Final = 1.0  # of how closely ratings follow severity
FLOOR: Final = 0.01  # share of its published weight that a part keeps, so that severity rises with every part
CLOSEST: Final = 1e-4  # points by which cut-points differ at least
SEARCH: Final = {"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-7}
# Severity at which one level gives way to the next, by lowest and highest rating: mild 1-4, moderate 5-6, severe 7-10
# (Palos 2006). Other scales are spread evenly over 0-10.
CUTS: Final = {(1, 3): (4.5, 6.5), (0, 3): (0.5, 4.5, 6.5)}


@dataclass(frozen=True, slots=True)
class Refit:
    """What one wearer's ratings say about severity; `rescore` applies it.

    `weights` (of `PARTS`, sum 1) give an index 0-10, `thresholds` are the values of it at which the rating passes
    from one level to the next, and `slope` is how closely ratings follow it: 1 means logistic noise of one point.
    `rank` is Kendall's tau-b between ratings and the index, and `kappa` the quadratic kappa of ratings and predicted
    levels, each rating predicted by a fit that had not seen it; `rank_convention` and `kappa_convention` are those of
    the convention on the same ratings. NaN where they are undefined. `note` says in a sentence what to make of it.
    """

    weights: tuple[float, ...]
    thresholds: tuple[float, ...]
    slope: float
    scale: tuple[int, int]
    n: int
    rank: float
    rank_convention: float
    kappa: Kappa
    kappa_convention: Kappa
    note: str


def refit(parts: ArrayLike, ratings: ArrayLike, *, scale: tuple[int, int] = (0, 10), strength: float = 1.0) -> Refit:
    """Fit severity to a wearer's ratings.

    Parameters
    ----------
    parts : array, shape (n, 4)
        Published parts of each rated cramp in the order of `PARTS`, 0-10.
    ratings : array, shape (n,)
        What the wearer said of each, whole numbers.
    scale : tuple of int
        Lowest and highest rating of the scale: ``(0, 10)``, ``(1, 3)`` for mild to severe, ``(0, 3)`` with none.
    strength : float
        How much the convention weighs against ratings; towards 0 this becomes maximum likelihood.

    Returns
    -------
    Refit
        With fewer than five ratings the convention itself, and a note that says so. The order of rows is of no
        consequence.

    Raises
    ------
    DetectorError
        If lengths differ, a part or rating is not a number or outside its scale, or the scale is none.

    Examples
    --------
    >>> refit(np.empty((0, 4)), []).weights
    (0.3, 0.2, 0.4, 0.1)
    """
    cuts = _cuts(scale)
    x, y = _checked(parts, ratings, scale)
    if not (np.isfinite(strength) and strength > 0):
        raise DetectorError(f"strength must be positive, not {strength}")
    order = np.lexsort((*x.T, y))  # folds and sums must not depend on the order in which ratings came
    x, y = x[order], y[order]
    published = _convention()
    if len(y) < LEAST:
        return _refit(published, cuts, scale=scale, x=x, y=y, index=x @ published, level=_level(x @ published, cuts))
    beta, theta = _fit(x, y, cuts=cuts, strength=strength, near=(published, cuts))
    index, level = np.empty(len(y)), np.empty(len(y), np.int64)
    for out in _folds(len(y)):
        b, t = _fit(x[~out], y[~out], cuts=cuts, strength=strength, near=(beta, theta))
        index[out] = x[out] @ b / b.sum()
        level[out] = _level(x[out] @ b, t)
    return _refit(beta, theta, scale=scale, x=x, y=y, index=index, level=level)


def rescore(parts: ArrayLike, fitted: Refit) -> Array:
    """Severity as this wearer would put it.

    Parameters
    ----------
    parts : array, shape (..., 4)
        Published parts of cramps, in the order of `PARTS`, 0-10.
    fitted : Refit
        Of the wearer.

    Returns
    -------
    array, shape (...)
        Severity 0-10: the weighted index, bent so that it crosses the cut-points of the convention where the
        ratings change level. It never falls when a part rises, and without ratings it is the convention.

    Examples
    --------
    >>> rescore([[4.0, 6.0, 5.0, 8.0]], refit(np.empty((0, 4)), [])).round(6)
    array([5.2])
    """
    x = _parts(parts)
    cuts, at = _cuts(fitted.scale), np.array(fitted.thresholds)
    ends = at[0] - cuts[0], at[-1] + 10 - cuts[-1]
    knots, values = np.array([ends[0], *at, ends[1]]), np.array([0, *cuts, 10])
    return np.asarray(np.interp(x @ np.array(fitted.weights), knots, values), np.float64)


def _convention() -> Array:
    return np.array(list(WEIGHTS.values()))


def _cuts(scale: tuple[int, int]) -> Array:
    """Severity at which the convention passes from one level of the scale to the next."""
    low, high = scale
    if low != int(low) or high != int(high) or not 2 <= high - low + 1 <= MOST_LEVELS:
        raise DetectorError(f"a scale has 2 to {MOST_LEVELS} whole levels, not {low} to {high}: group finer ratings")
    steps = high - low
    return np.array(CUTS.get((low, high), (10 * (np.arange(steps) + 0.5) / steps).tolist()))


def _parts(parts: ArrayLike) -> Array:
    x = np.asarray(parts, np.float64)
    if x.ndim < 1 or x.shape[-1] != len(PARTS):
        raise DetectorError(f"parts have shape {x.shape}; the last axis must be {', '.join(PARTS)}")
    if not ((x >= 0) & (x <= 10)).all():
        raise DetectorError("parts of severity must be numbers from 0 to 10")
    return x


def _checked(parts: ArrayLike, ratings: ArrayLike, scale: tuple[int, int]) -> tuple[Array, Levels]:
    """Parts (n, 4), and ratings as levels from 0 (n,)."""
    x, y = _parts(parts), np.asarray(ratings, np.float64)
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y):
        raise DetectorError(f"parts {x.shape} and ratings {y.shape} must be one row and one number a cramp")
    low, high = scale
    wrong = np.flatnonzero(~((y >= low) & (y <= high) & (y == np.floor(y))))
    if wrong.size:
        raise DetectorError(f"rating {wrong[0]} is {y[wrong[0]]:g}: a whole number from {low} to {high} is wanted")
    return x, (y - low).astype(np.int64)


def _fit(x: Array, y: Levels, *, cuts: Array, strength: float, near: tuple[Array, Array]) -> tuple[Array, Array]:
    """Weights beta and thresholds theta of greatest posterior density; the search begins `near` such a pair."""
    published = _convention()
    penalty = strength * _penalty(published, cuts)
    convention, begin = _joined(published, cuts), _joined(*near)
    bounds = [(FLOOR * w, None) for w in published] + [(None, None)] + [(CLOSEST, None)] * (len(cuts) - 1)

    def loss(z: Array) -> tuple[float, Array]:
        value, slope = _likelihood(z, x, y)
        pull = penalty @ (z - convention)
        return value + float((z - convention) @ pull) / 2, slope + pull

    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=SEARCH)
    z = np.asarray(found.x, np.float64)
    return z[: len(published)], np.asarray(np.cumsum(z[len(published) :]))


def _joined(beta: Array, theta: Array) -> Array:
    """What is searched: weights, the first threshold, and spacings, which bounds keep in order."""
    return np.concatenate([beta, theta[:1], np.diff(theta)])


def _penalty(published: Array, cuts: Array) -> Array:
    """Precision matrix of the prior over (beta, first threshold, spacings).

    Written for deviations from the convention at the slope s = sum(beta) that ratings show, so that noisy and exact
    raters are drawn to the same weights and cut-points, and s itself a little to 1.
    """
    parts, count = len(published), len(cuts)
    slope = np.zeros(parts + count)
    slope[:parts] = 1
    theta = np.zeros((count, parts + count))
    theta[:, parts:] = np.tril(np.ones((count, count)))  # theta = first threshold + cumulative spacings
    spacings = np.diff(cuts)
    rows = [
        (np.eye(parts, parts + count) - np.outer(published, slope)) / WEIGHT_SD,
        (theta.mean(0) - cuts.mean() * slope)[None] / LEVEL_SD,
        (np.diff(theta, axis=0) - np.outer(spacings, slope)) / (SPACING_SD * spacings[:, None]),
        slope[None] / SLOPE_SD,
    ]
    deviation = np.concatenate(rows)
    return np.asarray(deviation.T @ deviation)


def _likelihood(z: Array, x: Array, y: Levels) -> tuple[float, Array]:
    """Negative log likelihood at z = (beta, first threshold, spacings), and its gradient.

    ``F(a) - F(b) = F(a) (1 - F(b)) (1 - exp(b - a))``, so no difference of nearly equal numbers is taken.
    """
    parts = x.shape[1]
    theta = np.cumsum(z[parts:])
    eta = x @ z[:parts]
    under, over = y < len(theta), y > 0
    a = theta[np.minimum(y, len(theta) - 1)] - eta  # to the threshold above
    b = theta[np.maximum(y - 1, 0)] - eta  # to the one below
    inner = y[under & over]
    gap = z[parts + inner]
    value = np.logaddexp(0, -a[under]).sum() + np.logaddexp(0, b[over]).sum() - np.log(-np.expm1(-gap)).sum()
    above, below = np.where(under, expit(-a), 0), np.where(over, expit(b), 0)
    bins = len(theta) + 1
    to_theta = np.bincount(y, below, bins)[1:] - np.bincount(y, above, bins)[:-1]
    to_gap = np.bincount(inner, -1 / np.expm1(gap), len(theta))
    slope = np.concatenate([x.T @ (above - below), np.cumsum(to_theta[::-1])[::-1] + to_gap])
    return float(value), slope


def _level(eta: Array, theta: Array) -> Levels:
    """The median level."""
    return np.searchsorted(theta, eta, side="right").astype(np.int64)


def _folds(n: int) -> Iterator[NDArray[np.bool_]]:
    """Masks of what is left out; rows are in order of rating, so every fold spans the scale."""
    fold = np.arange(n) % min(n, FOLDS)
    return (fold == i for i in range(min(n, FOLDS)))


def _refit(
    beta: Array, theta: Array, *, scale: tuple[int, int], x: Array, y: Levels, index: Array, level: Levels
) -> Refit:
    """The result; `index` and `level` are predictions of fits that had not seen the rating."""
    published, cuts = _convention(), _cuts(scale)
    slope = float(beta.sum())
    rank, before = _tau(index, y), _tau(x @ published, y)
    return Refit(
        weights=tuple(float(w) for w in beta / slope),
        thresholds=tuple(float(t) for t in theta / slope),
        slope=slope,
        scale=scale,
        n=len(y),
        rank=rank,
        rank_convention=before,
        kappa=_kappa(y, level, len(cuts) + 1),
        kappa_convention=_kappa(y, _level(x @ published, cuts), len(cuts) + 1),
        note=_note(len(y), rank=rank, before=before),
    )


def _tau(index: Array, y: Levels) -> float:
    return float(kendalltau(index, y).statistic) if len(y) > 1 else float("nan")


def _kappa(y: Levels, level: Levels, levels: int) -> Kappa:
    return quadratic_kappa(y, level, levels=levels) if len(y) else Kappa(*[float("nan")] * 3)


def _note(n: int, *, rank: float, before: float) -> str:
    if n < LEAST:
        return f"{n} of {LEAST} ratings: too few to learn from, so severity is the convention."
    if not np.isfinite(rank):
        return f"{n} ratings, all alike: they say how stern the wearer is, and nothing of what makes a cramp bad."
    return f"{n} ratings: in rank they agree {rank:.2f} with this fit, {before:.2f} with the convention."
