"""Hears every event that the service publishes, in a session of its own."""

import threading
from collections import Counter
from types import TracebackType
from typing import Any, Final, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ingest.wire import EpisodeEvent, decode_event, topic

READY_S: Final = 10.0


class Listener:
    """A subscriber that keeps what it hears until the block ends."""

    def __init__(self, host: str, port: int) -> None:
        self.events: list[EpisodeEvent] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=paho.MQTTv5)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect(host, port)
        self._client.loop_start()
        if not self._subscribed.wait(READY_S):
            raise TimeoutError("the broker did not answer a subscriber")

    def scopes(self) -> Counter[str]:
        """How many events had which scope; the same event twice counts once."""
        return Counter({event.id: event.scope for event in self.events}.values())

    def contradictions(self) -> list[str]:
        """Names of events that came with two contents."""
        contents: dict[str, set[str]] = {}
        for event in self.events:
            contents.setdefault(event.id, set()).add(repr(event.data))
        return sorted(name for name, found in contents.items() if len(found) > 1)

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(topic("_", "events").replace("/_/", "/+/"), qos=1)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.events.append(decode_event(bytes(message.payload), content_type="application/json"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
