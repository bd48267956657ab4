"""Puts cramps that were felt beside those detected, so that an analysis may count either."""

import math
from collections.abc import Sequence
from dataclasses import replace

from api.diary import cramps
from api.diary.matching import Detected, Pairing, pair
from api.diary.values import FeltCramp
from api.observed import Cramp, Observed
from api.reading import Sources, Worn, episodes_of
from api.summaries import NOT_COUNTED, Owned
from api.times import Interval


def with_felt(sources: Sources, worn: Worn, among: Sequence[Observed]) -> list[Observed]:
    """The same periods with cramps felt: a detected one that was felt is confirmed, one only felt is added."""
    if not among:
        return []
    within = Interval(min(item.start_ns for item in among), max(item.end_ns for item in among))
    owned = [item for item in episodes_of(sources, worn, within) if item.episode.status not in NOT_COUNTED]
    said = {cramp.episode: cramp.confirmed for item in among for cramp in item.cramps}
    with sources.registry.read() as db:
        felt = cramps.between(db, worn.wearer.id, start_ns=within.start_ns, end_ns=within.end_ns)
    # One detected outside of all these periods is not counted: it must not take a felt one that is.
    pairing = pair(felt, [_detected(item, said[item.episode.id]) for item in owned if item.episode.id in said])
    return [joined(item, pairing) for item in among]


def joined(item: Observed, pairing: Pairing) -> Observed:
    """One period with what was felt in it."""
    also_felt = {detected.episode for _, detected in pairing.pairs}
    detected = [
        replace(cramp, confirmed=True) if cramp.episode in also_felt and cramp.confirmed is None else cramp
        for cramp in item.cramps
    ]
    only_felt = [_cramp(felt) for felt in pairing.felt if item.start_ns <= felt.at_ns < item.end_ns]
    return replace(item, cramps=tuple(sorted([*detected, *only_felt], key=lambda cramp: cramp.onset_ns)))


def _cramp(felt: FeltCramp) -> Cramp:
    """What is not said of it is NaN, and left out of means."""
    return Cramp(
        onset_ns=felt.at_ns,
        duration_s=math.nan if felt.duration_s is None else felt.duration_s,
        severity=math.nan if felt.pain is None else float(felt.pain),
        confirmed=True,
    )


def _detected(owned: Owned, confirmed: bool | None) -> Detected:
    episode = owned.episode
    return Detected(
        episode=episode.id,
        onset_ns=episode.onset_ns,
        end_ns=episode.end_ns,
        side=owned.assignment.side,
        muscle=owned.assignment.muscle,
        severity=episode.severity,
        parts=(0.0, 0.0, 0.0, 0.0),  # not needed to pair
        grade=episode.grade,
        confirmed=confirmed,
    )
