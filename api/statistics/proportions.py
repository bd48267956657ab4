"""Shares of people: one, two of different people, two of the same people."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from scipy import optimize, stats
from scipy.stats import contingency

from api.statistics.values import LEVEL, Estimate, unknown

McNemarKind = Literal["exact", "mid_p", "uncorrected", "corrected"]
_MCNEMAR: Final[dict[McNemarKind, str]] = {
    "exact": "exact McNemar test, Clopper-Pearson interval of the discordant pairs",
    "mid_p": "mid-p McNemar test and interval of the discordant pairs",
    "uncorrected": "McNemar test without continuity correction, Wilson interval of the discordant pairs",
    "corrected": "McNemar test with continuity correction, Wilson interval with continuity correction",
}
_CLOPPER: Final = "Clopper-Pearson interval"
_FISHER: Final = "Fisher's exact test, conditional odds ratio with its exact interval"
_FISHER_MANY: Final = "Fisher's exact test, odds ratio with the interval of its logarithm"
_EXACT_ODDS: Final = 2_000  # people; beyond, the exact interval takes seconds and differs by nothing
_NEWCOMBE: Final = "difference of independent proportions, Newcombe's interval (1998, method 10), Fisher's exact p"
_NEWCOMBE_PAIRED: Final = "difference of paired proportions, Newcombe's interval (1998, method 10), exact McNemar p"


def proportion(
    having: int, among: int, *, measure: str = "proportion", null: float | None = None, level: float = LEVEL
) -> Estimate:
    """A share with its exact interval (Clopper and Pearson 1934), tested against `null` if that is given."""
    if among == 0:
        return unknown(measure, method=_CLOPPER, note="There is nobody to count.", null=null)
    found = stats.binomtest(having, among, 0.5 if null is None else null)
    interval = found.proportion_ci(level, method="exact")
    p = None if null is None else float(found.pvalue)
    method = _CLOPPER if null is None else f"{_CLOPPER}, exact binomial test"
    return Estimate(
        measure, having / among, float(interval.low), float(interval.high), p, method, null=null, level=level
    )


def fisher(a: int, among_a: int, b: int, among_b: int, *, measure: str = "odds ratio") -> Estimate:
    """Odds of group a against those of group b (Fisher 1935; conditional maximum likelihood)."""
    table = [[a, among_a - a], [b, among_b - b]]
    if min(among_a, among_b) == 0:
        return unknown(measure, method=_FISHER, note="One of the groups is empty.", null=1.0)
    p = float(stats.fisher_exact(table).pvalue)
    if a + b in (0, among_a + among_b):
        note = "All are alike in both groups: there are no odds to compare."
        return Estimate(measure, math.nan, 0.0, math.inf, p, _FISHER, null=1.0, note=note)
    if among_a + among_b > _EXACT_ODDS:
        found, method = contingency.odds_ratio(table, kind="sample"), _FISHER_MANY
    else:
        found, method = contingency.odds_ratio(table), _FISHER
    ends, value = found.confidence_interval(LEVEL), float(found.statistic)
    return Estimate(measure, value, float(ends.low), float(ends.high), p, method, null=1.0, note=_boundless(value))


def mcnemar(only_a: int, only_b: int, *, kind: McNemarKind = "exact", measure: str = "odds ratio") -> Estimate:
    """Odds of a against b within people: `only_a` have it with a alone, `only_b` with b alone (McNemar 1947)."""
    n = only_a + only_b
    if n == 0:
        return unknown(measure, method=_MCNEMAR[kind], note="Nobody differs between the two.", null=1.0)
    low, high = _discordant_interval(only_a, n, kind)
    value, p = _odds(only_a / n), _mcnemar_p(only_a, n, kind)
    return Estimate(measure, value, _odds(low), _odds(high), p, _MCNEMAR[kind], null=1.0, note=_boundless(value))


def difference(a: int, among_a: int, b: int, among_b: int, *, measure: str = "difference of proportions") -> Estimate:
    """Share of group a minus share of group b (Newcombe 1998, Stat Med 17:873, method 10)."""
    # statsmodels takes seconds and 60 MB to load: only who asks pays.
    from statsmodels.stats.proportion import confint_proportions_2indep  # noqa: PLC0415

    if min(among_a, among_b) == 0:
        return unknown(measure, method=_NEWCOMBE, note="One of the groups is empty.", null=0.0)
    low, high = confint_proportions_2indep(a, among_a, b, among_b, method="newcomb", alpha=1.0 - LEVEL)
    p = float(stats.fisher_exact([[a, among_a - a], [b, among_b - b]]).pvalue)
    return Estimate(measure, a / among_a - b / among_b, float(low), float(high), p, _NEWCOMBE, null=0.0)


def difference_paired(
    *, both: int, only_a: int, only_b: int, neither: int, measure: str = "difference of proportions"
) -> Estimate:
    """Share with a minus share with b in the same people (Newcombe 1998, Stat Med 17:2635, method 10)."""
    n = both + only_a + only_b + neither
    if n == 0:
        return unknown(measure, method=_NEWCOMBE_PAIRED, note="There is nobody to count.", null=0.0)
    a, b = both + only_a, both + only_b
    (low_a, high_a), (low_b, high_b) = _wilson(a, n), _wilson(b, n)
    phi = _phi(both=both, only_a=only_a, only_b=only_b, neither=neither)
    down = _across(a / n - low_a, high_b - b / n, phi)
    up = _across(high_a - a / n, b / n - low_b, phi)
    value = (only_a - only_b) / n
    p = _mcnemar_p(only_a, only_a + only_b, "exact") if only_a + only_b else 1.0
    return Estimate(measure, value, value - down, value + up, p, _NEWCOMBE_PAIRED, null=0.0)


def responded(before: Sequence[float], after: Sequence[float], *, fall: float) -> list[bool | None]:
    """Of each whether it fell by that share or more; None where there was nothing to fall from, or no data."""
    return [
        None if not (math.isfinite(was) and math.isfinite(now) and was > 0) else now <= was * (1.0 - fall) + 1e-12
        for was, now in zip(before, after, strict=True)
    ]


def responders(before: Sequence[float], after: Sequence[float], *, fall: float) -> Estimate:
    """Share of people in whom it fell by that share or more."""
    answers = responded(before, after, fall=fall)
    judged = [answer for answer in answers if answer is not None]
    found = proportion(sum(judged), len(judged), measure=f"share with a fall of {fall:.0%} or more")
    left_out = len(answers) - len(judged)
    if not left_out:
        return found
    note = f"{left_out} of {len(answers)} had nothing to fall from, or no data. {found.note}".rstrip()
    return replace(found, note=note)


def _mcnemar_p(only_a: int, n: int, kind: McNemarKind) -> float:
    match kind:
        case "exact":
            return float(stats.binomtest(only_a, n).pvalue)
        case "mid_p":
            less = min(only_a, n - only_a)
            return float(2.0 * stats.binom.cdf(less, n, 0.5) - stats.binom.pmf(less, n, 0.5))
        case "uncorrected":
            return float(stats.chi2.sf((2 * only_a - n) ** 2 / n, 1))
        case "corrected":
            return float(stats.chi2.sf(max(abs(2 * only_a - n) - 1, 0) ** 2 / n, 1))


def _discordant_interval(only_a: int, n: int, kind: McNemarKind) -> tuple[float, float]:
    if kind == "mid_p":
        return _mid_p_interval(only_a, n)
    method = {"exact": "exact", "uncorrected": "wilson", "corrected": "wilsoncc"}[kind]
    interval = stats.binomtest(only_a, n).proportion_ci(LEVEL, method=method)
    return float(interval.low), float(interval.high)


def _mid_p_interval(only_a: int, n: int) -> tuple[float, float]:
    """Shares at which half of the observed count's chance and all beyond it come to a tail (Fagerland 2013)."""
    tail = (1.0 - LEVEL) / 2.0

    def above(share: float) -> float:
        return float(stats.binom.sf(only_a, n, share) + stats.binom.pmf(only_a, n, share) / 2.0)

    low = 0.0 if only_a == 0 else float(optimize.brentq(lambda share: above(share) - tail, 0.0, 1.0))
    high = 1.0 if only_a == n else float(optimize.brentq(lambda share: 1.0 - above(share) - tail, 0.0, 1.0))
    return low, high


def _boundless(odds_ratio: float) -> str:
    return "Nobody is on the other side: the odds ratio is beyond any number." if math.isinf(odds_ratio) else ""


def _odds(share: float) -> float:
    return share / (1.0 - share) if share < 1.0 else math.inf


def _wilson(having: int, among: int) -> tuple[float, float]:
    interval = stats.binomtest(having, among).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def _phi(*, both: int, only_a: int, only_b: int, neither: int) -> float:
    """Correlation of the two, made smaller where it is positive, as Newcombe's method 10 has it."""
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    product, n = both * neither - only_a * only_b, both + only_a + only_b + neither
    corrected = product if product <= 0 else max(product - n / 2.0, 0.0)
    return corrected / math.sqrt(margins)


def _across(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(first**2 - 2.0 * phi * first * second + second**2, 0.0))
