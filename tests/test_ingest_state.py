"""The state of a device in the journal with a bit that is not what was written: known at the start, and made anew."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from salvage_world import BLOCKS, World

from ingest.devices import Device, View, packed, unpacked
from ingest.errors import JournalError
from ingest.journal import Entry, Journal
from ingest.store import DeviceStatus


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.stop()


def flip(path: Path, place: float) -> None:
    """Change one bit of the samples that the detector keeps of device `a`."""
    with closing(Journal(path)) as journal:
        track = journal.devices()["a"].track
    assert track is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        (state,) = db.execute("SELECT state FROM device WHERE name = 'a'").fetchone()
        at = state.index(track.row) + int(place * len(track.row))
        changed = state[:at] + bytes([state[at] ^ 64]) + state[at + 1 :]
        db.execute("UPDATE device SET state = ? WHERE name = 'a'", (changed,))


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.9])
def test_what_it_leads_to_is_as_if_nothing_had_been(world: World, place: float) -> None:
    undisturbed = World(world.folder / "undisturbed")
    undisturbed.folder.mkdir()
    expected = undisturbed.run(BLOCKS)
    undisturbed.stop()
    world.run(BLOCKS[:18])
    world.stop()
    flip(world.path, place)
    assert world.run(BLOCKS[18:]) == expected
    (said,) = world.log()
    assert said["rebuilt"] == ["a"]


def test_a_state_of_an_older_release_is_read(world: World) -> None:
    world.run(BLOCKS[:18])
    world.stop()
    with closing(Journal(world.path)) as journal:
        known = journal.devices()
        body = msgspec.msgpack.encode(known["a"])
        journal._connection.db.execute("UPDATE device SET state = ?", (body,))
        assert journal.devices() == known
    world.start()
    assert not world.log()


def test_a_record_that_waits_with_a_name_that_is_no_text(world: World) -> None:
    """Before, the salvage fell over it, at each start."""
    world.run(BLOCKS[:18])
    world.stop()
    with closing(Journal(world.path)) as journal:
        journal.commit(Entry(records=[DeviceStatus(device="legible", boot=1, online=True)]))
        journal._connection.db.execute("UPDATE outbox SET body = CAST(replace(body, 'leg', x'EC6567') AS BLOB)")
        with pytest.raises(JournalError):
            journal.outbox.records(1)
    world.run(BLOCKS[18:])
    (said,) = world.log()
    assert said["unreadable"] == {"outbox": 1}


@given(st.integers(0, 10**6), st.integers(0, 7))
def test_no_bit_is_changed_unseen(at: int, bit: int) -> None:
    state = packed(Device(view=View(firmware="1.2", sites=("soleus",)), refused=3))
    place = at % len(state)
    with pytest.raises(msgspec.MsgspecError):
        unpacked(state[:place] + bytes([state[place] ^ 1 << bit]) + state[place + 1 :])
