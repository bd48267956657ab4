"""Devices: add, find, list, change, remove."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from api.errors import Conflict, Unknown
from api.registry.tables import assignments, devices
from api.registry.values import Device, check_device_id, check_name


def add(db: sa.Connection, *, device_id: str, label: str, created_ns: int) -> Device:
    """Register a device under the id on its topics."""
    device = Device(check_device_id(device_id), check_name(label), created_ns)
    if _row(db, device_id) is not None:
        raise Conflict(f"Device {device_id} is registered already. Assign it, or change its label with PATCH.")
    db.execute(devices.insert().values(id=device.id, label=device.label, created_ns=created_ns))
    return device


def find(db: sa.Connection, device_id: str) -> Device:
    """The device of this id, or `Unknown`."""
    row = _row(db, device_id)
    if row is None:
        raise Unknown("device")
    return Device(row.id, row.label, row.created_ns)


def page(
    db: sa.Connection, *, after: tuple[int, str] | None, limit: int, among: Collection[str] | None = None
) -> list[Device]:
    """The next devices in order of registration, after the one with this time and id; `among` some if asked."""
    query = devices.select().order_by(devices.c.created_ns, devices.c.id).limit(limit)
    if among is not None:
        query = query.where(devices.c.id.in_(among))
    if after is not None:
        query = query.where(sa.tuple_(devices.c.created_ns, devices.c.id) > sa.tuple_(*after))
    return [Device(row.id, row.label, row.created_ns) for row in db.execute(query)]


def relabel(db: sa.Connection, *, device_id: str, label: str) -> Device:
    """Give a device another label."""
    device = replace(find(db, device_id), label=check_name(label))
    db.execute(devices.update().where(devices.c.id == device_id).values(label=device.label))
    return device


def remove(db: sa.Connection, device_id: str) -> None:
    """Forget a device that was never assigned, or is no longer."""
    lock(db, device_id)
    if db.execute(sa.select(assignments.c.id).where(assignments.c.device_id == device_id).limit(1)).one_or_none():
        raise Conflict(
            f"Device {device_id} has assignments, and with it their nights would lose their data. "
            "End the current assignment instead, or delete its assignments first."
        )
    db.execute(devices.delete().where(devices.c.id == device_id))


def lock(db: sa.Connection, device_id: str) -> None:
    """Keep others from changing or assigning this device until the transaction ends, or raise `Unknown`."""
    query = sa.select(devices.c.id).where(devices.c.id == device_id).with_for_update()
    if db.execute(query).one_or_none() is None:
        raise Unknown("device")


def _row(db: sa.Connection, device_id: str) -> sa.Row[Any] | None:
    return db.execute(devices.select().where(devices.c.id == device_id)).one_or_none()
