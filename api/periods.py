"""Nights and days of one wearer by the clock. Pure: a zone history and a preference in, periods out.

`nights.py` moves the edges of a night to where the wearer fell asleep and got up.

Rules
-----
- A night begins when the wearer's clock reaches `night_start` and ends when it reaches `night_end`; a day is
  what lies between two nights. Periods are contiguous: every instant falls in exactly one.
- A period is named by the local date of the clock window it begins in, which for the night from 21:00 to
  09:00 is the date of its evening. Lengths are elapsed time: such a night may last 11, 12 or 13 hours.
- A clock set back by up to three hours (end of summer time, a short flight west) does not reopen a period
  that has ended: the period in force goes on until the clock has caught up.
- After a longer way back local dates repeat: there may be two nights of one date, told apart by `part`.
- A period that the clock jumps over (a flight over the date line) does not exist. If those on both sides are
  of one kind they are one, unless together they would exceed 1.5 times their usual length.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final, Literal

from api.errors import Invalid
from api.zones import DAY_NS, SECOND_NS, Segment, ZoneHistory

PeriodKind = Literal["night", "day"]
WindowSource = Literal["clock", "accelerometer"]
MINUTE_NS: Final = 60 * SECOND_NS
HOLD_NS: Final = 3 * 3600 * SECOND_NS
LONGEST: Final = 1.5
_QUIET_NS: Final = 4 * DAY_NS
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class NightPreference:
    """When this wearer's night begins and ends on the clock."""

    start: time = time(21, 0)
    end: time = time(9, 0)

    def __post_init__(self) -> None:
        if any(at.second or at.microsecond or at.tzinfo for at in (self.start, self.end)):
            raise Invalid("night_start", "Give night_start and night_end as local wall time in whole minutes, HH:MM.")
        if not 3 * 3600 * SECOND_NS <= self.night_ns <= 21 * 3600 * SECOND_NS:
            raise Invalid("night_start", "A night lasts from 3 to 21 hours: change night_start or night_end.")

    @property
    def start_ns(self) -> int:
        return (self.start.hour * 60 + self.start.minute) * MINUTE_NS

    @property
    def end_ns(self) -> int:
        return (self.end.hour * 60 + self.end.minute) * MINUTE_NS

    @property
    def night_ns(self) -> int:
        return (self.end_ns - self.start_ns) % DAY_NS

    def usual_ns(self, kind: PeriodKind) -> int:
        """How long a period of this kind lasts when no clock is changed."""
        return self.night_ns if kind == "night" else DAY_NS - self.night_ns


@dataclass(frozen=True, slots=True)
class Window:
    """An interval `[start_ns, end_ns)` and where it comes from; `asleep_s` of it where sleep was seen."""

    start_ns: int
    end_ns: int
    source: WindowSource = "clock"
    asleep_s: float | None = None

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Period:
    """One night or one day."""

    kind: PeriodKind
    date: date
    part: int  # 1, or 2 and up where travel repeated the date
    window: Window

    @property
    def id(self) -> str:
        """Name that is unique for a wearer, such as `night-2026-01-31`."""
        return f"{self.kind}-{self.date}" + (f"-{self.part}" if self.part > 1 else "")


@dataclass(slots=True)
class _Run:
    """A period in the making; `latest` is the date of the clock window it has come to."""

    kind: PeriodKind
    named: date
    latest: date
    start_ns: int
    end_ns: int


def periods(*, zones: ZoneHistory, night: NightPreference, first: date, last: date) -> list[Period]:
    """Every night and day named by a date from `first` to `last`, in order of time."""
    start_ns = _settled_ns(zones, (first - _EPOCH).days * DAY_NS - _QUIET_NS)
    end_ns = (last - _EPOCH).days * DAY_NS + 6 * DAY_NS
    runs = _walk(zones.segments(start_ns, end_ns), night)
    seen: Counter[tuple[PeriodKind, date]] = Counter()
    found = []
    for run in runs[1:-1]:  # the outermost two are cut
        seen[run.kind, run.named] += 1
        if first <= run.named <= last:
            window = Window(run.start_ns, run.end_ns)
            found.append(Period(run.kind, run.named, seen[run.kind, run.named], window))
    return found


def periods_around(*, zones: ZoneHistory, night: NightPreference, start_ns: int, end_ns: int) -> list[Period]:
    """Periods that between them hold every instant of `[start_ns, end_ns)`."""
    first, last = _EPOCH + timedelta(start_ns // DAY_NS - 3), _EPOCH + timedelta(end_ns // DAY_NS + 3)
    return periods(zones=zones, night=night, first=first, last=last)


def locate(among: list[Period], instant_ns: int) -> Period | None:
    """The one period of a list in order of time that holds the instant."""
    index = bisect_right(among, instant_ns, key=lambda period: period.window.start_ns) - 1
    if index < 0 or instant_ns >= among[index].window.end_ns:
        return None
    return among[index]


def _settled_ns(zones: ZoneHistory, instant_ns: int) -> int:
    """An instant no later than this whose period depends on the clock alone: no jump is near before it."""
    while True:
        segments = zones.segments(instant_ns - _QUIET_NS, instant_ns)
        if len(segments) == 1:
            return instant_ns
        instant_ns = segments[0].end_ns


def _walk(segments: list[Segment], night: NightPreference) -> list[_Run]:
    """Follow the clock through every segment, opening a run whenever it enters another window."""
    runs: list[_Run] = []
    reached_ns = 0  # the latest local time the clock has shown since it last went far back
    for segment in segments:
        at_ns = segment.start_ns
        behind_ns = reached_ns - (at_ns + segment.offset_ns)
        if runs and 0 < behind_ns <= HOLD_NS:
            at_ns = min(at_ns + behind_ns, segment.end_ns)
            runs[-1].end_ns = at_ns
            if at_ns == segment.end_ns:
                continue  # still behind: `reached_ns` stands
        while at_ns < segment.end_ns:
            kind, named, boundary_ns = _clock_window(at_ns + segment.offset_ns, night)
            until_ns = min(segment.end_ns, boundary_ns - segment.offset_ns)
            _enter(runs, _Run(kind, named, named, at_ns, until_ns), usual_ns=night.usual_ns(kind))
            at_ns = until_ns
        reached_ns = segment.end_ns + segment.offset_ns
    return runs


def _enter(runs: list[_Run], piece: _Run, *, usual_ns: int) -> None:
    """Add a piece of one clock window: to the open run where it continues that, else as a new one."""
    if runs and runs[-1].kind == piece.kind:
        open_run = runs[-1]
        fits = piece.end_ns - open_run.start_ns <= LONGEST * usual_ns
        if open_run.latest == piece.named or fits:
            open_run.latest, open_run.end_ns = piece.named, piece.end_ns
            return
    runs.append(piece)


def _clock_window(local_ns: int, night: NightPreference) -> tuple[PeriodKind, date, int]:
    """Kind and date of the clock window that a local time lies in, and the local time at which it ends."""
    day, clock_ns = divmod(local_ns, DAY_NS)
    overnight = night.end_ns < night.start_ns
    edges: tuple[tuple[int, PeriodKind], ...] = (
        ((night.end_ns, "day"), (night.start_ns, "night"))
        if overnight
        else ((night.start_ns, "night"), (night.end_ns, "day"))
    )
    (first_ns, first_kind), (second_ns, second_kind) = edges
    if clock_ns < first_ns:
        return second_kind, _EPOCH + timedelta(day - 1), day * DAY_NS + first_ns
    if clock_ns < second_ns:
        return first_kind, _EPOCH + timedelta(day), day * DAY_NS + second_ns
    return second_kind, _EPOCH + timedelta(day), (day + 1) * DAY_NS + first_ns
