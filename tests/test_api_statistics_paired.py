"""Differences within people and between groups, shares, summary numbers: against brute force and worked examples."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.proportion import proportion_confint

from api.statistics import summary
from api.statistics.paired import paired_t, shift, sign_test, signed_rank, signs, student_t, welch_t
from api.statistics.proportions import (
    McNemarKind,
    difference,
    difference_paired,
    fisher,
    mcnemar,
    proportion,
    responded,
    responders,
)
from api.statistics.ranks import cut_of_groups, cut_of_pairs, doubled_ranks, signed_distribution, subset_distribution
from api.statistics.summary import Group

# Hollander and Wolfe, Nonparametric Statistical Methods, example 3.1: depression before and after a tranquilizer.
BEFORE = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
AFTER = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)
# Pritchard 1963: attacks of angina on placebo minus on pronethalol; Bland gives the sign test's p as 0.006.
PLACEBO = (71, 323, 8, 14, 23, 34, 79, 60, 2, 3, 17, 7)
PRONETHALOL = (29, 348, 1, 7, 16, 25, 65, 41, 0, 0, 15, 2)

few_counts = st.lists(st.integers(-6, 6), min_size=1, max_size=9)


def test_the_worked_example_of_hollander_and_wolfe() -> None:
    found = signed_rank([after - before for before, after in zip(BEFORE, AFTER, strict=True)], level=0.96)
    assert found.value == pytest.approx(-0.46)
    assert (found.low, found.high) == pytest.approx((-0.786, -0.010), abs=5e-4)
    assert found.p == pytest.approx(0.0390625)  # 20 of 512 signs are as far out
    assert "exact" in found.method


def test_the_worked_example_of_pronethalol() -> None:
    differences = [drug - placebo for placebo, drug in zip(PLACEBO, PRONETHALOL, strict=True)]
    assert signs(differences).p == pytest.approx(0.006, abs=5e-4)
    assert sign_test(11, 1) == signs(differences)
    alone = shift(PRONETHALOL, PLACEBO)
    assert alone.p == pytest.approx(0.4, abs=0.05)  # what ignoring the pairs would have given
    assert signed_rank(differences).value < 0


@given(few_counts)
def test_signed_rank_is_brute_force_over_signs_and_walsh_averages(values: list[int]) -> None:
    found = signed_rank(values)
    walsh = [(values[i] + values[j]) / 2 for i in range(len(values)) for j in range(i, len(values))]
    assert found.value == pytest.approx(float(np.median(walsh)))
    moved = [value for value in values if value]
    ranks = stats.rankdata(np.abs(moved)) if moved else np.array([])
    seen = sum(rank for rank, value in zip(ranks, moved, strict=True) if value > 0)
    sums = [
        sum(r for r, plus in zip(ranks, s, strict=True) if plus) for s in itertools.product((0, 1), repeat=len(moved))
    ]
    tails = (np.mean([total <= seen + 1e-9 for total in sums]), np.mean([total >= seen - 1e-9 for total in sums]))
    assert found.p == pytest.approx(min(1.0, 2 * min(tails)))


@given(few_counts, few_counts)
def test_shift_is_brute_force_over_choices_and_differences(a: list[int], b: list[int]) -> None:
    a, b = a[:6], b[:6]
    found = shift(a, b)
    assert found.value == pytest.approx(float(np.median([x - y for x in a for y in b])))
    ranks = stats.rankdata(a + b)
    sums = [sum(chosen) for chosen in itertools.combinations(ranks, len(a))]
    seen = ranks[: len(a)].sum()
    tails = (np.mean([total <= seen + 1e-9 for total in sums]), np.mean([total >= seen - 1e-9 for total in sums]))
    assert found.p == pytest.approx(min(1.0, 2 * min(tails)))


@pytest.mark.parametrize("n", [6, 9, 12])
def test_the_interval_of_pairs_is_what_the_test_does_not_reject(n: int) -> None:
    rng = np.random.default_rng(n)
    values = rng.normal(1.0, 2.0, n)
    found = signed_rank(list(values))
    inside, outside = 1e-6, -1e-6
    for edge, direction in ((found.low, 1), (found.high, -1)):
        within = stats.wilcoxon(values - (edge + direction * inside), method="exact").pvalue
        beyond = stats.wilcoxon(values - (edge + direction * outside), method="exact").pvalue
        assert beyond <= 0.05 < within


@pytest.mark.parametrize(("m", "n"), [(4, 5), (7, 6), (12, 9)])
def test_the_interval_of_groups_is_what_the_test_does_not_reject(m: int, n: int) -> None:
    rng = np.random.default_rng(m)
    a, b = rng.normal(1.0, 2.0, m), rng.normal(0.0, 2.0, n)
    found = shift(list(a), list(b))
    for edge, direction in ((found.low, 1), (found.high, -1)):
        within = stats.mannwhitneyu(a - (edge + direction * 1e-6), b, method="exact").pvalue
        beyond = stats.mannwhitneyu(a - (edge - direction * 1e-6), b, method="exact").pvalue
        assert beyond <= 0.05 < within


def test_intervals_keep_their_level_on_counts_full_of_ties() -> None:
    rng = np.random.default_rng(5)
    kept = sum(
        found.low <= 0 <= found.high
        for found in (signed_rank(list(rng.poisson(2.0, 14) - rng.poisson(2.0, 14))) for _ in range(800))
    )
    assert kept / 800 > 0.94


def test_intervals_of_groups_keep_their_level_on_counts_full_of_ties() -> None:
    rng = np.random.default_rng(6)
    kept = sum(
        found.low <= 0 <= found.high
        for found in (shift(list(rng.poisson(2.0, 9)), list(rng.poisson(2.0, 8))) for _ in range(800))
    )
    assert kept / 800 > 0.94


def test_the_distributions_are_those_of_scipy() -> None:
    whole = signed_distribution(np.arange(1, 11))
    assert whole.sum() == pytest.approx(1.0)
    values = np.array([1.0, 2, 3, 4, 5, -6, 7, 8, 9, 10])
    seen = 55 - 6
    assert 2 * whole[seen:].sum() == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)
    chosen = subset_distribution(np.arange(1, 12), 5)
    assert (chosen @ np.arange(chosen.size)) == pytest.approx(5 * 12 / 2)
    assert list(doubled_ranks(np.array([3.0, 1.0, 3.0]))) == [5, 2, 5]


def test_cuts_for_many_agree_with_those_that_are_counted() -> None:
    assert cut_of_pairs(200, 0.95) == pytest.approx(cut_of_pairs(201, 0.95), abs=90)
    assert cut_of_groups(50, 50, 0.95) == pytest.approx(cut_of_groups(50, 51, 0.95), abs=20)
    assert cut_of_pairs(5, 0.95) == 0
    assert cut_of_pairs(6, 0.95) == 1


def test_too_few_pairs_have_no_interval_and_say_so() -> None:
    found = signed_rank([-1, -2, -3, -4, -5])
    assert (found.value, found.low, found.high) == (-3.0, -math.inf, math.inf)
    assert found.note == "5 pairs are too few for an interval of 95%."
    assert not found.excludes_null
    assert found.p == 0.0625
    for nothing in (signed_rank([]), shift([], [1.0]), sign_test(0, 0), paired_t([1.0]), welch_t([1, 1], [2, 2])):
        assert not nothing.known
        assert nothing.note


def test_missing_values_are_left_out_and_nobody_changing_is_p_1() -> None:
    assert signed_rank([math.nan, 1.0, 2.0]).value == 1.5
    still = signed_rank([0.0] * 8)
    assert (still.value, still.low, still.high, still.p) == (0.0, 0.0, 0.0, 1.0)
    assert still.note == "8 of 8 pairs did not differ."


def test_many_pairs_are_approximated() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0.3, 1.0, 300)
    found = signed_rank(list(values))
    assert "normal approximation" in found.method
    by_t = paired_t(list(values))
    assert (found.low, found.high) == pytest.approx((by_t.low, by_t.high), abs=0.03)
    groups = shift(list(values[:80]), list(values[80:]))
    assert "normal approximation" in groups.method


def test_t_tests_by_hand() -> None:
    d = [1.0, 2.0, 4.0]
    found = paired_t(d)
    t = (7 / 3) / (np.std(d, ddof=1) / math.sqrt(3))
    assert found.p == pytest.approx(2 * stats.t.sf(t, 2))
    assert (found.low + found.high) / 2 == pytest.approx(7 / 3)
    a, b = [3.0, 5.0, 8.0, 2.0], [1.0, 0.0, 4.0]
    from_summary = summary.welch(Group(4.5, float(np.std(a, ddof=1)), 4), Group(5 / 3, float(np.std(b, ddof=1)), 3))
    from_people = welch_t(a, b)
    assert (from_people.low, from_people.high) == pytest.approx((from_summary.low, from_summary.high))
    assert from_people.p == pytest.approx(from_summary.p)
    assert student_t(a, b).value == pytest.approx(from_people.value)
    assert student_t(a, b).p != pytest.approx(from_people.p)


def test_shares_against_statsmodels() -> None:
    for having, among in ((0, 7), (10, 12), (32, 49), (5, 5)):
        found = proportion(having, among)
        assert (found.low, found.high) == pytest.approx(proportion_confint(having, among, method="beta"), nan_ok=True)
        assert found.p is None
    assert proportion(8, 10, null=0.5).p == pytest.approx(0.109375)
    assert not proportion(0, 0).known


KINDS: dict[McNemarKind, tuple[bool, bool]] = {
    "exact": (True, False),
    "uncorrected": (False, False),
    "corrected": (False, True),
}


@pytest.mark.parametrize(("a", "b"), [(16, 5), (17, 6), (9, 0), (4, 4), (1, 2)])
def test_mcnemar_against_statsmodels(a: int, b: int) -> None:
    for kind, (exact, correction) in KINDS.items():
        if kind == "corrected" and a == b:
            continue  # theirs corrects beyond zero
        theirs = their_mcnemar([[0, a], [b, 0]], exact=exact, correction=correction).pvalue
        found = mcnemar(a, b, kind=kind)
        assert found.p == pytest.approx(theirs)
        assert found.low <= (a / b if b else math.inf) <= found.high


@pytest.mark.parametrize(("a", "b"), [(16, 5), (9, 0), (4, 4), (0, 3)])
def test_mid_p_lies_between_and_its_interval_is_what_it_does_not_reject(a: int, b: int) -> None:
    n = a + b
    below = stats.binom.cdf(min(a, b) - 1, n, 0.5)
    by_hand = min(1.0, 2 * (below + 0.5 * stats.binom.pmf(min(a, b), n, 0.5)))
    found = mcnemar(a, b, kind="mid_p")
    assert found.p == pytest.approx(by_hand)
    exact = mcnemar(a, b)
    assert exact.low <= found.low <= found.high <= exact.high
    if a > 0:
        share = found.low / (1 + found.low)
        assert stats.binom.sf(a, n, share) + stats.binom.pmf(a, n, share) / 2 == pytest.approx(0.025)


def test_mcnemar_of_nobody() -> None:
    assert not mcnemar(0, 0).known
    assert mcnemar(3, 0).value == math.inf


def test_newcombes_own_example_of_paired_proportions() -> None:
    """Newcombe 1998 gives 0.0569 to 0.3404 for 36, 12, 2, 0 by his method 10."""
    found = difference_paired(both=36, only_a=12, only_b=2, neither=0)
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    assert found.p == pytest.approx(mcnemar(12, 2).p)


def test_paired_difference_without_correlation_is_the_independent_one() -> None:
    alone = difference_paired(both=6, only_a=6, only_b=4, neither=4)  # phi is zero
    independent = difference(12, 20, 10, 20)
    assert (alone.low, alone.high) == pytest.approx((independent.low, independent.high))
    everybody = difference_paired(both=5, only_a=0, only_b=0, neither=0)
    assert (everybody.value, everybody.p) == (0.0, 1.0)
    assert everybody.low < 0 < everybody.high
    assert not difference_paired(both=0, only_a=0, only_b=0, neither=0).known


def test_newcombes_own_example_of_independent_proportions() -> None:
    """Newcombe 1998 gives 0.0524 to 0.3339 for 56 of 70 against 48 of 80 by his method 10."""
    found = difference(56, 70, 48, 80)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert not difference(0, 0, 1, 2).known


def test_the_lady_tasting_tea() -> None:
    found = fisher(3, 4, 1, 4)  # Fisher 1935
    assert found.p == pytest.approx(2 * 17 / 70)
    assert found.low < 1 < found.value < found.high
    assert not fisher(4, 4, 4, 4).known
    assert not fisher(0, 0, 4, 4).known


def test_the_odds_of_many_are_close_to_the_exact_ones() -> None:
    exact, many = fisher(500, 1000, 450, 1000), fisher(500, 1000, 451, 1001)
    assert "exact interval" in exact.method
    assert "logarithm" in many.method
    assert (many.value, many.low, many.high) == pytest.approx((exact.value, exact.low, exact.high), rel=0.01)


def test_responders_leave_out_who_had_nothing_to_fall_from() -> None:
    assert responded([8, 4, 0, 4, math.nan], [4, 3.1, 0, 3, 1], fall=0.25) == [True, False, None, True, None]
    found = responders([8, 4, 0, 4], [4, 3.1, 0, 3], fall=0.25)
    assert found.value == pytest.approx(2 / 3)
    assert found.note == "1 of 4 had nothing to fall from, or no data."
    assert not responders([0], [0], fall=0.5).known
    assert responders([2, 2], [1, 2], fall=0.5).note == ""


def test_summary_numbers_go_there_and_back() -> None:
    a, b = Group(5.0, 2.0, 30), Group(4.0, 3.0, 25)
    direct = summary.welch(a, b)
    df = 55 - 2
    student = stats.ttest_ind_from_stats(5.0, 2.5, 30, 4.0, 2.5, 25)
    error = 2.5 * math.sqrt(1 / 30 + 1 / 25)
    reach = stats.t.ppf(0.975, df) * error
    back = summary.from_interval(1.0, 1.0 - reach, 1.0 + reach, df=df)
    assert back.p == pytest.approx(student.pvalue)
    assert summary.sd_from_interval(1.0 - reach, 1.0 + reach, n_a=30, n_b=25).value == pytest.approx(2.5)
    again = summary.from_p(1.0, student.pvalue, df=df)
    assert (again.low, again.high) == pytest.approx((1.0 - reach, 1.0 + reach))
    assert direct.p == pytest.approx(stats.ttest_ind_from_stats(5, 2, 30, 4, 3, 25, equal_var=False).pvalue)
    assert summary.repeats_implied(a, b, low=direct.low, high=direct.high).value == pytest.approx(1.0)


def test_paired_summary_is_the_paired_test_of_such_people() -> None:
    rng = np.random.default_rng(3)
    first = rng.normal(8, 2, 20)
    second = 0.6 * first + rng.normal(2, 1, 20)
    rho = float(np.corrcoef(first, second)[0, 1])
    a = Group(float(first.mean()), float(first.std(ddof=1)), 20)
    b = Group(float(second.mean()), float(second.std(ddof=1)), 20)
    told = summary.paired(a, b, rho=rho)
    real = paired_t(list(first - second))
    assert (told.value, told.low, told.high, told.p) == pytest.approx((real.value, real.low, real.high, real.p))
    assert real.p is not None
    assert summary.rho_from_p(a, b, p=real.p).value == pytest.approx(rho)
    assert not summary.rho_from_p(a, b, p=0.999999).known
    assert not summary.paired(a, Group(1.0, 1.0, 19), rho=0.5).known
    assert not summary.paired(Group(1, 1, 5), Group(2, 1, 5), rho=1.0).known


def test_ratios_from_summaries() -> None:
    found = summary.ratio_of_means(Group(2.0, 1.0, 50), Group(4.0, 2.0, 50))
    error = math.sqrt(0.25 / 50 + 0.25 / 50)
    reach = stats.t.ppf(0.975, 98) * error
    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx((0.5 * math.exp(-reach), 0.5 * math.exp(reach)))
    assert summary.relative(-2.0, -3.0, -1.0, control=8.0).high == pytest.approx(0.875)
    assert summary.from_percent(-28, -40, -16).value == pytest.approx(0.72)
    assert not summary.ratio_of_means(Group(0.0, 1.0, 5), Group(1, 1, 5)).known
    assert not summary.welch(Group(1, 0, 5), Group(2, 0, 5)).known
    assert not summary.from_p(0.0, 0.5).known
