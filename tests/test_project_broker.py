"""The broker's configuration and `deploy/make-secrets` on a real Mosquitto: each device keeps to its own topics."""

import base64
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
import pytest
import servers
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.settings import load_settings
from simulators.demo import WEARERS

ROOT: Final = Path(__file__).resolve().parent.parent
CONF: Final = ROOT / "deploy" / "mosquitto" / "mosquitto.conf"
ACL: Final = ROOT / "deploy" / "mosquitto" / "acl"
WILD: Final = ("#", "+", "leg-8/blocks")
SESSION: Final = load_settings({}).client_id


def _make_secrets(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "make-secrets"), *arguments],
        env={**os.environ, "CHARLEY_DEPLOY_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def _env(root: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (root / ".env").read_text().splitlines())


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `make-secrets` wrote, and two devices."""
    root = tmp_path_factory.mktemp("deploy")
    assert _make_secrets(root).returncode == 0
    return root


@pytest.fixture(scope="module")
def passwords(secrets: Path) -> dict[str, str]:
    """Passwords by user."""
    found = {"ingest": _env(secrets)["CHARLEY_BROKER_PASSWORD"]}
    found["simulator"] = _env(secrets)["CHARLEY_SIMULATOR_PASSWORD"]
    for device in ("leg-7", "leg-8"):
        found[device] = _make_secrets(secrets, "add", device).stdout.splitlines()[0]
    # Names that make-secrets refuses, as somebody may write them by hand.
    with (secrets / "deploy" / "secrets" / "passwords").open("a") as file:
        for name in WILD:
            salt = b"0" * 12
            key = hashlib.pbkdf2_hmac("sha512", b"wild", salt, 101)
            file.write(f"{name}:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}\n")
            found[name] = "wild"
    return found


@dataclass(frozen=True, slots=True)
class Ports:
    """Where devices come in, and where the parts of the site do."""

    devices: int
    inner: int


@pytest.fixture(scope="module")
def ports(
    mosquitto: servers.Mosquitto, secrets: Path, passwords: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ports]:
    """Ports of a broker with the configuration of the containers; only paths and ports are changed."""
    assert mosquitto.port, "needs a real broker"
    assert {"ingest", "simulator", "leg-7", "leg-8"} <= set(passwords)
    folder = tmp_path_factory.mktemp("acl-broker")
    ports = Ports(servers.free_port(), servers.free_port())
    shutil.copy(ACL, folder / "acl")
    text = CONF.read_text()
    for inside, port in ((1883, ports.devices), (1884, ports.inner)):
        assert text.count(f"\nlistener {inside}\n") == 1
        text = text.replace(f"\nlistener {inside}\n", f"\nlistener {port} 127.0.0.1\n")
    for inside, outside in (
        ("/mosquitto/secrets/passwords", secrets / "deploy" / "secrets" / "passwords"),
        ("/mosquitto/config/acl", folder / "acl"),
        ("/mosquitto/data/", f"{folder}/"),
    ):
        assert inside in text
        text = text.replace(inside, str(outside))
    if os.geteuid() == 0:
        text += "user root\n"
    (folder / "mosquitto.conf").write_text(text)
    command = [str(servers.find("mosquitto")), "-c", str(folder / "mosquitto.conf")]
    child = servers.Child(command, log=folder / "log")
    child.wait_ready(lambda: servers.accepts(ports.devices) and servers.accepts(ports.inner))
    yield ports
    child.stop()


class Client:
    """One connection: what the broker answered, and what it delivered."""

    def __init__(
        self,
        port: int,
        user: str | None = None,
        password: str | None = None,
        *,
        client_id: str = "",
        session_s: int = 0,
        will: str = "",
    ) -> None:
        self.ended = False
        self.refused: bool | None = None
        self.granted: list[bool] = []
        self.published: dict[int, bool] = {}
        self.received: list[str] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
        if will:
            self._client.will_set(will, b"will", qos=1)
        if user is not None:
            self._client.username_pw_set(user, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda _c, _d, _m, reasons, _p: self.granted.append(not reasons[0].is_failure)
        self._client.on_publish = lambda _c, _d, mid, reason, _p: self.published.update({mid: not reason.is_failure})
        self._client.on_message = lambda _c, _d, message: self.received.append(message.topic)
        self._client.on_disconnect = lambda *_: setattr(self, "ended", True)
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = session_s
        self._client.connect("127.0.0.1", port, clean_start=not session_s, properties=properties)
        self._client.loop_start()
        servers.wait_for(lambda: self.refused is not None, what="answer to CONNECT")

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, reason: object, _p: object) -> None:
        self.refused = bool(getattr(reason, "is_failure", True))
        if self.refused:
            client.disconnect()  # or paho tries again and again

    def subscribe(self, topic: str) -> None:
        count = len(self.granted)
        self._client.subscribe(topic, qos=1)
        servers.wait_for(lambda: len(self.granted) > count, what="answer to SUBSCRIBE")

    def publish(self, topic: str) -> Callable[[], bool]:
        """Publish; what is handed back waits for the broker's answer and says whether it took the message."""
        mid = self._client.publish(topic, b"x", qos=1).mid

        def taken() -> bool:
            servers.wait_for(lambda: mid in self.published, what=f"answer to PUBLISH {topic}")
            return self.published[mid]

        return taken

    def leave(self) -> None:
        self._client.disconnect()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        del self._client  # or it is found in a circle, its sockets before itself

    def drop(self) -> None:
        """End without a word, so that the broker sends the last will."""
        sock = self._client.socket()
        assert sock is not None
        self._client.loop_stop()
        sock.close()
        del self._client


Connect = Callable[[str], Client]


def _taken(connect: Connect, user: str, *topics: str) -> list[str]:
    """Those of these topics on which the broker lets a user publish: one connection each.

    Mosquitto 2.0.11 takes a second to refuse, and reads nothing more from that connection meanwhile.
    """
    answers = {topic: connect(user).publish(topic) for topic in topics}
    return [topic for topic, taken in answers.items() if taken()]


@pytest.fixture
def connect(ports: Ports, passwords: dict[str, str]) -> Iterator[Connect]:
    clients: list[Client] = []

    def _connect(user: str) -> Client:
        # Several connections of one user: where devices come in they would end one another.
        clients.append(Client(ports.inner, user, passwords[user]))
        return clients[-1]

    yield _connect
    for client in clients:
        client.leave()
    for client in clients:
        client.close()


def test_secrets_are_private_and_random(secrets: Path, tmp_path: Path) -> None:
    for path in (secrets / ".env", secrets / "deploy" / "secrets" / "passwords"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((secrets / "deploy" / "secrets").stat().st_mode) == 0o700
    env = _env(secrets)
    assert _make_secrets(tmp_path).returncode == 0
    other = _env(tmp_path)
    for name, value in env.items():
        if "PASSWORD" in name or "TOKEN" in name:
            assert len(value) >= 40
            assert value != other[name]
            assert value not in (secrets / "deploy" / "secrets" / "passwords").read_text()
    assert env["CHARLEY_UID"] != "0"


def test_secrets_are_never_overwritten(secrets: Path) -> None:
    before = (secrets / ".env").read_text()
    assert "left alone" in _make_secrets(secrets).stdout
    assert (secrets / ".env").read_text() == before


@pytest.mark.parametrize("device", ["ingest", "simulator", SESSION, "leg 7", *WILD, "a:b", ""])
def test_no_device_may_have_such_a_name(secrets: Path, device: str) -> None:
    refused = _make_secrets(secrets, "add", device)
    assert refused.returncode == 1
    assert "is no device id" in refused.stderr


@pytest.mark.parametrize(("user", "password"), [(None, None), ("leg-7", "wrong"), ("stranger", "x")])
def test_strangers_are_refused(ports: Ports, user: str | None, password: str | None) -> None:
    for port in (ports.devices, ports.inner):
        client = Client(port, user, password)
        client.close()
        assert client.refused


def test_device_publishes_under_its_own_id_only(connect: Connect) -> None:
    own = ["charley/v1/leg-7/blocks", "charley/v1/leg-7/status"]
    others = ["leg-8/blocks", "leg-8/status", "leg-7/ack", "leg-7/events", "leg-8/ack", "leg-7/other"]
    assert _taken(connect, "leg-7", "elsewhere", *own, *(f"charley/v1/{other}" for other in others)) == own


def test_device_reads_its_own_acks_only(connect: Connect) -> None:
    device, service = connect("leg-7"), connect("ingest")
    shared = "$share/group/charley/v1/+/ack"
    for topic in (
        "charley/v1/leg-7/ack",
        "charley/v1/+/ack",
        "charley/v1/+/events",
        "charley/v1/#",
        "#",
        "$SYS/#",
        shared,
    ):
        device.subscribe(topic)
    others = [f"charley/v1/leg-8/{leaf}" for leaf in ("ack", "events", "blocks", "status")]
    published = [*others, "charley/v1/leg-7/events", "charley/v1/leg-7/ack"]
    assert [topic for topic in published if service.publish(topic)()] == published
    servers.wait_for(lambda: device.received, what="own ack")
    assert set(device.received) == {"charley/v1/leg-7/ack"}


def test_service_reads_devices_and_answers_them(connect: Connect) -> None:
    service = connect("ingest")
    service.subscribe("charley/v1/+/blocks")
    service.subscribe("charley/v1/+/status")
    for name in ("leg-7", "leg-8"):
        own = [f"charley/v1/{name}/blocks", f"charley/v1/{name}/status"]
        assert _taken(connect, name, *own) == own
    servers.wait_for(lambda: len(service.received) == 4, what="messages of two devices")
    assert _taken(connect, "ingest", "charley/v1/leg-7/blocks", "elsewhere") == ["charley/v1/leg-7/blocks"]
    service.subscribe("$SYS/broker/version")
    servers.wait_for(lambda: "$SYS/broker/version" in service.received, what="word of the broker")


@pytest.mark.parametrize("name", WILD)
def test_a_name_with_a_wildcard_or_a_level_opens_nothing(connect: Connect, name: str) -> None:
    service, device = connect("ingest"), connect(name)
    if device.refused:
        assert name == "#", "which begins a comment in the password file"
        return
    assert _taken(connect, name, "charley/v1/leg-8/blocks", "charley/v1/leg-8/ack") == []
    for topic in ("charley/v1/+/ack", "charley/v1/#", "#"):
        device.subscribe(topic)
    assert service.publish("charley/v1/leg-8/ack")()
    assert service.publish("charley/v1/leg-7/ack")()
    device.subscribe("charley/v1/leg-8/ack")  # an answer to this one comes after what would have come before
    assert device.received == []


def test_a_device_is_known_by_its_name_whatever_its_client_id(ports: Ports, passwords: dict[str, str]) -> None:
    blocks = "charley/v1/leg-8/blocks"
    service = Client(ports.inner, "ingest", passwords["ingest"], client_id=SESSION, session_s=60)
    service.subscribe("charley/v1/+/blocks")
    service.close()
    victim = Client(ports.devices, "leg-8", passwords["leg-8"], client_id="leg-8")
    assert victim.publish(blocks)()
    # It gives the ingester's client id, and then another device's.
    for client_id in (SESSION, "leg-8"):
        for session_s in (0, 60):
            evil = Client(ports.devices, "leg-7", passwords["leg-7"], client_id=client_id, session_s=session_s)
            evil.subscribe(blocks)
            assert not evil.publish(blocks)()
            evil.close()
            assert evil.received == []
    assert not victim.ended
    assert victim.publish(blocks)()
    service = Client(ports.inner, "ingest", passwords["ingest"], client_id=SESSION, session_s=60)
    servers.wait_for(lambda: service.received == [blocks] * 2, what="what waited for the ingester")
    service.close()
    victim.close()


def test_a_last_will_keeps_to_the_devices_own_topics(connect: Connect, ports: Ports, passwords: dict[str, str]) -> None:
    service = connect("ingest")
    service.subscribe("charley/v1/+/status")
    for will in ("charley/v1/leg-8/status", "charley/v1/leg-7/ack", "charley/v1/leg-7/status"):
        device = Client(ports.devices, "leg-7", passwords["leg-7"], will=will)
        if device.refused:
            device.close()
        else:
            device.drop()
    servers.wait_for(lambda: service.received, what="the last will")
    assert service.received == ["charley/v1/leg-7/status"]


def test_simulator_stands_in_for_the_devices_of_the_demo(connect: Connect) -> None:
    own = [f"charley/v1/{wearer.device}/{leaf}" for wearer in WEARERS for leaf in ("blocks", "status")]
    assert _taken(connect, "simulator", "charley/v1/leg-7/blocks", *own) == own
    named = set(re.findall(r"charley/v1/(sim-[\w-]+)/", ACL.read_text()))
    assert named == {wearer.device for wearer in WEARERS}


def test_broker_keeps_everything() -> None:
    lines = CONF.read_text().splitlines()
    for line in (
        "persistence true",
        "max_queued_messages 0",
        "max_queued_bytes 0",
        "max_inflight_messages 0",
        "allow_anonymous false",
    ):
        assert line in lines
    assert not [line for line in lines if line.startswith("per_listener_settings")]
