"""Simulated cohorts are what they are said to be, and their judge counts right."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from api.observed import counted
from api.trials.values import Phase
from benchmarks.trials.cohort import Cohort, draw
from benchmarks.trials.judge import Share, Trial, judge
from benchmarks.trials.shown import seen_of
from benchmarks.trials.system import SMALLER, Job, through
from benchmarks.trials.truth import Rhythm, Truth

FIRST = date(2026, 1, 5)
# Nothing but a Poisson count: what a test wants otherwise, it says.
PLAIN = Truth(
    shape=math.inf, weekly=math.inf, kick=0.0, missing=0.0, partly=0.0, sensitivity=1.0,
)  # fmt: skip


def schedule(wearers: int, *, weeks: Sequence[int] = (4, 4)) -> list[Phase]:
    """A baseline and treatments without effect, one after another, of every wearer."""
    phases = []
    for place in range(wearers):
        at = FIRST
        for number, length in enumerate(weeks):
            last = at + timedelta(7 * length - 1)
            kind, label = ("treatment", "A") if number else ("baseline", "")
            phases.append(Phase(f"w{place:04d}", kind, label, at, last, 0, number, "A"))  # type: ignore[arg-type]
            at = last + timedelta(1)
    return phases


def by_phase(cohort: Cohort) -> NDArray[np.float64]:
    """Cramps that happened in and outside the windows, (wearers, phases)."""
    windows, happened = cohort.windows, cohort.happened
    phases = len(cohort.schedule) // len(cohort.wearers)
    counts = np.zeros(len(cohort.schedule))
    np.add.at(counts, windows.phase[happened.window[happened.real]], 1)
    return counts.reshape(-1, phases)


def by_week(cohort: Cohort) -> NDArray[np.float64]:
    """The same by week, (wearers, weeks)."""
    windows, happened = cohort.windows, cohort.happened
    week = (windows.day - FIRST.toordinal()) // 7
    counts = np.zeros((len(cohort.wearers), int(week.max()) + 1))
    np.add.at(counts, (windows.wearer[happened.window], week[happened.window]), happened.real)
    return counts


def test_the_mean_is_the_one_asked_for_and_people_differ_as_a_gamma() -> None:
    counts = by_phase(draw(replace(PLAIN, shape=2.5), schedule(4000, weeks=(4,)), seed=[1]))[:, 0]
    assert counts.mean() / 4 == pytest.approx(4.0, rel=0.04)
    # variance m + m²/k of the sum over four weeks
    assert (counts.var() - counts.mean()) / counts.mean() ** 2 == pytest.approx(1 / 2.5, rel=0.08)


def test_weeks_spread_as_a_negative_binomial() -> None:
    spread = by_week(draw(replace(PLAIN, weekly=3.0), schedule(400, weeks=(8, 8)), seed=[2]))
    assert (spread.var() - spread.mean()) / spread.mean() ** 2 == pytest.approx(1 / 3, rel=0.1)
    plain = by_week(draw(PLAIN, schedule(400, weeks=(8, 8)), seed=[2]))
    assert plain.var() / plain.mean() == pytest.approx(1.0, rel=0.06)
    neighbours = np.corrcoef(spread[:, :-1].ravel(), spread[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.06


def test_cramps_bring_on_others_within_the_hour_and_the_mean_stays() -> None:
    def gaps(kick: float) -> tuple[float, float]:
        cohort = draw(replace(PLAIN, kick=kick), schedule(300), seed=[3])
        whose = cohort.windows.wearer[cohort.happened.window]
        between_h = np.diff(cohort.happened.onset_ns)[np.diff(whose) == 0] / 3.6e12
        return float((between_h < 1.0).mean()), float(by_phase(cohort).mean() / 4)

    (alone, mean), (kicked, kicked_mean) = gaps(0.0), gaps(0.3)
    # Four a week, 73 % of them in a third of the day: about 0.052 an hour at night, 0.010 by day.
    assert alone == pytest.approx(0.73 * 0.051 + 0.27 * 0.010, abs=0.01)
    # All but the last of each bout are followed within the hour, and bouts have 1 / (1 - 0.3) cramps on average.
    assert kicked == pytest.approx(0.3 + 0.7 * alone, abs=0.02)
    assert mean == pytest.approx(4.0, rel=0.04)
    assert kicked_mean == pytest.approx(4.0, rel=0.04)


def test_most_cramps_are_at_night_and_last_a_minute_and_a_half() -> None:
    happened = draw(Truth(), schedule(300), seed=[4]).happened
    assert happened.inside.mean() == pytest.approx(0.73, abs=0.02)
    assert np.median(happened.seconds) == pytest.approx(90.0, rel=0.05)
    assert np.log(happened.seconds).std() == pytest.approx(0.8, rel=0.05)
    assert happened.severity.min() >= 0
    assert happened.severity.max() <= 10
    assert happened.seen.mean() < 0.9  # not all detected, and nights are missing


def test_the_placebo_falls_by_thirty_percent_in_four_weeks_and_stays() -> None:
    counts = by_week(draw(replace(PLAIN, drift=-0.3), schedule(2000, weeks=(4, 8)), seed=[5])).mean(axis=0)
    assert counts[:4] == pytest.approx(4.0, rel=0.04)
    assert counts[8:] == pytest.approx(2.8, rel=0.04)
    assert counts[4:8] == pytest.approx([4 * (1 - 0.3 * (week + 3 / 7) / 4) for week in range(4)], rel=0.05)


def test_a_treatment_multiplies_the_rate_of_its_phase() -> None:
    counts = by_phase(draw(PLAIN, schedule(2000), seed=[6], effects={"A": 0.5}))
    assert counts[:, 0].mean() / 4 == pytest.approx(4.0, rel=0.04)
    assert counts[:, 1].mean() / 4 == pytest.approx(2.0, rel=0.04)


@pytest.mark.parametrize(("wander", "least", "most"), [(0.0, 0.6, 0.72), (0.1, 0.45, 0.6), (0.2, 0.38, 0.52)])
def test_phases_of_one_person_correlate(wander: float, least: float, most: float) -> None:
    cohort = draw(Truth(wander=wander, missing=0.0, partly=0.0), schedule(3000), seed=[7])
    windows, happened = cohort.windows, cohort.happened
    nights = happened.seen & happened.inside
    seen = np.bincount(windows.phase[happened.window[nights]], minlength=6000).reshape(3000, 2).T
    assert least < np.corrcoef(seen[0], seen[1])[0, 1] < most


def test_nights_are_missing_or_seen_in_part_and_what_was_not_seen_is_not_counted() -> None:
    cohort = draw(replace(PLAIN, missing=0.2, partly=0.3), schedule(300), seed=[8])
    nights = [night for item in seen_of(cohort) for night in item.observed]
    assert len(nights) == 300 * 56
    usable = np.array([night.usable_h for night in nights])
    assert (usable == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert ((usable > 0) & (usable < 7.9)).mean() == pytest.approx(0.3, abs=0.015)
    assert all(night.enough == (night.usable_h >= 4.0) for night in nights)
    assert all(night.count == 0 for night in nights if night.usable_s == 0)
    # Exposure tells the rate whatever was missed: 0.73 of four a week, in seven nights of eight hours.
    rate = sum(night.count for night in nights) / usable.sum() * 56
    assert rate == pytest.approx(4 * 0.73, rel=0.03)


def test_a_device_misses_some_and_raises_false_alarms() -> None:
    cohort = draw(replace(PLAIN, sensitivity=0.9, false_alarms=0.1), schedule(300), seed=[9])
    happened = cohort.happened
    assert happened.seen[happened.real].mean() == pytest.approx(0.9, abs=0.01)
    assert (~happened.real).sum() / (300 * 56) == pytest.approx(0.1, rel=0.05)
    assert happened.seen[~happened.real].all()


def test_nights_are_local_and_one_is_an_hour_shorter() -> None:
    nights = seen_of(draw(PLAIN, schedule(1, weeks=(14,)), seed=[10]))[0].observed
    short = [night.date for night in nights if night.expected_s != 8 * 3600]
    assert short == [date(2026, 3, 28)]
    assert [night.date for night in nights] == [FIRST + timedelta(day) for day in range(98)]
    assert [night.weekday for night in nights[:7]] == list(range(7))


def test_sessions_and_the_time_between_share_the_cramps() -> None:
    rhythm = Rhythm("dialysis", "between", weekdays=(0, 2, 4), hours=4, inside=0.4)
    cohort = draw(replace(PLAIN, rhythm=rhythm), schedule(500, weeks=(4,)), seed=[11])
    seen = [item for one in seen_of(cohort, kinds=("dialysis", "between")) for item in one.observed]
    sessions = [item for item in seen if item.kind == "dialysis"]
    assert len(sessions) == 500 * 12
    assert {item.weekday for item in sessions} == {0, 2, 4}
    assert counted(sessions) / 500 / 4 == pytest.approx(1.6, rel=0.04)
    assert counted([item for item in seen if item.kind == "between"]) / 500 / 4 == pytest.approx(2.4, rel=0.04)


def test_the_same_seed_gives_the_same_cohort_and_another_another() -> None:
    first, again, other = (seen_of(draw(Truth(), schedule(3), seed=seed)) for seed in ([1, 2], [1, 2], [1, 3]))
    assert first == again
    assert first != other


def trial(value: float, low: float, high: float, p: float) -> Trial:
    return Trial(value, low, high, p, "fewer" if p < 0.05 else "no_difference_shown")


def test_the_judge_counts() -> None:
    nan = math.nan
    trials = [
        trial(0.5, 0.25, 1.0, 0.06), trial(0.5, 0.3, 0.8, 0.01), trial(1.0, 0.6, 1.7, 1.0), trial(2.0, 1.2, 3.4, 0.02),
        Trial(nan, nan, nan, nan, "not_enough_data"),
    ]  # fmt: skip
    verdict = judge(trials, truth=0.5)
    assert (verdict.trials, verdict.told) == (5, 4)
    assert (verdict.coverage.hits, verdict.coverage.of) == (2, 4)
    assert (verdict.rejects.hits, verdict.wrong_way) == (2, 1)
    assert verdict.bias == pytest.approx(math.log(2) * 3 / 4)  # 0, 0, 1 and 2 doublings
    assert verdict.ratio == 0.75
    assert not verdict.within_goal


@pytest.mark.parametrize(
    ("truth", "outside", "rejecting", "within"),
    [(1.0, 5, 5, True), (1.0, 8, 5, False), (1.0, 5, 7, False), (1.0, 5, 3, False), (1.0, 2, 4, False),
     (0.5, 5, 60, True)],
)  # fmt: skip
def test_the_goal(truth: float, outside: int, rejecting: int, within: bool) -> None:
    trials = [
        Trial(truth, *((truth * 1.1, 2.0) if number < outside else (0.4, 2.0)), 0.01 if number < rejecting else 0.5, "")
        for number in range(100)
    ]
    assert judge(trials, truth=truth).within_goal is within


def test_a_share_has_the_exact_interval() -> None:
    # Kugelmas 2000: 10 of 12.
    low, high = Share(10, 12).interval
    assert (round(100 * low, 1), round(100 * high, 1)) == (51.6, 97.9)
    assert Share(0, 10).interval[0] == 0.0
    assert Share(10, 10).interval[1] == 1.0
    assert str(Share(1, 2)) == "50.0 % (1.3 to 98.7)"


@pytest.mark.parametrize("name", SMALLER)
def test_a_cohort_gives_the_same_figures_directly_and_through_the_system(name: str) -> None:
    pair = through(Job(name, 0))
    assert pair.same
    assert pair.epochs > 50_000
    assert pair.direct.estimate[0] is not None
    assert 0 < pair.direct.estimate[0] < math.inf
    cramps = sum(arm[-1] for arm in pair.direct.arms)
    assert 0 < cramps < pair.episodes  # episodes by day are stored too, and not counted
    assert not replace(pair, sent=replace(pair.sent, conclusion="more")).same
    assert not replace(pair, system=replace(pair.system, estimate=(0.1, 0.1, 0.1, 0.1))).same
