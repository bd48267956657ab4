"""Rate by hour: since the period began (of a night seen: since sleep onset), or by the wearer's clock. Pure.

The hours that an hour of the profile rests on are an approximation: usable time is known by period, and is spread
evenly from its start to its end. Where a device was off for the same hour of every night, that hour looks too quiet.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from api.observed import RATE_H, Observed
from api.statistics.values import LEVEL
from api.trends.dispersion import pearson, per_8_h
from api.trends.values import By, HourRate, Profile
from api.trends.weeks import judged
from api.trends.wording import rate
from api.zones import SECOND_NS, ZoneHistory

HOUR_NS: Final = 3600 * SECOND_NS
DAY_H: Final = 24
LEAST_H: Final = 4.0  # usable hours within an hour of the profile, below which it is left out
LEAST_CRAMPS: Final = 10  # for a sentence about the hour with most
APPROXIMATION: Final = "Hours are spread evenly over each period, which is an approximation."


def profile(among: Sequence[Observed], *, by: By, zones: ZoneHistory) -> Profile:
    """Rate by hour with its exposure; intervals widened by the dispersion of counts by period and hour."""
    hours: dict[int, float] = defaultdict(float)
    cramps: dict[int, int] = defaultdict(int)
    cells: list[tuple[int, int, float]] = []  # hour, cramps, usable hours
    for item in judged(among):
        counted: dict[int, int] = defaultdict(int)
        for cramp in item.cramps:
            if cramp.confirmed is not False:
                counted[_hour(item, cramp.onset_ns, by=by, zones=zones)] += 1
        share = item.usable_s * 1e9 / (item.end_ns - item.start_ns)
        for hour, length_ns in _overlaps(item, by=by, zones=zones):
            usable_h = share * length_ns / HOUR_NS
            hours[hour] += usable_h
            cramps[hour] += counted.get(hour, 0)
            cells.append((hour, counted.pop(hour, 0), usable_h))
    kept = [hour for hour in _in_order(hours, by=by, among=among) if hours[hour] >= LEAST_H]
    dispersion, df = _dispersion(cells, hours=hours, cramps=cramps, kept=kept)
    items = tuple(
        HourRate(
            hour,
            _label(hour, by=by),
            hours[hour],
            cramps[hour],
            per_8_h(cramps[hour], hours[hour], dispersion=dispersion, df=df),
        )
        for hour in kept
    )
    return Profile(by, items, dispersion, _sentence(items, by=by, dispersion=dispersion, df=df))


def _dispersion(
    cells: Iterable[tuple[int, int, float]], *, hours: dict[int, float], cramps: dict[int, int], kept: Sequence[int]
) -> tuple[float, float]:
    """Pearson's dispersion over cells of one hour of one period: more than 1 where cramps come in bouts."""
    inside = [cell for cell in cells if cell[0] in kept]
    counts = np.array([count for _, count, _ in inside], dtype=np.float64)
    means = np.array([cramps[hour] / hours[hour] * usable for hour, _, usable in inside], dtype=np.float64)
    df = len(inside) - len(kept)
    return pearson(counts, means, df=df), df


def _overlaps(item: Observed, *, by: By, zones: ZoneHistory) -> list[tuple[int, int]]:
    """Hours of the profile that a period covers, and how much of each, ns; an hour may come twice."""
    if by == "since_start":
        length_ns = item.end_ns - item.start_ns
        return [(hour, min(HOUR_NS, length_ns - hour * HOUR_NS)) for hour in range(-(-length_ns // HOUR_NS))]
    found: dict[int, int] = defaultdict(int)
    for segment in zones.segments(item.start_ns, item.end_ns):
        at_ns, end_ns = segment.start_ns + segment.offset_ns, segment.end_ns + segment.offset_ns
        while at_ns < end_ns:
            until_ns = min(end_ns, (at_ns // HOUR_NS + 1) * HOUR_NS)
            found[at_ns // HOUR_NS % DAY_H] += until_ns - at_ns
            at_ns = until_ns
    return list(found.items())


def _hour(item: Observed, instant_ns: int, *, by: By, zones: ZoneHistory) -> int:
    return (instant_ns - item.start_ns) // HOUR_NS if by == "since_start" else zones.local(instant_ns).hour


def _in_order(hours: Iterable[int], *, by: By, among: Sequence[Observed]) -> list[int]:
    """By the clock a night is read from noon to noon, so that midnight stands in its middle."""
    nightly = by == "clock" and bool(among) and among[0].kind == "night"
    return sorted(hours, key=lambda hour: (hour - DAY_H // 2) % DAY_H if nightly else hour)


def _label(hour: int, *, by: By) -> str:
    return f"hour {hour + 1}" if by == "since_start" else f"{hour:02d}–{(hour + 1) % DAY_H:02d}"


def _sentence(items: Sequence[HourRate], *, by: By, dispersion: float, df: float) -> str:
    """The highest hour is named only if it stands out for the highest of so many (Bonferroni)."""
    total = sum(item.cramps for item in items)
    if total < LEAST_CRAMPS or len(items) < 2:
        return f"Not enough data for a profile by hour: needed are {LEAST_CRAMPS} cramps. {APPROXIMATION}"
    most = max(items, key=lambda item: item.rate.value)
    others = sum(item.cramps for item in items if item is not most)
    elsewhere = others / sum(item.usable_h for item in items if item is not most) * RATE_H
    where = f"in the {most.label} of the period" if by == "since_start" else f"at {most.label} h"
    where = where.replace(f"hour {most.hour + 1}", f"{_nth(most.hour + 1)} hour")
    level = 1.0 - (1.0 - LEVEL) / len(items)
    strict = per_8_h(most.cramps, most.usable_h, dispersion=dispersion, df=df, level=level)
    if strict.low > elsewhere:
        return f"Most come {where}: {rate(most.rate)}, against {elsewhere:.1f} in the other hours. {APPROXIMATION}"
    return f"No hour stands out: the highest bar is {where}, and may be chance. {APPROXIMATION}"


def _nth(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
