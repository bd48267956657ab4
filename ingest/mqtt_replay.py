"""Messages sent once more as if by their devices: one short connection, beside that of the ingester."""

import threading
from collections.abc import Sequence
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.errors import IngestError
from ingest.mqtt import MqttSettings

ANSWER_S: Final = 20.0  # without any answer of the broker
NOBODY: Final = 0x10  # taken by the broker, which has nobody to give it to

Message = tuple[str, bytes, str | None]  # topic, payload and content type


class ReplayError(IngestError):
    """The broker cannot be reached or does not let us in."""


def send(settings: MqttSettings, messages: Sequence[Message]) -> list[str]:
    """Publish all at QoS 1 and wait; for each why the broker has not taken it, or nothing."""
    sender = _Sender(settings)
    try:
        return sender.send(messages)
    finally:
        sender.close()


class _Sender:
    def __init__(self, settings: MqttSettings) -> None:
        self._changed = threading.Condition()
        self._connected: str | None = None  # why not, or empty
        self._answers: dict[int, str] = {}
        self._gone = ""
        # An id of its own: with the ingester's it would end the ingester's connection.
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{settings.client_id}-replay", protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )  # fmt: skip
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password)
        if settings.tls:
            self._client.tls_set(ca_certs=str(settings.ca_file) if settings.ca_file else None)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect
        where = f"broker {settings.host}:{settings.port}"
        try:
            self._client.connect(settings.host, settings.port, settings.keepalive_s)
        except OSError as error:
            raise ReplayError(f"{where} cannot be reached: {error}") from error
        self._client.loop_start()
        with self._changed:
            answered = self._changed.wait_for(lambda: self._connected is not None, ANSWER_S)
        if not answered or self._connected:
            self.close()
            raise ReplayError(f"{where} refuses the connection: {self._connected or 'no answer'}")

    def send(self, messages: Sequence[Message]) -> list[str]:
        mids = []
        for topic, payload, content_type in messages:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if content_type:
                properties.ContentType = content_type
            mids.append(self._client.publish(topic, payload, qos=1, properties=properties).mid)
        with self._changed:
            while not self._gone and any(mid not in self._answers for mid in mids):
                # Woken by every answer; nobody else notifies.
                if not self._changed.wait(ANSWER_S):
                    self._gone = f"no answer within {ANSWER_S:.0f} s"
            return [self._answers.get(mid, self._gone) for mid in mids]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    # What follows runs on paho's thread.

    def _on_connect(
        self, _client: paho.Client, _data: object, _flags: paho.ConnectFlags, reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        with self._changed:
            self._connected = str(reason) if reason.is_failure else ""
            self._changed.notify_all()

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        why = f"the broker says {reason}" if reason.is_failure else ""
        if reason.value == NOBODY:
            why = "nobody has subscribed: an ingester must have run with this broker"
        with self._changed:
            self._answers[mid] = why
            self._changed.notify_all()

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: paho.DisconnectFlags, reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        with self._changed:
            self._connected = self._connected or str(reason)
            self._gone = f"the broker ended the connection: {reason}"
            self._changed.notify_all()
