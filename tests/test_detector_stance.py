"""Which way is up and where a leg rests, learned from epochs; slow twins, and a device mounted any way round."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

import naive_detector as naive
import numpy as np
import pytest
from detector_world import ONE, T0_NS, TWO, Active, Recorded, Told, cramp, feed, leg, run
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from detector import DEFAULT, start
from detector.learn import CUSTOM_UP, Grid, learn, lesson
from detector.quality import ARTEFACT, UPRIGHT
from detector.stance import HOME_EPOCHS, UP_EPOCHS, at_home, learn_home, learn_up, resting, upright, walking

Array = NDArray[np.float64]
AXES: Final = ([1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [0.0, 0.0, 0.0])
seeds = st.integers(0, 2**32 - 1)


def epochs(seed: int, legs: int = 6) -> dict[str, Array]:
    """Ten seconds of several legs: about one direction, or several, moving or not, some of it missing."""
    rng = np.random.default_rng(seed)
    about = np.array(AXES)[rng.integers(0, len(AXES), (legs, 1))]
    spread = rng.choice([0.02, 0.3, 0.8], (legs, 1, 1))
    return {
        "gravity": (about + rng.normal(0, 1, (legs, 10, 3)) * spread).astype(np.float32),
        "mad": (rng.choice([0.005, 0.2], (legs, 1)) * rng.uniform(0.5, 2, (legs, 10))).astype(np.float32),
        "chosen": rng.random((legs, 10)) < rng.choice([0.3, 0.9, 1.0], (legs, 1)),
        "known": np.array(AXES, np.float32)[rng.integers(0, len(AXES), legs)],
        "count": rng.integers(0, 31, legs).astype(np.int32),
    }


def taught_up(
    up: Array, walked: NDArray[np.int32], *, mad: Array, gravity: Array, have: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.int32]]:
    """What an epoch teaches, read and learned."""
    walks, mean = walking(mad=mad, gravity=gravity, have=have)
    return learn_up(up, walked, walks=walks, mean=mean)


def taught_home(
    home: Array, rested: NDArray[np.int32], *, gravity: Array, calm: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.int32]]:
    rests, mean = resting(gravity=gravity, calm=calm)
    return learn_home(home, rested, rests=rests, mean=mean)


@given(seeds)
def test_up_is_learned_as_the_slow_twin_learns_it(seed: int) -> None:
    e = epochs(seed)
    walked = e["count"] % (UP_EPOCHS + 1)
    up, count = taught_up(e["known"], walked, mad=e["mad"], gravity=e["gravity"], have=e["chosen"])
    for i in range(len(up)):
        told, told_count = naive.learn_up(
            e["known"][i].tolist(), int(walked[i]), mad=e["mad"][i].tolist(), gravity=e["gravity"][i].tolist(),
            have=e["chosen"][i].tolist(),
        )  # fmt: skip
        assert_allclose(up[i], told, atol=1e-4)
        assert count[i] == told_count


@given(seeds)
def test_home_is_learned_as_the_slow_twin_learns_it(seed: int) -> None:
    e = epochs(seed)
    home, count = taught_home(e["known"], e["count"], gravity=e["gravity"], calm=e["chosen"])
    for i in range(len(home)):
        told, told_count = naive.learn_home(
            e["known"][i].tolist(), int(e["count"][i]), gravity=e["gravity"][i].tolist(), calm=e["chosen"][i].tolist()
        )
        assert_allclose(home[i], told, atol=1e-4)
        assert count[i] == told_count


def unit(*vector: float) -> NDArray[np.float32]:
    return np.array([vector], np.float32) / np.float32(np.hypot(np.hypot(vector[0], vector[1]), vector[2]))


def epoch(gravity: NDArray[np.float32], *, mad: float = 0.2) -> tuple[Array, Array, NDArray[np.bool_]]:
    return np.full((1, 10), mad, np.float32), np.repeat(gravity[:, None], 10, axis=1), np.ones((1, 10), np.bool_)


def test_up_turns_slowly_towards_where_the_leg_walks_now() -> None:
    mad, gravity, have = epoch(unit(0, 1, 0))
    walked = np.zeros(1, np.int32)
    up, walked = taught_up(np.zeros((1, 3), np.float32), walked, mad=mad, gravity=gravity, have=have)
    assert_allclose(up, [[0, 1, 0]], atol=1e-6)
    _, other, _ = epoch(unit(1, 0, 0))
    up, walked = taught_up(up, walked, mad=mad, gravity=other, have=have)
    assert 10 < float(np.degrees(np.arctan2(up[0, 0], up[0, 1]))) < 20
    for _ in range(30):
        up, walked = taught_up(up, walked, mad=mad, gravity=other, have=have)
    assert_allclose(up, [[1, 0, 0]], atol=0.01)
    assert walked.tolist() == [UP_EPOCHS]


@pytest.mark.parametrize("what", ["still", "turning", "half an epoch"])
def test_only_walking_teaches_up(what: str) -> None:
    mad, gravity, have = epoch(unit(1, 0, 0), mad=0.01 if what == "still" else 0.2)
    if what == "turning":
        angle = np.linspace(0, 2 * np.pi, 10)
        gravity = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)[None].astype(np.float32)
    if what == "half an epoch":
        have[:, 3:] = False
    up, walked = taught_up(np.zeros((1, 3), np.float32), np.zeros(1, np.int32), mad=mad, gravity=gravity, have=have)
    assert walked.tolist() == [0]
    assert not up.any()


def test_home_holds_out_against_a_few_epochs_elsewhere() -> None:
    home, rested = np.zeros((1, 3), np.float32), np.zeros(1, np.int32)
    _, lying, calm = epoch(unit(0, 0, 1))
    _, sitting, _ = epoch(unit(1, 0, 0))
    for _ in range(12):
        home, rested = taught_home(home, rested, gravity=lying, calm=calm)
    for n in range(1, 5):
        home, rested = taught_home(home, rested, gravity=sitting, calm=calm)
        assert (home[0, 2] > 0.9) == (n < 4)
    assert rested.tolist() == [1]


def test_before_it_has_walked_axis_x_is_believed() -> None:
    state = start(TWO, 1)
    gravity = np.stack([unit(1, 0, 0), unit(-1, 0, 0.2), unit(0, 0, 1), unit(np.nan, 0, 1)], axis=1)
    steep = np.array([[True, True, False, False]])
    assert upright(state, slice(None), gravity, steep=steep).tolist() == steep.tolist()
    state["up"][:], state["walked"][:] = unit(0, 0, 1), UP_EPOCHS - 1
    assert upright(state, slice(None), gravity, steep=steep).tolist() == steep.tolist()
    state["walked"][:] = UP_EPOCHS
    assert upright(state, slice(None), gravity, steep=steep).tolist() == [[False, False, True, False]]


def test_a_leg_is_at_home_only_after_a_minute() -> None:
    state = start(TWO, 1)
    state["home"][:] = unit(0, 0, 1)
    gravity = np.stack([unit(0, 0.2, 1), unit(1, 0, 0)], axis=1)
    for rested in (0, HOME_EPOCHS - 1, HOME_EPOCHS):
        state["rested"][:] = rested
        assert at_home(state, np.array([0]), gravity).tolist() == [[rested == HOME_EPOCHS, False]]


WALKS: Final = ((60.0, 100.0),)
STANDS: Final = ((60.0, 190.0),)


def turned(recorded: Recorded, turn: Array) -> Recorded:
    """The same leg with its accelerometer mounted another way."""
    counts = np.rint(turn @ recorded.samples[-1]).astype(np.int16)
    return replace(recorded, samples=(*recorded.samples[:-1], counts))


def any_turn(seed: int) -> Array:
    """A rotation drawn at random."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    found: Array = q if np.linalg.det(q) > 0 else -q
    return found


@lru_cache(maxsize=1)
def day() -> Recorded:
    """Lies, walks, stands, holds a weight on tiptoe, lies down again and has a cramp."""
    hold = [Active(130, 160, ratio=15.0, channel=c) for c in (0, 1)]
    return leg(TWO, 360.0, *hold, cramp(260, 300), moving=WALKS, upright=STANDS)


def stands(told: Told) -> NDArray[np.bool_]:
    return (told.epochs.flags[told.epochs.channel == 0] & UPRIGHT) > 0


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_a_device_mounted_any_way_round_learns_up_from_walking(seed: int) -> None:
    told, plain = run([turned(day(), any_turn(seed))]), run([day()])
    learned = (plain.epochs.start_ns[plain.epochs.channel == 0] - T0_NS) // 10**9 >= WALKS[0][0] + 10 * UP_EPOCHS
    np.testing.assert_array_equal(stands(told)[learned], stands(plain)[learned])
    assert stands(plain)[learned].sum() == 11
    assert told.seconds() == plain.seconds()
    assert [onset_s for onset_s, _ in plain.seconds()] == [260.0]


def seated(*, rest_s: float, moves_at_s: float | None) -> tuple[int, int, int]:
    """Active seconds counted as upright, as seated, and in all, of a leg that sits with its shank upright."""
    at_s = 100 + rest_s
    moving = [(90.0, 95.0), *([] if moves_at_s is None else [(moves_at_s, moves_at_s + 2)])]
    sits = leg(TWO, at_s + 8, cramp(at_s, at_s + 20), moving=moving, upright=[(90.0, at_s + 30)])
    state = feed([sits.chunk], state=start(TWO, 1)).state
    return int(state["upright"][0]), int(state["seated"][0]), int(state["signed"][0])


def test_who_has_sat_still_for_minutes_sits_and_does_not_stand() -> None:
    """Home is where the leg has rested; who has moved a moment ago may have got up all the same."""
    assert seated(rest_s=200.0, moves_at_s=None) == (0, 8, 8)
    assert seated(rest_s=200.0, moves_at_s=270.0) == (8, 0, 8)
    assert seated(rest_s=20.0, moves_at_s=None) == (8, 0, 8)


ratios = st.lists(st.floats(0.125, 60, width=32), min_size=10, max_size=10)
masks = st.lists(st.booleans(), min_size=10, max_size=10)


@given(st.floats(0, 4, width=32), ratios, masks, st.booleans())
def test_custom_steps_as_the_slow_twin_says(custom: float, course: list[float], ok: list[bool], opened: bool) -> None:
    """Over the rest level that the same epoch has just taught."""
    state = start(ONE, 1)
    state["custom"][:], state["rest"][:], state["opened"][:] = custom, 1.0, opened
    state["grid_low"][:] = np.array(course, np.float32)
    flags = np.where(ok, 0, ARTEFACT).astype(np.uint16)[None, None]
    power = np.array(course, np.float32)[None, None] ** 2
    grid = Grid(
        have=np.ones((1, 10), np.bool_), flags=flags, power=power, low=state["grid_low"], mad=state["grid_mad"],
        gravity=state["grid_gravity"],
    )  # fmt: skip
    learn(state, np.array([0]), np.array([0]), lesson(grid, loud=None), params=DEFAULT)
    rest = float(np.exp(state["rest"][0, 0, 0]))
    told = naive.accustom(custom, [uv / rest for uv in course], ok, opened=opened)
    assert_allclose(state["custom"][0, 0], told, atol=1e-4)


def test_what_is_customary_is_learned_in_minutes_and_lost_in_an_hour() -> None:
    work = leg(TWO, 1500.0, Active(60, 360, ratio=5.0, channel=1), Active(61, 360, ratio=1.3))
    states = [feed([work.part(0, at_s).chunk], state=start(TWO, 1)).state for at_s in (60.0, 130.0, 360.0, 1500.0)]
    before, soon, late, after = (float(state["custom"][0, 1]) for state in states)
    assert before < 0.2
    assert soon < 8 * CUSTOM_UP + 0.2
    assert late > 0.8
    assert late - 0.7 < after < late
