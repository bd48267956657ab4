"""Outcomes: each worked out by hand on a few nights."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from trial_cases import FIRST, baseline, night, plan, seen

from api.observed import Cramp, Observed
from api.trials.measured import UNITS
from api.trials.outcomes import Tally, counted, reached_of, tally, value, weeks_of, with_cramps
from api.trials.values import Counting, Outcome, Seen


def of(one: Seen, **changes: object) -> Tally:
    return tally(plan(**changes), one)  # type: ignore[arg-type]


def test_a_phase_in_figures() -> None:
    """Three of five nights judged, with 0, 2 and 1 cramps of a minute at severity 4 and load 2, in 24 hours."""
    one = of(seen("w", "A", [0, None, 2, None, 1]))
    assert (one.planned, one.judged, one.count, one.exposure, one.expected_h) == (5, 3, 3.0, 24.0, 40.0)
    expected: dict[Outcome, float] = {
        "rate": 1.0, "cramp_periods": 2 / 3, "duration": 1.0, "severity": 4.0, "load": 2.0, "cramp_index": 4.0,
    }  # fmt: skip
    for outcome, figure in expected.items():
        assert value(outcome, [one]) == pytest.approx(figure), outcome


def test_half_a_night_weighs_half() -> None:
    one = of(seen("w", "A", [1, 1], hours=4.0))
    assert value("rate", [one]) == pytest.approx(2.0)  # 2 cramps in 8 hours


def test_nights_without_data_change_nothing_but_how_many_are_missing() -> None:
    whole = of(seen("w", "A", [0, 2, 1]))
    holes = of(seen("w", "A", [0, 2, 1, None, None]))
    assert (holes.planned - whole.planned, holes.judged) == (2, whole.judged)
    for outcome in UNITS:
        assert value(outcome, [holes]) == value(outcome, [whole])


def test_days_of_settling_are_left_out() -> None:
    one = of(seen("w", "A", [9, 9, 1, 0]), settle_days=2)
    assert (one.planned, one.count) == (2, 1.0)


def test_nothing_counts_after_a_wearer_left_or_of_another_kind() -> None:
    phase = seen("w", "A", [1, 1, 1, 1])
    assert tally(plan(), phase, until=FIRST + timedelta(days=1)).count == 2
    assert tally(plan(kinds=("day",)), phase).planned == 0


def test_without_a_night_there_is_no_figure() -> None:
    one = of(seen("w", "A", [None, None]))
    assert math.isnan(value("rate", [one]))
    assert math.isnan(value("severity", [of(seen("w", "A", [0, 0]))]))


SAID = (
    Cramp(1, 60, 4, episode="seen"),
    Cramp(2, 60, 4, episode="felt too", confirmed=True),
    Cramp(3, 60, 4, episode="none", confirmed=False),
    Cramp(4, 60, 4, confirmed=True),  # felt only
)


@pytest.mark.parametrize(("counting", "onsets"), [("detected", [1, 2]), ("felt", [2, 4]), ("both", [1, 2, 4])])
def test_which_cramps_count(counting: Counting, onsets: list[int]) -> None:
    item = replace(night("w", FIRST, 0), cramps=SAID)
    assert [cramp.onset_ns for cramp in counted(item, counting)] == onsets


def test_second_looks_count_otherwise() -> None:
    item = replace(night("w", FIRST, 0), cramps=SAID)
    assert len(counted(item, "detected", "rejected_too")) == 4
    assert [cramp.onset_ns for cramp in counted(item, "detected", "confirmed_only")] == [2, 4]


def test_felt_cramps_need_no_device() -> None:
    """Two nights, one without data: both count, with their whole length."""
    nights = (night("w", FIRST, None), night("w", FIRST + timedelta(days=1), 0))
    felt = replace(nights[0], cramps=(Cramp(5, math.nan, 6.0, confirmed=True),))
    one = tally(plan(counting="felt"), replace(seen("w", "A", [0, 0]), observed=(felt, nights[1])))
    assert (one.judged, one.count, one.exposure) == (2, 1.0, 16.0)
    assert value("severity", [one]) == 6.0
    assert math.isnan(value("duration", [one]))  # nobody said how long


def test_weeks_begin_with_the_first_judged_night() -> None:
    weeks = weeks_of(of(seen("w", "A", [None, None, *[1] * 7, *[2] * 7, 3])))
    assert weeks.counts.tolist() == [7, 14, 3]
    assert weeks.exposures.tolist() == [56, 56, 8]
    assert weeks.day.tolist() == [FIRST.toordinal() + shift for shift in (5, 12, 16)]


def test_a_week_without_a_judged_night_is_no_week() -> None:
    weeks = weeks_of(of(seen("w", "A", [1] * 7 + [None] * 7 + [1] * 7)))
    assert weeks.counts.tolist() == [7, 7]


def test_periods_with_a_cramp_in_place_of_cramps() -> None:
    one = with_cramps(of(seen("w", "A", [0, 3, 1, None])))
    assert (one.count, one.exposure, value("cramp_periods", [one])) == (2.0, 3.0, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("after", "quarter", "half", "free"),
    [
        ([4, 4, 4, 4], False, False, False),
        ([4, 4, 4, 0], True, False, False),  # exactly 25 %
        ([4, 4, 3, 2], False, False, False),  # 3 of 16 fewer
        ([2, 2, 2, 2], True, True, False),
        ([0, 0, 0, None], True, True, True),
        ([None, None, None, None], None, None, None),
    ],
)
def test_responders(after: list[int | None], *, quarter: bool | None, half: bool | None, free: bool | None) -> None:
    before, phase = of(baseline("w", [4, 4, 4, 4])), of(seen("w", "A", after, after=4))
    outcomes: tuple[Outcome, ...] = ("responders_25", "responders_50", "remission")
    assert [reached_of(outcome, [phase], baseline=[before]) for outcome in outcomes] == [quarter, half, free]


def test_who_had_no_cramps_before_cannot_respond() -> None:
    before, phase = of(baseline("w", [0, 0, 0])), of(seen("w", "A", [0, 0, 0], after=3))
    assert reached_of("responders_50", [phase], baseline=[before]) is None
    assert reached_of("remission", [phase], baseline=[before]) is None
    assert reached_of("remission", [phase], baseline=[]) is True


def test_felt_better_is_what_was_said_last() -> None:
    phases = [of(seen("w", "A", [1], felt_better=better)) for better in (True, None, False)]
    assert reached_of("felt_better", phases, baseline=[]) is False
    assert reached_of("felt_better", phases[1:2], baseline=[]) is None


def observed(hours: float) -> Observed:
    return night("w", FIRST, 1, hours=hours)


def test_coverage_is_kept_by_period() -> None:
    one = tally(plan(), replace(seen("w", "A", [0]), observed=(observed(6.0),)))
    assert one.covered.tolist() == [0.75]
