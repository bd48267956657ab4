"""The journal: what waits to go out, what was set aside, and what is not in the results yet."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ingest.doctor.check import Check, in_words, ok, warn
from ingest.doctor.sqlite_file import reading
from ingest.journal import DISPOSITIONS

DEEP: Final = 50_000  # records that wait: some ten minutes of a hundred devices
OLD_S: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFacts:
    """What a journal holds."""

    records: int = 0
    events: int = 0
    quarantine: Mapping[str, int] = field(default_factory=dict)  # by reason
    blocks: Mapping[str, int] = field(default_factory=dict)  # by disposition
    oldest_ns: int | None = None  # `t0` of the oldest block
    newest_received_ns: int | None = None


def look_at_journal(path: Path) -> JournalFacts:
    """Count what a journal holds; reads only. Raises sqlite3.Error or OSError where it cannot be read."""
    with reading(path) as db:
        counts = dict(db.execute("SELECT disposition, count(*) FROM block GROUP BY disposition"))
        oldest, newest = db.execute("SELECT min(t0_ns), max(received_ns) FROM block").fetchone()
        if not all(isinstance(time_ns, int | None) for time_ns in (oldest, newest)):
            raise sqlite3.DatabaseError("rows of table block are not what was written")
        return JournalFacts(
            records=_count(db, "outbox"),
            events=_count(db, "event_outbox"),
            quarantine=dict(db.execute("SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY 2 DESC")),
            blocks={name: counts.get(number, 0) for number, name in enumerate(DISPOSITIONS)},
            oldest_ns=oldest,
            newest_received_ns=newest,
        )


def check_journal(facts: JournalFacts, *, oldest_waiting_s: float | None = None) -> list[Check]:
    """Every check of what a journal holds; `oldest_waiting_s` as the ingester tells it."""
    return [_outbox(facts, oldest_waiting_s), _quarantine(facts), _late(facts), _failed(facts)]


def _outbox(facts: JournalFacts, oldest_s: float | None) -> Check:
    name = "journal.outbox"
    told = f"{facts.records} records and {facts.events} events wait"
    if oldest_s is not None and facts.records + facts.events:
        told += f", the oldest for {in_words(oldest_s)}"
    if facts.records > DEEP or (oldest_s or 0.0) > OLD_S:
        mend = "see the checks of store and broker and the ingester's log: nothing is lost, but nothing new is seen"
        return warn(name, told, mend)
    return ok(name, told)


def _quarantine(facts: JournalFacts) -> Check:
    name = "journal.quarantine"
    if not facts.quarantine:
        return ok(name, "nothing was set aside")
    told = ", ".join(f"{count} {reason}" for reason, count in facts.quarantine.items())
    mend = (
        "`charley quarantine list` shows them and why; mend the device or the store, then `charley quarantine replay "
        "--all`, and drop what is of no use"
    )
    return warn(name, f"set aside: {told}", mend)


def _late(facts: JournalFacts) -> Check:
    name = "journal.late"
    late, undated = facts.blocks.get("late", 0), facts.blocks.get("undated", 0)
    told = f"{late} late blocks wait to be detected again, {undated} have no date"
    if undated:
        mend = "set the clock of these devices: what they sent is dated backwards once they know the time"
        return warn(name, told, mend)
    return ok(name, told)


def _failed(facts: JournalFacts) -> Check:
    name, failed = "journal.failed", facts.blocks.get("failed", 0)
    if failed:
        mend = (
            "this is a fault of ours: report it with what `charley quarantine show ID` says of those that `charley "
            "quarantine list --reason detector` names; the blocks are kept"
        )
        return warn(name, f"the detector failed on {failed} blocks", mend)
    return ok(name, "the detector failed on no block")


def _count(db: sqlite3.Connection, table: str) -> int:
    count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names of ours
    return count
