"""All records of a store into another: InfluxDB into a backup, and a backup into InfluxDB."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from ingest.settings import Settings
from ingest.store import Store
from ingest.store.columns import TIME_MAX_NS, TIME_MIN_NS
from ingest.store.migrate import BATCH, DAY_NS
from ingest.store.sqlite import SqliteStore

# A cramp that still lasted, told after the journal's instant: the journal either knows it and will tell it again, or
# does not know it, and nobody would ever end it.
_AHEAD: Final = "DELETE FROM charley_episode WHERE status = 'preliminary' AND updated_ns > ?"


def copy_records(source: Store, target: Store) -> None:
    """Write every record of a store into another, tombstones too, in one pass.

    `ingest.store.migrate.copy` proves a copy by reading both sides again, which a store that is written to meanwhile
    would not pass.
    """
    devices = source.devices()
    target.write(source.statuses(devices))
    for device in devices:
        episodes = source.episodes([device], start_ns=TIME_MIN_NS, end_ns=TIME_MAX_NS, withdrawn=True)
        target.write(episodes)
        days = source.changes(device, start_ns=TIME_MIN_NS, end_ns=TIME_MAX_NS, every_ns=DAY_NS)
        for start_ns in sorted(days):
            epochs = source.epochs(device, start_ns=start_ns, end_ns=start_ns + DAY_NS, void=True)
            for first in range(0, len(epochs), BATCH):
                target.write(epochs[first : first + BATCH])


def copy_store(settings: Settings, path: Path, *, open_store: Callable[[Settings], Store], at_ns: int) -> None:
    """The records of the site's store into a new SQLite file."""
    with closing(open_store(settings)) as source, closing(SqliteStore(path)) as target:
        copy_records(source, target)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(_AHEAD, (at_ns,))
        db.execute("PRAGMA journal_mode = DELETE")
