"""The registry: wearers, zones, devices and assignments survive a restart, and rules hold."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from registry_world import ZONES, add, assign

from api.errors import Conflict, Invalid, RegistryUnavailable, Unknown
from api.periods import NightPreference
from api.registry import Registry, Wearer, assignments, devices, open_registry, wearers
from api.registry.tables import metadata


def add_device(registry: Registry, device: str = "leg") -> None:
    with registry.write() as db:
        devices.add(db, device_id=device, label="Leg", created_ns=1)


def test_what_was_registered_is_there_after_a_restart(registry_url: str) -> None:
    first = open_registry(registry_url)
    wearer = add(first, "  Ada   Lindqvist ")
    add_device(first)
    assignment = assign(first, wearer, since=5, to=None)
    first.close()
    second = open_registry(registry_url)
    with second.read() as db:
        assert wearers.find(db, wearer.id) == wearer
        assert wearer.name == "Ada Lindqvist"
        assert wearer.zones == ZONES
        assert [found.id for found in assignments.of_wearer(db, wearer.id)] == [assignment]
    second.close()


def test_ids_are_random_and_say_nothing(registry: Registry) -> None:
    ids = {add(registry).id for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r"w[0-9a-f]{16}", found) for found in ids)


@pytest.mark.parametrize(("since", "to"), [(0, None), (15, 16), (0, 11), (19, None), (10, 20), (0, 100)], ids=str)
def test_overlapping_assignments_of_a_device_are_refused(registry: Registry, since: int, to: int | None) -> None:
    add_device(registry)
    ada, bea = add(registry), add(registry, "Bea")
    assign(registry, ada, since=10, to=20)
    with pytest.raises(Conflict, match="assigned already"):
        assign(registry, bea, since=since, to=to)


def test_assignments_may_touch_and_two_devices_may_overlap(registry: Registry) -> None:
    add_device(registry)
    add_device(registry, "other")
    ada, bea = add(registry), add(registry, "Bea")
    assign(registry, ada, since=10, to=20)
    assign(registry, bea, since=20, to=None)
    assign(registry, ada, since=0, to=10)
    assign(registry, ada, since=0, to=None, device="other")
    with registry.read() as db:
        kept = [(a.device, a.from_ns, a.to_ns) for a in assignments.of_wearer(db, ada.id)]
    assert sorted(kept, key=str) == [("leg", 0, 10), ("leg", 10, 20), ("other", 0, None)]


def test_an_open_assignment_can_be_ended_and_then_lent(registry: Registry) -> None:
    add_device(registry)
    ada, bea = add(registry), add(registry, "Bea")
    first = assign(registry, ada, since=10, to=None)
    with pytest.raises(Conflict):
        assign(registry, bea, since=30, to=None)
    with registry.write() as db:
        assignments.change(db, replace(assignments.find(db, first), to_ns=30))
    assign(registry, bea, since=30, to=None)
    with registry.read() as db:
        current = assignments.current(db, devices_among=["leg"], now_ns=31)
        assert current["leg"].wearer == bea.id


def test_two_who_assign_one_device_at_once_do_not_both_succeed(registry: Registry) -> None:
    add_device(registry)
    people = [add(registry, name) for name in ("Ada", "Bea", "Cleo", "Dora")]
    start = threading.Barrier(len(people))

    def claim(wearer: Wearer) -> str:
        start.wait()
        try:
            assign(registry, wearer, since=0, to=None)
        except Conflict:
            return "refused"
        return "assigned"

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = sorted(pool.map(claim, people))
    assert outcomes == ["assigned", "refused", "refused", "refused"]


def test_a_forgotten_wearer_leaves_nothing_behind(registry: Registry) -> None:
    add_device(registry)
    ada = add(registry)
    assign(registry, ada, since=0, to=None)
    with registry.write() as db:
        wearers.remove(db, ada.id)
    with registry.read() as db:
        tables = [metadata.tables[name] for name in ("wearers", "zone_changes", "assignments")]
        counts = [db.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]
    assert counts == [0, 0, 0]
    with registry.write() as db:
        devices.remove(db, "leg")


def test_a_device_with_assignments_is_not_forgotten(registry: Registry) -> None:
    add_device(registry)
    assign(registry, add(registry), since=0, to=10)
    with pytest.raises(Conflict, match="assignments"), registry.write() as db:
        devices.remove(db, "leg")


def test_what_does_not_exist_is_unknown(registry: Registry) -> None:
    with registry.write() as db:
        for action in (
            lambda: wearers.find(db, "w"),
            lambda: wearers.remove(db, "w"),
            lambda: devices.find(db, "d"),
            lambda: devices.remove(db, "d"),
            lambda: assignments.find(db, "a"),
            lambda: assignments.remove(db, "a"),
        ):
            with pytest.raises(Unknown):
                action()


def test_nothing_of_a_failed_change_is_kept(registry: Registry) -> None:
    def twice() -> None:
        with registry.write() as db:
            wearers.add(db, name="Ada", zones=ZONES, night=NightPreference(), created_ns=1)
            devices.add(db, device_id="leg", label="Leg", created_ns=1)
            devices.add(db, device_id="leg", label="Leg", created_ns=1)

    with pytest.raises(Conflict):
        twice()
    with registry.read() as db:
        assert wearers.page(db, after=None, limit=9) == []
        assert devices.page(db, after=None, limit=9) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b"])
def test_names_are_printable_and_short(registry: Registry, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        add(registry, name)


def test_pages_follow_each_other(registry: Registry) -> None:
    everyone = [add(registry, f"W{number}", created_ns=7) for number in range(5)]
    seen: list[str] = []
    after = None
    while True:
        with registry.read() as db:
            page = wearers.page(db, after=after, limit=2)
        if not page:
            break
        seen.extend(wearer.id for wearer in page)
        after = (page[-1].created_ns, page[-1].id)
    assert sorted(seen) == sorted(wearer.id for wearer in everyone)
    assert len(seen) == 5


def test_migrations_lead_to_the_tables_of_this_release(registry: Registry) -> None:
    registry.check()
    with registry.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []


def test_several_services_may_start_at_once(registry_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(open_registry, [registry_url] * 4))
    ada = add(opened[0])
    for registry in opened:
        with registry.read() as db:
            assert wearers.find(db, ada.id) == ada
        registry.close()


def test_a_contradiction_that_only_the_database_sees_is_a_conflict(registry: Registry) -> None:
    add_device(registry)
    same = metadata.tables["devices"].insert().values(id="leg", label="Leg", created_ns=1)
    with pytest.raises(Conflict), registry.write() as db:
        db.execute(same)


def test_a_registry_of_a_newer_release_is_left_alone(registry_url: str, registry: Registry) -> None:
    with registry.write() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    registry.close()
    with pytest.raises(Conflict, match="newer release"):
        open_registry(registry_url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense"])
def test_a_url_that_cannot_serve_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(Invalid, match=r"SQLite|sqlite"):
        open_registry(url)


def test_a_registry_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailable, match=r"does not answer: unable to open database file\."):
        open_registry(f"sqlite:///{tmp_path / 'missing' / 'registry.sqlite'}")
