"""Trends of one wearer: rates by week, level and slope, changes, patterns; each against another way to work it out."""

import math
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from trends_world import BERLIN, FIRST, frail, last_of, nights, seen

from api.diary.values import Intervention
from api.observed import Observed
from api.statistics.dispersed import level_and_slope
from api.trends import alarms, beside, changes, changing, hours, nightday, whole
from api.trends import clusters as clusters_module
from api.trends import trend as trend_module
from api.trends import weekdays as weekdays_module
from api.trends.changes import change
from api.trends.clusters import clusters
from api.trends.dispersion import per_8_h
from api.trends.hours import profile
from api.trends.nightday import WARNING, night_day
from api.trends.schemas import TrendsOut
from api.trends.sloping import fit
from api.trends.trend import LEAST_POWER, power, trend
from api.trends.weekdays import weekdays
from api.trends.weeks import cover, weekly
from api.trends.whole import Material, trends

COUNTS = np.array([9, 4, 12, 8, 1, 6, 10, 2, 4, 0, 7, 2], dtype=np.float64)
EXPOSURES = np.array([7, 6, 7, 7, 5, 6.5, 7, 4, 7, 3, 7, 6], dtype=np.float64)
WEEKS = np.arange(12.0) - 11.5


def test_weeks_end_with_the_range_and_the_first_may_be_short() -> None:
    among = nights([1] * 17)
    weeks = weekly(among, first=FIRST, last=last_of(among))
    assert [(week.last - week.first).days + 1 for week in weeks] == [3, 7, 7]
    assert [week.cover.cramps for week in weeks] == [3, 7, 7]
    assert weeks[-1].last == last_of(among)


def test_missing_nights_are_no_zeros() -> None:
    good = nights([1] * 7)
    poor = [seen(FIRST + timedelta(days=7 + i), [1.0], enough=False, usable_h=1.0) for i in range(7)]
    weeks = weekly([*good, *poor], first=FIRST, last=FIRST + timedelta(days=13))
    assert weeks[0].rate.value == 1.0
    assert not weeks[1].rate.known
    assert (weeks[1].cover.missing, weeks[1].cover.cramps, weeks[1].cover.unjudged_cramps) == (7, 0, 7)
    assert cover([*good, *poor]).judged_h == 56.0
    assert cover([*good, *poor]).usable_h == 63.0


def test_an_episode_that_the_wearer_called_none_is_no_cramp() -> None:
    covered = cover([seen(FIRST, [1.0, 2.0, 3.0], confirmed=[False, True, None])])
    assert covered.cramps == 2


def test_a_rate_that_is_dispersed_is_garwoods_of_counts_divided_by_the_dispersion() -> None:
    plain, wide = per_8_h(8, 80.0), per_8_h(8, 80.0, dispersion=2.0)
    assert (plain.low, plain.high) == pytest.approx(np.array(stats.chi2.ppf([0.025, 0.975], [16, 18])) / 2 / 10)
    assert (wide.low, wide.high) == pytest.approx(np.array(stats.chi2.ppf([0.025, 0.975], [8, 10])) / 2 / 5)
    assert per_8_h(8, 80.0, dispersion=0.3).low == plain.low
    assert per_8_h(0, 80.0, dispersion=2.0).low == 0.0


def test_the_slope_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm  # noqa: PLC0415

    design = np.column_stack([np.ones(12), WEEKS])
    theirs = sm.GLM(COUNTS, design, family=sm.families.Poisson(), offset=np.log(EXPOSURES)).fit(scale="X2")
    ours = fit(COUNTS, EXPOSURES, WEEKS)
    assert [ours.a, ours.b] == pytest.approx(list(theirs.params), rel=1e-7)
    assert ours.dispersion == pytest.approx(theirs.scale, rel=1e-7)
    assert ours.covariance == pytest.approx(np.asarray(theirs.cov_params()), rel=1e-6)
    also = level_and_slope(COUNTS, EXPOSURES, WEEKS)
    assert also.slope.value == pytest.approx(ours.change(4.0)[0], rel=1e-6)
    low, high = (theirs.params[1] + np.array([-1, 1]) * stats.t.isf(0.025, 10) * theirs.bse[1]) * 4
    assert ours.change(4.0)[1:] == pytest.approx((math.exp(low), math.exp(high)), rel=1e-6)


def test_a_background_is_fitted_as_a_search_of_the_likelihood_finds_it() -> None:
    background = 0.2
    ours = fit(COUNTS, EXPOSURES, WEEKS, background=background)
    a, b = np.meshgrid(ours.a + np.linspace(-0.02, 0.02, 41), ours.b + np.linspace(-0.002, 0.002, 41), indexing="ij")
    mean = EXPOSURES * (background + np.exp(a[..., None] + b[..., None] * WEEKS))
    best = stats.poisson.logpmf(COUNTS, mean).sum(axis=-1)
    assert np.unravel_index(best.argmax(), best.shape) == (20, 20)


def test_a_fall_that_is_known_exactly_is_found_with_its_background() -> None:
    level, slope, background = 0.5, -0.1, 0.3
    counts = EXPOSURES * 1000 * (background + level * np.exp(slope * WEEKS))
    got = fit(counts, EXPOSURES * 1000, WEEKS, background=background)
    assert (math.exp(got.a), got.b) == pytest.approx((level, slope), rel=1e-6)
    plain = fit(counts, EXPOSURES * 1000, WEEKS)
    assert abs(plain.b) < abs(slope)  # false alarms hide a part of the fall


def test_a_falling_rate_is_fewer_and_a_constant_one_is_not() -> None:
    falling = nights([3] * 14 + [2] * 14 + [1] * 14 + [0, 1] * 7)
    last = last_of(falling)
    found = trend(weekly(falling, first=FIRST, last=last), last=last)
    assert found.verdict == "fewer"
    assert found.change.high < 1.0
    assert found.sentence.startswith("Fewer: ")
    steady = nights([1, 0, 2, 1, 0, 1, 1] * 12)
    flat = trend(weekly(steady, first=FIRST, last=last_of(steady)), last=last_of(steady))
    assert flat.verdict == "no_change_shown"
    assert flat.change.low < 1.0 < flat.change.high
    assert "but anything from" in flat.sentence
    assert len(flat.line) == 12


def test_too_few_cramps_give_no_trend_but_what_would_be_needed() -> None:
    rare = nights(([0] * 13 + [1]) * 6)
    found = trend(weekly(rare, first=FIRST, last=last_of(rare)), last=last_of(rare))
    assert found.verdict == "not_enough_data"
    assert 0.0 < found.power < LEAST_POWER
    assert not found.change.known
    assert found.sentence.startswith("Not enough data to tell a trend.")
    assert "weeks would be needed" in found.needed


@pytest.mark.parametrize("counts", [[], [0] * 84, [1] * 7])
def test_nothing_seen_is_no_trend(counts: list[int]) -> None:
    among = nights(counts)
    last = FIRST + timedelta(days=83)
    found = trend(weekly(among, first=FIRST, last=last), last=last)
    assert found.verdict == "not_enough_data"
    assert not found.level.known


def test_power_is_what_simulation_finds() -> None:
    rng = np.random.default_rng(4)
    exposures = np.full(12, 7.0)
    mean = 6.0 * np.exp(math.log(0.5) / 4 * (WEEKS - WEEKS.mean()))
    shown = sum(
        (found := fit(rng.poisson(mean).astype(np.float64), exposures, WEEKS)).ok and found.p < 0.05 for _ in range(400)
    )
    promised = power(np.full(12, mean.mean()), exposures, WEEKS, dispersion=1.0)
    assert shown / 400 == pytest.approx(promised, abs=0.08)


@pytest.mark.parametrize("weeks", [4, 12, 26, 57, 260])
@pytest.mark.parametrize("per_week", [0.1, 1.0, 2.5, 30.0])
def test_power_is_a_probability_and_grows(weeks: int, per_week: float) -> None:
    x, counts, exposures = np.arange(float(weeks)), np.full(weeks, per_week), np.full(weeks, 7.0)
    chances = [power(counts, exposures, x, dispersion=2.0, ratio=ratio) for ratio in (0.99, 0.9, 0.75, 0.5, 0.1)]
    assert all(0.049 <= chance <= 1.0 for chance in chances)
    assert chances == sorted(chances)


def _closed_form(counts: np.ndarray, exposures: np.ndarray, *, mean: float) -> float:
    """Log evidence of Poisson counts with one gamma rate, by its formula (shape 2, mean as given)."""
    a, b = 2.0, 2.0 / mean
    y, t = counts.sum(), exposures.sum()
    constant = (counts * np.log(exposures) - special.gammaln(counts + 1)).sum()
    return float(special.gammaln(a + y) - special.gammaln(a) + a * math.log(b) - (a + y) * math.log(b + t) + constant)


def test_the_step_without_frailty_is_the_gamma_poisson_formula() -> None:
    counts = np.array([6.0, 5, 7, 4, 6, 1, 2, 0, 1, 2])
    exposures = np.array([7.0, 6, 7, 5, 7, 7, 6, 7, 7, 5])
    mean = counts.sum() / exposures.sum()
    logs = np.full(len(counts), -np.inf)
    for at in range(changing.LEAST_SIDE, len(counts) - changing.LEAST_SIDE + 1):
        logs[at] = _closed_form(counts[:at], exposures[:at], mean=mean) + _closed_form(
            counts[at:], exposures[at:], mean=mean
        )
    expected = np.exp(logs - special.logsumexp(logs))
    got = changing.weigh(counts, exposures, frailties=np.zeros(1))
    assert got.steps == pytest.approx(expected, abs=2e-3)
    odds = special.logsumexp(logs) - math.log(7) - _closed_form(counts, exposures, mean=mean)
    assert got.step / got.constant == pytest.approx(math.exp(odds) * 0.25 / 0.5, rel=0.02)


def test_frailty_takes_certainty_away() -> None:
    counts = np.array([6.0, 5, 9, 4, 6, 1, 2, 0, 3, 2])
    exposures = np.full(10, 7.0)
    plain = changing.weigh(counts, exposures, frailties=np.zeros(1))
    assert changing.weigh(counts, exposures).step < plain.step


def test_a_sudden_change_is_dated_with_an_interval_and_no_cause() -> None:
    among = nights([1, 1, 0, 2, 1, 1, 1] * 8 + [0, 0, 0, 1, 0, 0, 0] * 8)
    last = last_of(among)
    began = FIRST + timedelta(days=55)
    magnesium = Intervention("magnesium", first=began, dose_value=300, dose_unit="mg")
    got = change(weekly(among, first=FIRST, last=last), interventions=[magnesium], first=FIRST, last=last)
    assert got.verdict == "shown"
    assert got.first is not None
    assert got.last is not None
    assert got.first <= FIRST + timedelta(days=56) <= got.last
    assert got.most_likely == FIRST + timedelta(days=56)
    assert got.ratio.high < 1.0
    assert [(one.date, one.name, one.what) for one in got.beside] == [(began, "magnesium 300 mg", "began")]
    assert "that it was the cause is not shown" in got.sentence
    assert sum(one.probability for one in got.dates) == pytest.approx(1.0)


def test_days_of_the_week_that_differ_are_shown() -> None:
    among = nights([0, 0, 0, 0, 0, 2, 0] * 12)
    got = weekdays(among, last=last_of(among))
    assert got.verdict == "shown"
    assert got.p is not None
    assert got.p < 0.01
    assert [item.cramps for item in got.items] == [0, 0, 0, 0, 0, 24, 0]
    assert "most on Saturday" in got.sentence


def test_three_weeks_are_not_enough_for_days_of_the_week() -> None:
    among = nights([1] * 21)
    assert weekdays(among, last=last_of(among)).verdict == "not_enough_data"


def test_the_exposure_of_an_hour_is_spread_over_the_period() -> None:
    among = [seen(FIRST + timedelta(days=i), [2.5], usable_h=6.0, hours=8.0) for i in range(14)]
    since = profile(among, by="since_start", zones=BERLIN)
    assert [item.hour for item in since.items] == list(range(8))
    assert all(item.usable_h == pytest.approx(14 * 0.75) for item in since.items)
    assert [item.cramps for item in since.items] == [0, 0, 14, 0, 0, 0, 0, 0]
    assert "the 3rd hour" in since.sentence
    clock = profile(among, by="clock", zones=BERLIN)
    assert [item.label for item in clock.items][:3] == ["22–23", "23–00", "00–01"]  # 21:00 UTC in winter
    assert clock.items[2].cramps == 14


def test_hours_without_data_are_not_hours_without_cramps() -> None:
    """Worn until 03:30 of every night that lasts until 06:00."""
    among = [
        seen(FIRST + timedelta(days=i), [2.5 + i % 3], usable_h=5.5, spans_h=[(0.0, 3.0), (3.0, 5.5)])
        for i in range(77)
    ]
    got = profile(among, by="clock", zones=BERLIN)
    assert [item.label for item in got.items][-3:] == ["03–04", "04–05", "05–06"]
    assert [item.usable_h for item in got.items] == pytest.approx([77.0] * 5 + [38.5, 0.0, 0.0])
    assert [item.rate.known for item in got.items] == [True] * 6 + [False] * 2
    assert got.items[-1].rate.note == hours.NOT_SEEN
    assert got.sentence.endswith("Hardly seen, so not known: 04–05, 05–06.")
    told = TrendsOut.model_validate(trends(Material("w", "night", FIRST, last_of(among), tuple(among), (), (), BERLIN)))
    assert [item.rate.value for item in told.profiles[1].items][-2:] == [None, None]


def test_no_hour_is_named_where_it_is_not_known_when_a_device_saw() -> None:
    among = [seen(FIRST + timedelta(days=i), [2.5], usable_h=6.0, spans_h=()) for i in range(84)]
    got = profile(among, by="since_start", zones=BERLIN)
    assert [item.usable_h for item in got.items] == pytest.approx([84 * 0.75] * 8)
    assert got.sentence == hours.NOT_KNOWN
    known = [seen(FIRST + timedelta(days=84 + i), [2.5], usable_h=6.0) for i in range(84 * 20)]
    assert "the 3rd hour" in profile([*among, *known], by="since_start", zones=BERLIN).sentence


@given(start=st.integers(0, 23), length=st.floats(1.0, 20.0), usable=st.floats(0.1, 1.0))
def test_hours_of_a_profile_add_up_to_what_was_usable(start: int, length: float, usable: float) -> None:
    among = [
        seen(FIRST + timedelta(days=i), [start % length], usable_h=length * usable, hours=length) for i in range(60)
    ]
    for by in ("since_start", "clock"):
        got = profile(among, by=by, zones=BERLIN)  # type: ignore[arg-type]
        left_out = sum(item.usable_h for item in among) - sum(item.usable_h for item in got.items)
        assert -1e-6 <= left_out < 8.0  # of two hours, each with less than four usable


def test_cramps_that_bring_the_next_are_bouts_and_a_bad_night_is_not() -> None:
    bouts = [seen(FIRST + timedelta(days=i), [1 + i % 6, 1.4 + i % 6] if i % 2 else []) for i in range(40)]
    got = clusters(bouts)
    assert got.verdict == "shown"
    assert (got.cramps, got.followed) == (40, 20)
    assert got.by_chance is not None
    assert got.share.low > got.by_chance
    bad = [seen(FIRST + timedelta(days=i), [0.5, 2.0, 3.5, 5.0, 6.5] if i % 8 == 0 else []) for i in range(80)]
    assert clusters(bad).verdict == "not_shown"


def test_nights_worn_in_parts_make_no_bouts() -> None:
    """Cramps that know nothing of each other, in nights worn for two hours each, some early and some late."""
    rng = np.random.default_rng(21)

    def worn(i: int, *, spans: bool) -> Observed:
        begin = 2.0 * (i % 4)
        cramps = [begin + at for at in starts[i]]
        return seen(FIRST + timedelta(days=i), cramps, usable_h=2.0, spans_h=[(begin, begin + 2.0)] if spans else None)

    starts = [sorted(rng.uniform(0.0, 2.0, 1 + i // 4 % 2)) for i in range(84)]
    got = clusters([worn(i, spans=True) for i in range(84)])
    assert got.verdict == "not_shown"
    assert got.by_chance is not None
    # Of two at random in two hours, three quarters lie within one hour: of three cramps one has one to be followed by.
    assert got.by_chance == pytest.approx(0.75 / 3, abs=0.05)
    assert clusters([worn(i, spans=False) for i in range(84)]).verdict == "shown", "as if worn all night"


def test_both_legs_at_once_are_no_bout() -> None:
    twins = [seen(FIRST + timedelta(days=i), [1.0, 1.005, 6.0, 6.005]) for i in range(30)]
    assert clusters(twins).followed == 0


def test_few_cramps_are_not_enough_for_bouts() -> None:
    got = clusters([seen(FIRST, [1.0, 1.5])])
    assert got.verdict == "not_enough_data"
    assert not got.share.known


def test_night_and_day_are_compared_by_the_hour_and_nothing_is_advised() -> None:
    by_night = nights([1, 0, 1, 1, 0, 1, 1] * 8)
    by_day = nights([0, 0, 0, 1, 0, 0, 0] * 8, kind="day")
    got = night_day(by_night, by_day, first=FIRST, last=last_of(by_night))
    assert got.pattern == "mostly_night"
    assert got.exact.value == pytest.approx(5.0)
    assert "magnesium" in got.hypothesis
    assert got.warning == WARNING
    assert "Only a laboratory can tell" in got.warning
    none = night_day(by_night, [], first=FIRST, last=last_of(by_night))
    assert none.pattern == "not_enough_data"
    assert not none.exact.known


def test_everything_of_an_empty_range_is_told_without_a_figure() -> None:
    got = trends(Material("w", "night", FIRST, FIRST + timedelta(days=83), (), (), (), BERLIN))
    assert got.sentence == "No nights in this range have ended."
    assert not got.rate.known
    told = TrendsOut.model_validate(got).model_dump(mode="json", by_alias=True)
    assert told["from"] == str(FIRST)
    assert told["rate"]["value"] is None
    assert told["trend"]["verdict"] == told["change"]["verdict"] == told["weekdays"]["verdict"] == "not_enough_data"


def test_the_whole_is_the_same_every_time_and_in_any_order() -> None:
    among = nights([1, 0, 2, 0, 1, 3, 0] * 12)
    days = nights([0, 1, 0, 0, 0, 0, 0] * 12, kind="day")
    reach = (FIRST, last_of(among))
    got = trends(Material("w", "night", *reach, tuple(among), tuple(days), (), BERLIN))
    again = trends(Material("w", "night", *reach, tuple(among), tuple(days), (), BERLIN))
    assert got == again
    assert [(a.last + timedelta(days=1)) == b.first for a, b in pairwise(got.weeks)] == [True] * 11
    assert sum(week.cover.cramps for week in got.weeks) == got.cover.cramps
    assert isinstance(got.first, date)


def test_limits_in_the_text_are_those_of_the_code() -> None:
    page = (Path(__file__).parents[1] / "docs" / "trends.md").read_text(encoding="utf-8")
    table = page.split("## When there is not enough data")[1].split("## ")[0]
    for sentence in (
        f"{trend_module.LEAST_WEEKS} weeks with judged periods, and a chance of {trend_module.LEAST_POWER:.0%}",
        f"{changes.LEAST_WEEKS} weeks with judged periods, {changes.LEAST_CRAMPS} cramps",
        f"{weekdays_module.LEAST_EACH} judged periods of each day, {weekdays_module.LEAST_CRAMPS} cramps",
        f"{clusters_module.LEAST_CRAMPS} cramps, {clusters_module.LEAST_SHARED} periods with two or more",
        f"{nightday.LEAST_JUDGED} judged nights and days",
        f"{beside.LEAST_VALUES} values at least {beside.DAYS} days apart",
    ):
        assert sentence.replace("%", " %") in table
    assert f"shown only if p < {weekdays_module.SHOWN_BELOW}" in page
    assert f"{weekdays_module.EXCHANGES:,} times" in page
    assert f"{alarms.OF_NIGHTS.false} false alarms in {alarms.OF_NIGHTS.hours:.0f}" in page
    assert f"{alarms.OF_DAYS.false} in\n{alarms.OF_DAYS.hours:.0f} hours" in page
    assert changes.SHOWN_FROM == 0.5  # "if it is more likely than not"
    assert (alarms.LEAST_REVIEWED, hours.LEAST_H, whole.MUCH_MISSING) == (10, 4.0, 0.3)  # written out in the text
    assert f"above {hours.MOST_EVEN:.0%} of such hours".replace("%", " %") in page


def test_a_long_range_is_worked_out_whole() -> None:
    """A year with every figure told: nothing runs away, overflows or divides by nothing."""
    rng = np.random.default_rng(14)
    among = nights(frail(rng, weeks=57, per_week=6.0))
    days = nights(frail(rng, weeks=57, per_week=14.0), kind="day")
    got = trends(Material("w", "night", FIRST, last_of(among), tuple(among), tuple(days), (), BERLIN))
    told = TrendsOut.model_validate(got).model_dump(mode="json")
    assert all(one.verdict != "not_enough_data" for one in (got.trend, got.change, got.weekdays, got.clusters))
    assert [row["at_middle"]["value"] is not None for row in told["false_alarms"]["corrected"]] == [True] * 3
