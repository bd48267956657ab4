"""Small and lopsided ranges: sentences that promise no more than was seen."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from trends_world import BERLIN, FIRST, frail, last_of, nights

from api.observed import Observed
from api.statistics.power import power_two_rates
from api.statistics.values import Estimate
from api.trends.alarms import alarm_rate
from api.trends.correcting import corrected_ratio
from api.trends.ratios import Side, cramps_needed, dispersion
from api.trends.trend import LEAST_POWER
from api.trends.values import Trends
from api.trends.whole import Material, trends
from api.trends.wording import times

UNASSIGNED = {"expected_s": 0.0, "usable_s": 0.0, "enough": False, "cramps": ()}
UNSEEN = {"usable_s": 0.0, "enough": False, "cramps": ()}


def told(among: Sequence[Observed], days: Sequence[Observed] = ()) -> Trends:
    last = last_of(among)
    return trends(Material("w", "night", FIRST, last, tuple(among), tuple(days), (), BERLIN))


def test_nights_before_there_was_a_device_are_no_usable_hours() -> None:
    among = [replace(item, **UNASSIGNED) if n < 77 else item for n, item in enumerate(nights([1] * 84))]
    found = told(among)
    assert found.cover.unassigned == 77
    assert found.cover_sentence.endswith("In 77 no device was assigned; elsewhere 100 % of the hours were usable.")


@pytest.mark.parametrize(
    ("by_night", "by_day", "sentence"),
    [
        ([1] * 84, [0] * 84, "Mostly by night: no cramps by day; at least 22 times as many an hour by night."),
        ([0] * 84, [1] * 84, "Mostly by day: no cramps by night; at most 0.04 times as many an hour as by day."),
    ],
)
def test_a_side_without_cramps_has_a_bound_and_no_number(by_night: list[int], by_day: list[int], sentence: str) -> None:
    found = told(nights(by_night), nights(by_day, kind="day")).night_day
    assert found is not None
    assert found.sentence == sentence


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ((math.inf, 1.3, math.inf), "no cramps by day; at least 1.3 times as many an hour by night"),
        ((math.inf, 0.0, math.inf), "no cramps by day; no bound is known"),
        ((0.0, 0.0, math.inf), "no cramps by night; no bound is known"),
        ((2.0, 1.3, math.inf), "2.0 (at least 1.3) times as many an hour by night as by day"),
        ((2.0, 1.3, 3.1), "2.0 (1.3 to 3.1) times as many an hour by night as by day"),
    ],
)
def test_no_ratio_is_told_as_any_number(figures: tuple[float, float, float], words: str) -> None:
    assert times(Estimate("ratio", *figures, None, "a method"), "by night", "by day") == words


def test_a_comparison_with_nothing_left_says_which_it_is() -> None:
    """One cramp in ten days: every rate of false alarms is higher."""
    found = told(nights([1, 0, 1, 1, 0, 1, 1] * 12), nights(([1] + [0] * 9) * 9, kind="day")).false_alarms
    by_name = {row.name: row.sentence for row in found.corrected}
    assert "night against day hangs on" in by_name["night_day"]
    assert all("conclusion" not in sentence for sentence in by_name.values())
    none = corrected_ratio(
        "ratio", Estimate("ratio", 2.0, 1.3, 3.1, None, "a method"), base=0.1, alarms=alarm_rate((), kind="day"),
        alarms_base=alarm_rate((), kind="day"), what="in heat, against days without", about="heat against days without",
    )  # fmt: skip
    assert none.sentence == (
        "With so many false alarms no cramps would be left, so what is said of heat against days without hangs on them."
    )


def test_what_is_lacking_to_compare_night_and_day_is_told_in_numbers() -> None:
    short = told(nights([1] * 3), nights([0] * 10, kind="day")).night_day
    assert short is not None
    assert short.sentence.startswith(
        "Not enough data to compare night and day: needed are 7 nights and 7 days that could be judged, and about "
    )
    assert short.sentence.endswith("cramps in all. So far there are 3 nights, 10 days and 3 cramps.")
    few = told(nights([1] + [0] * 13), nights([0] * 14, kind="day"))
    assert few.night_day is not None
    assert few.night_day.pattern == "not_enough_data"
    needed = re.search(r"needed are about (\d+) cramps in all. So far there is 1 cramp.$", few.night_day.sentence)
    assert needed is not None
    assert [row.name for row in few.false_alarms.corrected] == ["rate"], "nothing is said of the others"


def test_with_as_many_cramps_as_are_needed_a_halving_would_be_shown() -> None:
    one, other = Side((3, 2), (56.0, 56.0)), Side((1, 1), (80.0, 80.0))
    needed = cramps_needed(one, other)
    assert needed is not None
    for total, enough in ((needed, True), (needed - 1, False)):
        share = one.exposure / (one.exposure + other.exposure)
        chance = power_two_rates(
            expected_a=total * (1 - share), expected_b=total * share, ratio=0.5, dispersion=dispersion([one, other])
        )
        assert (chance >= LEAST_POWER) == enough
    assert cramps_needed(one, Side((), ())) is None


def test_what_is_needed_is_told_in_words_of_everyday() -> None:
    found = told(nights([1] * 3), nights([1] * 3, kind="day"))
    assert found.night_day is not None
    sentences = (found.trend.sentence, found.change.sentence, found.weekdays.sentence, found.night_day.sentence)
    assert all("judged period" not in sentence and "needed are" in sentence.lower() for sentence in sentences)
    assert "Needed are 6 weeks in which the device saw enough, and a cramp." in found.trend.sentence


def test_one_bad_night_is_no_sudden_change() -> None:
    """60 cramps in one night of 84: it stands out, and no level came after it."""
    found = told(nights([0] * 40 + [60] + [0] * 43)).change
    assert found.verdict == "not_shown"
    assert found.probability is not None
    assert found.probability > 0.5
    assert "whether there were more or fewer" in found.sentence


def test_cramps_in_a_single_week_are_not_told_by_a_line() -> None:
    found = told(nights([0] * 77 + [5] * 7)).trend
    assert found.verdict == "not_enough_data"
    assert found.sentence == (
        "Not enough data to tell a trend. The cramps lie in so few of the weeks that no line along time fits them."
    )


def test_the_level_is_told_where_there_were_data() -> None:
    """Six weeks without data at the end: where the line would be by now is a guess."""
    rng = np.random.default_rng(3)
    counts = frail(rng, weeks=16, per_week=20, k=20, ratios=[0.85**week for week in range(16)])
    whole = nights(counts)
    among = [replace(item, **UNSEEN) if n >= 70 else item for n, item in enumerate(whole)]
    found = told(among).trend
    shorter = told(whole[:70]).trend
    assert found.verdict == "fewer"
    last = FIRST + timedelta(days=69)
    assert f"In the week to {last.day} {last:%B %Y}, the last with data, " in found.sentence
    assert "Now" not in found.sentence
    assert found.change.value == pytest.approx(shorter.change.value)
    assert shorter.level.value < found.level.value < 1.3 * shorter.level.value, "of mid-week, not of its end"


def test_no_cramps_are_no_rate_of_nothing_to_nothing() -> None:
    row = told(nights([0] * 84)).false_alarms.corrected[0]
    assert row.sentence == "There were no cramps, so no false alarms either."
