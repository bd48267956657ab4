"""`/wearers`: people and where their clocks were."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from api import views
from api.liveness import StateCode
from api.paging import Place, next_page, read_cursor
from api.periods import NightPreference
from api.reading import Sources
from api.registry import Wearer, assignments, wearers
from api.registry.wearers import parse_wall_time
from api.routes.common import USUAL, AnyState, Cursor, From, Limit, WearerId
from api.schemas import Page, WearerChange, WearerIn, WearerOut, ZoneIn, ZonesIn, ZonesOut
from api.times import to_ns
from api.watch import SCAN, states, statuses_of
from api.zones import ZoneChange, ZoneHistory

router = APIRouter(prefix="/wearers", tags=["wearers"])


@router.get("", summary="List wearers")
def list_wearers(
    request: Request,
    response: Response,
    sources: From,
    *,
    state: AnyState = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[WearerOut]:
    """Every wearer, in order of registration; with `state` those who wear such a device, and a page may be short."""
    place = read_cursor(request, cursor, shape=(int, str))
    now_ns = sources.now_ns()
    after = (int(place.key[0]), str(place.key[1])) if place else None
    looked = SCAN // 2 if state else limit
    with sources.registry.read() as db:
        among = wearers.page(db, after=after, limit=looked + 1)
        worn = assignments.worn_now(db, wearers_among=[wearer.id for wearer in among], now_ns=now_ns)
    found = _in_state(sources, among[:looked], worn, wanted=state, now_ns=now_ns) if state else among[:looked]
    final = found[limit - 1] if len(found) > limit else among[looked - 1] if len(among) > looked else None
    last = None if final is None else Place((final.created_ns, final.id), now_ns)
    items = [views.wearer(wearer, devices=worn.get(wearer.id, []), now_ns=now_ns) for wearer in found[:limit]]
    return Page(items=items, next=next_page(request, response, last))


@router.post("", status_code=201, summary="Register a wearer")
def add_wearer(body: WearerIn, response: Response, sources: From) -> WearerOut:
    """A new wearer gets a random id that says nothing of them."""
    now_ns = sources.now_ns()
    night = _night(body.night_start, body.night_end)
    history = ZoneHistory((ZoneChange(0, body.zone),))
    with sources.registry.write() as db:
        wearer = wearers.add(db, name=body.name, zones=history, night=night, created_ns=now_ns)
    response.headers["Location"] = f"/api/v1/wearers/{wearer.id}"
    return views.wearer(wearer, devices=[], now_ns=now_ns)


@router.get("/{wearer}", summary="Read a wearer")
def read_wearer(wearer: WearerId, sources: From) -> WearerOut:
    """One wearer, their local date, and the devices they wear now."""
    with sources.registry.read() as db:
        return _view(db, wearers.find(db, wearer), now_ns=sources.now_ns())


@router.patch("/{wearer}", summary="Change a wearer")
def change_wearer(wearer: WearerId, body: WearerChange, sources: From) -> WearerOut:
    """Change the name or the night; every summary follows at once."""
    with sources.registry.write() as db:
        wearers.lock(db, wearer)
        known = wearers.find(db, wearer)
        night = _night(body.night_start or f"{known.night.start:%H:%M}", body.night_end or f"{known.night.end:%H:%M}")
        changed = wearers.replace(db, replace(known, name=body.name or known.name, night=night))
        return _view(db, changed, now_ns=sources.now_ns())


@router.delete("/{wearer}", status_code=204, summary="Forget a wearer")
def remove_wearer(wearer: WearerId, sources: From) -> None:
    """Forget a wearer and their assignments. Measurements name nobody and stay with their devices."""
    with sources.registry.write() as db:
        wearers.remove(db, wearer)


@router.get("/{wearer}/zones", summary="Read a zone history", tags=["zones"])
def read_zones(wearer: WearerId, sources: From) -> ZonesOut:
    """Where the wearer's clock was, since when."""
    with sources.registry.read() as db:
        return views.zones(wearers.find(db, wearer).zones)


@router.put("/{wearer}/zones", summary="Replace a zone history", tags=["zones"])
def replace_zones(wearer: WearerId, body: ZonesIn, sources: From) -> ZonesOut:
    """Correct the past: every night, day and episode follows at once."""
    history = ZoneHistory(tuple(_change(entry) for entry in body.zones))
    return _write_zones(sources, wearer, lambda _known: history)


@router.post("/{wearer}/zones", status_code=201, summary="Add a change of zone", tags=["zones"])
def add_zone(wearer: WearerId, body: ZoneIn, sources: From) -> ZonesOut:
    """From an instant on the wearer's clock shows another zone; without `from`, from now on."""
    at_ns = to_ns(body.from_) if body.from_ else sources.now_ns()
    return _write_zones(sources, wearer, lambda known: known.with_change(ZoneChange(at_ns, body.zone)))


def _write_zones(sources: Sources, wearer: str, change: Callable[[ZoneHistory], ZoneHistory]) -> ZonesOut:
    with sources.registry.write() as db:
        wearers.lock(db, wearer)
        known = wearers.find(db, wearer)
        return views.zones(wearers.replace(db, replace(known, zones=change(known.zones))).zones)


def _change(entry: ZoneIn) -> ZoneChange:
    return ZoneChange(to_ns(entry.from_) if entry.from_ else 0, entry.zone)


def _night(start: str, end: str) -> NightPreference:
    return NightPreference(parse_wall_time(start, name="night_start"), parse_wall_time(end, name="night_end"))


def _view(db: sa.Connection, wearer: Wearer, *, now_ns: int) -> WearerOut:
    worn = assignments.worn_now(db, wearers_among=[wearer.id], now_ns=now_ns)
    return views.wearer(wearer, devices=worn.get(wearer.id, []), now_ns=now_ns)


def _in_state(
    sources: Sources,
    among: Sequence[Wearer],
    worn: Mapping[str, Sequence[str]],
    *,
    wanted: Sequence[StateCode],
    now_ns: int,
) -> list[Wearer]:
    """Those who wear a device in one of the states wanted."""
    devices = [device for wearer in among for device in worn.get(wearer.id, ())]
    found = states(sources, devices, statuses_of(sources, devices), now_ns=now_ns)
    return [wearer for wearer in among if any(found[device].code in wanted for device in worn.get(wearer.id, ()))]
