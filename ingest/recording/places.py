"""Where what comes out goes: tried before hours of recordings are read, and named by its option when it fails."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import RecordingError


def check_folder(folder: Path, *, option: str, what: str) -> None:
    """Raise `RecordingError` unless files can be made in this folder, which need not be there yet; makes nothing."""
    with told(folder, option=option, what=what):
        _try(folder)


def check_file(path: Path, *, option: str, what: str) -> None:
    """Raise `RecordingError` unless this file can be made, or written over."""
    if path.is_dir():
        raise RecordingError(f"{option} {path}: is a folder. Name a file in it.")
    with told(path, option=option, what=what):
        _try(path.parent)


@contextmanager
def told(path: Path, *, option: str, what: str) -> Iterator[None]:
    """An error of the disk as one of the option that names the place."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise RecordingError(
            f"{option} {path}: {what} cannot be written there ({why}). Name a place that you may write to, with room."
        ) from error


def _try(folder: Path) -> None:
    """Write something nameless into the folder, or where it would be made."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    with tempfile.TemporaryFile(dir=there):
        pass
