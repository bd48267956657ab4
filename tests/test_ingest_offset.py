"""Offset and drift of a device's clock: right within 0.2 s and 20 ppm, whatever network and outages do."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

import msgspec
import pytest

from ingest.clock import Clock, heard
from ingest.devices import Device as Known
from ingest.devices import heard_clock
from ingest.marks import Mark
from ingest.offset import BINS
from ingest.wire import Status

SECOND_NS = 1_000_000_000
NOON_NS = 1_767_268_800 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Device:
    """A clock that is `offset_s` ahead at noon, gains `ppm`, and is set right every `resync_s`."""

    offset_s: float = 0.0
    ppm: float = 0.0
    resync_s: float = 1e9

    def ahead_s(self, at_s: float) -> float:
        since_s = at_s % self.resync_s
        return (self.offset_s if since_s == at_s else 0.0) + since_s * self.ppm / 1e6

    def send(self, first: int, count: int, *, random: Random, begin_s: float = 0.0, late_s: float = 0.0) -> list[Mark]:
        """Blocks of 10 s that come 0.1 to 2 s after their end; or are kept for `late_s` and more."""
        out = []
        for i in range(count):
            start_s = begin_s + 10.0 * i
            ahead_ns = round(self.ahead_s(start_s) * SECOND_NS)
            t0_ns = NOON_NS + round(start_s * SECOND_NS) + ahead_ns
            delay_s = 10 + random.uniform(0.1, 2.0) + late_s * random.uniform(1, 2)
            received_ns = NOON_NS + round((start_s + delay_s) * SECOND_NS)
            out.append(Mark(1, first + i, t0_ns, t0_ns + 10 * SECOND_NS, received_ns))
        return out


def hear(marks: list[Mark], clock: Clock | None = None) -> Clock:
    clock = clock or Clock()
    for mark in sorted(marks, key=lambda mark: mark.received_ns):
        clock = heard(clock, mark)
    return clock


def check_clock(clock: Clock, device: Device, *, at_s: float) -> None:
    assert clock.offset_s == pytest.approx(device.ahead_s(at_s), abs=0.2)
    assert clock.drift_ppm == pytest.approx(device.ppm, abs=20)


def test_nothing_is_known_of_a_device_that_was_not_heard() -> None:
    assert (Clock().offset_s, Clock().drift_ppm, Clock().basis) == (0.0, 0.0, 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("offset_s", "ppm"), [(0.0, 0.0), (3.2, 50.0), (-7200.0, -200.0), (40.0, 200.0)])
def test_offset_and_drift_of_a_live_device(offset_s: float, ppm: float, seed: int) -> None:
    device = Device(offset_s, ppm)
    clock = hear(device.send(0, 1440, random=Random(seed)))
    check_clock(clock, device, at_s=14_400)
    assert clock.basis == 1440


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ppm", [0.0, 120.0, -200.0])
def test_half_the_blocks_hours_late_do_no_harm(ppm: float, seed: int) -> None:
    random, device = Random(seed), Device(1.5, ppm)
    marks = device.send(0, 1440, random=random)
    late = set(random.sample(range(1440), 720))
    later = device.send(0, 1440, random=random, late_s=5000)
    mixed = [later[i] if i in late else marks[i] for i in range(1440)]
    check_clock(hear([mark for mark in mixed if mark.received_ns < marks[-1].received_ns]), device, at_s=14_400)


def test_a_night_that_comes_after_a_live_evening_does_no_harm() -> None:
    random, device = Random(1), Device(2.0, 80.0)
    clock = hear(device.send(0, 1000, random=random))
    night = device.send(1000, 2000, random=random, begin_s=10_000)
    for i, mark in enumerate(reversed(night)):  # newest first, all within five minutes
        clock = heard(clock, msgspec.structs.replace(mark, received_ns=night[-1].received_ns + i * SECOND_NS // 8))
    check_clock(clock, device, at_s=30_000)


@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_a_clock_that_is_set_right_every_six_hours(ppm: float) -> None:
    device = Device(0.0, ppm, 6 * 3600)
    marks = device.send(0, 2880, random=Random(2))
    check_clock(hear(marks), device, at_s=28_800)
    just_set = [mark for mark in marks if mark.seq < 2200]
    check_clock(hear(just_set), device, at_s=22_000)  # not yet an hour: the drift is that of before


def test_a_clock_that_is_first_set_while_live_is_known_at_once() -> None:
    random, device = Random(3), Device()
    for offset_s in (-1.767e9, 2.5e9, 7200.0, -4.0, 4.0):
        marks = Device(offset_s).send(0, 100, random=random)
        clock = hear(device.send(100, 60, random=random, begin_s=1000), hear(marks))
        check_clock(clock, device, at_s=1600)


def test_a_clock_that_is_set_back_before_a_backlog_comes_is_known_with_the_first_live_block() -> None:
    random, device = Random(7), Device()
    marks = Device(8.0).send(0, 900, random=random) + device.send(900, 500, random=random, begin_s=9_000)
    away = [msgspec.structs.replace(m, received_ns=NOON_NS + (15_000 + m.seq) * SECOND_NS) for m in marks[600:]]
    live = device.send(1400, 80, random=random, begin_s=16_400)
    check_clock(hear([*marks[:600], *away, *live]), device, at_s=17_200)


def test_a_pause_is_no_setting() -> None:
    random, device = Random(8), Device(1.0, 100.0)
    parts = [device.send(k * 60, 60, random=random, begin_s=k * 1200.0) for k in range(12)]
    clock = hear([mark for part in parts for mark in part])
    check_clock(clock, device, at_s=13_800)
    assert clock.basis == 720


def test_a_clock_that_was_set_back_while_away_is_known_within_an_hour() -> None:
    random, device = Random(4), Device()
    clock = hear(Device(7200.0).send(0, 1000, random=random))
    clock = hear(device.send(1200, 300, random=random, begin_s=12_000), clock)
    check_clock(clock, device, at_s=15_000)


def test_settings_in_a_night_that_comes_later_do_no_harm_once_live() -> None:
    random, device = Random(6), Device(2.0, 80.0)
    clock = hear(device.send(0, 1000, random=random))
    night = Device(7200.0).send(1000, 500, random=random, begin_s=10_000)
    night += device.send(1500, 500, random=random, begin_s=15_000)
    for i, mark in enumerate(night):
        clock = heard(clock, msgspec.structs.replace(mark, received_ns=NOON_NS + (30_000 + 4 * i) * SECOND_NS))
    clock = hear(device.send(2000, 1440, random=random, begin_s=34_000), clock)
    check_clock(clock, device, at_s=48_400)


def waited(marks: Iterable[Mark], *, until_s: float, apart_s: float = 0.01) -> list[Mark]:
    """The same blocks, kept somewhere and handed out one after the other from `until_s` on."""
    first_ns = NOON_NS + round(until_s * SECOND_NS)
    step_ns = round(apart_s * SECOND_NS)
    return [
        msgspec.structs.replace(m, received_ns=max(m.received_ns, first_ns + i * step_ns)) for i, m in enumerate(marks)
    ]


def worst_s(marks: list[Mark], clock: Clock | None = None) -> float:
    """The lowest offset that was told at any time."""
    clock, lowest_s = clock or Clock(), 0.0
    for mark in marks:
        clock = heard(clock, mark)
        lowest_s = min(lowest_s, clock.offset_s)
    return lowest_s


def test_what_waited_and_came_at_once_says_nothing_of_a_clock() -> None:
    marks = waited(Device().send(0, 9, random=Random(9)), until_s=480)
    assert worst_s(marks) == 0.0
    assert hear(marks).drift_ppm == 0.0


@pytest.mark.parametrize("pace", [1.1, 2.0, 10.0, 1000.0])
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_backlog_says_nothing_of_a_clock_while_it_comes_in(pace: float, newest_first: bool) -> None:
    stored = Device().send(0, 2160, random=Random(10))
    marks = waited(reversed(stored) if newest_first else stored, until_s=43_000, apart_s=10 / pace)
    assert worst_s(marks) == 0.0


def test_backlogs_hours_apart_say_nothing_of_the_drift() -> None:
    random, device = Random(11), Device()
    marks = [
        waited(device.send(90 * k, 9, random=random, begin_s=900.0 * k), until_s=900 * k + 390 - k) for k in range(9)
    ]
    clock = hear([mark for part in marks for mark in part])
    assert (clock.offset_s, clock.drift_ppm) == (0.0, 0.0)


def test_a_right_clock_is_right_after_a_backlog() -> None:
    random, device = Random(12), Device()
    stored = waited(device.send(0, 60, random=random), until_s=1000)
    marks = stored + device.send(60, 60, random=random, begin_s=1000)
    assert worst_s(marks) >= -2.0
    check_clock(hear(marks), device, at_s=1600)


def test_a_clock_that_is_behind_is_known_after_two_minutes_live() -> None:
    marks = Device(-360.0).send(0, 30, random=Random(13))
    assert hear(marks[:9]).offset_s == 0.0
    for count in (14, 20, 30):
        assert hear(marks[:count]).offset_s == pytest.approx(-360, abs=2)


def test_a_clock_that_is_behind_stays_known_while_a_backlog_comes_in() -> None:
    random, device = Random(14), Device(-360.0)
    clock = hear(device.send(0, 60, random=random))
    for mark in waited(device.send(60, 700, random=random, begin_s=600), until_s=8000, apart_s=2):
        clock = heard(clock, mark)
        assert clock.offset_s == pytest.approx(-360, abs=2)


@pytest.mark.parametrize("offset_s", [0.0, -360.0])
def test_a_pause_of_the_ingester_changes_nothing(offset_s: float) -> None:
    device = Device(offset_s)
    marks = device.send(0, 120, random=Random(15))
    clock = hear(marks[:40])
    for mark in waited(marks[40:], until_s=415 + 75):
        clock = heard(clock, mark)
        assert clock.offset_s == pytest.approx(offset_s, abs=2)


@pytest.mark.parametrize("offset_s", [3.0, 40.0, 7200.0])
def test_a_clock_that_is_ahead_is_known_at_once(offset_s: float) -> None:
    (mark,) = Device(offset_s).send(0, 1, random=Random(16))
    assert hear([mark]).offset_s == pytest.approx(offset_s, abs=2)


def test_a_pause_in_recording_within_a_backlog_is_no_setting_of_the_clock() -> None:
    random, device = Random(17), Device(-360.0)
    stored = [device.send(60 + 60 * k, 60, random=random, begin_s=2000.0 * (k + 1)) for k in range(10)]
    clock = hear(device.send(0, 60, random=random))
    marks = waited([mark for part in stored for mark in part], until_s=30_000, apart_s=3)
    assert worst_s(marks, clock) >= -362
    assert hear(marks, clock).offset_s == pytest.approx(-360, abs=2)


def test_the_first_block_does_not_follow_on_the_reading_of_the_clock_before_it() -> None:
    marks = Device().send(0, 30, random=Random(18))
    reading = Mark(
        1, -1, marks[0].t0_ns + 8 * SECOND_NS, marks[0].t0_ns + 8 * SECOND_NS, marks[0].t0_ns + 8 * SECOND_NS
    )
    ahead = Mark(0, 7, marks[0].t0_ns, marks[0].t0_ns + 9 * SECOND_NS, marks[0].t0_ns + 8 * SECOND_NS)
    assert hear([ahead, reading, marks[0]]).offset_s == pytest.approx(1.0)


def said(*, at_s: float, waited_s: float, device: Known) -> Known:
    """The device told what its clock read; it came later by so much."""
    status = Status(boot=1, online=True, clock_ns=NOON_NS + round(at_s * SECOND_NS))
    return heard_clock(device, status, received_ns=NOON_NS + round((at_s + waited_s) * SECOND_NS))


def test_one_reading_of_the_clock_may_have_waited() -> None:
    once = said(at_s=0, waited_s=390, device=Known())
    assert once.clock.offset_s == 0.0
    assert said(at_s=200, waited_s=0.1, device=once).clock.offset_s == pytest.approx(-0.1)
    assert said(at_s=0, waited_s=-390, device=Known()).clock.offset_s == 390.0  # ahead is certain


def test_two_readings_that_advance_together_show_a_clock_behind() -> None:
    once = said(at_s=0, waited_s=360.2, device=Known())
    assert said(at_s=60, waited_s=360.3, device=once).clock.offset_s == 0.0
    assert said(at_s=120, waited_s=360.4, device=once).clock.offset_s == pytest.approx(-360.2)
    assert said(at_s=120, waited_s=300.0, device=once).clock.offset_s == 0.0


def test_a_clock_of_an_earlier_journal_is_read_and_begins_to_look_for_live_blocks() -> None:
    old = msgspec.msgpack.encode((((NOON_NS, 390 * SECOND_NS),), 1, None, NOON_NS, 0.0))
    clock = msgspec.msgpack.decode(old, type=Clock)
    assert clock.offset_s == 0.0
    assert hear(Device(-360.0).send(0, 30, random=Random(19)), clock).offset_s == pytest.approx(-360, abs=2)


def test_the_state_stays_small() -> None:
    clock = hear(Device(0.0, 20.0).send(0, 4000, random=Random(5)))
    assert len(clock.lows) == BINS
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(clock), type=Clock) == clock
    assert len(msgspec.msgpack.encode(clock)) < 1000
