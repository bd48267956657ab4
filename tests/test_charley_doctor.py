"""`charley doctor` over a whole site: what it prints, in which order, and how it ends."""

import io
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import servers
from conftest import NamedInfluxDB
from ingest_feed import cut, ingest, recording
from pydantic import SecretStr
from rich.console import Console

from charley import REGISTRY
from ingest.doctor.command import run_doctor
from ingest.journal import Journal
from ingest.settings import Settings
from ingest.store import ServiceStatus
from ingest.store.opening import open_store
from ingest.store.sqlite import SqliteStore


def doctor(settings: Settings, **options: Any) -> tuple[int, str, str]:
    out, err = (Console(file=io.StringIO(), width=160) for _ in range(2))
    code = run_doctor(settings, open_store=open_store, tools=REGISTRY, out=out, err=err, **options)
    return code, *(console.file.getvalue() for console in (out, err))  # type: ignore[attr-defined,return-value]


def site(folder: Path, *, beat_ns: int) -> Settings:
    """A data folder in which an ingester has run, and was last heard of then."""
    folder.mkdir(mode=0o700)
    store = SqliteStore(folder / "store.sqlite")
    ingest(folder, [("leg", block) for block in cut(recording(60), [1.0] * 60)], store=store)
    store.write([ServiceStatus(name="ingest", started_ns=1, beat_ns=beat_ns, version="1", connected=True)])
    store.close()
    return Settings(data_dir=folder, client_id=f"charley-{beat_ns}")


def test_a_sound_site_ends_with_0_and_is_left_as_it_was(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    settings = site(tmp_path / "data", beat_ns=time.time_ns()).model_copy(update={"broker_port": mosquitto.port})
    before = {path: path.read_bytes() for path in settings.data_dir.glob("*.sqlite")}
    code, out, err = doctor(settings, broker_load=False)
    for name in ("journal.whole", "store.records", "ingester.running", "devices.clock", "broker.own_session"):
        assert name in out
    assert "1 devices known" in out
    assert "no process here holds its data folder" in out
    assert "an ingester may be using it: one was heard" in out
    assert {path: path.read_bytes() for path in settings.data_dir.glob("*.sqlite")} == before
    assert (code, err) == (0, "")


def test_whether_the_ingester_runs_is_seen_by_its_lock(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    settings = site(tmp_path / "data", beat_ns=time.time_ns()).model_copy(update={"broker_port": mosquitto.port})
    with closing(Journal(settings.data_dir / "journal.sqlite")):
        _, running, _ = doctor(settings, broker_load=False)
    (settings.data_dir / "journal.lock").unlink()  # as where only the store is shared
    _, unknown, _ = doctor(settings, broker_load=False)
    for out in (running, unknown):
        assert "version 1, lag 0.0 s" in out
    assert "an ingester is using it" in running


def test_a_session_that_is_gone_ends_with_1(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    long_ago_ns = time.time_ns() - 3600 * 10**9
    settings = site(tmp_path / "data", beat_ns=long_ago_ns).model_copy(update={"broker_port": mosquitto.port})
    code, out, _ = doctor(settings, broker_load=False)
    assert code == 1
    assert "keeps no session for the ingester" in out


def test_json_for_programs(mosquitto: servers.Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data_dir=tmp_path / "none", broker_port=mosquitto.port)
    code, _, _ = doctor(settings, as_json=True, mosquitto_conf=Path("deploy/mosquitto/mosquitto.conf"))
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert all(set(check) == {"name", "verdict", "found", "mend"} for check in found)
    assert {"ok", "warn", "skipped"} == {check["verdict"] for check in found}
    assert {"broker.queue", "broker.persistence", "machine.sqlite", "data.folder"} <= {one["name"] for one in found}
    assert not (tmp_path / "none").exists()  # looking makes nothing


def test_a_registry_on_a_server(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    settings = site(tmp_path / "data", beat_ns=time.time_ns())
    for port, told in (
        (mosquitto.port, "takes connections"), (servers.free_port(), "nothing answers"), ("no", "cannot be read"),
    ):  # fmt: skip
        url = SecretStr(f"postgresql://charley:secret%23#@127.0.0.1:{port}/charley")
        change = {"broker_port": mosquitto.port, "registry_url": url}
        code, out, _ = doctor(settings.model_copy(update=change), broker_load=False)
        assert "registry.server" in out
        assert told in " ".join(out.split())
        assert "secret" not in out
        assert code == (0 if port == mosquitto.port else 1)


def test_influxdb_and_no_broker(influxdb: servers.InfluxDB | NamedInfluxDB, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, broker_port=servers.free_port(), store="influxdb", influxdb_url=influxdb.url,
        influxdb_token=SecretStr(influxdb.token), influxdb_org=influxdb.org, influxdb_bucket=influxdb.bucket,
    )  # fmt: skip
    code, out, _ = doctor(settings)
    assert code == 1
    assert "broker.reachable" in out
    assert "influxdb.read" in out
    assert influxdb.token not in out


def test_a_damaged_journal_is_said_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"torn" * 1000)
    code, out, _ = doctor(Settings(data_dir=tmp_path, broker_port=servers.free_port()))
    assert code == 1
    assert "not a database" in out
    assert "machine.sqlite" in out
