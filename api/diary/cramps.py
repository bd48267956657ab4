"""Cramps felt: how they are kept, and those of a stretch of time."""

from typing import Any, Final

import sqlalchemy as sa

from api.diary.about import about_text, parse_about, settled
from api.diary.keeping import Kept, listed
from api.diary.values import FeltCramp
from api.registry import diary_tables, wearers
from api.zones import DAY_NS

_SLACK_NS: Final = 3 * DAY_NS  # zones that were corrected may have moved the night of a cramp this far
_table: Final = diary_tables.cramps


def between(db: sa.Connection, wearer: str, *, start_ns: int, end_ns: int) -> list[FeltCramp]:
    """Cramps felt in `[start_ns, end_ns)`, in order of time; those known by the night count by its middle."""
    person = wearers.find(db, wearer)
    known = sa.and_(_table.c.at_ns >= start_ns, _table.c.at_ns < end_ns)
    vague = sa.and_(
        _table.c.about.is_not(None), _table.c.at_ns >= start_ns - _SLACK_NS, _table.c.at_ns < end_ns + _SLACK_NS
    )
    found = [settled(cramp, person) for cramp in listed(db, KEPT, sa.or_(known, vague), wearer=wearer)]
    return sorted((cramp for cramp in found if start_ns <= cramp.at_ns < end_ns), key=lambda cramp: cramp.at_ns)


def _columns(cramp: FeltCramp) -> dict[str, Any]:
    return {
        "at_ns": cramp.at_ns,
        "uncertain_s": cramp.uncertain_s,
        "about": None if cramp.about is None else about_text(cramp.about),
        "muscle": cramp.muscle,
        "side": cramp.side,
        "duration_s": cramp.duration_s,
        "pain": cramp.pain,
        "sleep_disturbance": cramp.sleep_disturbance,
        "note": cramp.note,
    }


def _value(row: sa.Row[Any]) -> FeltCramp:
    return FeltCramp(
        at_ns=row.at_ns,
        uncertain_s=row.uncertain_s,
        about=None if row.about is None else parse_about(row.about),
        muscle=row.muscle,
        side=row.side,
        duration_s=row.duration_s,
        pain=row.pain,
        sleep_disturbance=row.sleep_disturbance,
        note=row.note,
        id=row.id,
        updated_ns=row.updated_ns,
    )


KEPT: Final[Kept[FeltCramp]] = Kept("c", _table, "at_ns", _columns, _value)
