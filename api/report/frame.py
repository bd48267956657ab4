"""What both drawings over time share: axes, shaded phases, and the band to which placebo alone brings a rate."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.report.svg import EM, Scale, Shape, box, line, round_ticks, shortened, words
from api.report.weeks import per_week, reach, settled
from api.report.words import phase_name
from api.report.words import tick as tick_words
from api.trials.values import Plan, Seen

WIDTH: Final = 700.0
LEFT: Final = 34.0
TOP: Final = 30.0
BOTTOM: Final = 136.0
HEADROOM: Final = 1.14  # so that the figure above the highest bar does not meet the names of phases
# What placebo arms fell by within weeks: 28 % (quinine trials, doi 10.1002/14651858.CD005044.pub3) to 36 %
# (magnesium oxide, Roguin Maor 2017, doi 10.1001/jamainternmed.2016.9261).
DRIFT: Final = (0.64, 0.72)
DRIFT_SAID: Final = "where placebo alone has led: 28 to 36 % fewer"


@dataclass(frozen=True, slots=True)
class Frame:
    """The two axes of a drawing over time."""

    x: Scale  # days since the first
    y: Scale  # cramps a week


def frame(*, days: int, highest: float, right: float = WIDTH) -> Frame:
    """Axes for so many days and rates up to a highest."""
    top = round_ticks(max(HEADROOM * highest, 1.0))[-1]
    return Frame(Scale(0, max(days, 1), LEFT, right), Scale(0, top, BOTTOM, TOP))


def highest_of(rates: Sequence[float]) -> float:
    """The highest rate that there is."""
    return max((rate for rate in rates if not math.isnan(rate)), default=1.0)


def axis(on: Frame, *, said: str) -> list[Shape]:
    """The axis of rates with its lines."""
    drawn = [words(0, TOP - 20, said, kind="quiet")]
    for tick in round_ticks(on.y.high):
        drawn += [line(LEFT, on.y.at(tick), on.x.end, on.y.at(tick), kind="grid")]
        drawn += [words(LEFT - 5, on.y.at(tick) + 3.5, tick_words(tick), anchor="end", kind="quiet")]
    return drawn


def days_axis(on: Frame, *, y: float, days: int) -> list[Shape]:
    """Weeks since the beginning, under the drawing."""
    step = 7 * max(1, math.ceil(days / 7 / 12))
    drawn = [words(on.x.at(day), y, str(day // 7 + 1), kind="quiet") for day in range(0, days, step)]
    return [*drawn, words(LEFT - 5, y, "week", anchor="end", kind="quiet")]


def kind_of(plan: Plan, seen: Seen) -> str:
    """How a phase is drawn: a control is drawn as what it is, no treatment."""
    controls = {treatment.label for treatment in plan.treatments if treatment.control and treatment.label}
    return "control" if seen.phase.kind == "treatment" and seen.phase.label in controls else seen.phase.kind


def phases(
    on: Frame, plan: Plan, among: Sequence[Seen], *, since: Mapping[str, date], labels: Sequence[str]
) -> list[Shape]:
    """Shaded treatment, dashed edges and a name for each phase of one wearer's schedule."""
    drawn: list[Shape] = []
    for seen, label in zip(among, labels, strict=True):
        begins, ends = reach(seen.phase, since)
        left, right = on.x.at(begins), on.x.at(ends)
        drawn.append(box(left, TOP, right - left, BOTTOM - TOP, kind=f"phase {kind_of(plan, seen)}"))
        drawn.append(line(left, TOP - 14, left, BOTTOM, kind="edge"))
        drawn.append(words((left + right) / 2, TOP - 4, shortened(label, right - left - 2), anchor="middle"))
    return drawn


def label_of(plan: Plan, seen: Seen, *, width: float) -> str:
    """The name of a phase, or only its letter where little of the name would fit."""
    name = phase_name(plan, seen.phase)
    return name if min(len(name), 8) * EM <= width else seen.phase.label or name


def baseline_rate(among: Sequence[Seen], plan: Plan) -> float:
    """Cramps a week before any treatment; NaN where there is no baseline."""
    return per_week([item for seen in among if seen.phase.kind == "baseline" for item in settled(seen, plan)], plan)


def drift(on: Frame, *, rate: float, begins: int) -> list[Shape]:
    """The band to which placebo alone has led, from the end of the baseline on."""
    if math.isnan(rate) or rate <= 0:
        return []
    left, upper, lower = on.x.at(begins), on.y.at(rate * DRIFT[1]), on.y.at(rate * DRIFT[0])
    return [
        line(on.x.start, on.y.at(rate), on.x.end, on.y.at(rate), kind="before"),
        box(left, upper, on.x.end - left, max(lower - upper, 2.0), kind="drift", fill="url(#hatch-time)"),
        words(WIDTH, TOP - 20, DRIFT_SAID, anchor="end"),
        box(WIDTH - len(DRIFT_SAID) * 4.6 - 24, TOP - 28, 18, 9, kind="drift", fill="url(#hatch-time)"),
    ]
