"""One connection to a journal file: transactions that happen whole or not at all, and errors with a sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from ingest.errors import JournalError, JournalFull

# What passes by itself or with some room: nothing is damaged, and the same call may succeed later. SQLite also says
# "I/O error" where a file system is full or has grown to a limit.
_PASSING: Final = {
    sqlite3.SQLITE_FULL: "make room",
    sqlite3.SQLITE_IOERR: "make room, or see what is wrong with the disk",
    sqlite3.SQLITE_BUSY: "another program holds it: let that end",
    sqlite3.SQLITE_NOMEM: "this machine has no memory left: give it some",
}
SUSPECT: Final = ".suspect"  # ends the name of a note beside a journal
# What was written is not what is there. Seen at the next start too, where the file is not too large to be looked at.
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


class Connection:
    """A connection of one thread; several may write to the file, one after the other."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self.path = path
        self.db = db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction for writing, on disk when it is left; rolled back on any error."""
        with self.errors("written"):
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    def errors(self, verb: str) -> AbstractContextManager[None]:
        """Turn SQLite's errors into ours: `JournalFull` where waiting helps, else `JournalError`."""
        return self.speaking(self.path, verb)

    @staticmethod
    @contextmanager
    def speaking(path: Path, verb: str) -> Iterator[None]:
        """The same for a journal that is not open yet."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            sentence = f"journal {path} cannot be {verb}: {error}"
            if code in _DAMAGE:
                _suspect(path)
            if code in _PASSING:
                raise JournalFull(f"{sentence}: {_PASSING[code]}") from error
            raise JournalError(sentence) from error
        except (msgspec.MsgspecError, IndexError, TypeError, UnicodeDecodeError) as error:
            if verb != "read" and not isinstance(error, msgspec.MsgspecError):
                raise
            _suspect(path)  # a row that is not what was written
            raise JournalError(f"journal {path} cannot be {verb}: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()


def _suspect(path: Path) -> None:
    """Have the file looked at whole at the next start, however large it is."""
    with suppress(OSError):
        path.with_name(path.name + SUSPECT).touch(mode=0o600)
