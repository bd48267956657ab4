"""`charley simulate`: what it sends to a broker is a device that has just started, over TLS where that is asked for."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import servers
from charley_run import charley, command, environment, ingester
from mqtt_client import leave, subscribed_client
from paho.mqtt.client import Client, MQTTMessage

from ingest.store.sqlite import SqliteStore


@dataclass(frozen=True, slots=True)
class Tls:
    """A broker that speaks TLS only, and the certificate to trust."""

    host: str
    port: int
    ca_file: Path


@pytest.fixture
def tls(mosquitto: servers.Mosquitto, tmp_path: Path) -> Iterator[Tls]:
    folder = tmp_path / "tls"
    folder.mkdir()
    key, certificate, port = folder / "key.pem", folder / "ca.pem", servers.free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=charley.test",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n"
        + ("user root\n" if os.geteuid() == 0 else "")
    )
    command = [str(servers.find("mosquitto")), "-c", str(folder / "mosquitto.conf")]
    child = servers.Child(command, log=folder / "log")
    child.wait_ready(lambda: servers.accepts(port))
    yield Tls(mosquitto.host, port, certificate)
    child.stop()


def test_service_and_simulator_speak_tls(tls: Tls, tmp_path: Path) -> None:
    settings = {"broker_host": tls.host, "broker_port": tls.port, "broker_tls_ca": tls.ca_file}
    store = SqliteStore(tmp_path / "store.sqlite")
    try:
        with ingester(tls, settings, folder=tmp_path):
            done = charley("simulate", "minute", settings=settings)
            assert done.returncode == 0, done.stderr
            servers.wait_for(lambda: last_sample(store), what="samples")
    finally:
        store.close()


def test_a_scenario_sent_twice_is_a_device_that_started_again(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """Not a repetition of what the service has, which it would drop."""
    settings = {"broker_host": mosquitto.host, "broker_port": mosquitto.port}
    store = SqliteStore(tmp_path / "store.sqlite")
    ends = [0]
    try:
        with ingester(mosquitto, {}, folder=tmp_path):
            for boots in (1, 2):
                done = charley("simulate", "minute", settings=settings)
                assert done.returncode == 0, done.stderr
                servers.wait_for(lambda: ends[-1] < last_sample(store), what=f"samples of start {boots}")
                ends.append(last_sample(store))
    finally:
        store.close()


def last_sample(store: SqliteStore) -> int:
    return max((status.last_sample_ns for status in store.statuses(["sim-minute"])), default=0)


def test_an_interrupted_scenario_says_how_far_it_came(mosquitto: servers.Mosquitto) -> None:
    """And leaves with 130, so that no script takes it for done."""
    settings = {"broker_host": mosquitto.host, "broker_port": mosquitto.port}
    arrived = threading.Event()

    def hear(_client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic.endswith("/blocks"):  # a status may be an earlier test's
            arrived.set()

    listener = subscribed_client(mosquitto, client_id="listener", on_message=hear)
    try:
        with subprocess.Popen(
            command("simulate", "minute", "--speed", "1"), env=environment(settings), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                assert arrived.wait(60.0)
                os.killpg(process.pid, signal.SIGINT)
                _, said = process.communicate(timeout=60.0)
            finally:
                process.kill()
    finally:
        leave(listener)
    assert process.returncode == 130, said
    assert f"connecting to the broker at {mosquitto.host}:{mosquitto.port}\n" in said
    assert re.search(r"^minute interrupted: \d+ of 60 blocks in \d+ s$", said, re.MULTILINE), said
