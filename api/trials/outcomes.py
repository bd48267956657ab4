"""What a phase came to, outcome by outcome. Pure.

Rules
-----
- Only nights (or days) with enough data are judged; the others are missing, never zero. Days of settling are left out.
- detected: what a device found and the wearer has not called none. felt: what the wearer felt, detected or not.
  both: either; one that was felt and detected counts once.
- A felt count needs no device: every period that has ended is judged, and its exposure is its length.
- rate, load and cramp index are sums per eight usable hours. The cramp index is duration (min) x severity
  (Man-Son-Hing and Wells 1995, BMJ 310:13). Duration and severity are means of the cramps there were. A cramp of
  which the wearer did not say how long or how bad counts as the mean of the others, never as nothing.
- A responder has a rate at least 25 % (or 50 %) below that of the own baseline; remission is not one cramp. Neither is
  known where fewer than half of the periods could be judged: one good night is no remission.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from api.observed import RATE_H, Cramp, Observed
from api.trials.values import Counting, Outcome, Phase, Plan, Seen

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Which = Literal["counted", "rejected_too", "confirmed_only"]
PER_WEEK: Final = 7.0  # periods of eight hours that make the rate of a week
_PER_CRAMP: Final[frozenset[Outcome]] = frozenset({"duration", "severity"})
_PER_HOUR: Final[frozenset[Outcome]] = frozenset({"rate", "load", "cramp_index"})
LEAST_SHARE: Final = 0.5  # of the periods of a phase, to say yes or no of it
_FALLS: Final[dict[Outcome, float]] = {"responders_25": 0.25, "responders_50": 0.5}


@dataclass(frozen=True, slots=True)
class Tally:
    """One phase of one wearer in figures; arrays have one entry for each judged period."""

    phase: Phase
    planned: int
    expected_h: float  # of all that was planned
    days: IntArray  # ordinal of the local date
    counts: FloatArray
    hours: FloatArray  # that could show a cramp
    covered: FloatArray  # share of what was expected
    cramps: tuple[tuple[Cramp, ...], ...]
    felt_better: bool | None = None

    @property
    def judged(self) -> int:
        return len(self.days)

    @property
    def count(self) -> float:
        return float(self.counts.sum())

    @property
    def exposure(self) -> float:
        return float(self.hours.sum())

    @property
    def middle(self) -> float:
        """The day in the middle of what was judged; of the phase where nothing was."""
        if self.judged:
            return float(self.days.mean())
        return (self.phase.first.toordinal() + self.phase.last.toordinal()) / 2.0


@dataclass(frozen=True, slots=True)
class Weeks:
    """Counts and exposures by week of a phase; `day` is the middle of what was judged."""

    counts: FloatArray
    exposures: FloatArray
    day: FloatArray


def tally(plan: Plan, seen: Seen, *, until: date | None = None, which: Which = "counted") -> Tally:
    """The figures of one phase, of dates up to `until`."""
    begin = seen.phase.first + timedelta(days=plan.settle_days)
    among = [
        item
        for item in seen.observed
        if begin <= item.date <= seen.phase.last and item.kind in plan.kinds and (until is None or item.date <= until)
    ]
    felt = plan.counting == "felt"
    judged = among if felt else [item for item in among if item.enough]
    cramps = tuple(counted(item, plan.counting, which) for item in judged)
    return Tally(
        phase=seen.phase,
        planned=len(among),
        expected_h=sum(_hours(item, felt=True) if felt else item.expected_s / 3600.0 for item in among),
        days=np.array([item.date.toordinal() for item in judged], dtype=np.int64),
        counts=np.array([len(found) for found in cramps], dtype=np.float64),
        hours=np.array([_hours(item, felt=felt) for item in judged], dtype=np.float64),
        covered=np.array([item.usable_s / item.expected_s if item.expected_s else 0.0 for item in judged]),
        cramps=cramps,
        felt_better=seen.felt_better,
    )


def counted(item: Observed, counting: Counting, which: Which = "counted") -> tuple[Cramp, ...]:
    """The cramps of a period that count."""
    if not item.cramps:
        return ()
    if which == "rejected_too":
        return item.cramps
    if which == "confirmed_only":
        return tuple(cramp for cramp in item.cramps if cramp.confirmed is True or not cramp.episode)
    if counting == "felt":
        return tuple(cramp for cramp in item.cramps if cramp.confirmed is True or not cramp.episode)
    if counting == "detected":
        return tuple(cramp for cramp in item.cramps if cramp.confirmed is not False and cramp.episode)
    return tuple(cramp for cramp in item.cramps if cramp.confirmed is not False)


def weeks_of(one: Tally) -> Weeks:
    """Sums by week since the first day that was judged; weeks without a judged day are left out."""
    if not one.judged:
        nothing = np.empty(0)
        return Weeks(nothing, nothing, nothing)
    number = (one.days - one.days[0]) // 7
    held = np.bincount(number)
    kept = held > 0
    counts, exposures, days = (_sums(number, of)[kept] for of in (one.counts, one.hours, one.days))
    return Weeks(counts, exposures, days / held[kept])


def with_cramps(one: Tally) -> Tally:
    """The same with periods in place of hours and of cramps: each judged period counts 1, with a cramp or without."""
    return replace(one, counts=(one.counts > 0).astype(np.float64), hours=np.ones(one.judged))


def kept_where(one: Tally, kept: BoolArray) -> Tally:
    """The same with some of the judged periods only."""
    return replace(
        one,
        days=one.days[kept],
        counts=one.counts[kept],
        hours=one.hours[kept],
        covered=one.covered[kept],
        cramps=tuple(night for night, stays in zip(one.cramps, kept.tolist(), strict=True) if stays),
    )


def value(outcome: Outcome, among: Sequence[Tally]) -> float:
    """The figure of one wearer over some phases; NaN where there is none."""
    cramps = [cramp for one in among for night in one.cramps for cramp in night]
    measures = [_measure(outcome, cramp) for cramp in cramps]
    known = [measure for measure in measures if not math.isnan(measure)]  # a wearer need not say how long or how bad
    if outcome in _PER_CRAMP:
        return _over(sum(known), len(known))
    if outcome == "cramp_periods":
        return _over(sum(float((one.counts > 0).sum()) for one in among), sum(one.judged for one in among))
    if outcome in _PER_HOUR:
        mean = _over(sum(known), len(known)) if measures else 0.0
        return _over(RATE_H * mean * len(measures), sum(one.exposure for one in among))
    reached = reached_of(outcome, [one for one in among if one.phase.kind != "baseline"], baseline=among)
    return math.nan if reached is None else float(reached)


def reached_of(outcome: Outcome, among: Sequence[Tally], *, baseline: Sequence[Tally]) -> bool | None:
    """Whether a wearer responded, was free of cramps or felt better in some phases; None where that is not known."""
    if outcome == "felt_better":
        said = [one.felt_better for one in among if one.felt_better is not None]
        return said[-1] if said else None
    before = [one for one in baseline if one.phase.kind == "baseline" and one.judged]
    if not _mostly_judged(among) or (before and not _mostly_judged(before)):
        return None
    cramped = sum(one.count for one in before)
    if before and not cramped:
        return None  # nothing to respond to
    if outcome == "remission":
        return not any(one.count for one in among)
    if not before:
        return None
    fall = 1.0 - value("rate", among) / value("rate", before)
    return bool(fall >= _FALLS[outcome] - 1e-9)


def _mostly_judged(among: Sequence[Tally]) -> bool:
    judged = sum(one.judged for one in among)
    return judged > 0 and judged >= LEAST_SHARE * sum(one.planned for one in among)


def _sums(number: IntArray, of: FloatArray | IntArray) -> FloatArray:
    return np.asarray(np.bincount(number, weights=of), dtype=np.float64)


def _over(total: float, by: float) -> float:
    return total / by if by > 0 else math.nan


def _measure(outcome: Outcome, cramp: Cramp) -> float:
    """What one cramp adds to an outcome."""
    match outcome:
        case "duration":
            return cramp.duration_s / 60.0
        case "severity":
            return cramp.severity
        case "load":
            return cramp.load if cramp.episode else math.nan  # of a cramp that was only felt nothing was measured
        case "cramp_index":
            return cramp.duration_s / 60.0 * cramp.severity
        case _:
            return 1.0


def _hours(item: Observed, *, felt: bool) -> float:
    return (item.end_ns - item.start_ns) / 3.6e12 if felt else item.usable_h
