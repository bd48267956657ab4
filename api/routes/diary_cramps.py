"""`/wearers/{wearer}/diary/cramps`: what the wearer felt."""

from fastapi import APIRouter, Request, Response

from api.diary import changing, cramps, keeping, taking, views
from api.diary.about import settled
from api.diary.schemas import FeltChange, FeltIn, FeltOut
from api.registry import diary_tables, wearers
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.routes.diary_common import DIARY, EntryId, created, page_of, range_of, wearer_of
from api.schemas import Page

router = APIRouter(prefix=DIARY + "/cramps", tags=["diary"])
_at = diary_tables.cramps.c.at_ns


@router.get("", summary="List cramps felt")
def list_cramps(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    begin: Begin = None,
    end: End = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[FeltOut]:
    """Cramps felt, by time; those of which only the night is known stand at its middle."""
    person = wearer_of(sources, wearer)
    within = range_of(sources, person, begin, end)
    return page_of(
        request, response, sources, cramps.KEPT, _at >= within.start_ns, _at < within.end_ns, wearer=wearer,
        cursor=cursor, limit=limit, view=lambda item: views.cramp(settled(item, person), person.zones),
    )  # fmt: skip


@router.post("", status_code=201, summary="Report a cramp felt")
def add_cramp(wearer: WearerId, body: FeltIn, response: Response, sources: From) -> FeltOut:
    """Only the time is needed, and of that the night will do. With a `key` it may be sent again."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        felt = taking.cramp(body, person, now_ns=now_ns)
        kept, new = keeping.add(db, cramps.KEPT, felt, wearer=wearer, key=body.key, now_ns=now_ns)
    created(response, f"/wearers/{wearer}/diary/cramps", kept.id, new=new)
    return views.cramp(settled(kept, person), person.zones)


@router.get("/{entry}", summary="Read a cramp felt")
def read_cramp(wearer: WearerId, entry: EntryId, sources: From) -> FeltOut:
    """One cramp felt."""
    with sources.registry.read() as db:
        person = wearers.find(db, wearer)
        found = keeping.find(db, cramps.KEPT, wearer=wearer, entry_id=entry)
    return views.cramp(settled(found, person), person.zones)


@router.patch("/{entry}", summary="Change a cramp felt")
def change_cramp(wearer: WearerId, entry: EntryId, body: FeltChange, sources: From) -> FeltOut:
    """Send what changes; null empties a member."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        known = keeping.find(db, cramps.KEPT, wearer=wearer, entry_id=entry)
        changed = changing.cramp(known, body, person, now_ns=now_ns)
        kept = keeping.change(db, cramps.KEPT, changed, wearer=wearer, now_ns=now_ns)
    return views.cramp(settled(kept, person), person.zones)


@router.delete("/{entry}", status_code=204, summary="Forget a cramp felt")
def remove_cramp(wearer: WearerId, entry: EntryId, sources: From) -> None:
    """It was entered by mistake."""
    with sources.registry.write() as db:
        keeping.remove(db, cramps.KEPT, wearer=wearer, entry_id=entry)
