"""Rates by week of a phase, as the drawings need them: missing nights are counted as missing, never as none."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from api.observed import RATE_H, Observed, counted, exposure_h
from api.trials.values import Phase, Seen

WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days of a phase, or what is left of it, of some wearers. Days count from each one's first."""

    start: int
    days: int
    planned: int  # nights (or days) that have ended
    judged: int
    per_week: float  # NaN where nothing was judged


def per_week(among: Sequence[Observed]) -> float:
    """Cramps in seven periods of eight usable hours, of the periods with enough data; NaN without."""
    judged = [item for item in among if item.enough]
    hours = exposure_h(judged)
    return counted(judged) * RATE_H * WEEK / hours if hours > 0 else float("nan")


def settled(seen: Seen, *, settle_days: int) -> list[Observed]:
    """What counts of a phase: all but its first days."""
    begins = seen.phase.first + timedelta(days=settle_days)
    return [item for item in seen.observed if item.date >= begins]


def origins(among: Sequence[Seen]) -> dict[str, date]:
    """The first day of each wearer."""
    found: dict[str, date] = {}
    for seen in among:
        wearer = seen.phase.wearer
        found[wearer] = min(found.get(wearer, seen.phase.first), seen.phase.first)
    return found


def reach(phase: Phase, since: Mapping[str, date]) -> tuple[int, int]:
    """First day of a phase and the one after its last, counted from the wearer's first."""
    origin = since[phase.wearer]
    return (phase.first - origin).days, (phase.last - origin).days + 1


def weeks_of(among: Sequence[Seen], *, settle_days: int) -> list[Week]:
    """The weeks of some wearers' phases, pooled where they begin on the same day of the trial."""
    since = origins(among)
    pooled: dict[tuple[int, int], list[Observed]] = defaultdict(list)
    for seen in among:
        begins, ends = reach(seen.phase, since)
        counts = settled(seen, settle_days=settle_days)
        for start in range(begins, ends, WEEK):
            days = min(WEEK, ends - start)
            first = since[seen.phase.wearer] + timedelta(days=start)
            held = [item for item in counts if 0 <= (item.date - first).days < days]
            pooled[start, days].extend(held)
    return [
        Week(start, days, len(held), sum(item.enough for item in held), per_week(held))
        for (start, days), held in sorted(pooled.items())
    ]


def by_sequence(among: Sequence[Seen]) -> dict[str, list[Seen]]:
    """Phases by sequence or arm, in the order in which they are met."""
    found: dict[str, list[Seen]] = defaultdict(list)
    for seen in among:
        found[seen.phase.sequence].append(seen)
    return dict(found)


def wearers_of(among: Sequence[Seen]) -> list[str]:
    """The wearers, in the order in which they are met: their numbers in the report."""
    return list(dict.fromkeys(seen.phase.wearer for seen in among))
