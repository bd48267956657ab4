"""What is still to go out: records to the store and events to the broker, in the order in which they were made.

Rules
-----
- Records leave only after the store has them, events after the broker has them; places are not used again.
- An outbox of its own connection may be emptied by one thread while the service's loop fills the journal.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ingest.journal_db import Connection
from ingest.journal_schema import connect
from ingest.quarantined import Quarantined, keep
from ingest.store import DeviceStatus, Episode, Epoch, Record, ServiceStatus

_KINDS: Final[tuple[type[Record], ...]] = (Episode, Epoch, DeviceStatus, ServiceStatus)
_decode = tuple(msgspec.msgpack.Decoder(kind).decode for kind in _KINDS)
_encode = msgspec.msgpack.Encoder().encode


def readable(kind: object, body: object) -> bool:
    """Whether this can be the row of a record."""
    try:
        return isinstance(kind, int) and kind in range(len(_decode)) and bool(_decode[kind](body))  # type: ignore[arg-type]
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        return False


class Outbox:
    """The records and events of a journal that wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def beside(cls, path: Path) -> "Outbox":
        """An outbox with a connection of its own, to a journal that is open elsewhere in this process."""
        return cls(Connection(path, connect(path)))

    def put(self, records: Iterable[Record], events: Iterable[tuple[str, bytes]], *, now_ns: int) -> None:
        """Add records, as made now, and events (topic and payload), within the transaction that is going on."""
        self._connection.db.executemany(
            "INSERT INTO outbox (kind, body) VALUES (?, ?)",
            [
                (_KINDS.index(type(record)), _encode(msgspec.structs.replace(record, updated_ns=now_ns)))
                for record in records
            ],
        )
        self._connection.db.executemany("INSERT INTO event_outbox (topic, body) VALUES (?, ?)", events)

    def records(self, limit: int) -> list[tuple[int, Record]]:
        """The oldest records to deliver, with their places; `updated_ns` is when they were made."""
        with self._connection.errors("read"):
            rows = self._connection.db.execute(
                "SELECT id, kind, body FROM outbox ORDER BY id LIMIT ?", (limit,)
            ).fetchall()
            return [(place, _decode[kind](body)) for place, kind, body in rows]

    def records_delivered(self, upto: int, refused: Sequence[Quarantined] = ()) -> None:
        """Everything up to a place has been delivered, but for what the store refused."""
        with self._connection.transaction() as db:
            db.execute("DELETE FROM outbox WHERE id <= ?", (upto,))
            keep(db, refused)

    def events(self, limit: int) -> list[tuple[int, str, bytes]]:
        """The oldest events to publish: place, topic and payload."""
        with self._connection.errors("read"):
            rows: list[tuple[int, str, bytes]] = self._connection.db.execute(
                "SELECT id, topic, body FROM event_outbox ORDER BY id LIMIT ?", (limit,)
            ).fetchall()
            return rows

    def events_delivered(self, places: Iterable[int]) -> None:
        """The broker has these."""
        with self._connection.transaction() as db:
            db.executemany("DELETE FROM event_outbox WHERE id = ?", [(place,) for place in places])

    def waiting(self) -> tuple[int, int]:
        """How many records and events are still to go out.

        Records leave from the front alone, so that their places tell: to count millions would take seconds.
        """
        with self._connection.errors("read"):
            row = self._connection.db.execute(
                "SELECT coalesce((SELECT max(id) FROM outbox) - (SELECT min(id) FROM outbox) + 1, 0), "
                "(SELECT count(*) FROM event_outbox)"
            ).fetchone()
        return row[0], row[1]

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()
