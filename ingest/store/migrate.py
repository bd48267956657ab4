"""All that one store keeps, copied into another.

Rules
-----
- Device by device and, of epochs, day by day: memory is bounded, and stopped anywhere it is repeated from the start,
  which writes only what is still missing or different.
- Tombstones are copied too: withdrawn episodes and void epochs. `updated_ns` stays what it was.
- What the target holds under the same key with a later `updated_ns` is left alone, and counted: a service wrote it
  there after the source's.
- The end is a second reading of both sides: each record is equal, or the target's is later. What only the target
  holds is left alone, and counted too.
- Services are not copied: they say what is, not what was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.errors import StoreUnavailable
from ingest.store.columns import TIME_MAX_NS, TIME_MIN_NS, table_of
from ingest.store.interface import Store
from ingest.store.records import Record, same_record

DAY_NS: Final = 86_400_000_000_000
BATCH: Final = 5_000

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy came to: `written` is less than `records` where some were there already."""

    devices: int
    records: int
    written: int
    newer: int  # of the `records`, those of which the target holds a later one
    extra: int  # records of these devices that only the target holds


def copy(source: Store, target: Store, *, progress: Progress | None = None) -> Copied:
    """Copy every record and prove it; `progress` hears of each piece: its device, and the records read so far.

    Raises `StoreUnavailable` when the target lacks something at the end, as it does when somebody goes on writing
    into the source.
    """
    devices = source.devices()
    written = records = newer = extra = 0
    for device in devices:
        for here, there in _pieces(source, target, device):
            lacking, _ = _compare(here, there)
            for first in range(0, len(lacking), BATCH):
                target.write(lacking[first : first + BATCH])
            written += len(lacking)
            records += len(here)
            if progress is not None:
                progress(device, records)
    records = 0
    for device in devices:
        for here, there in _pieces(source, target, device):
            lacking, later = _compare(here, there)
            if lacking:
                raise StoreUnavailable(
                    f"after copying, {len(lacking)} record(s) of device {device} differ, the first one of "
                    f"{table_of(lacking[0]).name}. Is something still writing? Stop it, and repeat the command"
                )
            records += len(here)
            newer += later
            extra += len(there) - len(here)
    return Copied(devices=len(devices), records=records, written=written, newer=newer, extra=extra)


def _pieces(source: Store, target: Store, device: str) -> Iterator[tuple[Sequence[Record], Sequence[Record]]]:
    """Everything of a device piece by piece: what the source holds, and what the target does."""
    yield source.statuses([device]), target.statuses([device])
    always = {"start_ns": TIME_MIN_NS, "end_ns": TIME_MAX_NS}
    both = (source, target)
    here, there = (store.episodes([device], withdrawn=True, **always) for store in both)
    yield here, there
    days = set().union(*(store.changes(device, every_ns=DAY_NS, **always) for store in both))
    for start_ns in sorted(days):
        day = {"start_ns": start_ns, "end_ns": start_ns + DAY_NS}
        yield source.epochs(device, void=True, **day), target.epochs(device, void=True, **day)


def _compare(here: Sequence[Record], there: Sequence[Record]) -> tuple[list[Record], int]:
    """What `there` lacks of `here` or has otherwise, and of how many it has a later one; when written counts too."""
    known = {_key(record): record for record in there}
    lacking: list[Record] = []
    later = 0
    for record in here:
        other = known.get(_key(record))
        if other is not None and other.updated_ns > record.updated_ns:
            later += 1
        elif not _equal(record, other):
            lacking.append(record)
    return lacking, later


def _equal(a: Record, b: Record | None) -> bool:
    return b is not None and a.updated_ns == b.updated_ns and same_record(a, b)


def _key(record: Record) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in table_of(record).key)
