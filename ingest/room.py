"""Whether the disk has room: with too little, nothing more is taken, and broker and devices keep what they have.

Some room is left on purpose: delivering what is kept needs a little, and makes more.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LOOK_S: Final = 1.0
MIB: Final = 1 << 20


class Room:
    """The room on the disk of a folder; `reason` says why nothing is taken, and is empty while something is."""

    def __init__(self, folder: Path, *, least_bytes: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.free_bytes = 0
        self._folder = folder
        self._least_bytes = least_bytes
        self._monotonic = monotonic
        self._look_at = monotonic()
        self._low = ""
        self._refused = ""

    @property
    def reason(self) -> str:
        """Why nothing is taken; empty while something is."""
        return self._refused or self._low

    def enough(self) -> bool:
        """Whether to take more, or to try again; looks at the disk once a second."""
        if self._monotonic() < self._look_at:
            return not self.reason
        self._look_at = self._monotonic() + LOOK_S
        self.free_bytes = shutil.disk_usage(self._folder).free
        self._low = ""
        if self.free_bytes < self._least_bytes:
            self._low = (
                f"{self.free_bytes // MIB} MiB are free at {self._folder}, CHARLEY_MIN_FREE_MB asks for "
                f"{self._least_bytes // MIB}: make room; broker and devices keep the blocks until then"
            )
        return not self._low

    def refused(self, sentence: str) -> None:
        """The disk did not take what it was given: to be tried again after a while."""
        self._refused = f"{sentence}; broker and devices keep the blocks until then"
        self._look_at = self._monotonic() + LOOK_S

    def took(self) -> None:
        """The disk took what it was given."""
        self._refused = ""
