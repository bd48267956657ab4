"""Analyses: small trials worked out by hand, and what must hold of every trial."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from scipy import stats
from trial_cases import arm, crossover, half, members, n_of_1, plan, said

from api.statistics.values import Estimate
from api.trials.analyse import analyse
from api.trials.case import masked
from api.trials.sensitivity import FalseAlarms
from api.trials.values import Analysis, Plan, Seen


def result(analysis: Analysis, outcome: str, *, number: int = 0) -> Estimate:
    return [one for one in analysis.results if one.outcome == outcome][number].estimate


def test_few_cramps_of_one_person_are_compared_exactly() -> None:
    """3 of 15 cramps with treatment, half of the time each: the binomial test of 3 of 15 against one half."""
    among = n_of_1("ABBA", [half(2), half(7), half(5), half(1)])
    primary = said(plan(), among).results[0]
    test = stats.binomtest(3, 15, 0.5)
    assert primary.role == "primary"
    assert "exact conditional" in primary.estimate.method
    assert primary.estimate.p == pytest.approx(test.pvalue)
    interval = test.proportion_ci()
    assert primary.estimate.value == pytest.approx(3 / 12)
    assert primary.estimate.low == pytest.approx(interval.low / (1 - interval.low))
    assert primary.estimate.high == pytest.approx(interval.high / (1 - interval.high))


def test_one_person_by_week_and_pair() -> None:
    """Pairs 20:40 and 10:20: the ratio is a half in each, and so in all."""
    analysis = said(plan(), n_of_1("ABBA", [half(20), half(40), half(20), half(10)]))
    assert analysis.results[0].estimate.value == pytest.approx(0.5, rel=1e-6)
    assert analysis.conclusion == "fewer"
    probabilities = dict(next(one.probability for one in analysis.results if one.probability))
    assert probabilities["RR<1"] > 0.97
    assert 0.85 < probabilities["RR<0.75"] < probabilities["RR<1"]


def test_severity_of_one_person_is_compared_pair_by_pair() -> None:
    blocks = n_of_1("ABBAAB", [half(20)] * 6)
    severities = [3.0, 5.0, 6.0, 5.0, 2.0, 4.5]
    among = [
        replace(one, observed=tuple(
            replace(item, cramps=tuple(replace(cramp, severity=severity) for cramp in item.cramps))
            for item in one.observed
        ))
        for one, severity in zip(blocks, severities, strict=True)
    ]  # fmt: skip
    found = result(said(plan(cycles=3), among), "severity")
    expected = stats.ttest_1samp([3.0 - 5.0, 5.0 - 6.0, 2.0 - 4.5], 0.0)
    assert found.value == pytest.approx(-5.5 / 3)
    assert found.p == pytest.approx(expected.pvalue)


COUNTS = {"a": (20, 30), "b": (12, 20), "c": (30, 28), "d": (16, 9), "e": (25, 14), "f": (22, 23)}


def crossed() -> list[Seen]:
    return [
        phase
        for number, (wearer, (first, second)) in enumerate(COUNTS.items())
        for phase in crossover("AB" if number < 3 else "BA", half(first), half(second), wearer=wearer)
    ]


def test_a_crossover_by_hand() -> None:
    """Severity by Hodges-Lehmann on half the difference of the sequences, period by period; rates by the same."""
    of = plan("crossover", primary="load", secondary=("rate",), wearers=6)
    analysis = said(of, crossed())
    falls_ab = [first - second for first, second in list(COUNTS.values())[:3]]
    falls_ba = [first - second for first, second in list(COUNTS.values())[3:]]
    between = sorted(a - b for a in falls_ab for b in falls_ba)
    # Load is 2 for each cramp, over fourteen times eight hours; half of the median shift is the treatment's.
    assert result(analysis, "load").value == pytest.approx(between[4] / 2 * 2 / 14)
    by_rank = next(one for one in analysis.results if "Hodges-Lehmann" in one.estimate.method and one.outcome == "rate")
    assert by_rank.estimate.value == pytest.approx(between[4] / 2 / 14)  # cramps in eight hours
    names = [check.name for check in analysis.checks]
    assert names == ["period effect", "carry-over", "overdispersion"]


def test_a_period_effect_is_no_treatment_effect() -> None:
    """All have half as many cramps in the second period, whatever they take: the ratio of treatments is 1."""
    among = [
        phase
        for number, (first, second) in enumerate(((40, 20), (30, 16), (50, 24), (40, 20), (30, 16), (50, 24)))
        for phase in crossover("AB" if number < 3 else "BA", half(first), half(second), wearer=f"w{number}")
    ]
    analysis = said(plan("crossover", wearers=6), among)
    assert analysis.results[0].estimate.value == pytest.approx(1.0, abs=1e-6)
    assert analysis.conclusion == "no_difference_shown"
    assert analysis.checks[0].estimate.value == pytest.approx(0.5, abs=0.02)
    assert any("second period" in caveat for caveat in analysis.caveats)


def test_felt_better_in_a_crossover_by_prescott_and_others() -> None:
    """Six of six, three by sequence: of 20 ways to split them two are as extreme, so p is 0.1; McNemar's is 2 / 64."""
    better = [(True, False)] * 3 + [(False, True)] * 3  # first and second period: always better on A
    among = [replace(phase, felt_better=better[number // 2][number % 2]) for number, phase in enumerate(crossed())]
    analysis = said(plan("crossover", primary="felt_better", wearers=6), among)
    methods = [one.estimate.method for one in analysis.results if one.outcome == "felt_better"]
    assert methods[0].startswith("Prescott")
    assert methods[1].startswith("Mainland-Gart")
    assert result(analysis, "felt_better").value == pytest.approx(1.0)
    assert result(analysis, "felt_better", number=2).p == pytest.approx(2 * 0.5**6)  # McNemar: 6 of 6
    assert result(analysis, "felt_better").p == pytest.approx(0.1)
    assert analysis.conclusion == "no_difference_shown"
    assert analysis.verdict.startswith("Felt better: 6 of 6 on magnesium, 0 of 6 on placebo.")


BEFORE = [(20, 10), (30, 12), (10, 8), (40, 30), (16, 4)]
CONTROL = [(20, 19), (30, 33), (12, 10), (40, 36), (14, 15)]


def arms() -> list[Seen]:
    return [
        phase
        for label, rows in (("A", BEFORE), ("B", CONTROL))
        for number, (before, after) in enumerate(rows)
        for phase in arm(label, half(before), half(after), wearer=f"{label}{number}")
    ]


def test_parallel_arms_by_hand() -> None:
    of = plan("parallel", secondary=("load", "responders_25", "responders_50"), wearers=10)
    analysis = said(of, arms())
    change = [[(after - before) * 2 / 14 for before, after in rows] for rows in (BEFORE, CONTROL)]
    welch = stats.ttest_ind(*change, equal_var=False)
    assert result(analysis, "load").p == pytest.approx(welch.pvalue)
    assert result(analysis, "load").value == pytest.approx(sum(change[0]) / 5 - sum(change[1]) / 5)
    of_rates = [[(after - before) / 14 for before, after in rows] for rows in (BEFORE, CONTROL)]
    welch_of_rates = next(one.estimate for one in analysis.results if one.estimate.method == "Welch's t test")
    assert welch_of_rates.p == pytest.approx(stats.ttest_ind(*of_rates, equal_var=False).pvalue)
    fisher = stats.fisher_exact([[4, 1], [0, 5]])  # all but the one from 10 to 8; from 40 to 30 is just a quarter
    assert result(analysis, "responders_25").p == pytest.approx(fisher.pvalue)
    assert result(analysis, "responders_50", number=1).value == pytest.approx(3 / 5)
    assert analysis.results[0].estimate.value < 0.7
    assert [step.label for step in analysis.flow] == [
        "registered", "allocated to magnesium", "allocated to placebo", "analysed",
    ]  # fmt: skip


def test_four_arms_tell_two_effects_apart() -> None:
    counts = {"AB": 10, "A": 20, "B": 20, "": 40}
    among = [
        phase
        for label, count in counts.items()
        for number, more in enumerate((-2, 0, 2))
        for phase in arm(label, half(40 + more), half(count + more // 2), wearer=f"{label or 'none'}{number}")
    ]
    analysis = said(plan("factorial", wearers=12), among)
    first, second = analysis.results[:2]
    assert (first.contrast, second.contrast) == ("vitamin E against none", "vitamin C against none")
    assert first.estimate.value == pytest.approx(0.5, abs=0.02)
    assert second.estimate.value == pytest.approx(0.5, abs=0.02)
    interaction = next(check for check in analysis.checks if check.name == "interaction")
    assert interaction.estimate.value == pytest.approx(1.0, abs=0.05)
    assert {arm.name for arm in analysis.arms} >= {"vitamin E and vitamin C", "vitamin E", "vitamin C", "neither"}


def before_and_after(before: int, after: int, *, wearers: int = 1) -> list[Seen]:
    return [
        phase
        for number in range(wearers)
        for phase in arm("A", half(before + number) * 2, half(after + number) * 2, wearer=f"w{number}")
    ]


def test_before_and_after_never_says_that_a_treatment_worked() -> None:
    """Three quarters fewer in eight wearers, p below 0.001: still no more than what is also seen on placebo."""
    analysis = said(plan("before_after", wearers=8), before_and_after(40, 10, wearers=8))
    assert analysis.conclusion == "fewer"
    assert analysis.results[0].estimate.high < 0.5
    assert "28 to 36 % is also seen on placebo" in analysis.verdict
    for word in ("worked", "works", "helped", "effective", "because", "more than chance"):
        assert word not in analysis.verdict
    check = next(check for check in analysis.checks if check.name == "drift without treatment")
    assert (check.estimate.low, check.estimate.high) == (pytest.approx(0.64), pytest.approx(0.72))
    assert any("without a control" in caveat for caveat in analysis.caveats)


def test_several_single_persons_are_combined() -> None:
    among = [
        phase
        for number, (treated, other) in enumerate(((20, 40), (15, 28), (30, 64), (10, 22)))
        for phase in n_of_1("ABBA", [half(treated), half(other), half(other), half(treated)], wearer=f"w{number}")
    ]
    analysis = said(plan(wearers=4), among)
    assert "Paule-Mandel" in analysis.results[0].estimate.method
    assert analysis.results[0].estimate.value == pytest.approx(0.5, abs=0.04)
    assert sum("mixed model" in one.estimate.method or "t test" in one.estimate.method for one in analysis.results) >= 1
    contrasts = [one.contrast for one in analysis.results if one.outcome == "rate" and one.role == "secondary"]
    assert [text for text in contrasts if "wearer" in text] == [
        "magnesium against placebo, in a next wearer",
        *(f"magnesium against placebo, wearer {number}" for number in (1, 2, 3, 4)),
    ]


TRIALS: dict[str, Callable[[], tuple[Plan, list[Seen]]]] = {
    "n_of_1": lambda: (plan(), n_of_1("ABBA", [half(20), half(33), half(41), half(18)])),
    "before_after": lambda: (plan("before_after", wearers=3), before_and_after(40, 26, wearers=3)),
    "crossover": lambda: (plan("crossover", wearers=6), crossed()),
    "parallel": lambda: (plan("parallel", wearers=10), arms()),
}


def test_who_is_excluded_is_not_analysed_and_is_told() -> None:
    of, among = TRIALS["parallel"]()
    analysis = analyse(of, among, members(among, A0="took something else"))
    assert sum(arm.wearers for arm in analysis.arms if arm.label) == 9
    assert analysis.flow[-1].wearers == 9
    assert analysis.flow[-1].lost == (("excluded: took something else", 1),)
    without = said(of, [one for one in among if one.phase.wearer != "A0"])
    assert analysis.results[0] == without.results[0]


def test_missing_nights_as_bad_as_the_other_side_pull_towards_one() -> None:
    among = n_of_1("ABBA", [half(20) + [None] * 14, half(40) + [0] * 14, half(40), half(20)])
    analysis = said(plan(block_days=28), among)
    worst = next(one.estimate for one in analysis.results if "missing periods" in one.estimate.measure)
    assert analysis.results[0].estimate.value < worst.value


def test_false_alarms_hide_part_of_an_effect() -> None:
    """Reference 2.9 in eight hours with 0.5 false: 0.55 as seen is (0.55 x 2.857 - 0.5) / (2.857 - 0.5)."""
    among = n_of_1("ABBA", [half(22), half(40), half(40), half(22)])
    alarms = FalseAlarms(0.5, "the accuracy report")
    analysis = said(plan(), among, false_alarms=alarms)
    found = next(one.estimate for one in analysis.results if "false alarms" in one.estimate.measure)
    reference = 80 / 28
    assert found.value == pytest.approx((0.55 * reference - 0.5) / (reference - 0.5), rel=1e-6)
    assert any("0.5 episodes" in caveat for caveat in analysis.caveats)


def test_false_alarms_alone_leave_nothing() -> None:
    among = n_of_1("ABBA", [half(12), half(14), half(14), half(12)])
    analysis = said(plan(), among, false_alarms=FalseAlarms(2.0, "reviews"))
    found = next(one.estimate for one in analysis.results if "false alarms" in one.estimate.measure)
    assert not found.known
    assert "nothing is left" in found.note


def test_reviews_are_looked_at_both_ways() -> None:
    among = n_of_1("AB", [half(40), half(40)])
    rejected = [
        replace(one, observed=tuple(
            replace(item, cramps=tuple(
                replace(cramp, confirmed=number % 2 == 0 if one.phase.label == "A" else True)
                for number, cramp in enumerate(item.cramps)
            ))
            for item in one.observed
        ))
        for one in among
    ]  # fmt: skip
    analysis = said(plan(cycles=1), rejected)
    measures = {one.estimate.measure: one.estimate.value for one in analysis.results if one.role == "sensitivity"}
    assert analysis.results[0].estimate.value < 0.8
    assert measures["rate ratio, with episodes that wearers called none"] == pytest.approx(1.0, abs=1e-6)
    assert measures["rate ratio, of episodes that wearers confirmed"] == pytest.approx(
        analysis.results[0].estimate.value
    )


def test_a_blinded_analysis_names_nothing() -> None:
    of, among = TRIALS["n_of_1"]()
    analysis = said(masked(replace(of, blinded=True)), among)
    text = repr(replace(analysis, seen=()))
    assert "magnesium" not in text.replace("Magnesium", "")
    assert "placebo" not in text
    assert analysis.results[0].contrast == "A against B"
    assert analysis.results[0].estimate == said(of, among).results[0].estimate
    assert analysis.verdict.endswith("still sealed.")


def test_a_blinded_factorial_trial_compares_nothing() -> None:
    among = [
        phase
        for code in "1234"
        for number in range(2)
        for phase in arm(code, half(20), half(14), wearer=f"{code}{number}")
    ]
    analysis = said(masked(plan("factorial", blinded=True)), among)
    assert analysis.conclusion == "not_enough_data"
    assert not analysis.results[0].estimate.known
    assert {one.name for one in analysis.arms} == {"baseline", "pack 1", "pack 2", "pack 3", "pack 4"}


def test_a_plan_for_a_group_with_one_wearer_so_far_is_still_analysed() -> None:
    for design, among in (("crossover", crossed()[:2]), ("parallel", arms()[:2]), ("before_after", arms()[:2])):
        analysis = said(plan(design, wearers=8), among)
        assert analysis.conclusion in ("not_enough_data", "no_difference_shown", "fewer")
        assert analysis.verdict.endswith(".")
