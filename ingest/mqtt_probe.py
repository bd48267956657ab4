"""One MQTT 5 connection for looking at a broker: asks, waits for the answer, and says what was granted."""

import queue
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.errors import IngestError
from ingest.mqtt import MqttSettings

ANSWER_S: Final = 10.0
IN_FLIGHT: Final = 200  # of what a probe itself publishes


class ProbeUnreachable(IngestError):
    """Nothing answers there, or not in time."""


class ProbeRefused(IngestError):
    """The broker answered, and said no."""


class Probe:
    """A connection that is made on entering and ends on leaving, with its session unless `keep_s` says otherwise.

    Nothing that it receives is acknowledged before `acknowledge` is called.
    """

    def __init__(
        self, settings: MqttSettings, *, client_id: str, clean: bool, keep_s: int = 0, receive_maximum: int = 65_535
    ) -> None:
        self.granted: dict[str, int] = {}  # properties of CONNACK, by name
        self.session_present = False
        self._messages: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
        self._connected: queue.SimpleQueue[str] = queue.SimpleQueue()  # a reason for refusal, or nothing
        self._subscribed: queue.SimpleQueue[list[ReasonCode]] = queue.SimpleQueue()
        self._published: dict[int, str] = {}
        self._gone = ""  # why the broker ended the connection
        self._all_published = threading.Condition()
        self._keep_s = keep_s
        self._settings = settings
        self._clean = clean
        self._receive_maximum = receive_maximum
        self._client = self._build(client_id)

    def __enter__(self) -> Self:
        settings = self._settings
        properties = _properties(
            PacketTypes.CONNECT, SessionExpiryInterval=self._keep_s, ReceiveMaximum=self._receive_maximum
        )
        try:
            self._client.connect(settings.host, settings.port, 60, clean_start=self._clean, properties=properties)
        except OSError as error:
            raise ProbeUnreachable(str(error) or type(error).__name__) from error
        self._client.loop_start()
        try:
            refused = self._connected.get(timeout=ANSWER_S)
        except queue.Empty:
            self._stop()
            raise ProbeUnreachable(f"no answer within {ANSWER_S:.0f} s: is it an MQTT 5 broker?") from None
        if refused:
            self._stop()
            raise ProbeRefused(refused)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def end_session(self) -> None:
        """Let the broker forget the session when this connection ends."""
        self._keep_s = 0

    def subscribe(self, topics: Sequence[str]) -> list[str]:
        """Subscribe at QoS 1; for each topic why it was refused, or nothing."""
        self._client.subscribe([(topic, 1) for topic in topics])
        try:
            reasons = self._subscribed.get(timeout=ANSWER_S)
        except queue.Empty:
            raise ProbeUnreachable(f"no answer to a subscription within {ANSWER_S:.0f} s") from None
        return [str(reason) if reason.is_failure else "" for reason in reasons]

    def publish(self, topic: str, payloads: Sequence[bytes], *, timeout_s: float = 60.0) -> list[str]:
        """Publish at QoS 1 and wait; for each payload why it was refused, or nothing."""
        mids = [self._client.publish(topic, payload, qos=1).mid for payload in payloads]
        with self._all_published:
            left = set(mids)
            done = self._all_published.wait_for(lambda: self._gone or left <= self._published.keys(), timeout_s)
            if self._gone or not done:
                raise ProbeUnreachable(self._gone or f"not taken within {timeout_s:.0f} s")
            return [self._published.pop(mid) for mid in mids]

    def receive(self, timeout_s: float) -> paho.MQTTMessage | None:
        """The next message, or None when none comes in time."""
        try:
            return self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def acknowledge(self, messages: Sequence[paho.MQTTMessage]) -> None:
        """Acknowledge in order."""
        for message in messages:
            if message.qos:
                self._client.ack(message.mid, message.qos)

    def _build(self, client_id: str) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5, manual_ack=True,
            reconnect_on_failure=False,
        )  # fmt: skip
        client.max_inflight_messages_set(IN_FLIGHT)
        client.connect_timeout = ANSWER_S
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if settings.tls:
            client.tls_set(ca_certs=str(settings.ca_file) if settings.ca_file else None)
        client.on_connect = self._on_connect
        client.on_message = lambda _client, _data, message: self._messages.put(message)
        client.on_subscribe = lambda _client, _data, _mid, reasons, _properties: self._subscribed.put(reasons)
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        return client

    def _stop(self) -> None:
        ending = None if self._keep_s else _properties(PacketTypes.DISCONNECT, SessionExpiryInterval=0)
        self._client.disconnect(properties=ending)
        self._client.loop_stop()

    # What follows runs on paho's thread.

    def _on_connect(
        self, _client: paho.Client, _data: object, flags: paho.ConnectFlags, reason: ReasonCode,
        properties: Properties | None,
    ) -> None:  # fmt: skip
        self.session_present = flags.session_present
        self.granted = {} if properties is None else {k: v for k, v in vars(properties).items() if isinstance(v, int)}
        self._connected.put(str(reason) if reason.is_failure else "")

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        with self._all_published:
            self._published[mid] = str(reason) if reason.is_failure else ""
            self._all_published.notify_all()

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: paho.DisconnectFlags, reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        self._connected.put(str(reason))  # heard only where no answer to CONNECT came before
        with self._all_published:
            self._gone = f"the broker ended the connection: {reason}"
            self._all_published.notify_all()


def _properties(kind: int, **values: Any) -> Properties:
    properties = Properties(kind)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
