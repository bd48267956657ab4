"""`/wearers/{wearer}/diary/laboratory`: what a laboratory measured. A usual range is no diagnosis."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from api.diary import changing, keeping, taking, views
from api.diary.analytes import Analyte
from api.diary.laboratory import KEPT
from api.diary.schemas import LabChange, LabIn, LabOut
from api.registry import diary_tables, wearers
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.routes.diary_common import DIARY, EntryId, created, page_of, range_of, wearer_of
from api.schemas import Page

router = APIRouter(prefix=DIARY + "/laboratory", tags=["diary"])
_table = diary_tables.laboratory.c


@router.get("", summary="List laboratory values")
def list_values(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    analyte: Annotated[list[Analyte] | None, Query(description="Only of this one; may be repeated.")] = None,
    begin: Begin = None,
    end: End = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[LabOut]:
    """All of them by time, or those of a range."""
    person = wearer_of(sources, wearer)
    where: list[sa.ColumnElement[bool]] = []
    if begin is not None or end is not None:
        within = range_of(sources, person, begin, end)
        where = [_table.at_ns >= within.start_ns, _table.at_ns < within.end_ns]
    if analyte:
        where.append(_table.analyte.in_(analyte))
    return page_of(
        request, response, sources, KEPT, *where, wearer=wearer, cursor=cursor, limit=limit,
        view=lambda item: views.lab_value(item, person.zones),
    )  # fmt: skip


@router.post("", status_code=201, summary="Report a laboratory value")
def add_value(wearer: WearerId, body: LabIn, response: Response, sources: From) -> LabOut:
    """In the unit on the report. A number that cannot be in that unit is refused."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        value = taking.lab_value(body, person.zones, now_ns=now_ns)
        kept, new = keeping.add(db, KEPT, value, wearer=wearer, key=body.key, now_ns=now_ns)
    created(response, f"/wearers/{wearer}/diary/laboratory", kept.id, new=new)
    return views.lab_value(kept, person.zones)


@router.get("/{entry}", summary="Read a laboratory value")
def read_value(wearer: WearerId, entry: EntryId, sources: From) -> LabOut:
    """One value."""
    with sources.registry.read() as db:
        person = wearers.find(db, wearer)
        return views.lab_value(keeping.find(db, KEPT, wearer=wearer, entry_id=entry), person.zones)


@router.patch("/{entry}", summary="Change a laboratory value")
def change_value(wearer: WearerId, entry: EntryId, body: LabChange, sources: From) -> LabOut:
    """Send what changes."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        known = keeping.find(db, KEPT, wearer=wearer, entry_id=entry)
        changed = changing.lab_value(known, body, person.zones, now_ns=now_ns)
        return views.lab_value(keeping.change(db, KEPT, changed, wearer=wearer, now_ns=now_ns), person.zones)


@router.delete("/{entry}", status_code=204, summary="Forget a laboratory value")
def remove_value(wearer: WearerId, entry: EntryId, sources: From) -> None:
    """It was entered by mistake."""
    with sources.registry.write() as db:
        keeping.remove(db, KEPT, wearer=wearer, entry_id=entry)
