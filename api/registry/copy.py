"""The registry as one file that any database can be filled from: a line of JSON a row, whatever it is kept in.

Rules
-----
- A snapshot is one consistent view, and reads only: a registry of an older schema is copied as it is.
- A restored one gets the schema it had, its rows, and then what later releases changed; all of it or nothing.
- Only an empty database is filled, and a snapshot of a newer release is refused.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from api.errors import Conflict, Invalid, RegistryUnavailable
from api.registry.database import Registry, known_schemas, make_engine, migrate

FORMAT: Final = 1
_VERSIONS: Final = "alembic_version"
_AT_ONCE: Final = 500


def snapshot_registry(url: str, to: Path) -> tuple[str, dict[str, int]]:
    """Write every row to a new file; the schema, and the number of rows of each table."""
    engine = make_engine(url)
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    registry = Registry(engine)
    try:
        with registry.read() as db, os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            schema = MigrationContext.configure(db).get_current_revision()
            if schema is None:
                raise Invalid("registry", "The registry's database holds no registry: start `charley api` once.")
            file.write(json.dumps({"charley_registry": FORMAT, "schema": schema}) + "\n")
            counts = {}
            for table in _tables(db):
                counts[table.name] = 0
                for row in db.execute(sa.select(table)).mappings():
                    file.write(json.dumps({"table": table.name, "row": dict(row)}) + "\n")
                    counts[table.name] += 1
            file.flush()
            os.fsync(file.fileno())
    except sa.exc.DatabaseError as error:
        raise RegistryUnavailable(f"The registry cannot be read: {error.orig}.") from error
    finally:
        registry.close()
    return schema, counts


def restore_registry(url: str, source: Path) -> dict[str, int]:
    """Fill an empty database and bring it up to date; the number of rows of each table."""
    with source.open(encoding="utf-8") as lines:
        header = json.loads(next(lines, "{}"))
        schema = _known_schema(header)
        registry = Registry(make_engine(url))
        try:
            with registry.write() as db:
                if sa.inspect(db).get_table_names():
                    raise Conflict("The registry is not empty. Restore into a new database or a new file.")
                migrate(db, to=schema)
                counts = _fill(db, (json.loads(line) for line in lines))
                migrate(db)
        finally:
            registry.close()
    return counts


def _known_schema(header: dict[str, Any]) -> str:
    schema = header.get("schema")
    if header.get("charley_registry") != FORMAT or not isinstance(schema, str) or schema not in known_schemas():
        raise Conflict(
            f"The registry's copy is of a newer release (schema {schema}). Restore with that release or a newer one."
        )
    return schema


def _fill(db: sa.Connection, rows: Iterator[dict[str, Any]]) -> dict[str, int]:
    """Insert rows, which come table by table with those first that others refer to."""
    tables = {table.name: table for table in _tables(db)}
    counts = dict.fromkeys(tables, 0)
    batch: list[dict[str, Any]] = []
    current = ""
    for row in rows:
        if row["table"] != current or len(batch) >= _AT_ONCE:
            _insert(db, tables.get(current), batch)
            current, batch = row["table"], []
        batch.append(row["row"])
        counts[current] += 1
    _insert(db, tables.get(current), batch)
    return counts


def _insert(db: sa.Connection, table: sa.Table | None, rows: list[dict[str, Any]]) -> None:
    if table is not None and rows:
        db.execute(sa.insert(table), rows)


def _tables(db: sa.Connection) -> list[sa.Table]:
    """The tables as they are, whichever release made them; those first that others refer to."""
    found = sa.MetaData()
    found.reflect(db)
    return [table for table in found.sorted_tables if table.name != _VERSIONS]
