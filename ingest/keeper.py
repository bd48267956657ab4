"""Brings blocks from the journal to the archive once they have been detected in, and keeps the archive in order.

Rules
-----
- A block leaves the journal only after the archive has it on disk; a crash in between leaves it in both, and it is
  known by its name.
- A block that cannot be read any more, which an older version took, is set aside and not lost.
- A device whose folder cannot be written is put off, for twice as long each time, and others take their turns; a disk
  without room, or one that is not mounted, is waited for.
"""

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ingest.archive import Archive, Archived
from ingest.errors import ArchiveAway, ArchiveError, JournalFull
from ingest.log import Log
from ingest.metrics import Metrics
from ingest.raw import Raw

AT_ONCE: Final = 4000  # blocks; with fewer of a device waiting, as many as there are
WAIT_S: Final = 5.0
PUT_OFF_S: Final = (5.0, 600.0)  # the first time, and at most
FOR_ALL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # what is wrong with the disk, and no device's folder
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
    put_off: dict[str, tuple[float, float]] = field(default_factory=dict)  # by device: for how long, until when
    leaving: "_Leaving | None" = None

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
            self._failed(error)
            self.not_before = self.monotonic() + WAIT_S
            return 0
        return moved

    def _move(self) -> int:
        if self.leaving is None:
            now = self.monotonic()
            others = [device for device, (_, until) in self.put_off.items() if now < until]
            device, stock = self.raw.stock(self.wall_ns() - int(self.after_s * 1e9), AT_ONCE, but=others)
            if not stock:
                if others:  # to look past their blocks costs more than to find none
                    self.not_before = now + WAIT_S
                return 0
            read = [Archived(item.block, item.received_ns) for item in stock if item.block is not None]
            try:
                self.archive.add(device, read)
            except ArchiveError as error:
                if isinstance(error, ArchiveAway) or getattr(error.__cause__, "errno", None) in FOR_ALL:
                    raise
                self._put_off(device, error)
                return 0
            self.put_off.pop(device, None)
            self.leaving = _Leaving(
                device,
                [item.place for item in stock if item.block is not None],
                [item.place for item in stock if item.block is None],
            )
        return self._leave(self.leaving)

    def _leave(self, these: "_Leaving") -> int:
        """Out of the journal; if it cannot be written now, they are not added to the archive once more for that."""
        self.raw.archived(these.archived, unreadable=these.unreadable)
        self.leaving = None
        self.metrics.archived.inc(len(these.archived))
        if these.unreadable:
            self.log.warning("unreadable", device=these.device, blocks=len(these.unreadable))
        return len(these.archived) + len(these.unreadable)

    def _put_off(self, device: str, error: ArchiveError) -> None:
        first_s, most_s = PUT_OFF_S
        for_s = min(most_s, max(first_s, 2 * self.put_off.get(device, (0.0, 0.0))[0]))
        self.put_off[device] = for_s, self.monotonic() + for_s
        self._failed(error, device=device, again_in_s=for_s)

    def _failed(self, error: Exception, **more: object) -> None:
        self.log.error("archive_failed", reason=str(error), **more)
        self.metrics.archive_errors.inc()


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Blocks that the archive has and the journal does not know to have left: their places."""

    device: str
    archived: list[int]
    unreadable: list[int]
