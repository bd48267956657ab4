"""Truth agrees with the signal, survives its file, and knows no person."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from simulators.device import Device
from simulators.errors import RecordingError
from simulators.render import Renderer
from simulators.scenarios import build
from simulators.truth import read_truth, write_truth

START_NS = 1_760_000_000_000_000_000


def rms_uv(device: Device, site: str, start_s: float, end_s: float) -> float:
    """RMS above 20 Hz."""
    fs_hz = device.front.emg_fs_hz
    first = int((start_s - 1.0) * fs_hz)
    emg = Renderer(device.leg, device.front).emg(site, first, int(end_s * fs_hz)) * device.front.emg_scale
    sos = signal.butter(4, 20.0, "highpass", fs=fs_hz, output="sos")
    return float(signal.sosfilt(sos, emg)[int(fs_hz) :].std())


@pytest.mark.parametrize("seed", [1, 2])
def test_inside_a_true_cramp_the_emg_is_above_rest_and_outside_it_is_not(seed: int) -> None:
    (device,) = build("cramp_night", seed=seed, start_ns=START_NS)
    cramps = device.truth().cramps
    assert len(cramps) == 5
    for event in cramps:
        onset_s, end_s = (event.onset_ns - START_NS) / 1e9, (event.end_ns - START_NS) / 1e9
        rest_uv = device.leg.muscles[event.site].rest_in_band_uv(device.front.emg_fs_hz)
        length_s = end_s - onset_s
        middle_uv = rms_uv(device, event.site, onset_s + 0.4 * length_s, onset_s + 0.6 * length_s)
        assert middle_uv > 2 * rest_uv
        assert event.peak_ratio is not None
        assert event.load is not None
        assert event.peak_ratio > middle_uv / rest_uv * 0.8
        assert event.peak_uv == pytest.approx(event.peak_ratio * rest_uv, rel=1e-3)
        assert 0 < event.load < (event.peak_ratio - 1) * length_s
        assert rms_uv(device, event.site, onset_s - 12.0, onset_s - 0.5) < 1.4 * rest_uv


def test_peak_and_load_are_those_of_the_rendered_signal() -> None:
    (device,) = build("minute", seed=3, start_ns=START_NS)
    (event,) = device.truth().cramps
    rest_uv = device.leg.muscles[event.site].rest_in_band_uv(device.front.emg_fs_hz)
    onset_s, end_s = (event.onset_ns - START_NS) / 1e9, (event.end_ns - START_NS) / 1e9
    emg = Renderer(device.leg, device.front).emg(event.site, 0, 60_000) * device.front.emg_scale
    filtered = signal.sosfilt(signal.butter(4, 20.0, "highpass", fs=1000.0, output="sos"), emg)
    starts = np.arange(int(onset_s * 1000), int(end_s * 1000) - 999, 500)
    seconds = np.array([filtered[at : at + 1000].std() for at in starts]) / rest_uv
    assert event.peak_ratio == pytest.approx(seconds.max(), rel=0.25)
    assert event.load == pytest.approx((seconds - 1).sum() / 2, rel=0.15)


def test_worn_time_is_recorded_time_without_non_wear() -> None:
    (device,) = build("faulty_electrode", seed=1, start_ns=START_NS)
    truth = device.truth()
    seconds = [sum(span.end_ns - span.start_ns for span in spans) / 1e9 for spans in (truth.recorded, truth.worn)]
    assert seconds == [10_800.0, 10_800.0 - 2_700.0]
    kinds = {event.kind for event in truth.events}
    assert {"hum", "electrode_off", "rails", "flat", "artefact", "non_wear", "cramp"} <= kinds


def test_events_are_told_in_order_and_only_where_the_device_recorded() -> None:
    (device,) = build("walking_day", seed=1, start_ns=START_NS)
    morning = replace(device, powered=((0.0, 3600.0),)).truth()
    onsets = [event.onset_ns for event in morning.events]
    assert len(onsets) > 3
    assert onsets == sorted(onsets)
    assert max(onsets) < START_NS + 3600 * 10**9
    assert not morning.cramps  # it comes later in the day


def test_truth_survives_its_file(tmp_path: Path) -> None:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    truth = device.truth()
    write_truth(tmp_path / "minute.json", truth)
    assert read_truth(tmp_path / "minute.json") == truth


def test_truth_files_that_are_none_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot read"):
        read_truth(tmp_path / "absent.json")
    (tmp_path / "other.json").write_text('{"scenario": 1}')
    with pytest.raises(RecordingError, match="not a truth file"):
        read_truth(tmp_path / "other.json")
    (device,) = build("minute", seed=1, start_ns=START_NS)
    with pytest.raises(RecordingError, match="cannot write"):
        write_truth(tmp_path / "no folder" / "x.json", device.truth())
