"""Draws cohorts: what happened to each wearer in each window, and what of it a device saw. numpy, and nothing of ours.

Rules
-----
- The same seed and schedule give the same cohort. The level of a person, of their week and of their phase multiply.
- A window is a night or a session; the rest of the time lies between windows. A cramp that one of the night brings on
  may fall into the day.
- What a treatment does it does from the first to the last day of its phase, to cramps in and outside windows alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from api.trials.values import Phase
from benchmarks.trials.truth import NO_EFFECT, Rhythm, Truth

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
HOUR_S: Final = 3600.0
WEEK_H: Final = 168.0
EPOCH_S: Final = 10
LONGEST_S: Final = 1800.0
FALSE_MEDIAN_S: Final = 25.0


@dataclass(frozen=True, slots=True)
class Windows:
    """Every window of every wearer `(N,)`, wearer by wearer and in order of time; `low_s` to `high_s` was usable."""

    wearer: Ints  # place in the cohort's wearers
    phase: Ints  # place in the schedule
    day: Ints  # ordinal of the local date
    start_ns: Ints
    end_ns: Ints
    next_ns: Ints  # when the next one begins, or would
    low_s: Floats
    high_s: Floats


@dataclass(frozen=True, slots=True)
class Happened:
    """Every cramp and every false alarm `(M,)`, by window and onset."""

    window: Ints
    onset_ns: Ints
    seconds: Floats
    severity: Floats
    inside: Flags  # the window, and not the time after it
    real: Flags
    seen: Flags


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who took part, by which schedule, and what happened."""

    wearers: tuple[str, ...]
    schedule: tuple[Phase, ...]
    rhythm: Rhythm
    windows: Windows
    happened: Happened


def draw(
    truth: Truth, schedule: Sequence[Phase], *, seed: Sequence[int], effects: Mapping[str, float] = NO_EFFECT
) -> Cohort:
    """A cohort; `effects` says by what each letter of a phase's label multiplies the rate."""
    rng = np.random.default_rng(seed)
    ordered = sorted(schedule, key=lambda phase: (phase.wearer, phase.first))
    wearers = tuple(wearer for wearer, _ in groupby(phase.wearer for phase in ordered))
    windows = _windows(truth, ordered, wearers, rng)
    parents = _parents(truth, windows, _levels(truth, ordered, windows, effects, rng), rng)
    window, offset_s = _placed(windows, *_brought_on(truth, *parents, rng))
    real = _happened(truth, windows, window, offset_s, rng)
    return Cohort(wearers, tuple(ordered), truth.rhythm, windows, _with_false_alarms(truth, windows, real, rng))


def _windows(truth: Truth, schedule: Sequence[Phase], wearers: tuple[str, ...], rng: np.random.Generator) -> Windows:
    places = {wearer: place for place, wearer in enumerate(wearers)}
    edges = _Edges(truth.rhythm)
    spans = [edges.within(phase) for phase in schedule]
    lengths = [len(days) for days in spans]
    phase = np.repeat(np.arange(len(schedule)), lengths)
    wearer = np.repeat([places[item.wearer] for item in schedule], lengths)
    days = np.concatenate(spans)
    start_ns, end_ns, next_ns = edges.of(days)
    low_s, high_s = _usable(truth, (end_ns - start_ns) / 1e9, rng)
    return Windows(wearer, phase, days, start_ns, end_ns, next_ns, low_s, high_s)


class _Edges:
    """Start, end and next start of the windows of dates; each date is worked out once."""

    def __init__(self, rhythm: Rhythm) -> None:
        self._rhythm = rhythm
        self._zone = ZoneInfo(rhythm.zone)

    def within(self, phase: Phase) -> Ints:
        """The dates of a phase that have a window."""
        days = np.arange(phase.first.toordinal(), phase.last.toordinal() + 1)
        return days if len(self._rhythm.weekdays) == 7 else days[np.isin((days + 6) % 7, self._rhythm.weekdays)]

    def of(self, days: Ints) -> tuple[Ints, Ints, Ints]:
        """The three instants of each date."""
        known, place = np.unique(days, return_inverse=True)
        rows = [
            (self._at(day), self._at(day, hours=self._rhythm.hours), self._at(self._after(day)))
            for day in known.tolist()
        ]
        start_ns, end_ns, next_ns = np.array(rows, dtype=np.int64)[place].T
        return start_ns, end_ns, next_ns

    def _after(self, day: int) -> int:
        return next(later for later in range(day + 1, day + 8) if (later + 6) % 7 in self._rhythm.weekdays)

    def _at(self, day: int, *, hours: int = 0) -> int:
        wall = datetime.combine(date.fromordinal(day), self._rhythm.begins) + timedelta(hours=hours)
        return round(wall.replace(tzinfo=self._zone).timestamp()) * 10**9


def _usable(truth: Truth, length_s: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """All of a window, nothing of it, or its beginning or end, in whole epochs."""
    lot, share, late = rng.random(len(length_s)), rng.uniform(0.1, 0.95, len(length_s)), rng.random(len(length_s)) < 0.5
    kept_s = np.where(lot < truth.missing, 0.0, length_s)
    partly = (lot >= truth.missing) & (lot < truth.missing + truth.partly)
    kept_s = np.where(partly, np.round(share * length_s / EPOCH_S) * EPOCH_S, kept_s)
    low_s = np.where(partly & late, length_s - kept_s, 0.0)
    return low_s, low_s + kept_s


def _levels(
    truth: Truth, schedule: Sequence[Phase], windows: Windows, effects: Mapping[str, float], rng: np.random.Generator
) -> Floats:
    """By what the mean rate is multiplied in each window: person, week, phase, drift and treatment."""
    people = _gamma(truth.shape, int(windows.wearer.max()) + 1, rng)
    firsts = np.array([phase.first.toordinal() for phase in schedule])
    begun = np.full(len(people), 10**9)  # the first day of each wearer
    np.minimum.at(begun, windows.wearer, firsts[windows.phase])
    week = (windows.day - begun[windows.wearer]) // 7
    of_week = _gamma(truth.weekly, (int(windows.wearer.max()) + 1) * (int(week.max()) + 1), rng)
    of_phase = _gamma(1.0 / truth.wander if truth.wander else np.inf, len(schedule), rng)
    ratio = np.array([np.prod([effects.get(letter, 1.0) for letter in phase.label]) for phase in schedule])
    level = people[windows.wearer] * of_week[windows.wearer * (int(week.max()) + 1) + week]
    return np.asarray(level * (of_phase * ratio)[windows.phase] * _drift(truth, schedule, windows), dtype=np.float64)


def _drift(truth: Truth, schedule: Sequence[Phase], windows: Windows) -> Floats:
    """1 until a wearer's first phase after the baseline, then down in a straight line, then level."""
    started = np.full(int(windows.wearer.max()) + 1, 10**9)
    later = np.array([10**9 if phase.kind == "baseline" else phase.first.toordinal() for phase in schedule])
    np.minimum.at(started, windows.wearer, later[windows.phase])
    weeks = (windows.day - started[windows.wearer]) / 7.0
    return np.asarray(1.0 + truth.drift * np.clip(weeks / truth.drift_weeks, 0.0, 1.0))


def _gamma(shape: float, size: int, rng: np.random.Generator) -> Floats:
    return rng.gamma(shape, 1.0 / shape, size) if np.isfinite(shape) else np.ones(size)


def _parents(truth: Truth, windows: Windows, level: Floats, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Window and seconds since its start of cramps that come by themselves."""
    rhythm = truth.rhythm
    weekly_h = rhythm.hours * len(rhythm.weekdays)
    own = truth.per_week * (1.0 - truth.kick) * level
    length_s = (windows.end_ns - windows.start_ns) / 1e9
    cycle_s = (windows.next_ns - windows.start_ns) / 1e9
    inside = rng.poisson(own * rhythm.inside * length_s / HOUR_S / weekly_h)
    outside = rng.poisson(own * (1.0 - rhythm.inside) * (cycle_s - length_s) / HOUR_S / (WEEK_H - weekly_h))
    at = np.arange(len(level))
    first, second = np.repeat(at, inside), np.repeat(at, outside)
    in_s = rng.uniform(0.0, length_s[first])
    out_s = rng.uniform(length_s[second], cycle_s[second])
    return np.concatenate([first, second]), np.concatenate([in_s, out_s])


def _brought_on(truth: Truth, window: Ints, offset_s: Floats, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """The same, with every cramp that another brought on within the memory, and those that these did."""
    windows, offsets = [window], [offset_s]
    while len(window):
        children = rng.poisson(truth.kick, len(window))
        window = np.repeat(window, children)
        offset_s = np.repeat(offset_s, children) + rng.uniform(0.0, truth.memory_min * 60.0, len(window))
        windows.append(window)
        offsets.append(offset_s)
    return np.concatenate(windows), np.concatenate(offsets)


def _placed(windows: Windows, window: Ints, offset_s: Floats) -> tuple[Ints, Floats]:
    """Cramps that fall behind the start of the next window belong to that; behind the last one they are dropped."""
    cycle_s = (windows.next_ns - windows.start_ns) / 1e9
    while (late := offset_s >= cycle_s[window]).any():
        offset_s = np.where(late, offset_s - cycle_s[window], offset_s)
        following = np.minimum(window + late, len(cycle_s) - 1)
        same = ~late | (
            (following > window) & (windows.wearer[following] == windows.wearer[window])
            & (windows.start_ns[following] == windows.next_ns[window])
        )  # fmt: skip
        window, offset_s = following[same], offset_s[same]
    return window, offset_s


def _happened(truth: Truth, windows: Windows, window: Ints, offset_s: Floats, rng: np.random.Generator) -> Happened:
    seconds = np.clip(rng.lognormal(np.log(truth.median_s), truth.spread, len(window)), 10.0, LONGEST_S)
    severity = np.clip(rng.normal(5.2 + np.log(seconds / truth.median_s), 1.8), 0.0, 10.0)
    inside = offset_s < (windows.end_ns - windows.start_ns)[window] / 1e9
    covered = (offset_s >= windows.low_s[window]) & (offset_s < windows.high_s[window])
    seen = (rng.random(len(window)) < truth.sensitivity) & (covered | ~inside)
    return Happened(
        window, _instants(windows, window, offset_s), np.round(seconds, 1), np.round(severity, 2), inside,
        np.ones(len(window), np.bool_), seen,
    )  # fmt: skip


def _with_false_alarms(truth: Truth, windows: Windows, real: Happened, rng: np.random.Generator) -> Happened:
    """Alarms where nothing was, in usable time only; in order of time with the cramps."""
    usable_s = windows.high_s - windows.low_s
    count = rng.poisson(truth.false_alarms * usable_s / (8.0 * HOUR_S))
    window = np.repeat(np.arange(len(usable_s)), count)
    offset_s = rng.uniform(windows.low_s[window], windows.high_s[window])
    seconds = np.clip(rng.lognormal(np.log(FALSE_MEDIAN_S), 0.5, len(window)), 10.0, LONGEST_S)
    severity = np.clip(rng.normal(2.5, 1.0, len(window)), 0.0, 10.0)
    yes = np.ones(len(window), np.bool_)
    onset_ns = np.concatenate([real.onset_ns, _instants(windows, window, offset_s)])
    joined = np.concatenate([real.window, window])
    order = np.lexsort((onset_ns, joined))
    return Happened(
        joined[order],
        onset_ns[order],
        np.concatenate([real.seconds, np.round(seconds, 1)])[order],
        np.concatenate([real.severity, np.round(severity, 2)])[order],
        np.concatenate([real.inside, yes])[order],
        np.concatenate([real.real, ~yes])[order],
        np.concatenate([real.seen, yes])[order],
    )


def _instants(windows: Windows, window: Ints, offset_s: Floats) -> Ints:
    """On whole milliseconds, never before the second that they belong to."""
    return np.asarray(windows.start_ns[window] + (offset_s * 1000.0).astype(np.int64) * 1_000_000, dtype=np.int64)
