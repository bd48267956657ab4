"""Epochs of one device as columns: what summaries and nights need of them, and nothing else. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.store import Epoch

TimeArray = NDArray[np.int64]
DoubleArray = NDArray[np.float64]
MEMBERS: Final = ("received_s", "worn_s", "usable_s", "rms_uv", "movement_g", "angle_deg")


@dataclass(frozen=True, slots=True)
class Columns:
    """Epochs of all sites of a device, `(N,)` each, ordered by start; `seconds` `(3, N)` received, worn, usable."""

    start_ns: TimeArray
    seconds: DoubleArray
    rms_uv: DoubleArray
    movement_g: DoubleArray
    angle_deg: DoubleArray

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, field.name).nbytes for field in fields(self))

    @property
    def digest(self) -> bytes:
        """Equal for equal content."""
        found = hashlib.blake2b(digest_size=16)
        for field in fields(self):
            found.update(getattr(self, field.name).tobytes())
        return found.digest()

    def between(self, start_ns: int, end_ns: int) -> "Columns":
        """Those whose start lies in the range, without copying."""
        low, high = np.searchsorted(self.start_ns, (start_ns, end_ns)).tolist()
        return Columns(*(getattr(self, field.name)[..., low:high] for field in fields(self)))

    def copy(self) -> "Columns":
        """The same, without holding on to what it was cut from."""
        return Columns(*(getattr(self, field.name).copy() for field in fields(self)))


def from_arrays(start_ns: TimeArray, values: DoubleArray) -> Columns:
    """Columns of what a store gives for `MEMBERS`."""
    return Columns(start_ns, values[:3], *values[3:])


def columns_of(epochs: Sequence[Epoch]) -> Columns:
    """Epochs, ordered by start, as columns."""
    start_ns = np.fromiter((epoch.start_ns for epoch in epochs), np.int64, len(epochs))
    rows = [[getattr(epoch, name) for name in MEMBERS] for epoch in epochs]
    return from_arrays(start_ns, np.array(rows, dtype=np.float64).reshape(-1, len(MEMBERS)).T.copy())


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns that follow each other in time as one."""
    if not parts:
        return columns_of([])
    return Columns(*(np.concatenate([getattr(part, field.name) for part in parts], -1) for field in fields(Columns)))
