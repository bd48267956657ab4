"""What a damaged journal lost is made up for from an archive of which a part cannot be read: from all the others."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from ingest_feed import SECOND_NS, contents, cut, recording
from salvage_world import NOW, World
from test_ingest_salvage import pages_of, zero

DAY_NS = 86_400 * SECOND_NS
MIDNIGHT_NS = 1_790_000_000 * SECOND_NS // DAY_NS * DAY_NS
TAPE = [
    msgspec.structs.replace(block, t0=MIDNIGHT_NS - 300 * SECOND_NS + i * 10 * SECOND_NS)
    for i, block in enumerate(cut(recording(600, bursts=((65, 60), (365, 60))), [10] * 60))
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, replace(NOW, archive_after_s=0))
    yield world
    world.stop()


def test_the_other_days_are_known(world: World) -> None:
    world.run(TAPE)
    while world.start().keeper.step():
        pass
    expected = contents(world.store, ["a"])
    told = world.start().ingester._journal.ledger.between("a", 0, 2**62)
    assert len(told) == 2
    world.stop()
    first, second = sorted(world.path.with_suffix(".archive").rglob("*.parquet"), key=lambda part: part.parent.name)
    whole = first.read_bytes()
    first.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
    zero(world.path, pages_of(world.path, "device")[0])

    of = world.start()
    assert world.log()
    (said,) = world.log("archive_unreadable")
    assert str(first) in str(said["reason"])
    assert str(second) not in str(said["reason"])
    (boot,) = of.ingester.devices["a"].order.boots
    assert boot.next_seq == 60
    assert boot.missing == ((0, 29),), "those of the day that cannot be read"
    ledger = of.ingester._journal.ledger
    assert [episode.id for episode in ledger.between("a", 0, 2**62)] == [episode.id for episode in told]

    first.write_bytes(whole)
    assert world.run(TAPE) == expected
    assert of.ingester.devices["a"].order.missing == 0
