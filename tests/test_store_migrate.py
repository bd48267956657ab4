"""Moving from one store to another loses nothing, whenever it is stopped, and says when something is odd."""

import dataclasses
import io
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
import servers
from conftest import NamedInfluxDB
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from rich.console import Console
from store_records import an_episode, an_epoch, records

from ingest.settings import Settings, SettingsError
from ingest.store import DeviceStatus, Record, ServiceStatus, Store, StoreRefused, StoreUnavailable, same_record
from ingest.store.command import run_migrate
from ingest.store.influx import InfluxStore
from ingest.store.memory import MemoryStore
from ingest.store.migrate import Copied, copy
from ingest.store.sqlite import SqliteStore

NOON_NS = 1_790_000_000_000_000_000
ALL = {"start_ns": 0, "end_ns": 2**62}


def everything(store: Store) -> list[Record]:
    """All records in an order that is the same for every store, with tombstones."""
    devices = store.devices()
    epochs = [epoch for device in devices for epoch in store.epochs(device, void=True, **ALL)]
    return [*store.statuses(devices), *store.episodes(devices, withdrawn=True, **ALL), *epochs]


def same(a: Record, b: Record) -> bool:
    return same_record(a, b) and a.updated_ns == b.updated_ns


def equal(a: Store, b: Store) -> bool:
    left, right = everything(a), everything(b)
    return len(left) == len(right) and all(same(one, other) for one, other in zip(left, right, strict=True))


def key_of(record: Record) -> tuple[object, ...]:
    """What a store knows a record by."""
    names = ("device", "site", "onset_ns", "start_ns")
    return (type(record), *(getattr(record, name, None) for name in names))


def a_site() -> list[Record]:
    """Some weeks of two devices and a half."""
    spread = [NOON_NS + day * 86_400_000_000_000 + step * 10**10 for day in (0, 1, 30) for step in range(40)]
    return [
        *(an_epoch(device=device, start_ns=start_ns) for device in ("a", "b") for start_ns in spread),
        an_epoch(device="a", start_ns=spread[3], received_s=0.0, rms_uv=float("nan"), updated_ns=8),
        an_episode(device="a", revision=2),
        an_episode(device="b", onset_ns=NOON_NS, status="withdrawn", superseded_by="b.soleus.5"),
        DeviceStatus(device="a", boot=3, online=True, clock_offset_s=-0.25, updated_ns=5),
        DeviceStatus(device="only-seen", boot=1, online=False),
        ServiceStatus(name="ingest", started_ns=1, beat_ns=2, version="0.1.0"),
    ]


def filled(store: Store, kept: Sequence[Record] | None = None) -> Store:
    store.write(a_site() if kept is None else kept)
    return store


class Failing(MemoryStore):
    """Is unavailable at its nth write, and before nothing of it is kept."""

    def __init__(self, failing: int) -> None:
        super().__init__()
        self.left = failing

    def write(self, records: Sequence[Record]) -> None:
        self.left -= 1
        if not self.left:
            raise StoreUnavailable("the disk is full")
        super().write(records)


def new_bucket(server: servers.InfluxDB) -> str:
    """A new database, which keeps what is ages old."""
    return server.new_bucket(f"moving{uuid.uuid4().hex[:8]}")


def test_sqlite_to_a_real_influxdb_and_back_gives_equal_records(tmp_path: Path, own_influxdb: servers.InfluxDB) -> None:
    bucket = new_bucket(own_influxdb)
    moved = InfluxStore(own_influxdb.url, token=own_influxdb.token, org=own_influxdb.org, bucket=bucket)
    with (
        closing(SqliteStore(tmp_path / "a.sqlite")) as first,
        closing(moved),
        closing(SqliteStore(tmp_path / "b.sqlite")) as last,
    ):
        filled(first)
        count = len(everything(first))
        assert copy(first, moved) == Copied(devices=3, records=count, written=count, newer=0, extra=0)
        assert copy(moved, last) == Copied(devices=3, records=count, written=count, newer=0, extra=0)
        assert equal(first, moved)
        assert equal(first, last)
        assert last.services() == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(kept=st.lists(records, max_size=12), before=st.lists(records, max_size=4))
def test_whatever_the_source_holds_the_target_holds_too(kept: list[Record], before: list[Record]) -> None:
    source, target = filled(MemoryStore(), kept), filled(MemoryStore(), before)
    mine = {record.device for record in before if not isinstance(record, ServiceStatus)}
    was = {key_of(record): record for record in everything(target)}
    copied = copy(source, target)
    assert copied.records == len(everything(source))
    newer = 0
    for device in source.devices():
        ours = [record for record in everything(source) if getattr(record, "device", "") == device]
        theirs = {key_of(record): record for record in everything(target) if getattr(record, "device", "") == device}
        for record in ours:
            held = was.get(key_of(record), record)
            newer += held.updated_ns > record.updated_ns
            assert same(theirs[key_of(record)], held if held.updated_ns > record.updated_ns else record)
        assert device in mine or len(ours) == len(theirs)
    assert copied.newer == newer


def test_copying_again_writes_nothing() -> None:
    source, target = filled(MemoryStore()), MemoryStore()
    first = copy(source, target)
    assert first.written == first.records
    assert copy(source, target) == dataclasses.replace(first, written=0)


@pytest.mark.parametrize("failing", range(1, 9))
def test_stopped_anywhere_it_is_repeated_to_the_end(failing: int) -> None:
    source, target = filled(MemoryStore()), Failing(failing)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        copy(source, target)
    there = len(everything(target))
    copied = copy(source, target)
    assert equal(source, target)
    assert copied.written == copied.records - there


def test_what_only_the_target_holds_is_left_alone_and_counted() -> None:
    source, target = filled(MemoryStore()), filled(MemoryStore(), [an_epoch(device="a", start_ns=0), an_epoch()])
    assert copy(source, target).extra == 1
    assert target.epochs("a", start_ns=0, end_ns=1) == [an_epoch(device="a", start_ns=0)]


def newer_ones() -> list[Record]:
    """Three records of `a_site`, one of each kind, as a service has written them since."""
    return [
        DeviceStatus(device="a", boot=4, online=False, updated_ns=9),
        an_episode(device="a", revision=3, status="withdrawn", updated_ns=9),
        an_epoch(device="b", start_ns=NOON_NS, received_s=0.0, updated_ns=9),
    ]


def test_what_the_target_holds_from_later_is_left_alone_and_counted() -> None:
    source, target = filled(MemoryStore()), filled(MemoryStore(), newer_ones())
    count = len(everything(source))
    assert copy(source, target) == Copied(devices=3, records=count, written=count - 3, newer=3, extra=0)
    assert equal(target, filled(filled(MemoryStore()), newer_ones()))
    assert copy(source, target).written == 0
    assert copy(target, source) == Copied(devices=3, records=count, written=3, newer=0, extra=0)
    assert equal(source, target)


def test_what_a_service_writes_into_the_target_meanwhile_stays_and_is_counted() -> None:
    source, target = filled(MemoryStore()), MemoryStore()
    copied = copy(source, target, progress=lambda device, _: target.write(newer_ones()) if device == "b" else None)
    assert copied.newer == 3
    assert equal(target, filled(filled(MemoryStore()), newer_ones()))


def test_a_record_of_the_same_instant_is_the_sources() -> None:
    source = filled(MemoryStore(), [DeviceStatus(device="a", boot=3, online=True, updated_ns=5)])
    target = filled(MemoryStore(), [DeviceStatus(device="a", boot=4, online=True, updated_ns=5)])
    assert copy(source, target) == Copied(devices=1, records=1, written=1, newer=0, extra=0)
    assert equal(source, target)


def test_a_record_withdrawn_since_is_withdrawn_by_the_next_copy() -> None:
    source, target = filled(MemoryStore()), MemoryStore()
    copy(source, target)
    source.write([an_epoch(device="b", received_s=0.0, updated_ns=9), an_episode(device="a", status="withdrawn")])
    assert copy(source, target).written == 2
    assert equal(source, target)
    assert target.episodes(["a"], **ALL) == []


def test_a_difference_at_the_end_is_told() -> None:
    source, target = filled(MemoryStore()), MemoryStore()

    def meddle(device: str, count: int) -> None:
        if device == "b":
            source.write([an_epoch(device="a", rms_uv=float(count))])

    with pytest.raises(StoreUnavailable, match=r"device a differ.* charley_epoch.*repeat the command"):
        copy(source, target, progress=meddle)


def test_progress_names_devices_and_counts_up() -> None:
    told: list[tuple[str, int]] = []
    copied = copy(filled(MemoryStore()), MemoryStore(), progress=lambda device, count: told.append((device, count)))
    assert {device for device, _ in told} == {"a", "b", "only-seen"}
    assert [count for _, count in told] == sorted(count for _, count in told)
    assert told[-1][1] == copied.records


def consoles() -> tuple[Console, Console]:
    return Console(file=io.StringIO(), width=300), Console(file=io.StringIO(), width=300)


def text(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def influx_settings(folder: Path, server: servers.InfluxDB | NamedInfluxDB, bucket: str) -> Settings:
    return Settings(
        data_dir=folder, store="influxdb", influxdb_url=server.url, influxdb_token=SecretStr(server.token),
        influxdb_org=server.org, influxdb_bucket=bucket,
    )  # fmt: skip


def test_the_command_moves_there_and_back(tmp_path: Path, own_influxdb: servers.InfluxDB) -> None:
    known = influx_settings(tmp_path, own_influxdb, new_bucket(own_influxdb))
    with closing(SqliteStore(tmp_path / "store.sqlite")) as store:
        filled(store)
        count = len(everything(store))
        out, err = consoles()
        assert run_migrate(known, to="influxdb", out=out, err=err, wall_ns=lambda: 10**18) == 0
        assert f"{count} records of 3 devices" in text(out)
        assert f"{count} of them were written now" in text(out)
        assert text(err) == ""
        back = tmp_path / "back.sqlite"
        assert run_migrate(known, to="sqlite", file=back, out=out, err=err) == 0
        with closing(SqliteStore(back)) as returned:
            assert equal(store, returned)
            returned.write([an_epoch(device="a", start_ns=0)])
    assert run_migrate(known, to="sqlite", file=back, out=out, err=err) == 0
    assert "also holds 1 records" in text(err)
    assert own_influxdb.token not in text(out) + text(err)


@pytest.mark.parametrize("to", ["sqlite", "influxdb"])
def test_the_command_leaves_alone_what_is_newer(
    to: Literal["sqlite", "influxdb"], tmp_path: Path, own_influxdb: servers.InfluxDB
) -> None:
    bucket = new_bucket(own_influxdb)
    server = InfluxStore(own_influxdb.url, token=own_influxdb.token, org=own_influxdb.org, bucket=bucket)
    out, err = consoles()
    with closing(SqliteStore(tmp_path / "store.sqlite")) as embedded, closing(server):
        source, target = (server, embedded) if to == "sqlite" else (embedded, server)
        filled(source)
        filled(target, newer_ones())
        known = influx_settings(tmp_path, own_influxdb, bucket)
        assert run_migrate(known, to=to, out=out, err=err, wall_ns=lambda: 10**18) == 0
        count = len(everything(source))
        assert equal(target, filled(filled(MemoryStore()), newer_ones()))
    assert f"{count - 3} records of 3 devices" in text(out)
    assert f"{count - 3} of them were written now" in text(out)
    assert "holds 3 records that were written later than the same ones of" in text(err)
    assert text(err).endswith("They were left alone.\n")
    assert text(err).count("\n") == 1


def test_the_command_warns_of_a_service_that_writes(tmp_path: Path, influxdb: servers.InfluxDB | NamedInfluxDB) -> None:
    with closing(SqliteStore(tmp_path / "store.sqlite")) as store:
        store.write([ServiceStatus(name="ingest", started_ns=1, beat_ns=NOON_NS, version="0.1.0")])
    known = influx_settings(tmp_path, influxdb, influxdb.bucket)
    out, err = consoles()
    assert run_migrate(known, to="influxdb", out=out, err=err, wall_ns=lambda: NOON_NS + 4 * 10**9) == 0
    assert "store.sqlite 4 s ago. If it is still running, stop it first, or repeat this command" in text(err)
    assert "0 records of 0 devices" in text(out)


@pytest.mark.parametrize("to", ["sqlite", "influxdb"])
def test_the_command_warns_of_a_service_that_writes_into_the_target(
    to: Literal["sqlite", "influxdb"], tmp_path: Path, own_influxdb: servers.InfluxDB
) -> None:
    bucket = new_bucket(own_influxdb)
    server = InfluxStore(own_influxdb.url, token=own_influxdb.token, org=own_influxdb.org, bucket=bucket)
    with closing(SqliteStore(tmp_path / "store.sqlite")) as embedded, closing(server):
        target = embedded if to == "sqlite" else server
        target.write([ServiceStatus(name="ingest", started_ns=1, beat_ns=NOON_NS, version="0.1.0")])
    known = influx_settings(tmp_path, own_influxdb, bucket)
    name = f"{tmp_path / 'store.sqlite'}" if to == "sqlite" else f"InfluxDB's {bucket} at {own_influxdb.url}"
    for ago_s, warned in ((4, True), (119, True), (120, False)):
        out, err = consoles()
        assert run_migrate(known, to=to, out=out, err=err, wall_ns=lambda s=ago_s: NOON_NS + s * 10**9) == 0
        sentence = f"ingest wrote to {name} {ago_s} s ago. If it is still running, stop it first: what it writes"
        assert (sentence in text(err)) is warned
        assert bool(text(err)) is warned


@pytest.mark.parametrize("to", ["sqlite", "influxdb"])
def test_a_named_file_that_is_no_store_is_told_as_such_and_left_alone(
    to: Literal["sqlite", "influxdb"], tmp_path: Path
) -> None:
    known = Settings(
        data_dir=tmp_path, store="influxdb", influxdb_url="http://127.0.0.1:9", influxdb_token=SecretStr("t")
    )
    path = tmp_path / "env.sh"
    path.write_text("export CHARLEY_STORE=influxdb\n")
    out, err = consoles()
    with pytest.raises(SettingsError, match=r"env\.sh is not a SQLite store\. .*name another with --file\.$"):
        run_migrate(known, to=to, file=path, out=out, err=err)
    assert path.read_text() == "export CHARLEY_STORE=influxdb\n"
    assert list(tmp_path.iterdir()) == [path]
    path.rename(tmp_path / "store.sqlite")
    with pytest.raises(StoreRefused, match="Stop every role and restore it"):
        run_migrate(known, to=to, out=out, err=err)


def test_the_command_says_which_settings_it_needs(tmp_path: Path) -> None:
    out, err = consoles()
    with pytest.raises(SettingsError, match=r"CHARLEY_STORE=influxdb.*store\.sqlite"):
        run_migrate(Settings(data_dir=tmp_path), to="influxdb", out=out, err=err)
    known = Settings(
        data_dir=tmp_path, store="influxdb", influxdb_url="http://127.0.0.1:9", influxdb_token=SecretStr("t")
    )
    with pytest.raises(SettingsError, match=r"store\.sqlite is not there"):
        run_migrate(known, to="influxdb", out=out, err=err)
    assert list(tmp_path.iterdir()) == []
