"""How likely a comparison is to find what is there, before it is made."""

import numpy as np
from scipy import stats


def power_two_rates(
    *, expected_a: float, expected_b: float, ratio: float, dispersion: float = 1.0, alpha: float = 0.05
) -> float:
    """Chance that the exact conditional test of two counts finds the rate of b to be `ratio` times that of a.

    `expected_a` and `expected_b` are the counts to be expected if the rates were equal. The sum runs over all totals N
    (Poisson) and all splits of N (binomial); two-sided p is twice the smaller tail (Przyborowski and Wilenski 1940).
    Counts that vary more than Poisson are worth less: both are divided by the dispersion.
    """
    if min(expected_a, expected_b, ratio) <= 0:
        return 0.0
    d = max(dispersion, 1.0)
    a, b = expected_a / d, expected_b / d
    rare, mean = 1e-7, a + b * ratio
    totals = np.arange(max(1, int(stats.poisson.ppf(rare, mean))), int(stats.poisson.ppf(1.0 - rare, mean)) + 2)
    null, true = b / (a + b), b * ratio / mean
    # Of each total: the largest split that is still too low, the smallest that is already too high.
    low = stats.binom.ppf(alpha / 2.0, totals, null) - 1.0
    high = stats.binom.isf(alpha / 2.0, totals, null) + 1.0
    found = stats.binom.cdf(low, totals, true) + stats.binom.sf(high - 1.0, totals, true)
    return float(np.sum(stats.poisson.pmf(totals, mean) * found))
