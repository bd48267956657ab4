"""Which cramp felt is which cramp detected. Pure.

Rules
-----
- One felt cramp is at most one detected cramp, and the other way round. As many as possible are paired, and among
  those pairings the one of the least cost is taken (Kuhn 1955, doi 10.1002/nav.3800020109; SciPy's solver).
- A pair must be possible: the felt time, give or take its uncertainty and `SLACK_S`, touches the detected cramp; the
  sides do not differ; and the muscle felt is not one that the device cannot see.
- The cost grows with the time between, and with a muscle on the other side of the shank.
- An episode that the wearer called none is nobody's. A felt cramp without a pair could not have been seen where
  no device was usable for half of the time that is meant; that is no miss.

`SLACK_S` and the costs are conventions: nobody has published how far diaries of cramps are off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from api.diary.values import FeltCramp, FeltMuscle
from api.registry.values import Muscle, Side

SLACK_S: Final = 1800.0
LEAST_USABLE: Final = 0.5
MEANT_S: Final = 300.0  # at least so long, to either side of the felt time, a device has to have been usable
OTHER_MUSCLE: Final = 0.5
OFF_CENTRE: Final = 0.1
_MORE: Final = 1e3  # than any pairing costs: one pair more is worth it
Seen = Literal["both", "device_only", "diary_only", "not_seeable"]
Part = Literal["calf", "shin", "unseen"]
_PARTS: Final[dict[FeltMuscle, Part]] = {
    "gastrocnemius_medialis": "calf",
    "gastrocnemius_lateralis": "calf",
    "soleus": "calf",
    "calf": "calf",
    "tibialis_anterior": "shin",
    "shin": "shin",
    "foot": "unseen",
    "thigh": "unseen",
    "other": "unseen",
}


@dataclass(frozen=True, slots=True)
class Detected:
    """A cramp that a device saw, and what the wearer says of it."""

    episode: str
    onset_ns: int
    end_ns: int
    side: Side
    muscle: Muscle
    severity: float
    parts: tuple[float, ...]  # of severity, in the order of `detector.refit.PARTS`
    grade: int
    confirmed: bool | None = None

    @property
    def duration_s(self) -> float:
        return (self.end_ns - self.onset_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Match:
    """One cramp: felt, detected or both."""

    seen: Seen
    felt: FeltCramp | None
    detected: Detected | None


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs, and what found none."""

    pairs: tuple[tuple[FeltCramp, Detected], ...]
    felt: tuple[FeltCramp, ...]
    detected: tuple[Detected, ...]


def pair(felt: Sequence[FeltCramp], detected: Sequence[Detected]) -> Pairing:
    """Pair cramps felt with cramps detected; each of either at most once."""
    eligible = [item for item in detected if item.confirmed is not False]
    pairs: list[tuple[FeltCramp, Detected]] = []
    for some_felt, some_detected in _clusters(felt, eligible):
        costs = np.array([[cost(a, b) for b in some_detected] for a in some_felt])
        possible = np.isfinite(costs)
        rows, columns = linear_sum_assignment(np.where(possible, costs - _MORE, 0.0))
        pairs += [
            (some_felt[row], some_detected[column])
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if possible[row, column]
        ]
    felt_paired = {id(a) for a, _ in pairs}
    detected_paired = {b.episode for _, b in pairs}
    return Pairing(
        pairs=tuple(sorted(pairs, key=lambda item: (item[1].onset_ns, item[1].episode))),
        felt=tuple(item for item in felt if id(item) not in felt_paired),
        detected=tuple(item for item in detected if item.episode not in detected_paired),
    )


def cost(felt: FeltCramp, detected: Detected) -> float:
    """What it costs to hold the two for one cramp; infinite where they cannot be."""
    part = None if felt.muscle is None else _PARTS[felt.muscle]
    if part == "unseen" or (felt.side is not None and felt.side != detected.side):
        return float("inf")
    low_ns, high_ns = stretch(felt)
    apart_s = max(detected.onset_ns - high_ns, low_ns - detected.end_ns, 0) / 1e9
    if apart_s > SLACK_S:
        return float("inf")
    middle_s = abs(detected.onset_ns - felt.at_ns) / 1e9
    off = min(middle_s / (felt.uncertain_s + SLACK_S), 1.0)
    other = OTHER_MUSCLE if part is not None and part != _PARTS[detected.muscle] else 0.0
    return apart_s / SLACK_S + other + OFF_CENTRE * off


def stretch(felt: FeltCramp) -> tuple[int, int]:
    """The earliest and the latest instant that the wearer may mean."""
    margin_ns = round(felt.uncertain_s * 1e9)
    return felt.at_ns - margin_ns, felt.at_ns + margin_ns


def meant(felt: FeltCramp) -> tuple[int, int]:
    """The stretch in which a device has to have been usable to have seen this cramp."""
    low_ns, high_ns = stretch(felt)
    least_ns = round(MEANT_S * 1e9)
    return min(low_ns, felt.at_ns - least_ns), max(high_ns, felt.at_ns + least_ns)


def sees(felt: FeltCramp, *, side: Side, muscle: Muscle) -> bool:
    """Whether a device on this side and muscle can see such a cramp at all; of an unknown side any can."""
    part = None if felt.muscle is None else _PARTS[felt.muscle]
    return felt.side in (None, side) and part in (None, _PARTS[muscle])


def told(pairing: Pairing, *, seeable: Sequence[bool]) -> list[Match]:
    """Every cramp once, in order of time; `seeable` says of each felt one without a pair whether it could be seen."""
    found = [Match("both", felt, detected) for felt, detected in pairing.pairs]
    found += [Match("device_only", None, item) for item in pairing.detected]
    found += [
        Match("diary_only" if could else "not_seeable", item, None)
        for item, could in zip(pairing.felt, seeable, strict=True)
    ]
    return sorted(found, key=_when)


def _when(match: Match) -> int:
    if match.detected is not None:
        return match.detected.onset_ns
    return match.felt.at_ns if match.felt is not None else 0


def _clusters(felt: Sequence[FeltCramp], detected: Sequence[Detected]) -> list[tuple[list[FeltCramp], list[Detected]]]:
    """Groups between which no pair is possible, so that a year costs no more than its nights."""
    slack_ns = round(SLACK_S * 1e9)
    spans: list[tuple[int, int, FeltCramp | Detected]] = []
    for item in felt:
        low_ns, high_ns = stretch(item)
        spans.append((low_ns - slack_ns, high_ns + slack_ns, item))
    spans += [(seen.onset_ns, seen.end_ns, seen) for seen in detected]
    spans.sort(key=lambda span: span[:2])
    groups: list[tuple[list[FeltCramp], list[Detected]]] = []
    reach_ns = -1
    for low_ns, high_ns, one in spans:
        if not groups or low_ns > reach_ns:
            groups.append(([], []))
        reach_ns = max(reach_ns, high_ns)
        if isinstance(one, FeltCramp):
            groups[-1][0].append(one)
        else:
            groups[-1][1].append(one)
    return [group for group in groups if group[0] and group[1]]
