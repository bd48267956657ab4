"""Whether another process holds a lock file, without touching the lock."""

from pathlib import Path
from typing import Final

_LOCKS: Final = Path("/proc/locks")


def is_held(path: Path) -> bool | None:
    """True or False, or None where the system does not say, or nobody has made the file."""
    try:
        if not path.exists() or not _LOCKS.exists():
            return None
        # Taking the lock for a moment would tell as well, and could turn away an ingester that starts in that moment.
        inode = path.stat().st_ino
        return any(f":{inode} " in line and "FLOCK" in line for line in _LOCKS.read_text().splitlines())
    except OSError:
        return None  # the folder or the list of locks is not ours to read
