"""`/wearers/{wearer}/diary/reviews`: what the wearer says of detected episodes."""

from fastapi import APIRouter, Request, Response

from api.diary import changing, keeping, reviews, views
from api.diary.episodes import episode_named
from api.diary.reviews import KEPT
from api.diary.schemas import ReviewChange, ReviewIn, ReviewOut
from api.diary.values import Review
from api.reading import worn_by
from api.registry import diary_tables, wearers
from api.routes.common import USUAL, Begin, Cursor, End, From, Limit, WearerId
from api.routes.diary_common import DIARY, EntryId, created, page_of, range_of, wearer_of
from api.schemas import Page

router = APIRouter(prefix=DIARY + "/reviews", tags=["diary"])
_at = diary_tables.reviews.c.at_ns


@router.get("", summary="List reviews")
def list_reviews(
    wearer: WearerId,
    request: Request,
    response: Response,
    sources: From,
    *,
    begin: Begin = None,
    end: End = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[ReviewOut]:
    """Reviews by the onset of their episode."""
    person = wearer_of(sources, wearer)
    within = range_of(sources, person, begin, end)
    return page_of(
        request, response, sources, KEPT, _at >= within.start_ns, _at < within.end_ns, wearer=wearer, cursor=cursor,
        limit=limit, view=lambda item: views.review(item, person.zones),
    )  # fmt: skip


@router.post("", status_code=201, summary="Review an episode")
def add_review(wearer: WearerId, body: ReviewIn, response: Response, sources: From) -> ReviewOut:
    """It was a cramp, it was none, or unsure. Said again, the latest word holds. Counts follow at once."""
    worn = worn_by(sources, wearer)
    found = episode_named(sources, worn, body.episode)
    review = Review(found.episode.id, found.episode.onset_ns, body.verdict, body.note)
    with sources.registry.write() as db:
        kept, new = reviews.say(db, review, wearer=wearer, key=body.key, now_ns=sources.now_ns())
    created(response, f"/wearers/{wearer}/diary/reviews", kept.id, new=new)
    return views.review(kept, worn.wearer.zones)


@router.get("/{entry}", summary="Read a review")
def read_review(wearer: WearerId, entry: EntryId, sources: From) -> ReviewOut:
    """One review."""
    with sources.registry.read() as db:
        person = wearers.find(db, wearer)
        return views.review(keeping.find(db, KEPT, wearer=wearer, entry_id=entry), person.zones)


@router.patch("/{entry}", summary="Change a review")
def change_review(wearer: WearerId, entry: EntryId, body: ReviewChange, sources: From) -> ReviewOut:
    """Send what changes."""
    with sources.registry.write() as db:
        person = wearers.find(db, wearer)
        changed = changing.review(keeping.find(db, KEPT, wearer=wearer, entry_id=entry), body)
        return views.review(keeping.change(db, KEPT, changed, wearer=wearer, now_ns=sources.now_ns()), person.zones)


@router.delete("/{entry}", status_code=204, summary="Forget a review")
def remove_review(wearer: WearerId, entry: EntryId, sources: From) -> None:
    """The episode counts as it did before."""
    with sources.registry.write() as db:
        keeping.remove(db, KEPT, wearer=wearer, entry_id=entry)
