"""What `confidence` is worth: of the episodes given 0.8, how many are cramps?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from benchmarks.accuracy.intervals import Estimate, wilson
from benchmarks.accuracy.score import Scored

EDGES: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Episodes of like confidence."""

    low: float
    high: float
    episodes: int
    mean: float  # confidence
    real: Estimate  # share of cramps


@dataclass(frozen=True, slots=True)
class Reliability:
    """The curve and two sums of it."""

    bins: tuple[Bin, ...]
    brier: float  # mean squared distance of confidence from what it was, 0 or 1 (Brier 1950)
    error: float  # mean distance of the curve from the diagonal, weighed by episodes (ECE)


def reliability(recordings: Sequence[Scored]) -> Reliability:
    """The curve over every episode of the recordings."""
    told = np.array([(e.confidence, e.cramps > 0) for one in recordings for e in one.episodes], np.float64)
    if not told.size:
        return Reliability((), float("nan"), float("nan"))
    given, real = told.T
    bins = []
    for low, high in pairwise(EDGES):
        inside = (given >= low) & ((given < high) | (high == EDGES[-1]))
        if inside.any():
            n = int(inside.sum())
            bins.append(Bin(low, high, n, float(given[inside].mean()), wilson(int(real[inside].sum()), n)))
    return Reliability(
        bins=tuple(bins),
        brier=float(np.mean((given - real) ** 2)),
        error=sum(b.episodes * abs(b.mean - b.real.value) for b in bins) / len(given),
    )
