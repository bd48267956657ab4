"""Everything that a site owns into one folder, which appears when it is whole."""

import importlib.metadata
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ingest.doctor.check import in_bytes
from ingest.keeping.copying import copy_file, copy_parts, copy_sqlite, make_folder, sync, sync_all
from ingest.keeping.damage import damaged_parts
from ingest.keeping.manifest import (
    ARCHIVE,
    FORMAT,
    JOURNAL,
    STORE,
    BackupError,
    Manifest,
    Progress,
    entries,
    is_backup,
    utc,
    write_manifest,
)
from ingest.keeping.moment import Moment, moment
from ingest.keeping.records import copy_store
from ingest.keeping.registry import RegistryTools, has_registry, registry_url
from ingest.settings import Settings
from ingest.store import Store
from ingest.store.columns import EPISODES, EPOCHS, STATUSES

REGISTRY: Final = "registry.jsonl"
TOKEN: Final = "admin-token"  # noqa: S105 - the name of a file
_COUNTED: Final = {
    "blocks in the journal": "SELECT count(*) FROM block",
    "waiting records": "SELECT count(*) FROM outbox",
    "quarantined": "SELECT count(*) FROM quarantine",
}
_RESULTS: Final = {
    "devices": f"SELECT count(*) FROM {STATUSES.name}",  # noqa: S608 - our own names, here and below
    "episodes": f"SELECT count(*) FROM {EPISODES.name} WHERE status <> 'withdrawn'",  # noqa: S608
    "epochs": f"SELECT count(*) FROM {EPOCHS.name}",  # noqa: S608
}
_VERSION: Final = {"journal": "SELECT max(version) FROM schema_version"}


_OF_REGISTRY: Final = {"devices": "registered devices"}  # the store knows others


@dataclass(slots=True)
class Backup:
    """What a backup holds, and what there was to say."""

    folder: Path
    manifest: Manifest
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    folder: Path
    schemas: dict[str, int | str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def back_up(
    settings: Settings, to: Path, *, tools: RegistryTools, open_store: Callable[[Settings], Store], progress: Progress
) -> Backup:
    """Copy everything to the folder `to`, which must not exist; `progress` is told bytes, each file's twice."""
    data_dir = settings.data_dir
    _check_places(data_dir, to)
    archive = data_dir / ARCHIVE
    with _draft_beside(to) as draft:
        # No longer than it takes to copy these two: meanwhile their logs can only grow.
        with moment(data_dir, sqlite_store=settings.store == "sqlite") as now:
            _check_room(now, to.parent, archive=archive)
            _copy_databases(now, draft, progress=progress)
        draft.counts["archive parts"] = copy_parts(archive, now.parts, draft.folder / ARCHIVE, progress)
        draft.damaged |= damaged_parts(draft.folder, ARCHIVE)
        if settings.store == "influxdb":
            copy_store(settings, draft.folder / STORE, open_store=open_store, at_ns=now.at_ns)
            draft.schemas["store"] = _version(draft.folder / STORE)
            with closing(sqlite3.connect(draft.folder / STORE)) as kept:
                draft.counts |= _numbers(kept, _RESULTS, damaged=False)
        _copy_registry(settings, draft, tools)
        if not copy_file(data_dir / TOKEN, draft.folder / TOKEN):
            draft.notes.append("no admin token here: a new one is made when the API starts")
        manifest = Manifest(
            format=FORMAT, charley=importlib.metadata.version("charley"), created=utc(now.at_ns), at_ns=now.at_ns,
            exact=now.exact, schemas=draft.schemas, counts=draft.counts, damaged=draft.damaged,
            files=entries(draft.folder, progress),
        )  # fmt: skip
        sync(write_manifest(draft.folder, manifest))
        sync_all(draft.folder)
        draft.folder.rename(to)
        sync(to.parent)
    return Backup(to, manifest, draft.notes)


def size_of(settings: Settings) -> int:
    """How many bytes there are to copy, about."""
    files = [path for name in (JOURNAL, STORE) if (path := settings.data_dir / name).exists()]
    parts = (settings.data_dir / ARCHIVE).rglob("part-*.parquet")
    return sum(path.stat().st_size for path in [*files, *parts] if path.exists())


def _copy_databases(now: Moment, draft: _Draft, *, progress: Progress) -> None:
    if now.journal is not None:
        trouble = copy_sqlite(now.journal, draft.folder / JOURNAL, progress)
        draft.damaged |= {JOURNAL: trouble} if trouble else {}
        found = _numbers(now.journal, _VERSION, damaged=bool(trouble))
        draft.schemas |= {name: number for name, number in found.items() if number}
        draft.counts |= _numbers(now.journal, _COUNTED, damaged=bool(trouble))
    else:
        draft.notes.append("no journal here: no ingester has run with this data folder")
    if now.store is not None:
        trouble = copy_sqlite(now.store, draft.folder / STORE, progress)
        draft.schemas["store"] = _version(draft.folder / STORE)
        draft.damaged |= {STORE: trouble} if trouble else {}
        draft.counts |= _numbers(now.store, _RESULTS, damaged=bool(trouble))
    if not now.exact:
        draft.notes.append("the ingester was too busy for one exact instant: a few results may be ahead of the journal")


def _numbers(connection: sqlite3.Connection, questions: dict[str, str], *, damaged: bool) -> dict[str, int]:
    """Answers by name; a damaged file owes none."""
    found = {}
    for name, question in questions.items():
        try:
            found[name] = connection.execute(question).fetchone()[0]
        except sqlite3.DatabaseError:
            if not damaged:
                raise
    return found


def _copy_registry(settings: Settings, draft: _Draft, tools: RegistryTools) -> None:
    if not has_registry(settings):
        draft.notes.append("no registry here: who wears what is not in this backup")
        return
    url = registry_url(settings, settings.data_dir)
    draft.schemas["registry"], rows = tools.snapshot(url, draft.folder / REGISTRY)
    draft.counts |= {_OF_REGISTRY.get(name, name): count for name, count in rows.items()}


def _check_places(data_dir: Path, to: Path) -> None:
    if not data_dir.is_dir():
        raise BackupError(f"there is no data folder at {data_dir}: is CHARLEY_DATA_DIR right?")
    if to.exists():
        raise BackupError(f"{to} exists already; a backup is never written over")
    if to.resolve().is_relative_to(data_dir.resolve()):
        raise BackupError(f"{to} lies in the data folder: name a place outside of it, best on another disk")
    for folder in to.resolve().parents:
        if is_backup(folder):
            raise BackupError(
                f"{folder} is itself a backup, and who removes it would remove this one with it. Name the folder "
                f"above, in which each backup gets a folder of its own: charley backup {folder.parent}"
            )
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackupError(f"{to.parent} cannot be made: {error.strerror}") from error


def _check_room(now: Moment, parent: Path, *, archive: Path) -> None:
    needed = 0
    for connection in (now.journal, now.store):
        if connection is not None:
            (pages,), (size,) = (connection.execute(f"PRAGMA {one}").fetchone() for one in ("page_count", "page_size"))
            needed += pages * size
    if archive.is_dir() and archive.stat().st_dev != parent.stat().st_dev:
        needed += sum(now.parts.values())
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise BackupError(f"{parent} has {in_bytes(free)} free, and the backup needs {in_bytes(needed)}")


@contextmanager
def _draft_beside(to: Path) -> Iterator[_Draft]:
    """A folder that is removed again when anything goes wrong."""
    draft = _Draft(to.with_name(f"{to.name}.unfinished-{secrets.token_hex(3)}"))
    try:
        make_folder(draft.folder)
        yield draft
    except OSError as error:
        raise BackupError(f"the backup cannot be written: {error}") from error
    except sqlite3.Error as error:
        raise BackupError(f"the backup cannot be made: {error}") from error
    finally:
        if draft.folder.exists():
            shutil.rmtree(draft.folder)


def _version(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    finally:
        connection.close()
    return version
