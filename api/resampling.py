"""Epochs of one assignment joined into longer ones. Pure.

An epoch belongs to the assignment, and to the question, that holds its start.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.coverage import Coverage
from api.registry import Assignment
from api.times import Interval
from api.zones import SECOND_NS
from ingest.store import Epoch
from ingest.store.resample import resample


@dataclass(frozen=True, slots=True)
class Joined:
    """What one EMG site showed in the `seconds` from `epoch.start_ns` on, and how much of that was expected."""

    assignment: Assignment
    epoch: Epoch
    seconds: int
    coverage: Coverage

    @property
    def key(self) -> tuple[int, str, str]:
        """Order and name within one wearer and resolution."""
        return self.epoch.start_ns, self.assignment.id, self.epoch.site


def joined(epochs: Sequence[Epoch], *, assignment: Assignment, within: Interval, seconds: int) -> list[Joined]:
    """Stretches of `seconds` from whole multiples of it in UTC, by start then site; empty ones are left out."""
    clip = assignment.clip(within.start_ns, within.end_ns)
    if clip is None:
        return []
    own = [epoch for epoch in epochs if clip[0] <= epoch.start_ns < clip[1]]
    return [
        Joined(assignment, epoch, seconds, _coverage(epoch, clip=clip, seconds=seconds))
        for epoch in resample(own, seconds)
    ]


def _coverage(epoch: Epoch, *, clip: tuple[int, int], seconds: int) -> Coverage:
    expected_ns = min(epoch.start_ns + seconds * SECOND_NS, clip[1]) - max(epoch.start_ns, clip[0])
    # The last epoch may reach beyond an assignment that ends within it.
    expected_s = max(expected_ns / SECOND_NS, epoch.received_s)
    return Coverage(expected_s, epoch.received_s, epoch.worn_s, epoch.usable_s)
