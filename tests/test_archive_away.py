"""The archive on a disk of its own that is not mounted: its folder is there, and empty."""

import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest
from archive_world import FOR_EVER, a_block
from ingest_feed import SECOND_NS, contents, cut, feed, ingest, recording, service

from ingest.archive import Archive
from ingest.archive.place import MARK, beside
from ingest.doctor.files import check_folder, look_at_folder
from ingest.errors import ArchiveAway
from ingest.journal import Journal
from ingest.keeping.manifest import BackupError
from ingest.keeping.moment import list_parts
from ingest.order import ERA
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore


def unmount(folder: Path) -> None:
    """As a mount point looks without its disk."""
    folder.rename(folder.with_name("disk"))
    folder.mkdir()


def mount(folder: Path) -> None:
    """Back again; nothing may have been put in the place of the archive meanwhile."""
    folder.rmdir()
    folder.with_name("disk").rename(folder)


def test_an_empty_folder_is_not_the_archive(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.add("leg", [a_block(seq) for seq in range(3)])
    marks = archive.marks("leg", start_ns=0, end_ns=FOR_EVER)
    unmount(archive.folder)
    for one in (archive, Archive(archive.folder)):  # while it is used, and at a start
        for ask in (
            lambda one: one.marks("leg", start_ns=0, end_ns=FOR_EVER),
            lambda one: one.undated("leg"),
            lambda one: one.numbers("leg", start_ns=0, end_ns=1),
            lambda one: list(one.blocks("leg", marks)),
            lambda one: one.devices(),
            lambda one: one.check(),
            lambda one: one.compact(before_ns=FOR_EVER),
            lambda one: one.add("leg", [a_block(3)]),
        ):
            with pytest.raises(ArchiveAway, match="Mount the disk with the archive"):
                ask(one)
    mount(archive.folder)
    assert Archive(archive.folder).marks("leg", start_ns=0, end_ns=FOR_EVER) == marks
    assert archive.marks("leg", start_ns=0, end_ns=FOR_EVER) == marks


def test_another_disk_is_not_the_archive(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    other = Archive(tmp_path / "elsewhere" / "archive")
    unmount(archive.folder)
    shutil.copy(other.folder / MARK, archive.folder)
    with pytest.raises(ArchiveAway):
        archive.devices()


def test_an_archive_of_before_is_marked_and_one_put_there_by_hand_taken_over(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.add("leg", [a_block(0)])
    for path in (archive.folder / MARK, beside(archive.folder)):
        path.unlink()
    assert Archive(archive.folder).devices() == ["leg"]  # of an older version, or restored
    assert (archive.folder / MARK).read_bytes() == beside(archive.folder).read_bytes()
    beside(archive.folder).unlink()  # as the sentence asks to
    Archive(archive.folder)
    assert (archive.folder / MARK).read_bytes() == beside(archive.folder).read_bytes()
    beside(archive.folder).write_bytes(b"")  # a file that a power cut left empty
    assert Archive(archive.folder).devices() == ["leg"]
    assert beside(archive.folder).read_bytes()


def test_a_mark_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    blocked = beside(tmp_path / "archive").with_name("archive-id.tmp")
    blocked.mkdir()  # where the mark would be written
    archive = Archive(tmp_path / "archive")
    archive.add("leg", [a_block(0)])
    assert archive.devices() == ["leg"]
    blocked.rmdir()
    assert Archive(archive.folder).devices() == ["leg"]
    assert beside(archive.folder).exists()


def test_backup_and_doctor_say_so(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.add("leg", [a_block(0)])
    unmount(archive.folder)
    with pytest.raises(BackupError, match="Mount the disk"):
        list_parts(archive.folder)
    found = check_folder(look_at_folder(tmp_path, now_s=time.time(), mounts=None, least=0))
    (check,) = [check for check in found if check.name == "archive.whole"]
    assert check.verdict == "fail"
    assert "is not the archive" in check.found
    assert "Mount the disk" in check.mend


def test_nothing_is_withdrawn_while_the_archive_is_away(tmp_path: Path) -> None:
    """Before, a late block had all that was found in its session withdrawn, and archived blocks lay under the mount."""
    tape, source, store, now_s = list(cut(recording(600), [10] * 60)), MemorySource(), MemoryStore(), [0.0]
    start_ns = time.time_ns() + 60 * SECOND_NS
    late = tape[20:22]
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(
            source, journal, store, options=Options(wait_s=0, settle_s=0, archive_after_s=0),
            monotonic=lambda: now_s[0], wall_ns=lambda: start_ns + int(now_s[0] * SECOND_NS),
        )  # fmt: skip

        def turns() -> None:
            for _ in range(40):
                of.step()
                now_s[0] += 1

        feed(source, "leg", (block for block in tape if block not in late))
        turns()
        whole = contents(store, ["leg"])
        assert any("preliminary" in str(record) or "final" in str(record) for record in whole)
        unmount(tmp_path / "journal.archive")
        feed(source, "leg", [tape[3], *late])
        turns()
        assert contents(store, ["leg"]) == whole
        assert of.ingester.devices["leg"].order.current < ERA, "it did not begin another life"
        mount(tmp_path / "journal.archive")
        turns()
        of.settle()
        of.close()
    (tmp_path / "in order").mkdir()
    expected = ingest(tmp_path / "in order", (("leg", block) for block in tape))
    assert contents(store, ["leg"]) == contents(expected, ["leg"])
