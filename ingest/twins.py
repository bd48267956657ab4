"""Tells a copy of a block from another block with the same number, which a device makes when its counter begins anew.

A block that was taken is in the journal until the archive has it. Looked up is only what claims to have been there
before. What was read of the archive is remembered, a device's day at a time and as much as `REMEMBERED_BYTES` hold:
many devices that repeat all they have, as after a restored backup, are asked about in turns. It is read again once it
lies in other files. A device whose counter began anew many times is asked about each of its lives for every block, and
the archive does not know them: it is asked once. A day that cannot be read is left alone for a while: it is told so of
every block that is asked about.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypedDict

import numpy as np

from ingest.archive import Archive, Numbers
from ingest.clock import impossible
from ingest.errors import ArchiveError
from ingest.journal import Journal
from ingest.order import ERA, Key

SAME_NS: Final = 1_000_000_000  # copies of a block agree on its time
DAY_NS: Final = 86_400_000_000_000
REMEMBERED_BYTES: Final = 64 * 1024 * 1024  # some thirty days of devices that send every second
UNREAD_S: Final = 5.0  # before a day that cannot be read is tried again
UNDATED: Final = -1


class _Day:
    """The blocks of a device's day that the archive has, by seq, and the files in which they are."""

    def __init__(self, numbers: Numbers, parts: list[Path]) -> None:
        self.parts = parts
        order = np.argsort(numbers.seq, kind="stable")
        self._numbers = Numbers(*(column[order] for column in numbers))

    @property
    def size(self) -> int:
        """Bytes."""
        return 1024 + sum(column.nbytes for column in self._numbers)

    def has(self, boot: int, seq: int, t0_ns: int) -> bool:
        """Whether a block with this number is there that begins at about this time."""
        first, last = np.searchsorted(self._numbers.seq, [seq, seq + 1])
        times = self._numbers.t0_ns[first:last][self._numbers.boot[first:last] == boot]
        return any(abs(other - t0_ns) <= SAME_NS for other in times.tolist())


class Twins:
    """What was taken, in the journal or in the archive."""

    def __init__(
        self,
        journal: Journal,
        archive: Archive,
        *,
        remembered_bytes: int = REMEMBERED_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._remembered_bytes = remembered_bytes
        self._raw = journal.raw
        self._archive = archive
        self._days: OrderedDict[tuple[str, int], _Day] = OrderedDict()  # the one asked about latest comes last
        self._size = 0
        self._unread: dict[tuple[str, int], tuple[str, float]] = {}  # why, and until when it is left alone
        self._missing: tuple[tuple[str, int, int, int], int] = (("", 0, 0, 0), -1)  # and the journal's version then
        self._asked: Key = (-1, -1)
        self._monotonic = monotonic

    def same(self, device: str, key: Key, t0_ns: int) -> bool:
        """Whether the block that was taken under this number is the one that begins at `t0_ns`.

        ArchiveError where nobody can tell: the archive's part with that day cannot be read.
        """
        here = self._raw.t0_ns(device, key)
        if here is not None:
            return abs(here - t0_ns) <= SAME_NS
        block, version = (device, key[0] % ERA, key[1], t0_ns), self._raw.version()
        if self._missing == (block, version) and self._asked != key:
            return False  # no block has left the journal since, nor had this one come to the archive under another life
        self._asked = key
        day = UNDATED if impossible(t0_ns, received_ns=2**62) else t0_ns // DAY_NS
        # A miss is looked at once more: blocks move to the archive meanwhile.
        found = any(self._day(device, day, again=again).has(*block[1:]) for again in (False, True))
        self._missing = (block, -1 if found else version)
        return found

    def _day(self, device: str, day: int, *, again: bool) -> _Day:
        known = self._days.pop((device, day), None)
        if known is not None and again and known.parts != self._parts(device, day):
            self._size -= known.size
            known = None
        if known is None:
            known = self._readable(device, day)
            self._size += known.size
        self._days[device, day] = known
        while self._size > self._remembered_bytes and len(self._days) > 1:
            self._size -= self._days.popitem(last=False)[1].size
        return known

    def _readable(self, device: str, day: int) -> _Day:
        now_s = self._monotonic()
        why, until_s = self._unread.pop((device, day), ("", now_s))
        if now_s >= until_s:
            try:
                parts = self._parts(device, day)  # before they are read: what comes meanwhile is seen as another
                return _Day(self._numbers(device, day), parts)
            except ArchiveError as error:
                why, until_s = str(error), now_s + UNREAD_S
        self._unread[device, day] = why, until_s
        raise ArchiveError(why)

    def _numbers(self, device: str, day: int) -> Numbers:
        return self._archive.numbers_undated(device) if day == UNDATED else self._archive.numbers(device, **_span(day))

    def _parts(self, device: str, day: int) -> list[Path]:
        return self._archive.parts_undated(device) if day == UNDATED else self._archive.parts(device, **_span(day))


class _Span(TypedDict):
    start_ns: int
    end_ns: int


def _span(day: int) -> _Span:
    """In which a copy begins of a block that begins on this day."""
    return {"start_ns": max(0, day * DAY_NS - SAME_NS), "end_ns": (day + 1) * DAY_NS + SAME_NS}
