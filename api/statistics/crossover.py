"""AB/BA crossover of counts, rates or scores: treatment, period and carry-over, by sequence.

Each person gives what was seen in their first and in their second period. Half the difference between the sequences of
first minus second is the treatment's effect, whatever the period did; the sums tell a carry-over
(Koch 1972, Biometrics 28:577; Hills and Armitage 1979, Br J Clin Pharmacol 8:7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from api.statistics.paired import shift, student_t
from api.statistics.values import LEVEL, Estimate

CrossoverMethod = Literal["rank", "t"]
Pairs = Sequence[tuple[float, float]]
_BY_RANK: Final = "Hodges-Lehmann shift and rank-sum test of {what} by sequence"
_BY_T: Final = "Student's t test of {what} by sequence"
_WEAK: Final = "A test of carry-over has little power: that it shows none does not say there is none."


@dataclass(frozen=True, slots=True)
class Crossover:
    """What an AB/BA trial says. Differences are in the outcome's own unit."""

    treatment: Estimate  # A minus B
    period: Estimate  # second minus first
    carry_over: Estimate  # what A leaves to the second period minus what B leaves


def crossover(
    ab: Pairs, ba: Pairs, *, method: CrossoverMethod = "rank", measure: str = "difference", level: float = LEVEL
) -> Crossover:
    """Analyse (first period, second period) of those who had A first, and of those who had B first."""
    first_ab, first_ba = _complete(ab), _complete(ba)
    falls_ab, falls_ba = first_ab[:, 0] - first_ab[:, 1], first_ba[:, 0] - first_ba[:, 1]
    sums_ab, sums_ba = first_ab.sum(axis=1), first_ba.sum(axis=1)
    compare = shift if method == "rank" else student_t
    how = _BY_RANK if method == "rank" else _BY_T
    treatment = _half(compare(list(falls_ab), list(falls_ba), measure=measure, level=level))
    period = _half(compare(list(-falls_ab), list(falls_ba), measure=f"{measure} of periods", level=level))
    carried = compare(list(sums_ab), list(sums_ba), measure=f"{measure} carried over", level=level)
    differences, lost = how.format(what="period differences"), len(ab) + len(ba) - len(first_ab) - len(first_ba)
    note = f"{lost} of {len(ab) + len(ba)} had data in one period only." if lost else ""
    return Crossover(
        treatment=_told(treatment, differences, note),
        period=_told(period, differences, note),
        carry_over=_told(carried, how.format(what="period sums"), _WEAK),
    )


def _complete(pairs: Pairs) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    array = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    return array[np.isfinite(array).all(axis=1)]


def _half(whole: Estimate) -> Estimate:
    return replace(whole, value=whole.value / 2.0, low=whole.low / 2.0, high=whole.high / 2.0)


def _told(estimate: Estimate, method: str, note: str) -> Estimate:
    return replace(estimate, method=method, note=" ".join(filter(None, (estimate.note, note))))
