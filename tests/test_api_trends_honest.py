"""Trends by simulation: intervals hold the truth as often as they say, and nothing is found where nothing is.

Figures of 2,000 simulations stand in docs/trends.md; here are few enough for every day, with bounds that a binomial
distribution justifies: a right method fails one of these tests about once in a thousand seeds, and the seeds are fixed.
"""

import math
from datetime import timedelta

import numpy as np
import pytest
from scipy import stats
from trends_world import BERLIN, FIRST, frail, last_of, nights, seen

from api.observed import Observed
from api.trends.changes import SHOWN_FROM
from api.trends.changing import weigh
from api.trends.clusters import clusters
from api.trends.hours import profile
from api.trends.sloping import fit
from api.trends.weekdays import SHOWN_BELOW, exchanged
from api.trends.weeks import weekly
from api.trends.whole import overall_rate

MANY = 400


def bounds(share: float, number: int) -> tuple[float, float]:
    """Between which a share seen lies in 999 of 1,000 cases."""
    low, high = stats.binom.ppf([0.0005, 0.9995], number, share) / number
    return float(low), float(high)


@pytest.mark.parametrize(("per_week", "ratio"), [(2.5, 1.0), (5.0, 0.7), (8.0, 0.5)])
def test_intervals_of_the_slope_hold_it(per_week: float, ratio: float) -> None:
    rng = np.random.default_rng(round(per_week * 10))
    x = np.arange(12.0) - 11.5
    slope = math.log(ratio) / 4.0
    held = 0
    for _ in range(MANY):
        exposures = rng.uniform(4.0, 7.0, 12)
        mean = per_week / 7.0 * exposures * np.exp(slope * (x + 6.0)) * rng.gamma(3.0, 1.0 / 3.0, 12)
        got = fit(rng.poisson(mean).astype(np.float64), exposures, x)
        _, low, high = got.change(4.0)
        held += got.ok and low <= ratio <= high
    low, high = bounds(0.95, MANY)
    assert low <= held / MANY <= high


@pytest.mark.parametrize("k", [3.0, None])
def test_intervals_of_a_rate_hold_it(k: float | None) -> None:
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(MANY):
        among = nights(frail(rng, weeks=12, per_week=4.0, k=k))
        got = overall_rate(weekly(among, first=FIRST, last=last_of(among)))
        held += got.low <= 4.0 / 7.0 <= got.high
    assert bounds(0.95, MANY)[0] <= held / MANY


def test_a_constant_rate_seldom_shows_a_change() -> None:
    rng = np.random.default_rng(9)
    number = 200
    shown = 0
    for _ in range(number):
        counts = rng.poisson(4.0 * rng.gamma(3.0, 1.0 / 3.0, 12)).astype(np.float64)
        shown += weigh(counts, np.full(12, 7.0)).step >= SHOWN_FROM
    assert shown / number <= bounds(0.05, number)[1]


def test_a_great_change_is_found_where_it_is() -> None:
    rng = np.random.default_rng(10)
    number = 100
    held = shown = 0
    for _ in range(number):
        mean = np.where(np.arange(26) < 13, 8.0, 2.0)
        got = weigh(rng.poisson(mean * rng.gamma(3.0, 1.0 / 3.0, 26)).astype(np.float64), np.full(26, 7.0))
        first, last = got.reach(0.95)
        held += first <= 13 <= last
        shown += got.step >= SHOWN_FROM
    assert held / number >= bounds(0.95, number)[0]
    assert shown / number > 0.6


def test_days_of_the_week_are_seldom_found_where_there_are_none() -> None:
    rng = np.random.default_rng(11)
    days, weeks = np.tile(np.arange(7), 12), np.repeat(np.arange(12), 7)
    below = {0.05: 0, SHOWN_BELOW: 0}
    for _ in range(MANY):
        exposures = rng.uniform(0.5, 1.0, 84)
        trend = np.repeat(np.linspace(1.5, 0.5, 12) * rng.gamma(3.0, 1.0 / 3.0, 12), 7)
        counts = rng.poisson(0.6 * trend * exposures).astype(np.float64)
        p = exchanged(counts, exposures, days, weeks=weeks, times=199)
        for level in below:
            below[level] += p <= level
    for level, number in below.items():
        assert number / MANY <= bounds(level, MANY)[1]


def _scattered(rng: np.random.Generator) -> list[Observed]:
    """Nights that differ, and cramps that come mostly in the fifth hour, each for itself."""
    levels = rng.gamma(3.0, 1.0 / 3.0, 84)
    return [
        seen(FIRST + timedelta(days=i), list(np.clip(rng.normal(5.0, 1.2, rng.poisson(1.2 * level)), 0.0, 7.99)))
        for i, level in enumerate(levels)
    ]


def test_bouts_are_seldom_found_where_cramps_come_singly() -> None:
    rng = np.random.default_rng(12)
    number = 150
    found = [clusters(_scattered(rng)) for _ in range(number)]
    shown = sum(got.verdict == "shown" for got in found)
    assert shown / number <= bounds(0.05, number)[1]
    held = sum(got.by_chance is not None and got.share.low <= got.by_chance <= got.share.high for got in found)
    assert held / number >= bounds(0.93, number)[0]


def test_an_hour_seldom_stands_out_where_none_does() -> None:
    rng = np.random.default_rng(13)
    number = 150
    shown = 0
    for _ in range(number):
        among = [
            seen(FIRST + timedelta(days=i), list(rng.uniform(0.0, 8.0, rng.poisson(0.7 * rng.gamma(3.0, 1.0 / 3.0)))))
            for i in range(84)
        ]
        shown += profile(among, by="since_start", zones=BERLIN).sentence.startswith("Most come")
    assert shown / number <= bounds(0.05, number)[1]
