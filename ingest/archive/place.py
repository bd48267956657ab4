"""Whether a folder is the archive that a site has used, and no mount point without its disk.

The archive and the place beside it hold the same mark, made when both are new. A folder that lacks it looks like an
archive in which nothing has ever been: late blocks would then withdraw what is true.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.archive.layout import unlisted
from ingest.archive.part import sync_folder
from ingest.errors import ArchiveAway

MARK: Final = ".archive-id"
_BYTES: Final = 16


def mark_of(folder: Path) -> bytes:
    """The mark that an archive has to bear; made, or taken over from the archive, where the place knows of none.

    Empty where there is none and it cannot be written, as on a full disk: the next start tries again.
    """
    known = _read(beside(folder))
    if known:
        return known
    with suppress(OSError):
        mark = _read(folder / MARK) or _write(folder / MARK, secrets.token_hex(_BYTES).encode())
        return _write(beside(folder), mark)
    return b""


def check_mark(folder: Path, mark: bytes) -> None:
    """Raise `ArchiveAway` unless a folder bears this mark."""
    if mark and _read(folder / MARK) != mark:
        raise ArchiveAway(
            f"{folder} is not the archive that this site has used: it lacks the mark {MARK}. Mount the disk with the "
            f"archive. If this is the archive, put there by hand, or it is gone for good, remove {beside(folder)} and "
            "start again"
        )


def check_place(folder: Path) -> None:
    """Raise `ArchiveAway` where the place knows of an archive that is not there; for those who only look."""
    check_mark(folder, _read(beside(folder)))


def beside(folder: Path) -> Path:
    """The file beside an archive that says which it is."""
    return folder.with_name(f"{folder.name}-id")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise unlisted(path, error) from error


def _write(path: Path, mark: bytes) -> bytes:
    draft = path.with_name(f"{path.name}.tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(mark + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)
    return mark
