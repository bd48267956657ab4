"""A client in another language, written from docs/wire.md alone, on a real broker."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

import pytest
import servers
from mqtt_client import leave, subscribed_client
from paho.mqtt.client import Client, MQTTMessage
from wire_examples import ROOT, T0

from ingest import wire

CLIENT: Final = ROOT / "tests" / "clients" / "leg.pl"
BLOCKS: Final = 25


class Listener:
    """Everything published by one device, as a service would see it; answers each block with an ack."""

    def __init__(self, broker: servers.Mosquitto, device: str, *, content_type: str) -> None:
        self.blocks: list[wire.Block] = []
        self.statuses: list[wire.Status] = []
        self.device, self._content_type = device, content_type
        self._client = subscribed_client(broker, device=device, on_message=self._on_message)

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        if wire.parse_topic(message.topic)[1] == "status":
            self.statuses.append(wire.decode_status(message.payload))
            return
        block = wire.decode_block(message.payload)
        self.blocks.append(block)
        ack = wire.encode(wire.Ack(boot=block.boot, seq=block.seq), content_type=self._content_type)
        client.publish(wire.topic(self.device, "ack"), ack, qos=1)

    def close(self) -> None:
        leave(self._client)


@pytest.fixture(params=[wire.CONTENT_MSGPACK, wire.CONTENT_JSON])
def listener(request: pytest.FixtureRequest, mosquitto: servers.Mosquitto) -> Iterator[Listener]:
    form = "msgpack" if request.param == wire.CONTENT_MSGPACK else "json"
    listener = Listener(mosquitto, f"perl-{form}", content_type=request.param)
    yield listener
    listener.close()


def _run(broker: servers.Mosquitto, device: str, *options: str) -> subprocess.CompletedProcess[str]:
    perl = shutil.which("perl")
    assert perl is not None, "perl is part of every Debian"
    command = [perl, str(CLIENT), "--host", broker.host, "--port", str(broker.port), "--device", device, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_blocks_of_the_perl_client(listener: Listener, mosquitto: servers.Mosquitto) -> None:
    device = listener.device
    done = _run(mosquitto, device, "--boot", "300", "--blocks", str(BLOCKS), "--t0", str(T0))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"ack boot 300 seq {BLOCKS - 1}" in done.stdout
    assert [(block.boot, block.seq) for block in listener.blocks] == [(300, seq) for seq in range(BLOCKS)]
    for block in listener.blocks:
        assert block.t0 == T0 + block.seq * 1_000_000_000
        emg, acc = block.signals
        assert (emg.kind, emg.fs_hz, emg.scale, emg.counts().shape) == ("emg", 1000.0, 0.5, (1, 1000))
        assert (acc.kind, acc.fs_hz, acc.scale, acc.counts().shape) == ("acc", 50.0, 1 / 4096, (3, 50))
        assert -12 <= emg.counts().min() < 0 < emg.counts().max() <= 12
        assert 4092 <= acc.counts()[0].min() <= acc.counts()[0].max() <= 4100
    servers.wait_for(lambda: len(listener.statuses) == 2, what="birth and farewell")
    birth, farewell = listener.statuses
    assert birth.online
    assert birth.sites == ("gastrocnemius_medialis", "shank")
    assert farewell == wire.Status(boot=300, online=False)


def test_perl_client_says_when_nobody_acknowledges(mosquitto: servers.Mosquitto) -> None:
    done = _run(mosquitto, "perl-alone", "--blocks", "1", "--timeout", "1")
    assert (done.returncode, done.stdout) == (1, "timeout\n")


def test_perl_client_content_with_the_broker(mosquitto: servers.Mosquitto) -> None:
    done = _run(mosquitto, "perl-puback", "--blocks", "30", "--puback")
    assert (done.returncode, done.stdout, done.stderr) == (0, "published 30 block(s)\n", "")
