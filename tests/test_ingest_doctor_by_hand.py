"""The broker as docs/running.md sets it up by hand: its commands are run, and the doctor finds nothing wrong."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import servers

from ingest.doctor import Check
from ingest.doctor.broker import check_broker
from ingest.doctor.broker_look import look_at_broker
from ingest.doctor.mosquitto_conf import check_conf, read_conf
from ingest.mqtt import MqttSettings

ROOT: Final = Path(__file__).resolve().parent.parent
TEXT: Final = (ROOT / "docs" / "running.md").read_text()


def shell(beginning: str, etc: Path) -> None:
    """Run the block of the text that begins so, with another folder for /etc/mosquitto, as whoever we are."""
    (found,) = [block for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) if block.startswith(beginning)]
    commands = found.replace("/etc/mosquitto", str(etc)).replace("sudo systemctl restart mosquitto\n", "")
    commands = commands.replace("sudo ", "").replace("-o mosquitto -g mosquitto ", "")
    commands = re.sub("chown .*\n", "", commands).replace("mosquitto_passwd", "given_passwd")
    asked = 'given_passwd() { if [ "$1" = -c ]; then mosquitto_passwd -b -c "$2" "$3" secret; '
    asked += 'else mosquitto_passwd -b "$1" "$2" secret; fi; }'
    subprocess.run(["bash", "-euo", "pipefail", "-c", f"{asked}\n{commands}"], cwd=ROOT, check=True, timeout=30)


def debian(folder: Path) -> Path:
    """A folder as Debian's /etc/mosquitto, whose broker we may be."""
    etc = folder / "etc"
    (etc / "conf.d").mkdir(parents=True)
    user = "user root\n" if os.geteuid() == 0 else ""
    (etc / "mosquitto.conf").write_text(
        f"persistence true\npersistence_location {folder}/\nlog_dest file {folder}/log\n{user}"
        f"include_dir {etc}/conf.d\n"
    )
    return etc


def troubles(checks: list[Check]) -> list[Check]:
    return [check for check in checks if check.verdict in {"warn", "fail"}]


def test_a_first_installation_drops_nothing(tmp_path: Path) -> None:
    etc = debian(tmp_path)
    assert troubles(check_conf(read_conf(etc / "mosquitto.conf")))
    shell("printf 'max_queued", etc)
    assert troubles(check_conf(read_conf(etc / "mosquitto.conf"))) == []


@pytest.mark.usefixtures("mosquitto")
def test_our_configuration_works_outside_of_containers(tmp_path: Path) -> None:
    etc = debian(tmp_path)
    shell("sed -e", etc)
    conf = etc / "conf.d" / "charley.conf"
    listeners = re.findall(r"^listener .*", conf.read_text(), re.MULTILINE)
    assert listeners == ["listener 1883 127.0.0.1", "listener 1884 127.0.0.1"]
    assert troubles(check_conf(read_conf(etc / "mosquitto.conf"))) == []
    devices, own = servers.free_port(), servers.free_port()
    conf.write_text(conf.read_text().replace("listener 1883", f"listener {devices}"))
    conf.write_text(conf.read_text().replace("listener 1884", f"listener {own}"))
    command = [str(servers.find("mosquitto")), "-c", str(etc / "mosquitto.conf")]
    child = servers.Child(command, log=tmp_path / "mosquitto.log")
    try:
        child.wait_ready(lambda: servers.accepts(devices) and servers.accepts(own))
        settings = MqttSettings(port=own, username="ingest", password="secret")
        facts = look_at_broker(settings, load=True, own_session="in use", ever_ran=True)
    finally:
        child.stop()
    found = [check for check in troubles(check_broker(facts)) if check.name != "broker.version"]
    assert found == []
