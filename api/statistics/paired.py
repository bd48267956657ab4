"""Differences within people, and between two groups of people: by ranks, by signs, by t."""

import math
import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import stats

from api.statistics.ranks import (
    EXACT_PAIRS,
    EXACT_TOGETHER,
    Floats,
    cut_of_groups,
    cut_of_pairs,
    doubled_ranks,
    finite,
    signed_distribution,
    subset_distribution,
    two_sided,
)
from api.statistics.values import LEVEL, Estimate, unknown

DIFFERENCE: Final = "difference"
_RANKED: Final = "Hodges-Lehmann estimate with the interval of the Wilcoxon signed-rank test"
_SHIFTED: Final = "Hodges-Lehmann shift with the interval of the Mann-Whitney test"
_SIGNS: Final = "exact sign test, Clopper-Pearson interval"
_PAIRED_T: Final = "paired t test"
_WELCH: Final = "Welch's t test"
_STUDENT: Final = "Student's t test of two groups"


def signed_rank(differences: Sequence[float], *, measure: str = DIFFERENCE, level: float = LEVEL) -> Estimate:
    """Pseudo-median of differences within people: median of Walsh averages (Hodges and Lehmann 1963), Wilcoxon's p."""
    d = finite(differences)
    if d.size == 0:
        return unknown(measure, method=_RANKED, note="There is no pair with both values.", null=0.0)
    first, second = np.triu_indices(d.size)
    walsh = np.sort((d[first] + d[second]) / 2.0)
    low, high, note = _ends(walsh, cut_of_pairs(d.size, level), f"{d.size} pairs are", level)
    p, how = _signed_p(d)
    notes = [note, f"{int((d == 0).sum())} of {d.size} pairs did not differ." if (d == 0).any() else ""]
    return Estimate(
        measure, float(np.median(walsh)), low, high, p, f"{_RANKED} ({how})", 0.0, level, " ".join(filter(None, notes))
    )


def shift(a: Sequence[float], b: Sequence[float], *, measure: str = DIFFERENCE, level: float = LEVEL) -> Estimate:
    """By how much group a lies above group b: median of all differences (Hodges and Lehmann 1963), Mann-Whitney p."""
    x, y = finite(a), finite(b)
    if x.size == 0 or y.size == 0:
        return unknown(measure, method=_SHIFTED, note="One of the groups is empty.", null=0.0)
    between = np.sort(np.subtract.outer(x, y).reshape(-1))
    cut = cut_of_groups(x.size, y.size, level)
    low, high, note = _ends(between, cut, f"Groups of {x.size} and {y.size} are", level)
    p, how = _shift_p(x, y)
    return Estimate(measure, float(np.median(between)), low, high, p, f"{_SHIFTED} ({how})", 0.0, level, note)


def sign_test(better: int, worse: int, *, measure: str = "share better of those that changed") -> Estimate:
    """Whether more got better than worse; those that stayed the same do not count (binomial with one half)."""
    if better + worse == 0:
        return unknown(measure, method=_SIGNS, note="Nobody changed.", null=0.5)
    found = stats.binomtest(better, better + worse)
    interval = found.proportion_ci(LEVEL, method="exact")
    share = better / (better + worse)
    return Estimate(measure, share, float(interval.low), float(interval.high), float(found.pvalue), _SIGNS, 0.5)


def signs(differences: Sequence[float], *, measure: str = "share better of those that changed") -> Estimate:
    """Sign test of differences, of which those below zero are better."""
    d = finite(differences)
    return sign_test(int((d < 0).sum()), int((d > 0).sum()), measure=measure)


def paired_t(differences: Sequence[float], *, measure: str = DIFFERENCE, level: float = LEVEL) -> Estimate:
    """Mean of differences within people with its t interval (Student 1908)."""
    d = finite(differences)
    if d.size < 2 or _alike(d):
        return unknown(measure, method=_PAIRED_T, note=_no_spread(d.size), null=0.0)
    found = stats.ttest_1samp(d, 0.0)
    interval = found.confidence_interval(level)
    return Estimate(
        measure, float(d.mean()), float(interval.low), float(interval.high), float(found.pvalue), _PAIRED_T, 0.0, level
    )


def welch_t(a: Sequence[float], b: Sequence[float], *, measure: str = DIFFERENCE, level: float = LEVEL) -> Estimate:
    """Mean of group a minus mean of group b, variances not taken to be equal (Welch 1947)."""
    return _of_groups(a, b, measure=measure, level=level, equal=False)


def student_t(a: Sequence[float], b: Sequence[float], *, measure: str = DIFFERENCE, level: float = LEVEL) -> Estimate:
    """Mean of group a minus mean of group b, variances taken to be equal (Student 1908)."""
    return _of_groups(a, b, measure=measure, level=level, equal=True)


def _of_groups(a: Sequence[float], b: Sequence[float], *, measure: str, level: float, equal: bool) -> Estimate:
    x, y, method = finite(a), finite(b), _STUDENT if equal else _WELCH
    if min(x.size, y.size) < 2 or (_alike(x) and _alike(y)):
        return unknown(measure, method=method, note=_no_spread(min(x.size, y.size)), null=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy warns where one group has no spread: the other has
        found = stats.ttest_ind(x, y, equal_var=equal)
    ends, p = found.confidence_interval(level), float(found.pvalue)
    return Estimate(measure, float(x.mean() - y.mean()), float(ends.low), float(ends.high), p, method, 0.0, level)


def _alike(values: Floats) -> bool:
    """Whether values differ by rounding alone, which is no spread to judge by."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _ends(ordered: Floats, cut: int, too_few: str, level: float) -> tuple[float, float, str]:
    if cut == 0:
        return -math.inf, math.inf, f"{too_few} too few for an interval of {level:.0%}."
    return float(ordered[cut - 1]), float(ordered[ordered.size - cut]), ""


def _no_spread(n: int) -> str:
    return "At least two are needed." if n < 2 else "All values are equal: nothing says how much they vary."


def _signed_p(d: Floats) -> tuple[float, str]:
    moved = d[d != 0]
    if moved.size == 0:
        return 1.0, "exact"
    sizes = np.abs(moved)
    if moved.size > EXACT_PAIRS:
        found = stats.wilcoxon(moved, correction=True, method="asymptotic")
        return float(found.pvalue), "normal approximation with continuity correction"
    if np.unique(sizes).size == sizes.size:
        return float(stats.wilcoxon(moved, method="exact").pvalue), "exact"
    ranks = doubled_ranks(sizes)
    return two_sided(signed_distribution(ranks), int(ranks[moved > 0].sum())), "exact, given the ties"


def _shift_p(x: Floats, y: Floats) -> tuple[float, str]:
    together = np.concatenate([x, y])
    if together.size > EXACT_TOGETHER:
        found = stats.mannwhitneyu(x, y, method="asymptotic")
        return float(found.pvalue), "normal approximation with continuity correction"
    if np.unique(together).size == together.size:
        return float(stats.mannwhitneyu(x, y, method="exact").pvalue), "exact"
    ranks = doubled_ranks(together)
    return two_sided(subset_distribution(ranks, x.size), int(ranks[: x.size].sum())), "exact, given the ties"
