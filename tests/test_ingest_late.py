"""Late blocks: however they come, the records in the end are those of blocks that came in order."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_feed import SECOND_NS, contents, cut, drain, episodes, epochs, feed, recording, service

from ingest.journal import Journal
from ingest.order import Horizon
from ingest.service import Options, Service
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore
from ingest.wire import Block, Status, decode_ack, decode_event

HOUR_NS = 3600 * SECOND_NS
LENGTH_S = 5.0
EMG = recording(150)
FIRST = list(cut(EMG, [LENGTH_S] * 30))
NOW = Options(wait_s=0, ack_s=0, status_s=0, batch=7, settle_s=0, horizon=Horizon(blocks=3, span_ns=20 * SECOND_NS))


def shifted(blocks: Sequence[Block], by_ns: int, *, boot: int | None = None, from_seq: int = 0) -> list[Block]:
    return [
        msgspec.structs.replace(
            b, t0=b.t0 + by_ns, boot=b.boot if boot is None else boot, seq=b.seq - blocks[0].seq + from_seq
        )
        for b in blocks
    ]


# Three sessions: a boot, another boot soon after, a night of two boots, and one whose counter began again.
NIGHTS = [
    *FIRST[:18],
    *shifted(FIRST[18:], 40 * SECOND_NS, boot=2),
    *shifted(FIRST, 9 * HOUR_NS, boot=3),
    *shifted(FIRST, 30 * HOUR_NS, boot=4),
]


class World:
    """A service over a folder that can be killed and started again, with a store that outlives it."""

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder, self.options = folder, options
        self.source, self.store = MemorySource(), MemoryStore()
        self.now_ns = time.time_ns()
        self.start()

    def start(self) -> None:
        self.journal = Journal(self.folder / "journal.sqlite")
        self.service: Service = service(
            self.source, self.journal, self.store, options=self.options, wall_ns=lambda: self.now_ns
        )

    def stop(self) -> None:
        self.service.close()
        self.journal.close()

    def again(self) -> None:
        """As after a kill: what was not committed is forgotten."""
        self.stop()
        self.source.reconnect()
        self.start()

    def send(self, blocks: Sequence[Block], device: str = "a") -> None:
        feed(self.source, device, blocks)

    def drain(self) -> list[object]:
        drain(self.service)
        return contents(self.store, ["a"])

    def events(self) -> list[object]:
        return [decode_event(m.payload) for m in self.source.published if m.topic.endswith("/events")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, NOW)
    yield world
    world.stop()


def undisturbed(folder: Path, blocks: Sequence[Block]) -> list[object]:
    world = World(folder, replace(NOW, horizon=Horizon()))
    world.send(blocks)
    found = world.drain()
    world.stop()
    return found


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    found = undisturbed(tmp_path_factory.mktemp("nights"), NIGHTS)
    assert len(found) > 45
    return found


@settings(max_examples=12)
@given(rng=st.randoms(use_true_random=False), after_s=st.sampled_from([0.0, 3600.0]))
def test_any_order_of_arrival_with_repeats_and_kills_gives_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, nights: list[object], rng: random.Random, after_s: float
) -> None:
    world = World(tmp_path_factory.mktemp("shuffled"), replace(NOW, archive_after_s=after_s))
    sent = [*NIGHTS, *rng.sample(NIGHTS, 10)]
    rng.shuffle(sent)
    parts = sorted(rng.sample(range(len(sent)), 4))
    for first, last in zip([0, *parts], [*parts, len(sent)], strict=True):
        world.send(sent[first:last])
        for _ in range(rng.randint(0, 30)):
            world.service.step()
        world.now_ns += SECOND_NS
        if rng.random() < 0.5:
            world.again()
    assert world.drain() == nights
    (status,) = world.store.statuses(["a"])
    assert (status.late_blocks, status.undated_blocks, status.missing_blocks) == (0, 0, 0)
    world.stop()


def test_newest_first_is_the_same_and_nothing_is_live(world: World, nights: list[object]) -> None:
    world.send(NIGHTS[::-1])
    assert world.drain() == nights
    assert {event.scope for event in world.events()} == {"backfill"}  # type: ignore[attr-defined]
    acked = [decode_ack(m.payload) for m in world.source.published if m.topic.endswith("/ack")]
    assert {boot: max(a.seq for a in acked if a.boot == boot) for boot in (1, 2, 3, 4)} == {1: 17, 2: 11, 3: 29, 4: 29}


def test_only_the_touched_session_is_revised(world: World, nights: list[object]) -> None:
    missing = NIGHTS[35]
    world.send([b for b in NIGHTS if b is not missing])
    world.drain()
    before = {e.id: e for e in episodes(world.store, "a")}
    written = {e.start_ns: e.updated_ns for e in epochs(world.store, "a")}
    world.now_ns += 100 * SECOND_NS
    world.send([missing])
    assert world.drain() == nights
    touched = range(NIGHTS[30].t0, NIGHTS[59].t0 + HOUR_NS)
    for episode in episodes(world.store, "a"):
        if episode.onset_ns not in touched:
            assert episode == before[episode.id]
    late = {e.start_ns for e in epochs(world.store, "a") if written.get(e.start_ns) != e.updated_ns}
    assert late
    assert all(start_ns in touched and start_ns > missing.t0 - 75 * SECOND_NS for start_ns in late)


def test_an_episode_that_moves_leaves_a_tombstone_and_a_revised_one_a_higher_revision(world: World) -> None:
    blocks = FIRST
    gone = [b for b in blocks if 13 <= b.seq <= 15]  # the onset
    world.send([b for b in blocks if b not in gone])
    world.drain()
    (first,) = episodes(world.store, "a")
    world.send(gone)
    world.drain()
    (second,) = episodes(world.store, "a")
    assert second.onset_ns < first.onset_ns
    everything = world.store.episodes(["a"], start_ns=0, end_ns=2**62, withdrawn=True)
    (tombstone,) = [e for e in everything if e.withdrawn]
    assert (tombstone.id, tombstone.superseded_by) == (first.id, second.id)
    assert tombstone.revision == first.revision + 1
    told = [e for e in world.events() if e.data.episode == first.id]  # type: ignore[attr-defined]
    assert [e.type.split(".")[-2] for e in told][-1] == "withdrawn"  # type: ignore[attr-defined]
    assert told[-1].data.superseded_by == second.id  # type: ignore[attr-defined]
    assert told[-1].scope == "backfill"  # type: ignore[attr-defined]


def test_what_is_found_again_as_it_was_is_not_told_again(world: World) -> None:
    world.send(FIRST[:2] + FIRST[3:])
    world.drain()
    (before,) = episodes(world.store, "a")
    told = len(world.events())
    world.send(FIRST[2:3])
    world.drain()
    assert episodes(world.store, "a") == [before]
    assert len(world.events()) == told


def test_live_blocks_go_on_while_a_session_is_detected_again(world: World, nights: list[object]) -> None:
    night = NIGHTS[60:]
    world.send([*NIGHTS[:60], *night[:5], *night[10:20]])
    while world.service.step():
        pass
    world.send(night[5:10])
    for b in night[20:]:
        world.send([b])
        world.service.step()
    assert world.drain() == nights


def test_a_silent_device_has_its_episode_ended_and_may_go_on(world: World) -> None:
    world.send(FIRST[:20])
    world.drain()
    (open_,) = episodes(world.store, "a")
    assert open_.status == "preliminary"
    world.now_ns += 2 * HOUR_NS
    world.service.ingester.close_sessions()
    world.drain()
    (ended,) = episodes(world.store, "a")
    assert (ended.status, ended.onset_ns) == ("final", open_.onset_ns)
    world.send(FIRST[20:])
    world.drain()
    (whole,) = episodes(world.store, "a")
    assert (whole.status, whole.revision) == ("final", ended.revision + 1)
    assert whole.end_ns > ended.end_ns


def test_closing_in_between_changes_nothing_in_the_end(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    expected = undisturbed(tmp_path_factory.mktemp("whole"), FIRST)
    for b in FIRST:
        world.send([b])
        world.drain()
        world.now_ns += 2 * HOUR_NS
        world.service.ingester.close_sessions()
    assert world.drain() == expected


# What a device's clock may do, and what the blocks should then be worth: as sent by a device whose clock was right.


def test_blocks_from_before_the_clock_was_set_are_dated_when_it_is(world: World) -> None:
    unset = shifted(FIRST[:12], -FIRST[0].t0 + 1000 * SECOND_NS)
    world.send(unset)
    world.drain()
    assert (epochs(world.store, "a"), world.store.statuses(["a"])[0].undated_blocks) == ([], 12)
    acked = [decode_ack(m.payload) for m in world.source.published if m.topic.endswith("/ack")]
    assert acked[-1].seq == 11, "they are kept"
    world.send(FIRST[12:])
    assert_as_sent(world, FIRST)


def test_a_clock_that_was_hours_ahead_is_set_back_in_mid_boot(world: World) -> None:
    world.send([*shifted(FIRST[:12], 2 * HOUR_NS), *FIRST[12:]])
    assert_as_sent(world, FIRST)
    void = [e for e in world.store.epochs("a", start_ns=0, end_ns=2**62, void=True) if e.void]
    assert len(void) == 6, "what was stored under the wrong time is withdrawn"


def test_a_clock_far_in_the_future_that_is_set_later(world: World) -> None:
    world.send(shifted(FIRST[:12], 80 * 365 * 24 * HOUR_NS))
    world.drain()
    world.send(FIRST[12:])
    assert_as_sent(world, FIRST)


def test_a_boot_counter_that_starts_again_loses_nothing(world: World) -> None:
    second = shifted(FIRST, 9 * HOUR_NS)  # boot 1 and seq 0 again
    world.send(FIRST)
    world.drain()
    world.send(second)
    assert_as_sent(world, [*FIRST, *shifted(FIRST, 9 * HOUR_NS, boot=2)])
    acked = [decode_ack(m.payload) for m in world.source.published if m.topic.endswith("/ack")]
    assert acked[-1].seq == 29


def test_a_boot_counter_that_starts_again_newest_first(world: World) -> None:
    second = shifted(FIRST, 9 * HOUR_NS)
    world.send([*second[::-1], *FIRST[::-1]])
    assert_as_sent(world, [*FIRST, *shifted(FIRST, 9 * HOUR_NS, boot=2)])


def test_blocks_that_are_held_while_the_first_of_their_session_is_detected_late(world: World) -> None:
    second, third = shifted(FIRST[:6], 60 * SECOND_NS, boot=2), shifted(FIRST, 150 * SECOND_NS, boot=3)
    ahead = shifted(second[:4], 2 * HOUR_NS, boot=2)  # until its clock is set
    first = [*FIRST[:10], *third]
    # Newer than all, of a boot that has passed: taken for a boot that is to come, of which the first block is missing.
    world.send([*first, *ahead[1:]])
    world.send([second[5], ahead[0]])  # this tells which boot it is
    world.drain()
    feed(world.source, "a", [Status(boot=3, online=False)])
    found = world.drain()
    (world.folder / "other").mkdir()
    other = World(world.folder / "other", replace(NOW, horizon=Horizon()))
    other.send([*FIRST[:10], *ahead, second[5], *third])
    assert other.drain() == found
    other.stop()


def assert_as_sent(world: World, blocks: Sequence[Block]) -> None:
    found = world.drain()
    other = World(world.folder / "other", replace(NOW, horizon=Horizon())) if _made(world.folder / "other") else world
    other.send(blocks)
    expected = other.drain()
    other.stop()
    assert found == expected


def _made(folder: Path) -> bool:
    folder.mkdir()
    return True


def test_one_device_with_a_large_backlog_leaves_others_alone(world: World) -> None:
    world.send(NIGHTS[::-1], device="slow")
    for b in FIRST:
        world.send([b])
        world.service.step()
    assert len(episodes(world.store, "a")) == 1


def faulty(rng: random.Random) -> list[Block]:
    """A few boots of a device whose clock and counter fail now and then, in the order in which it made the blocks."""
    made: list[Block] = []
    at_ns, boot = 0, rng.choice([1, 5])
    for _ in range(rng.randint(1, 4)):
        blocks = FIRST[: rng.randint(6, 30)]
        at_ns += rng.choice([20, 600, 5 * 3600, 20 * 3600]) * SECOND_NS
        blocks = shifted(blocks, at_ns, boot=boot)
        k = rng.randint(1, len(blocks) - 1)
        wrong_ns = rng.choice(
            [0, 0, 2 * HOUR_NS, -3 * HOUR_NS, 45 * SECOND_NS, -4 * SECOND_NS, -FIRST[0].t0, 40 * HOUR_NS]
        )
        blocks = [*shifted(blocks[:k], wrong_ns, boot=boot), *shifted(blocks[k:], 0, boot=boot, from_seq=k)]
        if rng.random() < 0.3:
            del blocks[rng.randrange(len(blocks))]
        made += blocks
        at_ns += 150 * SECOND_NS
        boot += 1
    return made


@settings(max_examples=15)
@given(rng=st.randoms(use_true_random=False))
def test_whatever_the_clock_did_order_of_arrival_changes_no_record(
    tmp_path_factory: pytest.TempPathFactory, rng: random.Random
) -> None:
    blocks = faulty(rng)
    worlds = [
        World(tmp_path_factory.mktemp("w"), replace(NOW, archive_after_s=rng.choice([0.0, 3600.0]))) for _ in "ab"
    ]
    found = []
    for world in worlds:
        world.send(blocks[: len(blocks) // 2])
        if rng.random() < 0.5:
            world.drain()
            world.now_ns += 100 * SECOND_NS
            while world.service.keeper.step():
                pass
        world.send(blocks[len(blocks) // 2 :])
        world.drain()
        feed(world.source, "a", [Status(boot=boot, online=False) for boot in sorted({b.boot for b in blocks})])
        world.drain()
        world.now_ns += 2 * HOUR_NS  # nothing more comes: what is open is ended
        world.service.ingester.close_sessions()
        found.append(world.drain())
        world.stop()
        rng.shuffle(blocks)
    assert found[0] == found[1]
