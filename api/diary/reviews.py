"""What the wearer says of detected episodes: it was a cramp, it was none, unsure. The latest word holds."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from api.diary import keeping
from api.diary.keeping import Kept, listed
from api.diary.values import Review, Verdict
from api.registry import diary_tables

_table: Final = diary_tables.reviews
_MEANS: Final[dict[Verdict, bool | None]] = {"cramp": True, "none": False, "unsure": None}
_AT_ONCE: Final = 500


def verdicts(db: sa.Connection, wearer: str, ids: Collection[str]) -> dict[str, bool | None]:
    """Of those episodes that the wearer has reviewed: True a cramp, False none, None unsure."""
    wanted = sorted(ids)
    found: dict[str, bool | None] = {}
    for low in range(0, len(wanted), _AT_ONCE):
        some = _table.c.episode.in_(wanted[low : low + _AT_ONCE])
        query = sa.select(_table.c.episode, _table.c.verdict).where(_table.c.wearer_id == wearer, some)
        found.update({row.episode: _MEANS[row.verdict] for row in db.execute(query)})
    return found


def verdicts_all(db: sa.Connection, wearer: str) -> dict[str, Verdict]:
    """What the wearer said of every episode that they have reviewed."""
    query = sa.select(_table.c.episode, _table.c.verdict).where(_table.c.wearer_id == wearer)
    return {row.episode: row.verdict for row in db.execute(query)}


def between(db: sa.Connection, wearer: str, *, start_ns: int, end_ns: int) -> list[Review]:
    """Reviews of episodes with onset in `[start_ns, end_ns)`, in order of onset."""
    return listed(db, KEPT, _table.c.at_ns >= start_ns, _table.c.at_ns < end_ns, wearer=wearer)


def say(db: sa.Connection, review: Review, *, wearer: str, key: str | None, now_ns: int) -> tuple[Review, bool]:
    """Keep a review in place of the one before of this episode; as kept, and whether there was none before."""
    before = listed(db, KEPT, _table.c.episode == review.episode, wearer=wearer)
    if before:
        return keeping.change(db, KEPT, replace(review, id=before[0].id), wearer=wearer, now_ns=now_ns), False
    return keeping.add(db, KEPT, review, wearer=wearer, key=key, now_ns=now_ns)


def _columns(entry: Review) -> dict[str, Any]:
    return {"at_ns": entry.at_ns, "episode": entry.episode, "verdict": entry.verdict, "note": entry.note}


def _value(row: sa.Row[Any]) -> Review:
    return Review(
        episode=row.episode,
        at_ns=row.at_ns,
        verdict=row.verdict,
        note=row.note,
        id=row.id,
        updated_ns=row.updated_ns,
    )


KEPT: Final[Kept[Review]] = Kept("r", _table, "at_ns", _columns, _value)
