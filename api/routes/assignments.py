"""`/assignments`: which device sits on whom, where and when."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import views
from api.errors import Absent, Unknown
from api.paging import Place, next_page, read_cursor
from api.registry import assignments
from api.routes.common import USUAL, AssignmentId, Cursor, From, Limit
from api.schemas import AssignmentChange, AssignmentIn, AssignmentOut, Page
from api.times import to_ns

router = APIRouter(prefix="/assignments", tags=["assignments"])


@router.get("", summary="List assignments")
def list_assignments(
    request: Request,
    response: Response,
    sources: From,
    *,
    wearer: Annotated[str | None, Query(max_length=64)] = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[AssignmentOut]:
    """Assignments in order of their beginning, of one wearer or device if asked."""
    place = read_cursor(request, cursor, shape=(int, str))
    with sources.registry.read() as db:
        found = assignments.page(
            db,
            wearer=wearer,
            device=device,
            after=(int(place.key[0]), str(place.key[1])) if place else None,
            limit=limit + 1,
        )
    last = Place((found[limit - 1].from_ns, found[limit - 1].id), sources.now_ns()) if len(found) > limit else None
    items = [views.assignment(item) for item in found[:limit]]
    return Page(items=items, next=next_page(request, response, last))


@router.post("", status_code=201, summary="Assign a device")
def add_assignment(body: AssignmentIn, response: Response, sources: From) -> AssignmentOut:
    """Say whose a device is; what it measured since `from` becomes theirs at once."""
    try:
        with sources.registry.write() as db:
            added = assignments.add(
                db,
                device=body.device,
                wearer=body.wearer,
                side=body.side,
                muscle=body.muscle,
                from_ns=to_ns(body.from_),
                to_ns=to_ns(body.to) if body.to else None,
            )
    except Unknown as error:
        raise Absent(str(error)) from error
    response.headers["Location"] = f"/api/v1/assignments/{added.id}"
    return views.assignment(added)


@router.get("/{assignment}", summary="Read an assignment")
def read_assignment(assignment: AssignmentId, sources: From) -> AssignmentOut:
    """One assignment."""
    with sources.registry.read() as db:
        return views.assignment(assignments.find(db, assignment))


@router.patch("/{assignment}", summary="Change or end an assignment")
def change_assignment(assignment: AssignmentId, body: AssignmentChange, sources: From) -> AssignmentOut:
    """Send `to` to end it, or null to let it go on; side, muscle and beginning can be corrected."""
    with sources.registry.write() as db:
        known = assignments.find(db, assignment)
        to = to_ns(body.to) if body.to else None
        changed = replace(
            known,
            side=body.side or known.side,
            muscle=body.muscle or known.muscle,
            from_ns=to_ns(body.from_) if body.from_ else known.from_ns,
            to_ns=to if "to" in body.model_fields_set else known.to_ns,
        )
        return views.assignment(assignments.change(db, changed))


@router.delete("/{assignment}", status_code=204, summary="Forget an assignment")
def remove_assignment(assignment: AssignmentId, sources: From) -> None:
    """Forget an assignment: what the device measured then belongs to nobody."""
    with sources.registry.write() as db:
        assignments.remove(db, assignment)
