"""`/planner`: how long a trial must be, or how many must take part, before it is begun."""

import math
from typing import Annotated

from fastapi import APIRouter, Query

from api.statistics.power_tables import Presumed
from api.trials.planner import ALPHA, RATIOS, WANTED, Ask, plan
from api.trials.planner_schemas import PlanAnswerOut, PlannerOut, answer
from api.trials.values import Design

router = APIRouter(prefix="/planner", tags=["trials"])
MOST_RATIOS = 3
USUAL = Presumed(per_week=math.nan)
Ratios = Annotated[
    list[float], Query(min_length=1, max_length=MOST_RATIOS, description="True ratios to find; may be repeated.")
]


@router.get("", summary="Plan a trial")
def plan_trial(
    *,
    design: Annotated[Design, Query(description="As in a trial's plan.")],
    rate: Annotated[float, Query(description="Cramps a week of seven full nights, under the control.")],
    ratio: Ratios = list(RATIOS),  # noqa: B006 - FastAPI copies it
    block_weeks: Annotated[
        int | None, Query(description="Weeks of a block; of before_after, what is looked for.")
    ] = None,
    cycles: Annotated[int | None, Query(description="Pairs of blocks; n_of_1 only, looked for.")] = None,
    wearers: Annotated[int | None, Query(description="All who begin; looked for in designs of groups.")] = None,
    baseline_weeks: Annotated[int, Query(description="parallel and factorial only.")] = 2,
    power: Annotated[float, Query(description="Wanted.")] = WANTED,
    alpha: Annotated[float, Query(description="Level of the test, two-sided.")] = ALPHA,
    drop_out: Annotated[float, Query(description="Share of wearers.")] = 0.0,
    weekly_k: Annotated[float, Query(description="Negative binomial shape of a week's count.")] = USUAL.weekly_k,
    people_shape: Annotated[float, Query(description="Gamma shape of people's levels.")] = USUAL.people_shape,
    correlation: Annotated[float, Query(description="Of one person's counts in two periods.")] = USUAL.correlation,
    usable: Annotated[float, Query(description="Share of nights.")] = USUAL.usable,
    sensitivity: Annotated[float, Query(description="Share of cramps that the device finds.")] = USUAL.sensitivity,
    false_alarms: Annotated[float, Query(description="A night.")] = USUAL.false_alarms,
) -> PlannerOut:
    """Power by size, and the smallest size with the power wanted, for each ratio. Simulated, from a fixed seed."""
    answers: list[PlanAnswerOut] = []
    for one in ratio:
        presumed = Presumed(
            per_week=rate,
            ratio=one,
            weekly_k=weekly_k,
            people_shape=people_shape,
            correlation=correlation,
            usable=usable,
            sensitivity=sensitivity,
            false_alarms=false_alarms,
        )
        ask = Ask(
            design,
            presumed,
            block_weeks=block_weeks,
            cycles=cycles,
            wearers=wearers,
            baseline_weeks=baseline_weeks,
            power=power,
            alpha=alpha,
            drop_out=drop_out,
        )
        answers.append(answer(plan(ask)))
    return PlannerOut(design=design, rate=rate, power=power, alpha=alpha, answers=answers)
