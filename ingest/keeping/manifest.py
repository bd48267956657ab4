"""What is in a backup: every file with its size and digest, of which schemas, and from when."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ingest.errors import IngestError

NAME: Final = "manifest.json"
JOURNAL: Final = "journal.sqlite"
STORE: Final = "store.sqlite"
ARCHIVE: Final = "archive"
FORMAT: Final = 1
NAMED: Final = 5
_PIECE: Final = 4 * 1024 * 1024

Progress = Callable[[int], None]  # bytes more


class BackupError(IngestError):
    """A backup cannot be written, is not whole, or cannot be restored here."""


class Entry(msgspec.Struct, frozen=True):
    """One file."""

    path: str  # relative, with /
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    format: int
    charley: str  # version
    created: str  # UTC
    at_ns: int  # the instant at which it shows the site
    exact: bool  # whether journal, store and archive show the very same instant
    schemas: dict[str, int | str]
    counts: dict[str, int]
    damaged: dict[str, str] = {}  # file and what is wrong with it; it was so already, and copied as it was
    files: list[Entry]


def entries(folder: Path, progress: Progress) -> list[Entry]:
    """Every file below a folder, by path."""
    return [
        Entry(path.relative_to(folder).as_posix(), path.stat().st_size, digest(path, progress))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / NAME
    ]


def digest(path: Path, progress: Progress) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    for piece in _pieces(path):
        found.update(piece)
        progress(len(piece))
    return found.hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write it, readable by people."""
    path = folder / NAME
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    path.chmod(0o600)
    return path


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup, or `BackupError` with what is wrong with it."""
    try:
        content = (folder / NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BackupError(_no_backup(folder)) from error
    except OSError as error:
        raise BackupError(f"{folder / NAME} cannot be read: {error.strerror}") from error
    try:
        found = msgspec.json.decode(content, type=_Format).format
        if found > FORMAT:
            raise BackupError(f"{folder} is a backup of format {found}; this release reads up to {FORMAT}")
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupError(f"{folder / NAME} is not a manifest: {error}") from error


def is_backup(folder: Path) -> bool:
    """Whether a folder is a backup, of whichever release; another program's manifest makes none."""
    try:
        msgspec.json.decode((folder / NAME).read_bytes(), type=_Mark)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def verify(folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Raise `BackupError` unless every file is there and is what it was."""
    wrong = [trouble for entry in manifest.files if (trouble := _trouble(folder, entry, progress))]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise BackupError(f"{folder} is not whole: {'; '.join(wrong[:5])}{more}")


def utc(at_ns: int) -> str:
    """An instant, to the second."""
    return dt.datetime.fromtimestamp(at_ns // 10**9, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _no_backup(folder: Path) -> str:
    """What a place is that holds no manifest, and which backups lie in it."""
    if not folder.exists():
        return f"{folder} does not exist. Name the folder of a backup"
    if not folder.is_dir():
        return f"{folder} is a file. Name the folder of a backup"
    told = f"{folder} holds no {NAME}: it is no backup, or one that was not finished"
    inside: list[Path] = []
    with suppress(OSError):  # one that may be entered and not listed
        inside = sorted((path for path in folder.iterdir() if is_backup(path)), reverse=True)  # the latest first
    if not inside:
        return told
    more = f", and {len(inside) - NAMED} more" if len(inside) > NAMED else ""
    return f"{told}. Name one of the backups that lie in it: {', '.join(map(str, inside[:NAMED]))}{more}"


class _Format(msgspec.Struct):
    format: int


class _Mark(msgspec.Struct):
    format: int
    charley: str
    at_ns: int


def _trouble(folder: Path, entry: Entry, progress: Progress) -> str:
    path = folder / entry.path
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"{entry.path} lies outside"
    if not path.is_file():
        return f"{entry.path} is missing"
    if path.stat().st_size != entry.bytes:
        return f"{entry.path} has {path.stat().st_size} bytes instead of {entry.bytes}"
    return "" if digest(path, progress) == entry.sha256 else f"{entry.path} has changed"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
