"""`/wearers/{wearer}/diary/contexts`: training, dialysis, illness, travel and the like."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from api.diary import changing, contexts, keeping, taking, views
from api.diary.contexts import KEPT
from api.diary.schemas import ContextChange, ContextIn, ContextOut
from api.diary.values import ContextKind
from api.registry import diary_tables, wearers
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.routes.diary_common import DIARY, EntryId, created, page_of, range_of, wearer_of
from api.schemas import Page

router = APIRouter(prefix=DIARY + "/contexts", tags=["diary"])


@router.get("", summary="List contexts")
def list_contexts(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    kind: Annotated[list[ContextKind] | None, Query(description="Only of this kind; may be repeated.")] = None,
    begin: Begin = None,
    end: End = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[ContextOut]:
    """Contexts that touch the range, by their beginning."""
    person = wearer_of(sources, wearer)
    within = range_of(sources, person, begin, end)
    where: list[sa.ColumnElement[bool]] = contexts.touching(within.start_ns, within.end_ns)
    if kind:
        where.append(diary_tables.contexts.c.kind.in_(kind))
    return page_of(
        request, response, sources, KEPT, *where, wearer=wearer, cursor=cursor, limit=limit,
        view=lambda item: views.context(item, person.zones),
    )  # fmt: skip


@router.post("", status_code=201, summary="Report a context")
def add_context(wearer: WearerId, body: ContextIn, response: Response, sources: From) -> ContextOut:
    """A dialysis session or a training gets its own figures in trends, so give its `end` too."""
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        kept, new = keeping.add(db, KEPT, taking.context(body), wearer=wearer, key=body.key, now_ns=sources.now_ns())
    created(response, f"/wearers/{wearer}/diary/contexts", kept.id, new=new)
    return views.context(kept, person.zones)


@router.get("/{entry}", summary="Read a context")
def read_context(wearer: WearerId, entry: EntryId, sources: From) -> ContextOut:
    """One context."""
    with sources.registry.read() as db:
        person = wearers.find(db, wearer)
        return views.context(keeping.find(db, KEPT, wearer=wearer, entry_id=entry), person.zones)


@router.patch("/{entry}", summary="Change or end a context")
def change_context(wearer: WearerId, entry: EntryId, body: ContextChange, sources: From) -> ContextOut:
    """Send what changes; `detail` is replaced as a whole."""
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        changed = changing.context(keeping.find(db, KEPT, wearer=wearer, entry_id=entry), body)
        return views.context(keeping.change(db, KEPT, changed, wearer=wearer, now_ns=sources.now_ns()), person.zones)


@router.delete("/{entry}", status_code=204, summary="Forget a context")
def remove_context(wearer: WearerId, entry: EntryId, sources: From) -> None:
    """It was entered by mistake."""
    with sources.registry.write() as db:
        keeping.remove(db, KEPT, wearer=wearer, entry_id=entry)
