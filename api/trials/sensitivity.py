"""How much the rate ratio depends on what was decided: trend, coverage, missing nights, false alarms. Pure.

None of these is a better answer than the primary one; where they differ, the primary one is to be trusted less.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from api.observed import RATE_H
from api.statistics.values import Estimate, unknown
from api.trials import counts
from api.trials.case import Case, case_of, is_masked
from api.trials.outcomes import Tally, kept_where
from api.trials.values import Member, Result, Seen

WELL_COVERED: Final = 0.75
WORST_CASE: Final = "rate ratio, missing periods as bad as the other side's"


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Episodes that were none, in eight usable hours; and how that is known."""

    per_8_usable_h: float
    source: str  # "the wearers' own reviews", "the accuracy report"
    high: float = 0.0  # end of its interval; not known where it is below the figure

    @property
    def figures(self) -> tuple[float, ...]:
        """What is taken off, one after the other."""
        return (self.per_8_usable_h, *([self.high] if self.high > self.per_8_usable_h else []))


def results_of(
    case: Case, seen: Sequence[Seen], members: Sequence[Member], *, false_alarms: FalseAlarms | None
) -> list[Result]:
    """Every second look at the rate ratio that these data allow."""
    outcomes = {case.plan.primary, *case.plan.secondary}
    if "rate" not in outcomes or (case.plan.design == "factorial" and is_masked(case.plan)):
        return []
    estimates = [*_trend(case), *_coverage(case), *_missing(case), *_reviews(case, seen, members)]
    if false_alarms is not None and case.plan.counting != "felt":
        found = counts.primary(case)
        estimates += [
            without_false_alarms(case, found, false=false, source=false_alarms.source) for false in false_alarms.figures
        ]
    return [Result("rate", "sensitivity", estimate, counts.contrast(case)) for estimate in estimates]


def without_false_alarms(case: Case, found: Estimate, *, false: float, source: str) -> Estimate:
    """The ratio if both sides hold f false alarms per eight hours: (RR r0 - f) / (r0 - f), r0 the reference's rate."""
    measure = f"rate ratio, less {false:.2g} false alarms per eight hours"
    method = f"primary estimate with false alarms, as known from {source}, taken from both sides"
    others = [one for one in case.compared() if not counts.is_treated(case, one)]
    hours = sum(one.exposure for one in others)
    rate = RATE_H * sum(one.count for one in others) / hours if hours else math.nan
    if not rate > false or not found.known:
        note = "The reference has no more episodes than there are false alarms, so nothing is left to compare."
        return unknown(measure, method=method, note=note, null=1.0)
    seen = (found.value, found.low, found.high)
    value, low, high = (max(0.0, (ratio * rate - false) / (rate - false)) for ratio in seen)
    return Estimate(measure, value, low, high, None, method, null=1.0, note="The figure for false alarms is not exact.")


def _trend(case: Case) -> list[Estimate]:
    """With a linear trend over time, of one person."""
    if len(case.wearers) != 1 or case.plan.design not in ("before_after", "n_of_1"):
        return []
    return [replace(counts.ratio(case, trend=True), measure="rate ratio, with a linear trend over time")]


def _coverage(case: Case) -> list[Estimate]:
    """Of well covered periods only, where that makes a difference."""
    if case.plan.counting == "felt" or all((one.covered >= WELL_COVERED).all() for one in case.compared()):
        return []
    well = case.changed(lambda one: kept_where(one, one.covered >= WELL_COVERED))
    measure = f"rate ratio, of periods covered for {WELL_COVERED:.0%} or more"
    return [replace(counts.primary(well), measure=measure)]


def _missing(case: Case) -> list[Estimate]:
    """As though every missing period had had the rate of the other side: what an effect would have to survive."""
    compared = case.compared()
    if all(one.planned == one.judged for one in compared):
        return []
    rates = {side: _rate([one for one in compared if counts.is_treated(case, one) == side]) for side in (True, False)}
    if any(math.isnan(rate) for rate in rates.values()):
        return []
    judged = sum(one.judged for one in compared)
    hours = sum(one.exposure for one in compared) / judged if judged else RATE_H
    worst = case.changed(_filled(case, rates, hours=hours))
    return [replace(counts.primary(worst), measure=WORST_CASE)]


def _filled(case: Case, rates: dict[bool, float], *, hours: float) -> Callable[[Tally], Tally]:
    def fill(one: Tally) -> Tally:
        missing = one.planned - one.judged
        if not missing or (one.phase.kind == "baseline" and case.plan.design != "before_after"):
            return one
        rate = rates[not counts.is_treated(case, one)]
        first, last = one.phase.first.toordinal(), one.phase.last.toordinal()
        days = np.concatenate([one.days, np.linspace(first, last, missing).round().astype(np.int64)])
        order = np.argsort(days, kind="stable")
        return replace(
            one,
            days=days[order],
            counts=np.concatenate([one.counts, np.full(missing, rate * hours)])[order],
            hours=np.concatenate([one.hours, np.full(missing, hours)])[order],
            covered=np.ones(len(days)),
            cramps=((),) * len(days),
        )

    return fill


def _reviews(case: Case, seen: Sequence[Seen], members: Sequence[Member]) -> list[Estimate]:
    """With the episodes that wearers called none; and with those alone that they confirmed."""
    said = {cramp.confirmed for one in seen for item in one.observed for cramp in item.cramps if cramp.episode}
    found = []
    if False in said:
        again = case_of(case.plan, seen, members, which="rejected_too")
        found.append(replace(counts.primary(again), measure="rate ratio, with episodes that wearers called none"))
    if True in said:
        again = case_of(case.plan, seen, members, which="confirmed_only")
        found.append(replace(counts.primary(again), measure="rate ratio, of episodes that wearers confirmed"))
    return found


def _rate(among: Sequence[Tally]) -> float:
    hours = sum(one.exposure for one in among)
    return sum(one.count for one in among) / hours if hours else math.nan
