"""Reads how devices do. Bounded: one question for all statuses, and epochs only of who is heard, once in a while."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from api.liveness import State, signal_range, state_of
from api.reading import Sources
from api.recent import Signal, signal_of
from api.registry import Assignment, Device, assignments, wearers
from api.zones import SECOND_NS, ZoneHistory
from ingest.store import DeviceStatus

# The signal of a device is looked at so often at most, however many people watch it.
EVERY_NS: Final = 30 * SECOND_NS
SCAN: Final = 1000  # devices looked at for one page that asks for some states only


@dataclass(frozen=True, slots=True)
class Watched:
    """A device as it is now: what was last written of it, whose it is, its state."""

    device: Device
    status: DeviceStatus | None
    assigned: Assignment | None
    state: State


def watched(sources: Sources, devices: Sequence[Device], *, now_ns: int) -> list[Watched]:
    """How devices do, in the order given; their sentences tell times on the clock of who wears them."""
    ids = [device.id for device in devices]
    with sources.registry.read() as db:
        assigned = assignments.current(db, devices_among=ids, now_ns=now_ns)
        zones = {wearer.id: wearer.zones for wearer in wearers.among(db, {item.wearer for item in assigned.values()})}
    statuses = statuses_of(sources, ids)
    clocks = {device: zones[item.wearer] for device, item in assigned.items()}
    found = states(sources, ids, statuses, zones=clocks, now_ns=now_ns)
    return [
        Watched(device, statuses.get(device.id), assigned.get(device.id), found[device.id]) for device in devices
    ]  # fmt: skip


def states(
    sources: Sources,
    devices: Iterable[str],
    statuses: Mapping[str, DeviceStatus],
    *,
    now_ns: int,
    zones: Mapping[str, ZoneHistory] = MappingProxyType({}),
) -> dict[str, State]:
    """The state of each device, by id."""
    found = {}
    for device in devices:
        status = statuses.get(device)
        signal = _signal(sources, status, now_ns=now_ns) if status else None
        found[device] = state_of(status, signal, now_ns=now_ns, zones=zones.get(device))
    return found


def statuses_of(sources: Sources, devices: Iterable[str]) -> dict[str, DeviceStatus]:
    """What was last written of each device that was ever heard."""
    ids = sorted(set(devices))
    return {status.device: status for status in sources.store.statuses(ids)} if ids else {}


def _signal(sources: Sources, status: DeviceStatus, *, now_ns: int) -> Signal | None:
    asked = signal_range(status, now_ns=now_ns)
    if asked is None:
        return None
    start_ns, end_ns = asked
    return sources.signals.get(
        (status.device, status.last_sample_ns // EVERY_NS),
        lambda: signal_of(
            sources.store.epochs(status.device, start_ns=start_ns, end_ns=end_ns), newest_ns=status.last_sample_ns
        ),
        now_ns=now_ns,
    )
