"""How blocks and statuses arrive changes no record: histories that once did, each as small as it could be made."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from ingest_feed import block, feed
from test_ingest_late import EMG, FIRST, HOUR_NS, NOW, World, shifted

from ingest.order import Horizon
from ingest.wire import Block, Status


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, NOW)
    yield world
    world.stop()


def over(world: World, blocks: Sequence[Block]) -> list[object]:
    """All that is found once the device has gone and its sessions are closed."""
    world.drain()
    feed(world.source, "a", [Status(boot=boot, online=False) for boot in sorted({b.boot for b in blocks})])
    world.drain()
    world.now_ns += 2 * HOUR_NS
    world.service.ingester.close_sessions()
    return world.drain()


def in_order(world: World, blocks: Sequence[Block]) -> list[object]:
    """What comes of the same blocks, sent once, in the order in which they were made, in one go."""
    (world.folder / "other").mkdir()
    other = World(world.folder / "other", replace(NOW, batch=1000, horizon=Horizon()))
    other.send(blocks)
    found = over(other, blocks)
    other.stop()
    return found


def test_sites_count_as_declared_only_for_the_boot_whose_status_named_them(world: World) -> None:
    other_leg = [
        block(EMG[:1000], site="tibialis_anterior", boot=2, seq=b.seq, t0=b.t0) for b in shifted(FIRST[:6], HOUR_NS)
    ]
    feed(world.source, "a", [Status(boot=1, online=True, sites=("soleus",)), *FIRST[:6], *other_leg[:3]])
    world.drain()
    feed(world.source, "a", [Status(boot=2, online=True), *other_leg[3:]])
    assert over(world, other_leg) == in_order(world, [*FIRST[:6], *other_leg])
    feed(
        world.source,
        "a",
        [Status(boot=2, online=True, sites=("soleus",)), msgspec.structs.replace(other_leg[5], seq=6)],
    )
    world.drain()
    assert world.store.statuses(["a"])[0].refused_blocks == 1
