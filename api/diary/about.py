"""A cramp of which only the night or the day is known: where on the time line that is. Pure."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from api.diary.values import About, FeltCramp
from api.errors import Invalid
from api.periods import periods
from api.registry.values import Wearer
from api.times import FIRST_DATE, LAST_DATE

_HOW: Final = "Say which night or day as `night 2026-11-20` or `day 2026-11-20`; a night has the date of its evening."


def parse_about(text: str) -> tuple[About, date]:
    """`night 2026-11-20`, the night that began that evening; or `day 2026-11-20`."""
    kind, _, day = text.strip().partition(" ")
    try:
        named = date.fromisoformat(day.strip())
    except ValueError:
        named = date.min
    if kind not in {"night", "day"} or not FIRST_DATE <= named <= LAST_DATE:
        raise Invalid("about", _HOW)
    return ("night" if kind == "night" else "day"), named


def about_text(about: tuple[About, date]) -> str:
    """The same as text."""
    return f"{about[0]} {about[1]}"


def settled(cramp: FeltCramp, wearer: Wearer) -> FeltCramp:
    """A cramp with its time as zones and night preference now have it: the middle of its night or day by the clock."""
    window = None if cramp.about is None else span(cramp.about, wearer)
    if window is None:  # the hour is known; or zones were corrected since so that there was no such night
        return cramp
    start_ns, end_ns = window
    return replace(cramp, at_ns=(start_ns + end_ns) // 2, uncertain_s=(end_ns - start_ns) / 2e9)


def felt_about(about: tuple[About, date], wearer: Wearer) -> tuple[int, float]:
    """The middle of a night or day, and half of its length in seconds."""
    window = span(about, wearer)
    if window is None:
        raise Invalid("about", f"The wearer's clock had no {about_text(about)}: give the one before or after.")
    return (window[0] + window[1]) // 2, (window[1] - window[0]) / 2e9


def span(about: tuple[About, date], wearer: Wearer) -> tuple[int, int] | None:
    """Beginning and end of a night or day by the wearer's clock; None where the clock jumped over it."""
    kind, named = about
    near = periods(zones=wearer.zones, night=wearer.night, first=named - timedelta(1), last=named + timedelta(1))
    found = [period.window for period in near if period.kind == kind and period.date == named]
    return (found[0].start_ns, found[-1].end_ns) if found else None
