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
LEFTOVERS: Final = "device=*/date=*/.part-*.tmp"
PARTS: Final = "device=*/date=*/part-*.parquet"

_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DATE: Final = re.compile(rf"date=(\d{{4}}-\d\d-\d\d|{UNDATED})")
_NO_DAY: Final = -1
_LISTINGS: Final = 1000


def device_folder(root: Path, device: str) -> Path:
    """The folder of a device."""
    if not _DEVICE.fullmatch(device):
        raise ArchiveError(f"device id {device!r:.100} must match {_DEVICE.pattern}")
    return root / f"device={device}"


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
    return sorted(path for path in folder.glob("date=*") if _DATE.fullmatch(path.name) and path.is_dir())


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
        listed = sorted(folder.glob("part-*.parquet"))
        if listed == last:
            return listed
        last = listed
    raise ArchiveError(f"{folder} changes faster than it can be listed")
