"""Instants and dates as text: RFC 3339 in, RFC 3339 out; a range from two query parameters."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from api.errors import Invalid
from api.zones import SECOND_NS, ZoneHistory

MAX_DAYS: Final = 400
FIRST_DATE: Final = date(2020, 1, 1)  # as far as the wire reaches, both ways
LAST_DATE: Final = date(2099, 12, 31)
USUAL_DAYS: Final = 7
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Interval:
    """Half open, `[start_ns, end_ns)`."""

    start_ns: int
    end_ns: int


def utc_text(instant_ns: int) -> str:
    """An instant in UTC, to the second or, where it has one, to the fraction."""
    return _text(_EPOCH + timedelta(microseconds=instant_ns // 1000)).replace("+00:00", "Z")


def local_text(zones: ZoneHistory, instant_ns: int) -> str:
    """An instant on the wearer's clock, with the offset that makes it unambiguous."""
    return _text(zones.local(instant_ns))


def to_ns(instant: datetime) -> int:
    """A time with an offset as UTC nanoseconds."""
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000


def parse_instant(text: str, *, name: str) -> int:
    """An RFC 3339 instant. A `+` that arrived as a space is understood."""
    try:
        instant = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not FIRST_DATE <= instant.date() <= LAST_DATE:
        raise Invalid(
            name,
            f"Give {name} as a date, 2026-01-31, or an instant with its offset, 2026-01-31T21:00:00+01:00 "
            f"(in a URL write + as %2B), between {FIRST_DATE} and {LAST_DATE}.",
        )
    return to_ns(instant)


def parse_date(text: str, *, name: str) -> date:
    """A date `YYYY-MM-DD`."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not FIRST_DATE <= day <= LAST_DATE:
        raise Invalid(name, f"Give {name} as a local date such as 2026-01-31, from {FIRST_DATE} to {LAST_DATE}.")
    return day


def date_range(
    begin: str | None, end: str | None, *, zones: ZoneHistory, night_end: time, now_ns: int
) -> tuple[date, date]:
    """Local dates, both included; by default the last seven and the one that is running.

    Until the night ends, the date on which it began is still running: seven whole nights are there at any hour.
    """
    local = zones.local(now_ns)
    running = local.date() - timedelta(days=local.time() < night_end)
    last = parse_date(end, name="to") if end is not None else running
    first = parse_date(begin, name="from") if begin is not None else last - timedelta(days=USUAL_DAYS)
    _check_order(first <= last, days=(last - first).days + 1)
    return first, last


def instant_range(begin: str | None, end: str | None, *, zones: ZoneHistory, now_ns: int) -> Interval:
    """Local dates, both included, or instants, the second excluded; by default the last seven days and today."""
    today = zones.local(now_ns).date()
    start_ns = _edge(begin or str(today - timedelta(days=USUAL_DAYS)), zones, name="from", days=0)
    end_ns = _edge(end or str(today), zones, name="to", days=1)
    _check_order(start_ns <= end_ns, days=(end_ns - start_ns) // (86_400 * SECOND_NS))
    return Interval(start_ns, end_ns)


def _edge(text: str, zones: ZoneHistory, *, name: str, days: int) -> int:
    if len(text) == len("2026-01-31"):
        return zones.midnight_ns(parse_date(text, name=name) + timedelta(days=days))
    return parse_instant(text, name=name)


def _check_order(in_order: bool, *, days: int) -> None:
    if not in_order:
        raise Invalid("from", "`from` must not be later than `to`: exchange them.")
    if days > MAX_DAYS:
        raise Invalid("to", f"That is {days} days; ask for {MAX_DAYS} at a time.")


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
