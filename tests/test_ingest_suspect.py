"""A journal too large to be checked at each start: whoever meets damage in it has it checked at the next one."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from salvage_world import BLOCKS, World
from test_ingest_salvage import pages_of, zero

from ingest.damage import WHOLE_BYTES, beside
from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.journal_db import SUSPECT
from ingest.outbox import Outbox


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
