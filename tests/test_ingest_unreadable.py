"""An archive of which a part cannot be read: whom it concerns waits for somebody to mend it, and nobody else does."""

import io
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ingest_feed import SECOND_NS, contents, cut, feed, ingest, recording, service

from ingest.doctor.devices import check_devices, look_at_parts
from ingest.journal import Journal
from ingest.log import json_log
from ingest.metrics import Metrics
from ingest.service import Options, Service
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore
from ingest.wire import Block, decode_ack, topic

TAPE = list(cut(recording(600), [10] * 60))
MISSING = TAPE[20:23]
DEVICES = ("damaged", "sound")


@dataclass
class World:
    """A service with blocks of two devices in its archive; of one the part is damaged inside."""

    service: Service
    source: MemorySource
    store: MemoryStore
    metrics: Metrics
    part: Path
    whole: bytes
    log: io.StringIO
    now_s: list[float] = field(default_factory=lambda: [0.0])

    def turns(self, count: int, *, each_s: float = 1.0) -> None:
        """Take so many turns, with so much time between them."""
        for _ in range(count):
            self.service.step()
            self.now_s[0] += each_s

    def waiting(self) -> set[str]:
        """Devices that are to be detected again."""
        return {name for name, device in self.service.ingester.devices.items() if device.dirty is not None}

    def said(self, event: str) -> list[dict[str, object]]:
        """Lines of the log about this."""
        return [line for text in self.log.getvalue().splitlines() if (line := json.loads(text))["event"] == event]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    source, store, metrics, log, now_s = MemorySource(), MemoryStore(), Metrics(), io.StringIO(), [0.0]
    start_ns = time.time_ns() + 60 * SECOND_NS  # when all has come in
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(
            source, journal, store, options=Options(wait_s=0, batch=50, settle_s=0, archive_after_s=0),
            metrics=metrics, log=json_log(log), monotonic=lambda: now_s[0],
            wall_ns=lambda: start_ns + int(now_s[0] * SECOND_NS),
        )  # fmt: skip
        for name in DEVICES:
            feed(source, name, (block for block in TAPE if block not in MISSING))
        while of.step() or of.keeper.step():
            pass
        part = next((tmp_path / "journal.archive" / "device=damaged").rglob("*.parquet"))
        whole = part.read_bytes()
        part.write_bytes(whole[:4] + b"\xa5" * (len(whole) // 2) + whole[4 + len(whole) // 2 :])
        world = World(of, source, store, metrics, part, whole, log, now_s)
        world.turns(5)
        source.published.clear()
        yield world
        of.close()


def send(world: World, device: str, *blocks: Block) -> None:
    feed(world.source, device, blocks)


def durable(world: World, device: str) -> list[int]:
    """The numbers up to which its blocks were named durable."""
    acks = [message for message in world.source.published if message.topic == topic(device, "ack")]
    return [decode_ack(message.payload).seq for message in acks]


def test_a_block_of_which_nobody_can_tell_whether_it_was_taken_is_passed_over(world: World) -> None:
    send(world, "damaged", TAPE[3])
    send(world, "sound", TAPE[3])
    world.turns(5)
    assert world.source.outstanding == 0, "the broker need not keep it: the device does"
    assert durable(world, "sound")
    assert not durable(world, "damaged"), "it is not named durable"
    (line,) = world.said("archive_unreadable")
    assert line["device"] == "damaged"
    assert str(world.part) in str(line["reason"])
    assert world.metrics.registry.get_sample_value("charley_archive_errors_total") == 1

    world.part.write_bytes(world.whole)
    send(world, "damaged", TAPE[3])
    world.turns(10)
    assert durable(world, "damaged")
    assert not world.waiting()


def test_new_blocks_of_the_same_device_are_taken(world: World) -> None:
    later = list(cut(recording(620), [10] * 62))[60:]
    send(world, "damaged", TAPE[3], *later)
    world.turns(5)
    order = world.service.ingester.devices["damaged"].order
    assert order.boots[-1].next_seq == 62
    assert durable(world, "damaged")


def test_others_are_detected_again_meanwhile(world: World) -> None:
    for device in DEVICES:
        send(world, device, *MISSING)
    world.turns(100)
    assert world.waiting() == {"damaged"}

    lines = world.said("archive_unreadable")
    assert [line["again_in_s"] for line in lines] == [5, 10, 20, 40, 80]
    assert {line["device"] for line in lines} == {"damaged"}
    world.turns(100, each_s=600)
    assert {line["again_in_s"] for line in world.said("archive_unreadable")[7:]} == {600}


def test_it_is_detected_again_once_the_part_can_be_read(world: World, tmp_path: Path) -> None:
    for device in DEVICES:
        send(world, device, *MISSING)
    world.turns(20)
    world.part.write_bytes(world.whole)
    world.turns(40)
    assert not world.waiting()
    world.service.settle()
    (tmp_path / "in order").mkdir()
    expected = ingest(tmp_path / "in order", ((device, block) for device in DEVICES for block in TAPE))
    for device in DEVICES:
        assert contents(world.store, [device]) == contents(expected, [device])


def test_it_is_told_until_the_part_can_be_read(world: World) -> None:
    for device in DEVICES:
        send(world, device, *MISSING)
    world.turns(20)
    damaged, sound = world.store.statuses(DEVICES)
    assert (damaged.archive_unreadable, damaged.late_blocks) == (True, len(MISSING))
    assert (sound.archive_unreadable, sound.late_blocks) == (False, 0)
    archive = world.part.parents[2]
    archive.with_name("archive").symlink_to(archive)  # where the data folder has it
    seen = look_at_parts(archive.parent, [damaged, sound])
    assert seen == [str(Path("archive") / world.part.relative_to(archive))]
    (check,) = [one for one in check_devices([damaged, sound], now_ns=0, damaged=seen) if one.name == "devices.archive"]
    assert (check.verdict, seen[0] in check.found) == ("fail", True)

    world.part.write_bytes(world.whole)
    world.turns(40)
    assert not world.store.statuses(["damaged"])[0].archive_unreadable
    assert look_at_parts(archive.parent, world.store.statuses(DEVICES)) == []
