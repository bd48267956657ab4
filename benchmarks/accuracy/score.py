"""Episodes against true cramps, by events, in the manner of SzCORE (Dan 2024, 10.1111/epi.18113).

Rules
-----
- A cramp's window is widened by `BEFORE_S` and `AFTER_S`. Any overlap of an episode with it finds the cramp; an
  episode that overlaps no window is a false alarm. Rejected episodes are not detections.
- Close events are not merged and long ones not split (SzCORE merges below 90 s and splits at 5 min): two false alarms
  in a row are two, and an episode that swallows two cramps shows up as a merge and in the error of its duration.
- Of several episodes in one cramp the first to open gives the delay, the one with the largest overlap all else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.accuracy.envelope import audible_s
from benchmarks.accuracy.hear import Heard, Hearing
from benchmarks.accuracy.leg import Kind, Leg
from benchmarks.accuracy.suite import Case

BEFORE_S: Final = 5.0
AFTER_S: Final = 10.0
Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCramp:
    """One true cramp, and what became of it; errors are found minus true."""

    onset_s: float
    end_s: float
    peak_ratio: float
    load: float
    site: str
    audible_s: float  # its own amplitude has stayed at twice rest from here on
    episodes: int  # that overlap it
    onset_error_s: float | None = None
    duration_error_s: float | None = None
    delay_s: float | None = None  # from onset to opened
    audible_delay_s: float | None = None  # from audible to opened, not below 0
    severity: float | None = None

    @property
    def found(self) -> bool:
        return self.episodes > 0

    @property
    def duration_s(self) -> float:
        return self.end_s - self.onset_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredEpisode:
    """One detection; false if it overlaps no cramp."""

    onset_s: float
    end_s: float
    opened_s: float
    site: str
    confidence: float
    severity: float
    cramps: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One recording, scored."""

    case: Case
    kind: Kind
    duration_s: float
    worn_s: float
    usable_s: float
    channels: int
    fs_hz: float
    acc: bool
    cramps: tuple[ScoredCramp, ...]
    episodes: tuple[ScoredEpisode, ...]

    @property
    def found(self) -> int:
        return sum(cramp.found for cramp in self.cramps)

    @property
    def false(self) -> int:
        return sum(not episode.cramps for episode in self.episodes)

    @property
    def splits(self) -> int:
        return sum(cramp.episodes > 1 for cramp in self.cramps)

    @property
    def merges(self) -> int:
        return sum(episode.cramps > 1 for episode in self.episodes)


def matches(cramps: Sequence[Span], episodes: Sequence[Span]) -> list[list[int]]:
    """For each cramp the episodes that overlap its widened window."""
    return [
        [i for i, (onset, end) in enumerate(episodes) if onset < stop + AFTER_S and end > begin - BEFORE_S]
        for begin, stop in cramps
    ]


def score(case: Case, leg: Leg, heard: Hearing) -> Scored:
    """Hold what was heard against the truth."""
    told = [episode for episode in heard.episodes if episode.counts]
    pairs = matches([(c.onset_s, c.end_s) for c in leg.cramps], [(e.onset_s, e.end_s) for e in told])
    return Scored(
        case=case,
        kind=leg.kind,
        duration_s=leg.duration_s,
        worn_s=heard.worn_s,
        usable_s=heard.usable_s,
        channels=len(leg.sites),
        fs_hz=leg.emg_fs_hz,
        acc=leg.acc is not None,
        cramps=tuple(
            _cramp(leg, index, [told[i] for i in found]) for index, found in enumerate(pairs)
        ),
        episodes=tuple(
            ScoredEpisode(
                onset_s=e.onset_s, end_s=e.end_s, opened_s=e.opened_s, site=e.site, confidence=e.confidence,
                severity=e.severity, cramps=sum(i in found for found in pairs), flags=e.flags,
            )
            for i, e in enumerate(told)
        ),
    )  # fmt: skip


def _cramp(leg: Leg, index: int, episodes: Sequence[Heard]) -> ScoredCramp:
    true = leg.cramps[index]
    heard_s = audible_s(leg, true)
    bare = ScoredCramp(
        onset_s=true.onset_s, end_s=true.end_s, peak_ratio=true.peak_ratio, load=true.load, site=true.site,
        audible_s=heard_s, episodes=len(episodes),
    )  # fmt: skip
    if not episodes:
        return bare
    best = max(episodes, key=lambda e: min(e.end_s, true.end_s) - max(e.onset_s, true.onset_s))
    opened_s = min(e.opened_s for e in episodes)
    return ScoredCramp(
        onset_s=true.onset_s, end_s=true.end_s, peak_ratio=true.peak_ratio, load=true.load, site=true.site,
        audible_s=heard_s, episodes=len(episodes),
        onset_error_s=best.onset_s - true.onset_s,
        duration_error_s=(best.end_s - best.onset_s) - bare.duration_s,
        delay_s=opened_s - true.onset_s,
        audible_delay_s=max(0.0, opened_s - heard_s),
        severity=best.severity,
    )  # fmt: skip
