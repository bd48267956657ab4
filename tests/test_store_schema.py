"""Files of older versions are brought forward with all they hold, or stay what they were."""

import math
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from store_records import an_episode, an_epoch

from ingest.store import DeviceStatus, Record, ServiceStatus, StoreRefused, StoreUnavailable, same_record
from ingest.store.columns import TABLES
from ingest.store.sqlite import SqliteStore
from ingest.store.sqlite_schema import SCHEMA_VERSION, migrate

DUMPS = Path(__file__).parent / "data"
ALL = {"start_ns": 0, "end_ns": 2**62}
# What the files of each older version hold: the members that they lack have their defaults.
HELD: list[Record] = [
    an_episode(device="leg-1", sites=("soleus", "gastrocnemius_medialis")),
    an_episode(device="leg-2", status="rejected", flags=("a,b", "", "it's"), load=math.nan),
    an_epoch(device="leg-1"),
    an_epoch(
        device="leg-1",
        start_ns=1_790_000_010_000_000_000,
        usable_s=0.0,
        rms_uv=math.nan,
        median_hz=math.nan,
        flags=("motion", "off"),
    ),
    DeviceStatus(
        device="leg-1", boot=3, online=True, firmware="1.2", sites=("soleus",), battery=0.5, last_received_ns=5,
        last_sample_ns=4, missing_blocks=2,
    ),
    DeviceStatus(device="leg-2", boot=1, online=False),
]  # fmt: skip
# Ends itself as a power cut would, at the beginning of the nth statement of a migration, for each n in turn.
KILLED = """
import os, shutil, signal, sqlite3, sys
from ingest.store.sqlite_schema import migrate, use_wal

source, folder = sys.argv[1:]
for number in range(1000):
    path = f"{folder}/{number}.sqlite"
    shutil.copy(source, path)
    child = os.fork()
    if not child:
        left = [number]
        def count(statement):
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
        connection = sqlite3.connect(path, isolation_level=None)
        use_wal(connection, timeout_s=1.0)
        connection.set_trace_callback(count)
        migrate(connection)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(ended)
    if not ended:
        break
"""


def old_file(folder: Path, version: int) -> Path:
    """A file as that version left it."""
    path = folder / f"store-{version}.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((DUMPS / f"store-{version}.sql").read_text())
        connection.execute("PRAGMA journal_mode = WAL")
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    return path


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


def held(store: SqliteStore) -> list[Record]:
    epochs = [epoch for device in store.devices() for epoch in store.epochs(device, **ALL)]
    return [*store.episodes(store.devices(), **ALL), *epochs, *store.statuses(store.devices())]


def is_whole(found: list[Record]) -> bool:
    return len(found) == len(HELD) and all(map(same_record, found, HELD))


def test_every_older_version_has_a_file_here() -> None:
    found = {int(path.stem.removeprefix("store-")) for path in DUMPS.glob("store-*.sql")}
    assert found == set(range(1, SCHEMA_VERSION))


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_an_older_file_keeps_its_records_and_takes_new_ones(tmp_path: Path, version: int) -> None:
    path = old_file(tmp_path, version)
    new: list[Record] = [
        an_episode(device="leg-3", status="withdrawn", superseded_by="leg-3.soleus.5"),
        DeviceStatus(device="leg-3", boot=1, online=True, clock_drift_ppm=math.nan, refused_reason="clock"),
        ServiceStatus(name="ingest", started_ns=1, beat_ns=2, version="0.1.0"),
    ]
    with closing(SqliteStore(path)) as store:
        assert is_whole(held(store))
        store.write(new)
    assert version_of(path) == SCHEMA_VERSION
    with closing(SqliteStore(path)) as store:
        kept = [
            *store.episodes(["leg-3"], withdrawn=True, **ALL), *store.statuses(["leg-3"]), *store.services(),
        ]  # fmt: skip
        assert len(kept) == len(new)
        assert all(map(same_record, kept, new))
        assert store.statuses(["leg-1"])[0].updated_ns == 9


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_migrated_file_has_the_columns_of_a_new_one(tmp_path: Path, version: int) -> None:
    new = tmp_path / "new.sqlite"
    found = []
    for path in (old_file(tmp_path, version), new):
        SqliteStore(path).close()
        with closing(sqlite3.connect(path)) as connection:
            tables = [connection.execute(f"PRAGMA table_info({table.name})").fetchall() for table in TABLES]
        # Name, type, whether NULL is forbidden, place in the key; the order and the defaults may differ.
        found.append([sorted((row[1], row[2], row[3], row[5]) for row in rows) for rows in tables])
    assert found[0] == found[1]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_killed_at_any_statement_of_a_migration_a_file_is_old_or_new(tmp_path: Path, version: int) -> None:
    source = old_file(tmp_path, version)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(source), str(tmp_path)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    ends = [int(line) for line in run.stdout.split()]
    assert set(ends[:-1]) == {-signal.SIGKILL}
    assert ends[-1] == 0
    assert len(ends) > 10
    versions = [version_of(tmp_path / f"{number}.sqlite") for number in range(len(ends))]
    assert versions == [version] * (len(ends) - 1) + [SCHEMA_VERSION]
    for number in range(len(ends)):
        with closing(SqliteStore(tmp_path / f"{number}.sqlite")) as store:
            assert is_whole(held(store))


def test_a_process_of_the_older_version_goes_on_writing(tmp_path: Path) -> None:
    path = old_file(tmp_path, 1)
    dump = (DUMPS / "store-1.sql").read_text()
    names = re.findall(r"(\w+) (?:TEXT|INTEGER|REAL)", dump.split("CREATE TABLE charley_status")[1].split(";")[0])
    with closing(sqlite3.connect(path, isolation_level=None)) as older:
        SqliteStore(path).close()
        statement = f"INSERT OR REPLACE INTO charley_status ({', '.join(names)}) VALUES "  # noqa: S608
        older.execute(statement + "('leg-2', 9, 1, '', '', NULL, 0, 0, 0, 0)")
    with closing(SqliteStore(path)) as store:
        assert store.statuses(["leg-2"]) == [DeviceStatus(device="leg-2", boot=9, online=True)]


def test_opening_a_file_of_this_version_needs_no_turn_at_writing(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with closing(SqliteStore(path, timeout_s=0.05)) as store:
            assert store.devices() == []


def test_a_migration_waits_for_who_is_writing_and_says_so(tmp_path: Path) -> None:
    path = old_file(tmp_path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            SqliteStore(path, timeout_s=0.05)
        assert version_of(path) == 1
    SqliteStore(path).close()
    assert version_of(path) == SCHEMA_VERSION


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match=f"schema {SCHEMA_VERSION + 1}.*knows up to {SCHEMA_VERSION}.*or a newer"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_migrating_twice_is_migrating_once(tmp_path: Path) -> None:
    path = old_file(tmp_path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection)
        once = connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
        connection.execute("PRAGMA user_version = 1")
        migrate(connection)
        assert connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall() == once
