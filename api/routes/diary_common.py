"""What the addresses of the diary share: path parameters, ranges, and lists in pages."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import Path, Request, Response

from api.diary import keeping
from api.diary.keeping import EntryT, Kept
from api.paging import Place, next_page, read_cursor
from api.reading import Sources
from api.registry import Wearer, wearers
from api.schemas import Given, Page
from api.times import Interval, instant_range

OutT = TypeVar("OutT", bound=Given)
EntryId = Annotated[str, Path(max_length=64)]
DIARY = "/wearers/{wearer}/diary"


def wearer_of(sources: Sources, wearer: str) -> Wearer:
    """The wearer of this id, or `Unknown`."""
    with sources.registry.read() as db:
        return wearers.find(db, wearer)


def range_of(sources: Sources, wearer: Wearer, begin: str | None, end: str | None) -> Interval:
    """A range of instants by two query parameters; by default the last seven days and today."""
    return instant_range(begin, end, zones=wearer.zones, now_ns=sources.now_ns())


def page_of(
    request: Request,
    response: Response,
    sources: Sources,
    kept: Kept[EntryT],
    *where: sa.ColumnElement[bool],
    wearer: str,
    cursor: str | None,
    limit: int,
    view: Callable[[EntryT], OutT],
) -> Page[Any]:
    """Some of the wearer's entries of one kind, in order."""
    kind = str if isinstance(kept.table.c[kept.order].type, sa.String) else int
    place = read_cursor(request, cursor, shape=(kind, str))
    after = None if place is None else (place.key[0], str(place.key[1]))
    with sources.registry.read() as db:
        found = keeping.listed(db, kept, *where, wearer=wearer, after=after, limit=limit + 1)
    last = None
    if len(found) > limit:
        order = kept.columns(found[limit - 1])[kept.order]
        last = Place((order, found[limit - 1].id), sources.now_ns())
    return Page(items=[view(item) for item in found[:limit]], next=next_page(request, response, last))


def created(response: Response, address: str, entry_id: str, *, new: bool) -> None:
    """Say where an entry is, and 200 instead of 201 where it was there before."""
    response.headers["Location"] = f"/api/v1{address}/{entry_id}"
    if not new:
        response.status_code = 200
