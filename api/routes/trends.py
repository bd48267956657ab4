"""`/wearers/{wearer}/trends`: is it getting better, and what goes with it?"""

from typing import Annotated

from fastapi import APIRouter, Query

from api.observed import ObservedKind
from api.periods import PeriodKind
from api.reading import worn_by
from api.routes.common import Begin, End, From, WearerId
from api.trends.gathering import LAB_WEEKS, WEEKS, contexts_of, laboratory_of, reach_of, trends_of
from api.trends.schemas import ContextsOut, LaboratoryOut, TrendsOut

router = APIRouter(prefix="/wearers", tags=["trends"])
Kind = Annotated[ObservedKind, Query(description="The last three are as the diary has them.")]
Half = Annotated[PeriodKind, Query(description="Nights or days around each value.")]


@router.get("/{wearer}/trends", summary="Trends of a wearer")
def read_trends(
    wearer: WearerId, sources: From, kind: Kind = "night", begin: Begin = None, end: End = None
) -> TrendsOut:
    """Rate, trend, patterns and false alarms of one kind of period, by default of the last twelve weeks."""
    worn, now_ns = worn_by(sources, wearer), sources.now_ns()
    reach = reach_of(worn, begin, end, weeks=WEEKS, now_ns=now_ns)
    return TrendsOut.model_validate(trends_of(sources, worn, kind=kind, reach=reach, now_ns=now_ns))


@router.get("/{wearer}/trends/laboratory", summary="Laboratory values beside episodes")
def read_laboratory(
    wearer: WearerId, sources: From, kind: Half = "night", begin: Begin = None, end: End = None
) -> LaboratoryOut:
    """Each value with the rate in the 14 days around it, by default of the last 52 weeks."""
    worn, now_ns = worn_by(sources, wearer), sources.now_ns()
    reach = reach_of(worn, begin, end, weeks=LAB_WEEKS, now_ns=now_ns)
    return LaboratoryOut.model_validate(laboratory_of(sources, worn, kind=kind, reach=reach, now_ns=now_ns))


@router.get("/{wearer}/trends/contexts", summary="Rates by context")
def read_contexts(wearer: WearerId, sources: From, begin: Begin = None, end: End = None) -> ContextsOut:
    """Exercise by drink, dialysis against between, heat; as far as the diary has entries, by default of 12 weeks."""
    worn, now_ns = worn_by(sources, wearer), sources.now_ns()
    reach = reach_of(worn, begin, end, weeks=WEEKS, now_ns=now_ns)
    return ContextsOut.model_validate(contexts_of(sources, worn, reach=reach, now_ns=now_ns))
