"""Opens a journal file: lock, settings, tables, version."""

import os
import sqlite3
from pathlib import Path
from typing import Final

from ingest.errors import JournalError

VERSION: Final = 1
_SETTINGS: Final = (
    "PRAGMA page_size = 8192",  # holds a few blocks of a second
    "PRAGMA locking_mode = EXCLUSIVE",  # before WAL, so that the lock is kept and no shared memory is needed
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
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
"""


def create(path: Path) -> sqlite3.Connection:
    """Open and lock a journal, and make its tables if it is new."""
    try:
        # The file holds raw signals of people: it is for the service alone.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise JournalError(f"journal {path} cannot be opened: {error.strerror}") from error
    db = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        _prepare(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    try:
        for setting in _SETTINGS:
            db.execute(setting)
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise JournalError(
                f"journal {path} is held by another process: one ingester at a time, or give each its own folder"
            ) from error
        raise
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO schema_version VALUES (?)", (VERSION,))
    row = db.execute("SELECT version FROM schema_version").fetchone()
    db.execute("COMMIT")
    if row is None or row[0] != VERSION:
        found = row[0] if row else "none"
        raise JournalError(f"journal {path} has schema version {found}, this program knows {VERSION}")
