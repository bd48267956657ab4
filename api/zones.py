"""Local time of one wearer: a history of IANA zones, and the stretches of constant offset it makes.

Rules
-----
- A history is replaced as a whole. Nothing else is stored in local time, so a late correction works at once.
- The first zone holds for all time before the second begins; its `from_ns` is 0.
- Only names of places are accepted. A fixed offset is wrong after the next clock change.
"""

import zoneinfo
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final

from api.errors import Invalid

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
MAX_CHANGES: Final = 500
_STEP_S: Final = 12 * 3600  # no zone changes its offset twice within this
_EPOCH: Final = date(1970, 1, 1)
_NOT_PLACES: Final = ("Etc/", "posix/", "right/", "SystemV/", "US/Pacific-New")


@cache
def zone_names() -> frozenset[str]:
    """Every accepted zone: those named after a place, as `Area/City`."""
    return frozenset(name for name in _all_names() if "/" in name and not name.startswith(_NOT_PLACES))


@cache
def _all_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def check_zone(name: str) -> str:
    """Return the name if it is an accepted zone, else say what to give instead."""
    if name in zone_names():
        return name
    if name in _all_names():
        raise Invalid(
            "zone",
            f"{name} is a time zone, but of no place, and is refused: nights are told by the clock of where the wearer "
            "lives, summer time and all. Give the zone of that place, such as Europe/London or Europe/Berlin; where "
            "the clock shows UTC all year, Africa/Abidjan.",
        )
    raise Invalid(
        "zone",
        "Unknown time zone. Give an IANA zone named after a place, such as Europe/Berlin or Asia/Kolkata. "
        "Fixed offsets such as UTC+2 are refused: they are wrong after the next clock change.",
    )


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """From this instant on the wearer's clock showed the time of `zone`."""

    from_ns: int
    zone: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch `[start_ns, end_ns)` in which local time is UTC plus a constant."""

    start_ns: int
    end_ns: int
    offset_ns: int


@dataclass(frozen=True, slots=True)
class ZoneHistory:
    """Where a wearer's clock was, from the beginning of time to its end."""

    changes: tuple[ZoneChange, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.changes) <= MAX_CHANGES:
            raise Invalid("zones", f"A zone history has 1 to {MAX_CHANGES} entries.")
        starts = [change.from_ns for change in self.changes]
        if starts[0] != 0:
            raise Invalid("zones", "The first zone holds for all time before the second: leave its `from` empty.")
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise Invalid("zones", "Give the zones in order of time, each `from` later than the one before.")
        for change in self.changes:
            check_zone(change.zone)

    def at(self, instant_ns: int) -> str:
        """Name of the zone in force."""
        starts = [change.from_ns for change in self.changes]
        return self.changes[max(bisect_right(starts, instant_ns) - 1, 0)].zone

    def local(self, instant_ns: int) -> datetime:
        """The instant on the wearer's clock, with its offset (to the microsecond)."""
        utc = datetime.fromtimestamp(instant_ns // SECOND_NS, UTC)
        utc += timedelta(microseconds=instant_ns % SECOND_NS // 1000)
        return utc.astimezone(zoneinfo.ZoneInfo(self.at(instant_ns)))

    def during(self, start_ns: int, end_ns: int) -> list[ZoneChange]:
        """The zones in force in `[start_ns, end_ns)`, each from when it applied there."""
        later = [change for change in self.changes if start_ns < change.from_ns < end_ns]
        return [ZoneChange(start_ns, self.at(start_ns)), *later]

    def with_change(self, change: ZoneChange) -> "ZoneHistory":
        """The same history with one more change, or with the one at that instant replaced."""
        others = [known for known in self.changes if known.from_ns != change.from_ns]
        return ZoneHistory(tuple(sorted([*others, change], key=lambda known: known.from_ns)))

    def segments(self, start_ns: int, end_ns: int) -> list[Segment]:
        """Stretches of constant offset that tile `[start_ns, end_ns)`; neighbours differ in offset."""
        ends = [*(change.from_ns for change in self.changes[1:]), end_ns]
        tiles: list[Segment] = []
        for change, change_end_ns in zip(self.changes, ends, strict=True):
            begin_ns = start_ns if change is self.changes[0] else max(change.from_ns, start_ns)
            stop_ns = min(change_end_ns, end_ns)
            if begin_ns < stop_ns:
                tiles.extend(_constant(zoneinfo.ZoneInfo(change.zone), begin_ns, stop_ns))
        return _joined(tiles)

    def midnight_ns(self, day: date) -> int:
        """The first instant at which the wearer's calendar shows this date or a later one."""
        target_ns = (day - _EPOCH).days * DAY_NS
        segments = self.segments(target_ns - 2 * DAY_NS, target_ns + 2 * DAY_NS)
        for segment in segments:
            if segment.end_ns + segment.offset_ns > target_ns:
                return max(segment.start_ns, target_ns - segment.offset_ns)
        return segments[-1].end_ns


def _offset_s(zone: zoneinfo.ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset() or timedelta(0)
    return offset.days * 86_400 + offset.seconds


def _constant(zone: zoneinfo.ZoneInfo, start_ns: int, end_ns: int) -> list[Segment]:
    """Segments of one zone: look every twelve hours, then halve down to the second of the change."""
    tiles: list[Segment] = []
    begin_ns, second, last = start_ns, start_ns // SECOND_NS, -(-end_ns // SECOND_NS) - 1
    offset = _offset_s(zone, second)
    while second < last:
        probe = min(second + _STEP_S, last)
        after = _offset_s(zone, probe)
        if after != offset:
            low, high = second, probe
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset_s(zone, middle) == offset else (low, middle)
            tiles.append(Segment(begin_ns, high * SECOND_NS, offset * SECOND_NS))
            begin_ns, offset, probe = high * SECOND_NS, _offset_s(zone, high), high
        second = probe
    tiles.append(Segment(begin_ns, end_ns, offset * SECOND_NS))
    return tiles


def _joined(tiles: list[Segment]) -> list[Segment]:
    joined: list[Segment] = []
    for tile in tiles:
        if joined and joined[-1].offset_ns == tile.offset_ns:
            joined[-1] = Segment(joined[-1].start_ns, tile.end_ns, tile.offset_ns)
        else:
            joined.append(tile)
    return joined
