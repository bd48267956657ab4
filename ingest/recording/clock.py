"""The time column of a table, and how fast each column is sampled by it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.errors import RecordingError
from ingest.recording.units import SECONDS, split

STRIDE: Final = 64  # samples whose span is timed at once: stamps may be rounded, or come in packets
SPANS: Final = 2000  # spans that are kept
SNAP: Final = 2e-4  # a rate this near to a whole number is that number
NAMES: Final = {"time", "t", "timestamp", "timestamps", "datetime", "date_time", "date/time", "date time", "elapsed",
                "elapsed time", "elapsed_time", "zeit", "seconds", "second", "sec", "s", "ms", "ns", "us", "unix",
                "utc", "clock", "recording time", "timestamp_utc", "unix_time", "epoch"}  # fmt: skip
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time column: seconds are ``(value - first) * factor``."""

    column: str
    first: float | int = 0
    factor: float = 1.0
    start_ns: int = 0
    note: str = ""


def is_time(name: str) -> bool:
    """Whether a column of this name holds the time."""
    return time_parts(name)[0] in NAMES


def time_parts(name: str) -> tuple[str, str]:
    """The name of a time column and its unit, `s`, `ms`, `us`, `ns`, or nothing."""
    plain, unit = split(name)
    low = plain.lower().strip()
    if unit.lower() in SECONDS:
        return low, unit.lower()
    head, _, tail = low.replace(" ", "_").rpartition("_")
    if head in NAMES and tail in SECONDS:
        return head, tail
    return low, low if low in SECONDS else ""


def per_second(unit: str, first: float, step: float) -> tuple[float, str]:
    """Seconds in one unit of a time column, and what was assumed where it names none.

    Large numbers are counted from 1970: then their size tells the unit. Otherwise seconds, unless a step would be
    longer than a tenth of a second, slower than any signal here.
    """
    if unit:
        return SECONDS[unit], ""
    for least, factor, name in ((1e17, 1e-9, "ns"), (1e14, 1e-6, "us"), (1e11, 1e-3, "ms"), (1e8, 1.0, "s")):
        if abs(first) >= least:
            return factor, f"The time column names no unit; taken for {name} since 1970."
    factor, name = (1.0, "s") if step < 0.1 else (1e-3, "ms")
    return factor, f"The time column names no unit; taken for {name}."


@dataclass(slots=True)
class Pace:
    """The times of one column's values, as they come."""

    first: float = float("nan")
    last: float = float("nan")
    count: int = 0
    left: Times = field(default_factory=lambda: np.zeros(0))
    spans: list[float] = field(default_factory=list)

    def add(self, times: Times) -> None:
        """The next times at which the column has a value."""
        if not times.size:
            return
        self.first = self.first if self.count else float(times[0])
        self.last, self.count = float(times[-1]), self.count + len(times)
        if len(self.spans) < SPANS:
            marks = np.concatenate([self.left, times])
            self.spans += np.diff(marks[::STRIDE]).tolist()
            self.left = marks[(len(marks) - 1) // STRIDE * STRIDE :]

    def fs_hz(self) -> float:
        """Values a second between gaps; 0 where there are too few to tell."""
        if len(self.spans) >= 2:
            spans = np.array(self.spans)
            clean = spans[spans <= 1.5 * np.median(spans)]  # the others hold a gap
            fs_hz = STRIDE / float(clean.mean()) if clean.size and clean.mean() > 0 else 0.0
        else:
            lasts = self.last - self.first
            fs_hz = (self.count - 1) / lasts if self.count > 1 and lasts > 0 else 0.0
        near = float(np.rint(fs_hz))
        return near if near and abs(fs_hz - near) <= SNAP * near else fs_hz


def paces(batches: Iterator[NDArray[np.float64]], columns: Sequence[str], *, where: str) -> tuple[list[Pace], int]:
    """Pace of each column and the number of rows, from batches `(1 + columns, rows)` whose first row is the time."""
    found = [Pace() for _ in columns]
    rows, last = 0, -np.inf
    for batch in batches:
        times = batch[0]
        known = np.isfinite(times)
        steps = np.diff(np.concatenate([[last], times[known]]))
        if (steps < -0.25).any():
            row = rows + int(np.flatnonzero(known)[np.argmax(steps < -0.25)]) + 1
            raise RecordingError(
                f"{where}: the time runs backwards at row {row}. Sort the rows, or split the file there."
            )
        last = times[known][-1] if known.any() else last
        rows += batch.shape[1]
        for pace, values in zip(found, batch[1:], strict=True):
            pace.add(times[known & np.isfinite(values)])
    return found, rows
