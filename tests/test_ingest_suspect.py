"""A journal too large to be checked at each start: whoever meets damage in it has it checked at the next one."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ingest_feed import cut, feed, recording
from salvage_world import BLOCKS, PAGE, World
from test_ingest_salvage import pages_of, zero

from ingest.damage import WHOLE_BYTES, beside
from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.journal_db import SUSPECT
from ingest.outbox import Outbox
from ingest.wire import Status


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.stop()


def grow(path: Path) -> None:
    """As long as one that is not checked; what is added is a hole, which takes no room and no part in the journal."""
    os.truncate(path, WHOLE_BYTES + (1 << 20))


def test_damage_that_is_met_is_looked_for_at_the_next_start(world: World) -> None:
    expected = world.run(BLOCKS)
    world.stop()
    zero(world.path, pages_of(world.path, "block")[3])
    grow(world.path)

    service = world.start()
    assert not world.log(), "too large to be checked"
    with pytest.raises(JournalError):
        service.ingester._journal.raw.kept("a")
    world.stop()
    assert beside(world.path, SUSPECT).exists()
    grow(world.path)

    assert world.run(BLOCKS) == expected
    (said,) = world.log()
    assert said["missing_blocks"], "those on the page that is gone"
    assert not beside(world.path, SUSPECT).exists()


def test_a_late_block_that_cannot_be_read_is_not_sought_in_the_archive(world: World) -> None:
    """Before, the archive was said to lack it, again and again, and the journal's damage was never met."""
    tape = list(cut(recording(180), [60.0] * 3))  # each takes several pages
    world.start()
    feed(world.source, "a", [tape[0], tape[2], Status(boot=1, online=False)])
    while world.start().ingester.step():
        pass
    feed(world.source, "a", [tape[1]])
    world.start().ingester._batch(world.source.take(10, 0))  # kept, and not yet detected in
    world.stop()
    with closing(sqlite3.connect(world.path)) as db:
        first = [
            page for (page,) in db.execute("SELECT pageno FROM dbstat WHERE pagetype = 'overflow' AND name = 'block'")
        ]
    for page in first:
        with world.path.open("r+b") as file:
            file.seek((page - 1) * PAGE)
            file.write(b"\xff\xff\xff\xff")  # where the next one is
    grow(world.path)
    with pytest.raises(JournalError, match="cannot be read"):
        world.start().settle()
    world.stop()
    world.start()
    assert world.log()


def test_a_row_that_is_not_what_was_written_is_damage(world: World) -> None:
    world.run(BLOCKS)
    world.stop()
    with closing(Journal(world.path)) as journal:
        journal._connection.db.execute("INSERT INTO outbox (kind, body) VALUES (77, x'00')")
    grow(world.path)
    with closing(Journal(world.path)), closing(Outbox.beside(world.path)) as outbox, pytest.raises(JournalError):
        outbox.records(10)
    assert beside(world.path, SUSPECT).exists()
    world.start()
    assert world.log()


def test_a_journal_that_turns_out_to_be_whole_is_not_looked_at_for_ever(world: World) -> None:
    world.run(BLOCKS)
    world.stop()
    beside(world.path, SUSPECT).touch()
    world.start()
    assert not world.log()
    assert not beside(world.path, SUSPECT).exists()
