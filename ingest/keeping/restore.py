"""A backup into an empty data folder, from which the roles then start.

Rules
-----
- Nothing is touched before the backup was found whole and the place empty.
- Files are made in a folder of their own within the data folder and get their names at the end, the journal last:
  what was interrupted is seen, and can be removed and begun again.
- Older schemas are brought forward by the roles when they start; newer ones are refused.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from ingest.journal_schema import VERSION as JOURNAL_SCHEMA
from ingest.keeping.backup import REGISTRY, TOKEN
from ingest.keeping.copying import copy_file, make_folder, sync, sync_all
from ingest.keeping.manifest import (
    ARCHIVE,
    JOURNAL,
    STORE,
    BackupError,
    Manifest,
    Progress,
    is_backup,
    read_manifest,
    verify,
)
from ingest.keeping.registry import RegistryTools, registry_url
from ingest.settings import Settings
from ingest.store import Store, StoreDamaged
from ingest.store.migrate import copy
from ingest.store.sqlite import SqliteStore
from ingest.store.sqlite_schema import SCHEMA_VERSION as STORE_SCHEMA

DRAFT: Final = ".restore-unfinished"
_INVISIBLE: Final = {"lost+found"}  # of a disk's own


def restore(
    settings: Settings, source: Path, *, tools: RegistryTools, open_store: Callable[[Settings], Store],
    keep_store: bool, progress: Progress,
) -> Manifest:  # fmt: skip
    """Restore everything; with `keep_store` results are left as they are in InfluxDB. `progress` is told bytes."""
    manifest = read_manifest(source)
    _check_schemas(source, manifest)
    _check_empty(settings, open_store, keep_store=keep_store)
    verify(source, manifest, progress)
    with _draft_in(settings.data_dir) as draft:
        for entry in manifest.files:
            if entry.path.split("/")[0] in {ARCHIVE, JOURNAL, STORE, TOKEN}:
                copy_file(source / entry.path, draft / entry.path)
                progress(entry.bytes)
        if settings.store == "influxdb":
            _restore_records(settings, draft / STORE, open_store=open_store, keep_store=keep_store)
        if (source / REGISTRY).exists():
            tools.restore(registry_url(settings, draft), source / REGISTRY)
        sync_all(draft)
        _name(draft, settings.data_dir)
    return manifest


def _check_schemas(source: Path, manifest: Manifest) -> None:
    for name, known in (("journal", JOURNAL_SCHEMA), ("store", STORE_SCHEMA)):
        found = manifest.schemas.get(name, 0)
        if not isinstance(found, int) or found > known:
            raise BackupError(
                f"{source} was written by Charley {manifest.charley}, whose {name} has schema {found}; "
                f"this release knows up to {known}. Restore with that release, or a newer one"
            )


def _check_empty(settings: Settings, open_store: Callable[[Settings], Store], *, keep_store: bool) -> None:
    data_dir = settings.data_dir
    for folder in (data_dir.resolve(), *data_dir.resolve().parents):
        if is_backup(folder):
            raise BackupError(
                f"{data_dir} lies in the backup {folder}, and who removes that would remove the site with it: "
                "set CHARLEY_DATA_DIR to a folder elsewhere"
            )
    try:
        present = sorted(path.name for path in data_dir.iterdir()) if data_dir.exists() else []
    except OSError as error:
        raise BackupError(f"the data folder {data_dir} cannot be read: {error.strerror}") from error
    present = [name for name in present if name not in _INVISIBLE]
    if present:
        raise BackupError(
            f"the data folder {data_dir} is not empty ({', '.join(present[:5])}). Stop the roles and move it away, "
            "or set CHARLEY_DATA_DIR to a new folder"
        )
    if settings.store == "influxdb" and not keep_store:
        with closing(open_store(settings)) as store:
            devices = store.devices()
        if devices:
            raise BackupError(
                f"the bucket {settings.influxdb_bucket} holds results of {len(devices)} devices already. Name an empty "
                "one with CHARLEY_INFLUXDB_BUCKET, or keep what is there: --keep-store"
            )


def _restore_records(
    settings: Settings, path: Path, *, open_store: Callable[[Settings], Store], keep_store: bool
) -> None:
    """From the SQLite file of the backup into InfluxDB, which takes its place."""
    if not path.exists():
        return
    if not keep_store:
        try:
            with closing(SqliteStore(path)) as records, closing(open_store(settings)) as store:
                copy(records, store)
        except StoreDamaged as error:
            raise BackupError(
                f"{STORE} of this backup is damaged, and what is in it cannot all be copied into InfluxDB. Take an "
                "earlier backup and an empty bucket, or leave the results in InfluxDB as they are: --keep-store"
            ) from error
    for left in path.parent.glob(f"{STORE}*"):
        left.unlink()


@contextmanager
def _draft_in(data_dir: Path) -> Iterator[Path]:
    """A folder that is gone afterwards, however it ends."""
    draft = data_dir / DRAFT
    try:
        make_folder(data_dir)
        draft.mkdir(mode=0o700)
        yield draft
    except OSError as error:
        raise BackupError(f"the backup cannot be restored: {error}") from error
    finally:
        if draft.exists():
            shutil.rmtree(draft)


def _name(draft: Path, data_dir: Path) -> None:
    """Give everything its name, the journal last."""
    for path in sorted(draft.iterdir(), key=lambda path: path.name == JOURNAL):
        path.rename(data_dir / path.name)
        sync(data_dir)
