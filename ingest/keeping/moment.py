"""One instant of a running site: journal, store and archive as they were together.

Rules
-----
- Journal and store are SQLite files in WAL mode: a read transaction shows a file as it was when it began, for as long
  as it lasts, and holds nobody up.
- Nothing reaches the store or the archive that was not in the journal before, and nothing leaves the journal before
  it is there. So the journal's transaction begins first: whatever moves afterwards is in both, and nothing in neither.
- Nothing must be ahead of the journal either, or results would be kept of blocks that it does not know. So all is
  begun again until no commit of the ingester fell between the first look and the last. That takes a few tries of some
  milliseconds; should it never succeed, the order still holds, and the manifest says that it is not exact.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ingest.archive.layout import date_folders, device_folders, part_paths
from ingest.archive.place import check_place
from ingest.errors import ArchiveError
from ingest.keeping.damage import is_damage
from ingest.keeping.manifest import ARCHIVE, JOURNAL, STORE, BackupError

TRIES: Final = 500
BUSY_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What there was; the connections are within their read transactions."""

    at_ns: int
    exact: bool
    journal: sqlite3.Connection | None
    store: sqlite3.Connection | None
    parts: dict[str, int] = field(default_factory=dict)  # of the archive: relative path and size


@contextmanager
def moment(data_dir: Path, *, sqlite_store: bool) -> Iterator[Moment]:
    """Hold on to the present until the block ends."""
    with ExitStack() as stack:

        def opened(name: str) -> sqlite3.Connection | None:
            path = data_dir / name
            return stack.enter_context(closing(open_reader(path))) if path.exists() else None

        journal = opened(JOURNAL)
        watch = opened(JOURNAL)
        store = opened(STORE) if sqlite_store else None
        try:
            found = _found(data_dir / ARCHIVE, journal, watch, store)
        except sqlite3.Error as error:
            raise BackupError(f"{data_dir} cannot be read: {error}") from error
        yield found


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, beside whoever writes."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)
        try:
            _look(connection)
        except sqlite3.Error:
            connection.close()
            raise
    except sqlite3.Error as error:
        told = f"{path} cannot be read: {error}"
        if is_damage(error):
            told += '. It is too damaged to be copied; mend it first: docs/operations.md, "When a file is damaged"'
        raise BackupError(told) from error
    return connection


def list_parts(archive: Path) -> dict[str, int]:
    """Every part of the archive with its size.

    A part that goes while its folder is read was merged into another, whose name may have come too late to be seen
    with the rest. So all is read again until nothing has gone since the reading before. BackupError also where a folder
    cannot be looked into: a backup must not leave it out without a word.
    """
    before = {path.relative_to(archive).as_posix() for path in _parts(archive)}
    for _ in range(TRIES):
        found = {}
        seen = set()
        for path in _parts(archive):
            name = path.relative_to(archive).as_posix()
            seen.add(name)
            with suppress(FileNotFoundError):
                found[name] = path.stat().st_size
        if before | seen == found.keys():
            return found
        before = seen
    raise BackupError(f"{archive} changes faster than it can be read")


def _parts(archive: Path) -> list[Path]:
    try:
        check_place(archive)
        return [
            part for device in device_folders(archive) for date in date_folders(device) for part in part_paths(date)
        ]
    except ArchiveError as error:
        raise BackupError(str(error)) from error


def _found(
    archive: Path,
    journal: sqlite3.Connection | None,
    watch: sqlite3.Connection | None,
    store: sqlite3.Connection | None,
) -> Moment:
    for last in (False,) * (TRIES - 1) + (True,):
        before = _commits(watch)
        at_ns = time.time_ns()
        for connection in (journal, store):
            if connection is not None:
                _begin(connection)
        parts = list_parts(archive)
        exact = _commits(watch) == before
        if exact or last:
            break
        for connection in (journal, store):
            if connection is not None:
                connection.execute("ROLLBACK")
    return Moment(at_ns=at_ns, exact=exact, journal=journal, store=store, parts=parts)


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    _look(connection)  # only now the transaction has its instant


def _look(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def _commits(watch: sqlite3.Connection | None) -> int | None:
    """A number that changes with every commit of another connection."""
    return None if watch is None else watch.execute("PRAGMA data_version").fetchone()[0]
