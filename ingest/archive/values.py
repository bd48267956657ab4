"""What the archive takes and gives."""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.wire import Block

IntArray = NDArray[np.int64]


class Archived(msgspec.Struct, frozen=True):
    """A block, and when it came in."""

    block: Block
    received_ns: int


class Finding(msgspec.Struct, frozen=True):
    """What the self-check found: the file, what is wrong and what to do, and whether blocks may be lost by it."""

    path: Path
    sentence: str
    lost: bool
