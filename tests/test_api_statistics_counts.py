"""Rates and rate ratios of one person, against other implementations, published figures and simulation."""

import math
from functools import cache

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.discrete.conditional_models import ConditionalPoisson
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from api.errors import Invalid
from api.statistics.dispersed import dispersion, level_and_slope, rate_ratio_negative_binomial, rate_ratio_weeks
from api.statistics.rates import rate_interval, rate_ratio_exact
from api.statistics.rows import DoubleArray
from api.statistics.weeks import prepared

ON = np.tile([0, 0, 1, 1], 4)
CYCLE = np.repeat(np.arange(4), 4)
COUNTS = np.array([4, 9, 3, 7, 0, 2, 1, 1, 2, 12, 6, 2, 13, 1, 2, 1])
HOURS = np.linspace(30.0, 56.0, 16)


@cache
def rejects(a: int, b: int) -> bool:
    """Whether the exact test says at 5 % that two counts of equal exposure differ."""
    p = rate_ratio_exact(a, 1.0, b, 1.0).p
    return p is not None and p < 0.05


def power(per_week: float, *, weeks: int, ratio: float) -> float:
    """By adding up the chance of every outcome that the exact test rejects."""
    off, on = per_week * weeks, per_week * weeks * ratio
    chances = [stats.poisson.pmf(np.arange(int(mean + 5 * mean**0.5 + 8)), mean) for mean in (on, off)]
    both = [(a, b, p * q) for a, p in enumerate(chances[0]) for b, q in enumerate(chances[1]) if p * q > 1e-7]
    return 100.0 * sum(float(chance) for a, b, chance in both if rejects(a, b))


def fewer(df: float, scale: float) -> float:
    """Degrees of freedom of a dispersion above 1, by the formula of the method."""
    return df * 2 * scale / (3 * scale - 1)


def weekly(rng: np.random.Generator, mean: DoubleArray, *, k: float = 3.0) -> tuple[DoubleArray, DoubleArray]:
    """Weeks with variance m + m²/k, of which 60-100 % were usable."""
    exposure = rng.uniform(0.6, 1.0, mean.shape)
    return rng.poisson(mean * exposure * rng.gamma(k, 1.0 / k, mean.shape)).astype(float), exposure


@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_garwoods_interval_is_the_exact_one_of_statsmodels(count: int) -> None:
    ours = rate_interval(count, 56.0)
    low, high = confint_poisson(count, 56.0, method="exact-c")
    assert ours.value == count / 56.0
    assert (ours.low, ours.high) == pytest.approx((0.0 if count == 0 else low, high))


def test_garwoods_limits_leave_half_of_five_per_cent_outside() -> None:
    ours = rate_interval(9, 1.0, level=0.9)
    assert stats.poisson.sf(8, ours.low) == pytest.approx(0.05)
    assert stats.poisson.cdf(9, ours.high) == pytest.approx(0.05)


def test_no_exposure_has_no_rate_and_no_ratio() -> None:
    assert not rate_interval(0, 0.0).known
    assert not rate_ratio_exact(0, 0.0, 4, 10.0).known
    assert not rate_ratio_exact(0, 5.0, 0, 10.0).known


@pytest.mark.parametrize(("count", "exposure"), [(-1, 5.0), (2, -1.0), (2, 0.0), (2, math.nan), (2, math.inf)])
def test_impossible_counts_and_exposures_are_refused(count: int, exposure: float) -> None:
    with pytest.raises(Invalid):
        rate_interval(count, exposure)


@pytest.mark.parametrize(("a", "exposure_a", "b", "exposure_b"), [(10, 56.0, 20, 56.0), (3, 40.0, 9, 20.0)])
def test_exact_ratio_is_clopper_pearson_of_the_share(a: int, exposure_a: float, b: int, exposure_b: float) -> None:
    ours = rate_ratio_exact(a, exposure_a, b, exposure_b)
    share = stats.binomtest(a, a + b).proportion_ci(0.95, method="exact")
    odds = [limit / (1 - limit) * exposure_b / exposure_a for limit in (share.low, share.high)]
    under_null = exposure_a / (exposure_a + exposure_b)
    tails = [stats.binomtest(a, a + b, under_null, alternative=side).pvalue for side in ("less", "greater")]
    assert ours.value == pytest.approx(a / exposure_a / (b / exposure_b))
    assert (ours.low, ours.high) == pytest.approx(odds)
    assert ours.p == pytest.approx(2 * min(tails))


@pytest.mark.parametrize(
    ("per_week", "weeks", "ratio", "published"),
    [
        (1.0, 4, 0.5, 4),
        (1.0, 12, 0.5, 23),
        (2.5, 4, 0.5, 17),
        (2.5, 8, 0.5, 37),
        (2.5, 12, 0.5, 58),
        (5.0, 4, 0.5, 38),
        (5.0, 8, 0.5, 71),
        (5.0, 12, 0.5, 86),
        (8.0, 4, 0.5, 59),
        (8.0, 8, 0.5, 89),
        (8.0, 12, 0.75, 44),
    ],
)
def test_exact_test_has_the_power_of_the_planners_table(
    per_week: float, weeks: int, ratio: float, published: int
) -> None:
    assert power(per_week, weeks=weeks, ratio=ratio) == pytest.approx(published, abs=2.0)


def test_a_side_without_cramps_has_an_open_interval() -> None:
    none_on, none_off = rate_ratio_exact(0, 8.0, 8, 8.0), rate_ratio_exact(8, 8.0, 0, 8.0)
    assert (none_on.value, none_on.low) == (0.0, 0.0)
    assert none_on.high == pytest.approx(0.5858, abs=1e-4)
    assert (none_off.value, none_off.high) == (math.inf, math.inf)
    assert none_off.low == pytest.approx(1 / none_on.high)
    assert none_on.p == none_off.p == pytest.approx(2 * 0.5**8)
    assert none_on.note


@given(a=st.integers(0, 60), b=st.integers(0, 60), hours=st.floats(0.5, 20.0))
def test_swapping_sides_turns_the_exact_ratio_over(a: int, b: int, hours: float) -> None:
    one, other = rate_ratio_exact(a, hours, b, 3.0), rate_ratio_exact(b, 3.0, a, hours)
    if a + b == 0:
        assert not one.known
        return
    assert one.low == pytest.approx(1 / other.high if other.high else math.inf)
    assert one.p == pytest.approx(other.p)
    assert one.low <= one.value <= one.high
    assert one.p is not None
    if abs(one.p - 0.05) > 1e-6:
        assert one.excludes_null == (one.p < 0.05)


def test_weekly_ratio_is_the_quasi_poisson_one_of_statsmodels() -> None:
    fit = sm.GLM(COUNTS, sm.add_constant(ON), family=sm.families.Poisson(), offset=np.log(HOURS)).fit(scale="X2")
    ours = rate_ratio_weeks(COUNTS, HOURS, ON)
    assert ours.value == pytest.approx(math.exp(fit.params[1]))
    assert dispersion(COUNTS, HOURS, ON).value == pytest.approx(fit.scale)
    # The score interval is Wilson's of the share, of the effective number of cramps.
    a, total, scale = COUNTS[ON == 1].sum(), COUNTS.sum(), fit.scale
    alpha = 2 * stats.norm.sf(stats.t.isf(0.025, fewer(14, scale)))
    share = proportion_confint(a / scale, total / scale, alpha=alpha, method="wilson")
    odds = HOURS[ON == 0].sum() / HOURS[ON == 1].sum()
    assert (ours.low, ours.high) == pytest.approx([limit / (1 - limit) * odds for limit in share])


@pytest.mark.parametrize("covariate", ["time", "cycle", "both"])
def test_limits_with_covariates_are_where_statsmodels_score_test_just_rejects(covariate: str) -> None:
    time = np.arange(16.0) if covariate != "cycle" else None
    cycle = CYCLE if covariate != "time" else None
    ours = rate_ratio_weeks(COUNTS, HOURS, ON, time=time, cycle=cycle)
    columns = [np.ones(16)] if cycle is None else [np.asarray(one == CYCLE, dtype=float) for one in range(4)]
    nuisance = np.column_stack([*columns, *([] if time is None else [time - 7.5])])
    family = sm.families.Poisson()
    full = sm.GLM(COUNTS, np.column_stack([nuisance, ON]), family=family, offset=np.log(HOURS)).fit()
    df, scale = full.df_resid, full.pearson_chi2 / full.df_resid
    assert ours.value == pytest.approx(math.exp(full.params[-1]), rel=1e-6)

    def p_at(ratio: float) -> float:
        null = sm.GLM(COUNTS, nuisance, family=family, offset=np.log(HOURS) + math.log(ratio) * ON).fit(scale=1.0)
        chi2 = np.asarray(null.score_test(exog_extra=ON[:, None].astype(float))[0]).item()
        return float(2 * stats.t.sf(math.sqrt(chi2 / scale), fewer(df, scale)))

    assert p_at(ours.low) == pytest.approx(0.05, abs=1e-3)
    assert p_at(ours.high) == pytest.approx(0.05, abs=1e-3)
    assert ours.p == pytest.approx(p_at(1.0), rel=1e-6)


def test_ratio_by_cycle_is_the_conditional_poisson_one() -> None:
    fit = ConditionalPoisson(COUNTS, ON[:, None].astype(float), groups=CYCLE, offset=np.log(HOURS)).fit(disp=0)
    assert rate_ratio_weeks(COUNTS, HOURS, ON, cycle=CYCLE).value == pytest.approx(math.exp(fit.params[0]), rel=1e-4)


def test_a_week_without_exposure_is_missing_and_not_zero() -> None:
    hours = HOURS.copy()
    hours[3] = 0.0
    counts = np.where(hours > 0, COUNTS, 0)
    left = rate_ratio_weeks(counts, hours, ON)
    assert left == rate_ratio_weeks(np.delete(COUNTS, 3), np.delete(HOURS, 3), np.delete(ON, 3))
    with pytest.raises(Invalid, match="exposure"):
        rate_ratio_weeks(COUNTS, hours, ON)


def test_a_cycle_without_cramps_says_nothing() -> None:
    counts = np.where(CYCLE == 2, 0, COUNTS)
    rest = CYCLE != 2
    ours = rate_ratio_weeks(counts, HOURS, ON, cycle=CYCLE)
    assert ours == rate_ratio_weeks(counts[rest], HOURS[rest], ON[rest], cycle=CYCLE[rest])


def test_weeks_that_agree_by_luck_are_no_surer_than_poisson() -> None:
    ours = rate_ratio_weeks([4, 4, 4, 4, 2, 2, 2, 2], [1.0] * 8, [0, 0, 0, 0, 1, 1, 1, 1])
    share = proportion_confint(8, 24, method="wilson")
    assert (ours.low, ours.high) == pytest.approx([limit / (1 - limit) for limit in share])


def test_a_side_without_cramps_falls_back_to_exact_limits_that_heed_the_dispersion() -> None:
    on = rate_ratio_weeks(np.where(ON == 1, 0, COUNTS), HOURS, ON)
    sums = rate_ratio_exact(0, HOURS[ON == 1].sum(), int(COUNTS[ON == 0].sum()), HOURS[ON == 0].sum())
    assert (on.value, on.low) == (0.0, 0.0)
    assert sums.high < on.high < 1.0
    assert "exact" in on.method
    assert on.note


def test_what_cannot_be_estimated_is_unknown_and_says_why() -> None:
    assert "No cramps" in rate_ratio_weeks([0, 0, 0], [1, 1, 1], [0, 1, 1]).note
    assert "no weeks" in rate_ratio_weeks([1, 0, 2], [1, 1, 1], [1, 1, 1]).note
    confounded = rate_ratio_weeks([3, 1, 2, 4], [1] * 4, [0, 0, 1, 1], cycle=[1, 1, 2, 2])
    assert not confounded.known
    assert "time" in confounded.note
    assert "exact" in rate_ratio_weeks([9, 3], [1.0, 1.0], [0, 1]).method
    assert "chance alone" in rate_ratio_weeks([9, 3], [1.0, 1.0], [0, 1]).note
    # Each side's cramps are in cycles of their own, or all at the end: neither has a finite fit.
    assert (
        "fitted"
        in rate_ratio_weeks([0, 3, 0, 0, 2, 0, 9], [1] * 7, [0, 1, 0, 1, 0, 0, 1], cycle=[1, 1, 2, 2, 3, 3, 4]).note
    )
    assert "fitted" in rate_ratio_weeks([0, 0, 0, 0, 9, 7], [1] * 6, [0, 1, 0, 1, 0, 1], time=range(6)).note
    assert not rate_ratio_negative_binomial([0, 5, 0], [1, 1, 1], [1, 0, 1]).known
    assert not dispersion([3], [1.0]).known


@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0.0, 0.4, 1.0]), st.booleans()), min_size=2, max_size=9)
)
@settings(max_examples=60, deadline=None)
def test_any_weeks_give_an_interval_that_agrees_with_its_p_or_say_why_not(rows: list[tuple[int, float, bool]]) -> None:
    counts = [count if exposure else 0 for count, exposure, _ in rows]
    exposures, treated = [exposure for _, exposure, _ in rows], [on for _, _, on in rows]
    for time in (None, list(range(len(rows)))):
        ours = rate_ratio_weeks(counts, exposures, treated, time=time)
        if not ours.known:
            assert ours.note
            continue
        assert ours.low <= ours.value <= ours.high
        assert ours.p is not None
        if abs(ours.p - 0.05) > 0.003:
            assert ours.excludes_null == (ours.p < 0.05)


def test_weeks_that_a_model_leaves_out_still_tell_of_the_dispersion() -> None:
    counts, treated = [0, 0, 0, 0, 0, 5, 9], [0, 1, 0, 1, 0, 1, 1]
    ours = rate_ratio_weeks(counts, [1] * 7, treated, cycle=[1, 1, 2, 2, 3, 3, 4])
    scale = dispersion(counts, [1] * 7, treated).value
    assert scale > 3
    # At least 14 / scale of so many on the side with four weeks of seven, by the binomial's continuation.
    assert ours.p == pytest.approx(2 * (4 / 7) ** (14 / scale), rel=1e-6)
    assert "exact" in ours.method


def test_columns_of_unequal_length_and_wild_flags_are_refused() -> None:
    with pytest.raises(Invalid, match="treated"):
        rate_ratio_weeks([1, 2], [1, 1], [0, 1, 1])
    with pytest.raises(Invalid, match="0 or 1"):
        rate_ratio_weeks([1, 2], [1, 1], [0, 2])
    with pytest.raises(Invalid, match="finite"):
        rate_ratio_weeks([1, math.nan], [1, 1], [0, 1])


def test_negative_binomial_is_the_one_of_statsmodels_at_its_own_dispersion() -> None:
    def fit(a: float) -> tuple[float, float, float]:
        family = sm.families.NegativeBinomial(alpha=a)
        found = sm.GLM(COUNTS, sm.add_constant(ON), family=family, offset=np.log(HOURS)).fit(scale=1.0)
        return float(found.pearson_chi2), float(found.params[1]), float(found.bse[1])

    a = optimize.brentq(lambda a: fit(a)[0] - 14, 0.01, 5.0)
    _, beta, error = fit(a)
    ours = rate_ratio_negative_binomial(COUNTS, HOURS, ON)
    reach = stats.t.isf(0.025, 14) * error
    expected = [math.exp(beta), math.exp(beta - reach), math.exp(beta + reach)]
    assert [ours.value, ours.low, ours.high] == pytest.approx(expected, rel=0.01)


def test_without_overdispersion_the_negative_binomial_is_poisson() -> None:
    counts = [4, 5, 4, 5, 2, 3, 2, 3]
    ours = rate_ratio_negative_binomial(counts, [1.0] * 8, [0, 0, 0, 0, 1, 1, 1, 1])
    assert ours.value == pytest.approx(10 / 18)


def test_dispersion_interval_is_chi_squared() -> None:
    rng = np.random.default_rng(4)
    found = [dispersion(rng.poisson(8.0, 12), np.ones(12)) for _ in range(300)]
    assert 0.92 <= sum(one.low <= 1.0 <= one.high for one in found) / 300 <= 0.98
    spread = dispersion(COUNTS, HOURS, ON)
    assert spread.excludes_null
    assert spread.p == pytest.approx(2 * stats.chi2.sf(spread.value * 14, 14))


def test_level_and_slope_are_those_of_statsmodels() -> None:
    weeks = np.arange(16.0)
    design = sm.add_constant((weeks - 15.0) / 4.0)
    fit = sm.GLM(COUNTS, design, family=sm.families.Poisson(), offset=np.log(HOURS)).fit(scale="X2")
    ours = level_and_slope(COUNTS, HOURS, weeks + 100.0)
    assert [ours.level.value, ours.slope.value] == pytest.approx(np.exp(fit.params).tolist())
    assert ours.dispersion.value == pytest.approx(fit.scale)
    # Score and Wald limits differ in small samples, and agree about where they are.
    wald = np.exp(fit.params[1] + np.array([-1, 1]) * stats.t.isf(0.025, 14) * fit.bse[1])
    assert np.log([ours.slope.low, ours.slope.high]) == pytest.approx(np.log(wald), abs=0.1)
    assert ours.level.low < ours.level.value < ours.level.high


@pytest.mark.parametrize("counts", [[3, 1, 2], [0, 0, 0, 0, 0, 0], []])
def test_too_little_for_a_trend_has_no_slope(counts: list[int]) -> None:
    ours = level_and_slope(counts, [1.0] * len(counts), range(len(counts)))
    assert not ours.slope.known
    assert ours.slope.note
    assert ours.level.known == bool(counts)


def test_weekly_dispersion_is_heeded_where_the_plain_test_is_fooled() -> None:
    rng = np.random.default_rng(1)
    plain = ours = covered = 0
    trials = 400
    for _ in range(trials):
        counts, exposure = weekly(rng, np.full(16, 8.0))
        found = rate_ratio_weeks(counts, exposure, ON)
        sums = [(int(counts[rows].sum()), float(exposure[rows].sum())) for rows in (ON > 0, ON < 1)]
        plain += rate_ratio_exact(*sums[0], *sums[1]).excludes_null
        ours += found.excludes_null
        covered += found.low <= 1.0 <= found.high
    assert plain / trials > 0.12
    assert 0.025 <= ours / trials <= 0.08
    assert covered == trials - ours


def test_weeks_name_their_covariates() -> None:
    weeks = prepared(COUNTS, HOURS, ON, time=np.arange(16.0), cycle=CYCLE)
    assert not isinstance(weeks, str)
    assert weeks.df == 16 - 6
    assert "a linear trend and a level per cycle" in weeks.covariates
