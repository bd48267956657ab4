"""The self-check: leftovers are cleared, damage is set aside and told."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from ingest.archive.layout import date_folders, device_folders, leftovers, part_paths
from ingest.archive.part import sync_folder
from ingest.archive.reading import UNREADABLE, version_of
from ingest.archive.schema import VERSION
from ingest.archive.values import Finding
from ingest.errors import ArchiveError


def check_parts(root: Path, *, since_ns: int) -> list[Finding]:
    """Check everything below a folder. What cannot be looked at, or not be put right, keeps nothing else from it."""
    unlisted: list[Finding] = []

    def below(folder: Path, listed: Callable[[Path], list[Path]]) -> list[Path]:
        try:
            return listed(folder)
        except ArchiveError as error:
            unlisted.append(Finding(folder, str(error), lost=False))
            return []

    dates = [date for device in device_folders(root) for date in below(device, date_folders)]
    cleared = [_cleared(path) for date in dates for path in below(date, leftovers)]
    findings = [_checked(path, since_ns) for date in dates for path in below(date, part_paths)]
    told = {finding.path: finding for finding in unlisted}
    return [*told.values(), *cleared, *(finding for finding in findings if finding is not None)]


def footer_trouble(path: Path) -> str:
    """What is wrong with a part's footer, or nothing; nothing is set aside."""
    try:
        with pq.ParquetFile(path) as file:
            version_of(file.schema_arrow)
    except UNREADABLE as error:
        return str(error) or type(error).__name__
    return ""


def page_trouble(path: Path) -> str:
    """What is wrong anywhere in a part, or nothing; all of it is read, and nothing is set aside."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                file.read_row_group(group, use_threads=False)
    except FileNotFoundError:
        return ""  # compacted meanwhile
    except UNREADABLE as error:
        return str(error) or type(error).__name__
    return ""


def _cleared(path: Path) -> Finding:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return Finding(path, f"{path} is half written, and cannot be removed: {error.strerror}. Remove it", lost=False)
    sentence = f"{path} was half written when the service ended, and is removed: its blocks are added again"
    return Finding(path, sentence, lost=False)


def _checked(path: Path, since_ns: int) -> Finding | None:
    """What is wrong with a part, if anything; only its footer is read, which is what it ends with."""
    try:
        if path.stat().st_mtime_ns < since_ns:
            return None
        with pq.ParquetFile(path) as file:
            version = version_of(file.schema_arrow)
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno is not None:
            return Finding(path, f"{path} cannot be opened: {error}. Mend that and start again", lost=False)
        return _set_aside(path, error)
    if version != VERSION:
        return Finding(
            path, f"{path} has version {version} of the archive's schema: a newer Charley reads it", lost=False
        )
    return None


def _set_aside(path: Path, error: Exception) -> Finding:
    aside, what = path.with_name(f"_{path.name}.damaged"), " ".join(str(error).split())
    try:
        path.rename(aside)
        sync_folder(path.parent)
    except OSError as refused:
        sentence = f"{path} is damaged ({what:.300}), and cannot be set aside: {refused.strerror}. Move it elsewhere"
        return Finding(path, sentence, lost=True)
    sentence = (
        f"{path} is damaged ({what:.300}) and set aside as {aside.name}: its blocks are missing from the archive "
        f"until the file is restored from a backup under its old name"
    )
    return Finding(aside, sentence, lost=True)
