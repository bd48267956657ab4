"""One rate against another, exact and by the counts' own spread, and what that allows to say. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.observed import RATE_H
from api.statistics.dispersed import rate_ratio_weeks
from api.statistics.power import power_two_rates
from api.statistics.rates import rate_ratio_exact
from api.statistics.values import Estimate
from api.trends.dispersion import DoubleArray, pearson
from api.trends.trend import LEAST_POWER, direction
from api.trends.values import Direction

HALVING: Final = 0.5
MOST_CRAMPS: Final = 1000  # that are looked for


@dataclass(frozen=True, slots=True)
class Side:
    """Counts with their hours, one of each week or of each stretch."""

    counts: tuple[int, ...]
    hours: tuple[float, ...]

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def exposure(self) -> float:
        """In units of 8 usable hours."""
        return sum(self.hours) / RATE_H


@dataclass(frozen=True, slots=True)
class Compared:
    """Rate of a over that of b. The exact interval presumes Poisson; what is said rests on the dispersed one."""

    exact: Estimate
    dispersed: Estimate
    verdict: Direction
    power: float  # to show a halving


def compare(a: Side, b: Side) -> Compared:
    """Both ratios. Where 1 is not left out and even a halving would hardly be shown, there is not enough data."""
    exact = rate_ratio_exact(a.count, a.exposure, b.count, b.exposure)
    dispersed = rate_ratio_weeks(
        [*a.counts, *b.counts],
        [hours / RATE_H for hours in (*a.hours, *b.hours)],
        [1] * len(a.counts) + [0] * len(b.counts),
    )
    power = _power(a, b)
    seen = direction(dispersed)
    # Both must agree: few stretches know little of their spread, many with Poisson alone claim too much.
    if seen != direction(exact):
        seen = "no_change_shown"
    if seen == "no_change_shown" and power < LEAST_POWER:
        seen = "not_enough_data"
    return Compared(exact, dispersed, seen, power)


def dispersion(sides: Sequence[Side]) -> float:
    """Pearson's, each side about its own rate; at least 1."""
    counts, means, used = _about(sides)
    return max(1.0, pearson(counts, means, df=len(counts) - used))


def _about(sides: Sequence[Side]) -> tuple[DoubleArray, DoubleArray, int]:
    some = [side for side in sides if side.exposure > 0]
    counts = np.array([count for side in some for count in side.counts], dtype=np.float64)
    means = np.array(
        [side.count / side.exposure * hours / RATE_H for side in some for hours in side.hours], dtype=np.float64
    )
    return counts, means, len(some)


def cramps_needed(a: Side, b: Side) -> int | None:
    """Cramps in all, shared out as the hours are, with which a halving would be shown; None without hours on a side."""
    if min(a.exposure, b.exposure) <= 0:
        return None
    spread = dispersion([a, b])
    total = 1
    while total < MOST_CRAMPS and _power_at(a, b, total=total, spread=spread) < LEAST_POWER:
        total += 1
    return total


def _power(a: Side, b: Side) -> float:
    if min(a.exposure, b.exposure) <= 0 or a.count + b.count == 0:
        return 0.0
    return _power_at(a, b, total=a.count + b.count, spread=dispersion([a, b]))


def _power_at(a: Side, b: Side, *, total: int, spread: float) -> float:
    rate = total / (a.exposure + b.exposure)
    return power_two_rates(expected_a=rate * b.exposure, expected_b=rate * a.exposure, ratio=HALVING, dispersion=spread)
