"""Out of the archive again: marks by time, blocks by mark."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ingest.archive.keys import COLUMNS, Keys, chosen, joined, keys, unique
from ingest.archive.layout import (
    DAY_NS,
    LONGEST_NS,
    UNDATED,
    date_folders,
    date_name,
    days,
    device_of,
    is_undated,
    part_paths,
)
from ingest.archive.reading import Part, open_parts
from ingest.archive.rows import Blocks
from ingest.archive.values import Archived, IntArray
from ingest.errors import ArchiveError
from ingest.marks import LAST_NS, Mark
from ingest.wire import EMG_CHANNELS, EMG_FS_HZ, T0_NS

AT_ONCE_BYTES: Final = 128 * 1024 * 1024
_BYTES_PER_NS: Final = 2 * EMG_CHANNELS * EMG_FS_HZ[1] * 1e-9  # at most; acceleration is small beside it

Identity = tuple[int, int, int]  # t0, boot, seq


class Numbers(NamedTuple):
    """What blocks are called, a place in each array for each: (n,) each."""

    boot: IntArray
    seq: IntArray
    t0_ns: IntArray


def marks(folder: Path, *, start_ns: int, end_ns: int, unread: list[ArchiveError] | None = None) -> list[Mark]:
    """The dated blocks of a device that overlap `[start_ns, end_ns)`; dates that cannot be read go to `unread`."""
    found: list[Mark] = []
    first_ns, last_ns = _believed(start_ns - LONGEST_NS, end_ns)
    for date in _dates(folder, first_ns, last_ns):
        try:
            found += [mark for every in _every(date, first_ns, last_ns) for mark in _marks(every)]
        except ArchiveError as error:
            if unread is None:
                raise
            unread.append(error)
    return [mark for mark in found if mark.t0_ns < end_ns and mark.end_ns > start_ns]


def undated(folder: Path) -> list[Mark]:
    """The blocks of a device that have no date."""
    return [mark for every in _undated(folder) for mark in _marks(every)]


def numbers(folder: Path, *, start_ns: int, end_ns: int) -> Numbers:
    """What the dated blocks of a device are called that begin in `[start_ns, end_ns)`."""
    found = _numbers(_dated(folder, start_ns, end_ns))
    inside = (found.t0_ns >= start_ns) & (found.t0_ns < end_ns)
    return Numbers(*(column[inside] for column in found))


def numbers_undated(folder: Path) -> Numbers:
    """What the blocks of a device are called that have no date."""
    return _numbers(_undated(folder))


def parts(folder: Path, *, start_ns: int, end_ns: int) -> list[Path]:
    """The files in which dated blocks of a device are that begin in `[start_ns, end_ns)`; for a few days."""
    first, last = start_ns // DAY_NS, (end_ns - 1) // DAY_NS
    return [path for day in range(first, last + 1) for path in part_paths(folder / date_name(day))]


def parts_undated(folder: Path) -> list[Path]:
    """The files in which blocks of a device are that have no date."""
    return part_paths(folder / f"date={UNDATED}")


def _numbers(found: Iterable[Keys]) -> Numbers:
    every = list(found)
    if not every:
        return Numbers(*(np.zeros(0, np.int64) for _ in range(3)))
    one = joined(every)
    return Numbers(one.boot, one.seq, one.t0)


def _dated(folder: Path, start_ns: int, end_ns: int) -> Iterator[Keys]:
    """The blocks of each date that has some which begin in `[start_ns, end_ns)`, and perhaps others."""
    first_ns, last_ns = _believed(start_ns, end_ns)
    for date in _dates(folder, first_ns, last_ns):
        yield from _every(date, first_ns, last_ns)


def _believed(start_ns: int, end_ns: int) -> tuple[int, int]:
    """The first and the last instant of `[start_ns, end_ns)` at which a dated block may begin."""
    return max(start_ns, T0_NS[0]), min(end_ns, T0_NS[1]) - 1


def _dates(folder: Path, first_ns: int, last_ns: int) -> list[Path]:
    """The dates of these instants that there are."""
    if last_ns < first_ns:
        return []
    first, last = (date_name(day) for day in days(np.array([first_ns, last_ns])).tolist())
    return [date for date in date_folders(folder) if not is_undated(date) and first <= date.name <= last]


def _undated(folder: Path) -> list[Keys]:
    return _every(folder / f"date={UNDATED}", 0, 2**63 - 1)


def _every(date: Path, first_ns: int, last_ns: int) -> list[Keys]:
    """The blocks of a date, each once, by time, boot and seq, as one table; none where nothing is."""
    with open_parts(date) as parts:
        every = [_keys(part, (part.first <= last_ns) & (part.last >= first_ns)) for part in parts]
    if not every:
        return []
    one = joined(every)
    return [chosen(one, unique(t0=one.t0, boot=one.boot, seq=one.seq, received=one.received))]


def _marks(one: Keys) -> list[Mark]:
    columns = (one.boot, one.seq, one.t0, one.duration, one.received)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    # As `end_of` has it: what has no date may begin at the last instant that 64 bits can say.
    return [Mark(boot, seq, t0, min(t0 + duration, LAST_NS), received) for boot, seq, t0, duration, received in rows]


def _keys(part: Part, wanted: Any) -> Keys:
    return keys(part.read(np.flatnonzero(wanted).tolist(), COLUMNS))


def blocks(folder: Path, wanted: Sequence[Mark]) -> Iterator[Archived]:
    """The blocks of a device with these marks, in their order; as many at a time as memory is sure to hold."""
    spent = 0.0
    runs: list[int] = []
    for mark in wanted:
        spent += min(mark.end_ns - mark.t0_ns, LONGEST_NS) * _BYTES_PER_NS
        runs.append(int(spent // AT_ONCE_BYTES))
    for _, run in groupby(zip(runs, wanted, strict=True), key=lambda pair: pair[0]):
        yield from _blocks(folder, [mark for _, mark in run])


def _blocks(folder: Path, wanted: Sequence[Mark]) -> list[Archived]:
    found: dict[Identity, Archived] = {}
    names = days(np.array([mark.t0_ns for mark in wanted], np.int64)).tolist()
    for day in sorted(set(names)):
        some = {(m.t0_ns, m.boot, m.seq) for m, name in zip(wanted, names, strict=True) if name == day}
        _find(folder / date_name(day), some, found)
    try:
        return [found[mark.t0_ns, mark.boot, mark.seq] for mark in wanted]
    except KeyError as error:
        t0_ns, boot, seq = error.args[0]
        raise ArchiveError(
            f"{folder} lacks block {seq} of boot {boot}, t0 {t0_ns} ns, which it should hold: was a file removed?"
        ) from error


def _find(date: Path, wanted: set[Identity], found: dict[Identity, Archived]) -> None:
    """Add the blocks of a date; of several with one identity, the one that came in first."""
    times = np.unique(np.array([t0 for t0, _, _ in wanted], np.int64))
    device = device_of(date.parent)
    with open_parts(date) as parts:
        for part in parts:
            for group in _holding(part, times):
                table = Blocks(part.read([group]), device)
                for place, identity in _those(table.keys, times, wanted):
                    if identity not in found or table.keys.received[place] < found[identity].received_ns:
                        found[identity] = table[place]


def _holding(part: Part, times: IntArray) -> list[int]:
    """The groups of rows that may hold one of these times."""
    next_time = np.searchsorted(times, part.first)
    inside = next_time < len(times)
    inside[inside] = times[next_time[inside]] <= part.last[inside]
    return np.flatnonzero(inside).tolist()


def _those(every: Keys, times: IntArray, wanted: set[Identity]) -> list[tuple[int, Identity]]:
    places = np.flatnonzero(np.isin(every.t0, times))
    columns = (every.t0[places], every.boot[places], every.seq[places])
    identities = zip(*(column.tolist() for column in columns), strict=True)
    return [(k, identity) for k, identity in zip(places.tolist(), identities, strict=True) if identity in wanted]
