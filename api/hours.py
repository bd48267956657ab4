"""Epochs by the hour of each device, remembered until one of the hour is written again.

Summaries read the same epochs again and again, and reading is what takes the time. The store says cheaply when epochs
of an hour were last written, void ones too, and that decides whether what is remembered still holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.columns import MEMBERS, Columns, from_arrays, joined
from api.coverage import EPOCH_NS
from api.coverage import Interval as Edges
from api.memo import Memo
from api.zones import SECOND_NS
from ingest.store import Store

HOUR_NS: Final = 3600 * SECOND_NS
MEMORY_BYTES: Final = 64 * 2**20
READ_HOURS: Final = 48  # read at once, so that a year never stands in memory as records


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of one store."""

    store: Store
    kept: Memo[Columns]

    def changes(self, device: str, spans: Iterable[Edges]) -> dict[int, int]:
        """When each hour that spans touch was last written; neighbouring spans are one question."""
        found: dict[int, int] = {}
        for start_ns, end_ns in _merged(spans):
            found |= self.store.changes(device, start_ns=start_ns, end_ns=end_ns, every_ns=HOUR_NS)
        return found

    def between(self, device: str, clips: Sequence[Edges], *, changes: Mapping[int, int], now_ns: int) -> Columns:
        """Epochs that touch intervals, which are in order and do not overlap; `changes` knows their hours."""
        parts: list[Columns] = []
        read_ns = 0
        for start_ns, end_ns in clips:
            # The epoch that an interval begins in, unless it was read with the interval before.
            first_ns = max(start_ns - start_ns % EPOCH_NS, read_ns)
            hours = [hour for hour in range(first_ns // HOUR_NS * HOUR_NS, end_ns, HOUR_NS) if hour in changes]
            whole = self._hours(device, hours, changes=changes, now_ns=now_ns)
            parts.append(whole.between(first_ns, end_ns))
            read_ns = end_ns
        return joined(parts)

    def _hours(self, device: str, hours: Sequence[int], *, changes: Mapping[int, int], now_ns: int) -> Columns:
        found = {hour: self.kept.find((device, hour, changes[hour]), now_ns=now_ns) for hour in hours}
        for run in _runs([hour for hour in hours if not found[hour]]):
            end_ns = run[-1] + HOUR_NS
            epochs = from_arrays(*self.store.columns(device, start_ns=run[0], end_ns=end_ns, members=MEMBERS))
            for hour in run:
                part = epochs.between(hour, hour + HOUR_NS).copy()
                self.kept.keep((device, hour, changes[hour]), part, now_ns=now_ns)
                found[hour] = (part,)
        return joined([part for kept in found.values() for part in kept])


def _merged(spans: Iterable[Edges]) -> list[Edges]:
    """Whole hours that hold the spans, joined where they meet."""
    merged: list[Edges] = []
    for low, high in sorted(spans):
        start_ns, end_ns = low // HOUR_NS * HOUR_NS, -(-high // HOUR_NS) * HOUR_NS
        if merged and start_ns <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_ns))
        else:
            merged.append((start_ns, end_ns))
    return merged


def _runs(hours: Sequence[int]) -> list[list[int]]:
    """Hours that follow each other, together, but not more than are read at once."""
    runs: list[list[int]] = []
    for hour in hours:
        if runs and hour == runs[-1][-1] + HOUR_NS and len(runs[-1]) < READ_HOURS:
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return runs
