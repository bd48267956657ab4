"""The candidate and its episode second by second: the slow twin, and each rule by a leg that shows it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pytest
from detector_world import SECOND_NS, T0_NS, TWO, Active, Told, cramp, feed, leg, run
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from naive_episodes import Follower, Seen
from numpy.testing import assert_allclose

from detector import DEFAULT, Group, Layout, Params, start
from detector.candidates import CANDIDATE, EARLY_S, signs
from detector.confidence import WEIGHTS
from detector.emg import STEPS
from detector.episodes import step
from detector.results import Episode
from detector.shown import Second, shown

STREAMS: Final = 3
MATES: Final = np.array([[False, True, False], [True, False, False], [False, False, False]])
CHANNELS: Final = len(MATES)


@dataclass(frozen=True, slots=True)
class Spell:
    """What goes on in one leg for a while."""

    seconds: int
    ratio: tuple[float, float, float]
    moving: bool
    upright: bool
    home: bool
    received: bool
    lost: int  # channel that cannot be judged, or CHANNELS for none


levels = st.sampled_from([1.0, 1.0, 1.7, 2.5, 4.0, 9.0, 30.0])
spells = st.builds(
    Spell,
    seconds=st.sampled_from([1, 2, 5, 13, 25]),
    ratio=st.tuples(levels, levels, st.sampled_from([1.0, 1.0, 1.7, 12.0])),
    moving=st.sampled_from([False, False, True]),
    upright=st.booleans(),
    home=st.booleans(),
    received=st.sampled_from([True, True, True, True, False]),
    lost=st.sampled_from([0, 1, 2, CHANNELS, CHANNELS, CHANNELS]),
)


def seconds_of(told: list[Spell], rng: np.random.Generator) -> list[Seen]:
    found = []
    for spell in told:
        for _ in range(spell.seconds):
            rest = rng.uniform(2, 8, CHANNELS)
            ratio = np.array(spell.ratio) * rng.uniform(0.9, 1.1, CHANNELS)
            ok = (np.arange(CHANNELS) != spell.lost) & spell.received
            wave = 1 + 0.5 * np.sin(2 * np.pi * 1.4 * (len(found) + np.arange(STEPS) / STEPS))
            found.append(
                Seen(
                    second=1000 + len(found), live=spell.received, ok=ok.tolist(),
                    ratio=np.where(ok, ratio, 0).tolist(), rms=(1.2 * ratio * rest).tolist(), rest=rest.tolist(),
                    full=[0.6] * CHANNELS, steps=(wave * rng.uniform(0.5, 1, (CHANNELS, STEPS))).tolist(),
                    moving=spell.moving, upright=spell.upright, home=spell.home, acc=True, cold=spell.seconds == 13,
                )
            )  # fmt: skip
    return found


def batch(seen: list[Seen], params: Params) -> Second:
    """The same second of several legs, as arrays."""

    def column(name: str, dtype: Any) -> Any:
        return np.array([getattr(one, name) for one in seen], dtype)

    return shown(
        live=column("live", bool), second=column("second", np.int64), ok=column("ok", bool),
        ratio=column("ratio", np.float32), rms=column("rms", np.float32), rms_rest=column("rest", np.float32),
        full=column("full", np.float32), steps=column("steps", np.float32),
        flags=np.zeros((len(seen), CHANNELS), np.uint16), moving=column("moving", bool),
        upright=column("upright", bool), home=column("home", bool), acc=column("acc", bool),
        cold=column("cold", bool), mates=MATES, params=params,
    )  # fmt: skip


def agrees(c: dict[str, Any], a: int, twin: Follower) -> None:
    """What is remembered of leg `a` is what its twin remembers."""
    for name in ("opened", "onset_s", "opened_s", "last_s", "rise_s", "known_s", "moved_s"):
        assert c[name][a] == getattr(twin, name), name
    assert_allclose(c["evidence"][a], twin.evidence)
    assert c["hot"][a].tolist() == twin.hot
    assert_allclose(c["crest"][a], twin.crest, rtol=1e-5)
    if twin.evidence > 0 or twin.opened:
        for name in ("moved", "cold", "lain", "quiet_s", "site", "strong_s"):
            assert c[name][a] == getattr(twin, name), name
        assert_allclose(c["mean"][a], twin.mean, rtol=1e-3)
        for name in Follower.COUNTERS:
            assert_allclose(c[name][a], getattr(twin.n, name), rtol=2e-3, atol=1e-3, err_msg=name)
        for ended in (False, True):
            mine, told = signs(c, np.ones(STREAMS, np.bool_), ended=ended), twin.signs(True, ended=ended)
            for name, value in told.items():
                assert_allclose(getattr(mine, name)[a], value, rtol=5e-3, atol=2e-3, err_msg=name)


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    st.lists(st.lists(spells, min_size=3, max_size=9), min_size=STREAMS, max_size=STREAMS),
    st.sampled_from([DEFAULT, Params(pause_s=6, hold_s=5, confidence_min=0.7), Params(confidence_min=0.05)]),
    st.integers(0, 99),
)
def test_candidates_go_as_the_slow_twin_says(told: list[list[Spell]], params: Params, seed: int) -> None:
    courses = [seconds_of(one, np.random.default_rng(seed + i)) for i, one in enumerate(told)]
    state = start(Layout((Group("emg", 1000.0, CHANNELS),)), STREAMS)
    c = {name: state[name] for name in CANDIDATE}
    twins = [Follower(CHANNELS, mates=MATES.tolist(), weights=WEIGHTS, params=params) for _ in told]
    found: list[Episode] = []
    for now in zip(*(course[: min(map(len, courses))] for course in courses), strict=True):
        found += step(c, batch(list(now), params), streams=np.arange(STREAMS), params=params)
        for a, twin in enumerate(twins):
            twin.see(now[a])
            agrees(c, a, twin)
    for a, twin in enumerate(twins):
        mine = [
            (e.status, e.channel, *(ns // SECOND_NS for ns in (e.onset_ns, e.opened_ns, e.end_ns)))
            for e in found
            if e.stream == a
        ]
        assert mine == twin.told


def until(at_s: float, *active: Active, **leg_: Any) -> dict[str, Any]:
    """What is remembered of a leg when so much of it has been fed."""
    state = feed([leg(TWO, at_s, *active, **leg_).chunk], state=start(TWO, 1)).state
    return {name: state[name][0] for name in CANDIDATE}


@pytest.mark.parametrize(
    ("before", "quiet_s"),
    [([], 130), ([Active(80, 86)], 45), ([Active(80, 83, channel=1)], 48)],
    ids=["nothing", "activity", "activity of another channel"],
)
def test_quiet_is_counted_from_the_last_activity_or_movement(before: list[Active], quiet_s: int) -> None:
    """Seconds after the last movement at 0 s, or the last active one, to the onset."""
    c = until(136.0, *before, Active(130, 140), moving=[(0.0, 1.0)])
    assert c["quiet_s"] == quiet_s
    assert until(136.0, *before, Active(130, 140), moving=[(109.0, 111.0)])["quiet_s"] == min(quiet_s, 20)


def test_a_movement_just_before_the_onset_is_noted() -> None:
    for gap_s, moved in ((3, True), (5, True), (7, False)):
        c = until(136.0, Active(130, 140), moving=[(130.0 - gap_s, 131.0 - gap_s)])
        assert bool(c["moved"]) is moved, gap_s


def test_a_cramp_of_a_leg_that_works_begins_where_amplitude_leaps() -> None:
    """Both heads hold for a while, which is not believed; then one cramps."""
    stands = [Active(100, 190, ratio=4.0, channel=c) for c in (0, 1)]
    c = until(150.0, *stands, Active(130, 190, ratio=30.0))
    assert c["onset_s"] - T0_NS // SECOND_NS == 130
    assert c["paired"] == c["active"] - 10 == 10 == EARLY_S
    assert until(150.0, *stands)["onset_s"] - T0_NS // SECOND_NS == 100


def test_a_cramp_that_grows_does_not_begin_anew() -> None:
    """It is believed from the start, or grows too slowly to leap."""
    for course in ([Active(100, 108, ratio=3.0), cramp(108, 150, ratio=30.0)], [Active(100, 150, 30.0, rise_s=40.0)]):
        ((onset_s, _),) = run([leg(TWO, 190.0, *course)]).seconds()
        assert onset_s <= 103


def test_a_second_head_speaks_for_a_willed_act_only_early() -> None:
    """A cramp spreads; who stands on tiptoe uses both heads at once."""
    one = cramp(100, 150)
    late, early = (run([leg(TWO, 190.0, one, cramp(at_s, 150, channel=1))]) for at_s in (100 + EARLY_S, 100))
    assert len(late.final) == 1
    assert early.final == []
    assert late.final[0].channels == (0, 1) or late.final[0].channels == (1, 0)


def test_a_synergist_that_hardly_works_is_silent() -> None:
    """Below off_ratio it counts as nothing, however weak the first one is."""
    silent, works = (
        until(113.0, Active(100, 120, ratio=2.6), Active(100, 120, ratio=ratio, channel=1)) for ratio in (1.2, 2.1)
    )
    assert silent["paired"] == works["paired"] == EARLY_S
    assert silent["coactive"] == 0
    assert works["coactive"] > 0.5 * EARLY_S


def test_what_posture_and_movement_say_is_counted_until_it_opens() -> None:
    """Then the wearer gets up."""
    c = until(150.0, cramp(100, 160), upright=[(114.0, 160.0)], moving=[(113.0, 115.0)])
    assert c["opened"]
    assert (c["signed"], c["upright"], c["stirred"]) == (DEFAULT.hold_s, 0, 0)
    assert c["active"] == 50


def ends(told: Told) -> list[float]:
    return [end_s for _, end_s in told.seconds()]


@pytest.mark.parametrize(("share", "end_s"), [(0.07, 140.0), (0.02, 180.0)])
def test_what_stays_tense_after_a_cramp_is_not_part_of_it(share: float, end_s: float) -> None:
    """From forty times rest to two and a half: below `end_share` of the crest it is over."""
    tail = Active(140, 180, ratio=2.6)
    told = run([leg(TWO, 230.0, Active(100, 140, ratio=40.0), tail)], params=Params(end_share=share))
    assert ends(told) == [end_s]


@pytest.mark.parametrize(("upright_s", "end_s"), [(140.0, 140.0), (300.0, 180.0)])
def test_standing_on_a_cramp_that_is_over_is_not_part_of_it(upright_s: float, end_s: float) -> None:
    """The same activity counts where the wearer stays lying."""
    course = [Active(100, 140, ratio=20.0), Active(140, 180, ratio=4.0)]
    assert ends(run([leg(TWO, 330.0, *course, upright=[(upright_s, 330.0)])])) == [end_s]


@pytest.mark.parametrize(("ratio", "end_s"), [(7.0, 140.0), (15.0, 180.0)])
def test_what_is_spent_has_to_rise_near_the_crest_to_count_again(ratio: float, end_s: float) -> None:
    """Between, it stays tense: 0.4 of the way from rest to twenty times rest is 8.6."""
    course = [Active(100, 140, ratio=20.0), Active(140, 150, ratio=1.8), Active(150, 180, ratio=ratio)]
    assert ends(run([leg(TWO, 230.0, *course)])) == [end_s]


def test_what_fell_silent_counts_again_however_weak() -> None:
    """Silent for longer than a pause, so that it is another episode."""
    told = run([leg(TWO, 300.0, Active(100, 140, ratio=40.0), Active(170, 230, ratio=4.0))])
    assert told.seconds() == [(100.0, 140.0), (170.0, 230.0)]


def test_a_candidate_is_given_up_after_a_short_pause_and_an_episode_after_a_long_one() -> None:
    """Seven quiet seconds cost fourteen of evidence; once it has opened, twenty are waited for."""
    early = [Active(100, 107), Active(114, 121)]
    assert run([leg(TWO, 160.0, *early)]).episodes == ()
    late = [Active(100, 113), Active(133, 140)]
    assert run([leg(TWO, 170.0, *late)]).seconds() == [(100.0, 140.0)]


def test_when_it_was_known_is_told_with_it() -> None:
    """The end of the second with which evidence and belief sufficed; not moved by what comes after."""
    told = run([leg(TWO, 170.0, cramp(100, 140), cramp(144, 148))])
    assert {e.opened_ns for e in told.episodes} == {T0_NS + (100 + DEFAULT.hold_s) * SECOND_NS}
    slow = run([leg(TWO, 230.0, Active(100, 200, ratio=6.0, rise_s=60.0, wobble=0.3))])
    (one,) = slow.final
    assert one.onset_ns + DEFAULT.hold_s * SECOND_NS < one.opened_ns < one.end_ns


def test_an_episode_that_turns_out_to_be_something_else_is_rejected() -> None:
    """What begins like a cramp goes on as tremor; its key is that with which it was opened."""
    told = run([leg(TWO, 200.0, cramp(100, 114, ratio=5.0), Active(111, 160, ratio=5.0, wobble=0.8, wobble_hz=5.0))])
    opened, ended = told.episodes
    assert [opened.status, ended.status] == ["preliminary", "rejected"]
    assert ended.confidence < DEFAULT.confidence_min <= opened.confidence
    assert [(e.stream, e.channel, e.onset_ns, e.opened_ns) for e in told.rejected] == [
        (opened.stream, opened.channel, opened.onset_ns, opened.opened_ns)
    ]
    assert told.final == []


def test_a_rejected_episode_leaves_the_way_free_for_the_next() -> None:
    course = [cramp(100, 114, ratio=5.0), Active(111, 160, ratio=5.0, wobble=0.8, wobble_hz=5.0), cramp(260, 300)]
    told = run([leg(TWO, 340.0, *course)])
    assert len(told.rejected) == 1
    assert [onset_s for onset_s, _ in told.seconds()] == [260.0]
