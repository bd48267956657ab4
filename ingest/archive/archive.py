"""The raw archive: every block that was ever accepted, as Parquet by device and UTC date.

Rules
-----
- A block's identity is (boot, seq, t0). Adding it again is harmless: reading gives it once, compaction keeps it once,
  and of two that differ in nothing else the one that came in first.
- What `add` was given is on disk when it returns. Parts appear whole, or not at all, and are never changed.
- One process adds and compacts; any number may read meanwhile.
- Nothing is kept in memory: the folder is all there is. One without the mark of this archive is not taken for it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ingest.archive import fetch
from ingest.archive.checking import check_parts
from ingest.archive.compaction import merge
from ingest.archive.fetch import Numbers
from ingest.archive.keys import pieces, unique
from ingest.archive.layout import (
    date_end_ns,
    date_folders,
    date_name,
    days,
    device_folder,
    device_folders,
    device_of,
    is_undated,
    part_paths,
)
from ingest.archive.part import GROUP_SAMPLES, Draft, drafting, make_folder, sync_folder
from ingest.archive.place import check_mark, mark_of
from ingest.archive.rows import rows
from ingest.archive.values import Archived, Finding
from ingest.errors import ArchiveError
from ingest.marks import Mark

UNDATED_PARTS: Final = 32  # what has no date never ends: it is merged when there are so many parts


class Archive:
    """The archive in a folder, which is made when it does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(f"the archive's folder cannot be made: {error}") from error
        self._mark = mark_of(folder)

    def add(self, device: str, blocks: Sequence[Archived]) -> None:
        """Keep blocks of a device; they are on disk on return, or it raises and nothing half-written is left."""
        folder = self._of(device)
        if any(archived.block.device not in (None, device) for archived in blocks):
            raise ArchiveError(f"a block that names another device is not one of {device}")
        if not blocks:
            return
        columns = np.array([(a.block.t0, a.block.boot, a.block.seq, a.received_ns) for a in blocks], np.int64).T
        order = unique(t0=columns[0], boot=columns[1], seq=columns[2], received=columns[3])
        day = days(columns[0])[order]
        drafts: list[Draft] = []
        with drafting(drafts):
            make_folder(folder)
            for one in np.unique(day).tolist():
                of_day = [blocks[place] for place in order[day == one].tolist()]
                date = folder / date_name(one)
                make_folder(date)
                drafts.append(Draft(date))
                _write(drafts[-1], of_day, dated=not is_undated(date))
            for draft in drafts:
                draft.publish()
            for written in (*(draft.path.parent for draft in drafts), folder, self.folder):
                sync_folder(written)

    def marks(self, device: str, *, start_ns: int, end_ns: int, unread: list[ArchiveError] | None = None) -> list[Mark]:
        """The dated blocks that overlap `[start_ns, end_ns)`, by time, boot and seq.

        A date that cannot be read is an error, or noted in `unread` and passed over.
        """
        return fetch.marks(self._of(device), start_ns=start_ns, end_ns=end_ns, unread=unread)

    def undated(self, device: str) -> list[Mark]:
        """The blocks whose clock was not set, by what it said."""
        return fetch.undated(self._of(device))

    def numbers(self, device: str, *, start_ns: int, end_ns: int) -> Numbers:
        """What the dated blocks are called that begin in `[start_ns, end_ns)`: arrays, many times sooner than marks."""
        return fetch.numbers(self._of(device), start_ns=start_ns, end_ns=end_ns)

    def numbers_undated(self, device: str) -> Numbers:
        """What the blocks are called whose clock was not set."""
        return fetch.numbers_undated(self._of(device))

    def parts(self, device: str, *, start_ns: int, end_ns: int) -> list[Path]:
        """The files in which `numbers` looks, for a few days: while these are the same, it gives the same."""
        return fetch.parts(self._of(device), start_ns=start_ns, end_ns=end_ns)

    def parts_undated(self, device: str) -> list[Path]:
        """The files in which `numbers_undated` looks."""
        return fetch.parts_undated(self._of(device))

    def blocks(self, device: str, marks: Sequence[Mark]) -> Iterator[Archived]:
        """The blocks of these marks, in their order."""
        return fetch.blocks(self._of(device), marks)

    def devices(self) -> list[str]:
        """Every device that has something here."""
        check_mark(self.folder, self._mark)
        return [device_of(folder) for folder in device_folders(self.folder)]

    def compact(self, device: str | None = None, *, before_ns: int) -> int:
        """Merge the parts of each date that ended before an instant; gives how many dates were merged.

        What cannot be read is left as it is, and told in the end, when all else is done.
        """
        merged, errors, dates = 0, [], list[Path]()
        for name in self.devices() if device is None else [device]:
            try:
                dates += date_folders(self._of(name))
            except ArchiveError as error:
                errors.append(error)
        for date in dates:
            try:
                if _is_due(date, before_ns):
                    merge(date)
                    merged += 1
            except ArchiveError as error:
                errors.append(error)
        if errors:
            more = f" ({len(errors) - 1} more dates likewise)" if len(errors) > 1 else ""
            raise ArchiveError(f"not compacted: {errors[0]}{more}") from errors[0]
        return merged

    def check(self, *, since_ns: int = 0) -> list[Finding]:
        """Clear up what a crash left, and set aside parts that cannot be read; for the start, before anything is added.

        Only parts written since an instant are opened: a part is never changed, so that once is enough.
        """
        check_mark(self.folder, self._mark)
        return check_parts(self.folder, since_ns=since_ns)

    def _of(self, device: str) -> Path:
        """The folder of a device, of an archive that is there."""
        check_mark(self.folder, self._mark)
        return device_folder(self.folder, device)


def _write(draft: Draft, blocks: Sequence[Archived], *, dated: bool) -> None:
    samples = np.array([sum(len(s.samples) for s in a.block.signals) // 2 for a in blocks], np.int64)
    for start, stop in pieces(samples, GROUP_SAMPLES):
        draft.write(rows(blocks[start:stop], dated=dated))
    draft.finish()


def _is_due(date: Path, before_ns: int) -> bool:
    parts = len(part_paths(date))
    if is_undated(date):
        return parts > UNDATED_PARTS
    return parts > 1 and date_end_ns(date) <= before_ns
