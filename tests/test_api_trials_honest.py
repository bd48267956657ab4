"""Nasty small trials: no sentence may say more than was seen, and what is missing is never nothing."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from trial_cases import FIRST, arm, baseline, half, members, n_of_1, plan, said, seen
from trial_cases import crossover as crossed

from api.trials.analyse import analyse
from api.trials.outcomes import tally, value
from api.trials.values import Difference


def test_a_baseline_without_cramps_is_told_without_a_figure() -> None:
    analysis = said(plan("before_after"), [baseline("w", half(0)), seen("w", "A", half(40), after=14)])
    drift = next(check for check in analysis.checks if check.name == "drift without treatment")
    assert drift.sentence.startswith("Here there were cramps, and none before. Placebo arms")
    assert analysis.conclusion == "more"


def test_one_good_night_of_fourteen_is_no_remission() -> None:
    """Four wearers with one judged night each, against four who cramped once in fourteen."""
    among = [
        phase
        for n in range(8)
        for phase in arm("AB"[n % 2], half(14), half(1) if n % 2 else [0] + [None] * 13, wearer=f"w{n}")
    ]
    analysis = said(plan("parallel", primary="remission", secondary=(), wearers=8), among)
    assert analysis.conclusion == "not_enough_data"
    assert "0 of 0 on magnesium, 0 of 4 on placebo" in analysis.verdict


def test_what_was_not_said_of_a_cramp_is_not_nothing() -> None:
    """Two cramps of one minute and severity 4; of the second, the wearer did not say how long it was."""
    one = seen("w", "A", [2, 0])
    felt = tuple(
        replace(
            item,
            cramps=tuple(
                replace(cramp, episode="", confirmed=True, duration_s=math.nan if number else 60.0)
                for number, cramp in enumerate(item.cramps)
            ),
        )
        for item in one.observed
    )
    of = plan(counting="felt")
    assert value("cramp_index", [tally(of, replace(one, observed=felt))]) == pytest.approx(2 * 4.0 / 2)
    unsaid = tuple(
        replace(item, cramps=tuple(replace(cramp, duration_s=math.nan) for cramp in item.cramps)) for item in felt
    )
    assert math.isnan(value("cramp_index", [tally(of, replace(one, observed=unsaid))]))
    assert value("cramp_index", [tally(of, seen("w", "A", [0, 0]))]) == 0.0


def test_felt_cramps_are_expected_for_as_long_as_they_could_be_felt() -> None:
    """Without a device nothing is expected of one; the table would else say 16 hours of 0."""
    one = seen("w", "A", [1, 0])
    bare = tuple(replace(item, expected_s=0.0, usable_s=0.0, enough=False) for item in one.observed)
    found = tally(plan(counting="felt"), replace(one, observed=bare))
    assert (found.expected_h, found.exposure) == (16.0, 16.0)


def test_a_side_without_cramps_gets_no_ratio() -> None:
    none, some = half(0), half(20)
    on = said(plan(), n_of_1("ABBA", [none, some, some, none])).verdict
    assert "on placebo 10.0: none were seen on magnesium, but it could be anything from none to 88 % fewer." in on
    off = said(plan(), n_of_1("ABBA", [some, none, none, some])).verdict
    assert "on placebo 0.0: none were seen on placebo, and it could be anything from 8.5 times as many upwards." in off
    assert "pair by pair" not in on + off


def test_three_nights_on_one_side_are_not_enough_whatever_p_is() -> None:
    analysis = said(plan(), n_of_1("ABBA", [[0, 0, 0] + [None] * 11, half(60), half(60), [None] * 14]))
    assert analysis.results[0].estimate.p is not None
    assert analysis.results[0].estimate.p < 0.05
    assert analysis.conclusion == "not_enough_data"
    assert analysis.verdict.endswith(
        "Only 3 nights on magnesium and 28 on placebo had enough data: at least 5 of each are needed."
    )


def test_a_week_is_of_nights_alone() -> None:
    """A cramp each night and each day of 16 hours is 14 a week, and two in three times eight hours."""
    among = [
        replace(
            phase,
            observed=(
                *phase.observed,
                *(
                    replace(item, kind="day", start_ns=item.end_ns, expected_s=57_600.0, usable_s=57_600.0)
                    for item in phase.observed
                ),
            ),
        )
        for phase in n_of_1("ABBA", [half(14)] * 4)
    ]
    assert said(plan(kinds=("night", "day")), among).verdict.startswith(
        "On magnesium you had 0.7 cramps in eight hours, on placebo 0.7: as many"
    )


def test_who_was_seen_on_one_side_only_is_in_no_figure_of_a_crossover_trial() -> None:
    both = [phase for n in range(6) for phase in crossed("AB" if n % 2 else "BA", half(8), half(8), wearer=f"w{n}")]
    gone = crossed("AB", half(200), [None] * 14, wearer="x")
    assert said(plan("crossover"), [*both, *gone]).verdict.startswith("On magnesium wearers had 4.0 cramps a week")


def test_severity_before_and_after_is_lower_and_not_fewer() -> None:
    among = [
        replace(
            phase,
            observed=tuple(
                replace(item, cramps=tuple(replace(cramp, severity=level + day % 3 / 2) for cramp in item.cramps))
                for day, item in enumerate(phase.observed)
            ),
        )
        for phase, level in (
            (baseline("w", half(28) * 2), 6.0),
            (seen("w", "A", half(28) * 2, after=28), 3.0),
        )
    ]
    analysis = said(plan("before_after", primary="severity", secondary=()), among)
    assert analysis.conclusion == "fewer"
    assert "That is lower than before; why cannot be told" in analysis.verdict


def test_a_second_factor_is_told_too() -> None:
    arms = {"AB": 4, "A": 6, "B": 12, "": 12}
    among = [
        phase
        for n in range(12)
        for label, count in [list(arms.items())[n % 4]]
        for phase in arm(label, half(14), half(count + n % 3), wearer=f"w{n:02}")
    ]
    verdict = said(plan("factorial", wearers=12), among).verdict
    assert "without it 6.5" in verdict
    assert "With vitamin C rather than without it: 10 % fewer, but it could be anything from" in verdict


def test_felt_better_in_pairs_is_told_in_pairs() -> None:
    among = [
        replace(phase, felt_better=phase.phase.label == "A" and phase.phase.cycle == 1)
        for wearer in "uv"
        for phase in n_of_1("ABBA", [half(5)] * 4, wearer=wearer)
    ]
    analysis = said(plan(primary="felt_better", secondary=(), wearers=2), among)
    assert analysis.verdict.startswith("Felt better, of 4 pairs: 2 on magnesium, 0 on placebo.")


def test_a_look_before_the_end_is_told_as_one() -> None:
    among = n_of_1("ABBA", [half(10), half(40), half(40), half(10)])
    planned, early = (
        said(plan(), among, differences=differences)
        for differences in ((), (Difference("length", "every phase to its end", "1 of 1 still taking part"),))
    )
    assert early.verdict.endswith("The trial is not over: this may change.")
    assert early.caveats[0].startswith("This is a look before the trial is over.")
    assert "not over" not in planned.verdict
    assert not any("before the trial is over" in caveat for caveat in planned.caveats)


def test_several_outcomes_and_single_days_are_said_as_such() -> None:
    among = n_of_1("ABBA", [half(20)] * 4)
    analysis = said(plan(settle_days=1), among)
    assert "the first day of each phase was not counted" in analysis.methods
    assert any("one in twenty differs by chance alone" in caveat for caveat in analysis.caveats)
    alone = said(plan(secondary=()), among)
    assert not any("one in twenty" in caveat for caveat in alone.caveats)


def test_everybody_registered_is_analysed_or_lost_once() -> None:
    """Of six, one is excluded, one left before the second period, one has no data in it; one left in its midst."""
    among = [
        phase
        for n in range(6)
        for phase in crossed("AB" if n % 2 else "BA", half(8), [None] * 14 if n == 2 else half(8), wearer=f"w{n}")
        if not (n == 1 and phase.phase.position == 2)
    ]
    changes = {"w0": {"excluded": "took quinine"}, "w1": {"left": FIRST, "reason": "moved"},
               "w3": {"left": FIRST + timedelta(days=35), "reason": "ill"}}  # fmt: skip
    joined = tuple(replace(member, **changes.get(member.wearer, {})) for member in members(among))
    flow = analyse(plan("crossover", wearers=6), among, joined).flow
    registered, analysed, early = flow[0], flow[-2], flow[-1]
    assert (analysed.label, analysed.wearers) == ("analysed", 3)
    assert dict(analysed.lost) == {
        "excluded: took quinine": 1, "left: moved": 1, "no nights with enough data on both sides": 1,
    }  # fmt: skip
    assert registered.wearers == analysed.wearers + sum(number for _, number in analysed.lost)
    assert (early.label, early.wearers) == ("of them left early: ill", 1)


def test_an_interval_without_ends_is_told_in_words_and_shows_nothing() -> None:
    """Three wearers are too few for an interval of ranks; what was felt alone has no load."""
    among = [phase for n in range(3) for phase in arm("A", [3] * 14, [2] * 14 if n else [3] * 14, wearer=f"w{n}")]
    analysis = said(plan("before_after", primary="load", secondary=(), wearers=3, counting="both"), among)
    assert math.isinf(analysis.results[0].estimate.high)
    assert analysis.conclusion == "not_enough_data"
    assert "lower on magnesium than before, but so few figures cannot tell how far that may be off." in analysis.verdict


def test_a_cramp_that_was_only_felt_has_no_load() -> None:
    one = seen("w", "A", [2])
    night = one.observed[0]
    felt = replace(night, cramps=(night.cramps[0], replace(night.cramps[1], episode="", confirmed=True, load=0.0)))
    assert value("load", [tally(plan(counting="both"), replace(one, observed=(felt,)))]) == pytest.approx(2 * 2.0)


def test_a_share_of_no_nights_is_unknown() -> None:
    among = [baseline("w", [None] * 14), seen("w", "A", half(20), after=14)]
    verdict = said(plan("before_after", primary="cramp_periods", secondary=()), among).verdict
    assert verdict.startswith("On magnesium you had cramps in 100 % of nights, before in an unknown share;")
    assert "?" not in verdict


def test_who_felt_better_is_told_without_a_single_judged_night() -> None:
    among = [
        replace(phase, felt_better=phase.phase.label == "A")
        for n in range(8)
        for phase in arm("AB"[n % 2], [None] * 14, [None] * 14, wearer=f"w{n}")
    ]
    analysis = said(plan("parallel", primary="felt_better", secondary=(), wearers=8), among)
    assert analysis.conclusion == "fewer"
    assert analysis.verdict.startswith("Felt better: 4 of 4 on magnesium, 0 of 4 on placebo.")


def test_who_is_not_in_a_pooled_ratio_is_told() -> None:
    among = [phase for wearer in "uv" for phase in n_of_1("ABBA", [half(10), half(20)] * 2, wearer=wearer)]
    still = n_of_1("ABBA", [half(0)] * 4, wearer="w")
    found = said(plan(wearers=3), [*among, *still]).results[0].estimate
    assert "1 wearer left out: no cramp in either period." in found.note
