"""A trial as values: the plan that is registered, who takes part, what was seen in each phase, and what came out.

A plan is written before the first phase begins, hashed and dated. Everything here is immutable: an amendment is another
plan, and the report says what differs.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from api.observed import Observed, ObservedKind
from api.statistics.values import Estimate

Design = Literal["before_after", "n_of_1", "crossover", "parallel", "factorial"]
"""before_after: one person or one group, baseline and then treatment.
n_of_1: one person, randomised blocks in pairs."""

Outcome = Literal[
    "rate", "cramp_periods", "duration", "severity", "load", "cramp_index",
    "responders_25", "responders_50", "remission", "felt_better",
]  # fmt: skip
"""rate: per 8 usable hours. cramp_periods: share of nights (or days) with a cramp.
cramp_index: duration (min) x severity."""

PhaseKind = Literal["baseline", "treatment", "washout"]
Counting = Literal["detected", "felt", "both"]
Role = Literal["primary", "secondary", "sensitivity"]
Conclusion = Literal["fewer", "more", "no_difference_shown", "not_enough_data"]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a label stands for: magnesium citrate, 300 mg, 1/d; or a control."""

    label: str  # "A", "B"; in a factorial trial "A", "B" are the two factors
    name: str
    dose: str = ""  # with its UCUM unit, as in the diary
    control: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided before anybody takes anything."""

    title: str
    question: str
    design: Design
    treatments: tuple[Treatment, ...]
    kinds: tuple[ObservedKind, ...] = ("night",)
    primary: Outcome = "rate"
    secondary: tuple[Outcome, ...] = ("cramp_periods", "severity")
    counting: Counting = "detected"
    baseline_days: int = 14
    block_days: int = 14
    washout_days: int = 0
    settle_days: int = 0  # first days of each phase that are not counted
    cycles: int = 2  # pairs of blocks of an n_of_1 trial
    wearers: int = 1  # planned
    blinded: bool = False
    worthwhile_ratio: float = 0.75  # the smallest effect worth having
    expected_per_week: float | None = None
    expected_ratio: float = 0.5
    power: float | None = None  # by the planner, with these figures
    seed: int = 0  # of the allocation


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of one wearer's schedule, by local dates, both included."""

    wearer: str
    kind: PhaseKind
    label: str  # of the treatment: "A"; empty in baseline and washout; "AB", "A", "B", "" in a factorial trial
    first: date
    last: date
    cycle: int = 0  # of an n_of_1 trial, from 1
    position: int = 0  # which treatment phase of this wearer, from 1
    sequence: str = ""  # "AB" or "BA" of a crossover trial; else the arm


@dataclass(frozen=True, slots=True)
class Seen:
    """One phase and what was seen in it."""

    phase: Phase
    observed: tuple[Observed, ...]  # every planned night (or day) that has ended, those without data too
    felt_better: bool | None = None  # what the wearer said at its end


@dataclass(frozen=True, slots=True)
class Member:
    """One who takes part. `excluded` says why nothing of them is analysed; `left` when they stopped."""

    wearer: str
    sequence: str
    first: date
    left: date | None = None
    reason: str = ""
    excluded: str = ""


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """Sums of one arm, treatment or phase, as a table shows them."""

    label: str
    name: str
    wearers: int
    planned: int  # nights (or days)
    judged: int  # with enough data
    expected_h: float
    usable_h: float
    cramps: int
    per_week: Estimate  # cramps in seven periods of eight usable hours each
    cramp_periods: int


@dataclass(frozen=True, slots=True)
class Result:
    """One outcome by one method."""

    outcome: Outcome
    role: Role
    estimate: Estimate
    contrast: str  # "magnesium against placebo"
    probability: tuple[tuple[str, float], ...] = ()  # of a Bayesian analysis: ("RR<1", 0.98), ("RR<0.75", 0.8)


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One box of the flow chart: registered, allocated to A, analysed; and who was lost before it, with reasons."""

    label: str
    wearers: int
    lost: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A test of what the analysis presumes: period effect, carry-over, overdispersion, drift of the control."""

    name: str
    estimate: Estimate
    sentence: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Where what was done differs from what was registered."""

    what: str
    registered: str
    done: str


@dataclass(frozen=True, slots=True)
class Doubts:
    """Reasons not to believe a result by itself: its nights were over before it was begun, or it is one of several."""

    late: int = 0  # periods compared that were over when the plan was registered, or their wearer entered
    periods: int = 0  # compared in all
    plan_late: bool = False  # the plan itself was late, not only who takes part
    others: int = 0  # other trials of these wearers over the same dates

    @property
    def proves_nothing(self) -> bool:
        """Whether half of what was compared could have been looked at before."""
        return self.late > 0 and 2 * self.late >= self.periods


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that a report shows."""

    plan: Plan
    seen: tuple[Seen, ...]
    arms: tuple[ArmFigures, ...]
    results: tuple[Result, ...]  # the primary one first
    checks: tuple[Check, ...]
    flow: tuple[FlowStep, ...]
    conclusion: Conclusion
    verdict: str  # one sentence that a wearer understands
    methods: str  # one paragraph that a referee accepts
    caveats: tuple[str, ...]  # most important first
    differences: tuple[Difference, ...] = ()
    doubts: Doubts = Doubts()
