"""MQTT 3.1.1 as bytes, as little of it as a device needs; so that one process can be thousands of devices."""

import struct
from collections.abc import Iterator
from typing import Final

CONNACK: Final = 2
PUBLISH: Final = 3
PUBACK: Final = 4
SUBACK: Final = 9
PING: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
_LONGEST: Final = 4  # bytes of a remaining length


def connect(client_id: str, *, keepalive_s: int, will: tuple[str, bytes] | None = None) -> bytes:
    """A connection that keeps its session; the will is retained, QoS 1."""
    flags = 0x2C if will else 0x00  # will retain, will QoS 1, will; clean session 0
    body = _text("MQTT") + bytes((4, flags)) + struct.pack(">H", keepalive_s) + _text(client_id)
    if will:
        body += _text(will[0]) + struct.pack(">H", len(will[1])) + will[1]
    return b"\x10" + _length(len(body)) + body


def subscribe(mid: int, topic: str) -> bytes:
    """Subscribe to one topic at QoS 1."""
    body = struct.pack(">H", mid) + _text(topic) + b"\x01"
    return b"\x82" + _length(len(body)) + body


def publish(mid: int, topic: bytes, payload: bytes, *, retain: bool = False) -> bytes:
    """A message at QoS 1; the topic is encoded already."""
    head = struct.pack(">H", len(topic)) + topic + struct.pack(">H", mid)
    return bytes((0x33 if retain else 0x32,)) + _length(len(head) + len(payload)) + head + payload


def puback(mid: int) -> bytes:
    """The answer to a message."""
    return b"\x40\x02" + struct.pack(">H", mid)


def split(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Whole packets at the front of a buffer, which are taken out of it: kind, flags, body."""
    at = 0
    try:
        while len(buffer) - at >= 2:
            size, shift, head = 0, 0, at + 1
            while True:
                if head >= len(buffer):
                    return
                byte = buffer[head]
                size |= (byte & 0x7F) << shift
                head, shift = head + 1, shift + 7
                if byte < 0x80:
                    break
                if shift >= 7 * _LONGEST:
                    raise ConnectionError("no MQTT")
            if len(buffer) < head + size:
                return
            body = bytes(buffer[head : head + size])
            kind, flags = buffer[at] >> 4, buffer[at] & 0x0F
            at = head + size
            yield kind, flags, body
    finally:
        del buffer[:at]


def received(flags: int, body: bytes) -> tuple[str, int, bytes]:
    """Topic, message number (0 at QoS 0) and payload of a message."""
    (size,) = struct.unpack_from(">H", body)
    topic = body[2 : 2 + size].decode()
    if not flags & 0x06:
        return topic, 0, body[2 + size :]
    (mid,) = struct.unpack_from(">H", body, 2 + size)
    return topic, mid, body[4 + size :]


def number(body: bytes) -> int:
    """The message number that an answer names."""
    value: int = struct.unpack_from(">H", body)[0]
    return value


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)
