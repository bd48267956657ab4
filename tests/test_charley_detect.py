"""`charley detect` on EDF: what it prints, what it takes, and what it says about files that it cannot take."""

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import edfio
import numpy as np
import pytest
from charley_run import charley
from numpy.typing import NDArray

from charley import main
from detector import Chunk, finish, start, update
from ingest.errors import RecordingError
from ingest.recording import Recording, detect, open_file, open_recording, report
from simulators.recording import write_edf
from simulators.scenarios import build

START: Final = dt.datetime(2026, 1, 10, 23, 30, 0, tzinfo=dt.UTC)
START_NS: Final = round(START.timestamp()) * 1_000_000_000
RANGE: Final = (-32768, 32767)
Signals = Sequence[edfio.EdfSignal]


def signal(
    label: str, counts: NDArray[np.int16], fs_hz: float, *, unit: str = "uV", gain: float = 0.1, zero: float = 0.0
) -> edfio.EdfSignal:
    physical = (RANGE[0] * gain + zero, RANGE[1] * gain + zero)
    return edfio.EdfSignal.from_digital(
        counts, fs_hz, label=label, physical_dimension=unit, digital_range=RANGE, physical_range=physical
    )


def noise(seconds: float, fs_hz: float = 1000.0, *, seed: int = 0) -> NDArray[np.int16]:
    counts: NDArray[np.int16] = np.random.default_rng(seed).normal(0.0, 30.0, round(seconds * fs_hz)).astype(np.int16)
    return counts


def emg(label: str = "EMG soleus", *, seconds: float = 10.0, fs_hz: float = 1000.0, **how: Any) -> edfio.EdfSignal:
    return signal(label, noise(seconds, fs_hz), fs_hz, **how)


def acc(axes: str = "xyz", *, seconds: float = 10.0, fs_hz: float = 50.0, **how: Any) -> list[edfio.EdfSignal]:
    still = np.full(round(seconds * fs_hz), 1, np.int16)
    return [signal(f"ACC shank {axis}", still, fs_hz, **{"unit": "g", "gain": 1.0, **how}) for axis in axes]


def write(path: Path, signals: Signals, *, start: dt.datetime = START) -> Path:
    edf = edfio.Edf(signals, recording=edfio.Recording(startdate=start.date()), starttime=start.time())
    edf.write(path)
    return path


def told(path: Path) -> dict[str, Any]:
    """The report of a file."""
    file = open_file(path)
    return report(file, [detect(leg) for leg in file.legs])


def patched(path: Path, at: int, content: bytes) -> Path:
    """The file with some bytes of its header changed."""
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + content + whole[at + len(content) :])
    return path


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute with one cramp, at two sites."""
    (device,) = build("minute", seed=7, start_ns=START_NS)
    (path,) = write_edf(device, tmp_path_factory.mktemp("minute") / "minute.edf")
    return path


# --- what is printed


def test_json_is_as_documented(minute: Path) -> None:
    done = charley("detect", minute, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert {"file", "duration_s", "coverage", "episodes"} <= set(found)
    assert (found["file"], found["duration_s"]) == (str(minute), 60.0)
    assert found["coverage"] == {"expected_s": 60.0, "received_s": 60.0, "worn_s": 60.0, "usable_s": 60.0}
    (episode,) = found["episodes"]
    assert {"stream", "onset_s", "end_s", "severity", "grade", "confidence", "flags"} <= set(episode)
    assert (episode["stream"], episode["status"]) == ("gastrocnemius_medialis", "final")
    assert abs(episode["onset_s"] - 15.0) <= 3.0
    assert abs(episode["end_s"] - 45.0) <= 4.0
    assert 0.0 < episode["severity"] <= 10.0
    assert episode["grade"] in {1, 2, 3}
    assert 0.5 <= episode["confidence"] <= 1.0
    assert sorted(episode["severity_parts"]) == ["amplitude", "duration", "load", "recruitment"]
    assert found == json.loads(json.dumps(told(minute)))


def test_table_names_site_and_coverage(minute: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end(["detect", str(minute)], code=0)
    printed = capsys.readouterr().out
    assert re.search(r"\n +1\d +\d\d +gastrocnemius_medialis +\d\.\d +[123] +[01]\.\d\d", printed)
    assert "60 s usable of 60 s" in printed
    assert "Not a medical device" in printed


def end(arguments: list[str], *, code: int) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == code


def test_seconds_count_from_the_start_of_the_file(minute: Path, tmp_path: Path) -> None:
    """Also where it begins within a second: windows are whole seconds of UTC, so the cramp moves by less than two."""
    (device,) = build("minute", seed=7, start_ns=START_NS + 640_000_000)
    (path,) = write_edf(device, tmp_path / "later.edf")
    recording = open_recording(path)
    assert recording.start_ns == START_NS + 640_000_000
    (episode,) = told(path)["episodes"]
    (before,) = told(minute)["episodes"]
    assert (episode["onset_s"] + 0.64) % 1 == pytest.approx(0.0, abs=1e-6)
    assert abs(episode["onset_s"] - before["onset_s"]) < 2.0
    assert detect(recording).coverage()["received_s"] == 59.0  # two parts of a second are none


# --- what is taken


def test_two_channels_and_acceleration_and_what_is_left_out(tmp_path: Path) -> None:
    others = [emg("ECG"), *(signal(f"ACC wrist {axis}", noise(10, 50.0), 50.0, unit="g") for axis in "xyz")]
    names = ["EMG: Tibialis", "emg gastroc_med"]
    path = write(tmp_path / "leg.edf", [others[0], *map(emg, names), *others[1:], *acc()])
    recording = open_recording(path)
    assert recording.sites == ("gastrocnemius_medialis", "tibialis")
    assert [(g.kind, g.fs_hz, g.channels) for g in recording.layout.groups] == [("emg", 1000.0, 2), ("acc", 50.0, 3)]
    assert sorted(told(path)["ignored_channels"]) == ["ACC wrist x", "ACC wrist y", "ACC wrist z", "ECG"]


def test_half_an_accelerometer_is_left_out(tmp_path: Path) -> None:
    file = open_file(write(tmp_path / "leg.edf", [emg(), *acc("xy")]))
    assert file.legs[0].layout.acc is None
    assert sorted(file.ignored) == ["ACC shank x", "ACC shank y"]


@pytest.mark.parametrize(
    ("unit", "limits"),
    [
        (b"uV", ("-3276.8", "3276.7")),
        ("µV".encode("latin-1"), ("-3276.8", "3276.7")),
        ("µV".encode(), ("-3276.8", "3276.7")),
        (b"mV", ("-3.2768", "3.2767")),
        (b"V", ("-.003277", "0.003277")),
    ],
)
def test_units_of_emg(unit: bytes, limits: tuple[str, str], tmp_path: Path) -> None:
    path = patched(write(tmp_path / "emg.edf", [emg()]), 256 + 96, unit.ljust(8))
    for place, limit in zip((104, 112), limits, strict=True):
        patched(path, 256 + place, limit.encode().ljust(8))
    recording = open_recording(path)
    assert recording.scale[0][0, 0] == pytest.approx(0.1, rel=1e-4)
    assert rms_uv(recording) == pytest.approx(3.0, rel=0.05)


def rms_uv(recording: Recording) -> float:
    (chunk,) = recording.pieces()
    return float(np.std(chunk.samples[0][0, 0] * chunk.scale[0][0, 0]))


@pytest.mark.parametrize(("unit", "of_a_g"), [("g", 1.0), ("mg", 1000.0), ("m/s2", 9.80665), ("m/s^2", 9.80665)])
@pytest.mark.parametrize("zero", [0.0, 1.7])
def test_units_and_offset_of_acceleration(unit: str, of_a_g: float, zero: float, tmp_path: Path) -> None:
    """A converter whose zero is not at count 0 gives the same gravity, to one count of what the detector sees."""
    gain = of_a_g / 4096
    x = np.full(500, round(4096 - zero * of_a_g / gain), np.int16)
    y = np.full(500, round(-zero * of_a_g / gain), np.int16)
    axes = [
        signal(f"ACC shank {axis}", counts, 50.0, unit=unit, gain=float(f"{gain:.7g}"), zero=zero * of_a_g)
        for axis, counts in zip("xyz", (x, y, y), strict=True)
    ]
    recording = open_recording(write(tmp_path / "acc.edf", [emg(), *axes]))
    (chunk,) = recording.pieces()
    gravity = chunk.samples[1][0].mean(-1) * chunk.scale[1][0]
    assert gravity == pytest.approx([1.0, 0.0, 0.0], abs=0.003)
    (epochs,) = (one for one in detect(recording).epochs if len(one.start_ns))
    assert epochs.angle_deg[0] == pytest.approx(90.0, abs=0.3)


def test_an_upside_down_electrode_detects_the_same(minute: Path, tmp_path: Path) -> None:
    edf = edfio.read_edf(minute)
    turned = [
        edfio.EdfSignal.from_digital(
            np.clip(-s.digital.astype(int), *RANGE).astype(np.int16), s.sampling_frequency, label=s.label,
            physical_dimension=s.physical_dimension, digital_range=RANGE,
            physical_range=(-s.physical_min, -s.physical_max),
        ) if s.label.startswith("EMG") else s
        for s in edf.signals
    ]  # fmt: skip
    assert told(write(tmp_path / "turned.edf", turned))["episodes"] == told(minute)["episodes"]


def test_anonymised_date(minute: Path, tmp_path: Path) -> None:
    edf = edfio.read_edf(minute)
    edf.anonymize()
    edf.write(tmp_path / "anonymous.edf")
    assert open_file(tmp_path / "anonymous.edf").start_ns == 0
    assert told(tmp_path / "anonymous.edf")["episodes"] == told(minute)["episodes"]


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(
    minute: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short.edf"
    short.write_bytes(minute.read_bytes()[:-50_000])
    end(["detect", str(short), "--json"], code=0)
    printed = capsys.readouterr()
    assert 40.0 < json.loads(printed.out)["duration_s"] < 60.0
    assert f"{short}: Incomplete data record" in printed.err


# --- pieces


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Over three minutes with acceleration; rates that fit a minute badly."""
    seconds, fs_hz, acc_hz = 203.0, 1401 / 7, 73 / 7
    rng = np.random.default_rng(3)
    level = np.full(round(seconds * fs_hz), 30.0)
    for first, last in ((45, 75), (100, 116), (165, 190)):  # across the first edge, within, across the third
        level[round(first * fs_hz) : round(last * fs_hz)] = 400.0
    counts = rng.normal(0.0, level).astype(np.int16)
    axes = [
        signal(f"ACC shank {axis}", rng.normal(at, 3.0, round(seconds * acc_hz)).astype(np.int16), acc_hz,
               unit="g", gain=1 / 4096)
        for axis, at in zip("xyz", (0, 4096, 0), strict=True)
    ]  # fmt: skip
    return write(tmp_path_factory.mktemp("long") / "long.edf", [signal("EMG soleus", counts, fs_hz), *axes])


def test_pieces_give_what_one_piece_gives(long: Path) -> None:
    recording = open_recording(long)
    pieces = list(recording.pieces())
    assert len(pieces) == 4
    samples = tuple(np.concatenate([piece.samples[g] for piece in pieces], axis=-1) for g in range(2))
    assert [x.shape[-1] for x in samples] == [29 * 1401, 29 * 73]
    whole = Chunk(t0_ns=pieces[0].t0_ns, samples=samples, scale=recording.scale)
    results, state = update(start(recording.layout, 1), whole)
    rest = finish(state)
    found = detect(recording)
    last = {(e.channel, e.onset_ns): e for e in (*results.episodes, *rest.episodes)}
    assert found.episodes == tuple(last.values())
    assert len(found.episodes) >= 2
    for name in ("start_ns", "usable_s", "rms_uv", "median_hz", "angle_deg", "movement_g", "flags"):
        np.testing.assert_array_equal(
            np.concatenate([getattr(epochs, name) for epochs in found.epochs]),
            np.concatenate([getattr(epochs, name) for epochs in (results.epochs, rest.epochs)]),
        )


PEAK: Final = """
import sys, tracemalloc
from pathlib import Path
from ingest.recording import detect, open_recording
detect(open_recording(Path(sys.argv[1])))
tracemalloc.start()
detect(open_recording(Path(sys.argv[2])))
print(tracemalloc.get_traced_memory()[1])
"""


def test_memory_does_not_grow_with_length(minute: Path, tmp_path: Path) -> None:
    peaks = []
    for minutes in (10, 60):
        still = [emg(seconds=60.0 * minutes, fs_hz=500.0), *acc(seconds=60.0 * minutes)]
        path = write(tmp_path / f"{minutes}.edf", still)
        command = [sys.executable, "-c", PEAK, str(minute), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        peaks.append(int(done.stdout))
    short, long = peaks
    assert long - short < 500_000, peaks  # the recording itself grew by 4.5 MB


# --- what is refused


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        (
            [emg("EEG Fpz"), emg("ECG")],
            "its channels are EEG Fpz, ECG. Name EMG channels `EMG <site>`, or say what one is: --channel ",
        ),
        ([emg(unit="T")], "channel 'EMG soleus' has unit 'T': it must be uV, mV or V. Say so: --unit 'EMG soleus=mV'"),
        ([emg(unit="")], "channel 'EMG soleus' has no unit: it must be uV, mV or V"),
        ([emg(), *acc(unit="rad")], "channel 'ACC shank x' has unit 'rad': it must be g, mg or m/s2"),
        ([emg(fs_hz=100.0)], "emg at 100 Hz: supported are 200 to 4000 Hz"),
        ([emg(fs_hz=5000.0)], "emg at 5000 Hz: supported are 200 to 4000 Hz"),
        ([emg(), *acc(fs_hz=5.0)], "acc at 5 Hz: supported are 10 to 200 Hz"),
        (
            [emg("EMG soleus"), emg("emg-Soleus")],
            "two EMG channels are of one site, soleus: EMG soleus, emg-Soleus. Say which is which: --channel",
        ),
        ([emg(), *acc("xyzz")], "two channels are axis z of one accelerometer: ACC shank z and ACC shank z"),
        ([emg(), *acc("xy"), *acc("z", fs_hz=100.0)], "the axes of ACC shank differ in rate"),
    ],
)
def test_signals_that_are_refused(signals: Signals, said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "leg.edf", signals)
    with pytest.raises(RecordingError, match=re.escape(said)) as refusal:
        open_recording(path)
    assert str(refusal.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("at", "content", "said"),
    [
        (236, b"0       ", "holds no samples"),
        (252, b"many", "is damaged"),
        (256 + 112, b"-3276.8 ", "channel 'EMG soleus' has an empty range"),
    ],
)
def test_headers_that_are_refused(at: int, content: bytes, said: str, tmp_path: Path) -> None:
    path = patched(write(tmp_path / "leg.edf", [emg()]), at, content)
    if b"0 " in content[:2]:
        path.write_bytes(path.read_bytes()[: 256 * 3])
    with pytest.raises(RecordingError, match=re.escape(f"{path}: {said}")):
        open_recording(path)


def test_a_pause_is_no_time_watched(minute: Path, tmp_path: Path) -> None:
    """Everything behind the pause is told at its true time."""
    path = tmp_path / "paused.edf"
    whole = minute.read_bytes().replace(b"EDF+C", b"EDF+D", 1)
    for second in range(50, 60):  # the cramp ends at 45
        mark = f"+{second}\x14\x14\x00".encode()
        assert whole.count(mark) == 1
        whole = whole.replace(mark, f"+{second + 30}\x14\x14\x00".encode())
    path.write_bytes(whole)
    found = told(path)
    assert found["duration_s"] == 90.0
    assert found["coverage"]["received_s"] == 60.0
    assert found["episodes"][0]["onset_s"] == told(minute)["episodes"][0]["onset_s"]
    assert found["notes"] == ["The recording has 1 pause(s); what happened in them is not known."]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.edf", "cannot be read: No such file or directory"),
        (
            "text.edf",
            "is named EDF but is none, for it does not begin as one does. Export or copy it again, or give it",
        ),
        ("text.h5", "is named HDF5 but is none"),
        ("folder", "no recording in this folder"),
        ("text", "is not a recording that we read"),
        ("[/bold] [red]", "is not a recording that we read"),  # brackets are markup to the library that prints
        ("empty", "is empty. EDF, EDF+, BDF, CSV, Parquet and OpenSignals HDF5 are read."),
        ("head", "is damaged"),
    ],
)
def test_files_that_are_refused(name: str, said: str, tmp_path: Path, *, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name.replace("/", "")
    (tmp_path / "folder").mkdir()
    if name not in {"missing.edf", "folder"}:
        path.write_bytes({"empty": b"", "head": b"0".ljust(256)}.get(name, b"just a text\n" * 100))
    end(["detect", str(path), "--json"], code=2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"charley: {path}: {said}" + printed.err.partition(said)[2]
    assert printed.err.count("\n") == 1
