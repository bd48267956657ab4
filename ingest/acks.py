"""What devices are told: up to which block everything is durable. Not for every block: a device has time."""

from collections.abc import Iterable
from typing import Final

from ingest.devices import Device
from ingest.order import ERA, Order
from ingest.source import Source
from ingest.wire import Ack, encode, topic

EVERY_S: Final = 2.0


class Acks:
    """Acknowledgements to devices that are due, at most one per device and boot every `every_s`."""

    def __init__(self, source: Source, *, every_s: float = EVERY_S) -> None:
        self._source = source
        self._every_s = every_s
        self._due: dict[tuple[str, int], None] = {}
        self._sent: dict[tuple[str, int], float] = {}

    def note(self, blocks: Iterable[tuple[str, int]]) -> None:
        """Blocks of these devices and boots came in, be they new or not: the device waits for an answer."""
        self._due.update(dict.fromkeys(blocks))

    def send(self, devices: dict[str, Device], *, now: float) -> int:
        """Send what is due; how many it were."""
        count = 0
        for key in [key for key in self._due if now - self._sent.get(key, -self._every_s) >= self._every_s]:
            device, boot = key
            order = devices[device].order if device in devices else Order()
            seq = order.durable(boot)
            # Of two boots with one number, the device remembers the newer: only that one may be spoken of.
            if seq is not None and order.newest(boot):
                # No content type: the device may speak 3.1.1, and rumqttd breaks on properties for such a one.
                if self._source.publish(topic(device, "ack"), encode(Ack(boot=boot % ERA, seq=seq))) is None:
                    break  # no connection: what is due stays due
                count += 1
            del self._due[key]
            self._sent[key] = now
        if len(self._sent) > 2 * len(devices) + 1000:
            self._sent = {key: at for key, at in self._sent.items() if now - at < self._every_s}
        return count
