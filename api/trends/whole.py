"""All that is told of one kind of period of one wearer. Pure: what was seen goes in, figures and sentences come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from api.diary.values import Intervention
from api.observed import Observed, ObservedKind
from api.statistics.values import Estimate
from api.trends.alarms import alarm_rate
from api.trends.changes import change
from api.trends.clusters import clusters
from api.trends.correcting import false_alarms
from api.trends.dispersion import pearson, per_8_h
from api.trends.hours import profile
from api.trends.nightday import night_day
from api.trends.trend import trend
from api.trends.values import Cover, FalseAlarms, Trend, Trends, Week
from api.trends.weekdays import weekdays
from api.trends.weeks import counts_of, cover, exposures_of, told, weekly
from api.trends.wording import of_cover, percent, rate
from api.zones import ZoneHistory

MUCH_MISSING: Final = 0.3
LEAST_WEEKS: Final = 4  # to know a dispersion by
NOTHING_CAUSED: Final = (
    "A trend tells what happened, not why: in trials, those who got nothing that works had a quarter to a third fewer "
    "cramps after four to six weeks. What a remedy does is told by a trial."
)
NO_DEVICE: Final = "Not a medical device."


@dataclass(frozen=True, slots=True)
class Material:
    """What trends are made of. `others` are the days beside nights, or the nights beside days."""

    wearer: str
    kind: ObservedKind
    first: date
    last: date
    among: tuple[Observed, ...]
    others: tuple[Observed, ...]
    interventions: tuple[Intervention, ...]
    zones: ZoneHistory


def trends(material: Material) -> Trends:
    """Every figure with its coverage."""
    kind, among, first, last = material.kind, material.among, material.first, material.last
    covered, weeks = cover(among), weekly(among, first=first, last=last)
    overall, slope = overall_rate(weeks), trend(weeks, last=last)
    nights, days = (among, material.others) if kind == "night" else (material.others, among)
    both = night_day(nights, days, first=first, last=last) if kind in ("night", "day") else None
    corrected = false_alarms(
        alarm_rate(among, kind=kind),
        seen=overall,
        weeks=weeks,
        last=last,
        slope=slope,
        night_day=both,
        by_night=alarm_rate(nights, kind="night"),
        by_day=alarm_rate(days, kind="day"),
    )
    return Trends(
        wearer=material.wearer,
        kind=kind,
        first=first,
        last=last,
        cover=covered,
        cover_sentence=of_cover(covered, kind),
        rate=overall,
        rate_sentence=f"{rate(overall)[0].upper()}{rate(overall)[1:]}.",
        weeks=tuple(weeks),
        trend=slope,
        weekdays=weekdays(among, last=last),
        change=change(weeks, interventions=material.interventions, first=first, last=last),
        profiles=tuple(profile(among, by=by, zones=material.zones) for by in ("since_start", "clock")),
        clusters=clusters(among),
        night_day=both,
        false_alarms=corrected,
        caveats=_caveats(covered, corrected),
        sentence=_sentence(slope, overall, covered, kind),
    )


def overall_rate(weeks: Sequence[Week]) -> Estimate:
    """Episodes per 8 usable hours of the whole range; weeks that differ by more than chance widen its interval."""
    some = told(weeks)
    counts, exposures = counts_of(some), exposures_of(some)
    df = len(some) - 1
    hours = sum(week.cover.judged_h for week in some)
    if len(some) < LEAST_WEEKS:
        return per_8_h(float(counts.sum()), hours)
    spread = pearson(counts, exposures * counts.sum() / exposures.sum(), df=df)
    return per_8_h(float(counts.sum()), hours, dispersion=spread, df=df if spread > 1.0 else np.inf)


def _caveats(covered: Cover, corrected: FalseAlarms) -> tuple[str, ...]:
    found: list[str] = []
    if covered.planned and covered.missing > MUCH_MISSING * covered.planned:
        found.append(
            f"{percent(covered.missing / covered.planned)} of the periods are missing. If they are missing because of "
            "cramps, or because there were none, the figures are wrong."
        )
    if any(row.hangs_on_it for row in corrected.corrected):
        found.append("Some of this hangs on how many of the cramps are false alarms.")
    return (*found, NOTHING_CAUSED, NO_DEVICE)


def _sentence(slope: Trend, overall: Estimate, covered: Cover, kind: ObservedKind) -> str:
    return f"{of_cover(covered, kind)} {slope.sentence}" if overall.known else of_cover(covered, kind)
