"""Hostile input is ordinary input: extremes give results without a warning, and what cannot be right is refused."""

from dataclasses import replace

import numpy as np
import pytest
from detector_world import MIXED, ONE, SCALE, SECOND_NS, T0_NS, TWO, Active, Recorded, leg, run, together
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import Chunk, DetectorError, Group, Layout, Params, finish, pack, start, unpack, update
from detector.quality import flag_names

EIGHT = Layout((Group("emg", 1000.0, 8), Group("acc", 50.0, 3)))


def test_an_empty_batch_goes_through() -> None:
    chunk = Chunk(
        t0_ns=np.zeros(0, np.int64),
        samples=(np.zeros((0, 2, 1000), np.int16), np.zeros((0, 3, 100), np.int16)),
        scale=(np.zeros((0, 2), np.float32), np.zeros((0, 3), np.float32)),
    )
    results, state = update(start(TWO, 0), chunk)
    assert state.streams == 0
    assert results.episodes == finish(state).episodes == ()
    assert len(results.epochs.start_ns) == 0
    assert unpack(TWO, pack(state)).streams == 0


def filled(layout: Layout, pattern: str, *, seconds: int) -> Recorded:
    """A leg whose every signal is the same extreme; int16 knows no NaN."""
    rng = np.random.default_rng(5)
    samples = []
    for group in layout.groups:
        shape = (group.channels, round(seconds * group.fs_hz))
        values = {
            "zeros": np.zeros(shape),
            "top rail": np.full(shape, 32767),
            "bottom rail": np.full(shape, -32768),
            "alternating rails": np.where(np.arange(shape[1]) % 2, 32767, -32768) * np.ones(shape),
            "slow rails": np.where(np.arange(shape[1]) // 700 % 2, 32767, -32768) * np.ones(shape),
            "any counts": rng.integers(-32768, 32767, shape, endpoint=True),
            "one count": rng.integers(0, 1, shape, endpoint=True),
            "spikes": np.where(rng.random(shape) < 0.001, 32767, 0),
        }[pattern]
        samples.append(values.astype(np.int16))
    scale = tuple(np.full(g.channels, SCALE if g.kind == "emg" else 1 / 4096, np.float32) for g in layout.groups)
    return Recorded(layout, T0_NS, tuple(samples), scale)


PATTERNS = (
    "zeros", "top rail", "bottom rail", "alternating rails", "slow rails", "any counts", "one count", "spikes",
)  # fmt: skip


@pytest.mark.parametrize("layout", [ONE, MIXED, EIGHT], ids=["one", "mixed", "eight"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_extremes_give_finite_results_and_no_warning(pattern: str, layout: Layout) -> None:
    """After a minute of rest and before another, so that a rest level is known."""
    rest = leg(layout, 60.0)
    after = leg(layout, 60.0, seed=1, t0_ns=T0_NS + 100 * SECOND_NS)
    odd = replace(filled(layout, pattern, seconds=40), t0_ns=T0_NS + 60 * SECOND_NS)
    told = run([rest, odd, after])
    assert len(told.epochs.start_ns) == 16 * layout.channels
    assert (told.epochs.received_s == 10).all()
    assert (told.epochs.usable_s <= told.epochs.worn_s).all()
    rms, rest_uv = told.epochs.rms_uv, told.epochs.rest_uv
    assert np.isfinite(rms[told.epochs.usable_s > 0]).all()
    assert np.isnan(rms[told.epochs.usable_s == 0]).all()
    assert np.isfinite(rest_uv).all()
    if pattern in ("zeros", "one count", "top rail", "bottom rail"):
        flat = (told.epochs.start_ns >= odd.t0_ns) & (told.epochs.start_ns < after.t0_ns)
        assert not told.epochs.worn_s[flat].any()
        assert all("flat" in flag_names(int(bits)) for bits in told.epochs.flags[flat])
    if pattern != "any counts":  # which is what the strongest cramp looks like
        assert told.episodes == ()
    assert rest_uv[-1] == pytest.approx(rest_uv[5 * layout.channels - 1], rel=0.3)


def test_eight_channels_on_one_muscle_each_tell_their_own() -> None:
    muscle = replace(EIGHT, muscles=tuple(f"gastrocnemius_medialis_{c}" for c in range(1, 9)))
    told = run([leg(muscle, 100.0, *(Active(30, 60, ratio=3.0 + c, channel=c, wobble=0.3) for c in (1, 4, 6)))])
    (episode,) = told.final
    assert episode.channels == (6, 4, 1)
    assert episode.channel == 6


def test_single_samples_are_enough() -> None:
    whole = leg(TWO, 12.0)
    cuts = np.arange(0, 12_000) / 1000
    told = run(whole.cut(cuts[:2500:1]))
    np.testing.assert_array_equal(told.epochs.rms_uv, run([whole]).epochs.rms_uv)


def test_a_chunk_without_samples_is_nothing() -> None:
    whole = leg(TWO, 60.0, Active(25, 45))
    first, second = whole.cut([30.0])
    empty = replace(second, samples=tuple(x[:, :0] for x in second.samples))
    assert run([first, empty, empty, second]).episodes == run([whole]).episodes


def broken(what: str) -> Chunk:
    chunk = together([leg(TWO, 1.0), leg(TWO, 1.0)])
    emg, acc = chunk.samples
    scale, g = chunk.scale
    return {
        "one group missing": replace(chunk, samples=(emg,)),
        "one scale missing": replace(chunk, scale=(scale,)),
        "another number of streams": replace(chunk, samples=(emg[:1], acc)),
        "another number of channels": replace(chunk, samples=(emg[:, :1], acc)),
        "no axis of streams": replace(chunk, samples=(emg[0], acc)),
        "floats": replace(chunk, samples=(emg.astype(np.float32), acc)),
        "the other byte order": replace(chunk, samples=(emg.astype(">i2"), acc)),
        "long integers": replace(chunk, samples=(emg.astype(np.int32), acc)),
        "scale of zero": replace(chunk, scale=(scale * 0, g)),
        "negative scale": replace(chunk, scale=(-scale, g)),
        "scale not a number": replace(chunk, scale=(scale * np.float32(np.nan), g)),
        "infinite scale": replace(chunk, scale=(scale * np.float32(np.inf), g)),
        "a scale beyond single precision": replace(chunk, scale=(scale * np.float32(1e30), g)),
        "a scale below single precision": replace(chunk, scale=(scale * np.float32(1e-30), g)),
        "scales in double precision": replace(chunk, scale=(scale.astype(np.float64), g)),
        "one scale for all": replace(chunk, scale=(scale[:, :1], g)),
        "one time for all": replace(chunk, t0_ns=chunk.t0_ns[:1]),
        "times as floats": replace(chunk, t0_ns=chunk.t0_ns.astype(np.float64)),
        "a time before 1970": replace(chunk, t0_ns=np.full(2, -1)),
        "a time beyond the calendar": replace(chunk, t0_ns=np.full(2, 2**63 - 1)),
    }[what]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("one group missing", "1 groups of samples and 2 of scales, the layout 2"),
        ("one scale missing", "2 groups of samples and 1 of scales, the layout 2"),
        ("another number of streams", r"group 0: .*\(2, 2, n\)"),
        ("another number of channels", r"group 0: .*\(2, 2, n\)"),
        ("no axis of streams", r"group 0: .*\(2, 2, n\)"),
        ("floats", "group 0: samples are float32, not int16"),
        ("the other byte order", "group 0: samples are >i2, not int16"),
        ("long integers", "group 0: samples are int32, not int16"),
        ("scale of zero", "group 0: scale"),
        ("negative scale", "group 0: scale"),
        ("scale not a number", "group 0: scale"),
        ("infinite scale", "group 0: scale"),
        ("a scale beyond single precision", "group 0: scale"),
        ("a scale below single precision", "group 0: scale"),
        ("scales in double precision", "group 0: scale"),
        ("one scale for all", "group 0: scale"),
        ("one time for all", r"t0_ns has shape \(1,\), not \(2,\)"),
        ("times as floats", "t0_ns is float64, not int64"),
        ("a time before 1970", "t0_ns .* between 1970 and 2200"),
        ("a time beyond the calendar", "t0_ns .* between 1970 and 2200"),
    ],
)
def test_a_chunk_that_cannot_be_right_is_refused(what: str, sentence: str) -> None:
    state = start(TWO, 2)
    before = pack(state)
    with pytest.raises(DetectorError, match=sentence):
        update(state, broken(what))
    np.testing.assert_array_equal(pack(state), before)


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ([("emg", 199.9, 1)], "199.9 Hz: supported are 200 to 4000 Hz"),
        ([("emg", 4001.0, 1)], "4001 Hz: supported are 200 to 4000 Hz"),
        ([("emg", float("nan"), 1)], "nan Hz"),
        ([("emg", 1000.0, 0)], "at least one channel"),
        ([("emg", 1000.0, 1), ("acc", 9.0, 3)], "9 Hz: supported are 10 to 200 Hz"),
        ([("emg", 1000.0, 1), ("acc", 100.0, 2)], "3 axes, not 2"),
        ([("acc", 100.0, 3)], "at least one EMG group"),
        ([], "at least one EMG group"),
        ([("acc", 100.0, 3), ("emg", 1000.0, 1)], "its EMG groups, then at most one accelerometer"),
        ([("emg", 1000.0, 1), ("acc", 100.0, 3), ("acc", 50.0, 3)], "at most one accelerometer"),
    ],
)
def test_a_layout_that_cannot_be_right_is_refused(groups: list[tuple[str, float, int]], sentence: str) -> None:
    with pytest.raises(DetectorError, match=sentence):
        Layout(tuple(Group(kind, fs_hz, channels) for kind, fs_hz, channels in groups))


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"hold_s": 0}, "hold_s must be positive"),
        ({"rest_up": -0.1}, "rest_up must be positive"),
        ({"on_ratio": float("nan")}, "on_ratio must be positive"),
        ({"off_ratio": 2.0}, "off_ratio 2.0 must be below on_ratio 2.0"),
    ],
)
def test_parameters_that_cannot_be_right_are_refused(given_: dict[str, float], sentence: str) -> None:
    with pytest.raises(DetectorError, match=sentence):
        Params(**given_)


@settings(max_examples=30)
@given(st.binary(min_size=2, max_size=60_000))
def test_any_bytes_as_samples_give_results(data: bytes) -> None:
    counts = np.frombuffer(data[: len(data) // 2 * 2], np.int16)[None]
    counts = np.resize(counts, (1, 15_000))
    told = run([Recorded(ONE, T0_NS, (counts,), (np.ones(1, np.float32),))])
    assert told.epochs.received_s.tolist() == [10, 5]


def test_a_state_of_other_streams_is_not_fed() -> None:
    with pytest.raises(DetectorError, match="not \\(3,\\)"):
        update(start(TWO, 3), together([leg(TWO, 1.0)]))
