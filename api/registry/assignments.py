"""Assignments: which device sat on whom, where and when. At any instant a device has at most one."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from api.errors import Conflict, Unknown
from api.registry import devices, wearers
from api.registry.tables import assignments
from api.registry.values import Assignment, Muscle, Side


def add(
    db: sa.Connection,
    *,
    device: str,
    wearer: str,
    side: Side,
    muscle: Muscle,
    from_ns: int,
    to_ns: int | None,
) -> Assignment:
    """Assign a device to a wearer; refused where it would overlap another assignment of that device."""
    return _write(
        db,
        Assignment(
            id=f"a{secrets.token_hex(8)}",
            device=device,
            wearer=wearer,
            side=side,
            muscle=muscle,
            from_ns=from_ns,
            to_ns=to_ns,
        ),
    )


def change(db: sa.Connection, assignment: Assignment) -> Assignment:
    """Write an assignment anew, for instance with an end."""
    find(db, assignment.id)
    return _write(db, assignment)


def find(db: sa.Connection, assignment_id: str) -> Assignment:
    """The assignment of this id, or `Unknown`."""
    row = db.execute(assignments.select().where(assignments.c.id == assignment_id)).one_or_none()
    if row is None:
        raise Unknown("assignment")
    return _value(row)


def of_wearer(db: sa.Connection, wearer: str) -> list[Assignment]:
    """Every assignment of a wearer in order of time."""
    query = assignments.select().where(assignments.c.wearer_id == wearer)
    return [_value(row) for row in db.execute(query.order_by(assignments.c.from_ns, assignments.c.id))]


def page(
    db: sa.Connection,
    *,
    wearer: str | None = None,
    device: str | None = None,
    after: tuple[int, str] | None = None,
    limit: int,
) -> list[Assignment]:
    """The next assignments in order of their beginning, of one wearer or device if asked."""
    query = assignments.select().order_by(assignments.c.from_ns, assignments.c.id).limit(limit)
    if wearer is not None:
        query = query.where(assignments.c.wearer_id == wearer)
    if device is not None:
        query = query.where(assignments.c.device_id == device)
    if after is not None:
        query = query.where(sa.tuple_(assignments.c.from_ns, assignments.c.id) > sa.tuple_(*after))
    return [_value(row) for row in db.execute(query)]


def current(db: sa.Connection, *, devices_among: Collection[str], now_ns: int) -> dict[str, Assignment]:
    """The assignment in force of each of these devices, by device."""
    query = _in_force(now_ns).where(assignments.c.device_id.in_(devices_among))
    return {row.device_id: _value(row) for row in db.execute(query)}


def worn_now(db: sa.Connection, *, wearers_among: Collection[str], now_ns: int) -> dict[str, list[str]]:
    """The devices that each of these wearers wears now, sorted; by wearer, those without any left out."""
    query = _in_force(now_ns).where(assignments.c.wearer_id.in_(wearers_among)).order_by(assignments.c.device_id)
    found: dict[str, list[str]] = {}
    for row in db.execute(query):
        found.setdefault(row.wearer_id, []).append(row.device_id)
    return found


def remove(db: sa.Connection, assignment_id: str) -> None:
    """Forget an assignment; what the device measured then belongs to nobody."""
    if db.execute(assignments.delete().where(assignments.c.id == assignment_id)).rowcount == 0:
        raise Unknown("assignment")


def _in_force(now_ns: int) -> sa.Select[Any]:
    ended = sa.or_(assignments.c.to_ns.is_(None), assignments.c.to_ns > now_ns)
    return assignments.select().where(assignments.c.from_ns <= now_ns, ended)


def _write(db: sa.Connection, assignment: Assignment) -> Assignment:
    devices.lock(db, assignment.device)
    wearers.lock(db, assignment.wearer)
    overlaps = assignments.select().where(
        assignments.c.device_id == assignment.device,
        assignments.c.id != assignment.id,
        sa.or_(assignments.c.to_ns.is_(None), assignments.c.to_ns > assignment.from_ns),
    )
    if assignment.to_ns is not None:
        overlaps = overlaps.where(assignments.c.from_ns < assignment.to_ns)
    other = db.execute(overlaps.order_by(assignments.c.from_ns).limit(1)).one_or_none()
    if other is not None:
        raise Conflict(
            f"Device {assignment.device} is assigned already {_span(_value(other))} (assignment {other.id}). "
            "End that assignment first, or choose times that do not overlap it."
        )
    values = {
        "device_id": assignment.device,
        "wearer_id": assignment.wearer,
        "side": assignment.side,
        "muscle": assignment.muscle,
        "from_ns": assignment.from_ns,
        "to_ns": assignment.to_ns,
    }
    changed = db.execute(assignments.update().where(assignments.c.id == assignment.id).values(**values))
    if changed.rowcount == 0:
        db.execute(assignments.insert().values(id=assignment.id, **values))
    return assignment


def _span(assignment: Assignment) -> str:
    began = f"from {_utc(assignment.from_ns)}"
    return began if assignment.to_ns is None else f"{began} to {_utc(assignment.to_ns)}"


def _utc(instant_ns: int) -> str:
    return f"{datetime.fromtimestamp(instant_ns // 10**9, UTC):%Y-%m-%d %H:%M} UTC"


def _value(row: sa.Row[Any]) -> Assignment:
    return Assignment(
        id=row.id,
        device=row.device_id,
        wearer=row.wearer_id,
        side=row.side,
        muscle=row.muscle,
        from_ns=row.from_ns,
        to_ns=row.to_ns,
    )
