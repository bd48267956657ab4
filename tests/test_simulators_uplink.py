"""Simulated devices against a service that takes only what is contiguous: whatever is lost on the way comes again."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import servers
from mqtt_client import leave, subscribed_client
from paho.mqtt.client import Client, MQTTMessage

from ingest.wire import Ack, Status, decode_block, decode_status, encode, parse_topic, topic
from simulators.device import Clock, Device
from simulators.link import Link
from simulators.publish import PublishReport, publish
from simulators.scenarios import build

START_NS = 1_760_000_000_000_000_000
AWAY = Link(offline=((0.0, 61.0),))


class Service:
    """Names a boot durable up to its first hole, less what the device says is lost; `deaf` drops blocks on the way."""

    def __init__(self, broker: servers.Mosquitto, *, deaf: Callable[[int, int], bool]) -> None:
        self.seen: list[tuple[int, int]] = []
        self.statuses: dict[str, list[Status]] = {}
        self._deaf = deaf
        self._lost: dict[int, int] = {}
        self._client = subscribed_client(broker, client_id="contiguous", on_message=self._on_message)

    def close(self) -> None:
        leave(self._client)

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        device, leaf = parse_topic(message.topic)
        if leaf == "status":
            status = decode_status(message.payload)
            self.statuses.setdefault(device, []).append(status)
            for place in ((status.boot, status.oldest or 0), *([] if status.backlog is None else [_key(status)])):
                self._lost[place[0]] = max(place[1], self._lost.get(place[0], 0))
                self._ack(client, device, place[0])
            return
        block = decode_block(message.payload)
        if self._deaf(block.boot, block.seq):
            return
        self.seen.append((block.boot, block.seq))
        self._ack(client, device, block.boot)

    def _ack(self, client: Client, device: str, boot: int) -> None:
        known = set(self.seen)
        upto = self._lost.get(boot, 0)
        while (boot, upto) in known:
            upto += 1
        if upto:
            client.publish(topic(device, "ack"), encode(Ack(boot=boot, seq=upto - 1)), qos=1)


def _key(status: Status) -> tuple[int, int]:
    assert status.backlog is not None
    return status.backlog.boot, status.backlog.seq


@pytest.fixture
def serve(mosquitto: servers.Mosquitto) -> Iterator[Callable[..., Service]]:
    with contextlib.ExitStack() as stack:

        def make(deaf: Callable[[int, int], bool] = lambda _boot, _seq: False) -> Service:
            made = Service(mosquitto, deaf=deaf)
            stack.callback(made.close)
            return made

        yield make


def minute(name: str, **change: object) -> Device:
    (device,) = build("minute", seed=1, start_ns=START_NS)
    return replace(device, device=name, **change)  # type: ignore[arg-type]


def run(device: Device, broker: servers.Mosquitto, **options: object) -> PublishReport:
    return publish([device], host=broker.host, port=broker.port, **options)  # type: ignore[arg-type]


def test_newest_first_over_reboots_ends_with_everything_durable(
    mosquitto: servers.Mosquitto, serve: Callable[..., Service]
) -> None:
    service = serve()
    link = replace(AWAY, order="newest", doubled=0.1)
    device = minute("up-newest", link=link, reboots_s=(14.5, 40.2), reboot_lasts_s=3.0)
    recorded = sorted({(block.boot, block.seq) for block in device.blocks()})
    report = run(device, mosquitto, durable_within_s=20.0)
    assert report.held == report.dropped == 0
    assert report.durable == {"up-newest": {1: 13, 2: 21, 3: 15}}
    firsts = list(dict.fromkeys(service.seen))
    assert firsts == recorded[::-1]
    assert len(service.seen) > len(firsts)
    births = [(status.boot, status.oldest, status.backlog) for status in service.statuses["up-newest"][:2]]
    assert births[0] == (1, None, None)
    assert births[1][0] == 3
    assert births[1][1] == 0
    assert _key(service.statuses["up-newest"][1]) == (1, 0)


def test_what_a_killed_broker_had_taken_is_sent_again(
    mosquitto: servers.Mosquitto, serve: Callable[..., Service]
) -> None:
    service = serve()
    device = minute("up-kill", block_s=0.5)
    taken: list[int] = []  # by the broker
    results: list[PublishReport] = []

    def go() -> None:
        progress = lambda done, _total: taken.append(done)  # noqa: E731 - one line of a test
        results.append(run(device, mosquitto, speed=15.0, progress=progress, durable_within_s=30.0))

    worker = threading.Thread(target=go)
    worker.start()
    servers.wait_for(lambda: len(service.seen) >= 20)
    service.close()  # from here on the broker answers, and nobody else
    servers.wait_for(lambda: taken[-1] >= len(service.seen) + 10)
    mosquitto.kill()
    mosquitto.start()
    after = serve()
    after.seen.extend(service.seen)
    worker.join(timeout=60.0)
    assert not worker.is_alive()
    (report,) = results
    assert report.held == 0
    assert report.durable == {"up-kill": {1: 119}}
    assert report.resent >= 10
    assert set(after.seen) == {(1, seq) for seq in range(120)}


def test_what_is_lost_without_anybody_noticing_is_sent_again(
    mosquitto: servers.Mosquitto, serve: Callable[..., Service]
) -> None:
    deaf = {(1, seq): 1 + seq % 2 for seq in range(10, 60)}  # how often each block is lost

    def lost(boot: int, seq: int) -> bool:
        deaf[boot, seq] = deaf.get((boot, seq), 0) - 1
        return deaf[boot, seq] >= 0

    service = serve(lost)
    report = run(minute("up-silent"), mosquitto, repeat_s=0.5, durable_within_s=30.0)
    assert report.held == 0
    assert report.durable == {"up-silent": {1: 59}}
    assert set(service.seen) == {(1, seq) for seq in range(60)}
    assert 75 <= report.resent <= 110  # an ack covers nothing behind a hole, so some come in vain


def test_what_did_not_fit_is_told_and_the_rest_arrives(
    mosquitto: servers.Mosquitto, serve: Callable[..., Service]
) -> None:
    service = serve()
    size = len(encode(next(minute("up-full").blocks())))
    device = minute("up-full", link=AWAY, flash_bytes=20 * size + size // 2, reboots_s=(45.5,), reboot_lasts_s=2.0)
    report = run(device, mosquitto, durable_within_s=20.0)
    assert report.held == 0
    assert report.dropped == 37
    assert report.sent == 20
    # 45 blocks before the reboot and 12 after it: eight of the old boot are left.
    assert sorted(service.seen) == [*((1, seq) for seq in range(37, 45)), *((2, seq) for seq in range(12))]
    assert report.durable == {"up-full": {1: 44, 2: 11}}
    assert any(status.backlog is not None and _key(status) == (1, 37) for status in service.statuses["up-full"])


def test_blocks_lost_within_the_device_bar_no_ack(mosquitto: servers.Mosquitto, serve: Callable[..., Service]) -> None:
    service = serve()
    device = minute("up-holes", link=Link(lost=0.15, swapped=0.1))
    kept = {(block.boot, block.seq) for block in device.blocks()}
    report = run(device, mosquitto, repeat_s=0.5, durable_within_s=30.0)
    assert report.held == 0
    assert set(service.seen) == kept
    assert len(kept) < 60
    assert report.durable == {"up-holes": {1: max(seq for _, seq in kept)}}


def test_a_device_that_was_switched_off_sends_what_it_held(
    mosquitto: servers.Mosquitto, serve: Callable[..., Service], tmp_path: Path
) -> None:
    before = minute("up-again")
    report = run(before, mosquitto, flash_dir=tmp_path)
    assert (report.held, report.durable) == (60, {"up-again": {}})
    service = serve()
    report = run(replace(before, first_boot=2), mosquitto, flash_dir=tmp_path, durable_within_s=20.0)
    assert report.held == 0
    assert report.durable == {"up-again": {1: 59, 2: 59}}
    assert set(service.seen) == {(boot, seq) for boot in (1, 2) for seq in range(60)}
    assert report.resent == 60


def test_an_ack_about_an_earlier_life_is_not_believed(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    class Liar(Service):
        def _ack(self, client: Client, device: str, boot: int) -> None:
            client.publish(topic(device, "ack"), encode(Ack(boot=boot, seq=1000)), qos=1)

    with contextlib.closing(Liar(mosquitto, deaf=lambda _boot, _seq: False)):
        report = run(minute("up-lied"), mosquitto, durable_within_s=1.0, flash_dir=tmp_path)
    assert (report.held, report.durable) == (60, {"up-lied": {}})


def test_a_birth_tells_the_clock(mosquitto: servers.Mosquitto, serve: Callable[..., Service]) -> None:
    service = serve()
    run(minute("up-unset", clock=Clock(set_after_s=1e9)), mosquitto, durable_within_s=20.0)
    servers.wait_for(lambda: len(service.statuses["up-unset"]) == 2)
    birth, farewell = service.statuses["up-unset"]
    assert (birth.clock_ns, farewell.clock_ns) == (0, 60 * 10**9)
