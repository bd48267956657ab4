"""Motor units and potentials against the published numbers, and the vectorised code against slow twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from simulators import cramp
from simulators.event import Event
from simulators.leg import Muscle, make_muscles
from simulators.motor_units import FloatArray, Pool, Spikes, discharges, make_pool, rates, variance
from simulators.noise import make_noise, read
from simulators.potentials import PHASES, make_bank, render

SITE = "gastrocnemius_medialis"


def muscle(seed: int) -> Muscle:
    return make_muscles(seed, (SITE,))[SITE]


def a_cramp(seed: int, *, duration_s: float = 90.0, level: float = 12.0) -> Event:
    return Event(
        kind="cramp", onset_s=0.0, end_s=duration_s, seed=seed, site=SITE, level=level, rise_s=3.0, fall_s=15.0
    )


def intervals(spikes: Spikes, *, longest_s: float = 0.5) -> list[FloatArray]:
    """Inter-spike intervals of each unit with thirty or more; longer pauses are pauses, not intervals."""
    found = []
    for unit in np.unique(spikes.unit):
        gaps = np.diff(np.sort(spikes.time_s[spikes.unit == unit]))
        gaps = gaps[gaps < longest_s]
        if gaps.size >= 30:
            found.append(gaps)
    return found


def median_hz(emg: FloatArray, fs_hz: float) -> float:
    freq, power = signal.welch(emg, fs_hz, nperseg=int(fs_hz))
    inside = (freq >= 20) & (freq <= 450)
    total = np.cumsum(power[inside])
    return float(freq[inside][np.searchsorted(total, total[-1] / 2)])


def test_discharges_have_the_rate_and_variability_asked_for() -> None:
    rate = np.repeat(np.array([[8.0], [15.0], [25.0]]), 4000, axis=1)
    spikes = discharges(np.random.default_rng(1), rate, grid_hz=20.0, isi_cv=0.15)
    for unit, pps in enumerate((8.0, 15.0, 25.0)):
        gaps = np.diff(spikes.time_s[spikes.unit == unit])
        assert 1 / gaps.mean() == pytest.approx(pps, rel=0.03)
        assert gaps.std() / gaps.mean() == pytest.approx(0.15, abs=0.015)


def test_units_discharge_only_while_their_rate_is_above_zero() -> None:
    rate = np.zeros((2, 100))
    rate[0, 20:40] = 30.0
    rate[1, 60:] = 30.0
    spikes = discharges(np.random.default_rng(2), rate, grid_hz=10.0, isi_cv=0.3, doublets=0.0)
    first, second = spikes.time_s[spikes.unit == 0], spikes.time_s[spikes.unit == 1]
    assert min(first.size, second.size) > 20
    assert first.min() >= 2.0
    assert first.max() <= 4.0
    assert second.min() >= 6.0
    assert second.max() <= 10.0
    assert discharges(np.random.default_rng(2), np.zeros((3, 5)), grid_hz=10.0, isi_cv=0.3).unit.size == 0


def test_units_are_recruited_by_size_and_maximal_drive_gives_the_maximal_amplitude() -> None:
    pool = make_pool(np.random.default_rng(3), mvc_uv=500.0)
    assert np.all(np.diff(pool.threshold) > 0)
    low, high = rates(pool, np.array([0.1])), rates(pool, np.array([1.0]))
    assert 0 < len(low) < len(high) == len(pool.threshold)
    assert np.sqrt(variance(pool, high)[0]) == pytest.approx(500.0)
    assert np.corrcoef(np.log(pool.strength), np.arange(len(pool.strength)))[0, 1] > 0.8


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cramps_have_the_published_rates_and_variability(seed: int) -> None:
    """Minetto 2009: 14.5±5.1 pps between 6.0±0.8 and 25±8, interval CV 44.6±9.7 %."""
    under = muscle(seed)
    event = a_cramp(seed, duration_s=120.0)
    plan = cramp.course(event, under.pool, rest_uv=under.rest_uv)
    gaps = intervals(cramp.involuntary(event, plan))
    mean_pps = [1 / gap.mean() for gap in gaps]
    variability = [gap.std() / gap.mean() for gap in gaps]
    assert len(gaps) > 20
    assert np.mean(mean_pps) == pytest.approx(14.5, abs=2.0)
    assert min(mean_pps) > 6.0
    assert max(mean_pps) < 33.0
    assert np.mean(variability) == pytest.approx(0.446, abs=0.097)
    active = plan.rate_pps[plan.rate_pps > 0]
    assert active.min() >= 6.0
    assert active.max() <= 25.0


def test_cramp_rates_swing_together_at_one_to_one_and_a_half_hertz() -> None:
    under = muscle(4)
    plan = cramp.course(a_cramp(4, duration_s=200.0), under.pool, rest_uv=under.rest_uv)
    steady = plan.rate_pps[:, 600:-600]
    common = np.nanmean(np.where(steady > 0, steady, np.nan), axis=0)
    freq, power = signal.welch(common - common.mean(), cramp.GRID_HZ, nperseg=400)
    inside = (freq > 0.5) & (freq < 5)
    assert 0.9 <= freq[inside][np.argmax(power[inside])] <= 1.7


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_spectrum_of_voluntary_emg_has_its_median_where_skin_electrodes_see_it(seed: int) -> None:
    pool = muscle(seed).pool
    spikes = discharges(np.random.default_rng(seed), rates(pool, np.full(400, 0.4)), grid_hz=10.0, isi_cv=0.15)
    emg = render(make_bank(pool, fs_hz=2000.0), spikes, start_s=0.0, n=80_000)
    assert 70.0 <= median_hz(emg.astype(np.float64), 2000.0) <= 110.0


@pytest.mark.parametrize("fs_hz", [200.0, 500.0, 1000.0, 2000.0, 4000.0])
def test_rendered_power_is_what_campbells_theorem_expects_at_every_rate(fs_hz: float) -> None:
    pool = muscle(5).pool
    wanted = rates(pool, np.full(600, 0.5))
    spikes = discharges(np.random.default_rng(5), wanted, grid_hz=10.0, isi_cv=0.3)
    bank = make_bank(pool, fs_hz=fs_hz)
    emg = render(bank, spikes, start_s=0.0, n=int(60 * fs_hz))
    expected = float((pool.strength[: len(wanted)] ** 2 * bank.passed[: len(wanted)]) @ wanted[:, 0])
    assert float(emg.astype(np.float64).var()) == pytest.approx(expected, rel=0.15)


def slow_render(pool: Pool, spikes: Spikes, *, fs_hz: float, start_s: float, n: int) -> FloatArray:
    """Adds one potential after the other, each at its own place."""
    bank = make_bank(pool, fs_hz=fs_hz)
    half = bank.taps.shape[1] // 2
    out = np.zeros(n)
    for unit, time_s in zip(spikes.unit, spikes.time_s, strict=True):
        place = (time_s - start_s) * fs_hz
        whole = int(np.floor(place))
        phase = min(int((place - whole) * PHASES), PHASES - 1)
        for lag, value in enumerate(bank.taps[unit * PHASES + phase]):
            if 0 <= whole - half + lag < n:
                out[whole - half + lag] += value
    return out


@given(seed=st.integers(0, 1000), start_s=st.floats(-0.2, 1.2), n=st.integers(1, 900))
def test_rendering_equals_adding_potentials_one_by_one(seed: int, start_s: float, n: int) -> None:
    rng = np.random.default_rng(seed)
    pool = muscle(6).pool
    spikes = Spikes(rng.integers(0, len(pool.threshold), 30), rng.uniform(0.0, 1.0, 30))
    fast = render(make_bank(pool, fs_hz=500.0), spikes, start_s=start_s, n=n)
    slow = slow_render(pool, spikes, fs_hz=500.0, start_s=start_s, n=n)
    assert fast.shape == (n,)
    np.testing.assert_allclose(fast, slow, atol=1e-3 * max(1.0, float(np.abs(slow).max())))


@given(first=st.integers(0, 10**9), n=st.integers(1, 5000), cut=st.floats(0, 1))
def test_noise_read_in_two_parts_is_the_noise_read_at_once(first: int, n: int, cut: float) -> None:
    noise = NOISE
    middle = int(n * cut)
    whole = read(noise, first=first, n=n, fs_hz=1000.0)
    parts = [read(noise, first=first + low, n=high - low, fs_hz=1000.0) for low, high in ((0, middle), (middle, n))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    at = first + n // 2
    slow = sum(float(circle[at % circle.size]) for circle in noise.circles)
    size, phase = noise.wander
    hertz = np.array([0.021, 0.057, 0.113, 0.19, 0.37])
    slow += float((size * np.sin(2 * np.pi * hertz * at / 1000.0 + phase)).sum())
    assert float(whole[n // 2]) == pytest.approx(slow, abs=0.3)


NOISE = make_noise((1,), fs_hz=1000.0, density=0.2, corner_hz=12.0, wander=6.0)


@pytest.mark.parametrize("fs_hz", [250.0, 1000.0, 4000.0])
def test_resting_noise_has_its_level_and_wanders_slowly(fs_hz: float) -> None:
    under = muscle(7)
    noise = make_noise((7,), fs_hz=fs_hz, density=under.density_uv, corner_hz=12.0, wander=6.0)
    emg = read(noise, first=0, n=int(120 * fs_hz), fs_hz=fs_hz).astype(np.float64)
    sos = signal.butter(6, [20.0, min(450.0, 0.45 * fs_hz)], "bandpass", fs=fs_hz, output="sos")
    level_uv = float(signal.sosfilt(sos, emg)[int(fs_hz) :].std())
    assert level_uv == pytest.approx(under.rest_in_band_uv(fs_hz), rel=0.15)
    assert 2.0 <= under.rest_uv <= 6.0
    low = signal.sosfiltfilt(signal.butter(2, 1.0, fs=fs_hz, output="sos"), emg)
    assert 3.0 <= float(low.std()) <= 12.0
