"""The journal: what came in and what is still to go out, on local disk, before anything is acknowledged.

Rules
-----
- One SQLite file of one ingester, which locks it (`journal.lock`); others may read it while that runs.
- `commit` is one transaction, synced to disk on return (WAL, synchronous=FULL). A batch is in it whole or not at
  all: raw blocks, quarantine, the state of the devices, gaps, the episodes told, and the records and events to deliver.
- A block is kept once, by device, boot and seq, with what became of it. The payload is kept as it was received.
- `boot` counts across eras (`ingest.order`); the device's own number is its remainder by `ERA`.
- A damaged file is set aside, and what can be read of it saved, before it is opened (`ingest.salvage`).
- A block leaves for the archive once it has been detected in; it leaves here only after the archive has it. The room
  that this makes goes back to the disk little by little: else the archive would find none on one that is nearly full.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from ingest.devices import Device, packed, unpacked
from ingest.errors import JournalError, JournalFull
from ingest.intake import Stored
from ingest.journal_db import Connection
from ingest.journal_schema import create, lock
from ingest.ledger import Ledger
from ingest.order import Gap, Key
from ingest.outbox import Outbox
from ingest.quarantined import Quarantined, forget_oldest, keep, newest
from ingest.raw import DISPOSITIONS, Move, Raw
from ingest.salvage import Report, make_whole
from ingest.store import Episode, Record

__all__ = ["DISPOSITIONS", "Depth", "Entry", "Journal", "Quarantined"]

SPARE_BYTES: Final = 64 * 1024 * 1024  # empty in the file and kept, for what comes next
SHRINK_PAGES: Final = (2048, 32)  # given back at once; where the disk has no room for the log of so many
_GAP: Final = ("boot", "first", "last", "cause", "start_ns", "end_ns")


@dataclass(slots=True)
class Entry:
    """All that one batch, or one detection of a session, leaves behind."""

    stored: Sequence[Stored] = ()
    released: Sequence[tuple[str, Key]] = ()  # blocks that were held or late and have now been detected in
    undated: Sequence[tuple[str, Key]] = ()  # blocks that were held and have no time yet
    failed: Sequence[tuple[str, Key]] = ()  # blocks on which the detector failed
    moved: Sequence[Move] = ()  # blocks whose place in the results is not where their device put them
    quarantined: Sequence[Quarantined] = ()
    devices: dict[str, Device] = field(default_factory=dict)
    gaps: Sequence[tuple[str, Gap]] = ()
    told: Sequence[Episode] = ()
    records: Sequence[Record] = ()
    events: Sequence[tuple[str, bytes]] = ()  # topic and payload
    now_ns: int = 0


class Depth(msgspec.Struct, frozen=True):
    """How much the journal holds."""

    records: int
    events: int
    blocks: int
    quarantined: int


class Journal:
    """One process's hold on a journal file; created when it does not exist."""

    def __init__(self, path: Path, *, spare_bytes: int = SPARE_BYTES) -> None:
        self.path = path
        self.created = not path.exists()  # now, and not in an earlier run
        self._spare_bytes = spare_bytes
        self._lock = lock(path)
        try:
            make_whole(path)
            with Connection.speaking(path, "opened"):
                self._connection = Connection(path, create(path))
        except BaseException:
            os.close(self._lock)
            raise
        self._db = self._connection.db
        self._ids: dict[str, int] = {}
        try:
            with self._connection.errors("read"):
                self._ids = dict(self._db.execute("SELECT name, id FROM device"))
        except JournalError:
            self.close()
            raise
        self.outbox = Outbox(self._connection)
        self.raw = Raw(self._connection, self._ids)
        self.ledger = Ledger(self._connection, self._ids)

    def devices(self) -> dict[str, Device]:
        """The state of every device as of the last commit; not of those whose state was lost."""
        with self._connection.errors("read"):
            rows = self._db.execute("SELECT name, state FROM device WHERE state <> x''").fetchall()
            return {name: unpacked(state) for name, state in rows}

    def commit(self, entry: Entry) -> None:
        """Keep a batch; durable on return."""
        fresh: dict[str, int] = {}
        try:
            with self._connection.transaction():
                self._write_devices(entry.devices, fresh)
                self.raw.put(entry.stored)
                self.raw.became("ready", entry.released)
                self.raw.became("undated", entry.undated)
                self.raw.became("failed", entry.failed)
                self.raw.move(entry.moved)
                self._write_gaps(entry)
                keep(self._db, entry.quarantined)
                self.ledger.put(entry.told)
                self.outbox.put(entry.records, entry.events, now_ns=entry.now_ns)
        except BaseException:
            for name in fresh:
                del self._ids[name]
            raise

    def lost(self) -> list[str]:
        """Devices of which there is no state."""
        with self._connection.errors("read"):
            return [name for (name,) in self._db.execute("SELECT name FROM device WHERE state = x'' ORDER BY name")]

    def salvaged(self) -> Report | None:
        """What became of a damaged journal before this one, until `mended`."""
        with self._connection.errors("read"):
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'salvaged'").fetchone():
                return None
            return msgspec.json.decode(self._db.execute("SELECT body FROM salvaged").fetchone()[0], type=Report)

    def mended(self) -> None:
        """What a damaged journal left undone is done."""
        with self._connection.transaction() as db:
            db.execute("DROP TABLE IF EXISTS salvaged")

    def size(self) -> int:
        """How many bytes its files take; callable from any thread."""
        names = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(name.stat().st_size for name in names if name.exists())

    def tidy(self) -> None:
        """Forget the oldest of what is kept as evidence only, and give the disk back what is empty."""
        with self._connection.transaction() as db:
            forget_oldest(db)
        self._shrink()

    def _shrink(self) -> None:
        """A little at a time, for others wait meanwhile; on a full disk less, or nothing."""
        with self._connection.errors("read"):
            empty, size = (self._db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("freelist_count", "page_size"))
        over = empty - self._spare_bytes // size
        for most in SHRINK_PAGES if over > 0 else ():
            with suppress(JournalFull), self._connection.errors("written"):
                # As a script: `execute` would take one step, which is one page.
                self._db.executescript(f"PRAGMA incremental_vacuum({min(over, most)})")
                return

    def depth(self) -> Depth:
        """How much it holds; counts every block."""
        with self._connection.errors("read"):
            counts = [
                self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names of ours
                for table in ("outbox", "event_outbox", "block", "quarantine")
            ]
        return Depth(*counts)

    def quarantined(self, limit: int = 1000) -> list[Quarantined]:
        """The newest messages that could not be used, newest first."""
        with self._connection.errors("read"):
            return newest(self._db, limit)

    def gaps(self, device: str) -> list[Gap]:
        """The gaps declared in the blocks of a device, oldest first."""
        with self._connection.errors("read"):
            rows = self._db.execute(
                "SELECT boot, first, last, cause, start_ns, end_ns FROM gap WHERE device = ? ORDER BY id",
                (self._ids.get(device),),
            )
            return [Gap(**dict(zip(_GAP, row, strict=True))) for row in rows]

    def blocks(self, device: str) -> list[tuple[Key, str]]:
        """The blocks kept of a device, in order, with what became of them."""
        with self._connection.errors("read"):
            rows = self._db.execute(
                "SELECT boot, seq, disposition FROM block WHERE device = ? ORDER BY boot, seq",
                (self._ids.get(device),),
            )
            return [((boot, seq), DISPOSITIONS[disposition]) for boot, seq, disposition in rows]

    def close(self) -> None:
        """Let go of the file and its lock; closing twice is harmless."""
        if self._lock >= 0:
            self._connection.close()
            os.close(self._lock)
            self._lock = -1

    def _write_devices(self, devices: dict[str, Device], fresh: dict[str, int]) -> None:
        for name in devices:
            if name not in self._ids:
                row = self._db.execute("INSERT INTO device (name, state) VALUES (?, x'')", (name,)).lastrowid
                self._ids[name] = fresh[name] = int(row or 0)
        self._db.executemany(
            "UPDATE device SET state = ? WHERE id = ?",
            [(packed(device), self._ids[name]) for name, device in devices.items()],
        )

    def _write_gaps(self, entry: Entry) -> None:
        rows: Iterable[tuple[object, ...]] = [
            (self._ids[device], gap.boot, gap.first, gap.last, gap.cause, gap.start_ns, gap.end_ns, entry.now_ns)
            for device, gap in entry.gaps
        ]
        self._db.executemany(
            "INSERT INTO gap (device, boot, first, last, cause, start_ns, end_ns, declared_ns) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
