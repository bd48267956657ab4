"""Results and people's names are for the owner alone, also in a folder that others may read."""

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from store_records import an_episode

from api.registry import open_registry
from ingest.store.sqlite import SqliteStore


@pytest.fixture(autouse=True)
def _careless() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_the_store_is_for_the_owner_alone(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store.sqlite")) as store:
        store.write([an_episode()])
        assert modes(tmp_path) == dict.fromkeys(("store.sqlite", "store.sqlite-wal", "store.sqlite-shm"), 0o600)


def test_the_registry_is_for_the_owner_alone(tmp_path: Path) -> None:
    with closing(open_registry(f"sqlite:///{tmp_path / 'registry.sqlite'}")) as registry, registry.read() as db:
        db.execute(sa.text("SELECT count(*) FROM wearers"))
        names = ("registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm")
        assert modes(tmp_path) == dict.fromkeys(names, 0o600)


def test_files_that_exist_keep_their_modes(tmp_path: Path) -> None:
    for name in ("store.sqlite", "registry.sqlite"):
        (tmp_path / name).touch(0o640)
    with (
        closing(SqliteStore(tmp_path / "store.sqlite")),
        closing(open_registry(f"sqlite:///{tmp_path}/registry.sqlite")),
    ):
        assert set(modes(tmp_path).values()) == {0o640}


def test_a_link_to_a_file_that_is_not_there_yet_leads_to_a_private_one(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "store.sqlite").symlink_to(tmp_path / "disk" / "store.sqlite")
    SqliteStore(tmp_path / "store.sqlite").close()
    assert modes(tmp_path / "disk") == {"store.sqlite": 0o600}


def test_a_registry_may_be_named_by_a_uri_of_sqlite(tmp_path: Path) -> None:
    open_registry(f"sqlite:///file:{tmp_path}/registry.sqlite?uri=true").close()
    assert [path.name for path in tmp_path.iterdir()] == ["registry.sqlite"]
