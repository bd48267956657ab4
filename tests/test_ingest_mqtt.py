"""The MQTT source on a real Mosquitto: what is not durable comes again, old acknowledgements are dropped."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from ingest_feed import contents, cut, ingest, recording, service
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from servers import Mosquitto, wait_for

from ingest.journal import Journal
from ingest.log import json_log
from ingest.mqtt import MqttSettings, MqttSource
from ingest.service import Options
from ingest.source import Delivery
from ingest.store.memory import MemoryStore
from ingest.store.sqlite import SqliteStore
from ingest.wire import CONTENT_JSON, CONTENT_MSGPACK, Ack, Status, decode_ack, encode, topic

NUMBERS = [str(i).encode() for i in range(100)]


@contextmanager
def device(broker: Mosquitto, *, protocol: int = paho.MQTTv5) -> Iterator[paho.Client]:
    """A connected client that is a device."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTProtocolVersion(protocol))
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        wait_for(client.is_connected)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(client: paho.Client, name: str, payloads: Sequence[bytes], *, retain: bool = False) -> None:
    """At least once, and known to the broker on return."""
    properties = None
    if client.protocol == paho.MQTTv5:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = CONTENT_MSGPACK
    for info in [client.publish(name, p, qos=1, retain=retain, properties=properties) for p in payloads]:
        info.wait_for_publish(20)


def source(
    broker: Mosquitto, client_id: str, *, watch: Callable[[bool], None] | None = None, **settings: int
) -> MqttSource:
    """A connected source whose subscriptions the broker knows."""
    mine = MqttSettings(port=broker.port, client_id=client_id, reconnect_max_s=1, **settings)
    source = MqttSource(mine, watch=watch)
    wait_for(lambda: source.subscribed, what="subscription")
    return source


def take(source: MqttSource, count: int, *, name: str, timeout_s: float = 20) -> list[Delivery]:
    """Wait for `count` messages on one topic; retained messages of other tests are passed over."""
    taken: list[Delivery] = []
    deadline = time.monotonic() + timeout_s
    while len(taken) < count and time.monotonic() < deadline:
        taken += [d for d in source.take(count - len(taken), 0.1) if d.topic == name]
    return taken


def let_read(client: paho.Client) -> None:
    """Let the broker read what a connection sent before it ended.

    It reads one packet of each connection in turn, and a new connection of the same session throws away the rest.
    """
    for _ in range(2 * len(NUMBERS)):
        client.publish("elsewhere", b"", qos=1).wait_for_publish(20)


def payloads(deliveries: Sequence[Delivery]) -> list[bytes]:
    return [delivery.payload for delivery in deliveries]


def test_messages_come_in_order_as_they_are_and_once_when_acknowledged(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-1", "blocks")
    with device(mosquitto) as client:
        first = source(mosquitto, "t1")
        publish(client, name, NUMBERS)
        taken = take(first, 100, name=name)
        assert payloads(taken) == NUMBERS
        assert {(d.content_type, d.retained) for d in taken} == {(CONTENT_MSGPACK, False)}
        assert len({d.generation for d in taken}) == 1
        assert abs(taken[0].received_ns - time.time_ns()) < 60e9
        first.acknowledge(taken)
        first.close()
        let_read(client)
        publish(client, name, [b"last"])
    with closing(source(mosquitto, "t1")) as second:
        assert payloads(take(second, 1, name=name)) == [b"last"]


def test_a_device_may_speak_mqtt_3(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-3", "blocks")
    with closing(source(mosquitto, "t3")) as ours, device(mosquitto, protocol=paho.MQTTv311) as client:
        publish(client, name, [b"old"])
        (delivery,) = take(ours, 1, name=name)
        assert (delivery.payload, delivery.content_type) == (b"old", None)


def test_what_was_not_acknowledged_comes_again(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-2", "blocks")
    with device(mosquitto) as client, closing(source(mosquitto, "t2")) as first:
        publish(client, name, NUMBERS[:10])
        first.acknowledge(take(first, 10, name=name)[:4])
    with device(mosquitto) as client:
        publish(client, name, NUMBERS[10:20])
    with closing(source(mosquitto, "t2")) as second:
        assert payloads(take(second, 16, name=name)) == NUMBERS[4:20]


def test_no_more_is_outstanding_than_receive_maximum(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-4", "blocks")
    with device(mosquitto) as client, closing(source(mosquitto, "t4", receive_maximum=30)) as ours:
        publish(client, name, NUMBERS)
        first = take(ours, 100, name=name, timeout_s=1)
        # Only until the first acknowledgement: then Mosquitto 2.0.11 sends what it has.
        assert payloads(first) == NUMBERS[:30]
        ours.acknowledge(first)
        assert payloads(take(ours, 70, name=name)) == NUMBERS[30:]


def test_a_birth_message_is_retained_for_a_service_that_comes_later(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-5", "status")
    with device(mosquitto) as client:
        publish(client, name, [encode(Status(boot=1, online=True))], retain=True)
        with closing(source(mosquitto, "t5")) as ours:
            (delivery,) = take(ours, 1, name=name)
            assert delivery.retained
        publish(client, name, [b""], retain=True)


def test_acknowledgements_of_an_old_connection_are_dropped_when_the_broker_has_forgotten_the_session(
    mosquitto: Mosquitto,
) -> None:
    name = topic("mqtt-6", "blocks")
    with closing(source(mosquitto, "t6")) as ours:
        with device(mosquitto) as client:
            publish(client, name, NUMBERS[:3])
            old = take(ours, 3, name=name)
        mosquitto.kill()
        wait_for(lambda: not ours.subscribed)
        mosquitto.start()
        wait_for(lambda: ours.subscribed, timeout_s=30, what="reconnection")
        with device(mosquitto) as client:
            publish(client, name, NUMBERS[10:13])
        new = take(ours, 3, name=name)
        assert payloads(new) == NUMBERS[10:13]
        assert {d.mid for d in new} & {d.mid for d in old}, "the same numbers stand for other messages"
        ours.acknowledge(old)
        assert ours.stale == 3
    with closing(source(mosquitto, "t6")) as again:
        assert payloads(take(again, 3, name=name)) == NUMBERS[10:13], "none of them was acknowledged"


def test_a_broker_that_restarts_sends_again_what_was_taken_before(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-7", "blocks")
    with closing(source(mosquitto, "t7")) as ours:
        with device(mosquitto) as client:
            publish(client, name, NUMBERS[:5])
            old = take(ours, 5, name=name)
        mosquitto.restart()
        new = take(ours, 5, name=name, timeout_s=30)
        assert payloads(new) == payloads(old)
        assert new[0].generation > old[0].generation
        ours.acknowledge(old)
        assert ours.stale == 5
        ours.acknowledge(new)
    with device(mosquitto) as client, closing(source(mosquitto, "t7")) as again:
        publish(client, name, [b"last"])
        assert payloads(take(again, 1, name=name)) == [b"last"]


def test_a_queue_that_is_full_holds_the_broker_back_and_nothing_is_lost(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-8", "blocks")
    sent = [i.to_bytes(2, "big") * 50_000 for i in range(200)]
    limit, got, most = 1_000_000, [], 0
    with device(mosquitto) as client, closing(source(mosquitto, "t8", max_queued_bytes=limit)) as ours:
        publish(client, name, sent)
        wait_for(lambda: ours.queued_bytes > limit)
        while len(got) < len(sent):
            taken = take(ours, 2, name=name)
            assert taken, "the rest never came"
            most = max(most, ours.queued_bytes)
            got += payloads(taken)
            ours.acknowledge(taken)
    assert got == sent
    assert most < limit + 2 * len(sent[0])


def test_a_queue_that_stays_full_stays_bounded_and_loses_nothing(mosquitto: Mosquitto) -> None:
    name = topic("mqtt-14", "blocks")
    sent = [i.to_bytes(2, "big") * 10_000 for i in range(100)]
    limit, seen = 500_000, []
    with device(mosquitto) as client, closing(source(mosquitto, "t14", max_queued_bytes=limit, keepalive_s=1)) as ours:
        publish(client, name, sent)
        wait_for(lambda: ours.queued_bytes > limit)
        # Nothing is read, not even answers to pings, so the connection ends, and ends again.
        for connected in (False, True, False, True):
            wait_for(lambda now=connected: ours.subscribed == now, what="the connection to end or begin")
            seen.append(ours.queued_bytes)
        assert max(seen) < limit + 2 * len(sent[0])
        got: set[bytes] = set()
        wait_for(
            lambda: (ours.acknowledge(batch := ours.take(20, 0.1)), got.update(payloads(batch)), got >= set(sent))[2]
        )


def test_a_noisy_device_does_not_hold_up_the_others_and_answers_keep_their_order(mosquitto: Mosquitto) -> None:
    noisy, quiet = topic("mqtt-noisy", "blocks"), topic("mqtt-quiet", "blocks")
    with device(mosquitto) as client, closing(source(mosquitto, "t13")) as ours:
        publish(client, noisy, [number + b"x" * 5000 for number in NUMBERS])
        publish(client, quiet, NUMBERS[:3])
        wait_for(lambda: ours.outstanding >= 103, what="all of them received")
        batch = [d for d in ours.take(20, 0) if d.topic in {noisy, quiet}]
        late = [d for d in batch if d.topic == quiet]
        assert payloads(late) == NUMBERS[:3]
        assert "mqtt-noisy" in ours.limited
        before = ours.outstanding
        ours.acknowledge(late)
        assert ours.outstanding == before, "what came before them is not done"
    with closing(source(mosquitto, "t13")) as again:
        wait_for(lambda: again.outstanding >= 103, what="all of them once more")
        taken = again.take(1000, 0)
        assert [d.payload.rstrip(b"x") for d in taken if d.topic == noisy] == NUMBERS
        again.acknowledge([d for d in taken if d.topic == quiet])
        again.acknowledge([d for d in taken if d.topic != quiet])
        assert again.outstanding == 0
    with device(mosquitto) as client:
        let_read(client)
        publish(client, quiet, [b"last"])
    with closing(source(mosquitto, "t13")) as last:
        assert payloads(take(last, 1, name=quiet)) == [b"last"]


def test_without_a_connection_nothing_is_sent(mosquitto: Mosquitto) -> None:
    seen: list[bool] = []
    with closing(source(mosquitto, "t9", watch=seen.append)) as ours:
        sent = ours.publish(topic("mqtt-9", "ack"), b"x", content_type=CONTENT_JSON)
        assert sent is not None
        wait_for(lambda: sent.done)
        mosquitto.stop()
        wait_for(lambda: not ours.subscribed)
        assert ours.publish(topic("mqtt-9", "ack"), b"x", content_type=CONTENT_JSON) is None
        mosquitto.start()
        wait_for(lambda: ours.subscribed, timeout_s=30, what="reconnection")
    assert seen == [True, False, True, False]


def test_a_device_hears_what_is_durable(mosquitto: Mosquitto, tmp_path: Path) -> None:
    blocks = list(cut(recording(5), [1.0] * 5))
    heard: list[bytes] = []
    journal = Journal(tmp_path / "journal.sqlite")
    with closing(journal), closing(source(mosquitto, "t10")) as ours, device(mosquitto) as client:
        subscribed: list[int] = []
        client.on_message = lambda _c, _u, message: heard.append(message.payload)
        client.on_subscribe = lambda _c, _u, mid, *_: subscribed.append(mid)
        client.subscribe(topic("mqtt-10", "ack"), qos=1)
        wait_for(lambda: subscribed)
        publish(client, topic("mqtt-10", "blocks"), [encode(b) for b in blocks])
        ingester = service(ours, journal, MemoryStore(), options=Options(wait_s=0.01, ack_s=0))
        wait_for(lambda: (ingester.step(), heard and decode_ack(heard[-1]) == Ack(boot=1, seq=4))[1])
        assert journal.blocks("mqtt-10") == [((1, seq), "ready") for seq in range(5)]


INGESTER = """
import sys, threading
from pathlib import Path
from ingest.journal import Journal
from ingest.log import json_log
from ingest.mqtt import MqttSettings, MqttSource
from ingest.service import Options, run
from ingest.store.sqlite import SqliteStore
folder = Path(sys.argv[1])
source = MqttSource(MqttSettings(port=int(sys.argv[2]), client_id=sys.argv[3]))
run(source, Journal(folder / "journal.sqlite"), SqliteStore(folder / "store.sqlite"), threading.Event(),
    options=Options(batch=20, wait_s=0.05, status_s=0))
"""


def test_kills_in_mid_stream_lose_and_double_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    legs = {f"kill-{i}": list(cut(recording(200, seed=i), [1.0] * 200)) for i in range(3)}
    messages = [(name, blocks[seq]) for seq in range(200) for name, blocks in legs.items()]
    (tmp_path / "undisturbed").mkdir()
    expected = contents(ingest(tmp_path / "undisturbed", messages), list(legs))
    source(mosquitto, "t11").close()  # the session exists before anything is sent

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", INGESTER, str(tmp_path), str(mosquitto.port), "t11"]
        return subprocess.Popen(command, cwd=Path(__file__).parent.parent)

    def received() -> float:
        store = SqliteStore(tmp_path / "store.sqlite")
        with closing(store):
            return sum(e.received_s for name in legs for e in store.epochs(name, start_ns=0, end_ns=2**62))

    child = start()
    kills = 0
    try:
        with device(mosquitto) as client:
            for at in range(0, len(messages), 100):
                for name, block in messages[at : at + 100]:
                    publish(client, topic(name, "blocks"), [encode(block)])
                if at % 200 == 100:
                    enough = kills * 30
                    wait_for(lambda s=enough: received() > s, timeout_s=60, what="something in the store")
                    os.kill(child.pid, signal.SIGKILL)
                    child.wait()
                    kills += 1
                    child = start()
        wait_for(lambda: received() == 600, timeout_s=60, what="all in the store")
        store = SqliteStore(tmp_path / "store.sqlite")
        with closing(store):
            wait_for(lambda: len(store.episodes(list(legs), start_ns=0, end_ns=2**62)) >= 3)
            assert contents(store, list(legs)) == expected
    finally:
        child.kill()
        child.wait()
    assert kills == 3
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        assert all(journal.blocks(name) == [((1, seq), "ready") for seq in range(200)] for name in legs)


def test_a_broker_that_is_not_there_is_waited_for(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    with closing(MqttSource(MqttSettings(port=mosquitto.port, client_id="t12"))) as ours:
        assert ours.take(10, 0.05) == []
        assert not ours.connected
        mosquitto.start()
        wait_for(lambda: ours.subscribed, timeout_s=30)


def test_a_connection_that_is_lost_is_a_warning_and_one_that_is_left_is_not(mosquitto: Mosquitto) -> None:
    said = io.StringIO()
    settings = MqttSettings(port=mosquitto.port, client_id="t13", reconnect_max_s=1)
    with closing(MqttSource(settings, log=json_log(said))) as ours:
        wait_for(lambda: ours.subscribed, what="subscription")
        mosquitto.restart()
        wait_for(lambda: said.getvalue().count("broker_connected") == 2, timeout_s=30, what="a connection again")
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [line["level"] for line in lines if line["event"] == "broker_disconnected"] == ["warning", "info"]


@pytest.mark.parametrize("rubbish", [b"\x32\x01\x00", b"\x00\x00", b"\xff" * 9, b"\x32\x05\x00\x01\xff\x00\x01"])
def test_a_broker_that_talks_rubbish_is_left_and_tried_again(rubbish: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        with closing(MqttSource(MqttSettings(port=server.getsockname()[1], reconnect_max_s=1))) as ours:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    assert connection.recv(1000)[0] == 0x10, "CONNECT"
                    connection.sendall(b"\x20\x03\x00\x00\x00" + rubbish)
                    with suppress(ConnectionResetError):
                        while connection.recv(1000):
                            pass  # until it leaves
            wait_for(lambda: not ours.subscribed)
