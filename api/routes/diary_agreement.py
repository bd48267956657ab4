"""`/wearers/{wearer}/agreement`: what the wearer felt against what the devices saw."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter

from api.diary.comparing import compare
from api.diary.schemas import AgreementOut
from api.diary.telling import agreement_out
from api.reading import worn_by
from api.routes.common import Begin, End, From, WearerId
from api.times import Interval, date_range
from api.zones import SECOND_NS

NOON_NS: Final = 12 * 3600 * SECOND_NS
router = APIRouter(prefix="/wearers", tags=["diary"])


@router.get("/{wearer}/agreement", summary="Diary against devices")
def read_agreement(wearer: WearerId, sources: From, begin: Begin = None, end: End = None) -> AgreementOut:
    """From the noon of `from` to the noon after `to`; choose a range in which the diary was kept."""
    worn = worn_by(sources, wearer)
    now_ns = sources.now_ns()
    zones = worn.wearer.zones
    first, last = date_range(begin, end, zones=zones, night_end=worn.wearer.night.end, now_ns=now_ns)
    # From noon to noon: nights stay whole.
    ends = (zones.midnight_ns(first), zones.midnight_ns(last + timedelta(days=1)))
    within = Interval(ends[0] + NOON_NS, ends[1] + NOON_NS)
    compared = compare(sources, worn, within, dates=(first, last), now_ns=now_ns)
    return agreement_out(compared, wearer=worn.wearer, dates=(first, last))
