"""How the envelope wavers: the slow twin, and that wobble, beat and noise are told apart."""

import naive_detector as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from detector.emg import STEPS, emg_windows
from detector.rhythm import BEATS, rhythm

Array = NDArray[np.float64]
envelopes = st.lists(st.lists(st.floats(0, 1e4, width=32), min_size=STEPS, max_size=STEPS), min_size=1, max_size=5)


@given(envelopes)
def test_rhythm_is_what_the_slow_twin_says(steps: list[list[float]]) -> None:
    slow, fast, beats = rhythm(np.array(steps, np.float32))
    twins = [naive.rhythm(row) for row in steps]
    assert beats.shape == (len(steps), BEATS)
    assert_allclose(slow, [twin[0] for twin in twins], rtol=1e-3, atol=1e-4)
    assert_allclose(fast, [twin[1] for twin in twins], rtol=1e-3, atol=1e-4)
    assert_allclose(beats, [twin[2] for twin in twins], rtol=1e-3, atol=1e-4)


@given(envelopes, st.integers(-6, 6))
def test_gain_and_company_do_not_matter(steps: list[list[float]], quadruplings: int) -> None:
    together = rhythm(np.array(steps, np.float32) + np.float32(1))
    for i, row in enumerate(steps):
        alone = rhythm((np.array([row], np.float32) + np.float32(1)) * np.float32(4.0**quadruplings))
        for one, all_ in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], all_[i])


@pytest.mark.parametrize("hz", range(3, 3 + BEATS))
def test_a_beat_stands_out_at_its_own_line(hz: int) -> None:
    t = (np.arange(STEPS) + 0.5) / STEPS
    _, _, beats = rhythm((1 + 0.8 * np.sin(2 * np.pi * hz * t + 1))[None].astype(np.float32))
    assert int(beats.argmax()) + 3 == hz
    assert float(beats.max()) == pytest.approx(0.8**2, rel=1e-3)
    assert float(np.delete(beats[0], hz - 3).max()) < 1e-6


def contraction(modulation: Array, *, fs_hz: float, seed: int = 0) -> tuple[float, float]:
    """Wobble, and the strongest line above its neighbours, of noise whose amplitude follows `modulation`."""
    noise = np.random.default_rng(seed).normal(0, 200, len(modulation)) * modulation
    counts = noise.reshape(-1, round(fs_hz)).astype(np.int16)
    slow, fast, beats = rhythm(emg_windows(counts, fs_hz).steps)
    lines = beats.mean(0)
    return float(slow.sum() / fast.sum()), float(lines.max() - np.median(lines))


@pytest.mark.parametrize("fs_hz", [250.0, 1000.0, 4000.0])
def test_wobble_beat_and_noise_are_told_apart_at_any_rate(fs_hz: float) -> None:
    time_s = np.arange(round(60 * fs_hz)) / fs_hz
    steady = contraction(np.ones(len(time_s)), fs_hz=fs_hz)
    cramp = contraction(1 + 0.4 * np.sin(2 * np.pi * 1.4 * time_s), fs_hz=fs_hz)
    tremor = contraction(1 + 0.8 * np.sin(2 * np.pi * 6 * time_s), fs_hz=fs_hz)
    assert steady[0] == pytest.approx(1, abs=0.35)
    assert cramp[0] > 1.7 * steady[0]
    assert tremor[0] < cramp[0]
    assert tremor[1] > 5 * max(steady[1], cramp[1])


def test_steps_are_whole_parts_of_a_second() -> None:
    assert STEPS // 2 >= 3 + BEATS - 1
