"""The journal's table of what was set aside: read beside a running ingester, dropped in short transactions, bounded.

Rules
-----
- Looking opens the journal for reading only. Dropping waits for its turn to write and holds it for some rows at a time,
  so the ingester waits for milliseconds, if at all.
- How much is kept is bounded in `ingest/quarantined.py`, by the ingester.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.errors import JournalError, WireError
from ingest.journal_schema import WAIT_S, open_reader
from ingest.quarantined import QUARANTINE_BYTES
from ingest.wire import parse_topic

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One message, or record, that was set aside."""

    id: int
    topic: str
    reason: str
    sentence: str
    received_ns: int
    content_type: str | None
    size: int

    @property
    def device(self) -> str:
        """Whose it is; empty where the topic does not tell."""
        try:
            return parse_topic(self.topic)[0]
        except WireError:
            return ""

    @property
    def cut(self) -> bool:
        """Whether only its beginning was kept."""
        return self.size >= QUARANTINE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which of them; all that is given must hold."""

    ids: Sequence[int] = ()
    device: str = ""
    reason: str = ""
    since_ns: int = 0


class Shelf:
    """The quarantine of a journal that another process may be writing."""

    def __init__(self, journal: Path) -> None:
        self._path = journal

    def items(self, choice: Choice) -> list[Item]:
        """Those chosen, oldest first."""
        where = ["received_ns >= ?"]
        values: list[object] = [choice.since_ns]
        if choice.reason:
            where.append("reason = ?")
            values.append(choice.reason)
        if choice.device:
            where.append("(topic = ? OR topic = ?)")
            values += [f"charley/v1/{choice.device}/{leaf}" for leaf in ("blocks", "status")]
        if choice.ids:
            where.append(f"id IN ({','.join('?' * len(choice.ids))})")
            values += choice.ids
        question = (
            "SELECT id, topic, reason, sentence, received_ns, content_type, length(payload) FROM quarantine "  # noqa: S608
            f"WHERE {' AND '.join(where)} ORDER BY id"
        )
        with self._open(write=False) as db:
            return [Item(*row) for row in db.execute(question, values)]

    def reasons(self) -> dict[str, int]:
        """How many were set aside for each reason, the most frequent first."""
        with self._open(write=False) as db:
            return dict(
                db.execute("SELECT reason, count(*) AS n FROM quarantine GROUP BY reason ORDER BY n DESC, reason")
            )

    def payload(self, item: Item) -> bytes:
        """Its bytes, as far as they were kept."""
        with self._open(write=False) as db:
            row = db.execute("SELECT payload FROM quarantine WHERE id = ?", (item.id,)).fetchone()
        return bytes(row[0]) if row else b""

    def drop(self, ids: Sequence[int]) -> int:
        """Remove these; how many were there."""
        removed = 0
        with self._open(write=True) as db:
            for at in range(0, len(ids), _AT_ONCE):
                some = ids[at : at + _AT_ONCE]
                marks = ",".join("?" * len(some))
                removed += db.execute(f"DELETE FROM quarantine WHERE id IN ({marks})", some).rowcount  # noqa: S608
        return removed

    @contextmanager
    def _open(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        open_reader(self._path).close()  # it says what is wrong with a journal that is not there or not of this version
        mode = "rw" if write else "ro"
        try:
            uri = f"{self._path.resolve().as_uri()}?mode={mode}"
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_S)) as db:
                yield db
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path} cannot be {'written' if write else 'read'}: {error}") from error
