"""On their way to the archive blocks of one device do not wait for those of another, and are added once."""

import io
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ingest_feed import SECOND_NS, cut, feed, recording, service

from ingest.journal import Journal
from ingest.journal_schema import connect
from ingest.keeper import Keeper
from ingest.log import json_log
from ingest.metrics import Metrics
from ingest.service import Options
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore

DEVICES = ("before", "wedged", "zlast")
TAPE = list(cut(recording(60), [10] * 6))


@dataclass
class World:
    """A keeper with blocks of three devices to archive."""

    journal: Journal
    keeper: Keeper
    log: io.StringIO
    now_s: list[float] = field(default_factory=lambda: [0.0])

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.keeper.step()
            self.now_s[0] += 1.0

    def waiting(self) -> set[str]:
        """Devices with blocks in the journal."""
        return {name for name in DEVICES if self.journal.blocks(name)}

    def parts(self, device: str) -> int:
        return len(list((self.keeper.archive.folder / f"device={device}").rglob("part-*.parquet")))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    source, log, now_s = MemorySource(), io.StringIO(), [0.0]
    wall_ns = time.time_ns() + 10 * SECOND_NS  # when all has come in
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        of = service(
            source, journal, MemoryStore(), options=Options(wait_s=0, archive_after_s=0), metrics=Metrics(),
            log=json_log(log), monotonic=lambda: now_s[0], wall_ns=lambda: wall_ns,
        )  # fmt: skip
        for name in DEVICES[1:]:  # the wedged one has the oldest
            feed(source, name, TAPE)
        while of.ingester.step():
            pass
        yield World(journal, of.keeper, log, now_s)
        of.close()


def test_a_device_that_cannot_be_archived_keeps_no_other_waiting(world: World) -> None:
    wedge = world.keeper.archive.folder / "device=wedged"
    wedge.write_text("a file where a folder should be")
    world.turns(200)
    assert world.waiting() == {"wedged"}
    lines = [line for line in map(json.loads, world.log.getvalue().splitlines()) if line["event"] == "archive_failed"]
    assert [line["again_in_s"] for line in lines] == [5, 10, 20, 40, 80, 160][: len(lines)]
    assert len(lines) >= 5
    assert {line["device"] for line in lines} == {"wedged"}
    assert str(wedge) in lines[0]["reason"]

    wedge.unlink()
    world.turns(200)
    assert not world.waiting()
    assert world.parts("wedged") == 1


def test_what_the_archive_has_is_not_added_again_while_the_journal_is_held(world: World) -> None:
    world.keeper.raw._db.execute("PRAGMA busy_timeout = 0")  # not 20 s for each attempt
    with closing(connect(world.journal.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        world.turns(60)
        assert world.waiting() == {"wedged", "zlast"}
        assert world.parts("wedged") + world.parts("zlast") == 1
        other.execute("ROLLBACK")
    world.turns(20)
    assert not world.waiting()
    assert [world.parts(name) for name in DEVICES] == [0, 1, 1]
