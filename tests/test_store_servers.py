"""The real servers that the fixtures start are there and answer."""

import json
import subprocess
import urllib.request

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
