"""Rate by hour: since the period began (of a night seen: since sleep onset), or by the wearer's clock. Pure.

Usable time is where it was seen, in steps of five minutes; an hour hardly seen has no rate, as missing is not zero.
Where it is not known when a period was usable, its usable time is spread evenly from start to end: a device that was
off for the same hour of every night would make that hour look quiet, so no hour is named then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from api.observed import RATE_H, Observed
from api.statistics.values import LEVEL, unknown
from api.trends.dispersion import METHOD, RATE, pearson, per_8_h
from api.trends.values import By, HourRate, Profile
from api.trends.weeks import judged
from api.trends.wording import rate
from api.zones import SECOND_NS, ZoneHistory

HOUR_NS: Final = 3600 * SECOND_NS
DAY_H: Final = 24
LEAST_H: Final = 4.0  # usable hours within an hour of the profile, below which it has no rate
LEAST_CRAMPS: Final = 10  # for a sentence about the hour with most
MOST_EVEN: Final = 0.05  # of the usable hours: more of them spread evenly, and no hour is named
MOST_LABELS: Final = 3  # in a sentence
NOT_SEEN: Final = "This hour was hardly seen, so there is no rate."
NOT_KNOWN: Final = "Not known is when the device saw enough, so no hour is named: a quiet one may not have been seen."


def profile(among: Sequence[Observed], *, by: By, zones: ZoneHistory) -> Profile:
    """Rate by hour with its exposure; intervals widened by the dispersion of counts by period and hour."""
    planned: dict[int, float] = defaultdict(float)
    hours: dict[int, float] = defaultdict(float)
    cramps: dict[int, int] = defaultdict(int)
    even_h = 0.0
    cells: list[tuple[int, int, float]] = []  # hour, cramps, usable hours
    for item in judged(among):
        counted: dict[int, int] = defaultdict(int)
        for cramp in item.cramps:
            if cramp.confirmed is not False:
                counted[_hour(item, cramp.onset_ns, by=by, zones=zones)] += 1
        even_h += 0.0 if item.usable_spans else item.usable_h
        for hour, (length_h, usable_h) in _exposed(item, by=by, zones=zones).items():
            planned[hour] += length_h
            hours[hour] += usable_h
            cramps[hour] += counted[hour]
            cells.append((hour, counted[hour], usable_h))
    # Hours that hardly belong to a period are left out; those that do, and were hardly seen, are shown as missing.
    shown = [hour for hour in _in_order(planned, by=by, among=among) if planned[hour] >= LEAST_H]
    kept = [hour for hour in shown if hours[hour] >= LEAST_H]
    dispersion, df = _dispersion(cells, hours=hours, cramps=cramps, kept=kept)
    items = tuple(
        HourRate(
            hour,
            _label(hour, by=by),
            hours[hour],
            cramps[hour],
            per_8_h(cramps[hour], hours[hour], dispersion=dispersion, df=df)
            if hour in kept
            else unknown(RATE, method=METHOD, note=NOT_SEEN),
        )
        for hour in shown
    )
    known = even_h <= MOST_EVEN * sum(hours.values())
    return Profile(by, items, dispersion, _sentence(items, by=by, known=known, dispersion=dispersion, df=df))


def _dispersion(
    cells: Iterable[tuple[int, int, float]], *, hours: dict[int, float], cramps: dict[int, int], kept: Sequence[int]
) -> tuple[float, float]:
    """Pearson's dispersion over cells of one hour of one period: more than 1 where cramps come in bouts."""
    inside = [cell for cell in cells if cell[0] in kept]
    counts = np.array([count for _, count, _ in inside], dtype=np.float64)
    means = np.array([cramps[hour] / hours[hour] * usable for hour, _, usable in inside], dtype=np.float64)
    df = len(inside) - len(kept)
    return pearson(counts, means, df=df), df


def _exposed(item: Observed, *, by: By, zones: ZoneHistory) -> dict[int, tuple[float, float]]:
    """Hours of the profile that a period covers: how much of each, and how much of that was usable, hours."""
    spans = item.usable_spans or ((item.start_ns, item.end_ns),)
    # Stretches are usable for the most part, and may be of one leg of two: together they are the usable hours.
    share = min(1.0, item.usable_s * 1e9 / sum(end_ns - start_ns for start_ns, end_ns in spans))
    usable: dict[int, float] = defaultdict(float)
    for span in spans:
        for hour, length_ns in _overlaps(item, *span, by=by, zones=zones):
            usable[hour] += share * length_ns / HOUR_NS
    whole: dict[int, float] = defaultdict(float)
    for hour, length_ns in _overlaps(item, item.start_ns, item.end_ns, by=by, zones=zones):
        whole[hour] += length_ns / HOUR_NS
    return {hour: (length_h, usable[hour]) for hour, length_h in whole.items()}


def _overlaps(item: Observed, start_ns: int, end_ns: int, *, by: By, zones: ZoneHistory) -> Iterator[tuple[int, int]]:
    """Hours of the profile that a stretch of a period covers, and how much of each, ns; an hour may come twice."""
    if by == "since_start":
        yield from _whole_hours(start_ns - item.start_ns, end_ns - item.start_ns)
        return
    for segment in zones.segments(start_ns, end_ns):
        for hour, length_ns in _whole_hours(segment.start_ns + segment.offset_ns, segment.end_ns + segment.offset_ns):
            yield hour % DAY_H, length_ns


def _whole_hours(at_ns: int, end_ns: int) -> Iterator[tuple[int, int]]:
    """A stretch cut at whole hours."""
    while at_ns < end_ns:
        until_ns = min(end_ns, (at_ns // HOUR_NS + 1) * HOUR_NS)
        yield at_ns // HOUR_NS, until_ns - at_ns
        at_ns = until_ns


def _hour(item: Observed, instant_ns: int, *, by: By, zones: ZoneHistory) -> int:
    return (instant_ns - item.start_ns) // HOUR_NS if by == "since_start" else zones.local(instant_ns).hour


def _in_order(hours: Iterable[int], *, by: By, among: Sequence[Observed]) -> list[int]:
    """By the clock a night is read from noon to noon, so that midnight stands in its middle."""
    nightly = by == "clock" and bool(among) and among[0].kind == "night"
    return sorted(hours, key=lambda hour: (hour - DAY_H // 2) % DAY_H if nightly else hour)


def _label(hour: int, *, by: By) -> str:
    return f"hour {hour + 1}" if by == "since_start" else f"{hour:02d}–{(hour + 1) % DAY_H:02d}"


def _sentence(items: Sequence[HourRate], *, by: By, known: bool, dispersion: float, df: float) -> str:
    """The highest hour is named only if it stands out for the highest of so many (Bonferroni)."""
    rated = [item for item in items if item.rate.known]
    total = sum(item.cramps for item in rated)
    if total < LEAST_CRAMPS or len(rated) < 2:
        needed = f"needed are {LEAST_CRAMPS} cramps, and two hours with {LEAST_H:.0f} usable hours each"
        return f"Not enough data for a profile by hour: {needed}."
    if not known:
        return NOT_KNOWN
    most = max(rated, key=lambda item: item.rate.value)
    others = sum(item.cramps for item in rated if item is not most)
    elsewhere = others / sum(item.usable_h for item in rated if item is not most) * RATE_H
    where = f"in the {most.label} of the period" if by == "since_start" else f"at {most.label} h"
    where = where.replace(f"hour {most.hour + 1}", f"{_nth(most.hour + 1)} hour")
    level = 1.0 - (1.0 - LEVEL) / len(rated)
    strict = per_8_h(most.cramps, most.usable_h, dispersion=dispersion, df=df, level=level)
    if strict.low > elsewhere:
        told = f"Most come {where}: {rate(most.rate)}, against {elsewhere:.1f} in the other hours seen."
    else:
        told = f"No hour stands out: the highest bar is {where}, and may be chance."
    return f"{told}{_missing(items)}"


def _missing(items: Sequence[HourRate]) -> str:
    """Hours without a rate are no hours without cramps."""
    labels = [item.label for item in items if not item.rate.known]
    if not labels:
        return ""
    which = ", ".join(labels) if len(labels) <= MOST_LABELS else f"{len(labels)} of the {len(items)} hours"
    return f" Hardly seen, so not known: {which}."


def _nth(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
