"""All records of a store into another: InfluxDB into a backup, and a backup into InfluxDB."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from ingest.settings import Settings
from ingest.store import Record, Store
from ingest.store.line_protocol import STATUS_NS
from ingest.store.sqlite import SqliteStore

FOREVER: Final = (0, STATUS_NS)
_AT_ONCE: Final = 5_000
# A cramp that still lasted, told after the journal's instant: the journal either knows it and will tell it again, or
# does not know it, and nobody would ever end it.
_AHEAD: Final = "DELETE FROM charley_episode WHERE status = 'preliminary' AND updated_ns > ?"


def copy_records(source: Store, target: Store) -> dict[str, int]:
    """Write every record of a store into another; how many of each kind."""
    start_ns, end_ns = FOREVER
    devices = source.devices()
    counts = {"devices": len(devices), "episodes": 0, "epochs": 0}
    target.write([*source.services(), *source.statuses(devices)])
    for device in devices:
        episodes = source.episodes([device], start_ns=start_ns, end_ns=end_ns, withdrawn=True)
        epochs = source.epochs(device, start_ns=start_ns, end_ns=end_ns)
        records: list[Record] = [*episodes, *epochs]
        for first in range(0, len(records), _AT_ONCE):
            target.write(records[first : first + _AT_ONCE])
        counts["episodes"] += len(episodes)
        counts["epochs"] += len(epochs)
    return counts


def copy_store(
    settings: Settings, path: Path, *, open_store: Callable[[Settings], Store], at_ns: int
) -> dict[str, int]:
    """The records of the site's store into a new SQLite file; how many of each kind."""
    with closing(open_store(settings)) as source, closing(SqliteStore(path)) as target:
        counts = copy_records(source, target)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(_AHEAD, (at_ns,))
        db.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o600)
    return counts
