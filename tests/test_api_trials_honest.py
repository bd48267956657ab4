"""Nasty small trials: no sentence may say more than was seen, and what is missing is never nothing."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from trial_cases import arm, baseline, members, plan, seen

from api.trials.analyse import analyse
from api.trials.outcomes import tally, value
from api.trials.values import Analysis, Plan, Seen


def half(count: int) -> list[int]:
    return [count // 14 + (number < count % 14) for number in range(14)]


def said(of: Plan, among: Sequence[Seen], **more: object) -> Analysis:
    return analyse(of, among, members(among), **more)  # type: ignore[arg-type]


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
