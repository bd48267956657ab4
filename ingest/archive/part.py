"""A part on its way to disk: written under a name that nobody reads, synced, then given its own."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.archive.layout import part_name
from ingest.archive.schema import SCHEMA, WRITING
from ingest.errors import ArchiveError

GROUP_SAMPLES: Final = 512 * 1024  # of a group of rows: what is read at once, 7 minutes of 1 kHz and acceleration


class Draft:
    """A part that is being written; it counts once it is published."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / part_name()
        self._draft = folder / f".{self.path.name}.tmp"
        self._file = os.fdopen(os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        self._writer: Any = None  # made with the first rows: making it writes

    def write(self, table: Any) -> None:
        """Add a group of rows."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(pa.PythonFile(self._file, "w"), SCHEMA, **WRITING)
        self._writer.write_table(table, row_group_size=table.num_rows)

    def finish(self) -> None:
        """Everything is on disk after this, under the draft's name."""
        self._writer.close()
        os.fsync(self._file.fileno())
        self._file.close()

    def publish(self) -> None:
        """Make it a part."""
        self._draft.rename(self.path)

    def discard(self) -> None:
        """Leave nothing behind, unless it is a part already."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException, ValueError):  # what failed before has been told, and fails again
                self._writer.close()
        self._file.close()
        self._draft.unlink(missing_ok=True)


@contextmanager
def drafting(drafts: Sequence[Draft]) -> Iterator[None]:
    """Discards drafts when anything goes wrong, and tells errors of the disk, and of Arrow, as `ArchiveError`."""
    try:
        yield
    except BaseException as error:
        for draft in drafts:
            draft.discard()
        if isinstance(error, (OSError, pa.ArrowException)):
            raise ArchiveError(f"the archive cannot be written: {error}") from error
        raise


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may read."""
    folder.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """What a folder lists is on disk after this."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
