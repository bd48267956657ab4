"""HDF5 as OpenSignals and biosignalsnotebooks write it: a group per device, raw counts of its channels below `raw`.

Other files are read if their signals are one-dimensional datasets that state their rate, or whose group does, in an
attribute such as `sampling_rate` or `fs_hz`, and their unit in `unit`.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from ingest.errors import RecordingError
from ingest.recording.options import Options
from ingest.recording.source import Block, Channel
from ingest.recording.units import COUNT

PIECE_S: Final = 60.0
RATES: Final = ("sampling rate", "sampling_rate", "sampling_frequency", "sample_rate", "fs_hz", "fs", "rate_hz", "rate")
UNITS: Final = ("unit", "units", "physical_dimension")
LABELS: Final = ("label", "name")


@dataclass(frozen=True, slots=True)
class Hdf5Source:
    """Datasets of a file; it is opened anew for every pass."""

    path: Path
    channels: tuple[Channel, ...]
    datasets: tuple[str, ...]
    start_ns: int
    duration_s: float
    notes: tuple[str, ...]
    format: str = "HDF5"

    def blocks(self, picked: Sequence[int]) -> Iterator[Block]:
        """A minute at a time, until the first channel asked for ends."""
        with _damage_told(self.path), h5py.File(self.path, "r") as file:
            sets = [file[self.datasets[k]] for k in picked]
            rates = [self.channels[k].fs_hz for k in picked]
            lasts_s = len(sets[0]) / rates[0]
            for start_s in np.arange(0.0, lasts_s, PIECE_S).tolist():
                end_s = min(start_s + PIECE_S, lasts_s)
                edges = [(round(start_s * fs_hz), round(end_s * fs_hz)) for fs_hz in rates]
                yield Block(start_s, tuple(_values(one, *edge) for one, edge in zip(sets, edges, strict=True)))


def open_hdf5_source(path: Path, options: Options) -> Hdf5Source:
    """Open an HDF5 file, or raise `RecordingError`."""
    with _damage_told(path), h5py.File(path, "r") as file:
        found = list(_signals(path, file, options))
        start_ns = next((ns for group in file.values() if (ns := _start_ns(group.attrs))), 0)
    if not found:
        raise RecordingError(f"{path}: holds no signal: no dataset of numbers along one axis")
    return Hdf5Source(
        path=path,
        channels=tuple(channel for _, channel, _ in found),
        datasets=tuple(name for name, _, _ in found),
        start_ns=start_ns,
        duration_s=max(n / channel.fs_hz for _, channel, n in found),
        notes=(),
    )


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """What h5py raises on damaged bytes is of many kinds, and says little."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise RecordingError(f"{path}: is damaged: {' '.join(str(error).split())}") from error


def _signals(path: Path, file: Any, options: Options) -> Iterator[tuple[str, Channel, int]]:
    """Name, channel and length of every dataset that may be a signal."""
    names: list[str] = []
    file.visititems(lambda name, one: names.append(name) if _is_signal(name, one) else None)
    for name in names:
        one = file[name]
        above = [file[name.rsplit("/", k)[0]] for k in range(1, name.count("/") + 1)]
        attributes = [one.attrs, *(group.attrs for group in above), file.attrs]
        is_opensignals = "sampling rate" in (attributes[2] if len(attributes) > 3 else {}) and "/raw/" in name
        label = _label(name, one.attrs, attributes[2] if is_opensignals else {})
        stated = options.of(label, options.rates)
        fs_hz = options.rates[stated] if stated else options.rate or _number(_first(attributes, RATES))
        if not 0 < fs_hz < inf:
            raise RecordingError(f"{path}: dataset {name!r} states no rate. Say it: --rate 1000")
        unit = _text(_first([one.attrs], UNITS)) or (COUNT if is_opensignals else "")
        yield name, Channel(label, unit, fs_hz), len(one)


def _is_signal(name: str, one: Any) -> bool:
    if not isinstance(one, h5py.Dataset) or one.dtype.kind not in "iuf" or "support/" in name or "events/" in name:
        return False
    return len(one) > 1 and int(np.prod(one.shape[1:])) == 1 and not name.endswith("nSeq")


def _label(name: str, attributes: Any, device: Any) -> str:
    """`EMG channel_1` where the kind of sensor is stated, else the dataset's own label or name."""
    last = name.rsplit("/", maxsplit=1)[-1]
    sensor = _text(attributes.get("sensor", ""))
    if device and sensor and sensor.upper() not in {"RAW", "UNKNOWN"}:
        return f"{sensor} {last}"
    return _text(_first([attributes], LABELS)) or last


def _first(attributes: Sequence[Any], keys: Sequence[str]) -> Any:
    return next((one[key] for one in attributes for key in keys if key in one), "")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _number(value: Any) -> float:
    try:
        return float(np.ravel(value)[0])
    except (ValueError, TypeError, IndexError):
        return 0.0


def _values(one: Any, first: int, end: int) -> Any:
    got = one[first:end].reshape(-1)
    if len(got) == end - first:
        return got
    return np.pad(got.astype(np.float64), (0, end - first - len(got)), constant_values=np.nan)


def _start_ns(attributes: Any) -> int:
    """`date` 2019-10-14 and `time` 16:52:39.448, as OpenSignals gives them; its clock is taken for UTC."""
    day = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", _text(attributes.get("date", "")).strip())
    clock = re.fullmatch(r"(\d\d?):(\d\d?):(\d\d?)(?:\.(\d+))?", _text(attributes.get("time", "")).strip())
    if not day or not clock:
        return 0
    hour, minute, second = map(int, clock.groups()[:3])
    try:
        moment = dt.datetime(int(day[1]), int(day[2]), int(day[3]), hour, minute, second, tzinfo=dt.UTC)
    except ValueError:  # no day of the calendar: as good as none
        return 0
    return int(moment.timestamp()) * 1_000_000_000 + round(float(f"0.{clock[4] or 0}") * 1e9)
