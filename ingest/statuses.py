"""When the record of a device is written: at once when it comes, goes or changes, else now and then."""

from collections.abc import Iterable, Mapping
from typing import Final

from ingest.devices import Device, to_status
from ingest.store import DeviceStatus

EVERY_S: Final = 5.0

Lasting = tuple[int, bool, str, tuple[str, ...], float | None, bool, bool, str]


class Statuses:
    """Device records that are due, at most one per device every `every_s` unless more than its times changed."""

    def __init__(self, devices: Iterable[str], *, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._due: dict[str, None] = dict.fromkeys(devices)  # after a start: all, for nobody knows what was written
        self._written: dict[str, tuple[float, Lasting, DeviceStatus]] = {}

    def note(self, devices: Iterable[str]) -> None:
        """Something about these devices changed."""
        self._due.update(dict.fromkeys(devices))

    def hurry(self) -> None:
        """From now on a record is due as soon as anything changed: the process is about to end."""
        self._every_s = 0.0

    def take(self, devices: Mapping[str, Device], *, now: float) -> list[DeviceStatus]:
        """The records to write now."""
        records = []
        for name in list(self._due):
            device = devices[name]
            lasting = lasting_of(device)
            at, before, last = self._written.get(name, (now, None, None))
            if last is not None and now - at < self._every_s and lasting == before:
                continue
            del self._due[name]
            record = to_status(name, device)
            if record != last:
                self._written[name] = (now, lasting, record)
                records.append(record)
        return records


def lasting_of(device: Device) -> Lasting:
    """What of a device does not change with every block: asked for many devices at every turn, so it is cheap."""
    view = device.view
    late = device.dirty is not None and device.dirty.late > 0
    return (
        view.boot, view.online, view.firmware, view.sites, view.battery, late, bool(device.undated),
        device.refused_reason,
    )  # fmt: skip
