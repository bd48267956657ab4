"""The archive on a disk of its own that is not mounted: its folder is there, and empty."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from archive_world import FOR_EVER, a_block
from ingest_feed import check_late_blocks_wait

from ingest.archive import Archive
from ingest.archive.place import MARK, beside
from ingest.doctor.files import check_folder, look_at_folder
from ingest.errors import ArchiveAway
from ingest.keeping.manifest import BackupError
from ingest.keeping.moment import list_parts


def unmount(folder: Path) -> None:
    """As a mount point looks without its disk."""
    folder.rename(folder.with_name("disk"))
    folder.mkdir()


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """So for a while; nothing may have been put in the place of the archive meanwhile."""
    unmount(folder)
    yield
    folder.rmdir()
    folder.with_name("disk").rename(folder)


def test_an_empty_folder_is_not_the_archive(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.add("leg", [a_block(seq) for seq in range(3)])
    marks = archive.marks("leg", start_ns=0, end_ns=FOR_EVER)
    with unmounted(archive.folder):
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
    check_late_blocks_wait(tmp_path, unmounted)
