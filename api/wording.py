"""Sentences for people. Plain, exact, and honest about what is not known. Pure."""

from datetime import datetime
from typing import TYPE_CHECKING

from api.coverage import Coverage
from api.periods import Period, PeriodKind

if TYPE_CHECKING:
    from api.summaries import Cramps, Summary, Total


def duration(seconds: float) -> str:
    """A length of time in its two largest units, such as `3 min 40 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 86_400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return _two(whole // 86_400, "d", whole % 86_400 // 3600, "h")


def count(number: int, noun: str) -> str:
    """A number and its noun, such as `1 cramp` or `no cramps`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def why_not_enough(period: Period, coverage: Coverage, *, several: bool, enough_s: float, now_ns: int) -> str:
    """Why a period cannot be judged: the first thing that was lacking, and what would help.

    With `several` devices at once coverage is their mean, and not what any of them gave.
    """
    window = period.window
    if now_ns <= window.start_ns:
        return f"This {period.kind} has not begun."
    if coverage.expected_s == 0:
        return f"No device was assigned in this {period.kind}."
    if coverage.received_s == 0 and several:
        return "Nothing has arrived from any device: they were off, out of reach, or have yet to synchronise."
    if coverage.received_s == 0:
        return "Nothing has arrived from the device: it was off, out of reach, or has yet to synchronise."
    who, was, mean = ("devices", "were", ", on their mean") if several else ("device", "was", "")
    usable = f"{duration(coverage.usable_s)} usable, {duration(enough_s)} needed"
    if now_ns < window.end_ns:
        cause = f"This {period.kind} is still going on"
    elif coverage.received_s < enough_s:
        cause = f"Only {duration(coverage.received_s)} arrived from the {who}{mean}"
    elif coverage.worn_s < enough_s:
        cause = f"The {who} {was} worn for {duration(coverage.worn_s)} only{mean}"
    else:
        cause = "The signal was poor; check the electrodes and the cable"
    return f"{cause}: {usable}."


def still_worked_in(summary: "Summary", *, late: int, undated: int, now_ns: int) -> str | None:
    """Why a period cannot be judged while blocks wait that may be of it; as before where none do, or it can be."""
    period, coverage = summary.period, summary.coverage
    if summary.reason is None or not (late or undated) or coverage.expected_s == 0:
        return summary.reason
    if coverage.received_s == 0:
        what = "what came late" if late else "what is kept until the clock of the device is known"
        return f"This {period.kind} is still being worked in: {what} may be of it, and is not in the results yet."
    if now_ns < period.window.end_ns:
        return summary.reason
    return f"This {period.kind} is still being worked in. So far: {summary.reason[0].lower()}{summary.reason[1:]}"


def of_window(period: Period, *, start: datetime, end: datetime) -> str:
    """When a night or day was on the wearer's clock, and how that is known."""
    hours = f"{start:%H:%M}–{end:%H:%M}"
    if period.window.source == "clock":
        return f"{period.kind.capitalize()} by the clock: {hours}."
    if period.kind == "day":
        return f"Awake {hours}, between nights of which the leg's movements show one or both."
    return f"Asleep {hours}, as the leg's movements show."


def of_cramps(cramps: "Cramps") -> str:
    """The cramps of one stretch of time in a phrase."""
    number = count(cramps.count, "cramp")
    if cramps.at_least:
        number = f"at least {number}" if cramps.count else "no cramps seen"
    if not cramps.count:
        return number
    worst = f"worst severity {cramps.worst_severity:.1f} of 10"
    ongoing = f", {cramps.ongoing} still going on" if cramps.ongoing else ""
    return f"{number}, {duration(cramps.total_s)} in all, {worst}{ongoing}"


def of_total(total: "Total", kind: PeriodKind) -> str:
    """All nights, or all days, of a range in a sentence."""
    periods = count(total.periods, kind)
    if total.coverage.expected_s == 0:
        return f"{periods}: no device was assigned."
    if total.coverage.received_s == 0:
        return f"{periods}: nothing has arrived yet."
    share = f"{total.coverage.usable_s / total.coverage.expected_s:.0%} covered".replace("%", " %")
    poor = f" Not enough data in {count(total.not_enough_data, kind)}." if total.not_enough_data else ""
    return f"{periods}, {of_cramps(total.cramps)}, {share}.{poor}"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def of_summary(summary: "Summary") -> str:
    """One night or day in a sentence; first of all what is not known."""
    if summary.status == "ok":
        phrase = of_cramps(summary.cramps)
        return f"{phrase[0].upper()}{phrase[1:]}."
    seen = of_cramps(summary.cramps) if summary.cramps.count else "no cramps seen"
    return f"Not enough data: {seen}. {summary.reason}"
