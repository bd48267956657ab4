"""A restart of the ingester changes no state of a device: its records are written again, and say what they said."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from ingest_feed import feed
from test_ingest_late import FIRST, NOW, World

from api.liveness import device_state
from ingest.wire import Block, Status

MINUTE_NS = 60 * 10**9


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, replace(NOW, silent_s=1e9, gone_s=1e9))
    yield world
    world.stop()


def state(world: World) -> tuple[str, str]:
    found = device_state(world.store.statuses(["a"])[0], [], now_ns=world.now_ns)
    return found.code, found.sentence


def refusable(block: Block) -> Block:
    """The same block of a site that its device never declared."""
    signals = [msgspec.structs.replace(signal, site="tibialis_anterior") for signal in block.signals[:1]]
    return msgspec.structs.replace(block, seq=block.seq + 100, signals=tuple(signals))


@pytest.mark.parametrize("online", [True, False])
def test_a_device_that_was_refused_once_is_silent_after_a_restart_too(world: World, online: bool) -> None:
    feed(world.source, "a", [Status(boot=1, online=True, sites=("soleus",)), *FIRST[:3], refusable(FIRST[3])])
    feed(world.source, "a", [] if online else [Status(boot=1, online=False)])
    world.drain()
    assert world.store.statuses(["a"])[0].refused_blocks == 1
    world.now_ns += 10 * MINUTE_NS
    before = state(world)
    assert before[0] == ("connected_but_silent" if online else "offline")
    world.again()
    world.drain()
    assert world.store.statuses(["a"])[0].updated_ns == world.now_ns  # it was written again
    assert state(world) == before


def test_when_a_device_was_refused_outlives_a_restart(world: World) -> None:
    feed(world.source, "a", [Status(boot=1, online=True, sites=("soleus",)), *FIRST[:3]])
    world.drain()
    world.now_ns += 10 * MINUTE_NS
    bad = feed(world.source, "a", [refusable(FIRST[3])])
    assert len(bad) == 1
    world.drain()
    refused_ns = world.store.statuses(["a"])[0].refused_ns
    assert refused_ns == bad[0].received_ns
    world.again()
    world.drain()
    assert world.store.statuses(["a"])[0].refused_ns == refused_ns
