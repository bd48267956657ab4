"""Rates by week of a phase, as the drawings need them: missing nights are counted as missing, never as none."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from api.observed import RATE_H, Observed
from api.trials.outcomes import counted
from api.trials.values import Phase, Plan, Seen

WEEK: Final = 7
HOUR_NS: Final = 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days of a phase, or what is left of it, of some wearers. Days count from each one's first."""

    start: int
    days: int
    planned: int  # nights (or days) that have ended
    judged: int
    per_week: float  # NaN where nothing was judged


def judged(item: Observed, plan: Plan) -> bool:
    """Whether a period counts; what is felt needs no device."""
    return item.enough or plan.counting == "felt"


def count_of(item: Observed, plan: Plan) -> int:
    """The cramps of a period that the plan counts."""
    return len(counted(item, plan.counting))


def per_week(among: Sequence[Observed], plan: Plan) -> float:
    """Cramps in seven periods of eight hours that could show one, of the periods that count; NaN without."""
    some = [item for item in among if judged(item, plan)]
    lengths = [(item.end_ns - item.start_ns) / HOUR_NS if plan.counting == "felt" else item.usable_h for item in some]
    cramps = sum(count_of(item, plan) for item in some)
    return cramps * RATE_H * WEEK / sum(lengths) if sum(lengths) > 0 else float("nan")


def settled(seen: Seen, plan: Plan) -> list[Observed]:
    """What counts of a phase: all but its first days."""
    begins = seen.phase.first + timedelta(days=plan.settle_days)
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


def weeks_of(among: Sequence[Seen], plan: Plan) -> list[Week]:
    """The weeks of some wearers' phases, pooled where they begin on the same day of the trial."""
    since = origins(among)
    pooled: dict[tuple[int, int], list[Observed]] = defaultdict(list)
    for seen in among:
        begins, ends = reach(seen.phase, since)
        counts = settled(seen, plan)
        for start in range(begins, ends, WEEK):
            days = min(WEEK, ends - start)
            first = since[seen.phase.wearer] + timedelta(days=start)
            held = [item for item in counts if 0 <= (item.date - first).days < days]
            pooled[start, days].extend(held)
    return [
        Week(start, days, len(held), sum(judged(item, plan) for item in held), per_week(held, plan))
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
