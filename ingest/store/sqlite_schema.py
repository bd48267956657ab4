"""The SQLite store's tables, and files of older versions brought forward.

Rules
-----
- `PRAGMA user_version` is the schema's version, `application_id` says that the file is ours; a file that is
  neither empty nor ours, or from a newer version, is refused and left alone.
- Schemas only grow: a version adds tables, and columns that have a default. So migrating forward is adding what is
  missing, whichever version the file is from, and a process of the older version that has it open goes on working.
- One transaction: killed in the middle, the file is what it was.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ingest.errors import StoreRefused
from ingest.store.columns import TABLES, Column, Table

SCHEMA_VERSION: Final = 4
APPLICATION_ID: Final = 0x43484C59  # "CHLY"
TYPES: Final = {"text": "TEXT", "integer": "INTEGER", "real": "REAL", "boolean": "INTEGER", "names": "TEXT"}


def make_private(path: Path) -> None:
    """Make an empty file for the owner alone, whatever the umask; SQLite gives `-wal` and `-shm` the same mode.

    One that exists is not even opened: closing it would drop the locks of this process's other connections to it.
    """
    if not path.exists():
        with suppress(OSError):  # SQLite says it better, or finds the file that another process has just made
            os.close(os.open(path.resolve(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file of something else before anything in it is changed."""
    version = _version(connection)
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise StoreRefused(f"{path} is an SQLite file of something else, not a store")
    if version > SCHEMA_VERSION:
        raise StoreRefused(
            f"{path} has schema {version}; this version of Charley knows up to {SCHEMA_VERSION}. "
            "Run the version that wrote it, or a newer one"
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Make what is missing, in one transaction: tables, and columns that an older version did not have."""
    if _version(connection) == SCHEMA_VERSION:
        return
    with transaction(connection):
        for table in TABLES:
            connection.execute(create_statement(table))
            found = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
            for column in table.columns:
                if column.name not in found:
                    connection.execute(add_statement(table, column))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def create_statement(table: Table) -> str:
    """The SQL that makes a table."""
    columns = ", ".join(f"{column.name} {_sql_type(column, table)}" for column in table.columns)
    key = ", ".join(table.key)
    return f"CREATE TABLE IF NOT EXISTS {table.name} ({columns}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID"


def add_statement(table: Table, column: Column) -> str:
    """The SQL that adds a column to a table of an older version, filled with its default."""
    default = "NULL" if column.default is None else repr(column.default)
    if isinstance(column.default, str):
        default = "'" + column.default.replace("'", "''") + "'"
    return f"ALTER TABLE {table.name} ADD COLUMN {column.name} {_sql_type(column, table)} DEFAULT {default}"


def use_wal(connection: sqlite3.Connection, *, timeout_s: float) -> None:
    """Switch the file to WAL. Two processes that do so at once collide without SQLite's own waiting."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is executed within, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has already rolled back by itself after some errors, a full disk for one.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _sql_type(column: Column, table: Table) -> str:
    # A real may be NULL: SQLite has no NaN, and stores NULL for it.
    may_be_null = column.kind == "real" and column.name not in table.key
    return TYPES[column.kind] if may_be_null else f"{TYPES[column.kind]} NOT NULL"


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
