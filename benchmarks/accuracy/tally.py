"""Scored recordings added up: every figure of the report, with its interval."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.accuracy.intervals import NOTHING, Estimate, bootstrap, rate, share, spearman
from benchmarks.accuracy.leg import Kind
from benchmarks.accuracy.score import Scored, ScoredCramp

DAY_S: Final = 86_400.0
ALLOWED_S: Final = 3.0  # of error in duration, or
ALLOWED_SHARE: Final = 0.1  # of the true duration, whichever is more


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a set of recordings amounts to; seconds unless named otherwise."""

    recordings: int
    cramps: int
    found: int
    false: int
    hours: float
    sensitivity: Estimate
    precision: Estimate
    false_per_event: Estimate  # recording of kind event
    false_per_night: Estimate
    false_per_day: Estimate  # 24 h of wear, recordings of kind day
    false_per_24h: Estimate  # of wear, nights and days together
    onset_error: Spread
    duration_error: Spread
    duration_share: Spread  # absolute error over true duration
    duration_allowed: Estimate  # absolute error over what is allowed, median
    delay: Estimate  # from onset, median
    audible_delay: Estimate  # median
    audible_delay_p95: Estimate
    splits: Estimate  # share of found cramps
    merges: Estimate  # share of true episodes
    severity: Estimate  # rank correlation with true load


def tally(recordings: Sequence[Scored]) -> Tally:
    """Add up."""
    cramps = [cramp for one in recordings for cramp in one.cramps]
    found = [cramp for cramp in cramps if cramp.found]
    false = sum(one.false for one in recordings)
    true_episodes = sum(bool(episode.cramps) for one in recordings for episode in one.episodes)
    return Tally(
        recordings=len(recordings),
        cramps=len(cramps),
        found=len(found),
        false=false,
        hours=sum(one.duration_s for one in recordings) / 3600,
        sensitivity=share(len(found), len(cramps)),
        precision=share(len(found), len(found) + false),
        false_per_event=_false(recordings, "event", lambda _: 1.0),
        false_per_night=_false(recordings, "night", lambda _: 1.0),
        false_per_day=_false(recordings, "day", lambda one: one.worn_s / DAY_S),
        false_per_24h=_false([r for r in recordings if r.kind != "event"], None, lambda one: one.worn_s / DAY_S),
        onset_error=_spread([cramp.onset_error_s for cramp in found]),
        duration_error=_spread([cramp.duration_error_s for cramp in found]),
        duration_share=_spread([abs(cramp.duration_error_s or 0.0) / cramp.duration_s for cramp in found]),
        duration_allowed=_over(recordings, _excess, _median),
        delay=_over(recordings, lambda cramp: cramp.delay_s or 0.0, _median),
        audible_delay=_over(recordings, lambda cramp: cramp.audible_delay_s or 0.0, _median),
        audible_delay_p95=_over(recordings, lambda cramp: cramp.audible_delay_s or 0.0, _p95),
        splits=share(sum(one.splits for one in recordings), len(found)),
        merges=share(sum(one.merges for one in recordings), true_episodes),
        severity=bootstrap(
            [[(c.load, c.severity or 0.0) for c in one.cramps if c.found] for one in recordings], spearman
        ),
    )  # fmt: skip


def cramps_where(recordings: Iterable[Scored], keep: Callable[[Scored, ScoredCramp], bool]) -> Estimate:
    """Sensitivity to the cramps that are kept."""
    kept = [cramp for one in recordings for cramp in one.cramps if keep(one, cramp)]
    return share(sum(cramp.found for cramp in kept), len(kept))


def _false(recordings: Sequence[Scored], kind: Kind | None, exposure: Callable[[Scored], float]) -> Estimate:
    of_kind = [one for one in recordings if kind is None or one.kind == kind]
    return rate(sum(one.false for one in of_kind), sum(exposure(one) for one in of_kind))


def _over(
    recordings: Sequence[Scored], value: Callable[[ScoredCramp], float], statistic: Callable[[Sequence[float]], float]
) -> Estimate:
    """A statistic over found cramps, by bootstrap over recordings."""
    groups = [[value(cramp) for cramp in one.cramps if cramp.found] for one in recordings]
    return bootstrap(groups, statistic) if any(groups) else NOTHING


def _excess(cramp: ScoredCramp) -> float:
    return abs(cramp.duration_error_s or 0.0) / max(ALLOWED_S, ALLOWED_SHARE * cramp.duration_s)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    low, median, high = np.percentile(known, [25, 50, 75]) if known else [np.nan] * 3
    return Spread(median=float(median), low=float(low), high=float(high))
