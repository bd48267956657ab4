"""Any stretch of samples is the same whatever stretches are asked for; rates see the same physiology; faults show."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from simulators.device import Device
from simulators.errors import ScenarioError
from simulators.event import Event
from simulators.render import Front, Renderer
from simulators.scenarios import build
from simulators.script import LYING, UPRIGHT, Script

START_NS = 1_760_000_000_000_000_000
SITE = "gastrocnemius_medialis"
OTHER = "gastrocnemius_lateralis"


def mixed(seed: int = 1) -> Device:
    """Five minutes in which everything happens once."""
    script = Script(seed, duration_s=300.0, sites=(SITE, OTHER))
    script.pose(20.0, UPRIGHT)
    script.add("walk", 22.0, 50.0, level=0.3, rhythm_hz=0.9)
    script.pose(52.0, LYING)
    script.cramp(60.0, duration_s=40.0, level=12.0, rise_s=2.0, wakes=False, site=SITE)
    script.add("plm", 110.0, 112.5, level=0.2)
    script.add("fasciculation", 120.0, 140.0, rhythm_hz=0.5)
    script.add("hum", 150.0, 170.0, level=80.0, site=SITE)
    script.add("rails", 180.0, 190.0, site=SITE)
    script.add("flat", 195.0, 205.0, site=SITE)
    script.add("electrode_off", 210.0, 230.0, level=500.0, site=SITE)
    script.add("non_wear", 240.0, 290.0, level=40.0)
    return replace(
        build("minute", seed=seed, start_ns=START_NS).devices[0],
        leg=script.leg(),
        happenings=tuple(script.happenings),
    )


DEVICE = mixed()
WHOLE = Renderer(DEVICE.leg, DEVICE.front).emg(SITE, 0, 300_000)
WHOLE_ACC = Renderer(DEVICE.leg, DEVICE.front).acc(0, 30_000)


def uv(start_s: float, end_s: float) -> NDArray[np.float64]:
    """EMG between two times, high-passed."""
    sos = signal.butter(4, 20.0, "highpass", fs=1000.0, output="sos")
    filtered = signal.sosfilt(sos, WHOLE * DEVICE.front.emg_scale)
    return np.asarray(filtered[int(start_s * 1000) : int(end_s * 1000)])


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 300_000), max_size=12))
def test_cutting_a_stretch_changes_no_sample(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 300_000]
    renderer = Renderer(DEVICE.leg, DEVICE.front)
    parts = [renderer.emg(SITE, low, high) for low, high in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), WHOLE)
    edges = [edge // 10 for edge in edges]
    shank = [renderer.acc(low, high) for low, high in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(shank, axis=1), WHOLE_ACC)


@given(first=st.integers(0, 299_000), n=st.integers(0, 1000))
def test_a_stretch_can_be_read_out_of_order(first: int, n: int) -> None:
    np.testing.assert_array_equal(RENDERER.emg(SITE, first, first + n), WHOLE[first : first + n])


RENDERER = Renderer(DEVICE.leg, DEVICE.front)


def test_a_seed_gives_the_same_samples_and_another_seed_others() -> None:
    again = mixed()
    np.testing.assert_array_equal(Renderer(again.leg, again.front).emg(SITE, 55_000, 110_000), WHOLE[55_000:110_000])
    other = mixed(seed=2)
    assert not np.array_equal(Renderer(other.leg, other.front).emg(SITE, 55_000, 110_000), WHOLE[55_000:110_000])


def envelope(fs_hz: float, site: str = SITE) -> NDArray[np.float64]:
    """RMS of each second from 50 s to 120 s in 20-90 Hz, which every rate sees."""
    front = replace(DEVICE.front, emg_fs_hz=fs_hz)
    emg = Renderer(DEVICE.leg, front).emg(site, 0, int(130 * fs_hz)) * front.emg_scale
    sos = signal.butter(4, [20.0, 90.0], "bandpass", fs=fs_hz, output="sos")
    band = signal.sosfiltfilt(sos, emg)[int(50 * fs_hz) : int(120 * fs_hz)]
    return np.sqrt((band.reshape(70, -1) ** 2).mean(axis=1))


@pytest.mark.parametrize("fs_hz", [250.0, 500.0, 4000.0])
def test_every_rate_sees_the_same_events(fs_hz: float) -> None:
    reference, seen = envelope(1000.0), envelope(fs_hz)
    loud = reference > 3 * np.median(reference[:8])
    assert loud.sum() > 30
    np.testing.assert_allclose(seen[loud], reference[loud], rtol=0.12)
    front = replace(DEVICE.front, emg_fs_hz=fs_hz)
    event = next(item.event for item in DEVICE.happenings if item.event)
    here = Renderer(DEVICE.leg, front).facts(event)
    there = Renderer(DEVICE.leg, DEVICE.front).facts(event)
    assert (here.onset_s, here.end_s) == pytest.approx((there.onset_s, there.end_s), abs=0.5)


def test_a_cramp_stays_in_its_head_and_the_neighbour_hears_little() -> None:
    own = envelope(1000.0)[15:45].mean()
    other = envelope(1000.0, OTHER)[15:45].mean()
    assert other < 0.25 * own


def test_walking_shows_strides_in_emg_and_acceleration() -> None:
    sos = signal.butter(2, 4.0, fs=1000.0, output="sos")
    burst = signal.sosfiltfilt(sos, np.abs(uv(24.0, 48.0)))
    along = WHOLE_ACC[0, 2400:4800] / 4096
    for trace, fs_hz in ((burst, 1000.0), (along - along.mean(), 100.0)):
        freq, power = signal.periodogram(trace - trace.mean(), fs_hz)
        inside = (freq > 0.5) & (freq < 1.3)
        assert freq[inside][np.argmax(power[inside])] == pytest.approx(0.9, abs=0.06)


def test_gravity_is_one_g_and_turns_with_the_shank() -> None:
    mean_g = WHOLE_ACC[:, 500:1500].mean(axis=1) / 4096
    assert np.linalg.norm(mean_g) == pytest.approx(1.0, abs=0.04)
    assert mean_g[0] < 0.3  # lying
    assert WHOLE_ACC[0, 2400:4800].mean() / 4096 > 0.8  # upright
    assert (WHOLE_ACC[:, 500:1500] / 4096).std(axis=1).max() < 0.008


def test_faults_look_like_themselves() -> None:
    rest = uv(5.0, 15.0).std()
    hum = uv(152.0, 168.0)
    freq, power = signal.welch(hum, 1000.0, nperseg=2000)
    assert power[(freq > 49) & (freq < 51)].sum() > 0.8 * power.sum()
    assert (np.abs(WHOLE[180_500:189_500]) == 32767).mean() > 0.9
    assert np.ptp(WHOLE[196_000:204_000]) == 0
    assert uv(212.0, 228.0).std() > 20 * rest
    table = WHOLE_ACC[:, 24_500:28_500] / 4096
    assert table.std(axis=1).max() < 0.006


def test_muscle_noise_is_gone_where_a_fault_replaces_it_and_back_afterwards() -> None:
    before, after = uv(5.0, 15.0).std(), uv(292.0, 299.0).std()
    assert after == pytest.approx(before, rel=0.2)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"emg_fs_hz": 199.0}, "200 to 4000"),
        ({"emg_fs_hz": float("nan")}, "200 to 4000"),
        ({"emg_fs_hz": 5000.0}, "200 to 4000"),
        ({"acc_fs_hz": 5.0}, "10 to 200"),
        ({"emg_scale": 0.0}, "positive"),
        ({"acc_scale": -1.0}, "positive"),
    ],
)
def test_impossible_front_ends_are_refused(options: dict[str, float], word: str) -> None:
    with pytest.raises(ScenarioError, match=word):
        Front(**options)


def test_impossible_legs_are_refused() -> None:
    with pytest.raises(ScenarioError, match="nothing to simulate"):
        Script(1, duration_s=0.0, sites=(SITE,))
    with pytest.raises(ScenarioError, match="must be one or more"):
        Script(1, duration_s=10.0, sites=("biceps",))
    with pytest.raises(ScenarioError, match="different"):
        replace(DEVICE.leg, sites=(SITE, SITE))
    long = Event(kind="cramp", onset_s=0.0, end_s=2000.0, seed=1, site=SITE)
    with pytest.raises(ScenarioError, match="events last up to"):
        replace(DEVICE.leg, events=(long,))
    with pytest.raises(ScenarioError, match="no electrode on 'soleus'"):
        RENDERER.emg("soleus", 0, 10)
