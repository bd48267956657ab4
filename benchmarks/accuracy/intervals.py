"""Intervals of 95 %: exact ones for shares and rates, Wilson's for bins, bootstrap over recordings for the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL: Final = 0.95
TAIL: Final = (1 - LEVEL) / 2
ROUNDS: Final = 1000
T = TypeVar("T")
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; all NaN where there is nothing to measure."""

    value: float
    low: float
    high: float


NOTHING: Final = Estimate(np.nan, np.nan, np.nan)


def share(hits: int, total: int) -> Estimate:
    """Clopper-Pearson (1934, 10.1093/biomet/26.4.404)."""
    if not total:
        return NOTHING
    low = float(stats.beta.ppf(TAIL, hits, total - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(1 - TAIL, hits + 1, total - hits)) if hits < total else 1.0
    return Estimate(hits / total, low, high)


def rate(events: int, exposure: float) -> Estimate:
    """Events per unit of exposure, Poisson: Garwood (1936, 10.1093/biomet/28.3-4.437)."""
    if not exposure > 0:
        return NOTHING
    low = float(stats.chi2.ppf(TAIL, 2 * events)) / 2 if events else 0.0
    high = float(stats.chi2.ppf(1 - TAIL, 2 * events + 2)) / 2
    return Estimate(events / exposure, low / exposure, high / exposure)


def wilson(hits: int, total: int) -> Estimate:
    """Wilson's score interval (1927, 10.1080/01621459.1927.10502953): never collapses at 0 or 1."""
    if not total:
        return NOTHING
    z = float(stats.norm.ppf(1 - TAIL))
    p, n = hits / total, total
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return Estimate(p, max(0.0, centre - half), min(1.0, centre + half))


def bootstrap(groups: Sequence[Sequence[T]], statistic: Callable[[Sequence[T]], float]) -> Estimate:
    """A statistic of all members, with percentiles of it over resampled groups.

    Members of one group (cramps of one recording) are alike, so groups are drawn and not members. The draws are the
    same every time.
    """
    filled = [group for group in groups if group]
    members = [member for group in filled for member in group]
    if not members:
        return NOTHING
    rng = np.random.default_rng(20_260_101)
    drawn = []
    for _ in range(ROUNDS):
        picked = rng.integers(0, len(filled), len(filled))
        value = statistic([member for index in picked for member in filled[index]])
        if np.isfinite(value):
            drawn.append(value)
    low, high = np.percentile(drawn, [100 * TAIL, 100 * (1 - TAIL)]) if drawn else (np.nan, np.nan)
    return Estimate(statistic(members), float(low), float(high))


def spearman(pairs: Sequence[tuple[float, float]]) -> float:
    """Rank correlation; NaN where there are fewer than three pairs or one side is constant."""
    if len(pairs) < 3:
        return float("nan")
    ranks: FloatArray = stats.rankdata(np.asarray(pairs, np.float64), axis=0)
    if not np.ptp(ranks, axis=0).all():
        return float("nan")
    return float(np.corrcoef(ranks[:, 0], ranks[:, 1])[0, 1])
