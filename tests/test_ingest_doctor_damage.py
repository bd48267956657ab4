"""What the doctor says of damaged files: a sentence and a mend for each, and all else as ever."""

import io
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import servers
from ingest_feed import cut, ingest, recording
from rich.console import Console

from charley import REGISTRY
from ingest.doctor import Check
from ingest.doctor.check import exit_code
from ingest.doctor.command import run_doctor
from ingest.doctor.gather import Seen, steps
from ingest.salvage import make_whole
from ingest.settings import Settings
from ingest.store.opening import open_store
from ingest.store.sqlite import SqliteStore
from ingest.store.sqlite_schema import SCHEMA_VERSION

PAGE = 8192


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A data folder in which an ingester has run, and nobody does now."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    store = SqliteStore(folder / "store.sqlite")
    ingest(folder, [("leg", block) for block in cut(recording(300), [1.0] * 300)], store=store)
    store.close()
    return folder


def settings(folder: Path, **others: Any) -> Settings:
    return Settings(data_dir=folder, broker_port=servers.free_port(), **others)


def look(folder: Path, given: Settings | None = None) -> list[Check]:
    seen = Seen(settings=given or settings(folder), now_ns=1_790_000_400 * 10**9)
    for _, step in steps(open_store=open_store, tools=REGISTRY, broker_load=False, mosquitto_conf=None):
        step(seen)
    return seen.checks


def one(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def scribble(path: Path, *, begin: float, end: float) -> None:
    """Overwrite a part of a file, given as shares of it."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        start = int(size * begin) // PAGE * PAGE
        file.seek(start)
        file.write(b"\xa5" * (int(size * end) - start))


def names(checks: list[Check]) -> set[str]:
    return {check.name for check in checks}


@pytest.mark.parametrize(("begin", "end"), [(0.1, 0.9), (0.3, 0.6), (0.0, 0.5), (0.9, 1.0)])
def test_a_journal_with_damaged_pages_fails_and_all_else_is_told(site: Path, begin: float, end: float) -> None:
    whole = names(look(site))
    scribble(site / "journal.sqlite", begin=begin, end=end)
    checks = look(site)
    check = one(checks, "journal.whole")
    assert check.verdict == "fail"
    assert "start `charley ingest`" in check.mend
    assert exit_code(checks) == 1
    assert {name for name in whole if not name.startswith("journal.")} <= names(checks)
    assert "doctor.looked" not in names(checks)


def test_a_damaged_journal_is_printed_without_a_traceback(site: Path) -> None:
    scribble(site / "journal.sqlite", begin=0.1, end=0.9)
    out, err = (Console(file=io.StringIO(), width=200) for _ in range(2))
    code = run_doctor(settings(site), open_store=open_store, tools=REGISTRY, broker_load=False, out=out, err=err)
    printed = out.file.getvalue()  # type: ignore[attr-defined]
    assert code == 1
    assert "journal.whole" in printed
    assert "machine.packages" in printed


def test_a_journal_whose_rows_cannot_be_is_said(site: Path) -> None:
    with closing(sqlite3.connect(site / "journal.sqlite")) as db:
        db.execute("UPDATE block SET t0_ns = 'soon'")
        db.commit()
    check = one(look(site), "journal.whole")
    assert (check.verdict, "not what was written" in check.found) == ("fail", True)


def test_a_schema_that_is_no_number_is_damage_and_has_one_mend(site: Path) -> None:
    with closing(sqlite3.connect(site / "journal.sqlite")) as db:
        db.execute("UPDATE schema_version SET version = 'x'")
        db.commit()
    checks = look(site)
    check = one(checks, "journal.whole")
    assert (check.verdict, "its schema is 'x'" in check.found) == ("fail", True)
    assert "journal.schema" not in names(checks)


@pytest.mark.parametrize(("begin", "end"), [(0.1, 0.9), (0.0, 0.2)])
def test_a_damaged_store_is_to_be_replaced_alone(site: Path, begin: float, end: float) -> None:
    scribble(site / "store.sqlite", begin=begin, end=end)
    checks = look(site)
    check = one(checks, "store.whole")
    assert check.verdict == "fail"
    assert "put the store.sqlite of the last backup in its place" in check.mend
    assert "new data folder" not in check.mend
    assert "machine.packages" in names(checks)


def test_a_damaged_registry_is_said(site: Path) -> None:
    (site / "registry.sqlite").write_bytes(b"names of people" * 1000)
    check = one(look(site), "registry.whole")
    assert (check.verdict, "registry.sqlite" in check.mend) == ("fail", True)


def test_files_that_cannot_be_opened_are_said(site: Path) -> None:
    """Folders in place of files: nothing that any user could open."""
    for name in ("journal.sqlite", "store.sqlite"):
        (site / name).unlink()
        (site / name).mkdir()
    checks = look(site)
    assert one(checks, "journal.whole").verdict == "fail"
    assert one(checks, "store.whole").verdict == "fail"
    assert "machine.packages" in names(checks)


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION])
def test_a_file_of_another_program_is_no_store(site: Path, version: int) -> None:
    for path in site.glob("store.sqlite*"):
        path.unlink()
    with closing(sqlite3.connect(site / "store.sqlite")) as db:
        db.executescript(f"CREATE TABLE books (title TEXT); PRAGMA user_version = {version}")
    before = (site / "store.sqlite").read_bytes()
    checks = look(site)
    check = one(checks, "store.schema")
    assert (check.verdict, "another program, no store of Charley" in check.found) == ("fail", True)
    assert "CHARLEY_DATA_DIR" in check.mend
    assert "start" not in check.mend
    assert "store.records" not in names(checks)
    assert (site / "store.sqlite").read_bytes() == before


def test_a_store_that_nothing_was_written_into_yet_is_no_other_programs(site: Path) -> None:
    for path in site.glob("store.sqlite*"):
        path.unlink()
    (site / "store.sqlite").touch()
    check = one(look(site), "store.schema")
    assert (check.verdict, "schema 0" in check.found) == ("warn", True)


def test_an_area_that_cannot_be_read_ends_alone(site: Path) -> None:
    (site / "archive" / "device=leg" / "date=2026-99-99").mkdir(parents=True)  # no name that was ever given
    url = f"http://127.0.0.1:{servers.free_port()}"
    with_influxdb = settings(site, store="influxdb", influxdb_url=url, influxdb_token="t")
    checks = look(site, with_influxdb)
    check = one(checks, "doctor.looked")
    assert (check.verdict, "the store could not be looked at to the end" in check.found) == ("fail", True)
    assert "machine.packages" in names(checks)


def test_what_was_set_aside_is_told_of_until_it_is_removed(site: Path) -> None:
    journal = site / "journal.sqlite"
    assert one(look(site), "journal.whole").verdict == "ok"
    scribble(journal, begin=0.3, end=0.6)
    make_whole(journal)
    (aside,) = [path for path in site.glob("journal.sqlite.damaged-*") if path.suffix.endswith("Z")]
    check = one(look(site), "journal.whole")
    assert check.verdict == "warn"
    assert "set aside as damaged" in check.found
    assert aside.name in check.mend
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    for path in site.glob("journal.sqlite.damaged-*"):
        path.unlink()
    assert one(look(site), "journal.whole").verdict == "ok"
