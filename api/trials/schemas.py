"""What the addresses of trials take and give, as pydantic models."""

import secrets
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from api.observed import ObservedKind
from api.schemas import Given, Instant, Taken
from api.trends.schemas import EstimateOut, Real, Told
from api.trials.registered import Purpose, State
from api.trials.values import Conclusion, Counting, Design, Outcome, PhaseKind, Plan, Role, Treatment

Reason = Annotated[str, Field(min_length=1, max_length=400)]
ShortReason = Annotated[str, Field(min_length=1, max_length=200)]
Label = Literal["A", "B"]


class TreatmentIn(Taken):
    """What is taken or done. Labels are A and B in the order given; those of a blinded trial mean nothing."""

    name: str = Field(min_length=1, max_length=80, examples=["magnesium citrate"])
    dose: str = Field(default="", max_length=40, examples=["300 mg"])
    control: bool = Field(default=False, description="The one that the other is held against: placebo, or nothing.")
    label: Label | None = None

    def value(self) -> Treatment:
        """As the plan has it."""
        return Treatment(label=self.label or "", name=self.name, dose=self.dose, control=self.control)


class PlanIn(Taken):
    """What is decided before anybody takes anything."""

    title: str = Field(min_length=1, max_length=120)
    question: str = Field(min_length=1, max_length=400)
    design: Design
    treatments: list[TreatmentIn] = Field(max_length=4)
    kinds: list[ObservedKind] = Field(default=["night"], max_length=5)
    primary: Outcome = "rate"
    secondary: list[Outcome] = Field(default=["cramp_periods", "severity"], max_length=10)
    counting: Counting = "detected"
    baseline_days: int = Field(default=14, ge=0, le=400)
    block_days: int = Field(default=14, ge=0, le=400)
    washout_days: int = Field(default=0, ge=0, le=400)
    settle_days: int = Field(default=0, ge=0, le=400, description="First days of each phase that are not counted.")
    cycles: int = Field(default=2, ge=1, le=100, description="Pairs of blocks of an n_of_1 trial.")
    wearers: int = Field(default=1, ge=1, le=10_000)
    blinded: bool = False
    worthwhile_ratio: float = Field(default=0.75, description="The smallest effect worth having.")
    expected_per_week: float | None = None
    expected_ratio: float = 0.5
    power: float | None = Field(default=None, description="By the planner, with these figures.")
    seed: int | None = Field(default=None, ge=0, description="Of the allocation; drawn if it is left out.")

    def value(self) -> Plan:
        """As it is registered, once it has been checked."""
        members = {name: getattr(self, name) for name in type(self).model_fields}
        return Plan(
            **members
            | {
                "treatments": tuple(treatment.value() for treatment in self.treatments),
                "kinds": tuple(self.kinds),
                "secondary": tuple(self.secondary),
                "seed": secrets.randbelow(2**32) if self.seed is None else self.seed,
            }
        )


class MemberIn(Taken):
    """A wearer who takes part from a local date on."""

    wearer: str = Field(max_length=64)
    first: date


class LeaveIn(Taken):
    """The last date that counts, and why."""

    last: date
    reason: ShortReason


class ExcludeIn(Taken):
    """Why nothing of a wearer is analysed."""

    reason: ShortReason


class ImpressionIn(Taken):
    """What a wearer says of a treatment phase: did they feel better?"""

    position: int = Field(ge=1, description="Which treatment phase, from 1.")
    felt_better: bool


class AmendmentIn(Taken):
    """A whole plan in place of the one in force, and why."""

    plan: PlanIn
    reason: Reason


class UnblindIn(Taken):
    """Why the key is opened."""

    reason: Reason


class TreatmentOut(Told):
    """What is taken or done. The label of a blinded trial is empty: the key knows it."""

    label: str
    name: str
    dose: str
    control: bool


class PlanOut(Told):
    """A plan, with every member that its hash is of."""

    title: str
    question: str
    design: Design
    treatments: list[TreatmentOut]
    kinds: list[ObservedKind]
    primary: Outcome
    secondary: list[Outcome]
    counting: Counting
    baseline_days: int
    block_days: int
    washout_days: int
    settle_days: int
    cycles: int
    wearers: int
    blinded: bool
    worthwhile_ratio: float
    expected_per_week: float | None
    expected_ratio: float
    power: float | None
    seed: int


class VersionOut(Given):
    """A plan as of an instant. `text` is what is hashed: canonical JSON."""

    number: int
    hash: str = Field(description="SHA-256 of `text`.")
    text: str
    at: Instant
    reason: str
    circumstances: list[str] = Field(
        description="What there was by then: members, data, unblinded; seed if it was given."
    )


class OpeningOut(Given):
    """Somebody looked at the key."""

    purpose: Purpose
    reason: str
    at: Instant


class ImpressionOut(Told):
    """What a wearer said."""

    position: int
    felt_better: bool


class MemberOut(Given):
    """Who takes part. `sequence` is in the labels that the schedule shows."""

    wearer: str
    sequence: str
    first: date
    left: date | None
    reason: str
    excluded: str
    joined: Instant
    impressions: list[ImpressionOut]


class PhaseOut(Told):
    """A phase by local dates, both included."""

    wearer: str
    kind: PhaseKind
    label: str
    first: date
    last: date
    cycle: int
    position: int
    sequence: str


class TrialOut(Given):
    """A registered trial: the plan in force, all its versions, who takes part, and who takes what when."""

    id: str
    state: State
    plan: PlanOut
    hash: str = Field(description="Of the plan as it was first registered.")
    registered: Instant
    versions: list[VersionOut]
    unblinded: Instant | None
    openings: list[OpeningOut]
    members: list[MemberOut]
    schedule: list[PhaseOut]


class KeyEntryOut(Given):
    """What a label that the schedule shows stands for."""

    label: str
    treatments: list[TreatmentOut]


class KeyOut(Given):
    """The key of a blinded trial."""

    trial: str
    entries: list[KeyEntryOut]


class ArmOut(Told):
    """Sums of one arm, treatment or phase."""

    label: str
    name: str
    wearers: int
    planned: int
    judged: int
    expected_h: Real
    usable_h: Real
    cramps: int
    per_week: EstimateOut
    cramp_periods: int


class ProbabilityOut(Given):
    """How probable something is, given the data and the prior."""

    of: str
    value: Real


class ResultOut(Given):
    """One outcome by one method."""

    outcome: Outcome
    role: Role
    contrast: str
    estimate: EstimateOut
    probability: list[ProbabilityOut]


class CheckOut(Told):
    """A test of what the analysis presumes."""

    name: str
    estimate: EstimateOut
    sentence: str


class LostOut(Given):
    """How many were lost, and why."""

    reason: str
    wearers: int


class FlowOut(Given):
    """One step of the flow, and who was lost before it."""

    label: str
    wearers: int
    lost: list[LostOut]


class DifferenceOut(Told):
    """Where what was done differs from what was registered."""

    what: str
    registered: str
    done: str


class PeriodOut(Given):
    """A night or another period of a phase; without enough data the count is a lower bound."""

    kind: ObservedKind
    date: date
    count: int
    usable_h: Real
    enough: bool


class SeenOut(Given):
    """What was seen in one phase."""

    phase: PhaseOut
    felt_better: bool | None
    periods: list[PeriodOut]


class TrialAnalysisOut(Given):
    """Everything that a report shows; the primary result is the first."""

    conclusion: Conclusion
    verdict: str
    plan: PlanOut
    arms: list[ArmOut]
    results: list[ResultOut]
    checks: list[CheckOut]
    flow: list[FlowOut]
    methods: str
    caveats: list[str]
    differences: list[DifferenceOut]
    seen: list[SeenOut]


class AnalysisStateOut(Given):
    """The analysis, or how far it has come: then the status is 202, and `Retry-After` says when to ask again."""

    trial: str
    state: Literal["ready", "computing"]
    progress: float
    analysis: TrialAnalysisOut | None
