"""One instant of journal, store and archive while blocks, records and parts move between them at full speed."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import servers

from ingest.keeping.copying import copy_parts, copy_sqlite
from ingest.keeping.moment import Moment, list_parts, moment

STEPS = 12
LISTINGS = 300


def make(path: Path, *tables: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=20)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    for table in tables:
        db.execute(f"CREATE TABLE IF NOT EXISTS {table} (n INTEGER PRIMARY KEY)")
    return db


class Site:
    """What the ingester does, with numbers for blocks: to the journal, to the store, to the archive, merged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.date = folder / "archive" / "device=leg" / "date=2026-11-23"
        self.date.mkdir(parents=True)
        self.journal = make(folder / "journal.sqlite", "block", "outbox")
        self.store = make(folder / "store.sqlite", "record")
        self.next = 0
        self.stop = threading.Event()

    def turn(self) -> None:
        n, self.next = self.next, self.next + 1
        self.journal.execute("BEGIN")
        self.journal.execute("INSERT INTO block VALUES (?)", (n,))
        self.journal.execute("INSERT INTO outbox VALUES (?)", (n,))
        self.journal.execute("COMMIT")
        self.store.execute("INSERT INTO record VALUES (?)", (n,))
        self.journal.execute("DELETE FROM outbox WHERE n = ?", (n,))
        if n % 3 == 0:
            self.archive(n)
        if n % 30 == 0:
            self.merge(n)

    def archive(self, n: int) -> None:
        kept = [row[0] for row in self.journal.execute("SELECT n FROM block")]
        self.part(f"part-{n}", kept)
        self.journal.execute("DELETE FROM block WHERE n <= ?", (n,))

    def merge(self, n: int) -> None:
        old = sorted(self.date.glob("part-*.parquet"))
        self.part(f"part-merged-{n}", [int(one) for path in old for one in path.read_text().split()])
        for path in old:
            path.unlink()

    def part(self, name: str, numbers: list[int]) -> None:
        draft = self.date / f".{name}.tmp"
        draft.write_text(" ".join(map(str, numbers)))
        draft.rename(self.date / f"{name}.parquet")

    def run(self) -> None:
        while not self.stop.is_set():
            self.turn()


@contextmanager
def running(site: Site) -> Iterator[None]:
    thread = threading.Thread(target=site.run)
    thread.start()
    try:
        yield
    finally:
        site.stop.set()
        thread.join()


def numbers(db: sqlite3.Connection, table: str) -> set[int]:
    return {row[0] for row in db.execute(f"SELECT n FROM {table}")}  # noqa: S608


def check(now: Moment, site: Site, to: Path) -> int:
    """Nothing is missing and nothing is ahead of the journal; how many blocks there were."""
    assert now.journal is not None
    assert now.store is not None
    assert copy_sqlite(now.journal, to / "journal.sqlite", lambda _: None) == ""
    assert copy_sqlite(now.store, to / "store.sqlite", lambda _: None) == ""
    copy_parts(site.folder / "archive", now.parts, to / "archive", lambda _: None)
    with (
        closing(sqlite3.connect(to / "journal.sqlite")) as journal,
        closing(sqlite3.connect(to / "store.sqlite")) as db,
    ):
        blocks, waiting, records = numbers(journal, "block"), numbers(journal, "outbox"), numbers(db, "record")
    archived = {int(n) for path in (to / "archive").rglob("part-*.parquet") for n in path.read_text().split()}
    newest = max(blocks | archived, default=-1)
    assert blocks | archived >= set(range(newest + 1))
    last = max(records | waiting, default=-1)
    assert records | waiting == set(range(last + 1))  # every record is in the store, or waits for it
    if now.exact:
        assert len(records - blocks - archived) == 0  # the journal has heard of all that there are results of
    return newest


def test_nothing_falls_between_while_everything_moves(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    seen = []
    with running(site):
        servers.wait_for(lambda: site.next > 10, what="the site to move")
        for step in range(STEPS):
            to = tmp_path / f"copy-{step}"
            to.mkdir()
            with moment(site.folder, sqlite_store=True) as now:
                seen.append((now.exact, check(now, site, to)))
    assert any(exact for exact, _ in seen)
    newest = [number for _, number in seen]
    assert newest == sorted(newest)
    assert newest[-1] > newest[0]  # it was moving


def test_a_moment_stays_while_the_site_goes_on(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for _ in range(10):
        site.turn()
    with moment(tmp_path, sqlite_store=True) as now:
        assert now.exact
        assert now.journal is not None
        before = numbers(now.journal, "block")
        for _ in range(50):
            site.turn()
        assert numbers(now.journal, "block") == before


def test_a_part_that_was_merged_is_found_in_what_it_became(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    for n in range(4):
        site.part(f"part-{n}", [n])
    with moment(site.folder, sqlite_store=True) as now:
        site.merge(9)
        assert copy_parts(site.folder / "archive", now.parts, tmp_path / "to", lambda _: None) == 1
    (part,) = (tmp_path / "to").rglob("*.parquet")
    assert part.read_text() == "0 1 2 3"


def test_a_linked_part_is_the_same_file_and_a_copied_one_is_equal(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.part("part-1", [1, 2])
    with moment(site.folder, sqlite_store=True) as now:
        copy_parts(site.folder / "archive", now.parts, tmp_path / "near", lambda _: None)
    (part,) = (tmp_path / "near").rglob("*.parquet")
    assert os.path.samefile(part, site.date / "part-1.parquet")  # noqa: PTH121


@pytest.mark.parametrize("sqlite_store", [True, False])
def test_an_empty_place_is_a_moment_too(sqlite_store: bool, tmp_path: Path) -> None:
    with moment(tmp_path, sqlite_store=sqlite_store) as now:
        assert (now.journal, now.store, now.parts, now.exact) == (None, None, {}, True)


def test_a_part_that_is_merged_while_parts_are_listed_is_listed_under_one_of_its_names(tmp_path: Path) -> None:
    dates = [tmp_path / f"device=leg-{number}" / "date=2026-11-23" for number in range(20)]
    for date in dates:
        date.mkdir(parents=True)
        (date / "part-0.parquet").touch()
    begin, ended = threading.Barrier(2), threading.Barrier(2)

    def merge_all() -> None:
        for turn in range(LISTINGS):
            begin.wait()
            for date in dates:
                (date / f"part-{turn + 1}.parquet").touch()
                (date / f"part-{turn}.parquet").unlink()
            ended.wait()

    thread = threading.Thread(target=merge_all)
    thread.start()
    missed = 0
    for _ in range(LISTINGS):
        begin.wait()
        found = {Path(name).parts[0] for name in list_parts(tmp_path)}
        missed += len(dates) - len(found)
        ended.wait()
    thread.join()
    assert missed == 0
