"""Every scenario gives valid blocks in order; each shows what it says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ingest.wire import Block, decode_block, encode
from simulators.command import start_ns
from simulators.course import PUT_ON, WORN_S, course, fortnights
from simulators.demo import WORN_DAY, WORN_NIGHT
from simulators.device import Clock, Device, Kept, Link, Origin
from simulators.errors import ScenarioError
from simulators.person import AT_NIGHT, draw_cramps
from simulators.render import Front
from simulators.scenarios import SCENARIOS, build, ending, live

BYTES_PER_S = 920  # of a demo device; what two minutes and the disk allow
START_NS = 1_760_000_000_000_000_000
NAMES = sorted(SCENARIOS)


def gaps_s(blocks: list[Block]) -> list[float]:
    """Time between the stated end of each block and the stated start of the next."""
    return [(after.t0 - before.t0) / 1e9 - before.duration_s for before, after in pairwise(blocks)]


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_gives_valid_blocks(name: str) -> None:
    fleet = build(name, seed=1, start_ns=START_NS)
    assert len(fleet) >= 1
    assert len({device.device for device in fleet}) == len(fleet)
    for device in fleet:
        blocks = list(islice(device.blocks(), 5))
        assert [decode_block(encode(block)) for block in blocks] == blocks
        assert [block.seq for block in blocks] == list(range(len(blocks)))
        kinds = [(signal.kind, signal.site) for signal in blocks[0].signals]
        assert kinds == [*(("emg", site) for site in device.sites), ("acc", "shank")]
        ZoneInfo(device.zone)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_blocks_and_truth_again(name: str) -> None:
    first, again, other = (build(name, seed=seed, start_ns=START_NS) for seed in (5, 5, 6))
    assert first.truths() == again.truths()
    for mine, same, different in zip(first, again, other, strict=True):
        blocks = list(islice(mine.blocks(), 2))
        assert blocks == list(islice(same.blocks(), 2))
        assert blocks != list(islice(different.blocks(), 2))


def test_a_minute_is_whole_and_without_gaps() -> None:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    blocks = list(device.blocks())
    assert len(blocks) == device.count() == 60
    assert blocks[0].t0 == START_NS
    assert gaps_s(blocks) == [0.0] * 59
    assert {signal.n for block in blocks for signal in block.signals} == {1000, 100}


@pytest.mark.parametrize("block_s", [0.1, 0.25, 7.0, 60.0])
@pytest.mark.parametrize(("emg_fs_hz", "acc_fs_hz"), [(250.0, 25.0), (333.3, 12.5), (4000.0, 200.0)])
def test_blocks_of_any_length_carry_the_same_samples(block_s: float, emg_fs_hz: float, acc_fs_hz: float) -> None:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    front = Front(emg_fs_hz=emg_fs_hz, acc_fs_hz=acc_fs_hz)
    whole = list(replace(device, front=front, block_s=60.0).blocks())
    parts = list(replace(device, front=front, block_s=block_s).blocks())
    for index in range(3):
        counts = np.concatenate([block.signals[index].counts() for block in parts], axis=1)
        reference = whole[0].signals[index].counts()
        np.testing.assert_array_equal(counts, reference[:, : counts.shape[1]])
        assert counts.shape[1] >= reference.shape[1] * 56 // 60
    for block in parts:
        decode_block(encode(block))


def recorded_and_sent(device: Device) -> tuple[list[Block], list[Block]]:
    return list(replace(device, link=Link()).blocks()), list(device.blocks())


def test_a_lossy_device_loses_doubles_swaps_reboots_and_drifts() -> None:
    (device,) = build("lossy_device", seed=1, start_ns=START_NS)
    recorded, sent = recorded_and_sent(device)
    names = [(block.boot, block.seq) for block in sent]
    assert names != sorted(names)
    assert 0.003 < 1 - len(set(names)) / len(recorded) < 0.03
    assert 0.01 < len(names) / len(set(names)) - 1 < 0.06
    assert [boot for boot in (1, 2, 3) if (boot, 0) in {(block.boot, block.seq) for block in recorded}] == [1, 2, 3]
    for boot in (1, 2, 3):
        seqs = [block.seq for block in recorded if block.boot == boot]
        assert seqs == list(range(len(seqs)))
    jumps = [gap for gap in gaps_s(recorded) if abs(gap) > 1.0]
    assert jumps == [pytest.approx(20.0, abs=0.1)] * 2  # the two reboots
    assert 0.001 < float(np.std([gap for gap in gaps_s(recorded) if abs(gap) < 1.0])) < 0.02
    device = replace(device, clock=Clock(drift_ppm=40.0))
    last = list(device.blocks())[-1]
    late_s = (last.t0 - START_NS) / 1e9
    assert late_s % 1 == pytest.approx(late_s * 40e-6, rel=0.05)


def test_an_offline_device_sends_oldest_first_once_it_is_back() -> None:
    (device,) = build("lossy_device", seed=1, start_ns=START_NS)
    device = replace(device, link=Link(offline=((1800.0, 5400.0),)), reboots_s=())
    sendings = list(device.sendings())
    order = [(sending.block.boot, sending.block.seq) for sending in sendings]
    assert order == sorted(order)
    at_s = [(sending.at_ns - START_NS) / 1e9 for sending in sendings]
    assert not [at for at in at_s if 1800.0 <= at < 5400.0]
    assert sum(at == 5400.0 for at in at_s) == 3601
    week = build("week_away", seed=1, start_ns=START_NS).devices[0]
    assert {sending.at_ns for sending in islice(week.sendings(), 50)} == {START_NS + 7 * 86_400 * 10**9}


@pytest.mark.parametrize("hour", [0, 5, 9, 13, 18, 22])
def test_the_demo_wears_seven_nights_and_days_before_now(hour: int) -> None:
    now_ns = (
        int(datetime(2026, 3, 12, hour, 20, tzinfo=UTC).timestamp()) * 10**9
    )  # New York has just changed its clocks
    fleet = build("demo", seed=1, start_ns=now_ns)
    assert [device.zone for device in fleet] == ["Europe/Berlin", "America/New_York", "Asia/Kolkata"]
    total_bytes = 0.0
    for device in fleet:
        truth = device.truth()
        zone = ZoneInfo(device.zone)
        assert truth.recorded[-1].end_ns <= now_ns
        local = [(datetime.fromtimestamp(span.start_ns / 1e9, zone), span) for span in truth.recorded]
        nights = [span for moment, span in local if moment.time() == WORN_NIGHT[0]]
        assert len({moment.date() for moment, _ in local if moment.time() == WORN_NIGHT[0]}) == len(nights) == 7
        assert {datetime.fromtimestamp(span.end_ns / 1e9, zone).time() for span in nights} == {WORN_NIGHT[1]}
        assert 7 <= sum(moment.time() == WORN_DAY[0] for moment, _ in local) <= 8
        assert now_ns - nights[-1].end_ns < 86_400 * 10**9
        assert len(truth.asleep) == 7
        assert device.front.emg_fs_hz * len(device.sites) + 3 * device.front.acc_fs_hz == BYTES_PER_S / 2
        total_bytes += sum((span.end_ns - span.start_ns) / 1e9 for span in truth.recorded) * BYTES_PER_S
        assert truth.cramps == tuple(event for event in truth.events if event.kind == "cramp")
        assert all(any(s.start_ns <= e.onset_ns < s.end_ns for s in truth.recorded) for e in truth.cramps)
    assert total_bytes < 960e6


def test_the_demos_wearers_take_different_courses() -> None:
    weeks = [build("demo", seed=seed, start_ns=START_NS).truths() for seed in range(8)]
    frequent, improving, rare = (np.mean([len(week[index].cramps) for week in weeks]) for index in range(3))
    assert frequent > improving > rare > 0.5
    middle_ns = START_NS - 3 * 86_400 * 10**9
    early = sum(event.onset_ns < middle_ns for week in weeks for event in week[1].cramps)
    late = sum(event.onset_ns >= middle_ns for week in weeks for event in week[1].cramps)
    assert early > 2 * late
    assert {event.kind for event in weeks[0][2].events} >= {"electrode_off", "non_wear"}


def test_live_devices_are_the_demos_under_a_new_boot() -> None:
    week, now = build("demo", seed=1, start_ns=START_NS), live(seed=1, start_ns=START_NS, duration_s=1800.0)
    assert [device.device for device in now] == [device.device for device in week]
    assert [device.zone for device in now] == [device.zone for device in week]
    for past, present in zip(week, now, strict=True):
        assert present.boot > past.boot
        assert present.leg.muscles[present.sites[0]].rest_uv == past.leg.muscles[past.sites[0]].rest_uv
        block = next(present.blocks())
        assert (block.t0, block.seq, block.duration_s) == (START_NS, 0, 1.0)
        assert {signal.fs_hz for signal in block.signals} == {1000.0, 100.0}
        onsets_s = [(event.onset_ns - START_NS) / 1e9 for event in present.truth().cramps]
        assert onsets_s[0] < 240.0
        assert all(120.0 < after - before < 420.0 for before, after in pairwise(onsets_s))
    late = replace(now.devices[0]).truth()
    assert late.scenario == "live"


def test_no_truth_or_device_names_a_person() -> None:
    for name in NAMES:
        for truth in build(name, seed=1, start_ns=START_NS).truths():
            assert truth.device.startswith("sim-")
            assert set(truth.__struct_fields__).isdisjoint({"wearer", "person", "name", "patient"})


def test_cramps_come_as_often_as_expected_and_cluster() -> None:
    rng = np.random.default_rng(1)
    windows = [(night * 86_400.0, night * 86_400.0 + 28_800.0) for night in range(7)]
    weeks = [draw_cramps(rng, windows, expected=[4.0 * AT_NIGHT / 7] * 7) for _ in range(3000)]
    counts = np.array([len(week) for week in weeks])
    assert counts.mean() == pytest.approx(4.0 * AT_NIGHT, rel=0.06)
    assert counts.var() > 1.5 * counts.mean()  # more than chance: people's weeks differ, and cramps cluster
    gaps = np.concatenate([np.diff(week) for week in weeks if len(week) > 1])
    assert (gaps < 3600.0).mean() > 0.2
    assert all(any(low <= at < high for low, high in windows) for week in weeks[:100] for at in week)


@pytest.mark.parametrize(
    ("name", "seed", "start_ns", "word"),
    [
        ("nights", 1, START_NS, "no scenario 'nights': there are quiet_night"),
        ("minute", -1, START_NS, "seed -1"),
        ("minute", 2**31, START_NS, "seed 2147483648"),
        ("minute", 1, 0, "between 2020 and 2100"),
        ("minute", 1, 2**63, "between 2020 and 2100"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_sentence(name: str, seed: int, start_ns: int, word: str) -> None:
    with pytest.raises(ScenarioError, match=word):
        build(name, seed=seed, start_ns=start_ns)


def test_impossible_devices_and_links_are_refused() -> None:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    for block_s in (0.05, 61.0, float("nan")):
        with pytest.raises(ScenarioError, match=r"0\.1 to 60 s"):
            replace(device, block_s=block_s)
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(ScenarioError, match="between 0 and 1"):
            Link(lost=share)
    with pytest.raises(ScenarioError, match="nothing to simulate"):
        live(seed=1, start_ns=START_NS, duration_s=0.0)


def test_a_course_of_nights_cramps_as_often_as_it_is_told() -> None:
    first = date(2025, 10, 12)  # Berlin changes its clocks in the second week
    nights = fortnights(first, (3.0, 0.5))
    device = course(Origin("course", 5, START_NS), nights, device="leg", zone="Europe/Berlin")
    truth = device.truth()
    zone = ZoneInfo("Europe/Berlin")
    assert [datetime.fromtimestamp(span.start_ns / 1e9, zone).time() for span in truth.recorded] == [PUT_ON] * 28
    onsets = [event.onset_ns for event in truth.events if event.kind == "cramp"]
    counts = [sum(span.start_ns <= at < span.end_ns for at in onsets) for span in truth.recorded]
    assert sum(counts) == len(onsets)
    assert 14 * 3.0 * 0.55 < sum(counts[:14]) < 14 * 3.0 * 1.3  # those too close to another are left out
    assert 1 <= sum(counts[14:]) < 14 * 0.5 * 2.2


def test_a_course_of_nights_in_disorder_is_refused() -> None:
    nights = fortnights(date(2025, 10, 12), (1.0,))
    with pytest.raises(ScenarioError, match="in order"):
        course(Origin("course", 5, START_NS), nights[::-1], device="leg", zone="Europe/Berlin")
    with pytest.raises(ScenarioError, match="before the simulation"):
        course(Origin("course", 5, START_NS + 365 * 86_400 * 10**9), nights, device="leg", zone="Europe/Berlin")


BEFORE_THE_CLOCKS_CHANGE = datetime(2026, 10, 24, tzinfo=UTC)  # in Berlin, in the night to the 25th


@pytest.mark.parametrize("hour", [0, 1.4, 1.6, 7, 15.8, 22.5, 25.4, 25.6, 26.4, 26.6, 39])
def test_the_last_night_of_a_course_is_the_last_that_has_ended(hour: float) -> None:
    now = BEFORE_THE_CLOCKS_CHANGE + timedelta(hours=hour)
    begin_ns = start_ns("stretching", seed=1, speed=10.0 if hour == 39 else 0.0, now_ns=ns(now))
    (device,) = build("stretching", seed=1, start_ns=begin_ns)
    check_last_night(device, now)
    assert len(device.sessions()) == 56


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Kolkata", "America/New_York", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("hour", [1, 9, 17])
def test_the_last_night_has_ended_wherever_it_is_slept(zone: str, hour: int) -> None:
    now = BEFORE_THE_CLOCKS_CHANGE + timedelta(hours=hour)

    def make(begin_ns: int) -> tuple[Device, ...]:
        first = datetime.fromtimestamp(begin_ns / 1e9, tz=UTC).date() + timedelta(days=1)
        return (course(Origin("course", 5, begin_ns), fortnights(first, (1.0,)), device="leg", zone=zone),)

    (device,) = make(ending(make, now_ns=ns(now)))
    check_last_night(device, now)


def check_last_night(device: Device, now: datetime) -> None:
    """It has ended, and the next has not."""
    zone = ZoneInfo(device.zone)
    ended_ns = device.start_ns + round(device.sessions()[-1][1][1] * 1e9)
    ended = datetime.fromtimestamp(ended_ns / 1e9, tz=zone)
    following = datetime.combine(ended.date(), PUT_ON, tzinfo=zone).timestamp() + WORN_S
    assert ended.timestamp() <= now.timestamp() < following


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"stretching", "week_away", "demo"}))
def test_what_is_sent_at_once_has_just_ended(name: str) -> None:
    (device,) = build(name, seed=1, start_ns=start_ns(name, seed=1, speed=0.0, now_ns=START_NS))
    assert device.start_ns + round(device.sessions()[-1][1][1] * 1e9) == START_NS


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0, 60.0])
@pytest.mark.parametrize("name", ["minute", "tiptoe"])
def test_nothing_is_sent_before_it_was_lived(name: str, speed: float) -> None:
    (device,) = build(name, seed=1, start_ns=start_ns(name, seed=1, speed=speed, now_ns=START_NS))
    ready_ns = np.array([step.at_ns for step in device.steps() if not isinstance(step, Kept)])
    sent_ns = START_NS + (ready_ns - ready_ns[0]) / speed  # as `publish` paces them
    waits_s = (sent_ns - ready_ns) / 1e9
    assert waits_s.min() >= -0.001
    assert waits_s[-1] < device.block_s if speed >= 1 else waits_s[0] < 0.001


def ns(moment: datetime) -> int:
    return round(moment.timestamp()) * 10**9
