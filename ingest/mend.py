"""At the start: makes up for what a damaged journal lost, and for a detector that is another than before.

Rules
-----
- Each device is committed by itself, and doing it again is harmless; only when all are done is the report dropped.
- Where records that waited for the store may be lost, the sessions of the last days are detected again, and every
  episode known is delivered again; keys make that harmless.
- What a device's blocks do not tell is asked of the store; one that does not answer holds up nothing.
- Of an archive with dates that cannot be read, the others count; and nothing that was told is forgotten for them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from detector import Params
from ingest.archive import Archive
from ingest.clock import timeline
from ingest.devices import Device, irregular
from ingest.errors import ArchiveError, StoreError
from ingest.journal import Entry, Journal
from ingest.log import Log
from ingest.marks import Mark
from ingest.order import Key
from ingest.pipeline import SESSION_GAP_NS, detector_of
from ingest.raw import Move
from ingest.recall import Identity, groundless, identity, newest, rebuilt, stale, without
from ingest.salvage import Report
from ingest.store import Episode, Store
from ingest.timeline import Placed

ALL_NS: Final = 2**62
HOUR_NS: Final = 3_600_000_000_000
OUTAGE_NS: Final = 48 * HOUR_NS  # records may have waited so long for the store
MARGIN_NS: Final = 26 * HOUR_NS


@dataclass(slots=True)
class Blocks:
    """What there is of a device's blocks."""

    marks: list[Mark]
    keys: dict[Identity, Key]
    late: int

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Those whose time is known, in order."""
        return timeline(self.marks).placed


@dataclass(slots=True)
class Mender:
    """What it takes to mend, and what has become of it."""

    journal: Journal
    archive: Archive
    store: Store
    params: Params
    log: Log
    now_ns: int
    devices: dict[str, Device] = field(default_factory=dict)  # that have changed
    unread: set[str] = field(default_factory=set)  # devices of which something in the archive cannot be read
    waiting: dict[str, list[Episode]] | None = None  # for the store, by device, once asked for

    def mend(self) -> None:
        """Look at every device, and say what was done."""
        report = self.journal.salvaged()
        known = self.journal.devices()
        lost = sorted({*self.journal.lost(), *self.archive.devices()} - known.keys())
        missing = 0
        for name in lost:
            missing += self._rebuild(name, report)
        for name, device in known.items():
            if report is not None:
                missing += self._repair(name, device, report)
            elif device.track is not None and device.track.detector != detector_of(self.params):
                self._renew(name, device)
        if report is not None:
            self._tell(report, lost, missing)
            self.journal.mended()
        elif lost:
            self.log.warning(
                "devices_recalled", devices=lost,
                sentence="the archive has blocks of these, the journal did not know them: built anew from the blocks",
            )  # fmt: skip

    def _rebuild(self, name: str, report: Report | None) -> int:
        """A device without a state; gives how many of its blocks are missing."""
        blocks = self._blocks(name)
        device = rebuilt(blocks.marks, blocks.keys, late=blocks.late, now_ns=self.now_ns)
        all_lost = report is None or report.outbox_lost
        told = self._told(name, report)
        self._commit(name, device, blocks.placed, told, again=True, all_lost=all_lost)
        return device.order.missing

    def _repair(self, name: str, device: Device, report: Report) -> int:
        """A device whose state is there; gives how many blocks are gone that it had sent."""
        blocks = self._blocks(name)
        order, lost = without(device.order, blocks.marks, blocks.keys)
        other = device.track is not None and device.track.detector != detector_of(self.params)
        if lost:
            device = msgspec.structs.replace(device, order=order)
        if lost or other or report.outbox_lost or report.told_lost:
            again = other or report.outbox_lost
            told = self._told(name, report)
            self._commit(name, device, blocks.placed, told, again=again, all_lost=report.outbox_lost)
        return lost

    def _renew(self, name: str, device: Device) -> None:
        """A device whose state is of another detector: its last session is to be detected again whole."""
        margin_ns = MARGIN_NS
        while True:
            low_ns = max(0, device.view.last_sample_ns - margin_ns)
            placed = self._blocks(name, since_ns=low_ns).placed
            first = stale(placed)
            starts = {identity(item.mark): item.start_ns for item in placed}
            if not first or low_ns == 0 or starts[first[0]] > low_ns + SESSION_GAP_NS:
                break
            margin_ns *= 4
        self._commit(name, device, placed, [], again=True, all_lost=False)
        self.log.info("detector_changed", device=name, sentence="its last session is detected again whole")

    def _commit(
        self, name: str, device: Device, placed: Sequence[Placed], told: list[Episode], *, again: bool, all_lost: bool
    ) -> None:
        moved = []
        if again and placed:
            reach_ns = max(item.end_ns for item in placed)
            moved = stale(placed, since_ns=reach_ns - OUTAGE_NS if all_lost else None)
            first_ns = min(item.start_ns for item in placed if identity(item.mark) in moved)
            device = irregular(device, first_ns, reach_ns, now_ns=self.now_ns)
        self.journal.commit(
            Entry(
                devices={name: device},
                moved=[Move(name, *place, None) for place in moved],
                told=told,
                records=told if all_lost else [],
                now_ns=self.now_ns,
            )
        )
        if name not in self.unread:
            self.journal.ledger.forget(groundless(told, placed))
        self.devices[name] = device

    def _blocks(self, name: str, *, since_ns: int = 0) -> Blocks:
        kept = self.journal.raw.kept(name)
        marks = {identity(item.mark): item.mark for item in kept}
        unread: list[ArchiveError] = []
        every: tuple[Callable[[], list[Mark]], ...] = (
            lambda: self.archive.marks(name, start_ns=since_ns, end_ns=ALL_NS, unread=unread),
            lambda: self.archive.undated(name),
        )
        for some in every:
            try:
                marks.update((identity(mark), mark) for mark in some())
            except ArchiveError as error:
                unread.append(error)
        if unread:
            self.unread.add(name)
            self.log.error("archive_unreadable", device=name, reason="; ".join(map(str, unread)))
        keys = {identity(item.mark): item.key for item in kept}
        late = sum(item.disposition == "late" for item in kept)
        return Blocks(list(marks.values()), keys, late)

    def _told(self, name: str, report: Report | None) -> list[Episode]:
        """What was told of the episodes of a device, by whoever still knows."""
        told = self.journal.ledger.between(name, 0, ALL_NS)
        if report is None or report.told_lost:
            told = [*self._stored(name), *told, *self._waiting(name)]
        return newest(told)

    def _waiting(self, name: str) -> list[Episode]:
        """Episodes of a device on their way to the store."""
        if self.waiting is None:
            self.waiting = {}
            for _, record in self.journal.outbox.records(-1):
                if isinstance(record, Episode):
                    self.waiting.setdefault(record.device, []).append(record)
        return self.waiting.get(name, [])

    def _stored(self, name: str) -> list[Episode]:
        try:
            return self.store.episodes([name], start_ns=0, end_ns=ALL_NS, withdrawn=True)
        except StoreError as error:
            self.log.warning(
                "told_unknown", device=name, reason=str(error),
                sentence="episodes that are found no more cannot be withdrawn: the store does not say what they were",
            )  # fmt: skip
            return []

    def _tell(self, report: Report, lost: Sequence[str], missing: int) -> None:
        self.log.error(
            "journal_damaged",
            what=report.what,
            file=report.file,
            saved=report.saved,
            unreadable=report.unreadable,
            rebuilt=list(lost),
            missing_blocks=missing,
            sentence=sentence_of(report, len(lost), missing),
        )


def sentence_of(report: Report, rebuilt_devices: int, missing: int) -> str:
    """What happened to the journal, for a person."""
    return (
        f"The journal was damaged ({report.what}). Saved: {_counts(report.saved)}. "
        f"Not readable, at least: {_counts(report.unreadable)}. "
        f"{rebuilt_devices} devices were built anew from their blocks. {missing} blocks are missing: devices that "
        "still have them send them again, others are lost. "
        + ("Messages to the broker that waited may be lost; records are made again. " if report.outbox_lost else "")
        + f"The damaged file is {report.file}: keep it until the results have been looked at, then delete it, and look "
        "at the disk and the power supply of this machine."
    )


def _counts(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {table}" for table, count in rows.items() if count) or "none"
