"""`/devices`: leg wearables, and whether they work."""

from fastapi import APIRouter, Request, Response

from api import views
from api.paging import Place, next_page, read_cursor
from api.reading import Sources, liveness_of
from api.registry import Assignment, Device, assignments, devices, wearers
from api.routes.common import USUAL, Cursor, DeviceId, From, Limit
from api.schemas import DeviceChange, DeviceIn, DeviceOut, Page
from api.zones import ZoneHistory
from ingest.store import DeviceStatus

router = APIRouter(prefix="/devices", tags=["devices"])


@router.get("", summary="List devices")
def list_devices(
    request: Request, response: Response, sources: From, cursor: Cursor = None, limit: Limit = USUAL
) -> Page[DeviceOut]:
    """Every registered device with its state, in order of registration."""
    place = read_cursor(request, cursor, shape=(int, str))
    after = (int(place.key[0]), str(place.key[1])) if place else None
    with sources.registry.read() as db:
        found = devices.page(db, after=after, limit=limit + 1)
    last = Place((found[limit - 1].created_ns, found[limit - 1].id), sources.now_ns()) if len(found) > limit else None
    return Page(items=_views(sources, found[:limit]), next=next_page(request, response, last))


@router.post("", status_code=201, summary="Register a device")
def add_device(body: DeviceIn, response: Response, sources: From) -> DeviceOut:
    """A device may be registered long after it began to measure: nothing it sent is lost."""
    with sources.registry.write() as db:
        device = devices.add(db, device_id=body.id, label=body.label or body.id, created_ns=sources.now_ns())
    response.headers["Location"] = f"/api/v1/devices/{device.id}"
    return _views(sources, [device])[0]


@router.get("/{device}", summary="Read a device")
def read_device(device: DeviceId, sources: From) -> DeviceOut:
    """One device, whose it is now, and in plain words whether it works."""
    with sources.registry.read() as db:
        found = devices.find(db, device)
    return _views(sources, [found])[0]


@router.patch("/{device}", summary="Relabel a device")
def change_device(device: DeviceId, body: DeviceChange, sources: From) -> DeviceOut:
    """Change the label; the id is the device's own."""
    with sources.registry.write() as db:
        devices.lock(db, device)
        changed = devices.relabel(db, device_id=device, label=body.label)
    return _views(sources, [changed])[0]


@router.delete("/{device}", status_code=204, summary="Forget a device")
def remove_device(device: DeviceId, sources: From) -> None:
    """Forget a device that has no assignments."""
    with sources.registry.write() as db:
        devices.remove(db, device)


def _views(sources: Sources, found: list[Device]) -> list[DeviceOut]:
    now_ns = sources.now_ns()
    ids = [device.id for device in found]
    with sources.registry.read() as db:
        assigned = assignments.current(db, devices_among=ids, now_ns=now_ns)
        zones = {item.wearer: wearers.find(db, item.wearer).zones for item in assigned.values()}
    statuses = {status.device: status for status in sources.store.statuses(ids)} if ids else {}
    return [
        _view(
            sources,
            device,
            status=statuses.get(device.id),
            assigned=assigned.get(device.id),
            zones=zones[assigned[device.id].wearer] if device.id in assigned else None,
            now_ns=now_ns,
        )
        for device in found
    ]


def _view(
    sources: Sources,
    device: Device,
    *,
    status: DeviceStatus | None,
    assigned: Assignment | None,
    zones: ZoneHistory | None,
    now_ns: int,
) -> DeviceOut:
    state = liveness_of(sources, status, zones=zones, now_ns=now_ns)
    return views.device(device, status=status, liveness=state, assigned=assigned)
