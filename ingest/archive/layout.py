"""Where things lie: `device=leg-7/date=2026-11-23/part-*.parquet`.

Names that begin with a dot (half written) or an underscore (damaged) are no parts, to us and to readers of Parquet.
"""

import datetime as dt
import re
import secrets
from pathlib import Path
from typing import Final

import numpy as np

from ingest.archive.values import IntArray
from ingest.errors import ArchiveError
from ingest.wire import BLOCK_S, T0_NS

UNDATED: Final = "undated"
DAY_NS: Final = 24 * 3600 * 1_000_000_000
LONGEST_NS: Final = round((BLOCK_S[1] + 1) * 1e9)  # no block lasts longer; one sample more than 60 s is allowed

_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DATE: Final = re.compile(r"date=(\d{4}-\d\d-\d\d)")
_NO_DAY: Final = -1
_LISTINGS: Final = 1000


def device_folder(root: Path, device: str) -> Path:
    """The folder of a device."""
    if not _DEVICE.fullmatch(device):
        raise ArchiveError(f"device id {device!r:.100} must match {_DEVICE.pattern}")
    return root / f"device={device}"


def device_folders(root: Path) -> list[Path]:
    """The folders of all devices, by name."""
    return [folder for folder in _folders(root, "device=") if _DEVICE.fullmatch(device_of(folder))]


def device_of(folder: Path) -> str:
    """The device that a folder is named after."""
    return folder.name.removeprefix("device=")


def days(t0: IntArray) -> IntArray:
    """Days since 1970 of these instants, -1 for those that no clock that is set would say."""
    dated = (t0 >= T0_NS[0]) & (t0 < T0_NS[1])
    return np.where(dated, t0 // DAY_NS, _NO_DAY)


def date_name(day: int) -> str:
    """Name of the folder of a day."""
    if day == _NO_DAY:
        return f"date={UNDATED}"
    return f"date={dt.date(1970, 1, 1) + dt.timedelta(days=day)}"


def date_end_ns(folder: Path) -> int:
    """Midnight after the date of a folder, UTC."""
    day = dt.date.fromisoformat(folder.name.removeprefix("date=")) - dt.date(1970, 1, 1)
    return (day.days + 1) * DAY_NS


def is_undated(folder: Path) -> bool:
    """Whether a folder holds what has no date."""
    return folder.name == f"date={UNDATED}"


def date_folders(folder: Path) -> list[Path]:
    """The date folders of a device, by date; what has no date comes last."""
    return [path for path in _folders(folder, "date=") if _is_date(path.name)]


def part_name() -> str:
    """A name that no part has had."""
    return f"part-{secrets.token_hex(8)}.parquet"


def part_paths(folder: Path) -> list[Path]:
    """The parts of a date.

    A listing is no snapshot: one part may be made and another removed while it is read, and neither be in it. Two
    listings that agree missed nothing, for the second began after the first one's removals.
    """
    last = None
    for _ in range(_LISTINGS):
        listed = _named(folder, "part-", ".parquet")
        if listed == last:
            return [folder / name for name in listed]
        last = listed
    raise ArchiveError(f"{folder} changes faster than it can be listed")


def leftovers(folder: Path) -> list[Path]:
    """The half written parts of a date."""
    return [folder / name for name in _named(folder, ".part-", ".tmp")]


def _is_date(name: str) -> bool:
    stated = _DATE.fullmatch(name)
    try:
        return name == f"date={UNDATED}" or (stated is not None and bool(dt.date.fromisoformat(stated[1])))
    except ValueError:
        return False


def _folders(folder: Path, prefix: str) -> list[Path]:
    try:
        return [path for name in _named(folder, prefix) if (path := folder / name).is_dir()]
    except OSError as error:
        raise unlisted(folder, error) from error


def _named(folder: Path, prefix: str, suffix: str = "") -> list[str]:
    """What a folder lists under such names, nothing if it is not there; ArchiveError where nobody can tell.

    `Path.glob` would not do: it gives nothing where a folder may not be read, as if all of it had never been.
    """
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unlisted(folder, error) from error
    return sorted(name for name in names if name.startswith(prefix) and name.endswith(suffix))


def unlisted(folder: Path, error: OSError) -> ArchiveError:
    """The error for a place of which nobody can tell what is in it."""
    return ArchiveError(
        f"{folder} cannot be looked into: {error.strerror}. Mend that (it must be the service's user's own), "
        "or move it out of the archive"
    )
