"""Rows as InfluxDB line protocol: our own escaping and one type per field, for ever."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from ingest.store.columns import Kind, Table, Value, join_names

# The one instant of every status, 2100-01-01: no sample is as late, so it falls under no retention period.
STATUS_NS: Final = 4_102_444_800_000_000_000
TAGS: Final = ("device", "site", "name")
ABSENT: Final = "absent"
FIELD_TYPES: Final[dict[Kind, str]] = {
    "text": "string", "integer": "integer", "real": "float", "boolean": "boolean", "names": "string",
}  # fmt: skip
MAX_LINES: Final = 5_000
MAX_BYTES: Final = 8 * 1024 * 1024  # 3 Core takes bodies of up to 10 MiB, InfluxDB 1.x of 25 MB


def tags(table: Table) -> tuple[str, ...]:
    """The tags of a table's points."""
    return tuple(name for name in table.names if name in TAGS)


def fields(table: Table) -> tuple[str, ...]:
    """The fields of a table's points, but for `absent`."""
    return tuple(name for name in table.names if name not in TAGS and name != table.time)


def to_line(table: Table, values: list[Value]) -> bytes:
    """One point. `values` come from `table.values`, which admits no tag that would need escaping."""
    parts: list[str] = []
    absent: list[str] = []
    tag_set, time_ns = table.name, STATUS_NS
    for column, value in zip(table.columns, values, strict=True):
        if column.name in TAGS:
            tag_set += f",{column.name}={value}"
        elif column.name == table.time and isinstance(value, int):
            time_ns = value
        elif value is None or (isinstance(value, float) and math.isnan(value)):
            absent.append(column.name)
        else:
            parts.append(f"{column.name}={_literal(value)}")
    parts.append(f"{ABSENT}={_literal(tuple(absent))}")
    return f"{tag_set} {','.join(parts)} {time_ns}".encode()


def bodies(lines: Iterable[bytes], *, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> Iterator[list[bytes]]:
    """The lines of bodies of bounded length and size, in order. They are not joined: a string may hold line breaks."""
    body: list[bytes] = []
    size = 0
    for line in lines:
        if body and (len(body) == max_lines or size + len(line) + 1 > max_bytes):
            yield body
            body, size = [], 0
        body.append(line)
        size += len(line) + 1
    if body:
        yield body


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, float):
        return repr(value)
    text = join_names(value) if isinstance(value, tuple) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
