"""The one interface of what is kept. Memory, SQLite and InfluxDB behave alike: one contract test runs over all."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.store.records import DeviceStatus, Episode, Epoch, Record, ServiceStatus


class Store(Protocol):
    """Write records, read them back by device and time. Ranges are half open, `[start_ns, end_ns)`, UTC.

    `StoreRefused` means that this very record or question is at fault and never will do. `StoreUnavailable` is
    everything else: what passes (a server that is down) and what somebody can put right (a wrong token, a full
    disk, a read-only file), among it `StoreDamaged`, a file to be restored. A writer keeps what it has and tries
    again; nothing is given up for a wrong setting.
    A constructor may raise `StoreRefused` for settings that cannot be right.
    """

    def write(self, records: Sequence[Record]) -> None:
        """Keep every record; one with a known key replaces the old one whole. Durable on return."""

    def episodes(
        self,
        devices: Sequence[str],
        *,
        start_ns: int,
        end_ns: int,
        updated_after_ns: int | None = None,
        withdrawn: bool = False,
    ) -> list[Episode]:
        """Episodes whose onset lies in the range, by onset then device and site; tombstones only if asked for."""

    def epochs(self, device: str, *, start_ns: int, end_ns: int, void: bool = False) -> list[Epoch]:
        """Epochs of all sites of a device whose start lies in the range, by start then site; void ones if asked for."""

    def columns(
        self, device: str, *, start_ns: int, end_ns: int, members: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Start `(N,)` and some members `(M, N)`, all reals, of what `epochs` gives: faster where that is enough."""

    def changes(self, device: str, *, start_ns: int, end_ns: int, every_ns: int) -> dict[int, int]:
        """When epochs of the range were last written, void ones too: by stretches of `every_ns`, named by their start.

        `every_ns` is whole seconds. Where there is no epoch there is no stretch.
        """

    def statuses(self, devices: Sequence[str]) -> list[DeviceStatus]:
        """The latest status of each named device that is known, by device."""

    def services(self) -> list[ServiceStatus]:
        """The latest status of each service, by name."""

    def devices(self) -> list[str]:
        """Every device that has a record of any kind, sorted."""

    def close(self) -> None:
        """Release files and connections. The store must not be used afterwards."""
