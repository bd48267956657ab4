"""From the journal to the store and the broker: in order, in bounded batches, for as long as it takes.

Rules
-----
- One `step` makes at most one attempt and never waits; after a failure it stays away for a growing while.
- A record that the store refuses for good is found by halving, quarantined with the store's sentence, and passed.
- Now and then the service says in the store how it stands itself, not by way of the journal: that may be full. A store
  that refuses to hear it still gets all records.
- An event leaves the journal once the broker has it. One that stays unanswered is sent again: its id is fixed.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from ingest.errors import JournalFull, StoreError, StoreRefused, StoreUnavailable
from ingest.log import Log
from ingest.metrics import Metrics
from ingest.outbox import Outbox
from ingest.quarantined import Quarantined
from ingest.source import Publication, Source
from ingest.store import DeviceStatus, Episode, Record, ServiceStatus, Store
from ingest.wire import CONTENT_JSON

BATCH: Final = 5000
BEAT_S: Final = 10.0
BACKOFF_S: Final = (0.5, 60.0)  # first and longest
EVENTS_AT_ONCE: Final = 100
EVENT_PATIENCE_S: Final = 60.0


@dataclass(slots=True)
class RecordDelivery:
    """Brings records to the store."""

    outbox: Outbox
    store: Store
    metrics: Metrics
    log: Log
    wall_ns: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic
    beat: Callable[[], ServiceStatus] | None = None
    wait_s: float = 0.0
    not_before: float = 0.0
    beat_at: float = 0.0
    beat_refused: bool = False
    oldest_ns: int = 0  # when the oldest record that waits was made; 0 if none does

    def step(self) -> int:
        """Deliver one batch if there is one and it is time; how many records left the journal."""
        away = self.monotonic() < self.not_before
        if away and self.oldest_ns:
            return 0
        try:
            queued = self.outbox.records(1 if away else BATCH)
            self.oldest_ns = queued[0][1].updated_ns if queued else 0
            if away:
                return 0
            self._beat()
            return self._deliver(queued)
        except StoreUnavailable as error:
            self._back_off(error)
            return 0
        except JournalFull as error:  # the store has them, and will have them again: that changes nothing
            self.log.warning("delivery_not_noted", reason=str(error))
            self.not_before = self.monotonic() + BACKOFF_S[0]
            return 0

    def farewell(self) -> None:
        """Say in the store that blocks no longer come in, where the store answers."""
        if self.beat is None or self.wait_s:
            return
        with suppress(StoreError):
            self.store.write([msgspec.structs.replace(self.beat(), connected=False, updated_ns=self.wall_ns())])

    def _beat(self) -> None:
        if self.beat is not None and self.monotonic() >= self.beat_at:
            try:
                self.store.write([msgspec.structs.replace(self.beat(), updated_ns=self.wall_ns())])
            except StoreRefused as error:
                if not self.beat_refused:  # once: it is refused again and again
                    self.log.error("status_refused", reason=str(error))  # noqa: TRY400 - the sentence says it all
                self.beat_refused = True
            else:
                self.beat_refused = False
            self.beat_at = self.monotonic() + BEAT_S

    def _deliver(self, queued: Sequence[tuple[int, Record]]) -> int:
        if not queued:
            return 0
        now_ns = self.wall_ns()
        # The last of several revisions stands for all: some stores do not promise an order within one write.
        latest = {_key(record): msgspec.structs.replace(record, updated_ns=now_ns) for _, record in queued}
        refused: list[Quarantined] = []
        self._write(list(latest.values()), refused)
        self.outbox.records_delivered(queued[-1][0], refused)
        for item in refused:
            self.metrics.quarantined.labels(item.reason).inc()
        self.metrics.records.inc(len(queued) - len(refused))
        if self.wait_s:
            self.log.info("store_back")
        self.wait_s = self.not_before = 0.0
        return len(queued)

    def _write(self, records: Sequence[Record], refused: list[Quarantined]) -> None:
        try:
            self.store.write(records)
        except StoreRefused as error:
            if len(records) > 1:
                middle = len(records) // 2
                self._write(records[:middle], refused)
                self._write(records[middle:], refused)
                return
            (record,) = records
            # The sentence says it all; the store's stack is of no use to anyone.
            self.log.error("record_refused", device=_key(record)[1], reason=str(error))  # noqa: TRY400
            body = msgspec.json.encode(record)
            name = f"store/{type(record).__name__.lower()}"
            refused.append(Quarantined(name, body, CONTENT_JSON, "store", str(error), self.wall_ns()))

    def _back_off(self, error: StoreUnavailable) -> None:
        if not self.wait_s:
            self.log.warning("store_unavailable", reason=str(error))
        self.metrics.store_errors.inc()
        first, longest = BACKOFF_S
        self.wait_s = min(longest, max(first, 2 * self.wait_s))
        if error.retry_after_s is not None:
            self.wait_s = min(longest, max(self.wait_s, error.retry_after_s))
        self.not_before = self.monotonic() + self.wait_s


class _OnItsWay(msgspec.Struct):
    publication: Publication
    since: float
    scope: str


class EventDelivery:
    """Brings events to the broker."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        source: Source,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._source = source
        self._metrics = metrics
        self._monotonic = monotonic
        self._on_their_way: dict[int, _OnItsWay] = {}

    def step(self) -> int:
        """Remove what the broker has and send what it has not; how many events left the journal."""
        done = [place for place, sent in self._on_their_way.items() if sent.publication.done]
        if done:
            self._outbox.events_delivered(done)
            for place in done:
                self._metrics.events.labels(self._on_their_way.pop(place).scope).inc()
        now = self._monotonic()
        for place, topic, payload in self._outbox.events(EVENTS_AT_ONCE):
            sent = self._on_their_way.get(place)
            if sent is not None and now - sent.since < EVENT_PATIENCE_S:
                continue
            publication = self._source.publish(topic, payload, content_type=CONTENT_JSON)
            if publication is None:
                break
            scope = "live" if b'"scope":"live"' in payload else "backfill"
            self._on_their_way[place] = _OnItsWay(publication, now, scope)
        return len(done)


def _key(record: Record) -> tuple[str, str, str, int]:
    if isinstance(record, DeviceStatus):
        return "status", record.device, "", 0
    if isinstance(record, ServiceStatus):
        return "service", record.name, "", 0
    if isinstance(record, Episode):
        return "episode", record.device, record.site, record.onset_ns
    return "epoch", record.device, record.site, record.start_ns
