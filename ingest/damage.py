"""Looks at a journal's file before it is used and says what is wrong with it; changes nothing.

Rules
-----
- Damage is: no database, a malformed one, rows that cannot be what was written, or commits that SQLite would drop.
- No damage are: a newer schema, a file held by another process, or one that may not be opened. These are refused.
- A file larger than `DEEP_BYTES` is checked without its indexes, one larger than `WHOLE_BYTES` not at all but for the
  state of the devices: a check reads everything. But a file in which damage was met (`SUSPECT`) is checked whole.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from ingest.devices import unpacked
from ingest.journal_db import SUSPECT
from ingest.journal_schema import VERSION, WAIT_S, tables
from ingest.outbox import readable
from ingest.raw import DISPOSITIONS
from ingest.store import Episode
from ingest.wal import Wal, look_at_wal

DEEP_BYTES: Final = 128 << 20
WHOLE_BYTES: Final = 1 << 30
BROKEN: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
LIKELY: Final = range(1, 1000)  # versions of a schema that there may be one day
MAGIC: Final = b"SQLite format 3\0"
SETTLED: Final = tuple(
    bytes((way, way, 0, 64, 32, 32)) for way in (1, 2)
)  # without WAL (a copy) or with; fixed figures
TABLES: Final = ("device", "block", "gap", "told", "moved", "quarantine", "outbox", "event_outbox")
_TYPES: Final = {"INTEGER": int, "TEXT": str, "BLOB": bytes}

Value = int | str | bytes | float | None
Row = dict[str, Value]

_episode = msgspec.msgpack.Decoder(Episode).decode


def look(path: Path) -> str:
    """What is wrong with the journal at `path`; nothing if it is whole or is not there."""
    wal = look_at_wal(beside(path, "-wal"))
    if not path.exists():
        return "it is gone, and only its write-ahead log is left" if wal.pages else ""
    if not path.is_file():
        return ""  # to be refused by who opens it
    return _at_first_sight(path, wal) or _inside(path)


def _at_first_sight(path: Path, wal: Wal) -> str:
    with path.open("rb") as file:
        header = file.read(32)
    if not header:
        return "it is empty"
    if header[:16] == MAGIC and header[18:24] not in SETTLED:
        return "its header is damaged"  # SQLite would open it for reading only, or not at all
    if wal.dropped > 1:
        return f"its write-ahead log is damaged before the last {wal.dropped} commits"
    return ""


def _inside(path: Path) -> str:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=WAIT_S)
    try:
        return _wrong(db, 0 if beside(path, SUSPECT).exists() else path.stat().st_size)
    except UnicodeError:
        return "its schema is no text"
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in BROKEN:
            return str(error)
        raise
    finally:
        db.close()


def beside(path: Path, suffix: str) -> Path:
    """A file that goes with the journal's."""
    return path.with_name(path.name + suffix)


def version_of(db: sqlite3.Connection) -> int | None:
    """The version of the schema, None if nothing was ever written."""
    if not db.execute("SELECT 1 FROM sqlite_master").fetchone():
        return None
    row = db.execute("SELECT version FROM schema_version").fetchone()
    return row[0] if row and isinstance(row[0], int) else 0


def sound(table: str, row: Row, types: dict[str, str]) -> bool:
    """Whether a row can be one that was written."""
    nullable = ("content_type", "placed_ns")
    for name, kind in types.items():
        value = row[name]
        if not (isinstance(value, _TYPES[kind]) or (value is None and name in nullable)):
            return False
    return _SOUND[table](row) if table in _SOUND else True


def _wrong(db: sqlite3.Connection, size: int) -> str:
    version = version_of(db)
    if version is None or VERSION < version <= LIKELY[-1]:
        return ""
    if version not in LIKELY:
        return "its schema has no version"
    if size < WHOLE_BYTES:
        check = "integrity_check" if size < DEEP_BYTES else "quick_check"
        verdict = db.execute(f"PRAGMA {check}(1)").fetchone()[0]
        if verdict != "ok":
            return " ".join(str(verdict).replace("*** in database main ***", "").split())
    shape = tables(version)
    names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    if missing := sorted({*shape.tables, *shape.indexes} - names):
        return f"its schema lacks {', '.join(missing)}"
    for table in TABLES if size < WHOLE_BYTES else TABLES[:1]:
        if table in shape.tables and (wrong := _rows_wrong(db, table, shape.tables[table])):
            return wrong
    return ""


def _rows_wrong(db: sqlite3.Connection, table: str, types: dict[str, str]) -> str:
    columns = ", ".join(types)
    if table in ("block", "quarantine"):  # too much to be looked at one by one
        kinds = [f"typeof({name}) <> '{kind.lower()}'" for name, kind in types.items() if name != "content_type"]
        if table == "block":
            kinds += [f"disposition NOT BETWEEN 0 AND {len(DISPOSITIONS) - 1}", "boot < 0", "seq < 0", "t0_ns < 0"]
        wrong = db.execute(f"SELECT count(*) FROM {table} WHERE {' OR '.join(kinds)}").fetchone()[0]  # noqa: S608
        strange = table == "block" and db.execute("PRAGMA foreign_key_check(block)").fetchone()
        return f"rows of table {table} are not what was written" if wrong or strange else ""
    for row in db.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608 - names of ours
        if not sound(table, dict(zip(types, row, strict=True)), types):
            return f"a row of table {table} is not what was written"
    return ""


def _decodes(decode: Callable[[bytes], object], body: Value) -> bool:
    try:
        decode(body)  # type: ignore[arg-type]  # the type was looked at before
    except (msgspec.MsgspecError, ValueError):
        return False
    return True


def _is_told(row: Row) -> bool:
    try:
        told = _episode(row["body"])  # type: ignore[arg-type]
    except (msgspec.MsgspecError, ValueError):
        return False
    return (told.site, told.onset_ns) == (row["site"], row["onset_ns"])


# What a row must be beyond its types. A device without a state is one whose state is to be built anew.
_SOUND: Final[dict[str, Callable[[Row], bool]]] = {
    "device": lambda row: bool(row["name"]) and (row["state"] == b"" or _decodes(unpacked, row["state"])),
    "told": _is_told,
    "outbox": lambda row: readable(row["kind"], row["body"]),
}
