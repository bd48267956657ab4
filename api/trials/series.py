"""Several n_of_1 trials of one plan together: each wearer their own comparison, then a meta-analysis. Pure."""

import math
from dataclasses import dataclass

from api.statistics.meta import Pooled, combine
from api.statistics.meta_counts import PersonCounts, effects_of, stratified_ratio
from api.statistics.values import Estimate
from api.trials.case import Case
from api.trials.outcomes import Tally


@dataclass(frozen=True, slots=True)
class Series:
    """What the wearers say together, what each says with the others in mind, and who says nothing, with reasons."""

    pooled: Pooled
    stratified: Estimate
    left_out: tuple[tuple[str, str], ...]


def series(case: Case, *, dispersion: float = 1.0) -> Series:
    """Combine the rate ratios of all wearers; each has variance d (1 / y1 + 1 / y0), d from the weeks of all."""
    spread = dispersion if math.isfinite(dispersion) else 1.0
    persons = [
        PersonCounts(
            name=wearer,
            control=_count(case.side(case.reference, wearer)),
            control_exposure=_exposure(case.side(case.reference, wearer)),
            treated=_count(case.side(case.treated, wearer)),
            treated_exposure=_exposure(case.side(case.treated, wearer)),
        )
        for wearer in case.wearers
    ]
    effects, left_out = effects_of(persons, dispersion=spread)
    return Series(combine(effects), stratified_ratio(persons, dispersion=spread), left_out)


def _count(among: list[Tally]) -> int:
    return round(sum(one.count for one in among))


def _exposure(among: list[Tally]) -> float:
    return sum(one.exposure for one in among)
