"""Devices whose counter begins anew again and again: they cost little, and end nothing."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

from archive_world import NOON, SECOND_NS, a_block
from ingest_feed import block, cut, feed, recording, service

from ingest.archive import Archive, Numbers
from ingest.journal import Journal
from ingest.journal_schema import connect
from ingest.order import ERA, ERAS
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore
from ingest.twins import Twins

LIVES = 200


class Counting(Archive):
    """The archive, and how often it was read or listed."""

    reads = listings = 0

    def numbers(self, device: str, **span: Any) -> Numbers:
        self.reads += 1
        return super().numbers(device, **span)

    def parts(self, device: str, **span: Any) -> list[Path]:
        self.listings += 1
        return super().parts(device, **span)


def test_the_archive_is_asked_once_for_all_lives(tmp_path: Path) -> None:
    archive = Counting(tmp_path / "archive")
    archive.add("leg", [a_block(seq) for seq in range(20)])
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = Twins(journal, archive)
        for at in range(5):
            t0_ns = NOON + (100 + at) * SECOND_NS
            assert not any(of.same("leg", (life * ERA + 1, at), t0_ns) for life in range(LIVES))
        assert archive.reads == 1
        assert archive.listings <= 2 * 5
        assert of.same("leg", (LIVES * ERA + 1, 3), NOON + 3 * SECOND_NS)


def test_what_leaves_the_journal_between_two_lives_is_found(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    with closing(Journal(tmp_path / "journal.sqlite")) as journal, closing(connect(journal.path)) as keeper:
        of = Twins(journal, archive)
        assert not of.same("leg", (ERA + 1, 3), NOON + 3 * SECOND_NS)
        archive.add("leg", [a_block(3)])
        keeper.execute("INSERT INTO gap VALUES (NULL, 0, 0, 0, 0, '', 0, 0, 0)")  # anything, as its own connection
        assert of.same("leg", (1, 3), NOON + 3 * SECOND_NS)


def test_a_device_without_any_counter_ends_nothing_for_others(tmp_path: Path) -> None:
    """Before, the number of its lives did not fit the journal in the end: the ingester fell, again after each start."""
    source, store = MemorySource(), MemoryStore()
    start_ns = time.time_ns() - ERAS * 4 * SECOND_NS
    emg = recording(1)[:40]
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(source, journal, store, options=Options(wait_s=0))
        feed(source, "stuck", (block(emg, t0=start_ns + i * 2 * SECOND_NS) for i in range(ERAS + 3)))
        feed(source, "leg", cut(recording(20), [10, 10]))
        while of.step():
            pass
        assert source.outstanding == 0
        assert of.ingester.devices["leg"].order.boots[-1].next_seq == 2
        assert of.ingester.devices["stuck"].refused == 3
        assert {item.reason for item in journal.quarantined()} == {"counter"}
        of.close()
