"""Files from one place to another: SQLite by its backup interface, immutable ones by link or copy, all made durable."""

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ingest.keeping.damage import is_damage, one_line
from ingest.keeping.manifest import BackupError, Progress
from ingest.keeping.moment import list_parts

_PAGES: Final = 2_000  # copied between two signs of life
_TRIES: Final = 100


def copy_sqlite(source: sqlite3.Connection, path: Path, progress: Progress) -> str:
    """Copy what a connection sees into one new file; what SQLite finds wrong with it, or nothing."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    (page_bytes,) = source.execute("PRAGMA page_size").fetchone()
    done = 0

    def moved(_status: int, remaining: int, total: int) -> None:
        nonlocal done
        progress((total - remaining - done) * page_bytes)
        done = total - remaining

    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as target:
            source.backup(target, pages=_PAGES, progress=moved)
            trouble = _trouble(target)
    except sqlite3.Error as error:
        raise BackupError(f"{path.name} cannot be copied to {path.parent}: {error}") from error
    sync(path)
    return trouble


def _trouble(copy: sqlite3.Connection) -> str:
    """Make one file of it, without a log beside it, and say what SQLite finds wrong with it, or nothing."""
    try:
        copy.execute("PRAGMA journal_mode = DELETE")
        found = "; ".join(row[0] for row in copy.execute("PRAGMA quick_check(3)"))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        found = str(error)
    return "" if found == "ok" else one_line(found)


def copy_parts(archive: Path, parts: dict[str, int], to: Path, progress: Progress) -> int:
    """Link or copy parts of the archive; how many.

    A part that is gone was merged with others of its date: whatever is there now is taken too. What then is there
    twice does no harm.
    """
    copied = 0
    for _ in range(_TRIES):
        merged = set()
        for name, size in parts.items():
            if (to / name).exists():
                continue
            if place(archive / name, to / name, size):
                copied += 1
                progress(size)
            else:
                merged.add(str(Path(name).parent))
        if not merged:
            return copied
        parts = {name: size for name, size in list_parts(archive).items() if str(Path(name).parent) in merged}
    raise BackupError(f"{archive} changes faster than it can be copied")


def place(source: Path, target: Path, size: int) -> bool:
    """Give an immutable file a second name or, on another disk, copy it; False when it is gone."""
    make_folder(target.parent)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP}:
            raise
        return copy_file(source, target, size)
    return True


def copy_file(source: Path, target: Path, size: int | None = None) -> bool:
    """Copy a file to a name that is free; False when the source is gone."""
    make_folder(target.parent)
    try:
        with source.open("rb") as reading:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as writing:
                shutil.copyfileobj(reading, writing, 1024 * 1024)
                writing.flush()
                os.fsync(writing.fileno())
    except FileNotFoundError:
        return False
    if size is not None and target.stat().st_size != size:
        raise BackupError(f"{source} changed while it was copied, which it never should")
    return True


def make_folder(path: Path) -> None:
    """Make a folder and those above it, for the owner alone."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def sync(path: Path) -> None:
    """Put a file or a folder's names on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """Put the names in a folder and in all below it on disk."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_dir():
            sync(path)
