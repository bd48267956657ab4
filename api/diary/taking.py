"""From what was sent to entries: times are checked here, everything else by the entry itself."""

from datetime import date, datetime
from typing import Final

from api.diary import schemas as taken
from api.diary.about import felt_about, parse_about
from api.diary.units import spelled
from api.diary.values import Context, FeltCramp, Intake, Intervention, LabValue
from api.errors import Invalid
from api.registry import Wearer
from api.times import FIRST_DATE, LAST_DATE, to_ns
from api.zones import SECOND_NS, ZoneHistory

AHEAD_NS: Final = 600 * SECOND_NS  # what a phone's clock may be ahead of ours


def instant(at: datetime, *, name: str, now_ns: int | None = None) -> int:
    """An instant as nanoseconds; with `now_ns`, one that has passed."""
    if not FIRST_DATE <= at.date() <= LAST_DATE:
        raise Invalid(name, f"`{name}` lies between {FIRST_DATE} and {LAST_DATE}: check the year.")
    at_ns = to_ns(at)
    if now_ns is not None and at_ns > now_ns + AHEAD_NS:
        raise Invalid(name, f"`{name}` lies in the future: check date, time and offset.")
    return at_ns


def cramp(body: taken.FeltIn, wearer: Wearer, *, now_ns: int) -> FeltCramp:
    """A cramp felt."""
    if (body.at is None) == (body.about is None):
        raise Invalid("at", "Say when: either `at`, or `about` a night or day where the hour is not known.")
    if body.at is not None:
        about, at_ns, uncertain_s = None, instant(body.at, name="at", now_ns=now_ns), body.uncertain_s
    else:
        about = parse_about(body.about or "")
        at_ns, uncertain_s = felt_about(about, wearer)
        if at_ns - uncertain_s * 1e9 > now_ns + AHEAD_NS:
            raise Invalid("about", "That night or day has not begun: check the date.")
    return FeltCramp(
        at_ns=at_ns,
        uncertain_s=uncertain_s,
        about=about,
        muscle=body.muscle,
        side=body.side,
        duration_s=body.duration_s,
        pain=body.pain,
        sleep_disturbance=body.sleep_disturbance,
        note=body.note,
    )


def intervention(body: taken.InterventionIn) -> Intervention:
    """What was taken or done."""
    return Intervention(
        code=body.code,
        first=day(body.from_, name="from"),
        last=None if body.to is None else day(body.to, name="to"),
        name=body.name,
        dose_value=body.dose.value if body.dose else None,
        dose_unit=spelled(body.dose.unit) if body.dose else None,
        schedule=body.schedule,
        times=body.times,
        note=body.note,
    )


def intake(body: taken.IntakeIn, *, intervention_id: str, now_ns: int) -> Intake:
    """One dose."""
    return Intake(intervention_id, instant(body.at, name="at", now_ns=now_ns), body.outcome)


def context(body: taken.ContextIn) -> Context:
    """What went on; it may be planned."""
    return Context(
        kind=body.context,
        at_ns=instant(body.start, name="start"),
        end_ns=None if body.end is None else instant(body.end, name="end"),
        detail=tuple(body.detail.items()),
        note=body.note,
    )


def lab_value(body: taken.LabIn, zones: ZoneHistory, *, now_ns: int) -> LabValue:
    """A laboratory value."""
    return LabValue(
        analyte=body.analyte,
        at_ns=drawn(body.at, zones, now_ns=now_ns),
        value=body.value,
        unit=spelled(body.unit),
        note=body.note,
    )


def drawn(at: datetime | date, zones: ZoneHistory, *, now_ns: int) -> int:
    """When a sample was taken: an instant, or the noon of a local date."""
    if isinstance(at, datetime):
        return instant(at, name="at", now_ns=now_ns)
    midnight_ns = zones.midnight_ns(day(at, name="at"))
    if midnight_ns > now_ns:
        raise Invalid("at", "`at` lies in the future: check the date.")
    return midnight_ns + 12 * 3600 * SECOND_NS


def day(at: date, *, name: str) -> date:
    """A local date within reach."""
    if not FIRST_DATE <= at <= LAST_DATE:
        raise Invalid(name, f"`{name}` lies between {FIRST_DATE} and {LAST_DATE}: check the year.")
    return at
