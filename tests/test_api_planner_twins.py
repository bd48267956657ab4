"""What the planner tests thousands of tables with says of each table what the analysis itself says of it."""

import math

import numpy as np
import pytest

from api.statistics.dispersed import rate_ratio_weeks
from api.statistics.grouped import between, factorial, within
from api.statistics.meta import combine
from api.statistics.meta_counts import PersonCounts, effects_of
from api.statistics.power_groups import p_between, p_within
from api.statistics.power_series import p_series
from api.statistics.power_tables import DoubleArray
from api.statistics.power_tests import p_exact, p_of_weeks
from api.statistics.rates import rate_ratio_exact

TABLES = 60


def overdispersed(rng: np.random.Generator, mean: DoubleArray) -> DoubleArray:
    return rng.poisson(mean * rng.gamma(3.0, 1 / 3.0, mean.shape)).astype(float)


def told(p: float | None) -> float:
    return 1.0 if p is None else p


def check_same(ours: DoubleArray, theirs: list[float]) -> None:
    assert ours == pytest.approx(theirs, abs=1e-3)
    assert list(ours < 0.05) == [p < 0.05 for p in theirs]


@pytest.mark.parametrize(("per_week", "weeks", "usable"), [(2.5, 4, 0.9), (0.6, 3, 0.3), (8.0, 8, 0.7)])
def test_weeks_before_and_after(per_week: float, weeks: int, usable: float) -> None:
    rng = np.random.default_rng(1)
    treated = np.tile(np.repeat([0.0, 1.0], weeks), (TABLES, 1))
    exposures = rng.binomial(7, usable, treated.shape) / 7.0
    counts = overdispersed(rng, per_week * exposures * np.where(treated > 0, 0.4, 1.0))
    theirs = [told(rate_ratio_weeks(*rows).p) for rows in zip(counts, exposures, treated, strict=True)]
    check_same(p_of_weeks(counts, exposures, treated), theirs)


@pytest.mark.parametrize(("per_week", "pairs", "usable"), [(4.0, 4, 0.9), (0.7, 3, 0.4)])
def test_weeks_of_pairs_of_blocks(per_week: float, pairs: int, usable: float) -> None:
    rng = np.random.default_rng(2)
    first = rng.integers(0, 2, (TABLES, pairs, 1)).astype(float)
    treated = np.repeat(np.concatenate([first, 1.0 - first], axis=2).reshape(TABLES, -1), 2, axis=1)
    cycle = np.repeat(np.arange(float(pairs)), 4)
    exposures = rng.binomial(7, usable, treated.shape) / 7.0
    counts = overdispersed(rng, per_week * exposures * np.where(treated > 0, 0.4, 1.0))
    rows = zip(counts, exposures, treated, strict=True)
    check_same(
        p_of_weeks(counts, exposures, treated, cycle=cycle), [told(rate_ratio_weeks(*r, cycle=cycle).p) for r in rows]
    )


@pytest.mark.parametrize(
    ("people", "mean", "by_period"), [(40, 10.0, True), (6, 1.0, True), (4, 0.3, True), (12, 3.0, False)]
)
def test_each_wearer_their_own_control(people: int, mean: float, by_period: bool) -> None:
    rng = np.random.default_rng(3)
    level = rng.gamma(2.5, mean / 2.5, (TABLES, people))
    exposures = rng.binomial(14, 0.3, (2, TABLES, people)) / 7.0
    on, off = overdispersed(rng, level * exposures[0] * 0.5), overdispersed(rng, level * exposures[1])
    lag = np.where(np.arange(people) % 2, 1.0, -1.0)
    names = [f"w{number:03d}" for number in range(people)] * 2
    periods = np.concatenate([np.where(lag > 0, 2.0, 1.0), np.where(lag > 0, 1.0, 2.0)]) if by_period else None
    theirs = [
        told(
            within(
                wearers=names,
                treated=np.repeat([1, 0], people),
                counts=np.concatenate([on[at], off[at]]),
                exposures=np.concatenate([exposures[0, at], exposures[1, at]]),
                periods=periods,
            ).p
        )
        for at in range(TABLES)
    ]
    check_same(p_within(on, off, exposures[0], exposures[1], lag=lag if by_period else None), theirs)


@pytest.mark.parametrize(
    ("people", "mean", "baseline", "factors"),
    [(40, 10.0, True, 1), (8, 0.5, True, 1), (20, 3.0, False, 1), (16, 4.0, True, 2)],
)
def test_arms_beside_each_other(people: int, mean: float, baseline: bool, factors: int) -> None:
    rng = np.random.default_rng(4)
    level = rng.gamma(2.5, mean / 2.5, (TABLES, people))
    exposures = rng.binomial(14, 0.4, (2, TABLES, people)) / 7.0
    place = np.arange(people)
    given = np.stack([place % 2, place // 2 % 2], axis=1).astype(float)[:, :factors]
    before = overdispersed(rng, level * exposures[0])
    after = overdispersed(rng, level * exposures[1] * np.where(given[:, 0] == 1, 0.5, 1.0))
    theirs = []
    for at in range(TABLES):
        rows = {"counts": after[at], "exposures": exposures[1, at]}
        if baseline:
            rows |= {"baseline_counts": before[at], "baseline_exposures": exposures[0, at]}
        if factors == 2:
            theirs.append(told(factorial(first=given[:, 0], second=given[:, 1], **rows).first.p))
        else:
            theirs.append(told(between(treated=given[:, 0], **rows).p))
    check_same(p_between(given, after, exposures[1], before=(before, exposures[0]) if baseline else None), theirs)


def test_exact_totals() -> None:
    rng = np.random.default_rng(5)
    on, off = rng.poisson(3.0, TABLES), rng.poisson(5.0, TABLES)
    exposures = rng.uniform(1.0, 4.0, (2, TABLES))
    exposures[:, :3] = 0.0
    on[:3] = off[:3] = 0
    theirs = [
        told(rate_ratio_exact(int(a), float(x), int(b), float(y)).p)
        for a, x, b, y in zip(on, exposures[0], off, exposures[1], strict=True)
    ]
    check_same(p_exact(on.astype(float), off.astype(float), exposures[0], exposures[1]), theirs)


def pearson(counts: DoubleArray, exposures: DoubleArray) -> tuple[float, int]:
    if not counts.any():
        return 0.0, 0
    mean = exposures * counts.sum() / exposures.sum()
    return float(((counts - mean) ** 2 / mean).sum()), len(counts) - 1


@pytest.mark.parametrize(("people", "per_week"), [(8, 4.0), (3, 0.8)])
def test_several_n_of_1_trials_together(people: int, per_week: float) -> None:
    rng = np.random.default_rng(6)
    treated = np.broadcast_to(np.tile([1.0, 1.0, 0.0, 0.0], 3), (TABLES, people, 12))
    level = rng.gamma(2.5, per_week / 2.5, (TABLES, people, 1))
    exposures = rng.binomial(7, 0.8, treated.shape) / 7.0
    exposures[exposures == 0] = 1 / 7.0
    counts = overdispersed(rng, level * exposures * np.where(treated > 0, 0.5, 1.0))
    theirs = []
    for at in range(TABLES):
        spread = [pearson(counts[at, who][rows], exposures[at, who][rows]) for who in range(people)
                  for rows in (treated[at, who] == 1, treated[at, who] == 0)]  # fmt: skip
        df = sum(part[1] for part in spread)
        dispersion = max(1.0, sum(part[0] for part in spread) / df) if df else 1.0
        persons = []
        for who in range(people):
            on = treated[at, who] == 1
            persons.append(
                PersonCounts(
                    str(who), int(counts[at, who][~on].sum()), float(exposures[at, who][~on].sum()),
                    int(counts[at, who][on].sum()), float(exposures[at, who][on].sum()),
                )
            )  # fmt: skip
        pooled = combine(effects_of(persons, dispersion=dispersion)[0]).random
        theirs.append(told(pooled.p) if not math.isnan(pooled.value) else 1.0)
    check_same(p_series(counts, exposures, np.asarray(treated)), theirs)
