"""A damaged journal: set aside with a clear word, and all that can be read of it goes on."""

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_feed import SECOND_NS, contents, cut, feed, recording
from salvage_world import BLOCKS, NOW, PAGE, World, make_older

from detector import DEFAULT, Params
from ingest.damage import look
from ingest.errors import JournalError, JournalFull, StoreUnavailable
from ingest.journal import Journal
from ingest.order import ERA, Arrival, era_of
from ingest.recall import order_from
from ingest.salvage import beside, make_whole
from ingest.store import Record
from ingest.store.memory import MemoryStore
from ingest.wal import look_at_wal
from ingest.wire import decode_ack


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.stop()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    world = World(tmp_path_factory.mktemp("undisturbed"))
    found = world.run(BLOCKS)
    world.stop()
    assert len(found) > 15
    return found


def flip(path: Path, at: int, bits: int = 0xFF) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= bits
    path.write_bytes(data)


def zero(path: Path, page: int) -> None:
    data = bytearray(path.read_bytes())
    data[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
    path.write_bytes(data)


def pages_of(path: Path, name: str) -> list[int]:
    """The leaf pages of a table, in order."""
    db = sqlite3.connect(path)
    found = [row[0] for row in db.execute(
        "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (name,))]  # fmt: skip
    db.close()
    return found


def rows_on(path: Path, page: int) -> int:
    db = sqlite3.connect(path)
    (rows,) = db.execute("SELECT ncell FROM dbstat WHERE pageno = ?", (page,)).fetchone()
    db.close()
    return int(rows)


# Each of these damages a journal that holds half a session, and the other half is to be as if nothing had been.


def garbage_header(path: Path) -> None:
    path.write_bytes(b"this was a journal" * 5 + path.read_bytes()[90:])


def first_page_gone(path: Path) -> None:
    zero(path, 1)


def device_row(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("UPDATE device SET state = x'c1c1'")
    db.commit()
    db.close()


def device_page(path: Path) -> None:
    zero(path, pages_of(path, "device")[0])


def told_page(path: Path) -> None:
    zero(path, pages_of(path, "told")[0])


def gone_but_for_the_archive(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [garbage_header, first_page_gone, device_row, device_page, told_page, gone_but_for_the_archive, empty]
)
def test_results_go_on_as_if_nothing_had_been(
    tmp_path: Path, undisturbed: list[object], damage: Callable[[Path], None]
) -> None:
    archived = damage in (gone_but_for_the_archive, empty)
    world = World(tmp_path, replace(NOW, archive_after_s=0 if archived else 3600))
    world.run(BLOCKS[:17])
    while world.start().keeper.step():
        pass
    world.stop()
    damage(world.path)
    assert world.run(BLOCKS[17:]) == undisturbed
    acked = [decode_ack(m.payload) for m in world.source.published if m.topic.endswith("/ack")]
    assert acked[-1].seq == 29
    world.stop()
    if damage is gone_but_for_the_archive:
        assert [line["devices"] for line in world.log("devices_recalled")] == [["a"]]
        return
    (line,) = world.log()
    aside = tmp_path / str(line["file"])
    assert aside.exists()
    assert aside.stat().st_mode & 0o777 == 0o600
    assert str(line["file"]) in str(line["sentence"])
    assert world.run([]) == undisturbed
    assert len(world.log()) == 1, "it is told once"
    world.stop()


@pytest.mark.parametrize("brought_up", [False, True])
def test_the_first_page_is_made_up_for_in_journals_of_older_versions(
    tmp_path: Path, undisturbed: list[object], brought_up: bool
) -> None:
    world = World(tmp_path)
    world.run(BLOCKS[:17])
    world.stop()
    make_older(world.path)
    if brought_up:
        Journal(world.path).close()
    first_page_gone(world.path)
    make_whole(world.path)
    journal = Journal(world.path)
    assert (report := journal.salvaged())
    assert report.unreadable == {}
    journal.close()
    assert world.run(BLOCKS[17:]) == undisturbed
    world.stop()


def test_a_zeroed_page_of_blocks_loses_what_was_on_it_and_nothing_else(tmp_path: Path) -> None:
    world = World(tmp_path)
    small = list(cut(recording(150), [1.0] * 100))
    world.run(small)
    world.stop()
    leaves = pages_of(world.path, "block")
    page = leaves[len(leaves) // 2]
    rows = rows_on(world.path, page)
    zero(world.path, page)
    before = contents(world.store, ["a"])
    world.run([])
    assert world.running is not None
    kept = {seq for (_, seq), _ in world.running[1].blocks("a")}
    lost = sorted(set(range(100)) - kept)
    assert len(lost) == rows > 0
    assert lost == list(range(lost[0], lost[-1] + 1))
    (line,) = world.log()
    assert line["missing_blocks"] == len(lost)
    assert contents(world.store, ["a"]) == before, "what was found in them stays"
    assert world.start().ingester.devices["a"].order.durable(1) == lost[0] - 1
    assert world.run(small) == before, "a device that still has them sends them again"
    assert world.start().ingester.devices["a"].order.durable(1) == 99
    world.stop()


def test_a_truncated_file_gives_what_is_in_front_of_the_cut(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(BLOCKS)
    world.stop()
    data = world.path.read_bytes()
    cut_at = len(data) * 4 // 5 // PAGE
    readable = 3 * sum(page <= cut_at for page in pages_of(world.path, "block"))
    world.path.write_bytes(data[: cut_at * PAGE + 17])
    world.run([])
    assert world.running is not None
    assert [seq for (_, seq), _ in world.running[1].blocks("a")] == list(range(readable))
    assert len(world.log()) == 1
    world.run(BLOCKS)
    assert world.start().ingester.devices["a"].order.missing == 0, "blocks that are sent again are taken"
    world.stop()


def test_a_torn_last_page_of_the_log_is_a_commit_that_nobody_was_told_of(world: World, tmp_path: Path) -> None:
    world.run(BLOCKS[:17])
    torn = world.copy(sub(tmp_path))
    log = beside(torn.path, "-wal")
    log.write_bytes(log.read_bytes()[:-5000])
    assert look(torn.path) == ""
    torn.run(BLOCKS)
    assert torn.log() == []
    torn.stop()


def test_flipped_bytes_in_the_log_do_not_drop_what_was_committed_after(
    world: World, tmp_path: Path, undisturbed: list[object]
) -> None:
    world.run(BLOCKS[:10])
    early = beside(world.path, "-wal").stat().st_size
    world.run(BLOCKS[10:17])
    torn = world.copy(sub(tmp_path))
    log = beside(torn.path, "-wal")
    flip(log, early - PAGE // 2)
    bare = sub(tmp_path / "bare") / "journal.sqlite"
    for side in ("", "-wal"):
        beside(bare, side).write_bytes(beside(torn.path, side).read_bytes())
    db = sqlite3.connect(bare)
    assert db.execute("SELECT count(*) FROM block").fetchone()[0] < 17, "SQLite drops them and says nothing"
    db.close()
    assert look_at_wal(log).dropped > 1
    assert torn.run([]) is not None
    assert torn.running is not None
    assert len(torn.running[1].blocks("a")) == 17
    assert len(torn.log()) == 1
    assert torn.run(BLOCKS[17:]) == undisturbed
    torn.stop()


def test_a_log_whose_database_is_gone_is_read(world: World, tmp_path: Path, undisturbed: list[object]) -> None:
    world.run(BLOCKS[:17])
    left = world.copy(sub(tmp_path))
    left.path.unlink()
    assert left.run(BLOCKS[17:]) == undisturbed
    (line,) = left.log()
    assert line["what"] == "it is gone, and only its write-ahead log is left"
    assert (left.folder / (str(line["file"]) + "-wal")).exists()
    left.stop()


def version_flipped(world: World) -> bool:
    """Whether the damage has made it a journal of a version to come, which it may well be."""
    copied = world.copy(world.folder / "look")
    db = sqlite3.connect(copied.path)
    try:
        return bool(db.execute("SELECT version FROM schema_version WHERE version BETWEEN 3 AND 999").fetchone())
    except (sqlite3.Error, UnicodeError):
        return False
    finally:
        db.close()


def sub(folder: Path) -> Path:
    made = folder / "left"
    made.mkdir(parents=True)
    return made


@settings(max_examples=30)
@given(rng=st.randoms(use_true_random=False))
def test_whatever_is_flipped_it_starts_or_says_why(
    tmp_path_factory: pytest.TempPathFactory, half: World, rng: random.Random
) -> None:
    world = half.copy(tmp_path_factory.mktemp("flipped"))
    world.store = MemoryStore()
    for _ in range(rng.choice((1, 3, 20))):
        flip(beside(world.path, rng.choice(("", "-wal"))), rng.randrange(2**40), rng.randrange(1, 256))
    if version_flipped(world):
        with pytest.raises(JournalError, match="schema version"):
            world.start()
        return
    world.run(BLOCKS[10:])
    world.run(BLOCKS, device="b")
    assert len(contents(world.store, ["b"])) > 5
    world.stop()
    world.start()
    world.stop()


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Half a session, partly in the database and partly in its log, with records that wait for the store."""
    world = World(tmp_path_factory.mktemp("half"))
    world.run(BLOCKS[:8])
    world.stop()
    of = world.start()
    feed(world.source, "a", [*BLOCKS[8:12], BLOCKS[14]])
    while of.ingester.step():
        pass
    yield world
    world.stop()


@pytest.mark.parametrize("killed_after", range(3))
def test_a_kill_while_it_is_put_aside_loses_nothing(tmp_path: Path, killed_after: int) -> None:
    world = World(tmp_path)
    world.run(BLOCKS[:17])
    world.stop()
    device_row(world.path)
    make_whole(world.path)
    (aside,) = tmp_path.glob("*.damaged-*Z")
    world.path.replace(beside(world.path, ".salvaged"))  # as it was before the last step
    if killed_after == 0:
        aside.replace(world.path)
    if killed_after == 1:
        (tmp_path / "journal.sqlite.salvage").mkdir()
    world.run([])
    assert world.running is not None
    assert len(world.running[1].blocks("a")) == 17
    assert list(tmp_path.glob("*.damaged-*Z")) == [aside]
    assert len(world.log()) == 1
    world.stop()


def test_without_room_the_damaged_file_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    garbage_header(path)
    data = path.read_bytes()
    with pytest.raises(
        JournalFull, match=r"is damaged \(file is not a database\) and was left as it is: .* 0 MB are free"
    ):
        make_whole(path, free=lambda _: 0)
    assert path.read_bytes() == data
    assert list(tmp_path.glob("*.salvage*")) == []


class Away(MemoryStore):
    """A store that cannot be reached."""

    def write(self, records: Sequence[Record]) -> None:
        del records
        raise StoreUnavailable("away")


def test_records_that_waited_for_the_store_are_made_again(tmp_path: Path, undisturbed: list[object]) -> None:
    world = World(tmp_path, replace(NOW, archive_after_s=0))
    world.store = Away()
    world.run(BLOCKS)
    while world.start().keeper.step():
        pass
    world.stop()
    for page in pages_of(world.path, "outbox"):
        zero(world.path, page)
    world.store = MemoryStore()
    assert world.run([]) == undisturbed
    assert "records are made again" in str(world.log()[0]["sentence"])
    world.stop()


def test_what_is_told_of_a_damaged_journal_is_not_forgotten_by_a_kill(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(BLOCKS[:17])
    world.stop()
    device_row(world.path)
    Journal(world.path).close()  # killed before the check
    world.run([])
    assert len(world.log()) == 1
    world.stop()


def test_eras_are_as_they_were(world: World) -> None:
    again = [msgspec.structs.replace(b, t0=b.t0 + 9 * 3600 * SECOND_NS) for b in BLOCKS]
    world.run(BLOCKS)
    world.run(again)
    assert world.running is not None
    of, journal = world.running
    before = of.ingester.devices["a"].order
    assert [boot.boot for boot in before.boots] == [1, ERA + 1]
    kept = journal.raw.kept("a")
    assert order_from([item.mark for item in kept]).boots == before.boots
    assert era_of(before, Arrival(1, 30, again[-1].t0, again[-1].t0 + 1), {}.get) == ERA + 1


# Another detector.


def test_a_session_in_which_the_detector_changed_is_detected_again_whole(tmp_path: Path) -> None:
    other: Params = replace(DEFAULT, on_ratio=DEFAULT.on_ratio * 1.3)
    expected = World(sub(tmp_path / "whole"), replace(NOW, params=other))
    records = expected.run(BLOCKS)
    expected.stop()
    world = World(sub(tmp_path), replace(NOW, archive_after_s=0))
    world.run(BLOCKS[:17])
    while world.start().keeper.step():
        pass
    world.stop()
    world.options = replace(NOW, params=other)
    assert world.run(BLOCKS[17:]) == records
    assert len(world.log("detector_changed")) == 1
    world.stop()
    world.run([])
    assert len(world.log("detector_changed")) == 1, "once is enough"
    world.stop()
