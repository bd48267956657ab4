"""Sums of each arm as a table shows them, and the flow from registration to analysis. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from api.observed import RATE_H
from api.statistics.rates import rate_interval
from api.statistics.values import Estimate
from api.trials.case import BASELINE, Case
from api.trials.counts import of_both_sides
from api.trials.outcomes import PER_WEEK, Tally
from api.trials.plans import BINARY
from api.trials.values import ArmFigures, FlowStep, Member
from api.trials.wording import periods_of

PER_WEEK_MEASURE: Final = "cramps a week of seven times eight hours"


def arms_of(case: Case) -> tuple[ArmFigures, ...]:
    """A row for the baseline and for each treatment, arm or pack."""
    rows = [_figures("", BASELINE, case.baseline())] if case.baseline() else []
    if case.plan.design == "factorial":
        labels = sorted({one.phase.label for one in case.compared()}, key=lambda label: (-len(label), label))
        return (*rows, *(_figures(label, case.name(label), case.side(label)) for label in labels))
    labels = [label for label in (case.treated, case.reference) if label]
    return (*rows, *(_figures(label, case.name(label), case.side(label)) for label in labels))


def per_week(among: Sequence[Tally]) -> Estimate:
    """Cramps a week with Garwood's interval; cramps come in bouts, so the interval is at least that wide."""
    found = rate_interval(round(sum(one.count for one in among)), sum(one.exposure for one in among))
    by = RATE_H * PER_WEEK
    return replace(found, measure=PER_WEEK_MEASURE, value=found.value * by, low=found.low * by, high=found.high * by)


def flow_of(case: Case, members: Sequence[Member]) -> tuple[FlowStep, ...]:
    """Registered, allocated to each sequence or arm, analysed; and who was lost on the way, with reasons."""
    in_it = {member.wearer for member in members if not member.excluded} or set(case.wearers)
    analysed = _analysed(case)
    lost = Counter(f"excluded: {member.excluded}" for member in members if member.excluded)
    left = {member.wearer: member.reason or "no reason given" for member in members if member.left}
    lost += Counter(
        f"left: {left[wearer]}" if wearer in left else _silent(case) for wearer in in_it if wearer not in analysed
    )
    early = Counter(reason for wearer, reason in left.items() if wearer in analysed)
    arms = Counter(member.sequence for member in members) or Counter(
        {one.phase.wearer: one.phase.sequence for one in case.tallies}.values()
    )
    allocated = [
        FlowStep(f"allocated to {_arm(case, arm)}", wearers)
        for arm, wearers in sorted(arms.items())
        if case.plan.design not in ("before_after", "n_of_1")
    ]
    return (
        FlowStep("registered", len(members) or len(in_it)),
        *allocated,
        FlowStep("analysed", len(analysed), tuple(sorted(lost.items()))),
        *(FlowStep(f"of them left early: {reason}", wearers) for reason, wearers in sorted(early.items())),
    )


def _analysed(case: Case) -> set[str]:
    """Those whom the comparison rests on: with data, and on both sides where each is their own control."""
    among = of_both_sides(case) if _own_control(case) else [one for one in case.compared() if one.judged]
    return {one.phase.wearer for one in among}


def _own_control(case: Case) -> bool:
    return case.plan.design not in ("parallel", "factorial") and case.plan.primary not in BINARY


def _silent(case: Case) -> str:
    return f"no {periods_of(case)} with enough data" + (" on both sides" if _own_control(case) else "")


def _arm(case: Case, arm: str) -> str:
    if case.plan.design == "crossover":
        return ", then ".join(case.name(label) for label in arm)
    return case.name(arm)


def _figures(label: str, name: str, among: Sequence[Tally]) -> ArmFigures:
    return ArmFigures(
        label=label,
        name=name,
        wearers=len({one.phase.wearer for one in among}),
        planned=sum(one.planned for one in among),
        judged=sum(one.judged for one in among),
        expected_h=sum(one.expected_h for one in among),
        usable_h=sum(one.exposure for one in among),
        cramps=round(sum(one.count for one in among)),
        per_week=per_week(among),
        cramp_periods=sum(int((one.counts > 0).sum()) for one in among),
    )
