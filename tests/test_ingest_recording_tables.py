"""CSV and Parquet: what a time column may look like, what is missing, and what a table is refused for."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.errors import RecordingError
from ingest.recording import detect, open_file, open_recording, parse_options
from ingest.recording.clock import Pace, per_second

Values = NDArray[np.float64]
FS: Final = 500.0


def noise(seconds: float, fs_hz: float = FS) -> Values:
    return np.random.default_rng(5).normal(0.0, 4.0, round(seconds * fs_hz))


def csv(path: Path, columns: dict[str, Sequence[object] | Values], *, delimiter: str = ",") -> Path:
    rows = zip(*columns.values(), strict=True)
    lines = [delimiter.join(columns), *(delimiter.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def times(n: int, fs_hz: float = FS) -> Values:
    return np.arange(n) / fs_hz


# --- time


@pytest.mark.parametrize(
    ("name", "stamps", "fs_hz"),
    [
        ("time_s", lambda t: t, 500.0),
        ("t [ms]", lambda t: 1000 * t, 500.0),
        ("time", lambda t: np.round(1000 * t), 500.0),  # no unit: taken for ms, and said
        ("time", lambda t: 1_768_087_800 + t, 500.0),
        ("Timestamp", lambda t: np.round((1_768_087_800 + t) * 1e3).astype(np.int64), 500.0),
        ("timestamp_us", lambda t: np.round(t * 1e6).astype(np.int64), 500.0),
        ("time_s", lambda t: np.round(t * 500.0 / 1259.26, 3), 1259.26),  # stamps in whole milliseconds
        ("time_s", lambda t: np.floor(t * 25) / 25, 500.0),  # packets of 20 samples with one stamp
        ("time_s", lambda t: t + 0.0007 * np.sin(np.arange(len(t))), 500.0),  # jitter
    ],
)
def test_rate_from_the_time(name: str, stamps: object, fs_hz: float, tmp_path: Path) -> None:
    assert callable(stamps)
    x = noise(20)
    leg = open_recording(csv(tmp_path / "leg.csv", {name: stamps(times(len(x))), "EMG TA (uV)": x}))
    assert leg.layout.groups[0].fs_hz == pytest.approx(fs_hz, rel=5e-4)
    assert leg.duration_s == pytest.approx(len(x) / fs_hz, abs=0.05)
    assert detect(leg).coverage()["usable_s"] >= int(len(x) / fs_hz) - 1


def test_what_was_assumed_of_the_time_is_said(tmp_path: Path) -> None:
    x = noise(5)
    path = csv(tmp_path / "leg.csv", {"time": np.arange(len(x)) * 2, "EMG TA (uV)": x})
    assert open_file(path).notes == ("The time column names no unit; taken for ms.",)


@given(st.floats(200.0, 4000.0), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_pace_is_the_rate_whatever_the_batches(fs_hz: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stamps = np.arange(6000) / fs_hz + rng.uniform(-0.2, 0.2, 6000) / fs_hz
    stamps[3000:] += 7.0  # a gap changes no rate
    pace = Pace()
    for part in np.split(stamps, np.sort(rng.integers(0, 6000, 5))):
        pace.add(part)
    assert pace.fs_hz() == pytest.approx(fs_hz, rel=3e-3)
    assert pace.count == 6000


@pytest.mark.parametrize(
    ("unit", "first", "step", "factor"),
    [
        ("ms", 0.0, 1.0, 1e-3),
        ("", 0.0, 0.001, 1.0),
        ("", 0.0, 1.0, 1e-3),
        ("", 1.7e9, 0.001, 1.0),
        ("", 1.7e18, 1e6, 1e-9),
    ],
)
def test_unit_of_time(unit: str, first: float, step: float, factor: float) -> None:
    assert per_second(unit, first, step)[0] == factor


# --- what is missing


def test_a_gap_in_time_is_a_gap(tmp_path: Path) -> None:
    x, t = noise(60), times(30_000)
    t[10_000:] += 100.0
    leg = open_recording(csv(tmp_path / "leg.csv", {"time_s": t, "EMG TA (uV)": x}))
    assert leg.duration_s == pytest.approx(160.0)
    starts = [chunk.t0_ns[0] for chunk in leg.pieces()]
    assert (starts[-1] - leg.start_ns) / 1e9 == pytest.approx(120.0, abs=20.0)
    assert detect(leg).coverage()["received_s"] == pytest.approx(60.0, abs=1.0)


def test_missing_values_are_a_gap_or_flat(tmp_path: Path) -> None:
    """Rows in which no channel has a value are not received; a channel that alone is missing is not worn."""
    x, t = noise(60), times(30_000)
    one, other = x.copy(), x[::-1].copy()
    one[5_000:10_000] = np.nan
    one[15_000:25_000] = other[15_000:25_000] = np.nan
    path = csv(tmp_path / "leg.csv", {"time_s": t, "EMG TA (uV)": one, "EMG SO (uV)": other})
    path.write_text(path.read_text().replace("nan", ""))
    leg = open_recording(path)
    found = detect(leg)
    assert found.coverage()["received_s"] == pytest.approx(40.0, abs=1.5)
    worn = [sum(float(e.worn_s[e.channel == c].sum()) for e in found.epochs) for c in range(2)]
    assert leg.sites == ("soleus", "tibialis_anterior")
    assert worn[0] == pytest.approx(40.0, abs=2.5)
    assert worn[1] == pytest.approx(30.0, abs=2.5)


def test_slow_acceleration_in_every_tenth_row(tmp_path: Path) -> None:
    x, t = noise(30), times(15_000)
    axis = np.where(np.arange(len(x)) % 10 == 0, 1.0, np.nan)
    columns = {"time_s": t, "EMG TA (uV)": x, "acc x (g)": axis, "acc y (g)": 0 * axis, "acc z (g)": 0 * axis}
    leg = open_recording(csv(tmp_path / "leg.csv", columns))
    assert [(g.kind, g.fs_hz) for g in leg.layout.groups] == [("emg", 500.0), ("acc", 50.0)]
    (epochs, *_) = (one for one in detect(leg).epochs if len(one.start_ns))
    assert epochs.angle_deg[0] == pytest.approx(90.0, abs=0.5)


def test_acceleration_that_stops_holds_nothing_up(tmp_path: Path) -> None:
    x, t = noise(60), times(30_000)
    axis = np.where((np.arange(len(x)) % 10 == 0) & (t < 20), 1.0, np.nan)
    columns = {"time_s": t, "EMG TA (uV)": x, "acc x (g)": axis, "acc y (g)": 0 * axis, "acc z (g)": 0 * axis}
    assert detect(open_recording(csv(tmp_path / "leg.csv", columns))).coverage()["usable_s"] >= 58.0


def test_acceleration_faster_than_the_detector_takes_it(tmp_path: Path) -> None:
    """At 500 Hz, as where one device samples everything alike: means of three."""
    x = noise(30)
    columns = {
        "time_s": times(len(x)),
        "EMG TA (uV)": x,
        "x (m/s2)": 0 * x,
        "y (m/s2)": 0 * x + 9.80665,
        "z (m/s2)": 0 * x,
    }
    leg = open_recording(csv(tmp_path / "leg.csv", columns))
    assert [round(g.fs_hz, 2) for g in leg.layout.groups] == [500.0, 166.67]
    (chunk, *_) = leg.pieces()
    gravity = chunk.samples[1][0].mean(-1) * chunk.scale[1][0]
    assert gravity == pytest.approx([0.0, 1.0, 0.0], abs=0.001)


def test_whole_numbers_stay_counts_and_rails_stay_rails(tmp_path: Path) -> None:
    counts = np.clip(np.rint(noise(20) * 60 + 2048), 0, 4095).astype(int)
    counts[4000:5000] = 4095
    leg = open_recording(csv(tmp_path / "leg.csv", {"time_s": times(len(counts)), "EMG TA (count)": counts}))
    samples = np.concatenate([chunk.samples[0][0, 0] for chunk in leg.pieces()])
    np.testing.assert_array_equal(samples, counts)
    assert leg.scale[0][0, 0] == 1.0


# --- what is refused, and how it is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time (s),EMG TA (uV)\n", "is not a recording that we read"),
        ("time (s)\n1\n2\n", "holds no column of numbers"),
        ("0.0,1.0\n0.1,2.0\n", "has no header: its first line must name the columns, such as time (s),EMG soleus (uV)"),
        (
            "name,EMG TA (uV),EMG SO (uV)\na,1,3\nb,2,4\n",
            "no column is the time, so its rate is not known. Say the rate, --rate 1000",
        ),
        ("time (s),EMG TA (uV),EMG TA (uV)\n0,1,1\n1,2,2\n", "two columns have one name"),
        ("time (s),EMG TA\n0,1\n0.002,2\n0.004,1\n", "channel 'EMG TA' has no unit"),
        ("time (s),a,b\n0,1,1\n0.01,2,2\n", "no EMG channel, and no acceleration: its channels are a, b"),
        ("time (s),EMG TA (uV)\n0,1\n1,2\n2,3\n", "emg at 1 Hz: supported are 200 to 4000 Hz"),
        ("time (s),EMG TA (uV)\n0,NaN\n1,NaN\n", "holds no samples"),
    ],
)
def test_tables_that_are_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "leg.csv"
    path.write_text(text)
    with pytest.raises(RecordingError, match=re.escape(f"{path}: ") + ".*" + re.escape(said)):
        open_file(path)


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    cells = [f"{x:.3f}" for x in noise(10)]
    cells[4321] = "overload"
    path = csv(tmp_path / "leg.csv", {"time_s": times(len(cells)), "EMG TA (uV)": cells})
    with pytest.raises(RecordingError, match=r"column 'EMG TA \(uV\)', line 4323: 'overload' is not a number"):
        open_file(path)


def test_time_that_runs_backwards_is_named(tmp_path: Path) -> None:
    t = times(5000)
    t[3000:] -= 2.0
    path = csv(tmp_path / "leg.csv", {"time_s": t, "EMG TA (uV)": noise(10)})
    with pytest.raises(RecordingError, match=r"the time runs backwards at row 3001\. Sort the rows"):
        open_file(path)


def test_a_row_that_was_cut_off_is_left_out_and_said(tmp_path: Path) -> None:
    path = csv(tmp_path / "leg.csv", {"time_s": times(5000), "EMG TA (uV)": noise(10), "EMG SO (uV)": noise(10)})
    path.write_text(path.read_text()[:-30])
    file = open_file(path)
    assert file.notes[-1:] == () or "left out" in file.notes[-1]
    assert file.duration_s == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    path = csv(tmp_path / "leg.csv", {"time (s)": times(5000), "EMG TA (µV)": noise(10)})
    path.write_bytes(path.read_text().encode(encoding))
    assert open_recording(path).sites == ("tibialis_anterior",)


def test_units_in_a_row_of_their_own(tmp_path: Path) -> None:
    path = csv(tmp_path / "leg.csv", {"time": ["s", *times(5000)], "EMG TA": ["mV", *noise(10)]}, delimiter="\t")
    assert open_file(path).channels[0].unit == "mV"


# --- Parquet


def table(path: Path, columns: dict[str, object], metadata: dict[str, str] | None = None) -> Path:
    made = pa.table(columns)
    pq.write_table(made.replace_schema_metadata(metadata) if metadata else made, path)
    return path


def test_rate_in_the_metadata(tmp_path: Path) -> None:
    path = table(tmp_path / "leg.parquet", {"EMG TA (uV)": noise(10).astype(np.float32)}, {"sampling_rate": "500"})
    assert open_recording(path).layout.groups[0].fs_hz == 500.0
    assert open_recording(path, parse_options(rates=["1000"])).layout.groups[0].fs_hz == 1000.0


@pytest.mark.parametrize(
    ("columns", "metadata", "said"),
    [
        ({"EMG TA (uV)": [1.0, 2.0]}, {}, "no column is the time"),
        ({"EMG TA (uV)": [1.0, 2.0]}, {"fs_hz": "fast"}, "states the rate 'fast', which is no rate"),
        ({"EMG TA (uV)": [1.0, 2.0]}, {"fs_hz": "nan"}, "states the rate 'nan', which is no rate"),
        ({"text": ["a", "b"]}, {}, "holds no column of numbers"),
        ({"time_s": [0.0], "EMG TA (uV)": [1.0]}, {}, "no column is the time"),
        ({"time_s": pa.array([], pa.float64()), "EMG TA (uV)": pa.array([], pa.float64())}, {}, "holds no samples"),
        ({"time_s": [0.0, 0.002], "EMG TA (uV)": pa.array([None, None], pa.float64())}, {}, "holds no samples"),
    ],
)
def test_parquet_that_is_refused(
    columns: dict[str, object], metadata: dict[str, str], said: str, *, tmp_path: Path
) -> None:
    path = table(tmp_path / "leg.parquet", columns, metadata)
    with pytest.raises(RecordingError, match=re.escape(f"{path}: ") + ".*" + re.escape(said)):
        open_file(path)
