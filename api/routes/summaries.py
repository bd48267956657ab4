"""`/wearers/{wearer}/nights` and `/days`: what each came to."""

from dataclasses import replace

from fastapi import APIRouter

from api import views, wording
from api.completeness import pending, waiting
from api.periods import PeriodKind
from api.reading import Sources, summaries_of, worn_by
from api.routes.common import Begin, End, From, WearerId
from api.schemas import SummariesOut
from api.sleeping import lived
from api.summaries import total
from api.times import date_range
from api.watch import statuses_of

router = APIRouter(prefix="/wearers", tags=["summaries"])


@router.get("/{wearer}/nights", summary="Nights of a wearer")
def list_nights(wearer: WearerId, sources: From, begin: Begin = None, end: End = None) -> SummariesOut:
    """Nights that began on the local dates `from` to `to`, by default the last seven and today."""
    return _summaries(sources, wearer, kind="night", begin=begin, end=end)


@router.get("/{wearer}/days", summary="Days of a wearer")
def list_days(wearer: WearerId, sources: From, begin: Begin = None, end: End = None) -> SummariesOut:
    """Days that began on the local dates `from` to `to`, by default the last seven and today."""
    return _summaries(sources, wearer, kind="day", begin=begin, end=end)


def _summaries(
    sources: Sources, wearer_id: str, *, kind: PeriodKind, begin: str | None, end: str | None
) -> SummariesOut:
    worn = worn_by(sources, wearer_id)
    now_ns = sources.now_ns()
    zones = worn.wearer.zones
    first, last = date_range(begin, end, zones=zones, night_end=worn.wearer.night.end, now_ns=now_ns)
    among = lived(sources, worn, kind=kind, reach=(first, last), now_ns=now_ns)
    found, episodes = summaries_of(sources, worn, among.periods, off=among.off, changes=among.changes, now_ns=now_ns)
    statuses = statuses_of(sources, among.changes)
    pendings = [
        pending(summary.period, assignments=worn.assignments, statuses=statuses, now_ns=now_ns) for summary in found
    ]
    for place, summary in enumerate(found):
        late, undated = waiting(summary.period, assignments=worn.assignments, statuses=statuses)
        reason = wording.still_worked_in(summary, late=late, undated=undated, now_ns=now_ns)
        bound = summary.cramps.at_least or pendings[place] is not None
        found[place] = replace(summary, reason=reason, cramps=replace(summary.cramps, at_least=bound))
    return SummariesOut(
        wearer=wearer_id,
        from_=first,
        to=last,
        total=views.total(total(found, episodes, now_ns=now_ns), kind),
        items=[views.summary(summary, zones, pending=waits) for summary, waits in zip(found, pendings, strict=True)],
    )
