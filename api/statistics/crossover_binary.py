"""AB/BA crossover of a yes or no: Prescott's test, Mainland and Gart's, McNemar's, and which of them to believe.

Each person was better in the first period only, in the second only, or alike in both.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from api.statistics.proportions import fisher, mcnemar
from api.statistics.summary import Group, welch
from api.statistics.values import Estimate, unknown

_PRESCOTT: Final = "Prescott's test (1981), exact; mean difference of preferences by sequence with a Welch interval"
_MAINLAND_GART: Final = "Mainland-Gart test (Gart 1969): Fisher's exact test of those who differ, by sequence"
_NOTHING_CARRIED: Final = "Assumes that the first treatment does not act on in the second period."
_PERIOD: Final = "Fisher's exact test of those who differ, one sequence turned round"
_CARRIED: Final = "Fisher's exact test of those who do not differ, by sequence (Hills and Armitage 1979)"


@dataclass(frozen=True, slots=True)
class Preferences:
    """How many of one sequence did better in which period."""

    first: int
    none: int
    second: int

    @property
    def people(self) -> int:
        return self.first + self.none + self.second


@dataclass(frozen=True, slots=True)
class BinaryCrossover:
    """All three tests side by side. Prescott's is the one to go by; `why` says why."""

    prescott: Estimate  # difference of proportions, A minus B
    mainland_gart: Estimate  # odds ratio within people, A against B
    mcnemar: Estimate  # the same where there is no period effect
    period: Estimate  # odds ratio, second period against first
    why: str


def binary_crossover(ab: Preferences, ba: Preferences) -> BinaryCrossover:
    """Analyse those who had A first, and those who had B first."""
    period = period_effect(ab, ba)
    why = (
        "Prescott's test uses everybody and allows for a period effect, as the randomised sequences let it; "
        "McNemar's is right only without one."
    )
    return BinaryCrossover(
        prescott=prescott(ab, ba),
        mainland_gart=mainland_gart(ab, ba),
        mcnemar=mcnemar(ab.first + ba.second, ab.second + ba.first),
        period=period,
        why=why,
    )


def prescott(ab: Preferences, ba: Preferences, *, measure: str = "difference of proportions") -> Estimate:
    """Scores +1, 0, -1 for better in the first period, alike, in the second, compared between the sequences (exact)."""
    if min(ab.people, ba.people) == 0:
        return unknown(measure, method=_PRESCOTT, note="One of the sequences is empty.", null=0.0)
    p = _prescott_p(ab, ba)
    scores = welch(_scores(ab), _scores(ba), measure=measure)
    value = ((ab.first - ab.second) / ab.people - (ba.first - ba.second) / ba.people) / 2.0
    if not scores.known:
        note = "Everybody of a sequence is alike: the interval cannot be estimated."
        return Estimate(measure, value, -1.0, 1.0, p, _PRESCOTT, null=0.0, note=note)
    low, high = max(scores.low / 2.0, -1.0), min(scores.high / 2.0, 1.0)
    return Estimate(measure, value, low, high, p, _PRESCOTT, null=0.0, note=_NOTHING_CARRIED)


def mainland_gart(ab: Preferences, ba: Preferences, *, measure: str = "odds ratio") -> Estimate:
    """Odds of A against B within people; the root, since both sequences turn the odds (Gart 1969)."""
    return _rooted(ab.first, ab.second, ba.first, ba.second, measure=measure, method=_MAINLAND_GART)


def period_effect(ab: Preferences, ba: Preferences, *, measure: str = "odds ratio of periods") -> Estimate:
    """Odds of the second period against the first within people."""
    return _rooted(ab.second, ab.first, ba.first, ba.second, measure=measure, method=_PERIOD)


def carry_over(*, both_ab: int, neither_ab: int, both_ba: int, neither_ba: int) -> Estimate:
    """Whether those who did well in both periods, or in neither, go with the sequence."""
    found = fisher(both_ab, both_ab + neither_ab, both_ba, both_ba + neither_ba, measure="odds ratio carried over")
    return replace(found, method=_CARRIED)


def _rooted(a: int, b: int, c: int, d: int, *, measure: str, method: str) -> Estimate:
    if min(a + b, c + d) == 0:
        return unknown(measure, method=method, note="Nobody differs in one of the sequences.", null=1.0)
    found = fisher(a, a + b, c, c + d, measure=measure)
    low, high = math.sqrt(found.low), math.sqrt(found.high)
    return replace(found, value=math.sqrt(found.value), low=low, high=high, method=method)


def _scores(of: Preferences) -> Group:
    mean = (of.first - of.second) / of.people
    square = (of.first + of.second) / of.people - mean**2
    return Group(mean, math.sqrt(max(square, 0.0) * of.people / max(of.people - 1, 1)), of.people)


def _prescott_p(ab: Preferences, ba: Preferences) -> float:
    """Chance of a sum of scores in AB at least as far from what is expected, given who differs in all."""
    first, none, second = ab.first + ba.first, ab.none + ba.none, ab.second + ba.second
    n = first + none + second
    x, y = np.arange(first + 1)[:, None], np.arange(second + 1)[None, :]
    alike = ab.people - x - y
    can_be = (alike >= 0) & (alike <= none)
    far = np.abs(x - y - (first - second) * ab.people / n)
    seen = abs(ab.first - ab.second - (first - second) * ab.people / n) - 1e-9
    logs = _log_ways(first, x) + _log_ways(second, y) + _log_ways(none, np.clip(alike, 0, none))
    chances = np.where(can_be & (far >= seen), np.exp(logs - _log_ways(n, np.asarray(ab.people))), 0.0)
    return min(1.0, float(chances.sum()))


def _log_ways(among: int, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    ways = special.gammaln(among + 1) - special.gammaln(chosen + 1) - special.gammaln(among - chosen + 1)
    return np.asarray(ways, dtype=np.float64)
