"""The whole diary of a wearer out to CSV and in from it.

Rules
-----
- An import adds; what is there is never changed by it.
- It adds all of a file or nothing, unless bad rows are to be skipped.
- A row is known by its `id`, else by its `key`, else by what it says: a file read twice adds nothing twice. Rows that
  say the same within one file are told apart by their order.
"""

import csv
import hashlib
import io
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from api.diary import contexts, cramps, interventions, keeping, laboratory, reviews
from api.diary.about import settled
from api.diary.csv_faults import faults_of
from api.diary.csv_rows import Entry, Read, read_row, row_of
from api.diary.csv_text import COLUMNS, Fault, read_sheet
from api.diary.keeping import Kept
from api.diary.values import KINDS, EntryKind, FeltCramp, Intake, Intervention, Review
from api.errors import Invalid
from api.registry import Wearer, assignments, wearers
from api.zones import ZoneHistory

KEPT: Final[dict[EntryKind, Kept[Any]]] = {  # interventions before the intakes that refer to them
    "intervention": interventions.KEPT,
    "cramp": cramps.KEPT,
    "intake": interventions.INTAKES,
    "context": contexts.KEPT,
    "laboratory": laboratory.KEPT,
    "review": reviews.KEPT,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file. With faults and without skipping nothing was added."""

    rows: int
    added: dict[EntryKind, int]
    known: int
    skipped: int
    faults: tuple[Fault, ...]


def import_csv(db: sa.Connection, wearer_id: str, content: bytes, *, skip_bad: bool, now_ns: int) -> Imported:
    """Add what a file holds to a diary."""
    wearers.lock(db, wearer_id)
    wearer = wearers.find(db, wearer_id)
    sheet = read_sheet(content)
    faults = list(sheet.faults)
    good: list[Read] = []
    for row in sheet.rows:
        try:
            good.append(read_row(row, separator=sheet.separator, wearer=wearer, now_ns=now_ns))
        except Invalid:
            faults += faults_of(row, separator=sheet.separator, wearer=wearer, now_ns=now_ns)
    plan = _Plan(db, wearer)
    for read in sorted(good, key=lambda read: (list(KEPT).index(read.kind), read.line)):
        try:
            plan.take(read)
        except Invalid as error:
            faults.append(Fault(read.line, error.name, str(error)))
    faults.sort(key=lambda fault: fault.line)
    if faults and not skip_bad:
        return Imported(len(sheet.rows), dict.fromkeys(KINDS, 0), plan.known, 0, tuple(faults))
    plan.write(now_ns=now_ns)
    added = {kind: len(plan.fresh[kind]) for kind in KINDS}
    return Imported(len(sheet.rows), added, plan.known, len({fault.line for fault in faults}), tuple(faults))


def export_csv(db: sa.Connection, wearer_id: str, *, start_ns: int | None = None, end_ns: int | None = None) -> str:
    """A wearer's diary, or what of it lies in `[start_ns, end_ns)`, as CSV; interventions that it refers to as well."""
    wearer = wearers.find(db, wearer_id)
    found: list[tuple[Entry, str]] = []
    for kept in KEPT.values():
        query = kept.table.select().where(kept.table.c.wearer_id == wearer_id)
        if kept is not interventions.KEPT and start_ns is not None:
            query = query.where(kept.table.c.at_ns >= start_ns)
        if kept is not interventions.KEPT and end_ns is not None:
            query = query.where(kept.table.c.at_ns < end_ns)
        for row in db.execute(query.order_by(kept.table.c[kept.order], kept.table.c.id)):
            entry = kept.value(row)
            found.append((settled(entry, wearer) if isinstance(entry, FeltCramp) else entry, row.client_key or ""))
    return written_csv(found, wearer.zones)


def written_csv(entries: Iterable[tuple[Entry, str]], zones: ZoneHistory) -> str:
    """Entries, each with its key, as CSV with a heading."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for entry, key in entries:
        writer.writerow(row_of(entry, zones, key=key))
    return file.getvalue()


class _Plan:
    """What of a file is new. Filled row by row, interventions first; then written at once."""

    def __init__(self, db: sa.Connection, wearer: Wearer) -> None:
        self._db = db
        self._wearer = wearer
        self._ids, self._keys = keeping.keys(db, list(KEPT.values()), wearer=wearer.id)
        self._interventions = {item.id: item for item in interventions.of(db, wearer.id)}
        self._named: dict[str, str] = {}  # id in the file -> id here
        self._reviewed = reviews.verdicts_all(db, wearer.id)
        self._same: Counter[str] = Counter()
        self._worn = assignments.of_wearer(db, wearer.id)
        self.fresh: dict[EntryKind, list[tuple[Entry, str]]] = {kind: [] for kind in KINDS}
        self.known = 0

    def take(self, read: Read) -> None:
        """Plan one row: it is known, or will be added."""
        entry = self._placed(read)
        said = _digest(entry)
        self._same[said] += 1
        key = read.key or (f"id:{read.file_id}" if read.file_id else f"csv:{said}:{self._same[said]}")
        keeping.check_key(key)
        if read.file_id in self._ids or key in self._keys or self._is_reviewed(entry):
            self.known += 1
            self._remember(read, entry, "" if read.file_id in self._ids else key)
            return
        self._keys.add(key)
        added = replace(entry, id=f"{KEPT[read.kind].letter}{secrets.token_hex(8)}")
        self.fresh[read.kind].append((added, key))
        self._remember(read, added, "")
        if isinstance(added, Review):
            self._reviewed[added.episode] = added.verdict

    def write(self, *, now_ns: int) -> None:
        """Add what is new."""
        for kind, kept in KEPT.items():
            rows = [
                {
                    "id": entry.id, "wearer_id": self._wearer.id, "client_key": key, "created_ns": now_ns,
                    "updated_ns": now_ns, **kept.columns(entry),
                }
                for entry, key in self.fresh[kind]
            ]  # fmt: skip
            if rows:
                keeping.check_room(self._db, kept, wearer=self._wearer.id, more=len(rows))
                self._db.execute(kept.table.insert(), rows)

    def _placed(self, read: Read) -> Entry:
        """The entry with what only the registry knows: the intervention of an intake, who wore the device."""
        entry = read.entry
        if isinstance(entry, Intake):
            return replace(entry, intervention=self._intervention(read, entry.at_ns))
        if isinstance(entry, Review):
            device = entry.episode.rsplit(".", 2)[0]
            if not any(item.device == device and item.covers(entry.at_ns) for item in self._worn):
                raise Invalid(
                    "episode", "The wearer did not wear this device then: give an `id` of their own episodes."
                )
        return entry

    def _intervention(self, read: Read, at_ns: int) -> str:
        if read.of:
            found = self._named.get(read.of, read.of)
            if found not in self._interventions:
                raise Invalid("of", "There is no such intervention in this diary or file: give an `id` that there is.")
            return found
        day = self._wearer.zones.local(at_ns).date()
        among = [
            item.id
            for item in self._interventions.values()
            if item.code == read.code and item.first <= day and (item.last is None or day <= item.last)
        ]
        if len(among) != 1:
            count = "No intervention" if not among else "More than one intervention"
            raise Invalid("what", f"{count} of this code was in force on {day}: give the `id` of one in `of`.")
        return among[0]

    def _is_reviewed(self, entry: Entry) -> bool:
        if not isinstance(entry, Review) or entry.episode not in self._reviewed:
            return False
        if self._reviewed[entry.episode] != entry.verdict:
            raise Invalid("what", "This episode was reviewed otherwise before: change that review, or remove this row.")
        return True

    def _remember(self, read: Read, entry: Entry, key: str) -> None:
        """Let intakes find the intervention of this row."""
        if not isinstance(entry, Intervention):
            return
        known = keeping.id_of(self._db, interventions.KEPT, wearer=self._wearer.id, key=key) if key else read.file_id
        here = entry.id or known
        self._interventions.setdefault(here, replace(entry, id=here))
        if read.file_id:
            self._named[read.file_id] = here


def _digest(entry: Entry) -> str:
    """Equal of entries that say the same."""
    plain = replace(entry, id="", updated_ns=0)
    if isinstance(plain, FeltCramp) and plain.about is not None:  # its time follows the zones, which may be corrected
        plain = replace(plain, at_ns=0, uncertain_s=0.0)
    return hashlib.blake2b(repr(plain).encode(), digest_size=16).hexdigest()
