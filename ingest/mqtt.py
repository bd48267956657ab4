"""The MQTT 5 source: one persistent session, captured on a network thread, taken and acknowledged by the service's.

Rules
-----
- Callbacks only enqueue: they never parse, wait or raise.
- A delivery carries the generation of its connection, and an acknowledgement of an older generation is dropped:
  after a reconnect the broker may use the same message number for another message, which would be lost.
- Nothing is acknowledged here before the service says so. Receive Maximum bounds what is outstanding by number, as
  far as the broker heeds it; by bytes it is bounded here: with more than `max_queued_bytes` in the queue the
  connection is not read until half of it has been taken. So memory is at most that, one batch (`MAX_BATCH_BYTES`)
  and one message (`MAX_PACKET_BYTES`).
- Devices take turns, whatever the order of arrival (`ingest/fair.py`); the broker is answered in that order.
- Reconnects for ever, at growing intervals; asks again for a subscription that was refused.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.fair import InOrder, Lines, device_of
from ingest.log import Log, quiet
from ingest.mqtt_client import Client
from ingest.mqtt_loop import Network
from ingest.settings import Settings
from ingest.source import MAX_BATCH_BYTES, Delivery, MemorySource, Publication, Source
from ingest.wire import MAX_PAYLOAD_BYTES, TOPIC_ROOT

__all__ = ["Delivery", "MemorySource", "MqttSettings", "MqttSource", "Publication", "Source", "mqtt_settings"]

# Twice what is accepted, so that a message somewhat too large is counted here and not dropped by the broker.
MAX_PACKET_BYTES: Final = 2 * MAX_PAYLOAD_BYTES
# Publications of ours that may be unanswered, unless the broker allows less. Its answers wait behind a backlog; with
# paho's 20 every acknowledgement to a device would wait until the backlog has been taken in, and devices would repeat.
IN_FLIGHT: Final = 10_000
REFUSED: Final = (
    "the broker does not take what is sent to devices (ack) or of episodes (events): let this user write there"
)
FORGOTTEN: Final = (
    "the broker knows this ingester from before, but the data folder is new. If its disk is not mounted, end the "
    "ingester and mount it: what came in since then lies in the folder below the mount point. If another ingester uses "
    "this client id, choose another id. If the folder was emptied on purpose, all is well"
)
LOST: Final = (
    "the broker holds no session of this ingester: if it did before, what waited there is gone. Devices that keep "
    "their blocks until the service acknowledges them send them again; `charley doctor` looks at persistence and expiry"
)
SUBSCRIPTIONS: Final = ((f"{TOPIC_ROOT}/+/blocks", 1), (f"{TOPIC_ROOT}/+/status", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """Which broker, as whom, and how much may be outstanding."""

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = "charley-ingest"
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: Path | None = None
    receive_maximum: int = 20_000  # many, so that turns are taken among many devices; bytes bound memory
    session_expiry_s: int = 7 * 86_400
    max_queued_bytes: int = 64 * 1024 * 1024
    keepalive_s: int = 30
    reconnect_max_s: int = 30
    resubscribe_s: float = 30.0  # after a refusal


def mqtt_settings(settings: Settings) -> MqttSettings:
    """The broker that the settings name, as they would have the ingester connect to it."""
    return MqttSettings(
        host=settings.broker_host,
        port=settings.broker_port,
        client_id=settings.client_id,
        username=settings.broker_username,
        password=settings.broker_password.get_secret_value() if settings.broker_password else None,
        tls=settings.broker_tls_ca is not None,
        ca_file=settings.broker_tls_ca,
    )


@lru_cache(maxsize=8)
def _typed(content_type: str) -> Properties:
    """Properties that say what a payload is; paho takes as long to make them as for all the rest of a message."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = content_type
    return properties


class _Sent:
    """A message handed to paho, which sends it again after a reconnect."""

    def __init__(self, info: paho.MQTTMessageInfo) -> None:
        self._info = info
        # The connection has ended and we have not heard yet. It is sent on the next one, but paho would tell of this
        # first attempt only: by an error whenever it is asked.
        if info.rc == paho.MQTT_ERR_NO_CONN:
            info.rc = paho.MQTT_ERR_SUCCESS

    @property
    def done(self) -> bool:
        return self._info.rc == paho.MQTT_ERR_SUCCESS and self._info.is_published()


class MqttSource:
    """A `Source` on a real broker. Connects in the background as soon as it is made.

    `watch` is told whenever blocks begin or cease to come in; it must return at once. Where all begins anew with `new`,
    a broker that knows us is told of once.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        log: Log | None = None,
        watch: Callable[[bool], None] | None = None,
        new: bool = False,
    ) -> None:
        self.connected = False
        self.subscribed = False  # connected, and the broker has granted what was asked
        self.stale = 0  # acknowledgements dropped because their connection was gone
        self._settings = settings
        self._log = log or quiet()
        self._watch = watch or (lambda _: None)
        self._waiting: Lines[Delivery] = Lines()
        self._changed = threading.Condition()  # of what waits
        self._new = new
        self._refusals: set[str] = set()  # said on this connection
        self._resubscribe_at = math.inf  # written by the network thread only
        self._received = 0  # messages; written by the network thread only
        self._paused = False  # written by the network thread only
        self._generation = 0
        self._answers = InOrder()
        self._lock = threading.Lock()  # an acknowledgement and a new connection exclude each other
        self._client = self._build()
        self._network = Network(
            self._client,
            has_room=self._has_room,
            received=lambda: self._received,
            now_and_then=self._subscribe_again,
            longest_wait_s=max(1, settings.reconnect_max_s),
            log=self._log,
        )
        self._network.start()

    def take(self, max_n: int, timeout_s: float) -> list[Delivery]:
        """Up to `max_n` deliveries, or `MAX_BATCH_BYTES` of them; waits up to `timeout_s` for the first."""
        with self._changed:
            if not self._waiting and timeout_s > 0:
                self._changed.wait_for(lambda: self._waiting, timeout_s)
            taken = self._waiting.take(max_n, MAX_BATCH_BYTES)
        if self._paused:
            self._network.wake()
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge in order of arrival, as far as all before is done; those of an older connection are passed over.

        So every delivery that was taken must be handed back here in the end.
        """
        with self._lock:
            mine = [delivery.mid for delivery in deliveries if delivery.generation == self._generation]
            self.stale += len(deliveries) - len(mine)
            for mid in self._answers.done(mine):
                self._client.ack(mid, 1)

    def publish(self, topic: str, payload: bytes, *, content_type: str | None = None) -> Publication | None:
        """Send at QoS 1, not retained; None if there is no connection and nothing was sent."""
        if not self.connected:
            return None
        properties = None if content_type is None else _typed(content_type)
        return _Sent(self._client.publish(topic, payload, qos=1, properties=properties))

    @property
    def queued_bytes(self) -> int:
        """How much was received and not yet taken."""
        return self._waiting.size

    @property
    def outstanding(self) -> int:
        """How many messages the broker waits to be answered, taken or not."""
        return len(self._answers)

    @property
    def limited(self) -> dict[str, int]:
        """Devices that sent more than their share while others waited: in how many batches."""
        with self._changed:
            return dict(self._waiting.limited)

    def crowding(self) -> dict[str, int]:
        """Those of them that fill more than half of what may be queued."""
        with self._changed:
            return self._waiting.crowding(self._settings.max_queued_bytes // 2)

    def close(self) -> None:
        """Send what is queued and leave; the broker keeps the session and what it has not delivered."""
        self._network.stop()

    def _build(self) -> paho.Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        client.max_inflight_messages_set(IN_FLIGHT)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if settings.tls:
            client.tls_set(ca_certs=str(settings.ca_file) if settings.ca_file else None)
        client.on_message = self._on_message
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_pre_connect = self._on_pre_connect
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_expiry_s
        properties.ReceiveMaximum = settings.receive_maximum
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        client.connect_async(
            settings.host, settings.port, settings.keepalive_s, clean_start=False, properties=properties
        )
        return client

    def _new_generation(self) -> None:
        with self._lock:
            self._generation += 1
            self._answers.clear()

    # What follows runs on the network thread.

    def _has_room(self) -> bool:
        limit = self._settings.max_queued_bytes
        self._paused = self._waiting.size > (limit // 2 if self._paused else limit)
        return not self._paused

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"  # the service will say that this is no topic of ours
        content_type = getattr(message.properties, "ContentType", None)
        mid = message.mid if message.qos else 0
        delivery = Delivery(
            topic, bytes(message.payload), content_type, mid, self._generation, message.retain, time.time_ns()
        )
        if mid:
            with self._lock:
                self._answers.arrived(mid)
        with self._changed:
            self._waiting.put(device_of(topic), delivery, delivery.size)
            self._changed.notify()
        self._received += 1

    def _on_pre_connect(self, _client: paho.Client, _userdata: object) -> None:
        self._new_generation()
        self.connected = False
        self._now_subscribed(False)

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._log.error("broker_refused", host=self._settings.host, reason=str(reason))
            return
        # paho does not look at what the broker allows, and has no public way to change this now; nothing is sent yet.
        client._max_inflight_messages = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))
        self._refusals.clear()
        self._subscribe()  # on every connection: the broker may have lost the session
        self.connected = True
        self._log.info("broker_connected", host=self._settings.host, session_present=flags.session_present)
        if flags.session_present and self._new:
            self._log.error("data_folder_new", client_id=self._settings.client_id, sentence=FORGOTTEN)
        elif not flags.session_present and not self._new:
            self._log.warning("session_lost", client_id=self._settings.client_id, sentence=LOST)
        self._new = False
        if flags.session_present:
            self._now_subscribed(True)  # rumqttd does not answer a repeated subscription

    def _subscribe(self) -> None:
        self._resubscribe_at = math.inf
        self._client.subscribe(list(SUBSCRIPTIONS))

    def _subscribe_again(self) -> None:
        """After a refusal: whoever grants it may have been away, or have been put right since."""
        if self.connected and time.monotonic() >= self._resubscribe_at:
            self._subscribe()

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            again_in_s = self._settings.resubscribe_s
            self._resubscribe_at = time.monotonic() + again_in_s
            self._log.error("subscription_refused", reasons=[str(reason) for reason in reasons], again_in_s=again_in_s)
        self._now_subscribed(not any(reason.is_failure for reason in reasons))

    def _on_publish(
        self, _client: paho.Client, _userdata: object, _mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        """The broker has answered; paho takes a refusal for an answer like any other."""
        if reason.is_failure and str(reason) not in self._refusals:
            self._refusals.add(str(reason))
            self._log.error("publication_refused", reason=str(reason), sentence=REFUSED)

    def _now_subscribed(self, subscribed: bool) -> None:
        if subscribed != self.subscribed:
            self.subscribed = subscribed
            self._watch(subscribed)

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        # Here, and again before connecting: from now on no acknowledgement of this connection may be queued,
        # or paho would send it on the next one.
        self._new_generation()
        self.connected = False
        self._now_subscribed(False)
        say = self._log.info if self._network.leaving else self._log.warning
        say("broker_disconnected", host=self._settings.host, reason=str(reason))
