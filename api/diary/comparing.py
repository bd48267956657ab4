"""Reads what a wearer felt and what their devices saw, and holds the one against the other."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from api.diary import cramps, reviews
from api.diary.agreement import Agreement, agreement
from api.diary.carrying import carried
from api.diary.matching import LEAST_USABLE, SLACK_S, Detected, Match, meant, pair, sees, stretch, told
from api.diary.values import FeltCramp
from api.observing import Span, observe, observe_spans
from api.reading import Sources, Worn, episodes_of
from api.summaries import NOT_COUNTED, Owned
from api.times import Interval
from detector.refit import PARTS, Refit, refit


@dataclass(frozen=True, slots=True)
class Compared:
    """Every cramp of a range once, and the figures."""

    matches: tuple[Match, ...]
    figures: Agreement


def compare(sources: Sources, worn: Worn, within: Interval, *, dates: tuple[date, date], now_ns: int) -> Compared:
    """Cramps felt and detected in an interval, and how far they agree; false alarms a night over some local dates."""
    slack_ns = round(SLACK_S * 1e9)
    with sources.registry.read() as db:
        felt = cramps.between(db, worn.wearer.id, start_ns=within.start_ns, end_ns=within.end_ns)
        # What was felt near an edge may be what was detected just beyond it.
        low_ns = min((stretch(item)[0] for item in felt), default=within.start_ns) - slack_ns
        high_ns = max((stretch(item)[1] for item in felt), default=within.end_ns) + slack_ns
        wider = Interval(min(low_ns, within.start_ns), max(high_ns, within.end_ns))
        every = episodes_of(sources, worn, wider, withdrawn=True)
        said = reviews.verdicts(db, worn.wearer.id, [item.episode.id for item in every])
    verdicts = carried(said, [item.episode for item in every])
    owned = [item for item in every if item.episode.status not in NOT_COUNTED]
    pairing = pair(felt, [_detected(item, verdicts) for item in owned])
    inside = [item for item in pairing.detected if within.start_ns <= item.onset_ns < within.end_ns]
    seeable = [_seeable(sources, worn, item, now_ns=now_ns) for item in pairing.felt]
    matches = told(replace(pairing, detected=tuple(inside)), seeable=seeable)
    counted = [match.detected.episode for match in matches if match.detected]
    nights = observe(
        sources, worn, kind="night", first=dates[0], last=dates[1], now_ns=now_ns, reviews=verdicts
    )  # fmt: skip
    judged = [night for night in nights if night.enough]
    figures = agreement(
        matches,
        rejected_at_night=sum(cramp.confirmed is False for night in judged for cramp in night.cramps),
        unreviewed=sum(episode not in verdicts for episode in counted),
        nights=len(judged),
        fit=lambda parts, ratings: _fitted(sources, parts, ratings, now_ns=now_ns),
    )
    return Compared(tuple(matches), figures)


def _fitted(sources: Sources, parts: NDArray[np.float64], ratings: list[int], *, now_ns: int) -> Refit:
    """A fit takes seconds, so it is remembered until a rating or a cramp is new."""
    key = (parts.tobytes(), tuple(ratings))
    return sources.refits.get(key, lambda: refit(parts, ratings), now_ns=now_ns)


def _detected(owned: Owned, verdicts: dict[str, bool | None]) -> Detected:
    episode = owned.episode
    return Detected(
        episode=episode.id,
        onset_ns=episode.onset_ns,
        end_ns=episode.end_ns,
        side=owned.assignment.side,
        muscle=owned.assignment.muscle,
        severity=episode.severity,
        parts=tuple(float(getattr(episode, f"severity_{name}")) for name in PARTS),
        grade=episode.grade,
        confirmed=verdicts.get(episode.id),
    )


def _seeable(sources: Sources, worn: Worn, felt: FeltCramp, *, now_ns: int) -> bool:
    """Whether a device that can see such a cramp was usable for half of the time that is meant."""
    among = tuple(item for item in worn.assignments if sees(felt, side=item.side, muscle=item.muscle))
    start_ns, end_ns = meant(felt)
    end_ns = min(end_ns, now_ns)
    if not among or end_ns <= start_ns:
        return False
    span = Span(worn.wearer.zones.local(start_ns).date(), start_ns, end_ns)
    found = observe_spans(sources, Worn(worn.wearer, among), [span], kind="between", now_ns=now_ns)
    return bool(found) and found[0].usable_s >= LEAST_USABLE * (end_ns - start_ns) / 1e9
