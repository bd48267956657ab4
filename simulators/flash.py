"""A device's memory for blocks: bounded, and there again after a reboot.

Rules
-----
- A block stays until the service has named it durable (`forget`), or until there is no room: then the oldest go, a
  piece of the memory at a time, as flash is erased.
- Oldest means kept first. Each block has a place, which rises.
- With a file it survives the end of the process; without one it lives in a temporary file of its own.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from simulators.errors import FlashError
from simulators.link import Key

CAPACITY_BYTES: Final = 256 * 1024 * 1024
PIECES: Final = 64  # of the memory; the least that is erased at a time
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS block (
    place INTEGER PRIMARY KEY AUTOINCREMENT, boot INTEGER NOT NULL, seq INTEGER NOT NULL, payload BLOB NOT NULL,
    UNIQUE (boot, seq)
)
"""


class Flash:
    """Blocks of one device, as bytes, by boot and seq."""

    def __init__(self, path: Path | None = None, *, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self.capacity_bytes = capacity_bytes
        self.dropped = 0  # blocks for which there was no room
        self._name = "without a file" if path is None else str(path)
        try:
            self._db = sqlite3.connect("" if path is None else path, isolation_level=None)
        except sqlite3.Error as error:
            raise FlashError(f"flash {self._name} cannot be opened: {error}") from error
        try:
            self._rows("PRAGMA synchronous = OFF")  # a device that is killed, not a disk that loses power
            self._rows(f"PRAGMA journal_mode = {'OFF' if path is None else 'WAL'}")
            self._rows(_TABLE)
            ((used, self._count),) = self._rows("SELECT total(length(payload)), count(*) FROM block")
            self.used_bytes = int(used)
        except FlashError:
            self._db.close()
            raise

    def __len__(self) -> int:
        """How many blocks it holds."""
        return int(self._count)

    def keep(self, key: Key, payload: bytes) -> list[int]:
        """Keep a block as the newest, unless it is held already; the places of those that had to go."""
        if self.place(key) is not None:
            return []
        if len(payload) > self.capacity_bytes:
            raise FlashError(f"a block of {len(payload)} bytes does not fit into {self.capacity_bytes}")
        gone: list[int] = []
        if self.used_bytes + len(payload) > self.capacity_bytes:
            gone = self._erase(len(payload) + self.capacity_bytes // PIECES)
        self._rows("INSERT INTO block (boot, seq, payload) VALUES (?, ?, ?)", (*key, payload))
        self.used_bytes += len(payload)
        self._count += 1
        return gone

    def place(self, key: Key) -> int | None:
        """Where a block is, if it is held."""
        rows = self._rows("SELECT place FROM block WHERE boot = ? AND seq = ?", key)
        return int(rows[0][0]) if rows else None

    def payload(self, place: int) -> bytes | None:
        """The block at a place, if it is held."""
        rows = self._rows("SELECT payload FROM block WHERE place = ?", (place,))
        return bytes(rows[0][0]) if rows else None

    def oldest(self, boot: int | None = None) -> Key | None:
        """The oldest block, or the oldest of a boot."""
        where, values = ("", ()) if boot is None else ("WHERE boot = ?", (boot,))
        rows = self._rows(f"SELECT boot, seq FROM block {where} ORDER BY place LIMIT 1", values)  # noqa: S608 - ours
        return (int(rows[0][0]), int(rows[0][1])) if rows else None

    def newest(self) -> dict[int, int]:
        """The highest seq of each boot."""
        return dict(self._rows("SELECT boot, max(seq) FROM block GROUP BY boot"))

    def places(self) -> list[int]:
        """Every place with a block, oldest first."""
        return [int(place) for (place,) in self._rows("SELECT place FROM block ORDER BY place")]

    def forget(self, boot: int, upto_seq: int) -> list[int]:
        """Drop the blocks of a boot up to a seq, which others now hold; their places."""
        return self._delete("boot = ? AND seq <= ?", (boot, upto_seq))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _erase(self, needed_bytes: int) -> list[int]:
        """Make room: the oldest blocks go."""
        last, freed = 0, self.capacity_bytes - self.used_bytes
        for place, size in self._rows("SELECT place, length(payload) FROM block ORDER BY place"):
            if freed >= needed_bytes:
                break
            last, freed = place, freed + size
        gone = self._delete("place <= ?", (last,))
        self.dropped += len(gone)
        return gone

    def _delete(self, where: str, values: tuple[int, ...]) -> list[int]:
        rows = self._rows(
            f"DELETE FROM block WHERE {where} RETURNING place, length(payload)",  # noqa: S608 - ours
            values,
        )
        self._count -= len(rows)
        self.used_bytes -= sum(size for _, size in rows)
        return [place for place, _ in rows]

    def _rows(self, statement: str, values: tuple[int | bytes, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise FlashError(f"flash {self._name} cannot be used: {error}") from error
