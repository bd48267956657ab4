"""Rate ratios of groups and of several cycles, against other implementations, by hand and by simulation."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from api.errors import Invalid
from api.statistics.grouped import Factorial, between, factorial, period_effect, within
from api.statistics.mixed import paired_cycles, several_cycles
from api.statistics.pairs import paired
from api.statistics.rates import rate_ratio_exact
from api.statistics.rows import DoubleArray
from api.statistics.values import Estimate

N = 14
RNG = np.random.default_rng(11)
FIRST = np.arange(N) % 2  # 1: treated in the first period
OFF = RNG.poisson(RNG.gamma(2.5, 4.0, N)).astype(float)
ON = RNG.poisson(0.6 * (OFF + 1)).astype(float)
ON_H, OFF_H = RNG.uniform(120, 220, N), RNG.uniform(120, 220, N)
NAMES = [f"wearer {number:02d}" for number in range(N)]


def crossed(
    on: Sequence[float] | DoubleArray = ON, off: Sequence[float] | DoubleArray = OFF, *, periods: bool = True
) -> Estimate:
    """The rows of a crossover as they come: first all with treatment, then all without."""
    count = len(on)
    return within(
        wearers=NAMES[:count] * 2,
        treated=[1] * count + [0] * count,
        counts=[*on, *off],
        exposures=[*ON_H[:count], *OFF_H[:count]],
        periods=[*(2 - FIRST[:count]), *(1 + FIRST[:count])] if periods else None,
    )


def gee(counts: DoubleArray, design: DoubleArray, hours: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Coefficients and bias-reduced standard errors of the GEE of statsmodels, one row per wearer."""
    model = sm.GEE(
        counts,
        design,
        groups=np.arange(len(counts)),
        family=sm.families.Poisson(),
        offset=np.log(hours),
        cov_struct=sm.cov_struct.Independence(),
    )
    found = model.fit(cov_type="bias_reduced")
    return np.asarray(found.params), np.asarray(found.bse)


def by_t(beta: float, error: float, df: float) -> list[float]:
    reach = float(stats.t.isf(0.025, df)) * error
    return [math.exp(beta), math.exp(beta - reach), math.exp(beta + reach)]


@pytest.mark.parametrize("periods", [False, True])
def test_within_is_poisson_regression_with_a_level_for_each_wearer(*, periods: bool) -> None:
    # Conditioning on a wearer's sum is the same as a level of their own; wearers without cramps have none.
    rows = np.flatnonzero(np.tile(ON + OFF > 0, 2))
    late = np.concatenate([1 - FIRST, FIRST])
    columns = [np.repeat([1.0, 0.0], N), *([late] if periods else []), *np.tile(np.eye(N), 2)]
    design = np.column_stack(columns)[rows]
    model = sm.GLM(
        np.concatenate([ON, OFF])[rows],
        design[:, design.any(axis=0)],
        family=sm.families.Poisson(),
        offset=np.log(np.concatenate([ON_H, OFF_H]))[rows],
    )
    assert crossed(periods=periods).value == pytest.approx(math.exp(model.fit().params[0]), rel=1e-6)


def test_within_has_the_bias_reduced_interval_of_a_gee_over_every_cramp() -> None:
    # Each cramp a row of 0 or 1, with or without treatment, clustered by wearer.
    which = np.repeat(np.arange(N), (ON + OFF).astype(int))
    ends = np.concatenate([np.repeat([1.0, 0.0], [int(a), int(b)]) for a, b in zip(ON, OFF, strict=True)])
    design = np.column_stack([np.ones(len(which)), (1.0 - 2.0 * FIRST)[which]])
    model = sm.GEE(ends, design, groups=which, family=sm.families.Binomial(), offset=np.log(ON_H / OFF_H)[which])
    found = model.fit(cov_type="bias_reduced")
    ours = crossed()
    informative = int((ON + OFF > 0).sum())
    expected = by_t(found.params[0], found.bse[0], informative - 2)
    assert [ours.value, ours.low, ours.high] == pytest.approx(expected, rel=1e-5)


def test_period_effect_comes_from_the_same_fit() -> None:
    rows = {
        "wearers": NAMES * 2,
        "treated": [1] * N + [0] * N,
        "counts": [*ON, *OFF],
        "exposures": [*ON_H, *OFF_H],
        "periods": [*(2 - FIRST), *(1 + FIRST)],
    }
    effect = period_effect(**rows)  # type: ignore[arg-type]
    # The other way about: "treatment" is being in the second period, and the order says which had the treatment.
    swapped = within(
        wearers=NAMES * 2,
        treated=[*(1 - FIRST), *FIRST],
        counts=[*ON, *OFF],
        exposures=[*ON_H, *OFF_H],
        periods=[1] * N + [0] * N,
    )
    assert [effect.value, effect.low, effect.high] == pytest.approx([swapped.value, swapped.low, swapped.high])
    assert not period_effect(**{**rows, "periods": [2] * N + [1] * N}).known  # type: ignore[arg-type]


def test_one_phase_may_come_in_several_rows() -> None:
    halves = within(
        wearers=NAMES * 4,
        treated=[1] * N + [0] * N + [1] * N + [0] * N,
        counts=[*ON, *OFF, *([0] * 2 * N)],
        exposures=[*(ON_H / 2), *(OFF_H / 2)] * 2,
    )
    whole = crossed(periods=False)
    assert [halves.value, halves.low, halves.high] == pytest.approx([whole.value, whole.low, whole.high])


def test_wearers_without_cramps_or_with_one_side_only_say_nothing() -> None:
    with_more = within(
        wearers=[*(NAMES * 2), "none", "none", "half"],
        treated=[*([1] * N + [0] * N), 1, 0, 1],
        counts=[*ON, *OFF, 0, 0, 9],
        exposures=[*ON_H, *OFF_H, 100, 100, 100],
    )
    alone = crossed(periods=False)
    assert [with_more.value, with_more.low, with_more.high] == pytest.approx([alone.value, alone.low, alone.high])
    pairs = paired(wearers=["a", "a", "b"], treated=[0, 1, 1], counts=[0, 0, 4], exposures=[1, 1, 1])
    assert (pairs.without_cramps, pairs.left_out, pairs.wearers) == (1, 1, 0)


def test_before_and_after_names_the_drift_that_it_cannot_see() -> None:
    together = within(
        wearers=NAMES * 2,
        treated=[1] * N + [0] * N,
        counts=[*ON, *OFF],
        exposures=[*ON_H, *OFF_H],
        periods=[2] * N + [1] * N,
    )
    assert together.value == crossed(periods=False).value
    assert "same time" in together.note


def test_few_wearers_that_agree_by_luck_are_no_surer_than_poisson() -> None:
    ours = within(
        wearers=["a", "b", "c"] * 2, treated=[1, 1, 1, 0, 0, 0], counts=[2, 1, 4, 4, 2, 8], exposures=[1.0] * 6
    )
    wald = math.sqrt(1 / 7 + 1 / 14) * stats.norm.isf(0.025)
    assert [ours.low, ours.high] == pytest.approx([0.5 * math.exp(-wald), 0.5 * math.exp(wald)], rel=1e-6)
    assert "Only 3 wearers" in ours.note


def test_one_side_without_any_cramps_counts_wearers_rather_than_cramps() -> None:
    ours = crossed([0.0] * N)
    plain = rate_ratio_exact(0, ON_H.sum(), int(OFF.sum()), OFF_H.sum())
    assert (ours.value, ours.low) == (0.0, 0.0)
    assert plain.high < ours.high < 1.0
    effective = OFF.sum() ** 2 / (OFF**2).sum()
    share = ON_H[OFF > 0].sum() / (ON_H + OFF_H)[OFF > 0].sum()
    assert ours.p == pytest.approx(2 * (1 - share) ** effective)
    assert ours.note


def test_a_sequence_on_one_side_only_gives_the_ratio_without_a_period_effect() -> None:
    ours = crossed(np.where(FIRST == 1, 0.0, ON))
    plain = crossed(np.where(FIRST == 1, 0.0, ON), periods=False)
    assert (ours.value, ours.low, ours.high) == (plain.value, plain.low, plain.high)
    assert "period" in ours.note


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_wearers_have_no_ratio(count: int) -> None:
    ours = crossed([3.0] * count, [5.0] * count, periods=False)
    assert not ours.known
    assert ours.note
    assert not crossed([0.0] * 5, [0.0] * 5).known


@pytest.mark.parametrize("baseline", [False, True])
def test_between_is_the_bias_reduced_gee_of_statsmodels(*, baseline: bool) -> None:
    before = np.log((OFF + 0.5) / OFF_H)
    columns = [FIRST, np.ones(N), *([before - before.mean()] if baseline else [])]
    beta, error = gee(ON, np.column_stack(columns), ON_H)
    ours = between(
        treated=FIRST,
        counts=ON,
        exposures=ON_H,
        baseline_counts=OFF if baseline else None,
        baseline_exposures=OFF_H if baseline else None,
    )
    expected = by_t(beta[0], error[0], N - len(columns))
    assert [ours.value, ours.low, ours.high] == pytest.approx(expected, rel=1e-5)
    assert ("own rate at baseline" in ours.method) == baseline


def test_factorial_is_the_bias_reduced_gee_of_statsmodels_with_and_without_interaction() -> None:
    second = np.arange(N) // 2 % 2
    ours = factorial(first=FIRST, second=second, counts=ON, exposures=ON_H)
    beta, error = gee(ON, np.column_stack([FIRST, second, np.ones(N)]), ON_H)
    crossing = gee(ON, np.column_stack([FIRST, second, FIRST * second, np.ones(N)]), ON_H)
    assert isinstance(ours, Factorial)
    expected = [by_t(beta[0], error[0], N - 3), by_t(beta[1], error[1], N - 3)]
    for one, of in zip((ours.first, ours.second), expected, strict=True):
        assert [one.value, one.low, one.high] == pytest.approx(of, rel=1e-5)
    inter = by_t(crossing[0][2], crossing[1][2], N - 4)
    assert [ours.interaction.value, ours.interaction.low, ours.interaction.high] == pytest.approx(inter, rel=1e-5)


def test_wearers_without_baseline_hours_are_left_out_and_told() -> None:
    hours = OFF_H.copy()
    hours[2] = 0.0
    ours = between(
        treated=FIRST, counts=ON, exposures=ON_H, baseline_counts=np.where(hours > 0, OFF, 0), baseline_exposures=hours
    )
    rest = np.arange(N) != 2
    alone = between(
        treated=FIRST[rest],
        counts=ON[rest],
        exposures=ON_H[rest],
        baseline_counts=OFF[rest],
        baseline_exposures=OFF_H[rest],
    )
    assert (ours.value, ours.low, ours.high) == (alone.value, alone.low, alone.high)
    assert "1 wearer" in ours.note


def test_arms_without_cramps_or_with_one_wearer_are_told() -> None:
    none = between(treated=FIRST, counts=np.where(FIRST == 1, 0, OFF), exposures=ON_H)
    assert (none.value, none.low) == (0.0, 0.0)
    sums = rate_ratio_exact(0, ON_H[FIRST == 1].sum(), int(OFF[FIRST == 0].sum()), ON_H[FIRST == 0].sum())
    assert sums.high < none.high < math.inf
    assert not between(treated=[1, 0, 0], counts=[3, 4, 5], exposures=[1.0] * 3).known
    assert not between(treated=[1, 1, 1], counts=[3, 4, 5], exposures=[1.0] * 3).known
    assert not between(treated=FIRST, counts=[0] * N, exposures=ON_H).known
    assert "Only 2" in between(treated=[1, 0, 1, 0], counts=[3, 4, 2, 5], exposures=[1.0] * 4).note
    empty = factorial(first=FIRST, second=np.arange(N) // 2 % 2, counts=ON * (1 - FIRST), exposures=ON_H)
    assert empty.first.value == 0.0
    assert not empty.interaction.known


def test_one_row_short_is_refused() -> None:
    with pytest.raises(Invalid, match="wearers"):
        within(wearers=["a"], treated=[1, 0], counts=[1, 2], exposures=[1, 1])
    with pytest.raises(Invalid, match="baseline"):
        between(treated=[1, 0], counts=[1, 2], exposures=[1, 1], baseline_counts=[1], baseline_exposures=[1])


def test_a_crossover_covers_what_it_should() -> None:
    rng = np.random.default_rng(3)
    trials, inside, wrong = 300, 0, 0
    for _ in range(trials):
        rate = np.repeat(rng.gamma(2.5, 1.6, 20), 2) * np.tile([0.5, 1.0], 20)
        weeks = rng.uniform(2.4, 4.0, 40)
        counts = rng.poisson(rate * weeks * rng.gamma(12.0, 1 / 12.0, 40))
        found = within(wearers=[str(n // 2) for n in range(40)], treated=[1, 0] * 20, counts=counts, exposures=weeks)
        inside += found.low <= 0.5 <= found.high
        wrong += found.low > 0.5 or found.high < 0.5
    assert 0.92 <= inside / trials <= 0.985
    assert inside + wrong == trials


def test_paired_cycles_is_the_paired_t_test_of_log_rates() -> None:
    on, off, on_h, off_h = (
        np.array([3, 0, 5, 2]),
        np.array([6, 4, 7, 9]),
        np.array([50.0, 60, 70, 65]),
        np.full(4, 60.0),
    )
    ours = paired_cycles(
        cycles=[1, 2, 3, 4] * 2, treated=[1] * 4 + [0] * 4, counts=[*on, *off], exposures=[*on_h, *off_h]
    )
    test = stats.ttest_rel(np.log((on + 0.5) / on_h), np.log((off + 0.5) / off_h))
    limits = test.confidence_interval(0.95)
    assert ours.p == pytest.approx(test.pvalue)
    assert [ours.low, ours.high] == pytest.approx([math.exp(limits.low), math.exp(limits.high)])


def test_cycles_that_came_out_alike_have_no_spread() -> None:
    ours = paired_cycles(cycles=[1, 1, 2, 2], treated=[0, 1, 0, 1], counts=[4, 2, 4, 2], exposures=[1.0] * 4)
    assert not ours.known
    assert "alike" in ours.note
    assert "two cycles" in paired_cycles(cycles=[1, 1], treated=[0, 1], counts=[4, 2], exposures=[1, 1]).note


def series(persons: int, cycles: int, *, spread: float, seed: int) -> dict[str, object]:
    """Blocks of an N-of-1 series with a common ratio of 0.5 and wearers' own ratios about it."""
    rng = np.random.default_rng(seed)
    own = np.repeat(np.exp(math.log(0.5) + spread * rng.normal(size=persons)), 2 * cycles)
    treated = np.tile([1, 0], persons * cycles)
    return {
        "wearers": np.repeat([str(number) for number in range(persons)], 2 * cycles).tolist(),
        "cycles": np.tile(np.repeat(np.arange(cycles), 2), persons),
        "treated": treated,
        "counts": rng.poisson(60.0 * np.where(treated, own, 1.0)),
        "exposures": np.full(2 * persons * cycles, 100.0),
    }


def test_several_cycles_is_the_mixed_model_and_tells_how_wearers_differ() -> None:
    rows = series(8, 4, spread=0.6, seed=5)
    ours = several_cycles(**rows)  # type: ignore[arg-type]
    logs = np.log(np.asarray(rows["counts"]) + 0.5).reshape(8, 4, 2)
    differences = logs[..., 0] - logs[..., 1]
    # Balanced: the mixed model is the t test of the wearers' means, a property that needs no fit.
    means = differences.mean(axis=1)
    expected = by_t(float(means.mean()), float(means.std(ddof=1)) / math.sqrt(8), 7)
    assert [ours.value, ours.low, ours.high] == pytest.approx(expected, rel=1e-3)
    fit = MixedLM(differences.ravel(), np.ones((32, 1)), groups=np.repeat(np.arange(8), 4)).fit(reml=True)
    assert f"factor of {math.exp(math.sqrt(fit.cov_re[0, 0])):.2f}" in ours.note


def test_no_variance_between_wearers_is_a_note_and_no_narrower_for_it() -> None:
    rng = np.random.default_rng(2)
    singular = 0
    for seed in range(6):
        rows = {**series(6, 3, spread=0.0, seed=seed), "exposures": rng.uniform(60, 100, 36)}
        ours = several_cycles(**rows)  # type: ignore[arg-type]
        assert ours.known
        if "no more than" in ours.note:
            singular += 1
            assert "found no variance" in ours.method
    assert singular


def test_a_series_of_one_wearer_or_of_one_cycle_each_is_a_paired_t_test() -> None:
    one = series(1, 4, spread=0.0, seed=1)
    wearers = one.pop("wearers")
    assert several_cycles(wearers=wearers, **one) == paired_cycles(**one)  # type: ignore[arg-type]
    each = several_cycles(**series(5, 1, spread=0.1, seed=1))  # type: ignore[arg-type]
    assert "paired t test" in each.method
    assert (
        "alike"
        in several_cycles(
            wearers=["a"] * 4 + ["b"] * 4,
            cycles=[1, 1, 2, 2] * 2,
            treated=[1, 0] * 4,
            counts=[2, 4] * 4,
            exposures=[1] * 8,
        ).note
    )
