"""paho's client, which also takes messages with a property that paho does not like and the broker does.

Rules
-----
- Properties are the sender's, and brokers pass on what paho refuses: a byte order mark in a text, a payload format 2.
  For paho that is a malformed packet, which ends the connection; the broker sends it again as the first on the next
  one, and nothing else would ever come in.
- Such a message is taken by its structure. Of its properties only the content type is told on.
- What has no structure is malformed as before: bytes changed on the way come again as they were.
"""

from typing import Final, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

CONTENT_TYPE: Final = 0x03
# The properties that a message may have: how many bytes each takes, 0 for one that says it, and how many of those.
_SIZES: Final = {0x01: (1, 1), 0x02: (4, 1), 0x03: (0, 1), 0x08: (0, 1), 0x09: (0, 1), 0x23: (2, 1), 0x26: (0, 2)}
_SUBSCRIPTION: Final = 0x0B  # a number of variable length


class Message(NamedTuple):
    """What a PUBLISH packet holds; `mid` 0 at QoS 0."""

    topic: bytes
    mid: int
    content_type: bytes | None
    payload: bytes


class Client(paho.Client):
    """paho's client, but for messages that it cannot read."""

    def _handle_publish(self) -> MQTTErrorCode:
        try:
            return super()._handle_publish()
        except MalformedPacket:
            flags, packet = self._in_packet["command"], bytes(self._in_packet["packet"])
            found = read_publish(flags, packet)
            if found is None:
                raise
        message = paho.MQTTMessage(mid=found.mid, topic=found.topic)
        message.qos, message.retain = flags >> 1 & 3, bool(flags & 1)
        message.payload = found.payload
        message.properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if found.content_type is not None:
            message.properties.ContentType = found.content_type.decode(errors="replace")
        self._handle_on_message(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def read_publish(flags: int, packet: bytes) -> Message | None:
    """What an MQTT 5 packet of QoS 0 or 1 holds, whatever its properties say; None without the structure of one."""
    at_least_once = flags >> 1 & 3
    try:
        topic, at = _text(packet, 0)
        mid = int.from_bytes(_bytes(packet, at, 2)) if at_least_once else 0
        size, at = _number(packet, at + 2 * at_least_once)
        content_type = _content_type(_bytes(packet, at, size))
    except (IndexError, KeyError):
        return None
    return Message(topic, mid, content_type, packet[at + size :]) if at_least_once < 2 else None


def _content_type(properties: bytes) -> bytes | None:
    found, at = None, 0
    while at < len(properties):
        kind, at = _number(properties, at)
        if kind == _SUBSCRIPTION:
            _, at = _number(properties, at)
            continue
        size, count = _SIZES[kind]
        for _ in range(count):
            value, at = (_bytes(properties, at, size), at + size) if size else _text(properties, at)
            found = value if kind == CONTENT_TYPE else found
    return found


def _bytes(data: bytes, at: int, size: int) -> bytes:
    """So many bytes, or IndexError."""
    if at + size > len(data):
        raise IndexError
    return data[at : at + size]


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    """A text with its length before it, and where it ends."""
    size = int.from_bytes(_bytes(data, at, 2))
    return _bytes(data, at + 2, size), at + 2 + size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to four bytes, and where it ends."""
    number = 0
    for shift in (0, 7, 14, 21):
        number += (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return number, at
    raise IndexError
