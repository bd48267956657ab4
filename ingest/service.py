"""The whole ingester: the loop, and beside it two threads that bring records to the store and blocks to the archive.

Rules
-----
- The loop alone takes, detects and acknowledges. A store that answers slowly, or an archive that is being written,
  holds up nothing but itself: each thread has a connection of its own to the journal, and they share nothing else.
- An error that waiting cannot mend, in any of the three, ends them all.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Final, TypedDict

from ingest.archive import Archive
from ingest.deliver import RecordDelivery
from ingest.ingester import Ingester, Options
from ingest.journal import Journal
from ingest.keeper import Keeper
from ingest.log import Log, quiet
from ingest.mend import Mender
from ingest.metrics import Metrics
from ingest.outbox import Outbox
from ingest.raw import Raw
from ingest.source import Source
from ingest.store import ServiceStatus, Store

__all__ = ["Ingester", "Options", "Service", "run"]

IDLE_S: Final = 0.2
# Python lets another thread run after 5 ms, and the network's asks several times for each packet: while the loop
# computes, it would bring in some hundred packets a second and hold up every acknowledgement. Ten times as often.
SWITCH_S: Final = 0.0005
START_DAYS: Final = 3  # how far back parts of the archive are opened at the start, to see that they can be read
DAY_NS: Final = 86_400_000_000_000


class Times(TypedDict):
    """Where the time comes from."""

    wall_ns: Callable[[], int]
    monotonic: Callable[[], float]


class Service:
    """An ingester with what goes on beside it; closes nothing that it was given."""

    def __init__(
        self,
        source: Source,
        journal: Journal,
        store: Store,
        archive: Archive,
        *,
        options: Options | None = None,
        metrics: Metrics | None = None,
        log: Log | None = None,
        connected: Callable[[], bool] = lambda: True,
        version: str = "",
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        options, metrics, log = options or Options(), metrics or Metrics(), log or quiet()
        times: Times = {"wall_ns": wall_ns, "monotonic": monotonic}
        self.ingester = Ingester(source, journal, archive, options=options, metrics=metrics, log=log, **times)
        self.metrics = metrics
        self._journal = journal
        self._store = store
        self._archive = archive
        self._log = log
        self._connected = connected
        self._version = version
        self._wall_ns = wall_ns
        self._started_ns = wall_ns()
        self._outbox, self._raw = Outbox.beside(journal.path), Raw.beside(journal.path)
        self.delivery = RecordDelivery(self._outbox, store, metrics, log, beat=self.standing, **times)
        self.keeper = Keeper(self._raw, archive, metrics, log, options.archive_after_s, **times)

        metrics.delivery_age.set_function(self._delivery_age_s)
        metrics.accepting.set_function(lambda: not self.ingester.room.reason)
        metrics.journal_bytes.set_function(journal.size)
        metrics.free_bytes.set_function(lambda: self.ingester.room.free_bytes)

    def check(self) -> None:
        """Look at archive and journal as a crash may have left them, mend what can be mended, and say so."""
        damaged = self._journal.salvaged() is not None
        for finding in self._archive.check(since_ns=0 if damaged else self._wall_ns() - START_DAYS * DAY_NS):
            self._log.error("archive_damaged", file=finding.path.name, lost=finding.lost, sentence=finding.sentence)
        params, now_ns = self.ingester.options.params, self._wall_ns()
        mender = Mender(self._journal, self._archive, self._store, params, self._log, now_ns)
        mender.mend()
        self.ingester.learn(mender.devices)

    def step(self) -> int:
        """One turn of everything, one after the other; how many messages it took."""
        taken = self.ingester.step()
        self.delivery.step()
        self.keeper.step()
        return taken

    def settle(self) -> None:
        """Bring all that came in to its end and deliver it, for as long as the store takes it."""
        self.ingester.settle()
        while self.delivery.step():
            pass

    def standing(self) -> ServiceStatus:
        """How the ingester stands, for whoever watches it; called from any thread."""
        room = self.ingester.room
        records, events = int(_value(self.metrics.outbox)), int(_value(self.metrics.event_outbox))
        return ServiceStatus(
            name="ingest",
            started_ns=self._started_ns,
            beat_ns=self._wall_ns(),
            version=self._version,
            accepting=not room.reason,
            reason=room.reason,
            connected=self._connected(),
            unacked=int(_value(self.metrics.unacked)),
            outbox=records,
            event_outbox=events,
            oldest_outbox_ns=self.delivery.oldest_ns,
            revising=self.ingester.revising,
            journal_bytes=self._journal.size(),
            free_bytes=room.free_bytes,
            lag_s=_value(self.metrics.lag),
        )

    def _delivery_age_s(self) -> float:
        oldest_ns = self.delivery.oldest_ns
        return (self._wall_ns() - oldest_ns) / 1e9 if oldest_ns else 0.0

    def run(self, stop: threading.Event) -> None:
        """Ingest until `stop` is set, then deliver once more what is due."""
        sys.setswitchinterval(SWITCH_S)
        failures: list[BaseException] = []

        def beside(step: Callable[[], int]) -> None:
            try:
                while not stop.is_set():
                    if not step():
                        stop.wait(IDLE_S)
            except BaseException as error:  # noqa: BLE001 - whatever it was, the loop must not go on without it
                failures.append(error)
                stop.set()

        steps = (("deliver", self.delivery.step), ("archive", self.keeper.step))
        threads = [threading.Thread(target=beside, args=(step,), name=name) for name, step in steps]
        for thread in threads:
            thread.start()
        try:
            while not stop.is_set():
                self.ingester.step()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        if failures:
            raise failures[0]
        self.ingester.leave()
        while self.delivery.step():
            pass
        self.delivery.farewell()

    def close(self) -> None:
        """Let go of the connections beside the loop's."""
        self._outbox.close()
        self._raw.close()


def run(
    source: Source,
    journal: Journal,
    store: Store,
    stop: threading.Event,
    *,
    archive: Archive | None = None,
    options: Options | None = None,
    metrics: Metrics | None = None,
    log: Log | None = None,
) -> None:
    """Ingest until `stop` is set, then try once more to deliver; closes nothing that it was given."""
    archive = archive or Archive(journal.path.parent / "archive")
    service = Service(source, journal, store, archive, options=options, metrics=metrics, log=log)
    try:
        service.check()
        service.run(stop)
    finally:
        service.close()


def _value(gauge: object) -> float:
    """What a gauge shows."""
    (family,) = gauge.collect()  # type: ignore[attr-defined]
    return float(family.samples[0].value)
