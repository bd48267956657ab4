"""`/wearers/{wearer}/epochs`: the signal in numbers, at a resolution of one's choice."""

from collections.abc import Iterator
from enum import IntEnum
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api import views
from api.paging import Place, next_page, read_cursor
from api.reading import Sources, Worn, epochs_of, worn_by
from api.resampling import Joined, joined
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.schemas import EpochOut, Page
from api.times import Interval, instant_range
from api.zones import SECOND_NS

router = APIRouter(prefix="/wearers", tags=["epochs"])
_READ_AT_ONCE_NS: Final = 86_400 * SECOND_NS  # a whole number of every resolution


class Resolution(IntEnum):
    """Seconds of one epoch; ten is what is stored."""

    TEN_SECONDS = 10
    HALF_MINUTE = 30
    MINUTE = 60
    FIVE_MINUTES = 300
    QUARTER_HOUR = 900
    HOUR = 3600


@router.get("/{wearer}/epochs", summary="Epochs of a wearer")
def list_epochs(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    begin: Begin = None,
    end: End = None,
    resolution: Annotated[Resolution, Query(description="Seconds.")] = Resolution.MINUTE,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[EpochOut]:
    """Epochs by start. Where nothing was received there is none: missing is not zero."""
    place = read_cursor(request, cursor, shape=(int, str, str))
    worn = worn_by(sources, wearer)
    now_ns = sources.now_ns()
    within = instant_range(begin, end, zones=worn.wearer.zones, now_ns=now_ns)
    found = list(islice(_read(sources, worn, within, seconds=int(resolution), place=place), limit + 1))
    last = Place(found[limit - 1].key, now_ns) if len(found) > limit else None
    return Page(
        items=[views.epoch(item, worn.wearer.zones) for item in found[:limit]],
        next=next_page(request, response, last),
    )


def _read(sources: Sources, worn: Worn, within: Interval, *, seconds: int, place: Place | None) -> Iterator[Joined]:
    """Read a day at a time, so that a year at ten seconds never stands in memory."""
    after = place.key if place else ()
    step_ns = seconds * SECOND_NS
    at_ns = int(after[0]) if after else within.start_ns // step_ns * step_ns
    while at_ns < within.end_ns:
        until_ns = (at_ns // _READ_AT_ONCE_NS + 1) * _READ_AT_ONCE_NS
        part = Interval(max(at_ns, within.start_ns), min(until_ns, within.end_ns))
        epochs = epochs_of(sources, worn, part)
        items = [
            item
            for assignment in worn.assignments
            for item in joined(epochs.get(assignment.device, []), assignment=assignment, within=part, seconds=seconds)
        ]
        yield from (item for item in sorted(items, key=lambda item: item.key) if item.key > after)
        at_ns = until_ns
