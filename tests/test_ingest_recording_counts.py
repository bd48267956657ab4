"""From raw values to counts: nothing clips, rails stay rails, what is small is kept, and blocks leave no trace."""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.recording.counts import Carry, Mapping, fewer, mapping, to_counts
from ingest.recording.survey import Extent

FS: Final = 1000.0
Values = NDArray[np.float64]


def extent(values: Values) -> Extent:
    known = values[np.isfinite(values)]
    whole = bool((known == np.rint(known)).all())
    return Extent(float(known.min()), float(known.max()), whole=whole, grain=float(np.diff(known).std() / np.sqrt(2)))


def once(values: Values, how: Mapping) -> NDArray[np.int16]:
    return to_counts(values, how, Carry())[0]


def test_whole_numbers_pass_as_they_are() -> None:
    values = np.arange(0.0, 4096.0)
    np.testing.assert_array_equal(once(values, mapping(extent(values), fs_hz=FS, rails=None)), values)


def test_sixteen_unsigned_bits_are_moved_to_the_middle() -> None:
    values = np.array([0.0, 1.0, 32768.0, 65534.0])
    counts = once(values, mapping(extent(values), fs_hz=FS, rails=None))
    np.testing.assert_array_equal(np.diff(counts.astype(int)), np.diff(values))


@given(st.floats(1e-9, 1e9), st.floats(-1e3, 1e3), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_plain_signal_keeps_its_shape(size: float, offset: float, seed: int) -> None:
    """To within a quarter of its grain, whatever its size and offset; nothing clips."""
    values = (np.random.default_rng(seed).normal(0, 1.0, 3000) + offset) * size
    how = mapping(extent(values), fs_hz=FS, rails=None)
    back = once(values, how) * how.step + how.offset
    assert how.couple == 0
    np.testing.assert_allclose(back, values, rtol=0, atol=0.51 * how.step)
    assert how.step <= size / 3


def test_drift_that_would_cost_resolution_is_removed() -> None:
    """Noise of 2 µV on an offset that drifts by 100 mV: steps of a µV, and all that lies above 3 Hz as it was."""
    t = np.arange(60_000) / FS
    rng = np.random.default_rng(1)
    fast = rng.normal(0, 2.0, len(t)) + 300.0 * np.sin(2 * np.pi * 30 * t) * (t > 40)
    values = fast + 100_000 * np.sin(2 * np.pi * t / 600)
    how = mapping(replace(extent(values), grain=2.0), fs_hz=FS, rails=None)  # of the median second
    assert how.couple > 0
    back = once(values, how) * how.step
    assert how.step < 8.0
    quiet, loud = slice(10_000, 40_000), slice(45_000, 60_000)
    assert np.diff(back[quiet]).std() == pytest.approx(np.diff(fast[quiet]).std(), rel=0.35)
    assert back[loud].std() == pytest.approx(fast[loud].std(), rel=0.05)
    assert np.abs(once(values, how)).max() < 32_767


def test_rails_stay_rails_beneath_the_filter() -> None:
    values = np.random.default_rng(2).normal(1e6, 50.0, 5000)
    values[2000:3000] = 8_388_607
    counts = once(values, Mapping(offset=0.0, step=20.0, couple=0.997, rails=(-8_388_608, 8_388_607)))
    assert (counts[2000:3000] == 32_767).all()


@given(st.lists(st.integers(0, 2000), max_size=8), st.booleans(), st.booleans())
@settings(max_examples=50, deadline=None)
def test_blocks_leave_no_trace(cuts: list[int], couple: bool, holes: bool) -> None:
    values = np.random.default_rng(3).normal(0, 30.0, 2000).cumsum()
    if holes:
        values[100:300] = values[1500:1700] = np.nan
    how = Mapping(offset=5.0, step=0.7, couple=0.99 if couple else 0.0)
    carry, parts = Carry(), []
    for part in np.split(values, sorted(cuts)):
        counts, carry = to_counts(part, how, carry)
        parts.append(counts)
    np.testing.assert_array_equal(np.concatenate(parts), once(values, how))


def test_missing_values_repeat_the_last_one() -> None:
    values = np.array([np.nan, 4.0, np.nan, np.inf, 1e200, 6.0, np.nan])
    np.testing.assert_array_equal(once(values, Mapping(offset=2.0, step=1.0)), [0, 2, 2, 2, 2, 4, 4])


def test_fewer_are_means() -> None:
    np.testing.assert_array_equal(fewer(np.arange(8.0), 3), [1.0, 4.0])
    np.testing.assert_array_equal(fewer(np.arange(3.0), 1), [0.0, 1.0, 2.0])
