"""`/devices`: leg wearables, and how each does."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import views
from api.paging import Place, next_page, read_cursor
from api.reading import Sources
from api.registry import Device, assignments, devices
from api.routes.common import USUAL, AnyState, Cursor, DeviceId, From, Limit
from api.schemas import DeviceChange, DeviceIn, DeviceOut, Page
from api.watch import SCAN, watched

router = APIRouter(prefix="/devices", tags=["devices"])


@router.get("", summary="List devices")
def list_devices(
    request: Request,
    response: Response,
    sources: From,
    *,
    state: AnyState = None,
    wearer: Annotated[str | None, Query(max_length=64, description="Only what this wearer wears now.")] = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Page[DeviceOut]:
    """Every registered device with its state, in order of registration; with `state` a page may be short."""
    place = read_cursor(request, cursor, shape=(int, str))
    now_ns = sources.now_ns()
    after = (int(place.key[0]), str(place.key[1])) if place else None
    looked = SCAN if state else limit
    with sources.registry.read() as db:
        worn = assignments.worn_now(db, wearers_among=[wearer], now_ns=now_ns).get(wearer, []) if wearer else None
        among = devices.page(db, after=after, limit=looked + 1, among=worn)
    found = [item for item in watched(sources, among[:looked], now_ns=now_ns) if not state or item.state.code in state]
    final = found[limit - 1].device if len(found) > limit else among[looked - 1] if len(among) > looked else None
    last = None if final is None else Place((final.created_ns, final.id), now_ns)
    return Page(items=[views.device(item) for item in found[:limit]], next=next_page(request, response, last))


@router.post("", status_code=201, summary="Register a device")
def add_device(body: DeviceIn, response: Response, sources: From) -> DeviceOut:
    """A device may be registered long after it began to measure: nothing it sent is lost."""
    with sources.registry.write() as db:
        device = devices.add(db, device_id=body.id, label=body.label or body.id, created_ns=sources.now_ns())
    response.headers["Location"] = f"/api/v1/devices/{device.id}"
    return _view(sources, device)


@router.get("/{device}", summary="Read a device")
def read_device(device: DeviceId, sources: From) -> DeviceOut:
    """One device, whose it is now, and in plain words how it does."""
    with sources.registry.read() as db:
        found = devices.find(db, device)
    return _view(sources, found)


@router.patch("/{device}", summary="Relabel a device")
def change_device(device: DeviceId, body: DeviceChange, sources: From) -> DeviceOut:
    """Change the label; the id is the device's own."""
    with sources.registry.write() as db:
        devices.lock(db, device)
        changed = devices.relabel(db, device_id=device, label=body.label)
    return _view(sources, changed)


@router.delete("/{device}", status_code=204, summary="Forget a device")
def remove_device(device: DeviceId, sources: From) -> None:
    """Forget a device that has no assignments."""
    with sources.registry.write() as db:
        devices.remove(db, device)


def _view(sources: Sources, device: Device) -> DeviceOut:
    return views.device(watched(sources, [device], now_ns=sources.now_ns())[0])
