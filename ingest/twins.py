"""Tells a copy of a block from another block with the same number, which a device makes when its counter begins anew.

A block that was taken is in the journal until the archive has it. Looked up is only what claims to have been there
before; the days of the archive that were asked about last are remembered.
"""

from collections import OrderedDict
from typing import Final

from ingest.archive import Archive
from ingest.clock import impossible
from ingest.journal import Journal
from ingest.order import ERA, Key

SAME_NS: Final = 1_000_000_000  # copies of a block agree on its time
DAY_NS: Final = 86_400_000_000_000
DAYS: Final = 4
UNDATED: Final = -1

Numbers = dict[tuple[int, int], set[int]]  # t0 by boot and seq


class Twins:
    """What was taken, in the journal or in the archive."""

    def __init__(self, journal: Journal, archive: Archive) -> None:
        self._raw = journal.raw
        self._archive = archive
        self._days: OrderedDict[tuple[str, int], Numbers] = OrderedDict()

    def same(self, device: str, key: Key, t0_ns: int) -> bool:
        """Whether the block that was taken under this number is the one that begins at `t0_ns`."""
        here = self._raw.t0_ns(device, key)
        if here is not None:
            return abs(here - t0_ns) <= SAME_NS
        number = (key[0] % ERA, key[1])
        day = UNDATED if impossible(t0_ns, received_ns=2**62) else t0_ns // DAY_NS
        # A miss is looked at once more: blocks move to the archive meanwhile.
        return any(self._has(device, day, number, t0_ns, again=again) for again in (False, True))

    def _has(self, device: str, day: int, number: tuple[int, int], t0_ns: int, *, again: bool) -> bool:
        if again:
            self._days.pop((device, day), None)
        known = self._days.get((device, day))
        if known is None:
            known = self._days[device, day] = self._read(device, day)
            if len(self._days) > DAYS:
                self._days.popitem(last=False)
        return any(abs(other - t0_ns) <= SAME_NS for other in known.get(number, ()))

    def _read(self, device: str, day: int) -> Numbers:
        if day == UNDATED:
            marks = self._archive.undated(device)
        else:
            start_ns = day * DAY_NS
            marks = self._archive.marks(device, start_ns=max(0, start_ns - SAME_NS), end_ns=start_ns + DAY_NS + SAME_NS)
        found: Numbers = {}
        for mark in marks:
            found.setdefault((mark.boot, mark.seq), set()).add(mark.t0_ns)
        return found
