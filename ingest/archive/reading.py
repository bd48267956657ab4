"""Parts of a date, opened and read: whole groups of rows, chosen by the times that their footers state."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.archive.layout import part_paths
from ingest.archive.schema import SCHEMA, VERSION
from ingest.archive.values import IntArray
from ingest.errors import ArchiveError

_TRIES: Final = 100
_T0: Final = SCHEMA.get_field_index("t0_ns")
_TIME: Final = SCHEMA.get_field_index("t0")
UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, KeyError, IndexError)


@dataclass(frozen=True, slots=True)
class Part:
    """An open part: first and last `t0` of each of its groups of rows."""

    path: Path
    file: Any
    first: IntArray
    last: IntArray

    def read(self, groups: Sequence[int], columns: Sequence[str] | None = None) -> Any:
        """Rows of these groups."""
        try:
            return self.file.read_row_groups(list(groups), columns=columns, use_threads=False)
        except UNREADABLE as error:
            raise damaged(self.path, error) from error


def damaged(path: Path, error: Exception) -> ArchiveError:
    """What to say of a part that cannot be read."""
    if isinstance(error, OSError) and error.errno is not None:
        return ArchiveError(f"{path} cannot be opened: {error}. Mend that; the file itself may be whole")
    what = " ".join(str(error).split())
    return ArchiveError(f"{path} cannot be read: {what:.300}. Restore it from a backup, or move it out of the archive")


@contextmanager
def open_parts(folder: Path, *, only: Sequence[Path] | None = None) -> Iterator[list[Part]]:
    """The parts of a date (or only these). Once open they stay readable, also when compaction removes them."""
    with ExitStack() as stack:
        for _ in range(_TRIES):
            try:
                parts = [_open(path, stack) for path in part_paths(folder) if only is None or path in only]
                break
            except FileNotFoundError:  # compacted between listing and opening: what replaces it is there by now
                stack.close()
        else:
            raise ArchiveError(f"{folder} changes faster than it can be read")
        yield parts


def _open(path: Path, stack: ExitStack) -> Part:
    try:
        file = stack.enter_context(pq.ParquetFile(path, page_checksum_verification=True))
        version = version_of(file.schema_arrow)
        limits = _limits(file) if version == VERSION else np.zeros((0, 2), np.int64)
    except FileNotFoundError:
        raise
    except (*UNREADABLE, AttributeError, TypeError) as error:
        raise damaged(path, error) from error
    if version != VERSION:
        raise ArchiveError(f"{path} has version {version} of the archive's schema; this Charley reads {VERSION}")
    return Part(path, file, limits[:, 0], limits[:, 1])


def _limits(file: Any) -> IntArray:
    """First and last `t0` of each group of rows. What a footer says has no checksum, so it must agree with itself."""
    if not file.schema_arrow.equals(SCHEMA):
        raise ValueError("its columns are not those of the archive")
    if file.metadata.num_rows != sum(file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)):
        raise ValueError("its rows are not as many as it says")
    groups = [file.metadata.row_group(k) for k in range(file.num_row_groups)]
    stated = [group.column(_T0).statistics for group in groups]
    limits = np.array([(one.min, one.max) for one in stated], np.int64).reshape(-1, 2)
    again = [group.column(_TIME).statistics for group in groups]  # the same twice; none where there is no date
    if any(
        (one.min_raw, one.max_raw) != tuple(pair)
        for one, pair in zip(again, limits.tolist(), strict=True)
        if one.has_min_max
    ):
        raise ValueError("its times contradict each other")
    return limits


def version_of(schema: Any) -> int:
    """Version of the archive's schema that a file states; ValueError where it is none of ours."""
    stated = (schema.metadata or {}).get(b"charley.archive")
    if stated is None:
        raise ValueError("it is Parquet, but not of this archive")
    return int(stated)
