"""Power of a comparison of two rates: against brute force, simulation and figures known from elsewhere."""

import numpy as np
import pytest
from scipy import stats

from api.statistics.power import power_two_rates


@pytest.mark.parametrize(
    ("per_week", "weeks", "ratio", "percent"),
    # Poisson power of the two-sided exact conditional test, computed independently.
    [(1, 4, 0.5, 4), (1, 12, 0.5, 23), (2.5, 4, 0.5, 17), (2.5, 8, 0.5, 37), (2.5, 12, 0.5, 58), (5, 4, 0.5, 38),
     (5, 8, 0.5, 71), (5, 12, 0.5, 86), (8, 4, 0.5, 59), (8, 8, 0.5, 89), (8, 12, 0.75, 44)],
)  # fmt: skip
def test_power_reproduces_the_known_table(per_week: float, weeks: int, ratio: float, percent: float) -> None:
    count = per_week * weeks
    assert 100 * power_two_rates(expected_a=count, expected_b=count, ratio=ratio) == pytest.approx(percent, abs=2)


def test_power_is_that_of_every_pair_of_counts_tested() -> None:
    a, b, ratio = 9.0, 14.0, 0.4
    total = 0.0
    for count_a in range(40):
        for count_b in range(40):
            tails = stats.binom.cdf(count_b, count_a + count_b, b / (a + b))
            other = stats.binom.sf(count_b - 1, count_a + count_b, b / (a + b))
            if 2 * min(tails, other) <= 0.05:
                total += stats.poisson.pmf(count_a, a) * stats.poisson.pmf(count_b, b * ratio)
    assert power_two_rates(expected_a=a, expected_b=b, ratio=ratio) == pytest.approx(total, abs=1e-6)


def test_without_a_difference_false_alarms_stay_below_alpha() -> None:
    for count in (0.5, 5.0, 50.0, 5000.0):
        assert power_two_rates(expected_a=count, expected_b=count, ratio=1.0) <= 0.05
        assert power_two_rates(expected_a=count, expected_b=count, ratio=1.0, alpha=0.2) <= 0.2


def test_dispersion_costs_power_and_too_little_has_none() -> None:
    powers = [power_two_rates(expected_a=40, expected_b=40, ratio=0.5, dispersion=d) for d in (0.5, 1.0, 2.0, 4.0)]
    assert powers[0] == powers[1] > powers[2] > powers[3]
    assert power_two_rates(expected_a=0.0, expected_b=40, ratio=0.5) == 0.0
    assert power_two_rates(expected_a=2.0, expected_b=2.0, ratio=0.5) < 0.02


def test_dispersed_counts_have_about_the_power_that_simulation_gives() -> None:
    """Counts with twice the Poisson variance, tested with both divided by two."""
    rng = np.random.default_rng(11)
    mean, d = 60.0, 2.0
    control = rng.negative_binomial(mean, 0.5, 4000) / d
    treated = rng.negative_binomial(mean * 0.5, 0.5, 4000) / d
    z = (np.log(control) - np.log(treated)) / np.sqrt(1 / control + 1 / treated)
    wald = float(np.mean(np.abs(z) > 1.96))
    assert power_two_rates(expected_a=mean, expected_b=mean, ratio=0.5, dispersion=d) == pytest.approx(wald, abs=0.06)
