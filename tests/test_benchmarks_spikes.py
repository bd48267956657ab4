"""The legs made of spike trains: same seed same leg, every scenario renders, and the truth is that of the signal."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.accuracy.leg import Leg
from benchmarks.accuracy.legs.spikes import SCENARIOS
from benchmarks.accuracy.legs.spikes_canvas import Canvas
from benchmarks.accuracy.legs.spikes_cramp import part, wave
from benchmarks.accuracy.legs.spikes_day import day
from benchmarks.accuracy.legs.spikes_finish import finish
from benchmarks.accuracy.legs.spikes_long import night
from benchmarks.accuracy.legs.spikes_person import GM, FloatArray, Person, draw_person
from benchmarks.accuracy.legs.spikes_units import GRID_HZ, discharge

EVENTS = sorted(set(SCENARIOS) - {"night", "day"})
POSITIVES = {name for name in EVENTS if name.startswith("cramp_")}


def quiet_person(rng: np.random.Generator, fs_hz: float) -> Person:
    person = draw_person(rng, fs_hz=(fs_hz,), channels=(1,))
    return replace(
        person, sites=(GM,), mix=np.eye(8)[:1], hum_uv=np.zeros(1), highpass_hz=20.0, rail=32767, scale_uv=0.1
    )


def second_rms(leg: Leg) -> FloatArray:
    volts = leg.emg[0] * leg.emg_scale_uv
    whole = int(leg.emg_fs_hz)
    seconds = volts[: len(volts) // whole * whole].reshape(-1, whole)
    return np.asarray(np.sqrt(((seconds - volts.mean()) ** 2).mean(axis=1)), dtype=np.float64)


@pytest.mark.parametrize("name", EVENTS)
def test_every_scenario_renders_what_the_contract_says(name: str) -> None:
    leg = SCENARIOS[name](34)  # a seed of mostly slow devices
    assert leg.kind == "event"
    assert leg.emg.dtype == np.int16
    assert leg.emg.shape[0] == len(leg.sites) == len(set(leg.sites))
    assert 239 < leg.duration_s < (1501 if name == "cramp_recurring" else 721)
    assert bool(leg.cramps) == (name in POSITIVES)
    for truth in leg.cramps:
        assert 119 < truth.onset_s < truth.end_s < leg.duration_s - 10
        assert truth.site in leg.sites
        assert truth.peak_ratio > 3.9
        assert truth.load < (truth.peak_ratio - 1) * (truth.end_s - truth.onset_s)
    if leg.acc is not None:
        assert leg.acc.dtype == np.int16
        assert leg.acc.shape[0] == 3
        assert leg.acc.shape[1] == pytest.approx(leg.duration_s * leg.acc_fs_hz, abs=1.5)
        gravity = np.median(np.linalg.norm(leg.acc * leg.acc_scale_g, axis=0))
        assert gravity == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize(("seed", "cramps"), [(1, (1, 2, 3)), (2, (0,))])
def test_half_of_the_nights_have_cramps(seed: int, cramps: tuple[int, ...]) -> None:
    leg = night(seed, hours=(2.5, 2.6))
    assert leg.kind == "night"
    assert len(leg.cramps) in cramps


def test_days_have_at_most_two_cramps_and_move_the_leg() -> None:
    leg = day(1, hours=(2.5, 2.6))
    assert leg.kind == "day"
    assert len(leg.cramps) <= 2
    assert np.percentile(second_rms(leg), 95) > 3 * np.percentile(second_rms(leg), 10)


@pytest.mark.parametrize("name", ["cramp_sudden", "clonus", "electrode_lift"])
def test_a_seed_decides_everything(name: str) -> None:
    first, again, other = SCENARIOS[name](0), SCENARIOS[name](0), SCENARIOS[name](1)
    np.testing.assert_array_equal(first.emg, again.emg)
    assert first.cramps == again.cramps
    assert first.emg.shape != other.emg.shape or (first.emg != other.emg).any()


@pytest.mark.parametrize(("fs_hz", "ratio"), [(250.0, 8.0), (1000.0, 5.0), (2000.0, 40.0)])
def test_the_truth_is_what_the_signal_shows(fs_hz: float, ratio: float) -> None:
    rng = np.random.default_rng(11)
    canvas = Canvas(quiet_person(rng, fs_hz), 240.0, rng)
    level = wave(rng, rise_s=3.0, hold_s=60.0, fade_s=12.0)
    canvas.cramp(100.0, [part(canvas, GM, level)], peak_ratio=ratio)
    leg = finish(canvas, "event")
    (truth,) = leg.cramps
    rms = second_rms(leg)
    relative = rms / np.median(rms[:90])
    inside = slice(int(truth.onset_s) + 1, int(truth.end_s))
    assert truth.peak_ratio == pytest.approx(ratio, rel=0.02)
    assert relative[inside].max() == pytest.approx(ratio, rel=0.25)
    assert (relative[inside] - 1).sum() == pytest.approx(truth.load, rel=0.12)
    assert relative[: int(truth.onset_s) - 1].max() < 1.5
    assert relative[int(truth.end_s) + 2 :].max() < 1.5


def test_units_in_a_cramp_discharge_at_published_rates_and_variability() -> None:
    rng = np.random.default_rng(2)
    canvas = Canvas(quiet_person(rng, 1000.0), 1.0, rng)
    _, _, rates, _ = part(canvas, GM, np.ones(int(60 * GRID_HZ)))
    times, units = discharge(rates, cv=0.446, doublets=0.041, rng=rng)
    active = rates[rates > 0]
    assert active.mean() == pytest.approx(14.5, abs=2.5)
    assert active.min() >= 6
    assert active.max() <= 25
    assert len(times) == pytest.approx(rates.sum() / GRID_HZ * 1.041, rel=0.05)
    assert len(units) == len(times)


def test_voluntary_intervals_have_the_asked_variability() -> None:
    rng = np.random.default_rng(4)
    times, _ = discharge(np.full((1, 60_000), 12.0), cv=0.15, doublets=0.0, rng=rng)
    intervals = np.diff(np.sort(times))
    assert intervals.mean() == pytest.approx(1 / 12, rel=0.02)
    assert intervals.std() / intervals.mean() == pytest.approx(0.15, rel=0.05)
