"""Gamma-Poisson posteriors against numerical integration and sampling."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from api.statistics.bayes import Prior, rate_posterior, ratio_posterior

CASES = [
    {"count_control": 20, "exposure_control": 8.0, "count_treated": 9, "exposure_treated": 7.5},
    {"count_control": 3, "exposure_control": 2.0, "count_treated": 0, "exposure_treated": 6.0},
    {"count_control": 150, "exposure_control": 40.0, "count_treated": 160, "exposure_treated": 41.0},
]


def log_likelihood(rate: float, count: float, exposure: float) -> float:
    return count * math.log(rate) - rate * exposure


def chance_below(bound: float, case: dict[str, float], *, prior: Prior, mean: float, dispersion: float = 1.0) -> float:
    """The chance that the ratio is below a bound, by integrating prior times likelihood, neither of them normalised."""

    def density(rate: float, which: str) -> float:
        beforehand = (prior.shape - 1.0) * math.log(rate) - rate * prior.shape / mean
        seen = log_likelihood(rate, case[f"count_{which}"], case[f"exposure_{which}"]) / dispersion
        return math.exp(beforehand + seen)

    most = 12.0 * max(mean, case["count_control"] / case["exposure_control"])
    grid = np.linspace(1e-9, most, 60_001)
    control, treated = (np.array([density(rate, which) for rate in grid]) for which in ("control", "treated"))
    below = integrate.cumulative_trapezoid(treated, grid, initial=0.0) / np.trapezoid(treated, grid)
    return float(np.trapezoid(control * np.interp(bound * grid, grid, below), grid) / np.trapezoid(control, grid))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dispersion", [1.0, 1.8])
def test_probabilities_are_those_of_numerical_integration(case: dict[str, float], dispersion: float) -> None:
    prior = Prior(shape=2.5, mean=4.0)
    found = dict(ratio_posterior(**case, prior=prior, dispersion=dispersion).probability)
    for bound in (1.0, 0.75):
        expected = chance_below(bound, case, prior=prior, mean=4.0, dispersion=dispersion)
        assert found[f"RR<{bound:g}"] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("case", CASES)
def test_the_interval_is_that_of_sampled_rates(case: dict[str, float]) -> None:
    estimate = ratio_posterior(**case).estimate
    total = case["count_control"] + case["count_treated"]
    pseudo = (case["exposure_control"] + case["exposure_treated"]) / total  # one cramp at the common rate
    rng = np.random.default_rng(5)
    treated, control = (
        rng.gamma(1.0 + case[f"count_{which}"], 1.0 / (pseudo + case[f"exposure_{which}"]), 400_000)
        for which in ("treated", "control")
    )
    low, middle, high = np.quantile(treated / control, [0.025, 0.5, 0.975])
    assert (estimate.low, estimate.value, estimate.high) == pytest.approx((low, middle, high), rel=0.02)


def test_before_any_data_the_ratio_is_as_the_prior_says() -> None:
    least = ratio_posterior(count_control=1e-9, exposure_control=1e-9, count_treated=1e-9, exposure_treated=1e-9)
    assert least.estimate.value == pytest.approx(1.0, rel=1e-6)
    inner = ratio_posterior(
        count_control=1e-9, exposure_control=1e-9, count_treated=1e-9, exposure_treated=1e-9, level=0.9
    ).estimate
    assert (inner.low, inner.high) == pytest.approx((1 / 19, 19), rel=1e-6)


def test_many_cramps_outweigh_the_prior() -> None:
    found = ratio_posterior(count_control=4000, exposure_control=1000, count_treated=2000, exposure_treated=1000)
    error = math.sqrt(1 / 4000 + 1 / 2000)
    assert found.estimate.value == pytest.approx(0.5, rel=0.001)
    assert math.log(found.estimate.high / found.estimate.low) == pytest.approx(2 * 1.96 * error, rel=0.01)


def test_dispersion_widens_the_interval_and_never_narrows_it() -> None:
    widths = []
    for dispersion in (0.4, 1.0, 1.5, 3.0):
        found = ratio_posterior(**CASES[0], dispersion=dispersion).estimate
        widths.append(math.log(found.high / found.low))
    assert widths[0] == widths[1] < widths[2] < widths[3]


def test_a_rate_is_the_gamma_posterior_and_the_unit_of_exposure_does_not_matter() -> None:
    weeks, hours = rate_posterior(20, 8.0), rate_posterior(20, 8.0 * 56)
    assert weeks.value == pytest.approx(stats.gamma(21, scale=1 / (8.0 + 0.4)).median())
    assert hours.low * 56 == pytest.approx(weeks.low)
    assert hours.high * 56 == pytest.approx(weeks.high)
    assert weeks.p is None


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ({"count_control": 0, "exposure_control": 4, "count_treated": 0, "exposure_treated": 4}, "no cramp"),
        ({"count_control": 5, "exposure_control": 4, "count_treated": 0, "exposure_treated": 0}, "usable"),
    ],
)
def test_nothing_seen_gives_no_figure(case: dict[str, float], why: str) -> None:
    found = ratio_posterior(**case)
    assert not found.estimate.known
    assert why in found.estimate.note
    assert found.probability == ()


def test_no_exposure_or_no_cramp_gives_no_rate() -> None:
    assert "usable" in rate_posterior(0, 0.0).note
    assert "no cramp" in rate_posterior(0, 3.0).note
    assert rate_posterior(0, 3.0, prior=Prior(1.0, 2.0)).high < 2.0


@pytest.mark.parametrize(("shape", "mean"), [(0.0, None), (1.0, 0.0), (math.nan, None)])
def test_a_prior_is_a_distribution(shape: float, mean: float | None) -> None:
    with pytest.raises(ValueError, match="gamma prior"):
        Prior(shape, mean)
