"""What trends are told with: false alarms taken off, contexts of the diary, laboratory values."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from trends_world import BERLIN, FIRST, last_of, nights, seen

from api.diary.values import Context, LabValue
from api.observed import Observed
from api.trends.alarms import LEAST_REVIEWED, OF_DAYS, OF_NIGHTS, alarm_rate, seen_ratio, true_ratio
from api.trends.beside import DAYS, LEAST_VALUES, laboratory, window
from api.trends.contexts import by_dialysis, by_drink, by_heat
from api.trends.correcting import less
from api.trends.ratios import Side, compare
from api.trends.weeks import cover, per_8_h
from api.trends.whole import Material, trends

REPORT = Path(__file__).parents[1] / "docs" / "accuracy.json"
# False alarms per night: how a true rate ratio of 0.5 looks at 2.5 cramps a week found with sensitivity 0.9.
DILUTED = {0.03: 0.54, 0.1: 0.62, 0.25: 0.72, 0.5: 0.80, 1.0: 0.88}


def test_false_alarms_are_those_of_the_accuracy_report() -> None:
    recordings = [one for one in json.loads(REPORT.read_text())["recordings"].values() if one["held_out"]]
    for kind, known in (("night", OF_NIGHTS), ("day", OF_DAYS)):
        some = [one for one in recordings if one["kind"] == kind]
        assert known.false == sum(one["false"] for one in some), f"put the count into api/trends/alarms.py: {kind}"
        assert known.hours == pytest.approx(sum(one["hours"] for one in some), abs=0.01)


@pytest.mark.parametrize(("false", "looks"), DILUTED.items())
def test_false_alarms_dilute_a_halving_as_derived(false: float, looks: float) -> None:
    genuine = 0.9 * 2.5 / 7.0
    assert seen_ratio(0.5, genuine=genuine, false=false) == pytest.approx(looks, abs=0.005)
    precision = genuine / (genuine + false)
    assert round(100 * precision) == {0.03: 91, 0.1: 76, 0.25: 56, 0.5: 39, 1.0: 24}[false]
    back = true_ratio(
        seen_ratio(0.5, genuine=genuine, false=false), base=genuine + false, false=false, false_base=false
    )
    assert back == pytest.approx(0.5)


def test_without_anything_left_there_is_no_ratio() -> None:
    assert math.isnan(true_ratio(0.5, base=0.2, false=0.1, false_base=0.3))


def test_a_wearer_who_reviews_is_judged_by_their_own_reviews() -> None:
    said = [False] * 3 + [True] * 9
    among = [seen(FIRST + timedelta(days=i), [1.0], confirmed=[said[i]] if i < 12 else []) for i in range(42)]
    got = alarm_rate(among, kind="night")
    assert (got.source, got.reviewed, got.rejected) == ("reviews", 12, 3)
    share = stats.binomtest(3, 12).proportion_ci(0.95, "exact")
    # 30 episodes in 42 nights of 8 usable hours are not reviewed.
    assert got.ends == pytest.approx((share.low * 30 / 42, 0.25 * 30 / 42, share.high * 30 / 42))


def test_who_has_confirmed_all_has_no_false_alarms_left() -> None:
    among = [seen(FIRST + timedelta(days=i), [1.0], confirmed=[True]) for i in range(LEAST_REVIEWED - 1)]
    got = alarm_rate(among, kind="night")
    assert got.source == "accuracy_report"
    assert got.ends == (0.0, 0.0, 0.0)


def test_a_rate_is_never_less_than_nothing() -> None:
    got = less(per_8_h(2, 80.0), 0.5)
    assert (got.value, got.low) == (0.0, 0.0)
    assert got.high == pytest.approx(per_8_h(2, 80.0).high - 0.5)


def test_a_low_rate_may_be_false_alarms_alone_and_a_high_one_not() -> None:
    def told(counts: list[int]) -> tuple[bool, str]:
        among = nights(counts)
        got = trends(Material("w", "night", FIRST, last_of(among), tuple(among), (), (), BERLIN)).false_alarms
        return got.corrected[0].hangs_on_it, got.sentence

    assert told([0, 0, 1, 0, 0, 1, 0] * 12)[0]
    hangs, sentence = told([1, 2, 3, 2, 1, 1, 3] * 12)
    assert not hangs
    assert "a true halving looks like a fall to" in sentence


def test_a_trend_that_false_alarms_hide_hangs_on_them() -> None:
    """All cramps genuine, the fall is shown; with most of them false, what falls is nearly gone."""
    among = nights(([1, 0, 1, 0, 1, 1, 0] * 4) + ([0, 1, 0, 0, 1, 0, 0] * 4) + ([0, 0, 0, 1, 0, 0, 0] * 4))
    got = trends(Material("w", "night", FIRST, last_of(among), tuple(among), (), (), BERLIN))
    assert got.trend.verdict == "fewer"
    row = next(row for row in got.false_alarms.corrected if row.name == "trend")
    assert row.seen == got.trend.change
    assert row.at_low.value < row.seen.value
    assert row.hangs_on_it
    assert any("hangs on how many" in caveat for caveat in got.caveats)


def test_night_against_day_without_false_alarms() -> None:
    among, days = nights([2, 3] * 42), nights([1, 2] * 42, kind="day")
    got = trends(Material("w", "night", FIRST, last_of(among), tuple(among), tuple(days), (), BERLIN))
    row = next(row for row in got.false_alarms.corrected if row.name == "night_day")
    f_night, f_day = OF_NIGHTS.false / OF_NIGHTS.hours * 8, OF_DAYS.false / OF_DAYS.hours * 8
    assert row.at_middle.value == pytest.approx((2.5 - f_night) / (1.5 - f_day))
    rare = nights([0, 1] * 42, kind="day")
    got = trends(Material("w", "night", FIRST, last_of(among), tuple(among), tuple(rare), (), BERLIN))
    row = next(row for row in got.false_alarms.corrected if row.name == "night_day")
    assert not row.at_middle.known  # more false alarms than cramps by day
    assert row.hangs_on_it


def _session(index: int, cramps: int, *, drink: str | None = None) -> tuple[Observed, Context]:
    item = seen(
        FIRST + timedelta(days=2 * index), [0.2 * (i + 1) for i in range(cramps)], kind="training", hours=1.5,
        usable_h=1.4,
    )  # fmt: skip
    detail = (("drink", drink),) if drink else ()
    return item, Context("match", item.start_ns, item.end_ns, detail=detail)


def test_exercise_is_compared_by_drink_and_what_is_not_said_is_left_out() -> None:
    pairs = [_session(i, 0, drink="electrolyte") for i in range(12)]
    pairs += [_session(12 + i, 1, drink="water") for i in range(12)]
    pairs += [_session(24, 2)]
    got = by_drink([item for item, _ in pairs], [context for _, context in pairs])
    assert [(group.key, group.cover.judged, group.cover.cramps) for group in got.groups] == [
        ("electrolyte", 12, 0), ("water", 12, 12), ("none", 0, 0),
    ]  # fmt: skip
    (ratio,) = got.ratios
    assert (ratio.key, ratio.against, ratio.verdict) == ("electrolyte", "water", "fewer")
    assert ratio.exact.value == 0.0
    assert ratio.corrected is not None
    assert ratio.corrected.at_middle.value == 0.0
    assert not ratio.corrected.hangs_on_it
    assert ratio.exact.p == pytest.approx(stats.binomtest(0, 12, 0.5).pvalue)
    assert "1 session in which the diary does not say" in got.caveats[0]
    assert "drew lots" in got.caveats[-1]


def test_a_ratio_of_rare_cramps_hangs_on_false_alarms() -> None:
    """One cramp in eight hours by day may well be a false alarm: then twice as many is anything."""
    hot = [seen(FIRST + timedelta(days=2 * i), [1.0, 2.0], kind="day") for i in range(30)]
    cool = [seen(FIRST + timedelta(days=2 * i + 1), [1.0], kind="day") for i in range(30)]
    got = by_heat([*hot, *cool], [Context("heat", item.start_ns) for item in hot]).ratios[0]
    assert got.verdict == "more"
    assert got.corrected is not None
    assert got.corrected.hangs_on_it  # at the high end nothing is left of the cool days
    assert not got.corrected.at_high.known
    assert "hangs on how many" in got.sentence


def test_a_few_matches_are_not_enough_data() -> None:
    pairs = [_session(i, i % 2, drink=("electrolyte", "water")[i % 2]) for i in range(4)]
    (ratio,) = by_drink([item for item, _ in pairs], [context for _, context in pairs]).ratios
    assert ratio.verdict == "not_enough_data"
    assert ratio.sentence.startswith("Not enough data to compare")


def test_bouts_make_a_comparison_less_certain() -> None:
    even = compare(Side((2,) * 6, (4.0,) * 6), Side((1,) * 12, (4.0,) * 12))
    bouts = compare(Side((12, 0, 0, 0, 0, 0), (4.0,) * 6), Side((6, 0, 0, 6) + (0,) * 8, (4.0,) * 12))
    assert even.exact == bouts.exact
    assert bouts.dispersed.low < even.dispersed.low
    assert bouts.power < even.power


def test_sessions_against_the_stretches_between() -> None:
    during = [seen(FIRST + timedelta(days=2 * i), [3.0, 3.5], kind="dialysis", hours=4, usable_h=4) for i in range(12)]
    between = [seen(FIRST + timedelta(days=2 * i), [1.0], kind="between", hours=40, usable_h=20) for i in range(12)]
    got = by_dialysis(during, between)
    assert got.ratios[0].verdict == "more"
    assert got.ratios[0].exact.value == pytest.approx(10.0)
    assert got.groups[0].rate.value == pytest.approx(4.0)


def test_days_that_heat_touches_stand_against_the_others() -> None:
    days = nights([0, 1] * 14, kind="day")
    noon = [days[i].start_ns + 10**9 for i in range(1, 28, 2)]
    heat = [Context("heat", noon[0]), *[Context("heat", at, at + 3600 * 10**9) for at in noon[1:]]]
    got = by_heat(days, heat)
    assert [(group.cover.judged, group.cover.cramps) for group in got.groups] == [(14, 14), (14, 0)]
    assert got.ratios[0].verdict == "more"


def _value(day: int, value: float) -> LabValue:
    at = datetime(FIRST.year, FIRST.month, FIRST.day, 8, tzinfo=UTC) + timedelta(days=day)
    return LabValue("magnesium", round(at.timestamp()) * 10**9, value, "mmol/L")


def test_a_value_stands_beside_the_fourteen_nights_around_it() -> None:
    among = nights([0] * 7 + [1] * 14 + [0] * 7)
    first, last = window(FIRST + timedelta(days=14))
    assert (last - first).days + 1 == DAYS
    got = laboratory(
        "w", [_value(14, 0.7)], among=among, kind="night", reach=(FIRST, last_of(among)), zones=BERLIN
    ).items[0]  # fmt: skip
    assert got.items[0].cover == cover(among[7:21])
    assert got.items[0].rate.value == 1.0
    assert got.verdict == "not_enough_data"
    assert "cause" not in got.sentence


def test_values_go_with_the_rate_only_if_there_are_enough_apart() -> None:
    counts = [night for level in range(LEAST_VALUES) for night in [level] * 14]
    among = nights(counts)
    values = [_value(14 * i + 7, 0.95 - 0.03 * i) for i in range(LEAST_VALUES)]
    reach = (FIRST, last_of(among))
    got = laboratory("w", values, among=among, kind="night", reach=reach, zones=BERLIN).items[0]
    assert got.verdict == "shown"
    assert got.correlation.value == pytest.approx(-1.0)
    assert got.correlation.p is not None
    assert got.correlation.p < 0.01
    assert got.sentence.startswith("More cramps stood beside lower values of magnesium")
    assert "That is no cause." in got.sentence
    close = [_value(7 * i + 7, 0.9) for i in range(LEAST_VALUES)]
    assert laboratory("w", close, among=among, kind="night", reach=reach, zones=BERLIN).items[0].verdict == (
        "not_enough_data"
    )


def test_a_value_is_told_in_one_unit() -> None:
    in_mg = LabValue("magnesium", _value(7, 0.7).at_ns, 1.7, "mg/dL")
    among = nights([1] * 14)
    got = laboratory("w", [in_mg], among=among, kind="night", reach=(FIRST, last_of(among)), zones=BERLIN).items[0]
    assert got.items[0].unit == "mmol/L"
    assert got.items[0].value == pytest.approx(17 / 24.305)
    assert np.isfinite(got.items[0].rate.value)
