"""Periods sorted into weeks, and what a set of periods rests on. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.observed import RATE_H, Observed, counted, exposure_h
from api.statistics.rates import rate_interval
from api.statistics.values import Estimate
from api.trends.values import Cover, Week

DAYS: Final = 7
DoubleArray = NDArray[np.float64]


def judged(among: Sequence[Observed]) -> list[Observed]:
    """Periods that count: those seen long enough. The others are missing, not zero."""
    return [item for item in among if item.enough and item.usable_s > 0]


def cover(among: Sequence[Observed]) -> Cover:
    """What a figure about these periods rests on."""
    good = judged(among)
    return Cover(
        planned=len(among),
        judged=len(good),
        expected_h=sum(item.expected_s for item in among) / 3600.0,
        usable_h=exposure_h(among),
        judged_h=exposure_h(good),
        cramps=counted(good),
        unjudged_cramps=counted(among) - counted(good),
        unassigned=sum(item.expected_s == 0 for item in among),
    )


def per_8_h(count: int, hours: float) -> Estimate:
    """Episodes per 8 usable hours with Garwood's exact interval."""
    return rate_interval(count, hours / RATE_H)


def weekly(among: Sequence[Observed], *, first: date, last: date) -> list[Week]:
    """Weeks that end with the range; the first of them may be shorter."""
    weeks: list[Week] = []
    end = last
    while end >= first:
        begin = max(first, end - timedelta(days=DAYS - 1))
        covered = cover([item for item in among if begin <= item.date <= end])
        weeks.append(Week(begin, end, covered, per_8_h(covered.cramps, covered.judged_h)))
        end = begin - timedelta(days=1)
    return weeks[::-1]


def told(weeks: Sequence[Week]) -> list[Week]:
    """Weeks with at least one judged period."""
    return [week for week in weeks if week.cover.judged]


def counts_of(weeks: Sequence[Week]) -> DoubleArray:
    """Cramps by week."""
    return np.array([week.cover.cramps for week in weeks], dtype=np.float64)


def exposures_of(weeks: Sequence[Week]) -> DoubleArray:
    """Exposure by week in units of 8 usable hours."""
    return np.array([week.cover.judged_h / RATE_H for week in weeks], dtype=np.float64)


def middle(week: Week) -> date:
    """The date in the middle of a week."""
    return week.first + (week.last - week.first) // 2
