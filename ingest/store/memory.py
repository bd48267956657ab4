"""Records in memory: for demonstrations, tests and one-off analyses. Safe to share between threads."""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ingest.errors import StoreUnavailable
from ingest.store.columns import EPISODES, EPOCHS, Table, as_arrays, table_of
from ingest.store.records import DeviceStatus, Episode, Epoch, Record, ServiceStatus


class _Series:
    """The records of one device by time and site, sorted when they are next read."""

    def __init__(self) -> None:
        self._records: dict[tuple[int, str], Record] = {}
        self._order: list[tuple[int, str]] | None = []

    def put(self, time_ns: int, site: str, record: Record) -> None:
        key = (time_ns, site)
        if key not in self._records:
            self._order = None
        self._records[key] = record

    def between(self, start_ns: int, end_ns: int) -> Iterator[Record]:
        if self._order is None:
            self._order = sorted(self._records)
        first, last = (bisect_left(self._order, (instant_ns, "")) for instant_ns in (start_ns, end_ns))
        return (self._records[key] for key in self._order[first:last])


class MemoryStore:
    """A `Store` that forgets everything when it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str], _Series] = {}
        self._statuses: dict[str, DeviceStatus] = {}
        self._services: dict[str, ServiceStatus] = {}
        self._closed = False

    def write(self, records: Sequence[Record]) -> None:
        """Keep every record, or none when one of them cannot be kept."""
        tables = [(table, table.record(table.values(record))) for record in records for table in [table_of(record)]]
        with self._lock:
            self._check_open()
            for table, record in tables:
                self._put(table, record)

    def episodes(
        self,
        devices: Sequence[str],
        *,
        start_ns: int,
        end_ns: int,
        updated_after_ns: int | None = None,
        withdrawn: bool = False,
    ) -> list[Episode]:
        """Episodes whose onset lies in the range, by onset then device and site."""
        found: list[Episode] = []
        with self._lock:
            self._check_open()
            for device in set(devices):
                series = self._series.get((EPISODES.name, device), _Series())
                found.extend(cast("Iterator[Episode]", series.between(start_ns, end_ns)))
        if not withdrawn:
            found = [episode for episode in found if not episode.withdrawn]
        if updated_after_ns is not None:
            found = [episode for episode in found if episode.updated_ns > updated_after_ns]
        return sorted(found, key=lambda episode: (episode.onset_ns, episode.device, episode.site))

    def epochs(self, device: str, *, start_ns: int, end_ns: int, void: bool = False) -> list[Epoch]:
        """Epochs of a device whose start lies in the range, by start then site."""
        with self._lock:
            self._check_open()
            series = self._series.get((EPOCHS.name, device), _Series())
            found = cast("Iterator[Epoch]", series.between(start_ns, end_ns))
            return [epoch for epoch in found if void or not epoch.void]

    def columns(
        self, device: str, *, start_ns: int, end_ns: int, members: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Start and some members of what `epochs` gives."""
        found = self.epochs(device, start_ns=start_ns, end_ns=end_ns)
        rows = [(epoch.start_ns, *(getattr(epoch, name) for name in members)) for epoch in found]
        return as_arrays(rows, reals=len(members))

    def changes(self, device: str, *, start_ns: int, end_ns: int, every_ns: int) -> dict[int, int]:
        """When epochs of each stretch of the range were last written, by the stretch's start."""
        newest: dict[int, int] = {}
        with self._lock:
            self._check_open()
            series = self._series.get((EPOCHS.name, device), _Series())
            for epoch in cast("Iterator[Epoch]", series.between(start_ns, end_ns)):
                stretch_ns = epoch.start_ns // every_ns * every_ns
                newest[stretch_ns] = max(newest.get(stretch_ns, 0), epoch.updated_ns)
        return newest

    def statuses(self, devices: Sequence[str]) -> list[DeviceStatus]:
        """The latest status of each named device that is known, by device."""
        with self._lock:
            self._check_open()
            return [self._statuses[device] for device in sorted(set(devices)) if device in self._statuses]

    def services(self) -> list[ServiceStatus]:
        """The latest status of each service, by name."""
        with self._lock:
            self._check_open()
            return [self._services[name] for name in sorted(self._services)]

    def devices(self) -> list[str]:
        """Every device that has a record of any kind, sorted."""
        with self._lock:
            self._check_open()
            return sorted({device for _, device in self._series} | self._statuses.keys())

    def close(self) -> None:
        """Forget everything; closing twice is harmless."""
        with self._lock:
            self._closed = True
            self._series.clear()
            self._statuses.clear()
            self._services.clear()

    def _put(self, table: Table, record: Record) -> None:
        if isinstance(record, DeviceStatus):
            self._statuses[record.device] = record
            return
        if isinstance(record, ServiceStatus):
            self._services[record.name] = record
            return
        time_ns = record.onset_ns if isinstance(record, Episode) else record.start_ns
        series = self._series.setdefault((table.name, record.device), _Series())
        series.put(time_ns, record.site, record)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the memory store is closed")
