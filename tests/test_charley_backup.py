"""A backup taken while blocks stream in: restored elsewhere, with the rest of the stream, it gives equal records."""

import io
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import servers
from charley_run import ingester
from ingest_feed import contents
from rich.console import Console
from test_charley_chain import ALIGNED_NS, SECONDS, leg

from api.access import load_or_create_token
from api.registry import open_registry
from charley import REGISTRY
from ingest.keeping.command import run_backup, run_restore
from ingest.keeping.manifest import read_manifest
from ingest.settings import Settings
from ingest.store.opening import open_store
from ingest.store.sqlite import SqliteStore
from simulators.device import Device
from simulators.publish import publish

SPEED = 40.0  # times real time: the stream takes ten seconds
CLIENT = {"client_id": "ingest-of-keeping", "archive_after_s": 1}


def quiet() -> Console:
    return Console(file=io.StringIO())


def held(folder: Path, device: str) -> list[Any]:
    """What a folder's store holds of a device."""
    with closing(SqliteStore(folder / "store.sqlite")) as store:
        return contents(store, [device])


def undisturbed(broker: servers.Mosquitto, device: Device, folder: Path) -> list[Any]:
    folder.mkdir()
    with ingester(broker, {"client_id": "undisturbed"}, folder=folder):
        sent = publish([device], host=broker.host, port=broker.port, durable_within_s=60.0)
        assert sent.durable == {device.device: {1: SECONDS - 1}}
    return held(folder, device.device)


def samples_ns(folder: Path, device: str) -> int:
    """How far the results of a device have come."""
    if not (folder / "store.sqlite").exists():
        return 0
    with closing(SqliteStore(folder / "store.sqlite")) as store:
        return max((status.last_sample_ns for status in store.statuses([device])), default=0)


def test_a_backup_under_load_restores_to_equal_records(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    device = leg("keeping", ALIGNED_NS)
    expected = undisturbed(mosquitto, device, tmp_path / "undisturbed")
    site, elsewhere = Settings(data_dir=tmp_path / "site"), Settings(data_dir=tmp_path / "elsewhere")
    site.data_dir.mkdir()
    open_registry(f"sqlite:///{site.data_dir / 'registry.sqlite'}").close()
    load_or_create_token(site.data_dir / "admin-token")

    with servers.Mosquitto(make(tmp_path / "broker")) as broker:
        sending = threading.Thread(
            target=publish, args=([device],), kwargs={"host": broker.host, "port": broker.port, "speed": SPEED}
        )
        with ingester(broker, CLIENT, folder=site.data_dir):
            sending.start()
            for number, second in enumerate((60, 120, 200)):
                reached_ns = ALIGNED_NS + second * 10**9
                servers.wait_for(lambda ns=reached_ns: samples_ns(site.data_dir, device.device) > ns, timeout_s=60,
                                 what=f"{second} s of results")  # fmt: skip
                to = tmp_path / f"backup-{number}"
                assert run_backup(site, to, tools=REGISTRY, open_store=open_store, out=quiet(), err=quiet()) == 0
                assert read_manifest(to).exact
        sending.join()  # the last part of the stream waits at the broker
        manifest = read_manifest(tmp_path / "backup-1")
        assert manifest.counts["archive parts"] > 0
        run_restore(
            elsewhere, tmp_path / "backup-1", keep_store=False, tools=REGISTRY, open_store=open_store, out=quiet(),
            err=quiet(),
        )  # fmt: skip
        with ingester(broker, CLIENT, folder=elsewhere.data_dir):
            publish([device], host=broker.host, port=broker.port, durable_within_s=60.0)
            servers.wait_for(lambda: held(elsewhere.data_dir, device.device) == expected, timeout_s=90,
                             what="records equal to those of an undisturbed run")  # fmt: skip
    assert held(elsewhere.data_dir, device.device) == expected
    assert len(expected) > 2 * (SECONDS // 10)


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder
