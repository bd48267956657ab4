"""Looks at one SQLite file without changing it: is it whole, how large, of which schema."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.doctor.check import Check, fail, in_bytes, ok, skipped, warn

CHECK_S: Final = 60.0  # a large file is read whole
BUSY_S: Final = 10.0
_STEPS: Final = 100_000  # of SQLite's machine between two looks at the clock
# What loses least, by the file. What is written beside it since a backup stays where it is.
_MENDS: Final = {
    "journal": "start `charley ingest` (again): it sets the file aside, saves all rows that can be read and says how "
    "many were lost; restore a backup only if that is too much",
    "store": "stop the roles, move store.sqlite with its -wal and -shm away, and put the store.sqlite of the last "
    "backup in its place; journal and archive stay as they are",
    "registry": "stop the API, keep the file with its -wal and -shm elsewhere, `charley restore` a backup into a new "
    "folder and take its registry.sqlite",
}
_OTHER: Final = "stop the service, keep the file elsewhere, and take it from a backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What was seen of an SQLite file. `damage` is empty for a whole one, None for one not read to its end."""

    path: Path
    exists: bool = True
    size: int = 0
    unreadable: str = ""
    damage: str | None = ""
    version: int | None = None
    known: int | None = None  # the schema that this program writes
    foreign: bool = False  # whole, and of another program
    aside: tuple[str, ...] = ()  # damaged ones of before that were set aside
    aside_bytes: int = 0


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, beside whoever writes."""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=BUSY_S)
    try:
        yield db
    finally:
        db.close()


def look_at_file(
    path: Path, *, version: str, known: int | None, mark: int | None = None, limit_s: float = CHECK_S
) -> FileFacts:
    """Size, schema (the answer to the query `version`) and whether SQLite finds the file whole.

    With `mark`, a file that holds tables and not this application id is another program's.
    """
    try:
        if not path.exists():
            return FileFacts(path=path, exists=False)
        with reading(path) as db:
            row = db.execute(version).fetchone()
            damage = _damage(db, limit_s)
            foreign = mark is not None and not damage and _is_foreign(db, mark)
    except (sqlite3.Error, OSError) as error:
        return FileFacts(path=path, size=_size(path), unreadable=str(error))
    found = None if row is None else row[0]
    if known is not None and not isinstance(found, int | None):
        damage, found = damage or f"its schema is {found!r}", None
    aside = sorted(path.parent.glob(f"{path.name}.damaged-*"))
    return FileFacts(
        path=path, size=_size(path) + _size(Path(f"{path}-wal")), damage=damage, version=found, known=known,
        foreign=foreign,
        aside=tuple(dict.fromkeys(one.name.removesuffix("-wal").removesuffix("-shm") for one in aside)),
        aside_bytes=sum(_size(one) for one in aside),
    )  # fmt: skip


def check_file(name: str, facts: FileFacts) -> list[Check]:
    """The checks of a file that exists."""
    told = f"{facts.path.name}, {in_bytes(facts.size)}"
    restore = _MENDS.get(name, _OTHER)
    if facts.unreadable:
        mend = f"run the doctor as the user of the service; if it is that user: {restore}"
        return [fail(f"{name}.whole", f"{told}: {facts.unreadable}", mend)]
    whole = ok(f"{name}.whole", f"{told}: whole")
    if facts.damage is None:
        whole = skipped(f"{name}.whole", f"{told}: too large to be read in {CHECK_S:.0f} s",
                        f'sqlite3 {facts.path} "PRAGMA quick_check"')  # fmt: skip
    elif facts.damage:
        whole = fail(f"{name}.whole", f"{told}: {facts.damage}", restore)
        if facts.version is None:
            return [whole]  # which schema it was is part of the damage
    elif facts.aside:
        told += f": whole; beside it lies what was set aside as damaged, {in_bytes(facts.aside_bytes)}"
        mend = "its log says how many rows were lost; once nothing of them is missed, or with a copy elsewhere, remove"
        files = ", ".join(f"{one}*" for one in facts.aside)
        whole = warn(f"{name}.whole", told, f"{mend} {files} in {facts.path.parent}")
    return [whole, _schema(f"{name}.schema", facts)]


def _schema(name: str, facts: FileFacts) -> Check:
    if facts.foreign:
        mend = (
            "move it away, and put back what belongs there if it took its place; or set CHARLEY_DATA_DIR to the folder "
            "of Charley's data"
        )
        return fail(name, f"{facts.path} is an SQLite file of another program, no store of Charley", mend)
    told = f"schema {facts.version}"
    if facts.known is None or facts.version == facts.known:
        return ok(name, told)
    if facts.version is None or facts.version > facts.known:
        mend = "start the release that wrote it, or restore a backup from before"
        return fail(name, f"{told}; this release knows up to {facts.known}", mend)
    mend = "start `charley ingest` of this release once: it brings the file forward; back up before"
    return warn(name, f"{told}; this release writes {facts.known}", mend)


def _is_foreign(db: sqlite3.Connection, mark: int) -> bool:
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    return bool(tables and application != mark)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # not there, or not to be looked at


def _damage(db: sqlite3.Connection, limit_s: float) -> str | None:
    until = time.monotonic() + limit_s
    db.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
    try:
        rows = db.execute("PRAGMA quick_check(3)").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        db.set_progress_handler(None, 0)
    told = "; ".join(row[0] for row in rows)
    return "" if told == "ok" else told
