"""What was damaged already when it was copied: looked for cheaply, and said with what to do about it."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ingest.archive.checking import footer_trouble
from ingest.keeping.manifest import ARCHIVE, JOURNAL, STORE

SHOWN: Final = 5  # files; the manifest names all
_LENGTH: Final = 300
_CODES: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BACKED_UP: Final = "It was copied as it is. Keep the backups from before: docs/operations.md, When a file is damaged"
_MEND: Final = {
    JOURNAL: "The ingester sets it aside when it starts and saves what can be read",
    STORE: "Before the roles start, put the one of an earlier backup in its place, if you have one",
    ARCHIVE: "Put the one of an earlier backup in its place; otherwise the ingester sets it aside when it starts",
}


def damaged_parts(folder: Path, archive: str) -> dict[str, str]:
    """Parts of an archive below a folder whose footers cannot be read, and what is wrong; the rest is not looked at."""
    found = {}
    for path in sorted((folder / archive).rglob("*.parquet")):
        if trouble := footer_trouble(path):
            found[path.relative_to(folder).as_posix()] = one_line(trouble)
    return found


def is_damage(error: sqlite3.Error) -> bool:
    """Whether a file is not what was written; anything else, a full disk for one, says nothing of it."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _CODES


def one_line(trouble: str) -> str:
    """What a library says, short enough for a sentence."""
    line = " ".join(trouble.split())
    return line if len(line) <= _LENGTH else f"{line[:_LENGTH]}..."


def of_backup(damaged: Mapping[str, str]) -> list[str]:
    """What to say when damaged files were copied."""
    return _some([f"{name} is damaged ({why}). {_BACKED_UP}." for name, why in damaged.items()])


def of_restore(damaged: Mapping[str, str]) -> list[str]:
    """What to say when files are restored that were damaged when they were copied."""
    return _some(
        [
            f"{name} was damaged already when this backup was taken ({why}), and is restored as it is. "
            f"{_MEND.get(name.split('/')[0], 'Take the one of an earlier backup')}."
            for name, why in damaged.items()
        ]
    )


def _some(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - SHOWN
    return [*sentences[:SHOWN], *[f"So are {more} more, which manifest.json names."] * (more > 0)]
