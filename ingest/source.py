"""Where messages come from: three verbs, and an in-memory source that behaves as a broker does.

Rules
-----
- A delivery belongs to one connection, its generation. Only an acknowledgement on that same connection counts;
  an older one is dropped, for the broker numbers messages anew on each connection.
- What was taken but not acknowledged is delivered again on the next connection.
- Deliveries are acknowledged in the order in which they arrived.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import msgspec


class Delivery(msgspec.Struct, frozen=True):
    """One message as it came: nothing parsed, nothing checked. `mid` 0 needs no acknowledgement."""

    topic: str
    payload: bytes
    content_type: str | None
    mid: int
    generation: int
    retained: bool
    received_ns: int


class Publication(Protocol):
    """A message on its way out."""

    @property
    def done(self) -> bool:
        """Whether the broker has it."""


class Source(Protocol):
    """The three verbs that the service needs of a broker."""

    def take(self, max_n: int, timeout_s: float) -> list[Delivery]:
        """Up to `max_n` deliveries in order of arrival; waits up to `timeout_s` for the first."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these are durable here; those of an older connection are passed over."""

    def publish(self, topic: str, payload: bytes, *, content_type: str | None = None) -> Publication | None:
        """Send at least once, not retained; None if there is no connection and nothing was sent."""


class Published(msgspec.Struct, frozen=True):
    """A message that the service sent; `done` at once."""

    topic: str
    payload: bytes
    content_type: str | None
    done: bool = True


class MemorySource:
    """A broker within this process, for demonstrations and tests. Safe to feed from another thread."""

    def __init__(self) -> None:
        self.published: list[Published] = []
        self.connected = True
        self._changed = threading.Condition()
        self._waiting: deque[Delivery] = deque()
        self._unacknowledged: dict[int, Delivery] = {}
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
            self._generation += 1
            self._mid = 0
            for delivery in again:
                self._deliver(delivery)
            self._changed.notify()

    @property
    def outstanding(self) -> int:
        """Deliveries not yet acknowledged, taken or not."""
        with self._changed:
            return len(self._unacknowledged)

    def take(self, max_n: int, timeout_s: float) -> list[Delivery]:
        """Up to `max_n` deliveries in order of arrival; waits up to `timeout_s` for the first."""
        with self._changed:
            if not self._waiting and timeout_s > 0:
                self._changed.wait_for(lambda: self._waiting, timeout_s)
            return [self._waiting.popleft() for _ in range(min(max_n, len(self._waiting)))]

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Forget these; those of an older connection are passed over."""
        with self._changed:
            for delivery in deliveries:
                if delivery.generation == self._generation:
                    self._unacknowledged.pop(delivery.mid, None)

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
        self._waiting.append(numbered)
        return numbered
