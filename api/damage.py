"""Remembers that a read met damage in the store: other reads may go well, but readiness must say so.

Rules
-----
- Damage stays until the process is started again: a file is restored while the roles are stopped.
- It is logged once, with the store's sentence, which names a file and neither a device nor a person.
"""

import logging
from threading import Lock

from ingest.store import StoreDamaged

_log = logging.getLogger(__name__)


class Damage:
    """Whether damage was met; requests run in threads, so it is locked."""

    def __init__(self) -> None:
        self._met = False
        self._lock = Lock()

    @property
    def met(self) -> bool:
        """Whether any read met damage since the process was started."""
        return self._met

    def note(self, error: StoreDamaged) -> None:
        """A read met damage."""
        with self._lock:
            first, self._met = not self._met, True
        if first:
            _log.error("measurements cannot be read: %s", error)
