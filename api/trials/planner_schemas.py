"""What `/planner` gives."""

from pydantic import Field

from api.schemas import Given
from api.trials.planner import Planned, Step
from api.trials.planner_words import notes, sentence
from api.trials.values import Design


class PlanSizeOut(Given):
    """One size of a trial and its power."""

    block_weeks: int
    cycles: int = Field(description="Pairs of blocks; 1 unless n_of_1.")
    wearers: int = Field(description="All who begin.")
    baseline_weeks: int
    total_weeks: int = Field(description="Of one wearer, without washout.")
    power: float
    error: float = Field(description="Half the width of the 95 % interval that simulation leaves of the power.")
    trials: int = Field(description="Simulated.")


class PlanAnswerOut(Given):
    """What it takes to find one ratio. `smallest` is null where no size allowed has the power wanted."""

    ratio: float
    seen_ratio: float = Field(description="What misses and false alarms make of it.")
    sentence: str
    by: str = Field(description="What the sizes differ by: block_weeks, cycles or wearers.")
    smallest: PlanSizeOut | None
    asked: PlanSizeOut | None = Field(description="The size that was given, if any.")
    table: list[PlanSizeOut]
    notes: list[str]


class PlannerOut(Given):
    """Answers by ratio."""

    design: Design
    rate: float
    power: float
    alpha: float
    answers: list[PlanAnswerOut]


def answer(planned: Planned) -> PlanAnswerOut:
    """The answer as it is sent."""
    presumed = planned.ask.presumed
    return PlanAnswerOut(
        ratio=presumed.ratio,
        seen_ratio=presumed.seen_ratio,
        sentence=sentence(planned),
        by=planned.ask.by,
        smallest=_size(planned.smallest) if planned.smallest else None,
        asked=_size(planned.asked) if planned.asked else None,
        table=[_size(step) for step in planned.table],
        notes=list(notes(planned)),
    )


def _size(step: Step) -> PlanSizeOut:
    layout = step.layout
    return PlanSizeOut(
        block_weeks=layout.block_weeks,
        cycles=layout.cycles,
        wearers=layout.wearers,
        baseline_weeks=layout.baseline_weeks,
        total_weeks=layout.total_weeks,
        power=round(step.power, 4),
        error=round(step.error, 4),
        trials=step.trials,
    )
