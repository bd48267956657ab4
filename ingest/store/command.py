"""`charley migrate`: from the SQLite store to InfluxDB, or back."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from ingest.settings import Settings, SettingsError
from ingest.store.interface import Store
from ingest.store.migrate import copy
from ingest.store.opening import open_influx
from ingest.store.sqlite import SqliteStore

Kind = Literal["sqlite", "influxdb"]
# A service beats at least every few seconds; a minute old, it may still be running.
BEATING_NS: Final = 60_000_000_000


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
    with closing(SqliteStore(path)) as embedded, closing(open_influx(settings)) as server:
        there = f"InfluxDB's {settings.influxdb_bucket} at {settings.influxdb_url}"
        sides: list[tuple[str, Store]] = [(str(path), embedded), (there, server)]
        source, target = sides if to == "influxdb" else reversed(sides)
        _warn_of_writers(source[1], now_ns=wall_ns(), err=err)
        _copy(source, target, out=out, err=err)
    return 0


def _copy(source: tuple[str, Store], target: tuple[str, Store], *, out: Console, err: Console) -> None:
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} records"), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        copied = copy(
            source[1], target[1], progress=lambda device, count: bar.update(task, description=device, completed=count)
        )
    _say(
        out,
        f"{copied.records} records of {copied.devices} devices from {source[0]} are in {target[0]}, "
        f"read again and equal; {copied.written} of them were written now.",
    )
    if copied.extra:
        _say(
            err,
            f"{target[0]} also holds {copied.extra} records of these devices that {source[0]} does not. "
            "They were left alone.",
        )


def _say(console: Console, sentence: str) -> None:
    console.print(sentence, soft_wrap=True, markup=False, highlight=False)


def _warn_of_writers(source: Store, *, now_ns: int, err: Console) -> None:
    for service in source.services():
        ago_ns = now_ns - service.beat_ns
        if ago_ns < BEATING_NS:
            _say(
                err,
                f"{service.name} wrote to this store {max(0, ago_ns // 10**9)} s ago. Stop it first, or repeat this "
                "command afterwards: it writes only what is missing.",
            )
