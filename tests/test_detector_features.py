"""Every vectorised function of the detector against its slow twin, and what its features mean."""

import naive_detector as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from detector.acc import acc_windows, angle_deg, cosine
from detector.emg import BANDS, bins, emg_windows, median_hz
from detector.params import DEFAULT
from detector.rest import quiet, track
from detector.state import window_n

RATES_HZ = (200.0, 250.0, 333.3, 500.0, 1000.0, 1259.26, 2000.0, 4000.0)
vectors = st.tuples(*[st.floats(-2, 2).filter(lambda v: abs(v) > 1e-3)] * 3)


def signals(fs_hz: float) -> NDArray[np.int16]:
    """Windows of every kind: noise weak and strong, ramp, hum, a burst, a sway, rails, nothing, one spike."""
    rng = np.random.default_rng(int(fs_hz))
    n = window_n(fs_hz)
    t = np.arange(n) / fs_hz
    noise = rng.normal(0, 1, n)
    rows = [
        12 * noise,
        3000 * noise,
        40 * noise + 8000 * t - 3000,
        20 * noise + 700 * np.sin(2 * np.pi * 50 * t) + 90 * np.sin(2 * np.pi * 180 * t),
        noise * np.where((t > 0.4) & (t < 0.6), 400, 5),
        10 * noise + 900 * np.sin(2 * np.pi * 7 * t),
        90_000 * np.sin(2 * np.pi * 31 * t),
        0 * t,
        np.where(np.arange(n) == n // 3, 5000, 0),
        20 * noise - 32_000,
    ]
    return np.clip(np.rint(rows), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("fs_hz", RATES_HZ)
def test_windows_of_emg_are_what_the_slow_twin_says(fs_hz: float) -> None:
    counts = signals(fs_hz)
    found = emg_windows(counts, fs_hz)
    twins = [naive.emg_window(row, fs_hz) for row in counts]
    # Single precision: what is weak beside the strongest part of its window is known less exactly.
    strongest = np.array([t.power + t.hum + t.wander + 1 for t in twins])
    for name in ("power", "hum", "wander"):
        got, told = getattr(found, name), np.array([getattr(t, name) for t in twins])
        assert_allclose(got / strongest, told / strongest, rtol=2e-4, atol=2e-6, err_msg=name)
    assert_allclose(found.low, [t.low for t in twins], rtol=2e-4, atol=2e-3, err_msg="low")
    assert_allclose(found.span, [t.span for t in twins])
    assert_allclose(found.clipped, [t.clipped for t in twins], rtol=1e-6)
    told_steps = np.array([t.steps for t in twins])
    assert_allclose(found.steps / strongest[:, None], told_steps / strongest[:, None], rtol=2e-4, atol=2e-5)
    used = len(twins[0].bands)
    told_bands = np.array([t.bands for t in twins])
    assert_allclose(found.bands[:, :used] / strongest[:, None], told_bands / strongest[:, None], rtol=2e-4, atol=2e-6)
    assert not found.bands[:, used:].any()
    assert_allclose(bins(window_n(fs_hz), fs_hz).centre_hz, twins[0].edges_hz, rtol=1e-6)


@pytest.mark.parametrize("fs_hz", RATES_HZ)
def test_a_window_depends_on_nothing_but_itself(fs_hz: float) -> None:
    counts = signals(fs_hz)
    many = np.tile(counts, (13, 1))  # several slabs, the last one not full
    alone = [emg_windows(row[None], fs_hz) for row in counts]
    batch = emg_windows(many, fs_hz)
    for i in range(len(many)):
        for name in ("power", "low", "steps", "hum", "wander", "bands", "span", "clipped"):
            np.testing.assert_array_equal(getattr(batch, name)[i], getattr(alone[i % len(counts)], name)[0], name)


@given(st.lists(st.floats(0, 1e6), min_size=BANDS, max_size=BANDS))
def test_median_frequency_is_where_the_walk_up_the_spectrum_ends(powers: list[float]) -> None:
    edges_hz = bins(1000, 1000.0).centre_hz
    bands = np.array(powers, np.float32)
    found = float(median_hz(bands, edges_hz))
    told = naive.median_hz(bands.tolist(), edges_hz.tolist())
    assert_allclose(found, told, rtol=1e-5)
    if bands.any():
        assert 20 <= found <= 450


def test_median_frequency_of_flat_noise_is_the_middle_of_the_band() -> None:
    noise = np.random.default_rng(3).normal(0, 50, (200, 1000)).astype(np.int16)
    bands = emg_windows(noise, 1000.0).bands.mean(0)
    assert float(median_hz(bands, bins(1000, 1000.0).centre_hz)) == pytest.approx(235, abs=8)


@pytest.mark.parametrize("fs_hz", RATES_HZ)
@pytest.mark.parametrize("tone_hz", [35.3, 71.0, 85.5])
def test_power_of_a_tone_in_the_band_is_half_its_amplitude_squared(fs_hz: float, tone_hz: float) -> None:
    t = np.arange(window_n(fs_hz)) / fs_hz
    tone = np.rint(2000 * np.sin(2 * np.pi * tone_hz * t + 0.3)).astype(np.int16)
    assert emg_windows(tone[None], fs_hz).power[0] == pytest.approx(2000**2 / 2, rel=0.07)


def test_a_drift_of_the_electrode_is_not_signal() -> None:
    ramp = np.linspace(-20_000, 20_000, 1000).astype(np.int16)
    assert emg_windows(ramp[None], 1000.0).power[0] < 2**2


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("n", [10, 25, 148, 200])
def test_windows_of_acceleration_are_what_the_slow_twin_says(rows: int, n: int) -> None:
    rng = np.random.default_rng(n)
    counts = rng.integers(-32768, 32767, (rows, 3, n), endpoint=True).astype(np.int16)
    scale = rng.uniform(1e-4, 1e-3, (rows, 3)).astype(np.float32)
    found = acc_windows(counts, scale)
    twins = [naive.acc_window(row, unit.tolist()) for row, unit in zip(counts, scale, strict=True)]
    assert_allclose(found.mad, [mad for mad, _ in twins], rtol=1e-4)
    assert_allclose(found.gravity, [gravity for _, gravity in twins], rtol=1e-4, atol=1e-3)


@given(vectors, vectors)
def test_angles_are_what_the_slow_twin_says(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    one, two = np.array(a, np.float32), np.array(b, np.float32)
    assert_allclose(angle_deg(one), naive.angle_deg(one.tolist()), atol=0.01)
    assert_allclose(cosine(one, two), np.cos(np.radians(naive.turn_deg(one.tolist(), two.tolist()))), atol=1e-5)


def test_posture_of_nothing_is_not_known_and_no_turn() -> None:
    unknown = np.array([[0, 0, 0], [np.nan] * 3], np.float32)
    assert np.isnan(angle_deg(unknown)).all()
    assert (cosine(unknown, np.ones((2, 3), np.float32)) == 1).all()


windows = st.lists(st.tuples(st.floats(0.0625, 8192, width=32), st.booleans()), min_size=10, max_size=10)


@given(st.lists(windows, min_size=1, max_size=4))
def test_quiet_is_what_the_slow_twin_says(channels: list[list[tuple[float, bool]]]) -> None:
    amplitude = np.array([[a for a, _ in one] for one in channels], np.float32)
    usable = np.array([[use for _, use in one] for one in channels])
    told = [naive.quiet(row.tolist(), use.tolist()) for row, use in zip(amplitude, usable, strict=True)]
    assert_allclose(quiet(amplitude, usable), told)


logarithms = st.one_of(st.just(float("nan")), st.floats(-3, 8, width=32))
levels = st.one_of(st.just(float("nan")), st.floats(0.0625, 4096, width=32))


@given(st.lists(st.tuples(logarithms, levels, st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_the_rest_level_steps_as_the_slow_twin_says(rows: list[tuple[float, float, bool, bool]]) -> None:
    rest, level = (np.array([row[i] for row in rows], np.float32) for i in (0, 1))
    warm, frozen = (np.array([row[i] for row in rows]) for i in (2, 3))
    told = [
        naive.track(float(r), float(x), warm=w, frozen=f) for (_, _, w, f), r, x in zip(rows, rest, level, strict=True)
    ]
    assert_allclose(track(rest, level, warm=warm, frozen=frozen, params=DEFAULT), told, rtol=1e-5, atol=1e-5)
