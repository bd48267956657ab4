"""What was promised beside what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from benchmarks.accuracy.intervals import Estimate, wilson
from benchmarks.accuracy.score import Scored
from benchmarks.accuracy.tally import cramps_where, tally

Side = Literal["least", "most"]
ABOUT: Final = (0.7, 0.9)  # confidence that counts as about 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One promise; `scale` and `unit` are for printing."""

    name: str
    side: Side
    limit: float
    figure: Estimate
    unit: str = ""
    digits: int = 2

    @property
    def verdict(self) -> str:
        """Whether the figure meets it, and whether its whole interval does."""
        one = self.figure
        if not np.isfinite(one.value):
            return "not measured"
        if self.side == "least":
            met, surely = one.value >= self.limit, one.low >= self.limit
        else:
            met, surely = one.value <= self.limit, one.high <= self.limit
        if not met:
            return "**not met**"
        return "met" if surely else "met, within the interval"


def goals(recordings: Sequence[Scored]) -> tuple[Goal, ...]:
    """All promises, measured on these recordings."""
    whole = tally(recordings)
    strong = cramps_where(recordings, lambda _, cramp: cramp.peak_ratio > 15)
    middling = cramps_where(recordings, lambda _, cramp: 4 <= cramp.peak_ratio <= 15)
    return (
        Goal(name="sensitivity, all cramps", side="least", limit=0.95, figure=whole.sensitivity, digits=3),
        Goal(name="sensitivity, above 15 x rest", side="least", limit=0.95, figure=strong, digits=3),
        Goal(name="sensitivity, 4-15 x rest", side="least", limit=0.85, figure=middling, digits=3),
        Goal(name="false alarms per night", side="most", limit=0.1, figure=whole.false_per_night),
        Goal(name="false alarms per 24 h of wear by day", side="most", limit=0.1, figure=whole.false_per_day),
        Goal(
            name="delay, median", side="most", limit=15.0, figure=whole.audible_delay, unit=" s", digits=1
        ),
        Goal(
            name="delay, 95th percentile", side="most", limit=30.0, figure=whole.audible_delay_p95, unit=" s", digits=1
        ),
        Goal(
            name="duration error over the larger of 3 s and 10 %, median", side="most", limit=1.0,
            figure=whole.duration_allowed,
        ),
        Goal(name="cramps split", side="most", limit=0.02, figure=whole.splits, digits=3),
        Goal(name="episodes that merge cramps", side="most", limit=0.02, figure=whole.merges, digits=3),
        Goal(name="severity against true load, Spearman", side="least", limit=0.9, figure=whole.severity),
        Goal(name="miscalibration of confidence 0.7-0.9", side="most", limit=0.1, figure=miscalibration(recordings)),
    )  # fmt: skip


def miscalibration(recordings: Sequence[Scored]) -> Estimate:
    """How far the share of cramps lies from the mean confidence, among episodes given about 0.8."""
    low, high = ABOUT
    told = [e for one in recordings for e in one.episodes if low <= e.confidence < high]
    real = wilson(sum(e.cramps > 0 for e in told), len(told))
    mean = float(np.mean([e.confidence for e in told])) if told else float("nan")
    inside = real.low <= mean <= real.high
    ends = sorted((abs(real.low - mean), abs(real.high - mean)))
    return Estimate(abs(real.value - mean), 0.0 if inside else ends[0], ends[1])
