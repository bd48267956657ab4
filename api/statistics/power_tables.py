"""What trials that have not been made would show: many tables of counts at once, drawn from what is presumed.

Rules
-----
- A person's level is gamma distributed, each of their weeks multiplies it by a gamma variable (so that weekly counts
  are negative binomial), and so may each of their periods. A single person's own level is given, so it is not drawn.
- Nights are usable at random; counts are seen with a sensitivity, and false alarms are added to them by night.
- The same seed gives the same tables.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DoubleArray = NDArray[np.float64]
NIGHTS: Final = 7.0
CORRELATED_WEEKS: Final = 4  # published correlations are of counts of about four weeks


@dataclass(frozen=True, slots=True)
class Presumed:
    """How cramps come and how they are seen."""

    per_week: float  # a week of seven full nights, under control
    ratio: float = 0.5  # true rate under treatment over that under control
    weekly_k: float = 3.0  # negative binomial shape of a week's count; inf: Poisson
    people_shape: float = 2.5  # gamma shape of people's levels; inf: one person, or all alike
    correlation: float = 0.5  # of one person's counts in two periods of four weeks; matters to groups only
    usable: float = 0.9  # share of nights
    sensitivity: float = 0.9
    false_alarms: float = 0.1  # a night

    @property
    def seen_per_week(self) -> float:
        """What a device counts in seven full nights under control."""
        return self.sensitivity * self.per_week + NIGHTS * self.false_alarms

    @property
    def seen_ratio(self) -> float:
        """The ratio that a device sees: (s R r + f) / (s R + f), nearer to 1 than the true one."""
        return (self.sensitivity * self.per_week * self.ratio + NIGHTS * self.false_alarms) / self.seen_per_week

    @property
    def wander(self) -> float:
        """Squared coefficient of variation of a person's level from period to period, which gives the correlation.

        cov = W2 m2 B and var = W2 m2 (B + V + B V) + W m + W m2 (1 + B) (1 + V) / k, of which V is left over. A higher
        correlation than chance in the counts leaves room for gives 0.
        """
        if math.isinf(self.people_shape):
            return 0.0
        steady, between, weekly = self._parts
        chance = steady * between * (1.0 / self.correlation - 1.0) - CORRELATED_WEEKS * self.per_week - weekly
        return max(0.0, chance / (steady * (1.0 + between) + weekly))

    @property
    def highest_correlation(self) -> float:
        """What chance in the counts leaves room for."""
        steady, between, weekly = self._parts
        return steady * between / (steady * between + CORRELATED_WEEKS * self.per_week + weekly)

    @property
    def _parts(self) -> tuple[float, float, float]:
        between, weeks = 1.0 / self.people_shape, float(CORRELATED_WEEKS)
        return (
            weeks**2 * self.per_week**2,
            between,
            weeks * self.per_week**2 * (1.0 + between) / self.weekly_k,
        )


def levels_of(presumed: Presumed, *, trials: int, people: int, periods: int, rng: np.random.Generator) -> DoubleArray:
    """Cramps a week of each person in each period, without treatment; `(trials, people, periods)`."""
    person = _gamma(rng, presumed.people_shape, (trials, people, 1))
    period = _gamma(rng, 1.0 / presumed.wander if presumed.wander else math.inf, (trials, people, periods))
    return presumed.per_week * person * period


def weeks_of(presumed: Presumed, ratios: DoubleArray, *, rng: np.random.Generator) -> tuple[DoubleArray, DoubleArray]:
    """Counts and usable weeks of one person's weeks, by the true ratio of each; all `(trials, weeks)`."""
    nights = rng.binomial(int(NIGHTS), presumed.usable, ratios.shape)
    return _seen(presumed, presumed.per_week * ratios, nights, spread=1.0, rng=rng)


def periods_of(
    presumed: Presumed, levels: DoubleArray, *, weeks: DoubleArray, rng: np.random.Generator
) -> tuple[DoubleArray, DoubleArray]:
    """Counts and usable weeks of whole periods, `(trials, people, periods)`, each of as many weeks as `weeks` says.

    A sum of weeks is drawn at once: the gamma variables of W weeks, weighted by their usable nights, add up to one of
    shape k W / (1 + (1 - u) / (7 u)).
    """
    nights = rng.binomial(np.round(NIGHTS * weeks).astype(np.int64), presumed.usable, levels.shape)
    uneven = 1.0 + (1.0 - presumed.usable) / (NIGHTS * presumed.usable)
    return _seen(presumed, levels, nights, spread=weeks / uneven, rng=rng)


def _seen(
    presumed: Presumed,
    per_week: DoubleArray,
    nights: NDArray[np.int64],
    *,
    spread: DoubleArray | float,
    rng: np.random.Generator,
) -> tuple[DoubleArray, DoubleArray]:
    exposures = nights / NIGHTS
    shape = presumed.weekly_k * spread
    varied = per_week * _gamma(rng, shape, per_week.shape)
    mean = exposures * (presumed.sensitivity * varied + NIGHTS * presumed.false_alarms)
    return rng.poisson(mean).astype(np.float64), exposures


def _gamma(rng: np.random.Generator, shape: DoubleArray | float, size: tuple[int, ...]) -> DoubleArray:
    """Gamma variables of mean 1; 1 where the shape is infinite."""
    if np.isinf(shape).any():
        return np.ones(size)
    return np.asarray(rng.gamma(shape, 1.0 / shape, size))
