"""Do cramps keep to days of the week? One test of all seven, by exchanging days within their week. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from api.observed import RATE_H, Observed
from api.trends.dispersion import DoubleArray, pearson, per_8_h
from api.trends.values import Shown, WeekdayRate, Weekdays
from api.trends.weeks import DAYS, judged
from api.trends.wording import noun, p_text

NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEAST_EACH: Final = 4  # judged periods of every day of the week
LEAST_CRAMPS: Final = 21  # three of every day
SHOWN_BELOW: Final = 0.01  # seven days, looked at every week: 5 % would be shown to somebody all the time
EXCHANGES: Final = 1999


def weekdays(among: Sequence[Observed], *, last: date) -> Weekdays:
    """Rates by day of the week and the test; weeks end with the range."""
    good = judged(among)
    counts = np.array([item.count for item in good], dtype=np.float64)
    exposures = np.array([item.usable_h / RATE_H for item in good], dtype=np.float64)
    days = np.array([item.weekday for item in good], dtype=np.int64)
    items = _items(counts, exposures, days)
    if min(item.periods for item in items) < LEAST_EACH or counts.sum() < LEAST_CRAMPS:
        return Weekdays("not_enough_data", None, items, _too_little(among))
    weeks = np.array([(last - item.date).days // DAYS for item in good], dtype=np.int64)
    p = exchanged(counts, exposures, days, weeks=weeks)
    verdict: Shown = "shown" if p < SHOWN_BELOW else "not_shown"
    return Weekdays(verdict, p, items, _sentence(items, p))


def exchanged(
    counts: DoubleArray, exposures: DoubleArray, days: np.ndarray[tuple[int], np.dtype[np.int64]], *,
    weeks: np.ndarray[tuple[int], np.dtype[np.int64]], times: int = EXCHANGES,
) -> float:  # fmt: skip
    """p of the omnibus test: periods are exchanged, with their exposure, among the days of their week.

    Valid whatever the weeks have in common: trend, a bad week, overdispersion between weeks. The statistic is
    Pearson's, of cramps by weekday against what the rate of each week would give. Monte Carlo p after Phipson and
    Smyth 2010: (1 + at least as large) / (1 + exchanges).
    """
    order = np.argsort(weeks, kind="stable")
    counts, exposures, days, weeks = counts[order], exposures[order], days[order], weeks[order]
    _, index = np.unique(weeks, return_inverse=True)
    rates = (np.bincount(index, counts) / np.bincount(index, exposures))[index]
    member = np.eye(DAYS)[days]
    keys = np.random.default_rng(0).random((times, len(counts))) + index
    shuffled = np.argsort(keys, axis=1)
    every = np.vstack([np.arange(len(counts)), shuffled])
    seen, meant = counts[every] @ member, (exposures[every] * rates) @ member
    with np.errstate(invalid="ignore", divide="ignore"):
        figure = np.where(meant > 0, (seen - meant) ** 2 / meant, 0.0).sum(axis=1)
    return float((1 + np.count_nonzero(figure[1:] >= figure[0] - 1e-9)) / (1 + times))


def _items(
    counts: DoubleArray, exposures: DoubleArray, days: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> tuple[WeekdayRate, ...]:
    member = np.eye(DAYS)[days] if len(days) else np.zeros((0, DAYS))
    seen, hours, number = counts @ member, exposures @ member * RATE_H, member.sum(axis=0)
    rates = np.divide(seen, hours, out=np.zeros(DAYS), where=hours > 0)
    df = len(counts) - int(np.count_nonzero(hours))
    dispersion = pearson(counts, rates[days] * exposures * RATE_H, df=df) if len(days) else 1.0
    return tuple(
        WeekdayRate(
            day,
            NAMES[day],
            int(number[day]),
            float(hours[day]),
            int(seen[day]),
            per_8_h(float(seen[day]), float(hours[day]), dispersion=dispersion, df=df),
        )
        for day in range(DAYS)
    )


def _too_little(among: Sequence[Observed]) -> str:
    kind = noun(among[0].kind if among else "night", 2)
    return (
        f"Not enough data for days of the week: needed are {LEAST_EACH} {kind} of each day of the "
        f"week that could be judged, and {LEAST_CRAMPS} cramps."
    )


def _sentence(items: Sequence[WeekdayRate], p: float) -> str:
    if p >= SHOWN_BELOW:
        return f"No pattern by day of the week is shown ({p_text(p)}): differences between the bars may be chance."
    most = max(items, key=lambda item: item.rate.value)
    least = min(items, key=lambda item: item.rate.value)
    return (
        f"The days of the week differ by more than chance ({p_text(p)}): most on {most.name} "
        f"({most.rate.value:.1f} per 8 usable hours), fewest on {least.name} ({least.rate.value:.1f})."
    )
