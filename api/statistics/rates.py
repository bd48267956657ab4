"""Rates of one Poisson count and the ratio of two, exact: nothing is presumed but that cramps come singly.

Cramps come in bouts, and weeks differ by more than chance; where several weeks were counted, `dispersed` is the better
judge. These are for totals that nothing more is known of, and for zeros.
"""

import math
from typing import Final

from scipy import special, stats

from api.errors import Invalid
from api.statistics.values import LEVEL, Estimate, unknown

RATE: Final = "rate"
RATIO: Final = "rate ratio"


def rate_interval(count: int, exposure: float, *, level: float = LEVEL) -> Estimate:
    """Count per unit of exposure with its exact interval: chi-squared quantiles (Garwood 1936, Biometrika 28:437)."""
    method = "Poisson rate with Garwood's exact interval"
    _check(count, exposure)
    if exposure == 0:
        return unknown(RATE, method=method, note="There was no exposure, so there is no rate.")
    tail = (1.0 - level) / 2.0
    low = float(stats.chi2.ppf(tail, 2 * count)) / 2.0 if count else 0.0
    high = float(stats.chi2.isf(tail, 2 * count + 2)) / 2.0
    return Estimate(RATE, count / exposure, low / exposure, high / exposure, None, method, level=level)


def rate_ratio_exact(
    count_a: int, exposure_a: float, count_b: int, exposure_b: float, *, level: float = LEVEL
) -> Estimate:
    """Rate of A over that of B: given their sum, the count of A is binomial (Przyborowski and Wilenski 1940)."""
    method = (
        "exact conditional (binomial) test of two Poisson rates, two-sided p as twice the smaller tail, "
        "with the Clopper-Pearson interval carried over to the rate ratio"
    )
    _check(count_a, exposure_a)
    _check(count_b, exposure_b)
    if exposure_a == 0 or exposure_b == 0:
        return unknown(RATIO, method=method, note="One side has no exposure, so there is no ratio.", null=1.0)
    if count_a + count_b == 0:
        return unknown(RATIO, method=method, note="No cramps on either side, so there is no ratio.", null=1.0)
    return scaled_binomial_ratio(
        float(count_a), exposure_a, float(count_b), exposure_b, method=method, level=level, note=_zero(count_a, count_b)
    )


def scaled_binomial_ratio(
    count_a: float,
    exposure_a: float,
    count_b: float,
    exposure_b: float,
    *,
    method: str,
    note: str = "",
    level: float = LEVEL,
) -> Estimate:
    """The same from counts that need not be whole: overdispersed counts divided by their dispersion."""
    tail = (1.0 - level) / 2.0
    low = float(special.betaincinv(count_a, count_b + 1.0, tail)) if count_a > 0 else 0.0
    high = float(special.betainccinv(count_a + 1.0, count_b, tail)) if count_b > 0 else 1.0
    share = exposure_a / (exposure_a + exposure_b)
    # P(at least A) and P(at most A) where the rates are equal, so that p and interval never disagree.
    at_least = float(special.betainc(count_a, count_b + 1.0, share)) if count_a > 0 else 1.0
    at_most = float(special.betaincc(count_a + 1.0, count_b, share)) if count_b > 0 else 1.0
    ratio = (count_a / exposure_a) / (count_b / exposure_b) if count_b else math.inf
    scale = exposure_b / exposure_a
    return Estimate(
        RATIO,
        ratio,
        scale * _odds(low),
        scale * _odds(high),
        min(1.0, 2.0 * min(at_least, at_most)),
        method,
        null=1.0,
        level=level,
        note=note,
    )


def _odds(share: float) -> float:
    return share / (1.0 - share) if share < 1.0 else math.inf


def _zero(count_a: int, count_b: int) -> str:
    if count_a and count_b:
        return ""
    return "One side has no cramps, so the interval is open on that side."


def _check(count: int, exposure: float) -> None:
    if count < 0 or count != int(count):
        raise Invalid("count", "A count must be a whole number, zero or more.")
    if not (math.isfinite(exposure) and exposure >= 0):
        raise Invalid("exposure", "An exposure must be zero or more.")
    if exposure == 0 and count:
        raise Invalid("exposure", "A count above zero needs an exposure above zero.")
