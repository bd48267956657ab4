"""What only the SQLite store promises: several processes at once, nothing half written, and clear refusals."""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from store_records import an_episode, an_epoch

from ingest.errors import StoreError
from ingest.store import StoreRefused, StoreUnavailable
from ingest.store.sqlite import SqliteStore
from ingest.store.sqlite_schema import SCHEMA_VERSION

WRITES = 30
ALL = {"start_ns": 0, "end_ns": 2**62}


def _write_many(path: Path, device: str) -> None:
    with closing(SqliteStore(path)) as store:
        for step in range(WRITES):
            store.write([an_epoch(device=device, start_ns=10**18 + step), an_epoch(device=device, start_ns=step)])


def test_processes_write_one_file_while_another_reads(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    context = multiprocessing.get_context("spawn")
    # None has opened the file before: they also race to make it.
    writers = [context.Process(target=_write_many, args=(path, device)) for device in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    with closing(SqliteStore(path)) as reader:
        while any(writer.is_alive() for writer in writers):
            assert len(reader.epochs("a", **ALL)) % 2 == 0  # a transaction is seen whole or not at all
        for writer in writers:
            writer.join()
            assert writer.exitcode == 0
            writer.close()
        assert [len(reader.epochs(device, **ALL)) for device in ("a", "b", "c")] == [2 * WRITES] * 3


def test_a_writer_in_the_middle_of_its_work_does_not_hold_up_readers(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with closing(SqliteStore(path, timeout_s=0.1)) as store, closing(sqlite3.connect(path)) as other:
        store.write([an_episode()])
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM charley_episode")
        assert store.episodes(["dev1"], **ALL) == [an_episode()]
        with pytest.raises(StoreUnavailable, match="locked"):
            store.write([an_episode(revision=2)])
        other.execute("ROLLBACK")
        store.write([an_episode(revision=2)])
        assert store.episodes(["dev1"], **ALL) == [an_episode(revision=2)]


def test_what_is_written_survives_a_power_cut_by_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with closing(SqliteStore(path)) as store, store._connection() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "addresses.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE address (name TEXT)")
        other.commit()
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match="something else"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at " * 50)
    with pytest.raises(StoreRefused, match=r"notes\.txt: file is not a database\. Stop every role and restore it"):
        SqliteStore(path)


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"missing/store\.sqlite: unable to open"):
        SqliteStore(tmp_path / "missing" / "store.sqlite")


def test_a_file_that_may_not_be_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with closing(SqliteStore(path)) as store:
        with store._connection() as connection:
            connection.execute("PRAGMA query_only = ON")  # as root, permissions of files would not stop us
        with pytest.raises(StoreUnavailable, match=r"store\.sqlite: attempt to write a readonly database"):
            store.write([an_epoch()])


def test_a_full_disk_is_unavailable_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    many = [an_epoch(start_ns=step) for step in range(5000)]
    with closing(SqliteStore(path)) as store:
        store.write([an_epoch()])
        with store._connection() as connection:
            connection.execute("PRAGMA max_page_count = 20")
        with pytest.raises(StoreUnavailable, match="full"):
            store.write(many)
        assert store.epochs("dev1", **ALL) == [an_epoch()]
        store.write(many)  # on another connection, without the limit
        assert len(store.epochs("dev1", **ALL)) == 5001


def test_a_file_too_damaged_to_be_opened_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    SqliteStore(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 1000)
    with pytest.raises(StoreRefused, match=r"store\.sqlite: .*malformed.*\. Stop every role and restore it: docs"):
        SqliteStore(path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with closing(SqliteStore(path)) as store:
        store.write([an_epoch(start_ns=step) for step in range(5000)])
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreError, match=r"store\.sqlite: .*malformed"), closing(SqliteStore(path)) as store:
        store.epochs("dev1", **ALL)
