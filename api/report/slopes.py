"""Each wearer's two rates tied by a line: who fell, who rose, and how alike they were."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.observed import Observed
from api.report import weeks
from api.report.svg import Figure, Scale, Shape, drawing, line, round_ticks, shape, shortened, words
from api.report.words import arm_name, figure, sequence_name, unit
from api.report.words import tick as tick_words
from api.trials.values import Analysis, Phase, Plan, Seen

WIDTH: Final = 340.0
LEFT: Final = 26.0
TOP: Final = 30.0
BOTTOM: Final = 166.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rates of one wearer (or of one cycle), in cramps a week. NaN where nothing was judged."""

    name: str
    left: float
    right: float

    @property
    def known(self) -> bool:
        return not (math.isnan(self.left) or math.isnan(self.right))


@dataclass(frozen=True, slots=True)
class Panel:
    """Pairs that are compared in the same direction."""

    title: str
    left: str
    right: str
    pairs: tuple[Pair, ...]


def draw_slopes(analysis: Analysis) -> Figure | None:
    """A panel for each comparison within wearers; None where there are not two to compare."""
    panels = [panel for panel in panels_of(analysis) if any(pair.known for pair in panel.pairs)]
    if sum(len(panel.pairs) for panel in panels) < 2:
        return None
    known = [pair for panel in panels for pair in panel.pairs if pair.known]
    missing = sum(not pair.known for panel in panels for pair in panel.pairs)
    top = round_ticks(max(max(pair.left, pair.right, 1.0) for pair in known))[-1]
    y = Scale(0, top, BOTTOM, TOP)
    shapes: list[Shape] = [words(0, 9, unit(analysis.plan), kind="quiet")]
    for tick in round_ticks(top):
        shapes += [line(LEFT, y.at(tick), WIDTH, y.at(tick), kind="grid")]
        shapes += [words(LEFT - 4, y.at(tick) + 3.5, tick_words(tick), anchor="end", kind="quiet")]
    room = (WIDTH - LEFT) / len(panels)
    for number, panel in enumerate(panels):
        shapes += _panel(panel, y, left=LEFT + number * room, room=room)
    title = "Each cycle's two rates" if analysis.plan.design == "n_of_1" else "Each wearer's two rates"
    svg = drawing(name="slopes", size=(WIDTH, BOTTOM + 20), title=title, described=_described(panels), shapes=shapes)
    lost = f" {missing} without enough data in one of the two are not drawn." if missing else ""
    return Figure(svg, f"{title}, in {unit(analysis.plan)}; dashed: it rose; thick: the median.{lost}", "slopes")


def panels_of(analysis: Analysis) -> list[Panel]:
    """What is compared within wearers in a design."""
    plan, among = analysis.plan, analysis.seen
    numbers = {wearer: f"wearer {number}" for number, wearer in enumerate(weeks.wearers_of(among), 1)}
    if plan.design in {"n_of_1", "crossover"}:
        control, other = _labels(plan, among)
        names = {
            seen.phase: f"cycle {seen.phase.cycle}" if plan.design == "n_of_1" else numbers[seen.phase.wearer]
            for seen in among
        }
        pairs = _pairs(among, plan, names={seen.phase: names[seen.phase] for seen in among}, sides=(control, other))
        return [Panel("", arm_name(plan, control), arm_name(plan, other), pairs)]
    panels = []
    for sequence, group in weeks.by_sequence(among).items():
        names = {seen.phase: numbers[seen.phase.wearer] for seen in group}
        pairs = _pairs(group, plan, names=names, sides=("baseline", "treatment"))
        panels.append(Panel(sequence_name(plan, sequence), "before", "during", pairs))
    return panels


def _labels(plan: Plan, among: Sequence[Seen]) -> tuple[str, str]:
    """The label of the control, and the other one; as long as a trial is blinded nobody knows which is which."""
    labels = [treatment.label for treatment in sorted(plan.treatments, key=lambda each: not each.control)]
    if not all(labels):
        labels = sorted({seen.phase.label for seen in among if seen.phase.kind == "treatment"})
    return (labels[0], labels[1]) if len(labels) > 1 else ("", labels[0] if labels else "")


def _pairs(among: Sequence[Seen], plan: Plan, *, names: dict[Phase, str], sides: tuple[str, str]) -> tuple[Pair, ...]:
    found: dict[str, tuple[list[Observed], list[Observed]]] = {}
    for seen in among:
        phase = seen.phase
        side = phase.kind if sides == ("baseline", "treatment") else phase.label
        if phase.kind == "washout" or side not in sides:
            continue
        if sides != ("baseline", "treatment") and phase.kind != "treatment":
            continue
        both = found.setdefault(names[phase], ([], []))
        both[sides.index(side)].extend(weeks.settled(seen, plan))
    rates = {name: [weeks.per_week(side, plan) for side in both] for name, both in found.items()}
    return tuple(Pair(name, left, right) for name, (left, right) in rates.items())


def _panel(panel: Panel, y: Scale, *, left: float, room: float) -> list[Shape]:
    begin, end = left + room * 0.2, left + room * 0.8
    known = [pair for pair in panel.pairs if pair.known]
    shapes = (
        [words(left + room / 2, 21, shortened(panel.title, room), anchor="middle", kind="strong")]
        if panel.title
        else []
    )
    for pair in known:
        kind = "slope rose" if pair.right > pair.left else "slope"
        shapes.append(line(begin, y.at(pair.left), end, y.at(pair.right), kind=kind))
        shapes += [
            shape("circle", cx=x, cy=y.at(rate), r=2.4, class_="dot")
            for x, rate in ((begin, pair.left), (end, pair.right))
        ]
    if len(known) > 2:
        middle = _median([pair.left for pair in known]), _median([pair.right for pair in known])
        shapes.append(line(begin, y.at(middle[0]), end, y.at(middle[1]), kind="median"))
    for x, said in ((begin, panel.left), (end, panel.right)):
        shapes.append(words(x, BOTTOM + 14, shortened(said, room * 0.55), anchor="middle"))
    return shapes


def _median(rates: Sequence[float]) -> float:
    ordered = sorted(rates)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _described(panels: Sequence[Panel]) -> str:
    said = []
    for panel in panels:
        each = ", ".join(f"{pair.name} {figure(pair.left)} and {figure(pair.right)}" for pair in panel.pairs)
        said.append(f"{panel.title + ': ' if panel.title else ''}{panel.left} and {panel.right}: {each}")
    return "; ".join(said) + "."
