"""Neither how the input is cut nor who else is in the batch changes anything, to the last bit of the state."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from detector_world import MIXED, ONE, SECOND_NS, TWO, Active, Recorded, Told, feed, leg, run, together
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import DetectorError, Epochs, Group, Layout, pack, start, unpack
from detector.quality import ARTEFACT, FLAT, OFF
from detector.update import PIECE_SAMPLES

MS = 1_000_000


def assert_same(one: Told, other: Told) -> None:
    """Equal epochs, episodes as emitted, and states, bit by bit."""
    assert one.episodes == other.episodes
    for name in Epochs.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one.epochs, name), getattr(other.epochs, name), name, strict=True)
    np.testing.assert_array_equal(pack(one.state), pack(other.state))


def eventful(layout: Layout, *, t0_ns: int, seed: int = 0) -> list[Recorded]:
    """Cramps, a turn in bed, standing up, a gap, a clock set back, rails, a lifted electrode, an artefact."""
    whole = leg(
        layout, 150.0, Active(40, 58), Active(40, 58, ratio=1.2, channel=1), Active(95, 140, ratio=3.0),
        t0_ns=t0_ns, seed=seed, moving=[(20, 24), (60, 63), (130, 150)], upright=[(62, 70)],
    )  # fmt: skip
    fs_hz = layout.groups[0].fs_hz
    emg, time_s = whole.samples[0].copy(), np.arange(whole.samples[0].shape[1]) / fs_hz
    emg[:, int(76 * fs_hz) : int(79 * fs_hz)] = 32767
    for at_s, hz, uv in ((83.0, 50.0, 4000.0), (103.0, 7.0, 700.0)):  # the second while the muscle works
        part = slice(int(at_s * fs_hz), int((at_s + 4) * fs_hz))
        emg[:, part] += np.rint(uv * np.sin(2 * np.pi * hz * time_s[part])).astype(np.int16)
    whole = replace(whole, samples=(emg, *whole.samples[1:]))
    return [
        whole.part(0.0, 50.0),
        whole.part(53.3, 80.0),
        whole.part(80.0, 110.0, shift_ns=180 * MS),
        whole.part(110.0, 150.0, shift_ns=-160 * MS),
    ]


def recut(stretches: Sequence[Recorded], at_s: Iterable[float]) -> list[Recorded]:
    """Every stretch cut at these times, counted from its own start."""
    edges = list(at_s)
    return [part for stretch in stretches for part in stretch.cut(edges)]


@pytest.mark.parametrize("layout", [ONE, TWO, MIXED], ids=["one", "two", "mixed"])
@pytest.mark.parametrize("late_ns", [0, 123_456_789])
def test_tiny_pieces_give_what_the_whole_gives(layout: Layout, late_ns: int) -> None:
    stretches = eventful(layout, t0_ns=1_760_000_000 * SECOND_NS + late_ns)
    whole = run(stretches)
    assert {e.status for e in whole.episodes} >= {"preliminary", "final"}
    assert whole.final
    assert np.bitwise_or.reduce(whole.epochs.flags) & (FLAT | OFF | ARTEFACT) == FLAT | OFF | ARTEFACT
    assert_same(whole, run(recut(stretches, np.arange(0.0, 60.0, 0.037))))


@settings(max_examples=25)
@given(
    layout=st.sampled_from([ONE, TWO, MIXED]),
    late_ns=st.integers(0, 10 * SECOND_NS),
    cuts=st.lists(st.floats(0.0, 50.0), max_size=12),
    single=st.floats(0.0, 45.0),
)
def test_random_cuts_give_what_the_whole_gives(layout: Layout, late_ns: int, cuts: list[float], single: float) -> None:
    """Among them a stretch of single samples."""
    stretches = eventful(layout, t0_ns=1_760_000_000 * SECOND_NS + late_ns)
    steps = single + np.arange(20) / layout.groups[0].fs_hz
    assert_same(run(stretches), run(recut(stretches, [*cuts, *steps])))


@pytest.mark.parametrize("skew_s", [-0.1, 0.1])
def test_signals_cut_apart_are_put_together(skew_s: float) -> None:
    """The groups of a piece may end a little apart: the next piece makes up for it."""
    (stretch,) = [leg(TWO, 60.0, Active(25, 45))]
    pieces = []
    edges = [0.0, *np.arange(1.05, 59.0, 1.0), 60.0]
    for a, b in pairwise(edges):
        emg = [0 if at == 0 else 60_000 if at == 60 else round(at * 1000) for at in (a, b)]
        acc = [0 if at == 0 else 6000 if at == 60 else round((at + skew_s) * 100) for at in (a, b)]
        samples = (stretch.samples[0][:, slice(*emg)], stretch.samples[1][:, slice(*acc)])
        pieces.append(replace(stretch, t0_ns=stretch.t0_ns + emg[0] * MS, samples=samples))
    assert_same(run([stretch]), run(pieces))


def test_a_clock_set_forward_within_a_second_is_cut_like_any_other() -> None:
    whole = leg(TWO, 30.0)
    early, late = whole.part(0.0, 14.1), whole.part(14.1, 30.0, shift_ns=300 * MS)
    assert_same(run([early, late]), run([early, *late.cut(np.arange(0.1, 15.9, 0.1))]))


def test_a_recording_too_long_to_analyse_at_once_is_no_other() -> None:
    whole = leg(TWO, 3300.0, Active(1540, 1720), Active(3000, 3040))
    assert whole.samples[0].size > 3 * PIECE_SAMPLES
    assert_same(run([whole]), run(whole.cut(np.arange(0.0, 3300.0, 333.3))))


def streams(layout: Layout) -> list[list[Recorded]]:
    """Five legs in step of chunks but not of time: live, a week back, at other phases of second and epoch."""
    starts = [0, -7 * 86_400 * SECOND_NS, 4_300 * MS, 9_999 * MS, 61 * SECOND_NS + 1]
    return [eventful(layout, t0_ns=1_760_000_000 * SECOND_NS + at, seed=seed) for seed, at in enumerate(starts)]


def batch(legs: Sequence[Sequence[Recorded]]) -> Told:
    return feed([together(parts) for parts in zip(*legs, strict=True)], state=start(legs[0][0].layout, len(legs)))


def only(told: Told, stream: int) -> tuple[list[object], list[object], list[int]]:
    """What a batch says of one stream, under the number 0."""
    mine = told.epochs.stream == stream
    columns = [getattr(told.epochs, name)[mine].tobytes() for name in Epochs.__dataclass_fields__ if name != "stream"]
    episodes = [replace(episode, stream=0) for episode in told.episodes if episode.stream == stream]
    return columns, list(episodes), pack(told.state)[stream].tolist()


@pytest.mark.parametrize("layout", [TWO, MIXED], ids=["two", "mixed"])
def test_a_batch_gives_each_stream_what_it_gives_alone(layout: Layout) -> None:
    legs = streams(layout)
    legs = [recut(leg_, [7.3, 20.0]) for leg_ in legs]
    told = batch(legs)
    assert len({e.stream for e in told.final}) == len(legs)
    for stream, parts in enumerate(legs):
        assert only(told, stream) == only(run(parts), 0)


@given(st.permutations(range(5)))
@settings(max_examples=5)
def test_the_order_of_streams_does_not_matter(order: list[int]) -> None:
    legs = streams(TWO)
    told, permuted = batch(legs), batch([legs[i] for i in order])
    for place, stream in enumerate(order):
        assert only(permuted, place) == only(told, stream)


@pytest.mark.parametrize("layout", [ONE, TWO, MIXED], ids=["one", "two", "mixed"])
def test_a_state_comes_back_from_its_bytes(layout: Layout) -> None:
    """After every piece, from bytes that may not be written and lie at any address."""
    stretches = recut(eventful(layout, t0_ns=1_760_000_000 * SECOND_NS), [10.0, 20.0, 29.5])
    state = start(layout, 1)
    found = []
    for part in stretches:
        told = feed([part.chunk], state=state)
        found += [e for e in told.episodes if "truncated" not in e.flags]
        rows = pack(told.state)
        state = unpack(layout, np.frombuffer(b"x" + rows.tobytes(), np.uint8)[1:].reshape(rows.shape))
        np.testing.assert_array_equal(pack(state), rows)
    whole = run(stretches)
    np.testing.assert_array_equal(pack(state), pack(whole.state))
    assert found == [e for e in whole.episodes if "truncated" not in e.flags]


def test_update_leaves_the_state_it_was_given_alone() -> None:
    first, second = leg(TWO, 60.0, Active(25, 45)).cut([40.3])
    before = run([first]).state
    rows = pack(before).copy()
    one, other = feed([second.chunk], state=before), feed([second.chunk], state=before)
    np.testing.assert_array_equal(pack(before), rows)
    assert_same(one, other)


@pytest.mark.parametrize("change", ["short", "long", "flat", "floats", "other layout"])
def test_bytes_of_another_size_are_refused(change: str) -> None:
    rows = pack(start(TWO, 3))
    wrong = {
        "short": rows[:, :-1],
        "long": np.concatenate([rows, rows[:, :1]], axis=1),
        "flat": rows.ravel(),
        "floats": rows.astype(np.float32),
        "other layout": pack(start(Layout((Group("emg", 1000.0, 3), Group("acc", 100.0, 3))), 3)),
    }[change]
    with pytest.raises(DetectorError, match="packed state"):
        unpack(TWO, wrong)
