"""What the doctor says of facts: every trap that is known to lose data, and its mend."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from certificate import PEM

from charley import app
from ingest.doctor import Check
from ingest.doctor.broker import BrokerFacts, Granted, Load, check_broker
from ingest.doctor.check import exit_code, fail, in_bytes, in_words, ok, skipped, warn
from ingest.doctor.contradictions import check_settings
from ingest.doctor.files import FolderFacts, check_folder, day_bytes_of, file_system_of
from ingest.doctor.influxdb import InfluxFacts, check_influxdb
from ingest.doctor.influxdb_look import in_a_line, in_seconds
from ingest.doctor.journal import JournalFacts, check_journal
from ingest.doctor.machine import MachineFacts, check_machine
from ingest.doctor.mosquitto_conf import check_conf, read_conf
from ingest.doctor.sqlite_file import FileFacts, check_file
from ingest.errors import IngestError
from ingest.settings import Settings

ROOT: Final = Path(__file__).resolve().parent.parent
DAY_S: Final = 86_400.0
NOW_NS: Final = 1_790_000_000 * 10**9
GRANTED: Final = Granted(session_expiry_s=604_800, asked_expiry_s=604_800)
LOAD: Final = Load(sent=1500, returned=tuple(range(1500)), in_flight=1500)
BROKER: Final = BrokerFacts(
    host="broker", port=1883, granted=GRANTED, version="mosquitto version 2.0.22", dropped=0, load=LOAD,
    session_present=True, ever_ran=True,
)  # fmt: skip
INFLUX: Final = InfluxFacts(
    url="http://influx:8086", bucket="charley", version="v2.7.12", now_ns=NOW_NS, write="", write_old="",
    write_status="", read="", oldest_ns=NOW_NS - 100 * 86_400 * 10**9, retention_s=0.0,
)  # fmt: skip
FOLDER: Final = FolderFacts(path=Path("data"), file_system="ext4", free=10**12, day_bytes=10**8)
MACHINE: Final = MachineFacts(python=(3, 12, 1), sqlite=(3, 51, 3), synced=True, server_offset_s=0.2)


def one(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def troubles(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.name, check.verdict) for check in checks if check.verdict in {"warn", "fail"}]


def test_a_sound_site_has_no_troubles() -> None:
    checks = [
        *check_broker(BROKER), *check_influxdb(INFLUX), *check_folder(FOLDER), *check_machine(MACHINE),
        *check_journal(JournalFacts()), *check_settings(Settings()),
        *check_file("store", FileFacts(path=Path("s"), version=2, known=2)),
    ]  # fmt: skip
    assert troubles(checks) == []
    assert not any(check.verdict == "skipped" for check in checks)


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "mend"),
    [
        ({"unreachable": "refused"}, "broker.reachable", "fail", "CHARLEY_BROKER_HOST"),
        ({"refused": "Not authorized"}, "broker.login", "fail", "CHARLEY_BROKER_PASSWORD"),
        ({"granted": None}, "broker.login", "fail", "MQTT 5"),
        ({"granted": replace(GRANTED, session_expiry_s=0)}, "broker.session_expiry", "fail", "keep sessions"),
        ({"granted": replace(GRANTED, session_expiry_s=3600)}, "broker.session_expiry", "warn", "expiration"),
        ({"granted": replace(GRANTED, maximum_qos=0)}, "broker.qos", "fail", "max_qos"),
        ({"granted": replace(GRANTED, retain=False)}, "broker.retain", "fail", "retain_available"),
        ({"granted": replace(GRANTED, wildcard=False)}, "broker.wildcard", "fail", "wildcard"),
        ({"granted": replace(GRANTED, receive_maximum=5)}, "broker.receive_maximum", "warn", "max_inflight"),
        ({"granted": replace(GRANTED, maximum_packet_bytes=10**6)}, "broker.packet_size", "warn", "max_packet_size"),
        ({"granted": replace(GRANTED, server_keepalive_s=5)}, "broker.keepalive", "warn", "keep alive"),
        ({"subscription": "Not authorized"}, "broker.subscription", "fail", "charley/v1/+/blocks"),
        ({"version": "mosquitto version 1.5.7"}, "broker.version", "fail", "2.0.19"),
        ({"version": "mosquitto version 1.6.9"}, "broker.version", "warn", "2.0.19"),
        ({"version": "mosquitto version 2.0.18"}, "broker.version", "warn", "per_listener_settings"),
        ({"dropped": 4000}, "broker.dropped", "warn", "max_queued_messages 0"),
        ({"session_present": False}, "broker.own_session", "fail", "persistence true"),
        ({"load": replace(LOAD, returned=tuple(range(1000)))}, "broker.queue", "fail", "max_queued_messages 0"),
        ({"load": replace(LOAD, session_kept=False)}, "broker.queue", "fail", "Session Expiry"),
        ({"load": replace(LOAD, in_flight=20)}, "broker.in_flight", "warn", "max_inflight_messages 0"),
        ({"load": replace(LOAD, largest="dropped")}, "broker.largest_block", "warn", "message_size_limit"),
        ({"load": Load(denied="may not")}, "broker.queue", "warn", "readwrite charley/v1/doctor/#"),
        ({"load": Load(denied="may not")}, "broker.in_flight", "skipped", ""),
        ({"shared": True}, "broker.client_id", "warn", "listener without use_username_as_clientid"),
        ({"shared": True}, "broker.queue", "skipped", ""),
        ({"load": None, "load_skipped": "left out"}, "broker.queue", "skipped", ""),
        ({"version": None}, "broker.version", "skipped", ""),
        ({"version": "EMQX 5.8.0"}, "broker.version", "ok", ""),
        ({"version": "mosquitto version 2.0.11"}, "broker.version", "ok", ""),
        ({"dropped": None}, "broker.dropped", "skipped", ""),
        ({"session_present": False, "ever_ran": False}, "broker.own_session", "ok", ""),
        ({"session_present": None, "session_skipped": "in use"}, "broker.own_session", "skipped", ""),
    ],
)  # fmt: skip
def test_broker(changes: dict[str, Any], name: str, verdict: str, mend: str) -> None:
    check = one(check_broker(replace(BROKER, **changes)), name)
    assert check.verdict == verdict
    assert mend in check.mend


def test_broker_says_which_messages_it_drops() -> None:
    newest = one(check_broker(replace(BROKER, load=replace(LOAD, returned=tuple(range(1000))))), "broker.queue")
    oldest = one(check_broker(replace(BROKER, load=replace(LOAD, returned=tuple(range(500, 1500))))), "broker.queue")
    assert "1000 were kept; the newest were dropped" in newest.found
    assert "1000 were kept; the oldest were dropped" in oldest.found


def test_nothing_is_said_of_a_broker_that_cannot_be_reached() -> None:
    assert [check.name for check in check_broker(replace(BROKER, unreachable="timed out"))] == ["broker.reachable"]


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "mend"),
    [
        ({"unreachable": "refused"}, "influxdb.reachable", "fail", "CHARLEY_INFLUXDB_URL"),
        ({"version": ""}, "influxdb.version", "skipped", ""),
        ({"version": "1.6.7"}, "influxdb.version", "warn", "1.8"),
        ({"version": "1.6.7", "write": "404: page not found"}, "influxdb.version", "fail", "1.8"),
        ({"version": "1.6.7", "write": "404: 404 page not found"}, "influxdb.write", "fail", "install InfluxDB 1.8"),
        ({"version": "1.6.7", "write": "404: database not found"}, "influxdb.write", "fail", "CREATE DATABASE"),
        ({"version": "v2.3.0"}, "influxdb.version", "warn", "dbrp create --db charley --rp autogen"),
        ({"version": "2.4.0"}, "influxdb.version", "ok", ""),
        ({"write": "401: unauthorized access"}, "influxdb.write", "fail", "CHARLEY_INFLUXDB_TOKEN"),
        ({"write": "404: bucket not found"}, "influxdb.write", "fail", "influx bucket create --name charley"),
        ({"write": "404: database not found", "version": "1.8.10"}, "influxdb.write", "fail", "CREATE DATABASE"),
        ({"write": "404: no", "version": "3.1.0"}, "influxdb.write", "fail", "influxdb3 create database"),
        ({"write": "500: engine is closed"}, "influxdb.write", "fail", "journal"),
        ({"read": "database not found"}, "influxdb.read", "fail", "dbrp create"),
        ({"read": "403: no", "version": "1.8.10"}, "influxdb.read", "fail", "read the bucket"),
        ({"retention_s": 30 * DAY_S}, "influxdb.retention", "fail", "--retention 0"),
        ({"retention_s": 7 * DAY_S, "oldest_ns": None}, "influxdb.retention", "fail", "--retention 0"),
        ({"retention_s": 3650 * DAY_S}, "influxdb.retention", "warn", "--retention 0"),
        ({"retention_s": 7 * DAY_S, "version": "1.8.3", "bucket": "c/week"}, "influxdb.retention", "fail",
         'ALTER RETENTION POLICY "week" ON "c" DURATION INF'),
        ({"write_old": "422: points beyond retention policy"}, "influxdb.retention", "fail", "--retention 0"),
        ({"retention_s": None, "version": "3.1.0"}, "influxdb.retention", "skipped", "--retention-period none"),
        ({"write_status": "422: too far ahead"}, "influxdb.states", "fail", "2100"),
        ({"version": "3.1.0", "file_limit": "would exceed file limit"}, "influxdb.file_limit", "fail",
         "--query-file-limit"),
        ({"version": "3.1.0"}, "influxdb.file_limit", "skipped", "--query-file-limit"),
        ({"version": "3.1.0"}, "influxdb.lookback", "skipped", "--gen1-lookback-duration"),
    ],
)  # fmt: skip
def test_influxdb(changes: dict[str, Any], name: str, verdict: str, mend: str) -> None:
    check = one(check_influxdb(replace(INFLUX, **changes)), name)
    assert check.verdict == verdict
    assert mend in check.mend


@pytest.mark.parametrize(("told", "seconds"), [("0s", 0), ("168h0m0s", 604_800), ("1h30m5s", 5405)])
def test_retention_as_influxdb_1_prints_it(told: str, seconds: float) -> None:
    assert in_seconds(told) == seconds


def test_no_option_denies_itself() -> None:
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        options = [option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)]
        assert not [option for option in options if option.startswith("--no-no-")], name


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<h1>No</h1></body></html>", "404 Not Found"),
        ("<!DOCTYPE html>\n<style>p { color: red }</style>\n<p>no &amp; such\n<b>page</b></p>", "no & such page"),
        ("404 page not found\n", "404 page not found"),
        ("word " * 100, "word " * 24 + "…"),
    ],
)
def test_a_page_in_place_of_an_answer_is_told_in_a_line(body: str, line: str) -> None:
    assert in_a_line(body) == line


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "mend"),
    [
        ({"exists": False}, "data.folder", "warn", "CHARLEY_DATA_DIR"),
        ({"open_to_others": ("journal.sqlite",)}, "data.permissions", "warn", "chmod -R go-rwx"),
        ({"foreign": ("data",)}, "data.permissions", "fail", "chown"),
        ({"file_system": "nfs4"}, "data.file_system", "fail", "local disk"),
        ({"file_system": "overlay"}, "data.file_system", "warn", "volume"),
        ({"file_system": None}, "data.file_system", "skipped", ""),
        ({"free": 10**7}, "data.space", "fail", "CHARLEY_MIN_FREE_MB"),
        ({"free": 10**9}, "data.space", "warn", "larger disk"),
        ({"free": 10**9, "least": 512 << 20}, "data.space", "warn", "larger disk"),
        ({"free": 6 * 10**8, "least": 512 << 20}, "data.space", "fail", "CHARLEY_MIN_FREE_MB"),
        ({"free": 5 * 10**8, "least": 512 << 20, "day_bytes": None}, "data.space", "fail", "make room now"),
        ({"free": 10**9, "day_bytes": 0.0}, "data.space", "ok", ""),
        ({"free": 10**9, "day_bytes": None}, "data.space", "ok", ""),
        ({"free": 10**9, "archive_free": 10**12}, "data.space", "ok", ""),
        ({"free": 10**7, "archive_free": 10**12, "least": 512 << 20}, "data.space", "fail", "make room now"),
        ({"archive_free": 10**12}, "archive.space", "ok", ""),
        ({"archive_free": 10**9}, "archive.space", "warn", "larger disk"),
        ({"archive_free": 10**7}, "archive.space", "fail", "blocks stay in the journal"),
        ({"damaged": ("archive/_part-1.parquet.damaged",)}, "archive.whole", "fail", "from a backup"),
        ({"leftovers": ("archive/.part-1.tmp",)}, "archive.leftovers", "warn", "restart the ingester"),
    ],
)
def test_data_folder(changes: dict[str, Any], name: str, verdict: str, mend: str) -> None:
    check = one(check_folder(replace(FOLDER, **changes)), name)
    assert check.verdict == verdict
    assert mend in check.mend


def test_no_number_of_days_without_a_whole_day() -> None:
    check = one(check_folder(replace(FOLDER, day_bytes=None, least=512 << 20)), "data.space")
    assert (check.verdict, "cannot be told" in check.found, "left" in check.found) == ("ok", True, False)
    left = one(check_folder(replace(FOLDER, free=(512 << 20) + 30 * 10**8, least=512 << 20)), "data.space")
    assert "30 days left" in left.found


@pytest.mark.parametrize(
    ("sizes", "made", "expected"),
    [
        ({}, 1, None),
        ({"2026-11-23": 900}, 1, None),  # today is not over
        ({"2026-11-22": 900, "2026-11-23": 5}, 1, None),  # when the first day began is not known
        ({"2026-11-21": 9, "2026-11-22": 900, "2026-11-23": 5}, 1, 900),
        ({"2026-11-19": 9, "2026-11-22": 900}, 1, 300),  # two days without any
        ({"2001-01-01": 9, "2026-11-23": 5}, 1, None),
        ({f"2026-11-{day:02}": 100 for day in range(1, 24)}, 1, 100),
        ({f"2026-11-{day:02}": 900 for day in range(1, 23)}, 23, None),  # a backlog, on the first day
        ({f"2026-11-{day:02}": 900 for day in range(1, 23)}, 22, None),
        ({"2026-11-20": 9, "2026-11-21": 90, "2026-11-22": 900}, 20, 495),
        ({f"2026-11-{day:02}": 100 for day in range(1, 24)}, None, None),  # no ingester has run here
    ],
)
def test_what_a_day_adds(sizes: dict[str, int], made: int | None, expected: float | None) -> None:
    since = made and dt.date(2026, 11, made)
    assert day_bytes_of(sizes, made=since or None, today=dt.date(2026, 11, 23)) == expected


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        ({"server_offset_s": 5.0}, "machine.clock", "warn"),
        ({"server_offset_s": -3600.0}, "machine.clock", "fail"),
        ({"server_offset_s": None}, "machine.clock", "skipped"),
        ({"synced": False}, "machine.ntp", "warn"),
        ({"synced": None}, "machine.ntp", "skipped"),
        ({"open_files": 256}, "machine.open_files", "warn"),
        ({"open_files": -1}, "machine.open_files", "ok"),
        ({"python": (3, 10, 4)}, "machine.python", "fail"),
        ({"sqlite": (3, 34, 1)}, "machine.sqlite", "fail"),
        ({"sqlite": (3, 40, 1)}, "machine.sqlite", "warn"),
        ({"sqlite": (3, 51, 2)}, "machine.sqlite", "warn"),
        ({"sqlite": (3, 50, 7)}, "machine.sqlite", "ok"),
        ({"sqlite": (3, 44, 6)}, "machine.sqlite", "ok"),
        ({"sqlite": (3, 44, 5)}, "machine.sqlite", "warn"),
        ({"packages": ("paho-mqtt 1.6 (needs 2.2)",)}, "machine.packages", "fail"),
    ],
)
def test_machine(changes: dict[str, Any], name: str, verdict: str) -> None:
    assert one(check_machine(replace(MACHINE, **changes)), name).verdict == verdict


@pytest.mark.parametrize(
    ("facts", "waiting_s", "name", "verdict"),
    [
        (JournalFacts(records=60_000), None, "journal.outbox", "warn"),
        (JournalFacts(records=3), 3600.0, "journal.outbox", "warn"),
        (JournalFacts(records=3), 2.0, "journal.outbox", "ok"),
        (JournalFacts(quarantine={"clock": 3}), None, "journal.quarantine", "warn"),
        (JournalFacts(blocks={"undated": 2}), None, "journal.late", "warn"),
        (JournalFacts(blocks={"late": 2}), None, "journal.late", "ok"),
        (JournalFacts(blocks={"failed": 1}), None, "journal.failed", "warn"),
    ],
)
def test_journal(facts: JournalFacts, waiting_s: float | None, name: str, verdict: str) -> None:
    assert one(check_journal(facts, oldest_waiting_s=waiting_s), name).verdict == verdict


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        ({"unreadable": "disk I/O error"}, "x.whole", "fail"),
        ({"damage": "row 3 missing from index"}, "x.whole", "fail"),
        ({"damage": None}, "x.whole", "skipped"),
        ({"version": 1}, "x.schema", "warn"),
        ({"version": 3}, "x.schema", "fail"),
        ({"version": None}, "x.schema", "fail"),
        ({"version": "0001", "known": None}, "x.schema", "ok"),
    ],
)
def test_sqlite_file(changes: dict[str, Any], name: str, verdict: str) -> None:
    facts = replace(FileFacts(path=Path("x.sqlite"), version=2, known=2), **changes)
    assert one(check_file("x", facts), name).verdict == verdict


def test_our_own_mosquitto_configuration_has_no_troubles() -> None:
    assert troubles(check_conf(read_conf(ROOT / "deploy" / "mosquitto" / "mosquitto.conf"))) == []


def test_mosquitto_without_configuration_loses_much() -> None:
    assert troubles(check_conf({})) == [
        ("broker.persistence", "fail"),
        ("broker.configuration.max_queued_messages", "fail"),
        ("broker.configuration.max_inflight_messages", "warn"),
    ]
    assert [check.verdict for check in check_conf(None)] == ["skipped"]


@pytest.mark.parametrize(
    ("line", "name", "verdict"),
    [
        ("persistence false", "broker.persistence", "fail"),
        ("autosave_interval 1800", "broker.persistence", "warn"),
        ("autosave_interval 0", "broker.persistence", "warn"),
        ("max_queued_bytes 1000000", "broker.configuration.max_queued_bytes", "fail"),
        ("message_size_limit 100000", "broker.configuration.message_size_limit", "fail"),
        ("message_size_limit 8388608", "broker.configuration.message_size_limit", "ok"),
        ("per_listener_settings true", "broker.configuration.per_listener_settings", "warn"),
        ("persistent_client_expiration 1d", "broker.configuration.persistent_client_expiration", "warn"),
    ],
)
def test_mosquitto_configuration(line: str, name: str, verdict: str, tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "ours.conf").write_text(f"# ours\n{line}\n")
    (tmp_path / "mosquitto.conf").write_text(
        f"persistence true\nautosave_interval 60\nmax_queued_messages 0\ninclude_dir {tmp_path / 'conf.d'}\n"
    )
    assert one(check_conf(read_conf(tmp_path / "mosquitto.conf")), name).verdict == verdict


def test_a_folder_that_includes_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "ours.conf").write_text(f"include_dir {tmp_path}\nautosave_interval 60\n\npersistence true\n")
    assert one(check_conf(read_conf(tmp_path / "ours.conf")), "broker.persistence").verdict == "ok"


def test_a_configuration_with_a_word_for_a_number_is_said() -> None:
    for option in ("autosave_interval", "message_size_limit", "max_inflight_messages"):
        for value in ("often", "-1", ""):
            (check,) = check_conf({"persistence": "true", option: value})
            assert (check.name, check.verdict) == (f"broker.configuration.{option}", "fail")
            assert repr(value) in check.found
            assert option in check.mend


def test_a_configuration_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="--mosquitto-conf"):
        read_conf(tmp_path / "none.conf")


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"broker_host": "192.168.1.5", "broker_username": "i", "broker_password": "p"}, "plain text"),
        ({"broker_tls_ca": "ca.pem"}, "TLS on port 1883"),
        ({"broker_port": 8883}, "no TLS on port 8883"),
        ({"influxdb_token": "t"}, "CHARLEY_STORE is sqlite"),
        ({"store": "influxdb", "influxdb_url": "http://db.example.org:8086", "influxdb_token": "t"}, "plain text"),
        ({"allow_remote": True}, "on loopback only"),
    ],
)
def test_settings_that_contradict(settings: dict[str, Any], found: str, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    settings = {name: tmp_path / "ca.pem" if name == "broker_tls_ca" else value for name, value in settings.items()}
    (check,) = check_settings(Settings(**settings))
    assert check.verdict == "warn"
    assert found in check.found


def test_settings_of_our_containers_do_not_contradict() -> None:
    settings = Settings(
        broker_host="mosquitto", broker_username="ingest", broker_password="p", store="influxdb",  # type: ignore[arg-type]
        influxdb_url="http://influxdb:8086", influxdb_token="t",  # type: ignore[arg-type]
    )  # fmt: skip
    assert check_settings(settings) == [ok("settings", "nothing contradicts itself")]


def test_the_file_system_is_that_of_the_innermost_mount() -> None:
    mounts = (
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "22 21 0:30 / /srv/my\\040data rw - nfs4 server:/x rw\n"
        "23 21 0:31 / /srv rw master:1 - xfs /dev/sdb rw\n"
    )
    assert file_system_of(Path("/srv/my data/charley"), mounts) == "nfs4"
    assert file_system_of(Path("/srv/my"), mounts) == "xfs"
    assert file_system_of(Path("/var"), mounts) == "ext4"
    assert file_system_of(Path("/var"), "") is None


def test_exit_code_and_words() -> None:
    assert exit_code([ok("a", ""), warn("b", "", "mend"), skipped("c", "")]) == 0
    assert exit_code([ok("a", ""), fail("b", "", "mend")]) == 1
    with pytest.raises(ValueError, match="needs a mend"):
        warn("b", "found", "")
    assert [in_words(s) for s in (0.25, 90.0, 7200.0, 604_800.0)] == ["0.25 s", "90 s", "2 hours", "7 days"]
    assert [in_bytes(n) for n in (12, 4_200_000, 3.2e9)] == ["12 bytes", "4.0 MiB", "3.0 GiB"]
