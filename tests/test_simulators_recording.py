"""EDF+ files hold exactly the counts a device sends, and the truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edfio import read_edf

from simulators.errors import RecordingError
from simulators.recording import write_edf
from simulators.render import Front
from simulators.scenarios import build
from simulators.truth import read_truth

START_NS = 1_760_000_000_250_000_000


def test_an_edf_file_gives_back_counts_units_labels_time_and_truth(tmp_path: Path) -> None:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    (path,) = write_edf(device, tmp_path / "minute.edf")
    edf = read_edf(path)
    assert edf.labels == ("EMG gastroc_med", "EMG gastroc_lat", "ACC shank x", "ACC shank y", "ACC shank z")
    assert [signal.transducer_type for signal in edf.signals[:2]] == list(device.sites)
    assert [signal.physical_dimension for signal in edf.signals] == ["uV", "uV", "g", "g", "g"]
    assert [signal.sampling_frequency for signal in edf.signals] == [1000, 1000, 100, 100, 100]
    assert (edf.startdate.isoformat(), edf.starttime.isoformat()) == ("2025-10-09", "08:53:20.250000")
    blocks = list(device.blocks())
    for index, signal in enumerate(edf.signals):
        source, row = (index, 0) if index < 2 else (2, index - 2)
        counts = np.concatenate([block.signals[source].counts()[row] for block in blocks])
        np.testing.assert_array_equal(signal.digital, counts)
        scale = blocks[0].signals[source].scale
        gain = (signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min)
        assert np.float32(gain) == np.float32(scale)
    truth = read_truth(tmp_path / "minute.truth.json")
    assert truth == device.truth()
    (cramp,) = [note for note in edf.annotations if note.text.startswith("cramp")]
    assert cramp.onset == pytest.approx((truth.cramps[0].onset_ns - START_NS) / 1e9, abs=1e-3)
    assert cramp.duration == pytest.approx((truth.cramps[0].end_ns - truth.cramps[0].onset_ns) / 1e9, abs=1e-3)


def test_each_unbroken_stretch_gets_a_file_of_its_own(tmp_path: Path) -> None:
    (device,) = build("lossy_device", seed=1, start_ns=START_NS)
    paths = write_edf(device, tmp_path / "lossy.edf")
    assert [path.name for path in paths] == ["lossy-1.edf", "lossy-2.edf", "lossy-3.edf"]
    assert [read_edf(path).duration for path in paths] == [1200, 2780, 3180]
    notes = [note for path in paths for note in read_edf(path).annotations if note.text.startswith("cramp")]
    assert len(notes) == 2


@pytest.mark.parametrize("front", [Front(emg_fs_hz=250.0, acc_fs_hz=12.5), Front(emg_fs_hz=204.8, acc_fs_hz=25.6)])
def test_rates_that_need_longer_records_are_written(front: Front, tmp_path: Path) -> None:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    (path,) = write_edf(replace(device, front=front), tmp_path / "odd.edf")
    edf = read_edf(path)
    assert {signal.sampling_frequency for signal in edf.signals} == {front.emg_fs_hz, front.acc_fs_hz}


def test_what_edf_cannot_hold_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    with pytest.raises(RecordingError, match="whole samples"):
        write_edf(replace(device, front=Front(emg_fs_hz=333.333)), tmp_path / "odd.edf")
    with pytest.raises(RecordingError, match=r"must end in \.edf"):
        write_edf(device, tmp_path / "minute.csv")
    with pytest.raises(RecordingError, match="cannot write"):
        write_edf(device, tmp_path / "no folder" / "minute.edf")
    with pytest.raises(RecordingError, match="records nothing"):
        write_edf(replace(device, powered=((0.0, 0.5),)), tmp_path / "minute.edf")
