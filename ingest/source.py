"""Where messages come from: three verbs, and an in-memory source that behaves as a broker does.

Rules
-----
- A delivery belongs to one connection, its generation. Only an acknowledgement on that same connection counts;
  an older one is dropped, for the broker numbers messages anew on each connection.
- What was taken but not acknowledged is delivered again on the next connection.
- Devices take turns: a batch holds each device's deliveries in their order, but not all in the order of arrival.
- The broker hears of deliveries in the order in which they arrived: what is acknowledged waits for what came before
  it, so every delivery that was taken must be acknowledged in the end.
"""

import sys
import threading
import time
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from ingest.fair import InOrder, Lines, device_of

MAX_BATCH_BYTES: Final = 64 * 1024 * 1024
OVERHEAD_BYTES: Final = 1024  # what a delivery takes besides what came with it, generously


class Delivery(msgspec.Struct, frozen=True):
    """One message as it came: nothing parsed, nothing checked. `mid` 0 needs no acknowledgement."""

    topic: str
    payload: bytes
    content_type: str | None
    mid: int
    generation: int
    retained: bool
    received_ns: int

    @property
    def size(self) -> int:
        """How many bytes of memory it takes, generously: names may be long too."""
        return len(self.payload) + sys.getsizeof(self.topic) + sys.getsizeof(self.content_type) + OVERHEAD_BYTES


class Publication(Protocol):
    """A message on its way out."""

    @property
    def done(self) -> bool:
        """Whether the broker has it."""


class Source(Protocol):
    """What the service needs of a broker."""

    @property
    def outstanding(self) -> int:
        """How many messages came in, taken or not, that are not acknowledged."""

    def take(self, max_n: int, timeout_s: float) -> list[Delivery]:
        """Up to `max_n` deliveries, devices in turn; waits up to `timeout_s` for the first."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These are durable here, and the broker may hear so; those of an older connection are passed over."""

    def publish(self, topic: str, payload: bytes, *, content_type: str | None = None) -> Publication | None:
        """Send at least once, not retained; None if there is no connection and nothing was sent."""

    def crowding(self) -> dict[str, int]:
        """Devices that fill more than half of the queue while others wait: in how many batches they had too much."""


class Published(msgspec.Struct, frozen=True):
    """A message that the service sent; `done` at once."""

    topic: str
    payload: bytes
    content_type: str | None
    done: bool = True


class MemorySource:
    """A broker within this process, for demonstrations and tests. Safe to feed from another thread."""

    def __init__(self, *, max_queued_bytes: int = 2**62) -> None:
        self.published: list[Published] = []
        self._max_queued_bytes = max_queued_bytes
        self.connected = True
        self._changed = threading.Condition()
        self._waiting: Lines[Delivery] = Lines()
        self._unacknowledged: dict[int, Delivery] = {}
        self._answers = InOrder()
        self._generation = 1
        self._mid = 0

    def feed(self, topic: str, payload: bytes, *, content_type: str | None = None, retained: bool = False) -> Delivery:
        """A device publishes."""
        with self._changed:
            delivery = self._deliver(Delivery(topic, payload, content_type, 0, 0, retained, time.time_ns()))
            self._changed.notify()
            return delivery

    def reconnect(self) -> None:
        """The connection is lost and comes back: all that was not acknowledged is delivered again, first."""
        with self._changed:
            again = [*self._unacknowledged.values()]
            self._waiting.clear()
            self._unacknowledged.clear()
            self._answers.clear()
            self._generation += 1
            self._mid = 0
            for delivery in again:
                self._deliver(delivery)
            self._changed.notify()

    @property
    def outstanding(self) -> int:
        """Deliveries of which the broker has not heard, taken or not."""
        with self._changed:
            return len(self._unacknowledged)

    @property
    def limited(self) -> dict[str, int]:
        """Devices that sent more than their share while others waited: in how many batches."""
        with self._changed:
            return dict(self._waiting.limited)

    def crowding(self) -> dict[str, int]:
        """Those of them that fill more than half of `max_queued_bytes`."""
        with self._changed:
            return self._waiting.crowding(self._max_queued_bytes // 2)

    def take(self, max_n: int, timeout_s: float) -> list[Delivery]:
        """Up to `max_n` deliveries, or `MAX_BATCH_BYTES` of them; waits up to `timeout_s` for the first."""
        with self._changed:
            if not self._waiting and timeout_s > 0:
                self._changed.wait_for(lambda: self._waiting, timeout_s)
            return self._waiting.take(max_n, MAX_BATCH_BYTES)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Forget these, in order of arrival; those of an older connection are passed over."""
        with self._changed:
            for mid in self._answers.done(d.mid for d in deliveries if d.generation == self._generation):
                del self._unacknowledged[mid]

    def publish(self, topic: str, payload: bytes, *, content_type: str | None = None) -> Published | None:
        """Note what was sent, in `published`; None while `connected` is false."""
        if not self.connected:
            return None
        message = Published(topic, payload, content_type)
        self.published.append(message)
        return message

    def _deliver(self, delivery: Delivery) -> Delivery:
        self._mid += 1
        numbered = msgspec.structs.replace(delivery, mid=self._mid, generation=self._generation)
        self._unacknowledged[self._mid] = numbered
        self._answers.arrived(self._mid)
        self._waiting.put(device_of(numbered.topic), numbered, numbered.size)
        return numbered
