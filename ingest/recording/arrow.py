"""Batches of Arrow columns as numbers: what CSV and Parquet have in common once they are read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.errors import RecordingError
from ingest.recording.clock import Clock, Times, per_second, time_parts
from ingest.recording.table import Batch

DAY_S: Final = 86_400.0
Reader = Callable[[list[str]], Iterator[Any]]  # names of columns -> record batches that hold them, in this order


@dataclass(frozen=True, slots=True)
class ArrowRows:
    """The numeric columns of a table, and its time if it has one."""

    path: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    clock: Clock | None
    read: Reader

    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """Times (or row numbers) and the columns asked for."""
        wanted = [self.names[k] for k in columns]
        asked = wanted if self.clock is None else [self.clock.column, *wanted]
        count, last, days = 0, -np.inf, 0
        try:
            for batch in self.read(asked):
                values = [floats(column) for column in batch.columns[len(asked) - len(wanted) :]]
                if self.clock is None:
                    times: Times = np.arange(count, count + batch.num_rows, dtype=np.float64)
                else:
                    times, last, days = _unwrapped(_times(batch.columns[0], self.clock), last, days)
                count += batch.num_rows
                yield np.stack([times, *values])
        except (pa.ArrowException, OSError) as error:
            raise RecordingError(f"{self.path}: is damaged: {' '.join(str(error).split())}") from error


def clock_of(column: str, head: Any) -> Clock | None:
    """The clock that the first values `head` of a time column show; none where they are no times."""
    first = head[0]
    if not first.is_valid:
        return None
    if pa.types.is_timestamp(head.type):
        begin = _nanoseconds(head)[0].as_py()
        return Clock(column, begin, 1e-9, start_ns=max(begin, 0))
    if pa.types.is_time(head.type):
        return Clock(column, head.cast(pa.time64("ns")).cast(pa.int64())[0].as_py(), 1e-9)
    values = floats(head)
    finite = values[np.isfinite(values)]
    if len(finite) < 2:
        return None
    step = float(finite[-1] - finite[0]) / (len(finite) - 1)
    factor, note = per_second(time_parts(column)[1], float(finite[0]), step)
    clock = Clock(column, first.as_py(), factor, note=note)
    since_1970_s = float(finite[0]) * factor
    if 1e8 < since_1970_s < 7e9:  # 1973 to 2191
        return replace(clock, start_ns=round(since_1970_s * 1e9))
    return clock


def is_number(kind: Any) -> bool:
    """Whether a column of this type holds samples."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def floats(column: Any) -> Times:
    """A column as float64, NaN where a value is missing."""
    values: Times = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _nanoseconds(column: Any) -> Any:
    return pc.cast(column, pa.timestamp("ns", tz=column.type.tz)).cast(pa.int64())


def _times(column: Any, clock: Clock) -> Times:
    """Seconds from the first row; whole nanoseconds are subtracted before they lose their last digits."""
    if pa.types.is_timestamp(column.type):
        column = _nanoseconds(column)
    elif pa.types.is_time(column.type):
        column = column.cast(pa.time64("ns")).cast(pa.int64())
    return floats(pc.subtract(column, pa.scalar(clock.first, column.type))) * clock.factor


def _unwrapped(times: Times, last: float, days: int) -> tuple[Times, float, int]:
    """A clock that shows the time of day goes on behind midnight."""
    known = np.flatnonzero(np.isfinite(times))
    if not known.size:
        return times, last, days
    before = np.concatenate([[last - days * DAY_S], times[known[:-1]]])
    passed = days + np.cumsum(times[known] - before < -DAY_S / 2)
    times = times.copy()
    times[known] += passed * DAY_S
    return times, float(times[known[-1]]), int(passed[-1])
