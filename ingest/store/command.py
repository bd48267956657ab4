"""`charley migrate`: from the SQLite store to InfluxDB, or back."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from ingest.errors import StoreRefused
from ingest.settings import Settings, SettingsError
from ingest.store.interface import Store
from ingest.store.migrate import copy
from ingest.store.opening import open_influx
from ingest.store.sqlite import SqliteStore

Kind = Literal["sqlite", "influxdb"]
# A service beats at least every few seconds; two minutes old, on clocks that differ, it may still be running.
BEATING_NS: Final = 120_000_000_000


def run_migrate(
    settings: Settings,
    *,
    to: Kind,
    file: Path | None = None,
    out: Console,
    err: Console,
    wall_ns: Callable[[], int] = time.time_ns,
) -> int:
    """Copy all records into the store `to` from the other one, and read both again; gives the exit code.

    The SQLite side is `file`, or the one in the data folder. The InfluxDB side is the one of the settings, which
    therefore say CHARLEY_STORE=influxdb both ways: before moving away from it, and already when moving to it.
    """
    path = file or settings.data_dir / "store.sqlite"
    if settings.store != "influxdb" or not settings.influxdb_url:
        raise SettingsError(
            "charley migrate needs to know the InfluxDB: set CHARLEY_STORE=influxdb, CHARLEY_INFLUXDB_URL and "
            f"CHARLEY_INFLUXDB_TOKEN. The SQLite side is {path}, whatever CHARLEY_STORE says."
        )
    if to == "influxdb" and not path.is_file():
        raise SettingsError(f"{path} is not there: there is nothing to copy. Name the file, or set CHARLEY_DATA_DIR.")
    with closing(_open_sqlite(path, named=file is not None)) as embedded, closing(open_influx(settings)) as server:
        there = f"InfluxDB's {settings.influxdb_bucket} at {settings.influxdb_url}"
        sides: list[tuple[str, Store]] = [(str(path), embedded), (there, server)]
        source, target = sides if to == "influxdb" else reversed(sides)
        _warn_of_writers(source, target, now_ns=wall_ns(), err=err)
        _copy(source, target, out=out, err=err)
    return 0


def _open_sqlite(path: Path, *, named: bool) -> SqliteStore:
    """The SQLite side. A file `named` that is none is a slip of the hand; the one in the data folder is damaged."""
    try:
        return SqliteStore(path)
    except StoreRefused as error:
        cause = error.__cause__
        if not (named and isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_NOTADB):
            raise
        raise SettingsError(f"{path} is not a SQLite store. It was left alone: name another with --file.") from error


def _copy(source: tuple[str, Store], target: tuple[str, Store], *, out: Console, err: Console) -> None:
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} records"), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        copied = copy(
            source[1], target[1], progress=lambda device, count: bar.update(task, description=device, completed=count)
        )
    _say(
        out,
        f"{copied.records - copied.newer} records of {copied.devices} devices from {source[0]} are in {target[0]}, "
        f"read again and equal; {copied.written} of them were written now.",
    )
    if copied.newer:
        _say(
            err,
            f"{target[0]} holds {copied.newer} records that were written later than the same ones of {source[0]}. "
            "They were left alone.",
        )
    if copied.extra:
        _say(
            err,
            f"{target[0]} also holds {copied.extra} records of these devices that {source[0]} does not. "
            "They were left alone.",
        )


def _say(console: Console, sentence: str) -> None:
    console.print(sentence, soft_wrap=True, markup=False, highlight=False)


def _warn_of_writers(source: tuple[str, Store], target: tuple[str, Store], *, now_ns: int, err: Console) -> None:
    _warn(source, now_ns=now_ns, advice=", or repeat this command afterwards: it writes only what is missing", err=err)
    _warn(
        target, now_ns=now_ns, advice=": what it writes during this command may be replaced by what is older", err=err
    )


def _warn(side: tuple[str, Store], *, now_ns: int, advice: str, err: Console) -> None:
    for service in side[1].services():
        ago_ns = now_ns - service.beat_ns
        if ago_ns < BEATING_NS:
            _say(
                err,
                f"{service.name} wrote to {side[0]} {max(0, ago_ns // 10**9)} s ago. If it is still running, "
                f"stop it first{advice}.",
            )
