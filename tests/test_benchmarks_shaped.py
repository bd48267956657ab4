"""Legs of shaped noise: the same for the same seed, of the promised form, and their truth is in their signal."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from benchmarks.accuracy.leg import Leg
from benchmarks.accuracy.legs import shaped
from benchmarks.accuracy.legs.shaped_canvas import GRID_HZ, Canvas, band_noise, grid
from benchmarks.accuracy.legs.shaped_cramp import TRUE_FROM, add_cramp, draw_course
from benchmarks.accuracy.legs.shaped_long import cramp_times
from benchmarks.accuracy.legs.shaped_motion import STANDING
from benchmarks.accuracy.legs.shaped_person import draw_device, draw_mount, draw_sites, draw_wearer
from benchmarks.accuracy.legs.shaped_render import render

EVENTS = sorted(name for name, session in shaped.SESSIONS.items() if session.kind == "event")


def blank(seed: int, *, duration_s: float = 120.0) -> Canvas:
    rng = np.random.default_rng(seed)
    sites = draw_sites(rng)
    wearer, device = draw_wearer(rng, sites), draw_device(rng, sites=sites)
    canvas = Canvas(rng=rng, wearer=wearer, device=device, duration_s=duration_s)
    canvas.pose(0.0, STANDING)
    return canvas


def second_rms(leg: Leg, channel: int = 0) -> NDArray[np.float64]:
    """Give the RMS of each second in µV above 15 Hz, that is without wander and the movement of electrodes."""
    sos = butter(4, 15.0, "highpass", fs=leg.emg_fs_hz, output="sos")
    emg = sosfiltfilt(sos, leg.emg[channel] * leg.emg_scale_uv)
    n = round(leg.emg_fs_hz)
    return np.sqrt(np.mean(np.square(emg[: len(emg) // n * n].reshape(-1, n)), axis=1))


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_has_the_form_of_a_leg(name: str) -> None:
    leg = shaped.SCENARIOS[name](1)
    assert leg.kind == "event"
    assert 180 <= leg.duration_s <= 1500
    assert leg.emg.dtype == np.int16
    assert leg.emg.shape == (len(leg.sites), int(leg.duration_s * leg.emg_fs_hz + 0.5))
    assert (leg.acc is None) == (leg.acc_fs_hz == 0)
    if leg.acc is not None:
        assert leg.acc.dtype == np.int16
        assert abs(leg.acc.shape[1] / leg.acc_fs_hz - leg.duration_s) < 0.1
    assert bool(leg.cramps) == name.startswith("cramp_")
    for cramp in leg.cramps:
        assert 100 < cramp.onset_s < cramp.end_s <= leg.duration_s
        assert cramp.site == leg.sites[0]
        assert cramp.load > 0


def test_a_seed_decides_everything() -> None:
    once, again, other = (shaped.SCENARIOS["cramp_weak"](seed) for seed in (5, 5, 6))
    assert once.cramps == again.cramps
    np.testing.assert_array_equal(once.emg, again.emg)
    assert once.cramps != other.cramps


@pytest.mark.parametrize("seed", range(6))
def test_the_signal_reaches_the_peak_that_the_truth_says(seed: int) -> None:
    canvas = blank(seed)
    course = draw_course(canvas.rng, rise_s=5.0, hold_s=30.0, fall_s=10.0)
    truth = add_cramp(canvas, start_s=60.0, course=course, peak_ratio=float(canvas.rng.uniform(4, 30)))
    rms = second_rms(render(canvas, "event"))
    assert rms[60:106].max() / np.median(rms[5:55]) == pytest.approx(truth.peak_ratio, rel=0.3)
    assert np.median(rms[108:118]) == pytest.approx(np.median(rms[5:55]), rel=0.1)


def test_truth_is_the_noiseless_envelope() -> None:
    canvas = blank(3)
    course = np.r_[np.linspace(0, 1, 10 * GRID_HZ), np.ones(30 * GRID_HZ)]
    truth = add_cramp(canvas, start_s=40.0, course=course, peak_ratio=20.0)
    power = canvas.cramp[0]
    means = np.convolve(power, np.ones(GRID_HZ) / GRID_HZ, "same")
    ratio = np.sqrt(1 + means)
    assert truth.peak_ratio == pytest.approx(20.0, rel=1e-3) == pytest.approx(ratio.max(), rel=1e-3)
    assert truth.load == pytest.approx(
        np.sum(ratio[int(truth.onset_s * GRID_HZ) : 80 * GRID_HZ] - 1) / GRID_HZ, rel=0.01
    )
    assert truth.end_s == pytest.approx(80.0, abs=0.02)
    assert 40.0 + 10 * TRUE_FROM / 20 < truth.onset_s < 42.0


def test_rest_has_the_rms_of_the_wearer() -> None:
    for seed in range(4):
        canvas = blank(seed)
        leg = render(canvas, "event")
        hum_free = np.sqrt(np.median(second_rms(leg)) ** 2 - canvas.device.hum_uv**2)
        assert hum_free == pytest.approx(canvas.wearer.rest_uv[0], rel=0.3)


def test_gravity_is_one_g_however_the_device_is_mounted() -> None:
    for seed in range(6):
        leg = render(blank(seed, duration_s=20.0), "event")
        if leg.acc is not None:
            felt = np.linalg.norm(leg.acc.mean(axis=1) * leg.acc_scale_g)
            assert felt == pytest.approx(1.0, abs=0.06)


def test_half_of_the_mounts_point_to_the_knee() -> None:
    rng = np.random.default_rng(1)
    mounts = [draw_mount(rng) for _ in range(400)]
    for mount in mounts:
        np.testing.assert_allclose(mount @ mount.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(mount) == pytest.approx(1.0, abs=1e-4)
    assert 0.4 < np.mean([mount[0, 0] > 0.95 for mount in mounts]) < 0.65


def test_hardware_varies() -> None:
    canvases = [blank(seed, duration_s=1.0) for seed in range(300)]
    counts = Counter(len(canvas.device.sites) for canvas in canvases)
    assert set(counts) == {1, 2, 3, 4, 8}
    assert len({canvas.device.emg_fs_hz for canvas in canvases}) == 8
    assert 0.1 < np.mean([canvas.device.acc_fs_hz is None for canvas in canvases]) < 0.3
    assert {round(canvas.device.mains_hz / 10) for canvas in canvases} == {5, 6}


@pytest.mark.parametrize("band_hz", [(0, 0.5), (0, 6), (0.5, 5), (1, 15)])
def test_band_noise_has_unit_variance(band_hz: tuple[float, float]) -> None:
    noise = band_noise(np.random.default_rng(2), 600.0, band_hz=band_hz, rows=2)
    assert noise.shape == (2, len(grid(600.0)))
    assert noise.std() == pytest.approx(1.0, rel=0.25)


@pytest.mark.parametrize(("name", "hours"), [("night", (7, 8.5)), ("day", (8, 12))])
def test_long_sessions_are_lived_from_end_to_end(name: str, hours: tuple[float, float]) -> None:
    canvas = shaped.draw(name, 2)
    assert shaped.SESSIONS[name].kind == name
    assert hours[0] <= canvas.duration_s / 3600 <= hours[1]
    by_hour = canvas.effort[0, : 7 * 3600 * GRID_HZ].reshape(7, -1)
    assert (by_hour.max(axis=1) > 3).all()  # something happens in each
    assert np.median(canvas.effort[0]) < 1  # and rest prevails


def test_about_half_of_the_nights_are_free_of_cramps() -> None:
    times = [cramp_times(np.random.default_rng(seed), most=3, first_s=1800, last_s=25_000) for seed in range(400)]
    assert 0.42 < np.mean([not night for night in times]) < 0.58
    assert max(map(len, times)) == 3
