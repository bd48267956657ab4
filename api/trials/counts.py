"""Outcomes that are counts over an exposure: cramps over usable hours, periods with a cramp over judged periods. Pure.

Rules
-----
- The primary estimate is a rate ratio whose interval heeds that people, weeks and phases differ by more than chance:
  of one person by week, of several by wearer and phase.
- Where a person is their own control and fewer than `FEW` cramps were counted in all, the exact conditional test is
  primary: there is no dispersion to be seen in so few.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypedDict

import numpy as np
from scipy import stats

from api.statistics import grouped, mixed
from api.statistics.bayes import RatioPosterior, ratio_posterior
from api.statistics.dispersed import SPREAD, rate_ratio_weeks
from api.statistics.rates import RATIO, rate_ratio_exact
from api.statistics.values import Estimate, unknown
from api.trials.case import Case, name_of
from api.trials.outcomes import FloatArray, Tally, weeks_of
from api.trials.plans import LABELS
from api.trials.series import series
from api.wording import count

FEW: Final = 20
OVERDISPERSED: Final = 1.25
_NARROW: Final = "Presumes that weeks are alike; they differ {:.1f} times as much, so this interval is too narrow."
_WEEKLY: Final = (
    "Pearson dispersion of weekly counts within wearer and treatment, with its chi-squared interval and test"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """One row for each week, or for each phase of each wearer."""

    wearer: tuple[str, ...]
    treated: FloatArray
    counts: FloatArray
    exposures: FloatArray
    day: FloatArray
    cycle: FloatArray
    position: FloatArray


def ratio(case: Case, *, trend: bool = False) -> Estimate:
    """The dispersion-aware rate ratio of a design, treated over reference."""
    match case.plan.design:
        case "before_after" | "n_of_1" if len(case.wearers) <= 1:
            rows = by_week(case)
            return rate_ratio_weeks(
                rows.counts,
                rows.exposures,
                rows.treated,
                time=rows.day - rows.day.min() if trend and len(rows.day) else None,
                cycle=rows.cycle if case.plan.design == "n_of_1" else None,
            )
        case "before_after" | "crossover":
            return _within(case)
        case "n_of_1":
            together = series(case, dispersion=dispersion(case).value)
            return _noted(together.pooled.random, left_out=together.left_out)
        case "parallel":
            return _between(case)
        case _:
            return factors(case).first


def _noted(found: Estimate, *, left_out: Sequence[tuple[str, str]]) -> Estimate:
    """The same with how many wearers are not in it, and why."""
    reasons = Counter(reason for _, reason in left_out)
    said = [f"{count(number, 'wearer')} left out: {reason}." for reason, number in sorted(reasons.items())]
    return replace(found, note=" ".join(filter(None, (found.note, *said))))


def primary(case: Case) -> Estimate:
    """The estimate that the conclusion rests on."""
    return exact(case) if is_few(case) else ratio(case)


def is_few(case: Case) -> bool:
    """Whether there are too few cramps for a dispersion, of people who are their own control."""
    return case.plan.design not in ("parallel", "factorial") and sum(totals(case)[::2]) < FEW


def contrast(case: Case) -> str:
    """What the ratio compares, in words."""
    return case.contrast if case.plan.design != "factorial" else f"{name_of(case.plan, case.treated)} against none"


def is_treated(case: Case, one: Tally) -> bool:
    """Whether a phase is of the treated side; of a factorial trial, whether it has the first factor."""
    if case.plan.design == "factorial":
        return case.treated in one.phase.label
    return one.phase.kind == "treatment" and one.phase.label == case.treated


def cycles(case: Case) -> Estimate:
    """By pairs of blocks: paired t of one person, a mixed model of several (Chen and Chen 2014, PLoS ONE e87752)."""
    rows = by_phase(case, case.compared())
    cycle, on, counted, hours = rows.cycle, rows.treated, rows.counts, rows.exposures
    if len(case.wearers) <= 1:
        return mixed.paired_cycles(cycles=cycle, treated=on, counts=counted, exposures=hours)
    return mixed.several_cycles(wearers=rows.wearer, cycles=cycle, treated=on, counts=counted, exposures=hours)


def exact(case: Case) -> Estimate:
    """Exact conditional test of the totals, of wearers who have both sides."""
    count_a, exposure_a, count_b, exposure_b = totals(case)
    found = rate_ratio_exact(round(count_a), exposure_a, round(count_b), exposure_b)
    differ = dispersion(case)
    if not (differ.known and differ.value > OVERDISPERSED):
        return found
    return replace(found, note=f"{found.note} {_NARROW.format(differ.value)}".strip())


def posterior(case: Case) -> RatioPosterior:
    """Gamma-Poisson posterior of the totals, with as much dispersion as weeks of one, or several wearers, show."""
    count_a, exposure_a, count_b, exposure_b = totals(case)
    spreads = [dispersion(case).value, *([spread_of_wearers(case)] if len(case.wearers) > 1 else [])]
    return ratio_posterior(
        count_control=count_b,
        exposure_control=exposure_b,
        count_treated=count_a,
        exposure_treated=exposure_a,
        dispersion=max((spread for spread in spreads if not math.isnan(spread)), default=1.0),
        worthwhile=case.plan.worthwhile_ratio,
    )


def spread_of_wearers(case: Case) -> float:
    """Pearson's statistic over its df, of how wearers' cramps fall to the two sides; between arms, of their rates."""
    sides = [[_sums(case.side(label, wearer)) for wearer in case.wearers] for label in (case.treated, case.reference)]
    if case.plan.design == "parallel":
        return _pearson([np.array([row for row in side if row[1] > 0]) for side in sides])
    both = np.array(
        [(*on, *off) for on, off in zip(*sides, strict=True) if on[1] > 0 and off[1] > 0 and on[0] + off[0]]
    )
    if len(both) < 2:
        return math.nan
    on, on_hours, off, off_hours = both.T
    odds = (on.sum() / off.sum()) * (off_hours.sum() / on_hours.sum()) * on_hours / off_hours if off.sum() else on * 0
    share = odds / (1.0 + odds)
    variance = (on + off) * share * (1.0 - share)
    if not (variance > 0).all():
        return math.nan
    return float((((on - (on + off) * share) ** 2) / variance).sum() / (len(both) - 1))


def _pearson(sides: Sequence[FloatArray]) -> float:
    """How much rates within each side differ, over what chance would have them."""
    known = [side for side in sides if len(side) > 1 and side[:, 0].sum() > 0]
    if not known:
        return math.nan
    means = [side[:, 1] * side[:, 0].sum() / side[:, 1].sum() for side in known]
    statistic = sum(float(((side[:, 0] - mean) ** 2 / mean).sum()) for side, mean in zip(known, means, strict=True))
    return statistic / sum(len(side) - 1 for side in known)


def persons(case: Case) -> list[tuple[str, Estimate]]:
    """Of several n_of_1 trials: what a next person may expect, all as one, and each with the others in mind."""
    found = series(case, dispersion=dispersion(case).value)
    places = {wearer: number for number, wearer in enumerate(case.wearers, 1)}
    of_each = [
        (f"{case.contrast}, wearer {places[one.measure]}", replace(one, measure=RATIO)) for one in found.pooled.persons
    ]
    return [
        (f"{case.contrast}, in a next wearer", found.pooled.prediction),
        (f"{case.contrast}, all as one", found.stratified),
        *of_each,
    ]


def totals(case: Case) -> tuple[float, float, float, float]:
    """Count and exposure of the treated side and of the reference; of wearers who have both, but between arms."""
    sums = np.zeros(4)
    for wearer in case.wearers:
        treated, reference = case.side(case.treated, wearer), case.side(case.reference, wearer)
        found = (*_sums(treated), *_sums(reference))
        if (found[1] and found[3]) or case.plan.design == "parallel":
            sums += found
    count_a, exposure_a, count_b, exposure_b = sums.tolist()
    return count_a, exposure_a, count_b, exposure_b


def of_both_sides(case: Case) -> list[Tally]:
    """The phases compared of wearers who were seen on both sides."""
    return [
        one
        for wearer in case.wearers
        for sides in [[case.side(label, wearer) for label in (case.treated, case.reference)]]
        if all(_sums(side)[1] for side in sides)
        for one in (*sides[0], *sides[1])
    ]


def dispersion(case: Case) -> Estimate:
    """How much weeks of a wearer under one treatment differ: 1 is chance alone."""
    statistic, df = 0.0, 0
    for among in _by_side(case):
        weeks = [weeks_of(one) for one in among]
        counts = np.concatenate([week.counts for week in weeks])
        exposures = np.concatenate([week.exposures for week in weeks])
        if not counts.any():
            continue
        mean = exposures * counts.sum() / exposures.sum()
        statistic += float(((counts - mean) ** 2 / mean).sum())
        df += len(counts) - 1
    if df < 1:
        return unknown(SPREAD, method=_WEEKLY, note="Too few weeks with cramps to see how they differ.", null=1.0)
    low, high = (statistic / float(stats.chi2.isf(tail, df)) for tail in (0.025, 0.975))
    p = min(1.0, 2.0 * float(min(stats.chi2.sf(statistic, df), stats.chi2.cdf(statistic, df))))
    return Estimate(SPREAD, statistic / df, low, high, p, _WEEKLY, null=1.0)


def by_week(case: Case) -> Rows:
    """A row for each week of each phase compared."""
    return _rows(case, [(one, week) for one in case.compared() for week in zip(*_columns(one), strict=True)])


def by_phase(case: Case, among: Sequence[Tally]) -> Rows:
    """A row for each phase that has exposure."""
    return _rows(case, [(one, (one.count, one.exposure, one.middle)) for one in among if one.exposure > 0])


def period(case: Case) -> Estimate:
    """Second period over first of a crossover trial, from the same fit as the ratio."""
    rows = by_phase(case, case.compared())
    return grouped.period_effect(
        wearers=rows.wearer,
        treated=rows.treated,
        counts=rows.counts,
        exposures=rows.exposures,
        periods=rows.position,
    )


def factors(case: Case) -> grouped.Factorial:
    """Both factors of a factorial trial, and their interaction."""
    first, second, table = _arms(case, case.wearers)
    return grouped.factorial(first=first, second=second, **table)


def _rows(case: Case, parts: Sequence[tuple[Tally, tuple[float, float, float]]]) -> Rows:
    table = np.array([part for _, part in parts], dtype=np.float64).reshape(-1, 3)
    phases = [one.phase for one, _ in parts]
    return Rows(
        wearer=tuple(phase.wearer for phase in phases),
        treated=np.array([is_treated(case, one) for one, _ in parts], dtype=np.float64),
        counts=table[:, 0],
        exposures=table[:, 1],
        day=table[:, 2],
        cycle=np.array([phase.cycle for phase in phases], dtype=np.float64),
        position=np.array([phase.position for phase in phases], dtype=np.float64),
    )


def _columns(one: Tally) -> tuple[list[float], list[float], list[float]]:
    weeks = weeks_of(one)
    return weeks.counts.tolist(), weeks.exposures.tolist(), weeks.day.tolist()


def _by_side(case: Case) -> list[list[Tally]]:
    found: dict[tuple[str, str], list[Tally]] = {}
    for one in case.compared():
        if one.judged:
            found.setdefault((one.phase.wearer, one.phase.kind + one.phase.label), []).append(one)
    return list(found.values())


def _sums(among: Sequence[Tally]) -> tuple[float, float]:
    return sum(one.count for one in among), sum(one.exposure for one in among)


def _within(case: Case) -> Estimate:
    rows = by_phase(case, case.compared())
    return grouped.within(
        wearers=rows.wearer, treated=rows.treated, counts=rows.counts, exposures=rows.exposures,
        periods=rows.position if case.plan.design == "crossover" else None,
    )  # fmt: skip


def _between(case: Case) -> Estimate:
    first, _, table = _arms(case, case.wearers)
    return grouped.between(treated=first, **table)


class _Table(TypedDict):
    """Sums of each wearer, as the analyses of groups take them."""

    counts: FloatArray
    exposures: FloatArray
    baseline_counts: FloatArray | None
    baseline_exposures: FloatArray | None


def _arms(case: Case, wearers: Sequence[str]) -> tuple[FloatArray, FloatArray, _Table]:
    """Who had the first treatment, who the second, and the sums of each wearer."""
    phases = [next(one for one in case.of[wearer] if one.phase.kind == "treatment") for wearer in wearers]
    before = np.array([_sums(case.baseline(wearer)) for wearer in wearers], dtype=np.float64).reshape(-1, 2)
    known = bool(before[:, 1].any())
    return (
        np.array([case.treated in one.phase.label for one in phases], dtype=np.float64),
        np.array([LABELS[1] in one.phase.label for one in phases], dtype=np.float64),
        _Table(
            counts=np.array([one.count for one in phases]),
            exposures=np.array([one.exposure for one in phases]),
            baseline_counts=before[:, 0] if known else None,
            baseline_exposures=before[:, 1] if known else None,
        ),
    )
