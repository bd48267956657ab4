"""The drawings of a report count what its analysis counts, and its badge says no more than its verdict."""

from dataclasses import replace

import pytest
from report_world import plan_of
from trial_cases import n_of_1, plan

from api.report import words
from api.report.weeks import per_week, weeks_of
from api.trials.outcomes import tally
from api.trials.values import Conclusion, Counting, Design, Outcome


@pytest.mark.parametrize(("counting", "weekly"), [("felt", 7.0), ("detected", 3.5), ("both", 10.5)])
def test_a_week_is_drawn_as_the_plan_counts_it(counting: Counting, weekly: float) -> None:
    """Seven nights: in every other one a cramp detected alone, and in each one felt alone; no device in the last."""
    phase = n_of_1("AB", [[1, 0] * 7, [0] * 14])[0]
    nights = [
        replace(
            night,
            cramps=(*night.cramps, *(replace(cramp, episode="", confirmed=True) for cramp in phase.observed[0].cramps)),
        )
        for night in phase.observed
    ]
    of = plan(counting=counting)
    whole = replace(phase, observed=tuple(nights))
    counted = tally(of, whole)
    assert per_week(nights, of) == pytest.approx(56 * counted.count / counted.exposure) == pytest.approx(weekly)
    nights[-1] = replace(nights[-1], enough=False, usable_s=0.0)
    weeks = weeks_of([replace(phase, observed=tuple(nights))], of)
    assert [week.judged for week in weeks] == [7, 7 if counting == "felt" else 6]


@pytest.mark.parametrize(
    ("design", "primary", "conclusion", "badge"),
    [
        ("crossover", "rate", "fewer", "Fewer cramps"),
        ("crossover", "severity", "fewer", "Lower"),
        ("crossover", "duration", "more", "Higher"),
        ("crossover", "felt_better", "fewer", "Better"),
        ("parallel", "remission", "more", "Worse"),
        ("before_after", "remission", "no_difference_shown", "Nothing to compare with"),
        ("parallel", "felt_better", "not_enough_data", "Not enough data"),
    ],
)
def test_the_badge_is_of_the_primary_outcome(
    design: Design, primary: Outcome, conclusion: Conclusion, badge: str
) -> None:
    assert words.badge(plan_of(design, primary=primary), conclusion) == badge
