"""The registry's database: opened and migrated once, then read and written in transactions.

Rules
-----
- Opening migrates to the newest schema. A database from a newer release is refused, not guessed at.
- `write()` excludes other writers of the same rows: SQLite by `BEGIN IMMEDIATE`, PostgreSQL by locking rows.
- A database that does not answer raises `RegistryUnavailable`; broken rules raise `Invalid` or `Conflict`.
"""

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

from api.errors import Conflict, Invalid, RegistryDamaged, RegistryUnavailable
from ingest.store.sqlite_schema import make_private, use_wal

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
BUSY_S: Final = 15.0  # how long a connection waits for another writer, or for a word of the server
_PORT: Final = 5432  # of PostgreSQL, where the URL names none
_AWAY: Final = (TimeoutError, ConnectionError)  # PostgreSQL's driver lets these through as they are
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_MIGRATION_LOCK: Final = 7_324_158  # any constant: it only keeps two starting services apart


class Registry:
    """An open registry. Safe to use from several threads and processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view of the registry."""
        with _translated(), self._engine.connect() as connection, connection.begin(), _answering(connection):
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: kept whole if the block ends, dropped whole if it raises."""
        with _translated(), self._engine.connect() as connection:
            connection.execution_options(charley_write=True)
            with connection.begin(), _answering(connection):
                yield connection

    def check(self) -> None:
        """Raise `RegistryUnavailable` unless the registry answers."""
        with self.read() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_registry(url: str, *, busy_s: float = BUSY_S) -> Registry:
    """Open the registry that an SQLAlchemy URL names and bring its schema up to date."""
    engine = make_engine(url, busy_s=busy_s)
    try:
        with _translated():
            _bring_up_to_date(engine)
    except BaseException:
        engine.dispose()
        raise
    return Registry(engine)


def make_engine(url: str, *, busy_s: float = BUSY_S) -> sa.Engine:
    """Connections to the database that an SQLAlchemy URL names; nothing in it is changed."""
    try:
        parsed = _read(url)
    except ValueError as error:
        raise Invalid("registry", str(error)) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise Invalid("registry", "The registry needs a file: give a URL such as sqlite:////data/registry.sqlite.")
        engine = sa.create_engine(parsed, connect_args={"timeout": busy_s})
        event.listen(engine, "do_connect", _make_sqlite)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend == "postgresql":
        # It logs a traceback of each connection that was cut off; who asks is told in a sentence.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
        try:
            return sa.create_engine(
                parsed.set(drivername="postgresql+pg8000"), pool_pre_ping=True, connect_args={"timeout": busy_s}
            )
        except ModuleNotFoundError as error:
            raise Invalid(
                "registry", "PostgreSQL needs a driver: install charley with its extra `postgres`."
            ) from error
    raise Invalid("registry", f"The registry can be kept in SQLite or PostgreSQL, not in {backend}.")


def server_of(url: str) -> tuple[str, int]:
    """Host and port that the URL of a PostgreSQL registry names; ValueError for a URL that cannot be read."""
    parsed = _read(url)
    return parsed.host or "localhost", parsed.port or _PORT


def _read(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # of a port that is no number; its text holds the URL and its password
        raise ValueError(
            "The registry's URL cannot be read. Give one such as sqlite:////data/registry.sqlite "
            "or postgresql://charley:secret@db/charley."
        ) from None


def _make_sqlite(_dialect: sa.Dialect, _record: object, arguments: list[str], _options: Mapping[str, object]) -> None:
    if not arguments[0].startswith("file:"):  # a URI of SQLite's own, which says itself whether a file is made
        make_private(Path(arguments[0]))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # `_begin_sqlite` begins transactions; the driver's own rules would leave DDL and reads outside of them.
    connection.isolation_level = None
    use_wal(connection, timeout_s=BUSY_S)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("charley_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def known_schemas() -> set[str]:
    """Every schema that this release can bring up to date, the newest included."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def migrate(connection: sa.Connection, *, to: str = "head") -> None:
    """Bring a database forward to a schema, within the connection's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _bring_up_to_date(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.execution_options(charley_write=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            found = MigrationContext.configure(connection).get_current_revision()
            if found is not None and found not in known_schemas():
                raise Conflict(
                    f"The registry was written by a newer release (schema {found}). Start that release, "
                    "or restore a copy of the registry from before it was upgraded."
                )
            migrate(connection)


@contextmanager
def _answering(connection: sa.Connection) -> Iterator[None]:
    """Give a connection up on which an answer is late: it would be taken for that to the next question."""
    try:
        yield
    except _AWAY:
        connection.invalidate()
        raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Conflict("This contradicts what is registered. Read it again and repeat the change.") from error
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, *_AWAY) as error:
        why = f": {' '.join(str(error.orig).split()).rstrip('.')}" if isinstance(error, sa.exc.DBAPIError) else ""
        raise RegistryUnavailable(f"The registry's database does not answer{why}.") from error
    except sa.exc.DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
            raise
        what_to_do = 'Stop the API and restore it: docs/operations.md, "When a file is damaged"'
        raise RegistryDamaged(f"The registry is damaged: {error.orig}. {what_to_do}.") from error
