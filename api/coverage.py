"""How much of a period was seen: seconds expected, received, worn and usable. Pure.

Rules
-----
- Expected are the seconds in which a device was assigned, as far as they have passed.
- A device with several EMG sites counts by its best site: a cramp is seen if any site sees it.
- Where hours of acceleration show that the device lay about, it was not worn, whatever its electrodes say.
- Several devices of a wearer together: at each instant the mean of those assigned then. Two legs watched for
  eight hours are eight hours covered; one of the two legs is four.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from api.columns import Columns

EPOCH_NS: Final = 10_000_000_000
BIN_NS: Final = 300_000_000_000  # grain of a timeline
TimeArray = NDArray[np.int64]
SecondsArray = NDArray[np.float64]
Seen = Literal["usable", "not_usable", "not_worn", "not_received", "not_expected"]
_SEEN: Final[tuple[Seen, ...]] = ("not_expected", "not_received", "not_worn", "not_usable", "usable")
Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Seconds of one stretch of time; each is at most the one before."""

    expected_s: float = 0.0
    received_s: float = 0.0
    worn_s: float = 0.0
    usable_s: float = 0.0

    def __add__(self, other: "Coverage") -> "Coverage":
        return Coverage(
            self.expected_s + other.expected_s,
            self.received_s + other.received_s,
            self.worn_s + other.worn_s,
            self.usable_s + other.usable_s,
        )

    def shared(self, among: int) -> "Coverage":
        """One share of `among` equal ones."""
        return Coverage(self.expected_s / among, self.received_s / among, self.worn_s / among, self.usable_s / among)


@dataclass(frozen=True, slots=True)
class Cells:
    """Epochs of one device, sites joined: start `(N,)` ascending; seconds `(3, N)` received, worn, usable."""

    start_ns: TimeArray
    seconds: SecondsArray


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive time of one kind of coverage."""

    start_ns: int
    end_ns: int
    seen: Seen


def cells_of(epochs: Columns, *, off: Sequence[Interval] = ()) -> Cells:
    """Join the epochs of all sites of one device: of each ten seconds the best; `off` is unworn."""
    start_ns, seconds = epochs.start_ns, epochs.seconds
    if start_ns.size == 0:
        return Cells(start_ns, seconds)
    first = np.flatnonzero(np.diff(start_ns, prepend=start_ns[0] - 1))
    cells = Cells(start_ns[first], np.maximum.reduceat(seconds, first, axis=1))
    for low, high in off:
        cells.seconds[1:, (cells.start_ns >= low) & (cells.start_ns < high)] = 0
    return cells


def covered(cells: Cells, *, start_ns: int, end_ns: int) -> Coverage:
    """Coverage of `[start_ns, end_ns)` by one device that was assigned all the while."""
    shares, seconds = _within(cells, start_ns=start_ns, end_ns=end_ns)
    expected_s = max(end_ns - start_ns, 0) / 1e9
    # Epochs are whole tens of seconds on the device's clock: at the edges they may exceed what was asked for.
    received, worn, usable = np.minimum(seconds @ shares, expected_s).tolist()
    return Coverage(expected_s, received, min(worn, received), min(usable, worn, received))


def covered_together(cells: dict[str, Cells], assigned: dict[str, list[Interval]]) -> Coverage:
    """Coverage by several devices, each over the intervals in which it was assigned."""
    edges = sorted({edge for intervals in assigned.values() for interval in intervals for edge in interval})
    total = Coverage()
    for start_ns, end_ns in pairwise(edges):
        present = [
            device
            for device, intervals in assigned.items()
            if any(low <= start_ns and end_ns <= high for low, high in intervals)
        ]
        for device in present:
            total += covered(cells[device], start_ns=start_ns, end_ns=end_ns).shared(len(present))
    return total


def timeline(cells: Cells, assigned: Sequence[Interval], *, start_ns: int, end_ns: int) -> list[Stretch]:
    """What was seen when, in steps of five minutes: each named by what held for most of its assigned time."""
    if end_ns <= start_ns:
        return []
    first = start_ns // BIN_NS
    edges = np.arange(first, -(-end_ns // BIN_NS) + 1) * BIN_NS
    bins = len(edges) - 1
    expected = np.zeros(bins)
    seconds = np.zeros((3, bins))
    for low, high in assigned:
        expected += np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) / 1e9
        shares, part = _within(cells, start_ns=low, end_ns=high)
        which = cells.start_ns // BIN_NS - first
        inside = (shares > 0) & (which >= 0) & (which < bins)
        for row in range(3):
            seconds[row] += np.bincount(which[inside], weights=(part[row] * shares)[inside], minlength=bins)
    level = np.where(expected > 0, 1 + (seconds * 2 >= expected).cumprod(axis=0).sum(axis=0), 0)
    starts = np.flatnonzero(np.diff(level, prepend=-1))
    stops = [*starts[1:].tolist(), bins]
    return [
        Stretch(max(int(edges[low]), start_ns), min(int(edges[high]), end_ns), _SEEN[int(level[low])])
        for low, high in zip(starts.tolist(), stops, strict=True)
    ]


def _within(cells: Cells, *, start_ns: int, end_ns: int) -> tuple[SecondsArray, SecondsArray]:
    """Share of each cell that lies in the interval, and the cells' seconds."""
    overlap = np.minimum(cells.start_ns + EPOCH_NS, end_ns) - np.maximum(cells.start_ns, start_ns)
    shares = np.clip(overlap, 0, EPOCH_NS) / EPOCH_NS
    return shares, cells.seconds
