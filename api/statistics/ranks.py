"""Exact null distributions of the two rank statistics, ties included, and what an interval cuts off by them.

SciPy counts them without ties only; counts of cramps have many. Both are counted here by adding one rank after the
other (Streitberg and Röhmel 1986, the shift algorithm), over mid-ranks that are doubled so that they are whole.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
EXACT_PAIRS: Final = 200  # beyond, the normal approximation is closer than anybody can see
EXACT_TOGETHER: Final = 100


def doubled_ranks(values: Floats) -> Whole:
    """Twice the mid-ranks, so that ties stay whole numbers."""
    return np.rint(2.0 * np.asarray(stats.rankdata(values))).astype(np.int64)


def signed_distribution(ranks: Whole) -> Floats:
    """Probabilities of each sum of the ranks that get a plus, where every sign is plus or minus alike."""
    chances = np.zeros(int(ranks.sum()) + 1)
    chances[0] = 1.0
    for rank in ranks:
        moved = np.zeros_like(chances)
        moved[rank:] = chances[: chances.size - rank]
        chances = (chances + moved) / 2.0
    return chances


def subset_distribution(ranks: Whole, size: int) -> Floats:
    """Probabilities of each sum of `size` of the ranks, every choice alike."""
    ways = np.zeros((size + 1, int(ranks.sum()) + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    return np.asarray(ways[size] / ways[size].sum())


def two_sided(chances: Floats, seen: int) -> float:
    """Twice the smaller tail, the value that was seen included."""
    return float(min(1.0, 2.0 * min(chances[: seen + 1].sum(), chances[seen:].sum())))


def cut_of_pairs(n: int, level: float) -> int:
    """Which of the ordered Walsh averages, from each end, is the edge of an interval; 0 where none has that level."""
    tail = (1.0 - level) / 2.0
    if n > EXACT_PAIRS:
        centre, spread = n * (n + 1) / 4.0, np.sqrt(n * (n + 1) * (2 * n + 1) / 24.0)
        return int(np.floor(centre + spread * stats.norm.ppf(tail)))
    return _below(signed_distribution(np.arange(1, n + 1)), tail)


def cut_of_groups(m: int, n: int, level: float) -> int:
    """Which of the ordered differences of two groups, from each end, is the edge of an interval."""
    tail = (1.0 - level) / 2.0
    if m + n > EXACT_TOGETHER:
        centre, spread = m * n / 2.0, np.sqrt(m * n * (m + n + 1) / 12.0)
        return int(np.floor(centre + spread * stats.norm.ppf(tail)))
    least = m * (m + 1) // 2
    return _below(subset_distribution(np.arange(1, m + n + 1), m)[least:], tail)


def _below(chances: Floats, tail: float) -> int:
    # A sum that is exactly the tail must count as within it, whatever the last digit says.
    return int(np.searchsorted(np.cumsum(chances), tail * (1.0 + 1e-9), side="right"))


def finite(values: Sequence[float]) -> Floats:
    """The values that are numbers: a period without data is missing, not zero."""
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    return np.asarray(array[np.isfinite(array)])
