"""The one loop: take, decode, order, detect, commit, acknowledge, deliver.

Rules
-----
- Nothing is acknowledged before `Journal.commit` has returned; nothing in memory changes before that either. So a
  kill at any point leaves either the state before a batch, which the broker then sends again, or the state after.
- What is delivered is read from the journal, so an outage of the store neither stops nor fills this process.
"""

import threading
import time
from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from detector import DEFAULT, Params
from ingest.acks import Acks
from ingest.deliver import EventDelivery, RecordDelivery
from ingest.devices import Device
from ingest.errors import WireError
from ingest.intake import Intake, sort_in
from ingest.journal import Journal
from ingest.log import Log, quiet
from ingest.metrics import Metrics
from ingest.order import HORIZON, Horizon, Key
from ingest.outcome import entry_of, report
from ingest.pipeline import Detected, Failure, detect
from ingest.source import Delivery, Source
from ingest.statuses import Statuses
from ingest.store import Store
from ingest.wire import Block, decode_block

TIDY_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the loop runs. `ack_s` and `status_s` are the shortest intervals per device."""

    batch: int = 1000
    wait_s: float = 0.2
    ack_s: float = 2.0
    status_s: float = 5.0
    keep_raw_s: float = 14 * 86_400.0
    horizon: Horizon = HORIZON
    params: Params = DEFAULT


def run(
    source: Source,
    journal: Journal,
    store: Store,
    stop: threading.Event,
    *,
    options: Options | None = None,
    metrics: Metrics | None = None,
    log: Log | None = None,
) -> None:
    """Ingest until `stop` is set, then try once more to deliver; closes nothing that it was given."""
    ingester = Ingester(source, journal, store, options=options, metrics=metrics, log=log)
    while not stop.is_set():
        ingester.step()
    ingester.settle()


class Ingester:
    """The loop, one turn at a time, and all that it knows between turns."""

    def __init__(
        self,
        source: Source,
        journal: Journal,
        store: Store,
        *,
        options: Options | None = None,
        metrics: Metrics | None = None,
        log: Log | None = None,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options or Options()
        self.metrics = metrics or Metrics()
        self.devices = journal.devices()
        self._source = source
        self._journal = journal
        self._log = log or quiet()
        self._wall_ns = wall_ns
        self._monotonic = monotonic
        self._acks = Acks(source, every_s=self.options.ack_s)
        self._records = RecordDelivery(journal, store, self.metrics, self._log, wall_ns=wall_ns, monotonic=monotonic)
        self._events = EventDelivery(journal=journal, source=source, metrics=self.metrics, monotonic=monotonic)
        self._statuses = Statuses(self.devices, every_s=self.options.status_s)
        self._tidy_at = monotonic()

    def step(self) -> int:
        """One turn; how many messages it took."""
        deliveries = self._source.take(self.options.batch, self.options.wait_s)
        self.metrics.unacked.set(len(deliveries))
        self._batch(deliveries)
        self.metrics.unacked.set(0)
        self._acks.send(self.devices, now=self._monotonic())
        self._records.step()
        self._events.step()
        if self._monotonic() >= self._tidy_at:
            self._tidy()
        return len(deliveries)

    def settle(self) -> None:
        """Before leaving: deliver what is due, for as long as the store takes it."""
        self._batch([])
        while self._records.step():
            pass
        self._events.step()

    def _batch(self, deliveries: Sequence[Delivery]) -> None:
        """Take a batch all the way to the journal, then acknowledge it."""
        intake = sort_in(self.devices, deliveries, horizon=self.options.horizon)
        runs, failures = self._runs(intake)
        tracks = {
            name: device.track
            for name in runs
            if (device := self.devices.get(name)) is not None and device.track is not None
        }
        found = detect(tracks, runs, params=self.options.params)
        found.failures += failures
        changed = self._changed(intake, found)
        self._statuses.note(changed)
        statuses = self._statuses.take(ChainMap(changed, self.devices), now=self._monotonic())
        now_ns = self._wall_ns()
        if deliveries or statuses:
            self._journal.commit(entry_of(intake, found, changed=changed, statuses=statuses, now_ns=now_ns))
        self.devices.update(changed)
        self._source.acknowledge(deliveries)
        self._acks.note(intake.seen)
        if deliveries:
            report(intake, found, metrics=self.metrics, log=self._log, now_ns=now_ns)

    def _runs(self, intake: Intake) -> tuple[dict[str, list[Block]], list[Failure]]:
        """The blocks to process, those that were held read back from the journal; and what cannot be read any more."""
        fresh = {(item.device, item.block.boot, item.block.seq): item.block for item in intake.stored}
        runs: dict[str, list[Block]] = {}
        failures = []
        for name, keys in intake.ready.items():
            runs[name] = []
            for key in keys:
                block = fresh.get((name, *key))
                try:
                    runs[name].append(block or self._reread(name, key))
                except WireError as error:  # kept by a version that was less strict
                    failures.append(Failure(name, (key,), str(error)))
        return runs, failures

    def _reread(self, name: str, key: Key) -> Block:
        payload, content_type = self._journal.payload(name, key)
        return decode_block(payload, content_type=content_type)

    def _changed(self, intake: Intake, found: Detected) -> dict[str, Device]:
        """The devices whose state is not what it was."""
        changed = {}
        for name, order in intake.orders.items():
            was = self.devices.get(name)
            track = found.tracks.get(name, was.track if was else None)
            now = Device(order, intake.views[name], track)
            if was is None or now.order is not was.order or now.view is not was.view or track is not was.track:
                changed[name] = now
        return changed

    def _tidy(self) -> None:
        """Now and then: forget old raw blocks, and look how much waits."""
        before_ns = self._wall_ns() - int(self.options.keep_raw_s * 1e9)
        removed = self._journal.prune(before_ns, limit=self.options.batch)
        records, events = self._journal.waiting()
        self.metrics.outbox.set(records)
        self.metrics.event_outbox.set(events)
        self.metrics.devices.set(len(self.devices))
        # Where more is to be removed, at every turn: as much goes as comes in.
        self._tidy_at = self._monotonic() + (0 if removed == self.options.batch else TIDY_S)
