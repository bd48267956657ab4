"""The real servers that the fixtures start are there and answer."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import servers


def test_mosquitto_keeps_a_retained_message_over_a_restart(mosquitto: servers.Mosquitto) -> None:
    address = ["-h", mosquitto.host, "-p", str(mosquitto.port)]
    subprocess.run(
        [
            str(servers.find("mosquitto_pub")),
            *address,
            "-t",
            "charley-test/kept",
            "-m",
            "still here",
            "-r",
            "-q",
            "1",
        ],
        check=True,
    )
    mosquitto.restart()
    reader = [str(servers.find("mosquitto_sub")), *address, "-t", "charley-test/kept", "-C", "1", "-W", "10"]
    heard = subprocess.run(reader, check=True, capture_output=True, text=True)
    assert heard.stdout == "still here\n"


def test_influxdb_answers_to_its_token(influxdb: servers.InfluxDB) -> None:
    request = urllib.request.Request(  # noqa: S310 - own server
        f"{influxdb.url}/query?db={influxdb.bucket}&q=SHOW%20MEASUREMENTS",
        headers={"Authorization": f"Token {influxdb.token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        assert "results" in json.load(answer)


def test_chromium_runs(chromium: str) -> None:
    version = subprocess.run([chromium, "--version"], check=True, capture_output=True, text=True, timeout=60)
    assert "Chrom" in version.stdout


def _run_without_programs(**environment: str) -> subprocess.CompletedProcess[str]:
    test = f"{Path(__file__)}::test_chromium_runs"
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        env={**os.environ, "PATH": "/nonexistent", "CHARLEY_REQUIRE_SERVERS": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_server_is_skipped_and_reported_loudly() -> None:
    run = _run_without_programs()
    assert run.returncode == 0, run.stdout + run.stderr
    assert "TESTS AGAINST REAL SERVERS WERE LEFT OUT" in run.stdout
    assert "apt-get install chromium" in run.stdout


def test_a_missing_server_fails_where_servers_are_required() -> None:
    run = _run_without_programs(CHARLEY_REQUIRE_SERVERS="1")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "real server missing: chromium" in run.stdout


@pytest.mark.usefixtures("mosquitto")
def test_a_server_ends_with_its_last_user(tmp_path: Path) -> None:
    with servers.Mosquitto(tmp_path) as broker:
        assert servers.accepts(broker.port)
    assert not servers.accepts(broker.port)
