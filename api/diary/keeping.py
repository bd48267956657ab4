"""Keeps entries of one wearer, whatever their kind: add, find, list, change, remove.

Rules
-----
- Every statement names the wearer: an entry of somebody else is `Unknown`, as one that never was.
- An entry that comes again under the key it came with before is not added again; other content under that key is
  a conflict.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from api.diary.values import Context, FeltCramp, Intake, Intervention, LabValue, Review
from api.errors import Conflict, Invalid, Unknown
from api.registry import wearers

EntryT = TypeVar("EntryT", FeltCramp, Intervention, Intake, Context, LabValue, Review)
Place = tuple[int | str, str]
MAX_ENTRIES: int = 20_000  # of one kind of one wearer: fifty years of a cramp a day


@dataclass(frozen=True, slots=True)
class Kept(Generic[EntryT]):
    """How one kind of entry is kept: its table, and how a value becomes a row and a row a value."""

    letter: str  # ids begin with it
    table: sa.Table
    order: str  # the column that lists go by
    columns: Callable[[EntryT], dict[str, Any]]
    value: Callable[[sa.Row[Any]], EntryT]


def add(
    db: sa.Connection, kept: Kept[EntryT], entry: EntryT, *, wearer: str, key: str | None, now_ns: int
) -> tuple[EntryT, bool]:
    """Keep an entry, unless its key was there before; the entry as kept, and whether it is new."""
    wearers.lock(db, wearer)
    if key is not None:
        known = db.execute(_of(kept, wearer).where(kept.table.c.client_key == check_key(key))).one_or_none()
        if known is not None:
            return _again(kept.value(known), entry), False
    check_room(db, kept, wearer=wearer, more=1)
    added = replace(entry, id=f"{kept.letter}{secrets.token_hex(8)}", updated_ns=now_ns)
    db.execute(
        kept.table.insert().values(
            id=added.id, wearer_id=wearer, client_key=key, created_ns=now_ns, updated_ns=now_ns, **kept.columns(added)
        )
    )
    return added, True


def find(db: sa.Connection, kept: Kept[EntryT], *, wearer: str, entry_id: str) -> EntryT:
    """The wearer's entry of this id, or `Unknown`."""
    row = db.execute(_of(kept, wearer).where(kept.table.c.id == entry_id)).one_or_none()
    if row is None:
        raise Unknown("entry")
    return kept.value(row)


def change(db: sa.Connection, kept: Kept[EntryT], entry: EntryT, *, wearer: str, now_ns: int) -> EntryT:
    """Write the wearer's entry of this id anew."""
    changed = replace(entry, updated_ns=now_ns)
    rows = kept.table.update().where(kept.table.c.wearer_id == wearer, kept.table.c.id == entry.id)
    if db.execute(rows.values(updated_ns=now_ns, **kept.columns(changed))).rowcount == 0:
        raise Unknown("entry")
    return changed


def remove(db: sa.Connection, kept: Kept[EntryT], *, wearer: str, entry_id: str) -> None:
    """Forget the wearer's entry of this id."""
    rows = kept.table.delete().where(kept.table.c.wearer_id == wearer, kept.table.c.id == entry_id)
    if db.execute(rows).rowcount == 0:
        raise Unknown("entry")


def listed(
    db: sa.Connection,
    kept: Kept[EntryT],
    *where: sa.ColumnElement[bool],
    wearer: str,
    after: Place | None = None,
    limit: int | None = None,
) -> list[EntryT]:
    """The wearer's entries in order, after a place; `Unknown` if there is no such wearer."""
    wearers.find(db, wearer)
    order = kept.table.c[kept.order]
    query = _of(kept, wearer).where(*where).order_by(order, kept.table.c.id)
    if after is not None:
        query = query.where(sa.tuple_(order, kept.table.c.id) > sa.tuple_(*after))
    if limit is not None:
        query = query.limit(limit)
    return [kept.value(row) for row in db.execute(query)]


def keys(db: sa.Connection, kept: Sequence[Kept[Any]], *, wearer: str) -> tuple[set[str], set[str]]:
    """Ids and keys of every entry of the wearer of some kinds."""
    ids: set[str] = set()
    known: set[str] = set()
    for kind in kept:
        for row in db.execute(
            sa.select(kind.table.c.id, kind.table.c.client_key).where(kind.table.c.wearer_id == wearer)
        ):
            ids.add(row.id)
            known.update({row.client_key} - {None})
    return ids, known


def id_of(db: sa.Connection, kept: Kept[EntryT], *, wearer: str, key: str) -> str:
    """The id of the wearer's entry of this key; empty where there is none."""
    table = kept.table.c
    found = db.execute(sa.select(table.id).where(table.wearer_id == wearer, table.client_key == key)).one_or_none()
    return "" if found is None else str(found.id)


def check_room(db: sa.Connection, kept: Kept[EntryT], *, wearer: str, more: int) -> None:
    """Refuse more entries than a diary holds."""
    held = db.execute(sa.select(sa.func.count()).where(kept.table.c.wearer_id == wearer)).scalar_one()
    if held + more > MAX_ENTRIES:
        raise Conflict(f"A diary holds {MAX_ENTRIES} entries of a kind: remove some first.")


def check_key(key: str) -> str:
    """A client's own key of an entry."""
    if not 1 <= len(key) <= 80 or not key.isprintable():
        raise Invalid("key", "A key has 1 to 80 printable characters; a random UUID serves.")
    return key


def _of(kept: Kept[EntryT], wearer: str) -> sa.Select[Any]:
    return kept.table.select().where(kept.table.c.wearer_id == wearer)


def _again(known: EntryT, entry: EntryT) -> EntryT:
    if replace(known, id="", updated_ns=0) != replace(entry, id="", updated_ns=0):
        raise Conflict(
            f"This key came before with other content (entry {known.id}). "
            "Use a new key for a new entry, or PATCH that one."
        )
    return known
