"""One wearer over time: cramps a week of each phase as bars, and under them every night, the missing ones too."""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Final

from api.observed import Observed
from api.report import frame as framing
from api.report import weeks
from api.report.frame import BOTTOM, WIDTH, Frame
from api.report.svg import Figure, Shape, box, drawing, hatching, line, words
from api.report.words import capital, figure, periods, phase_name, unit
from api.trials.values import Analysis, Plan, Seen

CELL: Final = 13.0
SHOWN: Final = 6.5  # narrowest night that can show a digit


def draw_timeline(analysis: Analysis) -> Figure:
    """Bars by week, phases shaded, and a cell for each night."""
    plan, among = analysis.plan, sorted(analysis.seen, key=lambda seen: seen.phase.first)
    since = weeks.origins(among)
    days = max(weeks.reach(seen.phase, since)[1] for seen in among)
    bars = [(seen, week) for seen in among for week in _weeks(seen, plan, since)]
    means = [weeks.per_week(weeks.settled(seen, plan), plan) for seen in among]
    on = framing.frame(days=days, highest=framing.highest_of([week.per_week for _, week in bars] + means))
    labels = [framing.label_of(plan, seen, width=on.x.at(seen_days(seen)) - on.x.start) for seen in among]
    shapes = [hatching("hatch-time"), *framing.phases(on, plan, among, since=since, labels=labels)]
    shapes += framing.axis(on, said=unit(plan))
    shapes += [each for seen, week in bars for each in _bar(on, week, kind=framing.kind_of(plan, seen))]
    shapes += [each for seen, mean in zip(among, means, strict=True) for each in _mean(on, seen, mean, since)]
    if plan.design == "before_after":
        begins = min((weeks.reach(seen.phase, since)[0] for seen in among if seen.phase.kind == "treatment"), default=0)
        shapes += framing.drift(on, rate=framing.baseline_rate(among, plan), begins=begins)
    shapes += _cells(on, among, plan, since) + framing.days_axis(on, y=BOTTOM + CELL + 18, days=days)
    svg = drawing(
        name="time",
        size=(WIDTH, BOTTOM + CELL + 22),
        title=f"{capital(unit(plan))} over the trial",
        described=_described(plan, among, means),
        shapes=shapes,
    )
    return Figure(svg, _caption(plan), "time")


def seen_days(seen: Seen) -> int:
    """Length of a phase."""
    return (seen.phase.last - seen.phase.first).days + 1


def _weeks(seen: Seen, plan: Plan, since: dict[str, date]) -> list[weeks.Week]:
    """Weeks of one phase, counted from the trial's first day."""
    offset = weeks.reach(seen.phase, since)[0]
    found = weeks.weeks_of([seen], plan)
    return [weeks.Week(offset + week.start, week.days, week.planned, week.judged, week.per_week) for week in found]


def _bar(on: Frame, week: weeks.Week, *, kind: str) -> list[Shape]:
    left, right = on.x.at(week.start) + 1.5, on.x.at(week.start + week.days) - 1.5
    if math.isnan(week.per_week):
        asked = "?" if week.planned else ""  # to come, or not settled yet
        return [words((left + right) / 2, BOTTOM - 4, asked, anchor="middle", kind="quiet")]
    top = on.y.at(week.per_week)
    return [
        box(left, top, right - left, BOTTOM - top, kind=f"bar {kind}"),
        line(left, BOTTOM, right, BOTTOM, kind="floor"),
    ]


def _mean(on: Frame, seen: Seen, mean: float, since: dict[str, date]) -> list[Shape]:
    if math.isnan(mean):
        return []
    left, right = (on.x.at(day) for day in weeks.reach(seen.phase, since))
    y = on.y.at(mean)
    said = words(right - 4, y - 4, figure(mean), anchor="end", kind="halo strong")
    return [line(left + 1, y, right - 1, y, kind="mean"), said]


def _cells(on: Frame, among: Sequence[Seen], plan: Plan, since: dict[str, date]) -> list[Shape]:
    """A cell for each night: its count, hatched where it is missing, dotted where it does not count yet."""
    drawn: list[Shape] = []
    for seen in among:
        by_date: dict[date, list[Observed]] = defaultdict(list)
        for item in seen.observed:
            by_date[item.date].append(item)
        for when, items in by_date.items():
            day = (when - since[seen.phase.wearer]).days
            early = (when - seen.phase.first).days < plan.settle_days
            drawn += _cell(on, day, items, plan=plan, early=early)
    return [
        *drawn,
        words(on.x.start - 5, BOTTOM + CELL, periods(plan), anchor="end", kind="quiet"),
    ]


def _cell(on: Frame, day: int, items: Sequence[Observed], *, plan: Plan, early: bool) -> list[Shape]:
    left, width = on.x.at(day), on.x.at(day + 1) - on.x.at(day)
    if not all(weeks.judged(item, plan) for item in items):
        return [box(left + 0.5, BOTTOM + 3, width - 1, CELL, kind="cell missing", fill="url(#hatch-time)")]
    count = sum(weeks.count_of(item, plan) for item in items)
    kind = "cell early" if early else "cell some" if count else "cell none"
    cell = box(left + 0.5, BOTTOM + 3, width - 1, CELL, kind=kind)
    if not count or width < SHOWN:
        return [cell]
    return [
        cell,
        words(left + width / 2, BOTTOM + 13, str(count), anchor="middle", kind="tiny" if early else "tiny on"),
    ]


def _described(plan: Plan, among: Sequence[Seen], means: Sequence[float]) -> str:
    parts = []
    for seen, mean in zip(among, means, strict=True):
        missing = sum(not weeks.judged(item, plan) for item in seen.observed)
        rate = f"{figure(mean)} {unit(plan)}" if not math.isnan(mean) else "not enough data"
        parts.append(f"{phase_name(plan, seen.phase)}, {seen_days(seen)} days: {rate}, {missing} missing")
    return "; ".join(parts) + "."


def _caption(plan: Plan) -> str:
    drifted = " Hatched band: where placebo arms alone have led." if plan.design == "before_after" else ""
    return (
        "Bars: cramps in seven periods of eight usable hours, by week; thick line: the whole phase. Below: every "
        "night with its count, hatched where data are missing (not counted as zero), dashed where the phase had "
        f"not settled.{drifted}"
    )
