"""Epochs of one assignment joined into longer ones. Pure.

Seconds are added up. Of an epoch that the assignment or the question cuts, the share inside counts. Amplitude is
joined as a power, the others as means, each weighted by the seconds it was measured in; flags are united.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from api.coverage import EPOCH_NS, Coverage
from api.registry import Assignment
from api.times import Interval
from api.zones import SECOND_NS
from ingest.store import Epoch


@dataclass(frozen=True, slots=True)
class Joined:
    """What one EMG site showed in `[start_ns, start_ns + seconds)`; NaN means not measured."""

    assignment: Assignment
    site: str
    start_ns: int
    seconds: int
    coverage: Coverage
    rms_uv: float
    rest_uv: float
    median_hz: float
    movement_g: float
    angle_deg: float
    flags: tuple[str, ...]

    @property
    def key(self) -> tuple[int, str, str]:
        """Order and name within one wearer and resolution."""
        return self.start_ns, self.assignment.id, self.site


def resample(epochs: Iterable[Epoch], *, assignment: Assignment, within: Interval, seconds: int) -> list[Joined]:
    """Join epochs into stretches of whole multiples of `seconds` UTC, by start then site; empty ones are left out."""
    step_ns = seconds * SECOND_NS
    parts: defaultdict[tuple[int, str], list[tuple[float, Epoch]]] = defaultdict(list)
    clip = assignment.clip(within.start_ns, within.end_ns)
    if clip is None:
        return []
    for epoch in epochs:
        inside_ns = min(epoch.start_ns + EPOCH_NS, clip[1]) - max(epoch.start_ns, clip[0])
        if inside_ns > 0:
            parts[epoch.start_ns // step_ns * step_ns, epoch.site].append((inside_ns / EPOCH_NS, epoch))
    return [
        _join(rows, assignment=assignment, start_ns=start_ns, seconds=seconds, clip=clip)
        for (start_ns, _site), rows in sorted(parts.items())
    ]


def _join(
    rows: Sequence[tuple[float, Epoch]],
    *,
    assignment: Assignment,
    start_ns: int,
    seconds: int,
    clip: tuple[int, int],
) -> Joined:
    expected_ns = min(start_ns + seconds * SECOND_NS, clip[1]) - max(start_ns, clip[0])
    return Joined(
        assignment=assignment,
        site=rows[0][1].site,
        start_ns=start_ns,
        seconds=seconds,
        coverage=Coverage(
            expected_s=expected_ns / SECOND_NS,
            received_s=sum(share * epoch.received_s for share, epoch in rows),
            worn_s=sum(share * epoch.worn_s for share, epoch in rows),
            usable_s=sum(share * epoch.usable_s for share, epoch in rows),
        ),
        rms_uv=math.sqrt(_mean(rows, lambda epoch: epoch.rms_uv**2, _usable)),
        rest_uv=_mean(rows, lambda epoch: epoch.rest_uv, _usable),
        median_hz=_mean(rows, lambda epoch: epoch.median_hz, _usable),
        movement_g=_mean(rows, lambda epoch: epoch.movement_g, _received),
        angle_deg=_mean(rows, lambda epoch: epoch.angle_deg, _received),
        flags=tuple(sorted({flag for _share, epoch in rows for flag in epoch.flags})),
    )


def _usable(epoch: Epoch) -> float:
    return epoch.usable_s


def _received(epoch: Epoch) -> float:
    return epoch.received_s


def _mean(
    rows: Sequence[tuple[float, Epoch]], value: Callable[[Epoch], float], weight: Callable[[Epoch], float]
) -> float:
    measured = [(share * weight(epoch), value(epoch)) for share, epoch in rows if not math.isnan(value(epoch))]
    weights = sum(heavy for heavy, _value in measured)
    return sum(heavy * known for heavy, known in measured) / weights if weights > 0 else math.nan
