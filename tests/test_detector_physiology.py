"""What the detector finds in simulated legs: a regression test over permanent scenarios and seeds.

These legs are simulated. Nothing here says how well cramps of real wearers are found.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from detector_world import SECOND_NS, T0_NS, Recorded, Told, run

from detector import Group, Layout
from detector.quality import ARTEFACT, FLAT, HUM, OFF, RAIL
from simulators.device import Device
from simulators.render import Front, Renderer
from simulators.scenarios import build
from simulators.truth import TruthEvent

LOW: Final = Front(emg_fs_hz=500.0, acc_fs_hz=50.0, emg_scale=0.25)
PIECE_S: Final = 60.0
Seconds = tuple[float, float]


def device(name: str, seed: int, front: Front = LOW) -> Device:
    (one,) = build(name, seed=seed, start_ns=T0_NS)
    return replace(one, front=front)


def recorded(one: Device) -> Iterator[Recorded]:
    """What a device records, a minute at a time, past its clock and link."""
    renderer, front = Renderer(one.leg, one.front), one.front
    layout = Layout((Group("emg", front.emg_fs_hz, len(one.sites)), Group("acc", front.acc_fs_hz, 3)), one.sites)
    scale = (np.full(len(one.sites), front.emg_scale, np.float32), np.full(3, front.acc_scale, np.float32))
    for _, (start_s, end_s) in one.sessions():
        for at_s in np.arange(start_s, end_s, PIECE_S).tolist():
            until_s = min(at_s + PIECE_S, end_s)
            emg = [round(t * front.emg_fs_hz) for t in (at_s, until_s)]
            acc = [round(t * front.acc_fs_hz) for t in (at_s, until_s)]
            muscles = np.stack([renderer.emg(site, *emg) for site in one.sites])
            t0_ns = one.start_ns + round(emg[0] / front.emg_fs_hz * SECOND_NS)
            yield Recorded(layout, t0_ns, (muscles, renderer.acc(*acc)), scale)


def around(one: Device, events: list[TruthEvent], *, before_s: float = 240.0, after_s: float = 120.0) -> Device:
    """The device switched on only around some events: what lies between need not be rendered."""
    spans: list[Seconds] = []
    for event in events:
        start_s = max(0.0, round((event.onset_ns - one.start_ns) / SECOND_NS - before_s))
        end_s = min(one.leg.duration_s, round((event.end_ns - one.start_ns) / SECOND_NS + after_s))
        if spans and start_s <= spans[-1][1]:
            spans[-1] = (spans[-1][0], end_s)
        else:
            spans.append((start_s, end_s))
    return replace(one, powered=tuple(spans))


def tell(one: Device) -> Told:
    return run(list(recorded(one)))


def seconds(event: TruthEvent) -> Seconds:
    return (event.onset_ns - T0_NS) / SECOND_NS, (event.end_ns - T0_NS) / SECOND_NS


def matches(told: Told, one: Device) -> tuple[list[tuple[Seconds, list[Seconds]]], list[Seconds]]:
    """Each true cramp with the episodes that overlap it, and the episodes that overlap none."""
    cramps = [seconds(event) for event in one.truth().cramps]
    found = told.seconds()
    pairs = [(cramp, [e for e in found if e[0] < cramp[1] and e[1] > cramp[0]]) for cramp in cramps]
    return pairs, [e for e in found if not any(e[0] < end_s and e[1] > onset_s for onset_s, end_s in cramps)]


@pytest.mark.parametrize("seed", [1, 2])
def test_five_cramps_of_a_night_are_found_each_once(seed: int) -> None:
    one = device("cramp_night", seed)
    told = tell(one)
    pairs, false = matches(told, one)
    assert len(pairs) == 5
    assert false == []
    for cramp, found in pairs:
        assert len(found) == 1, cramp
        assert abs(found[0][0] - cramp[0]) <= 5, cramp
    for episode in told.final:
        assert one.sites[episode.channel] == "gastrocnemius_medialis"
        assert episode.confidence >= 0.7


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cramps_end_when_they_end_where_the_wearer_stays_lying(seed: int) -> None:
    """The abrupt one of 45 s and the weak one of 25 s, whose wearer sleeps on."""
    one = device("cramp_night", seed)
    cramps = one.truth().cramps
    one = around(one, [cramps[0], cramps[4]])
    pairs, _ = matches(tell(one), one)
    for cramp, found in pairs:
        assert abs(found[0][1] - cramp[1]) <= 3, cramp


@pytest.mark.parametrize(
    ("name", "seed"),
    [("quiet_night", 1), ("plm_night", 1), ("tiptoe", 1), ("tiptoe", 2), ("tiptoe", 3), ("tiptoe", 4)],
)
def test_no_cramp_is_found_where_there_is_none(name: str, seed: int) -> None:
    one = device(name, seed)
    told = tell(one)
    assert one.truth().cramps == ()
    assert told.episodes == ()
    assert told.epochs.received_s.sum() == one.leg.duration_s * len(one.sites)


def test_a_cramp_in_a_chair_is_found_among_six_hours_of_walking_and_standing() -> None:
    one = device("walking_day", 1)
    (((onset_s, _), found),), false = matches(tell(one), one)
    assert false == []
    assert len(found) == 1
    assert abs(found[0][0] - onset_s) <= 5


@pytest.mark.parametrize("seed", [1, 2])
def test_cramps_of_a_runner_are_found_and_the_run_is_not(seed: int) -> None:
    one = device("running", seed)
    pairs, false = matches(tell(one), one)
    assert false == []
    assert [len(found) for _, found in pairs] == [1, 1]
    assert all(abs(found[0][0] - cramp[0]) <= 5 for cramp, found in pairs)


@pytest.mark.parametrize("seed", [1, 2])
def test_faults_are_named_and_the_cramp_between_them_is_found(seed: int) -> None:
    one = device("faulty_electrode", seed)
    told = tell(one)
    ((cramp, found),), false = matches(told, one)
    assert false == []
    assert len(found) == 1
    assert np.abs(np.subtract(found[0], cramp)).max() <= 3
    flags = {"electrode_off": OFF, "rails": RAIL | FLAT, "flat": FLAT, "artefact": ARTEFACT, "hum": HUM}
    at_s = (told.epochs.start_ns - T0_NS) / SECOND_NS
    for event in one.truth().events:
        start_s, end_s = seconds(event)
        within = (told.epochs.channel == 0) & (at_s >= start_s + 10) & (at_s + 10 <= end_s)
        if event.kind in ("electrode_off", "flat", "non_wear"):
            assert told.epochs.worn_s[within].mean() < 0.1, event.kind
        if event.kind == "rails":
            assert (told.epochs.usable_s[within] <= 5).mean() > 0.5
        if event.kind in flags:
            assert (told.epochs.flags[within] & flags[event.kind]).astype(bool).mean() > 0.5, event.kind
    other = told.epochs.channel == 1
    worn = told.epochs.worn_s[other & ((at_s < 7190) | (at_s > 9910))]
    assert worn.mean() > 9.9


@pytest.mark.parametrize(("name", "cramps"), [("cramp_night", 5), ("faulty_electrode", 1), ("running", 2)])
def test_the_rate_of_a_device_does_not_matter(name: str, cramps: int) -> None:
    """The same leg through front ends of 500, 1000 and 2000 Hz: the same episodes to within 2 s.

    Only the stretch around the cramps is fed.
    """
    fronts = [Front(emg_fs_hz=fs_hz, acc_fs_hz=100.0, emg_scale=0.25) for fs_hz in (500.0, 1000.0, 2000.0)]
    whole = device(name, 1)
    events = list(whole.truth().cramps)
    found = [tell(around(replace(whole, front=front), events)).seconds() for front in fronts]
    assert [len(one) for one in found] == [cramps] * 3
    np.testing.assert_allclose(found[0], found[1], atol=2)
    np.testing.assert_allclose(found[2], found[1], atol=2)


def test_a_minute_gives_its_cramp() -> None:
    one = device("minute", 1, Front())
    ((cramp, found),), false = matches(tell(one), one)
    assert false == []
    assert np.abs(np.subtract(found[0], cramp)).max() <= 2
