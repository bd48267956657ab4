"""What a night or a day came to: coverage, cramps, and whether that is enough to judge by. Pure.

Rules
-----
- An episode belongs to the period, and to the assignment, that holds its onset. Rejected and withdrawn episodes are
  left out; preliminary ones count and are reported as still going on.
- Late data may change what was told: episodes that were told otherwise before, and those withdrawn, are `revised`.
- A cramp on both legs is two episodes, one of each device.
- There is enough data when the signal was usable for four hours, or for half of a period shorter than eight.
  Where there is not, counts are lower bounds and rates are left out: missing is not zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from api import wording
from api.columns import Columns
from api.coverage import Cells, Coverage, Interval, Stretch, cells_of, covered, covered_together, timeline
from api.periods import Period
from api.registry import Assignment
from ingest.store import Episode

ENOUGH_S: Final = 4 * 3600.0
RATE_S: Final = 8 * 3600.0
NOT_COUNTED: Final = ("rejected", "withdrawn")
TOLD_ONCE: Final = 1  # the revision of an episode that was told when it ended, and never again
Verdict = Literal["ok", "not_enough_data"]


@dataclass(frozen=True, slots=True)
class Owned:
    """An episode and the assignment that says whose it is."""

    episode: Episode
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Cramps:
    """Episodes of one stretch of time. `at_least` marks counts that may be too low, as data is missing or to come."""

    count: int
    at_least: bool
    ongoing: int
    total_s: float
    longest_s: float | None
    worst_severity: float | None
    mean_severity: float | None
    load: float
    per_8_usable_h: float | None


@dataclass(frozen=True, slots=True)
class DeviceShare:
    """What one assignment contributed to a period."""

    assignment: Assignment
    coverage: Coverage
    timeline: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """One night or day."""

    period: Period
    status: Verdict
    reason: str | None
    enough_s: float
    coverage: Coverage
    devices: tuple[DeviceShare, ...]
    cramps: Cramps
    revised: int


@dataclass(frozen=True, slots=True)
class Total:
    """All periods of a kind in a range that have begun; `not_enough_data` counts those that have ended."""

    periods: int
    not_enough_data: int
    coverage: Coverage
    cramps: Cramps


def owned_by(assignments: Sequence[Assignment], episodes: Sequence[Episode]) -> list[Owned]:
    """Episodes whose onset lies in an assignment of their device, in the order given."""
    return [
        Owned(episode, assignment)
        for episode in episodes
        for assignment in assignments
        if assignment.device == episode.device and assignment.covers(episode.onset_ns)
    ]


def summarise(
    period: Period,
    *,
    assignments: Sequence[Assignment],
    epochs: Mapping[str, Columns],
    episodes: Sequence[Owned],
    now_ns: int,
    off: Mapping[str, Sequence[Interval]] = MappingProxyType({}),
) -> Summary:
    """Summary of one period; epochs (by device) and episodes may reach beyond it. Devices lay about while `off`."""
    start_ns = period.window.start_ns
    end_ns = max(start_ns, min(period.window.end_ns, now_ns))
    cells = {device: cells_of(of_device, off=off.get(device, ())) for device, of_device in epochs.items()}
    shares: list[DeviceShare] = []
    assigned: dict[str, list[Interval]] = {}
    for assignment in assignments:
        interval = assignment.clip(start_ns, end_ns)
        if interval is not None:
            assigned.setdefault(assignment.device, []).append(interval)
            shares.append(_share(assignment, cells[assignment.device], interval, start_ns=start_ns, end_ns=end_ns))
    coverage = covered_together(cells, assigned)
    several = sum(share.coverage.expected_s for share in shares) > coverage.expected_s + 1
    enough_s = min(ENOUGH_S, period.window.seconds / 2)
    enough = coverage.usable_s >= enough_s
    reason = wording.why_not_enough(period, coverage, several=several, enough_s=enough_s, now_ns=now_ns)
    found = [item.episode for item in members(period, episodes)]
    return Summary(
        period=period,
        status="ok" if enough else "not_enough_data",
        reason=None if enough else reason,
        enough_s=enough_s,
        coverage=coverage,
        devices=tuple(shares),
        cramps=cramps_of(found, coverage=coverage, at_least=not enough, rated=enough),
        revised=sum(_revised(item.episode) for item in within(period, episodes)),
    )


def total(summaries: Sequence[Summary], episodes: Sequence[Owned], *, now_ns: int) -> Total:
    """Sum up the periods that have begun."""
    begun = [summary for summary in summaries if summary.period.window.start_ns < now_ns]
    coverage = sum((summary.coverage for summary in begun), Coverage())
    # A period that is still running is not blamed for what it cannot have yet.
    ended = [summary for summary in begun if summary.period.window.end_ns <= now_ns]
    poor = sum(summary.status != "ok" for summary in ended)
    bound = any(summary.cramps.at_least for summary in ended)
    enough = coverage.usable_s >= ENOUGH_S and any(summary.status == "ok" for summary in begun)
    found = [item.episode for summary in begun for item in members(summary.period, episodes)]
    return Total(
        periods=len(begun),
        not_enough_data=poor,
        coverage=coverage,
        cramps=cramps_of(found, coverage=coverage, at_least=bound, rated=enough),
    )


def within(period: Period, owned: Sequence[Owned]) -> list[Owned]:
    """Episodes of any status whose onset lies in the period."""
    return [item for item in owned if period.window.start_ns <= item.episode.onset_ns < period.window.end_ns]


def members(period: Period, owned: Sequence[Owned]) -> list[Owned]:
    """Episodes that count whose onset lies in the period."""
    return [item for item in within(period, owned) if item.episode.status not in NOT_COUNTED]


def cramps_of(episodes: Sequence[Episode], *, coverage: Coverage, at_least: bool, rated: bool) -> Cramps:
    """Count and measure episodes; a rate is given only if `rated`."""
    durations = [episode.duration_s for episode in episodes]
    severities = [episode.severity for episode in episodes]
    return Cramps(
        count=len(episodes),
        at_least=at_least,
        ongoing=sum(episode.status == "preliminary" for episode in episodes),
        total_s=sum(durations),
        longest_s=max(durations, default=None),
        worst_severity=max(severities, default=None),
        mean_severity=sum(severities) / len(severities) if severities else None,
        load=sum(episode.load for episode in episodes),
        per_8_usable_h=len(episodes) * RATE_S / coverage.usable_s if rated else None,
    )


def _revised(episode: Episode) -> bool:
    return episode.status == "withdrawn" or episode.revision > TOLD_ONCE


def _share(assignment: Assignment, cells: Cells, interval: Interval, *, start_ns: int, end_ns: int) -> DeviceShare:
    alone = covered(cells, start_ns=interval[0], end_ns=interval[1])
    stretches = timeline(cells, [interval], start_ns=start_ns, end_ns=end_ns)
    return DeviceShare(assignment, alone, tuple(stretches))
