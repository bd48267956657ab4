"""Changes of entries: what was sent replaces what was kept, null empties what may be empty, the rest stands."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from api.diary import schemas as taken
from api.diary.about import felt_about, parse_about
from api.diary.taking import AHEAD_NS, day, drawn, instant
from api.diary.units import spelled
from api.diary.values import Context, FeltCramp, Intake, Intervention, LabValue, Review
from api.errors import Invalid
from api.registry import Wearer
from api.zones import ZoneHistory

_OF_CRAMPS: Final = ("muscle", "side", "duration_s", "pain", "sleep_disturbance")


def cramp(known: FeltCramp, body: taken.FeltChange, wearer: Wearer, *, now_ns: int) -> FeltCramp:
    """A cramp felt, changed."""
    values = _sent(body, _OF_CRAMPS) | _filled(body, ("note", "uncertain_s"))
    if body.at is not None and body.about is not None:
        raise Invalid("at", "Say when: either `at`, or `about` a night or day where the hour is not known.")
    if body.at is not None:
        values |= {"at_ns": instant(body.at, name="at", now_ns=now_ns), "about": None}
        if known.about is not None:
            values.setdefault("uncertain_s", 0.0)
    elif body.about is not None:
        about = parse_about(body.about)
        at_ns, uncertain_s = felt_about(about, wearer)
        if at_ns - uncertain_s * 1e9 > now_ns + AHEAD_NS:
            raise Invalid("about", "That night or day has not begun: check the date.")
        values |= {"at_ns": at_ns, "uncertain_s": uncertain_s, "about": about}
    elif known.about is not None and "uncertain_s" in values:
        raise Invalid("uncertain_s", "Only of a cramp with a time `at` can be said how far that may be off.")
    return replace(known, **values)


def intervention(known: Intervention, body: taken.InterventionChange) -> Intervention:
    """What was taken or done, changed."""
    values = _sent(body, ("times",)) | _filled(body, ("code", "schedule", "note", "name"))
    if "dose" in body.model_fields_set:
        values["dose_value"] = body.dose.value if body.dose else None
        values["dose_unit"] = spelled(body.dose.unit) if body.dose else None
    if body.from_ is not None:
        values["first"] = day(body.from_, name="from")
    if "to" in body.model_fields_set:
        values["last"] = None if body.to is None else day(body.to, name="to")
    return replace(known, **values)


def intake(known: Intake, body: taken.IntakeChange, *, now_ns: int) -> Intake:
    """One dose, changed."""
    values = _filled(body, ("outcome",))
    if body.at is not None:
        values["at_ns"] = instant(body.at, name="at", now_ns=now_ns)
    return replace(known, **values)


def context(known: Context, body: taken.ContextChange) -> Context:
    """What went on, changed."""
    values = _filled(body, ("note",))
    if body.start is not None:
        values["at_ns"] = instant(body.start, name="start")
    if "end" in body.model_fields_set:
        values["end_ns"] = None if body.end is None else instant(body.end, name="end")
    if body.detail is not None:
        values["detail"] = tuple(body.detail.items())
    return replace(known, **values)


def lab_value(known: LabValue, body: taken.LabChange, zones: ZoneHistory, *, now_ns: int) -> LabValue:
    """A laboratory value, changed."""
    values = _filled(body, ("value", "note"))
    if body.at is not None:
        values["at_ns"] = drawn(body.at, zones, now_ns=now_ns)
    if body.unit is not None:
        values["unit"] = spelled(body.unit)
    return replace(known, **values)


def review(known: Review, body: taken.ReviewChange) -> Review:
    """A review, changed."""
    return replace(known, **_filled(body, ("verdict", "note")))


def _sent(body: BaseModel, names: Collection[str]) -> dict[str, Any]:
    """What was sent of some members, null included."""
    return {name: getattr(body, name) for name in names if name in body.model_fields_set}


def _filled(body: BaseModel, names: Collection[str]) -> dict[str, Any]:
    """What was sent of members that cannot be empty; null leaves them as they are."""
    return {name: value for name, value in _sent(body, names).items() if value is not None}
