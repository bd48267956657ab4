"""A time read off the wearer's clock, as an instant. Pure.

Rules
-----
- With an offset a time is what it says. Without one it is resolved on the wearer's zone history.
- A time that the clock skipped (begin of summer time) is refused, and so is one that it showed twice (end of summer
  time, a flight west): the sentence gives both instants, with the offset that tells them apart.
"""

import re
from datetime import UTC, date, datetime
from typing import Final

from api.errors import Invalid
from api.times import FIRST_DATE, LAST_DATE, to_ns
from api.zones import DAY_NS, ZoneHistory

_HOW: Final = "Write a local time as 2026-11-20 23:40, or one with its offset as 2026-11-20T23:40:00+01:00."
_HOW_DATE: Final = f"Write a date as 2026-11-20 or 20.11.2026, between {FIRST_DATE} and {LAST_DATE}."
_SLASHES: Final = re.compile(r"\d{1,4}/\d{1,2}/\d{1,4}.*", re.DOTALL)
_NO_SLASHES: Final = "Dates with slashes are refused, month first as well as day first: 03/04/2026 may be either. "
_DAY_FIRST: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.DOTALL)


def read_instant(text: str, zones: ZoneHistory, *, name: str) -> int:
    """An instant from text: ISO 8601 with or without offset, or day first with dots (20.11.2026 23:40)."""
    plain = _iso(text)
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        found = None
    if found is None or len(plain) < len("2026-11-20T23:40"):
        raise Invalid(name, _slashes(text) + _HOW)
    if not FIRST_DATE <= found.date() <= LAST_DATE:
        raise Invalid(name, f"This time lies outside {FIRST_DATE} to {LAST_DATE}: check the year.")
    return to_ns(found) if found.tzinfo is not None else wall_instant(found, zones, name=name)


def read_date(text: str, *, name: str) -> date:
    """A local date from text: 2026-11-20 or 20.11.2026."""
    try:
        found = date.fromisoformat(_iso(text))
    except ValueError:
        found = date.min
    if not FIRST_DATE <= found <= LAST_DATE:
        raise Invalid(name, f"{_slashes(text)}{_HOW_DATE}")
    return found


def wall_instant(wall: datetime, zones: ZoneHistory, *, name: str) -> int:
    """The one instant at which the wearer's clock showed this time."""
    wall_ns = to_ns(wall.replace(tzinfo=UTC))
    found = [
        wall_ns - segment.offset_ns
        for segment in zones.segments(wall_ns - 2 * DAY_NS, wall_ns + 2 * DAY_NS)
        if segment.start_ns <= wall_ns - segment.offset_ns < segment.end_ns
    ]
    if not found:
        raise Invalid(name, "The wearer's clock skipped this time when it was set forward: write the time after.")
    if len(found) > 1:
        both = " or ".join(zones.local(at_ns).isoformat(timespec="minutes") for at_ns in found)
        raise Invalid(name, f"The wearer's clock showed this time {len(found)} times: write which, {both}.")
    return found[0]


def written(zones: ZoneHistory, at_ns: int) -> str:
    """An instant on the wearer's clock with its offset, to the last digit, so that reading it gives it back."""
    return zones.local(at_ns).isoformat()


def _slashes(text: str) -> str:
    """A word on slashes where there are some; else empty."""
    return _NO_SLASHES if _SLASHES.fullmatch(text.strip()) else ""


def _iso(text: str) -> str:
    """Text with the day first, and spaces within, as ISO 8601 has it."""
    plain = text.strip()
    dotted = _DAY_FIRST.fullmatch(plain)
    if dotted:
        plain = f"{dotted[3]}-{int(dotted[2]):02}-{int(dotted[1]):02}{dotted[4]}"
    day, space, clock = plain.partition(" ")
    if not space:
        return plain
    clock = clock.strip().replace(" ", "")
    return f"{day}T{clock.zfill(5) if re.fullmatch(r'[0-9]:[0-9]{2}', clock) else clock}"
