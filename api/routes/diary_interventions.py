"""`/wearers/{wearer}/diary/interventions` and their intakes: what was taken or done, and when it was forgotten."""

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from api.diary import changing, interventions, keeping, taking, views
from api.diary.interventions import INTAKES, KEPT, adherence, intakes_of
from api.diary.schemas import (
    IntakeChange,
    IntakeIn,
    IntakeOut,
    InterventionChange,
    InterventionIn,
    InterventionOut,
)
from api.diary.values import Intervention
from api.reading import Sources
from api.registry import Wearer, diary_tables, wearers
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.routes.diary_common import DIARY, EntryId, created, page_of, range_of, wearer_of
from api.schemas import Page
from api.times import parse_date

router = APIRouter(prefix=DIARY + "/interventions", tags=["diary"])
_table, _intakes = diary_tables.interventions.c, diary_tables.intakes.c


@router.get("", summary="List interventions")
def list_interventions(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    begin: Begin = None,
    end: End = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[InterventionOut]:
    """All of them by their first day, or those in force on some local date from `from` to `to`."""
    person = wearer_of(sources, wearer)
    where = []
    if begin is not None:
        first = parse_date(begin, name="from").isoformat()
        where.append(sa.or_(_table["last"].is_(None), _table["last"] >= first))
    if end is not None:
        where.append(_table["first"] <= parse_date(end, name="to").isoformat())
    with sources.registry.read() as db:
        noted = intakes_of(db, wearer)
    now_ns = sources.now_ns()
    return page_of(
        request, response, sources, KEPT, *where, wearer=wearer, cursor=cursor, limit=limit,
        view=lambda item: views.intervention(item, adherence(item, noted, zones=person.zones, now_ns=now_ns)),
    )  # fmt: skip


@router.post("", status_code=201, summary="Report an intervention")
def add_intervention(wearer: WearerId, body: InterventionIn, response: Response, sources: From) -> InterventionOut:
    """What is taken or done from a local date on; doses are noted one by one as intakes, if at all."""
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        kept, new = keeping.add(
            db, KEPT, taking.intervention(body), wearer=wearer, key=body.key, now_ns=sources.now_ns()
        )
        answer = _view(db, sources, person, kept)
    created(response, f"/wearers/{wearer}/diary/interventions", kept.id, new=new)
    return answer


@router.get("/{entry}", summary="Read an intervention")
def read_intervention(wearer: WearerId, entry: EntryId, sources: From) -> InterventionOut:
    """One intervention, and how regularly it was taken."""
    with sources.registry.read() as db:
        return _view(db, sources, wearers.find(db, wearer), keeping.find(db, KEPT, wearer=wearer, entry_id=entry))


@router.patch("/{entry}", summary="Change or end an intervention")
def change_intervention(wearer: WearerId, entry: EntryId, body: InterventionChange, sources: From) -> InterventionOut:
    """Send what changes: `to` ends it. Another dose is better told as another intervention."""
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        known = keeping.find(db, KEPT, wearer=wearer, entry_id=entry)
        changed = changing.intervention(known, body)
        return _view(db, sources, person, keeping.change(db, KEPT, changed, wearer=wearer, now_ns=sources.now_ns()))


@router.delete("/{entry}", status_code=204, summary="Forget an intervention")
def remove_intervention(wearer: WearerId, entry: EntryId, sources: From) -> None:
    """Its intakes are forgotten with it."""
    with sources.registry.write() as db:
        keeping.remove(db, KEPT, wearer=wearer, entry_id=entry)


@router.get("/{entry}/intakes", summary="List intakes")
def list_intakes(
    wearer: WearerId,
    entry: EntryId,
    request: Request,
    response: Response,
    sources: From,
    *,
    begin: Begin = None,
    end: End = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[IntakeOut]:
    """Doses taken or missed, by time."""
    with sources.registry.read() as db:
        person = wearers.find(db, wearer)
        keeping.find(db, KEPT, wearer=wearer, entry_id=entry)
    within = range_of(sources, person, begin, end)
    return page_of(
        request, response, sources, INTAKES, _intakes.intervention_id == entry, _intakes.at_ns >= within.start_ns,
        _intakes.at_ns < within.end_ns, wearer=wearer, cursor=cursor, limit=limit,
        view=lambda item: views.intake(item, person.zones),
    )  # fmt: skip


@router.post("/{entry}/intakes", status_code=201, summary="Note a dose")
def add_intake(wearer: WearerId, entry: EntryId, body: IntakeIn, response: Response, sources: From) -> IntakeOut:
    """Taken or missed, at a time. With a `key` it may be sent again."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        keeping.find(db, KEPT, wearer=wearer, entry_id=entry)
        dose = taking.intake(body, intervention_id=entry, now_ns=now_ns)
        kept, new = keeping.add(db, INTAKES, dose, wearer=wearer, key=body.key, now_ns=now_ns)
    created(response, f"/wearers/{wearer}/diary/interventions/{entry}/intakes", kept.id, new=new)
    return views.intake(kept, person.zones)


@router.patch("/{entry}/intakes/{intake}", summary="Change an intake")
def change_intake(wearer: WearerId, entry: EntryId, intake: EntryId, body: IntakeChange, sources: From) -> IntakeOut:
    """Send what changes."""
    now_ns = sources.now_ns()
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        known = interventions.intake_of(db, wearer=wearer, intervention=entry, entry_id=intake)
        changed = changing.intake(known, body, now_ns=now_ns)
        return views.intake(keeping.change(db, INTAKES, changed, wearer=wearer, now_ns=now_ns), person.zones)


@router.delete("/{entry}/intakes/{intake}", status_code=204, summary="Forget an intake")
def remove_intake(wearer: WearerId, entry: EntryId, intake: EntryId, sources: From) -> None:
    """It was entered by mistake."""
    with sources.registry.write() as db:
        interventions.intake_of(db, wearer=wearer, intervention=entry, entry_id=intake)
        keeping.remove(db, INTAKES, wearer=wearer, entry_id=intake)


def _view(db: sa.Connection, sources: Sources, wearer: Wearer, kept: Intervention) -> InterventionOut:
    noted = intakes_of(db, wearer.id, intervention=kept.id)
    return views.intervention(kept, adherence(kept, noted, zones=wearer.zones, now_ns=sources.now_ns()))
