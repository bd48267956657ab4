"""Sets a damaged journal aside and saves what can still be read of it into a fresh one.

Rules
-----
- The damaged files are kept as they are, beside the journal as `journal.sqlite.damaged-<time>`; only copies are read.
- The fresh journal is complete and on disk, as `journal.sqlite.salvaged`, before anything is moved. Whatever happens
  in between, the next start goes on from there.
- What cannot be finished for want of room leaves everything where it was and ends with a sentence.
- What the fresh journal then lacks is made up for by `ingest/recall.py`, which finds the report in it.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from ingest.damage import beside, look, version_of
from ingest.errors import JournalFull
from ingest.journal_db import SUSPECT, Connection
from ingest.journal_schema import PAGE, VERSION, Beginning, beginnings, create, tables
from ingest.reading import UNREADABLE, Saved, copy_rows
from ingest.wal import look_at_wal, mend_wal

ROOM: Final = 16 << 20
SIDES: Final = ("", "-wal", "-shm")
_PAGES, _HEADER = slice(28, 32), 100
_TABLE, _INDEX = {5, 13}, {2, 10}  # what a page of such a tree begins with


class Report(msgspec.Struct, frozen=True):
    """What became of a damaged journal."""

    what: str
    file: str  # where the damaged one is
    saved: dict[str, int]  # rows, by table
    unreadable: dict[str, int]  # rows that are known to have been there, or at least so many
    outbox_lost: bool  # whether records that were to be delivered may be among them
    told_lost: bool  # whether what was told of episodes may be


def free_bytes(folder: Path) -> int:
    """Room on the disk."""
    return shutil.disk_usage(folder).free


def make_whole(path: Path, *, free: Callable[[Path], int] = free_bytes) -> None:
    """See to it that the journal at `path`, locked by the caller, can be opened if its content allows it."""
    finished, work = beside(path, ".salvaged"), beside(path, ".salvage")
    shutil.rmtree(work, ignore_errors=True)  # of a start that was killed
    if finished.exists():
        _swap(path, finished)
        return
    with Connection.speaking(path, "opened"):
        what = look(path)
        if not what:
            beside(path, SUSPECT).unlink(missing_ok=True)
            return
        need = 2 * sum(_size(beside(path, side)) for side in SIDES) + ROOM
        no_room = f"journal {path} is damaged ({what}) and was left as it is: to save what can be read takes"
        if free(path.parent) < need:
            raise JournalFull(f"{no_room} {need >> 20} MB, and {free(path.parent) >> 20} MB are free")
        try:
            work.mkdir(mode=0o700)
            _salvage(path, work, what)
        except (OSError, sqlite3.Error) as error:
            raise JournalFull(f"{no_room} room and a disk that works: {error}") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        _swap(path, finished)


def damaged_name(path: Path, at_s: float) -> Path:
    """Where a damaged journal is put."""
    return beside(path, f".damaged-{datetime.fromtimestamp(int(at_s), UTC):%Y%m%dT%H%M%SZ}")


def _salvage(path: Path, work: Path, what: str) -> None:
    """Make a fresh journal in `work` from a copy of the damaged one, and then bring it out."""
    source, fresh = work / "source.sqlite", work / "fresh.sqlite"
    at_s = int(datetime.now(UTC).timestamp())
    while damaged_name(path, at_s).exists():
        at_s += 1
    with closing(create(fresh)) as new:
        saved = Saved()
        with closing(_open_copy(path, source, beginnings(work))) as old:
            new.execute("BEGIN IMMEDIATE")
            copy_rows(old, new, saved)
            report = Report(
                what,
                damaged_name(path, at_s).name,
                saved.saved,
                saved.unreadable,
                bool(saved.unreadable.get("outbox")) or not saved.whole,
                bool(saved.unreadable.get("told")) or not saved.whole,
            )
            new.execute("CREATE TABLE salvaged (body BLOB NOT NULL)")
            new.execute("INSERT INTO salvaged VALUES (?)", (msgspec.json.encode(report),))
            new.execute("COMMIT")
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    os.utime(fresh, (at_s, at_s))
    fresh.replace(beside(path, ".salvaged"))
    _sync(path.parent)


def _swap(path: Path, finished: Path) -> None:
    """Put the damaged files aside and the fresh one in their place; may be done again after a kill."""
    aside = damaged_name(path, finished.stat().st_mtime)
    for side in SIDES:
        if beside(path, side).exists():
            beside(path, side).chmod(0o600)
            beside(path, side).replace(beside(aside, side))
    _sync(path.parent)
    finished.replace(path)
    beside(path, SUSPECT).unlink(missing_ok=True)
    _sync(path.parent)


def _open_copy(path: Path, source: Path, sound: Sequence[Beginning]) -> sqlite3.Connection:
    """A copy of the damaged journal, with as much of its first page put right as it takes to read its tables."""
    wal, log = beside(path, "-wal"), beside(source, "-wal")
    for kept in range(3):
        for side in SIDES:
            beside(source, side).unlink(missing_ok=True)
        shutil.copyfile(path, source) if path.exists() else source.touch()
        if wal.exists():
            shutil.copyfile(wal, log)
            mend_wal(log)
        pages = max(look_at_wal(log).pages, source.stat().st_size // PAGE, 1)
        if source.stat().st_size < pages * PAGE:
            os.truncate(source, pages * PAGE)
        if kept:
            like = min(sound, key=lambda one: _misfits(one, source))
            _write_first_page(source, like.page, pages, whole=kept == 2)
        db = sqlite3.connect(source, isolation_level=None)
        try:
            _readable(db)
        except UNREADABLE:
            db.close()
        else:
            return db
    return sqlite3.connect(":memory:", isolation_level=None)  # nothing to be read


def _misfits(beginning: Beginning, source: Path) -> int:
    """How many of its tables and indexes cannot begin where they would."""
    with source.open("rb") as file:

        def kind(page: int) -> int:
            file.seek((page - 1) * PAGE)
            return next(iter(file.read(1)), 0)

        return sum(kind(page) not in (_TABLE if table else _INDEX) for page, table in beginning.of_table.items())


def _write_first_page(source: Path, page: bytes, pages: int, *, whole: bool) -> None:
    """A sound header, or a sound first page: tables begin at the same pages in all journals made in the same way."""
    page = bytearray(page)  # type: ignore[assignment]
    page[_PAGES] = pages.to_bytes(4, "big")  # type: ignore[index]
    page[32:40] = bytes(8)  # type: ignore[index]  # no free pages
    page[92:96] = page[24:28]  # type: ignore[index]  # the number of pages is valid
    with source.open("rb+") as file:
        file.write(page if whole else page[:_HEADER])


def _readable(db: sqlite3.Connection) -> None:
    """Raise unless the tables are known; what is in them may be broken."""
    db.execute("PRAGMA cell_size_check = ON")
    version = version_of(db)
    if version is None:
        raise sqlite3.DatabaseError("no tables")
    for table, columns in tables(version or VERSION).tables.items():
        db.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0")  # noqa: S608 - names of ours


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
