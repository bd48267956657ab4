"""A backup of damaged files is made, found to be of damaged files by whoever looks, and restored with a word on it."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest
from full_disk import files_of_at_most
from pydantic import SecretStr
from test_ingest_keeping import back_up, console, part, restore, site

from charley import REGISTRY
from ingest.keeping import BackupError
from ingest.keeping.command import DAMAGED, run_backup
from ingest.keeping.copying import copy_sqlite
from ingest.keeping.manifest import read_manifest
from ingest.keeping.moment import open_reader
from ingest.settings import Settings
from ingest.store.memory import MemoryStore
from ingest.store.opening import open_store


def overwrite(path: Path, table: str) -> None:
    """Write rubbish over the first page of a table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"Z" * size)


def back_up_damaged(settings: Settings, to: Path) -> str:
    out, text = console()
    assert run_backup(settings, to, tools=REGISTRY, open_store=open_store, out=out, err=out) == DAMAGED == 1
    return text.getvalue()


@pytest.mark.parametrize(
    ("name", "table", "mend"),
    [
        ("store.sqlite", "charley_epoch", "put the one of an earlier backup in its place"),
        ("journal.sqlite", "block", "The ingester sets it aside when it starts"),
        ("journal.sqlite", "schema_version", "The ingester sets it aside when it starts"),
    ],
)
def test_a_damaged_database_is_copied_and_said_to_be(name: str, table: str, mend: str, tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    overwrite(settings.data_dir / name, table)
    told = back_up_damaged(settings, tmp_path / "kept")
    assert f"{name} is damaged (" in told
    assert "Keep the backups from before" in told
    damaged = read_manifest(tmp_path / "kept").damaged
    assert set(damaged) == {name}
    assert "\n" not in damaged[name]

    said = restore(Settings(data_dir=tmp_path / "new"), tmp_path / "kept")
    assert f"{name} was damaged already when this backup was taken ({damaged[name]})" in said
    assert mend in said
    assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "kept" / name).read_bytes()


@pytest.mark.parametrize("name", ["store.sqlite", "journal.sqlite"])
def test_a_database_that_cannot_even_be_opened_is_named_with_what_to_do(name: str, tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    with (settings.data_dir / name).open("r+b") as file:
        file.write(b"Z" * 100)
    with pytest.raises(BackupError, match=rf"data/{name} cannot be read: .*mend it first: docs/operations\.md"):
        back_up(settings, tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_disk_that_fills_up_is_not_taken_for_damage(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    with (
        files_of_at_most((settings.data_dir / "journal.sqlite").stat().st_size // 2),
        pytest.raises(BackupError, match=rf"journal\.sqlite cannot be copied to {tmp_path}/kept"),
    ):
        back_up(settings, tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_disk_that_fills_up_at_the_end_of_a_copy_is_not_taken_for_damage(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    path = settings.data_dir / "journal.sqlite"
    left = path.stat().st_size
    with ExitStack() as stack:

        def copied(more: int) -> None:
            nonlocal left
            left -= more
            if left == 0:
                stack.enter_context(files_of_at_most(100))

        with closing(open_reader(path)) as source, pytest.raises(BackupError, match="cannot be copied"):
            copy_sqlite(source, tmp_path / "copy.sqlite", copied)


def test_damaged_results_are_not_restored_into_influxdb_by_halves(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    overwrite(settings.data_dir / "store.sqlite", "charley_epoch")
    back_up_damaged(settings, tmp_path / "kept")
    new = Settings(
        data_dir=tmp_path / "new", store="influxdb", influxdb_url="http://127.0.0.1:1", influxdb_token=SecretStr("t")
    )
    with pytest.raises(BackupError, match=r"damaged.*earlier backup.*--keep-store"):
        restore(new, tmp_path / "kept", open_store=lambda _: MemoryStore())
    assert list((tmp_path / "new").iterdir()) == []
    restore(new, tmp_path / "kept", open_store=lambda _: MemoryStore(), keep_store=True)
    assert not (tmp_path / "new" / "store.sqlite").exists()
    assert (tmp_path / "new" / "journal.sqlite").exists()


def test_a_part_of_the_archive_without_a_footer_is_told(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    damaged = part(settings.data_dir)
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    name = damaged.relative_to(settings.data_dir).as_posix()
    assert f"{name} is damaged (" in back_up_damaged(settings, tmp_path / "kept")
    assert set(read_manifest(tmp_path / "kept").damaged) == {name}
    assert f"{name} was damaged already" in restore(Settings(data_dir=tmp_path / "new"), tmp_path / "kept")


def test_many_damaged_parts_are_counted(tmp_path: Path) -> None:
    settings = site(tmp_path / "data")
    whole = part(settings.data_dir)
    for number in range(8):
        whole.with_name(f"part-{number}.parquet").write_bytes(b"PAR1")
    told = back_up_damaged(settings, tmp_path / "kept")
    assert told.count(" is damaged (") == 5
    assert "So are 3 more, which manifest.json names." in told


def test_a_backup_of_an_older_release_says_nothing_of_damage_and_is_restored(tmp_path: Path) -> None:
    back_up(site(tmp_path / "data"), tmp_path / "kept")
    path = tmp_path / "kept" / "manifest.json"
    older = msgspec.json.decode(path.read_bytes())
    assert older.pop("damaged") == {}
    path.write_bytes(msgspec.json.encode(older))
    assert "damaged" not in restore(Settings(data_dir=tmp_path / "new"), tmp_path / "kept")
