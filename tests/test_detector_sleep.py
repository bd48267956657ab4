"""Sleep windows: where they begin and end, what is never sleep, and when nothing is said."""

from dataclasses import replace
from math import isfinite
from pathlib import Path

import numpy as np
import pytest
from detector_world import TWO, leg, run
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks.sleep_world import epochs_of, restless
from detector.posture import EPOCH_NS, Motion, along_shank, on_grid, upright
from detector.sleep import SleepWindow, inactive, longest_block, rolling_median, sleep_window

NOON_NS = 1_760_011_200 * 10**9
DAY_NS = 24 * 3600 * 10**9
HOUR = 360  # epochs
WALKS = Path(__file__).parent / "data" / "shank_walk_epochs.csv"


def lived(*pieces: tuple[float, str], seed: int = 0) -> Motion:
    """A day from noon on, in pieces of so many hours; what is `gone` was not recorded."""
    rng = np.random.default_rng(seed)
    angle, movement, kept, worn = [], [], [], []
    for hours, kind in pieces:
        n = round(hours * HOUR)
        kept.append(np.full(n, kind != "gone"))
        worn.append(np.full(n, kind != "off"))
        if kind == "walk":
            angle.append(rng.normal(75, 2, n))
            movement.append(rng.uniform(0.1, 0.25, n))
        elif kind == "sit":
            angle.append(65 + rng.normal(0, 0.01, n))
            movement.append(np.full(n, 0.003))
        elif kind == "fidget":  # lying, but never quiet
            angle.append(rng.normal(5, 6, n))
            movement.append(np.full(n, 0.01))
        else:  # asleep, turning over twice an hour; or with kicks three times a minute
            turns = rng.normal(0, 12, n) * (rng.random(n) < 2 / HOUR)
            kicks = 3 * (np.arange(n) % 2 * (np.arange(n) % 6 == 1)) if kind == "plm" else 0
            angle.append(np.cumsum(turns) % 40 - 20 + rng.normal(0, 0.01, n) + kicks)
            movement.append(np.where(turns != 0, 0.05, 0.003))
    keep = np.concatenate(kept)
    start_ns = NOON_NS + EPOCH_NS * np.arange(keep.size)
    return Motion(
        start_ns=start_ns[keep],
        angle_deg=np.concatenate(angle)[keep],
        movement_g=np.concatenate(movement)[keep],
        worn=np.concatenate(worn)[keep],
        rms_uv=np.full(int(keep.sum()), 3.0),
    )


def found(motion: Motion) -> SleepWindow | None:
    return sleep_window(motion, start_ns=NOON_NS, end_ns=NOON_NS + DAY_NS)


def hours(window: SleepWindow | None) -> tuple[float, float]:
    assert window is not None
    return (window.onset_ns - NOON_NS) / 3.6e12, (window.end_ns - NOON_NS) / 3.6e12


def walks() -> dict[str, np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Epochs `(angle, movement)` of real walking by recording."""
    rows = [line.split(",") for line in WALKS.read_text().splitlines()[3:]]
    names = dict.fromkeys(row[0] for row in rows)
    return {name: np.array([[float(x) for x in row[1:]] for row in rows if row[0] == name]).T for name in names}


def test_a_night_between_two_days_is_found_to_the_minute() -> None:
    window = found(lived((11, "walk"), (8, "sleep"), (5, "walk")))
    assert hours(window) == pytest.approx((11, 19), abs=1 / 60)
    assert window is not None
    assert (window.awake_after, window.seen) == (True, 1.0)
    assert 0.13 <= window.threshold_deg <= 0.50
    assert 6.5 * 3600 < window.asleep_s <= 8 * 3600


def test_periodic_leg_movements_do_not_end_sleep() -> None:
    window = found(lived((11, "walk"), (2, "sleep"), (3, "plm"), (3, "sleep"), (5, "walk")))
    assert hours(window) == pytest.approx((11, 19), abs=1 / 60)


def test_pauses_shorter_than_an_hour_are_bridged_and_longer_ones_are_not() -> None:
    short = lived((10, "walk"), (4, "sleep"), (0.9, "walk"), (3.1, "sleep"), (6, "walk"))
    long = lived((10, "walk"), (4, "sleep"), (1.1, "walk"), (3, "sleep"), (5.9, "walk"))
    assert hours(found(short)) == pytest.approx((10, 18), abs=1 / 60)
    assert hours(found(long)) == pytest.approx((10, 14), abs=1 / 60)


def test_who_sits_still_or_walks_evenly_or_keeps_stirring_is_awake() -> None:
    even = lived((10, "walk"), (8, "walk"), (6, "walk"))
    even = replace(even, angle_deg=np.full(even.angle_deg.size, 75.0))  # stride after stride the same
    for motion in (
        even, lived((10, "walk"), (8, "sit"), (6, "walk")), lived((10, "walk"), (8, "fidget"), (6, "walk")),
    ):  # fmt: skip
        assert found(motion) is None


def test_movement_alone_keeps_an_even_lying_leg_awake() -> None:
    """The angle of axis x does not see a leg that shakes or rolls."""
    day = lived((10, "walk"), (8, "sleep"), (6, "walk"))
    lying = np.abs(day.angle_deg) < 50
    assert found(day) is not None
    assert found(replace(day, movement_g=np.where(lying, 0.05, day.movement_g))) is None


@pytest.mark.parametrize(
    "motion",
    [
        lived((24, "walk")),
        lived((24, "gone")),
        lived((10, "gone"), (2.9, "sleep"), (11.1, "gone")),  # too little of anything
        lived((10, "walk"), (2.5, "sleep"), (11.5, "walk")),  # a nap
        lived((3, "walk"), (17, "sleep"), (4, "walk")),  # in bed all day
        lived((8, "sleep"), (16, "walk")),  # begun before noon
        lived((16, "walk"), (8, "sleep")),
        lived((11, "walk"), (8, "off"), (5, "walk")),  # on the table
        lived((11, "walk"), *[(0.6, "sleep"), (0.9, "gone")] * 5, (5.5, "walk")),  # a third seen
    ],
)
def test_no_window_is_given_where_the_acceleration_does_not_show_one(motion: Motion) -> None:
    assert found(motion) is None


def test_without_an_accelerometer_nothing_is_said() -> None:
    day = lived((11, "walk"), (8, "sleep"), (5, "walk"))
    nothing = np.full(day.angle_deg.size, np.nan)
    assert found(replace(day, angle_deg=nothing, movement_g=nothing)) is None


def test_a_device_whose_axis_lies_across_shows_no_posture_and_no_sleep() -> None:
    day = lived((11, "walk"), (8, "sleep"), (5, "walk"))
    across = replace(day, angle_deg=np.where(day.movement_g > 0.08, day.angle_deg - 70, day.angle_deg))
    assert along_shank(on_grid(across, start_ns=NOON_NS, end_ns=NOON_NS + DAY_NS)) is False
    assert along_shank(on_grid(day, start_ns=NOON_NS, end_ns=NOON_NS + DAY_NS)) is True
    assert found(across) is None


def test_without_walking_posture_must_make_no_difference() -> None:
    """A device across the shank, worn at night only: on one side the sleeper would seem to stand."""
    slept = lived((11, "gone"), (0.025, "walk"), (8, "sleep"), (0.15, "fidget"), (4.8, "gone"))
    hour = (slept.start_ns - NOON_NS) / 3.6e12
    aside = replace(slept, angle_deg=np.where((hour > 14) & (hour < 15.5), 70.0, slept.angle_deg))
    assert hours(found(slept)) == pytest.approx((11.025, 19.025), abs=2 / 60)
    assert along_shank(on_grid(aside, start_ns=NOON_NS, end_ns=NOON_NS + DAY_NS)) is None
    assert found(aside) is None


def test_missing_data_are_not_sleep_but_may_be_bridged() -> None:
    window = found(lived((11, "walk"), (4, "sleep"), (0.5, "gone"), (3.5, "sleep"), (5, "walk")))
    assert hours(window) == pytest.approx((11, 19), abs=1 / 60)
    assert window is not None
    assert window.seen == pytest.approx(15 / 16, abs=0.001)
    assert window.asleep_s < 7.5 * 3600
    assert hours(found(lived((11, "walk"), (5, "sleep"), (1, "gone"), (2, "sleep"), (5, "walk")))) == pytest.approx(
        (11, 16), abs=1 / 60
    )


def test_a_window_says_whether_the_wearer_was_seen_awake_after_it() -> None:
    battery = found(lived((11, "walk"), (4, "sleep"), (9, "gone")))
    rose = found(lived((11, "walk"), (4, "sleep"), (0.1, "walk"), (8.9, "gone")))
    assert battery is not None
    assert rose is not None
    assert (battery.awake_after, rose.awake_after) == (False, True)
    assert hours(rose) == pytest.approx((11, 15), abs=1 / 60)


def test_epochs_beyond_the_day_change_nothing() -> None:
    day = lived((11, "walk"), (8, "sleep"), (5, "walk"))
    more = lived((11, "walk"), (8, "sleep"), (5, "walk"), (9, "sleep"))
    assert found(more) == found(day)


@pytest.mark.parametrize("name", sorted(walks()))
def test_hours_of_real_walking_are_never_sleep_and_always_upright(name: str) -> None:
    """Every recording over and over for eight hours, between hours of other unrest so that no edge excuses it."""
    angle, movement = walks()[name]
    times = 8 * HOUR // angle.size + 1
    day = lived((2, "fidget"), (times * angle.size / HOUR, "walk"), (2, "fidget"))
    walking = day.movement_g > 0.05
    angles, movements = day.angle_deg.copy(), day.movement_g.copy()
    angles[walking], movements[walking] = np.tile(angle, times), np.tile(movement, times)
    day = replace(day, angle_deg=angles, movement_g=movements)
    grid = on_grid(day, start_ns=NOON_NS, end_ns=NOON_NS + DAY_NS)
    assert along_shank(grid) is True
    assert upright(grid)[: walking.size][walking].all()
    assert found(day) is None


def test_the_sleep_of_a_simulated_night_is_found_to_two_minutes() -> None:
    """Sixty kicks and six turns an hour, from a generator that shares no formula with the detector."""
    day = restless(3)
    assert day.asleep is not None
    window = sleep_window(day.motion, start_ns=NOON_NS, end_ns=NOON_NS + DAY_NS)
    assert hours(window) == pytest.approx((day.asleep[0] / 3600, day.asleep[1] / 3600), abs=2 / 60)


def naive_median(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    out = []
    for at in range(len(values)):
        near = [x for x in values[max(at - 15, 0) : at + 16].tolist() if isfinite(x)]
        out.append(float(np.median(near)) if len(near) > 15 else float("nan"))
    return out


@given(hnp.arrays(np.float64, st.integers(1, 90), elements=st.one_of(st.just(float("nan")), st.floats(0, 90))))
def test_the_rolling_median_equals_its_slow_twin(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    np.testing.assert_allclose(rolling_median(values), naive_median(values))


def naive_block(still: list[bool]) -> tuple[int, int] | None:
    """Runs one by one, bridged one by one."""
    blocks: list[tuple[int, int]] = []
    at = 0
    while at < len(still):
        first = at
        while at < len(still) and still[at]:
            at += 1
        if at - first > 180:
            if blocks and first - blocks[-1][1] < 360:
                blocks[-1] = (blocks[-1][0], at)
            else:
                blocks.append((first, at))
        at = max(at, first + 1)
    return max(blocks, key=lambda block: block[1] - block[0], default=None)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([1, 2, 179, 180, 181, 359, 360, 361, 500])), max_size=12))
def test_the_longest_block_equals_its_slow_twin(runs: list[tuple[bool, int]]) -> None:
    still = [value for value, length in runs for _ in range(length)]
    assert longest_block(np.array(still, np.bool_)) == naive_block(still)


def test_inactivity_lasts_more_than_five_minutes_without_a_turn_of_five_degrees() -> None:
    change = np.zeros(100)
    change[[31, 62]] = 5.1  # 31 epochs before, 30 between, 37 after
    assert inactive(change).tolist() == [True] * 31 + [False] * 32 + [True] * 37
    change[:40] = np.nan
    assert inactive(change).tolist() == [False] * 63 + [True] * 37


def test_motion_is_what_the_detector_stores() -> None:
    """The figures of `docs/sleep.md` rest on epochs made without EMG: they must be those that are stored."""
    recorded = leg(TWO, 120.0, moving=((30.0, 60.0),), upright=((80.0, 110.0),))
    stored = run([recorded]).epochs
    acc_g = recorded.samples[1].astype(np.float64) * recorded.scale[1][:, None]
    made = epochs_of(acc_g, 100, t0_ns=recorded.t0_ns)
    one = stored.channel == 0
    np.testing.assert_array_equal(stored.start_ns[one], made.start_ns)
    np.testing.assert_allclose(stored.angle_deg[one], made.angle_deg, atol=0.01)
    np.testing.assert_allclose(stored.movement_g[one], made.movement_g, rtol=1e-3)
