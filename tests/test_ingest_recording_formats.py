"""One leg in files of every kind: each gives the episodes that EDF gives."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from recordings import (
    START,
    START_NS,
    Signal,
    as_bdf,
    as_csv,
    as_hdf5,
    as_opensignals,
    as_parquet,
    as_trigno,
    signals_of,
)

from ingest.recording import detect, open_file, parse_options, report
from ingest.recording.options import Options
from simulators.recording import write_edf
from simulators.scenarios import build

SITES: Final = ["gastrocnemius_lateralis", "gastrocnemius_medialis"]


def told(path: Path, options: Options | None = None) -> dict[str, Any]:
    file = open_file(path, options or Options())
    return report(file, [detect(leg) for leg in file.legs])


@pytest.fixture(scope="module")
def edf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute with one cramp at two sites, with acceleration."""
    (device,) = build("minute", seed=7, start_ns=START_NS)
    (path,) = write_edf(device, tmp_path_factory.mktemp("minute") / "minute.edf")
    return path


@pytest.fixture(scope="module")
def signals(edf: Path) -> list[Signal]:
    return signals_of(edf)


def semicolons(path: Path, signals: list[Signal]) -> Path:
    return as_csv(path, signals, delimiter=";", decimal=",", time="Zeit [ms]", stamp=lambda t: f"{1000 * t:.0f}")


def iso(path: Path, signals: list[Signal]) -> Path:
    return as_csv(path, signals, delimiter="\t", time="timestamp", above=["Recorder 5", "wearer: none", ""],
                  stamp=lambda t: f"{START:%Y-%m-%dT%H:%M}:{t % 60:09.6f}Z" if t < 60 else "")  # fmt: skip


def clock(path: Path, signals: list[Signal]) -> Path:
    """Time of day, over midnight."""
    seconds = 24 * 3600 - 30.0
    return as_csv(path, signals, time="t", stamp=lambda t: _clock((seconds + t) % 86_400))


def _clock(t: float) -> str:
    ms = round(t * 1e6)
    return f"{ms // 3_600_000_000 % 24:02d}:{ms // 60_000_000 % 60:02d}:{ms % 60_000_000 / 1e6:09.6f}"


def metadata(path: Path, signals: list[Signal]) -> Path:
    return as_parquet(path, signals, in_metadata=True)


WRITERS: Final[list[tuple[Callable[..., Path], str]]] = [
    (as_bdf, "BDF"),
    (as_csv, "CSV"),
    (semicolons, "CSV"),
    (iso, "CSV"),
    (clock, "CSV"),
    (as_parquet, "Parquet"),
    (metadata, "Parquet"),
    (as_hdf5, "HDF5"),
    (as_trigno, "Trigno CSV"),
]


@pytest.mark.parametrize(("write", "form"), WRITERS, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_every_format_gives_what_edf_gives(
    write: Callable[..., Path], form: str, edf: Path, signals: list[Signal], tmp_path: Path
) -> None:
    found, wanted = told(write(tmp_path / "leg.bin", signals)), told(edf)
    assert found["format"] == form
    assert found["duration_s"] == pytest.approx(60.0, abs=0.02)
    assert found["coverage"]["usable_s"] >= 59.0
    assert [one["taken_for"] for one in found["channels"]] == [one["taken_for"] for one in wanted["channels"]]
    assert [one["fs_hz"] for one in found["channels"]] == [s.fs_hz for s in signals]
    (episode,), (true,) = found["episodes"], wanted["episodes"]
    assert episode["stream"] == true["stream"]
    assert episode["sites"] == true["sites"]
    assert episode["onset_s"] == pytest.approx(true["onset_s"], abs=1.01)
    assert episode["end_s"] == pytest.approx(true["end_s"], abs=1.01)
    assert episode["peak_uv"] == pytest.approx(true["peak_uv"], rel=0.05)
    assert episode["severity"] == pytest.approx(true["severity"], abs=0.3)


@pytest.mark.parametrize("write", [as_bdf, iso, as_parquet])
def test_formats_with_a_date_give_it(write: Callable[..., Path], signals: list[Signal], tmp_path: Path) -> None:
    assert open_file(write(tmp_path / "leg.bin", signals)).start_ns == START_NS


def test_raw_counts_of_opensignals(edf: Path, signals: list[Signal], tmp_path: Path) -> None:
    """The gain is not known: the same episode, its amplitude in counts."""
    found, (true,) = told(as_opensignals(tmp_path / "raw.h5", signals)), told(edf)["episodes"]
    (episode,) = found["episodes"]
    assert [one["taken_for"] for one in found["channels"]] == [None, "emg:emg_1", "emg:emg_2"]
    assert episode["onset_s"] == pytest.approx(true["onset_s"], abs=1.01)
    assert episode["peak_uv"] == pytest.approx(true["peak_uv"] / 0.05, rel=0.05)
    assert "amplitudes are in counts" in found["notes"][0]
    options = parse_options(channels=["EMG channel_1=emg:GM", "EMG channel_2=emg:GL"], units=["EMG channel_1=mV"])
    named = told(tmp_path / "raw.h5", options)
    assert [one["taken_for"] for one in named["channels"][1:]] == [
        "emg:gastrocnemius_medialis",
        "emg:gastrocnemius_lateralis",
    ]
    assert named["channels"][1]["unit"] == "mV"


def test_a_drifting_electrode_in_24_bits_clips_nothing(signals: list[Signal], edf: Path, tmp_path: Path) -> None:
    """Offset of 150 mV that drifts by 20 mV: in 16 bits over that range the rest would be lost."""
    slow = np.linspace(150_000.0, 170_000.0, len(signals[0].values))
    drifting = [Signal(s.label, s.unit, s.fs_hz, s.values + slow) if s.unit == "uV" else s for s in signals]
    (episode,), (true,) = told(as_bdf(tmp_path / "drift.bdf", drifting))["episodes"], told(edf)["episodes"]
    for name, tolerance in (("onset_s", 1.01), ("end_s", 1.01), ("severity", 0.3)):
        assert episode[name] == pytest.approx(true[name], abs=tolerance)


PEAK: Final = """
import sys, tracemalloc
from pathlib import Path
import pyarrow
from ingest.recording import detect, open_recording
detect(open_recording(Path(sys.argv[1])))
tracemalloc.start()
detect(open_recording(Path(sys.argv[2])))
print(tracemalloc.get_traced_memory()[1] + pyarrow.default_memory_pool().max_memory())
"""


def wide(form: str, path: Path, minutes: int) -> Path:
    """Noise at 250 Hz; of Parquet all in one group of rows."""
    x = np.random.default_rng(0).normal(0, 5.0, 15_000 * minutes)
    if form == "bdf":
        return as_bdf(path, [Signal("EMG TA", "uV", 250.0, x)])
    if form == "h5":
        return as_hdf5(path, [Signal("EMG TA", "uV", 250.0, x)])
    made = pa.table({"time (s)": np.arange(len(x)) / 250.0, "EMG TA (uV)": np.round(x, 2)})
    if form == "csv":
        pacsv.write_csv(made, path)
    else:
        pq.write_table(made, path, row_group_size=len(x))
    return path


@pytest.mark.parametrize("form", ["bdf", "csv", "h5", "parquet"])
def test_memory_does_not_grow_with_length(form: str, tmp_path: Path) -> None:
    """Arrow reads up to some 30 MB of a text ahead, so a text must be long before it shows that it stops there."""
    lengths, limit = ((240, 480), 15_000_000) if form == "csv" else ((20, 120), 3_000_000)
    short, long = (wide(form, tmp_path / f"{minutes}.{form}", minutes) for minutes in lengths)
    peaks = []
    for path in (short, long):
        command = [sys.executable, "-c", PEAK, str(short), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < limit, peaks  # as numbers the recording grew by 12 MB, the text by 58 MB


def test_no_time_column_needs_the_rate(signals: list[Signal], edf: Path, tmp_path: Path) -> None:
    path = as_csv(tmp_path / "leg.csv", signals, time="row", stamp=lambda t: f"{t * 1000:.0f}")
    (episode,) = told(path, parse_options(rates=["1000"]))["episodes"]
    assert episode["onset_s"] == pytest.approx(told(edf)["episodes"][0]["onset_s"], abs=1.01)
    bare = parse_options(rates=["500"])
    assert open_file(path, bare).duration_s == pytest.approx(120.0)
    assert {one.fs_hz for one in open_file(path, bare).channels if one.label.startswith("EMG")} == {500.0}
