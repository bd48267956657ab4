"""The journal: what came in and what is still to go out, on local disk, before anything is acknowledged.

Rules
-----
- One SQLite file, written by one process: it is locked from opening to closing, also against readers.
- `commit` is one transaction, synced to disk on return (WAL, synchronous=FULL). A batch is in it whole or not at
  all: raw blocks, quarantine, the state of the devices, gaps, and the records and events to deliver.
- A block is kept once, by device, boot and seq, with what became of it. The payload is kept as it was received.
- Records leave in the order in which they were made, and only after the store has them.
- Raw blocks older than asked and the oldest of too many quarantined messages are removed a few at a time.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from ingest.devices import Device
from ingest.errors import JournalError
from ingest.intake import Quarantined, Stored
from ingest.journal_schema import create
from ingest.order import Gap, Key
from ingest.store import DeviceStatus, Episode, Epoch, Record, ServiceStatus

QUARANTINE_ROWS: Final = 10_000
QUARANTINE_BYTES: Final = 256 * 1024  # of one message; the rest is cut off
DISPOSITIONS: Final = ("ready", "held", "late", "failed")
_KINDS: Final[tuple[type[Record], ...]] = (Episode, Epoch, DeviceStatus, ServiceStatus)
_decode_device = msgspec.msgpack.Decoder(Device).decode
_decode_record = tuple(msgspec.msgpack.Decoder(kind).decode for kind in _KINDS)
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Entry:
    """All that one batch leaves behind."""

    stored: Sequence[Stored] = ()
    released: Sequence[tuple[str, Key]] = ()  # blocks that were held and are now processed
    failed: Sequence[tuple[str, Key]] = ()  # blocks on which the detector failed
    quarantined: Sequence[Quarantined] = ()
    devices: dict[str, Device] = field(default_factory=dict)
    gaps: Sequence[tuple[str, Gap]] = ()
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

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._errors("opened"):
            self._db = create(path)
        self._ids: dict[str, int] = {}
        try:
            with self._errors("read"):
                self._ids = dict(self._db.execute("SELECT name, id FROM device"))
        except JournalError:
            self._db.close()
            raise

    def devices(self) -> dict[str, Device]:
        """The state of every device as of the last commit."""
        with self._errors("read"):
            rows = self._db.execute("SELECT name, state FROM device").fetchall()
            return {name: _decode_device(state) for name, state in rows}

    def payload(self, device: str, key: Key) -> tuple[bytes, str | None]:
        """Payload and content type of a block that was kept."""
        with self._errors("read"):
            row = self._db.execute(
                "SELECT payload, content_type FROM block WHERE device = ? AND boot = ? AND seq = ?",
                (self._ids.get(device), *key),
            ).fetchone()
        if row is None:
            raise JournalError(f"journal {self.path} lacks block {key} of {device}, which it should hold")
        payload, content_type = row
        return payload, content_type

    def commit(self, entry: Entry) -> None:
        """Keep a batch; durable on return."""
        with self._transaction():
            ids = self._write_devices(entry.devices)
            self._write_blocks(entry, ids)
            self._write_gaps(entry, ids)
            self._write_quarantine(entry.quarantined)
            self._db.executemany(
                "INSERT INTO outbox (kind, body) VALUES (?, ?)",
                [(_KINDS.index(type(record)), _encode(record)) for record in entry.records],
            )
            self._db.executemany("INSERT INTO event_outbox (topic, body) VALUES (?, ?)", entry.events)
        self._ids = ids

    def records(self, limit: int) -> list[tuple[int, Record]]:
        """The oldest records to deliver, with their places."""
        with self._errors("read"):
            rows = self._db.execute("SELECT id, kind, body FROM outbox ORDER BY id LIMIT ?", (limit,)).fetchall()
            return [(place, _decode_record[kind](body)) for place, kind, body in rows]

    def records_delivered(self, upto: int, refused: Sequence[Quarantined] = ()) -> None:
        """Everything up to a place has been delivered, but for what the store refused."""
        with self._transaction():
            self._db.execute("DELETE FROM outbox WHERE id <= ?", (upto,))
            self._write_quarantine(refused)

    def events(self, limit: int) -> list[tuple[int, str, bytes]]:
        """The oldest events to publish: place, topic and payload."""
        with self._errors("read"):
            return self._db.execute("SELECT id, topic, body FROM event_outbox ORDER BY id LIMIT ?", (limit,)).fetchall()

    def events_delivered(self, places: Iterable[int]) -> None:
        """The broker has these."""
        with self._transaction():
            self._db.executemany("DELETE FROM event_outbox WHERE id = ?", [(place,) for place in places])

    def prune(self, before_ns: int, *, limit: int = 1000) -> int:
        """Remove up to `limit` raw blocks received before an instant, except those still held; how many it were."""
        with self._transaction():
            removed = self._db.execute(
                "DELETE FROM block WHERE id IN (SELECT id FROM block WHERE id <= "
                "(SELECT id FROM block WHERE disposition <> 1 ORDER BY id LIMIT 1) + 10 * ? "
                "AND received_ns < ? AND disposition <> 1 LIMIT ?)",
                (limit, before_ns, limit),
            ).rowcount
            self._db.execute(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (QUARANTINE_ROWS,)
            )
        return removed

    def waiting(self) -> tuple[int, int]:
        """How many records and events are still to go out."""
        with self._errors("read"):
            row = self._db.execute(
                "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM event_outbox)"
            ).fetchone()
        return row[0], row[1]

    def depth(self) -> Depth:
        """How much it holds; counts every block."""
        with self._errors("read"):
            counts = [
                self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names of ours
                for table in ("outbox", "event_outbox", "block", "quarantine")
            ]
        return Depth(*counts)

    def quarantined(self, limit: int = 1000) -> list[Quarantined]:
        """The newest messages that could not be used, newest first."""
        with self._errors("read"):
            rows = self._db.execute(
                "SELECT topic, payload, content_type, reason, sentence, received_ns FROM quarantine "
                "ORDER BY id DESC LIMIT ?",
                (limit,),
            )
            return [Quarantined(*row) for row in rows]

    def gaps(self, device: str) -> list[Gap]:
        """The gaps declared in the blocks of a device, oldest first."""
        with self._errors("read"):
            rows = self._db.execute(
                "SELECT boot, first, last, cause, start_ns, end_ns FROM gap WHERE device = ? ORDER BY id",
                (self._ids.get(device),),
            )
            names = ("boot", "first", "last", "cause", "start_ns", "end_ns")
            return [Gap(**dict(zip(names, row, strict=True))) for row in rows]

    def blocks(self, device: str) -> list[tuple[Key, str]]:
        """The blocks kept of a device, in order, with what became of them."""
        with self._errors("read"):
            rows = self._db.execute(
                "SELECT boot, seq, disposition FROM block WHERE device = ? ORDER BY boot, seq",
                (self._ids.get(device),),
            )
            return [((boot, seq), DISPOSITIONS[disposition]) for boot, seq, disposition in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _write_devices(self, devices: dict[str, Device]) -> dict[str, int]:
        ids = dict(self._ids) if any(name not in self._ids for name in devices) else self._ids
        for name in devices:
            if name not in ids:
                ids[name] = int(
                    self._db.execute("INSERT INTO device (name, state) VALUES (?, x'')", (name,)).lastrowid or 0
                )
        self._db.executemany(
            "UPDATE device SET state = ? WHERE id = ?",
            [(_encode(device), ids[name]) for name, device in devices.items()],
        )
        return ids

    def _write_blocks(self, entry: Entry, ids: dict[str, int]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO block (device, boot, seq, t0_ns, received_ns, disposition, content_type, payload) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    ids[item.device],
                    item.block.boot,
                    item.block.seq,
                    item.block.t0,
                    item.delivery.received_ns,
                    DISPOSITIONS.index(item.disposition),
                    item.delivery.content_type,
                    item.delivery.payload,
                )
                for item in entry.stored
            ],
        )
        for keys, disposition in ((entry.released, "ready"), (entry.failed, "failed")):
            self._db.executemany(
                "UPDATE block SET disposition = ? WHERE device = ? AND boot = ? AND seq = ?",
                [(DISPOSITIONS.index(disposition), ids[device], *key) for device, key in keys],
            )

    def _write_gaps(self, entry: Entry, ids: dict[str, int]) -> None:
        self._db.executemany(
            "INSERT INTO gap (device, boot, first, last, cause, start_ns, end_ns, declared_ns) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (ids[device], gap.boot, gap.first, gap.last, gap.cause, gap.start_ns, gap.end_ns, entry.now_ns)
                for device, gap in entry.gaps
            ],
        )

    def _write_quarantine(self, quarantined: Sequence[Quarantined]) -> None:
        self._db.executemany(
            "INSERT INTO quarantine (topic, payload, content_type, reason, sentence, received_ns) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                (q.topic, q.payload[:QUARANTINE_BYTES], q.content_type, q.reason, q.sentence, q.received_ns)
                for q in quarantined
            ],
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise JournalError(f"journal {self.path} cannot be {verb}: {error}") from error
