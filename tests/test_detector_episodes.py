"""The rules of episodes: what opens, what ends, what is rejected, and what a gap or a dead electrode does."""

from dataclasses import replace

import numpy as np
import pytest
from detector_world import MIXED, ONE, SECOND_NS, T0_NS, TWO, Active, Recorded, leg, run
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import DEFAULT, Epochs, Layout, Params

HOUR_NS = 3600 * SECOND_NS
# Where rest, clock or electrodes are in question and not belief, for one channel without acceleration is doubted.
CREDULOUS = Params(confidence_min=0.1)


def test_a_candidate_does_not_wait_out_a_gap() -> None:
    whole = leg(TWO, 400.0, Active(60, 70), Active(300, 305))
    told = run([whole.part(0, 70), whole.part(300, 400, shift_ns=HOUR_NS)])
    assert told.episodes == ()


def test_an_onset_does_not_reach_back_over_a_gap() -> None:
    whole = leg(TWO, 400.0, Active(60, 66), Active(300, 330))
    told = run([whole.part(0, 66), whole.part(300, 400, shift_ns=60 * SECOND_NS)])
    assert told.seconds() == [(360.0, 390.0)]


def test_a_channel_is_not_still_hot_when_its_electrode_is_back() -> None:
    """Strong enough to stay hot, too weak to become so; told from chunks that are cut just where it begins."""
    whole = leg(TWO, 200.0, Active(60, 65, ratio=12.0), Active(125, 150, ratio=2.5))
    emg = whole.samples[0].copy()
    emg[0, 65_000:120_000] = 0
    whole = replace(whole, samples=(emg, whole.samples[1]))
    for cuts in ([], [95.0], [125.0], np.arange(200.0)):
        assert run(whole.cut(cuts), params=Params(on_ratio=4.0)).episodes == ()


@pytest.mark.parametrize("layout", [ONE, TWO, MIXED], ids=["one", "two", "mixed"])
def test_a_cramp_is_told_when_it_opens_and_when_it_ends(layout: Layout) -> None:
    told = run(leg(layout, 120.0, Active(40, 80, wobble=0.3)).cut(np.arange(120.0)), params=CREDULOUS)
    first, last = told.episodes
    assert [first.status, last.status] == ["preliminary", "final"]
    assert (first.stream, first.channel, first.onset_ns) == (last.stream, last.channel, last.onset_ns)
    assert told.seconds() == [(40.0, 80.0)]
    assert first.end_ns - first.onset_ns == DEFAULT.hold_s * SECOND_NS
    assert first.opened_ns == last.opened_ns == first.end_ns
    assert last.channels == (0,)
    assert last.peak_ratio == pytest.approx(9.5, rel=0.2)
    assert last.load == pytest.approx(40 * np.sqrt(8**2 - 1) / (DEFAULT.reference_ratio - 1), rel=0.1)
    assert all(CREDULOUS.confidence_min <= one.confidence <= 1 for one in told.episodes)
    assert ("no_acc" in last.flags) == (layout.acc is None)


@pytest.mark.parametrize("ratio", [2.6, 4.0, 40.0])
@pytest.mark.parametrize("seconds", [16, 200])
def test_cramps_weak_and_strong_short_and_long_are_found(ratio: float, seconds: int) -> None:
    told = run([leg(TWO, 120.0 + seconds, Active(60, 60 + seconds, ratio=ratio))])
    assert told.seconds() == [(60.0, 60.0 + seconds)]


def test_what_is_too_weak_or_too_short_is_not_an_episode() -> None:
    assert run([leg(TWO, 300.0, Active(60, 200, ratio=1.4))]).episodes == ()
    assert run([leg(TWO, 120.0, Active(60, 60 + DEFAULT.hold_s - 1))]).episodes == ()


def test_an_onset_is_where_the_rise_began() -> None:
    """A minute at 1.7 times rest, which alone would be nothing, then the cramp."""
    told = run([leg(TWO, 240.0, Active(60, 120, ratio=1.75), Active(120, 160))])
    ((onset_s, end_s),) = told.seconds()
    assert onset_s < 110
    assert end_s == 160


def test_periodic_leg_movements_do_not_add_up() -> None:
    """Ten seconds long, the longest that movements are, every 20 s."""
    movements = [Active(60.0 + 20 * i, 70.0 + 20 * i, ratio=15.0) for i in range(20)]
    assert run([leg(TWO, 480.0, *movements)]).episodes == ()


def test_steps_do_not_add_up_however_long() -> None:
    """0.6 s of every 1.1 s, without an accelerometer to help."""
    steps = [Active(60 + 1.1 * i, 60.6 + 1.1 * i, ratio=12.0) for i in range(200)]
    assert run([leg(ONE, 300.0, *steps)]).episodes == ()


def test_turning_over_is_not_a_cramp() -> None:
    turns = [(60.0, 85.0), (200.0, 245.0)]
    told = run([leg(TWO, 300.0, *(Active(a, b, channel=c) for a, b in turns for c in (0, 1)), moving=turns)])
    assert told.episodes == ()


def test_a_hold_on_tiptoe_is_not_a_cramp() -> None:
    both = [Active(60, 110, ratio=20.0, channel=c) for c in (0, 1)]
    assert run([leg(TWO, 160.0, *both, upright=[(50, 130)])]).episodes == ()


def test_getting_up_with_a_cramp_does_not_undo_it() -> None:
    told = run([leg(TWO, 160.0, Active(60, 120), upright=[(90, 150)], moving=[(88, 92), (112, 114)])])
    assert told.seconds() == [(60.0, 120.0)]
    assert {"moving", "upright"} <= set(told.final[0].flags)


def test_both_heads_are_named_strongest_first() -> None:
    told = run([leg(TWO, 160.0, Active(60, 120, ratio=3.0), Active(90, 120, ratio=30.0, channel=1))])
    (first, last) = told.episodes
    assert (first.channel, first.channels) == (0, (0,))
    assert (last.channel, last.channels) == (0, (1, 0))
    assert last.peak_ratio == pytest.approx(30, rel=0.15)


def test_activity_without_end_becomes_the_new_rest() -> None:
    """A device put on other skin: half an hour later the rest level begins to follow."""
    params = Params(endless_s=120, rest_up_far=0.2, rest_up=0.2)
    told = run([leg(ONE, 900.0, Active(100, 900, ratio=6.0))], params=params)
    ((onset_s, end_s),) = told.seconds()
    assert onset_s == 100
    assert end_s < 500
    assert told.epochs.rest_uv[-1] > 4 * told.epochs.rest_uv[8]


def test_a_long_cramp_does_not_become_rest() -> None:
    told = run([leg(ONE, 1100.0, Active(100, 1000, ratio=6.0))])
    assert told.seconds() == [(100.0, 1000.0)]
    assert told.epochs.rest_uv[99] == pytest.approx(told.epochs.rest_uv[9], rel=0.05)


def test_the_running_epoch_counts_every_second_once() -> None:
    """Electrode flat for 7 s, at its rails for 5 s, and off beneath loud hum for 10 s."""
    whole = leg(ONE, 120.0, t0_ns=T0_NS + 3 * SECOND_NS)
    emg = whole.samples[0].copy()
    emg[:, 50_000:57_000] = 5
    emg[:, 70_000:75_000] = np.where(np.arange(5000) // 20 % 2, 32767, -32768)
    hum = 3000 * np.sin(2 * np.pi * 50 * np.arange(10_000) / 1000)
    emg[:, 90_000:100_000] = (emg[:, 90_000:100_000] + hum).astype(np.int16)
    epochs = run([replace(whole, samples=(emg,))]).epochs
    assert epochs.received_s.tolist() == [7, *[10] * 11, 3]
    assert epochs.worn_s.sum() == 120 - 7 - 10
    assert epochs.usable_s.sum() == 120 - 7 - 10 - 5
    assert (epochs.start_ns % (10 * SECOND_NS) == 0).all()


def test_rest_amplitude_and_posture_of_an_epoch_are_what_was_put_in() -> None:
    epochs = run([leg(TWO, 120.0, upright=[(60, 120)], seed=4)]).epochs
    in_band_uv = 4.0 * np.sqrt((430 - 9 * 3 - 7 * 3) / 500)  # nine lines of 50 Hz, seven of 60 Hz, 300 Hz is both
    np.testing.assert_allclose(epochs.rms_uv, in_band_uv, rtol=0.06)
    np.testing.assert_allclose(epochs.rest_uv, in_band_uv, rtol=0.06)
    np.testing.assert_allclose(epochs.median_hz, 235, atol=12)
    np.testing.assert_allclose(epochs.angle_deg, np.repeat([0, 90], 12), atol=2)
    np.testing.assert_allclose(epochs.movement_g[:12], 0.0032, rtol=0.2)


def scaled(recorded: Recorded, factor: float) -> Recorded:
    """The same counts, each worth more; acceleration as it was."""
    scale = tuple(
        (unit * np.float32(factor)).astype(np.float32) if group.kind == "emg" else unit
        for group, unit in zip(recorded.layout.groups, recorded.scale, strict=True)
    )
    return replace(recorded, scale=scale)


CRAMPS = leg(TWO, 200.0, Active(40, 70, ratio=3.0), Active(110, 160, ratio=14.0, channel=1))
PLAIN = run([CRAMPS])


@settings(max_examples=15)
@given(st.one_of(st.integers(-12, 12).map(lambda k: 2.0**k), st.floats(1e-3, 1e3)))
def test_gain_changes_amplitudes_and_no_episode(factor: float) -> None:
    told = run([scaled(CRAMPS, factor)])
    assert told.seconds() == PLAIN.seconds() == [(40.0, 70.0), (110.0, 160.0)]
    for mine, plain in zip(told.final, PLAIN.final, strict=True):
        assert (mine.channel, mine.channels, mine.flags, mine.grade) == (
            plain.channel, plain.channels, plain.flags, plain.grade,
        )  # fmt: skip
        assert mine.severity == pytest.approx(plain.severity, abs=0.01)
        assert mine.peak_uv == pytest.approx(plain.peak_uv * factor, rel=1e-4, abs=2e-3)
    for name in Epochs.__dataclass_fields__:
        by = factor if name in ("rms_uv", "rest_uv") else 1.0
        np.testing.assert_allclose(
            getattr(told.epochs, name), getattr(PLAIN.epochs, name) * by, rtol=2e-4, err_msg=name
        )


def test_a_weaker_gain_of_the_converter_is_the_same_leg() -> None:
    """The same microvolts in coarser counts: 0.25 and 1 µV."""
    fine, coarse = (leg(TWO, 120.0, Active(40, 80), scale=scale) for scale in (0.25, 1.0))
    assert run([fine]).seconds() == run([coarse]).seconds() == [(40.0, 80.0)]
    assert run([coarse]).final[0].peak_uv == pytest.approx(run([fine]).final[0].peak_uv, rel=0.02)


@pytest.mark.parametrize("ratio", [0.3, 1.5, 3.0, 6.0])
@pytest.mark.parametrize("layout", [ONE, TWO], ids=["one", "two"])
def test_a_device_put_on_elsewhere_after_a_gap_is_not_cramped(layout: Layout, ratio: float) -> None:
    """After an hour its electrodes sit where rest is weaker or stronger; a cramp there is found all the same."""
    before = leg(layout, 300.0)
    rest = [Active(0, 600, ratio=ratio, channel=c) for c in (0, 1)]
    after = leg(layout, 600.0, *rest, Active(200, 240, ratio=8 * ratio), t0_ns=T0_NS + HOUR_NS, seed=2)
    assert run([before, after], params=CREDULOUS).seconds() == [(3800.0, 3840.0)]


def test_a_device_put_on_elsewhere_is_not_cramped_though_it_kept_recording() -> None:
    """It lies on a table in between, its input flat."""
    whole = leg(ONE, 1800.0, Active(1000, 1800, ratio=4.0), Active(1500, 1540, ratio=32.0))
    emg = whole.samples[0].copy()
    emg[:, 300_000:1_000_000] = 0
    assert run([replace(whole, samples=(emg,))], params=CREDULOUS).seconds() == [(1500.0, 1540.0)]


def test_a_short_absence_does_not_forget_the_rest_level() -> None:
    """Five minutes without data in the middle of a cramp: what comes back is measured against the rest before."""
    whole = leg(TWO, 900.0, Active(300, 700))
    told = run([whole.part(0, 350), whole.part(650)])
    assert told.seconds() == [(300.0, 350.0), (650.0, 700.0)]
    assert told.epochs.rest_uv[-1] == pytest.approx(told.epochs.rest_uv[20], rel=0.1)
