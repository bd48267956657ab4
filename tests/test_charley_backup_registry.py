"""The registry's part of a backup: the same rows in any database, of any schema that this release knows."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from registry_world import add, assign

from api.errors import Conflict, Invalid, RegistryUnavailable
from api.registry import devices, open_registry
from api.registry.copy import restore_registry, snapshot_registry
from api.registry.database import known_schemas, make_engine


@pytest.fixture
def filled(registry_url: str) -> str:
    """A registry with people, zones, devices and assignments."""
    registry = open_registry(registry_url)
    with registry.write() as db:
        devices.add(db, device_id="leg", label="left", created_ns=1)
    ada, bob = add(registry), add(registry, name='Bób "x"\n, Jr.', created_ns=2**62)
    assign(registry, ada, since=1, to=5)
    assign(registry, bob, since=5, to=None)
    registry.close()
    return registry_url


def dump(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = make_engine(url)
    found = sa.MetaData()
    found.reflect(engine)
    with engine.connect() as db:
        rows = {name: sorted(map(tuple, db.execute(sa.select(table)).all())) for name, table in found.tables.items()}
    engine.dispose()
    return rows


def test_every_row_comes_back(filled: str, tmp_path: Path) -> None:
    schema, counts = snapshot_registry(filled, tmp_path / "registry.jsonl")
    assert schema in known_schemas()
    assert (counts["wearers"], counts["zone_changes"], counts["assignments"]) == (2, 4, 2)
    assert (tmp_path / "registry.jsonl").stat().st_mode & 0o777 == 0o600
    again = f"sqlite:///{tmp_path / 'again.sqlite'}"
    assert restore_registry(again, tmp_path / "registry.jsonl") == counts
    assert dump(again) == dump(filled)


def test_looking_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    open_registry(f"sqlite:///{path}").close()
    before = path.read_bytes()
    snapshot_registry(f"sqlite:///{path}", tmp_path / "registry.jsonl")
    assert path.read_bytes() == before


def test_a_registry_that_holds_something_is_not_written_over(filled: str, tmp_path: Path) -> None:
    snapshot_registry(filled, tmp_path / "registry.jsonl")
    before = dump(filled)
    with pytest.raises(Conflict, match="is not empty"):
        restore_registry(filled, tmp_path / "registry.jsonl")
    assert dump(filled) == before


def test_a_newer_copy_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    source, target = tmp_path / "registry.jsonl", tmp_path / "registry.sqlite"
    for header in ({"charley_registry": 1, "schema": "9999"}, {"charley_registry": 2, "schema": "0001"}, {}):
        source.write_text(json.dumps(header) + "\n")
        with pytest.raises(Conflict, match="newer release"):
            restore_registry(f"sqlite:///{target}", source)
        assert not target.exists()


def test_a_copy_with_a_row_that_breaks_a_rule_leaves_the_database_empty(filled: str, tmp_path: Path) -> None:
    source = tmp_path / "registry.jsonl"
    snapshot_registry(filled, source)
    lines = source.read_text().splitlines()
    source.write_text("\n".join([*lines, lines[-1]]) + "\n")  # one row twice
    again = f"sqlite:///{tmp_path / 'again.sqlite'}"
    with pytest.raises(Conflict):
        restore_registry(again, source)
    assert dump(again) == {}


def test_a_database_without_a_registry_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="holds no registry"):
        snapshot_registry(f"sqlite:///{tmp_path / 'empty.sqlite'}", tmp_path / "registry.jsonl")
    (tmp_path / "text.sqlite").write_text("no database at all" * 100)
    with pytest.raises(RegistryUnavailable, match="not a database"):
        snapshot_registry(f"sqlite:///{tmp_path / 'text.sqlite'}", tmp_path / "other.jsonl")
