"""Folders of the archive that may not be looked into: that is not the same as nothing being there."""

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from archive_world import DAY_NS, FOR_EVER, NOON, a_block
from ingest_feed import check_late_blocks_wait

from ingest.archive import Archive
from ingest.errors import ArchiveError
from ingest.keeping.manifest import BackupError
from ingest.keeping.moment import list_parts

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can pass through: pytest's are its user's alone."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@contextmanager
def locked(folder: Path, mode: int = 0) -> Iterator[None]:
    """A folder that we may not read; nobody else than root may read everything, so root becomes another."""
    before, root = folder.stat().st_mode, os.geteuid() == 0
    folder.chmod(mode)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(before)


def a_day(archive: Archive, device: str = "leg") -> Path:
    """The folder of a day with some blocks in two parts."""
    archive.add(device, [a_block(seq) for seq in range(5)])
    archive.add(device, [a_block(seq) for seq in range(5, 9)])
    return archive.folder / f"device={device}" / "date=2026-11-23"


def give(archive: Archive) -> None:
    """Let the archive be of whom root becomes."""
    if os.geteuid() == 0:
        for path in (archive.folder, *archive.folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


def test_what_cannot_be_looked_into_is_not_empty(folder: Path) -> None:
    archive = Archive(folder / "archive")
    date = a_day(archive)
    marks = archive.marks("leg", start_ns=0, end_ns=FOR_EVER)
    for path in (date, date.parent):
        with locked(path):
            for ask in (
                lambda: archive.marks("leg", start_ns=0, end_ns=FOR_EVER),
                lambda: archive.numbers("leg", start_ns=NOON, end_ns=NOON + 1),
                lambda: list(archive.blocks("leg", marks)),
            ):
                with pytest.raises(ArchiveError, match="cannot be looked into"):
                    ask()
    with locked(archive.folder), pytest.raises(ArchiveError, match="cannot be looked into"):
        archive.devices()
    assert archive.marks("leg", start_ns=0, end_ns=FOR_EVER) == marks
    assert archive.marks("other", start_ns=0, end_ns=FOR_EVER) == []


def test_without_a_file_to_open_nothing_is_said(folder: Path) -> None:
    archive = Archive(folder / "archive")
    a_day(archive)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(ArchiveError, match="Too many open files"):
            archive.marks("leg", start_ns=0, end_ns=FOR_EVER)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_check_tells_and_goes_on(folder: Path) -> None:
    archive = Archive(folder / "archive")
    hidden, fixed, sound = (a_day(archive, name) for name in ("hidden", "fixed", "sound"))
    for date in (hidden, fixed, sound):
        part = next(date.glob("part-*"))
        part.write_bytes(b"no Parquet any more")
        (date / ".part-x.parquet.tmp").write_bytes(b"half")
    give(archive)
    fixed.chmod(0o500)
    with locked(hidden):
        found = archive.check()
    fixed.chmod(0o700)
    for date, ends in (
        (hidden, ["cannot be looked into"]),
        (fixed, ["cannot be removed", "cannot be set aside"]),
        (sound, ["is removed", "set aside as"]),
    ):
        of = [finding.sentence for finding in found if date in (finding.path, finding.path.parent)]
        assert len(of) == len(ends)
        assert all(end in sentence for end, sentence in zip(ends, of, strict=True))


def test_others_are_compacted(folder: Path) -> None:
    archive = Archive(folder / "archive")
    date, other = a_day(archive), a_day(archive, "other")
    for stray in ("device=leg (copy)/date=2026-11-23", "device=leg/date=2026-02-30", "device=leg/date=2026-11-22.old"):
        shutil.copytree(date, archive.folder / stray)
    assert archive.devices() == ["leg", "other"]
    assert archive.compact(before_ns=NOON + 2 * DAY_NS) == 2
    assert [len(list(one.iterdir())) for one in (date, other)] == [1, 1]

    a_day(archive)
    a_day(archive, "other")
    give(archive)
    with locked(date), pytest.raises(ArchiveError, match="cannot be looked into"):
        archive.compact(before_ns=NOON + 2 * DAY_NS)
    assert [len(list(one.iterdir())) for one in (date, other)] == [3, 1]


def test_an_ingester_waits_until_it_can_look(folder: Path) -> None:
    """Before, a repeated block began another life of its device, and a late one had all that was found withdrawn."""

    def hidden(archive: Path) -> AbstractContextManager[None]:
        give(Archive(archive))
        (date,) = (archive / "device=leg").glob("date=*")
        return locked(date)

    check_late_blocks_wait(folder, hidden)


def test_a_backup_does_not_leave_out_what_cannot_be_looked_into(folder: Path) -> None:
    archive = Archive(folder / "archive")
    for device in ("leg-a", "leg-b"):
        archive.add(device, [a_block(0)])
    assert len(list_parts(archive.folder)) == 2
    for path in folder.rglob("*"):
        path.chmod(0o755)
    with locked(archive.folder / "device=leg-b"), pytest.raises(BackupError, match="leg-b cannot be looked into"):
        list_parts(archive.folder)
