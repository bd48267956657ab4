"""Copies the rows of a damaged journal that can still be read, table by table, and counts the others.

Rules
-----
- Rows are read in order of their key; where one cannot be, reading goes on at the next that can, found by trying.
- A row is copied only if it can be what was written (`ingest/damage.py`). A block's times come from its payload.
- A device whose state is lost is kept without one; its blocks that were held back wait with the late ones.
- A block whose device nobody knows any more is set aside, not dropped.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.damage import TABLES, Row, Value, sound, version_of
from ingest.errors import WireError
from ingest.journal_schema import VERSION, tables
from ingest.marks import end_of
from ingest.order import ERA
from ingest.raw import DISPOSITIONS
from ingest.store import Episode
from ingest.wire import decode_block

UNREADABLE: Final = (sqlite3.Error, UnicodeError)  # the latter where what an error is about is no text
EFFORT: Final = 20_000  # tries for one table
NEAR: Final = 64  # keys tried one by one behind one that cannot be read
FAR: Final = 2**40
KEYED: Final = {"told": ("onset_ns", "site"), "moved": ("boot", "seq", "t0_ns")}  # tables without row ids
HELD, LATE = DISPOSITIONS.index("held"), DISPOSITIONS.index("late")

_told = msgspec.msgpack.Decoder(Episode).decode


@dataclass(slots=True)
class Saved:
    """How many rows were copied, and how many could not be, at least."""

    saved: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    whole: bool = True  # whether every table could be looked at

    def lost(self, table: str, count: int = 1) -> None:
        """Rows of a table that cannot be read."""
        self.unreadable[table] = self.unreadable.get(table, 0) + count


def copy_rows(old: sqlite3.Connection, new: sqlite3.Connection, saved: Saved) -> None:
    """Copy every table, within the transaction that is going on."""
    try:
        version = version_of(old)
    except UNREADABLE:
        version = 0
    if version is None:
        saved.whole = False
        return
    shape = tables(version or VERSION).tables
    devices = list(_sound_rows(old, "device", shape, saved))
    told = list(_of_devices(old, "told", shape, saved)) if "told" in shape else []
    copying = _Copying(new, saved, devices, {row["id"]: str(row["name"]) for row in devices})
    for place, name in _names(old, told).items():
        copying.meet(place, name)
    for row in _sound_rows(old, "block", shape, saved):
        copying.block(row)
    for table in TABLES:
        if table in shape and table != "block":
            read = _of_devices if table in KEYED else _sound_rows
            known = {"device": devices, "told": told}
            found = known[table] if table in known else read(old, table, shape, saved)
            copying.put(table, (row for row in found if "device" not in row or row["device"] in copying.names))
    copying.release()


@dataclass(slots=True)
class _Copying:
    """What is known while rows are copied: the devices so far, and their names."""

    new: sqlite3.Connection
    saved: Saved
    devices: list[Row]
    names: dict[Value, str]

    def meet(self, place: Value, name: str) -> None:
        """A device's name and number, from elsewhere than its own row."""
        if place not in self.names and name not in self.names.values():
            self.names[place] = name
            self.devices.append({"id": place, "name": name, "state": b""})
            self.saved.lost("device")

    def block(self, row: Row) -> None:
        """Copy a block, or set it aside."""
        try:
            block = decode_block(row["payload"], content_type=row["content_type"])  # type: ignore[arg-type]
        except (WireError, UnicodeError):
            self._set_aside(row, "what is left of this block cannot be read")
            return
        if block.device is not None:
            self.meet(row["device"], block.device)
        if row["device"] not in self.names or (int(row["boot"] or 0) % ERA, row["seq"]) != (block.boot, block.seq):
            self._set_aside(row, "nobody knows any more of which device, boot or seq this block is")
            return
        row["t0_ns"], row["end_ns"] = block.t0, end_of(block)
        self.put("block", [row])

    def release(self) -> None:
        """What was held back for devices that have lost their state waits with the late blocks."""
        self.new.executemany(
            "UPDATE block SET disposition = ? WHERE disposition = ? AND device = ?",
            [(LATE, HELD, row["id"]) for row in self.devices if row["state"] == b""],
        )

    def put(self, table: str, rows: Iterable[Row]) -> None:
        """Copy rows that are sound."""
        for row in rows:
            values = {name: value for name, value in row.items() if not (name == "id" and table == "quarantine")}
            done = self.new.execute(
                f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) "  # noqa: S608 - names of ours
                f"VALUES ({', '.join('?' * len(values))})",
                tuple(values.values()),
            )
            self.saved.saved[table] = self.saved.saved.get(table, 0) + done.rowcount

    def _set_aside(self, row: Row, sentence: str) -> None:
        self.saved.lost("block")
        topic = f"charley/v1/{self.names.get(row['device'], 'unknown')}/blocks"
        self.new.execute(
            "INSERT INTO quarantine (topic, payload, content_type, reason, sentence, received_ns) "
            "VALUES (?, ?, ?, 'unreadable', ?, ?)",
            (topic, row["payload"], row["content_type"], sentence, row["received_ns"]),
        )


def _names(old: sqlite3.Connection, told: list[Row]) -> dict[Value, str]:
    """Names of devices from elsewhere: the index of names, and the episodes told."""
    names: dict[Value, str] = {row["device"]: _told(row["body"]).device for row in told}  # type: ignore[arg-type]
    with suppress(*UNREADABLE):  # what is read until then counts
        rows = old.execute("SELECT id, name FROM device INDEXED BY sqlite_autoindex_device_1")
        names.update((place, name) for place, name in rows if isinstance(name, str) and isinstance(place, int))
    return names


def _sound_rows(old: sqlite3.Connection, table: str, shape: dict[str, dict[str, str]], saved: Saved) -> Iterator[Row]:
    """The rows of a table with ids that can be what was written, by id."""
    types = shape[table]
    for values in _rows(old, table, list(types), saved):
        row = dict(zip(types, values, strict=True))
        if sound(table, row, types):
            yield row
        else:
            saved.lost(table)
            if table == "device" and isinstance(row["name"], str) and row["name"]:
                yield {**row, "state": b""}


def _rows(old: sqlite3.Connection, table: str, columns: list[str], saved: Saved) -> Iterator[tuple[Value, ...]]:
    some = f"SELECT {', '.join(columns)} FROM {table} NOT INDEXED WHERE id"  # noqa: S608 - names of ours
    last = 0
    old.text_factory = _text
    for _ in range(EFFORT):
        try:
            for values in old.execute(f"{some} >= ? ORDER BY id", (last + 1,)):
                last = values[0]
                yield values
        except UNREADABLE:
            place, passed = _next(old, table, last)
            if passed:
                saved.lost(table)
            if place is None:
                return
            # By itself: the row behind it is asked for before this one is given, and may not be there.
            try:
                (values,) = old.execute(f"{some} = ?", (place,)).fetchall()
                yield values
            except (*UNREADABLE, ValueError):
                saved.lost(table)
            last = place
        else:
            return
    saved.lost(table)


def _next(old: sqlite3.Connection, table: str, last: int) -> tuple[int | None, bool]:
    """The next id that can be found behind `last`, None at the end, and whether anything was passed over."""
    base, step, failed = last + 1, 0, -1
    while (found := _first(old, table, base + step)) is None:
        failed, step = step, step + 1 if step < NEAR else step * 2
        if step > FAR:
            return None, True
    while step - failed > 1:
        between = (step + failed) // 2
        nearer = _first(old, table, base + between)
        if nearer is None:
            failed = between
        else:
            step, found = between, nearer
    return (found[0] if found else None), step > 0


def _first(old: sqlite3.Connection, table: str, least: int) -> tuple[int, ...] | None:
    """The first id from `least` on: none, `()`, at the end of the table, None if it cannot be read."""
    # Not `>`: SQLite would look for the row before, which may lie on the broken page.
    one = f"SELECT id FROM {table} NOT INDEXED WHERE id >= ? ORDER BY id LIMIT 1"  # noqa: S608 - a name of ours
    try:
        return tuple(old.execute(one, (least,)).fetchone() or ())
    except UNREADABLE:
        return None


def _of_devices(old: sqlite3.Connection, table: str, shape: dict[str, dict[str, str]], saved: Saved) -> Iterator[Row]:
    """The rows of a table without row ids: from the front, and where that ends, from the back."""
    types = shape[table]
    key = ("device", *KEYED[table])
    places = [list(types).index(name) for name in key]
    old.text_factory = _text
    front: tuple[Value, ...] = ()
    for sign, way in ((">", "ASC"), ("<", "DESC")):
        order = ", ".join(f"{name} {way}" for name in key)
        some = f"SELECT {', '.join(types)} FROM {table}"  # noqa: S608 - names of ours
        at: tuple[Value, ...] = ()
        while True:
            behind = f"WHERE ({', '.join(key)}) {sign} ({', '.join('?' * len(key))})" if at else ""
            try:
                rows = old.execute(f"{some} {behind} ORDER BY {order} LIMIT 1", at).fetchall()
            except UNREADABLE:
                saved.lost(table, sign == ">")
                break
            if not rows or tuple(rows[0][place] for place in places) in (at, front):
                return
            at = tuple(rows[0][place] for place in places)
            row = dict(zip(types, rows[0], strict=True))
            if sound(table, row, types):
                yield row
            else:
                saved.lost(table)
        front = at


def _text(value: bytes) -> str | bytes:
    """Text, or bytes where it is none any more, which must not end the reading; such a row is not sound."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
