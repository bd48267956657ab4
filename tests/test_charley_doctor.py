"""`charley doctor` over a whole site: what it prints, in which order, and how it ends."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import servers
from conftest import NamedInfluxDB
from ingest_feed import cut, ingest, recording
from pydantic import SecretStr
from rich.console import Console

from charley import open_store
from ingest.doctor.command import run_doctor
from ingest.settings import Settings
from ingest.store.sqlite import SqliteStore


def doctor(settings: Settings, **options: Any) -> tuple[int, str, str]:
    out, err = (Console(file=io.StringIO(), width=160) for _ in range(2))
    code = run_doctor(settings, open_store=open_store, out=out, err=err, **options)
    return code, *(console.file.getvalue() for console in (out, err))  # type: ignore[attr-defined,return-value]


def site(folder: Path) -> Path:
    """A data folder in which an ingester has run."""
    folder.mkdir(mode=0o700)
    store = SqliteStore(folder / "store.sqlite")
    ingest(folder, [("leg", block) for block in cut(recording(60), [1.0] * 60)], store=store)
    store.close()
    return folder


def test_a_sound_site_ends_with_0(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    settings = Settings(data_dir=site(tmp_path / "data"), broker_port=mosquitto.port, client_id="someone-else")
    before = {path: path.read_bytes() for path in settings.data_dir.glob("*.sqlite")}
    code, out, err = doctor(settings, broker_load=False)
    assert "journal.whole" in out
    assert "store.records" in out
    assert "1 devices known" in out
    assert "broker.own_session" in out
    assert {path: path.read_bytes() for path in settings.data_dir.glob("*.sqlite")} == before
    assert (code, err) == (1, "")  # the ingester has run, and this broker has no session of it
    assert out.count("fail ") == 1


def test_json_for_programs(mosquitto: servers.Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data_dir=tmp_path / "none", broker_port=mosquitto.port)
    code, _, _ = doctor(settings, as_json=True, mosquitto_conf=Path("deploy/mosquitto/mosquitto.conf"))
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert all(set(check) == {"name", "verdict", "found", "mend"} for check in found)
    assert {"ok", "warn", "skipped"} == {check["verdict"] for check in found}
    assert {"broker.queue", "broker.persistence", "machine.sqlite", "data.folder"} <= {one["name"] for one in found}
    assert not (tmp_path / "none").exists()  # looking makes nothing


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
