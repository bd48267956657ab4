"""Wearers and their zone histories: add, find, list, change, remove."""

import re
import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import time
from typing import Any

import sqlalchemy as sa

from api.errors import Invalid, Unknown
from api.periods import NightPreference
from api.registry.tables import wearers, zone_changes
from api.registry.values import Wearer, check_name
from api.zones import ZoneChange, ZoneHistory

_Row = sa.Row[Any]


def add(db: sa.Connection, *, name: str, zones: ZoneHistory, night: NightPreference, created_ns: int) -> Wearer:
    """Register a wearer under a new random id."""
    wearer = Wearer(
        id=f"w{secrets.token_hex(8)}", name=check_name(name), night=night, zones=zones, created_ns=created_ns
    )
    db.execute(wearers.insert().values(id=wearer.id, created_ns=created_ns, **_columns(wearer)))
    _write_zones(db, wearer)
    return wearer


def find(db: sa.Connection, wearer_id: str) -> Wearer:
    """The wearer of this id, or `Unknown`."""
    row = db.execute(wearers.select().where(wearers.c.id == wearer_id)).one_or_none()
    if row is None:
        raise Unknown("wearer")
    return _read(db, [row])[0]


def among(db: sa.Connection, ids: Collection[str]) -> list[Wearer]:
    """The wearers of these ids, as far as there are such."""
    return _read(db, db.execute(wearers.select().where(wearers.c.id.in_(ids))).all())


def page(db: sa.Connection, *, after: tuple[int, str] | None, limit: int) -> list[Wearer]:
    """The next wearers in order of registration, after the one with this time and id."""
    query = wearers.select().order_by(wearers.c.created_ns, wearers.c.id).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(wearers.c.created_ns, wearers.c.id) > sa.tuple_(*after))
    return _read(db, db.execute(query).all())


def replace(db: sa.Connection, wearer: Wearer) -> Wearer:
    """Write name, night preference and the entire zone history of a known wearer."""
    checked = Wearer(
        id=wearer.id,
        name=check_name(wearer.name),
        night=wearer.night,
        zones=wearer.zones,
        created_ns=wearer.created_ns,
    )
    lock(db, wearer.id)
    db.execute(wearers.update().where(wearers.c.id == wearer.id).values(**_columns(checked)))
    db.execute(zone_changes.delete().where(zone_changes.c.wearer_id == wearer.id))
    _write_zones(db, checked)
    return checked


def remove(db: sa.Connection, wearer_id: str) -> None:
    """Forget a wearer, their zones and assignments. What their devices measured names nobody and stays."""
    if db.execute(wearers.delete().where(wearers.c.id == wearer_id)).rowcount == 0:
        raise Unknown("wearer")


def lock(db: sa.Connection, wearer_id: str) -> None:
    """Keep others from changing this wearer until the transaction ends, or raise `Unknown`."""
    query = sa.select(wearers.c.id).where(wearers.c.id == wearer_id).with_for_update()
    if db.execute(query).one_or_none() is None:
        raise Unknown("wearer")


def parse_wall_time(text: str, *, name: str) -> time:
    """A wall time `HH:MM`."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise Invalid(name, f"Give {name} as local wall time HH:MM, for example 21:00.")
    return time.fromisoformat(text)


def _columns(wearer: Wearer) -> dict[str, str]:
    start, end = wearer.night.start, wearer.night.end
    return {"name": wearer.name, "night_start": f"{start:%H:%M}", "night_end": f"{end:%H:%M}"}


def _write_zones(db: sa.Connection, wearer: Wearer) -> None:
    rows = [{"wearer_id": wearer.id, "from_ns": change.from_ns, "zone": change.zone} for change in wearer.zones.changes]
    db.execute(zone_changes.insert(), rows)


def _read(db: sa.Connection, rows: Sequence[_Row]) -> list[Wearer]:
    wanted = [row.id for row in rows]
    query = zone_changes.select().where(zone_changes.c.wearer_id.in_(wanted)).order_by(zone_changes.c.from_ns)
    changes: defaultdict[str, list[ZoneChange]] = defaultdict(list)
    for change in db.execute(query):
        changes[change.wearer_id].append(ZoneChange(change.from_ns, change.zone))
    return [
        Wearer(
            id=row.id,
            name=row.name,
            night=NightPreference(time.fromisoformat(row.night_start), time.fromisoformat(row.night_end)),
            zones=ZoneHistory(tuple(changes[row.id])),
            created_ns=row.created_ns,
        )
        for row in rows
    ]
