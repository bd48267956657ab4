"""What went on besides: training, dialysis, illness, travel and the like; and the members that each may have."""

import json
from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from api.diary.keeping import Kept, listed
from api.diary.values import Context, ContextKind, detail_text
from api.registry import diary_tables

_table: Final = diary_tables.contexts


def between(
    db: sa.Connection, wearer: str, *, start_ns: int, end_ns: int, kinds: Collection[ContextKind] | None = None
) -> list[Context]:
    """Contexts that touch `[start_ns, end_ns)`, of some kinds if asked, in order of their beginning."""
    where = touching(start_ns, end_ns)
    if kinds is not None:
        where.append(_table.c.kind.in_(kinds))
    return listed(db, KEPT, *where, wearer=wearer)


def touching(start_ns: int, end_ns: int) -> list[sa.ColumnElement[bool]]:
    """The condition that a context touches `[start_ns, end_ns)`."""
    moment = sa.and_(_table.c.end_ns.is_(None), _table.c.at_ns >= start_ns)
    return [_table.c.at_ns < end_ns, sa.or_(moment, _table.c.end_ns > start_ns)]


def _columns(entry: Context) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "at_ns": entry.at_ns,
        "end_ns": entry.end_ns,
        "detail": detail_text(entry.detail),
        "note": entry.note,
    }


def _value(row: sa.Row[Any]) -> Context:
    return Context(
        kind=row.kind,
        at_ns=row.at_ns,
        end_ns=row.end_ns,
        detail=tuple(json.loads(row.detail).items()),
        note=row.note,
        id=row.id,
        updated_ns=row.updated_ns,
    )


KEPT: Final[Kept[Context]] = Kept("x", _table, "at_ns", _columns, _value)
