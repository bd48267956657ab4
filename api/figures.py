"""What the API knows of the whole service, as figures for Prometheus; read when asked. No device is a label."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api import health
from api.errors import RegistryUnavailable
from api.liveness import StateCode
from api.reading import Sources
from api.registry import devices
from api.watch import SCAN, states, statuses_of
from api.zones import SECOND_NS
from ingest.store import ServiceStatus, StoreDamaged, StoreError

COUNT_EVERY_NS: Final = 60 * SECOND_NS
OF_INGESTER: Final = {
    "accepting": "1 while it takes blocks",
    "connected": "1 while it is connected to the broker",
    "unacked": "Messages received and not yet acknowledged",
    "outbox": "Records not yet in the store",
    "event_outbox": "Events not yet at the broker",
    "revising": "Sessions touched by late blocks and not yet detected again",
    "journal_bytes": "Size of the journal",
    "free_bytes": "Free on the disk of its data folder",
}


@dataclass(frozen=True)
class Figures(Collector):
    """Parts, the ingester as it last described itself, and devices by state; what cannot be read is left out."""

    sources: Sources
    data_dir: Path

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures as of now."""
        parts = GaugeMetricFamily("charley_part_up", "1 while a part works, or works with faults", labels=["part"])
        for name, part in health.parts(self.sources, data_dir=self.data_dir).items():
            parts.add_metric([name], part.state != "unavailable")
        yield parts
        try:
            ingester = health.services_named(self.sources.store.services(), health.INGESTER)
            if ingester is not None:
                yield from _of_ingester(ingester, now_ns=self.sources.now_ns())
            yield self._devices()
        except StoreDamaged as error:
            self.sources.damage.note(error)  # of which `charley_part_up` says so from now on
        except (StoreError, RegistryUnavailable):
            return  # `charley_part_up` says so

    def _devices(self) -> GaugeMetricFamily:
        now_ns = self.sources.now_ns()
        tally = self.sources.tallies.get(now_ns // COUNT_EVERY_NS, lambda: _tally(self.sources), now_ns=now_ns)
        family = GaugeMetricFamily("charley_devices", "Registered devices by state", labels=["state"])
        for code in get_args(StateCode):
            family.add_metric([code], tally.get(code, 0))
        return family


def _of_ingester(status: ServiceStatus, *, now_ns: int) -> Iterator[GaugeMetricFamily]:
    beat_s = (now_ns - status.beat_ns) / 1e9
    oldest_s = (now_ns - status.oldest_outbox_ns) / 1e9 if status.oldest_outbox_ns else 0.0
    yield GaugeMetricFamily("charley_ingester_silent_seconds", "Since it last described itself", value=beat_s)
    yield GaugeMetricFamily("charley_ingester_results_behind_seconds", "Age of the oldest undelivered", value=oldest_s)
    yield GaugeMetricFamily("charley_ingester_lag_seconds", "From a block's arrival to its results", value=status.lag_s)
    for name, meaning in OF_INGESTER.items():
        yield GaugeMetricFamily(f"charley_ingester_{name}", meaning, value=float(getattr(status, name)))


def _tally(sources: Sources) -> dict[str, int]:
    """Devices by state, read some at a time."""
    now_ns = sources.now_ns()
    found: Counter[str] = Counter()
    after: tuple[int, str] | None = None
    while True:
        with sources.registry.read() as db:
            some = devices.page(db, after=after, limit=SCAN)
        ids = [device.id for device in some]
        found.update(state.code for state in states(sources, ids, statuses_of(sources, ids), now_ns=now_ns).values())
        if len(some) < SCAN:
            return dict(found)
        after = (some[-1].created_ns, some[-1].id)
