"""Records as rows: one table per kind of record, the same for SQLite's columns and InfluxDB's fields.

Rules
-----
- A table's columns are the record's members, in their order; nothing is renamed.
- `Table.values` is the one gate into every store: whatever it lets through comes back unchanged from each of
  them, and what it does not let through each of them refuses with the same sentence.
- -0.0 becomes 0.0 and a NaN battery becomes unknown, since not every store can tell them apart.
"""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.errors import StoreRefused
from ingest.store.records import DeviceStatus, Episode, Epoch, Record, ServiceStatus

Kind = Literal["text", "integer", "real", "boolean", "names"]
Value = str | int | float | bool | tuple[str, ...] | None

# Instants from 1970 to 2116: every store can hold them, and sums of two still fit 64 bits.
TIME_MIN_NS: Final = 0
TIME_MAX_NS: Final = 2**62
# Safe as an InfluxDB tag without escaping; wider than what the wire lets through.
_NAME = re.compile(r"[A-Za-z0-9_.:+-]{1,100}")
_KINDS: Final[dict[object, Kind]] = {int: "integer", float: "real", bool: "boolean", tuple[str, ...]: "names"}


@dataclass(frozen=True, slots=True)
class Column:
    """One member of a record. `optional` means None is a value; a real that is not optional may be NaN.

    `default` is what a record written before the member existed has in it, None if the member was always there.
    """

    name: str
    kind: Kind
    optional: bool
    default: str | int | float | bool | None = None


@dataclass(frozen=True)
class Table:
    """One kind of record: its name in a store, and which member holds the key's time (None: the latest only)."""

    name: str
    record_type: type[Record]
    time: str | None

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The record's members, in order."""
        return tuple(_column(field) for field in msgspec.structs.fields(self.record_type))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What identifies a record: device, time, site; or the device or service alone."""
        return ("device", self.time, "site") if self.time else self.names[:1]

    def position(self, name: str) -> int:
        """Where `name` stands among the columns."""
        return self.names.index(name)

    def values(self, record: Record) -> list[Value]:
        """A record's members as plain Python values in the order of the columns, or `StoreRefused`."""
        found: list[Value] = []
        for column, value in zip(self.columns, msgspec.structs.astuple(record), strict=True):
            try:
                found.append(_PLAIN[column.kind](value, column))
            except (TypeError, ValueError) as error:
                raise StoreRefused(f"{self.name}: {column.name} {value!r:.80} {error}") from error
        self._check_key(found)
        return found

    def record(self, values: Sequence[Value]) -> Record:
        """The record that `values` came from."""
        return self.record_type(**cast("dict[str, Any]", dict(zip(self.names, values, strict=True))))

    def records(self, rows: Sequence[Sequence[object]]) -> list[Record]:
        """Records of rows as stores keep them (names joined, no NaN), worked on column by column for speed."""
        columns = [
            _from_store(column, list(values))
            for column, values in zip(self.columns, zip(*rows, strict=True), strict=False)
        ]
        return [self.record(values) for values in zip(*columns, strict=True)]

    def _check_key(self, values: list[Value]) -> None:
        for name in self.key:
            value = values[self.names.index(name)]
            if name == self.time:
                if not TIME_MIN_NS <= cast("int", value) < TIME_MAX_NS:
                    raise StoreRefused(f"{self.name}: {name} {value} ns is not between the years 1970 and 2116")
            elif not _NAME.fullmatch(cast("str", value)):
                raise StoreRefused(f"{self.name}: {name} {value!r:.80} must match {_NAME.pattern}")


EPISODES: Final = Table("charley_episode", Episode, "onset_ns")
EPOCHS: Final = Table("charley_epoch", Epoch, "start_ns")
STATUSES: Final = Table("charley_status", DeviceStatus, None)
SERVICES: Final = Table("charley_service", ServiceStatus, None)
TABLES: Final = (EPISODES, EPOCHS, STATUSES, SERVICES)


def table_of(record: Record) -> Table:
    """The table that keeps this kind of record."""
    for table in TABLES:
        if isinstance(record, table.record_type):
            return table
    raise StoreRefused(f"{type(record).__name__} is not a record that a store keeps")


def as_arrays(rows: Sequence[Sequence[object]], *, reals: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows of an instant and `reals` reals as arrays `(N,)` and `(M, N)`; what a store has no number for is NaN."""
    starts_ns = np.fromiter((cast("int", row[0]) for row in rows), np.int64, len(rows))
    values = np.array(rows, dtype=np.float64).reshape(len(rows), 1 + reals)
    return starts_ns, values[:, 1:].T.copy()


def clamp_ns(instant_ns: int) -> int:
    """The instant, or the nearest one with the same answer that a store can be asked for."""
    return min(max(instant_ns, TIME_MIN_NS), TIME_MAX_NS)


def clamp_integer(number: int) -> int:
    """The number, or the nearest one that fits 64 bits."""
    return min(max(number, -(2**63)), 2**63 - 1)


def join_names(names: tuple[str, ...]) -> str:
    """Names as one string, parted by commas; a comma, a backslash and an empty name are escaped."""
    if not any("," in name or "\\" in name or not name for name in names):
        return ",".join(names)
    return ",".join(name.replace("\\", "\\\\").replace(",", "\\,") or "\\0" for name in names)


def split_names(text: str) -> tuple[str, ...]:
    """The names that `join_names` joined."""
    if not text:
        return ()
    if "\\" not in text:
        return tuple(text.split(","))
    parts = re.findall(r"((?:\\.|[^\\,])+)(?:,|$)", text, flags=re.DOTALL)
    return tuple("" if part == "\\0" else re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in parts)


def _column(field: msgspec.structs.FieldInfo) -> Column:
    default = None if field.default is msgspec.NODEFAULT else field.default
    if field.type == float | None:
        return Column(field.name, "real", optional=True, default=default)
    if isinstance(default, tuple):
        default = join_names(default)
    return Column(field.name, _KINDS.get(field.type, "text"), optional=False, default=default)


def _from_store(column: Column, values: list[Any]) -> list[Value]:
    missing = None if column.optional else math.nan
    if column.kind == "names":
        known = {text: split_names(text) for text in set(values)}
        return [known[text] for text in values]
    if column.kind == "boolean":
        return [bool(value) for value in values]
    if column.kind == "real":
        # InfluxDB writes 1.0 as 1.
        return [missing if value is None else float(value) for value in values]
    return values


def _text(value: object, _: Column) -> str:
    if not isinstance(value, str):
        raise TypeError("is not a string")
    if not value.isascii():
        value.encode()  # raises ValueError for half of a surrogate pair
    return str(value)


def _integer(value: object, _: Column) -> int:
    number = operator.index(cast("int", value))
    if not -(2**63) <= number < 2**63:
        raise ValueError("does not fit 64 bits")
    return number


def _real(value: object, column: Column) -> float | None:
    if value is None and column.optional:
        return None
    if isinstance(value, str):
        raise TypeError("is not a number")
    number = float(cast("float", value))  # also from numpy, which line protocol and SQLite do not know
    if math.isinf(number):
        raise ValueError("is not finite")
    if column.optional and math.isnan(number):
        return None
    return number + 0.0  # turns -0.0 into 0.0


def _boolean(value: object, _: Column) -> bool:
    return bool(value)


def _names(value: object, column: Column) -> tuple[str, ...]:
    return tuple(_text(name, column) for name in cast("Sequence[object]", value))


_PLAIN: Final[dict[Kind, Callable[[object, Column], Value]]] = {
    "text": _text,
    "integer": _integer,
    "real": _real,
    "boolean": _boolean,
    "names": _names,
}
