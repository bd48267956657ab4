"""Opens a journal file: lock, settings, tables, and the way from older versions."""

import fcntl
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ingest.errors import JournalError

VERSION: Final = 2
PAGE: Final = 8192  # bytes, which hold a few blocks of a second
WAIT_S: Final = 20.0  # for another connection's transaction
VACUUM_BYTES: Final = 256 * 1024 * 1024  # a larger journal is not written anew at the start
_INCREMENTAL: Final = 2
_SHRINKING: Final = "PRAGMA auto_vacuum = INCREMENTAL"
_PAGES: Final = f"PRAGMA page_size = {PAGE}"
_SETTINGS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -32000",
    "PRAGMA temp_store = MEMORY",
)
_TABLES: Final = """
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, state BLOB NOT NULL);
CREATE TABLE block (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    t0_ns INTEGER NOT NULL, received_ns INTEGER NOT NULL, disposition INTEGER NOT NULL, content_type TEXT,
    payload BLOB NOT NULL
);
CREATE UNIQUE INDEX block_key ON block (device, boot, seq);
CREATE TABLE gap (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device, boot INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, cause TEXT NOT NULL, start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL, declared_ns INTEGER NOT NULL
);
CREATE INDEX gap_device ON gap (device);
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL, content_type TEXT,
    reason TEXT NOT NULL, sentence TEXT NOT NULL, received_ns INTEGER NOT NULL
);
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE event_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, body BLOB NOT NULL);
INSERT INTO schema_version VALUES (1);
"""
# From each version to the next. `end_ns` 0 is worked out from the payload when it is asked for.
_STEPS: Final = {
    1: """
ALTER TABLE block ADD COLUMN end_ns INTEGER NOT NULL DEFAULT 0;
CREATE TABLE told (
    device INTEGER NOT NULL REFERENCES device, site TEXT NOT NULL, onset_ns INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (device, onset_ns, site)
) WITHOUT ROWID;
CREATE TABLE moved (
    device INTEGER NOT NULL REFERENCES device, boot INTEGER NOT NULL, seq INTEGER NOT NULL, t0_ns INTEGER NOT NULL,
    placed_ns INTEGER, PRIMARY KEY (device, boot, seq, t0_ns)
) WITHOUT ROWID;
CREATE INDEX block_done ON block (received_ns) WHERE disposition IN (0, 3);
CREATE INDEX quarantine_topic ON quarantine (topic, id);
UPDATE schema_version SET version = 2;
""",
}


class Beginning(NamedTuple):
    """The first page of a journal without rows, and of each page with which a table or an index begins, which it is."""

    page: bytes
    of_table: dict[int, bool]


class Shape(msgspec.Struct, frozen=True):
    """The tables of a version with the types of their columns, and the indexes."""

    tables: dict[str, dict[str, str]]
    indexes: frozenset[str]


def tables(version: int) -> Shape:
    """What a journal of a version looks like."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        _run(db, _TABLES)
        for step in range(1, min(version, VERSION)):
            _run(db, _STEPS[step])
        names = db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        columns = {
            name: {column[1]: column[2] for column in db.execute(f"PRAGMA table_info({name})")}
            for kind, name in names
            if kind == "table"
        }
    return Shape(columns, frozenset(name for kind, name in names if kind == "index"))


def beginnings(folder: Path) -> list[Beginning]:
    """How a journal may begin: as one made now, by an older version, or by that and then brought up to date."""
    new, older = folder / "new.sqlite", folder / "older.sqlite"
    with closing(create(new)) as db:
        found = [_beginning(db, new)]
    with closing(sqlite3.connect(older, isolation_level=None)) as db:
        for setting in (_PAGES, *_SETTINGS):
            db.execute(setting)
        _prepare(db, older)
        found.append(_beginning(db, older))
    with closing(create(older)) as db:
        return [*found, _beginning(db, older)]


def _beginning(db: sqlite3.Connection, path: Path) -> Beginning:
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rows = db.execute("SELECT rootpage, type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%' FROM sqlite_schema")
    return Beginning(path.read_bytes()[:PAGE], {page: bool(of_table) for page, of_table in rows})


def lock(path: Path) -> int:
    """Lock the journal at `path` for this process and give the lock's file descriptor; closing it unlocks."""
    name = path.with_suffix(".lock")
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"journal {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise JournalError(
            f"journal {path} is held by another process: one ingester at a time, or give each its own folder"
        ) from error
    return handle


def create(path: Path) -> sqlite3.Connection:
    """Open a journal, make its tables if it is new, and bring an older one up to date."""
    try:
        # The file holds raw signals of people: it is for the service alone.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise JournalError(f"journal {path} cannot be opened: {error.strerror}") from error
    db = connect(path)
    try:
        _prepare(db, path)
        _let_shrink(db)
    except BaseException:
        db.close()
        raise
    return db


def connect(path: Path) -> sqlite3.Connection:
    """One more connection to a journal that exists, for a thread of its own."""
    db = sqlite3.connect(path, isolation_level=None, timeout=WAIT_S, check_same_thread=False)
    # In a file that holds something already this would be a write at every opening.
    first = (_SHRINKING,) if path.stat().st_size == 0 else ()
    for setting in (_PAGES, *first, *_SETTINGS):
        db.execute(setting)
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, beside a running ingester or without one."""
    if not path.exists():
        raise JournalError(f"there is no journal at {path}: has an ingester run with this data folder?")
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=WAIT_S)
        try:
            row = db.execute("SELECT version FROM schema_version").fetchone()
        except sqlite3.Error:
            db.close()
            raise
    except sqlite3.Error as error:
        raise JournalError(f"journal {path} cannot be read: {error}") from error
    if row is None or row[0] != VERSION:
        db.close()
        raise JournalError(
            f"journal {path} has schema version {row[0] if row else 'none'}, this program knows {VERSION}: "
            "start the ingester of this version once, which brings it up to date"
        )
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
            _run(db, _TABLES)
        row = db.execute("SELECT version FROM schema_version").fetchone()
        version = row[0] if row else None
        for step in range(_checked(version, path), VERSION):
            _run(db, _STEPS[step])
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _let_shrink(db: sqlite3.Connection) -> None:
    """A journal of an older version never gave room back to the disk; a small one is brought to it."""
    mode, pages, size = (
        db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("auto_vacuum", "page_count", "page_size")
    )
    if mode != _INCREMENTAL and pages * size <= VACUUM_BYTES:
        # A disk without room for a second copy, or a process that writes just now, must not keep the ingester from
        # starting: it goes on as it is, without what was written of the copy, and the next start tries again.
        with suppress(sqlite3.OperationalError):
            db.execute(_SHRINKING)
            db.execute("VACUUM")
            return
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _checked(version: int | None, path: Path) -> int:
    if version is None or version not in {*_STEPS, VERSION}:
        found = "none" if version is None else version
        raise JournalError(f"journal {path} has schema version {found}, this program knows up to {VERSION}")
    return version


def _run(db: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        db.execute(statement)
