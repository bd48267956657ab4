"""A simulated leg as a file of every kind that `charley detect` reads."""

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import edfio
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Values = NDArray[np.float64]
START: Final = dt.datetime(2026, 1, 10, 23, 30, 0, tzinfo=dt.UTC)
START_NS: Final = round(START.timestamp()) * 1_000_000_000


@dataclass(frozen=True)
class Signal:
    """One channel in its unit; all of a recording begin together."""

    label: str
    unit: str
    fs_hz: float
    values: Values


def signals_of(edf: Path) -> list[Signal]:
    """What an EDF file holds."""
    return [Signal(s.label, s.physical_dimension, s.sampling_frequency, np.asarray(s.data, np.float64))
            for s in edfio.read_edf(edf).signals]  # fmt: skip


def as_bdf(path: Path, signals: Sequence[Signal]) -> Path:
    """24 bits over a range as wide as that of an amplifier that passes an electrode's offset: 31 nV a count."""
    wide = {"uV": (-262_144.0, 262_143.97), "g": (-16.0, 16.0)}
    made = [edfio.BdfSignal(s.values, s.fs_hz, label=s.label, physical_dimension=s.unit, physical_range=wide[s.unit])
            for s in signals]  # fmt: skip
    recording = edfio.Recording(startdate=START.date())
    edfio.Bdf(made, recording=recording, starttime=START.time()).write(path)
    return path


def rows_of(signals: Sequence[Signal]) -> tuple[Values, list[Values]]:
    """Times and columns at the highest rate; a slower signal stands in the rows that are nearest, NaN between."""
    fs_hz = max(s.fs_hz for s in signals)
    n = max(len(s.values) for s in signals if s.fs_hz == fs_hz)
    columns = []
    for s in signals:
        column = np.full(n, np.nan)
        column[np.round(np.arange(len(s.values)) * (fs_hz / s.fs_hz)).astype(int)] = s.values
        columns.append(column)
    return np.arange(n) / fs_hz, columns


def as_csv(
    path: Path,
    signals: Sequence[Signal],
    *,
    delimiter: str = ",",
    decimal: str = ".",
    time: str = "time (s)",
    stamp: Callable[[float], str] | None = None,
    above: Sequence[str] = (),
) -> Path:
    """One table with a time column; missing values are empty."""
    times, columns = rows_of(signals)
    stamp = stamp or (lambda t: f"{t:.6f}".replace(".", decimal))
    with path.open("w", newline="") as file:
        for line in above:
            file.write(line + "\n")
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow([time, *(f"{s.label} ({s.unit})" for s in signals)])
        for row, t in enumerate(times):
            cells = [column[row] for column in columns]
            writer.writerow([stamp(t), *("" if np.isnan(c) else f"{c:.5g}".replace(".", decimal) for c in cells)])
    return path


def as_parquet(path: Path, signals: Sequence[Signal], *, in_metadata: bool = False) -> Path:
    """One table; units in the columns' names or in their metadata."""
    times, columns = rows_of(signals)
    stamps = pa.array(START_NS + np.round(times * 1e9).astype(np.int64), pa.timestamp("ns", "UTC"))
    fields = [pa.field("timestamp", stamps.type)]
    for s in signals:
        metadata = {"unit": s.unit} if in_metadata else None
        fields.append(pa.field(s.label if in_metadata else f"{s.label} ({s.unit})", pa.float32(), metadata=metadata))
    arrays: list[Any] = [stamps, *(pa.array(c.astype(np.float32), from_pandas=True) for c in columns)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path, row_group_size=20_000)
    return path


def as_hdf5(path: Path, signals: Sequence[Signal]) -> Path:
    """A dataset a signal, its rate and unit beside it."""
    with h5py.File(path, "w") as file:
        for k, s in enumerate(signals):
            one = file.create_dataset(f"signal_{k}", data=s.values)
            one.attrs.update({"label": s.label, "unit": s.unit, "sampling_rate": s.fs_hz})
    return path


def as_opensignals(path: Path, signals: Sequence[Signal], *, bits: int = 16, uv: float = 0.05) -> Path:
    """Raw counts of the EMG about mid-range below a device's group, as OpenSignals writes them."""
    emg = [s for s in signals if s.label.startswith("EMG")]
    with h5py.File(path, "w") as file:
        device = file.create_group("00:07:80:00:00:01")
        device.attrs.update({"sampling rate": int(emg[0].fs_hz), "resolution": [bits] * len(emg), "date": "2026-1-10",
                             "time": "23:30:0.0"})  # fmt: skip
        for k, s in enumerate(emg):
            counts = np.clip(np.rint(s.values / uv) + 2 ** (bits - 1), 0, 2**bits - 1).astype(np.uint16)
            one = device.create_dataset(f"raw/channel_{k + 1}", data=counts[:, None])
            one.attrs.update({"sensor": "EMG", "label": f"CH{k + 1}"})
        device.create_dataset("raw/nSeq", data=np.zeros((len(emg[0].values), 1), np.uint16))
        device.create_dataset("digital/digital_1", data=np.zeros((len(emg[0].values), 1), np.uint16))
        device.create_dataset("support/level_10/channel_1/mean", data=np.zeros((10, 1)))
    return path


def as_trigno(path: Path, signals: Sequence[Signal]) -> Path:
    """Pairs of time and value, each at its own rate, below a line about each channel."""
    with path.open("w", newline="") as file:
        for s in signals:
            file.write(f"Label: {s.label} Sampling frequency: {s.fs_hz:e} Number of points: {len(s.values)} "
                       f"start: 0.000000e+000 Unit: {s.unit} Domain Unit: s\n")  # fmt: skip
        file.write("Start Trigger Method: None\n\n" + ",".join(f'X[s],"{s.label}"' for s in signals) + "\n")
        for row in range(max(len(s.values) for s in signals)):
            pairs = (f"{row / s.fs_hz:.7g},{s.values[row]:.6g}" if row < len(s.values) else "," for s in signals)
            file.write(",".join(pairs) + "\n")
    return path
