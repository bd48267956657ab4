"""What must not matter to the detector does not: order of streams and channels, gain, rate, mains, clock, polarity.

The legs are drawn once at 4000 Hz, in microvolts, and brought to each device by decimation and rounding. Where a
change alters the samples, cramps are such that it brings none near a threshold: 40 s or longer, six times rest or
stronger, one head, lying still. Compared is what the same detector says of the same leg twice, never a figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from random import Random
from typing import Final

import numpy as np
from detector_world import ACC_SCALE, SECOND_NS, T0_NS, Recorded, Told, feed, run, together
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt

from detector import Episode, Epochs, Group, Layout, pack, start

Array = NDArray[np.float64]

EMG_HZ: Final = 4000
ACC_HZ: Final = 200
LENGTH_S: Final = 220
REST_UV: Final = 4.0
SITES: Final = ("gastrocnemius_medialis", "gastrocnemius_lateralis", "tibialis_anterior")
PER_SECOND: Final = {"received_s", "worn_s", "usable_s"}
IN_UV: Final = {"rms_uv", "rest_uv", "peak_uv"}


@dataclass(frozen=True, slots=True)
class Cramp:
    """One head cramps while the leg lies still."""

    onset_s: float
    length_s: float
    ratio: float  # to rest, at its crest
    ramp_s: float
    channel: int


SUDDEN: Final = Cramp(onset_s=70.0, length_s=40.0, ratio=6.0, ramp_s=1.5, channel=0)


@dataclass(frozen=True, slots=True)
class Story:
    """What happens on one leg; spans in seconds from the start."""

    seed: int
    cramps: tuple[Cramp, ...]
    jerks: tuple[tuple[float, float], ...]
    upright: tuple[tuple[float, float], ...] = ()


def _spans(earliest: int, latest: int, lengths: list[float]) -> st.SearchStrategy[tuple[float, float]]:
    pairs = st.tuples(st.integers(earliest, latest), st.sampled_from(lengths))
    return pairs.map(lambda pair: (float(pair[0]), pair[0] + pair[1]))


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """One or two cramps that are no question, and short jerks of the leg well before them."""
    cramps = [
        Cramp(
            onset_s=earliest + draw(st.integers(0, 90)) / 10,
            length_s=draw(st.integers(40, longest)),
            ratio=draw(st.sampled_from([6.0, 9.0, 14.0, 20.0])),
            ramp_s=draw(st.sampled_from([1.5, 3.0, 6.0])),
            channel=draw(st.integers(0, 1)),
        )
        for earliest, longest in [(70, 55), (160, 45)][: draw(st.integers(1, 2))]
    ]
    jerks = draw(st.lists(_spans(15, 50, [0.5, 1.5, 3.0]), max_size=2))
    return Story(draw(st.integers(0, 1000)), tuple(cramps), tuple(jerks))


@st.composite
def riddles(draw: st.DrawFn) -> Story:
    """Anything, most of it near some threshold: for what must not change a single bit."""
    cramps = st.builds(
        Cramp,
        onset_s=st.integers(5, 190).map(float),
        length_s=st.sampled_from([6, 11, 13, 20, 45, 90]).map(float),
        ratio=st.sampled_from([0.8, 1.5, 2.0, 3.0, 6.0, 15.0]),
        ramp_s=st.sampled_from([0.2, 3.0, 20.0]),
        channel=st.integers(0, 1),
    )
    return Story(
        draw(st.integers(0, 1000)),
        tuple(draw(st.lists(cramps, min_size=1, max_size=4))),
        tuple(draw(st.lists(_spans(5, 200, [0.5, 3.0, 15.0]), max_size=3))),
        tuple(draw(st.lists(_spans(5, 200, [5.0, 30.0, 200.0]), max_size=2))),
    )


@lru_cache(maxsize=4)
def drawn(story: Story, channels: int = 2) -> tuple[Array, Array]:
    """EMG (channels, n) in µV at 4000 Hz and acceleration (3, m) in g at 200 Hz, both with room above them."""
    rng = np.random.default_rng(story.seed)
    time_s = np.arange(LENGTH_S * EMG_HZ) / EMG_HZ
    shape = butter(2, (45, 170), "bandpass", fs=EMG_HZ, output="sos")  # surface EMG lies mostly there
    emg = _unit(sosfilt(shape, rng.normal(size=(channels, len(time_s))))) * REST_UV
    for one in story.cramps:
        wobble = 1 + 0.3 * np.sin(2 * np.pi * 1.4 * time_s + rng.uniform(0, 6))
        rise, fall = time_s - one.onset_s, one.onset_s + one.length_s - time_s
        course = np.clip(np.minimum(rise, fall) / one.ramp_s, 0, 1) * wobble * one.ratio * REST_UV
        emg[one.channel] += course * _unit(sosfilt(shape, rng.normal(size=len(time_s))))
    acc_s = np.arange(LENGTH_S * ACC_HZ) / ACC_HZ
    acc = rng.normal(0, 0.003, (3, len(acc_s)))
    upright = np.any([(acc_s >= a) & (acc_s < b) for a, b in [*story.upright, (0, 0)]], axis=0)
    acc += np.where(upright, np.array([[0.97], [0.2], [0.1]]), np.array([[0.1], [0.3], [0.95]]))
    for begin_s, end_s in story.jerks:
        inside = (time_s >= begin_s) & (time_s < end_s)
        emg[:, inside] *= 5
        shaken = (acc_s >= begin_s) & (acc_s < end_s)
        acc[:, shaken] += rng.normal(0, 0.2, (3, int(shaken.sum())))
    return emg, acc


def _unit(x: Array) -> Array:
    scaled: Array = x / x.std(axis=-1, keepdims=True)
    return scaled


def worn(
    story: Story,
    *,
    fs_hz: int = 1000,
    acc_hz: int = 50,
    scale: float = 0.25,
    channels: int = 2,
    hum: Array | None = None,
    turn: Array | None = None,
) -> Recorded:
    """The leg as a device of these rates and this scale records it; `hum` (n,) is added, `turn` (3, 3) rotates."""
    emg, acc = drawn(story, channels)
    emg = emg if hum is None else emg + hum
    acc = acc if turn is None else turn @ acc
    emg = resample_poly(emg, 1, EMG_HZ // fs_hz, axis=-1) if fs_hz < EMG_HZ else emg
    acc = resample_poly(acc, 1, ACC_HZ // acc_hz, axis=-1, padtype="line") if acc_hz < ACC_HZ else acc
    layout = Layout((Group("emg", float(fs_hz), channels), Group("acc", float(acc_hz), 3)), muscles=SITES[:channels])
    counts = [
        np.clip(np.rint(x / unit), -32767, 32767).astype(np.int16) for x, unit in ((emg, scale), (acc, ACC_SCALE))
    ]
    scales = np.full(channels, scale, np.float32), np.full(3, ACC_SCALE, np.float32)
    return Recorded(layout, T0_NS, tuple(counts), scales)


def later(episode: Episode, shift_ns: int) -> Episode:
    """The episode with all its times moved."""
    times = [field.name for field in fields(Episode) if field.name.endswith("_ns")]
    return replace(episode, **{name: getattr(episode, name) + shift_ns for name in times})


def check_same(one: Told, other: Told, *, gain: float = 1, shift_s: int = 0, rtol: float = 0) -> None:
    """The same rows and episodes, amplitudes times `gain` and times later by `shift_s`."""
    assert len(one.episodes) == len(other.episodes)
    for mine, yours in zip(one.episodes, other.episodes, strict=True):
        moved = later(mine, shift_s * SECOND_NS)
        for field in fields(Episode):
            expected, found = getattr(moved, field.name), getattr(yours, field.name)
            if isinstance(expected, float) and (rtol or field.name in IN_UV):
                expected *= gain if field.name in IN_UV else 1
                np.testing.assert_allclose(found, expected, rtol=rtol, atol=2e-3, err_msg=field.name)
            else:
                assert found == expected, field.name
    for field in fields(Epochs):
        expected, found = getattr(one.epochs, field.name), getattr(other.epochs, field.name)
        if field.name == "start_ns":
            expected = expected + shift_s * SECOND_NS
        if expected.dtype == np.float32 and field.name not in PER_SECOND:
            expected = expected * np.float32(gain if field.name in IN_UV else 1)
            np.testing.assert_allclose(found, expected, rtol=max(rtol, 1e-6), err_msg=field.name)
        else:
            np.testing.assert_array_equal(found, expected, field.name)


def check_alike(one: Told, other: Told, *, onset_s: float = 2.5, end_s: float = 4.0) -> None:
    """Episode for episode the same channel, onset and end to within a little, and about the same severity."""
    assert [e.channel for e in one.final] == [e.channel for e in other.final]
    for mine, yours in zip(one.final, other.final, strict=True):
        assert abs(mine.onset_ns - yours.onset_ns) <= onset_s * SECOND_NS
        assert abs(mine.end_ns - yours.end_ns) <= end_s * SECOND_NS
        assert abs(mine.severity - yours.severity) <= 0.7


@given(stories())
@settings(max_examples=10)
def test_there_is_something_to_compare(story: Story) -> None:
    """Each cramp is one episode, on its channel, and nothing else is."""
    told = run([worn(story)])
    assert [e.channel for e in told.final] == [c.channel for c in story.cramps]
    for (onset_s, end_s), one in zip(told.seconds(), story.cramps, strict=True):
        assert onset_s < one.onset_s + one.length_s
        assert end_s > one.onset_s


@example([Story(0, (SUDDEN,), ()), Story(2, (replace(SUDDEN, ramp_s=6.0),), ())], Random(0), 300)  # one opens first
@given(
    st.lists(stories() | riddles(), min_size=2, max_size=3),
    st.randoms(use_true_random=False),
    st.sampled_from([17, 60, 300]),
)
@settings(max_examples=5)
def test_the_order_of_streams_in_a_batch_does_not_matter(told: list[Story], random: Random, piece_s: int) -> None:
    legs = [worn(story, fs_hz=500).cut(range(piece_s, LENGTH_S, piece_s)) for story in told]
    order = list(range(len(legs)))
    random.shuffle(order)
    one, other = _batch(legs), _batch([legs[i] for i in order])
    np.testing.assert_array_equal(pack(one.state)[order], pack(other.state))
    for place, stream in enumerate(order):
        mine, yours = (
            [replace(e, stream=0) for e in t.episodes if e.stream == s] for t, s in ((one, stream), (other, place))
        )
        assert mine == yours
        for field in fields(Epochs):
            if field.name != "stream":
                columns = [
                    getattr(t.epochs, field.name)[t.epochs.stream == s] for t, s in ((one, stream), (other, place))
                ]
                np.testing.assert_array_equal(*columns)


def _batch(legs: Sequence[Sequence[Recorded]]) -> Told:
    return feed([together(parts) for parts in zip(*legs, strict=True)], state=start(legs[0][0].layout, len(legs)))


@given(stories() | riddles(), st.floats(-7, 7))
@settings(max_examples=25)
def test_the_gain_a_device_states_scales_amplitudes_and_nothing_else(story: Story, octaves: float) -> None:
    leg = worn(story)
    gain = float(np.float32(2**octaves))
    louder = replace(leg, scale=(leg.scale[0] * np.float32(gain), leg.scale[1]))
    check_same(run([leg]), run([louder]), gain=gain, rtol=2e-3)


@given(stories(), st.integers(2, 12))
@settings(max_examples=10)
def test_louder_counts_scale_amplitudes_and_nothing_else(story: Story, gain: int) -> None:
    """As though the gain were not known: counts are multiplied, and what a count is worth is not."""
    leg = worn(story)
    louder = replace(
        leg, samples=(np.clip(leg.samples[0].astype(int) * gain, -32767, 32767).astype(np.int16), leg.samples[1])
    )
    assert np.abs(louder.samples[0]).max() < 32767
    check_same(run([leg]), run([louder]), gain=gain, rtol=2e-3)


@given(stories(), st.sampled_from([0.02, 0.1, 0.5, 1.0]))
@settings(max_examples=10)
def test_the_steps_of_a_converter_do_not_matter(story: Story, scale: float) -> None:
    """From 0.02 to 1 µV a count, that is from 4 to 200 counts for the resting muscle."""
    check_alike(run([worn(story)]), run([worn(story, scale=scale)]))


@given(stories(), st.sampled_from([250, 500, 1000, 4000]), st.sampled_from([10, 25, 50, 100, 200]))
@settings(max_examples=20)
def test_the_rates_of_a_device_do_not_matter(story: Story, fs_hz: int, acc_hz: int) -> None:
    check_alike(run([worn(story, fs_hz=2000)]), run([worn(story, fs_hz=fs_hz, acc_hz=acc_hz)]))


@given(stories(), st.floats(0, 2), st.floats(-0.05, 0.05), st.floats(0, 6))
@settings(max_examples=12)
def test_mains_of_50_or_60_hz_do_not_matter(story: Story, strength: float, off_hz: float, phase: float) -> None:
    """Hum up to twice as strong as the resting muscle, with its third and fifth harmonic."""
    quiet = run([worn(story)])
    time_s = np.arange(LENGTH_S * EMG_HZ) / EMG_HZ
    for mains_hz in (50, 60):
        turn = 2 * np.pi * (mains_hz + off_hz) * time_s
        hum = np.sin(turn + phase) + 0.3 * np.sin(3 * turn) + 0.1 * np.sin(5 * turn + phase)
        check_alike(quiet, run([worn(story, hum=strength * REST_UV * _unit(hum))]))


@given(stories() | riddles(), st.permutations(range(3)), st.booleans())
@settings(max_examples=10)
def test_the_order_of_channels_does_not_matter(story: Story, order: list[int], named: bool) -> None:
    """Permuted channels give permuted results, whether or not muscles are named."""
    leg = worn(story, channels=3)
    if not named:
        leg = replace(leg, layout=replace(leg.layout, muscles=()))
    names = tuple(leg.layout.muscles[i] for i in order) if named else ()
    emg, acc = leg.samples
    other = replace(leg, layout=replace(leg.layout, muscles=names), samples=(emg[order], acc))
    one, two = run([leg]), run([other])
    back = [replace(e, channel=order[e.channel], channels=tuple(order[c] for c in e.channels)) for e in two.episodes]
    assert back == list(one.episodes)
    rows = np.lexsort((np.array(order)[two.epochs.channel], two.epochs.start_ns))
    for field in fields(Epochs):
        column = getattr(two.epochs, field.name)[rows]
        expected = getattr(one.epochs, field.name)
        np.testing.assert_array_equal(np.array(order)[column] if field.name == "channel" else column, expected)


@given(stories() | riddles(), st.integers(-1_000_000, 1_000_000))
@settings(max_examples=8)
def test_results_move_with_the_clock_by_whole_epochs(story: Story, epochs: int) -> None:
    leg = worn(story)
    shift_s = 10 * epochs
    check_same(run([leg]), run([replace(leg, t0_ns=leg.t0_ns + shift_s * SECOND_NS)]), shift_s=shift_s)


@given(stories(), st.integers(-1_000_000, 1_000_000), st.integers(0, SECOND_NS - 1))
@settings(max_examples=10)
def test_when_in_an_epoch_a_recording_begins_does_not_matter(story: Story, seconds: int, ns: int) -> None:
    """Whole seconds and fractions: windows and epochs then begin elsewhere in the signal."""
    leg = worn(story)
    shift_ns = seconds * SECOND_NS + ns
    told = run([replace(leg, t0_ns=leg.t0_ns + shift_ns)])
    check_alike(run([leg]), replace(told, episodes=tuple(later(e, -shift_ns) for e in told.episodes)))


@given(stories() | riddles(), st.tuples(st.booleans(), st.booleans()))
@settings(max_examples=8)
def test_polarity_does_not_matter(story: Story, flipped: tuple[bool, bool]) -> None:
    leg = worn(story)
    emg = np.where(np.array(flipped)[:, None], -leg.samples[0], leg.samples[0])
    check_same(run([leg]), run([replace(leg, samples=(emg, leg.samples[1]))]))


@given(stories(), st.floats(0, 360))
@settings(max_examples=8)
def test_how_far_round_the_calf_a_device_sits_does_not_matter(story: Story, degrees: float) -> None:
    """A turn about the long axis of the shank, x."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = worn(story, turn=np.array([[1, 0, 0], [0, c, -s], [0, s, c]]))
    check_alike(run([worn(story)]), run([turned]), onset_s=0, end_s=0)


@given(stories())
@settings(max_examples=6)
def test_a_device_put_on_upside_down_says_the_same(story: Story) -> None:
    turned = worn(story, turn=np.diag([-1.0, -1.0, 1.0]))
    check_alike(run([worn(story)]), run([turned]), onset_s=0, end_s=0)
