"""A backup holds everything, is found whole or not, and is restored into an empty place only."""

import io
import json
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import servers
from api_world import ns
from conftest import NamedInfluxDB
from ingest_feed import block, contents, cut, ingest, recording
from pydantic import SecretStr
from rich.console import Console
from store_records import an_episode, an_epoch

from api.access import load_or_create_token
from api.periods import NightPreference
from api.registry import devices, open_registry, wearers
from api.zones import ZoneChange, ZoneHistory
from charley import REGISTRY
from ingest.archive import Archive, Archived
from ingest.journal_schema import open_reader
from ingest.keeping import BackupError
from ingest.keeping.command import run_backup, run_restore
from ingest.keeping.manifest import read_manifest
from ingest.settings import Settings
from ingest.store.influx import InfluxStore
from ingest.store.memory import MemoryStore
from ingest.store.opening import open_store
from ingest.store.sqlite import SqliteStore

DEVICES = ["leg-1", "leg-2"]
ZONES = ZoneHistory((ZoneChange(0, "Europe/Berlin"),))


def site(folder: Path) -> Settings:
    """A site with raw blocks, results, an archive, a wearer and a token."""
    folder.mkdir(mode=0o700)
    store = SqliteStore(folder / "store.sqlite")
    for device in DEVICES:
        blocks = cut(recording(150, seed=len(device)), [1.0] * 150)
        ingest(folder, [(device, block) for block in blocks], store=store)
    store.close()
    Archive(folder / "archive").add("leg-1", [Archived(block(recording(1)), 1)])
    part(folder).with_name(".part-2.parquet.tmp").write_bytes(b"half")
    settings = Settings(data_dir=folder)
    registry = open_registry(f"sqlite:///{folder / 'registry.sqlite'}")
    with registry.write() as db:
        wearers.add(db, name="Ada Ü", zones=ZONES, night=NightPreference(), created_ns=1)
        for device in (*DEVICES, "leg-3"):  # of the last nothing has come
            devices.add(db, device_id=device, label=device, created_ns=1)
    registry.close()
    load_or_create_token(folder / "admin-token")
    return settings


def part(folder: Path) -> Path:
    """The only part of the archive in a data folder or a backup."""
    (found,) = (folder / "archive").rglob("part-*.parquet")
    return found


def console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200), text


def back_up(settings: Settings, to: Path) -> str:
    out, text = console()
    assert run_backup(settings, to, tools=REGISTRY, open_store=open_store, out=out, err=out) == 0
    return text.getvalue()


def restore(settings: Settings, source: Path, **options: Any) -> str:
    out, text = console()
    options = {"keep_store": False, "tools": REGISTRY, "open_store": open_store, "out": out, "err": out} | options
    assert run_restore(settings, source, **options) == 0
    return text.getvalue()


def rows(path: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def results(path: Path) -> list[Any]:
    with closing(SqliteStore(path)) as store:
        return contents(store, DEVICES)


def test_what_is_restored_is_what_there_was(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    told = back_up(settings, tmp_path / "kept")
    assert "health data" in told
    assert "same disk" in told
    assert "; 300 blocks in the journal, 2 devices, 2 episodes, 30 epochs, 1 archive part, " in told
    assert " 3 registered devices" in told
    assert " 0 " not in told
    again = Settings(data_dir=tmp_path / "new")
    assert "Start the roles now" in restore(again, tmp_path / "kept")
    for table in ("device", "block", "outbox", "gap", "quarantine"):
        old = rows(settings.data_dir / "journal.sqlite", table)
        assert rows(again.data_dir / "journal.sqlite", table) == old
    assert results(again.data_dir / "store.sqlite") == results(settings.data_dir / "store.sqlite") != []
    assert rows(again.data_dir / "registry.sqlite", "wearers") == rows(settings.data_dir / "registry.sqlite", "wearers")
    assert rows(again.data_dir / "registry.sqlite", "zone_changes") != []
    assert (again.data_dir / "admin-token").read_text() == (settings.data_dir / "admin-token").read_text()
    (archived,) = (again.data_dir / "archive").rglob("*.*")
    assert archived.read_bytes() == part(settings.data_dir).read_bytes()
    assert archived.stat().st_nlink == 1  # the backup keeps its own
    assert {path.name for path in again.data_dir.iterdir()} == {
        "journal.sqlite", "store.sqlite", "registry.sqlite", "admin-token", "archive"
    }  # fmt: skip


def test_a_data_folder_may_have_any_name(tmp_path: Path) -> None:
    """In a URL some characters say something, and must not lead to another file."""
    old, kept, new = (tmp_path / name for name in ("a#b", "50%20 #1?mode=rw", "c%3F"))
    site(tmp_path / "data").data_dir.rename(old)
    back_up(Settings(data_dir=old), kept)
    restore(Settings(data_dir=new), kept)
    assert rows(new / "registry.sqlite", "wearers") == rows(old / "registry.sqlite", "wearers") != []
    open_reader(new / "journal.sqlite").close()
    assert sorted(tmp_path.iterdir()) == sorted((old, kept, new))


def test_a_registry_that_is_named_by_a_uri_is_not_forgotten(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    url = SecretStr(f"sqlite:///file:{settings.data_dir}/registry.sqlite?uri=true")
    back_up(settings.model_copy(update={"registry_url": url}), tmp_path / "kept")
    assert (tmp_path / "kept" / "registry.jsonl").exists()


def test_only_the_owner_may_read_either(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    part(settings.data_dir).chmod(0o600)
    back_up(settings, tmp_path / "kept")
    restore(Settings(data_dir=tmp_path / "new"), tmp_path / "kept")
    for root in (tmp_path / "kept", tmp_path / "new"):
        assert stat.S_IMODE(root.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")} == {0o600, 0o700}


def test_no_setting_is_in_it(tmp_path: Path) -> None:
    secrets = {"broker_username": "i", "broker_password": "hush-1"}
    settings = Settings.model_validate(site(tmp_path / "data").model_dump() | secrets)
    back_up(settings, tmp_path / "kept")
    assert not any(b"hush" in path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file())


def test_an_ingester_goes_on_from_a_restored_journal(tmp_path: Path) -> None:
    """The rest of a stream gives what it gives without the move; what comes twice changes nothing."""
    blocks = list(cut(recording(300, bursts=((65, 60), (200, 40))), [1.0] * 300))
    undisturbed = ingest(tmp_path, [("leg-1", block) for block in blocks])
    data = tmp_path / "data"
    data.mkdir()
    store = SqliteStore(data / "store.sqlite")
    ingest(data, [("leg-1", block) for block in blocks[:230]], store=store)
    store.close()
    back_up(Settings(data_dir=data), tmp_path / "kept")
    restore(Settings(data_dir=tmp_path / "new"), tmp_path / "kept")
    with closing(SqliteStore(tmp_path / "new" / "store.sqlite")) as store:
        ingest(tmp_path / "new", [("leg-1", block) for block in blocks[200:]], store=store)
        assert contents(store, ["leg-1"]) == contents(undisturbed, ["leg-1"])


def test_a_folder_that_exists_gets_one_named_after_the_time(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    (tmp_path / "kept").mkdir()
    back_up(settings, tmp_path / "kept")
    (made,) = (tmp_path / "kept").iterdir()
    assert made.name.startswith("charley-2")
    assert read_manifest(made).exact


def test_a_backup_is_not_put_into_another(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    (tmp_path / "all").mkdir()
    first = tmp_path / "all" / "first"
    back_up(settings, first)
    before = sorted(first.rglob("*"))
    for inside in (first, first / "second", first / "archive", first / "a" / "b"):
        with pytest.raises(BackupError, match=f"{first} is itself a backup.*charley backup {first.parent}$"):
            back_up(settings, inside)
    assert sorted(first.rglob("*")) == before

    (tmp_path / "all" / "manifest.json").write_text('{"format": 1, "name": "of something else"}')
    back_up(settings, tmp_path / "all")
    assert len([path for path in (tmp_path / "all").iterdir() if path.is_dir()]) == 2


def test_a_site_that_has_little_is_kept_with_a_word_on_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    told = back_up(Settings(data_dir=tmp_path / "data"), tmp_path / "kept")
    for missing in ("no journal here", "no registry here", "no admin token here", "; nothing was in it yet."):
        assert missing in told
    restore(Settings(data_dir=tmp_path / "new"), tmp_path / "kept")
    assert list((tmp_path / "new").iterdir()) == []


def test_places_that_are_refused(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    (tmp_path / "file").touch()
    for to, said in (
        (tmp_path / "file", "exists already"),
        (settings.data_dir / "kept", "lies in the data folder"),
        (tmp_path / "file" / "kept", "cannot be made"),
    ):
        with pytest.raises(BackupError, match=said):
            back_up(settings, to)
    with pytest.raises(BackupError, match="no data folder"):
        back_up(Settings(data_dir=tmp_path / "none"), tmp_path / "kept")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "file"]


def test_nothing_is_left_of_a_backup_that_failed(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    (settings.data_dir / "store.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(BackupError, match="not a database"):
        back_up(settings, tmp_path / "kept" / "now")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_damaged_backup_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    back_up(settings, tmp_path / "kept")
    new = Settings(data_dir=tmp_path / "new")
    store = tmp_path / "kept" / "store.sqlite"
    content = store.read_bytes()
    store.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BackupError, match=r"store\.sqlite has changed"):
        restore(new, tmp_path / "kept")
    store.write_bytes(content[:-1])
    with pytest.raises(BackupError, match=r"store\.sqlite has \d+ bytes instead of"):
        restore(new, tmp_path / "kept")
    store.unlink()
    with pytest.raises(BackupError, match=r"store\.sqlite is missing"):
        restore(new, tmp_path / "kept")
    (tmp_path / "kept" / "manifest.json").write_text("{")
    with pytest.raises(BackupError, match="is not a manifest"):
        restore(new, tmp_path / "kept")
    (tmp_path / "kept" / "manifest.json").unlink()
    with pytest.raises(BackupError, match="not finished"):
        restore(new, tmp_path / "kept")
    assert not new.data_dir.exists()


def test_a_place_that_is_no_backup_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    kept, new = tmp_path / "kept", Settings(data_dir=tmp_path / "new")
    with pytest.raises(BackupError, match=r"kept does not exist\. Name the folder of a backup"):
        restore(new, kept)
    kept.mkdir()
    (kept / "notes").write_text("no backup")
    with pytest.raises(BackupError, match=r"notes is a file\. Name the folder"):
        restore(new, kept / "notes")
    with pytest.raises(
        BackupError, match=r"kept holds no manifest\.json: it is no backup, or one that was not finished$"
    ):
        restore(new, kept)
    for number in range(7):
        back_up(Settings(data_dir=tmp_path / "data"), kept / f"charley-{number}")
    with pytest.raises(BackupError, match="Name one of the backups that lie in it: ") as refusal:
        restore(new, kept)
    told = str(refusal.value).partition("in it: ")[2]
    assert told == ", ".join(str(kept / f"charley-{number}") for number in (6, 5, 4, 3, 2)) + ", and 2 more"
    assert not new.data_dir.exists()


def test_a_full_data_folder_is_not_written_over(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    back_up(settings, tmp_path / "kept")
    before = sorted(settings.data_dir.rglob("*"))
    with pytest.raises(BackupError, match=r"is not empty \(admin-token, archive"):
        restore(settings, tmp_path / "kept")
    assert sorted(settings.data_dir.rglob("*")) == before


def test_a_site_is_not_restored_into_a_backup(tmp_path: Path) -> None:
    back_up(site(tmp_path / "data"), tmp_path / "kept")
    before = sorted((tmp_path / "kept").rglob("*"))
    with pytest.raises(BackupError, match=r"data lies in the backup .*kept, .*set CHARLEY_DATA_DIR"):
        restore(Settings(data_dir=tmp_path / "kept" / "new" / "data"), tmp_path / "kept")
    assert sorted((tmp_path / "kept").rglob("*")) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "backup of format 2"),
        ({"schemas": {"journal": 99}}, "whose journal has schema 99"),
        ({"schemas": {"store": 99}}, "whose store has schema 99"),
        ({"files": [{"path": "../evil", "bytes": 0, "sha256": ""}]}, "lies outside"),
    ],
)
def test_what_a_newer_release_wrote_is_refused(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    back_up(Settings(data_dir=tmp_path / "data"), tmp_path / "kept")
    path = tmp_path / "kept" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BackupError, match=said):
        restore(Settings(data_dir=tmp_path / "new"), tmp_path / "kept")


def test_a_restore_that_fails_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    back_up(settings, tmp_path / "kept")
    new = Settings(data_dir=tmp_path / "new")

    def fails(_url: str, _source: Path) -> dict[str, int]:
        raise OSError(28, "No space left on device")

    with pytest.raises(BackupError, match="No space left"):
        restore(new, tmp_path / "kept", tools=replace(REGISTRY, restore=fails))
    assert list(new.data_dir.iterdir()) == []
    restore(new, tmp_path / "kept")
    assert results(new.data_dir / "store.sqlite")


def test_influxdb_is_kept_and_restored_to_either_store(
    influxdb: servers.InfluxDB | NamedInfluxDB, tmp_path: Path
) -> None:
    device = f"keep-{tmp_path.name[-20:].replace('_', '-')}"
    (tmp_path / "data").mkdir()
    influx: dict[str, Any] = {
        "store": "influxdb", "influxdb_url": influxdb.url, "influxdb_token": SecretStr(influxdb.token),
        "influxdb_org": influxdb.org, "influxdb_bucket": influxdb.bucket,
    }  # fmt: skip
    far = 2**62 - 1  # later than any backup is taken
    records = [
        an_episode(device=device), an_epoch(device=device), an_epoch(device=device, site="other", rms_uv=float("nan")),
        an_episode(device=device, onset_ns=ns("2026-02-01"), status="withdrawn"),
        an_episode(device=device, onset_ns=ns("2026-03-01"), status="preliminary"),
        an_episode(device=device, onset_ns=ns("2026-04-01"), status="preliminary", updated_ns=far),
    ]  # fmt: skip
    with closing(open_store(Settings(**influx))) as store:
        assert isinstance(store, InfluxStore)
        store.write(records)
    told = back_up(Settings(data_dir=tmp_path / "data", **influx), tmp_path / "kept")
    kept = len(rows(tmp_path / "kept" / "store.sqlite", "charley_epoch"))
    assert f" {kept} epochs" in told
    assert kept >= 2

    expected = MemoryStore()
    expected.write(records[:-1])  # nobody would ever end the last one
    restore(Settings(data_dir=tmp_path / "lite"), tmp_path / "kept")
    with closing(SqliteStore(tmp_path / "lite" / "store.sqlite")) as lite:
        assert contents(lite, [device]) == contents(expected, [device])
        found = lite.episodes([device], start_ns=0, end_ns=2**62, withdrawn=True)
        assert sum(episode.withdrawn for episode in found) == 1

    with pytest.raises(BackupError, match=r"holds results of .* devices already"):
        restore(Settings(data_dir=tmp_path / "new", **influx), tmp_path / "kept")
    restore(Settings(data_dir=tmp_path / "new", **influx), tmp_path / "kept", keep_store=True)
    assert not (tmp_path / "new" / "store.sqlite").exists()
    if isinstance(influxdb, servers.InfluxDB):
        influxdb.new_bucket("restored")
        other = Settings(data_dir=tmp_path / "other", **influx | {"influxdb_bucket": "restored"})
        restore(other, tmp_path / "kept")
        with closing(open_store(other)) as store:
            assert contents(store, [device]) == contents(expected, [device])
    shutil.rmtree(tmp_path / "lite")
