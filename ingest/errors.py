"""Everything that can go wrong on the way in, and whose fault it is.

IngestError
├── WireError     the sender's: bytes that are not a valid message (quarantined with its `reason`)
├── RecordingError  the file's: not a recording, or a channel or unit that is missing
├── JournalError  the machine's: journal damaged, of another version, or held by another process
│   ├── JournalFull  for now: no room on the disk; the same call may succeed later
│   └── JournalLacks  a block that is not in it: gone to the archive, or it should be there
├── ArchiveError  the machine's: disk full, or a part of the archive that cannot be read
│   └── ArchiveAway  until somebody mounts its disk: the folder is there, and what was in it is not
└── StoreError    the store's
    ├── StoreUnavailable  for now: try again for as long as it takes
    │   └── StoreDamaged  until somebody restores a file: trying again is harmless, and of no use
    └── StoreRefused      for good: this record will never be accepted as it is
"""


class IngestError(Exception):
    """Base of every error raised by `ingest`."""


class WireError(IngestError):
    """A message that breaks the wire format; `reason` is a short stable word to count by."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class RecordingError(IngestError):
    """A file that cannot be detected in; the sentence says which channel or unit is wrong and how to mend it."""


class JournalError(IngestError):
    """The journal cannot be opened, read or written."""


class JournalFull(JournalError):
    """The disk has no room, or does not answer, at the moment: nothing was kept, and nothing was lost."""


class JournalLacks(JournalError):
    """The journal is whole as far as anybody sees, and does not hold this block."""


class ArchiveError(IngestError):
    """The raw archive cannot be read or written."""


class ArchiveAway(ArchiveError):
    """The folder of the archive does not hold the archive: its disk is not mounted, or it was replaced."""


class StoreError(IngestError):
    """The store did not take or give what was asked."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or is overloaded; the same call may succeed later, as the store asks or sooner."""

    def __init__(self, sentence: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class StoreDamaged(StoreUnavailable):
    """What the store keeps is damaged: somebody has to put it right, and what is written meanwhile has to wait."""


class StoreRefused(StoreError):
    """The store rejects this call for good; repeating it is useless."""
