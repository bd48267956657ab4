"""Rows and columns as a source: CSV and Parquet differ only in how a batch of rows is read.

Every column has its own rate, by the times at which it has a value, so that acceleration may stand in every twentieth
row. A value that is missing in one channel repeats the one before: in EMG the detector sees that it is flat, in
acceleration it takes it for stillness. A time at which the first channel and its like have no value for a quarter of a
second is a gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.errors import RecordingError
from ingest.recording.clock import Clock, paces
from ingest.recording.labels import meaning
from ingest.recording.options import Options
from ingest.recording.source import Block, Channel, Values
from ingest.recording.units import split

GAP_S: Final = 0.25
Batch = NDArray[np.float64]  # (columns, rows)


class Rows(Protocol):
    """A table on disk: its numeric columns, read a batch of rows at a time."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns that hold numbers, without the time."""

    @property
    def units(self) -> tuple[str, ...]: ...
    def batches(self, columns: Sequence[int]) -> Iterator[Batch]:
        """Batches of the time in seconds from the first row, or row numbers where there is none, and these columns."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """A table with one time for all columns."""

    format: str
    channels: tuple[Channel, ...]
    start_ns: int
    duration_s: float
    notes: tuple[str, ...]
    rows: Rows
    row_s: float  # seconds per unit of the time that `rows` gives

    def blocks(self, picked: Sequence[int]) -> Iterator[Block]:
        """Batch by batch, cut at gaps."""
        rates = [self.channels[k].fs_hz for k in picked]
        lead = [at for at, fs_hz in enumerate(rates) if fs_hz == rates[0]]
        last_s = -np.inf
        due = _Due(rates)
        for batch in self.rows.batches(picked):
            times, values = batch[0] * self.row_s, batch[1:]
            led = np.flatnonzero(np.isfinite(times) & np.isfinite(values[lead]).any(0))
            if not led.size:
                continue
            steps = np.diff(np.concatenate([[last_s], times[led]]))
            gaps = np.flatnonzero(steps > max(GAP_S, 10 / rates[0]))
            last_s = float(times[led[-1]])
            for first, end in zip([0, *gaps], [*gaps, len(led)], strict=True):
                if first == end:
                    continue
                begins = led[first] if first else 0
                rows = slice(begins, led[end] if end < len(led) else len(times))
                start_s = float(times[led[first]])
                if first in gaps:
                    due.begin(start_s)
                yield Block(start_s, due.take(values[:, rows], end_s=start_s + (end - first) / rates[0]))


class _Due:
    """Keeps slower columns in step with the first: one that stops is filled up with missing values."""

    def __init__(self, rates: list[float]) -> None:
        self.rates, self.begun_s, self.given = rates, 0.0, [0] * len(rates)

    def begin(self, start_s: float) -> None:
        self.begun_s, self.given = start_s, [0] * len(self.rates)

    def take(self, values: Batch, *, end_s: float) -> tuple[Values, ...]:
        known = np.isfinite(values)
        taken: list[Values] = []
        for at, fs_hz in enumerate(self.rates):
            alike = [k for k, other in enumerate(self.rates) if other == fs_hz]
            mine = values[at, known[alike].any(0)]
            short = int((end_s - self.begun_s) * fs_hz) - self.given[at] - len(mine)
            if short > max(0.1 * fs_hz, 2) and fs_hz != self.rates[0]:
                mine = np.concatenate([mine, np.full(short, np.nan)])
            self.given[at] += len(mine)
            taken.append(mine)
        return tuple(taken)


def table_source(
    path: Path, rows: Rows, options: Options, *, form: str, clock: Clock | None, notes: Sequence[str] = ()
) -> TableSource:
    """Go through a table once for its rates and its length."""
    if not rows.names:
        raise RecordingError(f"{path}: holds no column of numbers")
    found, count = paces(rows.batches(range(len(rows.names))), rows.names, where=str(path))
    if not count or not any(pace.count for pace in found):
        raise RecordingError(f"{path}: holds no samples")
    stated = options.rate
    if clock is None and not stated and not options.channels and not any(meaning(*split(n)).kind for n in rows.names):
        stated = 1.0  # none of ours, as will be said
    if clock is None and not stated:
        raise RecordingError(
            f"{path}: no column is the time, so its rate is not known. Say the rate, --rate 1000, or name the column "
            f"of the time `time (s)`; the columns are {', '.join(rows.names)}"
        )
    row_s = 1.0 if clock is not None else 1 / stated
    channels, lasts = [], []
    for name, unit, pace in zip(rows.names, rows.units, found, strict=True):
        key = options.of(name, options.rates)
        if key is not None:
            fs_hz = options.rates[key]
        else:
            fs_hz = pace.fs_hz() if clock is not None else stated * _share(pace.fs_hz())
        channels.append(Channel(name, unit, fs_hz))
        lasts.append(pace.last * row_s + (1 / fs_hz if fs_hz else 0.0) if pace.count else 0.0)
    return TableSource(
        format=form,
        channels=tuple(channels),
        start_ns=clock.start_ns if clock is not None else 0,
        duration_s=float(np.max(lasts)),
        notes=(*notes, *([clock.note] if clock is not None and clock.note else [])),
        rows=rows,
        row_s=row_s,
    )


def _share(per_row: float) -> float:
    """Values a row of a column without a time: one, or one in so many."""
    return 1 / float(np.rint(1 / per_row)) if per_row else 1.0
