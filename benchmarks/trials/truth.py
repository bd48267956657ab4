"""What is true of a simulated cohort, which no analysis is told.

Means and spreads are those of the articles: gamma-Poisson between people (shape 2.2 to 3.2), counts of a week
negative binomial, one cramp bringing on another within the hour, 73 % of rest cramps at night (Naylor and Young 1994,
doi 10.1093/ageing/23.5.418), placebo arms that fall by 28 to 36 % within four weeks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from types import MappingProxyType
from typing import Final

from api.observed import ObservedKind

EVERY_DAY: Final = (0, 1, 2, 3, 4, 5, 6)
NO_EFFECT: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a wearer's windows are: nights, or sessions on some weekdays; the rest of the time lies between them."""

    kind: ObservedKind = "night"
    rest: ObservedKind = "day"
    weekdays: tuple[int, ...] = EVERY_DAY
    begins: time = time(22, 0)
    hours: int = 8
    inside: float = 0.73  # of all cramps
    zone: str = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Truth:
    """How cramps come, and how they are seen."""

    per_week: float = 4.0  # in and outside the windows, without drift or treatment
    shape: float = 2.5  # of the gamma of people's levels; inf: all alike
    weekly: float = 3.0  # k of the negative binomial count of a week; inf: Poisson
    wander: float = 0.0  # squared coefficient of variation of a person's level from phase to phase
    kick: float = 0.1  # further cramps that each one brings on within the memory
    memory_min: float = 60.0
    drift: float = 0.0  # change of the level from the first treatment phase on: -0.3 falls to 70 %
    drift_weeks: float = 4.0  # until it is reached
    median_s: float = 90.0
    spread: float = 0.8  # of the logarithm of durations
    missing: float = 0.1  # share of windows without any data
    partly: float = 0.1  # share of windows of which only some was usable
    sensitivity: float = 0.9
    false_alarms: float = 0.0  # in eight usable hours
    rhythm: Rhythm = Rhythm()
