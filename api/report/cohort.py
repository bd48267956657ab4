"""A group over time: the pooled rate by week of each sequence or arm, and the share of nights with enough data."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from api.report import weeks
from api.report.frame import BOTTOM, WIDTH, Frame, axis, baseline_rate, days_axis, drift, frame, highest_of, phases
from api.report.svg import Figure, Shape, box, drawing, hatching, line, shape, words, wrapped
from api.report.words import capital, figure, periods, phase_name, sequence_name, unit
from api.trials.values import Analysis, Plan, Seen

ROOM: Final = 128.0  # for the names at the right
STRIP: Final = 14.0
LETTERS: Final = 11.0


def draw_cohort(analysis: Analysis) -> Figure:
    """One line for each sequence or arm."""
    plan, groups = analysis.plan, weeks.by_sequence(analysis.seen)
    model = _model(analysis.seen)
    since = weeks.origins(model)
    days = max(weeks.reach(seen.phase, since)[1] for seen in model)
    curves = {name: weeks.weeks_of(group, plan) for name, group in groups.items()}
    on = frame(
        days=days,
        highest=highest_of([week.per_week for curve in curves.values() for week in curve]),
        right=WIDTH - ROOM,
    )
    one_kind = replace(plan, treatments=())  # a group's phases are of both treatments at once
    shapes = [hatching("hatch-time"), *phases(on, one_kind, model, since=since, labels=_labels(plan, model))]
    shapes += axis(on, said=f"{unit(plan)} for each wearer")
    if plan.design == "before_after":
        begins = min((weeks.reach(seen.phase, since)[0] for seen in model if seen.phase.kind == "treatment"), default=0)
        shapes += drift(on, rate=baseline_rate(analysis.seen, plan), begins=begins)
    for number, curve in enumerate(curves.values()):
        shapes += _curve(on, curve, number=number)
    shapes += (
        _names(on, plan, curves)
        + _strip(on, plan, _pooled(analysis.seen, plan))
        + days_axis(on, y=BOTTOM + STRIP + 18, days=days)
    )
    svg = drawing(
        name="time",
        size=(WIDTH, BOTTOM + STRIP + 22),
        title=f"{capital(unit(plan))} over the trial, by group",
        described=_described(plan, curves),
        shapes=shapes,
    )
    return Figure(svg, _caption(plan), "time")


def _model(among: Sequence[Seen]) -> list[Seen]:
    """The phases of the wearer who went furthest, which stand for all schedules."""
    mine = {wearer: [seen for seen in among if seen.phase.wearer == wearer] for wearer in weeks.wearers_of(among)}
    longest = max(mine.values(), key=len)
    return sorted(longest, key=lambda seen: seen.phase.first)


def _labels(plan: Plan, model: Sequence[Seen]) -> list[str]:
    """Names that hold for every sequence."""
    if plan.design != "crossover":
        one_arm = plan.design == "before_after"
        return [
            phase_name(plan, seen.phase) if one_arm or seen.phase.kind != "treatment" else "treatment" for seen in model
        ]
    return [f"period {seen.phase.position}" if seen.phase.kind == "treatment" else seen.phase.kind for seen in model]


def _pooled(among: Sequence[Seen], plan: Plan) -> list[weeks.Week]:
    return weeks.weeks_of(among, plan)


def _middle(on: Frame, week: weeks.Week) -> float:
    return on.x.at(week.start + week.days / 2)


def _curve(on: Frame, curve: Sequence[weeks.Week], *, number: int) -> list[Shape]:
    """A line with a mark at each week, broken where nothing was judged, and by a washout."""
    drawn: list[Shape] = []
    known = [week for week in curve if not math.isnan(week.per_week)]
    points = [(_middle(on, week), on.y.at(week.per_week)) for week in known]
    for before, after, (earlier, later) in zip(points, points[1:], pairwise(known), strict=False):
        if later.start == earlier.start + earlier.days:
            drawn.append(line(*before, *after, kind=f"curve c{number % 4}"))
    return drawn + [mark(point, number=number) for point in points]


def mark(point: tuple[float, float], *, number: int) -> Shape:
    """A mark whose shape tells the groups apart without colour."""
    x, y = point
    kind = f"mark c{number % 4}"
    if number % 4 == 0:
        return shape("circle", cx=x, cy=y, r=3.4, class_=kind)
    outline = {
        1: f"M{x - 3.2:.1f} {y - 3.2:.1f}h6.4v6.4h-6.4z",
        2: f"M{x:.1f} {y - 4.2:.1f}l4 7.2h-8z",
        3: f"M{x:.1f} {y - 4.4:.1f}l4.4 4.4-4.4 4.4-4.4-4.4z",
    }[number % 4]
    return shape("path", d=outline, class_=kind)


def _names(on: Frame, plan: Plan, curves: dict[str, list[weeks.Week]]) -> list[Shape]:
    """The name of each line at its end, moved apart where they would meet."""
    ends = []
    for number, (name, curve) in enumerate(curves.items()):
        known = [week for week in curve if not math.isnan(week.per_week)]
        if known:
            ends.append((on.y.at(known[-1].per_week), number, sequence_name(plan, name) or "all wearers"))
    said = [(y, number, wrapped(name, ROOM - 22)[:2]) for y, number, name in sorted(ends)]
    places = apart([y for y, _, _ in said], heights=[LETTERS * len(lines) + 3 for _, _, lines in said])
    drawn: list[Shape] = []
    for at, (_, number, lines) in zip(places, said, strict=True):
        drawn.append(mark((on.x.end + 10, at), number=number))
        drawn += [words(on.x.end + 18, at + 3.5 + LETTERS * row, each) for row, each in enumerate(lines)]
    return drawn


def apart(wanted: Sequence[float], *, heights: Sequence[float]) -> list[float]:
    """Places from above to below, near those wanted, that do not meet and do not leave the drawing below."""
    places: list[float] = []
    free = -math.inf
    for y, height in zip(wanted, heights, strict=True):
        places.append(max(y, free))
        free = places[-1] + height
    beyond = max(free - LETTERS - BOTTOM, 0.0)
    return [place - beyond for place in places]


def _strip(on: Frame, plan: Plan, pooled: Sequence[weeks.Week]) -> list[Shape]:
    """The share of nights with enough data, week by week: full height is all."""
    drawn: list[Shape] = [words(on.x.end + 10, BOTTOM + STRIP - 1, f"{periods(plan)} with data", kind="quiet")]
    for week in [each for each in pooled if each.planned]:
        left, width = on.x.at(week.start) + 1, on.x.at(week.start + week.days) - on.x.at(week.start) - 2
        share = week.judged / week.planned
        drawn.append(box(left, BOTTOM + 4, width, STRIP, kind="cell missing", fill="url(#hatch-time)"))
        drawn.append(box(left, BOTTOM + 4 + STRIP * (1 - share), width, STRIP * share, kind="judged"))
    return drawn


def _described(plan: Plan, curves: dict[str, list[weeks.Week]]) -> str:
    said = []
    for name, curve in curves.items():
        rates = ", ".join("missing" if math.isnan(week.per_week) else figure(week.per_week) for week in curve)
        said.append(f"{sequence_name(plan, name) or 'all wearers'}, {unit(plan)}: {rates}")
    return "; ".join(said) + "."


def _caption(plan: Plan) -> str:
    drifted = " Hatched band: where placebo arms alone have led." if plan.design == "before_after" else ""
    return (
        "Cramps in seven periods of eight usable hours, pooled by week and group. Below: the share of planned nights "
        f"with enough data; missing ones (hatched) are not counted as zero.{drifted}"
    )
