"""Publishing to a real broker: everything arrives, what was not acknowledged comes again, and it always ends."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import servers
from mqtt_client import leave, subscribed_client
from paho.mqtt.client import Client, MQTTMessage

from ingest.wire import Ack, decode_block, decode_status, encode, parse_topic, topic
from simulators.device import Device
from simulators.errors import PublishError
from simulators.publish import CONNECT_S, PublishReport, publish
from simulators.scenarios import build

START_NS = 1_760_000_000_000_000_000
Seen = tuple[int, int]


class Service:
    """A subscriber that counts blocks and, if asked, names them durable."""

    def __init__(self, broker: servers.Mosquitto, *, acks_after: int, acks: int) -> None:
        self.blocks: dict[str, list[Seen]] = {}
        self.online: dict[str, list[bool]] = {}
        self.battery: dict[str, float | None] = {}
        self.content_types: set[str] = set()
        self._acks_after = acks_after
        self._acks_left = acks
        self._client = subscribed_client(broker, client_id="test-service", on_message=self._on_message)

    def count(self, device: str) -> int:
        return len(self.blocks.get(device, []))

    def close(self) -> None:
        leave(self._client)

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        device, leaf = parse_topic(message.topic)
        if leaf == "status":
            told = decode_status(message.payload)
            self.battery[device] = told.battery
            self.online.setdefault(device, []).append(told.online)
            return
        self.content_types.add(message.properties.ContentType)
        block = decode_block(message.payload)
        seen = self.blocks.setdefault(device, [])
        seen.append((block.boot, block.seq))
        if self._acks_left and len(seen) % self._acks_after == 0:
            self._acks_left -= 1
            client.publish(topic(device, "ack"), encode(Ack(boot=block.boot, seq=block.seq)), qos=1)


@pytest.fixture
def service(mosquitto: servers.Mosquitto) -> Iterator[Callable[..., Service]]:
    """Makes services that are subscribed, and closes them."""
    with contextlib.ExitStack() as stack:

        def make(*, acks_after: int = 1, acks: int = 0) -> Service:
            made = Service(mosquitto, acks_after=acks_after, acks=acks)
            stack.callback(made.close)
            return made

        yield make


def minute(name: str, *, block_s: float = 1.0) -> Device:
    """One minute under a device id of the test's own: retained messages outlive a test."""
    return replace(build("minute", seed=1, start_ns=START_NS).devices[0], device=name, block_s=block_s)


def run(devices: list[Device], broker: servers.Mosquitto, **options: object) -> PublishReport:
    return publish(devices, host=broker.host, port=broker.port, **options)  # type: ignore[arg-type]


@pytest.mark.mosquitto
def test_all_blocks_arrive_in_order_and_the_device_says_hello_and_goodbye(
    mosquitto: servers.Mosquitto, service: Callable[..., Service]
) -> None:
    listening = service()
    shown: list[tuple[int, int]] = []
    devices = [minute("pub-a"), minute("pub-b", block_s=2.0)]
    report = run(devices, mosquitto, progress=lambda done, total: shown.append((done, total)))
    servers.wait_for(lambda: listening.count("pub-a") == 60 and listening.count("pub-b") == 30)
    assert listening.blocks["pub-a"] == [(1, seq) for seq in range(60)]
    assert listening.blocks["pub-b"] == [(1, seq) for seq in range(30)]
    assert (report.sent, report.acknowledged, report.resent, report.stopped) == (90, 90, 0, False)
    assert shown[-1] == (90, 90)
    assert listening.content_types == {"application/msgpack"}
    servers.wait_for(lambda: listening.online["pub-a"] == [True, False])
    charge = listening.battery["pub-a"]
    assert charge is not None
    assert 0 < charge <= 1


@pytest.mark.mosquitto
def test_doubles_and_reboots_arrive_as_sent(mosquitto: servers.Mosquitto, service: Callable[..., Service]) -> None:
    listening = service()
    lossy = replace(build("lossy_device", seed=1, start_ns=START_NS).devices[0], device="pub-lossy", block_s=10.0)
    sent = [(block.boot, block.seq) for block in lossy.blocks()]
    run([lossy], mosquitto)
    servers.wait_for(lambda: listening.count("pub-lossy") == len(sent))
    assert listening.blocks["pub-lossy"] == sent
    servers.wait_for(lambda: listening.online["pub-lossy"] == [True, True, True, False])  # a birth for each boot


@pytest.mark.mosquitto
def test_the_device_knows_what_is_durable(mosquitto: servers.Mosquitto, service: Callable[..., Service]) -> None:
    service(acks_after=20, acks=3)
    report = run([minute("pub-durable")], mosquitto, durable_within_s=20.0)
    assert report.durable == {"pub-durable": {1: 59}}


@pytest.mark.mosquitto
def test_a_silent_service_holds_nobody_up(mosquitto: servers.Mosquitto, service: Callable[..., Service]) -> None:
    service(acks_after=100, acks=1)
    device = minute("pub-silent", block_s=0.1)  # 600 blocks: more than a device holds
    report = run([device], mosquitto, durable_within_s=0.2)
    assert report.acknowledged == 600
    assert report.durable == {"pub-silent": {1: 99}}
    assert report.elapsed_s < 20.0


@pytest.mark.mosquitto
def test_speed_paces_by_the_devices_time_and_stop_ends_it(mosquitto: servers.Mosquitto) -> None:
    report = run([minute("pub-paced")], mosquitto, speed=60.0)
    assert report.acknowledged == 60
    assert report.elapsed_s >= 0.98
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    report = run([minute("pub-stopped")], mosquitto, speed=1.0, stop=stop)
    timer.join()
    assert report.stopped
    assert report.acknowledged < 10
    assert report.elapsed_s < 10.0


@pytest.mark.mosquitto
def test_nothing_is_lost_when_the_broker_restarts(
    mosquitto: servers.Mosquitto, service: Callable[..., Service]
) -> None:
    listening = service(acks_after=5, acks=1000)
    device = minute("pub-restart", block_s=0.5)
    results: list[PublishReport] = []
    worker = threading.Thread(target=lambda: results.append(run([device], mosquitto, speed=15.0)))
    worker.start()
    servers.wait_for(lambda: listening.count("pub-restart") >= 20)
    mosquitto.restart()
    worker.join(timeout=60.0)
    assert not worker.is_alive()
    (report,) = results
    servers.wait_for(lambda: set(listening.blocks["pub-restart"]) >= {(1, seq) for seq in range(110, 120)})
    assert report.reconnects == 1
    assert report.acknowledged == report.sent == 120


@pytest.mark.mosquitto
def test_a_broker_that_stops_answering_ends_the_run_with_a_sentence(mosquitto: servers.Mosquitto) -> None:
    stopped = threading.Event()

    def stop_broker(done: int, _total: int) -> None:
        if done >= 10 and not stopped.is_set():
            stopped.set()
            mosquitto.stop()

    try:
        with pytest.raises(PublishError, match="has not answered pub-abandoned"):
            run([minute("pub-abandoned")], mosquitto, speed=20.0, progress=stop_broker, patience_s=1.0)
    finally:
        mosquitto.start()
    assert stopped.is_set()
    assert not [thread for thread in threading.enumerate() if "paho" in thread.name]


def test_an_absent_broker_is_said_so() -> None:
    with pytest.raises(PublishError, match="cannot reach an MQTT broker at 127"):
        publish([minute("pub-none")], host="127.0.0.1", port=servers.free_port())


def test_a_broker_that_only_hangs_up_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def hang_up() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    server.accept()[0].close()

        broker = threading.Thread(target=hang_up)
        broker.start()
        try:
            with pytest.raises(PublishError, match=r"has not answered pub-hung for 2\.5 s"):
                publish([minute("pub-hung")], host="127.0.0.1", port=server.getsockname()[1], patience_s=2.5)
        finally:
            over.set()
            broker.join()


def test_a_port_that_never_answers_is_given_up_long_before_a_broker_that_fell_silent() -> None:
    assert CONNECT_S == 10.0
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(PublishError, match=r"has not answered pub-mute for 0\.5 s"),
    ):
        publish([minute("pub-mute")], host="127.0.0.1", port=silent.getsockname()[1], connect_s=0.5)


def test_a_broker_that_takes_nothing_more_does_not_keep_who_wants_to_end() -> None:
    """It greets and then reads nothing: the goodbye itself never gets through, and nobody waits for that."""
    stop, before = threading.Event(), set(threading.enumerate())
    shown: list[int] = []

    def enough(done: int, _total: int) -> None:
        shown.append(done)
        if len(shown) > 30:
            stop.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        taken: list[socket.socket] = []

        def greet() -> None:
            taken.append(server.accept()[0])
            taken[0].recv(4096)
            taken[0].sendall(bytes([0x20, 0x03, 0x00, 0x00, 0x00]))  # CONNACK: welcome

        broker = threading.Thread(target=greet)
        broker.start()
        device = replace(build("tiptoe", seed=1, start_ns=START_NS).devices[0], device="pub-deaf", block_s=60.0)
        report = publish([device], host="127.0.0.1", port=server.getsockname()[1], stop=stop, progress=enough)
        broker.join()
        left = set(threading.enumerate()) - before
        taken[0].close()
    for thread in left:
        thread.join(60.0)
    assert report.stopped
    assert any("paho" in thread.name for thread in left)  # it still had something to say
    assert not any(thread.is_alive() for thread in left)


def test_impossible_options_are_refused() -> None:
    device = minute("pub-none")
    with pytest.raises(PublishError, match="negative"):
        publish([device], host="127.0.0.1", port=1, speed=-1.0)
    for devices in ([], [device, device]):
        with pytest.raises(PublishError, match="each id once"):
            publish(devices, host="127.0.0.1", port=1)


@pytest.mark.mosquitto
def test_publishing_leaves_no_thread_behind(mosquitto: servers.Mosquitto) -> None:
    before = set(threading.enumerate())
    started = time.monotonic()
    run([minute("pub-threads", block_s=10.0)], mosquitto)
    assert time.monotonic() - started < 30.0
    assert set(threading.enumerate()) <= before


@pytest.mark.mosquitto
def test_a_broker_that_refuses_is_said_so(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    port = servers.free_port()
    (tmp_path / "closed.conf").write_text(f"listener {port} {mosquitto.host}\nallow_anonymous false\n")
    broker = servers.Child(
        [str(servers.find("mosquitto")), "-c", str(tmp_path / "closed.conf")], log=tmp_path / "closed.log"
    )
    try:
        broker.wait_ready(lambda: servers.accepts(port))
        with pytest.raises(PublishError, match="refuses pub-stranger: Not authorized"):
            publish([minute("pub-stranger")], host=mosquitto.host, port=port, username="x", password="y")
    finally:
        broker.stop()
