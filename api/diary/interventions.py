"""What was taken or done, and how regularly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from api.diary import keeping
from api.diary.keeping import Kept, listed
from api.diary.values import Intake, Intervention
from api.errors import Unknown
from api.registry import diary_tables
from api.zones import ZoneHistory

_table: Final = diary_tables.interventions
_intakes: Final = diary_tables.intakes


@dataclass(frozen=True, slots=True)
class Adherence:
    """Doses that were due by now, taken and missed; `due` None: the schedule does not say how often.

    What nobody noted is neither taken nor missed: `share` is of the noted ones, and says nothing of the rest.
    """

    due: int | None
    taken: int
    missed: int

    @property
    def unnoted(self) -> int | None:
        return None if self.due is None else max(self.due - self.taken - self.missed, 0)

    @property
    def share(self) -> float | None:
        noted = self.taken + self.missed
        return self.taken / noted if noted else None


def of(db: sa.Connection, wearer: str, *, first: date | None = None, last: date | None = None) -> list[Intervention]:
    """Interventions of a wearer that were in force on some local date from `first` to `last`, in order of beginning."""
    where: list[sa.ColumnElement[bool]] = []
    if last is not None:
        where.append(_table.c["first"] <= last.isoformat())
    if first is not None:
        where.append(sa.or_(_table.c["last"].is_(None), _table.c["last"] >= first.isoformat()))
    return listed(db, KEPT, *where, wearer=wearer)


def intakes_of(
    db: sa.Connection,
    wearer: str,
    *,
    intervention: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> list[Intake]:
    """Doses taken or missed, of one intervention if asked, in `[start_ns, end_ns)`."""
    where: list[sa.ColumnElement[bool]] = []
    if intervention is not None:
        where.append(_intakes.c.intervention_id == intervention)
    if start_ns is not None:
        where.append(_intakes.c.at_ns >= start_ns)
    if end_ns is not None:
        where.append(_intakes.c.at_ns < end_ns)
    return listed(db, INTAKES, *where, wearer=wearer)


def intake_of(db: sa.Connection, *, wearer: str, intervention: str, entry_id: str) -> Intake:
    """One dose of an intervention of the wearer, or `Unknown`."""
    found = keeping.find(db, INTAKES, wearer=wearer, entry_id=entry_id)
    if found.intervention != intervention:
        raise Unknown("intake")
    return found


def adherence(intervention: Intervention, intakes: Sequence[Intake], *, zones: ZoneHistory, now_ns: int) -> Adherence:
    """How regularly an intervention was taken, by whole local days that have ended, and what was noted in them."""
    yesterday = zones.local(now_ns).date() - timedelta(1)
    last = min(intervention.last or yesterday, yesterday)
    days = max((last - intervention.first).days + 1, 0)
    end_ns = zones.midnight_ns(last + timedelta(1))
    noted = [item for item in intakes if item.intervention == intervention.id and item.at_ns < end_ns]
    taken = sum(item.outcome == "taken" for item in noted)
    return Adherence(None if intervention.a_day is None else days * intervention.a_day, taken, len(noted) - taken)


def _columns(entry: Intervention) -> dict[str, Any]:
    return {
        "code": entry.code,
        "name": entry.name,
        "dose_value": entry.dose_value,
        "dose_unit": entry.dose_unit,
        "schedule": entry.schedule,
        "times": entry.times,
        "first": entry.first.isoformat(),
        "last": None if entry.last is None else entry.last.isoformat(),
        "note": entry.note,
    }


def _value(row: sa.Row[Any]) -> Intervention:
    return Intervention(
        code=row.code,
        first=date.fromisoformat(row.first),
        last=None if row.last is None else date.fromisoformat(row.last),
        name=row.name,
        dose_value=row.dose_value,
        dose_unit=row.dose_unit,
        schedule=row.schedule,
        times=row.times,
        note=row.note,
        id=row.id,
        updated_ns=row.updated_ns,
    )


def _intake_columns(entry: Intake) -> dict[str, Any]:
    return {"intervention_id": entry.intervention, "at_ns": entry.at_ns, "outcome": entry.outcome}


def _intake_value(row: sa.Row[Any]) -> Intake:
    return Intake(row.intervention_id, row.at_ns, row.outcome, id=row.id, updated_ns=row.updated_ns)


KEPT: Final[Kept[Intervention]] = Kept("n", _table, "first", _columns, _value)
INTAKES: Final[Kept[Intake]] = Kept("t", _intakes, "at_ns", _intake_columns, _intake_value)
