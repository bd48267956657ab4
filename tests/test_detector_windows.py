"""Where samples fall in time: whole UTC seconds, jitter, drift, jumps, and what a gap does to an episode."""

from dataclasses import replace

import naive_detector as naive
import numpy as np
import pytest
from detector_world import ONE, SECOND_NS, T0_NS, TWO, Active, Recorded, Told, leg, run
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector import Chunk, Group, Layout, Params, start
from detector.windows import Windows, cut, place, take

MS = 1_000_000


def window(windows: Windows, group: int, t: int) -> list[int]:
    """Samples of one window of the first stream's first channel."""
    found = take(windows.runs[group], np.array([0]), np.array([t]))
    return [int(x) for x in found[0, 0]]


@given(
    fs_hz=st.sampled_from([200.0, 333.3, 999.5, 1000.0, 1259.26]),
    late_ns=st.integers(0, 2 * SECOND_NS),
    lengths=st.lists(st.integers(1, 900), min_size=1, max_size=5),
)
@example(fs_hz=333.3, late_ns=0, lengths=[1, 1, 197, 900, 900])  # a second half-way between two samples
def test_each_second_holds_the_samples_that_belong_to_it(fs_hz: float, late_ns: int, lengths: list[int]) -> None:
    """Samples are their own numbers, so that a window says which samples it took."""
    layout = Layout((Group("emg", fs_hz, 1),))
    anchor_ns = T0_NS + late_ns
    found: dict[int, list[int]] = {}
    state = start(layout, 1)
    total = 0
    for n in lengths:
        numbers = np.arange(total, total + n, dtype=np.int16)[None, None]
        t0_ns = np.array([anchor_ns + round(total / fs_hz * 1e9)])
        state = place(state, Chunk(t0_ns, (numbers,), (np.ones((1, 1), np.float32),)))
        windows, state = cut(state, (numbers,))
        for t in np.flatnonzero(windows.valid[0]):
            second = int(windows.second[0, t])
            assert second not in found
            found[second] = window(windows, 0, int(t))
        total += n
    assert found == naive.seconds_of(anchor_ns, total, fs_hz)


def test_groups_are_cut_at_the_same_instants() -> None:
    layout = Layout((Group("emg", 500.0, 1), Group("emg", 1259.26, 1), Group("acc", 148.15, 3)))
    state = start(layout, 1)
    anchor_ns = T0_NS + 300 * MS
    samples = tuple(np.tile(np.arange(round(5 * g.fs_hz), dtype=np.int16), (1, g.channels, 1)) for g in layout.groups)
    scale = tuple(np.ones((1, g.channels), np.float32) for g in layout.groups)
    windows, _ = cut(place(state, Chunk(np.array([anchor_ns]), samples, scale)), samples)
    assert windows.second[0].tolist() == [T0_NS // SECOND_NS + i for i in range(1, 5)]
    for g, group in enumerate(layout.groups):
        first = np.array([window(windows, g, t)[0] for t in range(4)])
        first_ns = anchor_ns + first / group.fs_hz * 1e9
        np.testing.assert_allclose(first_ns - windows.second[0] * SECOND_NS, 0, atol=0.51e9 / group.fs_hz)


def with_clock(parts: list[Recorded], error_ns: list[int]) -> list[Recorded]:
    return [replace(part, t0_ns=part.t0_ns + int(error)) for part, error in zip(parts, error_ns, strict=True)]


def assert_no_second_twice(told: Told) -> None:
    """Epochs of a channel rise strictly and none holds more than its ten seconds."""
    assert (told.epochs.received_s <= 10).all()
    assert (told.epochs.received_s > 0).all()
    for channel in np.unique(told.epochs.channel):
        assert (np.diff(told.epochs.start_ns[told.epochs.channel == channel]) > 0).all()


@settings(max_examples=20)
@given(st.lists(st.integers(-24 * MS, 24 * MS), min_size=60, max_size=60))
def test_jitter_of_the_clock_changes_nothing(jitter_ns: list[int]) -> None:
    """The first block sets the clock; what the others say is within what is tolerated of it."""
    whole = leg(ONE, 60.0, Active(25, 45))
    parts = whole.cut(np.arange(60.0))
    exact = run(with_clock(parts, [jitter_ns[0]] * 60))
    jittered = run(with_clock(parts, jitter_ns))
    assert jittered.episodes == exact.episodes
    np.testing.assert_array_equal(jittered.epochs.rms_uv, exact.epochs.rms_uv)


@pytest.mark.parametrize("ppm", [-400, -60, 60, 400])
def test_a_drifting_clock_is_followed(ppm: int) -> None:
    """Half an hour at up to 0.7 s of drift: an event at its end is told by the device's clock, without a gap."""
    whole = leg(TWO, 1800.0, Active(1700, 1740))
    parts = whole.cut(np.arange(0.0, 1800.0, 10.0))
    told = run(with_clock(parts, [round(i * 10 * ppm * 1e3) for i in range(180)]))
    assert_no_second_twice(told)
    assert told.epochs.received_s.sum() >= 2 * 1797
    ((onset_s, end_s),) = told.seconds()
    drift_s = 1700 * ppm * 1e-6
    assert abs(onset_s - (1700 + drift_s)) <= 1.06
    assert abs(end_s - (1740 + drift_s)) <= 1.06
    assert "truncated" not in told.final[0].flags


@settings(max_examples=30)
@given(
    jumps_ms=st.lists(st.integers(-30_000, 30_000), min_size=1, max_size=6),
    block_s=st.sampled_from([0.5, 1.0, 7.0]),
)
def test_no_jump_of_the_clock_counts_a_second_twice(jumps_ms: list[int], block_s: float) -> None:
    whole = leg(TWO, 20.0 * (len(jumps_ms) + 1), seed=1)
    parts = whole.cut(np.arange(0.0, whole.duration_s, block_s))
    errors = [sum(jumps_ms[: int(i * block_s // 20)]) * MS for i in range(len(parts))]
    assert_no_second_twice(run(with_clock(parts, errors)))


def test_a_jump_is_a_gap_of_the_seconds_it_is_long() -> None:
    whole = leg(ONE, 60.0)
    told = run([whole.part(0, 30), whole.part(30, 60, shift_ns=15 * SECOND_NS)])
    seconds = dict(zip(((told.epochs.start_ns - T0_NS) // SECOND_NS).tolist(), told.epochs.received_s, strict=True))
    assert seconds == {0: 10, 10: 10, 20: 10, 40: 5, 50: 10, 60: 10, 70: 5}
    back = run([whole.part(0, 30), whole.part(30, 60, shift_ns=-15 * SECOND_NS)])
    assert back.epochs.received_s.sum() == 45


@pytest.mark.parametrize("gap_s", [1, 8, 18])
def test_a_gap_shorter_than_a_pause_keeps_an_episode(gap_s: int) -> None:
    whole = leg(TWO, 120.0, Active(40, 80))
    told = run([whole.part(0, 60), whole.part(60 + gap_s, 120)])
    assert told.seconds() == [(40.0, 80.0)]
    assert "truncated" not in told.final[0].flags


@pytest.mark.parametrize("gap_s", [22, 40, 590])
def test_a_longer_gap_ends_an_episode_where_the_signal_broke_off(gap_s: int) -> None:
    whole = leg(TWO, 120.0, Active(40, 100))
    told = run([whole.part(0, 60), whole.part(60, 120, shift_ns=gap_s * SECOND_NS)])
    assert told.seconds() == [(40.0, 60.0), (60.0 + gap_s, 100.0 + gap_s)]
    assert "truncated" in told.final[0].flags
    assert [e.status for e in told.episodes] == ["preliminary", "final", "preliminary", "final"]


@pytest.mark.parametrize("gap_s", [3600, 8 * 24 * 3600])
def test_after_a_long_gap_all_begins_anew(gap_s: int) -> None:
    """What is there when the device comes back is what the rest level is learned from."""
    whole = leg(TWO, 120.0, Active(40, 100))
    told = run([whole.part(0, 60), whole.part(60, 120, shift_ns=gap_s * SECOND_NS)])
    assert told.seconds() == [(40.0, 60.0)]
    assert "truncated" in told.final[0].flags


@pytest.mark.parametrize("pause_s", [5, 20])
def test_a_pause_of_pause_s_joins_and_a_longer_one_parts(pause_s: int) -> None:
    params = Params(pause_s=pause_s)
    joined = run([leg(TWO, 130.0, Active(30, 50), Active(50 + pause_s, 90))], params=params)
    assert joined.seconds() == [(30.0, 90.0)]
    parted = run([leg(TWO, 130.0, Active(30, 50), Active(51 + pause_s, 90))], params=params)
    assert parted.seconds() == [(30.0, 50.0), (51.0 + pause_s, 90.0)]


def test_a_stream_that_breaks_off_is_closed_by_finish() -> None:
    told = run([leg(TWO, 60.0, Active(30, 70))])
    assert told.seconds() == [(30.0, 60.0)]
    assert "truncated" in told.final[0].flags
