"""Copies of blocks told from others with the same number, and how often the archive is read for that."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from archive_world import DAY_NS, NOON, SECOND_NS, a_block

from ingest.archive import Archive, Numbers
from ingest.journal import Journal
from ingest.order import ERA
from ingest.twins import Twins

DEVICES = [f"leg-{i:02}" for i in range(50)]


class Counting(Archive):
    """The archive, and how often it was read."""

    reads = 0

    def numbers(self, device: str, **span: Any) -> Numbers:
        self.reads += 1
        return super().numbers(device, **span)


@pytest.fixture
def archive(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "archive")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        yield journal


def test_a_copy_has_the_time_of_what_was_taken(archive: Counting, journal: Journal) -> None:
    archive.add("leg", [a_block(seq, boot=boot) for seq in range(5) for boot in (1, 2)])
    of = Twins(journal, archive)
    at = NOON + 3 * SECOND_NS
    assert of.same("leg", (1, 3), at)
    assert of.same("leg", (ERA + 2, 3), at), "an era is no part of what the archive keeps"
    assert of.same("leg", (1, 3), at + SECOND_NS), "copies may differ by a second"
    assert not of.same("leg", (1, 3), at + SECOND_NS + 1)
    assert not of.same("leg", (1, 7), at)
    assert not of.same("leg", (3, 3), at)
    assert not of.same("other", (1, 3), at)


@pytest.mark.parametrize("t0_ns", [NOON - NOON % DAY_NS, NOON - NOON % DAY_NS - 1])
def test_a_copy_is_found_across_midnight(archive: Counting, journal: Journal, t0_ns: int) -> None:
    archive.add("leg", [a_block(0, t0=t0_ns)])
    of = Twins(journal, archive)
    assert of.same("leg", (1, 0), t0_ns - SECOND_NS)
    assert of.same("leg", (1, 0), t0_ns + SECOND_NS)


def test_a_copy_without_a_date(archive: Counting, journal: Journal) -> None:
    archive.add("leg", [a_block(4, t0=5000)])
    of = Twins(journal, archive)
    assert of.same("leg", (1, 4), 5000)
    assert not of.same("leg", (1, 4), 5000 + 2 * SECOND_NS)


def test_what_the_archive_gets_later_is_found(archive: Counting, journal: Journal) -> None:
    of = Twins(journal, archive)
    assert not of.same("leg", (1, 0), NOON)
    archive.add("leg", [a_block(0)])
    assert of.same("leg", (1, 0), NOON)


def test_devices_that_repeat_all_they_have_in_turns_have_each_day_read_once(
    archive: Counting, journal: Journal
) -> None:
    for device in DEVICES:
        archive.add(device, [a_block(seq) for seq in range(20)])
    of = Twins(journal, archive)
    assert all(of.same(device, (1, seq), NOON + seq * SECOND_NS) for seq in range(20) for device in DEVICES)
    assert archive.reads == len(DEVICES)


def test_what_is_remembered_is_bounded(archive: Counting, journal: Journal) -> None:
    for device in DEVICES[:4]:
        archive.add(device, [a_block(seq) for seq in range(20)])
    of = Twins(journal, archive, remembered_bytes=2 * (1024 + 20 * 24))  # two days
    first, second, third, _ = DEVICES[:4]
    for device in (first, second, first, third, first):
        assert of.same(device, (1, 0), NOON)
    assert archive.reads == 3, "the one asked about longest ago is forgotten, and no other"
    assert of.same(second, (1, 0), NOON)
    assert archive.reads == 4
