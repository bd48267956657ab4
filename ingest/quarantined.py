"""What is set aside because it cannot be used, with the reason: evidence, bounded overall and for each topic."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

QUARANTINE_ROWS: Final = 10_000
QUARANTINE_TOPIC_ROWS: Final = 500
QUARANTINE_BYTES: Final = 256 * 1024  # of one message; the rest is cut off
QUARANTINE_TOTAL_BYTES: Final = 256 * 1024 * 1024


class Quarantined(msgspec.Struct, frozen=True):
    """A message, or a record, that cannot be used, and why."""

    topic: str
    payload: bytes
    content_type: str | None
    reason: str
    sentence: str
    received_ns: int


def keep(db: sqlite3.Connection, quarantined: Sequence[Quarantined]) -> None:
    """Set these aside, within the transaction that is going on, and forget the oldest of too many on a topic."""
    db.executemany(
        "INSERT INTO quarantine (topic, payload, content_type, reason, sentence, received_ns) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            (q.topic, q.payload[:QUARANTINE_BYTES], q.content_type, q.reason, q.sentence, q.received_ns)
            for q in quarantined
        ],
    )
    # One device that sends rubbish must not push out what others are to be shown for.
    db.executemany(
        "DELETE FROM quarantine WHERE topic = ? AND id <= "
        "(SELECT id FROM quarantine WHERE topic = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        [(name, name, QUARANTINE_TOPIC_ROWS) for name in {q.topic for q in quarantined}],
    )


def forget_oldest(db: sqlite3.Connection) -> None:
    """Remove the oldest of too many, within the transaction that is going on."""
    db.execute("DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (QUARANTINE_ROWS,))
    db.execute(
        "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM (SELECT id, sum(length(payload)) OVER "
        "(ORDER BY id DESC) AS total FROM quarantine) WHERE total > ?)",
        (QUARANTINE_TOTAL_BYTES,),
    )


def newest(db: sqlite3.Connection, limit: int) -> list[Quarantined]:
    """The newest, newest first."""
    rows = db.execute(
        "SELECT topic, payload, content_type, reason, sentence, received_ns FROM quarantine ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [Quarantined(*row) for row in rows]
