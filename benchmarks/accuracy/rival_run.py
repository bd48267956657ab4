"""Rivals on the same recordings, scored by the same rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.accuracy.hear import Heard, Hearing
from benchmarks.accuracy.leg import Leg
from benchmarks.accuracy.rivals import BoolArray, CannotRunError, Rival, active, rule, spans, together
from benchmarks.accuracy.score import Scored, score
from benchmarks.accuracy.suite import Case

LONGEST_S: Final = 3700.0  # some take minutes for an hour of signal

# Threshold and rule with the highest F1 on development seeds, as `python -m benchmarks.accuracy.choice` prints.
CHOSEN: Final = (
    Rival("NeuroKit2", "threshold", 6.0, dense=True),
    Rival("NeuroKit2", "mixture", 0.9, dense=True),
    Rival("BioSPPy", "find_onsets", 2.0, dense=True),
    Rival("BioSPPy", "hodges_bui", 2.0, dense=True),
    Rival("BioSPPy", "bonato", 60.0, dense=True),
    Rival("BioSPPy", "solnik", 15.0, dense=False),
)


@dataclass(frozen=True, slots=True)
class Rivalry:
    """One rival on one recording; `scored` is None where its package gave up."""

    rival: Rival
    case: Case
    scored: Scored | None


def run_rivals(case: Case, *, rivals: Sequence[Rival] = CHOSEN) -> list[Rivalry]:
    """Every rival on one recording; on none that is longer than they can bear."""
    leg = case.make()
    if leg.duration_s > LONGEST_S:
        return []
    return [Rivalry(rival, case, _scored(rival, case, leg)) for rival in rivals]


def run_grid(case: Case, leg: Leg, *, rivals: Sequence[Rival]) -> list[Rivalry]:
    """Rivals of one method and threshold on one recording: heard once, and ruled by each."""
    try:
        channels = active(rivals[0], leg)
    except CannotRunError:
        return [Rivalry(rival, case, None) for rival in rivals]
    return [
        Rivalry(rival, case, score(case, leg, hearing(leg, _ruled(channels, dense=rival.dense)))) for rival in rivals
    ]


def hearing(leg: Leg, told: Sequence[tuple[float, float]]) -> Hearing:
    """Spans in the form that is scored. They know the end when they begin, so they have no delay."""
    return Hearing(
        episodes=tuple(
            Heard(
                onset_s=begin, end_s=end, opened_s=begin, site=leg.sites[0], status="final", confidence=1.0,
                severity=0.0, load=0.0, peak_ratio=0.0, flags=(),
            )
            for begin, end in told
        ),
        worn_s=leg.duration_s,
        usable_s=leg.duration_s,
    )  # fmt: skip


def _ruled(channels: Sequence[BoolArray], *, dense: bool) -> list[tuple[float, float]]:
    return together([span for one in channels for span in rule(one, dense=dense)])


def _scored(rival: Rival, case: Case, leg: Leg) -> Scored | None:
    try:
        return score(case, leg, hearing(leg, spans(rival, leg)))
    except CannotRunError:
        return None
