"""Registries to test with: a database for each, and people and devices in them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from api.periods import NightPreference
from api.registry import Registry, Wearer, assignments, wearers
from api.zones import ZoneChange, ZoneHistory

ZONES: Final = ZoneHistory((ZoneChange(0, "Europe/Berlin"), ZoneChange(10**18, "Asia/Tokyo")))


@contextmanager
def new_postgresql(server_url: str) -> Iterator[str]:
    """The URL of a new database on a server, which is dropped in the end."""
    server = sa.make_url(server_url).set(drivername="postgresql+pg8000")
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"charley_test_{uuid.uuid4().hex}"
    with engine.connect() as db:
        db.execute(sa.text(f"CREATE DATABASE {name}"))
        yield server.set(database=name).render_as_string(hide_password=False)
        db.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def add(registry: Registry, name: str = "Ada", *, created_ns: int = 1) -> Wearer:
    """Register a wearer who moves once."""
    with registry.write() as db:
        return wearers.add(db, name=name, zones=ZONES, night=NightPreference(), created_ns=created_ns)


def assign(registry: Registry, wearer: Wearer, *, since: int, to: int | None, device: str = "leg") -> str:
    """Assign a device that is registered; returns the assignment's id."""
    with registry.write() as db:
        return assignments.add(
            db, device=device, wearer=wearer.id, side="left", muscle="soleus", from_ns=since, to_ns=to
        ).id
