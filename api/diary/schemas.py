"""What the diary takes and gives, as pydantic models. Scores are 0-10; units are UCUM; nothing is a diagnosis."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.diary.analytes import Analyte, Standing
from api.diary.matching import Seen
from api.diary.values import (
    MAX_NOTE,
    ContextKind,
    EntryKind,
    FeltMuscle,
    InterventionCode,
    Outcome,
    Schedule,
    Verdict,
)
from api.registry import Side
from api.schemas import Given, Instant, Page, Taken
from api.trends.schemas import EstimateOut, Real

Key = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=80,
        description="Your own name of this entry, for instance a random UUID. Sent again, it adds nothing.",
    ),
]
Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    Field(max_length=MAX_NOTE, description="One line. Leave out what need not be known."),
]
Named = Annotated[str, StringConstraints(strip_whitespace=True), Field(max_length=80)]
Score = Annotated[int | None, Field(ge=0, le=10, strict=True)]
About = Annotated[
    str | None,
    Field(max_length=20, examples=["night 2026-11-20"], description="Where the hour is not known: a night or a day."),
]
Members = Annotated[
    dict[str, Annotated[str, StringConstraints(strip_whitespace=True)] | float],
    Field(
        max_length=8, description="Members that this kind may have; see docs/diary.md.", examples=[{"drink": "water"}]
    ),
]


class FeltIn(Taken):
    """A cramp felt. Give `at`, with `uncertain_s` where the time is rough; or `about` a night or day."""

    at: AwareDatetime | None = None
    uncertain_s: float = Field(default=0.0, ge=0, description="How far `at` may be off, to either side.")
    about: About = None
    muscle: FeltMuscle | None = None
    side: Side | None = None
    duration_s: float | None = None
    pain: Score = None
    sleep_disturbance: Score = None
    note: Note = ""
    key: Key = None


class FeltChange(Taken):
    """What may change of a cramp felt; null empties a member."""

    at: AwareDatetime | None = None
    uncertain_s: float | None = Field(default=None, ge=0)
    about: About = None
    muscle: FeltMuscle | None = None
    side: Side | None = None
    duration_s: float | None = None
    pain: Score = None
    sleep_disturbance: Score = None
    note: Note | None = None


class FeltOut(Given):
    """A cramp felt, between `earliest` and `latest`; `at` is null where only the night or day is known."""

    kind: Literal["cramp"] = "cramp"
    id: str
    at: Instant | None
    earliest: Instant
    latest: Instant
    about: str | None
    muscle: FeltMuscle | None
    side: Side | None
    duration_s: float | None
    pain: int | None
    sleep_disturbance: int | None
    note: str
    updated: Instant


class Dose(Taken):
    """How much at a time: of magnesium and the like the element itself, not its salt."""

    value: float
    unit: str = Field(max_length=20, examples=["mg"], description="UCUM.")


class InterventionIn(Taken):
    """Something taken or done, on local dates, both included; without `to` it goes on."""

    code: InterventionCode
    name: Named = Field(default="", description="Needed of `other`; product or form of the rest.")
    dose: Dose | None = None
    schedule: Schedule = "daily"
    times: int | None = Field(default=None, ge=1, le=24, description="A day.")
    from_: date = Field(validation_alias="from")
    to: date | None = None
    note: Note = ""
    key: Key = None


class InterventionChange(Taken):
    """What may change of an intervention; null empties a member, and `"to": null` lets it go on."""

    code: InterventionCode | None = None
    name: Named | None = None
    dose: Dose | None = None
    schedule: Schedule | None = None
    times: int | None = Field(default=None, ge=1, le=24)
    from_: date | None = Field(default=None, validation_alias="from")
    to: date | None = None
    note: Note | None = None


class AdherenceOut(Given):
    """Doses of the days that have ended. What nobody noted is neither taken nor missed."""

    due: int | None = Field(description="By the schedule; null where it does not say how often.")
    taken: int
    missed: int
    unnoted: int | None
    share: float | None = Field(description="Taken, of those noted.")


class DoseOut(Given):
    """How much at a time."""

    value: float
    unit: str


class InterventionOut(Given):
    """Something taken or done, and how regularly."""

    kind: Literal["intervention"] = "intervention"
    id: str
    code: InterventionCode
    name: str
    dose: DoseOut | None
    schedule: Schedule
    times: int | None
    from_: date = Field(serialization_alias="from")
    to: date | None
    adherence: AdherenceOut
    note: str
    updated: Instant


class IntakeIn(Taken):
    """One dose, taken or missed."""

    at: AwareDatetime
    outcome: Outcome = "taken"
    key: Key = None


class IntakeChange(Taken):
    """What may change of an intake."""

    at: AwareDatetime | None = None
    outcome: Outcome | None = None


class IntakeOut(Given):
    """One dose, taken or missed."""

    kind: Literal["intake"] = "intake"
    id: str
    intervention: str
    at: Instant
    outcome: Outcome
    updated: Instant


class ContextIn(Taken):
    """What went on; without `end` a moment."""

    context: ContextKind
    start: AwareDatetime
    end: AwareDatetime | None = None
    detail: Members = Field(default_factory=dict)
    note: Note = ""
    key: Key = None


class ContextChange(Taken):
    """What may change of a context; null empties a member, `detail` is replaced as a whole."""

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    detail: Members | None = None
    note: Note | None = None


class ContextOut(Given):
    """What went on."""

    kind: Literal["context"] = "context"
    id: str
    context: ContextKind
    start: Instant
    end: Instant | None
    detail: dict[str, str | float]
    note: str
    updated: Instant


class LabIn(Taken):
    """A laboratory value. `at` may be a local date: its noon is taken."""

    analyte: Analyte
    at: AwareDatetime | date
    value: float
    unit: str = Field(max_length=20, examples=["mmol/L"], description="UCUM.")
    note: Note = ""
    key: Key = None


class LabChange(Taken):
    """What may change of a laboratory value."""

    at: AwareDatetime | date | None = None
    value: float | None = None
    unit: str | None = Field(default=None, max_length=20)
    note: Note | None = None


class UsualOut(Given):
    """The usual range of many laboratories, which is no diagnosis: the laboratory that measured has its own."""

    low: float
    high: float
    unit: str
    value: float = Field(description="The value in this unit.")
    standing: Standing


class LabOut(Given):
    """A laboratory value as it was reported, and beside the usual range of many laboratories."""

    kind: Literal["laboratory"] = "laboratory"
    id: str
    analyte: Analyte
    at: Instant
    value: float
    unit: str
    usual: UsualOut
    remark: str | None = Field(description="Where the number would be usual in another unit: which.")
    note: str
    updated: Instant


class ReviewIn(Taken):
    """What the wearer says of a detected episode; the latest word holds."""

    episode: str = Field(max_length=160, description="Id of one of the wearer's episodes.")
    verdict: Verdict
    note: Note = ""
    key: Key = None


class ReviewChange(Taken):
    """What may change of a review."""

    verdict: Verdict | None = None
    note: Note | None = None


class ReviewOut(Given):
    """What the wearer says of a detected episode."""

    kind: Literal["review"] = "review"
    id: str
    episode: str
    onset: Instant
    verdict: Verdict
    note: str
    updated: Instant


EntryOut = Annotated[
    FeltOut | InterventionOut | IntakeOut | ContextOut | LabOut | ReviewOut, Field(discriminator="kind")
]


class DiaryOut(Page[EntryOut]):
    """Entries of all kinds in order of time; an intervention stands at its first day."""


class FaultOut(Given):
    """One row that cannot be taken, and why."""

    line: int = Field(description="Of the file, from 1; the heading is line 1.")
    column: str = Field(description="Heading of the column; empty where the whole line is meant.")
    detail: str = Field(description="What is wrong, and what to write instead.")


class ImportOut(Given):
    """What came of a file: all of it or nothing, unless bad rows were to be skipped."""

    rows: int
    added: dict[EntryKind, int]
    known: int = Field(description="Rows that were there before.")
    skipped: int
    faults: list[FaultOut] = Field(description="At most the first hundred.")


class MatchOut(Given):
    """One cramp: seen by both, by the device only, by the diary only, or felt where no device could have seen it."""

    seen: Seen
    at: Instant = Field(description="Detected onset; else the felt time, or the middle of what is meant.")
    cramp: str | None = Field(description="Id of the cramp in the diary.")
    episode: str | None
    confirmed: bool | None = Field(description="By a review of the episode.")
    severity: float | None = Field(description="By the convention.")
    own_severity: float | None = Field(description="As this wearer would put it; null without enough ratings.")
    pain: int | None


class OwnOut(Given):
    """Severity re-fitted to the wearer's pain ratings. It never takes the place of the convention."""

    ratings: int
    least: int
    weights: dict[str, float] | None = Field(description="Of the parts of severity; null without enough ratings.")
    weights_convention: dict[str, float]
    rank: Real = Field(description="Kendall's tau-b of pain and the fit, each rating predicted without itself.")
    rank_convention: Real
    sentence: str


class ReviewedOut(Given):
    """What the wearer said of detected episodes."""

    cramps: int
    none: int
    unsure: int
    unreviewed: int
    wrong: EstimateOut
    per_night: EstimateOut = Field(description="Called none, per night with enough data.")
    sentence: str


class AgreementOut(Given):
    """How far diary and devices agree in a range in which the diary was kept."""

    wearer: str
    from_: date = Field(serialization_alias="from")
    to: date
    both: int
    device_only: int
    diary_only: int
    not_seeable: int = Field(description="Felt while no device could have seen it; in no figure.")
    rejected: int = Field(description="Of the device alone: called none by the wearer.")
    sensitivity: EstimateOut
    felt: EstimateOut
    duration: EstimateOut
    kappa: EstimateOut
    own: OwnOut
    reviewed: ReviewedOut
    sentence: str
    items: list[MatchOut]
