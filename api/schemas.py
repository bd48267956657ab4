"""What the API takes and gives, as pydantic models. Instants are RFC 3339 text, lengths are seconds."""

from datetime import date
from typing import Annotated, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.coverage import Seen
from api.health import PartState
from api.liveness import StateCode
from api.periods import PeriodKind, WindowSource
from api.registry import Muscle, Side
from api.summaries import Verdict
from ingest.store.records import EpisodeState

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["21:00"])]
Name = Annotated[str, Field(min_length=1, max_length=80)]
ItemT = TypeVar("ItemT")


class Taken(BaseModel):
    """What is sent to the API: unknown members are errors, so that a typing mistake is not lost."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class Given(BaseModel):
    """What the API sends."""

    model_config = ConfigDict(populate_by_name=True)


class Page(Given, Generic[ItemT]):
    """Some items of a list; `next` is the address of more, as in the Link header."""

    items: list[ItemT]
    next: str | None = None


class ZoneIn(Taken):
    """From an instant on the wearer's clock showed the time of a zone; without `from`, since ever."""

    zone: str = Field(examples=["Europe/Berlin"])
    from_: AwareDatetime | None = Field(default=None, validation_alias="from")


class ZonesIn(Taken):
    """A whole zone history, in order of time; it replaces the one before."""

    zones: list[ZoneIn]


class ZoneOut(Given):
    """One entry of a zone history."""

    zone: str
    from_: Instant | None = Field(serialization_alias="from")


class ZonesOut(Given):
    """The zone history of a wearer."""

    zones: list[ZoneOut]


class WearerIn(Taken):
    """A wearer to register."""

    name: Name
    zone: str = Field(examples=["Europe/Berlin"])
    night_start: WallTime = "21:00"
    night_end: WallTime = "09:00"


class WearerChange(Taken):
    """What may change of a wearer; zones have an address of their own."""

    name: Name | None = None
    night_start: WallTime | None = None
    night_end: WallTime | None = None


class WearerOut(Given):
    """A wearer, where their clock is now, and what they wear now."""

    id: str
    name: str
    zone: str
    today: date
    night_start: WallTime
    night_end: WallTime
    devices: list[str]
    created: Instant


class DeviceIn(Taken):
    """A device to register, by the id on its topics."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    label: Name | None = None


class DeviceChange(Taken):
    """What may change of a device."""

    label: Name


class AssignmentIn(Taken):
    """A device to assign; without `to` it goes on. `from` may be long ago: a device may be claimed late."""

    device: str
    wearer: str
    side: Side
    muscle: Muscle
    from_: AwareDatetime = Field(validation_alias="from")
    to: AwareDatetime | None = None


class AssignmentChange(Taken):
    """What may change of an assignment; to give a device to another wearer, end it and add one."""

    side: Side | None = None
    muscle: Muscle | None = None
    from_: AwareDatetime | None = Field(default=None, validation_alias="from")
    to: AwareDatetime | None = None


class AssignmentOut(Given):
    """Which device sits on whom, where and when."""

    id: str
    device: str
    wearer: str
    side: Side
    muscle: Muscle
    from_: Instant = Field(serialization_alias="from")
    to: Instant | None


class DeviceOut(Given):
    """A device, whose it is now, and how it does."""

    id: str
    label: str
    state: StateCode
    sentence: str = Field(description="The state in plain words, and what to do about it.")
    since: Instant | None = Field(
        description="When the state began, as far as known; of a silent device, when last heard."
    )
    assignment: AssignmentOut | None
    online: bool | None = Field(description="What the broker says; null if the device was never seen.")
    firmware: str
    sites: list[str]
    battery: float | None
    last_received: Instant | None
    last_sample: Instant | None
    missing_blocks: int = Field(description="Declared lost so far.")
    late_blocks: int = Field(description="Kept, and not yet in the results.")
    archive_unreadable: bool = Field(description="Late blocks wait until a part of the archive is mended.")
    undated_blocks: int = Field(description="Kept until the device's clock is known.")
    refused_blocks: int = Field(description="Not kept.")
    refused_reason: str | None = Field(description="Why the latest of those was not.")
    clock_offset_s: float = Field(description="The device's clock minus the service's.")
    clock_drift_ppm: float
    created: Instant


class CoverageOut(Given):
    """Seconds; see the vocabulary."""

    expected_s: float
    received_s: float
    worn_s: float
    usable_s: float


class ClockOut(Given):
    """Which zone the wearer's clock showed, from an instant within a period on."""

    start: Instant
    zone: str


class WindowOut(Given):
    """When a period begins and ends, on the wearer's clock, and how that is known."""

    start: Instant
    end: Instant
    duration_s: float
    source: WindowSource = Field(description="Of a night: the clock, or sleep seen in the leg's acceleration.")
    asleep_s: float | None = Field(description="Without stirring, within a night seen; null by the clock.")
    sentence: str


class CrampsOut(Given):
    """Episodes of a period. With `at_least` the count is a lower bound: too little was seen, or more may come."""

    count: int
    at_least: bool
    ongoing: int
    total_s: float
    longest_s: float | None
    worst_severity: float | None
    mean_severity: float | None
    load: float
    per_8_usable_h: float | None


class StretchOut(Given):
    """Consecutive time of one kind of coverage, in steps of five minutes."""

    start: Instant
    end: Instant
    seen: Seen


class DeviceShareOut(Given):
    """What one device contributed to a period."""

    device: str
    side: Side
    muscle: Muscle
    coverage: CoverageOut
    timeline: list[StretchOut]


class SummaryOut(Given):
    """One night or one day."""

    id: str
    kind: PeriodKind
    date: date
    part: int
    window: WindowOut
    clock: list[ClockOut] = Field(description="One entry, or more where the wearer travelled.")
    status: Verdict
    reason: str | None
    sentence: str
    complete: bool = Field(description="All that arrived is in the figures, and the devices have come to its end.")
    pending: str | None = Field(description="What is still to come, in plain words; null when complete.")
    revised: int = Field(description="Episodes that were told otherwise before, or withdrawn, after data came late.")
    coverage: CoverageOut
    devices: list[DeviceShareOut]
    cramps: CrampsOut


class TotalOut(Given):
    """All nights, or all days, of a range that have begun; `not_enough_data` counts those that have ended."""

    periods: int
    not_enough_data: int
    sentence: str
    coverage: CoverageOut
    cramps: CrampsOut


class SummariesOut(Given):
    """Nights or days of one wearer in order of time, and what they come to."""

    wearer: str
    from_: date = Field(serialization_alias="from")
    to: date
    total: TotalOut
    items: list[SummaryOut]


class PeriodRef(Given):
    """The one period that an episode falls in."""

    id: str
    kind: PeriodKind
    date: date
    part: int


class SeverityParts(Given):
    """What a severity is made of, each 0-10."""

    amplitude: float
    duration: float
    load: float
    recruitment: float


class EpisodeOut(Given):
    """One cramp, placed on the wearer's clock and leg."""

    id: str
    status: EpisodeState
    revision: int = Field(description="0 while it lasts, 1 when it has ended, more whenever late data changed it.")
    superseded_by: str | None = Field(description="Of a withdrawn episode: the id of the one in its place, if any is.")
    onset: Instant
    end: Instant
    duration_s: float
    zone: str
    local_date: date
    period: PeriodRef
    device: str
    side: Side
    site: str
    sites: list[str]
    severity: float
    severity_parts: SeverityParts
    grade: int = Field(description="1 mild, 2 moderate, 3 severe: a convention.")
    load: float
    peak_uv: float
    peak_ratio: float
    confidence: float
    flags: list[str]
    detector: str
    params: str
    updated: Instant


class EpisodesOut(Page[EpisodeOut]):
    """Episodes by onset; `as_of` is given to mirrors, to be their next `updated_after`."""

    as_of: Instant | None = None


class EpochOut(Given):
    """One stretch of one EMG site. Null means not measured."""

    device: str
    side: Side
    site: str
    start: Instant
    duration_s: float
    coverage: CoverageOut
    rms_uv: float | None
    rest_uv: float | None
    median_hz: float | None
    movement_g: float | None
    angle_deg: float | None
    flags: list[str]


class PartOut(Given):
    """How one part does."""

    state: PartState
    sentence: str


class Readiness(Given):
    """Whether the service can do its work; `state` is the worst of its parts, and `unavailable` is not ready."""

    ready: bool
    state: PartState
    parts: dict[str, PartOut]


class Alive(Given):
    """The process answers."""

    alive: bool = True
