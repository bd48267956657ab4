"""Messages that the broker passes on and our client library refuses: they hold up nothing behind them."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_feed import cut, episodes, recording, service
from servers import Mosquitto, wait_for

from ingest.journal import Journal
from ingest.mqtt import MqttSettings, MqttSource
from ingest.mqtt_client import Message, read_publish
from ingest.service import Options
from ingest.store.memory import MemoryStore
from ingest.wire import CONTENT_MSGPACK, encode

AT_LEAST_ONCE = 0x32
MARK = "\ufeff"


def number(value: int) -> bytes:
    """A variable byte integer."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def text(value: str) -> bytes:
    """A string with its length before it."""
    body = value.encode()
    return len(body).to_bytes(2, "big") + body


def publish(topic: str, payload: bytes, properties: bytes = b"") -> bytes:
    """What follows the fixed header of a message at QoS 1."""
    return text(topic) + b"\x00\x07" + number(len(properties)) + properties + payload


class Speaker:
    """A device that writes its own packets."""

    def __init__(self, broker: Mosquitto) -> None:
        self._socket = socket.create_connection((broker.host, broker.port), 10)
        self._packet(0x10, text("MQTT") + bytes([5, 2, 0, 60, 0]) + text("speaker"))

    def send(self, topic: str, payload: bytes, properties: bytes = b"") -> None:
        """Publish, and see to it that the broker has taken it."""
        assert self._packet(AT_LEAST_ONCE, publish(topic, payload, properties))[0] == 0x40

    def close(self) -> None:
        self._socket.close()

    def _packet(self, kind: int, body: bytes) -> bytes:
        self._socket.sendall(bytes([kind]) + number(len(body)) + body)
        return self._socket.recv(100)


@pytest.fixture
def source(mosquitto: Mosquitto) -> Iterator[MqttSource]:
    with closing(MqttSource(MqttSettings(port=mosquitto.port, client_id="poison", reconnect_max_s=1))) as source:
        wait_for(lambda: source.subscribed, what="subscription")
        yield source


def test_what_is_wrong_with_one_message_keeps_no_other_waiting(
    mosquitto: Mosquitto, source: MqttSource, tmp_path: Path
) -> None:
    tape, store = list(cut(recording(130), [10] * 13)), MemoryStore()
    with closing(Journal(tmp_path / "journal.sqlite")) as journal, closing(Speaker(mosquitto)) as speaker:
        of = service(source, journal, store, options=Options(wait_s=0.05))  # type: ignore[arg-type]
        for block in tape:
            speaker.send("charley/v1/bad/blocks", encode(block), b"\x03" + text(MARK + CONTENT_MSGPACK))
            speaker.send("charley/v1/odd/blocks", encode(block), b"\x26" + text(MARK + "made by") + text("us"))
            speaker.send("charley/v1/odder/blocks", encode(block), b"\x01\x02\x03" + text(CONTENT_MSGPACK))
            speaker.send("charley/v1/good/blocks", encode(block))
        taken = [0]

        def all_in() -> bool:
            taken[0] += of.step()
            return taken[0] >= 4 * len(tape)

        wait_for(all_in, what="all messages")
        of.settle()
        assert source.stale == 0, "the connection lasted"
        assert len(episodes(store, "good")) == len(episodes(store, "odd")) == len(episodes(store, "odder")) == 1
        refused = journal.quarantined()
        assert {(item.topic, item.reason) for item in refused} == {("charley/v1/bad/blocks", "content_type")}
        assert "ufeffapplication/msgpack" in refused[0].sentence
        of.close()


def test_a_message_is_read_by_its_structure() -> None:
    every = b"".join(
        (
            b"\x01\x02", b"\x02" + bytes(4), b"\x08" + text("to"), b"\x09" + text("about"), b"\x23\x00\x00",
            b"\x26" + text(MARK) + text("\0"), b"\x26" + text("") + text(""), b"\x0b\xff\x7f", b"\x03" + text(MARK),
        )
    )  # fmt: skip
    assert read_publish(AT_LEAST_ONCE, publish("a/b", b"body", every)) == Message(b"a/b", 7, MARK.encode(), b"body")
    assert read_publish(0x30, text("a") + b"\x00body") == Message(b"a", 0, None, b"body")


@pytest.mark.parametrize(
    "properties", [b"\x01", b"\x03\x00", b"\x03\x00\x09abc", b"\x05\x00", b"\x0b\xff\xff\xff\xff\x01", b"\x26\x00\x01a"]
)
def test_what_has_no_structure_is_no_message(properties: bytes) -> None:
    assert read_publish(AT_LEAST_ONCE, publish("a/b", b"", properties)) is None
    assert read_publish(AT_LEAST_ONCE, publish("a/b", b"body")[:6]) is None
    assert read_publish(0x34, publish("a/b", b"body")) is None, "QoS 2 is not for us"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_none(packet: bytes) -> None:
    found = read_publish(AT_LEAST_ONCE, packet)
    assert found is None or packet.endswith(found.payload)
