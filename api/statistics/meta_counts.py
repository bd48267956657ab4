"""From each person's two counts to effects that `meta` can combine, with people who had no cramp handled in the open.

A person without a cramp in either period says nothing about a ratio and is left out by name. With a cramp in one period
only the log ratio is infinite: half a cramp is added to both, and the effect carries a note. `stratified_ratio` needs
neither, so it is the check on both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy import stats

from api.statistics.meta import Effect
from api.statistics.values import LEVEL, Estimate, unknown

HALF: Final = 0.5
CORRECTED: Final = "half a cramp added to both periods, as one had none"
_STRATIFIED: Final = "stratified rate ratio (Mantel-Haenszel weights)"
_MEASURE: Final = "pooled ratio"


@dataclass(frozen=True, slots=True)
class PersonCounts:
    """Cramps of one person and the exposure (usable hours, nights or weeks) that they were counted in."""

    name: str
    control: int
    control_exposure: float
    treated: int
    treated_exposure: float


def effects_of(
    persons: Sequence[PersonCounts], *, dispersion: float = 1.0
) -> tuple[tuple[Effect, ...], tuple[tuple[str, str], ...]]:
    """Log rate ratio of each person with variance d (1 / y1 + 1 / y0); and who is left out, with the reason."""
    effects, left_out = [], []
    for person in persons:
        if min(person.control_exposure, person.treated_exposure) <= 0:
            left_out.append((person.name, "a period without usable time"))
        elif person.control + person.treated == 0:
            left_out.append((person.name, "no cramp in either period"))
        else:
            effects.append(_effect(person, max(dispersion, 1.0)))
    return tuple(effects), tuple(left_out)


def _effect(person: PersonCounts, dispersion: float) -> Effect:
    none = min(person.control, person.treated) == 0
    control, treated = (count + (HALF if none else 0.0) for count in (person.control, person.treated))
    value = math.log((treated / person.treated_exposure) / (control / person.control_exposure))
    return Effect(person.name, value, math.sqrt(dispersion * (1.0 / treated + 1.0 / control)), CORRECTED * none)


def stratified_ratio(persons: Sequence[PersonCounts], *, dispersion: float = 1.0, level: float = LEVEL) -> Estimate:
    """One ratio for everybody, each person their own stratum: sum(y1 t0 / T) / sum(y0 t1 / T).

    Variance of its logarithm by Greenland and Robins 1985, times the dispersion. No correction for zeros; a person
    without a cramp adds nothing to it.
    """
    judged = [one for one in persons if min(one.control_exposure, one.treated_exposure) > 0]
    method = _STRATIFIED if dispersion <= 1.0 else f"{_STRATIFIED}, variance times the dispersion {dispersion:.2g}"
    above = sum(one.treated * one.control_exposure / _whole(one) for one in judged)
    below = sum(one.control * one.treated_exposure / _whole(one) for one in judged)
    if above <= 0 or below <= 0:
        note = "nobody had a cramp in one of the two periods"
        return unknown(_MEASURE, method=method, note=note, null=1.0)
    spread = sum(
        (one.control + one.treated) * one.control_exposure * one.treated_exposure / _whole(one) ** 2 for one in judged
    )
    error = math.sqrt(max(dispersion, 1.0) * spread / (above * below))
    value, reach = math.log(above / below), float(stats.norm.isf((1.0 - level) / 2.0)) * error
    p = float(2.0 * stats.norm.sf(abs(value) / error))
    low, high = math.exp(value - reach), math.exp(value + reach)
    return Estimate(_MEASURE, above / below, low, high, p, method, null=1.0, level=level)


def _whole(person: PersonCounts) -> float:
    return person.control_exposure + person.treated_exposure
