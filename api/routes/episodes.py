"""`/wearers/{wearer}/episodes`: cramps one by one, for people and for mirrors."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api import views
from api.paging import Place, next_page, read_cursor
from api.periods import locate
from api.reading import Sources, Worn, episodes_of, worn_by
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.schemas import EpisodeOut, EpisodesOut
from api.sleeping import lived_at
from api.summaries import Owned
from api.times import instant_range, parse_instant, utc_text

router = APIRouter(prefix="/wearers", tags=["episodes"])

# What a writer stamped before we looked may be committed after we looked: mirrors ask again from a bit earlier.
OVERLAP_NS: Final = 60_000_000_000


@router.get("/{wearer}/episodes", summary="Episodes of a wearer")
def list_episodes(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    begin: Begin = None,
    end: End = None,
    updated_after: Annotated[
        str | None, Query(max_length=40, description="Instant; also gives rejected and withdrawn episodes.")
    ] = None,
    withdrawn: Annotated[bool, Query(description="Also episodes that late data have withdrawn.")] = False,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> EpisodesOut:
    """Episodes by onset. Rejected and withdrawn ones are left out, unless `updated_after` asks for all that changed."""
    place = read_cursor(request, cursor, shape=(int, str, str))
    worn = worn_by(sources, wearer)
    now_ns = sources.now_ns()
    as_of_ns = place.as_of_ns if place else now_ns - OVERLAP_NS
    within = instant_range(begin, end, zones=worn.wearer.zones, now_ns=now_ns)
    since_ns = None if updated_after is None else parse_instant(updated_after, name="updated_after")
    mirrors = since_ns is not None  # a mirror has to hear what is no longer so
    found = [
        owned
        for owned in episodes_of(sources, worn, within, updated_after_ns=since_ns, withdrawn=withdrawn or mirrors)
        if (mirrors or owned.episode.status != "rejected") and (place is None or _key(owned) > place.key)
    ]
    last = Place(_key(found[limit - 1]), as_of_ns) if len(found) > limit else None
    return EpisodesOut(
        items=_views(sources, worn, found[:limit], now_ns=now_ns),
        next=next_page(request, response, last),
        as_of=None if since_ns is None else utc_text(as_of_ns),
    )


def _key(owned: Owned) -> tuple[int, str, str]:
    return owned.episode.onset_ns, owned.episode.device, owned.episode.site


def _views(sources: Sources, worn: Worn, found: list[Owned], *, now_ns: int) -> list[EpisodeOut]:
    among = lived_at(sources, worn, [owned.episode.onset_ns for owned in found], now_ns=now_ns)
    items = []
    for owned in found:
        period = locate(among, owned.episode.onset_ns)
        if period is None:  # cannot be: periods are contiguous; a wrong period would be worse than a fault
            raise RuntimeError(f"episode {owned.episode.id} lies in no period")
        items.append(views.episode(owned, history=worn.wearer.zones, period=period))
    return items
