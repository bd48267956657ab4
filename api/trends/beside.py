"""Laboratory values beside the rate of the days around them. Pure. Nothing here says that one made the other."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, get_args

import numpy as np
from scipy import stats

from api.diary import analytes
from api.diary.values import LabValue
from api.observed import Observed, ObservedKind
from api.statistics.values import LEVEL, Estimate, unknown
from api.times import local_text
from api.trends.dispersion import DoubleArray
from api.trends.values import Analyte, Beside, Laboratory, Shown
from api.trends.weeks import cover, per_8_h
from api.trends.wording import day, noun, p_text, rate
from api.zones import ZoneHistory

DAYS: Final = 14  # half before the value, half from it on
LEAST_VALUES: Final = 8  # whose days do not overlap
SHOWN_BELOW: Final = 0.05
EXCHANGES: Final = 9999
MEASURE: Final = "Spearman's rank correlation of value and rate"
METHOD: Final = (
    "Spearman's rank correlation of values whose days do not overlap, interval by Fisher's z with the variance of "
    "Bonett and Wright (2000), p by permutation"
)
WARNING: Final = (
    "Values and cramps stand side by side; that is no cause. A value is often taken because of cramps, most minerals "
    "of the body are not in the blood, and each laboratory has its own range. Whoever treats you judges a value."
)
NAMES: Final[dict[str, str]] = {"vitamin_d": "vitamin D (25-OH)", "b12": "vitamin B12"}


def window(at: date) -> tuple[date, date]:
    """Dates of the periods around a value, both included."""
    return at - timedelta(days=DAYS // 2), at + timedelta(days=DAYS // 2 - 1)


def laboratory(
    wearer: str,
    values: Sequence[LabValue],
    *,
    among: Sequence[Observed],
    kind: ObservedKind,
    reach: tuple[date, date],
    zones: ZoneHistory,
) -> Laboratory:
    """Each value with the rate around it, by substance."""
    by: Mapping[str, list[LabValue]] = {
        name: [value for value in values if value.analyte == name] for name in get_args(analytes.Analyte)
    }
    items = tuple(_analyte(found, among=among, kind=kind, zones=zones) for found in by.values() if found)
    return Laboratory(wearer, kind, reach[0], reach[1], DAYS, items, WARNING)


def _analyte(
    values: Sequence[LabValue], *, among: Sequence[Observed], kind: ObservedKind, zones: ZoneHistory
) -> Analyte:
    name = values[0].analyte
    unit = analytes.KNOWN[name].unit
    in_order = sorted(values, key=lambda value: value.at_ns)
    items = tuple(_beside(value, among=among, kind=kind, zones=zones) for value in in_order)
    correlation = correlate([zones.local(value.at_ns).date() for value in in_order], items)
    called = NAMES.get(name, name)
    verdict: Shown = "not_enough_data"
    if correlation.p is not None:
        verdict = "shown" if correlation.p < SHOWN_BELOW else "not_shown"
    return Analyte(name, called, unit, verdict, correlation, items, _sentence(called, correlation, verdict))


def _beside(value: LabValue, *, among: Sequence[Observed], kind: ObservedKind, zones: ZoneHistory) -> Beside:
    at = zones.local(value.at_ns).date()
    first, last = window(at)
    covered = cover([item for item in among if first <= item.date <= last])
    around = per_8_h(covered.cramps, covered.judged_h)
    own = analytes.converted(value.analyte, value.value, value.unit)
    unit = analytes.KNOWN[value.analyte].unit
    beside = rate(around) if around.known else f"no rate, as none of the {noun(kind, 2)} around it could be judged"
    sentence = f"{day(at)}: {own:.3g} {unit}; in the {DAYS} days around it {beside}."
    return Beside(local_text(zones, value.at_ns), own, unit, covered, around, sentence)


def correlate(dates: Sequence[date], items: Sequence[Beside]) -> Estimate:
    """Rank correlation of values at least 14 days apart that have a rate beside them: others share their days."""
    kept: list[tuple[date, Beside]] = []
    for at, item in zip(dates, items, strict=True):
        if item.rate.known and (not kept or (at - kept[-1][0]).days >= DAYS):
            kept.append((at, item))
    value = np.array([item.value for _, item in kept], dtype=np.float64)
    beside = np.array([item.rate.value for _, item in kept], dtype=np.float64)
    if len(kept) < LEAST_VALUES:
        note = f"{LEAST_VALUES} values at least {DAYS} days apart are needed, there are {len(kept)}."
        return unknown(MEASURE, method=METHOD, note=note, null=0.0)
    if len(set(value)) == 1 or len(set(beside)) == 1:
        return unknown(MEASURE, method=METHOD, note="All values, or all rates, are the same.", null=0.0)
    return _spearman(value, beside)


def _spearman(value: DoubleArray, beside: DoubleArray) -> Estimate:
    found = float(stats.spearmanr(value, beside).statistic)
    ranks = stats.rankdata(beside)
    ranks -= ranks.mean()
    # Of exchanged values only the sum of products changes.
    tested = stats.permutation_test(
        (stats.rankdata(value),),
        lambda one, axis: (one * ranks).sum(axis=axis),
        permutation_type="pairings",
        n_resamples=EXCHANGES,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    error = np.sqrt((1.0 + found**2 / 2.0) / (len(value) - 3))
    reach = float(stats.norm.isf((1.0 - LEVEL) / 2.0)) * error
    centre = np.arctanh(np.clip(found, -1.0 + 1e-12, 1.0 - 1e-12))
    low, high = np.tanh(centre - reach), np.tanh(centre + reach)
    return Estimate(MEASURE, found, float(low), float(high), float(tested.pvalue), METHOD, null=0.0)


def _sentence(name: str, correlation: Estimate, verdict: Shown) -> str:
    if verdict == "not_enough_data" or correlation.p is None:
        return f"Not enough data to tell whether {name} and cramps go together. {correlation.note}"
    bounds = f"rank correlation {correlation.value:.2f} ({correlation.low:.2f} to {correlation.high:.2f})"
    if verdict == "not_shown":
        return f"It is not shown that {name} and cramps go together: {bounds}, {p_text(correlation.p)}."
    way = "higher" if correlation.value > 0 else "lower"
    return f"More cramps stood beside {way} values of {name}: {bounds}, {p_text(correlation.p)}. That is no cause."
