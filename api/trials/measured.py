"""Outcomes that are a figure of each wearer and phase: duration, severity, load, cramp index. Pure.

A wearer without a figure in one of the phases compared is left out of that comparison, and the note says how many.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from api.statistics.crossover import Crossover, Pairs, crossover
from api.statistics.paired import paired_t, shift, signed_rank, welch_t
from api.statistics.values import Estimate
from api.trials.case import Case
from api.trials.outcomes import Tally, kept_where, value
from api.trials.values import Outcome

UNITS: Final[dict[Outcome, str]] = {
    "rate": "cramps per eight hours",
    "cramp_periods": "share of periods with a cramp",
    "duration": "minutes a cramp",
    "severity": "severity (0-10) of a cramp",
    "load": "load per eight hours",
    "cramp_index": "cramp index per eight hours",
}
_WEEKS: Final = "Weeks of one person are taken to be independent of each other."


def measured(case: Case, outcome: Outcome) -> list[Estimate]:
    """Estimates of a difference, treated minus reference; the one to go by first."""
    match case.plan.design:
        case "crossover":
            return [periods_compared(case, outcome).treatment, periods_compared(case, outcome, by_t=True).treatment]
        case "parallel":
            return between(case, outcome, [case.treated], [case.reference])
        case "n_of_1" if len(case.wearers) == 1:
            return [paired_t(_by_cycle(case, outcome), measure=_measure(outcome))]
        case "before_after" if len(case.wearers) == 1:
            return [_by_week(case, outcome)]
        case _:
            differences = within(case, outcome)
            return [
                signed_rank(differences, measure=_measure(outcome)),
                paired_t(differences, measure=_measure(outcome)),
            ]


def within(case: Case, outcome: Outcome) -> list[float]:
    """Treated minus reference of each wearer; NaN where one is missing."""
    return [
        value(outcome, case.side(case.treated, wearer)) - value(outcome, case.side(case.reference, wearer))
        for wearer in case.wearers
    ]


def periods_compared(case: Case, outcome: Outcome, *, by_t: bool = False) -> Crossover:
    """First and second period of each wearer, by sequence; the treated label is A of the analysis."""
    pairs: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for wearer in case.wearers:
        phases = [one for one in case.compared() if one.phase.wearer == wearer]
        by_position = {one.phase.position: value(outcome, [one]) for one in phases}
        treated_first = phases[0].phase.sequence[:1] == case.treated
        pairs[treated_first].append((by_position.get(1, math.nan), by_position.get(2, math.nan)))
    ab: Pairs = pairs[True]
    return crossover(ab, pairs[False], method="t" if by_t else "rank", measure=_measure(outcome))


def between(case: Case, outcome: Outcome, treated: Sequence[str], reference: Sequence[str]) -> list[Estimate]:
    """Change from baseline in one group minus that in the other; where there is no baseline, the values themselves."""
    sides = [
        [_change(case, outcome, wearer, label) for label, wearer in _of(case, arms)] for arms in (treated, reference)
    ]
    what = f"difference of changes in {UNITS[outcome]}" if case.baseline() else _measure(outcome)
    lost = sum(math.isnan(found) for side in sides for found in side)
    note = f"{lost} without a figure in both phases are left out." if lost else ""
    found = [welch_t(*sides, measure=what), shift(*sides, measure=what)]
    return [replace(estimate, note=" ".join(filter(None, (estimate.note, note)))) for estimate in found]


def _of(case: Case, arms: Sequence[str]) -> list[tuple[str, str]]:
    return [(arm, one.phase.wearer) for arm in arms for one in case.side(arm)]


def _change(case: Case, outcome: Outcome, wearer: str, label: str) -> float:
    after = value(outcome, case.side(label, wearer))
    return after - value(outcome, case.baseline(wearer)) if case.baseline() else after


def _by_cycle(case: Case, outcome: Outcome) -> list[float]:
    """Treated minus reference of each pair of blocks."""

    def of(label: str, cycle: int) -> float:
        return value(outcome, [one for one in case.side(label) if one.phase.cycle == cycle])

    cycles = sorted({one.phase.cycle for one in case.compared()})
    return [of(case.treated, cycle) - of(case.reference, cycle) for cycle in cycles]


def _by_week(case: Case, outcome: Outcome) -> Estimate:
    """Weeks with treatment against weeks before (Welch); the only spread that one person without pairs has."""
    sides = [[found for one in case.side(label) for found in _weekly(one, outcome)] for label in (case.treated, "")]
    estimate = welch_t(*sides, measure=_measure(outcome))
    return replace(estimate, note=" ".join(filter(None, (estimate.note, _WEEKS))))


def _weekly(one: Tally, outcome: Outcome) -> list[float]:
    if not one.judged:
        return []
    number = (one.days - one.days[0]) // 7
    parts = [kept_where(one, number == week) for week in sorted(set(number.tolist()))]
    return [value(outcome, [part]) for part in parts]


def _measure(outcome: Outcome) -> str:
    return f"difference in {UNITS[outcome]}"
