"""An ingester over a folder whose files can be damaged while it does not run."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path

import msgspec
from ingest_feed import contents, cut, drain, feed, recording, service

from ingest import journal_schema
from ingest.damage import beside
from ingest.journal import Journal
from ingest.log import json_log
from ingest.service import Options, Service
from ingest.source import MemorySource
from ingest.store.memory import MemoryStore
from ingest.wire import Block

BLOCKS = list(cut(recording(150), [5.0] * 30))
NOW = Options(wait_s=0, ack_s=0, status_s=0, batch=7, settle_s=0)
PAGE = journal_schema.PAGE


def make_older(path: Path) -> None:
    """Lay a journal out as versions did that never gave room back to the disk."""
    older = path.with_name("older.sqlite")
    with closing(sqlite3.connect(older, isolation_level=None)) as db:
        for setting in (f"page_size = {PAGE}", "journal_mode = WAL"):
            db.execute(f"PRAGMA {setting}")
        journal_schema._prepare(db, older)
        db.execute("ATTACH ? AS now", (str(path),))
        for table in journal_schema.tables(journal_schema.VERSION).tables:
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            db.execute(f"INSERT INTO {table} SELECT * FROM now.{table}")  # noqa: S608
    older.replace(path)


class World:
    """An ingester over a folder, whose files can be damaged while it does not run, and its log."""

    def __init__(self, folder: Path, options: Options = NOW) -> None:
        self.folder, self.options = folder, options
        self.path = folder / "journal.sqlite"
        self.source, self.store, self.text = MemorySource(), MemoryStore(), StringIO()
        self.running: tuple[Service, Journal] | None = None

    def run(self, blocks: Sequence[Block], *, device: str = "a") -> list[object]:
        """Start if need be, take these blocks to their end, and give what is stored."""
        of = self.start()
        feed(self.source, device, blocks)
        drain(of)
        return contents(self.store, [device])

    def start(self) -> Service:
        if self.running is None:
            journal = Journal(self.path)
            of = service(self.source, journal, self.store, options=self.options, log=json_log(self.text))
            self.running = of, journal
            of.check()
        return self.running[0]

    def copy(self, folder: Path) -> "World":
        """The files as a power cut would leave them now, for another ingester with the same store."""
        other = World(folder, self.options)
        folder.mkdir(exist_ok=True)
        for side in ("", "-wal"):
            if beside(self.path, side).exists():
                beside(other.path, side).write_bytes(beside(self.path, side).read_bytes())
        archive = self.path.with_suffix(".archive")
        for file in archive.rglob("*.parquet"):
            there = other.path.with_suffix(".archive") / file.relative_to(archive)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(file.read_bytes())
        other.store = self.store
        return other

    def stop(self) -> None:
        if self.running is not None:
            of, journal = self.running
            of.close()
            journal.close()
            self.running = None

    def log(self, event: str = "journal_damaged") -> list[dict[str, object]]:
        lines = [msgspec.json.decode(line) for line in self.text.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]
