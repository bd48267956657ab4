"""One sentence or two that a wearer understands, with figures; and what may be concluded. Pure.

Rules
-----
- Fewer than `FEWEST` cramps in all, or nothing that can be estimated, is not enough data, whatever the p value.
- So is one side of fewer than `LEAST_JUDGED` nights: nobody knows what the others would have shown.
- So is no difference where the plan itself had less than even odds of showing one; one that is shown has a caveat.
- A p value below 0.05 is a difference; where nothing was tested the interval says so.
- Where half of the nights were over before the trial was registered or joined, nothing follows from a difference.
- Before and after alone never says that a treatment worked.
"""

import math
from typing import Final

from api.statistics.values import Estimate
from api.trials.case import Case, is_masked
from api.trials.checks import PLACEBO_HIGH, PLACEBO_LOW
from api.trials.doubts import said_of_late
from api.trials.plans import BINARY
from api.trials.values import Conclusion, Doubts, Result
from api.trials.wording import (
    LEAST_POWER,
    also_told,
    figures_of,
    name_treated,
    other_side,
    percent,
    periods_of,
    sides_of,
)

FEWEST: Final = 30  # cramps in both phases together: below, power is under 40 % for half as many cramps
LEAST_JUDGED: Final = 5
ALPHA: Final = 0.05


def conclude(case: Case, result: Result) -> Conclusion:
    """Fewer and more mean better and worse of an outcome that is not a count."""
    found = result.estimate
    if not found.known or _open(found):
        return "not_enough_data"
    if result.outcome not in BINARY and (cramps_of(case) < FEWEST or min(judged_of(case)) < LEAST_JUDGED):
        return "not_enough_data"
    differs = found.excludes_null if found.p is None else found.p < ALPHA
    if differs and found.null is not None:
        return "fewer" if (found.value < found.null) != (result.outcome in BINARY) else "more"
    weak = case.plan.power is not None and case.plan.power < LEAST_POWER
    return "not_enough_data" if weak else "no_difference_shown"


def _open(found: Estimate) -> bool:
    """Whether the interval leaves nothing out."""
    lowest = 0.0 if found.null == 1 else -math.inf
    return found.low <= lowest and found.high == math.inf


def cramps_of(case: Case) -> int:
    """Cramps in all the phases that are compared."""
    return round(sum(one.count for one in case.compared()))


def judged_of(case: Case) -> tuple[int, int]:
    """Periods with enough data on the treated side, and on the other."""
    on, off = sides_of(case)
    return sum(one.judged for one in on), sum(one.judged for one in off)


def verdict_of(
    case: Case,
    result: Result,
    conclusion: Conclusion,
    *,
    also: Result | None = None,
    early: bool = False,
    doubts: Doubts = Doubts(),  # noqa: B008 - frozen
) -> str:
    """What was seen, how sure that is, and what follows; `also` is of a second factor."""
    if case.plan.design == "factorial" and is_masked(case.plan):
        return "The trial is blinded, and which pack held what is not known: nothing can be compared yet."
    if result.outcome != "felt_better" and not any(one.judged for one in case.compared()):
        return f"There are no {periods_of(case)} with enough data yet, so nothing can be compared."
    return " ".join(
        [
            figures_of(case, result),
            *([] if _voided(doubts, conclusion) else [_meant(case, result, conclusion)]),
            *filter(None, [said_of_late(doubts, case.plan)]),
            *([also_told(also)] if also else []),
            *(["Which of the two is A is still sealed."] if is_masked(case.plan) else []),
            *(["The trial is not over: this may change."] if early else []),
        ]
    )


def _voided(doubts: Doubts, conclusion: Conclusion) -> bool:
    """Whether nothing follows from a difference, as its nights were over before."""
    return doubts.proves_nothing and conclusion in ("fewer", "more")


def _meant(case: Case, result: Result, conclusion: Conclusion) -> str:
    """What follows from the figures."""
    counted = result.outcome in ("rate", "cramp_periods")
    if conclusion == "not_enough_data":
        return _too_little(case, result)
    if case.plan.design == "before_after":
        return _drifted(case.name(case.treated), conclusion, binary=result.outcome in BINARY, counted=counted)
    if conclusion == "no_difference_shown":
        unlikely = counted and result.estimate.low > case.plan.worthwhile_ratio
        return f"A fall of {_worth(case)} or more is unlikely." if unlikely else "These data cannot tell."
    return _differs(case, result, conclusion) if counted else _better(case, conclusion)


def _differs(case: Case, result: Result, conclusion: Conclusion) -> str:
    on = name_treated(case)
    if conclusion == "more":
        return f"There were more cramps on {on}, by more than chance explains."
    sure = result.estimate.high <= case.plan.worthwhile_ratio
    return f"There were fewer cramps on {on}, by more than chance explains; " + (
        f"a fall of {_worth(case)}, which the plan calls worth having, is as good as certain."
        if sure
        else f"whether it is the {_worth(case)} that the plan calls worth having is not certain."
    )


def _better(case: Case, conclusion: Conclusion) -> str:
    better = "better" if conclusion == "fewer" else "worse"
    return f"That is {better} on {name_treated(case)}, by more than chance explains."


def _worth(case: Case) -> str:
    return f"{percent(1 - case.plan.worthwhile_ratio)} %"


def _drifted(treated: str, conclusion: Conclusion, *, binary: bool, counted: bool) -> str:
    placebo = f"{PLACEBO_LOW * 100:.0f} to {PLACEBO_HIGH * 100:.0f} %"
    if binary:
        return (
            f"There was nobody without {treated} to compare with: with no drug at all cramps fall by {placebo}, "
            "and many people improve."
        )
    if conclusion == "no_difference_shown":
        return "These data cannot tell."
    if not counted:
        way = "lower" if conclusion == "fewer" else "higher"
        return (
            f"That is {way} than before; why cannot be told from before and after alone: people on placebo change too."
        )
    if conclusion == "fewer":
        return f"That is fewer than before; a fall of {placebo} is also seen on placebo, so it does not show why."
    return "That is more than before; why cannot be told from before and after alone."


def _too_little(case: Case, result: Result) -> str:
    total = cramps_of(case)
    if result.outcome not in BINARY and total < FEWEST:
        cramps = "was only one cramp" if total == 1 else f"were only {total} cramps" if total else "were no cramps"
        return f"There {cramps} in all, too few to tell: at least {FEWEST} are needed."
    if result.outcome not in BINARY and min(judged_of(case)) < LEAST_JUDGED:
        on, off = judged_of(case)
        return (
            f"Only {on} {periods_of(case)} on {name_treated(case)} and {off} {other_side(case)} had enough data: at "
            f"least {LEAST_JUDGED} of each are needed."
        )
    if case.plan.power is not None and case.plan.power < LEAST_POWER and result.estimate.known:
        return (
            f"The plan had a chance of {percent(case.plan.power)} % to show the effect it expected: that is not enough "
            "to tell."
        )
    return "There are not enough data to tell."
