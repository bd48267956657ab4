"""Wear seen in acceleration: what lies about is found, and no sleeper is taken for a table."""

from dataclasses import replace
from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.posture import EPOCH_NS, Grid, Motion
from detector.wear import ANGLE_DEG, NOISE_G, PRESENT, RMS_SWING, SWING, SWING_G, lies_about, still_for

HOUR = 360
T0_NS = 1_760_011_200 * 10**9


def day(table_h: float, *, rms_uv: float = 3.0, before_h: float = 4.0, after_h: float = 3.0) -> Motion:
    """A leg that stirs every few minutes, some hours on a table, and the leg again."""
    rng = np.random.default_rng(4)
    before, table, after = (round(hours * HOUR) for hours in (before_h, table_h, after_h))
    n = before + table + after
    lies = np.arange(n) >= before
    lies &= np.arange(n) < before + table
    stirs = rng.random(n) < 0.03
    angle = np.where(lies, 1.2 + rng.normal(0, 0.03, n), 20 + np.cumsum(stirs * rng.normal(0, 8, n)))
    movement = np.where(lies, rng.normal(0.002, 0.0001, n), np.where(stirs, 0.04, 0.002))
    emg = np.where(lies, rms_uv, 3.0) * rng.normal(1, 0.03, n)
    return Motion(T0_NS + EPOCH_NS * np.arange(n), angle, movement, np.ones(n, np.bool_), emg)


def about_h(motion: Motion) -> float:
    return float(lies_about(motion).sum()) / HOUR


def test_six_hours_of_stillness_are_a_table_and_five_may_be_sleep() -> None:
    assert about_h(day(6.1)) == pytest.approx(6.1, abs=0.01)
    assert about_h(day(5.9)) == 0


@pytest.mark.parametrize("rms_uv", [1.0, 9.0])
def test_with_another_emg_three_hours_are_enough(rms_uv: float) -> None:
    motion = day(3.1, rms_uv=rms_uv)
    assert about_h(motion) == pytest.approx(3.1, abs=0.01)
    assert lies_about(motion)[4 * HOUR : round(7.1 * HOUR)].all()
    assert about_h(day(2.9, rms_uv=rms_uv)) == 0


def test_an_emg_hardly_lower_than_awake_is_that_of_a_sleeper() -> None:
    assert about_h(day(4.0, rms_uv=1.7)) == 0


@pytest.mark.parametrize(("column", "value"), [("angle_deg", 2.0), ("movement_g", 0.02), ("rms_uv", 9.0)])
def test_one_stirring_in_the_middle_of_eight_hours_speaks_for_a_leg(column: str, value: float) -> None:
    motion = day(8.0)
    values = getattr(motion, column).copy()
    values[8 * HOUR] = value
    assert about_h(motion) == pytest.approx(8.0, abs=0.01)
    assert about_h(replace(motion, **{column: values})) == 0


def test_what_was_not_recorded_or_not_measured_is_not_called_still() -> None:
    motion = day(6.5)
    lost = np.random.default_rng(1).random(motion.start_ns.size) < 0.8
    thin = Motion(*(getattr(motion, name)[lost] for name in Motion.__slots__))
    nothing = np.full(motion.start_ns.size, np.nan)
    assert about_h(thin) == 0
    assert about_h(replace(motion, angle_deg=nothing, movement_g=nothing)) == 0
    assert lies_about(Motion(*(getattr(motion, name)[:0] for name in Motion.__slots__))).size == 0


def test_an_emg_that_cannot_be_used_leaves_it_to_the_acceleration() -> None:
    motion = day(6.5)
    assert about_h(replace(motion, rms_uv=np.full(motion.start_ns.size, np.nan))) == pytest.approx(6.5, abs=0.01)


VALUES = st.tuples(
    st.sampled_from([0.0, 0.4, 0.6, float("nan")]),
    st.sampled_from([0.001, 0.002, 0.004, 0.02, float("nan")]),
    st.sampled_from([2.0, 3.0, 5.0, float("nan")]),
)


def naive_still(grid: Grid, epochs: int) -> list[bool]:
    """Every stretch by itself."""
    size = len(grid.angle_deg)
    found = [False] * size
    for first in range(size - epochs + 1):
        part = slice(first, first + epochs)
        rows = list(zip(grid.angle_deg[part].tolist(), grid.movement_g[part].tolist(), strict=True))
        known = [(a, m) for a, m in rows if isfinite(a) and isfinite(m)]
        emg = [r for r in grid.rms_uv[part].tolist() if isfinite(r)]
        if not known or len(known) < PRESENT * epochs:
            continue
        angles, movements = [a for a, _ in known], [m for _, m in known]
        if (
            max(angles) - min(angles) <= ANGLE_DEG
            and max(movements) <= min(NOISE_G, SWING * min(movements) + SWING_G)
            and (not emg or max(emg) <= RMS_SWING * min(emg))
        ):
            found[part] = [True] * epochs
    return found


@given(st.lists(st.tuples(VALUES, st.integers(1, 6)), max_size=10), st.integers(2, 9))
def test_stillness_equals_its_slow_twin(runs: list[tuple[tuple[float, float, float], int]], epochs: int) -> None:
    rows = np.array([values for values, length in runs for _ in range(length)], np.float64).reshape(-1, 3)
    grid = Grid(0, rows[:, 0], rows[:, 1], np.ones(len(rows), np.bool_), rows[:, 2])
    assert still_for(grid, epochs).tolist() == naive_still(grid, epochs)
