"""The text export of Trigno sensors: one line about each channel, then pairs of time and value, each at its own rate.

Rows are as many as the fastest channel has samples; the slower ones end earlier. So the rates are read in streams of
their own, side by side.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ingest.errors import RecordingError
from ingest.recording.arrow import floats
from ingest.recording.csv_rows import read_csv
from ingest.recording.source import Block, Channel
from ingest.recording.table import Batch

PIECE_S: Final = 60.0
_LINE: Final = re.compile(
    r"Label: (?P<label>.*?) Sampling frequency: (?P<fs>\S+) Number of points: (?P<n>\d+) start: (?P<start>\S+) "
    r"Unit: (?P<unit>.*?) Domain Unit: (?P<domain>.*)"
)


@dataclass(frozen=True, slots=True)
class TrignoSource:
    """An export: channel k stands in column `columns[k]`."""

    path: Path
    encoding: str
    skip: int
    width: int
    columns: tuple[int, ...]
    channels: tuple[Channel, ...]
    lengths: tuple[int, ...]  # samples of each channel that the file holds
    notes: tuple[str, ...]
    format: str = "Trigno CSV"
    start_ns: int = 0

    @property
    def duration_s(self) -> float:
        """Of the channel that ends last."""
        return max(n / c.fs_hz for n, c in zip(self.lengths, self.channels, strict=True))

    def blocks(self, picked: Sequence[int]) -> Iterator[Block]:
        """A minute at a time, until the first channel asked for ends."""
        by_rate: dict[float, list[int]] = {}
        for k in picked:
            by_rate.setdefault(self.channels[k].fs_hz, []).append(k)
        streams = {fs_hz: _Stream(self._batches(of), len(of)) for fs_hz, of in by_rate.items()}
        first = self.channels[picked[0]].fs_hz
        lasts_s = min(self.lengths[k] for k in by_rate[first]) / first
        for start_s in np.arange(0.0, lasts_s, PIECE_S).tolist():
            end_s = min(start_s + PIECE_S, lasts_s)
            taken = {f: s.take(round(end_s * f) - round(start_s * f)) for f, s in streams.items()}
            rows = [taken[self.channels[k].fs_hz][by_rate[self.channels[k].fs_hz].index(k)] for k in picked]
            yield Block(start_s, tuple(rows))

    def _batches(self, picked: Sequence[int]) -> Iterator[Batch]:
        """The columns of these channels, without the empty cells behind their end."""
        kinds = {str(self.columns[k]): pa.float64() for k in picked}
        try:
            for batch in read_csv(self.path, skip=self.skip, columns=self.width, kinds=kinds, delimiter=",",
                                  decimal=".", encoding=self.encoding, odd=lambda _: "skip"):  # fmt: skip
                yield np.stack([floats(column) for column in batch.columns])
        except pa.ArrowInvalid as error:
            raise RecordingError(f"{self.path}: is damaged: {' '.join(str(error).split())}") from error


class _Stream:
    """Hands out samples in the numbers asked for; missing ones at the end are NaN."""

    def __init__(self, batches: Iterator[Batch], channels: int) -> None:
        self.batches, self.rest = batches, np.zeros((channels, 0))

    def take(self, n: int) -> Batch:
        parts, have = [self.rest], self.rest.shape[1]
        while have < n and (batch := next(self.batches, None)) is not None:
            parts.append(batch)
            have += batch.shape[1]
        whole = np.concatenate(parts, axis=1)
        self.rest = whole[:, n:]
        return np.pad(whole[:, :n], ((0, 0), (0, max(0, n - have))), constant_values=np.nan)


def is_trigno(lines: Sequence[str]) -> bool:
    """Whether a text begins as this export does."""
    return bool(lines and _LINE.fullmatch(lines[0].lstrip("\ufeff").strip()))


def open_trigno_source(path: Path, lines: Sequence[str], encoding: str) -> TrignoSource:
    """Open an export whose first lines are given, or raise `RecordingError`."""
    found = [match for line in lines if (match := _LINE.fullmatch(line.lstrip("\ufeff").strip()))]
    at = next((k for k, line in enumerate(lines) if line.startswith("X[")), None)
    if at is None:
        raise RecordingError(f"{path}: is damaged: the export ends before its table")
    header = next(csv.reader([lines[at]]))
    columns = tuple(header.index(match["label"]) if match["label"] in header else -1 for match in found)
    if -1 in columns:
        lost = found[columns.index(-1)]["label"]
        raise RecordingError(f"{path}: is damaged: {lost} has no column in the table")
    channels = tuple(Channel(match["label"], match["unit"], _rate(path, match)) for match in found)
    source = TrignoSource(path, encoding, at + 1, len(header), columns, channels, (0,) * len(found), ())
    lengths = [0] * len(found)
    for batch in source._batches(range(len(found))):
        for k, n in enumerate(np.isfinite(batch).sum(-1).tolist()):
            lengths[k] += n
    if not any(lengths):
        raise RecordingError(f"{path}: holds no samples")
    stated = [int(match["n"]) for match in found]
    cut = f"The header states {max(stated)} samples, the file holds {max(lengths)}."
    notes = (cut,) if max(stated) > max(lengths) else ()
    return TrignoSource(path, encoding, at + 1, len(header), columns, channels, tuple(lengths), notes)


def _rate(path: Path, match: Any) -> float:
    try:
        rate = float(match["fs"])
    except ValueError:
        rate = 0.0
    if not 0 < rate < inf:
        raise RecordingError(f"{path}: is damaged: {match['label']} has the rate {match['fs']!r}")
    return rate
