"""Brings blocks from the journal to the archive once they have been detected in, and keeps the archive in order.

Rules
-----
- A block leaves the journal only after the archive has it on disk; a crash in between leaves it in both, and it is
  known by its name.
- A block that cannot be read any more, which an older version took, is set aside and not lost.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.archive import Archive, Archived
from ingest.errors import ArchiveError, JournalFull
from ingest.log import Log
from ingest.metrics import Metrics
from ingest.raw import Raw

AT_ONCE: Final = 4000  # blocks; with fewer of a device waiting, as many as there are
WAIT_S: Final = 5.0
COMPACT_S: Final = 3600.0
DAY_NS: Final = 86_400_000_000_000


@dataclass(slots=True)
class Keeper:
    """The way of blocks into the archive, one step at a time."""

    raw: Raw
    archive: Archive
    metrics: Metrics
    log: Log
    after_s: float
    wall_ns: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic
    not_before: float = 0.0
    compact_at: float = 0.0

    def step(self) -> int:
        """Archive blocks of one device, if some are old enough; how many left the journal."""
        if self.monotonic() < self.not_before:
            return 0
        try:
            moved = self._move()
            if not moved and self.monotonic() >= self.compact_at:
                self.compact_at = self.monotonic() + COMPACT_S
                self.archive.compact(before_ns=self.wall_ns() - DAY_NS)
        except (ArchiveError, JournalFull) as error:
            self.log.error("archive_failed", reason=str(error))  # noqa: TRY400 - the sentence says it all
            self.metrics.archive_errors.inc()
            self.not_before = self.monotonic() + WAIT_S
            return 0
        return moved

    def _move(self) -> int:
        device, stock = self.raw.stock(self.wall_ns() - int(self.after_s * 1e9), AT_ONCE)
        if not stock:
            return 0
        self.archive.add(device, [Archived(item.block, item.received_ns) for item in stock if item.block is not None])
        unreadable = [item.place for item in stock if item.block is None]
        self.raw.archived([item.place for item in stock if item.block is not None], unreadable=unreadable)
        self.metrics.archived.inc(len(stock) - len(unreadable))
        if unreadable:
            self.log.warning("unreadable", device=device, blocks=len(unreadable))
        return len(stock)
