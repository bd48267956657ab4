"""The raw blocks of a journal: those to come, and those that the archive does not have yet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from ingest.errors import JournalLacks, WireError
from ingest.intake import Stored
from ingest.journal_db import Connection
from ingest.journal_schema import connect
from ingest.marks import Mark, end_of
from ingest.order import ERA, Key
from ingest.wire import Block, decode_block

Disposition = Literal["ready", "held", "late", "failed", "undated"]
DISPOSITIONS: Final = ("ready", "held", "late", "failed", "undated")
_DONE: Final = (DISPOSITIONS.index("ready"), DISPOSITIONS.index("failed"))


class Move(msgspec.Struct, frozen=True):
    """A block's place in the results: its start there, None if it is not in them, its own t0 where it never moved."""

    device: str
    boot: int  # the device's own number
    seq: int
    t0_ns: int
    placed_ns: int | None


class Kept(msgspec.Struct, frozen=True):
    """A block in the journal, without its samples."""

    key: Key
    mark: Mark
    disposition: str


class Stock(msgspec.Struct, frozen=True):
    """A block ready to go to the archive."""

    place: int
    received_ns: int
    block: Block | None  # None if it cannot be read any more


class Raw:
    """The table of blocks, and where in the results they were put if not where they say."""

    def __init__(self, connection: Connection, ids: Mapping[str, int]) -> None:
        self._connection = connection
        self._db = connection.db
        self._ids = ids

    @classmethod
    def beside(cls, path: Path) -> "Raw":
        """With a connection of its own, to a journal that is open elsewhere in this process."""
        return cls(Connection(path, connect(path)), {})

    def put(self, stored: Sequence[Stored]) -> None:
        """Keep blocks, within the transaction that is going on."""
        self._db.executemany(
            "INSERT OR IGNORE INTO block "
            "(device, boot, seq, t0_ns, end_ns, received_ns, disposition, content_type, payload) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    self._ids[item.device],
                    *item.key,
                    item.block.t0,
                    item.end_ns,
                    item.delivery.received_ns,
                    DISPOSITIONS.index(item.disposition),
                    item.delivery.content_type,
                    item.delivery.payload,
                )
                for item in stored
            ],
        )

    def became(self, disposition: Disposition, keys: Sequence[tuple[str, Key]]) -> None:
        """Note what became of blocks, within the transaction that is going on."""
        self._db.executemany(
            "UPDATE block SET disposition = ? WHERE device = ? AND boot = ? AND seq = ?",
            [(DISPOSITIONS.index(disposition), self._ids[device], *key) for device, key in keys],
        )

    def move(self, moves: Sequence[Move]) -> None:
        """Note places in the results, within the transaction that is going on."""
        self._db.executemany(
            "INSERT OR REPLACE INTO moved (device, boot, seq, t0_ns, placed_ns) VALUES (?, ?, ?, ?, ?)",
            [(self._ids[m.device], m.boot, m.seq, m.t0_ns, m.placed_ns) for m in moves if m.placed_ns != m.t0_ns],
        )
        self._db.executemany(
            "DELETE FROM moved WHERE device = ? AND boot = ? AND seq = ? AND t0_ns = ?",
            [(self._ids[m.device], m.boot, m.seq, m.t0_ns) for m in moves if m.placed_ns == m.t0_ns],
        )

    def moved(self, device: str) -> dict[tuple[int, int, int], int | None]:
        """Where blocks (boot, seq, t0_ns) of a device were put that are not where they say."""
        with self._connection.errors("read"):
            rows = self._db.execute(
                "SELECT boot, seq, t0_ns, placed_ns FROM moved WHERE device = ?", (self._ids.get(device),)
            )
            return {(boot, seq, t0_ns): placed_ns for boot, seq, t0_ns, placed_ns in rows}

    def t0_ns(self, device: str, key: Key) -> int | None:
        """When a block says that it begins, if it is here."""
        with self._connection.errors("read"):
            row = self._db.execute(
                "SELECT t0_ns FROM block WHERE device = ? AND boot = ? AND seq = ?", (self._ids.get(device), *key)
            ).fetchone()
        return None if row is None else int(row[0])

    def version(self) -> int:
        """Another number once another connection has changed the journal: blocks may have left it for the archive."""
        with self._connection.errors("read"):
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def kept(self, device: str) -> list[Kept]:
        """Every block of a device that is here, in order."""
        with self._connection.errors("read"):
            rows = self._db.execute(
                "SELECT boot, seq, t0_ns, end_ns, received_ns, disposition FROM block WHERE device = ? "
                "ORDER BY boot, seq",
                (self._ids.get(device),),
            ).fetchall()
            return [
                Kept(
                    (boot, seq),
                    Mark(boot % ERA, seq, t0_ns, end_ns or self._end_ns(device, (boot, seq)), received_ns),
                    DISPOSITIONS[fate],
                )
                for boot, seq, t0_ns, end_ns, received_ns, fate in rows
            ]

    def block(self, device: str, key: Key) -> tuple[Block, int]:
        """A block that was kept, and when it came in; `WireError` if this version refuses what an older one kept."""
        with self._connection.errors("read"):
            row = self._db.execute(
                "SELECT payload, content_type, received_ns FROM block WHERE device = ? AND boot = ? AND seq = ?",
                (self._ids.get(device), *key),
            ).fetchone()
        if row is None:
            raise JournalLacks(f"journal {self._connection.path} lacks block {key} of {device}, which it should hold")
        return decode_block(row[0], content_type=row[1]), int(row[2])

    def stock(self, before_ns: int, limit: int, *, but: Sequence[str] = ()) -> tuple[str, list[Stock]]:
        """The device, but for some, with the oldest detected block before an instant, and its oldest such blocks."""
        done = f"disposition IN ({_DONE[0]}, {_DONE[1]})"
        others = "AND device NOT IN (SELECT device.id FROM device JOIN json_each(?) ON name = value)" if but else ""
        with self._connection.errors("read"):
            oldest = self._db.execute(
                f"SELECT device, received_ns FROM block WHERE {done} {others} ORDER BY received_ns LIMIT 1",  # noqa: S608
                (msgspec.json.encode(but).decode(),) if but else (),
            ).fetchone()
            if oldest is None or oldest[1] >= before_ns:
                return "", []
            (name,) = self._db.execute("SELECT name FROM device WHERE id = ?", (oldest[0],)).fetchone()
            rows = self._db.execute(
                f"SELECT id, received_ns, content_type, payload FROM block "  # noqa: S608
                f"WHERE device = ? AND {done} ORDER BY boot, seq LIMIT ?",
                (oldest[0], limit),
            ).fetchall()
        return name, [Stock(place, received_ns, _readable(body, kind)) for place, received_ns, kind, body in rows]

    def archived(self, places: Sequence[int], *, unreadable: Sequence[int] = ()) -> None:
        """The archive has these: they leave the journal. Unreadable ones are set aside."""
        with self._connection.transaction() as db:
            db.executemany(
                "INSERT INTO quarantine (topic, payload, content_type, reason, sentence, received_ns) "
                "SELECT 'charley/v1/' || name || '/blocks', payload, content_type, 'unreadable', "
                "'an older version took this block, this one cannot read it', received_ns "
                "FROM block JOIN device ON device.id = block.device WHERE block.id = ?",
                [(place,) for place in unreadable],
            )
            db.executemany("DELETE FROM block WHERE id = ?", [(place,) for place in (*places, *unreadable)])

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _end_ns(self, device: str, key: Key) -> int:
        """The end of a block that an older version kept."""
        try:
            return end_of(self.block(device, key)[0])
        except WireError:
            return self.t0_ns(device, key) or 0


def _readable(payload: bytes, content_type: str | None) -> Block | None:
    try:
        return decode_block(payload, content_type=content_type)
    except WireError:
        return None
