"""`/wearers/{wearer}/diary`: all kinds of entries together, out to CSV and in from it; and the parts."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from api import problems
from api.diary.csv_text import MAX_BYTES
from api.diary.exchange import Imported, export_csv, import_csv
from api.diary.schemas import DiaryOut, FaultOut, ImportOut
from api.diary.together import entries_between
from api.errors import Invalid
from api.paging import Place, next_page, read_cursor
from api.routes import (
    diary_agreement,
    diary_contexts,
    diary_cramps,
    diary_interventions,
    diary_laboratory,
    diary_reviews,
)
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.routes.diary_common import DIARY, range_of, wearer_of

_PARTS: Final = (
    diary_cramps, diary_interventions, diary_contexts, diary_laboratory, diary_reviews, diary_agreement,
)  # fmt: skip
router = APIRouter(tags=["diary"], routes=[route for part in _PARTS for route in part.router.routes])
CSV: Final = "text/csv"
MOST_FAULTS: Final = 100
_TAKES_CSV: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}}}}
}
_GIVES_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The diary as CSV.", "content": {CSV: {"schema": {"type": "string"}}}}
}


async def _content(request: Request) -> bytes:
    """The body, as long as a file may be."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BYTES:
            raise Invalid("file", f"The file has more than {MAX_BYTES // 10**6} MB: split it.")
    return bytes(content)


@router.get(DIARY, summary="Read a diary")
def read_diary(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    begin: Begin = None,
    end: End = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> DiaryOut:
    """Everything of a range in order of time; an intervention in force stands at its first day."""
    place = read_cursor(request, cursor, shape=(int, str))
    within = range_of(sources, wearer_of(sources, wearer), begin, end)
    now_ns = sources.now_ns()
    with sources.registry.read() as db:
        found = entries_between(db, wearer, within, now_ns=now_ns)
    found = [item for item in found if place is None or item.key > place.key]
    last = Place(found[limit - 1].key, now_ns) if len(found) > limit else None
    return DiaryOut(items=[item.view for item in found[:limit]], next=next_page(request, response, last))


@router.get(DIARY + "/export.csv", summary="A diary as CSV", response_class=Response, responses=_GIVES_CSV)
def export_diary(wearer: WearerId, sources: From, *, begin: Begin = None, end: End = None) -> Response:
    """The whole diary, or a range of it with all interventions; `import` takes it as it is."""
    within = None
    if begin is not None or end is not None:
        within = range_of(sources, wearer_of(sources, wearer), begin, end)
    with sources.registry.read() as db:
        text = export_csv(
            db, wearer, start_ns=within.start_ns if within else None, end_ns=within.end_ns if within else None
        )
    headers = {"Content-Disposition": 'attachment; filename="diary.csv"'}
    return Response(text, media_type=f"{CSV}; charset=utf-8", headers=headers)


@router.post(DIARY + "/import", summary="Import CSV into a diary", response_model=ImportOut, openapi_extra=_TAKES_CSV)
def import_diary(
    wearer: WearerId,
    sources: From,
    content: Annotated[bytes, Depends(_content)],
    *,
    skip_bad: Annotated[bool, Query(description="Keep the good rows though others are bad.")] = False,
) -> ImportOut | Response:
    """Add what a file holds: all of it or nothing, unless bad rows are to be skipped. Twice adds nothing twice."""
    with sources.registry.write() as db:
        done = import_csv(db, wearer, content, skip_bad=skip_bad, now_ns=sources.now_ns())
    if done.faults and not skip_bad:
        return _refused(done)
    return ImportOut(
        rows=done.rows,
        added=done.added,
        known=done.known,
        skipped=done.skipped,
        faults=[
            FaultOut(line=fault.line, column=fault.column, detail=fault.detail) for fault in done.faults[:MOST_FAULTS]
        ],
    )


def _refused(done: Imported) -> Response:
    """Every fault with its line and column, as a problem."""
    count = "One row cannot" if len(done.faults) == 1 else f"{len(done.faults)} rows cannot"
    first = done.faults[0]
    detail = (
        f"{count} be taken, and nothing was added. Mend them and send the file again, or ask to skip them. "
        f"The first, in line {first.line}: {first.detail}"
    )
    errors = [
        {"where": f"line {fault.line}" + (f", {fault.column}" if fault.column else ""), "detail": fault.detail}
        for fault in done.faults[:MOST_FAULTS]
    ]
    return problems.response(problems.INVALID, detail, errors=errors)
