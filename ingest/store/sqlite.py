"""Records in one SQLite file: the embedded default. Several processes may read and write it at once.

Rules
-----
- WAL: readers see the last committed write and never wait for a writer, nor a writer for them.
- synchronous=FULL: what `write` has returned from survives a power cut.
- A file that is neither empty nor ours, or from a newer version, is refused and left alone; one from an older
  version is brought forward (`sqlite_schema`).
- Connections are not shared between threads at the same moment: a reader takes an idle one or opens another.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from ingest.errors import StoreDamaged, StoreError, StoreRefused, StoreUnavailable
from ingest.store.columns import (
    EPISODES,
    EPOCHS,
    SERVICES,
    STATUSES,
    TABLES,
    Table,
    Value,
    as_arrays,
    clamp_integer,
    clamp_ns,
    join_names,
    table_of,
)  # fmt: skip
from ingest.store.records import DeviceStatus, Episode, Epoch, Record, ServiceStatus
from ingest.store.sqlite_schema import check_ours, make_private, migrate, transaction, use_wal

# The row's own fault. Anything else passes or can be put right: a lock, a full disk, a file made read-only.
_OWN_FAULT: Final = {sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
# What passes while a file is being opened; another error there means that the path or the file is wrong.
_PASSING: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}
# The file is not what was written. Waiting does not mend that.
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_RESTORE: Final = 'Stop every role and restore it: docs/operations.md, "When a file is damaged"'
# Jumps from device to device along the key instead of reading every row of it.
_DEVICES: Final = """
WITH RECURSIVE found(device) AS (
  SELECT min(device) FROM {table}
  UNION ALL
  SELECT (SELECT min(device) FROM {table} WHERE device > found.device) FROM found WHERE found.device IS NOT NULL
) SELECT device FROM found WHERE device IS NOT NULL"""
_CHANGES: Final = (
    f"SELECT start_ns / ? * ? AS stretch, max(updated_ns) FROM {EPOCHS.name} "  # noqa: S608 - own name
    "WHERE device = ? AND start_ns >= ? AND start_ns < ? GROUP BY stretch"
)
_NOT_VOID: Final = " AND received_s IS NOT 0"
_KEPT: Final = f"device = ? AND start_ns >= ? AND start_ns < ?{_NOT_VOID} ORDER BY start_ns, site"
_DEVICES_PER_QUERY: Final = 500  # SQLite takes 999 parameters or more

Row = tuple[str | int | float | None, ...]


class SqliteStore:
    """A `Store` in the file `path`, which is made, for the owner alone, when it does not exist."""

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        self._opened = False
        make_private(path)
        with self._connection() as connection, self._speaking():
            check_ours(connection, path)
            use_wal(connection, timeout_s=timeout_s)
            migrate(connection)
        self._opened = True

    def write(self, records: Sequence[Record]) -> None:
        """Keep every record in one transaction: all of them or, when it fails, none."""
        rows: dict[str, list[Row]] = {}
        for record in records:
            table = table_of(record)
            rows.setdefault(table.name, []).append(_to_row(table.values(record)))
        with self._connection() as connection, self._speaking(), transaction(connection):
            for table in TABLES:
                if table.name in rows:
                    connection.executemany(_upsert(table), rows[table.name])

    def episodes(
        self,
        devices: Sequence[str],
        *,
        start_ns: int,
        end_ns: int,
        updated_after_ns: int | None = None,
        withdrawn: bool = False,
    ) -> list[Episode]:
        """Episodes whose onset lies in the range, by onset then device and site."""
        rest = " AND onset_ns >= ? AND onset_ns < ?"
        bounds = [clamp_ns(start_ns), clamp_ns(end_ns)]
        if updated_after_ns is not None:
            rest += " AND updated_ns > ?"
            bounds.append(clamp_integer(updated_after_ns))
        if not withdrawn:
            rest += " AND status != 'withdrawn'"
        episodes = cast("list[Episode]", self._of_devices(EPISODES, devices, rest=rest, values=bounds))
        return sorted(episodes, key=lambda episode: (episode.onset_ns, episode.device, episode.site))

    def epochs(self, device: str, *, start_ns: int, end_ns: int, void: bool = False) -> list[Epoch]:
        """Epochs of a device whose start lies in the range, by start then site."""
        where = _KEPT.replace(_NOT_VOID, "") if void else _KEPT
        return cast("list[Epoch]", self._select(EPOCHS, where, [device, clamp_ns(start_ns), clamp_ns(end_ns)]))

    def columns(
        self, device: str, *, start_ns: int, end_ns: int, members: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Start and some members of what `epochs` gives."""
        names = [EPOCHS.names[EPOCHS.position(name)] for name in members]  # ours, whatever was asked for
        statement = f"SELECT {', '.join(['start_ns', *names])} FROM {EPOCHS.name} WHERE {_KEPT}"  # noqa: S608
        with self._connection() as connection, self._speaking():
            rows = connection.execute(statement, [device, clamp_ns(start_ns), clamp_ns(end_ns)]).fetchall()
        return as_arrays(rows, reals=len(names))

    def changes(self, device: str, *, start_ns: int, end_ns: int, every_ns: int) -> dict[int, int]:
        """When epochs of each stretch of the range were last written, by the stretch's start."""
        values = [every_ns, every_ns, device, clamp_ns(start_ns), clamp_ns(end_ns)]
        with self._connection() as connection, self._speaking():
            return dict(connection.execute(_CHANGES, values).fetchall())

    def statuses(self, devices: Sequence[str]) -> list[DeviceStatus]:
        """The latest status of each named device that is known, by device."""
        statuses = cast("list[DeviceStatus]", self._of_devices(STATUSES, devices, rest="", values=[]))
        return sorted(statuses, key=lambda status: status.device)

    def services(self) -> list[ServiceStatus]:
        """The latest status of each service, by name."""
        return cast("list[ServiceStatus]", self._select(SERVICES, "true ORDER BY name", []))

    def devices(self) -> list[str]:
        """Every device that has a record of any kind, sorted."""
        names: set[str] = set()
        with self._connection() as connection, self._speaking():
            for table in (EPISODES, EPOCHS, STATUSES):
                names.update(name for (name,) in connection.execute(_DEVICES.format(table=table.name)))
        return sorted(names)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _of_devices(self, table: Table, devices: Sequence[str], *, rest: str, values: Sequence[int]) -> list[Record]:
        names = sorted(set(devices))
        found: list[Record] = []
        for first in range(0, len(names), _DEVICES_PER_QUERY):
            some = names[first : first + _DEVICES_PER_QUERY]
            where = f"device IN ({', '.join('?' * len(some))}){rest}"
            found.extend(self._select(table, where, [*some, *values]))
        return found

    def _select(self, table: Table, where: str, values: Sequence[str | int]) -> list[Record]:
        statement = f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {where}"  # noqa: S608 - own names
        with self._connection() as connection, self._speaking():
            rows = connection.execute(statement, values).fetchall()
        return table.records(rows)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """An idle connection, or a new one; back among the idle ones afterwards."""
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"the store {self._path} is closed")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._open()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _open(self) -> sqlite3.Connection:
        with self._speaking():
            connection = sqlite3.connect(
                self._path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
            )
        try:
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            connection.close()
            raise self._store_error(error) from error
        return connection

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn SQLite's errors into ours, which name the file and say whether to try again."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._store_error(error) from error

    def _store_error(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        damaged = code in _DAMAGE
        sentence = f"the store {self._path}: {error}" + (f". {_RESTORE}" if damaged else "")
        if damaged and self._opened:
            return StoreDamaged(sentence)
        refused = code in _OWN_FAULT if self._opened else code not in _PASSING
        return StoreRefused(sentence) if refused else StoreUnavailable(sentence)


def _upsert(table: Table) -> str:
    places = ", ".join("?" * len(table.columns))
    return f"INSERT OR REPLACE INTO {table.name} ({', '.join(table.names)}) VALUES ({places})"  # noqa: S608


def _to_row(values: list[Value]) -> Row:
    return tuple(join_names(value) if isinstance(value, tuple) else value for value in values)
