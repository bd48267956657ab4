"""What the doctor sees of real brokers, a real InfluxDB and real files."""

import fcntl
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
import pytest
import servers
from conftest import NamedInfluxDB
from ingest_feed import cut, ingest, recording
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import SecretStr

from ingest.doctor import Check
from ingest.doctor.broker import BrokerFacts, check_broker
from ingest.doctor.broker_look import look_at_broker
from ingest.doctor.contradictions import check_settings
from ingest.doctor.files import check_folder, look_at_folder
from ingest.doctor.holding import is_held
from ingest.doctor.influxdb import check_influxdb
from ingest.doctor.influxdb_look import look_at_influxdb
from ingest.doctor.journal import look_at_journal
from ingest.doctor.machine import look_at_machine
from ingest.doctor.sqlite_file import look_at_file
from ingest.mqtt import MqttSettings
from ingest.settings import Settings
from ingest.wire import T0_NS

ROOT: Final = Path(__file__).resolve().parent.parent
ACL: Final = ROOT / "deploy" / "mosquitto" / "acl"
DAY_NS: Final = 86_400 * 10**9


class Configured(servers.Mosquitto):
    """A Mosquitto whose limits are what the test says, and otherwise what it comes with."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self._lines = lines
        super().__init__(folder)

    def start(self) -> None:
        kept = [line for line in self._conf.read_text().splitlines() if not line.startswith("max_")]
        self._conf.write_text("\n".join([*(line for line in kept if line not in self._lines), *self._lines]) + "\n")
        super().start()


def look(
    broker: servers.Mosquitto, *, load: bool = True, own_session: str = "in use", username: str | None = None
) -> BrokerFacts:
    settings = MqttSettings(host=broker.host, port=broker.port, username=username)
    return look_at_broker(settings, load=load, own_session=own_session, ever_ran=True)


def verdicts(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.verdict for check in checks}


def test_a_broker_without_limits(mosquitto: servers.Mosquitto) -> None:
    facts = look(mosquitto)
    assert facts.granted is not None
    assert facts.granted.session_expiry_s == 7 * 86_400
    assert (facts.version or "").startswith("mosquitto version ")
    assert facts.load is not None
    assert facts.load.returned == tuple(range(facts.load.sent))
    assert facts.load.largest == ""
    assert set(verdicts(check_broker(facts)).values()) <= {"ok", "skipped"}


def test_a_broker_with_the_limits_it_comes_with(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    assert mosquitto.port
    with Configured(tmp_path, "message_size_limit 100000", "max_queued_messages 1000") as broker:
        facts = look(broker)
        again = look(broker, load=False)
    assert facts.load is not None
    assert facts.load.returned == tuple(range(len(facts.load.returned)))  # the newest are missing
    assert len(facts.load.returned) == 1000
    found = verdicts(check_broker(facts))
    assert (found["broker.queue"], found["broker.largest_block"]) == ("fail", "warn")
    assert verdicts(check_broker(again))["broker.queue"] == "skipped"


def test_the_experiment_leaves_nothing_behind(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """Neither a session nor a retained message: what a broker saves is as large as before."""
    assert mosquitto.port
    with Configured(tmp_path, "max_queued_messages 0") as broker:
        look(broker)
        broker.stop()
        saved = (tmp_path / "mosquitto.db").read_bytes()
    assert b"charley-doctor" not in saved
    assert b"charley/v1/doctor" not in saved


def test_a_user_that_may_not_write_there_is_told_so(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    assert mosquitto.port
    (tmp_path / "acl").write_text("topic read charley/v1/+/blocks\n")
    (tmp_path / "acl").chmod(0o700)
    with Configured(tmp_path, f"acl_file {tmp_path / 'acl'}") as broker:
        facts = look(broker)
    assert facts.load is not None
    assert facts.load.denied
    assert verdicts(check_broker(facts))["broker.queue"] == "warn"


def test_a_user_that_may_read_nothing_is_warned_of(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """Mosquitto grants the subscription and then denies every message without a word."""
    assert mosquitto.port
    (tmp_path / "acl").write_text("topic write charley/v1/doctor/#\n")
    (tmp_path / "acl").chmod(0o700)
    with Configured(tmp_path, f"acl_file {tmp_path / 'acl'}") as broker:
        facts = look(broker)
    (check,) = [check for check in check_broker(facts) if check.name == "broker.queue"]
    assert check.verdict == "warn"
    assert "nothing came back" in check.found
    assert "readwrite charley/v1/doctor/#" in check.mend


def test_a_listener_that_knows_clients_by_user_is_seen(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """There the doctor's clients end each other's connections, and one that begins anew would empty the ingester's."""
    assert mosquitto.port
    with Configured(tmp_path, "use_username_as_clientid true", "max_queued_messages 0") as broker:
        assert verdicts(check_broker(look(broker, username="ingest")))["broker.client_id"] == "warn"
        with connected(broker, username="ingest", keep_s=600) as (client, _):
            client.subscribe("charley/v1/+/blocks", qos=1)
        with connected(broker, username="device") as (device, _):
            for number in range(3):
                device.publish("charley/v1/leg/blocks", bytes([number]), qos=1).wait_for_publish(10)
        assert verdicts(check_broker(look(broker, username="ingest")))["broker.client_id"] == "warn"
        with connected(broker, username="ingest", expect=3) as (_, received):
            assert received == [b"\0", b"\1", b"\2"]


def test_nobody_there_and_nobody_let_in(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    nobody = MqttSettings(port=servers.free_port())
    facts = look_at_broker(nobody, load=True, own_session="", ever_ran=False)
    assert verdicts(check_broker(facts)) == {"broker.reachable": "fail"}
    assert mosquitto.port
    (tmp_path / "passwords").touch(mode=0o600)
    with Configured(tmp_path, "allow_anonymous false", f"password_file {tmp_path / 'passwords'}") as broker:
        conf = tmp_path / "mosquitto.conf"
        broker.stop()
        conf.write_text(conf.read_text().replace("allow_anonymous true\n", ""))
        broker.start()
        refused = look(broker)
    assert verdicts(check_broker(refused)) == {"broker.reachable": "ok", "broker.login": "fail"}


def test_a_host_or_authority_that_is_none_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for wrong in (MqttSettings(host="a..b"), MqttSettings(tls=True, ca_file=tmp_path / "ca.pem")):
        facts = look_at_broker(wrong, load=False, own_session="not asked", ever_ran=True)
        (check,) = check_broker(facts)
        assert (check.name, check.verdict) == ("broker.reachable", "fail")
        assert "CHARLEY_BROKER_TLS_CA" in check.mend


def test_the_ingesters_session_is_found_and_left_as_it_is(mosquitto: servers.Mosquitto) -> None:
    assert look(mosquitto, load=False, own_session="").session_present is False
    assert look(mosquitto, load=False, own_session="").session_present is False  # asking has made none
    with connected(mosquitto, keep_s=600) as (client, _):
        client.subscribe("charley/v1/+/blocks", qos=1)
    with connected(mosquitto, name="device") as (device, _):
        for number in range(3):
            device.publish("charley/v1/leg/blocks", bytes([number]), qos=1).wait_for_publish(10)
    assert look(mosquitto, load=False, own_session="").session_present is True
    with connected(mosquitto, keep_s=0, expect=3) as (_, received):
        assert received == [b"\0", b"\1", b"\2"]


@contextmanager
def connected(
    broker: servers.Mosquitto,
    *,
    name: str = "charley-ingest",
    username: str | None = None,
    keep_s: int = 0,
    expect: int = 0,
) -> Iterator[tuple[paho.Client, list[bytes]]]:
    """A client that acknowledges; entered once `expect` messages came."""
    received: list[bytes] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5)
    client.username_pw_set(username)
    client.on_message = lambda _client, _data, message: received.append(message.payload)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = keep_s
    client.connect(broker.host, broker.port, clean_start=False, properties=properties)
    client.loop_start()
    try:
        servers.wait_for(client.is_connected, what="connection")
        servers.wait_for(lambda: len(received) >= expect, what="messages")
        yield client, received
    finally:
        client.disconnect()
        client.loop_stop()


def test_influxdb(influxdb: servers.InfluxDB | NamedInfluxDB) -> None:
    old_ns = T0_NS[0] + DAY_NS
    facts, offset_s = look_at_influxdb(
        influxdb.url, token=influxdb.token, org=influxdb.org, bucket=influxdb.bucket, oldest_ns=old_ns
    )
    assert (facts.write, facts.write_old, facts.write_status, facts.read) == ("", "", "", "")
    assert facts.retention_s == 0
    assert offset_s is not None
    assert abs(offset_s) < 2
    assert "fail" not in verdicts(check_influxdb(facts)).values()
    wrong, _ = look_at_influxdb(influxdb.url, token="wrong", org=influxdb.org, bucket="charley", oldest_ns=None)
    assert "wrong" not in (wrong.write or "")
    assert verdicts(check_influxdb(wrong))["influxdb.write"] == "fail"
    missing, _ = look_at_influxdb(
        influxdb.url, token=influxdb.token, org=influxdb.org, bucket="no-such", oldest_ns=None
    )
    assert verdicts(check_influxdb(missing))["influxdb.write"] == "fail"


def test_influxdb_that_forgets(own_influxdb: servers.InfluxDB) -> None:
    own_influxdb.new_bucket("doctor-week", keep_s=7 * 86_400, shard_s=86_400)
    facts, _ = look_at_influxdb(
        own_influxdb.url, token=own_influxdb.token, org=own_influxdb.org, bucket="doctor-week",
        oldest_ns=time.time_ns() - 30 * DAY_NS,
    )  # fmt: skip
    assert facts.retention_s == 7 * 86_400
    assert "retention" in (facts.write_old or "").lower()
    assert verdicts(check_influxdb(facts))["influxdb.retention"] == "fail"


def test_influxdb_that_is_not_there() -> None:
    url = f"http://127.0.0.1:{servers.free_port()}"
    facts, offset_s = look_at_influxdb(url, token="t", org="o", bucket="b", oldest_ns=None)
    assert verdicts(check_influxdb(facts)) == {"influxdb.reachable": "fail"}
    assert offset_s is None


@pytest.mark.parametrize(
    ("url", "token"),
    [("http://host:port", "t"), ("http://[::1", "t"), ("host:8086", "t"), ("http://u:s3cret@host", "t"),
     ("http://host:8086\n", "t"), ("http://host:8086", "s3cret\n"), ("http://host:8086", "s3cret\u00f6")],
)  # fmt: skip
def test_an_address_or_token_that_cannot_be_right_is_said(url: str, token: str) -> None:
    facts, _ = look_at_influxdb(url, token=token, org="o", bucket="b", oldest_ns=None)
    (check,) = check_influxdb(facts)
    assert (check.name, check.verdict) == ("influxdb.reachable", "fail")
    assert "CHARLEY_INFLUXDB_URL or CHARLEY_INFLUXDB_TOKEN" in check.mend
    assert "s3cret" not in check.found
    assert check_settings(Settings(store="influxdb", influxdb_url=url, influxdb_token=SecretStr(token)))


@contextmanager
def another_server() -> Iterator[str]:
    """The address of an HTTP server that is no InfluxDB."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_influxdb_is_asked_without_the_proxies_that_the_store_does_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{servers.free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with another_server() as url:
        facts, _ = look_at_influxdb(url, token="t", org="o", bucket="b", oldest_ns=None)
    assert facts.unreachable == ""


def test_a_server_that_is_not_influxdb_is_told_of_in_a_line() -> None:
    with another_server() as url:
        facts, _ = look_at_influxdb(url, token="t", org="o", bucket="b", oldest_ns=None)
    (check,) = [check for check in check_influxdb(facts) if check.name == "influxdb.write"]
    assert (check.verdict, check.found) == ("fail", "501: Error response")
    assert "CHARLEY_INFLUXDB_URL" in check.mend


def test_journal_is_counted_and_not_changed(tmp_path: Path) -> None:
    ingest(tmp_path, [("leg", block) for block in cut(recording(30), [1.0] * 30)])
    before = (tmp_path / "journal.sqlite").read_bytes()
    facts = look_at_journal(tmp_path / "journal.sqlite")
    assert facts.blocks["ready"] == 30
    assert facts.records == 0
    assert (tmp_path / "journal.sqlite").read_bytes() == before


def test_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (x TEXT)")
        db.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
        db.execute("CREATE INDEX i ON t (x)")
        db.commit()
    assert look_at_file(path, version="PRAGMA user_version", known=0).damage == ""
    with path.open("r+b") as file:
        file.seek(4096 * 8)
        file.write(os.urandom(4096))
    assert look_at_file(path, version="PRAGMA user_version", known=0).damage
    path.write_bytes(b"no database at all, but long enough to look at" * 40)
    assert look_at_file(path, version="PRAGMA user_version", known=0).unreadable
    assert not look_at_file(tmp_path / "none", version="PRAGMA user_version", known=0).exists


def test_a_large_file_is_not_read_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "large.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)")
        db.executemany("INSERT INTO t (y) VALUES (?)", [("y" * 20,)] * 60_000)
        db.execute("CREATE INDEX i ON t (y)")
        db.commit()
    assert look_at_file(path, version="PRAGMA user_version", known=0, limit_s=0.0).damage is None


def test_archive_and_permissions(tmp_path: Path) -> None:
    date = tmp_path / "archive" / "device=leg" / "date=2026-11-20"
    date.mkdir(parents=True)
    (date / "part-1.parquet").write_bytes(b"PAR1 something PAR1")
    (date / "part-2.parquet").write_bytes(b"PAR1 torn")
    (date / "_part-3.parquet.damaged").touch()
    (date / ".part-4.parquet.tmp").touch()
    tmp_path.chmod(0o755)
    facts = look_at_folder(tmp_path, now_s=time.time() + 7200, mounts=None, least=0)
    assert (facts.parts, facts.oldest_day) == (2, "2026-11-20")
    assert [Path(name).name for name in facts.damaged] == ["_part-3.parquet.damaged", "part-2.parquet"]
    assert [Path(name).name for name in facts.leftovers] == [".part-4.parquet.tmp"]
    assert tmp_path.name in facts.open_to_others
    found = verdicts(check_folder(facts))
    assert (found["archive.whole"], found["archive.leftovers"]) == ("fail", "warn")
    tmp_path.chmod(0o700)
    fresh = look_at_folder(tmp_path, now_s=time.time(), mounts=None, least=0)
    assert (fresh.open_to_others, fresh.leftovers) == ((), ())  # a draft of now is being written
    assert not look_at_folder(tmp_path / "none", now_s=0, mounts=None, least=0).exists
    assert fresh.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)


def test_an_archive_on_a_disk_of_its_own_is_looked_at_there(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    assert look_at_folder(tmp_path, now_s=0, mounts=None, least=0).archive_free is None
    (tmp_path / "archive").rmdir()
    (tmp_path / "archive").symlink_to("/proc")  # another file system on every Linux
    facts = look_at_folder(tmp_path, now_s=0, mounts=None, least=0)
    assert facts.archive_free == shutil.disk_usage("/proc").free


def test_a_held_lock_is_seen(tmp_path: Path) -> None:
    lock = tmp_path / "journal.lock"
    assert is_held(lock) is None
    lock.touch()
    assert is_held(lock) is False
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_held(lock) is True
    assert is_held(lock) is False


def test_this_machine() -> None:
    facts = look_at_machine(server_offset_s=None)
    assert facts.python >= (3, 11)
    assert facts.packages == ()
    assert facts.open_files != 0
