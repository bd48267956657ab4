"""When the record of a device is written: at once when it comes, goes or changes, else now and then."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from ingest.devices import Device, to_status
from ingest.store import DeviceStatus

EVERY_S: Final = 5.0


class Statuses:
    """Device records that are due, at most one per device every `every_s` unless more than its times changed."""

    def __init__(self, devices: Iterable[str], *, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._due: dict[str, None] = dict.fromkeys(devices)  # after a start: all, for nobody knows what was written
        self._written: dict[str, tuple[float, DeviceStatus]] = {}

    def note(self, devices: Iterable[str]) -> None:
        """Something about these devices changed."""
        self._due.update(dict.fromkeys(devices))

    def take(self, devices: Mapping[str, Device], *, now: float) -> list[DeviceStatus]:
        """The records to write now."""
        records = []
        for name in list(self._due):
            record = to_status(name, devices[name])
            at, last = self._written.get(name, (now, None))
            if last is not None and now - at < self._every_s and _lasting(record) == _lasting(last):
                continue
            del self._due[name]
            if record != last:
                self._written[name] = (now, record)
                records.append(record)
        return records


def _lasting(record: DeviceStatus) -> DeviceStatus:
    return msgspec.structs.replace(
        record,
        last_received_ns=0,
        last_sample_ns=0,
        missing_blocks=0,
        late_blocks=min(record.late_blocks, 1),
        undated_blocks=min(record.undated_blocks, 1),
        refused_blocks=0,
        clock_offset_s=0.0,
        clock_drift_ppm=0.0,
    )
